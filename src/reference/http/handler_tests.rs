//! Whole requests against whole answers, without a network.

use std::sync::Arc;

use rstest::rstest;
use serde_json::{Value, json};

use super::{Handler, Moment, Step};
use crate::reference::altered::Departure;
use crate::reference::http::testing::{Signing, at};
use crate::reference::world::{Keys, World};
use crate::spec::{Credentials, Service, ShapeKind};
use crate::wire::{Headers, Request, Response};

const POOL: &str = "/identitypools/us-east-1:9001c0de-0000-4000-8000-000000000000";
const OTHER_POOL: &str = "/identitypools/us-east-1:9001c0de-0000-4000-8000-000000000001";
const MINE: &str = "/identities/us-east-1:1dc0de00-0000-4000-8000-000000000000";
const THEIRS: &str = "/identities/us-east-1:1dc0de00-0000-4000-8000-000000000001";

/// A server without its listener, and its callers.
struct Stage {
    handler: Handler,
    developer: Keys,
    identity: Keys,
    calls: std::cell::Cell<u8>,
}

impl Stage {
    fn new() -> Self {
        Self::altered(|_| {})
    }

    fn altered(alter: impl FnOnce(&mut Service)) -> Self {
        let mut service = Service::embedded().clone();
        alter(&mut service);
        let world = World::standard(2, 2);
        let handler = Handler::new(Arc::new(service), &world, Departure::default(), [5; 32], at(0))
            .expect("the patterns compile");
        let identity = world.pools[0].identities[0].keys.clone();
        Self { handler, developer: world.developer, identity, calls: 0.into() }
    }

    fn send(&self, request: &Request) -> Response {
        self.calls.set(self.calls.get() + 1);
        let random = [self.calls.get(); 16];
        match self.handler.answer(request, &Moment { now: at(0), request_id: random, random }) {
            Step::Answered(response) => response,
            Step::Asks(_) => panic!("nobody is there to be asked"),
        }
    }

    fn call(&self, keys: &Keys, method: &str, target: &str, body: &[u8]) -> Response {
        self.send(&Signing::new(keys).sign(method, target, &[], body))
    }

    fn developer(&self, method: &str, target: &str, body: &[u8]) -> Response {
        self.call(&self.developer, method, target, body)
    }

    fn identity(&self, method: &str, target: &str, body: &[u8]) -> Response {
        self.call(&self.identity, method, target, body)
    }

    /// Lists for a session and updates with these members beside it.
    fn update(&self, dataset: &str, mut members: Value) -> Response {
        let listed = self.identity("GET", &format!("{POOL}{MINE}/datasets/{dataset}/records"), b"");
        members["SyncSessionToken"] = listed.json().expect("the listing is JSON")["SyncSessionToken"].take();
        self.identity("POST", &format!("{POOL}{MINE}/datasets/{dataset}"), members.to_string().as_bytes())
    }
}

/// Status, error name and message.
fn said(response: &Response) -> (u16, String, String) {
    let message = response.error_message().unwrap_or_default();
    (response.status, response.error_name().unwrap_or_default(), message)
}

#[test]
fn a_fresh_dataset_lists_with_explicit_nulls() {
    let stage = Stage::new();
    let response = stage.identity("GET", &format!("{POOL}{MINE}/datasets/d/records?lastSyncCount=0"), b"");
    assert_eq!(response.status, 200);
    assert_eq!(response.headers.get("content-type"), Some("application/json"));
    let mut body = response.json().expect("the body is JSON");
    let token = body["SyncSessionToken"].take();
    assert!(token.as_str().is_some_and(|token| token.len() > 300), "{token}");
    let expected = json!({
        "Records": [], "NextToken": null, "Count": 0, "DatasetSyncCount": 0, "LastModifiedBy": null,
        "MergedDatasetNames": [], "DatasetExists": false, "DatasetDeletedAfterRequestedSyncCount": false,
        "SyncSessionToken": null,
    });
    assert_eq!(body, expected);
}

#[test]
fn records_come_back_as_written() {
    let stage = Stage::new();
    let patches = json!([
        { "Op": "replace", "Key": "k", "Value": "v", "SyncCount": 0.0, "DeviceLastModifiedDate": 1.5e9, "More": 1 },
        { "Op": "remove", "Key": "gone", "Value": "", "SyncCount": 0, "DeviceLastModifiedDate": null },
    ]);
    let response = stage.update("d", json!({ "RecordPatches": patches, "DeviceId": null, "Unknown": {} }));
    let me = "us-east-1:1dc0de00-0000-4000-8000-000000000000";
    let now = 1_700_000_000.0;
    let expected = json!({ "Records": [
        { "Key": "k", "Value": "v", "SyncCount": 1, "LastModifiedDate": now, "LastModifiedBy": me,
          "DeviceLastModifiedDate": 1.5e9 },
        { "Key": "gone", "Value": null, "SyncCount": 1, "LastModifiedDate": now, "LastModifiedBy": me,
          "DeviceLastModifiedDate": null },
    ] });
    assert_eq!(response.json(), Some(expected));
}

