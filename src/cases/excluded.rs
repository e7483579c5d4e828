//! What no case proves: `_excluded.toml` against the catalogue and the cases.

use std::collections::HashMap;
use std::sync::Arc;

use toml::Spanned;

use super::case::{Case, Exclusion};
use super::file::{ExcludedFile, RawExclusion};
use super::resolve::Library;
use crate::source::{Glob, Source};

/// Reads the exclusions. Each speaks of some requirement, of none that a case
/// names, and says why.
pub(super) fn exclusions(library: &Library<'_>, source: &Source<'_>, cases: &[Arc<Case>]) -> Vec<Exclusion> {
    let file: ExcludedFile = match source.parse() {
        Ok(file) => file,
        Err(problem) => {
            library.report(problem);
            return Vec::new();
        }
    };
    let mut proven = HashMap::new();
    for case in cases {
        case.proves.iter().for_each(|id| {
            proven.entry(id.as_str()).or_insert(case.id.as_str());
        });
    }
    file.excluded.iter().map(|raw| exclusion(library, source, cases, &proven, raw)).collect()
}

/// `proven` has the first case for each requirement that one names.
fn exclusion(
    library: &Library<'_>,
    source: &Source<'_>,
    cases: &[Arc<Case>],
    proven: &HashMap<&str, &str>,
    raw: &RawExclusion,
) -> Exclusion {
    let reason = raw.reason.get_ref().trim();
    if reason.is_empty() {
        library.report(source.problem(&raw.reason.span(), "the reason is empty; say why no case can prove this"));
    }
    let lists = [&raw.requirements, &raw.mutants, &raw.unaltered, &raw.cases];
    if lists.iter().all(|list| list.is_empty()) {
        library.report(source.problem(&raw.reason.span(), "the exclusion names no requirement, no mutant and no case"));
    }
    let of_catalog = |pattern: &Spanned<String>| {
        let all = library.catalog.iter().map(|requirement| requirement.id.as_str());
        let glob = Glob::new(pattern.get_ref());
        let ids: Vec<&str> = all.filter(|id| glob.matches(id)).collect();
        if ids.is_empty() {
            let message = format!("no requirement matches `{}`", pattern.get_ref());
            library.report(source.problem(&pattern.span(), message));
        }
        ids
    };
    for pattern in &raw.requirements {
        for id in of_catalog(pattern) {
            if let Some(case) = proven.get(id) {
                let message = format!("`{id}` is excluded, but the case `{case}` names it");
                library.report(source.problem(&pattern.span(), message));
            }
        }
    }
    for pattern in &raw.unaltered {
        of_catalog(pattern);
    }
    for pattern in &raw.cases {
        let glob = Glob::new(pattern.get_ref());
        if !cases.iter().any(|case| glob.matches(&case.id)) {
            let message = format!("no case matches `{}`", pattern.get_ref());
            library.report(source.problem(&pattern.span(), message));
        }
    }
    Exclusion {
        patterns: texts(&raw.requirements),
        mutants: texts(&raw.mutants),
        unaltered: texts(&raw.unaltered),
        cases: texts(&raw.cases),
        reason: reason.to_owned(),
        origin: source.origin(&raw.reason.span()),
    }
}

fn texts(patterns: &[Spanned<String>]) -> Vec<String> {
    patterns.iter().map(|pattern| pattern.get_ref().clone()).collect()
}
