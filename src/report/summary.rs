//! What a run came to, counted while its events pass by.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::outline::outline;
use super::readings::Readings;
use super::sentence;
use super::table;
use super::text::{BAD, BOLD, GOOD, SCRIPTED, count, hanging, printable, styled, wrapped};
use crate::judge::{Level, Verdict};
use crate::run::{CaseResult, Event, Footer, Header};
use crate::spec::Dispute;

/// Most requirements listed as not holding.
const MOST_REQUIREMENTS: usize = 10;

/// Counts over the results of one action, or of all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Results by verdict; verdicts that did not occur may be missing.
    pub verdicts: BTreeMap<Verdict, usize>,
    /// Statuses that came where others were asked for, in cases that failed or warned.
    pub wrong_statuses: BTreeMap<String, usize>,
    /// Time that the cases took one by one, in microseconds; more than the run
    /// took when cases ran beside each other.
    pub duration_us: u64,
}

impl Tally {
    /// How many results have this verdict.
    pub fn of(&self, verdict: Verdict) -> usize {
        self.verdicts.get(&verdict).copied().unwrap_or(0)
    }

    /// How many results there are.
    pub fn cases(&self) -> usize {
        self.verdicts.values().sum()
    }

    /// How many of them were judged.
    pub fn judged(&self) -> usize {
        Verdict::ALL.into_iter().filter(|verdict| verdict.is_judged()).map(|verdict| self.of(verdict)).sum()
    }

    fn add(&mut self, result: &CaseResult) {
        *self.verdicts.entry(result.verdict).or_default() += 1;
        let wrong = result.findings.iter().find(|finding| finding.at == "status" && finding.level > Level::Note);
        if let Some(status) = wrong.and_then(|finding| finding.actual.split(' ').next()) {
            *self.wrong_statuses.entry(status.to_owned()).or_default() += 1;
        }
        self.duration_us = self.duration_us.saturating_add(result.duration_us);
    }
}

/// What a run came to. Its size does not grow with the number of results, only
/// with actions, reasons, broken requirements and leftovers.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// How the run began.
    pub header: Option<Header>,
    /// How it ended; none while it goes on, or when it is partial.
    pub footer: Option<Footer>,
    /// All results.
    pub total: Tally,
    /// Results by action, in alphabetical order.
    pub actions: BTreeMap<String, Tally>,
    /// How many skipped cases have which reason.
    pub skips: IndexMap<String, usize>,
    /// How many cases broke which requirement, known failures aside.
    pub broken: IndexMap<String, usize>,
    /// How many cases were not begun, because the run was stopped before.
    pub not_run: usize,
    /// How many findings warn.
    pub warnings: usize,
    /// How many findings only note what nobody knows.
    pub notes: usize,
    /// Entries of known failures with cases that passed: how many did, and how many
    /// were run in all.
    pub known: IndexMap<String, (usize, usize)>,
    /// What could not be taken back: the case, then what it says.
    pub leftovers: Vec<(String, String)>,
    /// Which readings of the disputes showed.
    readings: Readings,
}

impl Summary {
    /// The summary of no events yet; it will tell which readings of these disputes
    /// the target followed.
    pub fn new(disputes: &[Dispute]) -> Self {
        Self { readings: Readings::of(disputes), ..Self::default() }
    }

