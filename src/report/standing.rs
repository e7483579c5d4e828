//! What a run says of each requirement: the cases tell of themselves, a reader
//! asks for the rule.

use indexmap::IndexMap;

use crate::judge::{Finding, Level, SNAPSHOT, Verdict};
use crate::run::CaseResult;
use crate::spec::Catalog;

/// What a run says of a requirement, best first: what several cases say together
/// is the worst of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// No case of the run speaks of it.
    Unasked,
    /// Cases would have shown it, and none of them was judged to its end.
    Unjudged,
    /// A case showed it, and nothing was found against it.
    Holds,
    /// Nobody knows what is right here; the target has another answer than the
    /// reference.
    Noted,
    /// It is inferred, and does not hold.
    InDoubt,
    /// It is documented or observed, and does not hold.
    Broken,
}

impl Standing {
    /// All of them, best first.
    pub const ALL: [Self; 6] = [Self::Unasked, Self::Unjudged, Self::Holds, Self::Noted, Self::InDoubt, Self::Broken];

    /// The words for it in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unasked => "not asked",
            Self::Unjudged => "not judged",
            Self::Holds => "holds",
            Self::Noted => "noted",
            Self::InDoubt => "in doubt",
            Self::Broken => "broken",
        }
    }

    /// What it means, in a few words.
    pub(super) fn meaning(self) -> &'static str {
        match self {
            Self::Unasked => "no case of the run speaks of it",
            Self::Unjudged => "cases would have shown it, and none of them was judged to its end",
            Self::Holds => "a case showed it, and nothing was found against it",
            Self::Noted => {
                "nobody knows what is right, and the answer is not the one that the suite would give; no fault"
            }
            Self::InDoubt => "inferred from the sources, and does not hold",
            Self::Broken => "documented or observed, and does not hold",
        }
    }

    /// The words for all of them and what they mean, worst first.
    pub(super) fn words() -> Vec<(&'static str, &'static str)> {
        Self::ALL.into_iter().rev().map(|standing| (standing.name(), standing.meaning())).collect()
    }

    /// Whether a case was judged on it.
    pub fn is_judged(self) -> bool {
        !matches!(self, Self::Unasked | Self::Unjudged)
    }
}

impl From<Level> for Standing {
    fn from(level: Level) -> Self {
        match level {
            Level::Note => Self::Noted,
            Level::Warn => Self::InDoubt,
            Level::Fail => Self::Broken,
        }
    }
}

/// What a run says of every requirement of a catalogue, in its order. Requirements
/// that only the run knows, because another version of the suite made it, follow.
#[derive(Debug, Clone)]
pub struct Standings {
    by_id: IndexMap<String, Standing>,
}

impl Standings {
    /// What these results say.
    pub fn of<'r>(catalog: &Catalog, results: impl IntoIterator<Item = &'r CaseResult>) -> Self {
        let mut standings = Self::new(catalog);
        results.into_iter().for_each(|result| standings.add(result));
        standings
    }

    /// What no result says yet.
    pub fn new(catalog: &Catalog) -> Self {
        Self { by_id: catalog.iter().map(|requirement| (requirement.id.clone(), Standing::Unasked)).collect() }
    }

    /// Takes in what the next result says.
    pub fn add(&mut self, result: &CaseResult) {
        for (id, standing) in Self::said(result) {
            match self.by_id.get_mut(id) {
                Some(known) => *known = standing.max(*known),
                None => drop(self.by_id.insert(id.to_owned(), standing)),
            }
        }
    }

    /// What one result says: of whatever it found, then of the requirements that it
    /// proves and found nothing against.
    pub(super) fn said(result: &CaseResult) -> impl Iterator<Item = (&str, Standing)> {
        let found = result.findings.iter().filter(|finding| finding.requirement != SNAPSHOT);
        let found = found.map(|finding| (finding.requirement.as_str(), finding.level.into()));
        let otherwise = if is_whole(result) { Standing::Holds } else { Standing::Unjudged };
        let silent = |id: &&String| !result.findings.iter().any(|finding| finding.requirement == **id);
        found.chain(result.requirements.iter().filter(silent).map(move |id| (id.as_str(), otherwise)))
    }

    /// What the run says of this requirement.
    pub fn get(&self, id: &str) -> Standing {
        self.by_id.get(id).copied().unwrap_or(Standing::Unasked)
    }

    /// Every requirement and what the run says of it.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Standing)> {
        self.by_id.iter().map(|(id, standing)| (id.as_str(), *standing))
    }

    /// How many requirements stand how, among those with an id that is `wanted`.
    pub fn count(&self, wanted: impl Fn(&str) -> bool) -> Count {
        let mut count = Count::default();
        self.iter().filter(|(id, _)| wanted(id)).for_each(|(_, standing)| count.add(standing));
        count
    }
}

