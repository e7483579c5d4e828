//! How two runs differ, for a terminal and for a log.

use std::fmt::Write as _;

use super::{ChangeKind, Diff};
use crate::report::text::{BAD, BOLD, DIM, GOOD, count, printable, styled, verdict_style};

/// Most changes of one kind that get a line each.
const MOST_LINES: usize = 200;

/// A line for the two runs, one for each change, and the sentence.
pub fn diff_text(diff: &Diff) -> String {
    let mut text = format!("{}\n", styled(BOLD, printable(&diff.title(str::to_owned))));
    for note in &diff.notes {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", styled(DIM, printable(note)));
    }
    let width = diff.changes.iter().map(|change| change.kind.name().len()).max().unwrap_or(0);
    for kind in ChangeKind::ALL {
        let style = match kind {
            ChangeKind::NewlyPassing => GOOD,
            ChangeKind::Added => DIM,
            _ if kind.is_regression() => BAD,
            _ => verdict_style(crate::judge::Verdict::Warn),
        };
        for change in diff.told(kind).take(MOST_LINES) {
            let label = styled(style, format_args!("{:<width$}", kind.name()));
            let line = format!("{label}  {}  {}  {}", printable(&change.case), change.verdicts(), change.why());
            let _ = writeln!(text, "{}", line.trim_end());
        }
        let more = diff.count(kind).saturating_sub(MOST_LINES);
        if more > 0 {
            let _ = writeln!(text, "{}", styled(DIM, format_args!("… {} {}", count(more, "more case"), kind.name())));
        }
    }
    let style = if diff.is_regression() { BAD } else { GOOD };
    text + &styled(style, printable(&diff.sentence())) + "\n"
}
