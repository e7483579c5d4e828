//! What one run has come to that another had not: the report of the night.
//!
//! Of both runs, only what is brief is held; what is told of the results that differ is
//! read a second time, from where it stands.

mod html;
mod json;
mod markdown;
mod notes;
mod text;

use std::cmp::Ordering;
use std::io::{self, BufRead, Seek};

use serde::Serialize;

use super::lines::Name;
use super::skim::{Skim, Skimmed, result_at};
use crate::judge::Verdict;
use crate::run::{CaseResult, Header};

pub use html::diff_html;
pub use json::diff_json;
pub use markdown::diff_markdown;
pub use text::diff_text;

/// Most changes of one kind that are told one by one; all are counted.
const MOST_TOLD: usize = 1_000;

/// What has become of a case, what matters most first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// It fails, did not before, and is no known failure.
    NewlyFailing,
    /// It was judged, and is not any more.
    NoLongerJudged,
    /// It has no result any more.
    Vanished,
    /// It fails, and has gone back and forth in earlier runs.
    Flaky,
    /// It stayed as good or as bad as it was, with another verdict or other findings; or
    /// it fails and is a known failure.
    Changed,
    /// It passes, and did not before.
    NewlyPassing,
    /// It had no result before.
    Added,
}

impl ChangeKind {
    /// All of them, what matters most first.
    pub const ALL: [Self; 7] = [
        Self::NewlyFailing,
        Self::NoLongerJudged,
        Self::Vanished,
        Self::Flaky,
        Self::Changed,
        Self::NewlyPassing,
        Self::Added,
    ];

    /// The words for it in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::NewlyFailing => "newly failing",
            Self::NoLongerJudged => "no longer judged",
            Self::Vanished => "vanished",
            Self::Flaky => "flaky",
            Self::Changed => "changed",
            Self::NewlyPassing => "newly passing",
            Self::Added => "added",
        }
    }

    /// Whether it is a step back: something fails that did not, or nobody looks any more.
    pub fn is_regression(self) -> bool {
        matches!(self, Self::NewlyFailing | Self::NoLongerJudged | Self::Vanished)
    }

    /// What a verdict has become, if that is a change; `alike` says whether the same
    /// was found.
    fn of(before: Verdict, after: Verdict, alike: bool) -> Option<Self> {
        match (Side::of(before), Side::of(after)) {
            (before, Side::Failing) if before != Side::Failing && after == Verdict::Fail => Some(Self::NewlyFailing),
            (Side::Passing | Side::Failing, Side::Unjudged) => Some(Self::NoLongerJudged),
            (Side::Unjudged | Side::Failing, Side::Passing) => Some(Self::NewlyPassing),
            _ => (before != after || !alike).then_some(Self::Changed),
        }
    }
}

/// How a target fares with a case, known failures aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Passing,
    Failing,
    Unjudged,
}

impl Side {
    fn of(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Pass | Verdict::Warn | Verdict::UnexpectedPass => Self::Passing,
            Verdict::Fail | Verdict::ExpectedFail => Self::Failing,
            Verdict::Skipped | Verdict::NotTestable | Verdict::Indeterminate => Self::Unjudged,
        }
    }
}

/// How two runs differ, before what differs was read.
#[derive(Debug)]
pub struct Differences<'s> {
    old: &'s Skim,
    new: &'s Skim,
    found: Vec<Found>,
    same: usize,
    /// How many earlier runs were looked at.
    earlier: usize,
}

/// A case that differs.
#[derive(Debug)]
struct Found {
    name: Name,
    kind: ChangeKind,
    before: Option<Skimmed>,
    after: Option<Skimmed>,
    past: Past,
}

/// How a case fared in earlier runs.
#[derive(Debug, Default)]
struct Past {
    passed: Option<bool>,
    /// How often it went from passing to failing or back.
    turns: usize,
}

impl Past {
    fn add(&mut self, verdict: Verdict) {
        let passed = match Side::of(verdict) {
            Side::Passing => true,
            Side::Failing => false,
            Side::Unjudged => return,
        };
        self.turns += usize::from(self.passed.is_some_and(|before| before != passed));
        self.passed = Some(passed);
    }
}

