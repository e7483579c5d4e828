//! The world file as it is written.

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

/// A world file: the accounts, pools, identities and keys of a reference server. Any
/// text may be `"${NAME}"`, which takes the environment variable's value. Ids and keys
/// that are not given are made, the same ones each time.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WorldFile {
    /// Ids and keys are made from it too, so that two files with the same names have
    /// nothing in common. Default: nothing.
    #[schemars(with = "Option<String>")]
    pub seed: Option<Spanned<String>>,
    /// The accounts; none sees anything of another.
    #[serde(default)]
    pub account: Vec<RawAccount>,
}

/// An AWS account.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawAccount {
    /// Its id: 12 digits.
    #[schemars(with = "String", regex(pattern = r"^([0-9]{12}|\$\{.+\})$"))]
    pub id: Spanned<String>,
    /// The region that its requests are signed for, and that its ids begin with.
    /// Default: `us-east-1`.
    #[schemars(with = "Option<String>")]
    pub region: Option<Spanned<String>>,
    /// The account's own keys. Default: made ones.
    pub developer: Option<RawDeveloper>,
    /// Its identity pools.
    #[serde(default)]
    pub pool: Vec<RawWorldPool>,
}

/// An account's own keys.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawDeveloper {
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

/// An identity pool.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawWorldPool {
    /// What the pool is called in this file; an id that is not given is made from it.
    #[schemars(with = "Option<String>")]
    pub name: Option<Spanned<String>>,
    /// Its id, `REGION:` and a UUID in lower case.
    #[schemars(with = "Option<String>")]
    pub identity_pool_id: Option<Spanned<String>>,
    /// So many identities are made, beside those that are named. Default: 0.
    #[schemars(with = "Option<u32>", range(max = 100_000))]
    pub identities: Option<Spanned<u32>>,
    /// Identities that are named.
    #[serde(default)]
    pub identity: Vec<RawWorldIdentity>,
}

/// An identity with temporary credentials, which never expire here.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawWorldIdentity {
    /// What the identity is called in this file; what is not given is made from it.
    #[schemars(with = "Option<String>")]
    pub name: Option<Spanned<String>>,
    /// Its id, `REGION:` and a UUID in lower case.
    #[schemars(with = "Option<String>")]
    pub identity_id: Option<Spanned<String>>,
    /// Access key id; with it comes the secret.
    #[schemars(with = "Option<String>")]
    pub access_key_id: Option<Spanned<String>>,
    /// Secret access key.
    #[schemars(with = "Option<String>")]
    pub secret_access_key: Option<Spanned<String>>,
    /// Session token. Given keys without one are used without.
    #[schemars(with = "Option<String>")]
    pub session_token: Option<Spanned<String>>,
}
