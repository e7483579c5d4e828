//! Rewriting answers, for alterations that show in one place of the wire.

use serde_json::Value;

use crate::wire::Response;

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
