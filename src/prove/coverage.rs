//! Requirement ↔ cases ↔ mutants, and what has neither.

use std::collections::HashMap;

use super::alteration::{Alteration, Kind};
use crate::cases::{Exclusion, Suite};
use crate::spec::{Catalog, Requirement, Strength};

/// Every requirement, with who proves it.
#[derive(Debug)]
pub struct Coverage<'a> {
    /// In the order of the catalogue.
    pub rows: Vec<Row<'a>>,
}

/// A requirement, with who proves it.
#[derive(Debug)]
pub struct Row<'a> {
    /// The requirement.
    pub requirement: &'a Requirement,
    /// Ids of the cases that name it.
    pub cases: Vec<&'a str>,
    /// Names of the mutants that break it; of an open requirement, the variants
    /// that answer it otherwise.
    pub alterations: Vec<&'a str>,
    /// Why no case can prove it, or why nothing can be altered for those that do, if
    /// the suite says so.
    pub excluded: Option<&'a str>,
}

impl Row<'_> {
    /// What is missing, in words; nothing if the requirement has a case and an
    /// alteration that shows what the case is good for, or a reason for having none.
    pub fn gap(&self) -> Option<&'static str> {
        let open = self.requirement.strength == Strength::Open;
        match (self.cases.is_empty(), self.alterations.is_empty(), self.excluded) {
            (_, _, Some(_)) | (false, false, None) => None,
            (true, _, None) => Some("neither a case nor a reason for having none"),
            (false, true, None) if open => Some("no variant that answers it otherwise"),
            (false, true, None) => Some("no mutant that breaks it"),
        }
    }
}

impl<'a> Coverage<'a> {
    /// Joins the three. Whether cases do catch the mutants, only
    /// [`prove`](super::prove) can tell.
    pub fn of(catalog: &'a Catalog, suite: &'a Suite, alterations: &'a [Alteration]) -> Self {
        let mut cases: HashMap<&str, Vec<&str>> = HashMap::new();
        for case in &suite.cases {
            for id in &case.proves {
                cases.entry(id).or_default().push(&case.id);
            }
        }
        let mut altered: HashMap<(Kind, &str), Vec<&str>> = HashMap::new();
        for alteration in alterations {
            for id in &alteration.requirements {
                altered.entry((alteration.kind, id)).or_default().push(&alteration.name);
            }
        }
        let row = |requirement: &'a Requirement| {
            let id = requirement.id.as_str();
            let open = requirement.strength == Strength::Open;
            let kind = if open { Kind::Variant } else { Kind::Mutant };
            let cases = cases.remove(id).unwrap_or_default();
            let alterations = altered.remove(&(kind, id)).unwrap_or_default();
            let speaks = |exclusion: &&Exclusion| {
                exclusion.covers(id) || alterations.is_empty() && exclusion.leaves_unaltered(id)
            };
            let excluded = suite.excluded.iter().find(speaks);
            Row { requirement, cases, alterations, excluded: excluded.map(|exclusion| exclusion.reason.as_str()) }
        };
        Self { rows: catalog.iter().map(row).collect() }
    }

    /// The rows that lack something.
    pub fn gaps(&self) -> impl Iterator<Item = (&Row<'a>, &'static str)> {
        self.rows.iter().filter_map(|row| Some((row, row.gap()?)))
    }
}
