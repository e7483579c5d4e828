//! The service description against an independent extract of the API model and
//! the documentation (`tests/data/model-facts.json`), in both directions: nothing
//! is missing, nothing was made up. Where they differ on purpose, the difference
//! is a dispute and stands in [`DISPUTED`].

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;
use syncspec::spec::{Credentials, Location, Member, Operation, OutputKind, Service, ShapeKind, StringConstraints};

/// What the description holds beyond the model, or the model beyond the
/// description. Every other difference is an error.
const DISPUTED: [&str; 2] = [
    "- operation ListDatasets input MaxResults: IntegerString at query as maxResults",
    "+ operation ListDatasets input MaxResults: IntegerString at query as maxResults, at most 19, matches [1-9]\\d*",
];

/// Statements about the service, one a line, so that two sets can be compared.
type Statements = BTreeMap<String, String>;

fn facts() -> Value {
    serde_json::from_str(include_str!("data/model-facts.json")).expect("the facts are JSON")
}

fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().expect("an object").iter()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().map(|entries| entries.iter().map(text).collect()).unwrap_or_default()
}

// ---- the facts as statements ---------------------------------------------------

fn of_facts(facts: &Value) -> Statements {
    let mut all = Statements::new();
    let metadata = &facts["metadata"];
    all.insert("service name".into(), text(&metadata["serviceFullName"]).into());
    all.insert("service version".into(), text(&metadata["apiVersion"]).into());
    all.insert("service signing name".into(), text(&metadata["signingName"]).into());
    for (name, scalar) in object(&facts["scalars"]) {
        all.insert(format!("shape {name}"), scalar_fact(scalar));
    }
    for (name, structure) in object(&facts["structures"]) {
        all.insert(format!("shape {name}"), "structure".into());
        let required = texts(&structure["required"]);
        for (member, shape) in object(&structure["members"]) {
            let mark = if required.contains(&member.as_str()) { ", required" } else { "" };
            all.insert(format!("shape {name} member {member}"), format!("{} at body as {member}{mark}", text(shape)));
        }
    }
    for (name, error) in object(&facts["errors"]) {
        let fault = if error["fault"] == true { ", server's fault" } else { "" };
        all.insert(format!("error {name}"), format!("{}{fault}", error["status"]));
        for (member, _) in object(&error["members"]) {
            all.insert(format!("error member {member}"), format!("ExceptionMessage at body as {member}, required"));
        }
    }
    for (name, error) in object(&facts["errors_docs_only"]) {
        all.insert(format!("error {name}"), format!("{}, not in the model", error["status"]));
    }
    for (name, status) in object(&facts["common_errors_docs"]) {
        all.insert(format!("common error {name}"), status.to_string());
    }
    for (name, operation) in object(&facts["operations"]) {
        operation_facts(&mut all, name, operation);
    }
    let quotas = &facts["quotas_docs"];
    for (id, key) in [
        ("datasets-per-identity", "datasets_per_identity"),
        ("records-per-dataset", "records_per_dataset"),
        ("dataset-size", "dataset_bytes"),
        ("bulk-publish-wait", "bulk_publish_wait_hours"),
    ] {
        all.insert(format!("limit {id}"), quotas[key].to_string());
    }
    all
}

fn scalar_fact(scalar: &Value) -> String {
    let mut fact = text(&scalar["type"]).to_owned();
    for (key, words) in [("member", " of "), ("key", " from "), ("value", " to ")] {
        if let Some(shape) = scalar[key].as_str() {
            fact.push_str(words);
            fact.push_str(shape);
        }
    }
    let unit = if scalar["type"] == "map" { " entries" } else { "" };
    if let Some(fewest) = scalar["min"].as_u64() {
        let _ = write!(fact, ", at least {fewest}");
    }
    if let Some(most) = scalar["max"].as_u64() {
        let _ = write!(fact, ", at most {most}{unit}");
    }
    if let Some(pattern) = scalar["pattern"].as_str() {
        let _ = write!(fact, ", matches {pattern}");
    }
    let allowed = texts(&scalar["enum"]);
    if !allowed.is_empty() {
        let _ = write!(fact, ", one of {}", allowed.join(" "));
    }
    fact
}

