//! The matrix for a terminal.

use std::fmt::Write as _;

use super::{Matrix, Row};
use crate::report::share::percent;
use crate::report::standing::Standing;
use crate::report::text::{BOLD, DIM, count, excerpt, printable, styled};

/// Longest answer to a dispute, in characters.
const MOST_ANSWER: usize = 100;

/// One letter for each standing, so that many targets fit beside each other.
fn letter(standing: Standing) -> char {
    match standing {
        Standing::Broken => 'B',
        Standing::InDoubt => 'D',
        Standing::Noted => 'n',
        Standing::Holds => '+',
        Standing::Unjudged => '?',
        Standing::Unasked => '·',
    }
}

/// The targets with their two numbers, the requirements that call for attention, and
/// the disputes.
pub fn matrix_text(matrix: &Matrix) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    for (index, column) in matrix.columns.iter().enumerate() {
        let (counted, label) = (column.count(), printable(&column.label));
        let (conforming, judged) = (counted.conforming(), counted.judged());
        let _ = writeln!(
            text,
            "{}  {label}: {} of {judged} judged conform ({}), {} of {} could be judged",
            styled(BOLD, index + 1),
            conforming,
            percent(conforming, judged),
            percent(judged, counted.all()),
            count(counted.all(), "requirement"),
        );
    }
    for note in &matrix.notes {
        let _ = writeln!(text, "{}", styled(DIM, printable(note)));
    }
    rows(&mut text, matrix);
    if !matrix.disputes.is_empty() {
        let _ = writeln!(text, "\n{}", styled(BOLD, "where the sources disagree"));
    }
    for dispute in &matrix.disputes {
        let _ = writeln!(text, "{}", printable(&dispute.question));
        for (index, answer) in dispute.answers.iter().enumerate() {
            let answer = answer.as_deref().unwrap_or("not shown");
            let _ = writeln!(text, "{:>3} {}", index + 1, excerpt(&printable(answer), MOST_ANSWER, 0));
        }
    }
    let _ = writeln!(text, "\n{}", printable(&matrix.sentence()));
    text
}

/// The requirements that call for attention, with a legend, and how many others there are.
fn rows(text: &mut String, matrix: &Matrix) {
    let quiet = matrix.groups.iter().flat_map(|group| &group.rows).filter(|row| row.is_quiet()).count();
    let conform = format!("{} conform wherever they were judged", count(quiet, "requirement"));
    if matrix.groups.iter().all(|group| group.rows.iter().all(Row::is_quiet)) {
        let _ = writeln!(text, "\nnothing calls for attention: {conform}");
        return;
    }
    let _ = writeln!(text, "\n{}", styled(DIM, "B broken  D in doubt  n noted  + holds  ? not judged  · not asked"));
    let numbers: String = (1..=matrix.columns.len()).map(|number| format!("{number:>3}")).collect();
    let _ = writeln!(text, "{numbers}");
    for group in &matrix.groups {
        let mut loud = group.rows.iter().filter(|row| !row.is_quiet()).peekable();
        if loud.peek().is_some() {
            let _ = writeln!(text, "\n{}", styled(BOLD, format_args!("{}, {}", printable(&group.action), group.kind)));
        }
        loud.for_each(|row| line(text, row));
    }
    let _ = writeln!(text, "\n{conform}");
}

fn line(text: &mut String, row: &Row) {
    let cells: String = row.cells.iter().map(|standing| format!("{:>3}", letter(*standing))).collect();
    let _ = writeln!(text, "{cells}  {}", printable(&row.id));
}
