//! How a target fared over many runs.

mod chart;
mod html;
mod markdown;
mod text;

use serde::Serialize;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::skim::Skim;
use crate::judge::Verdict;

pub use html::trend_html;
pub use markdown::trend_markdown;
pub use text::trend_text;

/// Most runs of a target that are shown, the latest.
const MOST_NIGHTS: usize = 1_000;

/// A time without runs is a gap when it is so many times as long as the usual one
/// between two runs.
const GAP: i32 = 3;

/// Runs by target, in the order of their beginning.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Trend {
    histories: Vec<History>,
    /// Files that are no records of runs, and why not.
    unreadable: Vec<(String, String)>,
}

/// The runs of one target.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
struct History {
    target: String,
    nights: Vec<Night>,
    /// How many earlier ones are left out.
    left_out: usize,
}

/// One run.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Night {
    /// Name of its file.
    name: String,
    /// Address of its page, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<String>,
    started: String,
    #[serde(skip)]
    at: OffsetDateTime,
    suite: String,
    passed: usize,
    failed: usize,
    /// Selected cases of which nothing is known: skipped, not testable, without an answer,
    /// or without a result.
    not_judged: usize,
    /// What is to be known of it: cut off, stopped, another suite, a gap before it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    marks: Vec<String>,
    /// It has no end, or was stopped.
    partial: bool,
    /// Its suite is not that of the run before.
    other_suite: bool,
    /// There was no run for long before it.
    after_gap: bool,
}

impl Night {
    fn of(name: &str, skim: &Skim, page: Option<String>) -> Option<Self> {
        let header = &skim.header;
        let of = |verdicts: &[Verdict]| verdicts.iter().map(|verdict| skim.of(*verdict)).sum();
        let passed = of(&[Verdict::Pass, Verdict::Warn, Verdict::UnexpectedPass]);
        let failed = of(&[Verdict::Fail, Verdict::ExpectedFail]);
        let all = header.selected.max(skim.results());
        let mark = match &skim.footer {
            None => Some(format!("partial: {} of {all} results", skim.results())),
            Some(footer) => footer.stopped.as_ref().map(|reason| format!("stopped: {reason}")),
        };
        Some(Self {
            name: name.to_owned(),
            page,
            at: OffsetDateTime::parse(&header.started, &Rfc3339).ok()?,
            started: header.started.clone(),
            suite: format!("{} {:.8}", header.suite_version, header.suite_digest),
            passed,
            failed,
            not_judged: all.saturating_sub(passed + failed),
            partial: mark.is_some(),
            marks: mark.into_iter().collect(),
            other_suite: false,
            after_gap: false,
        })
    }
}

impl Trend {
    /// Takes in a run; `page` is the address of its page, if there is one.
    pub fn add(&mut self, name: &str, skim: &Skim, page: Option<String>) {
        let Some(night) = Night::of(name, skim, page) else {
            let started = format!("the run says that it began at `{}`, which is no time", skim.header.started);
            return self.add_unreadable(name, &started);
        };
        let target = &skim.header.target.name;
        match self.histories.iter_mut().find(|history| history.target == *target) {
            Some(history) => history.nights.push(night),
            None => {
                self.histories.push(History { target: target.clone(), nights: vec![night], left_out: 0 });
            }
        }
    }

    /// Takes in a file that is no record of a run.
    pub fn add_unreadable(&mut self, name: &str, error: &str) {
        self.unreadable.push((name.to_owned(), error.to_owned()));
    }

    /// Whether there is no run in it.
    pub fn is_empty(&self) -> bool {
        self.histories.is_empty()
    }

    /// The same in order, with gaps and changes of suite marked. To be called once, when
    /// all runs are in.
    pub fn sorted(mut self) -> Self {
        self.histories.sort_by(|a, b| a.target.cmp(&b.target));
        self.unreadable.sort();
        self.histories.iter_mut().for_each(History::sort);
        self
    }
}

impl History {
    fn sort(&mut self) {
        self.nights.sort_by(|a, b| (a.at, &a.name).cmp(&(b.at, &b.name)));
        self.left_out = self.nights.len().saturating_sub(MOST_NIGHTS);
        self.nights.drain(..self.left_out);
        let mut between: Vec<_> = self.nights.windows(2).map(|pair| pair[1].at - pair[0].at).collect();
        between.sort_unstable();
        let usual = between.get(between.len() / 2).copied().unwrap_or_default();
        for index in 1..self.nights.len() {
            let before = &self.nights[index - 1];
            let (suite, apart) = (before.suite.clone(), self.nights[index].at - before.at);
            let night = &mut self.nights[index];
            if suite != night.suite {
                night.other_suite = true;
                night.marks.push(format!("suite changed: {suite}, now {}", night.suite));
            }
            if between.len() > 2 && apart > usual * GAP && apart > Duration::minutes(1) {
                night.after_gap = true;
                night.marks.push(format!("no run for {} before", long(apart)));
            }
        }
    }

