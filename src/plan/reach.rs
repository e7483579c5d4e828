//! Which operations a case's requests may reach, whether it calls them by name or
//! writes them by hand, and what they do beyond the data of one identity.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use percent_encoding::percent_decode_str;

use crate::cases::{Action, Base, Bindings, Body, Case, Effect, Step, Suite, Text};
use crate::spec::Service;

/// Knows which operation a request reaches.
#[derive(Debug, Clone, Copy)]
pub struct Reach<'s> {
    bases: &'s IndexMap<String, Base>,
    service: &'s Service,
}

impl<'s> Reach<'s> {
    /// Over the base requests of a suite.
    pub fn new(suite: &'s Suite, service: &'s Service) -> Self {
        Self { bases: &suite.bases.operations, service }
    }

    /// The base request of an operation.
    pub(super) fn base(&self, operation: &str) -> Option<&'s Base> {
        self.bases.get(operation)
    }

    /// What the case's requests may do beyond the data of one identity, also those
    /// that take something back. A request that ought to be refused counts like any
    /// other: whether it is, the endpoint decides.
    pub fn effects(&self, case: &Case) -> BTreeSet<Effect> {
        let operations = case.steps.iter().flat_map(|step| self.operations(step));
        operations.filter_map(|operation| self.bases.get(&operation)?.effect).collect()
    }

    /// Every operation that a step may reach, repeats included; the first is the one
    /// that it is meant for. None for a request that no operation has.
    pub(super) fn operations(&self, step: &Step) -> Vec<String> {
        let mut found = Vec::new();
        let mut method = String::new();
        match &step.action {
            Action::Call(call) => {
                found.push(call.operation.clone());
                let undo = self.base(&call.operation).and_then(|base| base.undo.as_ref());
                found.extend(undo.map(|undo| undo.operation.clone()));
                let known = self.service.operations.get(&call.operation);
                method = known.map(|operation| operation.method.clone()).unwrap_or_default();
            }
            Action::Send { method: written, target, body } => {
                method = filled(written);
                found.extend(self.routed(&method, &filled(target)));
                if let Body::Text(text) = body {
                    found.extend(self.named(&filled(text)));
                }
            }
            Action::Bytes(bytes) => {
                let bytes = filled(bytes);
                found.extend(bytes.lines().filter_map(request_line).flat_map(|(method, to)| self.routed(method, to)));
                found.extend(self.named(&bytes));
            }
            Action::Observe(_) => {}
        }
        // What is changed after signing reaches whom the change says.
        let tampered = step.tamper.method.as_ref().unwrap_or(&method);
        match (&step.tamper.target, &step.action) {
            (Some(target), _) => found.extend(self.routed(tampered, &filled(target))),
            (None, Action::Send { target, .. }) => found.extend(self.routed(tampered, &filled(target))),
            (None, Action::Call(call)) if step.tamper.method.is_some() => {
                found.extend(self.beside(tampered, &call.operation));
            }
            _ => {}
        }
        let headers = step.headers.iter().chain(&step.tamper.headers).chain(&step.tamper.add_headers);
        for (name, value) in headers {
            let value = filled(value);
            if name.eq_ignore_ascii_case(&self.service.legacy_rpc.target_header) {
                found.extend(self.service.called_by_name(&value).map(|operation| operation.name.clone()));
            }
            found.extend(self.named(&value));
        }
        found
    }

    /// The operations that a target may be taken for, read as it stands, decoded, and
    /// with its dots and doubled slashes resolved, as some servers do.
    fn routed(&self, method: &str, target: &str) -> Vec<String> {
        let path = target.split(['?', '#']).next().unwrap_or_default();
        let decoded = percent_decode_str(path).decode_utf8_lossy().into_owned();
        let readings = [path.to_owned(), resolved(path), resolved(&decoded)];
        let routed = readings.iter().find_map(|path| Some(self.service.routed(method, path)?.0.name.clone()));
        routed.into_iter().collect()
    }

    /// The operation at the same path with another method.
    fn beside(&self, method: &str, operation: &str) -> Option<String> {
        let uri = &self.service.operations.get(operation)?.uri;
        let mut all = self.service.operations.values();
        all.find(|other| other.uri == *uri && other.method.eq_ignore_ascii_case(method)).map(|other| other.name.clone())
    }

    /// The operations that reach beyond an identity and are named in a text: some
    /// protocols call by name.
    fn named(&self, text: &str) -> Vec<String> {
        let far = self.bases.iter().filter(|(_, base)| base.effect.is_some()).map(|(name, _)| name);
        far.filter(|name| text.contains(name.as_str())).cloned().collect()
    }
}

