//! Which protocol a case speaks: the one it is written for, or the run's.

use super::case::{Action, Case, Step};
use crate::spec::Protocol;

impl Case {
    /// The protocol that the case's calls are bound to in a run that speaks `run`.
    pub fn speaks(&self, run: Protocol) -> Protocol {
        self.protocol.unwrap_or(run)
    }

    /// Why the case can speak rest-json only, if that is so: it says so itself, or
    /// writes down what the client would otherwise put in its place.
    pub fn of_rest_json(&self) -> Option<&'static str> {
        match self.protocol {
            Some(Protocol::RestJson) => Some("it is about that protocol"),
            Some(Protocol::LegacyRpc) => None,
            None => self.steps.iter().find_map(Step::of_rest_json),
        }
    }
}

impl Step {
    fn of_rest_json(&self) -> Option<&'static str> {
        if self.protocol.is_some() {
            return None;
        }
        match &self.action {
            Action::Send { .. } | Action::Bytes(_) => return Some("a request is put together by hand"),
            Action::Call(call) if call.json.is_some() => return Some("a body is written by hand"),
            Action::Call(_) | Action::Observe(_) => {}
        }
        let tamper = &self.tamper;
        let rewrites_target = tamper.rewrites.iter().any(|rewrite| rewrite.header.is_none());
        let changed = tamper.method.is_some() || tamper.target.is_some() || tamper.body.is_some() || rewrites_target;
        changed.then_some("a method, path or body is changed by hand")
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::cases::Suite;
    use crate::spec::{Catalog, Service};

    #[rstest]
    #[case::call("", "call = \"ListRecords\"", None)]
    #[case::said("protocol = \"rest-json\"", "call = \"ListRecords\"", Some("it is about that protocol"))]
    #[case::said_of_the_step("", "call = \"ListRecords\", protocol = \"rest-json\"", None)]
    #[case::sent("", "send = { method = \"GET\", target = \"/\" }", Some("a request is put together by hand"))]
    #[case::sent_in_the_other("protocol = \"legacy-rpc\"", "send = { method = \"POST\", target = \"/\" }", None)]
    #[case::body("", "call = \"RegisterDevice\", json = \"{}\"", Some("a body is written by hand"))]
    #[case::body_in_the_other("protocol = \"legacy-rpc\"", "call = \"RegisterDevice\", json = \"{}\"", None)]
    #[case::path(
        "",
        "call = \"ListRecords\", tamper = { target = \"/\" }",
        Some("a method, path or body is changed by hand")
    )]
    #[case::header("", "call = \"ListRecords\", tamper = { headers = { x-a = \"1\" } }", None)]
    fn a_case_is_of_rest_json_by_what_it_writes_down(
        #[case] more: &str,
        #[case] step: &str,
        #[case] expected: Option<&str>,
    ) {
        let case = format!(
            "[[case]]\nname = \"c\"\nproves = [\"ListRecords/route\"]\n{more}\nsteps = [\n{{ {step}, expect = {{ status = 200 }} }}]\n"
        );
        let files = [("_base.toml", Suite::shipped_bases()), ("a/t.toml", case.as_str())];
        let suite = Suite::from_texts(Service::embedded(), Catalog::embedded(), &files).expect("no mistakes");
        assert_eq!(suite.cases[0].of_rest_json(), expected);
    }
}
