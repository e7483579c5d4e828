//! What no case proves: `_excluded.toml` against the catalogue and the cases.

use super::case::{Case, Exclusion};
use super::file::{ExcludedFile, RawExclusion};
use super::resolve::Library;
use crate::source::{Source, matches};

/// Reads the exclusions. Each speaks of some requirement, of none that a case
/// names, and says why.
pub(super) fn exclusions(library: &Library<'_>, source: &Source<'_>, cases: &[Case]) -> Vec<Exclusion> {
    let file: ExcludedFile = match source.parse() {
        Ok(file) => file,
        Err(problem) => {
            library.report(problem);
            return Vec::new();
        }
    };
    file.excluded.iter().map(|raw| exclusion(library, source, cases, raw)).collect()
}

fn exclusion(library: &Library<'_>, source: &Source<'_>, cases: &[Case], raw: &RawExclusion) -> Exclusion {
    let reason = raw.reason.get_ref().trim();
    if reason.is_empty() {
        library.report(source.problem(&raw.reason.span(), "the reason is empty; say why no case can prove this"));
    }
    let lists = [&raw.requirements, &raw.mutants, &raw.unaltered, &raw.cases];
    if lists.iter().all(|list| list.is_empty()) {
        library.report(source.problem(&raw.reason.span(), "the exclusion names no requirement, no mutant and no case"));
    }
    for pattern in &raw.requirements {
        let excluded = |id: &&str| matches(pattern.get_ref(), id);
        let mut ids = library.catalog.iter().map(|requirement| requirement.id.as_str()).filter(excluded).peekable();
        if ids.peek().is_none() {
            let message = format!("no requirement matches `{}`", pattern.get_ref());
            library.report(source.problem(&pattern.span(), message));
        }
        for id in ids {
            if let Some(case) = cases.iter().find(|case| case.proves.iter().any(|proven| proven == id)) {
                let message = format!("`{id}` is excluded, but the case `{}` names it", case.id);
                library.report(source.problem(&pattern.span(), message));
            }
        }
    }
    for pattern in &raw.unaltered {
        if !library.catalog.iter().any(|requirement| matches(pattern.get_ref(), &requirement.id)) {
            let message = format!("no requirement matches `{}`", pattern.get_ref());
            library.report(source.problem(&pattern.span(), message));
        }
    }
    for pattern in &raw.cases {
        if !cases.iter().any(|case| matches(pattern.get_ref(), &case.id)) {
            let message = format!("no case matches `{}`", pattern.get_ref());
            library.report(source.problem(&pattern.span(), message));
        }
    }
    Exclusion {
        patterns: raw.requirements.iter().map(|pattern| pattern.get_ref().clone()).collect(),
        mutants: raw.mutants.iter().map(|pattern| pattern.get_ref().clone()).collect(),
        unaltered: raw.unaltered.iter().map(|pattern| pattern.get_ref().clone()).collect(),
        cases: raw.cases.iter().map(|pattern| pattern.get_ref().clone()).collect(),
        reason: reason.to_owned(),
        origin: source.origin(&raw.reason.span()),
    }
}
