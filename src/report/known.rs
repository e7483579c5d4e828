//! A list of known failures, begun with what failed in a run.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;

use super::text::{count, excerpt, printable};
use crate::judge::{Finding, Level, Verdict};
use crate::run::CaseResult;

/// Longest reason, in characters.
const MOST_CHARS: usize = 160;

/// What failed in a run and is not known to, gathered while results pass by.
#[derive(Debug, Clone, Default)]
pub struct NewFailures {
    /// Why each case failed.
    reasons: BTreeMap<String, String>,
    /// How many cases came to no verdict.
    unjudged: usize,
}

impl NewFailures {
    /// Takes in the next result. What fails as expected stands in a list already.
    pub fn add(&mut self, result: &CaseResult) {
        match result.verdict {
            Verdict::Fail | Verdict::NotTestable => {
                self.reasons.insert(result.case.clone(), reason(result));
            }
            Verdict::Indeterminate => self.unjudged += 1,
            _ => {}
        }
    }

    /// How many cases there are.
    pub fn cases(&self) -> usize {
        self.reasons.len()
    }

    /// The list as TOML, and the number of its entries. `suite` is the ids of all its
    /// cases: a `*` stands only where every case that it matches failed.
    pub fn to_toml<'s>(&self, target: &str, suite: impl IntoIterator<Item = &'s str>) -> (String, usize) {
        let suite: BTreeSet<&str> = suite.into_iter().collect();
        let entries = self.grouped(&suite);
        let mut text = format!(
            "# What failed on {} and was not known to: {}.\n# Review each entry, and say why it fails. A target file names \
             this file by `known-failures-file`.\n",
            printable(target),
            count(self.cases(), "case"),
        );
        if self.unjudged > 0 {
            // Writing to a `String` cannot fail.
            let _ = writeln!(text, "# Nothing is said of {} that came to no verdict.", count(self.unjudged, "case"));
        }
        for (pattern, cases) in &entries {
            let reason = quoted(&format!("to be reviewed: {}", self.reason_of(cases)));
            let _ = write!(text, "\n[[known-failure]]\ncase = {}\nreason = {reason}\n", quoted(pattern));
        }
        (text, entries.len())
    }

    /// Patterns with the cases that each of them matches; the widest that fit.
    fn grouped<'f>(&'f self, suite: &BTreeSet<&str>) -> BTreeMap<String, Vec<&'f str>> {
        // How many cases of the suite, and how many failed ones, stand below a folder.
        let mut below: HashMap<&str, (usize, usize)> = HashMap::new();
        for case in suite {
            for folder in folders(case) {
                let (all, failed) = below.entry(folder).or_default();
                *all += 1;
                *failed += usize::from(self.reasons.contains_key(*case));
            }
        }
        let fits = |folder: &&str| below.get(folder).is_some_and(|(all, failed)| *all > 1 && all == failed);
        let mut entries: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for case in self.reasons.keys() {
            let pattern = folders(case).find(fits).map_or_else(|| case.clone(), |folder| format!("{folder}*"));
            entries.entry(pattern).or_default().push(case);
        }
        entries
    }

    /// The reason that most of these cases have.
    fn reason_of(&self, cases: &[&str]) -> String {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for reason in cases.iter().filter_map(|case| self.reasons.get(*case)) {
            *counts.entry(reason).or_default() += 1;
        }
        let most = counts.iter().max_by_key(|(_, count)| **count).map_or("", |(reason, _)| *reason);
        match counts.len() {
            0 | 1 => most.to_owned(),
            _ => format!("{} for several reasons, most often {most}", count(cases.len(), "case")),
        }
    }
}

/// The folders above a case's id, with a slash at their ends, the widest first.
fn folders(case: &str) -> impl Iterator<Item = &str> {
    case.match_indices('/').map(|(at, _)| &case[..=at])
}

