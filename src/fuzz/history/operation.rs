//! Calls on datasets, and what came of them.

use std::collections::HashMap;
use std::num::NonZeroU32;

/// Names a key of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(u32);

/// Names a value of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Value(NonZeroU32);

impl Key {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

impl Value {
    pub(super) fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// Calls of several clients on one or more datasets, in any order.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// The calls.
    pub operations: Vec<Operation>,
    keys: Names,
    values: Names,
}

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Who sent it.
    pub client: u32,
    /// Number of the dataset.
    pub dataset: u32,
    /// When it was sent, in nanoseconds.
    pub invoked: u64,
    /// When its answer was there, or when the client gave up waiting.
    pub returned: u64,
    /// What was asked for.
    pub call: Call,
    /// What came of it.
    pub outcome: Outcome,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// UpdateRecords.
    Update(Vec<Patch>),
    /// ListRecords, all records in one page.
    List {
        /// LastSyncCount; 0 when it was left out.
        since: i64,
    },
    /// DeleteDataset.
    Delete,
}

/// One change of an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patch {
    /// The record's key; no two of a call have the same.
    pub key: Key,
    /// The record's count as the client knew it; 0 for none.
    pub base: i64,
    /// The new value, which no other call writes; none for a removal.
    pub value: Option<Value>,
}

/// A record as an answer showed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// Its key.
    pub key: Key,
    /// Its count.
    pub count: i64,
    /// Its value; none for a tombstone.
    pub value: Option<Value>,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// An update was accepted, and showed these records.
    Written(Vec<Record>),
    /// A listing.
    Listed(Listing),
    /// The dataset was deleted.
    Deleted,
    /// The dataset was not there to be deleted.
    Missing,
    /// An update was refused with a conflict.
    Conflict {
        /// Key and current count, if the message told.
        told: Option<(Key, i64)>,
    },
    /// A listing was refused since its count is above the dataset's.
    Ahead,
    /// Refused in another way: nothing was done, and nothing follows.
    Refused,
    /// No answer came. An update or deletion may have been made all the same, even
    /// after the client gave up.
    Unknown,
}

/// What a listing showed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// DatasetSyncCount.
    pub count: i64,
    /// DatasetExists.
    pub exists: bool,
    /// DatasetDeletedAfterRequestedSyncCount.
    pub deleted: bool,
    /// Records and tombstones, in any order.
    pub records: Vec<Record>,
}

impl Operation {
    /// Whether it was meant to change something.
    pub(super) fn is_write(&self) -> bool {
        !matches!(self.call, Call::List { .. })
    }

    /// Whether it may have changed something.
    pub(super) fn may_have_written(&self) -> bool {
        self.is_write() && matches!(self.outcome, Outcome::Written(_) | Outcome::Deleted | Outcome::Unknown)
    }

    /// The patches of an update.
    pub(super) fn patches(&self) -> &[Patch] {
        if let Call::Update(patches) = &self.call { patches } else { &[] }
    }

    /// The count that an accepted update took, as its answer shows it.
    pub(super) fn version(&self) -> Option<i64> {
        if let Outcome::Written(records) = &self.outcome { Some(records.first()?.count) } else { None }
    }
}

impl History {
    /// A history without calls.
    pub fn new() -> Self {
        Self::default()
    }

    /// Names this key; the same text gives the same name.
    pub fn key(&mut self, text: &str) -> Key {
        Key(self.keys.number(text))
    }

    /// Names this value; the same text gives the same name.
    pub fn value(&mut self, text: &str) -> Value {
        Value(NonZeroU32::MIN.saturating_add(self.values.number(text)))
    }

    /// What a key's name stands for.
    pub fn key_text(&self, key: Key) -> &str {
        &self.keys.texts[key.index()]
    }

    /// What a value's name stands for.
    pub fn value_text(&self, value: Value) -> &str {
        &self.values.texts[value.index()]
    }

    /// Adds the calls of another history.
    pub fn extend(&mut self, other: &Self) {
        let keys: Vec<Key> = other.keys.texts.iter().map(|text| self.key(text)).collect();
        let values: Vec<Value> = other.values.texts.iter().map(|text| self.value(text)).collect();
        let key = |key: &mut Key| *key = keys[key.index()];
        let value = |value: &mut Option<Value>| *value = value.map(|value| values[value.index()]);
        self.operations.reserve(other.operations.len());
        for mut operation in other.operations.iter().cloned() {
            if let Call::Update(patches) = &mut operation.call {
                for patch in patches {
                    key(&mut patch.key);
                    value(&mut patch.value);
                }
            }
            match &mut operation.outcome {
                Outcome::Written(records) | Outcome::Listed(Listing { records, .. }) => {
                    for record in records {
                        key(&mut record.key);
                        value(&mut record.value);
                    }
                }
                Outcome::Conflict { told: Some((told, _)) } => key(told),
                _ => {}
            }
            self.operations.push(operation);
        }
    }

    pub(super) fn key_count(&self) -> usize {
        self.keys.texts.len()
    }

    pub(super) fn value_count(&self) -> usize {
        self.values.texts.len()
    }
}

/// Texts, each kept once.
#[derive(Debug, Clone, Default)]
struct Names {
    numbers: HashMap<Box<str>, u32>,
    texts: Vec<Box<str>>,
}

impl Names {
    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX - 1);
        self.texts.push(text.into());
        self.numbers.insert(text.into(), number);
        number
    }
}
