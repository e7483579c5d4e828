//! The loop over a plan: as many cases at a time as allowed and as leases permit.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::watch;
use tokio::task::{Id, JoinSet};

use super::breaker::Breaker;
use super::event::{CaseResult, Event, FORMAT_VERSION, FailOn, Footer, Header, Partition, TargetSummary};
use super::execute::{Outcome, execute, not_run};
use super::queue::Queue;
use super::redact::micros;
use super::session::Session;
use crate::judge::Verdict;
use crate::plan::{Decision, Lease, LeaseTable, Plan, Planned, Share};
use crate::target::KnownFailure;

/// Why a run that was cancelled begins no further case.
const INTERRUPTED: &str = "the run was interrupted";

/// How a run goes about it.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Most cases at a time; at least 1.
    pub jobs: usize,
    /// Stop at the first case that fails.
    pub fail_fast: bool,
    /// Most datasets that an identity of the target can hold.
    pub datasets_per_identity: usize,
}

/// Runs a plan; `sink` is told everything, in order. `cancel` turning true ends
/// the run: cases under way are finished, the rest is not begun. What stood on the
/// target before is brought back in any case, unless nobody is there any more.
pub async fn run(
    session: &Session,
    plan: Plan,
    suite_digest: &str,
    settings: Settings,
    cancel: watch::Receiver<bool>,
    sink: impl FnMut(Event),
) -> Footer {
    let header = header(session, &plan, suite_digest);
    resume(session, plan, header, Vec::new(), settings, cancel, sink).await
}

/// Runs what is left of a plan, as [`run`] does. `header` is told first, then the
/// results `earlier`, whose cases are not run again.
pub async fn resume(
    session: &Session,
    mut plan: Plan,
    header: Header,
    earlier: Vec<CaseResult>,
    settings: Settings,
    cancel: watch::Receiver<bool>,
    mut sink: impl FnMut(Event),
) -> Footer {
    let (begun, is_empty_part) = (Instant::now(), header.is_empty_part());
    sink(Event::Header(header));
    let bases = Arc::clone(&plan.bases);
    let mut engine = Engine {
        session,
        settings,
        leases: LeaseTable::new(&session.target, settings.datasets_per_identity),
        pending: Queue::new(Vec::new()),
        running: JoinSet::new(),
        holders: HashMap::new(),
        begun_cases: 0,
        breaker: Breaker::new(session.client.clone()),
        stopped: None,
        totals: Verdict::ALL.into_iter().map(|verdict| (verdict, 0)).collect(),
        sink: &mut sink,
    };
    let idle = plan.idle_known_failures(&session.target).into_iter().map(KnownFailure::place).collect();
    let unmatched = plan.unmatched_known_failures.iter().map(KnownFailure::place).collect();
    let done: HashSet<String> = earlier.iter().map(|result| result.case.clone()).collect();
    earlier.into_iter().for_each(|result| engine.report(result));
    plan.cases.retain(|planned| !done.contains(&planned.case.id));
    engine.queue(plan.cases);
    engine.work(cancel).await;
    let leftovers = session.restore(&bases).await;
    let footer = Footer { leftovers, ..engine.footer(unmatched, idle, begun.elapsed()) };
    let footer = Footer { exit: footer.exit_of(is_empty_part, session.fail_on), ..footer };
    sink(Event::Footer(footer.clone()));
    footer
}

/// Runs a plan to its end and gives the results, in the order of finishing.
pub async fn results(session: &Session, plan: Plan, suite_digest: &str, settings: Settings) -> Vec<CaseResult> {
    let (_going_on, cancel) = watch::channel(false);
    let mut results = Vec::new();
    let sink = |event| {
        if let Event::Result(result) = event {
            results.push(*result);
        }
    };
    run(session, plan, suite_digest, settings, cancel, sink).await;
    results
}

struct Engine<'e, S> {
    session: &'e Session,
    settings: Settings,
    leases: LeaseTable,
    pending: Queue,
    running: JoinSet<Outcome>,
    /// Who holds which lease while under way.
    holders: HashMap<Id, (Planned, Lease)>,
    begun_cases: usize,
    breaker: Breaker,
    /// Why no further case is begun.
    stopped: Option<String>,
    totals: IndexMap<Verdict, usize>,
    sink: &'e mut S,
}