#[test]
fn the_longest_value_is_taken_even_when_every_character_is_escaped() {
    let stage = Stage::new();
    let listed = stage.identity("GET", &format!("{POOL}{MINE}/datasets/d/records"), b"");
    let token = listed.json().expect("the listing is JSON")["SyncSessionToken"].take();
    let value = "\\u0041".repeat(1_048_575);
    let patch = format!(r#"{{"Op":"replace","Key":"k","SyncCount":0,"Value":"{value}"}}"#);
    let body = format!(r#"{{"SyncSessionToken":{token},"RecordPatches":[{patch}]}}"#);
    assert_eq!(stage.identity("POST", &format!("{POOL}{MINE}/datasets/d"), body.as_bytes()).status, 200);
    let over = json!({ "RecordPatches": [{ "Op": "replace", "Key": "l", "Value": "", "SyncCount": 0 }] });
    assert_eq!(said(&stage.update("d", over)).1, "LimitExceededException");
}

#[rstest]
#[case::set_events("POST", "/events", b"{\"Events\":{\"SyncTrigger\":\"arn\"}}", "")]
#[case::null_is_absent("POST", "/configuration", b"{\"PushSync\":null}", "{")]
#[case::empty_body_for_body_members("POST", "/configuration", b"", "{")]
#[case::no_body("POST", "/getBulkPublishDetails", b"", "{")]
#[case::empty_object("POST", "/getBulkPublishDetails", b"{}", "{")]
#[case::any_object("POST", "/getBulkPublishDetails", b" {\"IdentityPoolId\":3}\n", "{")]
fn bodies_are_taken_as_clients_send_them(
    #[case] method: &str,
    #[case] path: &str,
    #[case] body: &[u8],
    #[case] starts: &str,
) {
    let response = Stage::new().developer(method, &format!("{POOL}{path}"), body);
    assert_eq!(response.status, 200, "{response:?}");
    assert!(response.body.starts_with(starts.as_bytes()));
    assert_eq!(response.body.is_empty(), starts.is_empty());
    assert_eq!(response.headers.contains("content-type"), !starts.is_empty());
}

#[rstest]
#[case::no_json("POST", "/events", b"{", "not JSON")]
#[case::no_object("POST", "/events", b"\"x\"", "not a JSON object")]
#[case::garbage_where_no_body_belongs("GET", "/events", b"x", "not JSON")]
#[case::map_as_text("POST", "/events", b"{\"Events\":\"x\"}", "Events is not an object")]
#[case::text_as_number("POST", "/events", b"{\"Events\":{\"SyncTrigger\":1}}", "Events.SyncTrigger is not a string")]
#[case::list_as_object(
    "POST",
    "/configuration",
    b"{\"PushSync\":{\"ApplicationArns\":{}}}",
    "PushSync.ApplicationArns is not a list"
)]
#[case::query_number("GET", "/identities/a:b/datasets/d/records?maxResults=x", b"", "MaxResults is not a whole number")]
#[case::query_number_too_long(
    "GET",
    "/identities/a:b/datasets/d/records?maxResults=2147483648",
    b"",
    "MaxResults is not"
)]
fn what_cannot_be_read_is_a_serialization_error(
    #[case] method: &str,
    #[case] path: &str,
    #[case] body: &[u8],
    #[case] expected: &str,
) {
    let response = Stage::new().developer(method, &format!("{POOL}{path}"), body);
    let (status, name, message) = said(&response);
    assert_eq!((status, name.as_str()), (400, "SerializationException"));
    assert!(message.contains(expected), "{message}");
}

#[rstest]
#[case::fraction(json!(0.5), "RecordPatches.1.SyncCount is not a whole number")]
#[case::text(json!("0"), "RecordPatches.1.SyncCount is not a whole number")]
#[case::beyond(json!(9_223_372_036_854_775_808_u64), "RecordPatches.1.SyncCount is not a whole number")]
#[case::boolean(json!(true), "RecordPatches.1.SyncCount is not a whole number")]
fn a_count_is_a_whole_number(#[case] count: Value, #[case] expected: &str) {
    let patches = json!([{ "Op": "replace", "Key": "k", "Value": "v", "SyncCount": count }]);
    let (status, name, message) = said(&Stage::new().update("d", json!({ "RecordPatches": patches })));
    assert_eq!((status, name.as_str()), (400, "SerializationException"));
    assert!(message.contains(expected), "{message}");
}

