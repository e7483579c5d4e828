//! Lambda: Invoke.

use serde_json::{Value, json};

use super::desk::{Addressee, Desk};
use super::mailbox::State;
use super::route::answer as reply;
use super::script::{Payload, Refusal, Role, nth};
use crate::wire::{self, Request, Response};

/// Error names and their statuses; others have 400.
const STATUSES: [(&str, u16); 12] = [
    ("TooManyRequestsException", 429),
    ("ResourceNotFoundException", 404),
    ("AccessDeniedException", 403),
    ("KMSAccessDeniedException", 502),
    ("RequestTooLargeException", 413),
    ("UnsupportedMediaTypeException", 415),
    ("ResourceConflictException", 409),
    ("ResourceNotReadyException", 502),
    ("EC2ThrottledException", 502),
    ("InvalidRuntimeException", 502),
    ("ServiceException", 500),
    ("InternalFailure", 500),
];

pub(super) async fn answer(desk: &Desk, function: &str, qualifier: Option<String>, request: Request) -> Response {
    let kind = request.headers.get("x-amz-invocation-type").map(str::to_owned);
    let body = request.body.clone();
    let post = match desk.addressee(name(function)) {
        Addressee::Open(post) => post,
        Addressee::Closed => return returned(kind.as_deref(), None, body.to_vec()),
        Addressee::Nobody => {
            desk.stray(&format!("the function `{function}`"));
            let message = Some(format!("Function not found: {function}"));
            return refused(&Refusal { error: "ResourceNotFoundException".to_owned(), status: None, message });
        }
    };
    let invocation = json!({
        "function": function, "qualifier": qualifier, "invocation-type": kind,
        "signed": request.headers.contains("authorization"),
    });
    let count = |state: &mut State| {
        state.invocations += 1;
        state.invocations - 1
    };
    let (number, hearing) = post.hear(Role::Function, request, count, |state| {
        state.events.push(wire::json(&body).unwrap_or(Value::Null));
        state.invoked.push(invocation);
    });
    let script = nth(&post.scripts.function, number).cloned().unwrap_or_default();
    hearing.pause(script.delay).await;
    let response = match (&script.refusal, &script.function_error, &script.payload) {
        (Some(refusal), ..) => refused(refusal),
        (None, Some(error), Payload::Event { .. }) => {
            let said = json!({ "errorMessage": "the function ended, as the case wants it", "errorType": "Error" });
            returned(kind.as_deref(), Some(error), said.to_string().into_bytes())
        }
        (None, error, payload) => returned(kind.as_deref(), error.as_deref(), payload.bytes(&body)),
    };
    hearing.answered(|_| response)
}

/// The name in what a path names a function by: its name or ARN, whole or in part, with
/// or without a qualifier.
fn name(function: &str) -> &str {
    let rest = function.rsplit_once("function:").map_or(function, |(_, rest)| rest);
    rest.split(':').next().unwrap_or_default()
}

fn returned(kind: Option<&str>, function_error: Option<&str>, payload: Vec<u8>) -> Response {
    let (status, payload) = match kind {
        Some("Event") => (202, Vec::new()),
        Some("DryRun") => (204, Vec::new()),
        _ => (200, payload),
    };
    let mut response = reply(status, "application/json", payload);
    response.headers.append("x-amz-executed-version", "$LATEST");
    if let Some(error) = function_error {
        response.headers.append("x-amz-function-error", error);
    }
    response
}

fn refused(refusal: &Refusal) -> Response {
    let usual = STATUSES.iter().find(|(name, _)| *name == refusal.error).map_or(400, |(_, status)| *status);
    let status = refusal.status.unwrap_or(usual);
    let mut body = json!({ "Type": if status < 500 { "User" } else { "Service" }, "message": refusal.message() });
    if status == 429 {
        body["Reason"] = json!("ReservedFunctionConcurrentInvocationLimitExceeded");
    }
    let mut response = reply(status, "application/json", body.to_string());
    response.headers.append("x-amzn-errortype", refusal.error.as_str());
    response
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::name;

    #[rstest]
    #[case("f", "f")]
    #[case("f:1", "f")]
    #[case("arn:aws:lambda:us-east-1:123456789012:function:f", "f")]
    #[case("arn:aws:lambda:us-east-1:123456789012:function:f:live", "f")]
    #[case("123456789012:function:f", "f")]
    fn a_function_is_known_by_all_of_its_names(#[case] function: &str, #[case] expected: &str) {
        assert_eq!(name(function), expected);
    }
}