/// A text with something in the place of its placeholders: which route a request
/// takes, does not hang on them.
fn filled(text: &Text) -> String {
    let mut bindings = Bindings::new();
    text.names(&mut |name| bindings.bind(name, 1));
    text.render(&bindings).unwrap_or_default()
}

/// Method and target of a line that begins a request.
fn request_line(line: &str) -> Option<(&str, &str)> {
    let mut words = line.split_ascii_whitespace();
    let (method, target) = (words.next()?, words.next()?);
    target.starts_with('/').then_some((method, target))
}

/// A path without dots for folders and without empty parts.
fn resolved(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::Reach;
    use crate::cases::{Effect, Suite};
    use crate::spec::{Catalog, Service};

    fn effects(step: &str) -> Vec<Effect> {
        let case = format!(
            "[[case]]\nname = \"c\"\nproves = [\"ListRecords/route\"]\nsteps = [\n{{ {step}, expect = {{ status = 200 }} }}]\n"
        );
        let files = [("_base.toml", Suite::shipped_bases()), ("a/t.toml", case.as_str())];
        let (service, catalog) = (Service::embedded(), Catalog::embedded());
        let suite = Suite::from_texts(service, catalog, &files).expect("no mistakes");
        Reach::new(&suite, service).effects(&suite.cases[0]).into_iter().collect()
    }

    #[rstest]
    #[case::called("call = \"SetCognitoEvents\"", &[Effect::PoolChanges])]
    #[case::publish("call = \"BulkPublish\"", &[Effect::BulkPublish])]
    #[case::read("call = \"GetCognitoEvents\"", &[])]
    #[case::by_hand(
        "send = { method = \"POST\", target = \"/identitypools/{identity-pool-id}/configuration?x=1\" }",
        &[Effect::PoolChanges]
    )]
    #[case::read_by_hand("send = { method = \"GET\", target = \"/identitypools/{identity-pool-id}/configuration\" }", &[])]
    #[case::encoded(
        "send = { method = \"post\", target = \"/identitypools/{identity-pool-id}/%63onfiguration/\" }",
        &[Effect::PoolChanges]
    )]
    #[case::with_dots(
        "send = { method = \"POST\", target = \"/x/../identitypools//{identity-pool-id}/./bulkpublish\" }",
        &[Effect::BulkPublish]
    )]
    #[case::bytes(
        "send-bytes = \"GET / HTTP/1.1\\r\\n\\r\\nPOST /identitypools/p/events HTTP/1.1\\r\\n\\r\\n\"",
        &[Effect::PoolChanges]
    )]
    #[case::named_in_a_body(
        "send = { method = \"POST\", target = \"/\", body = '{\"Operation\": \"x#SetCognitoEvents\"}' }",
        &[Effect::PoolChanges]
    )]
    #[case::named_in_a_header(
        "send = { method = \"POST\", target = \"/\" }, headers = { x-amz-target = \"A.BulkPublish\" }",
        &[Effect::BulkPublish]
    )]
    #[case::another_method_after_signing(
        "call = \"GetIdentityPoolConfiguration\", tamper = { method = \"POST\" }",
        &[Effect::PoolChanges]
    )]
    #[case::another_path_after_signing(
        "call = \"UpdateRecords\", with = { SyncSessionToken = \"t\" }, tamper = { target = \"/identitypools/p/bulkpublish\" }",
        &[Effect::BulkPublish]
    )]
    fn what_a_request_may_do_is_known(#[case] step: &str, #[case] expected: &[Effect]) {
        assert_eq!(effects(step), expected);
    }

    /// Each operation with an effect is reached by some shipped case, by its name.
    #[test]
    fn every_effect_has_its_cases() {
        let (service, catalog) = (Service::embedded(), Catalog::embedded());
        let suite = Suite::shipped(service, catalog).expect("no mistakes");
        let reach = Reach::new(&suite, service);
        for effect in Effect::ALL {
            let cases = suite.cases.iter().filter(|case| reach.effects(case).contains(&effect)).count();
            assert!(cases > 5 && cases < suite.cases.len() / 2, "{effect:?}: {cases}");
        }
    }
}
