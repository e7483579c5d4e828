//! Which reading of each dispute a target followed, gathered while results pass
//! by.

use indexmap::IndexMap;

use super::standing::is_whole;
use super::text::{count, excerpt};
use crate::judge::Finding;
use crate::run::CaseResult;
use crate::spec::Dispute;

/// Most characters of an answer that no reading has.
const MOST_OF_ANSWER: usize = 80;

/// Most different answers told for one dispute.
const MOST_ANSWERS: usize = 3;

/// What the cases of a run showed of disputed points.
#[derive(Debug, Clone, Default)]
pub(super) struct Readings {
    points: Vec<Point>,
}

/// One dispute, and how many cases showed what.
#[derive(Debug, Clone)]
struct Point {
    dispute: Dispute,
    /// Readings, by number, that nothing was found against.
    held: IndexMap<usize, usize>,
    /// What came instead of what a case expects.
    answered: IndexMap<Shown, usize>,
}

/// What a case shows of a dispute.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Shown {
    /// Nothing was found against the reading of this number.
    Held(usize),
    /// The answer is that of the reading of this number.
    Reading(usize),
    /// An answer that no reading has.
    Another(String),
}

impl Readings {
    /// Nothing is shown yet of these.
    pub(super) fn of(disputes: &[Dispute]) -> Self {
        let can_show = |dispute: &&Dispute| dispute.readings.iter().any(|reading| !reading.shown_by.is_empty());
        let point =
            |dispute: &Dispute| Point { dispute: dispute.clone(), held: IndexMap::new(), answered: IndexMap::new() };
        Self { points: disputes.iter().filter(can_show).map(point).collect() }
    }

    /// Takes in what a case came to.
    pub(super) fn add(&mut self, result: &CaseResult) {
        for point in &mut self.points {
            match shown(&point.dispute, result) {
                Some(Shown::Held(reading)) => *point.held.entry(reading).or_default() += 1,
                Some(answer) => *point.answered.entry(answer).or_default() += 1,
                None => {}
            }
        }
    }

    /// The id of each dispute that a case spoke to, and the answer.
    pub(super) fn answers(&self) -> impl Iterator<Item = (&str, String)> {
        self.points.iter().filter_map(|point| Some((point.dispute.id.as_str(), point.answer()?)))
    }

    /// One line for each dispute that a case spoke to.
    pub(super) fn lines(&self) -> impl Iterator<Item = String> {
        self.points.iter().filter_map(Point::line)
    }
}

impl Point {
    /// The question and the answer.
    fn line(&self) -> Option<String> {
        self.answer().map(|answer| format!("{} {answer}", self.dispute.question))
    }

    /// The answer. A case can hold under another reading too, so what holds counts for
    /// nothing beside an answer that tells readings apart.
    fn answer(&self) -> Option<String> {
        let says = |number: &usize| self.dispute.readings[*number].says.clone();
        let said = |shown: &Shown| match shown {
            Shown::Held(number) | Shown::Reading(number) => says(number),
            Shown::Another(answer) => format!("another answer: {answer}"),
        };
        let answered: Vec<_> = if self.answered.is_empty() {
            self.held.iter().map(|(number, cases)| (says(number), *cases)).collect()
        } else {
            self.answered.iter().map(|(shown, cases)| (said(shown), *cases)).collect()
        };
        let all: usize = self.held.values().chain(self.answered.values()).sum();
        let told = |(says, cases): &(String, usize)| {
            if *cases == all { says.clone() } else { format!("{says} ({cases} of {})", count(all, "case")) }
        };
        let more = answered.len().saturating_sub(MOST_ANSWERS);
        let more = (more > 0).then(|| format!("{more} more"));
        let answers: Vec<_> = answered.iter().take(MOST_ANSWERS).map(told).chain(more).collect();
        (all > 0).then(|| answers.join("; "))
    }
}

