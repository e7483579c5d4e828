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

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::cases::Suite;
    use crate::plan::{Decision, Plan};
    use crate::reference::World;
    use crate::spec::{Catalog, Protocol, Service};
    use crate::target::Target;

    /// Why a case is skipped over a protocol.
    fn skipped(proves: &str, step: &str, protocol: Protocol, offered: bool) -> Option<String> {
        let case = format!(
            "[[case]]\nname = \"c\"\nproves = [\"{proves}\"]\nsteps = [\n{{ {step}, expect = {{ status = 200 }} }}]\n"
        );
        let (service, catalog) = (Service::embedded(), Catalog::embedded());
        let files = [("_base.toml", Suite::shipped_bases()), ("a/t.toml", case.as_str())];
        let suite = Suite::from_texts(service, catalog, &files).expect("no mistakes");
        let mut target = Target::embedded(&World::standard(1, 1), "http://127.0.0.1:1");
        target.offers.retain(|_| offered);
        let mut plan = Plan::new(&suite, &[], &target).expect("it is selected");
        plan.over(protocol, service, catalog, &target);
        match plan.cases.remove(0).decision {
            Decision::Run(_) => None,
            Decision::Skip { reason } => Some(reason),
        }
    }

    const RULE: &str = "UpdateRecords/rule/stale-sync-count";
    const CALL: &str = "call = \"ListRecords\"";
    const CONTEXT: &str = "call = \"UpdateRecords\", with = { SyncSessionToken = \"t\" }, tamper = { headers = { X-Amz-Client-Context = \"c\" } }";

    #[rstest]
    #[case::any(RULE, CALL, true, None)]
    #[case::not_offered(RULE, CALL, false, Some("the target does not offer legacy-rpc"))]
    #[case::route("ListRecords/route", CALL, true, Some("written for rest-json: it is about that protocol"))]
    #[case::by_hand(
        RULE,
        "send = { method = \"GET\", target = \"/\" }",
        true,
        Some("written for rest-json: a request is put together by hand")
    )]
    #[case::header(RULE, CONTEXT, true, Some("written for rest-json: a member is a header"))]
    fn what_cannot_run_over_it_is_skipped(
        #[case] proves: &str,
        #[case] step: &str,
        #[case] offered: bool,
        #[case] expected: Option<&str>,
    ) {
        assert_eq!(skipped(proves, step, Protocol::LegacyRpc, offered).as_deref(), expected);
        assert_eq!(skipped(proves, step, Protocol::RestJson, offered), None);
    }
}
