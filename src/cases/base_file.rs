//! `_base.toml` as it is written: the source of its JSON Schema.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::file::{Actor, Effect, Node};

/// The file `_base.toml`: one valid request for each operation, how its effect is
/// undone, and how what nobody remembers is found.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BaseFile {
    /// Base requests by operation name.
    #[schemars(with = "IndexMap<String, RawBase>")]
    pub operation: IndexMap<Spanned<String>, RawBase>,
    /// How to find what earlier runs have left.
    pub sweep: Option<RawSweep>,
}

/// The valid base request of an operation.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawBase {
    /// Who signs it, unless a case or step says otherwise.
    pub credentials: Actor,
    /// Input members by their API names.
    #[serde(default)]
    #[schemars(with = "IndexMap<String, Node>")]
    pub with: IndexMap<Spanned<String>, Spanned<Node>>,
    /// How to undo a successful call once its case is over.
    pub undo: Option<RawUndo>,
    /// How to keep what a call replaces, and to bring it back once the run is over.
    pub save: Option<RawSave>,
    /// What a call does beyond the data of one identity.
    pub effect: Option<Effect>,
    /// What a successful call leaves on the target, such as `dataset`: a noun for
    /// people.
    pub makes: Option<String>,
}

/// The request that takes back what another one made. It is made of that request's
/// path alone, so that requests written by hand are undone too.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawUndo {
    /// The operation to call.
    #[schemars(with = "String")]
    pub call: Spanned<String>,
    /// Input members to take over from the request that is undone: labels of its path.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub same: Vec<Spanned<String>>,
    /// Input members beside those, without placeholders.
    #[serde(default)]
    #[schemars(with = "IndexMap<String, Node>")]
    pub with: IndexMap<Spanned<String>, Spanned<Node>>,
    /// Errors that say that there is nothing to take back; a status of 404 always
    /// does.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub gone: Vec<Spanned<String>>,
}

/// How to keep what a call replaces. What is to be kept is read before the first
/// such call of a run, and written back by the same operation after its last case,
/// where it differs then.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawSave {
    /// The operation that reads it.
    #[schemars(with = "String")]
    pub call: Spanned<String>,
    /// Input members of both operations that say what it belongs to: labels of the path.
    #[schemars(with = "Vec<String>")]
    pub same: Vec<Spanned<String>>,
    /// The members to keep: output of the reading operation, and input of this one.
    #[schemars(with = "IndexMap<String, RawSavedMember>")]
    pub members: IndexMap<Spanned<String>, RawSavedMember>,
}

/// A member to keep, and what it is set to when it was not there before. Null,
/// empty lists and empty objects count as not there.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawSavedMember {
    /// What the member as a whole is set to.
    #[schemars(with = "Option<Node>")]
    pub absent: Option<Spanned<Node>>,
    /// Members of it that stay as they are found then, beside those of `absent`.
    #[serde(default)]
    pub keeps: Vec<String>,
    /// For a map: what each entry is set to that was not there before.
    #[schemars(with = "Option<Node>")]
    pub absent_entry: Option<Spanned<Node>>,
    /// What setting it to `absent` does not bring back, in a sentence.
    pub note: Option<String>,
}

/// How to find and remove what earlier runs have left on an identity. The
/// placeholders `{identity-pool-id}` and `{identity-id}` stand for its ids.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawSweep {
    /// The operation that lists what is there.
    #[schemars(with = "String")]
    pub call: Spanned<String>,
    /// Its input members.
    #[schemars(with = "IndexMap<String, Node>")]
    pub with: IndexMap<Spanned<String>, Spanned<Node>>,
    /// JSON pointer to the list in its answer.
    pub entries: String,
    /// JSON pointer to the name in an entry.
    pub name: String,
    /// JSON pointer to the time of the last change in an entry, in seconds since 1970.
    pub changed: String,
    /// JSON pointer to what names the next page, in the answer.
    pub next: String,
    /// The input member that it is sent in.
    #[schemars(with = "String")]
    pub page: Spanned<String>,
    /// What removes an entry.
    pub remove: RawRemove,
}

/// The request that removes an entry.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawRemove {
    /// The operation to call.
    #[schemars(with = "String")]
    pub call: Spanned<String>,
    /// Input members to take over from the listing.
    #[schemars(with = "Vec<String>")]
    pub same: Vec<Spanned<String>>,
    /// The input member that the entry's name is sent in.
    #[schemars(with = "String")]
    pub name: Spanned<String>,
}
