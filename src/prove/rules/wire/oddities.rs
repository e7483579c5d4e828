//! Requests that no client sends, to which nobody knows the answer. The variants
//! answer them in another way than the reference; what the rest of the suite asks
//! must not change.

use crate::prove::alteration::Alteration;
use crate::prove::answers::refuse;
use crate::wire::{Request, Response};

const INVALID_SIGNATURE: &str = "InvalidSignatureException";
const MALFORMED: &str = "MalformedHttpRequestException";
const SERIALIZATION: &str = "SerializationException";
const VALIDATION: &str = "ValidationException";

pub(super) fn all() -> Vec<Alteration> {
    [signatures(), targets(), bodies(), json()].into_iter().flatten().collect()
}

fn signatures() -> Vec<Alteration> {
    let incomplete = "IncompleteSignatureException";
    vec![
        odd("scheme-in-lower-case", 403, "MissingAuthenticationTokenException", |request| {
            header(request, "authorization").starts_with("aws4-")
        }),
        odd("repeated-authorization", 403, INVALID_SIGNATURE, |request| times(request, "authorization") > 1),
        odd("repeated-date", 403, incomplete, |request| times(request, "x-amz-date") > 1),
        odd("both-signatures", 403, INVALID_SIGNATURE, |request| {
            request.headers.contains("authorization") && query(request).contains("X-Amz-Signature=")
        }),
        odd("query-signature-incomplete", 403, "MissingAuthenticationTokenException", |request| {
            let parts = ["Algorithm", "Credential", "Date", "Expires", "SignedHeaders"];
            let lacks = |part: &str| !query(request).contains(&format!("X-Amz-{part}="));
            query(request).contains("X-Amz-Signature=") && parts.into_iter().any(lacks)
        }),
        odd("stated-hash-of-other-body", 400, VALIDATION, |request| {
            request.body.is_empty() && header(request, "x-amz-content-sha256").starts_with("ba7816bf")
        }),
    ]
}

fn targets() -> Vec<Alteration> {
    vec![
        odd("repeated-parameter", 400, VALIDATION, |request| query(request).matches("lastSyncCount=").count() > 1),
        odd("trailing-slash", 403, INVALID_SIGNATURE, |request| request.path().ends_with("/records/")),
        odd("dot-segments", 403, INVALID_SIGNATURE, |request| {
            request.path().contains("/./") || request.path().contains("/../")
        }),
        odd("empty-segment", 403, INVALID_SIGNATURE, |request| request.path().starts_with("//")),
        odd("long-target", 400, MALFORMED, |request| request.target.len() > 16_384),
        odd("head-method", 405, "UnknownOperationException", |request| request.method == "HEAD"),
        odd("options-without-origin", 403, "MissingAuthenticationTokenException", |request| {
            request.method == "OPTIONS" && !request.headers.contains("origin")
        }),
        odd("method-in-lower-case", 400, MALFORMED, |request| request.method == "get"),
    ]
}

fn bodies() -> Vec<Alteration> {
    vec![
        odd("chunked-body", 400, MALFORMED, |request| request.headers.contains("transfer-encoding")),
        odd("expect-continue", 400, MALFORMED, |request| request.headers.contains("expect")),
        odd("gzip-body", 400, MALFORMED, |request| request.headers.contains("content-encoding")),
        odd("body-of-reading", 400, MALFORMED, |request| request.method == "GET" && !request.body.is_empty()),
    ]
}

fn json() -> Vec<Alteration> {
    vec![
        odd("lone-surrogate", 400, VALIDATION, |request| {
            let text = text(request);
            text.contains(r"\ud83d") != text.contains(r"\ude00")
        }),
        odd("repeated-member", 400, SERIALIZATION, |request| text(request).contains(r#""Value": "1", "Value""#)),
        odd("whole-number-forms", 400, SERIALIZATION, |request| {
            let text = text(request);
            ["0.0}", "0e0}", "-0}"].into_iter().any(|form| text.contains(&format!("\"SyncCount\": {form}")))
        }),
        odd("number-as-text", 400, VALIDATION, |request| text(request).contains("\"SyncCount\": \"")),
        odd("deep-nesting", 400, VALIDATION, |request| text(request).contains("[[[[")),
        odd("invalid-utf8", 400, VALIDATION, |request| {
            std::str::from_utf8(&request.body).is_err() && !is_packed(request)
        }),
        odd("byte-order-mark", 400, VALIDATION, |request| text(request).starts_with('\u{feff}')),
        odd("text-after-json", 400, VALIDATION, |request| {
            let text = text(request);
            let ends = ["]} {}", "]}}", "]} and more"].into_iter().any(|end| text.ends_with(end));
            ends && serde_json::from_str::<serde_json::Value>(&text).is_err()
        }),
        odd("members-in-other-case", 400, SERIALIZATION, |request| text(request).contains("\"syncSessionToken\"")),
    ]
}

/// A variant that refuses requests of one kind in its own way. Its name is that of
/// the rule that asks.
fn odd(
    rule: &str,
    status: u16,
    error: &'static str,
    is_odd: impl Fn(&Request) -> bool + Send + Sync + 'static,
) -> Alteration {
    let about = format!("A request as `{rule}` has it is refused with HTTP status {status} and {error}.");
    let rewrite = move |_: Option<&str>, request: &Request, response: &mut Response| {
        if is_odd(request) {
            refuse(response, status, error);
        }
    };
    Alteration::rewritten(&format!("odd-{rule}"), &about, &[&format!("service/rule/{rule}")], rewrite).legal()
}

fn header<'r>(request: &'r Request, name: &str) -> &'r str {
    request.headers.get(name).unwrap_or_default()
}

fn times(request: &Request, name: &str) -> usize {
    request.headers.get_all(name).count()
}

fn query(request: &Request) -> &str {
    request.query().unwrap_or_default()
}

fn text(request: &Request) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(&request.body)
}

fn is_packed(request: &Request) -> bool {
    request.headers.contains("content-encoding")
}