/// What a case shows of a dispute, if anything.
fn shown(dispute: &Dispute, result: &CaseResult) -> Option<Shown> {
    let readings = || dispute.readings.iter().enumerate();
    let asked = |id: &String| readings().any(|(_, reading)| reading.shown_by.contains(id));
    let against = |finding: &&Finding| asked(&finding.requirement);
    if let Some(finding) = result.findings.iter().find(against) {
        let fits = |part: &String| finding.actual.contains(part.as_str());
        let answered = readings()
            .find(|(_, reading)| reading.shown_by.contains(&finding.requirement) && reading.answered.iter().any(fits));
        let another = || Shown::Another(another(finding));
        return Some(answered.map_or_else(another, |(number, _)| Shown::Reading(number)));
    }
    if !is_whole(result) {
        return None;
    }
    let held = readings().find(|(_, reading)| {
        reading.answered.is_empty() && result.requirements.iter().any(|id| reading.shown_by.contains(id))
    });
    held.map(|(number, _)| Shown::Held(number))
}

/// An answer that no reading has, in words: a status speaks for itself, a value only
/// beside its place.
fn another(finding: &Finding) -> String {
    let value = |value: &str| excerpt(value.lines().next().unwrap_or_default(), MOST_OF_ANSWER, 0);
    let (expected, actual) = (value(&finding.expected), value(&finding.actual));
    match finding.at.as_str() {
        "status" | "error" | "message" | "body" => actual,
        at => format!("{} is {actual}, not {expected}", at.trim_start_matches('/')),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::Readings;
    use crate::judge::{Level, Verdict};
    use crate::run::CaseResult;
    use crate::spec::{Dispute, Reading};

    const RULE: &str = "PutItem/rule/version-grows";

    fn dispute() -> Dispute {
        let reading = |says: &str, answered: &[&str]| Reading {
            by: Vec::new(),
            says: says.to_owned(),
            shown_by: vec![RULE.to_owned()],
            answered: answered.iter().map(|part| (*part).to_owned()).collect(),
        };
        Dispute {
            id: "versions".to_owned(),
            question: "Do versions grow?".to_owned(),
            readings: vec![reading("yes", &[]), reading("no", &["404", "409"])],
            suite: String::new(),
            settled_by: String::new(),
            requirements: Vec::new(),
            strength: None,
            model_differs: Vec::new(),
        }
    }

    /// A result of a case on the disputed rule, with this answer against it.
    fn result(verdict: Verdict, answer: Option<&str>) -> CaseResult {
        let mut result = samples::result("a/1", verdict);
        result.requirements.push(RULE.to_owned());
        result.findings.extend(answer.map(|answer| {
            let mut finding = samples::finding(Level::Note, 2);
            finding.actual = answer.to_owned();
            finding
        }));
        result
    }

    fn told(results: &[CaseResult]) -> Vec<String> {
        let mut readings = Readings::of(&[dispute()]);
        results.iter().for_each(|result| readings.add(result));
        readings.lines().collect()
    }

    #[test]
    fn a_reading_shows_by_what_holds_and_by_what_came_instead() {
        assert_eq!(told(&[result(Verdict::Pass, None)]), ["Do versions grow? yes"]);
        assert_eq!(told(&[result(Verdict::Pass, Some("409 StaleException"))]), ["Do versions grow? no"]);
        let unknown = told(&[result(Verdict::Pass, Some("503\nmore"))]);
        assert_eq!(unknown, ["Do versions grow? another answer: 503"]);
    }

    #[test]
    fn cases_that_disagree_are_counted() {
        let mut results = vec![result(Verdict::Pass, None), result(Verdict::Pass, None)];
        results.extend(["404", "500", "501", "502"].map(|answer| result(Verdict::Pass, Some(answer))));
        let expected = "Do versions grow? no (1 of 6 cases); another answer: 500 (1 of 6 cases); \
            another answer: 501 (1 of 6 cases); 1 more";
        assert_eq!(told(&results), [expected]);
        assert_eq!(told(&results[..2]), ["Do versions grow? yes"]);
    }

    #[test]
    fn what_was_not_asked_or_not_answered_shows_nothing() {
        // The second ended at another requirement, before the disputed one came.
        let other = samples::result("a/2", Verdict::Pass);
        let [failed, skipped] = [Verdict::Fail, Verdict::Skipped].map(|verdict| result(verdict, None));
        assert_eq!(told(&[other, failed, skipped]), Vec::<String>::new());
        let mut late = result(Verdict::Warn, None);
        late.findings[0].requirement = "PutItem/rule/stale".to_owned();
        assert_eq!(told(&[late.clone()]), Vec::<String>::new());
        late.findings[0].at = "/Version".to_owned();
        assert_eq!(told(&[late]), ["Do versions grow? yes"]);
    }
}
