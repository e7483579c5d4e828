//! What becomes of a plan in a run that speaks another protocol than the service's own.

use super::select::{Decision, Plan};
use crate::spec::Protocol;
use crate::target::Target;

impl Plan {
    /// Skips the cases that cannot be run over a protocol: all of them where the
    /// target does not offer it, and those that are written for rest-json. Cases that
    /// are written for the protocol are none the worse for being run over it.
    pub fn over(&mut self, protocol: Protocol, target: &Target) {
        if protocol == Protocol::default() {
            return;
        }
        for planned in &mut self.cases {
            if !matches!(planned.decision, Decision::Run(_)) {
                continue;
            }
            let reason = match planned.case.of_rest_json() {
                _ if !target.offers.iter().any(|offered| offered == protocol.name()) => not_offered(protocol.name()),
                Some(why) => format!("written for {}: {why}", Protocol::RestJson),
                None => continue,
            };
            planned.decision = Decision::Skip { reason };
        }
    }
}

/// Why nothing is run that needs what a target would have to offer.
pub(super) fn not_offered(need: &str) -> String {
    format!("the target does not offer {need}")
}