    /// The summary of these events, without disputes.
    pub fn of<'e>(events: impl IntoIterator<Item = &'e Event>) -> Self {
        let mut summary = Self::default();
        for event in events {
            summary.add(event);
        }
        summary
    }

    /// Takes in the next event.
    pub fn add(&mut self, event: &Event) {
        match event {
            Event::Header(header) => self.header = Some(header.clone()),
            Event::Result(result) => self.add_result(result),
            Event::Footer(footer) => self.footer = Some(footer.clone()),
        }
    }

    /// Takes in the next result.
    pub(super) fn add_result(&mut self, result: &CaseResult) {
        self.readings.add(result);
        self.total.add(result);
        self.actions.entry(result.action.clone()).or_default().add(result);
        if result.verdict == Verdict::Skipped {
            let reason = result.reason.clone().unwrap_or_else(|| "no reason given".to_owned());
            *self.skips.entry(reason).or_default() += 1;
        }
        if result.verdict == Verdict::Indeterminate && !result.was_begun() {
            self.not_run += 1;
        }
        for entry in result.known_failures.iter().filter(|_| result.verdict.is_judged()) {
            let (passed, run) = self.known.entry(entry.clone()).or_default();
            *passed += usize::from(result.verdict == Verdict::UnexpectedPass);
            *run += 1;
        }
        let with_level = |level| result.findings.iter().filter(|finding| finding.level == level).count();
        self.warnings += with_level(Level::Warn);
        self.notes += with_level(Level::Note);
        if matches!(result.verdict, Verdict::Fail | Verdict::Warn) {
            let mut broken: Vec<_> = (result.findings.iter())
                .filter(|finding| finding.level > Level::Note)
                .map(|finding| finding.requirement.as_str())
                .collect();
            broken.sort_unstable();
            broken.dedup();
            for requirement in broken {
                *self.broken.entry(requirement.to_owned()).or_default() += 1;
            }
        }
        self.leftovers.extend(result.leftovers.iter().map(|leftover| (result.case.clone(), leftover.clone())));
    }

    /// The exit code that the run leads to: its own, or 3 while there is no
    /// footer.
    pub fn exit(&self) -> u8 {
        self.footer.as_ref().map_or(3, |footer| footer.exit)
    }

    /// What the target answered where sources disagree, a line for each dispute that
    /// a case spoke to.
    pub(super) fn readings(&self) -> impl Iterator<Item = String> {
        self.readings.lines()
    }

    /// What the run came to, in one sentence without styles.
    pub fn sentence(&self) -> String {
        sentence::sentence(self)
    }

    /// The summary for a terminal, on lines of at most `width` characters: what is to be
    /// known beside the verdicts, the table, and last of all the sentence.
    pub fn text(&self, width: usize) -> String {
        let listed = |title: &str, lines: &mut dyn Iterator<Item = String>| listed(title, lines, width);
        let sections = [
            listed("what the target answered where sources disagree:", &mut self.readings()),
            counted("skipped:", &self.skips, usize::MAX, width),
            self.levels(),
            listed("left behind on the target:", &mut self.left_behind()),
            self.scripted(width),
            self.uncalled(width),
            self.strays(width),
            self.known_failures(width),
            self.throttling(width),
            self.by_requirement(width),
            table::table(self, width),
            outline(self, width),
            self.verdict(),
        ];
        sections.into_iter().filter(|section| !section.is_empty()).collect::<Vec<_>>().join("\n")
    }

    /// The sentence, in its colour. It is one line, however long: scripts look for it.
    pub fn verdict(&self) -> String {
        let style = if self.exit() == 0 { GOOD } else { BAD };
        styled(style, printable(&self.sentence())) + "\n"
    }

    /// What the cases left, then what the run as a whole did.
    fn left_behind(&self) -> impl Iterator<Item = String> {
        let by_cases = self.leftovers.iter().map(|(case, what)| format!("{case}: {what}"));
        by_cases.chain(self.footer.iter().flat_map(|footer| footer.leftovers.iter().cloned()))
    }

    /// What the target's server asked of the other services that no case has.
    fn strays(&self, width: usize) -> String {
        let mut strays = self.footer.iter().flat_map(|footer| footer.strays.iter().cloned());
        listed("the target's server asked other services for what no case has; is a name wrong?", &mut strays, width)
    }

    /// That nobody called the services that were played.
    fn uncalled(&self, width: usize) -> String {
        let uncalled = self.footer.as_ref().and_then(|footer| footer.uncalled.as_deref());
        uncalled.map_or_else(String::new, |uncalled| wrapped(&printable(uncalled), width, ""))
    }

    /// What the verdicts of cases with a script rest on.
    fn scripted(&self, width: usize) -> String {
        let scripted = self.header.as_ref().is_some_and(|header| header.target.scripted_function);
        if scripted { wrapped(&format!("the target's function {SCRIPTED}"), width, "") } else { String::new() }
    }

    fn levels(&self) -> String {
        if self.warnings + self.notes == 0 {
            return String::new();
        }
        let (warnings, notes) = (count(self.warnings, "warning"), count(self.notes, "note"));
        format!("{warnings} on inferred requirements, {notes} on open ones\n")
    }

    /// What is wrong with the list of known failures.
    fn known_failures(&self, width: usize) -> String {
        // By name: cases finish in another order each time.
        let mut passed: Vec<_> = self.known.iter().filter(|(_, (passed, _))| *passed > 0).collect();
        passed.sort();
        let passed = passed.into_iter().map(|(entry, (passed, run))| match run {
            _ if passed < run => format!("{entry}: {passed} of {run} passed, name the others one by one"),
            1 => entry.clone(),
            _ => format!("{entry}: all {run} passed"),
        });
        let passed = listed("known failures that passed; take them out of the list:", passed, width);
        let Some(footer) = &self.footer else { return passed };
        let unmatched = footer.unmatched_known_failures.iter().cloned();
        let unmatched = listed("known failures that match no case; take them out of the list:", unmatched, width);
        // The cases of most may be in other parts of the run.
        let is_part = self.header.as_ref().is_some_and(|header| header.partition.is_some());
        let idle = match footer.idle_known_failures.len() {
            _ if is_part => String::new(),
            0 => String::new(),
            1 => "1 known failure only matches cases that were skipped or not selected\n".to_owned(),
            idle => format!("{} only match cases that were skipped or not selected\n", count(idle, "known failure")),
        };
        [passed, unmatched, idle].into_iter().filter(|section| !section.is_empty()).collect::<Vec<_>>().join("\n")
    }

    fn throttling(&self, width: usize) -> String {
        let throttled = self.footer.as_ref().map_or(0, |footer| footer.throttled);
        if throttled == 0 {
            return String::new();
        }
        let answers = count(usize::try_from(throttled).unwrap_or(usize::MAX), "answer");
        wrapped(
            &format!("the target throttled: {answers} asked for fewer requests; such requests are repeated"),
            width,
            "",
        )
    }

    fn by_requirement(&self, width: usize) -> String {
        let mut broken = self.broken.clone();
        broken.sort_by(|left, left_count, right, right_count| right_count.cmp(left_count).then(left.cmp(right)));
        counted("requirements that do not hold, by cases:", &broken, MOST_REQUIREMENTS, width)
    }
}