fn operation_facts(all: &mut Statements, name: &str, operation: &Value) {
    let route =
        format!("{} {} gives {}", text(&operation["method"]), text(&operation["uri"]), operation["success_status"]);
    all.insert(format!("operation {name} route"), route);
    let credentials = text(&operation["credentials"]).replace("cognito_identity_only", "identity_only");
    all.insert(format!("operation {name} credentials"), credentials);
    all.insert(format!("operation {name} resource"), text(&operation["iam_resource_type"]).into());
    all.insert(format!("operation {name} output"), text(&operation["output_kind"]).into());
    for (member, input) in object(&operation["input"]) {
        let mark = if input["required"] == true { ", required" } else { "" };
        let place = text(&input["in"]).replace("uri", "label");
        let wire = input["name"].as_str().unwrap_or(member);
        let fact = format!("{} at {place} as {wire}{mark}", text(&input["shape"]));
        all.insert(format!("operation {name} input {member}"), fact);
    }
    if let Some(output) = operation["output"].as_object() {
        for (member, output) in object(&output["members"]) {
            let fact = format!("{} at {} as {member}", text(&output["shape"]), text(&output["in"]));
            all.insert(format!("operation {name} output {member}"), fact);
        }
    }
    for (error, status) in object(&operation["errors"]) {
        all.insert(format!("operation {name} error {error}"), status.to_string());
    }
    if let Some(errors) = operation["errors_docs_only"].as_object() {
        for (error, status) in errors {
            all.insert(format!("operation {name} error {error}"), status.to_string());
        }
    }
}

// ---- the description as statements ----------------------------------------------

fn of_service(service: &Service) -> Statements {
    let mut all = Statements::new();
    all.insert("service name".into(), service.name.clone());
    all.insert("service version".into(), service.api_version.clone());
    all.insert("service signing name".into(), service.signing_name.clone());
    for (name, shape) in &service.shapes {
        all.insert(format!("shape {name}"), shape_statement(&shape.kind));
        if let ShapeKind::Structure { members } = &shape.kind {
            for (member, definition) in members {
                all.insert(format!("shape {name} member {member}"), member_statement(definition));
            }
        }
    }
    for (name, error) in &service.errors {
        let fault = if error.server_fault { ", server's fault" } else { "" };
        let origin = if error.in_model { "" } else { ", not in the model" };
        all.insert(format!("error {name}"), format!("{}{fault}{origin}", error.status));
    }
    for (name, member) in &service.error_members {
        all.insert(format!("error member {name}"), member_statement(member));
    }
    for (name, status) in &service.common_errors {
        all.insert(format!("common error {name}"), status.to_string());
    }
    for operation in service.operations.values() {
        operation_statements(&mut all, service, operation);
    }
    for limit in &service.limits {
        all.insert(format!("limit {}", limit.id), limit.value.to_string());
    }
    all
}

fn shape_statement(kind: &ShapeKind) -> String {
    match kind {
        ShapeKind::String(constraints) => format!("string{}", constraint_statement(constraints)),
        ShapeKind::Integer => "integer".into(),
        ShapeKind::Long => "long".into(),
        ShapeKind::Boolean => "boolean".into(),
        ShapeKind::Timestamp => "timestamp".into(),
        ShapeKind::List { member } => format!("list of {member}"),
        ShapeKind::Map { key, value, max_entries } => {
            let most = max_entries.map(|most| format!(", at most {most} entries")).unwrap_or_default();
            format!("map from {key} to {value}{most}")
        }
        ShapeKind::Structure { .. } => "structure".into(),
    }
}

