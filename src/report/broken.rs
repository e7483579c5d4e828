//! What is broken on a target, in the order in which its author wants to hear of it:
//! a rule that is broken by itself before those of an action that does nothing yet.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::failure::{cause, worst};
use super::summary::{Summary, Tally};
use super::text::{count, grouped, printable};
use crate::judge::{Finding, Verdict};
use crate::run::CaseResult;
use crate::spec::{Catalog, RequirementKind};

/// One case of so many passes by chance.
const SELDOM: usize = 5;

/// What the cases of an action say of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Works {
    /// Nothing was tried.
    Untried,
    /// Every case came to a good end.
    Wholly,
    /// Some cases passed.
    Partly,
    /// No case passed.
    NotAtAll,
}

impl Works {
    /// What these results of one action say.
    pub(super) fn of(tally: &Tally) -> Self {
        let verdicts = [Verdict::Fail, Verdict::ExpectedFail, Verdict::NotTestable, Verdict::Indeterminate];
        let bad: usize = verdicts.into_iter().map(|verdict| tally.of(verdict)).sum();
        match (tally.cases() - tally.of(Verdict::Skipped), bad, passed(tally)) {
            (0, ..) => Self::Untried,
            (_, 0, _) => Self::Wholly,
            // What only warns is no proof that the action does anything.
            (.., 0) => Self::NotAtAll,
            _ => Self::Partly,
        }
    }
}

/// Cases that passed.
pub(super) fn passed(tally: &Tally) -> usize {
    tally.of(Verdict::Pass) + tally.of(Verdict::UnexpectedPass)
}

/// The status that came in most cases where another was asked for, if there are several
/// and it came in more than half of them: a thing not built yet answers always the same.
pub(super) fn mostly(tally: &Tally) -> Option<&str> {
    let all: usize = tally.wrong_statuses.values().sum();
    let most = tally.wrong_statuses.iter().max_by_key(|(_, count)| **count);
    most.filter(|(_, count)| **count > 1 && **count * 2 > all).map(|(status, _)| status.as_str())
}

/// Actions that always give the same wrong answer.
#[derive(Debug, Default)]
pub(super) struct Dead<'s> {
    /// Each with its results.
    pub(super) actions: Vec<(&'s str, &'s Tally)>,
}

impl<'s> Dead<'s> {
    /// Those of which no case passed, or few did, and most answers that were wrong have
    /// the same status: where an error is expected, one that is always given is right
    /// now and then.
    pub(super) fn of(summary: &'s Summary) -> Self {
        let seldom = |tally: &Tally| passed(tally) * SELDOM < tally.cases() - tally.of(Verdict::Skipped);
        let is_dead = |tally: &Tally| tally.of(Verdict::Fail) > 1 && seldom(tally) && mostly(tally).is_some();
        let actions = summary.actions.iter().filter(|(_, tally)| is_dead(tally));
        Self { actions: actions.map(|(action, tally)| (action.as_str(), tally)).collect() }
    }

    /// What came of their cases, in words.
    pub(super) fn says(&self) -> String {
        let sum = |of: &dyn Fn(&Tally) -> usize| self.actions.iter().map(|(_, tally)| of(tally)).sum::<usize>();
        let (passed, failed) = (sum(&passed), sum(&|tally| tally.of(Verdict::Fail)));
        let tried = sum(&|tally| tally.cases() - tally.of(Verdict::Skipped));
        let passed = if passed == 0 {
            "no case passed".to_owned()
        } else {
            format!("{passed} of {} passed", count(tried, "case"))
        };
        let status = self.actions.first().and_then(|(_, tally)| mostly(tally));
        let is_everywhere = self.actions.iter().all(|(_, tally)| mostly(tally) == status);
        let status = status.filter(|_| is_everywhere).map(|status| format!(", mostly with {}", printable(status)));
        format!("{passed}, {} failed{}", grouped(failed as u64), status.unwrap_or_default())
    }

    /// Whether this failure says no more than that such an action does nothing: the
    /// answer is the one that it always gives. What has no action of its own, such as a
    /// route, shows the same.
    pub(super) fn explains(&self, result: &CaseResult) -> bool {
        let status = worst(result).filter(|finding| finding.at == "status").map(status);
        status.is_some() && self.actions.iter().any(|(_, tally)| mostly(tally) == status)
    }
}

fn status(finding: &Finding) -> &str {
    finding.actual.split(' ').next().unwrap_or_default()
}

/// Results of one cause.
#[derive(Debug)]
pub(super) struct Cause<'r> {
    /// The requirement or the reason that they share.
    pub(super) cause: Cow<'r, str>,
    /// Whether it is a requirement.
    pub(super) is_requirement: bool,
    /// Whether all of it only says that some action does nothing.
    pub(super) is_explained: bool,
    /// The results, those that nothing else explains first.
    pub(super) results: Vec<&'r CaseResult>,
}

/// The results under their causes, the most important first: most cases that nothing
/// else explains, then most cases, then what says most of the service.
pub(super) fn causes<'r>(
    results: impl IntoIterator<Item = &'r CaseResult>,
    dead: &Dead<'_>,
    catalog: &Catalog,
) -> Vec<Cause<'r>> {
    let mut by_cause: BTreeMap<Cow<'r, str>, Vec<(bool, &CaseResult)>> = BTreeMap::new();
    for result in results {
        by_cause.entry(general(cause(result))).or_default().push((dead.explains(result), result));
    }
    let mut causes: Vec<_> = by_cause.into_iter().collect();
    causes.iter_mut().for_each(|(_, cases)| cases.sort_by_key(|(explained, result)| (*explained, &result.case)));
    let unexplained = |cases: &[(bool, &CaseResult)]| cases.iter().filter(|(explained, _)| !explained).count();
    // By name they are in order already.
    causes.sort_by_key(|(cause, cases)| (Reverse((unexplained(cases), cases.len())), rank(cause, catalog)));
    let of = |(cause, cases): (Cow<'r, str>, Vec<(bool, &'r CaseResult)>)| {
        let names = |finding: &Finding| finding.requirement == cause;
        let is_requirement = cases.iter().any(|(_, result)| result.findings.iter().any(names));
        let is_explained = cases.iter().all(|(explained, _)| *explained);
        Cause { cause, is_requirement, is_explained, results: cases.into_iter().map(|(_, result)| result).collect() }
    };
    causes.into_iter().map(of).collect()
}

