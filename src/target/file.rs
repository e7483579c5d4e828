//! The target file as it is written.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use toml::Spanned;

/// A target file: an endpoint, the credentials for it, and what is known of it.
/// Any text may be `"${NAME}"`, which takes the environment variable's value.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TargetFile {
    /// Name of the target in reports; also the folder of its reports.
    #[schemars(with = "String")]
    pub name: Spanned<String>,
    /// `http://HOST[:PORT]` or `https://…`.
    #[schemars(with = "String")]
    pub endpoint: Spanned<String>,
    /// AWS region that requests are signed for.
    #[schemars(with = "String")]
    pub region: Spanned<String>,
    /// A file of certificates in PEM form that are trusted instead of the platform's,
    /// for an endpoint whose certificate nobody vouches for; relative to this file.
    #[schemars(with = "Option<String>")]
    pub ca_file: Option<Spanned<String>>,
    /// Begins every name that a run makes: 1 to 32 letters, digits and `-`. Default:
    /// `syncspec`.
    #[schemars(with = "Option<String>")]
    pub prefix: Option<Spanned<String>>,
    /// Most requests per second. Default: 10 for AWS, else as many as the target
    /// answers.
    #[schemars(with = "Option<u32>", range(min = 1, max = 100_000))]
    pub requests_per_second: Option<Spanned<u32>>,
    /// The pool of what stands at the top level: the `[[identity]]` entries, or
    /// `[cognito-identity]`.
    #[schemars(with = "Option<String>")]
    pub identity_pool_id: Option<Spanned<String>>,
    /// Identities of that pool, with their keys.
    #[serde(default)]
    pub identity: Vec<RawIdentity>,
    /// Has Cognito Identity give that pool's identities and their keys.
    #[schemars(with = "Option<RawCognitoIdentity>")]
    pub cognito_identity: Option<Spanned<RawCognitoIdentity>>,
    /// Further pools.
    #[serde(default)]
    pub pool: Vec<RawPool>,
    /// The account's own credentials; without them, cases that need them are
    /// skipped.
    #[schemars(with = "Option<RawDeveloper>")]
    pub developer: Option<Spanned<RawDeveloper>>,
    /// What the target lacks: cases that need it are skipped.
    #[serde(default)]
    #[schemars(with = "Vec<RawLack>")]
    pub lacks: Vec<Spanned<RawLack>>,
    /// What the target has beyond what every endpoint of its kind does: `legacy-rpc`,
    /// the protocol of the documentation's samples. Without it, cases that need it are
    /// skipped.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub offers: Vec<Spanned<String>>,
    /// The stream that pools may publish to; without it `kinesis` is lacking.
    pub kinesis: Option<RawKinesis>,
    /// The application that devices register with; without it `sns` is lacking.
    pub sns: Option<RawSns>,
    /// The function that events may name; without it `lambda` is lacking.
    pub lambda: Option<RawLambda>,
    /// Has the harness play Lambda, Kinesis, SNS and S3 while a run lasts, for a server
    /// that calls them where it is told; instead of `[kinesis]`, `[sns]` and `[lambda]`.
    #[schemars(with = "Option<RawCollaborators>")]
    pub collaborators: Option<Spanned<RawCollaborators>>,
    /// Cases that are known to fail, with the reason.
    #[serde(default)]
    pub known_failure: Vec<RawKnownFailure>,
    /// A file with more `[[known-failure]]` entries and nothing else, relative to
    /// this file; `syncspec run --write-known-failures` begins one.
    #[schemars(with = "Option<String>")]
    pub known_failures_file: Option<Spanned<String>>,
    /// The set of recorded snapshots that the target's answers must equal, a folder
    /// below `snapshots/`, and the set that `record` writes. Without it, differences from the reference
    /// server's snapshots are noted and never judged.
    #[schemars(with = "Option<String>")]
    pub snapshots: Option<Spanned<String>>,
}

/// Something that the target lacks: its name alone, or with the reason.
#[derive(Debug, JsonSchema)]
#[schemars(untagged)]
pub enum RawLack {
    /// What is lacking.
    Need(String),
    /// What is lacking, and why.
    Reasoned(RawReasonedLack),
}

impl RawLack {
    /// What is lacking, as written.
    pub(super) fn need(&self) -> &str {
        match self {
            Self::Need(need) => need,
            Self::Reasoned(lack) => lack.need.get_ref(),
        }
    }
}

/// Something that the target lacks, with the reason.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawReasonedLack {
    /// What is lacking.
    #[schemars(with = "String")]
    pub need: Spanned<String>,
    /// Why, in a few words.
    #[schemars(with = "String")]
    pub reason: Spanned<String>,
    /// Where that is tracked.
    #[schemars(with = "Option<String>")]
    pub link: Option<Spanned<String>>,
}

/// By hand, since what serde derives for such a choice forgets places.
impl<'de> Deserialize<'de> for RawLack {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;
        impl<'de> Visitor<'de> for Form {
            type Value = RawLack;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name, or `{ need = \"…\", reason = \"…\" }`")
            }

