//! What becomes of a plan in a run that speaks another protocol than the service's own.

use super::select::{Decision, Plan};
use crate::cases::{Action, Case, Step};
use crate::spec::{Catalog, Location, Protocol, RequirementKind, Service};
use crate::target::Target;

impl Plan {
    /// Skips the cases that cannot be run over a protocol: all of them where the
    /// target does not offer it, and those that are written for rest-json, which are
    /// about the wire. Cases that are written for the protocol run in any case.
    pub fn over(&mut self, protocol: Protocol, service: &Service, catalog: &Catalog, target: &Target) {
        if protocol == Protocol::default() {
            return;
        }
        let is_offered = target.offers.iter().any(|offered| offered == protocol.name());
        for planned in &mut self.cases {
            if !matches!(planned.decision, Decision::Run(_)) {
                continue;
            }
            let reason = match of_rest_json(&planned.case, service, catalog) {
                _ if !is_offered => not_offered(protocol.name()),
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

/// Why a case can be run over rest-json only, if that is so.
fn of_rest_json(case: &Case, service: &Service, catalog: &Catalog) -> Option<&'static str> {
    if case.protocol == Some(Protocol::LegacyRpc) {
        return None;
    }
    let kinds = || case.proves.iter().filter_map(|id| catalog.get(id)).map(|requirement| requirement.kind);
    let of_route = |kind| matches!(kind, RequirementKind::Route | RequirementKind::Binding);
    let by_hand = || case.steps.iter().any(|step| writes_member(step, service)).then_some("a member is a header");
    let routes = || kinds().all(of_route).then_some("it is about that protocol");
    case.of_rest_json().or_else(routes).or_else(by_hand)
}

/// Whether a step writes a header that carries a member of its call in rest-json.
fn writes_member(step: &Step, service: &Service) -> bool {
    let Action::Call(call) = &step.action else { return false };
    let Some(operation) = service.operations.get(&call.operation) else { return false };
    let headers = operation.input.values().filter(|member| member.location == Location::Header);
    let mut names = headers.map(|member| member.wire_name.as_str());
    let tamper = &step.tamper;
    let mut written = step.headers.iter().chain(&tamper.headers).chain(&tamper.add_headers).map(|(name, _)| name);
    names.any(|name| written.any(|written| written.eq_ignore_ascii_case(name)))
}
