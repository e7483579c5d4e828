//! Routes, and forms of requests.

use serde_json::{Value, json};

use super::{renamed, segment};
use crate::prove::alteration::Alteration;
use crate::prove::answers::{accept, always, by_path, is_error, refuse};
use crate::reference::Switch;
use crate::spec::ShapeKind;
use crate::wire::Request;

/// The error for what no operation has.
const UNKNOWN: &str = "UnknownOperationException";

pub(super) fn all() -> Vec<Alteration> {
    [routes(), labels(), bodies(), content_types(), accepted_forms(), accepted_text()].into_iter().flatten().collect()
}

fn routes() -> Vec<Alteration> {
    vec![
        Alteration::rewritten(
            "unknown-path-is-unsigned",
            "A path that no operation has is taken for a request without signature.",
            &["service/rule/unknown-path"],
            always(|response| renamed(response, UNKNOWN, 403, "MissingAuthenticationTokenException")),
        ),
        Alteration::rewritten(
            "unknown-operation-is-a-bad-request",
            "What no operation has is refused with HTTP status 400.",
            &["service/rule/unknown-path", "service/rule/unknown-method"],
            always(|response| renamed(response, UNKNOWN, 400, UNKNOWN)),
        ),
        Alteration::rewritten(
            "unknown-operation-is-a-resource",
            "What no operation has is a resource that is not found.",
            &["service/rule/unknown-path", "service/rule/unknown-method"],
            always(|response| renamed(response, UNKNOWN, 404, "ResourceNotFoundException")),
        ),
        Alteration::mutant(
            "path-case-ignored",
            "Upper and lower case are alike in the fixed parts of a path.",
            &["service/rule/unknown-path"],
            Switch::PathCaseIgnored,
        ),
        Alteration::mutant(
            "path-end-ignored",
            "What follows a known path does not matter.",
            &["service/rule/unknown-path"],
            Switch::PathEndIgnored,
        ),
        Alteration::mutant(
            "method-ignored",
            "A method that a path does not have is taken for one that it has.",
            &["service/rule/unknown-method"],
            Switch::MethodIgnored,
        ),
        Alteration::rewritten(
            "unknown-operation-in-json",
            "An unknown operation is named like any error, in the header and with a JSON body.",
            &[],
            always(|response| renamed(response, UNKNOWN, 404, UNKNOWN)),
        )
        .legal(),
        Alteration::rewritten(
            "unknown-operation-in-the-body",
            "An unknown operation is named in the body alone.",
            &[],
            by_path(|response| {
                if is_error(response, UNKNOWN) {
                    response.headers.remove("x-amzn-ErrorType");
                }
            }),
        )
        .legal(),
    ]
}

fn labels() -> Vec<Alteration> {
    vec![
        Alteration::mutant(
            "labels-not-decoded",
            "Labels in a path are taken as they are sent.",
            &["service/rule/label-encoding"],
            Switch::LabelsNotDecoded,
        ),
        Alteration::mutant(
            "only-colons-decoded",
            "Of what is encoded in a label, only colons are decoded.",
            &["service/rule/label-over-encoding"],
            Switch::OnlyColonsDecoded,
        ),
        Alteration::mutant(
            "literal-colon-unrouted",
            "A path with a colon in it that is not encoded is unknown.",
            &["service/rule/literal-colon"],
            Switch::LiteralColonUnrouted,
        ),
        Alteration::described(
            "no-colon-in-dataset-names",
            "A dataset's name holds no colon, as the prose has it.",
            &["service/rule/colon-in-dataset-name"],
            |service| {
                if let Some(ShapeKind::String(constraints)) =
                    service.shapes.get_mut("DatasetName").map(|shape| &mut shape.kind)
                {
                    constraints.pattern = Some("[a-zA-Z0-9_.-]+".to_owned());
                }
            },
        ),
        Alteration::described(
            "pool-ids-of-54",
            "A pool id has at most 54 characters.",
            &["service/rule/longest-pool-id"],
            |service| {
                if let Some(ShapeKind::String(constraints)) =
                    service.shapes.get_mut("IdentityPoolId").map(|shape| &mut shape.kind)
                {
                    constraints.max_length = Some(54);
                }
            },
        ),
        Alteration::rewritten(
            "foreign-region-is-invalid",
            "A pool id with the prefix of another region is an invalid parameter.",
            &["service/rule/foreign-region-pool"],
            |_, request, response| {
                if segment(request, 2).starts_with("us-east-0:") {
                    refuse(response, 400, "InvalidParameterException");
                }
            },
        ),
        Alteration::rewritten(
            "foreign-region-elsewhere",
            "A pool id with the prefix of another region is answered by that region.",
            &["service/rule/foreign-region-pool"],
            |_, request, response| {
                if segment(request, 2).starts_with("us-east-0:") {
                    accept(response, &json!({ "IdentityPoolUsage": { "IdentityPoolId": segment(request, 2) } }));
                }
            },
        ),
    ]
}