impl<'s> Differences<'s> {
    /// Compares two runs that one [`Skimmer`](super::Skimmer) has read.
    pub fn of(old: &'s Skim, new: &'s Skim) -> Self {
        let mut differences = Self { old, new, found: Vec::new(), same: 0, earlier: 0 };
        let (mut before, mut after) = (old.results.iter().peekable(), new.results.iter().peekable());
        loop {
            let order = match (before.peek(), after.peek()) {
                (Some(before), Some(after)) => before.name.cmp(&after.name),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => return differences,
            };
            let before = if order.is_le() { before.next() } else { None };
            let after = if order.is_ge() { after.next() } else { None };
            differences.add(before.copied(), after.copied());
        }
    }

    fn add(&mut self, before: Option<Skimmed>, after: Option<Skimmed>) {
        let kind = match (before, after) {
            (Some(before), Some(after)) => {
                ChangeKind::of(before.verdict(), after.verdict(), before.print == after.print)
            }
            (Some(_), None) => Some(ChangeKind::Vanished),
            (None, _) => Some(ChangeKind::Added),
        };
        match (kind, after.or(before)) {
            (Some(kind), Some(any)) => {
                self.found.push(Found { name: any.name, kind, before, after, past: Past::default() });
            }
            _ => self.same += 1,
        }
    }

    /// Takes in how cases fared in an earlier run of the same target, the oldest first
    /// and the old one of the two among them; the new one is not.
    pub fn remember(&mut self, earlier: &Skim) {
        self.earlier += 1;
        for found in &mut self.found {
            if let Some(result) = earlier.get(found.name) {
                found.past.add(result.verdict());
            }
        }
    }

    /// Reads what is told of the results that differ, from the files of the two runs.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, or is not what it was.
    pub fn read(mut self, old: &mut (impl BufRead + Seek), new: &mut (impl BufRead + Seek)) -> io::Result<Diff> {
        for found in self.found.iter_mut().filter(|found| found.kind == ChangeKind::NewlyFailing) {
            found.past.add(Verdict::Fail);
            if found.past.turns > 1 {
                found.kind = ChangeKind::Flaky;
            }
        }
        // In the order of the files, so that they are read from front to back, and so
        // that what is told of many does not depend on chance.
        let place = |result: Option<Skimmed>| result.map(Skimmed::place);
        self.found.sort_by_key(|found| (found.kind, place(found.after), place(found.before)));
        let mut counts = [0; ChangeKind::ALL.len()];
        let mut changes = Vec::new();
        for found in &self.found {
            counts[found.kind as usize] += 1;
            if counts[found.kind as usize] <= MOST_TOLD {
                let before = found.before.map(|result| result_at(old, result.place())).transpose()?;
                let after = found.after.map(|result| result_at(new, result.place())).transpose()?;
                changes.extend(Change::of(found, before, after));
            }
        }
        changes.sort_by(|a, b| (a.kind, &a.case).cmp(&(b.kind, &b.case)));
        Ok(Diff {
            notes: notes::notes(self.old, self.new),
            old: self.old.header.clone(),
            new: self.new.header.clone(),
            changes,
            counts,
            same: self.same,
            earlier: self.earlier,
        })
    }
}

/// How two runs differ.
#[derive(Debug, Clone)]
pub struct Diff {
    /// How the old run began.
    pub old: Header,
    /// How the new run began.
    pub new: Header,
    /// What keeps the two from being compared case by case, as sentences.
    pub notes: Vec<String>,
    /// The cases that differ, what matters most first, then by id; of each kind at most
    /// 1,000.
    pub changes: Vec<Change>,
    counts: [usize; ChangeKind::ALL.len()],
    /// How many cases do not differ.
    pub same: usize,
    /// How many earlier runs were looked at.
    pub earlier: usize,
}

