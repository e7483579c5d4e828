//! What can be wrong with a history, and the sentence that says so.

use crate::fuzz::history::operation::{Call, History, Key, Operation, Outcome};
use crate::fuzz::history::verdict::Part;

/// Something that is wrong. Numbers are places in the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The records of one answer show different counts.
    SplitCounts { write: usize },
    /// An answer shows another value than was sent.
    OtherAnswer { write: usize, key: Key },
    /// Two writes took the same count, the dataset being deleted between them or not.
    SameCount { first: usize, second: usize, deletion: Option<usize> },
    /// Nobody can have made the step to this count.
    Gap { version: i64, witness: usize },
    /// A write was accepted on top of a count that was no longer the record's.
    Stale { write: usize, key: Key, newer: usize },
    /// A write stands at a count that others knew of before it was sent.
    Behind { write: usize, knew: usize },
    /// A listing, or a conflict, is older than what was known.
    Old { read: usize, knew: usize },
    /// A listing shows a record that no call wrote so.
    Phantom { read: usize, key: Key },
    /// A listing shows what a refused call would have written.
    RefusedShown { read: usize, write: usize },
    /// A call's value stands at another count than the call took.
    Twice { read: usize, write: usize, key: Key },
    /// A record is not listed.
    Missing { read: usize, key: Key, write: usize, since: i64 },
    /// Of the records of a call that was not answered some are listed and some not.
    Partial { read: usize, key: Key, write: usize },
    /// A record is listed as it was before a later write.
    Outdated { read: usize, key: Key, write: usize },
    /// A record from before a deletion is listed after it.
    Resurrected { read: usize, key: Key, deletion: usize },
    /// A record is listed whose count is not above what was asked for.
    NotAbove { read: usize, key: Key },
    /// A record's count is above the dataset's.
    AboveCount { read: usize, key: Key },
    /// A listing for a count above the dataset's was answered.
    AheadListed { read: usize },
    /// A listing was refused for a count that the dataset had reached.
    AheadRefused { read: usize, knew: Option<usize> },
    /// A dataset is listed as existing that was never written to.
    Unwritten { read: usize },
    /// A deletion is not shown to who asks from before it.
    NotFlagged { read: usize, deletion: usize },
    /// A conflict although every count was right at all times.
    FalseConflict { write: usize, knew: Option<usize> },
    /// A conflict's message tells a count that the record never had.
    WrongTold { write: usize, key: Key, told: i64 },
    /// The dataset is said not to exist, and it did.
    Gone { operation: usize, knew: Option<usize> },
    /// A dataset was deleted that did not exist.
    DeletedNothing { deletion: usize },
    /// A deleted dataset is listed as if nothing had happened.
    StillThere { read: usize, deletion: usize },
    /// There is no moment at which the dataset can have been deleted.
    NotDeleted { deletion: usize },
}

impl Fault {
    /// Whether a write that nobody saw afterwards might explain it.
    pub(super) fn may_be_unseen_write(&self) -> bool {
        matches!(
            self,
            Self::FalseConflict { .. }
                | Self::Gone { .. }
                | Self::AheadRefused { .. }
                | Self::DeletedNothing { .. }
                | Self::NotDeleted { .. }
        )
    }

    /// The calls, the offending one last.
    fn operations(&self) -> Vec<usize> {
        let all = match *self {
            Self::SplitCounts { write } | Self::OtherAnswer { write, .. } | Self::WrongTold { write, .. } => {
                vec![write]
            }
            Self::SameCount { first, second, deletion } => {
                [Some(first), deletion, Some(second)].into_iter().flatten().collect()
            }
            Self::Gap { witness, .. } => vec![witness],
            Self::Stale { write, newer, .. } => vec![newer, write],
            Self::Behind { write, knew } => vec![knew, write],
            Self::Old { read, knew } => vec![knew, read],
            Self::Phantom { read, .. }
            | Self::NotAbove { read, .. }
            | Self::AboveCount { read, .. }
            | Self::AheadListed { read }
            | Self::Unwritten { read } => vec![read],
            Self::RefusedShown { read, write }
            | Self::Twice { read, write, .. }
            | Self::Missing { read, write, .. }
            | Self::Partial { read, write, .. }
            | Self::Outdated { read, write, .. } => vec![write, read],
            Self::Resurrected { read, deletion, .. }
            | Self::NotFlagged { read, deletion }
            | Self::StillThere { read, deletion } => vec![deletion, read],
            Self::AheadRefused { read: operation, knew }
            | Self::FalseConflict { write: operation, knew }
            | Self::Gone { operation, knew } => [knew, Some(operation)].into_iter().flatten().collect(),
            Self::DeletedNothing { deletion } | Self::NotDeleted { deletion } => vec![deletion],
        };
        let mut unique: Vec<usize> = Vec::new();
        for operation in all {
            if !unique.contains(&operation) {
                unique.push(operation);
            }
        }
        unique
    }

