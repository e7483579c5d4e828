//! What several clients did to datasets at the same time, and whether the rules of
//! a dataset allow what they saw.
//!
//! A [`History`] holds calls with the moments at which they were sent and answered.
//! [`check`] asks whether the calls on each dataset can be put in one order, each at
//! a moment between its sending and its answer, in which every answer is right
//! (linearizability), and answers with a [`Verdict`]. Nothing here does IO or knows
//! a clock.
//!
//! # How
//!
//! The counts in the answers give the order of the writes, so that nothing has to be
//! searched for: one sweep over the history in the order of time carries the
//! highest count that anybody knew, and asks of each answer whether it is true at
//! some count from there on. That costs `O(n log n)`. What the counts leave open is
//! which count a call took whose answer was lost, and where among the writes a
//! deletion stands, since its answer names no count. Most of these are settled by
//! what was read later, because every value is written once only. What remains is
//! searched, and the search has a budget: when that ends, so does the answer, with
//! [`Verdict::Unknown`] and never with "fine".
//!
//! # What is demanded, and what is not
//!
//! Every [`Part`] names the requirement that does not hold. Where sources are
//! silent, any answer is right:
//!
//! - a patch with a count above its record's, or above 0 for no record, may be
//!   accepted or be a conflict;
//! - a deletion may or may not take a step of the count, but does the same each
//!   time; what a deleted dataset lists beside `DatasetExists` is not looked at;
//! - tombstones may be missing from a listing from 0, and those of before a
//!   deletion may be listed after it;
//! - refusals that are no conflict say nothing but that nothing was written.
//!
//! # What histories must be like
//!
//! Datasets are fresh, and written to by nobody else, such as a function behind
//! `SyncTrigger`. No value is written by two calls, no key stands twice in a call,
//! and a listing is one page. Who sends a call again because its answer was lost,
//! records both as one: sent at the first moment, answered at the last, with the
//! outcome of the last try if that was accepted, and unknown if it was anything
//! else, as the first may have been applied.

mod check;
mod operation;
mod picture;
mod verdict;
mod words;

#[cfg(test)]
mod tests;

pub use check::check;
pub use operation::{Call, History, Key, Listing, Operation, Outcome, Patch, Record, Value};
pub use picture::timeline;
pub use verdict::{Counts, Part, Verdict};
pub use words::in_words;
