//! What can be altered in the answers of a service, derived from its description;
//! and how an answer is altered.

use std::fmt;

use serde_json::{Value, json};
use syncspec::spec::{Member, Operation, OutputKind, Service, Shape, ShapeKind};
use syncspec::wire::{Request, Response};

/// One alteration of all answers of an operation.
#[derive(Debug, Clone)]
pub(crate) struct Alteration {
    pub(crate) operation: String,
    pub(crate) place: Place,
    pub(crate) change: Change,
}

/// Where an answer is altered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Place {
    /// A successful answer's status.
    Success,
    /// A successful answer's empty body.
    Empty,
    /// An answer with this error.
    Error(String),
    /// A member of a successful answer, `*` standing for every entry.
    Member(Vec<String>),
}

/// What is altered there.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    /// Another status.
    Status(u16),
    /// Another error name.
    Name(String),
    /// No message.
    NoMessage,
    /// An object with a member instead of nothing.
    Filled,
    /// Not there any more.
    Removed,
    /// Of another type.
    Type,
    /// A number moved.
    Moved(i64),
    /// A date in milliseconds.
    Millis,
    /// Another value that is well formed.
    Other(String),
    /// A boolean turned round.
    Flipped,
    /// A list without its last entry.
    Shortened,
}

impl fmt::Display for Alteration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, place, change } = self;
        match place {
            Place::Success => write!(f, "{operation} success: {change}"),
            Place::Empty => write!(f, "{operation} body: {change}"),
            Place::Error(name) => write!(f, "{operation} {name}: {change}"),
            Place::Member(path) => write!(f, "{operation} /{}: {change}", path.join("/")),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "status {status}"),
            Self::Name(name) => write!(f, "named {name}"),
            Self::NoMessage => f.write_str("no message"),
            Self::Filled => f.write_str("not empty"),
            Self::Removed => f.write_str("removed"),
            Self::Type => f.write_str("another type"),
            Self::Moved(by) => write!(f, "{by:+}"),
            Self::Millis => f.write_str("milliseconds"),
            Self::Other(_) => f.write_str("another value"),
            Self::Flipped => f.write_str("flipped"),
            Self::Shortened => f.write_str("last entry missing"),
        }
    }
}

/// Every alteration of every operation's answers.
pub(crate) fn alterations(service: &Service) -> Vec<Alteration> {
    let mut all = Vec::new();
    for operation in service.operations.values() {
        let mut add = |place: &Place, change| {
            all.push(Alteration { operation: operation.name.clone(), place: place.clone(), change });
        };
        add(&Place::Success, Change::Status(201));
        add(&Place::Success, Change::Status(500));
        if operation.output_kind != OutputKind::Structure {
            add(&Place::Empty, Change::Filled);
        }
        for error in &operation.errors {
            let place = Place::Error(error.clone());
            add(&place, Change::Status(if service.errors[error].status == 400 { 404 } else { 400 }));
            add(&place, Change::Name(another_error(service, operation, error)));
            add(&place, Change::NoMessage);
        }
        members(service, &operation.output, &mut Vec::new(), &mut add);
    }
    all
}

/// Another error that the operation declares, with the same status if there is one.
fn another_error(service: &Service, operation: &Operation, error: &str) -> String {
    let status = |name: &str| service.errors[name].status;
    let others = || operation.errors.iter().filter(|name| *name != error);
    let alike = others().find(|name| status(name) == status(error));
    alike.or_else(|| others().next()).expect("an operation declares several errors").clone()
}

type Add<'a> = dyn FnMut(&Place, Change) + 'a;

fn members<'m>(
    service: &Service,
    members: impl IntoIterator<Item = (&'m String, &'m Member)>,
    path: &mut Vec<String>,
    add: &mut Add<'_>,
) {
    for (name, member) in members {
        path.push(name.clone());
        add(&Place::Member(path.clone()), Change::Removed);
        let opaque = member.opaque || service.is_sensitive(member);
        value(service, &member.shape, opaque, path, add);
        path.pop();
    }
}

/// The alterations of a value. No other value of an opaque one is well formed.
fn value(service: &Service, name: &str, opaque: bool, path: &mut Vec<String>, add: &mut Add<'_>) {
    let place = Place::Member(path.clone());
    add(&place, Change::Type);
    match &service.shape(name).kind {
        ShapeKind::String(_) if opaque => {}
        ShapeKind::String(_) => add(&place, Change::Other(name.to_owned())),
        ShapeKind::Integer | ShapeKind::Long => {
            add(&place, Change::Moved(1));
            add(&place, Change::Moved(-1));
        }
        ShapeKind::Boolean => add(&place, Change::Flipped),
        ShapeKind::Timestamp => add(&place, Change::Millis),
        ShapeKind::List { member } => {
            add(&place, Change::Shortened);
            below(service, member, path, add);
        }
        ShapeKind::Map { value, .. } => below(service, value, path, add),
        ShapeKind::Structure { members } => self::members(service, members, path, add),
    }
}

fn below(service: &Service, shape: &str, path: &mut Vec<String>, add: &mut Add<'_>) {
    path.push("*".to_owned());
    value(service, shape, false, path, add);
    path.pop();
}

