//! What a check comes to.

use super::operation::{History, Outcome};
use crate::judge::Level;
use crate::spec::Catalog;

/// What a check came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// There is an order of all calls in which every answer is right.
    Consistent(Counts),
    /// There is none, already because of this part.
    Inconsistent(Part),
    /// It could not be told.
    Unknown {
        /// Why, as a sentence.
        why: String,
    },
}

/// A part of a history that no order explains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The calls, as places in the history, the offending one last.
    pub operations: Vec<usize>,
    /// What is wrong with them, as a sentence.
    pub reason: String,
    /// The requirement that does not hold.
    pub requirement: &'static str,
}

impl Part {
    /// What it means, by the strength of the requirement.
    pub fn level(&self) -> Level {
        Catalog::embedded().get(self.requirement).map_or(Level::Fail, |requirement| requirement.strength.into())
    }
}

/// How much there was to go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// All calls.
    pub operations: usize,
    /// Updates and deletions that were made.
    pub written: usize,
    /// Updates that were refused with a conflict.
    pub conflicts: usize,
    /// Whole listings.
    pub listings: usize,
    /// Calls whose answer was lost.
    pub unknown: usize,
    /// Writes that were made, or may have been, while another client's write to the
    /// same dataset was on its way.
    pub overlapping: usize,
}

impl Counts {
    /// Counts a history.
    pub fn of(history: &History) -> Self {
        let mut counts = Self { operations: history.operations.len(), ..Self::default() };
        for operation in &history.operations {
            match operation.outcome {
                Outcome::Written(_) | Outcome::Deleted => counts.written += 1,
                Outcome::Conflict { .. } => counts.conflicts += 1,
                Outcome::Listed(_) => counts.listings += 1,
                Outcome::Unknown => counts.unknown += 1,
                Outcome::Missing | Outcome::Ahead | Outcome::Refused => {}
            }
        }
        counts.overlapping = overlapping(history);
        counts
    }

    /// What the history proves of concurrency, as a sentence.
    pub fn proof(&self) -> String {
        match self.overlapping {
            0 => "No two writes overlapped: nothing is proven about concurrency.".to_owned(),
            1 => "1 write overlapped with another.".to_owned(),
            many => format!("{many} writes overlapped with others."),
        }
    }
}

fn overlapping(history: &History) -> usize {
    let mut writes: Vec<_> = history.operations.iter().filter(|operation| operation.is_write()).collect();
    writes.sort_by_key(|operation| (operation.dataset, operation.invoked));
    let mut overlaps = vec![false; writes.len()];
    // At most one for each client that waits for its answer.
    let mut open: Vec<usize> = Vec::new();
    for at in 0..writes.len() {
        let write = writes[at];
        open.retain(|other| writes[*other].dataset == write.dataset && writes[*other].returned >= write.invoked);
        for other in &open {
            if writes[*other].client != write.client {
                overlaps[at] = true;
                overlaps[*other] = true;
            }
        }
        open.push(at);
    }
    writes.iter().zip(overlaps).filter(|(write, overlaps)| *overlaps && write.may_have_written()).count()
}
