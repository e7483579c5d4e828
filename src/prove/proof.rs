//! Runs alterations against the cases, and says what was caught by whom.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::alteration::{Alteration, Kind};
use crate::cases::{Case, Suite};
use crate::collaborators::Listener;
use crate::judge::{Level, Verdict};
use crate::plan::Plan;
use crate::run::{CaseResult, Session, Settings, results};
use crate::spec::Service;
use crate::target::{Target, calling, embedded_world};

/// Longest wait for an answer of an altered server.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Longest time that a step is repeated: the reference needs less, and a server
/// that is wrong on purpose will not become right by waiting.
const WITHIN_MOST: Duration = Duration::from_millis(4000);

/// Cases at a time for one alteration.
const JOBS: usize = 4;

/// What the alterations came to.
#[derive(Debug)]
pub struct Proof {
    /// Each alteration, in the order given.
    pub tried: Vec<Tried>,
    /// Each case of the suite, with the names of the alterations that it caught.
    pub catches: BTreeMap<String, BTreeSet<String>>,
    /// Cases that catch nothing, and need not as the suite says.
    pub idle_for_a_reason: BTreeSet<String>,
    /// What fails although nothing is altered, in words.
    pub control: Vec<String>,
    /// Mutants that are not tried, because the suite says why no case can prove any
    /// of their requirements.
    pub excluded: Vec<Alteration>,
}

/// What one alteration came to.
#[derive(Debug)]
pub struct Tried {
    /// The alteration.
    pub alteration: Alteration,
    /// For each of its requirements, the cases whose findings name it.
    pub caught: BTreeMap<String, BTreeSet<String>>,
    /// Cases that claim one of its requirements and ran.
    pub claimed_by: Vec<String>,
    /// Why the suite says that no case can catch it, if it says so.
    pub excused: Option<String>,
    /// Of a mutant: what else went wrong in these cases. Of a variant: every false
    /// alarm. In words.
    pub others: Vec<String>,
}

impl Tried {
    /// Requirements that no case caught.
    pub fn missed(&self) -> impl Iterator<Item = &str> {
        let caught = |id: &&String| self.caught.get(*id).is_none_or(BTreeSet::is_empty);
        self.alteration.requirements.iter().filter(caught).map(String::as_str)
    }

    /// Whether the cases dealt with the alteration as they must: all of a mutant's
    /// requirements caught; a variant's noted, without false alarms.
    pub fn is_proven(&self) -> bool {
        let quiet = self.alteration.kind == Kind::Mutant || self.others.is_empty();
        quiet && self.missed().next().is_none()
    }

    /// Whether all is as the suite says: proven, or else excused.
    pub fn is_in_order(&self) -> bool {
        self.is_proven() != self.excused.is_some()
    }
}

/// A finding, as far as it tells one server from another: case, requirement, step,
/// place, and what was there.
type Seen = (String, String, usize, String, String);

/// How much is tried.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// Most servers at a time; at least 1.
    pub at_a_time: usize,
    /// Run every variant by itself against the whole suite. Otherwise those that are
    /// part of a stranger meet the whole suite only there, and by themselves the
    /// cases that ask what they answer.
    pub thorough: bool,
}

/// Tries every alteration.
///
/// # Errors
///
/// A sentence on why no server could be started.
pub async fn prove(suite: &Suite, alterations: Vec<Alteration>, effort: Effort) -> Result<Proof, String> {
    let suite = Arc::new(hastened(suite));
    let excluded = |id: &String| suite.excluded.iter().any(|exclusion| exclusion.covers(id));
    let is_excluded =
        |alteration: &Alteration| !alteration.requirements.is_empty() && alteration.requirements.iter().all(excluded);
    let (excluded, alterations): (Vec<_>, Vec<_>) = alterations.into_iter().partition(is_excluded);
    let control = Arc::new(attempt(&suite, &Alteration::control()).await?);
    let mut waiting = alterations.into_iter().enumerate();
    let (mut trying, mut tried) = (JoinSet::new(), BTreeMap::new());
    loop {
        while trying.len() < effort.at_a_time.max(1)
            && let Some((number, alteration)) = waiting.next()
        {
            let (suite, control) = (Arc::clone(&suite), Arc::clone(&control));
            trying.spawn(async move { (number, try_out(&suite, alteration, &control, effort.thorough).await) });
        }
        let Some(ended) = trying.join_next().await else { break };
        let (number, outcome) = ended.map_err(|error| format!("a trial broke down: {error}"))?;
        tried.insert(number, outcome?);
    }
    let tried: Vec<Tried> = tried.into_values().collect();
    let mut catches: BTreeMap<_, BTreeSet<_>> =
        suite.cases.iter().map(|case| (case.id.clone(), BTreeSet::new())).collect();
    for Tried { alteration, caught, .. } in &tried {
        for case in caught.values().flatten() {
            catches.entry(case.clone()).or_default().insert(alteration.name.clone());
        }
    }
    let control = control.iter().filter(|result| !is_well(result.verdict)).map(in_short).collect();
    let excused = |case: &&String| suite.excluded.iter().any(|exclusion| exclusion.is_of_case(case));
    let idle_for_a_reason = catches.keys().filter(excused).cloned().collect();
    Ok(Proof { tried, catches, idle_for_a_reason, control, excluded })
}

