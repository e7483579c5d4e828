//! How two runs differ, as a page.

use askama::Template;

use super::{Change, ChangeKind, Diff};
use crate::report::curl::quote;
use crate::report::failure::short;
use crate::report::html::filters;
use crate::report::text::{grouped, moment, printable};
use crate::run::CaseResult;

#[derive(Template)]
#[template(path = "diff.html")]
struct Page {
    title: String,
    sentence: String,
    tone: &'static str,
    notes: Vec<String>,
    sections: Vec<Section>,
    same: String,
    earlier: usize,
}

struct Section {
    id: &'static str,
    name: &'static str,
    says: &'static str,
    count: String,
    changes: Vec<View>,
    untold: usize,
}

/// A case that differs.
struct View {
    case: String,
    verdicts: Vec<&'static str>,
    /// Where the evidence is.
    link: String,
    about: String,
    before: String,
    after: String,
    turns: usize,
    rerun: String,
}

/// The page. `page` is the address of the new run's own page, if there is one: cases
/// then lead there. `rerun` is the command that a case's id is added to where the runs do
/// not say their own.
///
/// # Errors
///
/// When the page cannot be made, which does not happen with the templates as they are.
pub fn diff_html(diff: &Diff, page: Option<&str>, rerun: &str) -> Result<String, askama::Error> {
    let section = |kind: ChangeKind| Section {
        id: id(kind),
        name: kind.name(),
        says: says(kind),
        count: grouped(diff.count(kind) as u64),
        changes: diff.told(kind).map(|change| View::of(change, page, diff.rerun(change).unwrap_or(rerun))).collect(),
        untold: diff.untold(kind),
    };
    let sections = ChangeKind::ALL.into_iter().filter(|kind| diff.count(*kind) > 0).map(section).collect();
    let shown = |text: &str| printable(text).into_owned();
    Page {
        title: shown(&diff.title(moment)),
        sentence: shown(&diff.sentence()),
        tone: if diff.is_regression() { "bad" } else { "good" },
        notes: diff.notes.iter().map(|note| shown(note)).collect(),
        sections,
        same: grouped(diff.same as u64),
        earlier: diff.earlier,
    }
    .render()
}

fn id(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::NewlyFailing => "newly-failing",
        ChangeKind::NoLongerJudged => "no-longer-judged",
        ChangeKind::Vanished => "vanished",
        ChangeKind::Flaky => "flaky",
        ChangeKind::Changed => "changed",
        ChangeKind::NewlyPassing => "newly-passing",
        ChangeKind::Added => "added",
    }
}

fn says(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::NewlyFailing => "These fail, did not before, and are no known failures.",
        ChangeKind::NoLongerJudged => "These were judged, and nobody knows now how they would do.",
        ChangeKind::Vanished => "These have no result any more.",
        ChangeKind::Flaky => "These fail, and have gone back and forth in earlier runs.",
        ChangeKind::Changed => {
            "Another verdict or other findings, with nothing broken that was not, and nothing mended."
        }
        ChangeKind::NewlyPassing => "These pass, and did not before.",
        ChangeKind::Added => "These had no result before.",
    }
}

impl View {
    fn of(change: &Change, page: Option<&str>, rerun: &str) -> Self {
        let verdict = |result: &Option<CaseResult>| result.as_ref().map_or("no result", |it| it.verdict.name());
        let mut verdicts = vec![verdict(&change.before), verdict(&change.after)];
        verdicts.dedup();
        let told = |result: &Option<CaseResult>| result.as_ref().map(short).unwrap_or_default();
        let about = change.latest().and_then(|result| result.about.as_deref()).unwrap_or_default();
        let anchor = crate::report::html::anchor("case", &change.case);
        let page = page.filter(|_| change.after.is_some()).unwrap_or_default();
        Self {
            link: format!("{page}{anchor}"),
            verdicts,
            about: printable(about).into_owned(),
            before: told(&change.before),
            after: told(&change.after),
            turns: change.turns,
            rerun: printable(&format!("{rerun} {}", quote(&change.case))).into_owned(),
            case: printable(&change.case).into_owned(),
        }
    }
}
