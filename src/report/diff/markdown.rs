//! How two runs differ, for the summary of a job.

use super::{ChangeKind, Diff};
use crate::report::md::{Page, code, prose};
use crate::report::text::{count, moment};

/// The runs, the sentence, and a list for each kind of change.
pub fn diff_markdown(diff: &Diff) -> String {
    let mut page = Page::new(&diff.sentence());
    page.add(&format!("{}\n", prose(&diff.title(moment))));
    for note in &diff.notes {
        page.add(&format!("> {}\n", prose(note)));
    }
    for kind in ChangeKind::ALL.into_iter().filter(|kind| diff.count(*kind) > 0) {
        let title = format!("{}: {}", kind.name(), count(diff.count(kind), "case"));
        let open = kind.is_regression();
        let lines = diff.told(kind).map(|change| {
            let why = change.why();
            let why = if why.is_empty() { why } else { format!(": {}", code(&why)) };
            format!("- {} {}{why}\n", code(&change.case), prose(&change.verdicts()))
        });
        page.list(&title, open, lines, diff.untold(kind));
    }
    page.finish()
}