#[rstest]
#[case::nothing(json!({}), "3 validation errors detected: Value null at 'recordPatches.1.member.op' failed to satisfy \
    constraint: Member must not be null; Value null at 'recordPatches.1.member.key' failed to satisfy constraint: \
    Member must not be null; Value null at 'recordPatches.1.member.syncCount' failed to satisfy constraint: Member \
    must not be null")]
#[case::operation(json!({ "Op": "Remove", "Key": "k", "SyncCount": 0 }), "1 validation error detected: Value 'Remove' at \
    'recordPatches.1.member.op' failed to satisfy constraint: Member must satisfy enum value set: [replace, remove]")]
#[case::empty_key(json!({ "Op": "remove", "Key": "", "SyncCount": 0 }), "1 validation error detected: Value '' at \
    'recordPatches.1.member.key' failed to satisfy constraint: Member must have length greater than or equal to 1")]
#[case::null_entry(json!(null), "1 validation error detected: Value null at 'recordPatches.1.member' failed to satisfy \
    constraint: Member must not be null")]
fn broken_constraints_are_named(#[case] patch: Value, #[case] expected: &str) {
    let response = Stage::new().update("d", json!({ "RecordPatches": [patch] }));
    assert_eq!(said(&response), (400, "InvalidParameterException".to_owned(), expected.to_owned()));
    let header = response.headers.get("x-amzn-ErrorType");
    assert_eq!(header, Some("InvalidParameterException:http://internal.amazon.com/coral/com.amazon.coral.validate/"));
}

#[test]
fn lengths_are_counted_in_characters() {
    let stage = Stage::new();
    let patch = |key: String| json!({ "RecordPatches": [{ "Op": "remove", "Key": key, "SyncCount": 0 }] });
    assert_eq!(stage.update("d", patch("🎵".repeat(1_024))).status, 200);
    let (_, _, message) = said(&stage.update("d", patch("🎵".repeat(1_025))));
    assert!(message.contains("Member must have length less than or equal to 1024"), "{message}");
    assert!(message.contains("🎵...' at"), "long values are cut: {message}");
}

#[rstest]
#[case::whole_match("GET", "/identitypools/x%20us-east-1:abc", b"", "Value 'x us-east-1:abc' at 'identityPoolId'")]
#[case::trailing_newline("GET", "/identitypools/us-east-1:abc%0A", b"", "regular expression pattern")]
#[case::ascii_classes("GET", "/identitypools/%C3%BC:abc", b"", "regular expression pattern")]
#[case::empty_label("GET", "/identitypools/", b"", "greater than or equal to 1")]
#[case::required_body_member("POST", "/identitypools/r:a/events", b"", "Value null at 'events'")]
#[case::entries(
    "POST",
    "/identitypools/r:a/events",
    b"{\"Events\":{\"SyncTrigger\":\"a\",\"x\":\"b\"}}",
    "Value '{SyncTrigger=a, x=b}' at 'events' failed to satisfy constraint: Member must have length less than or equal to 1"
)]
#[case::nested(
    "POST",
    "/identitypools/r:a/configuration",
    b"{\"PushSync\":{\"ApplicationArns\":[\"x\"]}}",
    "'pushSync.applicationArns.1.member'"
)]
fn constraints_hold_everywhere(
    #[case] method: &str,
    #[case] target: &str,
    #[case] body: &[u8],
    #[case] expected: &str,
) {
    let (status, name, message) = said(&Stage::new().developer(method, target, body));
    assert_eq!((status, name.as_str()), (400, "InvalidParameterException"), "{message}");
    assert!(message.contains(expected), "{message}");
}

#[rstest]
#[case::own(format!("{POOL}{MINE}"), 200)]
#[case::another_identity(format!("{POOL}{THEIRS}"), 403)]
#[case::another_pool(format!("{OTHER_POOL}{MINE}"), 403)]
#[case::developer_only(POOL.to_owned(), 403)]
#[case::constraint_before_scope(format!("{POOL}/identities/x"), 400)]
fn an_identity_reaches_its_own_data_only(#[case] target: String, #[case] status: u16) {
    assert_eq!(Stage::new().identity("GET", &target, b"").status, status);
}

