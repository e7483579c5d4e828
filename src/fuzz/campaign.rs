//! Many sequences, several at a time, until something is found or the budget ends.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};

use super::generate::{sequence, sequences};
use super::model::Complaint;
use super::operation::Sequence;
use super::play::{Attempt, Manner, Outcome, Tally, play};
use super::send::{Endpoints, Slot};
use super::shrink::{Budget, Replayed, Shrinker};
use super::write_case::{CaseFile, case_file};
use crate::judge::Level;
use crate::spec::Catalog;

/// What to play, and for how long.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Sequences, at most.
    pub sequences: u64,
    /// Operations of the longest sequence.
    pub steps: usize,
    /// What the sequences are drawn from.
    pub seed: u64,
    /// Time, at most; shrinking what was found is not counted.
    pub time: Option<Duration>,
    /// Sequences at a time.
    pub jobs: usize,
    /// For shrinking one failure.
    pub budget: Budget,
    /// How long figures of usage may lag behind before they are wrong.
    pub lag: Duration,
}

/// What fuzzing came to.
#[derive(Debug)]
pub struct Report {
    /// Sequences that were played to their end, or to a finding.
    pub sequences: u64,
    /// What was found, in the order of finding: at most one failure, and before it
    /// warnings, one for each rule.
    pub findings: Vec<Found>,
    /// Sequences that told nothing, with the reasons of the first few.
    pub indeterminate: u64,
    /// Why the first of them told nothing.
    pub reasons: Vec<String>,
    /// Whether it was stopped before its budget ended.
    pub stopped: bool,
    /// What was exercised.
    pub tally: Tally,
    /// How long it took, shrinking included.
    pub took: Duration,
}

/// A rule that does not hold, and the smallest sequence that shows it.
#[derive(Debug)]
pub struct Found {
    /// Id of the requirement.
    pub requirement: &'static str,
    /// What the strength of the requirement makes of it.
    pub level: Level,
    /// Where in the last answer, as in findings of cases.
    pub at: String,
    /// What was expected there.
    pub expected: String,
    /// What was there.
    pub actual: String,
    /// The seed's sequence that found it, from 0.
    pub number: u64,
    /// How many operations it had, up to the finding.
    pub length: usize,
    /// The smallest sequence found.
    pub sequence: Sequence,
    /// Requests that this sequence takes.
    pub requests: usize,
    /// Attempts that shrinking took.
    pub attempts: u64,
    /// Whether it comes again.
    pub replayed: Replayed,
    /// The case to keep.
    pub case: CaseFile,
    /// From the beginning to the finding, and from there to the end of shrinking.
    pub took: (Duration, Duration),
}

/// How far fuzzing has come.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Sequences played.
    pub sequences: u64,
    /// Requests sent.
    pub requests: u64,
    /// Findings so far.
    pub findings: usize,
    /// Attempts at a smaller sequence, while one is sought.
    pub shrinking: bool,
}

/// Reasons that are kept.
const MOST_REASONS: usize = 5;

/// Sequences in a row without any answer, after which it makes no sense to go on.
const MOST_UNANSWERED: u64 = 20;

struct Campaign<'a> {
    endpoints: &'a Arc<Endpoints>,
    settings: &'a Settings,
    slots: VecDeque<Slot>,
    manner: Arc<Manner>,
    /// Numbers to be played again, because something was found before them.
    again: BTreeSet<u64>,
    next: u64,
    unanswered: u64,
    begun: Instant,
    report: Report,
}

/// Plays sequences of a seed until a failure is found, the budget ends, or `cancel`
/// says so. What only warns is kept once and then passed over.
pub async fn fuzz(
    endpoints: &Arc<Endpoints>,
    settings: &Settings,
    cancel: watch::Receiver<bool>,
    mut told: impl FnMut(Progress),
) -> Report {
    let report = Report {
        sequences: 0,
        findings: Vec::new(),
        indeterminate: 0,
        reasons: Vec::new(),
        stopped: false,
        tally: Tally::default(),
        took: Duration::ZERO,
    };
    let manner = Arc::new(Manner { muted: Vec::new(), lag: settings.lag });
    let mut campaign = Campaign {
        endpoints,
        settings,
        slots: endpoints.slots().into(),
        manner,
        again: BTreeSet::new(),
        next: 0,
        unanswered: 0,
        begun: Instant::now(),
        report,
    };
    while !campaign.is_over(&cancel) {
        let Some((number, attempt)) = campaign.round(&cancel, &mut told).await else { break };
        campaign.found(number, attempt, &mut told).await;
        if campaign.report.findings.last().is_some_and(|found| found.level == Level::Fail) {
            break;
        }
    }
    campaign.report.stopped = *cancel.borrow();
    campaign.report.took = campaign.begun.elapsed();
    campaign.report
}

