//! Proof that the cases can fail: servers with exactly one requirement broken, and
//! the cases that must notice.
//!
//! An [`Alteration`] is the reference server, altered. A *mutant* breaks one
//! requirement (seldom several that say the same in different places), and every
//! one of these must be named by a finding of a case that claims to prove it. A
//! *variant* makes another choice that the sources allow: no case may fail or warn
//! because of it, and where it answers an open question otherwise, the case that
//! asks must note that.
//!
//! Most mutants are derived from the service description ([`derived`]); those of
//! rules in prose are listed below `rules`, since prose cannot be altered by rule.

mod alteration;
mod answers;
mod coverage;
mod derive;
mod proof;
mod rules;

pub use alteration::{Alteration, Kind};
pub use coverage::{Coverage, Row};
pub use derive::derived;
pub use proof::{Proof, Tried, prove};

/// Every alteration: the mutants derived from the description, those of the rules
/// in prose, and the variants.
pub fn alterations(service: &crate::spec::Service) -> Vec<Alteration> {
    let mut all = derived(service);
    all.extend(rules::all());
    all
}
