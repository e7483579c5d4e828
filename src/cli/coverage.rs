//! `syncspec coverage`: requirement ↔ cases ↔ mutants.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::args::{CoverageArgs, Format};
use super::output::Output;
use super::{Exit, NOTHING_SELECTED, inspect, open};
use crate::cases::Exclusion;
use crate::prove::{Coverage, Row, alterations};
use crate::report::{hanging, wrapped};
use crate::source::selects;
use crate::spec::{RequirementKind, Strength};

/// A requirement has neither case nor reason, or no mutant.
const NOT_COVERED: u8 = 1;

pub(super) fn coverage(args: &CoverageArgs, output: &Output) -> Result<u8, Exit> {
    let (service, catalog) = inspect::service();
    let suite = open::suite(&args.suite)?;
    let alterations = alterations(service);
    let mut coverage = Coverage::of(catalog, &suite, &alterations);
    for filter in &args.filters {
        if !coverage.rows.iter().any(|row| selects(filter, &row.requirement.id)) {
            let message = format!("no requirement matches `{filter}`");
            return Err(Exit { code: NOTHING_SELECTED, message });
        }
    }
    if !args.filters.is_empty() {
        coverage.rows.retain(|row| args.filters.iter().any(|filter| selects(filter, &row.requirement.id)));
    }
    match args.format {
        Format::Json => inspect::print_json(output, &document(&coverage))?,
        Format::Text if args.filters.is_empty() => output.text(&overview(&coverage, &suite.excluded, output.width())),
        Format::Text => {
            output.text(&coverage.rows.iter().map(|row| one_by_one(row, output.width())).collect::<String>());
        }
    }
    Ok(if coverage.gaps().next().is_none() { 0 } else { NOT_COVERED })
}

/// Counts of requirements.
#[derive(Default)]
struct Counts {
    all: usize,
    proven: usize,
    observed: usize,
    excluded: usize,
    gaps: usize,
}

impl Counts {
    fn add(&mut self, row: &Row<'_>) {
        self.all += 1;
        match (row.gap(), row.excluded) {
            (Some(_), _) => self.gaps += 1,
            (None, Some(_)) => self.excluded += 1,
            (None, None) if row.requirement.strength == Strength::Open => self.observed += 1,
            (None, None) => self.proven += 1,
        }
    }

    fn line(&self, name: &str) -> String {
        let Self { all, proven, observed, excluded, gaps } = self;
        format!("{name:<30}{all:>8}{proven:>8}{observed:>10}{excluded:>10}{gaps:>8}\n")
    }
}

fn overview(coverage: &Coverage<'_>, exclusions: &[Exclusion], width: usize) -> String {
    let mut total = Counts::default();
    let mut by_kind: BTreeMap<usize, Counts> = BTreeMap::new();
    let mut by_action: BTreeMap<&str, Counts> = BTreeMap::new();
    for row in &coverage.rows {
        let kind = RequirementKind::ALL.iter().position(|kind| *kind == row.requirement.kind).unwrap_or_default();
        by_kind.entry(kind).or_default().add(row);
        by_action.entry(row.requirement.operation.as_deref().unwrap_or("service")).or_default().add(row);
        total.add(row);
    }
    let head = |what: &str| format!("{what:<30}     all  judged  observed  excluded    gaps\n");
    let mut text = head("kind");
    by_kind.iter().for_each(|(kind, counts)| text.push_str(&counts.line(RequirementKind::ALL[*kind].name())));
    text.push('\n');
    text.push_str(&head("action"));
    by_action.iter().for_each(|(action, counts)| text.push_str(&counts.line(action)));
    text.push_str(&total.line("total"));
    text.push_str("\nexcluded:\n");
    for exclusion in exclusions.iter().filter(|exclusion| !exclusion.patterns.is_empty()) {
        let covered = coverage.rows.iter().filter(|row| exclusion.covers(&row.requirement.id)).count();
        text += &hanging(&exclusion.patterns.join(", "), width, &format!("{covered:>4}  "), "      ");
        text += &wrapped(&exclusion.reason, width, "      ");
    }
    for (row, gap) in coverage.gaps() {
        text += &hanging(&format!("gap: {}: {gap}", row.requirement.id), width, "", "  ");
    }
    let Counts { all, proven, observed, excluded, gaps } = total;
    let sentences = format!(
        "{all} requirements: {proven} judged by a case that a mutant puts to the test, {observed} open ones observed, \
         {excluded} excluded with a reason, {gaps} gaps\nsyncspec prove shows that the cases catch the mutants"
    );
    text + "\n" + &wrapped(&sentences, width, "")
}

fn one_by_one(row: &Row<'_>, width: usize) -> String {
    let Row { requirement, cases, alterations, excluded } = row;
    let mut text = hanging(&format!("{} ({})", requirement.id, requirement.strength), width, "", "  ");
    text += &wrapped(&requirement.statement, width, "  ");
    let list = |names: &[&str]| names.iter().map(|name| format!("    {name}\n")).collect::<String>();
    let lists = [("cases", cases), ("mutants and variants", alterations)];
    for (what, names) in lists.into_iter().filter(|(_, names)| !names.is_empty()) {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "  {what}:\n{}", list(names));
    }
    if let Some(reason) = excluded {
        text += &hanging(&format!("excluded: {reason}"), width, "  ", "    ");
    }
    if let Some(gap) = row.gap() {
        text += &hanging(&format!("gap: {gap}"), width, "  ", "    ");
    }
    text
}

fn document(coverage: &Coverage<'_>) -> Value {
    let row = |row: &Row<'_>| {
        json!({
            "requirement": row.requirement.id,
            "kind": row.requirement.kind,
            "action": row.requirement.operation,
            "strength": row.requirement.strength,
            "cases": row.cases,
            "mutants": row.alterations,
            "excluded": row.excluded,
            "gap": row.gap(),
        })
    };
    json!({ "requirements": coverage.rows.iter().map(row).collect::<Vec<_>>() })
}
