//! Servers whose answers have one member missing, or of another type.

use serde_json::Value;

use crate::prove::alteration::Alteration;
use crate::prove::answers::body;
use crate::spec::{Member, Operation, OutputKind, Service, ShapeKind};

/// The mutants of all members of an operation's answer.
pub(super) fn of_operation(service: &Service, operation: &Operation, mutants: &mut Vec<Alteration>) {
    let name = operation.name.clone();
    if operation.output_kind != OutputKind::Structure {
        let id = format!("{name}/output");
        mutants.push(Alteration::rewritten(
            &format!("{id}/not-empty"),
            &format!("A successful `{name}` is answered with a member."),
            &[&id],
            move |called, _, response| {
                if called == Some(&*name) && response.status < 300 {
                    response.body = br#"{"Done":true}"#.to_vec().into();
                }
            },
        ));
        return;
    }
    for (member, definition) in &operation.output {
        of_member(service, operation, &[member.as_str()], definition, mutants);
    }
}

fn of_member(service: &Service, operation: &Operation, path: &[&str], member: &Member, mutants: &mut Vec<Alteration>) {
    let id = format!("{}/output/{}", operation.name, path.join("/"));
    let kind = &service.shape(&member.shape).kind;
    let (words, wrong) = (path.join("/"), of_other_type(kind));
    for (word, instead) in [("type", Some(wrong)), ("missing", None)] {
        let about = match &instead {
            Some(value) => format!("`{words}` in the answers of `{}` is {value}.", operation.name),
            None => format!("`{words}` is missing in the answers of `{}`.", operation.name),
        };
        let (called, path) = (operation.name.clone(), path.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        mutants.push(Alteration::rewritten(&format!("{id}/{word}"), &about, &[&id], move |operation, _, response| {
            if operation == Some(&*called) && response.status < 300 {
                body(response, |body| replace(body, &path, instead.as_ref()));
            }
        }));
    }
    let mut below = kind;
    while let ShapeKind::List { member } = below {
        below = &service.shape(member).kind;
    }
    if let ShapeKind::Structure { members } = below {
        for (name, member) in members {
            of_member(service, operation, &[path, &[name]].concat(), member, mutants);
        }
    }
}

/// The mutants of what every declared error carries.
pub(super) fn of_errors(service: &Service, mutants: &mut Vec<Alteration>) {
    for name in service.error_members.keys() {
        let id = format!("service/error/{name}");
        for (word, instead) in [("type", Some(Value::from(7))), ("missing", None)] {
            let path = [name.clone()];
            let about = format!("`{name}` in the bodies of errors is {word}.");
            mutants.push(Alteration::rewritten(&format!("{id}/{word}"), &about, &[&id], move |_, _, response| {
                if response.status >= 400 {
                    body(response, |body| replace(body, &path, instead.as_ref()));
                }
            }));
        }
    }
}

/// Replaces the member, in every entry of lists on the way, or takes it out.
fn replace(value: &mut Value, path: &[String], instead: Option<&Value>) {
    match (value, path) {
        (Value::Array(entries), _) => entries.iter_mut().for_each(|entry| replace(entry, path, instead)),
        (Value::Object(members), [name]) if members.contains_key(name) => match instead {
            Some(instead) => drop(members.insert(name.clone(), instead.clone())),
            None => drop(members.remove(name)),
        },
        (Value::Object(members), [name, below @ ..]) => {
            if let Some(value) = members.get_mut(name) {
                replace(value, below, instead);
            }
        }
        _ => {}
    }
}

/// A value that no reader takes for the kind.
fn of_other_type(kind: &ShapeKind) -> Value {
    match kind {
        ShapeKind::String(_) => 7.into(),
        _ => "seven".into(),
    }
}