/// The suite, with no step that is repeated for long.
fn hastened(suite: &Suite) -> Suite {
    let mut suite = suite.clone();
    for step in suite.cases.iter_mut().flat_map(|case| &mut Arc::make_mut(case).steps) {
        step.within = step.within.map(|within| within.min(WITHIN_MOST));
    }
    suite
}

async fn try_out(
    suite: &Suite,
    alteration: Alteration,
    control: &[CaseResult],
    thorough: bool,
) -> Result<Tried, String> {
    let claims = |case: &&Arc<Case>| case.proves.iter().any(|id| alteration.requirements.contains(id));
    let claimed_by: Vec<String> = suite.cases.iter().filter(claims).map(|case| case.id.clone()).collect();
    let whole = thorough || alteration.is_several() || alteration.requirements.is_empty();
    let ran = if alteration.kind == Kind::Variant && whole {
        attempt(suite, &alteration).await?
    } else {
        let cases = suite.cases.iter().filter(claims).cloned().collect();
        let suite = Suite { cases, ..suite.clone() };
        if suite.cases.is_empty() { Vec::new() } else { attempt(&suite, &alteration).await? }
    };
    let mut caught: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (case, requirement) in differences(alteration.kind, &ran, control) {
        if alteration.requirements.contains(&requirement) {
            caught.entry(requirement).or_default().insert(case);
        }
    }
    let by_whom: BTreeSet<&String> = caught.values().flatten().collect();
    let unwell = ran.iter().filter(|result| !is_well(result.verdict));
    let others = match alteration.kind {
        Kind::Variant => unwell.map(in_short).collect(),
        Kind::Mutant => unwell.filter(|result| !by_whom.contains(&result.case)).map(in_short).collect(),
    };
    let excuse = suite.excluded.iter().find(|exclusion| exclusion.excuses(&alteration.name));
    let excused = excuse.map(|exclusion| exclusion.reason.clone());
    Ok(Tried { caught, claimed_by, excused, others, alteration })
}

/// Case and requirement of everything that tells an altered server from the
/// reference. Findings that only note something count for variants alone, and so
/// does that such a finding is gone: the reference made another choice than the
/// case says, and the variant does not.
fn differences(kind: Kind, ran: &[CaseResult], control: &[CaseResult]) -> Vec<(String, String)> {
    let of = |results: &[CaseResult]| -> BTreeSet<Seen> { results.iter().flat_map(seen).collect() };
    match kind {
        Kind::Mutant => {
            let findings = ran.iter().flat_map(|result| {
                let judged = result.findings.iter().filter(|finding| finding.level > Level::Note);
                judged.map(|finding| (result.case.clone(), finding.requirement.clone()))
            });
            findings.collect()
        }
        Kind::Variant => {
            let cases: BTreeSet<&String> = ran.iter().map(|result| &result.case).collect();
            let (ran, mut control) = (of(ran), of(control));
            control.retain(|seen| cases.contains(&seen.0));
            ran.symmetric_difference(&control).map(|seen| (seen.0.clone(), seen.1.clone())).collect()
        }
    }
}

fn seen(result: &CaseResult) -> impl Iterator<Item = Seen> {
    result.findings.iter().map(|finding| {
        let (at, actual) = (finding.at.clone(), finding.actual.clone());
        (result.case.clone(), finding.requirement.clone(), finding.step, at, actual)
    })
}

fn is_well(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Pass | Verdict::Skipped)
}

/// A result in one line.
fn in_short(result: &CaseResult) -> String {
    let findings = result.findings.iter().filter(|finding| finding.level > Level::Note).map(|finding| {
        format!("{} of step {} is {}, not {}", finding.at, finding.step, cut(&finding.actual), cut(&finding.expected))
    });
    let what: Vec<_> = findings.chain(result.reason.clone()).collect();
    format!("{} {}: {}", result.verdict, result.case, what.join("; "))
}

fn cut(text: &str) -> String {
    const MOST: usize = 100;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Runs a suite against a fresh server, as against a stranger: without snapshots
/// of its own.
async fn attempt(suite: &Suite, alteration: &Alteration) -> Result<Vec<CaseResult>, String> {
    let listener = Listener::start(([127, 0, 0, 1], 0).into()).await;
    let listener = listener.map_err(|error| format!("the other services cannot be played: {error}"))?;
    let world = calling(embedded_world(), &listener.endpoint());
    let quota = Service::embedded().datasets_per_identity();
    let server = alteration.serve(([127, 0, 0, 1], 0).into(), world.clone()).await;
    let server = server.map_err(|error| format!("the server `{}` cannot start: {error}", alteration.name))?;
    let mut target = Target::embedded(&world, &server.endpoint()).called_back(&world, listener.address());
    target.snapshots = None;
    target.offers.retain(|offer| !alteration.withdrawn.contains(&offer.as_str()));
    let plan = Plan::new(suite, &[], &target).map_err(|error| error.to_string())?;
    let session = Session::connect(target, TIMEOUT, false, "prove".to_owned())?.playing(listener);
    let settings = Settings { jobs: JOBS, fail_fast: false, datasets_per_identity: quota };
    let results = results(&session, plan, &suite.digest, settings).await;
    server.shutdown().await;
    Ok(results)
}
