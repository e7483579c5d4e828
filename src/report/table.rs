//! The table of a summary: a row for each action, a column for each verdict.

use std::iter;

use anstyle::Style;

use super::summary::{Summary, Tally};
use super::text::{BOLD, DIM, duration, printable, styled, verdict_style};
use crate::judge::Verdict;

/// The table, with a column for each verdict that occurs; nothing when there
/// are no results.
pub(super) fn table(summary: &Summary) -> String {
    if summary.total.cases() == 0 {
        return String::new();
    }
    let columns: Vec<_> = Verdict::ALL.into_iter().filter(|verdict| summary.total.of(*verdict) > 0).collect();
    let names = columns.iter().map(|verdict| (BOLD, verdict.name().to_owned()));
    let head = iter::once((BOLD, "action".to_owned()))
        .chain(names)
        .chain([(BOLD, "cases".to_owned()), (BOLD, "time".to_owned())])
        .collect();
    let actions = summary.actions.iter().map(|(action, tally)| row(Style::new(), action, tally, &columns));
    let total = row(BOLD, "total", &summary.total, &columns);
    aligned(&iter::once(head).chain(actions).chain([total]).collect::<Vec<_>>())
}

type Row = Vec<(Style, String)>;

fn row(style: Style, name: &str, tally: &Tally, columns: &[Verdict]) -> Row {
    let cell = |verdict: &Verdict| match tally.of(*verdict) {
        0 => (DIM, "·".to_owned()),
        count => (verdict_style(*verdict), count.to_string()),
    };
    iter::once((style, printable(name).into_owned()))
        .chain(columns.iter().map(cell))
        .chain([(style, tally.cases().to_string()), (DIM, duration(tally.duration_us))])
        .collect()
}

/// Pads cells before they are styled: the first column to the left, all others
/// to the right.
fn aligned(rows: &[Row]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|(_, text)| text.chars().count()).max();
    let widths: Vec<_> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let cell = |(column, (style, text)): (usize, &(Style, String))| {
        let width = widths[column];
        let padded = if column == 0 { format!("{text:<width$}") } else { format!("  {text:>width$}") };
        styled(*style, padded)
    };
    rows.iter().map(|row| row.iter().enumerate().map(cell).collect::<String>() + "\n").collect()
}