impl<S: FnMut(Event)> Engine<'_, S> {
    /// Queues the cases that run, and reports those that the target cannot serve.
    fn queue(&mut self, cases: Vec<Planned>) {
        let mut running = Vec::new();
        for planned in cases {
            match planned.decision.clone() {
                Decision::Run(demand) => running.push((planned, demand)),
                Decision::Skip { reason } => {
                    self.report(not_run(self.session, &planned, Verdict::Skipped, reason));
                }
            }
        }
        self.pending = Queue::new(running);
    }

    fn report(&mut self, result: CaseResult) {
        *self.totals.entry(result.verdict).or_default() += 1;
        (self.sink)(Event::Result(Box::new(result)));
    }

    async fn work(&mut self, mut cancel: watch::Receiver<bool>) {
        loop {
            if self.stopped.is_none() && *cancel.borrow() {
                self.interrupted();
            }
            while self.may_begin() && self.begin_one() {}
            let waits = self.breaker.doubts() && self.stopped.is_none() && !self.pending.is_empty();
            if self.running.is_empty() && !waits {
                break;
            }
            tokio::select! {
                Some(ended) = self.running.join_next_with_id() => self.ended(ended),
                // When nobody can cancel any more, this branch is out.
                Ok(_) = cancel.wait_for(|cancelled| *cancelled), if self.stopped.is_none() => self.interrupted(),
                doubted = self.breaker.watch() => if let Some(gone) = doubted { self.gone(gone) },
            }
        }
        let reason = match &self.stopped {
            Some(stopped) => format!("not run: {stopped}"),
            None => "not run: no pool or identity of the target can be given to it".to_owned(),
        };
        for planned in self.pending.rest() {
            self.report(not_run(self.session, &planned, Verdict::Indeterminate, reason.clone()));
        }
    }

    fn may_begin(&self) -> bool {
        self.stopped.is_none() && !self.breaker.doubts() && self.running.len() < self.settings.jobs
    }

    fn interrupted(&mut self) {
        self.stopped = Some(INTERRUPTED.to_owned());
        self.session.halt.interrupt();
    }

    /// Nobody answers any more: cases under way need not wait for it.
    fn gone(&mut self, how: String) {
        self.stopped.get_or_insert(how);
        self.session.ledger.give_up();
        self.session.halt.gone();
    }

    /// Begins the first pending case for which a lease is free; whether there was
    /// one.
    fn begin_one(&mut self) -> bool {
        let Some((planned, lease)) = self.pending.next(&mut self.leases) else { return false };
        self.begun_cases += 1;
        let (session, number) = (self.session.clone(), self.begun_cases);
        let (case, held) = (planned.clone(), lease.clone());
        let task = self.running.spawn(async move { execute(&session, &case, &held, number).await });
        self.holders.insert(task.id(), (planned, lease));
        true
    }

    fn ended(&mut self, ended: Result<(Id, Outcome), tokio::task::JoinError>) {
        let id = ended.as_ref().map_or_else(tokio::task::JoinError::id, |(id, _)| *id);
        let Some((planned, lease)) = self.holders.remove(&id) else { return };
        self.leases.release(&lease);
        let (result, unanswered) = match ended {
            Ok((_, outcome)) => (outcome.result, outcome.unanswered),
            Err(error) => {
                // Whoever panics may say anything.
                let error = self.session.redactor.sentence(&error.to_string());
                let reason = format!("the harness itself failed, which is a fault of syncspec: {error}");
                (not_run(self.session, &planned, Verdict::Indeterminate, reason), None)
            }
        };
        if self.stopped.is_none() {
            let failed = match result.verdict {
                Verdict::Fail => true,
                Verdict::UnexpectedPass => self.session.fail_on == FailOn::Any,
                _ => false,
            };
            let more = !(self.pending.is_empty() && self.running.is_empty());
            if let Some(gone) = self.breaker.note(&result.case, unanswered.as_ref(), more) {
                self.gone(gone);
            } else if failed && self.settings.fail_fast {
                self.stopped = Some(format!("{} failed and --fail-fast was given", result.case));
            }
        }
        self.report(result);
    }

    fn footer(&self, unmatched: Vec<String>, idle: Vec<String>, took: Duration) -> Footer {
        Footer {
            totals: self.totals.clone(),
            unmatched_known_failures: unmatched,
            idle_known_failures: idle,
            leftovers: Vec::new(),
            strays: self.session.strays(),
            uncalled: self.session.uncalled(),
            stopped: self.stopped.clone(),
            throttled: self.session.client.throttled(),
            finished: now(),
            duration_us: micros(took),
            exit: 0,
        }
    }
}

/// What is known of a run before its first case runs; it begins now.
pub fn header(session: &Session, plan: &Plan, suite_digest: &str) -> Header {
    Header {
        format_version: FORMAT_VERSION,
        suite_version: env!("CARGO_PKG_VERSION").to_owned(),
        suite_digest: suite_digest.to_owned(),
        selection_digest: selection_digest(plan),
        selected: plan.cases.len(),
        target: TargetSummary::from(&*session.target),
        protocol: session.protocol,
        strict: session.strict,
        fail_on: session.fail_on,
        started: now(),
        resumed: None,
        rerun: None,
        partition: None,
    }
}

fn selection_digest(plan: &Plan) -> String {
    let mut hash = Sha256::new();
    for planned in &plan.cases {
        hash.update(planned.case.id.as_bytes());
        hash.update(b"\n");
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Partition {
    /// What a part says of the whole run, before the cases of others are left out of its
    /// plan.
    pub fn of(whole: &Plan, share: Share) -> Self {
        Self {
            index: share.index(),
            count: share.count(),
            selected: whole.cases.len(),
            selection_digest: selection_digest(whole),
        }
    }
}

/// The time in UTC to the second, RFC 3339.
fn now() -> String {
    let now = OffsetDateTime::now_utc().replace_nanosecond(0).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    // Times after 1970 and before 9999 can be written.
    now.format(&Rfc3339).unwrap_or_default()
}