fn constraint_statement(constraints: &StringConstraints) -> String {
    let mut statement = String::new();
    if let Some(fewest) = constraints.min_length {
        let _ = write!(statement, ", at least {fewest}");
    }
    if let Some(most) = constraints.max_length {
        let _ = write!(statement, ", at most {most}");
    }
    if let Some(pattern) = &constraints.pattern {
        let _ = write!(statement, ", matches {pattern}");
    }
    if !constraints.allowed.is_empty() {
        let _ = write!(statement, ", one of {}", constraints.allowed.join(" "));
    }
    statement
}

fn member_statement(member: &Member) -> String {
    let place = match member.location {
        Location::Label => "label",
        Location::Query => "query",
        Location::Header => "header",
        Location::Body => "body",
    };
    let mark = if member.required { ", required" } else { "" };
    let constraints = constraint_statement(&member.constraints);
    format!("{} at {place} as {}{mark}{constraints}", member.shape, member.wire_name)
}

fn operation_statements(all: &mut Statements, service: &Service, operation: &Operation) {
    let name = &operation.name;
    let route = format!("{} {} gives {}", operation.method, operation.uri, service.success_status);
    all.insert(format!("operation {name} route"), route);
    let credentials = match operation.credentials {
        Credentials::DeveloperOnly => "developer_only",
        Credentials::IdentityOnly => "identity_only",
        Credentials::Either => "either",
    };
    all.insert(format!("operation {name} credentials"), credentials.into());
    all.insert(format!("operation {name} resource"), operation.resource.clone());
    let output = match operation.output_kind {
        OutputKind::Structure => "structure",
        OutputKind::EmptyStructure => "empty_structure",
        OutputKind::None => "none",
    };
    all.insert(format!("operation {name} output"), output.into());
    for (member, definition) in &operation.input {
        all.insert(format!("operation {name} input {member}"), member_statement(definition));
    }
    for (member, definition) in &operation.output {
        all.insert(format!("operation {name} output {member}"), member_statement(definition));
    }
    for error in &operation.errors {
        all.insert(format!("operation {name} error {error}"), service.errors[error].status.to_string());
    }
}

/// Lines that only the facts have (`-`) and that only the description has (`+`).
fn differences(facts: &Statements, service: &Statements) -> Vec<String> {
    let only = |sign: char, here: &Statements, there: &Statements| -> Vec<String> {
        let missing = here.iter().filter(|(subject, says)| there.get(*subject) != Some(*says));
        missing.map(|(subject, says)| format!("{sign} {subject}: {says}")).collect()
    };
    let mut all = only('-', facts, service);
    all.extend(only('+', service, facts));
    all
}

#[test]
fn the_description_says_what_the_model_says_and_no_more() {
    let found = differences(&of_facts(&facts()), &of_service(Service::embedded()));
    assert_eq!(found, DISPUTED, "\n{}", found.join("\n"));
}

#[test]
fn a_changed_constraint_would_be_noticed() {
    let mut service = Service::embedded().clone();
    let name = &mut service.shapes["DatasetName"].kind;
    let ShapeKind::String(constraints) = name else { panic!("a dataset's name is text") };
    constraints.max_length = Some(129);
    let found = differences(&of_facts(&facts()), &of_service(&service));
    assert_eq!(found.len(), DISPUTED.len() + 2, "\n{}", found.join("\n"));
}

#[test]
fn the_facts_are_as_many_as_counted_by_hand() {
    let facts = of_facts(&facts());
    let count = |word: &str| {
        let of_operations = facts.keys().filter(|subject| subject.starts_with("operation "));
        of_operations.filter(|subject| subject.contains(word)).count()
    };
    assert_eq!(count(" route"), 17);
    assert_eq!(count(" input "), 50);
    assert_eq!(count(" output "), 35);
    // 91 pairs of the model and one that only the documentation has.
    assert_eq!(count(" error "), 92);
}
