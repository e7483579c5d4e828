//! Errors: their form, violated constraints, and what is not known.

use serde_json::json;

use super::{says, segment};
use crate::prove::alteration::Alteration;
use crate::prove::answers::{accept, always, body, is_error, message, on, refuse};
use crate::wire::{Request, Response};

/// How the ids of all pools and identities of the embedded server begin.
const KNOWN_POOLS: &str = "us-east-1:9001c0de-";
const KNOWN_IDENTITIES: &str = "us-east-1:1dc0de00-";

pub(super) fn all() -> Vec<Alteration> {
    [form(), form_variants(), constraints(), unknown_pools(), unknown_pool_variants(), unknown_identity_variants()]
        .into_iter()
        .flatten()
        .collect()
}

fn form() -> Vec<Alteration> {
    vec![
        Alteration::rewritten(
            "error-name-in-the-body-only",
            "An error is named in its body and not in the header.",
            &["service/rule/error-type-header"],
            always(|response| {
                type_in_body(response);
                response.headers.remove("x-amzn-ErrorType");
            }),
        ),
        Alteration::rewritten(
            "error-name-with-namespace",
            "An error is named with its namespace.",
            &["service/rule/error-type-header"],
            always(|response| in_header(response, |name| format!("com.amazonaws.cognito.sync.model#{name}"))),
        ),
        Alteration::rewritten(
            "error-message-with-capital",
            "An error's text is called `Message`.",
            &["service/rule/error-message-in-body"],
            always(|response| called(response, "Message")),
        ),
        Alteration::rewritten(
            "error-message-elsewhere",
            "An error's text is called `errorMessage`.",
            &["service/rule/error-message-in-body"],
            always(|response| called(response, "errorMessage")),
        ),
        Alteration::rewritten(
            "error-message-left-out",
            "An error has no text.",
            &["service/rule/error-message-in-body"],
            always(|response| {
                if response.status >= 400 {
                    body(response, |body| *body = json!({}));
                }
            }),
        ),
        Alteration::rewritten(
            "error-type-in-the-body",
            "An error is named in its body as well.",
            &["service/rule/error-body-has-no-type"],
            always(type_in_body),
        ),
        Alteration::rewritten(
            "error-names-cut-short",
            "Errors have the short names of the query protocol.",
            &["service/rule/error-names-in-full"],
            always(|response| in_header(response, |name| name.replacen("Exception", "", 1))),
        ),
        Alteration::rewritten(
            "no-content-type",
            "No answer has a content type.",
            &["service/rule/json-content-type"],
            always(|response| response.headers.remove("content-type")),
        ),
        Alteration::rewritten(
            "errors-are-plain-text",
            "Errors are said to be plain text.",
            &["service/rule/json-content-type"],
            always(|response| {
                if response.status >= 400 {
                    response.headers.set("content-type", "text/plain");
                }
            }),
        ),
        Alteration::rewritten(
            "no-request-id",
            "No answer has a request id.",
            &["service/rule/request-id"],
            always(|response| response.headers.remove("x-amzn-RequestId")),
        ),
        Alteration::rewritten(
            "no-request-id-of-errors",
            "Errors have no request id.",
            &["service/rule/request-id"],
            always(|response| {
                if response.status >= 400 {
                    response.headers.remove("x-amzn-RequestId");
                }
            }),
        ),
    ]
}

fn form_variants() -> Vec<Alteration> {
    vec![
        Alteration::rewritten(
            "error-names-with-tail",
            "Every name of an error is followed by an address.",
            &[],
            always(|response| {
                in_header(response, |name| {
                    let name = name.split(':').next().unwrap_or_default();
                    format!("{name}:http://internal.amazon.com/coral/com.amazonaws.cognito.sync.model/")
                })
            }),
        )
        .legal(),
        Alteration::rewritten(
            "error-names-without-tail",
            "No name of an error is followed by anything.",
            &[],
            always(|response| in_header(response, |name| name.split(':').next().unwrap_or_default().to_owned())),
        )
        .legal(),
        Alteration::rewritten(
            "content-type-of-amz-json",
            "Answers have the content type of the other JSON protocol.",
            &[],
            always(|response| content_type(response, "application/x-amz-json-1.1")),
        )
        .legal(),
        Alteration::rewritten(
            "content-type-with-charset",
            "Answers say how their text is encoded.",
            &[],
            always(|response| content_type(response, "application/json;charset=UTF-8")),
        )
        .legal(),
    ]
}

