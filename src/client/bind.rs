//! Puts an operation's input where the protocol wants it: path, query, headers
//! and JSON body. Nothing is validated, since invalid requests are made here too.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use crate::spec::{Location, Member, Operation};
use crate::wire::{Headers, Request};

/// Everything is encoded but the characters that RFC 3986 calls unreserved, in
/// labels and in the query alike, as AWS's own clients do.
pub(super) const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Percent-encodes every byte but `A-Z a-z 0-9 - _ . ~`.
pub(super) fn encode(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}

/// An input key that the operation does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{operation} has no input member `{member}`; it has {}", listed(.known))]
pub struct BindError {
    /// The operation's name.
    pub operation: String,
    /// The key that is no member.
    pub member: String,
    /// The members that the operation has, in the order of the description.
    pub known: Vec<String>,
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// The unsigned request that carries `input` to `operation`: no `host`, no
/// `content-length`, target without the endpoint's base path.
///
/// - A label is percent-encoded, `/` included; one that is missing or null leaves
///   an empty segment.
/// - Query parameters stand in the order of the operation's members, headers too;
///   what is missing or null is left out.
/// - Values of those three kinds that are not strings are written as JSON text.
/// - The body is a JSON object of the body members, in the order of `input`, null
///   kept as null, with `content-type: application/json`; it is empty, and has no
///   type, when the operation has no body members.
///
/// # Errors
///
/// When a key of `input` is no member of the operation.
pub fn bind(operation: &Operation, input: &Map<String, Value>) -> Result<Request, BindError> {
    check_members(operation, input)?;
    let mut headers: Headers = (members_at(operation, Location::Header))
        .filter_map(|(name, member)| Some((member.wire_name.clone(), text(input.get(name)?)?)))
        .collect();
    let body = body(operation, input);
    if body.is_some() {
        headers.append("content-type", "application/json");
    }
    Ok(Request {
        method: operation.method.clone(),
        target: path(operation, input) + &query(operation, input),
        headers,
        body: body.unwrap_or_default().into(),
    })
}

/// Refuses a key of `input` that is no member of the operation.
pub(super) fn check_members(operation: &Operation, input: &Map<String, Value>) -> Result<(), BindError> {
    match input.keys().find(|key| !operation.input.contains_key(*key)) {
        None => Ok(()),
        Some(unknown) => Err(BindError {
            operation: operation.name.clone(),
            member: unknown.clone(),
            known: operation.input.keys().cloned().collect(),
        }),
    }
}

fn members_at(operation: &Operation, location: Location) -> impl Iterator<Item = (&String, &Member)> {
    operation.input.iter().filter(move |(_, member)| member.location == location)
}

/// The text of a value that does not travel in the body; none for null.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn path(operation: &Operation, input: &Map<String, Value>) -> String {
    let label = |wire_name: &str| {
        let (name, _) = members_at(operation, Location::Label).find(|(_, member)| member.wire_name == wire_name)?;
        text(input.get(name)?)
    };
    let mut path = String::with_capacity(operation.uri.len());
    let mut rest = operation.uri.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        path.push_str(before);
        path.push_str(&encode(&label(name).unwrap_or_default()));
        rest = after;
    }
    path + rest
}

/// The query with its question mark, or nothing.
fn query(operation: &Operation, input: &Map<String, Value>) -> String {
    let pairs: Vec<String> = members_at(operation, Location::Query)
        .filter_map(|(name, member)| {
            let value = text(input.get(name)?)?;
            Some(format!("{}={}", encode(&member.wire_name), encode(&value)))
        })
        .collect();
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}

