//! How targets fared, for the summary of a job.

use std::fmt::Write as _;

use super::Trend;
use crate::report::md::{Page, code, prose};
use crate::report::text::count;

/// A table for each target, the latest run first.
pub fn trend_markdown(trend: &Trend) -> String {
    let mut page = Page::new(&format!("{} over time", count(trend.histories.len(), "target")));
    for history in &trend.histories {
        let mut block = format!("{}\n\n", prose(&history.sentence()));
        block += "| began | passed | failed | not judged | |\n|---|---:|---:|---:|---|\n";
        for night in history.nights.iter().rev() {
            let (started, marks) = (prose(&night.started), prose(&night.marks.join("; ")));
            let _ =
                writeln!(block, "| {started} | {} | {} | {} | {marks} |", night.passed, night.failed, night.not_judged);
        }
        if history.left_out > 0 {
            // Writing to a string cannot fail.
            let _ = write!(block, "\n{} left out\n", count(history.left_out, "earlier run"));
        }
        page.add(&block);
    }
    for (name, error) in &trend.unreadable {
        page.add(&format!("> not read: {}: {}\n", code(name), prose(error)));
    }
    page.finish()
}