/// The operation that a request's method and path lead to.
pub(crate) fn operation_of<'s>(service: &'s Service, method: &str, target: &str) -> Option<&'s Operation> {
    let path = target.split('?').next().unwrap_or_default();
    let fits = |uri: &str| {
        let (wanted, given): (Vec<_>, Vec<_>) = (uri.split('/').collect(), path.split('/').collect());
        wanted.len() == given.len()
            && wanted.iter().zip(given).all(|(wanted, given)| wanted.starts_with('{') || *wanted == given)
    };
    service.operations.values().find(|operation| operation.method == method && fits(&operation.uri))
}

impl Alteration {
    /// Alters an answer, if it is one that this is about; whether it was.
    pub(crate) fn apply(&self, service: &Service, request: &Request, response: &mut Response) -> bool {
        let operation = operation_of(service, &request.method, &request.target);
        if operation.is_none_or(|operation| operation.name != self.operation) {
            return false;
        }
        let success = (200..300).contains(&response.status);
        match &self.place {
            Place::Error(name) if response.error_name().as_ref() == Some(name) => self.alter_error(response),
            Place::Success if success => self.alter_status(response),
            Place::Empty if success => {
                response.body = r#"{"Unasked":1}"#.into();
                true
            }
            Place::Member(path) if success => {
                let Some(mut body) = response.json() else { return false };
                let altered = alter(&mut body, path, &|value| self.alter_value(service, value));
                response.body = body.to_string().into();
                altered
            }
            _ => false,
        }
    }

    fn alter_status(&self, response: &mut Response) -> bool {
        let Change::Status(status) = self.change else { return false };
        response.status = status;
        true
    }

    fn alter_error(&self, response: &mut Response) -> bool {
        let mut body = response.json().unwrap_or_else(|| json!({}));
        match &self.change {
            Change::Name(name) => {
                response.headers.set("x-amzn-ErrorType", name.as_str());
                for key in ["__type", "code"] {
                    if let Some(value) = body.get_mut(key) {
                        *value = json!(name);
                    }
                }
            }
            Change::NoMessage => {
                let object = body.as_object_mut();
                object.into_iter().for_each(|object| object.retain(|key, _| !key.eq_ignore_ascii_case("message")));
            }
            _ => return self.alter_status(response),
        }
        response.body = body.to_string().into();
        true
    }

    /// What becomes of a value that is there; none to leave it out.
    fn alter_value(&self, service: &Service, value: &Value) -> Option<Value> {
        match (&self.change, value) {
            (Change::Removed, _) => None,
            (Change::Type, Value::String(_)) => Some(json!(42)),
            (Change::Type, Value::Number(number)) => Some(json!(number.to_string())),
            (Change::Type, Value::Bool(flag)) => Some(json!(flag.to_string())),
            (Change::Type, Value::Array(_)) => Some(json!({})),
            (Change::Type, Value::Object(_)) => Some(json!([])),
            (Change::Moved(by), Value::Number(number)) => number.as_i64().map(|number| json!(number + by)),
            (Change::Millis, Value::Number(number)) => number.as_f64().map(|seconds| json!(seconds * 1000.0)),
            (Change::Flipped, Value::Bool(flag)) => Some(json!(!flag)),
            (Change::Shortened, Value::Array(list)) => {
                Some(list.split_last().map_or_else(|| value.clone(), |(_, rest)| json!(rest)))
            }
            (Change::Other(shape), Value::String(text)) => Some(json!(another(service.shape(shape), text))),
            _ => Some(value.clone()),
        }
    }
}

/// Another text that fits the shape: another of its values, another id, or one
/// character more.
fn another(shape: &Shape, text: &str) -> String {
    let ShapeKind::String(constraints) = &shape.kind else { return text.to_owned() };
    if let Some(other) = constraints.allowed.iter().find(|allowed| *allowed != text) {
        return other.clone();
    }
    let is_id = constraints.pattern.as_deref().is_some_and(|pattern| pattern.ends_with("[0-9a-f-]+"));
    match text.strip_suffix('0') {
        Some(rest) if is_id => format!("{rest}1"),
        None if is_id => format!("{}0", &text[..text.len() - 1]),
        _ => format!("{text}x"),
    }
}

/// Alters what is at a path and not null; whether anything was.
fn alter(value: &mut Value, path: &[String], change: &dyn Fn(&Value) -> Option<Value>) -> bool {
    let Some((name, rest)) = path.split_first() else { return false };
    let mut altered = false;
    if name == "*" {
        let entries: Vec<&mut Value> = match value {
            Value::Array(list) => list.iter_mut().collect(),
            Value::Object(object) => object.values_mut().collect(),
            _ => Vec::new(),
        };
        for entry in entries {
            altered |= if rest.is_empty() { replace(entry, change) } else { alter(entry, rest, change) };
        }
        return altered;
    }
    let Some(object) = value.as_object_mut() else { return false };
    let Some(member) = object.get_mut(name).filter(|member| !member.is_null()) else { return false };
    if !rest.is_empty() {
        return alter(member, rest, change);
    }
    if change(member).is_none() {
        return object.shift_remove(name).is_some();
    }
    replace(member, change)
}

/// Whether the value was replaced by a different one.
fn replace(value: &mut Value, change: &dyn Fn(&Value) -> Option<Value>) -> bool {
    let Some(new) = change(value) else { return false };
    let differs = new != *value;
    *value = new;
    differs
}