fn bodies() -> Vec<Alteration> {
    vec![
        Alteration::rewritten(
            "malformed-json-is-invalid",
            "A body that is not JSON is an invalid parameter.",
            &["service/rule/malformed-json"],
            always(|response| renamed(response, "SerializationException", 400, "InvalidParameterException")),
        ),
        Alteration::rewritten(
            "malformed-json-is-a-fault",
            "A body that is not JSON is an error of the service.",
            &["service/rule/malformed-json"],
            always(|response| renamed(response, "SerializationException", 500, "InternalErrorException")),
        ),
        Alteration::rewritten(
            "malformed-json-accepted",
            "A body that is not JSON is taken for an empty one.",
            &["service/rule/malformed-json"],
            always(|response| {
                if is_error(response, "SerializationException") {
                    accept(response, &json!({}));
                }
            }),
        ),
        Alteration::rewritten(
            "unknown-members-refused",
            "A member that is not declared is refused.",
            &["service/rule/unknown-members-ignored"],
            |_, request, response| {
                if sent(request).is_some_and(|body| body.get("Colour").is_some()) {
                    refuse(response, 400, "SerializationException");
                }
            },
        ),
        Alteration::rewritten(
            "unknown-members-of-patches-refused",
            "A member of a patch that is not declared is refused.",
            &["service/rule/unknown-members-ignored"],
            |_, request, response| {
                if sent(request).is_some_and(|body| body.pointer("/RecordPatches/0/Colour").is_some()) {
                    refuse(response, 400, "SerializationException");
                }
            },
        ),
        Alteration::rewritten(
            "null-members-refused",
            "A member that is null is refused.",
            &["service/rule/null-is-absent-in-requests"],
            |_, request, response| {
                let body = sent(request);
                let members = body.as_ref().and_then(Value::as_object);
                if members.is_some_and(|members| members.values().any(Value::is_null)) {
                    refuse(response, 400, "SerializationException");
                }
            },
        ),
        Alteration::rewritten(
            "null-members-of-patches-refused",
            "A member of a patch that is null is refused.",
            &["service/rule/null-is-absent-in-requests"],
            |_, request, response| {
                let body = sent(request);
                let patch = body.as_ref().and_then(|body| body.pointer("/RecordPatches/0")?.as_object());
                if patch.is_some_and(|patch| patch.values().any(Value::is_null)) {
                    refuse(response, 400, "SerializationException");
                }
            },
        ),
    ]
}

fn content_types() -> Vec<Alteration> {
    vec![
        Alteration::rewritten(
            "content-type-of-writes-needed",
            "A write with another content type than JSON is refused.",
            &["service/rule/content-type-ignored"],
            |_, request, response| {
                let other =
                    request.headers.get("content-type").is_some_and(|sent| !sent.starts_with("application/json"));
                if request.method == "POST" && other {
                    refuse(response, 415, "UnsupportedMediaTypeException");
                }
            },
        ),
        Alteration::rewritten(
            "one-content-type-only",
            "A write with another content type than `application/x-amz-json-1.1` is refused.",
            &["service/rule/content-type-ignored"],
            |_, request, response| {
                let other = request
                    .headers
                    .get("content-type")
                    .is_some_and(|sent| !sent.starts_with("application/x-amz-json-1.1"));
                if request.method == "POST" && other {
                    refuse(response, 415, "UnsupportedMediaTypeException");
                }
            },
        ),
        Alteration::rewritten(
            "other-content-types-refused-anywhere",
            "A request with another content type than JSON is refused, whether or not it has a body.",
            &["service/rule/other-content-types-ignored"],
            |_, request, response| {
                let known = ["application/json", "application/x-amz-json-1.1"];
                if request.headers.get("content-type").is_some_and(|sent| !known.contains(&sent)) {
                    refuse(response, 415, "UnsupportedMediaTypeException");
                }
            },
        ),
        Alteration::rewritten(
            "content-type-of-readings-refused",
            "A reading with a content type is refused.",
            &["service/rule/content-type-ignored"],
            |_, request, response| {
                if request.method == "GET" && request.headers.contains("content-type") {
                    refuse(response, 400, "SerializationException");
                }
            },
        ),
        Alteration::rewritten(
            "content-type-parameters-refused",
            "A content type with parameters is refused.",
            &["service/rule/content-type-parameters-ignored"],
            |_, request, response| {
                if request.headers.get("content-type").is_some_and(|sent| sent.contains(';')) {
                    refuse(response, 415, "UnsupportedMediaTypeException");
                }
            },
        ),
    ]
}

