//! One thing that a run owes.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A request that takes back what another one made or changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Debt {
    /// Why it is owed.
    pub kind: Kind,
    /// The operation to call.
    pub call: String,
    /// Its input members; for [`Kind::Restore`] only those that say what is restored.
    pub input: Map<String, Value>,
    /// For [`Kind::Restore`] what stood there before, by member. Empty else.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub saved: Map<String, Value>,
    /// The operation that owes it: the one that made or changed something.
    pub made_by: String,
    /// Id of the case that owes it, for people.
    pub case: String,
}

/// Why something is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A request may have made something, which is taken back.
    Undo,
    /// A request may have replaced something, which is written back.
    Restore,
}

/// A debt as a journal knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Owed {
    /// Its number in the journal, from 1.
    pub number: u64,
    /// The debt.
    pub debt: Debt,
    /// The request that made it is known to have succeeded. If not, it may never have
    /// been sent, or have been refused.
    pub is_certain: bool,
}
