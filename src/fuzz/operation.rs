//! What a sequence is made of: operations that name no count, no token and no id.
//!
//! An operation says "the record's count", "the count before", "a token that was
//! used", and the model of the run says which number or token that is by then. So
//! whatever is taken out of a sequence, the rest still means something, which is
//! what makes shrinking possible.

use std::fmt;

/// Whose data, and whose credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Who {
    /// The first identity.
    Own,
    /// The second identity of the same pool.
    Other,
}

/// A dataset, whether or not it exists. Both identities use the same names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Whose it is.
    pub who: Who,
    /// Which of the sequence's names, from 0.
    pub dataset: u8,
}

/// Names that a sequence has for datasets.
pub(super) const DATASETS: u8 = 3;

/// A sequence of operations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence(pub Vec<Operation>);

/// One operation. It may take several requests: a write lists first to get a token,
/// a listing follows its pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// UpdateRecords.
    Update(Update),
    /// ListRecords.
    List(List),
    /// The next page of the listing that was left off at its first page.
    More(Place),
    /// DescribeDataset.
    Describe(Place),
    /// ListDatasets, all pages of this size.
    Datasets {
        /// Whose.
        who: Who,
        /// MaxResults.
        size: Option<u16>,
    },
    /// DescribeIdentityUsage.
    Usage(Who),
    /// DeleteDataset.
    Delete(Place),
}

/// A write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// Where.
    pub place: Place,
    /// With which token.
    pub token: TokenPick,
    /// The patches; may be none.
    pub patches: Vec<Patch>,
    /// Further patches, of new records, until the quota of records is reached.
    pub bulk: Bulk,
    /// Whether it carries a client context.
    pub context: bool,
}

/// Patches of new records that a write carries besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bulk {
    /// None.
    None,
    /// As many as the dataset has room for.
    Full,
    /// One more.
    OneTooMany,
}

/// Which sync session token a write carries. Where there is none of the kind that
/// is asked for, a fresh one is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenPick {
    /// From a listing of everything, made for it.
    Fresh,
    /// From a listing made for it, since the dataset's count less this, as clients do.
    FreshSince(u8),
    /// From an earlier listing of the sequence, not used for a write yet.
    Held,
    /// One that was used for a successful write to this dataset.
    Spent,
    /// Of another dataset of the same identity.
    OfDataset,
    /// Of the other identity's dataset with the same name.
    OfIdentity,
    /// Of nobody.
    MadeUp,
}

/// One patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch {
    /// Which key, see `key_text`.
    pub key: u8,
    /// What becomes of it.
    pub change: Change,
    /// Which sync count it names.
    pub count: CountPick,
    /// Whether it carries a DeviceLastModifiedDate.
    pub dated: bool,
}

/// What a patch does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Replaces the value.
    Write(ValuePick),
    /// Writes the value that the record has.
    Same,
    /// Replaces without a value.
    WriteNothing,
    /// Removes the record.
    Remove,
    /// Removes it, and carries a value all the same.
    RemoveWithValue,
}

/// Which value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValuePick {
    /// A short text with this number.
    Short(u8),
    /// The empty text.
    Empty,
    /// Text outside ASCII, of several bytes a character.
    Unicode(u8),
    /// Text that is full of quotes, braces and line ends.
    Awkward,
    /// 2,000 characters.
    Long,
    /// 450,000 bytes: three of them do not fit into a dataset.
    Huge,
    /// As much as fits into the dataset.
    Fill,
    /// A byte more.
    Overfill,
}

/// Which sync count a patch names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CountPick {
    /// The record's; 0 for a new one.
    Right,
    /// So much less, but at least 0.
    Stale(u8),
    /// 0.
    Zero,
    /// So much more.
    Ahead(u8),
    /// The dataset's.
    OfDataset,
}

/// A listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// Of what.
    pub place: Place,
    /// LastSyncCount.
    pub since: SincePick,
    /// MaxResults.
    pub size: Option<u16>,
    /// Which token it carries.
    pub token: ListToken,
    /// Whether it is left off after its first page, to be continued later.
    pub first_page_only: bool,
}

/// Which LastSyncCount a listing names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SincePick {
    /// None.
    None,
    /// 0.
    Zero,
    /// The dataset's count.
    Last,
    /// So much less, but at least 0.
    Before(u8),
    /// So much more.
    Ahead(u8),
    /// The count before the dataset was deleted.
    BeforeDeletion,
}

/// Which token a listing carries; none where there is none of the kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListToken {
    /// None.
    None,
    /// The latest one that was handed out here and not used.
    Held,
    /// One that a write was refused with for a conflict.
    AfterConflict,
    /// One that a successful write used up.
    Spent,
    /// One of another dataset.
    OfDataset,
}

/// Keys that are likely to meet again.
pub(super) const HOT_KEYS: u8 = 4;
/// Keys beyond the hot ones that are plain.
pub(super) const COLD_KEYS: u8 = 40;
/// Keys of unusual form, after the others.
pub(super) const ODD_KEYS: u8 = 6;

/// The text of a key.
pub(super) fn key_text(key: u8) -> String {
    match key {
        0 => "a".to_owned(),
        1 => "b".to_owned(),
        2 => "score".to_owned(),
        3 => "level".to_owned(),
        44 => "ключ €😀".to_owned(),
        45 => "a b/c?d=e&f".to_owned(),
        46 => "{token}\"\\".to_owned(),
        47 => "k".repeat(128),
        48 => "ü".repeat(1_024),
        49 => " Blank Ends ".to_owned(),
        cold => format!("cold-{cold}"),
    }
}

