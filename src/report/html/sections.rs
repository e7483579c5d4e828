//! What did not pass, under what it has in common.

use std::collections::HashSet;

use super::anchor;
use super::evidence::Evidence;
use crate::judge::{Level, SNAPSHOT, Verdict};
use crate::report::broken::{Cause, Dead, causes};
use crate::report::failure::{Context, brief, short, statement};
use crate::report::record::Record;
use crate::report::text::{count, printable};
use crate::run::CaseResult;

/// Cases that are shown with their evidence, each broken requirement's first one
/// before any second: with the exchanges that go with it, a case takes some
/// kilobytes.
pub(super) const MOST_EVIDENCE: usize = 120;

/// Cases that are shown so for one requirement or one reason.
const MOST_EVIDENCE_EACH: usize = 3;

/// Results of one sort, in groups.
pub(super) struct Section {
    pub(super) id: &'static str,
    /// What the sort is called in a few words, with `cases` after their number.
    pub(super) name: &'static str,
    pub(super) title: String,
    pub(super) says: &'static str,
    /// `bad`, `unsure` or `calm`.
    pub(super) tone: &'static str,
    pub(super) cases: usize,
    pub(super) groups: Vec<Group>,
    /// What is broken in the same cases and is the cause of none of them.
    pub(super) further: Vec<Further>,
    /// Whether the first group is shown open.
    pub(super) open: bool,
}

/// Results of one cause: a requirement or a reason.
pub(super) struct Group {
    /// Id of the requirement; empty when the cause is a reason.
    pub(super) requirement: String,
    pub(super) heading: String,
    /// Whether it only says that some action does nothing.
    pub(super) is_explained: bool,
    /// What makes us sure of the requirement.
    pub(super) grounds: String,
    /// What came of the first case.
    pub(super) short: String,
    pub(super) evidence: Vec<Evidence>,
    /// Id of further cases, and what came of each.
    pub(super) rest: Vec<(String, String)>,
    pub(super) all: usize,
}

/// A requirement that is broken in a case that another one stands for.
pub(super) struct Further {
    pub(super) id: String,
    pub(super) statement: String,
    pub(super) case: String,
    /// Where the case is shown.
    pub(super) link: String,
}

/// A sort of results.
struct Sort {
    verdicts: &'static [Verdict],
    id: &'static str,
    name: &'static str,
    title: &'static str,
    says: &'static str,
    tone: &'static str,
}

/// Worst first.
const SORTS: [Sort; 6] = [
    Sort {
        verdicts: &[Verdict::Fail],
        id: "broken",
        name: "failed",
        title: "Broken",
        says: "Documented or observed requirements that do not hold.",
        tone: "bad",
    },
    Sort {
        verdicts: &[Verdict::UnexpectedPass],
        id: "unexpected",
        name: "passed against a known failure",
        title: "Passed against a known failure",
        says: "The target file says that these fail. Take the entries out of it.",
        tone: "bad",
    },
    Sort {
        verdicts: &[Verdict::NotTestable, Verdict::Indeterminate],
        id: "unjudged",
        name: "could not be judged",
        title: "Could not be judged",
        says: "A prerequisite did not hold, or no answer came. Nothing is known of what these would have shown.",
        tone: "unsure",
    },
    Sort {
        verdicts: &[Verdict::Warn],
        id: "doubtful",
        name: "in doubt",
        title: "In doubt",
        says: "Inferred requirements that do not hold: what the sources suggest and nobody wrote down.",
        tone: "unsure",
    },
    Sort {
        verdicts: &[Verdict::ExpectedFail],
        id: "known",
        name: "failed as expected",
        title: "Failed as expected",
        says: "The target file names these as known failures.",
        tone: "calm",
    },
    Sort {
        verdicts: &[Verdict::Skipped],
        id: "skipped",
        name: "skipped",
        title: "Skipped",
        says: "The target says that it lacks what these need.",
        tone: "calm",
    },
];

