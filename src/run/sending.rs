//! When a run's requests go out: in turn, again when they were throttled, and not at
//! all once the run gives up.

use super::session::Session;
use crate::client::GivingWay;
use crate::journal::{Paid, Unpaid};
use crate::wire::Response;

impl Session {
    /// Waits until a case may send its next request; no longer than it goes on.
    pub(super) async fn turn(&self) {
        tokio::select! {
            () = self.client.turn() => {}
            _ = self.halt.of_steps() => {}
        }
    }

    /// Waits before a throttled request of a step is repeated; false when it has been
    /// throttled long enough, or steps are given up.
    pub(super) async fn gives_way(&self, giving_way: &mut GivingWay, response: &Response) -> bool {
        tokio::select! {
            again = giving_way.again(&self.client, response) => again,
            _ = self.halt.of_steps() => false,
        }
    }

    /// What takes something back, unless clean-up is given up meanwhile.
    pub(super) async fn unless_given_up(
        &self,
        paying: impl Future<Output = Result<Paid, Unpaid>>,
    ) -> Result<Paid, Unpaid> {
        tokio::select! {
            paid = paying => paid,
            reason = self.halt.of_clean_up() => Err(Unpaid { reason, is_unanswered: true }),
        }
    }
}
