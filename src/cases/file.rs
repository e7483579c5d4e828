//! Case files as they are written: these structs mirror the TOML and are the
//! single source of the JSON Schema. Nothing is interpreted here.

use std::ops::Range;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::script::{Collaborator, RawFunctionAnswer, RawPushAnswer, RawStreamAnswer};
use super::sending::{RawSign, RawTamper, Transfer};
use crate::spec::Protocol;

/// A file of cases: `cases/<area>/<topic>.toml`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CaseFile {
    /// The cases, in reading order.
    #[schemars(with = "Vec<RawCase>")]
    pub case: Vec<Spanned<RawCase>>,
}

/// A sequence of steps with expectations.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawCase {
    /// Unique within the file, in kebab-case; the case's id is
    /// `<area>/<topic>/<name>`.
    #[schemars(with = "String")]
    pub name: Spanned<String>,
    /// What the case shows, in one sentence for a reader of a failure.
    pub about: Option<String>,
    /// Ids of the requirements that the case proves. The first one is the
    /// requirement of every expectation that names none itself.
    #[schemars(with = "Vec<String>")]
    pub proves: Vec<Spanned<String>>,
    /// Who signs the steps. Default: whoever the operation's base request names.
    #[schemars(with = "Option<RawActor>")]
    pub credentials: Option<Spanned<RawActor>>,
    /// The protocol that the case is written for. Default: whichever the run speaks.
    pub protocol: Option<Protocol>,
    /// What must not be used by other cases meanwhile. Default: `dataset`.
    #[serde(default)]
    pub isolation: Isolation,
    /// What a target may lack and this case cannot do without.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub needs: Vec<Spanned<String>>,
    /// How the function that `{function-arn}` names answers: once for each invocation,
    /// the last for all that follow. Default: with its event.
    #[schemars(with = "Option<OneOrMany<RawFunctionAnswer>>")]
    pub function: Option<Spanned<OneOrMany<RawFunctionAnswer>>>,
    /// How the stream that `{stream-name}` names answers: once for each call. Default:
    /// it takes the records.
    #[schemars(with = "Option<OneOrMany<RawStreamAnswer>>")]
    pub stream: Option<Spanned<OneOrMany<RawStreamAnswer>>>,
    /// How SNS answers: once for each call. Default: it makes endpoints for the
    /// application that `{application-arn}` names, and takes messages to them.
    #[schemars(with = "Option<OneOrMany<RawPushAnswer>>")]
    pub push: Option<Spanned<OneOrMany<RawPushAnswer>>>,
    /// Names of fixtures whose steps come first; if one of them does not hold,
    /// the case is not testable.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub given: Vec<Spanned<String>>,
    /// The steps, in order.
    #[schemars(with = "Vec<RawStep>")]
    pub steps: Vec<Spanned<RawStep>>,
    /// A table: the case is run once for each row, as `<id>/<row name>`, with the
    /// row's other entries as placeholders.
    #[serde(default)]
    #[schemars(with = "Vec<IndexMap<String, Node>>")]
    pub rows: Vec<Spanned<IndexMap<Spanned<String>, Spanned<Node>>>>,
}

/// The file `_fixtures.toml`: sequences of steps that several cases need.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct FixtureFile {
    /// The fixtures.
    #[schemars(with = "Vec<RawFixture>")]
    pub fixture: Vec<Spanned<RawFixture>>,
}

/// A named sequence of steps; what it captures is known to the case.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawFixture {
    /// Unique, in kebab-case.
    #[schemars(with = "String")]
    pub name: Spanned<String>,
    /// The state that it leads to, in one sentence.
    pub about: String,
    /// Fixtures that it builds on.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub given: Vec<Spanned<String>>,
    /// The steps, in order.
    #[schemars(with = "Vec<RawStep>")]
    pub steps: Vec<Spanned<RawStep>>,
}

/// The file `_excluded.toml`: what no case proves, and why none can.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ExcludedFile {
    /// The exclusions, each with its reason.
    pub excluded: Vec<RawExclusion>,
}

/// What no case proves, for one reason.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawExclusion {
    /// Ids of requirements that no case names; `*` stands for any text.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub requirements: Vec<Spanned<String>>,
    /// Names of mutants that no case catches, although cases prove the other sides
    /// of their requirements; `*` stands for any text. `syncspec prove` checks them.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub mutants: Vec<Spanned<String>>,
    /// Ids of requirements that cases name but no mutant can break, and no variant
    /// answer otherwise; `*` stands for any text.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub unaltered: Vec<Spanned<String>>,
    /// Ids of cases that catch nothing, because no mutant can be made that they would
    /// catch; `*` stands for any text. `syncspec prove` checks them.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub cases: Vec<Spanned<String>>,
    /// Why no case can prove them, for somebody who knows the service.
    #[schemars(with = "String")]
    pub reason: Spanned<String>,
}