pub(super) fn sections(record: &Record, dead: &Dead<'_>, context: &Context<'_>) -> Vec<Section> {
    let mut room = MOST_EVIDENCE;
    let section = |sort: &Sort| {
        let results: Vec<_> = record.results.iter().filter(|result| sort.verdicts.contains(&result.verdict)).collect();
        let groups = groups(causes(results.iter().copied(), dead, context.catalog), context, &mut room);
        let title = format!("{}: {}", sort.title, counted(&groups, results.len()));
        let &Sort { id, name, says, tone, .. } = sort;
        let cases = results.len();
        let open = id == "broken";
        let further = if open { further(&results, &groups, context) } else { Vec::new() };
        (!groups.is_empty()).then_some(Section { id, name, title, says, tone, cases, groups, further, open })
    };
    SORTS.iter().filter_map(section).collect()
}

fn further(results: &[&CaseResult], groups: &[Group], context: &Context<'_>) -> Vec<Further> {
    let mut told: HashSet<_> = groups.iter().map(|group| group.requirement.as_str()).collect();
    let mut further = Vec::new();
    for result in results {
        for finding in result.findings.iter().filter(|finding| finding.level == Level::Fail) {
            let id = finding.requirement.as_str();
            if id != SNAPSHOT && told.insert(id) {
                let (statement, link) = (statement(id, context), anchor("case", &result.case));
                further.push(Further { id: id.to_owned(), statement, case: result.case.clone(), link });
            }
        }
    }
    further
}

fn counted(groups: &[Group], cases: usize) -> String {
    let rules = groups.iter().filter(|group| !group.requirement.is_empty()).count();
    if rules == 0 {
        count(cases, "case")
    } else {
        format!("{} in {}", count(rules, "requirement"), count(cases, "case"))
    }
}

/// The causes with evidence while there is room, to each once before to any twice.
fn groups(causes: Vec<Cause<'_>>, context: &Context<'_>, room: &mut usize) -> Vec<Group> {
    let mut shown = HashSet::new();
    for round in 0..MOST_EVIDENCE_EACH {
        for case in causes.iter().filter_map(|cause| cause.results.get(round)).filter(|case| case.was_begun()) {
            if *room > 0 && shown.insert(case.case.as_str()) {
                *room -= 1;
            }
        }
    }
    let group = |Cause { cause, is_requirement, is_explained, results }: Cause<'_>| {
        let (full, rest): (Vec<_>, Vec<_>) =
            results.iter().copied().partition(|case| shown.contains(case.case.as_str()));
        let (heading, grounds) = if is_requirement { words(&cause, context) } else { (reason(&cause), String::new()) };
        Group {
            requirement: if is_requirement { cause.into_owned() } else { String::new() },
            heading,
            is_explained,
            grounds,
            short: results.first().map(|case| brief(case)).unwrap_or_default(),
            evidence: full.iter().map(|case| Evidence::of(case, context)).collect(),
            rest: rest.iter().map(|case| (case.case.clone(), short(case))).collect(),
            all: results.len(),
        }
    };
    causes.into_iter().map(group).collect()
}

fn reason(cause: &str) -> String {
    if cause.is_empty() { "no reason given".to_owned() } else { printable(cause).into_owned() }
}

/// A requirement in plain words, and what makes us sure of it.
fn words(id: &str, context: &Context<'_>) -> (String, String) {
    let Some(requirement) = context.catalog.get(id) else {
        let grounds = if id == SNAPSHOT { "" } else { "not in this version's catalogue" };
        return (statement(id, context), grounds.to_owned());
    };
    let dispute = requirement.dispute.as_ref().map(|dispute| format!("; sources disagree, see dispute {dispute}"));
    let grounds = format!("{} in: {}", requirement.strength, requirement.sources.join("; "));
    (statement(id, context), grounds + &dispute.unwrap_or_default())
}