/// A list with the count of each entry, at most `most` of them.
fn counted(title: &str, entries: &IndexMap<String, usize>, most: usize, width: usize) -> String {
    let digits = entries.values().map(|count| count.to_string().len()).max().unwrap_or(0);
    let lines = entries.iter().take(most).map(|(entry, count)| format!("{count:>digits$}  {entry}"));
    let more = entries.len().saturating_sub(most);
    let more = (more > 0).then(|| format!("… {more} more"));
    listed(title, lines.chain(more), width)
}

fn listed(title: &str, lines: impl Iterator<Item = String>, width: usize) -> String {
    let lines: String = lines.map(|line| entry(&printable(&line), width)).collect();
    if lines.is_empty() { lines } else { format!("{}\n{lines}", styled(BOLD, title)) }
}

/// A line of a list, which goes on further in when it is too long.
fn entry(line: &str, width: usize) -> String {
    if line.chars().count() + 2 <= width && !line.contains('\n') {
        return format!("  {line}\n");
    }
    hanging(line, width, "  ", "    ")
}

#[cfg(test)]
mod tests {
    use anstream::adapter::strip_str;

    use super::super::samples;
    use super::Summary;
    use crate::judge::Verdict;
    use crate::run::Event;

    fn plain(events: &[Event]) -> String {
        strip_str(&Summary::of(events).text(200)).to_string()
    }

