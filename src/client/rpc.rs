//! Calls in `legacy-rpc`, and how its answers are read. Which sources show what of it,
//! docs/legacy-rpc.md says.

use bytes::Bytes;
use serde_json::{Map, Value};

use super::bind::{BindError, check_members};
use crate::spec::{Operation, Rpc, Service};
use crate::wire::{Headers, Request, Response};

/// Members of an answer's envelope.
const OUTPUT: &str = "Output";
const VERSION: &str = "Version";
/// The member that names a value's type.
const TYPE: &str = "__type";

/// Statuses that say of an error no more than that it is one: no source tells those of
/// this protocol, and other services on the same framework give 200 and 400 to most.
const UNTOLD: [u16; 2] = [200, 400];
/// The status of an error of which nothing is known.
const UNKNOWN: u16 = 400;
/// How names of errors end that the description does not know.
const ERRORS: [&str; 2] = ["Exception", "Error"];

/// The unsigned request that carries `input` to `operation`, in an envelope. Members
/// have their API names, whatever they are called in rest-json, and stand in the order
/// of `input`, null kept as null.
pub(super) fn bind(rpc: &Rpc, operation: &Operation, input: &Map<String, Value>) -> Result<Request, BindError> {
    check_members(operation, input)?;
    let mut envelope = Map::new();
    envelope.insert("Operation".to_owned(), rpc.qualified(&operation.name).into());
    envelope.insert("Service".to_owned(), rpc.qualified(&rpc.service).into());
    envelope.insert("Input".to_owned(), Value::Object(input.clone()));
    let mut headers = Headers::new();
    headers.append("content-type", rpc.content_type.as_str());
    headers.append(rpc.target_header.as_str(), rpc.target(&operation.name));
    Ok(Request {
        method: "POST".to_owned(),
        target: "/".to_owned(),
        headers,
        body: Value::Object(envelope).to_string().into(),
    })
}

/// An answer as rest-json would have given it, for whoever judges it:
///
/// - what stands in the `Output` of an envelope is the body, and so is a body without
///   an envelope; `null` is no body;
/// - an error that is named by `__type` is named in the header `x-amzn-ErrorType`, as
///   it may be already, and has the status that goes with its name, where the answer's
///   own, 200 or 400, is that of any error (400 when nothing is known of the name);
/// - `__type` is no member.
///
/// Anything else stays as it came.
pub(super) fn read(service: &Service, response: &Response) -> Response {
    let Response { mut status, mut headers, mut body } = response.clone();
    let mut of_type = None;
    match response.json().and_then(output) {
        Some(Value::Object(mut members)) => {
            of_type = members.shift_remove(TYPE);
            body = Value::Object(members).to_string().into();
        }
        Some(Value::Null) => body = Bytes::new(),
        Some(other) => body = other.to_string().into(),
        None => {}
    }
    let of_type = of_type.as_ref().and_then(Value::as_str).and_then(|name| name.rsplit('#').next());
    let header = headers.contains("x-amzn-errortype").then(|| response.error_name()).flatten();
    let name = header.as_deref().or(of_type).unwrap_or_default();
    let declared = service.status_of_error(name);
    let is_error = declared.is_some() || !response.is_success() || ERRORS.iter().any(|end| name.ends_with(end));
    if is_error && !name.is_empty() {
        if header.is_none() {
            headers.set("x-amzn-ErrorType", name);
        }
        if UNTOLD.contains(&status) {
            status = declared.unwrap_or(UNKNOWN);
        }
    }
    Response { status, headers, body }
}

/// What stands in an envelope, or the whole body when there is none; nothing when the
/// body is no object.
fn output(body: Value) -> Option<Value> {
    let Value::Object(mut members) = body else { return None };
    let is_envelope = members.contains_key(OUTPUT) && members.keys().all(|name| name == OUTPUT || name == VERSION);
    Some(if is_envelope { members.shift_remove(OUTPUT).unwrap_or_default() } else { Value::Object(members) })
}