fn constraints() -> Vec<Alteration> {
    vec![
        Alteration::rewritten(
            "one-constraint-reported",
            "Of several violated constraints the first is reported.",
            &["service/rule/constraints-counted"],
            always(|response| {
                message(response, |text| match text.split_once(" validation errors detected: ") {
                    Some((_, violations)) => {
                        let first = violations.split("; Value").next().unwrap_or_default();
                        format!("1 validation error detected: {first}")
                    }
                    None => text.to_owned(),
                })
            }),
        ),
        Alteration::rewritten(
            "constraints-uncounted",
            "Violated constraints are reported without their number.",
            &["service/rule/constraint-message-count"],
            always(|response| {
                violations(response, |text| text.split_once(' ').map_or(text, |(_, rest)| rest).to_owned())
            }),
        ),
        Alteration::rewritten(
            "constraints-in-other-words",
            "A violated constraint is reported without saying which.",
            &["service/rule/constraint-message"],
            always(|response| violations(response, |_| "1 validation error detected: The input is invalid".to_owned())),
        ),
        Alteration::rewritten(
            "constraint-names-with-capital",
            "A violated constraint is reported with the name that the API has for the member.",
            &["service/rule/constraint-message"],
            always(|response| violations(response, with_capitals)),
        ),
        Alteration::rewritten(
            "state-before-constraints",
            "What concerns devices is refused for a missing setting first.",
            &["service/rule/constraints-before-state"],
            |operation, _, response| {
                let of_devices = operation.is_some_and(|name| name.contains("ubscribe") || name == "RegisterDevice");
                if of_devices && is_violation(response) {
                    refuse(response, 400, "InvalidConfigurationException");
                }
            },
        ),
        Alteration::rewritten(
            "constraints-are-validation-errors",
            "A violated constraint is a ValidationException.",
            &["service/rule/constraint-error-name"],
            always(|response| {
                if is_violation(response) {
                    in_header(response, |name| name.replace("InvalidParameterException", "ValidationException"));
                }
            }),
        )
        .legal(),
    ]
}

fn unknown_pools() -> Vec<Alteration> {
    vec![
        Alteration::rewritten(
            "unknown-pool-not-authorized",
            "An unknown pool is one that nobody may look at.",
            &["service/rule/unknown-pool-elsewhere"],
            always(|response| {
                if is_unknown_pool(response) {
                    refuse(response, 403, "NotAuthorizedException");
                }
            }),
        ),
        Alteration::rewritten(
            "unknown-pool-is-invalid",
            "An unknown pool is an invalid parameter.",
            &["service/rule/unknown-pool-elsewhere"],
            always(|response| {
                if is_unknown_pool(response) {
                    refuse(response, 400, "InvalidParameterException");
                }
            }),
        ),
        Alteration::rewritten(
            "unknown-pool-has-no-events",
            "A pool is known to have no events before it is known whether it exists.",
            &["service/rule/unknown-pool-elsewhere"],
            on("GetCognitoEvents", |response| {
                if is_unknown_pool(response) {
                    accept(response, &json!({ "Events": {} }));
                }
            }),
        ),
        Alteration::rewritten(
            "unknown-pool-unnamed",
            "The message about an unknown pool does not say which.",
            &["service/rule/unknown-pool-message"],
            always(|response| {
                if is_unknown_pool(response) {
                    message(response, |_| "IdentityPool not found".to_owned());
                }
            }),
        ),
    ]
}