/// One request and what its response must be. Exactly one of `call`, `send`,
/// `send-bytes` and `observe` says which request; `observe` sends none. A step without `expect` and `assume` must
/// merely succeed; if it does not, the case is not testable.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawStep {
    /// Calls an operation: its base request, changed as the step says.
    #[schemars(with = "Option<String>")]
    pub call: Option<Spanned<String>>,
    /// Sends a request that is put together by hand.
    pub send: Option<RawSend>,
    /// Sends these bytes as they are on a connection of their own, unsigned.
    #[schemars(with = "Option<String>")]
    pub send_bytes: Option<Spanned<String>>,
    /// Looks at what the server has sent to another service, which the harness plays.
    #[schemars(with = "Option<Collaborator>")]
    pub observe: Option<Spanned<Collaborator>>,
    /// The protocol of this call. Default: the case's.
    pub protocol: Option<Protocol>,
    /// Who signs this step.
    #[schemars(with = "Option<RawActor>")]
    pub r#as: Option<Spanned<RawActor>>,
    /// Members to set or replace in the base request, by their API names.
    #[serde(default)]
    #[schemars(with = "IndexMap<String, Node>")]
    pub with: IndexMap<Spanned<String>, Spanned<Node>>,
    /// Members of the base request to leave out.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub without: Vec<Spanned<String>>,
    /// The body as JSON text, in place of the body members: for exact forms,
    /// explicit null, and malformed JSON.
    #[schemars(with = "Option<String>")]
    pub json: Option<Spanned<String>>,
    /// Headers to add before signing, in order; one of the request's own headers
    /// is replaced.
    #[serde(default)]
    #[schemars(with = "IndexMap<String, String>")]
    pub headers: IndexMap<String, Spanned<String>>,
    /// How the signature departs from the ordinary one.
    pub sign: Option<RawSign>,
    /// Changes made after signing, so that the signature no longer fits.
    pub tamper: Option<RawTamper>,
    /// How the request is written on the wire, which no signature covers.
    #[serde(default)]
    pub transfer: Transfer,
    /// For requests that a correct endpoint may refuse in any way, the connection
    /// included: whatever comes back, even nothing, the case goes on. What the step
    /// expects then is `open`.
    #[serde(default)]
    pub any_answer: bool,
    /// Values of the response to keep: placeholder name to JSON pointer.
    #[serde(default)]
    #[schemars(with = "IndexMap<String, String>")]
    pub capture: IndexMap<Spanned<String>, Spanned<String>>,
    /// What the response must be.
    pub expect: Option<OneOrMany<RawExpect>>,
    /// A state of the target that the case builds on and that a correct target
    /// need not be in: if the response is not like this, the case is not testable.
    pub assume: Option<RawExpect>,
    /// Repeats the request until the expectations hold, for at most this many
    /// milliseconds.
    pub within_ms: Option<u64>,
}

/// A request put together by hand.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawSend {
    /// HTTP method.
    #[schemars(with = "String")]
    pub method: Spanned<String>,
    /// Path and query, exactly as they stand on the request line.
    #[schemars(with = "String")]
    pub target: Spanned<String>,
    /// The body as text.
    #[schemars(with = "Option<String>")]
    pub body: Option<Spanned<String>>,
    /// The body as Base64, for bytes that are no text.
    #[schemars(with = "Option<String>")]
    pub body_base64: Option<Spanned<String>>,
}

/// What a response must be. All parts that are given must hold.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawExpect {
    /// The requirement that this expectation proves. Default: the case's first.
    #[schemars(with = "Option<String>")]
    pub proves: Option<Spanned<String>>,
    /// HTTP status, or several of which one must hold.
    #[schemars(with = "Option<OneOrMany<Node>>")]
    pub status: Option<Spanned<OneOrMany<Node>>>,
    /// The error's name, or several of which one must hold.
    #[schemars(with = "Option<OneOrMany<String>>")]
    pub error: Option<Spanned<OneOrMany<String>>>,
    /// The error's message.
    #[schemars(with = "Option<RawMatch>")]
    pub message: Option<Spanned<RawMatch>>,
    /// Members of the response: JSON pointer to value or matcher.
    #[serde(default)]
    #[schemars(with = "IndexMap<String, RawMatch>")]
    pub members: IndexMap<Spanned<String>, Spanned<RawMatch>>,
    /// Members that must be absent or null.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub absent: Vec<Spanned<String>>,
    /// Response headers: name to value or matcher.
    #[serde(default)]
    #[schemars(with = "IndexMap<String, RawMatch>")]
    pub headers: IndexMap<String, Spanned<RawMatch>>,
    /// What the body as a whole must be.
    pub body: Option<BodyForm>,
    /// Compares the response with the recorded snapshot.
    #[serde(default)]
    pub snapshot: bool,
    /// Places of the response that the comparison with the snapshot leaves out.
    #[serde(default)]
    pub ignore: Vec<RawIgnore>,
}

/// A place of a response at which it may differ from its snapshot, and why.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawIgnore {
    /// JSON pointer to the place; `*` stands for any index and any name.
    #[schemars(with = "String")]
    pub at: Spanned<String>,
    /// Why it may differ, for somebody who knows the service.
    #[schemars(with = "String")]
    pub reason: Spanned<String>,
}