    #[test]
    fn every_verdict_is_visible() {
        let mut events = samples::events(&[&Verdict::ALL[..], &[Verdict::Skipped; 11], &[Verdict::Fail]].concat());
        let Some(Event::Result(result)) = events.get_mut(1) else { unreachable!() };
        result.action = "GetItem".to_owned();
        result.leftovers = vec!["dataset d-1 could not be removed: 500".to_owned()];
        let Some(Event::Footer(footer)) = events.last_mut() else { unreachable!() };
        footer.unmatched_known_failures = vec!["gone/*".to_owned()];
        footer.idle_known_failures = vec!["idle/*".to_owned()];
        for (event, entries) in [(4, &["a/* (known.toml:1:8)"][..]), (5, &["a/3 (t.toml:5:8)", "a/* (known.toml:1:8)"])]
        {
            let Some(Event::Result(result)) = events.get_mut(event) else { unreachable!() };
            result.known_failures = entries.iter().map(|entry| (*entry).to_owned()).collect();
        }
        insta::assert_snapshot!(plain(&events), @r#"
        skipped:
          12  the target lacks lambda

        1 warning on inferred requirements, 0 notes on open ones

        left behind on the target:
          a/0: dataset d-1 could not be removed: 500

        known failures that passed; take them out of the list:
          a/* (known.toml:1:8): 1 of 2 passed, name the others one by one
          a/3 (t.toml:5:8)

        known failures that match no case; take them out of the list:
          gone/*

        1 known failure only matches cases that were skipped or not selected

        requirements that do not hold, by cases:
          2  PutItem/rule/stale
          1  PutItem/rule/version-grows

        action   pass  warn  fail  expected-fail  unexpected-pass  skipped  not-testable  indeterminate  cases     time
        GetItem     1     ·     ·              ·                ·        ·             ·              ·      1   1.2 ms
        PutItem     ·     1     2              1                1       12             1              1     19  22.9 ms
        total       1     1     2              1                1       12             1              1     20  24.1 ms

        works:          GetItem
        works in part:  PutItem 1 of 7 (mostly 200)

        2 of 20 cases failed on my-emulator (http://127.0.0.1:4566) in 0.8 s, 1 passed against a known failure, 2 could not be judged; 1 known failure matches no case
        "#);
    }

    #[test]
    fn a_good_run_is_short() {
        insta::assert_snapshot!(plain(&samples::events(&[Verdict::Pass; 3])), @r#"
        action   pass  cases    time
        PutItem     3      3  3.6 ms
        total       3      3  3.6 ms

        all 3 cases passed on my-emulator (http://127.0.0.1:4566) in 0.8 s
        "#);
    }

    #[test]
    fn what_showed_of_disputes_is_told() {
        let mut events = samples::events(&[Verdict::Pass; 2]);
        let Some(Event::Result(result)) = events.get_mut(1) else { unreachable!() };
        result.requirements = vec!["PutItem/rule/version-grows".to_owned()];
        let mut summary = Summary::new(&samples::service().disputes);
        events.iter().for_each(|event| summary.add(event));
        insta::assert_snapshot!(strip_str(&summary.text(200)).to_string(), @r#"
        what the target answered where sources disagree:
          do versions grow by one? yes

        action   pass  cases    time
        PutItem     2      2  2.4 ms
        total       2      2  2.4 ms

        all 2 cases passed on my-emulator (http://127.0.0.1:4566) in 0.8 s
        "#);
    }

    #[test]
    fn a_run_without_results_is_one_sentence() {
        insta::assert_snapshot!(plain(&samples::events(&[])), @r#"
        nothing was judged on my-emulator (http://127.0.0.1:4566): no case was selected
        "#);
        insta::assert_snapshot!(plain(&[]), @r#"
        nothing was run
        "#);
    }

    #[test]
    fn counts_are_kept_by_action() {
        let summary = Summary::of(&samples::events(&[Verdict::Pass, Verdict::Pass, Verdict::Skipped]));
        assert_eq!(summary.total, summary.actions["PutItem"]);
        assert_eq!((summary.total.of(Verdict::Pass), summary.total.cases(), summary.total.judged()), (2, 3, 2));
        assert_eq!(summary.total.duration_us, 3 * 1_204);
        assert_eq!(summary.skips["the target lacks lambda"], 1);
    }
}
