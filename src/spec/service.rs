//! The service's data types. All fields are public: this is data, and altering
//! a clone of it is how a deliberately wrong server is made.

use std::fmt;
use std::sync::{Arc, LazyLock};

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::load::{self, SpecError};
use super::protocol::Rpc;

/// The whole description of the service, in the order of the data file.
#[derive(Debug, Clone)]
pub struct Service {
    /// Full name, for people.
    pub name: String,
    /// API version, a date such as `2014-06-30`.
    pub api_version: String,
    /// Service name in the SigV4 credential scope.
    pub signing_name: String,
    /// The real service's endpoint with `{region}` to be filled in.
    pub endpoint_template: String,
    /// Status of every successful response.
    pub success_status: u16,
    /// Its names in the protocol of the reference's sample exchanges.
    pub legacy_rpc: Rpc,
    /// Source key to its description.
    pub sources: IndexMap<String, String>,
    /// Shapes by name.
    pub shapes: IndexMap<String, Shape>,
    /// Members that the body of every modelled error carries.
    pub error_members: IndexMap<String, Member>,
    /// Errors that operations declare, by name.
    pub errors: IndexMap<String, ErrorKind>,
    /// Errors listed for every action of AWS, name to HTTP status.
    pub common_errors: IndexMap<String, u16>,
    /// Errors that the framework under the service answers with before an
    /// operation is reached, name to HTTP status.
    pub framework_errors: IndexMap<String, u16>,
    /// Operations by name.
    pub operations: IndexMap<String, Operation>,
    /// Quotas.
    pub limits: Vec<Limit>,
    /// Requirements stated in prose.
    pub rules: Vec<Rule>,
    /// Points on which the sources contradict each other.
    pub disputes: Vec<Dispute>,
}

static EMBEDDED: LazyLock<Arc<Service>> = LazyLock::new(|| Arc::new(load::prepared()));