/// Why a case failed: the finding that weighs most, or the reason.
fn reason(result: &CaseResult) -> String {
    let worst =
        result.findings.iter().rev().max_by_key(|finding| finding.level).filter(|worst| worst.level > Level::Note);
    let reason = match (worst, &result.reason) {
        (Some(Finding { at, expected, actual, requirement, .. }), _) if result.verdict == Verdict::Fail => {
            let (expected, actual) = (excerpt(&one_line(expected), 40, 0), excerpt(&one_line(actual), 60, 0));
            format!("{at} is {actual}, expected {expected} ({requirement})")
        }
        (_, reason) => reason.clone().unwrap_or_else(|| result.verdict.name().to_owned()),
    };
    excerpt(&one_line(&reason), MOST_CHARS, 0)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A TOML string. JSON's escapes are TOML's too, and what neither may hold as it is
/// was made printable.
fn quoted(text: &str) -> String {
    serde_json::Value::from(printable(text)).to_string()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::samples;
    use super::NewFailures;
    use crate::judge::Verdict::{self, ExpectedFail, Fail, Indeterminate, NotTestable, Pass, Skipped};

    fn failures(verdicts: &[(&str, Verdict)]) -> (NewFailures, Vec<String>) {
        let mut failures = NewFailures::default();
        for (case, verdict) in verdicts {
            failures.add(&samples::result(case, *verdict));
        }
        (failures, verdicts.iter().map(|(case, _)| (*case).to_owned()).collect())
    }

    fn patterns(verdicts: &[(&str, Verdict)]) -> Vec<String> {
        let (failures, suite) = failures(verdicts);
        let (text, entries) = failures.to_toml("t", suite.iter().map(String::as_str));
        let read: toml::Table = text.parse().expect("it is TOML");
        let list = read.get("known-failure").and_then(toml::Value::as_array).cloned().unwrap_or_default();
        assert_eq!(list.len(), entries);
        list.iter().map(|entry| entry["case"].as_str().expect("it is text").to_owned()).collect()
    }

    #[rstest]
    #[case::one(&[("a/b/c", Fail)], &["a/b/c"])]
    #[case::a_whole_area(&[("a/b/c", Fail), ("a/d/e", NotTestable)], &["a/*"])]
    #[case::a_topic(&[("a/b/c", Fail), ("a/b/d", Fail), ("a/e/f", Pass)], &["a/b/*"])]
    #[case::rows(&[("a/b/c/1", Fail), ("a/b/c/2", Fail), ("a/b/d", Pass)], &["a/b/c/*"])]
    #[case::not_all(&[("a/b/c", Fail), ("a/b/d", Fail), ("a/b/e", Pass)], &["a/b/c", "a/b/d"])]
    #[case::one_was_skipped(&[("a/b/c", Fail), ("a/b/d", Fail), ("a/b/e", Skipped)], &["a/b/c", "a/b/d"])]
    #[case::one_is_known(&[("a/b/c", Fail), ("a/b/d", ExpectedFail)], &["a/b/c"])]
    #[case::one_is_unsure(&[("a/b/c", Fail), ("a/b/d", Indeterminate)], &["a/b/c"])]
    #[case::a_name_that_begins_another(&[("a/b/c", Fail), ("a/b/c-2", Pass)], &["a/b/c"])]
    #[case::nothing(&[("a/b/c", Pass)], &[])]
    fn a_star_matches_only_what_failed(#[case] verdicts: &[(&str, Verdict)], #[case] expected: &[&str]) {
        assert_eq!(patterns(verdicts), expected);
    }

    #[test]
    fn what_was_not_selected_did_not_fail() {
        let (failures, _) = failures(&[("a/b/c", Fail), ("a/b/d", Fail)]);
        let (text, entries) = failures.to_toml("t", ["a/b/c", "a/b/d", "a/b/e"]);
        assert!(entries == 2 && !text.contains('*'), "{text}");
    }

    #[test]
    fn a_list_reads_well() {
        let mut failures = NewFailures::default();
        let mut odd = samples::result("a/odd/one", Fail);
        odd.findings[0].actual = "\"quoted\" \\ and\u{1b}[31m\u{7f}\nlong ".to_owned() + &"x".repeat(300);
        failures.add(&odd);
        for (case, verdict) in
            [("b/c/d", Fail), ("b/c/e", Fail), ("b/c/f", NotTestable), ("b/x/y", Pass), ("b/x/z", Indeterminate)]
        {
            failures.add(&samples::result(case, verdict));
        }
        let suite = ["a/odd/one", "a/odd/two", "b/c/d", "b/c/e", "b/c/f", "b/x/y", "b/x/z"];
        let (text, _) = failures.to_toml("my-emulator", suite);
        text.parse::<toml::Table>().expect("it is TOML");
        insta::assert_snapshot!(text, @r#"
        # What failed on my-emulator and was not known to: 4 cases.
        # Review each entry, and say why it fails. A target file names this file by `known-failures-file`.
        # Nothing is said of 1 case that came to no verdict.

        [[known-failure]]
        case = "a/odd/one"
        reason = "to be reviewed: status is \"quoted\" \\ and\\u{1b}[31m\\u{7f} long xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx… (326 characters), expected 409 (PutItem/rule/stale)"

        [[known-failure]]
        case = "b/c/*"
        reason = "to be reviewed: 3 cases for several reasons, most often status is 200, expected 409 (PutItem/rule/stale)"
        "#);
    }
}
