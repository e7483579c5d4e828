//! Reads the data file: raw structs mirror the TOML, then every reference is
//! checked and every default filled in.

use indexmap::IndexMap;
use serde::Deserialize;

use super::protocol::Rpc;
use super::requirement::Catalog;
use super::service::{
    Credentials, Dispute, ErrorKind, Limit, Location, Member, ModelDiffers, Operation, OutputKind, Reading, Rule,
    Service, Shape, ShapeKind, Strength, StringConstraints,
};

/// Why a service description cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    /// The text is not TOML of the expected form.
    #[error("service description: {0}")]
    Syntax(#[from] toml::de::Error),
    /// Something is named that is not defined, or defined in a way that makes no sense.
    #[error("service description: {place}: {problem}")]
    Inconsistent {
        /// Where in the description, as a dotted path.
        place: String,
        /// What is wrong there.
        problem: String,
    },
}

fn inconsistent(place: impl Into<String>, problem: impl Into<String>) -> SpecError {
    SpecError::Inconsistent { place: place.into(), problem: problem.into() }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawFile {
    service: RawService,
    legacy_rpc: Rpc,
    source: IndexMap<String, String>,
    shape: IndexMap<String, RawShape>,
    error_members: IndexMap<String, RawMember>,
    error: IndexMap<String, RawError>,
    common_error: IndexMap<String, u16>,
    framework_error: IndexMap<String, u16>,
    operation: IndexMap<String, RawOperation>,
    limit: Vec<RawLimit>,
    rule: Vec<RawRule>,
    dispute: Vec<RawDispute>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawService {
    name: String,
    api_version: String,
    signing_name: String,
    endpoint_template: String,
    success_status: u16,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawShape {
    r#type: RawType,
    min_length: Option<u64>,
    max_length: Option<u64>,
    pattern: Option<String>,
    #[serde(default)]
    r#enum: Vec<String>,
    key: Option<String>,
    value: Option<String>,
    max_entries: Option<u64>,
    member: Option<String>,
    #[serde(default)]
    members: IndexMap<String, RawMember>,
    #[serde(default)]
    sensitive: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RawType {
    String,
    Integer,
    Long,
    Boolean,
    Timestamp,
    List,
    Map,
    Structure,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawMember {
    shape: String,
    at: Option<Location>,
    name: Option<String>,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    opaque: bool,
    #[serde(default)]
    sensitive: bool,
    max_length: Option<u64>,
    pattern: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawError {
    status: u16,
    #[serde(default)]
    server_fault: bool,
    #[serde(default = "yes")]
    in_model: bool,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawOperation {
    method: String,
    uri: String,
    credentials: Credentials,
    resource: String,
    output_kind: OutputKind,
    errors: Vec<String>,
    input: IndexMap<String, RawMember>,
    #[serde(default)]
    output: IndexMap<String, RawMember>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawLimit {
    id: String,
    operation: String,
    value: u64,
    unit: String,
    statement: String,
    strength: Strength,
    sources: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawRule {
    id: String,
    operation: Option<String>,
    statement: String,
    strength: Strength,
    sources: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawDispute {
    id: String,
    question: String,
    reading: Vec<RawReading>,
    suite: String,
    settled_by: String,
    #[serde(default)]
    requirements: Vec<String>,
    strength: Option<Strength>,
    #[serde(default)]
    model_differs: Vec<ModelDiffers>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawReading {
    by: Vec<String>,
    says: String,
    #[serde(default)]
    shown_by: Vec<String>,
    #[serde(default)]
    answered: Vec<String>,
}

/// Parses and checks a service description.
pub(super) fn service(text: &str) -> Result<Service, SpecError> {
    let service = resolve(toml::from_str(text)?)?;
    check(&service)?;
    Ok(service)
}

/// The description that is part of the program, as the build prepared it. Tests check
/// it, so that no start has to.
pub(super) fn prepared() -> Service {
    let text = include_str!(concat!(env!("OUT_DIR"), "/service.json"));
    let raw = serde_json::from_str(text).map_err(|error| error.to_string());
    let service = raw.and_then(|raw| resolve(raw).map_err(|error| error.to_string()));
    service.unwrap_or_else(|error| panic!("src/spec/service.toml: {error}"))
}

fn resolve(raw: RawFile) -> Result<Service, SpecError> {
    Ok(Service {
        name: raw.service.name,
        api_version: raw.service.api_version,
        signing_name: raw.service.signing_name,
        endpoint_template: raw.service.endpoint_template,
        success_status: raw.service.success_status,
        legacy_rpc: raw.legacy_rpc,
        sources: raw.source,
        shapes: raw
            .shape
            .into_iter()
            .map(|(name, shape)| shape.resolve(&name).map(|shape| (name, shape)))
            .collect::<Result<_, _>>()?,
        error_members: members(raw.error_members),
        errors: raw.error.into_iter().map(|(name, error)| (name, error.resolve())).collect(),
        common_errors: raw.common_error,
        framework_errors: raw.framework_error,
        operations: raw.operation.into_iter().map(|(name, op)| (name.clone(), op.resolve(name))).collect(),
        limits: raw.limit.into_iter().map(RawLimit::resolve).collect(),
        rules: raw.rule.into_iter().map(RawRule::resolve).collect(),
        disputes: raw.dispute.into_iter().map(RawDispute::resolve).collect(),
    })
}

fn members(raw: IndexMap<String, RawMember>) -> IndexMap<String, Member> {
    raw.into_iter().map(|(name, member)| (name.clone(), member.resolve(name))).collect()
}

impl RawMember {
    fn resolve(self, name: String) -> Member {
        Member {
            shape: self.shape,
            location: self.at.unwrap_or(Location::Body),
            wire_name: self.name.unwrap_or(name),
            required: self.required,
            opaque: self.opaque,
            sensitive: self.sensitive,
            constraints: StringConstraints {
                max_length: self.max_length,
                pattern: self.pattern,
                ..StringConstraints::default()
            },
        }
    }
}

impl RawShape {
    fn resolve(self, name: &str) -> Result<Shape, SpecError> {
        let missing = |field: &str| inconsistent(format!("shape.{name}"), format!("`{field}` is missing"));
        let kind = match self.r#type {
            RawType::String => ShapeKind::String(StringConstraints {
                min_length: self.min_length,
                max_length: self.max_length,
                pattern: self.pattern,
                allowed: self.r#enum,
            }),
            RawType::Integer => ShapeKind::Integer,
            RawType::Long => ShapeKind::Long,
            RawType::Boolean => ShapeKind::Boolean,
            RawType::Timestamp => ShapeKind::Timestamp,
            RawType::List => ShapeKind::List { member: self.member.ok_or_else(|| missing("member"))? },
            RawType::Map => ShapeKind::Map {
                key: self.key.ok_or_else(|| missing("key"))?,
                value: self.value.ok_or_else(|| missing("value"))?,
                max_entries: self.max_entries,
            },
            RawType::Structure => ShapeKind::Structure { members: members(self.members) },
        };
        Ok(Shape { kind, sensitive: self.sensitive, coerced: false })
    }
}

impl RawError {
    fn resolve(self) -> ErrorKind {
        ErrorKind { status: self.status, server_fault: self.server_fault, in_model: self.in_model }
    }
}

impl RawOperation {
    fn resolve(self, name: String) -> Operation {
        Operation {
            name,
            method: self.method,
            uri: self.uri,
            credentials: self.credentials,
            resource: self.resource,
            output_kind: self.output_kind,
            input: members(self.input),
            output: members(self.output),
            errors: self.errors,
        }
    }
}

impl RawLimit {
    fn resolve(self) -> Limit {
        Limit {
            id: self.id,
            operation: self.operation,
            value: self.value,
            unit: self.unit,
            statement: self.statement,
            strength: self.strength,
            sources: self.sources,
        }
    }
}

impl RawRule {
    fn resolve(self) -> Rule {
        Rule {
            id: self.id,
            operation: self.operation,
            statement: self.statement,
            strength: self.strength,
            sources: self.sources,
        }
    }
}

impl RawDispute {
    fn resolve(self) -> Dispute {
        Dispute {
            id: self.id,
            question: self.question,
            readings: self.reading.into_iter().map(RawReading::resolve).collect(),
            suite: self.suite,
            settled_by: self.settled_by,
            requirements: self.requirements,
            strength: self.strength,
            model_differs: self.model_differs,
        }
    }
}

impl RawReading {
    fn resolve(self) -> Reading {
        Reading { by: self.by, says: self.says, shown_by: self.shown_by, answered: self.answered }
    }
}

/// Every name that the description uses is defined in it, patterns compile, and
/// requirement ids are unique.
fn check(service: &Service) -> Result<(), SpecError> {
    for (name, shape) in &service.shapes {
        check_shape(service, name, shape)?;
    }
    for (name, operation) in &service.operations {
        check_operation(service, name, operation)?;
    }
    check_members(service, "error-members", &service.error_members)?;
    let cited = (service.limits.iter().map(|limit| (format!("limit.{}", limit.id), &limit.sources)))
        .chain(service.rules.iter().map(|rule| (format!("rule.{}", rule.id), &rule.sources)))
        .chain(service.disputes.iter().flat_map(|dispute| {
            dispute.readings.iter().map(|reading| (format!("dispute.{}", dispute.id), &reading.by))
        }));
    for (place, sources) in cited {
        if sources.is_empty() {
            return Err(inconsistent(place, "names no source"));
        }
        if let Some(unknown) = sources.iter().find(|source| !service.sources.contains_key(*source)) {
            return Err(inconsistent(place, format!("unknown source `{unknown}`")));
        }
    }
    let speaking_of = (service.limits.iter().map(|limit| (&limit.id, Some(&limit.operation))))
        .chain(service.rules.iter().map(|rule| (&rule.id, rule.operation.as_ref())));
    for (id, operation) in speaking_of {
        if let Some(unknown) = operation.filter(|operation| !service.operations.contains_key(*operation)) {
            return Err(inconsistent(id, format!("unknown operation `{unknown}`")));
        }
    }
    check_catalog(service)
}

fn check_catalog(service: &Service) -> Result<(), SpecError> {
    let catalog = Catalog::of(service);
    if let Some(twice) = catalog.duplicate() {
        return Err(inconsistent(twice, "two requirements have this id"));
    }
    for dispute in &service.disputes {
        let shown_by = dispute.readings.iter().flat_map(|reading| &reading.shown_by);
        if let Some(unknown) = dispute.requirements.iter().chain(shown_by).find(|id| catalog.get(id).is_none()) {
            return Err(inconsistent(format!("dispute.{}", dispute.id), format!("unknown requirement `{unknown}`")));
        }
    }
    Ok(())
}

fn check_shape(service: &Service, name: &str, shape: &Shape) -> Result<(), SpecError> {
    let place = format!("shape.{name}");
    let known = |of: &str| {
        let found = service.shapes.contains_key(of);
        found.then_some(()).ok_or_else(|| inconsistent(&place, format!("unknown shape `{of}`")))
    };
    match &shape.kind {
        ShapeKind::List { member } => known(member),
        ShapeKind::Map { key, value, .. } => known(key).and_then(|()| known(value)),
        ShapeKind::Structure { members } => check_members(service, &place, members),
        ShapeKind::String(constraints) => check_pattern(&place, constraints),
        ShapeKind::Integer | ShapeKind::Long | ShapeKind::Boolean | ShapeKind::Timestamp => Ok(()),
    }
}

fn check_pattern(place: &str, constraints: &StringConstraints) -> Result<(), SpecError> {
    // Who needs one compiles it; most starts of the program need none.
    match constraints.pattern.as_deref().map(regex_syntax::parse) {
        Some(Err(error)) => Err(inconsistent(place, format!("pattern is no regular expression: {error}"))),
        _ => Ok(()),
    }
}

fn check_members(service: &Service, place: &str, members: &IndexMap<String, Member>) -> Result<(), SpecError> {
    for (name, member) in members {
        let place = format!("{place}.{name}");
        if !service.shapes.contains_key(&member.shape) {
            return Err(inconsistent(place, format!("unknown shape `{}`", member.shape)));
        }
        check_pattern(&place, &member.constraints)?;
    }
    Ok(())
}

fn check_operation(service: &Service, name: &str, operation: &Operation) -> Result<(), SpecError> {
    let place = format!("operation.{name}");
    check_members(service, &place, &operation.input)?;
    check_members(service, &place, &operation.output)?;
    if let Some(unknown) = operation.errors.iter().find(|error| !service.errors.contains_key(*error)) {
        return Err(inconsistent(place, format!("unknown error `{unknown}`")));
    }
    for (member, definition) in &operation.input {
        let in_uri = operation.uri.contains(&format!("{{{}}}", definition.wire_name));
        if in_uri != (definition.location == Location::Label) {
            return Err(inconsistent(format!("{place}.{member}"), "the URI and the member's place disagree"));
        }
    }
    Ok(())
}