    /// What it all comes to, in one sentence without styles and without full stop.
    fn sentence(&self) -> String {
        format!("{}: {}; the latest: {}", self.target, self.span(str::to_owned), self.latest())
    }

    /// How many runs there are, from when to when; `time` says how times are written.
    fn span(&self, time: impl Fn(&str) -> String) -> String {
        let runs = super::text::count(self.nights.len(), "run");
        match (self.nights.first(), self.nights.last()) {
            (Some(first), Some(last)) if self.nights.len() > 1 => {
                format!("{runs} from {} to {}", time(&first.started), time(&last.started))
            }
            (Some(only), _) => format!("{runs}, of {}", time(&only.started)),
            _ => runs,
        }
    }

    /// How the latest run ended.
    fn latest(&self) -> String {
        let Some(last) = self.nights.last() else { return String::new() };
        let [passed, failed, not_judged] =
            [last.passed, last.failed, last.not_judged].map(|number| super::text::grouped(number as u64));
        format!("{passed} passed, {failed} failed, {not_judged} not judged")
    }
}

fn long(time: Duration) -> String {
    let count = |number: i64, noun| super::text::count(usize::try_from(number).unwrap_or(0), noun);
    match time {
        time if time >= Duration::days(2) => count(time.whole_days(), "day"),
        time if time >= Duration::hours(2) => count(time.whole_hours(), "hour"),
        time => count(time.whole_minutes(), "minute"),
    }
}

#[cfg(test)]
mod tests {
    use anstream::adapter::strip_str;

    use super::super::jsonl::{Partial, write_event};
    use super::super::samples;
    use super::super::skim::Skimmer;
    use super::{Trend, trend_html, trend_markdown, trend_text};
    use crate::judge::Verdict;
    use crate::run::Event;

    fn add(trend: &mut Trend, day: u8, verdicts: &[Verdict], suite: &str, whole: bool) {
        let mut events = samples::events(verdicts);
        let Event::Header(header) = &mut events[0] else { unreachable!() };
        header.started = format!("2026-01-{day:02}T00:00:00Z");
        header.suite_digest = suite.to_owned();
        let mut file = Vec::new();
        events[..events.len() - usize::from(!whole)].iter().for_each(|event| write_event(event, &mut file).unwrap());
        let skim = Skimmer::default().read(&file[..], Partial::Allow).unwrap();
        trend.add(&format!("{day}/run.jsonl"), &skim, (day == 2).then(|| "2/run.html".to_owned()));
    }

    fn trend() -> Trend {
        let mut trend = Trend::default();
        add(&mut trend, 2, &[Verdict::Pass, Verdict::Fail, Verdict::Skipped], "aa", true);
        add(&mut trend, 1, &[Verdict::Pass, Verdict::Pass, Verdict::Skipped], "aa", true);
        add(&mut trend, 3, &[Verdict::Pass, Verdict::Warn], "aa", false);
        add(&mut trend, 4, &[Verdict::Pass; 4], "bb", true);
        add(&mut trend, 14, &[Verdict::Pass; 4], "bb", true);
        trend.add_unreadable("x/run.jsonl", "line 1 is no header; is this a run.jsonl?");
        trend.sorted()
    }

    #[test]
    fn gaps_partial_runs_and_other_suites_show() {
        insta::assert_snapshot!(strip_str(&trend_text(&trend())).to_string(), @r#"
        my-emulator: 5 runs from 2026-01-01T00:00:00Z to 2026-01-14T00:00:00Z; the latest: 4 passed, 0 failed, 0 not judged
        began                 passed  failed  not judged
        2026-01-01T00:00:00Z       2       0           1
        2026-01-02T00:00:00Z       1       1           1
        2026-01-03T00:00:00Z       2       0           0  partial: 2 of 2 results
        2026-01-04T00:00:00Z       4       0           0  suite changed: 0.1.0 aa, now 0.1.0 bb
        2026-01-14T00:00:00Z       4       0           0  no run for 10 days before

        not read: x/run.jsonl: line 1 is no header; is this a run.jsonl?
        "#);
    }

    #[test]
    fn the_page_draws_what_the_table_says() {
        let page = trend_html(&trend()).unwrap();
        for expected in [
            "<svg class=\"chart\"",
            "no run for 10 days before",
            "circle class=\"failed partial\"",
            "<a href=\"2/run.html\">",
            "x/run.jsonl",
            "class=\"suite\"",
            "class=\"gap\"",
        ] {
            assert!(page.contains(expected), "no {expected} in {page}");
        }
        assert!(!page.contains("NaN") && !page.contains("inf"), "{page}");
        assert!(trend_markdown(&trend()).contains("| 2026-01-14T00:00:00Z | 4 | 0 | 0 |"));
    }

    #[test]
    fn one_run_and_runs_of_nothing_can_be_drawn() {
        let mut trend = Trend::default();
        assert!(trend.is_empty());
        add(&mut trend, 1, &[], "aa", true);
        let page = trend_html(&trend.sorted()).unwrap();
        assert!(page.contains("<svg") && !page.contains("NaN"), "{page}");
    }
}
