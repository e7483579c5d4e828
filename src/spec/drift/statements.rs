//! A model taken apart into statements.

use std::collections::BTreeMap;

use super::model::{Constraints, Kind, Member, Members, Model, Operation};

/// Place to what is said there.
pub(super) type Statements = BTreeMap<String, String>;

/// Everything that a model says, each at its place. Places below another one
/// begin with it and a slash.
pub(super) fn statements(model: &Model) -> Statements {
    let mut builder = Builder { model, all: Statements::new(), enclosing: Vec::new() };
    builder.say("service/name", &model.name);
    builder.say("service/api-version", &model.api_version);
    builder.say("service/signing-name", &model.signing_name);
    let protocols: Vec<_> = model.protocols.iter().map(String::as_str).collect();
    builder.say("service/protocol", &protocols.join(", "));
    for (name, operation) in &model.operations {
        builder.operation(name, operation);
    }
    builder.all
}

struct Builder<'m> {
    model: &'m Model,
    all: Statements,
    /// The shapes on the way down, so that a recursive model ends.
    enclosing: Vec<&'m str>,
}

impl<'m> Builder<'m> {
    fn say(&mut self, place: &str, what: &str) {
        self.all.insert(place.to_owned(), what.to_owned());
    }

    fn operation(&mut self, name: &str, operation: &'m Operation) {
        self.say(name, "an operation");
        self.say(&format!("{name}/route"), &operation.route);
        self.say(&format!("{name}/success-status"), &operation.success_status.to_string());
        self.say(&format!("{name}/signature"), if operation.is_signed { "needed" } else { "not needed" });
        self.members(&format!("{name}/input"), &operation.input);
        if let Some(output) = &operation.output {
            self.say(&format!("{name}/output"), "a structure");
            self.members(&format!("{name}/output"), output);
        }
        for (error, definition) in &operation.errors {
            let place = format!("{name}/error/{error}");
            let fault = if definition.is_servers_fault { ", the server's fault" } else { "" };
            self.say(&place, &format!("HTTP status {}{fault}", definition.status));
            self.members(&place, &definition.members);
        }
    }

    fn members(&mut self, place: &str, members: &'m Members) {
        for (name, member) in members {
            self.member(&format!("{place}/{name}"), member);
        }
    }

    fn member(&mut self, place: &str, member: &'m Member) {
        self.say(&format!("{place}/binding"), &member.binding);
        if member.is_required {
            self.say(&format!("{place}/required"), "yes");
        }
        self.value(place, &member.shape, &member.constraints);
    }

    fn value(&mut self, place: &str, shape: &'m str, own: &Constraints) {
        // The readers have seen to it that every shape is there.
        let Some(definition) = self.model.shapes.get(shape) else { return };
        self.say(place, definition.kind.name());
        for (constraint, value) in definition.constraints.iter().chain(own) {
            self.say(&format!("{place}/{constraint}"), value);
        }
        if self.enclosing.contains(&shape) {
            return;
        }
        self.enclosing.push(shape);
        match &definition.kind {
            Kind::Scalar(_) => {}
            Kind::Structure(_, members) => self.members(place, members),
            // As in ids of requirements, structures in a list need no segment.
            Kind::List(entry) => match self.model.shapes.get(entry).map(|entry| &entry.kind) {
                Some(Kind::Structure(_, members)) if !self.enclosing.contains(&entry.as_str()) => {
                    self.enclosing.push(entry);
                    self.members(place, members);
                    self.enclosing.pop();
                }
                _ => self.value(&format!("{place}/entry"), entry, &Constraints::new()),
            },
            Kind::Map(key, value) => {
                self.value(&format!("{place}/key"), key, &Constraints::new());
                self.value(&format!("{place}/value"), value, &Constraints::new());
            }
        }
        self.enclosing.pop();
    }
}
