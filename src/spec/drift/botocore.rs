//! Models of botocore: `service-2.json`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Number, Value};

use super::model::{
    Constraints, Error, Kind, Member, Members, Model, Operation, Shape, Stated, binding, default_status,
};
use super::read::ModelError;

#[derive(Deserialize)]
struct RawModel {
    metadata: RawMetadata,
    operations: BTreeMap<String, RawOperation>,
    shapes: BTreeMap<String, RawShape>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawMetadata {
    api_version: String,
    endpoint_prefix: String,
    signing_name: Option<String>,
    protocol: String,
    #[serde(default)]
    protocols: BTreeSet<String>,
    service_full_name: String,
}

#[derive(Deserialize)]
struct RawOperation {
    http: RawHttp,
    authtype: Option<String>,
    input: Option<RawReference>,
    output: Option<RawReference>,
    #[serde(default)]
    errors: Vec<RawReference>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawHttp {
    method: String,
    request_uri: String,
    #[serde(default = "ok")]
    response_code: u16,
}

fn ok() -> u16 {
    200
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawReference {
    shape: String,
    location: Option<String>,
    location_name: Option<String>,
    timestamp_format: Option<String>,
    #[serde(flatten)]
    constraints: RawConstraints,
}

#[derive(Deserialize)]
struct RawConstraints {
    min: Option<Number>,
    max: Option<Number>,
    pattern: Option<String>,
    #[serde(default)]
    r#enum: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawShape {
    r#type: String,
    #[serde(default)]
    required: BTreeSet<String>,
    #[serde(default)]
    members: BTreeMap<String, RawReference>,
    member: Option<RawReference>,
    key: Option<RawReference>,
    value: Option<RawReference>,
    payload: Option<String>,
    timestamp_format: Option<String>,
    #[serde(default)]
    union: bool,
    #[serde(default)]
    fault: bool,
    error: Option<RawError>,
    #[serde(flatten)]
    constraints: RawConstraints,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawError {
    http_status_code: Option<u16>,
}

/// Reads a model.
pub(super) fn read(json: &Value) -> Result<Model, ModelError> {
    let raw = RawModel::deserialize(json)
        .map_err(|error| ModelError::new(format!("a botocore model of another form ({error})")))?;
    let RawModel { metadata, operations, shapes } = &raw;
    let mut protocols = metadata.protocols.clone();
    protocols.insert(metadata.protocol.clone());
    Ok(Model {
        name: metadata.service_full_name.clone(),
        api_version: metadata.api_version.clone(),
        signing_name: metadata.signing_name.clone().unwrap_or_else(|| metadata.endpoint_prefix.clone()),
        protocols,
        operations: operations
            .iter()
            .map(|(name, one)| Ok((name.clone(), operation(shapes, one)?)))
            .collect::<Result<_, ModelError>>()?,
        shapes: shapes
            .iter()
            .map(|(name, one)| Ok((name.clone(), shape(shapes, name, one)?)))
            .collect::<Result<_, ModelError>>()?,
    })
}

type RawShapes = BTreeMap<String, RawShape>;

fn find<'m>(shapes: &'m RawShapes, reference: &RawReference) -> Result<&'m RawShape, ModelError> {
    let name = &reference.shape;
    let missing = || ModelError::new(format!("a botocore model that names the shape `{name}` and lacks it"));
    shapes.get(name).ok_or_else(missing)
}

fn operation(shapes: &RawShapes, operation: &RawOperation) -> Result<Operation, ModelError> {
    let members_of = |reference: &RawReference| find(shapes, reference).map(|shape| members(shapes, shape));
    let error = |reference: &RawReference| {
        let shape = find(shapes, reference)?;
        let status = shape.error.as_ref().and_then(|error| error.http_status_code);
        let error = Error {
            status: status.unwrap_or_else(|| default_status(shape.fault)),
            is_servers_fault: shape.fault,
            members: members(shapes, shape),
        };
        Ok((reference.shape.clone(), error))
    };
    Ok(Operation {
        route: format!("{} {}", operation.http.method, operation.http.request_uri),
        success_status: operation.http.response_code,
        is_signed: operation.authtype.as_deref() != Some("none"),
        input: operation.input.as_ref().map(members_of).transpose()?.unwrap_or_default(),
        output: operation.output.as_ref().map(members_of).transpose()?,
        errors: operation.errors.iter().map(error).collect::<Result<_, ModelError>>()?,
    })
}

fn members(shapes: &RawShapes, shape: &RawShape) -> Members {
    let member = |(name, reference): (&String, &RawReference)| {
        let wire_name = reference.location_name.as_ref().unwrap_or(name);
        let binding = match reference.location.as_deref() {
            _ if shape.payload.as_ref() == Some(name) => "the whole body".to_owned(),
            None => binding("body", wire_name),
            Some("uri") => binding("path", wire_name),
            Some("querystring") => binding("query", wire_name),
            Some(other) => binding(other, wire_name),
        };
        let member = Member {
            shape: reference.shape.clone(),
            binding,
            is_required: shape.required.contains(name),
            constraints: member_constraints(shapes, reference),
        };
        (name.clone(), member)
    };
    shape.members.iter().map(member).collect()
}

fn member_constraints(shapes: &RawShapes, reference: &RawReference) -> Constraints {
    let kind = shapes.get(&reference.shape).map_or("", |shape| shape.r#type.as_str());
    constraints(kind, &reference.constraints, reference.timestamp_format.as_ref())
}

fn constraints(kind: &str, raw: &RawConstraints, timestamp_format: Option<&String>) -> Constraints {
    let stated = Stated {
        bounds: [&raw.min, &raw.max].map(|bound| bound.as_ref().map(Number::to_string)),
        pattern: raw.pattern.as_deref(),
        allowed: raw.r#enum.iter().map(String::as_str).collect(),
    };
    let mut constraints = stated.of(kind);
    // Seconds since the epoch are what a body holds unless said otherwise.
    if let Some(format) = timestamp_format.filter(|format| *format != "unixTimestamp") {
        constraints.insert("timestamp-format", format.clone());
    }
    constraints
}

fn shape(shapes: &RawShapes, name: &str, raw: &RawShape) -> Result<Shape, ModelError> {
    let part = |part: &Option<RawReference>, what: &str| {
        let missing = || ModelError::new(format!("a botocore model whose shape `{name}` has no `{what}`"));
        part.as_ref().map(|part| part.shape.clone()).ok_or_else(missing)
    };
    let kind = match raw.r#type.as_str() {
        "list" => Kind::List(part(&raw.member, "member")?),
        "map" => Kind::Map(part(&raw.key, "key")?, part(&raw.value, "value")?),
        "structure" if raw.union => Kind::Structure("union".to_owned(), members(shapes, raw)),
        "structure" => Kind::Structure("structure".to_owned(), members(shapes, raw)),
        scalar => Kind::Scalar(scalar.to_owned()),
    };
    let constraints = constraints(&raw.r#type, &raw.constraints, raw.timestamp_format.as_ref());
    Ok(Shape { kind, constraints })
}
