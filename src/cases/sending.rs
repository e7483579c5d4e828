//! How a step's request is signed, changed after signing, and written on the wire,
//! as a case file says it. Nothing is interpreted here.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

/// How a signature departs from the ordinary one. The rest stays valid.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawSign {
    /// In the `Authorization` header (default) or in the query.
    #[serde(default)]
    pub form: SignForm,
    /// Region in the credential scope.
    pub region: Option<String>,
    /// Service in the credential scope.
    pub service: Option<String>,
    /// Minutes by which the signer's clock is ahead of ours; negative: behind.
    #[serde(default)]
    pub clock_minutes: i64,
    /// How the signature covers the body.
    #[serde(default)]
    pub payload: Payload,
    /// Headers that are sent and not signed.
    #[serde(default)]
    pub without_headers: Vec<String>,
}

/// How a signature covers the body of its request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Payload {
    /// By its SHA-256, which is not sent.
    #[default]
    Hashed,
    /// By its SHA-256, which is sent too, as `x-amz-content-sha256`.
    Stated,
    /// Not at all: `x-amz-content-sha256` is `UNSIGNED-PAYLOAD`.
    Unsigned,
}

/// How a request is written on the wire, beside what its signature covers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Transfer {
    /// The body travels in chunks, without a length stated beforehand.
    #[serde(default)]
    pub chunked: bool,
    /// The names of all headers are in upper case.
    #[serde(default)]
    pub upper_case_headers: bool,
}

/// Where a signature travels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SignForm {
    /// In the `Authorization` header.
    #[default]
    Header,
    /// In the query string.
    Query,
}

/// Changes made to a request after it was signed.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawTamper {
    /// Another method.
    pub method: Option<String>,
    /// Another path and query.
    pub target: Option<String>,
    /// Another body, as text.
    pub body: Option<String>,
    /// Headers to replace or add.
    #[serde(default)]
    pub headers: IndexMap<String, String>,
    /// Headers to add, beside those of the same name that are there.
    #[serde(default)]
    pub add_headers: IndexMap<String, String>,
    /// Headers to leave out.
    #[serde(default)]
    pub without_headers: Vec<String>,
    /// Parts of the signed request to write otherwise, in order.
    #[serde(default)]
    pub rewrite: Vec<RawRewrite>,
}

/// Replaces one piece of a signed request.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawRewrite {
    /// The header to change. Default: the target.
    pub header: Option<String>,
    /// A regular expression; its first match is replaced, and there must be one.
    pub pattern: String,
    /// The new text; `$0` stands for the old.
    pub with: String,
}