impl RawExpect {
    /// Where the first of its parts that knows its place stands.
    pub(super) fn span(&self) -> Option<Range<usize>> {
        let parts = [
            self.proves.as_ref().map(Spanned::span),
            self.status.as_ref().map(Spanned::span),
            self.error.as_ref().map(Spanned::span),
            self.message.as_ref().map(Spanned::span),
            self.members.keys().map(Spanned::span).next(),
            self.absent.first().map(Spanned::span),
            self.headers.values().map(Spanned::span).next(),
            self.ignore.first().map(|ignore| ignore.at.span()),
        ];
        parts.into_iter().flatten().min_by_key(|span| span.start)
    }
}

/// What a body as a whole is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BodyForm {
    /// No bytes.
    Empty,
    /// No bytes, or `{}`.
    EmptyOrObject,
}

/// A plain value (which the response's must equal) or a [`Matcher`].
#[derive(Debug)]
pub enum RawMatch {
    /// Equal to this.
    Value(Node),
    /// As the matcher says.
    Matcher(Box<Matcher>),
}

/// A condition on a value of the response. All parts that are given must hold.
#[derive(Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Matcher {
    /// Equal to this value; for objects, which cannot stand alone.
    pub equals: Option<Node>,
    /// Present, and different from this value.
    pub not: Option<Node>,
    /// Equal to one of these values.
    pub one_of: Option<Vec<Node>>,
    /// Of this type.
    pub r#type: Option<ValueType>,
    /// Not less than this number.
    pub min: Option<Node>,
    /// Not more than this number.
    pub max: Option<Node>,
    /// Within this distance of `equals`, both numbers.
    pub within: Option<f64>,
    /// Text that as a whole matches this regular expression.
    pub pattern: Option<String>,
    /// Text that contains this text.
    pub contains: Option<Node>,
    /// Text of this many characters, list or object of this many entries.
    pub length: Option<u64>,
    /// A list with these entries in any order.
    pub unordered: Option<Vec<Node>>,
    /// A list with an entry that has (at least) these members; a list or an object in it
    /// has at least these entries or members.
    pub has_entry: Option<Node>,
    /// A list without any entry that has these members.
    pub has_no_entry: Option<Node>,
    /// An object that has (at least) the members of one of these.
    pub has_any: Option<Vec<Node>>,
}

/// Types of JSON values, as the service uses them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ValueType {
    /// Text.
    String,
    /// A number without a fractional part, in any JSON form.
    Integer,
    /// Any number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A number of seconds since the epoch, between the years 2000 and 2100.
    Date,
    /// A list.
    List,
    /// An object.
    Object,
    /// Null itself: the member is there. (Elsewhere null and absent are alike.)
    Null,
}

/// Who signs a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Actor {
    /// The account's own credentials.
    Developer,
    /// The first leased identity.
    Identity,
    /// Another identity of the same pool.
    OtherIdentity,
    /// Nobody: the request is not signed.
    None,
    /// An access key that does not exist.
    UnknownKey,
    /// The first leased identity's access key with another secret.
    WrongSecret,
    /// The first leased identity's keys with another session token.
    WrongSessionToken,
}

/// An [`Actor`], or a placeholder that a table's row fills in with one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RawActor {
    /// Named here.
    Named(Actor),
    /// Named by the row.
    Placeholder(String),
}

/// What a case must have for itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Isolation {
    /// Its datasets, which have fresh names.
    #[default]
    Dataset,
    /// Its identities: nothing else changes their data meanwhile.
    Identity,
    /// The whole pool: nothing else uses it meanwhile.
    Pool,
    /// A whole pool, and one that no such case has used before in this run.
    FreshPool,
}

/// What an operation does beyond the data of one identity: a user allows it by
/// name before it is called on a target that is not on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// It changes how a whole pool behaves.
    PoolChanges,
    /// It publishes everything that a pool holds, and can be called once a day.
    BulkPublish,
}

impl Effect {
    /// All effects.
    pub const ALL: [Self; 2] = [Self::PoolChanges, Self::BulkPublish];

    /// The name by which people allow it.
    pub fn name(self) -> &'static str {
        match self {
            Self::PoolChanges => "pool-changes",
            Self::BulkPublish => "bulk-publish",
        }
    }

    /// What a case with this effect does, in words that follow its name.
    pub fn deed(self) -> &'static str {
        match self {
            Self::PoolChanges => "changes the configuration of a pool",
            Self::BulkPublish => "publishes all that a pool holds, which can be done once a day",
        }
    }

    /// Whether it can be had once a day for a pool only, so that it cannot be tried again.
    pub fn is_once_a_day(self) -> bool {
        self == Self::BulkPublish
    }

    /// The effect of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|effect| effect.name() == name)
    }
}

/// A value in a case file. Text may hold placeholders.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Float(f64),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A table.
    Table(IndexMap<String, Node>),
}

/// One value, or a list of them.
#[derive(Debug)]
pub struct OneOrMany<T>(pub Vec<T>);