    /// The requirement that does not hold.
    fn requirement(&self, history: &History) -> &'static str {
        match *self {
            Self::SplitCounts { .. } | Self::AboveCount { .. } => "UpdateRecords/rule/record-carries-new-count",
            Self::OtherAnswer { write, key } if removes(&history.operations[write], key) => {
                "UpdateRecords/rule/removed-record-has-no-value"
            }
            Self::OtherAnswer { .. } => "UpdateRecords/rule/returns-written-records",
            Self::SameCount { deletion: None, .. } | Self::Gap { .. } | Self::Twice { .. } => {
                "UpdateRecords/rule/one-step-per-call"
            }
            Self::SameCount { deletion: Some(_), .. } => "UpdateRecords/rule/count-survives-deletion",
            Self::Stale { .. } => "UpdateRecords/rule/stale-sync-count",
            Self::Behind { knew, .. } | Self::Old { knew, .. } if is_conflict(&history.operations[knew]) => CONFLICT,
            Self::Behind { write, .. } if history.operations[write].call == Call::Delete => {
                "ListRecords/rule/deleted-dataset-is-no-error"
            }
            Self::Behind { .. } => "UpdateRecords/rule/record-carries-new-count",
            Self::Old { read, .. } if is_conflict(&history.operations[read]) => "UpdateRecords/rule/conflict-message",
            Self::RefusedShown { write, .. } => {
                let operation = &history.operations[write];
                if operation.patches().len() > 1 {
                    "UpdateRecords/rule/all-or-nothing"
                } else {
                    "UpdateRecords/rule/stale-sync-count"
                }
            }
            Self::Partial { .. } => "UpdateRecords/rule/all-or-nothing",
            Self::Missing { since: 0, .. } => "ListRecords/rule/zero-lists-all",
            Self::Missing { key, write, .. } if removes(&history.operations[write], key) => {
                "ListRecords/rule/tombstone"
            }
            Self::Missing { .. } | Self::NotAbove { .. } => "ListRecords/rule/last-sync-count-is-exclusive",
            Self::Resurrected { .. } => "ListRecords/rule/recreated-lists-new-records",
            Self::AheadListed { .. } => "ListRecords/rule/count-ahead-refused",
            Self::Unwritten { .. } => "ListRecords/rule/never-written-does-not-exist",
            Self::NotFlagged { .. } => "ListRecords/rule/recreated-is-flagged",
            Self::FalseConflict { .. } => CONFLICT,
            Self::WrongTold { .. } => "UpdateRecords/rule/conflict-message",
            Self::DeletedNothing { .. } => "DeleteDataset/rule/unknown-dataset",
            Self::Gone { operation, .. } if history.operations[operation].call == Call::Delete => {
                "DeleteDataset/rule/returns-dataset"
            }
            Self::StillThere { .. } | Self::NotDeleted { .. } => "ListRecords/rule/deleted-dataset-is-no-error",
            Self::Old { .. }
            | Self::Phantom { .. }
            | Self::Outdated { .. }
            | Self::AheadRefused { .. }
            | Self::Gone { .. } => "ListRecords/rule/shows-what-was-written",
        }
    }

    /// What is wrong, as a sentence.
    fn reason(&self, history: &History) -> String {
        let key = |key: Key| format!("{:?}", history.key_text(key));
        let count =
            |write: usize| history.operations[write].version().map_or(String::new(), |at| format!(" (count {at})"));
        match *self {
            Self::OtherAnswer { key: k, .. } => format!("The answer shows another value of {} than was sent.", key(k)),
            Self::SameCount { first, deletion: None, .. } => {
                format!("Two writes took the same count{}: at most one of them can have.", count(first))
            }
            Self::SameCount { first, .. } => {
                format!("After the deletion a count{} is taken for a second time.", count(first))
            }
            Self::Gap { version, .. } => {
                format!("The dataset's count has passed {version}, and no call can have made that step.")
            }
            Self::Stale { key: k, newer, .. } => format!(
                "The write to {} was accepted although its count was no longer the record's: another write{} came between.",
                key(k),
                count(newer)
            ),
            Self::Behind { write, .. }
                if history.operations[write].version().is_some() && !self.is_of_conflict(history) =>
            {
                format!("The write took a count{} that was reached before it was sent.", count(write))
            }
            Self::Phantom { key: k, .. } => format!("The listing shows {} as no call wrote it.", key(k)),
            Self::Twice { key: k, .. } => {
                format!("The listing shows {} at another count than the call took that wrote it.", key(k))
            }
            Self::Missing { key: k, .. } => format!("The listing lacks {}.", key(k)),
            Self::Partial { key: k, .. } => {
                format!("The listing shows a part of what one call wrote, and lacks {}.", key(k))
            }
            Self::Outdated { key: k, write, .. } => format!(
                "The listing shows {} as it was before a write{} that its own count includes.",
                key(k),
                count(write)
            ),
            Self::Resurrected { key: k, .. } => format!("The listing shows {} from before the deletion.", key(k)),
            Self::NotAbove { key: k, .. } => {
                format!("The listing shows {}, whose count is not above what was asked for.", key(k))
            }
            Self::AboveCount { key: k, .. } => {
                format!("The listing shows {} with a count above the dataset's.", key(k))
            }
            Self::WrongTold { key: k, told, .. } => {
                format!("The conflict tells the count {told} of {}, which that record never had.", key(k))
            }
            _ => self.plain_reason(history).to_owned(),
        }
    }

    /// The sentence where it needs no names.
    fn plain_reason(&self, history: &History) -> &'static str {
        match *self {
            Self::SplitCounts { .. } => "The records of one answer have different counts.",
            Self::Behind { .. } if self.is_of_conflict(history) => {
                "Only a later write explains the conflict, and that was not yet sent when the conflict was answered."
            }
            Self::Behind { .. } => "The deletion, or lost write, must stand before what was known when it was sent.",
            Self::Old { read, .. } if is_conflict(&history.operations[read]) => {
                "The conflict tells a count that the record no longer had when the write was sent."
            }
            Self::Old { .. } if self.is_of_conflict(history) => {
                "Only a later write explains the conflict, and a listing that was sent after it does not show that yet."
            }
            Self::Old { .. } => "The listing is older than what was known when it was sent.",
            Self::RefusedShown { .. } => "The listing shows what a refused call would have written.",
            Self::AheadListed { .. } => "The listing was asked for a count above the dataset's, and was answered.",
            Self::AheadRefused { .. } => {
                "The listing was refused for a count that the dataset had reached when it was sent."
            }
            Self::Unwritten { .. } => "The listing shows a dataset that exists at count 0.",
            Self::NotFlagged { .. } => "The listing does not tell of the deletion since the count that was asked for.",
            Self::FalseConflict { .. } => {
                "The write was refused with a conflict although its counts were right all the time."
            }
            Self::Gone { .. } => "The dataset is said not to exist, and it did all the time.",
            Self::DeletedNothing { .. } => "The dataset was deleted while it did not exist.",
            Self::StillThere { .. } => "The listing shows the dataset as it was, although it was deleted.",
            Self::NotDeleted { .. } => {
                "There is no moment while the deletion was on its way at which the dataset can have been deleted."
            }
            _ => "The answers contradict each other.",
        }
    }

    /// Whether it rests on where a conflict stands that others knew of.
    fn is_of_conflict(&self, history: &History) -> bool {
        matches!(*self, Self::Behind { knew, .. } | Self::Old { knew, .. } if is_conflict(&history.operations[knew]))
    }

    /// The part of the history that this is about.
    pub(super) fn part(&self, history: &History) -> Part {
        Part { operations: self.operations(), reason: self.reason(history), requirement: self.requirement(history) }
    }
}

/// What declares the conflict.
const CONFLICT: &str = "UpdateRecords/error/ResourceConflictException";

fn is_conflict(operation: &Operation) -> bool {
    matches!(operation.outcome, Outcome::Conflict { .. })
}

fn removes(operation: &Operation, key: Key) -> bool {
    operation.patches().iter().any(|patch| patch.key == key && patch.value.is_none())
}