/// The JSON body; none when the operation has no body members.
fn body(operation: &Operation, input: &Map<String, Value>) -> Option<String> {
    members_at(operation, Location::Body).next()?;
    let members: Map<String, Value> = (input.iter())
        .filter_map(|(name, value)| {
            let member = operation.input.get(name).filter(|member| member.location == Location::Body)?;
            Some((member.wire_name.clone(), value.clone()))
        })
        .collect();
    Some(Value::Object(members).to_string())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Map, Value, json};

    use super::bind;
    use crate::spec::{Operation, Service};
    use crate::wire::Request;

    fn operation(name: &str) -> &'static Operation {
        &Service::embedded().operations[name]
    }

    fn object(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(map) => map,
            other => panic!("not an object: {other}"),
        }
    }

    fn bound(name: &str, input: Value) -> Request {
        bind(operation(name), &object(input)).unwrap()
    }

    #[rstest]
    #[case::colon("us-east-1:a", "us-east-1%3Aa")]
    #[case::slash_and_blank("dev/1 x", "dev%2F1%20x")]
    #[case::unreserved_stays("aZ09-_.~", "aZ09-_.~")]
    #[case::percent_is_encoded_again("%3A", "%253A")]
    #[case::dots_stay("..", "..")]
    #[case::not_ascii("ü", "%C3%BC")]
    #[case::delimiters("?#&=+'\"", "%3F%23%26%3D%2B%27%22")]
    #[case::empty("", "")]
    fn a_label_is_encoded(#[case] value: &str, #[case] expected: &str) {
        let request = bound("DescribeIdentityPoolUsage", json!({ "IdentityPoolId": value }));
        assert_eq!(request.target, format!("/identitypools/{expected}"));
        assert_eq!(request.method, "GET");
        assert!(request.headers.is_empty() && request.body.is_empty());
    }

    #[rstest]
    #[case::missing(json!({}), "/identitypools/")]
    #[case::null(json!({ "IdentityPoolId": null }), "/identitypools/")]
    #[case::number(json!({ "IdentityPoolId": 7 }), "/identitypools/7")]
    #[case::list(json!({ "IdentityPoolId": ["a"] }), "/identitypools/%5B%22a%22%5D")]
    fn a_label_of_another_kind_still_gives_a_path(#[case] input: Value, #[case] expected: &str) {
        assert_eq!(bound("DescribeIdentityPoolUsage", input).target, expected);
    }

    #[test]
    fn labels_inside_the_path_may_be_empty_too() {
        let request = bound("DescribeDataset", json!({ "IdentityPoolId": "p", "DatasetName": "d" }));
        assert_eq!(request.target, "/identitypools/p/identities//datasets/d");
    }

    #[rstest]
    #[case::none(json!({}), "")]
    #[case::null_is_left_out(json!({ "NextToken": null, "MaxResults": "1" }), "?maxResults=1")]
    #[case::order_of_the_members(json!({ "MaxResults": 3, "NextToken": "a b" }), "?nextToken=a%20b&maxResults=3")]
    #[case::encoded(json!({ "NextToken": "a+/=:" }), "?nextToken=a%2B%2F%3D%3A")]
    #[case::empty_is_sent(json!({ "NextToken": "" }), "?nextToken=")]
    #[case::other_kinds(json!({ "MaxResults": true, "NextToken": { "a": 1 } }), "?nextToken=%7B%22a%22%3A1%7D&maxResults=true")]
    fn a_query_is_built(#[case] input: Value, #[case] expected: &str) {
        assert_eq!(bound("ListIdentityPoolUsage", input).target, format!("/identitypools{expected}"));
    }

    #[test]
    fn a_body_keeps_the_order_and_the_nulls_of_the_input() {
        let input = json!({
            "SyncSessionToken": "t", "IdentityPoolId": "p", "RecordPatches": null, "DeviceId": [1.5, null], "DatasetName": "d",
            "IdentityId": "i", "ClientContext": "c",
        });
        let request = bound("UpdateRecords", input);
        assert_eq!(request.body, r#"{"SyncSessionToken":"t","RecordPatches":null,"DeviceId":[1.5,null]}"#);
        assert_eq!(request.headers.get("content-type"), Some("application/json"));
        assert_eq!(request.headers.iter().next(), Some(("x-amz-Client-Context", &b"c"[..])));
        assert_eq!(request.target, "/identitypools/p/identities/i/datasets/d");
    }

    #[test]
    fn a_body_without_any_given_member_is_an_empty_object() {
        let request = bound("SetCognitoEvents", json!({}));
        assert_eq!(request.body, "{}");
        assert_eq!(request.headers.get("content-type"), Some("application/json"));
    }

    #[test]
    fn an_operation_without_body_members_sends_no_body_and_no_type() {
        let request = bound("BulkPublish", json!({ "IdentityPoolId": "p" }));
        assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/identitypools/p/bulkpublish"));
        assert!(request.body.is_empty() && request.headers.is_empty());
    }

    #[rstest]
    #[case::null(json!({ "ClientContext": null }), None)]
    #[case::number(json!({ "ClientContext": 3 }), Some("3"))]
    #[case::empty(json!({ "ClientContext": "" }), Some(""))]
    fn a_header_is_left_out_only_when_null(#[case] input: Value, #[case] expected: Option<&str>) {
        assert_eq!(bound("UpdateRecords", input).headers.get("x-amz-client-context"), expected);
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_known_ones() {
        let error = bind(operation("BulkPublish"), &object(json!({ "PoolId": "p" }))).unwrap_err();
        assert_eq!(error.to_string(), "BulkPublish has no input member `PoolId`; it has IdentityPoolId");
    }

    #[test]
    fn every_operation_can_be_bound_without_any_input() {
        for operation in Service::embedded().operations.values() {
            let request = bind(operation, &Map::new()).unwrap();
            assert!(!request.target.contains(['{', '}', '?']), "{}", request.target);
        }
    }
}
