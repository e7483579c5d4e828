//! Places in the input of one operation, and how to alter only that place although
//! operations share shapes.

use crate::spec::{Operation, Service, Shape, ShapeKind, StringConstraints};

/// A value somewhere in an operation's input.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) operation: String,
    /// The input member that it is, or is in.
    pub(super) member: String,
    /// The way down from there.
    pub(super) below: Vec<Down>,
    /// Id that the requirements about it begin with.
    pub(super) id: String,
}

/// A step down into a value.
#[derive(Clone)]
pub(super) enum Down {
    Member(String),
    Entry,
    Key,
    Value,
}

impl Place {
    pub(super) fn of_input(operation: &Operation, member: &str) -> Self {
        Self {
            operation: operation.name.clone(),
            member: member.to_owned(),
            below: Vec::new(),
            id: format!("{}/input/{member}", operation.name),
        }
    }

    /// The place below this one; `segment` is what it adds to the id.
    pub(super) fn down(&self, down: Down, segment: &str) -> Self {
        let mut place = self.clone();
        place.below.push(down);
        if !segment.is_empty() {
            place.id = format!("{}/{segment}", place.id);
        }
        place
    }

    /// What people call it.
    pub(super) fn words(&self) -> String {
        let names = self.below.iter().filter_map(|down| match down {
            Down::Member(name) => Some(name.as_str()),
            Down::Entry => None,
            Down::Key => Some("key"),
            Down::Value => Some("value"),
        });
        let path: Vec<&str> = std::iter::once(self.member.as_str()).chain(names).collect();
        format!("`{}` of `{}`", path.join("/"), self.operation)
    }

    /// Whether the value at this place must be there.
    pub(super) fn set_required(&self, service: &mut Service, required: bool) {
        let Some((Down::Member(name), above)) = self.below.split_last() else {
            service.operations[&self.operation].input[&self.member].required = required;
            return;
        };
        let above = Self { below: above.to_vec(), ..self.clone() };
        if let ShapeKind::Structure { members } = &mut above.own_shape(service).kind {
            members[name].required = required;
        }
    }

    /// The constraints on the text at this place, the member's own and its shape's.
    pub(super) fn each_text(&self, service: &mut Service, alter: impl Fn(&mut StringConstraints)) {
        if self.below.is_empty() {
            alter(&mut service.operations[&self.operation].input[&self.member].constraints);
        }
        if let ShapeKind::String(constraints) = &mut self.own_shape(service).kind {
            alter(constraints);
        }
    }

    /// The shape of the value, made this place's own first.
    pub(super) fn own_shape<'s>(&self, service: &'s mut Service) -> &'s mut Shape {
        let own = |name: &str| format!("{name} of {}", self.operation);
        let mut name = service.operations[&self.operation].input[&self.member].shape.clone();
        let mut copy = own(&name);
        service.shapes.insert(copy.clone(), service.shapes[&name].clone());
        service.operations[&self.operation].input[&self.member].shape.clone_from(&copy);
        for down in &self.below {
            let below = match (&mut service.shapes[&copy].kind, down) {
                (ShapeKind::Structure { members }, Down::Member(member)) => &mut members[member].shape,
                (ShapeKind::List { member }, Down::Entry) => member,
                (ShapeKind::Map { key, .. }, Down::Key) => key,
                (ShapeKind::Map { value, .. }, Down::Value) => value,
                _ => break,
            };
            name.clone_from(below);
            let deeper = own(&format!("{name} in {copy}"));
            below.clone_from(&deeper);
            service.shapes.insert(deeper.clone(), service.shapes[&name].clone());
            copy = deeper;
        }
        &mut service.shapes[&copy]
    }
}
