//! When a run's requests go out: in turn, again when they were throttled, and not at
//! all once the run gives up.

use serde_json::{Map, Value};

use super::keyring::Keyring;
use super::prepare::{PrepareError, plain_call};
use super::session::Session;
use crate::cases::Actor;
use crate::client::GivingWay;
use crate::wire::{Failure, Response};

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

    /// Sends a request that takes something back, again when it was throttled, unless
    /// clean-up is given up.
    ///
    /// # Errors
    ///
    /// When the request cannot be made.
    pub(super) async fn clean_up_call(
        &self,
        keys: &Keyring,
        actor: Actor,
        operation: &str,
        input: &Map<String, Value>,
    ) -> Result<Result<Response, Failure>, PrepareError> {
        let mut giving_way = self.client.give_way(self.back_off);
        loop {
            tokio::select! {
                () = self.client.turn() => {}
                _ = self.halt.of_clean_up() => {}
            }
            let request = plain_call(self, keys, actor, operation, input)?;
            let outcome = self.client.send_unless(request, self.halt.of_clean_up()).await.outcome;
            let again = match &outcome {
                Ok(response) if response.is_throttled() => tokio::select! {
                    again = giving_way.again(&self.client, response) => again,
                    _ = self.halt.of_clean_up() => false,
                },
                _ => false,
            };
            if !again {
                return Ok(outcome);
            }
        }
    }
}