impl Service {
    /// The service as shipped.
    ///
    /// # Panics
    ///
    /// If the embedded data file is broken, which a unit test rules out.
    pub fn embedded() -> &'static Self {
        &EMBEDDED
    }

    /// The same, for servers, which keep what they serve.
    ///
    /// # Panics
    ///
    /// As [`Service::embedded`].
    pub fn embedded_shared() -> Arc<Self> {
        Arc::clone(&EMBEDDED)
    }

    /// Reads a service description and checks that every name it uses exists.
    ///
    /// # Errors
    ///
    /// When the text is no TOML of this form, or names a shape, error, operation
    /// or source that it does not define.
    pub fn from_toml(text: &str) -> Result<Self, SpecError> {
        load::service(text)
    }

    /// The shape of a member.
    ///
    /// # Panics
    ///
    /// If the name is not one of this service's shapes; loading has checked every
    /// member's.
    pub fn shape(&self, name: &str) -> &Shape {
        &self.shapes[name]
    }

    /// The names of all errors that the data knows.
    pub fn error_names(&self) -> impl Iterator<Item = &str> {
        self.errors.keys().chain(self.common_errors.keys()).chain(self.framework_errors.keys()).map(String::as_str)
    }

    /// The limit with this id, such as `datasets-per-identity`.
    pub fn limit(&self, id: &str) -> Option<&Limit> {
        self.limits.iter().find(|limit| limit.id == id)
    }

    /// How many datasets an identity can hold, which bounds how identities are shared;
    /// 1 when the data does not say.
    pub fn datasets_per_identity(&self) -> usize {
        let limit = self.limit("datasets-per-identity");
        limit.and_then(|limit| usize::try_from(limit.value).ok()).unwrap_or(1)
    }

    /// The HTTP status that goes with an error's name, wherever the name is known
    /// from: an operation, the list for every action, or the framework.
    pub fn status_of_error(&self, name: &str) -> Option<u16> {
        let declared = self.errors.get(name).map(|error| error.status);
        declared.or_else(|| self.common_errors.get(name).or_else(|| self.framework_errors.get(name)).copied())
    }

    /// Whether values of this member must not reach disk or a terminal.
    pub fn is_sensitive(&self, member: &Member) -> bool {
        member.sensitive || self.shape(&member.shape).sensitive
    }

    /// Every member name, at any depth, whose values are sensitive: these are
    /// blanked in recorded exchanges. Both the API name and the wire name.
    pub fn sensitive_names(&self) -> Vec<&str> {
        let of_operations = self.operations.values().flat_map(|op| op.input.iter().chain(&op.output));
        let of_shapes = self.shapes.values().filter_map(|shape| match &shape.kind {
            ShapeKind::Structure { members } => Some(members.iter()),
            _ => None,
        });
        let mut names: Vec<&str> = of_operations
            .chain(of_shapes.flatten())
            .filter(|(_, member)| self.is_sensitive(member))
            .flat_map(|(name, member)| [name.as_str(), member.wire_name.as_str()])
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// One operation of the API.
#[derive(Debug, Clone)]
pub struct Operation {
    /// API name, such as `ListRecords`.
    pub name: String,
    /// HTTP method, upper case.
    pub method: String,
    /// Path with `{Label}` segments, such as `/identitypools/{IdentityPoolId}`.
    pub uri: String,
    /// Which credentials may call it.
    pub credentials: Credentials,
    /// IAM resource type: `identitypool`, `identity` or `dataset`.
    pub resource: String,
    /// What a successful response's body holds.
    pub output_kind: OutputKind,
    /// Input members by API name.
    pub input: IndexMap<String, Member>,
    /// Output members by API name; all travel in the body.
    pub output: IndexMap<String, Member>,
    /// Names of the errors that the operation declares.
    pub errors: Vec<String>,
}

/// What the body of a successful response holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutputKind {
    /// A JSON object with the output members.
    Structure,
    /// A structure without members: an empty body or `{}`.
    EmptyStructure,
    /// No output at all: an empty body or `{}`.
    None,
}

/// Which class of credentials an operation accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Credentials {
    /// Only an AWS account's own credentials.
    DeveloperOnly,
    /// Only the temporary credentials of an identity of the pool.
    IdentityOnly,
    /// Both.
    Either,
}

/// A member of an input, an output or a structure.
#[derive(Debug, Clone)]
pub struct Member {
    /// Name of its shape.
    pub shape: String,
    /// Where it travels; [`Location::Body`] for outputs and nested members.
    pub location: Location,
    /// Name on the wire: label, query parameter, header, or JSON key.
    pub wire_name: String,
    /// Whether a request without it is refused.
    pub required: bool,
    /// The value means nothing to a reader (a paging token): snapshots replace it.
    pub opaque: bool,
    /// Values must not reach disk or a terminal, whatever the shape says.
    pub sensitive: bool,
    /// Constraints that hold for this member only, on top of its shape's.
    pub constraints: StringConstraints,
}

/// Where an input member travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Location {
    /// A segment of the path.
    Label,
    /// The query string.
    Query,
    /// A header.
    Header,
    /// The JSON body.
    Body,
}

/// A named type of the model.
#[derive(Debug, Clone)]
pub struct Shape {
    /// What it is, with its constraints.
    pub kind: ShapeKind,
    /// A value of another type is taken all the same, turned into this one. Never
    /// so in the shipped data; for servers that are wrong on purpose.
    pub coerced: bool,
    /// Values must not reach disk or a terminal.
    pub sensitive: bool,
}

