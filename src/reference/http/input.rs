//! Puts an operation's input together from path, query, headers and body.
//!
//! Choices: of a parameter given twice the first counts; a number in the query
//! that is none is a SerializationException, like a wrong type in the body; whole
//! numbers may be written with a fraction of zero.

use std::collections::HashMap;
use std::fmt;

use serde_json::{Map, Number, Value};

use super::canonical;
use super::refusal::Refusal;
use super::route::{Carried, Routed};
use super::rpc;
use super::validate::{self, Patterns};
use crate::reference::altered::Switches;
use crate::spec::{Location, Operation, Service, ShapeKind};
use crate::wire::Request;

/// A member as it was sent.
pub(super) enum Sent {
    /// In path, query or header.
    Text(String),
    /// In the body: types checked, nulls and unknown members dropped, members
    /// under their API names.
    Json(Value),
}

/// Well-formed input: members by API name, absent ones left out.
pub(super) struct Input(HashMap<String, Value>);

/// Reads and checks the input of a routed request.
pub(super) fn read(
    service: &Service,
    patterns: &Patterns,
    routed: &Routed<'_>,
    request: &Request,
    switches: &Switches,
) -> Result<Input, Refusal> {
    let operation = routed.operation;
    let sent = match &routed.carried {
        Carried::Apart => sent(service, operation, &routed.labels, request)?,
        Carried::Together(members) => sent_together(service, routed, members.clone()?, switches)?,
    };
    validate::check(service, patterns, operation, &sent)?;
    let values = sent.into_iter().map(|(name, sent)| {
        let value = match sent {
            Sent::Json(value) => value,
            Sent::Text(text) => of_text(service, operation, &name, text)?,
        };
        Ok((name, value))
    });
    values.collect::<Result<_, _>>().map(Input)
}

fn sent(
    service: &Service,
    operation: &Operation,
    labels: &[(String, String)],
    request: &Request,
) -> Result<HashMap<String, Sent>, Refusal> {
    let mut body = body(request)?;
    if !validate::has_body(operation) {
        body.clear();
    }
    let query: Vec<(Vec<u8>, Vec<u8>)> = canonical::pairs(request.query().unwrap_or_default()).collect();
    let mut all = HashMap::new();
    for (name, member) in &operation.input {
        let wire = member.wire_name.as_str();
        let text = |bytes: &[u8]| Sent::Text(String::from_utf8_lossy(bytes).into_owned());
        let found = match member.location {
            Location::Label => {
                labels.iter().find(|(label, _)| label == wire).map(|(_, value)| Sent::Text(value.clone()))
            }
            Location::Query => query.iter().find(|(name, _)| name == wire.as_bytes()).map(|(_, value)| text(value)),
            Location::Header => request.headers.get_all(wire).next().map(text),
            Location::Body => match body.remove(wire) {
                None | Some(Value::Null) => None,
                Some(value) => Some(Sent::Json(typed(service, &member.shape, value, name)?)),
            },
        };
        all.extend(found.map(|found| (name.clone(), found)));
    }
    Ok(all)
}

/// The members of a call that carries all of them in one object.
fn sent_together(
    service: &Service,
    routed: &Routed<'_>,
    mut members: Map<String, Value>,
    switches: &Switches,
) -> Result<HashMap<String, Sent>, Refusal> {
    let mut all = HashMap::new();
    for (name, member) in &routed.operation.input {
        let found = match members.remove(name).filter(|value| !value.is_null()) {
            Some(value) if member.location == Location::Body => {
                Some(Sent::Json(typed(service, &member.shape, value, name)?))
            }
            Some(value) => Some(rpc::text(service, switches, name, member, &value)?),
            // It may have been guessed.
            None => routed
                .label(&member.wire_name)
                .filter(|label| !label.is_empty())
                .map(|label| Sent::Text(label.to_owned())),
        };
        all.extend(found.map(|found| (name.clone(), found)));
    }
    Ok(all)
}

/// The body's object; empty for an empty body. Its content type is not looked at.
pub(super) fn body(request: &Request) -> Result<Map<String, Value>, Refusal> {
    if request.body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    match serde_json::from_slice(&request.body) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(Refusal::serialization("The body is not a JSON object")),
        Err(error) => Err(Refusal::serialization(format!("The body is not JSON: {error}"))),
    }
}

/// The value as its shape has it, with wire names turned into API names. The path is
/// written out only where something is wrong.
fn typed(service: &Service, shape: &str, value: Value, path: &dyn fmt::Display) -> Result<Value, Refusal> {
    if !service.shape(shape).coerced {
        return strictly_typed(service, shape, value, path);
    }
    let instead = coerced(&service.shape(shape).kind, &value);
    strictly_typed(service, shape, value, path).or(Ok(instead))
}

