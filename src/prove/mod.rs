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
#[cfg(test)]
mod tests;
mod tolerance;

use crate::reference::Race;
use crate::spec::Service;

pub use alteration::{Alteration, Kind};
pub use coverage::{Coverage, Row};
pub use derive::derived;
pub use proof::{Effort, Proof, Tried, prove};
pub use tolerance::tolerance;

/// Every alteration: the mutants derived from the description, those of the rules
/// in prose, the variants, and strangers: several variants in one.
pub fn alterations(service: &Service) -> Vec<Alteration> {
    let mut all = derived(service);
    all.extend(rules::all());
    let strangers = strangers(&all);
    all.extend(strangers);
    all
}

/// Servers in which calls that come at the same time get in each other's way. Cases
/// send one request after the other and cannot see it, so these are no part of the
/// [proof](prove()): `syncspec fuzz --clients` is what finds them.
pub fn races() -> Vec<Alteration> {
    vec![
        Alteration::racing(
            "checked-then-written",
            "A write is checked first and made a moment later, whatever came between.",
            &["UpdateRecords/rule/stale-sync-count"],
            Race::CheckedThenWritten,
        ),
        Alteration::racing(
            "written-on-a-copy",
            "A write is made on a copy that is then put in place of whatever is there.",
            &["UpdateRecords/rule/one-step-per-call"],
            Race::WrittenOnCopy,
        ),
        Alteration::racing(
            "listed-from-a-copy",
            "Listings are answered from a copy that may be some milliseconds old.",
            &["ListRecords/rule/shows-what-was-written"],
            Race::ListedFromCopy,
        ),
    ]
}

/// Variants of which the first leaves nothing that the second could decide.
const APART: [(&str, &str); 1] = [("no-patches-refused", "function-sees-no-patches")];

/// Servers that decide otherwise than the reference wherever they may: what somebody
/// would build who read the same sources and never saw the reference. Each has as
/// many variants as go together; no two that answer the same question.
fn strangers(all: &[Alteration]) -> Vec<Alteration> {
    let mut groups: Vec<Vec<Alteration>> = Vec::new();
    // Without what a server does not offer, the cases that need it would be skipped.
    let is_whole = |alteration: &&Alteration| alteration.kind == Kind::Variant && alteration.withdrawn.is_empty();
    for variant in all.iter().filter(is_whole) {
        let differs = |other: &Alteration| {
            let shared = |id: &String| other.requirements.contains(id);
            let apart = [(&*variant.name, &*other.name), (&*other.name, &*variant.name)];
            !variant.requirements.iter().any(shared) && !APART.iter().any(|pair| apart.contains(pair))
        };
        // What answers no question stands alone: it may contradict another.
        let room = groups.iter_mut().find(|group| group.iter().all(differs));
        match room.filter(|_| !variant.requirements.is_empty()) {
            Some(group) => group.push(variant.clone()),
            None if variant.requirements.is_empty() => {}
            None => groups.push(vec![variant.clone()]),
        }
    }
    let named = groups.iter().zip(1_usize..).map(|(group, number)| {
        let names: Vec<&str> = group.iter().map(|variant| variant.name.as_str()).collect();
        let about = format!("A server of its own mind: {}.", names.join(", "));
        Alteration::together(&format!("stranger-{number}"), &about, group)
    });
    named.collect()
}
