//! Smithy models in their JSON form. Shapes keep their whole ids as keys.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::model::{
    Constraints, Error, Kind, Member, Members, Model, Operation, Shape, Stated, binding, default_status,
};
use super::read::ModelError;

/// Traits are values of any form by their ids.
type Traits = Map<String, Value>;

#[derive(Deserialize)]
struct RawModel {
    smithy: String,
    shapes: BTreeMap<String, RawShape>,
}

#[derive(Deserialize)]
struct RawShape {
    r#type: String,
    #[serde(default)]
    traits: Traits,
    #[serde(default)]
    version: String,
    #[serde(default)]
    members: BTreeMap<String, RawMember>,
    member: Option<RawMember>,
    key: Option<RawMember>,
    value: Option<RawMember>,
    input: Option<RawMember>,
    output: Option<RawMember>,
    #[serde(default)]
    errors: Vec<RawMember>,
}

#[derive(Deserialize)]
struct RawMember {
    target: String,
    #[serde(default)]
    traits: Traits,
}

/// Shapes that every model may name without defining them, and their types.
const PRELUDE: [(&str, &str); 15] = [
    ("BigDecimal", "bigDecimal"),
    ("BigInteger", "bigInteger"),
    ("Blob", "blob"),
    ("Boolean", "boolean"),
    ("Byte", "byte"),
    ("Document", "document"),
    ("Double", "double"),
    ("Float", "float"),
    ("Integer", "integer"),
    ("Long", "long"),
    ("PrimitiveBoolean", "boolean"),
    ("PrimitiveInteger", "integer"),
    ("PrimitiveLong", "long"),
    ("String", "string"),
    ("Timestamp", "timestamp"),
];

/// What stands for no input and no output.
const UNIT: &str = "smithy.api#Unit";

/// Protocols by the names that botocore has for them.
const PROTOCOLS: [(&str, &str); 7] = [
    ("aws.protocols#restJson1", "rest-json"),
    ("aws.protocols#restXml", "rest-xml"),
    ("aws.protocols#awsJson1_0", "json"),
    ("aws.protocols#awsJson1_1", "json"),
    ("aws.protocols#awsQuery", "query"),
    ("aws.protocols#ec2Query", "ec2"),
    ("smithy.protocols#rpcv2Cbor", "smithy-rpc-v2-cbor"),
];

/// Reads a model.
pub(super) fn read(json: &Value) -> Result<Model, ModelError> {
    let raw = RawModel::deserialize(json)
        .map_err(|error| ModelError::new(format!("a Smithy model of another form ({error})")))?;
    if !raw.smithy.starts_with("1.") && !raw.smithy.starts_with("2.") {
        return Err(ModelError::new(format!("a Smithy model of version {}", raw.smithy)));
    }
    let of_type = |kind: &'static str| raw.shapes.iter().filter(move |(_, shape)| shape.r#type == kind);
    let services: Vec<_> = of_type("service").collect();
    let [(_, service)] = services[..] else {
        return Err(ModelError::new(format!("a Smithy model of {} services, not of one", services.len())));
    };
    let own = |kind: &str, key: &str| text(service.traits.get(kind).and_then(|settings| settings.get(key)));
    let protocols = PROTOCOLS.iter().filter(|(id, _)| service.traits.contains_key(*id));
    let reader = Reader { shapes: &raw.shapes };
    let mut shapes: BTreeMap<_, _> = PRELUDE
        .iter()
        .map(|(name, kind)| {
            let kind = Kind::Scalar((*kind).to_owned());
            (format!("smithy.api#{name}"), Shape { kind, constraints: Constraints::new() })
        })
        .collect();
    for (id, shape) in raw.shapes.iter().filter(|(_, shape)| is_of_values(&shape.r#type)) {
        shapes.insert(id.clone(), reader.shape(id, shape)?);
    }
    Ok(Model {
        name: text(service.traits.get("smithy.api#title")).unwrap_or_default(),
        api_version: service.version.clone(),
        signing_name: own("aws.auth#sigv4", "name")
            .or_else(|| own("aws.api#service", "arnNamespace"))
            .unwrap_or_default(),
        protocols: protocols.map(|(_, name)| (*name).to_owned()).collect(),
        operations: of_type("operation")
            .map(|(id, one)| Ok((local(id).to_owned(), reader.operation(id, one, &service.errors)?)))
            .collect::<Result<_, ModelError>>()?,
        shapes,
    })
}

/// Whether shapes of this type describe values.
fn is_of_values(kind: &str) -> bool {
    !matches!(kind, "service" | "operation" | "resource")
}

/// The name of a shape without its namespace.
fn local(id: &str) -> &str {
    id.rsplit('#').next().unwrap_or(id)
}

fn text(value: Option<&Value>) -> Option<String> {
    value.and_then(Value::as_str).map(str::to_owned)
}

struct Reader<'m> {
    shapes: &'m BTreeMap<String, RawShape>,
}