/// A case that differs.
#[derive(Debug, Clone)]
pub struct Change {
    /// What has become of it.
    pub kind: ChangeKind,
    /// The case's id.
    pub case: String,
    /// Its old result, without exchanges; none when there was none.
    pub before: Option<CaseResult>,
    /// Its new result, without exchanges; none when there is none.
    pub after: Option<CaseResult>,
    /// How often it went from passing to failing or back, this time included; 0 unless
    /// it is flaky.
    pub turns: usize,
}

impl Change {
    fn of(found: &Found, before: Option<CaseResult>, after: Option<CaseResult>) -> Option<Self> {
        let case = after.as_ref().or(before.as_ref())?.case.clone();
        let turns = if found.kind == ChangeKind::Flaky { found.past.turns } else { 0 };
        Some(Self { kind: found.kind, case, before, after, turns })
    }

    /// The result that tells most of the case as it is now.
    pub(super) fn latest(&self) -> Option<&CaseResult> {
        self.after.as_ref().or(self.before.as_ref())
    }

    /// The verdicts, `pass → fail`, or the only one.
    pub(super) fn verdicts(&self) -> String {
        let name = |result: &Option<CaseResult>| result.as_ref().map(|result| result.verdict.name());
        match (name(&self.before), name(&self.after)) {
            (Some(before), Some(after)) if before == after => format!("still {after}"),
            (Some(before), Some(after)) => format!("{before} → {after}"),
            (before, after) => before.or(after).unwrap_or_default().to_owned(),
        }
    }

    /// What came of the case now, in one short line; what there was before when it has
    /// gone or passes.
    pub(super) fn why(&self) -> String {
        let after = self.after.as_ref().map(super::failure::short).unwrap_or_default();
        let flaky = (self.turns > 0).then(|| format!("turned {} times; ", self.turns));
        let text = match &self.before {
            Some(before) if after.is_empty() => match super::failure::short(before) {
                was if was.is_empty() => was,
                was => format!("was {was}"),
            },
            _ => after,
        };
        flaky.unwrap_or_default() + &text
    }
}

impl Diff {
    /// How many cases have changed so.
    pub fn count(&self, kind: ChangeKind) -> usize {
        self.counts[kind as usize]
    }

    /// Whether the new run is a step back.
    pub fn is_regression(&self) -> bool {
        ChangeKind::ALL.into_iter().any(|kind| kind.is_regression() && self.count(kind) > 0)
    }

    /// How many changes of a kind are counted but not told.
    pub(super) fn untold(&self, kind: ChangeKind) -> usize {
        self.count(kind).saturating_sub(MOST_TOLD)
    }

    pub(super) fn told(&self, kind: ChangeKind) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(move |change| change.kind == kind)
    }

    /// What it all comes to, in one sentence without styles and without full stop.
    pub fn sentence(&self) -> String {
        let clause = |kind: ChangeKind| {
            let number = self.count(kind);
            (number > 0).then(|| format!("{} {}", super::text::grouped(number as u64), kind.name()))
        };
        let changes: Vec<_> = ChangeKind::ALL.into_iter().filter_map(clause).collect();
        let same = match self.same {
            0 => "nothing as before".to_owned(),
            same => format!("{} as before", super::text::count(same, "case")),
        };
        if changes.is_empty() {
            return format!("nothing has changed: {same}");
        }
        let beginning = if self.is_regression() { "a step back" } else { "no step back" };
        format!("{beginning}: {}, {same}", changes.join(", "))
    }

    /// The command that a case's id is added to in order to run it alone, as the run says
    /// that has its latest result.
    pub(super) fn rerun(&self, change: &Change) -> Option<&str> {
        let run = if change.after.is_some() { &self.new } else { &self.old };
        run.rerun.as_deref()
    }

    /// The runs that are compared, in one line; `time` says how times are written.
    pub(super) fn title(&self, time: impl Fn(&str) -> String) -> String {
        let ([old, new], [from, to]) = ([&self.old, &self.new], [time(&self.old.started), time(&self.new.started)]);
        if old.target.name == new.target.name {
            format!("{}, {from} → {to}", new.target.name)
        } else {
            format!("{}, {from} → {}, {to}", old.target.name, new.target.name)
        }
    }
}

#[cfg(test)]
mod tests;
