//! How targets fared, for a terminal.

use std::fmt::Write as _;

use super::Trend;
use crate::report::text::{BAD, BOLD, DIM, count, printable, styled};

/// A table for each target, the latest run last.
pub fn trend_text(trend: &Trend) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    for history in &trend.histories {
        let _ = writeln!(text, "{}", styled(BOLD, printable(&history.sentence())));
        if history.left_out > 0 {
            let _ =
                writeln!(text, "{}", styled(DIM, format_args!("{} left out", count(history.left_out, "earlier run"))));
        }
        let _ = writeln!(text, "{}", styled(DIM, format_args!("{:<20}  passed  failed  not judged", "began")));
        for night in &history.nights {
            let failed = format!("{:>6}", night.failed);
            let failed = if night.failed > 0 { styled(BAD, failed) } else { failed };
            let (passed, not_judged) = (night.passed, night.not_judged);
            let marks = printable(&night.marks.join("; ")).into_owned();
            let line = format!("{:<20}  {passed:>6}  {failed}  {not_judged:>10}  {marks}", night.started);
            let _ = writeln!(text, "{}", line.trim_end());
        }
        text.push('\n');
    }
    for (name, error) in &trend.unreadable {
        let _ = writeln!(text, "{} {}: {}", styled(BAD, "not read:"), printable(name), printable(error));
    }
    text
}