fn accepted_forms() -> Vec<Alteration> {
    vec![
        Alteration::rewritten(
            "nested-nulls-refused",
            "A request is refused when a member of a member of its body is null.",
            &["service/rule/null-is-absent-in-requests"],
            |_, request, response| {
                let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
                let members = |value: &Value| {
                    value.as_object().into_iter().flatten().map(|(_, below)| below.clone()).collect::<Vec<_>>()
                };
                let nested: Vec<Value> = members(&body).iter().flat_map(members).collect();
                if nested.iter().any(Value::is_null) {
                    refuse(response, 400, "InvalidParameterException");
                }
            },
        ),
        Alteration::rewritten(
            "other-content-types-refused",
            "A write is refused unless its content type is a JSON one.",
            &["service/rule/other-content-types-ignored"],
            |_, request, response| {
                let json = request.headers.get("content-type").is_some_and(|sent| sent.contains("json"));
                if !request.body.is_empty() && !json {
                    refuse(response, 415, "UnsupportedMediaTypeException");
                }
            },
        ),
        Alteration::mutant(
            "labels-decoded-twice",
            "Labels in a path are decoded twice.",
            &["service/rule/label-decoded-once"],
            Switch::LabelsDecodedTwice,
        ),
    ]
}

fn accepted_text() -> Vec<Alteration> {
    vec![
        Alteration::rewritten(
            "query-not-decoded",
            "Names and values in the query are taken as they are sent.",
            &["service/rule/query-decoding"],
            |_, request, response| {
                let query = request.query().unwrap_or_default();
                if query.contains("%32") || query.contains("%53") {
                    refuse(response, 400, "SerializationException");
                }
            },
        ),
        Alteration::rewritten(
            "unknown-parameters-refused",
            "A parameter of the query that is not declared is refused.",
            &["service/rule/unknown-parameters-ignored"],
            |_, request, response| {
                if request.query().is_some_and(|query| query.contains("colour=")) {
                    refuse(response, 400, "ValidationException");
                }
            },
        ),
        Alteration::rewritten(
            "answers-allow-no-origin",
            "Answers to pages of another origin cannot be read by them.",
            &["service/rule/answers-allow-any-origin"],
            always(|response| response.headers.remove("access-control-allow-origin")),
        ),
        Alteration::rewritten(
            "errors-allow-no-origin",
            "Errors cannot be read by pages of another origin.",
            &["service/rule/answers-allow-any-origin"],
            always(|response| {
                if response.status >= 400 {
                    response.headers.remove("access-control-allow-origin");
                }
            }),
        ),
        Alteration::rewritten(
            "json-escapes-refused",
            "Escapes by number in a JSON body are refused.",
            &["service/rule/json-escapes"],
            |_, request, response| {
                if request.body.windows(2).any(|pair| pair == br"\u") {
                    refuse(response, 400, "SerializationException");
                }
            },
        ),
        Alteration::rewritten(
            "json-line-breaks-refused",
            "A JSON body over several lines is refused.",
            &["service/rule/json-whitespace"],
            |_, request, response| {
                if request.body.contains(&b'\n') {
                    refuse(response, 400, "SerializationException");
                }
            },
        ),
    ]
}

/// The body of a request, if it is JSON.
fn sent(request: &Request) -> Option<Value> {
    serde_json::from_slice(&request.body).ok()
}
