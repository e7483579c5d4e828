//! What was there before, and what brings it back.

use serde_json::{Map, Value};

use crate::cases::{Save, SavedMember};
use crate::spec::{Service, ShapeKind};

/// The request that brings back what was there before, and what it does not.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Restoring {
    /// Its input beside what says what it belongs to; empty when all is as it was.
    pub(super) input: Map<String, Value>,
    /// What it does not bring back.
    pub(super) notes: Vec<String>,
}

/// The members to keep, of an answer of the reading operation: those that are there,
/// in the form in which `changing` takes them.
pub(super) fn kept(service: &Service, changing: &str, save: &Save, answer: &Map<String, Value>) -> Map<String, Value> {
    let input = service.operations.get(changing).map(|operation| &operation.input);
    let member = |name: &String| {
        let shape = &input?.get(name)?.shape;
        Some((name.clone(), something(&fitted(service, shape, answer.get(name)?))?))
    };
    save.members.keys().filter_map(member).collect()
}

/// A value without the members that its shape does not have: answers may say more than
/// a request may.
fn fitted(service: &Service, shape: &str, value: &Value) -> Value {
    match (&service.shape(shape).kind, value) {
        (ShapeKind::Structure { members }, Value::Object(object)) => {
            let member = |(name, value): (&String, &Value)| {
                Some((name.clone(), fitted(service, &members.get(name)?.shape, value)))
            };
            object.iter().filter_map(member).collect::<Map<_, _>>().into()
        }
        _ => value.clone(),
    }
}

/// A value without null, empty lists and empty objects in it; none if nothing is left.
fn something(value: &Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Object(object) => {
            let members = object.iter().filter_map(|(name, value)| Some((name.clone(), something(value)?)));
            let members: Map<_, _> = members.collect();
            (!members.is_empty()).then(|| members.into())
        }
        Value::Array(entries) if entries.is_empty() => None,
        other => Some(other.clone()),
    }
}

/// What brings back `before`, where `now` differs from it.
pub(super) fn restoring(save: &Save, before: &Map<String, Value>, now: &Map<String, Value>) -> Restoring {
    let mut restoring = Restoring::default();
    for (name, member) in &save.members {
        let (before, now) = (before.get(name), now.get(name));
        if before == now {
            continue;
        }
        let value = match before {
            Some(before) => Some(with_unset(member, before, now)),
            None if member.absent_entry.is_some() => Some(with_unset(member, &Value::Object(Map::new()), now)),
            None => {
                restoring.notes.extend(member.note.clone());
                absent(member, now).filter(|value| something(value).as_ref() != now)
            }
        };
        restoring.input.extend(value.map(|value| (name.clone(), value)));
    }
    restoring
}

/// What was there, and what unsets the entries that were not.
fn with_unset(member: &SavedMember, before: &Value, now: Option<&Value>) -> Value {
    let mut value = before.clone();
    if let (Some(unset), Some(entries), Some(Value::Object(now))) = (&member.absent_entry, value.as_object_mut(), now) {
        for name in now.keys() {
            entries.entry(name).or_insert_with(|| unset.clone());
        }
    }
    value
}

/// What stands for a member that was not there, with what it keeps of what is now.
fn absent(member: &SavedMember, now: Option<&Value>) -> Option<Value> {
    let mut value = member.absent.clone()?;
    if let (Some(members), Some(Value::Object(now))) = (value.as_object_mut(), now) {
        let kept = member.keeps.iter().filter_map(|name| Some((name.clone(), now.get(name)?.clone())));
        members.extend(kept);
    }
    Some(value)
}
