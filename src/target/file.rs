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
    /// The pool of the `[[identity]]` entries at the top level.
    #[schemars(with = "Option<String>")]
    pub identity_pool_id: Option<Spanned<String>>,
    /// Identities of that pool.
    #[serde(default)]
    pub identity: Vec<RawIdentity>,
    /// Further pools.
    #[serde(default)]
    pub pool: Vec<RawPool>,
    /// The account's own credentials; without them, cases that need them are
    /// skipped.
    pub developer: Option<RawKeys>,
    /// What the target lacks: cases that need it are skipped.
    #[serde(default)]
    #[schemars(with = "Vec<RawLack>")]
    pub lacks: Vec<Spanned<RawLack>>,
    /// The stream that pools may publish to; without it `kinesis` is lacking.
    pub kinesis: Option<RawKinesis>,
    /// The application that devices register with; without it `sns` is lacking.
    pub sns: Option<RawSns>,
    /// The function that events may name; without it `lambda` is lacking.
    pub lambda: Option<RawLambda>,
    /// Cases that are known to fail, with the reason.
    #[serde(default)]
    pub known_failure: Vec<RawKnownFailure>,
    /// A file with more `[[known-failure]]` entries and nothing else, relative to
    /// this file; `syncspec run --write-known-failures` begins one.
    #[schemars(with = "Option<String>")]
    pub known_failures_file: Option<Spanned<String>>,
    /// The set of recorded snapshots that the target's answers must equal, a
    /// folder below `snapshots/`. Without it, differences from the reference
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
    /// Its identities.
    #[serde(default)]
    pub identity: Vec<RawIdentity>,
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

/// Keys without an identity.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawKeys {
    /// Access key id.
    #[schemars(with = "String")]
    pub access_key_id: Spanned<String>,
    /// Secret access key.
    #[schemars(with = "String")]
    pub secret_access_key: Spanned<String>,
    /// Session token of temporary credentials.
    #[schemars(with = "Option<String>")]
    pub session_token: Option<Spanned<String>>,
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