#[test]
fn signatures_come_before_everything_but_routes() {
    let stage = Stage::new();
    let mut request = Signing::new(&stage.developer).sign("POST", &format!("{POOL}/events"), &[], b"{");
    request.headers.remove("authorization");
    let response = stage.send(&request);
    let expected = (403, "MissingAuthenticationTokenException".to_owned(), "Missing Authentication Token".to_owned());
    assert_eq!(said(&response), expected);
    assert_eq!(
        response.headers.get("x-amzn-errortype"),
        Some("MissingAuthenticationTokenException:http://internal.amazon.com/coral/com.amazon.coral.service/")
    );
    request.target = "/nowhere".to_owned();
    let response = stage.send(&request);
    assert_eq!((response.status, &response.body[..]), (404, b"<UnknownOperationException/>\n".as_slice()));
    assert_eq!(response.error_name().as_deref(), Some("UnknownOperationException"));
    assert!(!response.headers.contains("content-type"));
}

#[test]
fn browsers_are_answered() {
    let stage = Stage::new();
    let headers: Headers = [
        ("origin", "http://a"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization,x-amz-date"),
    ]
    .into_iter()
    .collect();
    let request = Request { method: "OPTIONS".to_owned(), target: POOL.to_owned(), headers, body: "".into() };
    let response = stage.send(&request);
    assert_eq!((response.status, response.body.len()), (200, 0));
    for (name, value) in [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-methods", "POST"),
        ("access-control-allow-headers", "authorization,x-amz-date"),
        ("access-control-max-age", "172800"),
        ("x-amzn-requestid", "01010101-0101-0101-0101-010101010101"),
    ] {
        assert_eq!(response.headers.get(name), Some(value), "{name}");
    }
    let request = Signing::new(&stage.developer).sign("GET", POOL, &[("origin", "http://a")], b"");
    let response = stage.send(&request);
    assert_eq!((response.status, response.headers.get("access-control-allow-origin")), (200, Some("*")));
    assert!(!stage.developer("GET", POOL, b"").headers.contains("access-control-allow-origin"));
}

#[test]
fn a_fault_of_the_server_costs_one_answer() {
    // A description that names a shape it lacks cannot be loaded, only made.
    let stage = Stage::altered(|service| {
        service.shapes.shift_remove("IdentityPoolUsage");
    });
    let response = stage.developer("GET", POOL, b"");
    assert_eq!(said(&response), (500, "InternalErrorException".to_owned(), "The service failed".to_owned()));
    assert_eq!(stage.developer("GET", &format!("{POOL}/events"), b"").status, 200);
}

#[test]
fn an_altered_description_alters_the_service() {
    let target = format!("{POOL}{MINE}/datasets/d");
    let stage = Stage::altered(|service| service.success_status = 202);
    assert_eq!(stage.developer("GET", POOL, b"").status, 202);
    let stage = Stage::altered(|service| {
        service.operations["DescribeIdentityPoolUsage"].credentials = Credentials::Either;
        service.operations["DescribeDataset"].credentials = Credentials::DeveloperOnly;
    });
    assert_eq!(stage.identity("GET", POOL, b"").status, 200);
    assert_eq!(stage.identity("GET", &target, b"").status, 403);
    let stage = Stage::altered(|service| {
        service.operations["DescribeDataset"].uri =
            "/pools/{IdentityPoolId}/identities/{IdentityId}/datasets/{DatasetName}".to_owned();
        service.errors["ResourceNotFoundException"].status = 410;
    });
    assert_eq!(stage.identity("GET", &target, b"").status, 404);
    assert_eq!(stage.identity("GET", &target.replace("/identitypools", "/pools"), b"").status, 410);
    let stage = Stage::altered(|service| {
        let ShapeKind::String(constraints) = &mut service.shapes["DatasetName"].kind else {
            panic!("a dataset's name is text");
        };
        constraints.max_length = Some(129);
        service.operations["ListDatasets"].input["MaxResults"].constraints.pattern = Some(r"[1-9]\d*".to_owned());
    });
    let long = |length| format!("{POOL}{MINE}/datasets/{}/records", "n".repeat(length));
    assert_eq!(stage.identity("GET", &long(129), b"").status, 200);
    assert_eq!(stage.identity("GET", &long(130), b"").status, 400);
    let response = stage.identity("GET", &format!("{POOL}{MINE}/datasets?maxResults=01"), b"");
    assert!(said(&response).2.contains("Value '01' at 'maxResults' failed"), "{response:?}");
}

#[test]
fn a_service_without_required_members_does_without_them() {
    let stage = Stage::altered(|service| {
        service.operations["UpdateRecords"].input["SyncSessionToken"].required = false;
        let ShapeKind::Structure { members } = &mut service.shapes["RecordPatch"].kind else {
            panic!("a patch is a structure");
        };
        members["SyncCount"].required = false;
    });
    let body = br#"{"RecordPatches":[{"Op":"replace","Key":"k","Value":"v"}]}"#;
    assert_eq!(stage.identity("POST", &format!("{POOL}{MINE}/datasets/d"), body).status, 200);
}