impl Reader<'_> {
    fn find(&self, id: &str) -> Result<&RawShape, ModelError> {
        let missing = || ModelError::new(format!("a Smithy model that names the shape `{id}` and lacks it"));
        self.shapes.get(id).ok_or_else(missing)
    }

    fn operation(&self, id: &str, raw: &RawShape, common_errors: &[RawMember]) -> Result<Operation, ModelError> {
        let http = raw.traits.get("smithy.api#http");
        let said = |key: &str| http.and_then(|http| http.get(key));
        let (Some(method), Some(uri)) = (text(said("method")), text(said("uri"))) else {
            return Err(ModelError::new(format!(
                "a Smithy model whose operation `{}` has no method and URI",
                local(id)
            )));
        };
        let members = |reference: &Option<RawMember>| match reference {
            Some(reference) if reference.target != UNIT => {
                self.find(&reference.target).map(|it| Some(self.members(it)))
            }
            _ => Ok(None),
        };
        let no_auth = raw.traits.get("smithy.api#auth").is_some_and(|auth| auth.as_array().is_some_and(Vec::is_empty));
        Ok(Operation {
            route: format!("{method} {uri}"),
            success_status: status(said("code")).unwrap_or(200),
            is_signed: !no_auth && !raw.traits.contains_key("smithy.api#optionalAuth"),
            input: members(&raw.input)?.unwrap_or_default(),
            output: members(&raw.output)?,
            errors: (raw.errors.iter().chain(common_errors))
                .map(|error| Ok((local(&error.target).to_owned(), self.error(self.find(&error.target)?))))
                .collect::<Result<_, ModelError>>()?,
        })
    }

    fn error(&self, raw: &RawShape) -> Error {
        let is_servers_fault = text(raw.traits.get("smithy.api#error")).is_some_and(|whose| whose == "server");
        let said = status(raw.traits.get("smithy.api#httpError"));
        Error {
            status: said.unwrap_or_else(|| default_status(is_servers_fault)),
            is_servers_fault,
            members: self.members(raw),
        }
    }

    fn members(&self, raw: &RawShape) -> Members {
        raw.members.iter().map(|(name, member)| (name.clone(), self.member(name, member))).collect()
    }

    fn member(&self, name: &str, raw: &RawMember) -> Member {
        let has = |id: &str| raw.traits.contains_key(id);
        let named = |id: &str| text(raw.traits.get(id));
        let binding = if has("smithy.api#httpLabel") {
            binding("path", name)
        } else if let Some(query) = named("smithy.api#httpQuery") {
            binding("query", &query)
        } else if let Some(header) = named("smithy.api#httpHeader") {
            binding("header", &header)
        } else if let Some(prefix) = named("smithy.api#httpPrefixHeaders") {
            binding("headers", &prefix)
        } else if has("smithy.api#httpPayload") {
            "the whole body".to_owned()
        } else if has("smithy.api#httpQueryParams") {
            "the whole query".to_owned()
        } else if has("smithy.api#httpResponseCode") {
            "the status".to_owned()
        } else {
            binding("body", named("smithy.api#jsonName").as_deref().unwrap_or(name))
        };
        let kind = self.shapes.get(&raw.target).map_or("string", |shape| type_name(&shape.r#type));
        Member {
            shape: raw.target.clone(),
            binding,
            is_required: has("smithy.api#required"),
            constraints: constraints(kind, &raw.traits, &BTreeSet::new()),
        }
    }

    fn shape(&self, id: &str, raw: &RawShape) -> Result<Shape, ModelError> {
        let part = |part: &Option<RawMember>, what: &str| {
            let missing = || ModelError::new(format!("a Smithy model whose shape `{}` has no `{what}`", local(id)));
            part.as_ref().map(|part| part.target.clone()).ok_or_else(missing)
        };
        let kind = match type_name(&raw.r#type) {
            "list" => Kind::List(part(&raw.member, "member")?),
            "map" => Kind::Map(part(&raw.key, "key")?, part(&raw.value, "value")?),
            kind @ ("structure" | "union") => Kind::Structure(kind.to_owned(), self.members(raw)),
            scalar => Kind::Scalar(scalar.to_owned()),
        };
        let value = |(name, member): (&'_ String, &'_ RawMember)| match member.traits.get("smithy.api#enumValue") {
            Some(Value::String(value)) => value.clone(),
            Some(value) => value.to_string(),
            None => name.clone(),
        };
        let allowed = if matches!(raw.r#type.as_str(), "enum" | "intEnum") {
            raw.members.iter().map(value).collect()
        } else {
            BTreeSet::new()
        };
        Ok(Shape { constraints: constraints(kind.name(), &raw.traits, &allowed), kind })
    }
}

/// The type by its usual name: enums are texts and numbers with fewer values.
fn type_name(kind: &str) -> &str {
    match kind {
        "enum" => "string",
        "intEnum" => "integer",
        "set" => "list",
        other => other,
    }
}

fn status(value: Option<&Value>) -> Option<u16> {
    value.and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok())
}

/// The constraints that traits state, and the values of an enum's members.
fn constraints(kind: &str, traits: &Traits, values: &BTreeSet<String>) -> Constraints {
    let bounds = match kind {
        "string" | "blob" | "list" | "map" => traits.get("smithy.api#length"),
        _ => traits.get("smithy.api#range"),
    };
    let bound = |key: &str| bounds.and_then(|bounds| bounds.get(key)).map(Value::to_string);
    // Up to version 1, an enum was a trait with a list of values.
    let listed = traits.get("smithy.api#enum").and_then(Value::as_array);
    let listed = listed.into_iter().flatten().filter_map(|entry| entry.get("value").and_then(Value::as_str));
    let stated = Stated {
        bounds: [bound("min"), bound("max")],
        pattern: traits.get("smithy.api#pattern").and_then(Value::as_str),
        allowed: values.iter().map(String::as_str).chain(listed).collect(),
    };
    let mut constraints = stated.of(kind);
    let format = text(traits.get("smithy.api#timestampFormat"));
    if let Some(format) = format.filter(|format| format != "epoch-seconds") {
        constraints.insert("timestamp-format", format);
    }
    constraints
}
