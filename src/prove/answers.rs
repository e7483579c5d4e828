//! Rewriting answers, for alterations that show in one place of the wire.

use serde_json::{Value, json};

use crate::wire::{Request, Response};

/// Rewrites the JSON body of an answer; leaves bodies alone that are no JSON.
pub(super) fn body(response: &mut Response, rewrite: impl FnOnce(&mut Value)) {
    if let Some(mut body) = response.json() {
        rewrite(&mut body);
        response.body = body.to_string().into_bytes().into();
    }
}

/// Rewrites what a pointer leads to, where it leads anywhere.
pub(super) fn member(response: &mut Response, pointer: &str, rewrite: impl FnOnce(&mut Value)) {
    body(response, |body| {
        if let Some(value) = body.pointer_mut(pointer) {
            rewrite(value);
        }
    });
}

/// Turns an answer into a refusal.
pub(super) fn refuse(response: &mut Response, status: u16, name: &str) {
    response.status = status;
    response.headers.set("x-amzn-ErrorType", name);
    response.headers.set("content-type", "application/json");
    response.body = json!({ "message": format!("Refused with {name}") }).to_string().into();
}

/// Turns an answer into a result.
pub(super) fn accept(response: &mut Response, body: &Value) {
    response.status = 200;
    response.headers.remove("x-amzn-ErrorType");
    response.headers.set("content-type", "application/json");
    response.body = body.to_string().into();
}

/// Whether an answer is the error of this name.
pub(super) fn is_error(response: &Response, name: &str) -> bool {
    response.status >= 400 && response.error_name().as_deref() == Some(name)
}

/// Another error in place of one whose message holds `part`.
pub(super) fn instead(response: &mut Response, part: &str, status: u16, name: &str) {
    if response.status >= 400 && response.error_message().is_some_and(|message| message.contains(part)) {
        refuse(response, status, name);
    }
}

/// Rewrites the text of an error.
pub(super) fn message(response: &mut Response, rewrite: impl FnOnce(&str) -> String) {
    member(response, "/message", |text| *text = rewrite(text.as_str().unwrap_or_default()).into());
}

/// A rewrite of one operation's answers.
pub(super) fn on(
    operation: &'static str,
    rewrite: impl Fn(&mut Response) + Send + Sync + 'static,
) -> impl Fn(Option<&str>, &Request, &mut Response) + Send + Sync + 'static {
    move |called, _, response| {
        if called == Some(operation) {
            rewrite(response);
        }
    }
}

/// A rewrite of every answer.
pub(super) fn always(
    rewrite: impl Fn(&mut Response) + Send + Sync + 'static,
) -> impl Fn(Option<&str>, &Request, &mut Response) + Send + Sync + 'static {
    move |_, _, response| rewrite(response)
}

/// A rewrite of every answer to a request whose path says what is called: what the
/// protocol of the samples writes is a question of its own.
pub(super) fn by_path(
    rewrite: impl Fn(&mut Response) + Send + Sync + 'static,
) -> impl Fn(Option<&str>, &Request, &mut Response) + Send + Sync + 'static {
    move |_, request, response| {
        if !request.headers.contains("x-amz-target") {
            rewrite(response);
        }
    }
}