/// How many requirements stand how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    by_standing: [usize; Standing::ALL.len()],
}

impl Count {
    /// Takes in one more.
    pub fn add(&mut self, standing: Standing) {
        self.by_standing[standing as usize] += 1;
    }

    /// How many stand so.
    pub fn of(&self, standing: Standing) -> usize {
        self.by_standing[standing as usize]
    }

    /// How many there are.
    pub fn all(&self) -> usize {
        self.by_standing.iter().sum()
    }

    /// How many were judged.
    pub fn judged(&self) -> usize {
        Standing::ALL.into_iter().filter(|standing| standing.is_judged()).map(|standing| self.of(standing)).sum()
    }

    /// How many were judged and are neither broken nor in doubt: where nobody knows
    /// what is right, any answer conforms.
    pub fn conforming(&self) -> usize {
        self.of(Standing::Holds) + self.of(Standing::Noted)
    }
}

/// Whether every expectation of the case was compared. A case ends where another
/// outcome came than it expects, and at what fails; nothing is known of the rest.
pub(super) fn is_whole(result: &CaseResult) -> bool {
    let ends = |finding: &Finding| finding.level == Level::Fail || matches!(finding.at.as_str(), "status" | "error");
    let judged = result.verdict.is_judged() && result.verdict != Verdict::ExpectedFail;
    judged && !result.findings.iter().any(ends)
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::{Standing, Standings};
    use crate::judge::{Level, SNAPSHOT, Verdict};
    use crate::run::CaseResult;

    const STALE: &str = "PutItem/rule/stale";
    const GROWS: &str = "PutItem/rule/version-grows";

    fn standings(results: &[CaseResult]) -> Standings {
        Standings::of(&samples::catalog(), results)
    }

    #[test]
    fn the_worst_that_cases_say_counts() {
        let pass = samples::result("a/1", Verdict::Pass);
        let fail = samples::result("a/2", Verdict::Fail);
        let skipped = samples::result("a/3", Verdict::Skipped);
        assert_eq!(standings(&[]).get(STALE), Standing::Unasked);
        assert_eq!(standings(std::slice::from_ref(&skipped)).get(STALE), Standing::Unjudged);
        assert_eq!(standings(&[pass.clone(), skipped.clone()]).get(STALE), Standing::Holds);
        assert_eq!(standings(&[pass, fail, skipped]).get(STALE), Standing::Broken);
    }

    #[test]
    fn what_a_case_did_not_come_to_is_not_said_to_hold() {
        let mut fail = samples::result("a/1", Verdict::Fail);
        fail.requirements.push(GROWS.to_owned());
        assert_eq!(standings(&[fail]).get(GROWS), Standing::Unjudged);
        let mut warned = samples::result("a/1", Verdict::Warn);
        assert_eq!(standings(&[warned.clone()]).get(STALE), Standing::Unjudged);
        // A difference in the body lets the case go on.
        warned.findings[0].at = "/Version".to_owned();
        let standings = standings(&[warned]);
        assert_eq!((standings.get(STALE), standings.get(GROWS)), (Standing::Holds, Standing::InDoubt));
    }

    #[test]
    fn numbers_tell_conformance_from_coverage() {
        let mut noted = samples::result("a/1", Verdict::Pass);
        noted.findings = vec![samples::finding(Level::Note, 1), samples::finding(Level::Fail, 1)];
        noted.findings[1].requirement = SNAPSHOT.to_owned();
        let standings = standings(&[noted, samples::result("a/2", Verdict::Pass)]);
        let count = standings.count(|_| true);
        assert_eq!((count.conforming(), count.judged()), (2, 2));
        assert_eq!(count.all(), samples::catalog().len());
        assert_eq!(standings.count(|id| id == GROWS).of(Standing::Noted), 1);
    }
}