/// A rule that is broken breaks what members and credentials are shown with, and hardly
/// ever the other way round.
fn rank(cause: &str, catalog: &Catalog) -> u8 {
    match catalog.get(cause).map(|requirement| requirement.kind) {
        Some(RequirementKind::Rule | RequirementKind::Limit) => 0,
        Some(RequirementKind::Error | RequirementKind::CommonError) => 1,
        Some(_) => 2,
        None => 3,
    }
}

/// A reason without what differs from case to case: the number of a step and the place
/// of its expectation. A requirement's id is left as it is.
fn general(cause: &str) -> Cow<'_, str> {
    let general = || {
        let (_, step) = cause.strip_prefix("prerequisite step ")?.split_once(", ")?;
        let (label, rest) = step.split_once(", at ")?;
        let (_, why) = rest.split_once(": ")?;
        Some(Cow::Owned(format!("the prerequisite {label} did not hold: {why}")))
    };
    general().unwrap_or(Cow::Borrowed(cause))
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::super::summary::Summary;
    use super::{Dead, Works, causes};
    use crate::judge::Verdict;
    use crate::run::{CaseResult, Event};

    fn result(case: &str, action: &str, requirement: &str, actual: &str) -> CaseResult {
        let mut result = samples::result(case, Verdict::Fail);
        result.action = action.to_owned();
        result.findings[0].requirement = requirement.to_owned();
        result.findings[0].actual = actual.to_owned();
        result
    }

    fn summary(results: &[CaseResult]) -> Summary {
        Summary::of(&results.iter().map(|result| Event::Result(Box::new(result.clone()))).collect::<Vec<_>>())
    }

    #[test]
    fn a_rule_broken_by_itself_comes_before_what_is_not_built() {
        let mut results: Vec<_> =
            (0..5).map(|index| result(&format!("put/{index}"), "PutItem", "PutItem/route", "501")).collect();
        let mut other = samples::result("get/ok", Verdict::Pass);
        other.action = "GetItem".to_owned();
        results.extend([
            other,
            result("get/a", "GetItem", "every/call", "501 not built"),
            result("get/b", "GetItem", "GetItem/rule", "404"),
        ]);
        let summary = summary(&results);
        let dead = Dead::of(&summary);
        assert_eq!(dead.actions.iter().map(|(action, _)| *action).collect::<Vec<_>>(), ["PutItem"]);
        assert_eq!(Works::of(&summary.actions["GetItem"]), Works::Partly);
        let failed = results.iter().filter(|result| result.verdict == Verdict::Fail);
        let causes = causes(failed, &dead, &samples::catalog());
        let order: Vec<_> = causes.iter().map(|cause| (cause.cause.as_ref(), cause.results.len())).collect();
        assert_eq!(order, [("GetItem/rule", 1), ("PutItem/route", 5), ("every/call", 1)]);
    }

    #[test]
    fn without_dead_actions_the_widest_comes_first() {
        let mut ok = samples::result("ok", Verdict::Pass);
        ok.action = "PutItem".to_owned();
        let results =
            [ok, result("a", "PutItem", "x", "1"), result("b", "PutItem", "y", "1"), result("c", "PutItem", "y", "1")];
        let summary = summary(&results);
        let causes = causes(&results[1..], &Dead::of(&summary), &samples::catalog());
        let order: Vec<_> = causes.iter().map(|cause| cause.cause.as_ref()).collect();
        assert_eq!(order, ["y", "x"]);
    }

    #[test]
    fn what_lacks_the_same_prerequisite_is_one_cause() {
        let mut results: Vec<_> =
            (0..3).map(|index| samples::result(&index.to_string(), Verdict::NotTestable)).collect();
        for (step, result) in results.iter_mut().enumerate() {
            result.findings.clear();
            result.reason = Some(format!(
                "prerequisite step {step} (fixture f{step}), PutItem, at c.toml:{step}:3: answered 501: no"
            ));
        }
        let causes = causes(&results, &Dead::default(), &samples::catalog());
        assert_eq!(causes.len(), 1);
        assert_eq!(causes[0].cause, "the prerequisite PutItem did not hold: answered 501: no");
    }

    #[test]
    fn an_action_that_passes_by_chance_is_dead_all_the_same() {
        let mut results: Vec<_> =
            (0..10).map(|index| result(&index.to_string(), "PutItem", "PutItem/route", "501")).collect();
        let dead = |results: &[CaseResult]| Dead::of(&summary(results)).actions.len();
        results[0].verdict = Verdict::Pass;
        assert_eq!(dead(&results), 1);
        results[1].verdict = Verdict::Pass;
        assert_eq!(dead(&results), 0);
    }

    #[test]
    fn of_equals_a_rule_comes_first() {
        let results = [
            result("a", "PutItem", "PutItem/input/Name/binding", "1"),
            result("b", "PutItem", "PutItem/rule/stale", "1"),
        ];
        let causes = causes(&results, &Dead::default(), &samples::catalog());
        assert_eq!(causes[0].cause, "PutItem/rule/stale");
    }
}