fn unknown_pool_variants() -> Vec<Alteration> {
    vec![
        Alteration::rewritten("unknown-pool-of-lists-not-found", "Lists of an unknown pool are not found, although no such error is declared.", &["service/rule/unknown-pool-undeclared"], |operation, request, response| {
            if is_list_of_unknown_pool(operation, request, response) {
                refuse(response, 404, "ResourceNotFoundException");
            }
        }).legal(),
        Alteration::rewritten("unknown-pool-of-lists-is-invalid", "Lists of an unknown pool are refused as an invalid parameter.", &["service/rule/unknown-pool-undeclared"], |operation, request, response| {
            if is_list_of_unknown_pool(operation, request, response) {
                refuse(response, 400, "InvalidParameterException");
            }
        }).legal(),
        Alteration::rewritten("unknown-pool-of-lists-is-empty", "Lists of an unknown pool are empty.", &["service/rule/unknown-pool-undeclared"], |operation, request, response| {
            if is_list_of_unknown_pool(operation, request, response) {
                accept(response, &json!({ "Datasets": [], "Records": [], "Count": 0, "DatasetSyncCount": 0,
                    "DatasetExists": false, "DatasetDeletedAfterRequestedSyncCount": false, "SyncSessionToken": "none" }));
            }
        }).legal(),
    ]
}

fn unknown_identity_variants() -> Vec<Alteration> {
    vec![
        Alteration::rewritten(
            "unknown-identity-not-found",
            "An unknown identity is not found by any operation.",
            &["service/rule/unknown-identity"],
            |_, request, response| unknown_identity(request, response, 404, "ResourceNotFoundException"),
        )
        .legal(),
        Alteration::rewritten(
            "unknown-identity-not-authorized",
            "An unknown identity is one that nobody may look at.",
            &["service/rule/unknown-identity"],
            |_, request, response| unknown_identity(request, response, 403, "NotAuthorizedException"),
        )
        .legal(),
        Alteration::rewritten(
            "unknown-identity-is-invalid",
            "An unknown identity is an invalid parameter.",
            &["service/rule/unknown-identity"],
            |_, request, response| unknown_identity(request, response, 400, "InvalidParameterException"),
        )
        .legal(),
    ]
}

/// Rewrites the name of an error in its header.
fn in_header(response: &mut Response, rewrite: impl FnOnce(&str) -> String) {
    if let Some(name) = response.headers.get("x-amzn-ErrorType").map(rewrite) {
        response.headers.set("x-amzn-ErrorType", name);
    }
}

fn type_in_body(response: &mut Response) {
    if let Some(name) = response.error_name() {
        body(response, |body| body["__type"] = name.into());
    }
}

/// Calls the text of an error by another name.
fn called(response: &mut Response, name: &str) {
    if response.status >= 400 {
        body(response, |body| *body = json!({ name: body["message"] }));
    }
}

fn content_type(response: &mut Response, instead: &str) {
    if response.headers.contains("content-type") {
        response.headers.set("content-type", instead);
    }
}

fn is_violation(response: &Response) -> bool {
    response.status == 400 && says(response, "failed to satisfy constraint")
}

/// Rewrites the message about violated constraints.
fn violations(response: &mut Response, rewrite: impl FnOnce(&str) -> String) {
    if is_violation(response) {
        message(response, rewrite);
    }
}

/// The message with the members' names as the API has them.
fn with_capitals(text: &str) -> String {
    let mut parts = text.split(" at '");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let capital = part[..1].to_ascii_uppercase();
        format!("{text} at '{capital}{}", &part[1..])
    })
}

fn is_unknown_pool(response: &Response) -> bool {
    is_error(response, "ResourceNotFoundException") && says(response, "IdentityPool")
}

fn is_list_of_unknown_pool(operation: Option<&str>, request: &Request, response: &Response) -> bool {
    let is_list = matches!(operation, Some("ListDatasets" | "ListRecords"));
    is_list && is_error(response, "NotAuthorizedException") && !segment(request, 2).starts_with(KNOWN_POOLS)
}

/// Refuses what concerns an unknown identity of a known pool.
fn unknown_identity(request: &Request, response: &mut Response, status: u16, name: &str) {
    let names_one = request.path().split('/').nth(3) == Some("identities");
    let known = segment(request, 4).starts_with(KNOWN_IDENTITIES) || !segment(request, 2).starts_with(KNOWN_POOLS);
    if names_one && !known && (response.status == 200 || is_error(response, "ResourceNotFoundException")) {
        refuse(response, status, name);
    }
}