/// What a careless server might take a value of another type for.
fn coerced(kind: &ShapeKind, value: &Value) -> Value {
    match kind {
        ShapeKind::String(constraints) if constraints.pattern.is_some() => Value::Null,
        ShapeKind::String(constraints) => match constraints.allowed.first() {
            Some(allowed) => allowed.as_str().into(),
            None => value.to_string().into(),
        },
        ShapeKind::Integer | ShapeKind::Long => number(value).unwrap_or(0).into(),
        ShapeKind::Timestamp => 0.into(),
        ShapeKind::Boolean => true.into(),
        ShapeKind::List { .. } => Value::Array(Vec::new()),
        ShapeKind::Map { .. } | ShapeKind::Structure { .. } => Value::Object(Map::new()),
    }
}

fn strictly_typed(service: &Service, shape: &str, value: Value, path: &dyn fmt::Display) -> Result<Value, Refusal> {
    let wrong = |needed: &str| Err(Refusal::serialization(format!("{path} is not {needed}")));
    match (&service.shape(shape).kind, value) {
        (ShapeKind::String(_), value @ Value::String(_)) => Ok(value),
        (ShapeKind::String(_), _) => wrong("a string"),
        (ShapeKind::Boolean, value @ Value::Bool(_)) => Ok(value),
        (ShapeKind::Boolean, _) => wrong("true or false"),
        (ShapeKind::Timestamp, value @ Value::Number(_)) => Ok(value),
        (ShapeKind::Timestamp, _) => wrong("a number of seconds"),
        (ShapeKind::Integer, Value::Number(number)) => match whole(&number).filter(|n| i32::try_from(*n).is_ok()) {
            Some(number) => Ok(number.into()),
            None => wrong("a whole number of 32 bits"),
        },
        (ShapeKind::Long, Value::Number(number)) => match whole(&number) {
            Some(number) => Ok(number.into()),
            None => wrong("a whole number of 64 bits"),
        },
        (ShapeKind::Integer | ShapeKind::Long, _) => wrong("a whole number"),
        (ShapeKind::List { member }, Value::Array(entries)) => {
            let entries = entries.into_iter().zip(1_usize..).map(|(entry, at)| match entry {
                // Left for the constraints to refuse.
                Value::Null => Ok(Value::Null),
                entry => typed(service, member, entry, &format_args!("{path}.{at}")),
            });
            let mut entries: Vec<Value> = entries.collect::<Result<_, _>>()?;
            if service.shape(member).coerced {
                entries.retain(|entry| !entry.is_null());
            }
            Ok(Value::Array(entries))
        }
        (ShapeKind::List { .. }, _) => wrong("a list"),
        (ShapeKind::Map { value: shape, .. }, Value::Object(entries)) => {
            let entries = entries.into_iter().filter(|(_, value)| !value.is_null()).map(|(key, value)| {
                let value = typed(service, shape, value, &format_args!("{path}.{key}"))?;
                Ok((key, value))
            });
            entries.collect::<Result<_, _>>().map(Value::Object)
        }
        (ShapeKind::Structure { members }, Value::Object(mut sent)) => {
            let mut known = Map::new();
            for (name, member) in members {
                if let Some(value) = sent.remove(&member.wire_name).filter(|value| !value.is_null()) {
                    known.insert(name.clone(), typed(service, &member.shape, value, &format_args!("{path}.{name}"))?);
                }
            }
            Ok(Value::Object(known))
        }
        (ShapeKind::Map { .. } | ShapeKind::Structure { .. }, _) => wrong("an object"),
    }
}

fn whole(number: &Number) -> Option<i64> {
    // Below this bound every float that is whole is an exact i64.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let of_float = |float: f64| (float.fract() == 0.0 && float.abs() <= EXACT).then_some(float as i64);
    number.as_i64().or_else(|| number.as_f64().filter(|_| number.is_f64()).and_then(of_float))
}

/// A checked text in the type of its member's shape.
fn of_text(service: &Service, operation: &Operation, name: &str, text: String) -> Result<Value, Refusal> {
    let wrong = |needed: &str| Refusal::serialization(format!("{name} is not {needed}"));
    let Some(member) = operation.input.get(name) else { return Ok(Value::String(text)) };
    let shape = service.shape(&member.shape);
    match &shape.kind {
        ShapeKind::Integer | ShapeKind::Long if shape.coerced => Ok(text.parse::<i64>().unwrap_or(1).into()),
        ShapeKind::Integer => text.parse::<i32>().map(Value::from).map_err(|_| wrong("a whole number of 32 bits")),
        ShapeKind::Long => text.parse::<i64>().map(Value::from).map_err(|_| wrong("a whole number of 64 bits")),
        ShapeKind::Boolean => text.parse::<bool>().map(Value::from).map_err(|_| wrong("true or false")),
        _ => Ok(Value::String(text)),
    }
}

/// Members as the model wants them. They are lenient, so that a server whose
/// description was altered still answers: validation is where strictness lives.
impl Input {
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(text)
    }

    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.get(name).and_then(number)
    }
}

pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

pub(super) fn number(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => whole(number),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}