            fn visit_str<E: Error>(self, need: &str) -> Result<RawLack, E> {
                Ok(RawLack::Need(need.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<RawLack, A::Error> {
                RawReasonedLack::deserialize(MapAccessDeserializer::new(table)).map(RawLack::Reasoned)
            }
        }
        deserializer.deserialize_any(Form)
    }
}

/// A pool with its identities.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawPool {
    /// Id of the pool.
    #[schemars(with = "String")]
    pub identity_pool_id: Spanned<String>,
    /// Its identities, with their keys.
    #[serde(default)]
    pub identity: Vec<RawIdentity>,
    /// Has Cognito Identity give its identities and their keys.
    #[schemars(with = "Option<RawCognitoIdentity>")]
    pub cognito_identity: Option<Spanned<RawCognitoIdentity>>,
}

/// An identity with temporary credentials.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawIdentity {
    /// Id of the identity.
    #[schemars(with = "String")]
    pub identity_id: Spanned<String>,
    /// Access key id.
    #[schemars(with = "String")]
    pub access_key_id: Spanned<String>,
    /// Secret access key.
    #[schemars(with = "String")]
    pub secret_access_key: Spanned<String>,
    /// Session token.
    #[schemars(with = "Option<String>")]
    pub session_token: Option<Spanned<String>>,
}

/// The account's own credentials: keys, or `profile`, or `source`; one of them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawDeveloper {
    /// Access key id.
    #[schemars(with = "Option<String>")]
    pub access_key_id: Option<Spanned<String>>,
    /// Secret access key.
    #[schemars(with = "Option<String>")]
    pub secret_access_key: Option<Spanned<String>>,
    /// Session token of temporary credentials.
    #[schemars(with = "Option<String>")]
    pub session_token: Option<Spanned<String>>,
    /// A profile of AWS's configuration files, of any kind: keys, an assumed role,
    /// SSO, web identity, a process.
    #[schemars(with = "Option<String>")]
    pub profile: Option<Spanned<String>>,
    /// `default-chain`: where AWS's tools look, which is the environment, the default
    /// profile, web identity, the container, the instance.
    #[schemars(with = "Option<String>")]
    pub source: Option<Spanned<String>>,
}

/// How Cognito Identity gives identities and their keys. They are asked for when a
/// run begins, and the keys again before they run out.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawCognitoIdentity {
    /// Where it listens. Default: AWS's address in the target's region.
    #[schemars(with = "Option<String>")]
    pub endpoint: Option<Spanned<String>>,
    /// How many identities, 1 to 100. Default: 4, which is two for a case that wants
    /// two to itself, one for a case that fills one, and one that others share.
    #[schemars(with = "Option<u16>", range(min = 1, max = 100))]
    pub identities: Option<Spanned<u16>>,
    /// Ids of identities that exist, to be used instead of new ones.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub identity_ids: Vec<Spanned<String>>,
    /// Name of a developer provider of the pool. Its users `<prefix>-1`, `<prefix>-2`
    /// and so on are signed in by the developer, and keep their identities from run to
    /// run. Default: none; the identities are unauthenticated, made with GetId when a
    /// run begins, and deleted at its end when the developer's credentials allow it.
    #[schemars(with = "Option<String>")]
    pub developer_provider: Option<Spanned<String>>,
}

/// A stream for the pools of the target.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawKinesis {
    /// Name of the stream.
    #[schemars(with = "String")]
    pub stream_name: Spanned<String>,
    /// Role that the service assumes to write to it.
    #[schemars(with = "String")]
    pub role_arn: Spanned<String>,
}

/// A push application for the pools of the target.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawSns {
    /// ARN of the platform application.
    #[schemars(with = "String")]
    pub application_arn: Spanned<String>,
    /// Role that the service assumes to publish to it.
    #[schemars(with = "String")]
    pub role_arn: Spanned<String>,
}

/// A function for the events of the target's pools.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawLambda {
    /// ARN of the function.
    #[schemars(with = "String")]
    pub function_arn: Spanned<String>,
    /// Whether the function that `syncspec target function` prints stands there: cases
    /// that only say how it answers then run without `[collaborators]`. Default: false.
    #[serde(default)]
    pub scripted: bool,
}

/// The harness as the other services. The target's server has to call Lambda, Kinesis,
/// SNS and S3 there, with `AWS_ENDPOINT_URL_LAMBDA` and the like.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawCollaborators {
    /// `ADDRESS:PORT` to listen on while a run lasts, such as `127.0.0.1:4600`. On
    /// another address than loopback, others can reach it too.
    #[schemars(with = "String")]
    pub listen: Spanned<String>,
    /// The account in the ARNs of what is played, 12 digits. Default: `123456789012`.
    #[schemars(with = "Option<String>")]
    pub account_id: Option<Spanned<String>>,
    /// How many times faster than the service the server gives a function up; delays
    /// of cases are divided by it. Default: 1.
    #[schemars(with = "Option<u32>", range(min = 1, max = 1000))]
    pub time_scale: Option<Spanned<u32>>,
}

/// A file of known failures beside a target file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct KnownFailuresFile {
    /// Cases that are known to fail, with the reason.
    #[serde(default)]
    pub known_failure: Vec<RawKnownFailure>,
}

/// Cases that are known to fail.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawKnownFailure {
    /// Id of a case, or a pattern in which `*` stands for any text.
    #[schemars(with = "String")]
    pub case: Spanned<String>,
    /// Why it fails, in a sentence.
    #[schemars(with = "String")]
    pub reason: Spanned<String>,
    /// Where the failure is tracked.
    #[schemars(with = "Option<String>")]
    pub link: Option<Spanned<String>>,
}