impl Campaign<'_> {
    fn is_over(&self, cancel: &watch::Receiver<bool>) -> bool {
        let out_of_time = self.settings.time.is_some_and(|time| self.begun.elapsed() >= time);
        let done = self.again.is_empty() && self.next >= self.settings.sequences;
        done || out_of_time || self.unanswered >= MOST_UNANSWERED || *cancel.borrow() || self.slots.is_empty()
    }

    fn next_number(&mut self) -> u64 {
        self.again.pop_first().unwrap_or_else(|| {
            self.next += 1;
            self.next - 1
        })
    }

    fn sequence(&self, number: u64) -> Sequence {
        sequence(&sequences(self.settings.steps, self.endpoints.identities()), self.settings.seed, number)
    }

    /// Plays until something is found; the finding with the lowest number, so that
    /// the same seed finds the same whatever ends first.
    async fn round(
        &mut self,
        cancel: &watch::Receiver<bool>,
        told: &mut impl FnMut(Progress),
    ) -> Option<(u64, Attempt)> {
        let (mut playing, mut found) = (JoinSet::new(), BTreeMap::new());
        let jobs = self.settings.jobs.clamp(1, self.slots.len());
        loop {
            while found.is_empty() && playing.len() < jobs && !self.is_over(cancel) {
                let Some(slot) = self.slots.pop_front() else { break };
                let number = self.next_number();
                let (sequence, endpoints) = (self.sequence(number), Arc::clone(self.endpoints));
                let manner = Arc::clone(&self.manner);
                playing.spawn(async move {
                    let attempt = play(&endpoints, &slot, &sequence, &manner).await;
                    (number, slot, attempt)
                });
            }
            let Some(ended) = playing.join_next().await else { break };
            let (number, slot, attempt) = whole(ended);
            self.slots.push_back(slot);
            match attempt.outcome {
                Outcome::Found(_) => {
                    found.insert(number, attempt);
                }
                _ => self.take(&attempt),
            }
            told(self.progress(false));
        }
        let (number, attempt) = found.pop_first()?;
        self.again.extend(found.into_keys());
        self.take(&attempt);
        Some((number, attempt))
    }

    fn progress(&self, shrinking: bool) -> Progress {
        let Report { sequences, findings, tally, .. } = &self.report;
        Progress { sequences: *sequences, requests: tally.requests, findings: findings.len(), shrinking }
    }

    fn take(&mut self, attempt: &Attempt) {
        self.report.tally.add(&attempt.tally);
        match &attempt.outcome {
            Outcome::Indeterminate(why) => {
                self.unanswered += 1;
                self.report.indeterminate += 1;
                if self.report.reasons.len() < MOST_REASONS {
                    self.report.reasons.push(why.clone());
                }
            }
            Outcome::Clean | Outcome::Found(_) => {
                self.unanswered = 0;
                self.report.sequences += 1;
            }
        }
    }

    /// Shrinks what was found, and makes a case of it.
    async fn found(&mut self, number: u64, attempt: Attempt, told: &mut impl FnMut(Progress)) {
        let Some(rule) = primary(&attempt).map(|complaint| complaint.rule) else { return };
        told(self.progress(true));
        let (found_after, length) = (self.begun.elapsed(), attempt.played);
        let slots: Vec<Slot> = self.slots.iter().take(self.settings.jobs.max(1)).cloned().collect();
        let (endpoints, manner, budget) = (self.endpoints, &self.manner, self.settings.budget);
        let shrinker = Shrinker { endpoints, slots: &slots, manner, rule, budget };
        let shrunk = shrinker.shrink(&self.sequence(number), attempt).await;
        // Shrinking may have led to a place where another rule is broken besides.
        let Some(complaint) = of_rule(&shrunk.attempt, rule) else { return };
        let Attempt { sent, names, .. } = &shrunk.attempt;
        let Some(last) = sent.last() else { return };
        let found = Found {
            requirement: rule,
            level: level(rule),
            at: complaint.want.at(),
            expected: complaint.want.expected(names),
            actual: complaint.want.actual(&last.answer),
            number,
            length,
            requests: sent.len(),
            attempts: shrunk.attempts,
            replayed: shrunk.replayed,
            case: case_file(sent, complaint, names, self.settings.seed, number),
            took: (found_after, self.begun.elapsed().saturating_sub(found_after)),
            sequence: shrunk.sequence,
        };
        self.report.findings.push(found);
        // From here on it is known; what comes after it can still be found.
        let mut muted = self.manner.muted.clone();
        muted.push(rule);
        self.manner = Arc::new(Manner { muted, lag: self.settings.lag });
    }
}

/// What a task gave; its panic is ours.
pub(super) fn whole<T>(ended: Result<T, JoinError>) -> T {
    ended.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

/// The complaint that weighs most, the first of several.
fn primary(attempt: &Attempt) -> Option<&Complaint> {
    let Outcome::Found(complaints) = &attempt.outcome else { return None };
    let most = complaints.iter().map(|complaint| level(complaint.rule)).max()?;
    complaints.iter().find(|complaint| level(complaint.rule) == most)
}

fn of_rule<'a>(attempt: &'a Attempt, rule: &str) -> Option<&'a Complaint> {
    let Outcome::Found(complaints) = &attempt.outcome else { return None };
    complaints.iter().find(|complaint| complaint.rule == rule)
}

fn level(rule: &str) -> Level {
    Catalog::embedded().get(rule).map_or(Level::Fail, |requirement| requirement.strength.into())
}