/// The text of a value, but for those that depend on the dataset.
pub(super) fn value_text(value: ValuePick) -> String {
    match value {
        ValuePick::Short(number) => format!("v{number}"),
        ValuePick::Empty => String::new(),
        ValuePick::Unicode(number) => format!("wörd €😀 {number}"),
        ValuePick::Awkward => " {dataset} \"'''\\\n\t</script> ".to_owned(),
        ValuePick::Long => "l".repeat(2_000),
        ValuePick::Huge | ValuePick::Fill | ValuePick::Overfill => "h".repeat(HUGE_VALUE),
    }
}

/// Characters of a huge value.
const HUGE_VALUE: usize = 450_000;

impl Operation {
    /// The API's name for it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Update(_) => "UpdateRecords",
            Self::List(_) | Self::More(_) => "ListRecords",
            Self::Describe(_) => "DescribeDataset",
            Self::Datasets { .. } => "ListDatasets",
            Self::Usage(_) => "DescribeIdentityUsage",
            Self::Delete(_) => "DeleteDataset",
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whose = if self.who == Who::Own { "" } else { "the other identity's " };
        write!(f, "{whose}dataset {}", self.dataset + 1)
    }
}

impl fmt::Display for Patch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = key_text(self.key);
        let key = if key.chars().count() > 20 { format!("a key of {}", key.chars().count()) } else { key };
        match self.change {
            Change::Write(ValuePick::Short(number)) => write!(f, "{key} = v{number}"),
            Change::Write(value) => write!(f, "{key} = {value:?}"),
            Change::Same => write!(f, "{key} = its value"),
            Change::WriteNothing => write!(f, "{key} without value"),
            Change::Remove => write!(f, "remove {key}"),
            Change::RemoveWithValue => write!(f, "remove {key}, with a value"),
        }?;
        match self.count {
            CountPick::Right => Ok(()),
            CountPick::Stale(by) => write!(f, " at its count less {by}"),
            CountPick::Zero => write!(f, " at count 0"),
            CountPick::Ahead(by) => write!(f, " at its count plus {by}"),
            CountPick::OfDataset => write!(f, " at the dataset's count"),
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Update(Update { place, token, patches, bulk, context }) => {
                let patches: Vec<String> = patches.iter().map(Patch::to_string).collect();
                let patches = if patches.is_empty() { "nothing".to_owned() } else { patches.join(", ") };
                write!(f, "write to {place}: {patches}")?;
                match bulk {
                    Bulk::None => Ok(()),
                    Bulk::Full => write!(f, ", and as many records as there is room for"),
                    Bulk::OneTooMany => write!(f, ", and one record more than there is room for"),
                }?;
                if *context {
                    write!(f, " (client context)")?;
                }
                match token {
                    TokenPick::Fresh => Ok(()),
                    TokenPick::FreshSince(by) => write!(f, " (token of a listing since its count less {by})"),
                    TokenPick::Held => write!(f, " (token of an earlier listing)"),
                    TokenPick::Spent => write!(f, " (token that was used)"),
                    TokenPick::OfDataset => write!(f, " (token of another dataset)"),
                    TokenPick::OfIdentity => write!(f, " (token of the other identity)"),
                    TokenPick::MadeUp => write!(f, " (made-up token)"),
                }
            }
            Self::List(list) => {
                write!(f, "list {}", list.place)?;
                match list.since {
                    SincePick::None => Ok(()),
                    SincePick::Zero => write!(f, " since 0"),
                    SincePick::Last => write!(f, " since its count"),
                    SincePick::Before(by) => write!(f, " since its count less {by}"),
                    SincePick::Ahead(by) => write!(f, " since its count plus {by}"),
                    SincePick::BeforeDeletion => write!(f, " since the count before its deletion"),
                }?;
                if let Some(size) = list.size {
                    write!(f, ", pages of {size}")?;
                }
                if list.first_page_only {
                    write!(f, ", first page only")?;
                }
                match list.token {
                    ListToken::None => Ok(()),
                    token => write!(f, " (token: {token:?})"),
                }
            }
            Self::More(place) => write!(f, "list the next page of {place}"),
            Self::Describe(place) => write!(f, "describe {place}"),
            Self::Datasets { who, size } => {
                let whose = if *who == Who::Own { "" } else { "the other identity's " };
                write!(f, "list {whose}datasets")?;
                size.map_or(Ok(()), |size| write!(f, ", pages of {size}"))
            }
            Self::Usage(Who::Own) => write!(f, "usage of the identity"),
            Self::Usage(Who::Other) => write!(f, "usage of the other identity"),
            Self::Delete(place) => write!(f, "delete {place}"),
        }
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.0.iter().enumerate();
        lines.into_iter().try_for_each(|(index, operation)| writeln!(f, "{}. {operation}", index + 1))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{COLD_KEYS, HOT_KEYS, ODD_KEYS, key_text};

    #[test]
    fn keys_are_distinct_and_legal() {
        let all: BTreeSet<String> = (0..HOT_KEYS + COLD_KEYS + ODD_KEYS).map(key_text).collect();
        assert_eq!(all.len(), usize::from(HOT_KEYS + COLD_KEYS + ODD_KEYS));
        assert!(all.iter().all(|key| (1..=1_024).contains(&key.chars().count())));
    }
}
