//! The suite's own data as a model.

use indexmap::IndexMap;

use super::super::service::{self, Location, OutputKind, Service, ShapeKind, StringConstraints};
use super::model::{Constraints, Error, Kind, Member, Members, Model, Operation, Shape, Stated, binding};

/// The protocol that every case of the suite is written for.
const PROTOCOL: &str = "rest-json";

pub(super) fn model(service: &Service) -> Model {
    Model {
        name: service.name.clone(),
        api_version: service.api_version.clone(),
        signing_name: service.signing_name.clone(),
        protocols: [PROTOCOL.to_owned()].into(),
        operations: service.operations.values().map(|one| (one.name.clone(), operation(service, one))).collect(),
        shapes: service.shapes.iter().map(|(name, one)| (name.clone(), shape(&one.kind))).collect(),
    }
}

fn operation(service: &Service, operation: &service::Operation) -> Operation {
    let error = |name: &String| {
        let kind = &service.errors[name];
        let members = members(&service.error_members);
        (name.clone(), Error { status: kind.status, is_servers_fault: kind.server_fault, members })
    };
    Operation {
        route: format!("{} {}", operation.method, operation.uri),
        success_status: service.success_status,
        is_signed: true,
        input: members(&operation.input),
        output: (operation.output_kind != OutputKind::None).then(|| members(&operation.output)),
        errors: operation.errors.iter().map(error).collect(),
    }
}

fn members(members: &IndexMap<String, service::Member>) -> Members {
    members.iter().map(|(name, one)| (name.clone(), member(one))).collect()
}

fn member(member: &service::Member) -> Member {
    let place = match member.location {
        Location::Label => "path",
        Location::Query => "query",
        Location::Header => "header",
        Location::Body => "body",
    };
    Member {
        shape: member.shape.clone(),
        binding: binding(place, &member.wire_name),
        is_required: member.required,
        constraints: text_constraints(&member.constraints),
    }
}

fn text_constraints(text: &StringConstraints) -> Constraints {
    let stated = Stated {
        bounds: [text.min_length, text.max_length].map(|bound| bound.map(|bound| bound.to_string())),
        pattern: text.pattern.as_deref(),
        allowed: text.allowed.iter().map(String::as_str).collect(),
    };
    stated.of("string")
}

fn shape(kind: &ShapeKind) -> Shape {
    let mut constraints = Constraints::new();
    let scalar = |name: &str| Kind::Scalar(name.to_owned());
    let kind = match kind {
        ShapeKind::String(text) => {
            constraints = text_constraints(text);
            scalar("string")
        }
        ShapeKind::Integer => scalar("integer"),
        ShapeKind::Long => scalar("long"),
        ShapeKind::Boolean => scalar("boolean"),
        ShapeKind::Timestamp => scalar("timestamp"),
        ShapeKind::List { member } => Kind::List(member.clone()),
        ShapeKind::Map { key, value, max_entries } => {
            constraints =
                Stated { bounds: [None, max_entries.map(|most| most.to_string())], ..Stated::default() }.of("map");
            Kind::Map(key.clone(), value.clone())
        }
        ShapeKind::Structure { members: named } => Kind::Structure("structure".to_owned(), members(named)),
    };
    Shape { kind, constraints }
}
