//! Preflights, routes, and forms of requests.

use serde_json::{Value, json};

use super::{renamed, segment};
use crate::prove::alteration::Alteration;
use crate::prove::answers::{accept, always, is_error, refuse};
use crate::reference::Switch;
use crate::spec::ShapeKind;
use crate::wire::{Request, Response};

/// The error for what no operation has.
const UNKNOWN: &str = "UnknownOperationException";

pub(super) fn all() -> Vec<Alteration> {
    [preflights(), preflight_variants(), routes(), labels(), bodies(), content_types()].into_iter().flatten().collect()
}

fn preflights() -> Vec<Alteration> {
    vec![
        Alteration::rewritten(
            "preflight-refused",
            "A preflight needs a signature like any request.",
            &["service/rule/preflight-accepted"],
            |_, request, response| {
                preflight(request, response, |response| {
                    refuse(response, 403, "MissingAuthenticationTokenException");
                })
            },
        ),
        Alteration::rewritten(
            "preflight-without-content",
            "A preflight has the HTTP status 204.",
            &["service/rule/preflight-accepted"],
            |_, request, response| {
                preflight(request, response, |response| {
                    response.status = 204;
                })
            },
        ),
        Alteration::rewritten(
            "preflight-with-body",
            "A preflight is answered with `{}`.",
            &["service/rule/preflight-accepted"],
            |_, request, response| {
                preflight(request, response, |response| {
                    response.body = "{}".into();
                })
            },
        ),
        Alteration::rewritten(
            "preflight-echoes-origin",
            "A preflight allows the one origin that asks.",
            &["service/rule/preflight-any-origin"],
            |_, request, response| {
                preflight(request, response, |response| {
                    response.headers.set("access-control-allow-origin", "https://app.example.com");
                })
            },
        ),
        Alteration::rewritten(
            "preflight-without-origin",
            "A preflight allows no origin.",
            &["service/rule/preflight-any-origin"],
            |_, request, response| {
                preflight(request, response, |response| {
                    response.headers.remove("access-control-allow-origin");
                })
            },
        ),
        Alteration::rewritten(
            "preflight-allows-reading",
            "A preflight allows GET, whatever it asks for.",
            &["service/rule/preflight-echoes-request"],
            |_, request, response| {
                preflight(request, response, |response| {
                    response.headers.set("access-control-allow-methods", "GET");
                })
            },
        ),
        Alteration::rewritten(
            "preflight-allows-no-headers",
            "A preflight allows no headers.",
            &["service/rule/preflight-echoes-request"],
            |_, request, response| {
                preflight(request, response, |response| {
                    response.headers.remove("access-control-allow-headers");
                })
            },
        ),
        Alteration::rewritten(
            "preflight-allows-any-headers",
            "A preflight allows headers by an asterisk, which leaves `Authorization` out.",
            &["service/rule/preflight-echoes-request"],
            |_, request, response| {
                preflight(request, response, |response| {
                    response.headers.set("access-control-allow-headers", "*");
                })
            },
        ),
        Alteration::rewritten(
            "preflight-exposes-nothing",
            "A preflight exposes no headers.",
            &["service/rule/preflight-exposes-error-headers"],
            |_, request, response| {
                preflight(request, response, |response| {
                    response.headers.remove("access-control-expose-headers");
                })
            },
        ),
        Alteration::rewritten(
            "preflight-hides-error-type",
            "A preflight does not expose an error's name.",
            &["service/rule/preflight-exposes-error-headers"],
            |_, request, response| {
                preflight(request, response, |response| {
                    response.headers.set("access-control-expose-headers", "x-amzn-RequestId,x-amzn-ErrorMessage,Date");
                })
            },
        ),
        Alteration::rewritten(
            "preflight-hides-request-id",
            "A preflight does not expose the request id.",
            &["service/rule/preflight-exposes-error-headers"],
            |_, request, response| {
                preflight(request, response, |response| {
                    response.headers.set("access-control-expose-headers", "x-amzn-ErrorType,x-amzn-ErrorMessage,Date");
                })
            },
        ),
        Alteration::rewritten(
            "preflight-hides-error-message",
            "A preflight does not expose an error's message.",
            &["service/rule/preflight-exposes-error-headers"],
            |_, request, response| {
                preflight(request, response, |response| {
                    response.headers.set("access-control-expose-headers", "x-amzn-RequestId,x-amzn-ErrorType,Date");
                })
            },
        ),
        Alteration::rewritten(
            "preflight-hides-date",
            "A preflight does not expose the date.",
            &["service/rule/preflight-exposes-error-headers"],
            |_, request, response| {
                preflight(request, response, |response| {
                    response
                        .headers
                        .set("access-control-expose-headers", "x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage");
                })
            },
        ),
        Alteration::rewritten(
            "preflight-lasts-an-hour",
            "A preflight may be kept for an hour.",
            &["service/rule/preflight-lasts-two-days"],
            |_, request, response| {
                preflight(request, response, |response| {
                    response.headers.set("access-control-max-age", "3600");
                })
            },
        ),
        Alteration::rewritten(
            "preflight-lasts-not",
            "A preflight does not say how long it may be kept.",
            &["service/rule/preflight-lasts-two-days"],
            |_, request, response| {
                preflight(request, response, |response| {
                    response.headers.remove("access-control-max-age");
                })
            },
        ),
    ]
}

fn preflight_variants() -> Vec<Alteration> {
    vec![
        Alteration::rewritten(
            "preflight-allows-all-methods",
            "A preflight allows every method that the service has.",
            &[],
            |_, request, response| {
                preflight(request, response, |response| {
                    response.headers.set("access-control-allow-methods", "GET, POST, DELETE, OPTIONS");
                })
            },
        )
        .legal(),
        Alteration::rewritten(
            "preflight-exposes-more",
            "A preflight exposes further headers, and writes all of them in lower case.",
            &[],
            |_, request, response| {
                preflight(request, response, |response| {
                    response.headers.set(
                        "access-control-expose-headers",
                        "date, x-amzn-errormessage, x-amzn-errortype, x-amzn-requestid, content-length",
                    );
                })
            },
        )
        .legal(),
    ]
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
            always(|response| {
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

/// Rewrites the answer to a preflight.
fn preflight(request: &Request, response: &mut Response, rewrite: impl FnOnce(&mut Response)) {
    if request.method == "OPTIONS" {
        rewrite(response);
    }
}

/// The body of a request, if it is JSON.
fn sent(request: &Request) -> Option<Value> {
    serde_json::from_slice(&request.body).ok()
}
