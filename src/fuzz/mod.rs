//! Finds what no listed case thinks of: makes up traffic, compares every answer with
//! what the sources allow, and hands a failure on as an ordinary case.
//!
//! # Sequences
//!
//! [`fuzz`] plays sequences of operations, one client at a time, against
//! an endpoint. `operation` says what a sequence is made of, `generate` draws
//! sequences from a seed, `model` says what may be answered, `play` sends and
//! compares, `shrink` finds the smallest sequence that still fails, and
//! `write_case` turns it into a case file.
//!
//! The guide is `docs/fuzzing.md`.

mod campaign;
mod generate;
mod model;
mod operation;
mod play;
mod send;
mod shrink;
mod term;
mod want;
mod write_case;

pub use campaign::{Found, Progress, Report, Settings, fuzz};
pub use operation::{
    Change, CountPick, List, ListToken, Operation, Patch, Place, Sequence, SincePick, TokenPick, Update, ValuePick, Who,
};
pub use play::Tally;
pub use send::Endpoints;
pub use shrink::{Budget, Replayed};
pub use write_case::CaseFile;
