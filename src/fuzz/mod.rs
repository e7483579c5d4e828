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
//! # Several clients at once
//!
//! [`concurrent`] lets several clients work on one dataset, truly in parallel, and
//! asks whether what they saw can have been. [`faults`] stands between them and the
//! endpoint, loses requests and answers, and so finds out whether a call whose answer
//! was lost is made once, or not at all.
//!
//! # Histories
//!
//! [`history`] holds what several clients did to datasets at the same time, and
//! tells whether the dataset's rules allow what they saw.
//!
//! The guide is `docs/fuzzing.md`.

mod campaign;
pub mod concurrent;
mod dice;
pub mod faults;
mod generate;
pub mod history;
mod line;
mod model;
mod operation;
mod play;
mod send;
mod shrink;
mod term;
mod want;
mod write_case;

pub use campaign::{Found, Progress, Report, Settings, fuzz};
pub use concurrent::{Finished, Settings as ClientSettings, fuzz as fuzz_clients};
pub use faults::{Faults, Shares};
pub use history::{Part, Verdict, in_words, timeline};
pub use operation::{
    Change, CountPick, List, ListToken, Operation, Patch, Place, Sequence, SincePick, TokenPick, Update, ValuePick, Who,
};
pub use play::Tally;
pub use send::Endpoints;
pub use shrink::{Budget, Replayed};
pub use write_case::CaseFile;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::spec::{Catalog, Strength};

    /// Every rule that the model names exists, and is none that is open: of those it
    /// must demand nothing.
    #[test]
    fn the_rules_of_the_model_are_rules_that_can_be_broken() {
        let sources = [
            include_str!("model/update.rs"),
            include_str!("model/list.rs"),
            include_str!("model/figures.rs"),
            include_str!("model/quota.rs"),
            include_str!("play.rs"),
        ];
        let quoted = sources.iter().flat_map(|source| source.split('"').skip(1).step_by(2));
        let ids: BTreeSet<&str> =
            quoted.filter(|text| ["/rule/", "/limit/"].iter().any(|kind| text.contains(kind))).collect();
        assert!(ids.len() > 70, "{}", ids.len());
        for id in ids {
            let known = Catalog::embedded().get(id).unwrap_or_else(|| panic!("there is no `{id}`"));
            assert_ne!(known.strength, Strength::Open, "{id}");
        }
    }
}