/// The kinds of shape, with what constrains them.
#[derive(Debug, Clone)]
pub enum ShapeKind {
    /// Text.
    String(StringConstraints),
    /// A whole number of 32 bits.
    Integer,
    /// A whole number of 64 bits.
    Long,
    /// `true` or `false`.
    Boolean,
    /// A point in time: on the wire a JSON number, seconds since the epoch, with
    /// a fraction to milliseconds.
    Timestamp,
    /// A list.
    List {
        /// Shape of each entry.
        member: String,
    },
    /// A map with text keys.
    Map {
        /// Shape of each key.
        key: String,
        /// Shape of each value.
        value: String,
        /// Most entries allowed, inclusive.
        max_entries: Option<u64>,
    },
    /// An object with named members.
    Structure {
        /// Members by name.
        members: IndexMap<String, Member>,
    },
}

/// What constrains a text; lengths are in characters, inclusive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StringConstraints {
    /// Fewest characters.
    pub min_length: Option<u64>,
    /// Most characters.
    pub max_length: Option<u64>,
    /// Regular expression that the whole value matches.
    pub pattern: Option<String>,
    /// The allowed values; empty when any is.
    pub allowed: Vec<String>,
}

/// An error that operations declare.
#[derive(Debug, Clone)]
pub struct ErrorKind {
    /// HTTP status.
    pub status: u16,
    /// The server is at fault, not the caller.
    pub server_fault: bool,
    /// Part of the API model; otherwise only documentation names it.
    pub in_model: bool,
}

/// A quota.
#[derive(Debug, Clone)]
pub struct Limit {
    /// Short id, such as `datasets-per-identity`.
    pub id: String,
    /// The operation that runs into it.
    pub operation: String,
    /// The largest amount that is allowed, in `unit`.
    pub value: u64,
    /// Unit of `value`, in the plural.
    pub unit: String,
    /// The rule in plain words.
    pub statement: String,
    /// How sure the sources make us.
    pub strength: Strength,
    /// Source keys.
    pub sources: Vec<String>,
}

/// A requirement stated in prose.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Short id, unique within its operation.
    pub id: String,
    /// The operation it speaks of; none for rules of the whole service.
    pub operation: Option<String>,
    /// The rule in plain words.
    pub statement: String,
    /// How sure the sources make us.
    pub strength: Strength,
    /// Source keys.
    pub sources: Vec<String>,
}

/// A point on which the sources contradict each other.
#[derive(Debug, Clone)]
pub struct Dispute {
    /// Short id.
    pub id: String,
    /// What is in dispute, as a question.
    pub question: String,
    /// Each side.
    pub readings: Vec<Reading>,
    /// What the suite does about it.
    pub suite: String,
    /// What a run on the real service would have to show to settle it.
    pub settled_by: String,
    /// Ids of the requirements concerned.
    pub requirements: Vec<String>,
    /// Strength that those requirements are lowered to, if any.
    pub strength: Option<Strength>,
    /// Where this data differs from AWS's model on purpose.
    pub model_differs: Vec<ModelDiffers>,
}

/// A place at which the data differs from AWS's model on purpose.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ModelDiffers {
    /// The place, as `syncspec spec diff` names it.
    pub at: String,
    /// What the model says there; none when it says nothing.
    pub model: Option<String>,
}

/// One side of a dispute.
#[derive(Debug, Clone)]
pub struct Reading {
    /// Source keys of who says so.
    pub by: Vec<String>,
    /// What they say.
    pub says: String,
    /// Ids of requirements. A case that asserts one of them shows this reading when
    /// it holds, or, if there is something in `answered`, when that came instead.
    pub shown_by: Vec<String>,
    /// Parts of an answer: any of them shows this reading where the requirement
    /// does not hold.
    pub answered: Vec<String>,
}

/// How sure the sources make us of a requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Strength {
    /// AWS's model or documentation says so.
    Documented,
    /// Live tests, captures, or clients that depend on it show it.
    Observed,
    /// It follows from what is documented or observed, but was not shown.
    Inferred,
    /// Nobody knows.
    Open,
}

impl fmt::Display for Strength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Documented => "documented",
            Self::Observed => "observed",
            Self::Inferred => "inferred",
            Self::Open => "open",
        })
    }
}
