//! What a request may make, by how it looks on the wire: whoever wrote it, in
//! whichever protocol, and whatever was done to it on the way.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::debt::{Debt, Kind};
use crate::cases::{Base, Bases};
use crate::client::Endpoint;
use crate::spec::{Location, Operation, Service};
use crate::wire::{Request, json};

/// An operation that a request reaches, and the members that its path names, or would.
#[derive(Debug, Clone)]
pub struct Sight<'s> {
    /// The operation.
    pub operation: &'s Operation,
    /// What `_base.toml` says of it.
    pub base: &'s Base,
    /// Members by name.
    pub labels: Map<String, Value>,
}

/// The operations that a request reaches, if `_base.toml` knows them: by its method and
/// path, and by a name in a header or in an envelope, as legacy-rpc calls them. A server
/// may look at either. Bytes that are no request of the usual form may hold several, or
/// some that a server sees and others do not: each line that looks like the first one of
/// a request counts, or like the header that names an operation.
pub fn sights<'s>(service: &'s Service, bases: &'s Bases, endpoint: &Endpoint, request: &Request) -> Vec<Sight<'s>> {
    let seen = |method: &str, target: &str| {
        let (operation, labels) = service.routed(method, path(endpoint, target))?;
        let base = bases.operations.get(&operation.name)?;
        let member = |label: &str| {
            let mut labels = operation.input.iter().filter(|(_, member)| member.location == Location::Label);
            labels.find(|(_, member)| member.wire_name == label).map(|(name, _)| name.clone())
        };
        let labels = labels.into_iter().filter_map(|(label, value)| Some((member(label)?, Value::from(value))));
        Some(Sight { operation, base, labels: labels.collect() })
    };
    let header = &service.legacy_rpc.target_header;
    if !request.method.is_empty() {
        let targets = request.headers.get_all(header).map(String::from_utf8_lossy);
        let named = named(service, bases, targets, &request.body);
        return seen(&request.method, &request.target).into_iter().chain(named).collect();
    }
    let text = String::from_utf8_lossy(&request.body);
    let lines = text.lines().filter_map(|line| {
        let mut words = line.split_ascii_whitespace();
        seen(words.next()?, words.next()?)
    });
    let targets = text.lines().filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case(header).then_some(Cow::Borrowed(value))
    });
    let body = text.rsplit_once("\r\n\r\n").map_or("", |(_, body)| body);
    lines.chain(named(service, bases, targets, body.as_bytes())).collect()
}

/// The operations that `targets` or an envelope name, with what the body says for the
/// members that rest-json has in the path.
fn named<'s, 't>(
    service: &'s Service,
    bases: &'s Bases,
    targets: impl Iterator<Item = Cow<'t, str>>,
    body: &[u8],
) -> Vec<Sight<'s>> {
    let body = json(body).unwrap_or_default();
    let in_envelope = body.get("Operation").and_then(Value::as_str);
    let mut called: Vec<&Operation> = targets.filter_map(|name| service.called_by_name(&name)).collect();
    called.extend(in_envelope.and_then(|name| service.called_by_name(name)));
    called.dedup_by_key(|operation| &operation.name);
    let input = body.get("Input").filter(|input| input.is_object()).unwrap_or(&body);
    let sight = |operation: &'s Operation| {
        let labels = operation.input.iter().filter(|(_, member)| member.location == Location::Label);
        let labels = labels.filter_map(|(name, _)| Some((name.clone(), input.get(name)?.clone())));
        Some(Sight { operation, base: bases.operations.get(&operation.name)?, labels: labels.collect() })
    };
    called.into_iter().filter_map(sight).collect()
}

/// The target without scheme, host and base path.
fn path<'t>(endpoint: &Endpoint, target: &'t str) -> &'t str {
    let target = match target.split_once("://") {
        Some((scheme, rest)) if scheme.chars().all(|c| c.is_ascii_alphabetic()) => {
            rest.find('/').map_or("/", |slash| &rest[slash..])
        }
        _ => target,
    };
    target.strip_prefix(endpoint.base()).filter(|rest| rest.starts_with('/')).unwrap_or(target)
}

/// What is owed for a request that reaches this, if it makes something.
pub fn undoing(sight: &Sight<'_>, case: &str) -> Option<Debt> {
    let undo = sight.base.undo.as_ref()?;
    let same = undo.same.iter().filter_map(|name| Some((name.clone(), sight.labels.get(name)?.clone())));
    Some(Debt {
        kind: Kind::Undo,
        call: undo.operation.clone(),
        input: same.chain(undo.with.clone()).collect(),
        saved: Map::new(),
        made_by: sight.operation.name.clone(),
        case: case.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Map, Value, json};

    use super::{sights, undoing};
    use crate::cases::Suite;
    use crate::client::Endpoint;
    use crate::spec::{Catalog, Service};
    use crate::wire::{Headers, Request};

    /// What is owed for a request: the calls that take it back, with their input.
    fn owed(request: &Request) -> Vec<(String, Map<String, Value>)> {
        let (service, catalog) = (Service::embedded(), Catalog::embedded());
        let suite = Suite::shipped(service, catalog).expect("no mistakes");
        let endpoint = Endpoint::parse("http://127.0.0.1:1/base").expect("an address");
        let seen = sights(service, &suite.bases, &endpoint, request);
        seen.iter().filter_map(|sight| undoing(sight, "c")).map(|debt| (debt.call, debt.input)).collect()
    }

    fn call(method: &str, target: &str, header: Option<&str>, body: &str) -> Request {
        Request {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: header.map(|value| ("X-Amz-Target", value)).into_iter().collect::<Headers>(),
            body: bytes::Bytes::copy_from_slice(body.as_bytes()),
        }
    }

    const INPUT: &str = r#"{"IdentityPoolId":"p","IdentityId":"i","DatasetName":"d","SyncSessionToken":"t"}"#;

    fn envelope() -> String {
        format!(r#"{{"Operation":"a#UpdateRecords","Service":"a#S","Input":{INPUT}}}"#)
    }

    #[rstest]
    #[case::path(call("POST", "/base/identitypools/p/identities/i/datasets/d", None, ""))]
    #[case::enveloped(call("POST", "/base/", Some("a.b.UpdateRecords"), &envelope()))]
    #[case::bare(call("POST", "/", Some("a.b.UpdateRecords"), INPUT))]
    #[case::in_the_envelope_only(call("POST", "/", None, &envelope()))]
    #[case::another_prefix_and_case(call("POST", "/", Some("x#updaterecords "), INPUT))]
    #[case::another_method(call("PUT", "/anywhere", Some("UpdateRecords"), INPUT))]
    #[case::bytes(call("", "", None, &format!("POST / HTTP/1.1\r\nx-amz-TARGET: b.UpdateRecords\r\n\r\n{INPUT}")))]
    fn what_a_request_makes_is_known_in_either_protocol(#[case] request: Request) {
        let input = json!({ "IdentityPoolId": "p", "IdentityId": "i", "DatasetName": "d" });
        assert_eq!(owed(&request), [("DeleteDataset".to_owned(), input.as_object().expect("an object").clone())]);
    }

    #[rstest]
    #[case::reads(call("POST", "/", Some("a.b.ListRecords"), INPUT))]
    #[case::unknown(call("POST", "/", Some("a.b.UpdateRecord"), INPUT))]
    #[case::another_operation_of_a_body(call("POST", "/", None, INPUT))]
    #[case::no_json(call("POST", "/", None, "UpdateRecords"))]
    fn what_makes_nothing_owes_nothing(#[case] request: Request) {
        assert_eq!(owed(&request), []);
    }
}
