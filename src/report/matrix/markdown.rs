//! The matrix for the summary of a job.

use std::fmt::Write as _;

use super::{Matrix, Row};
use crate::report::md::{Page, cell, folded, prose};
use crate::report::share::percent;
use crate::report::text::count;

/// The targets with their two numbers, a table for each group with something to see, and
/// the disputes.
pub fn matrix_markdown(matrix: &Matrix) -> String {
    let mut page = Page::new(&matrix.sentence());
    for note in &matrix.notes {
        page.add(&format!("> {}\n", prose(note)));
    }
    let mut targets =
        "| | target | conforms, of what was judged | could be judged, of all |\n|---|---|---|---|\n".to_owned();
    for (index, column) in matrix.columns.iter().enumerate() {
        let counted = column.count();
        let (conforming, judged, all) = (counted.conforming(), counted.judged(), counted.all());
        // Writing to a string cannot fail.
        let _ = writeln!(
            targets,
            "| {} | {} | {} ({conforming} of {judged}) | {} ({judged} of {all}) |",
            index + 1,
            prose(&column.label),
            percent(conforming, judged),
            percent(judged, all)
        );
    }
    page.add(&targets);
    let mut quiet = 0;
    for group in &matrix.groups {
        let (loud, rest): (Vec<_>, Vec<_>) = group.rows.iter().partition(|row| !row.is_quiet());
        quiet += rest.len();
        if !loud.is_empty() {
            let title = format!("{}, {}: {}", group.action, group.kind, count(loud.len(), "requirement"));
            page.add(&table(&title, &loud, matrix));
        }
    }
    page.add(&format!("{} conform wherever they were judged.\n", count(quiet, "requirement")));
    if !matrix.disputes.is_empty() {
        let mut block = folded("Where the sources disagree", false) + &head("question", matrix);
        for dispute in &matrix.disputes {
            let answer = |answer: &Option<String>| answer.as_deref().map_or("not shown".to_owned(), prose);
            let answers: Vec<_> = dispute.answers.iter().map(answer).collect();
            let _ = writeln!(block, "| {} | {} |", prose(&dispute.question), answers.join(" | "));
        }
        page.add(&(block + "\n</details>\n"));
    }
    page.finish()
}

fn head(first: &str, matrix: &Matrix) -> String {
    let labels: Vec<_> = matrix.columns.iter().map(|column| prose(&column.label)).collect();
    format!("| {first} | {} |\n|---|{}\n", labels.join(" | "), "---|".repeat(labels.len()))
}

fn table(title: &str, rows: &[&Row], matrix: &Matrix) -> String {
    let mut block = folded(title, true) + &head("requirement", matrix);
    for row in rows {
        let cells: Vec<_> = row.cells.iter().map(|standing| standing.name()).collect();
        let _ = writeln!(block, "| {} | {} |", cell(&row.id), cells.join(" | "));
    }
    block + "\n</details>\n"
}
