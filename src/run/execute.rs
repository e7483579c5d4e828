//! Runs one case: sends its steps, has them judged, and cleans up after it.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::breaker::{Doubt, Unanswered};
use super::event::{CaseResult, RecordedExchange};
use super::kept::Kept;
use super::keyring::Keyring;
use super::observe::{evidence, observed};
use super::prepare::{Prepared, actor_name, prepare};
use super::redact::{About, Redactor, micros};
use super::session::Session;
use super::undo::{Made, Withheld, was_sent};
use crate::cases::{Action, Bases, Bindings, Case, Collaborator, RenderError, Step};
use crate::client::GivingWay;
use crate::collaborators::{Heard, Mailbox};
use crate::judge::{Finding, Verdict, snapshot, verdict};
use crate::plan::{Lease, Planned};
use crate::snapshot::Canonical;
use crate::target::{CredentialsError, KnownFailure};
use crate::wire::{Exchange, FailureKind, Response};

/// Pause between the attempts of a step that may be repeated.
const RETRY_PAUSE: Duration = Duration::from_millis(50);

/// What became of a case, with what the result does not keep.
#[derive(Debug)]
pub struct Outcome {
    /// The result.
    pub result: CaseResult,
    /// The canonical form of the responses that the case takes a snapshot of;
    /// none if it takes none or did not get so far.
    pub snapshot: Option<String>,
    /// Why the endpoint gave no answer to judge, if it gave none.
    pub unanswered: Option<Unanswered>,
}

/// Runs a case on a lease. `number` tells the cases of a run apart.
pub async fn execute(session: &Session, planned: &Planned, lease: &Lease, number: usize) -> Outcome {
    let case = &*planned.case;
    let begun = Instant::now();
    let keys = match Keyring::fetch(session, lease, case).await {
        Ok(keys) => keys,
        Err(error) => return without_credentials(session, planned, &error),
    };
    let mut redactor = Redactor::clone(&session.redactor);
    session.target.changing_secrets().for_each(|secret| redactor.add(secret.expose()));
    let bindings = session.bindings(case, lease, number);
    let opened = session.stage.open(session, case, &bindings, number);
    let (mailbox, unplayable) = opened.map_or_else(|error| (None, Some(error)), |mailbox| (mailbox, None));
    let mut execution = Execution {
        session,
        case,
        keys,
        bases: &planned.bases,
        bindings,
        mailbox,
        reached: 0,
        redactor,
        exchanges: Kept::default(),
        findings: Vec::new(),
        canonical: Some(Canonical::new(session.service)),
        made: Made::default(),
        unanswered: None,
    };
    let ended = match unplayable {
        Some(error) => Ended::Indeterminate(format!("the case's scripts, at {}: {error}", case.origin)),
        None => execution.steps().await,
    };
    let leftovers = execution.made.take_back(session, &planned.bases).await;
    execution.finish(planned, ended, &leftovers, begun.elapsed())
}

/// Why a case ended before its last step, beside findings.
enum Ended {
    /// It did not.
    Whole,
    /// A finding made the rest meaningless.
    AtFinding,
    /// A prerequisite did not hold.
    NotTestable(String),
    /// There was nothing to judge.
    Indeterminate(String),
}

struct Execution<'s> {
    session: &'s Session,
    case: &'s Case,
    keys: Keyring,
    bases: &'s Bases,
    bindings: Bindings,
    /// Hears the server's calls of other services.
    mailbox: Option<Mailbox>,
    /// The step that was begun last, from 1.
    reached: usize,
    redactor: Redactor,
    exchanges: Kept,
    findings: Vec<Finding>,
    canonical: Option<Canonical<'s>>,
    made: Made,
    unanswered: Option<Unanswered>,
}

impl<'s> Execution<'s> {
    async fn steps(&mut self) -> Ended {
        let case = self.case;
        for (index, step) in case.steps.iter().enumerate() {
            match self.step(index + 1, step).await {
                Ended::Whole => {}
                ended => return ended,
            }
        }
        Ended::Whole
    }

    async fn step(&mut self, number: usize, step: &Step) -> Ended {
        self.reached = number;
        self.mailbox.iter().for_each(|mailbox| mailbox.at(number));
        if let Action::Observe(collaborator) = step.action {
            return self.observe(number, step, collaborator).await;
        }
        let mut deadline = step.within.map(|within| Instant::now() + within);
        let mut giving_way = self.session.client.give_way(self.session.back_off);
        loop {
            let response = match self.exchange(number, step).await {
                Ok(response) => response,
                Err(ended) => return ended,
            };
            if is_throttled(step, &response) {
                let before = Instant::now();
                if !self.session.gives_way(&mut giving_way, &response).await {
                    return self.throttled(number, step, &response, &giving_way);
                }
                deadline = deadline.map(|deadline| deadline + before.elapsed());
                self.exchanges.pop();
                continue;
            }
            let (unmet, findings) = match self.judged(number, step, &response) {
                Ok(judged) => judged,
                Err(error) => return Ended::Indeterminate(self.fault(number, step, &error)),
            };
            if (unmet.is_some() || !findings.is_empty())
                && deadline.is_some_and(|deadline| Instant::now() + RETRY_PAUSE < deadline)
            {
                tokio::time::sleep(RETRY_PAUSE).await;
                self.exchanges.pop();
                continue;
            }
            return match unmet {
                Some(what) => Ended::NotTestable(prerequisite(number, step, &what)),
                None => self.settle(number, step, &response, findings),
            };
        }
    }

    /// Looks at what arrived, until it is as expected or the time is over.
    async fn observe(&mut self, number: usize, step: &Step, collaborator: Collaborator) -> Ended {
        let deadline = step.within.map(|within| Instant::now() + within);
        loop {
            let response = observed(self.mailbox.as_ref(), collaborator);
            let (unmet, findings) = match self.judged(number, step, &response) {
                Ok(judged) => judged,
                Err(error) => return Ended::Indeterminate(self.fault(number, step, &error)),
            };
            let holds = unmet.is_none() && findings.is_empty();
            if !holds && deadline.is_some_and(|deadline| Instant::now() < deadline) {
                tokio::select! {
                    () = tokio::time::sleep(RETRY_PAUSE) => continue,
                    why = self.session.halt.of_steps() => {
                        return Ended::Indeterminate(format!("step {number}, {}: {why}", step.label()));
                    }
                }
            }
            return match unmet {
                Some(what) => Ended::NotTestable(prerequisite(number, step, &what)),
                None => self.settle(number, step, &response, findings),
            };
        }
    }

    /// The end of a case that was throttled as often as it tried.
    fn throttled(&mut self, number: usize, step: &Step, response: &Response, giving_way: &GivingWay) -> Ended {
        self.unanswered = Some(Unanswered { request: step.label(), doubt: Doubt::Throttled });
        let (attempts, seconds) = (giving_way.attempts(), giving_way.lasted().as_secs());
        let what = format!("{}, in {attempts} attempts within {seconds} s", response.answered());
        let advice = "the endpoint wants fewer requests, so nothing can be said of it; lower `requests-per-second` in \
                      the target file";
        Ended::Indeterminate(format!("step {number}, {}: {what}; {advice}", step.label()))
    }

    /// In what a prerequisite does not hold, and what the judge finds.
    fn judged(
        &self,
        number: usize,
        step: &Step,
        response: &Response,
    ) -> Result<(Option<String>, Vec<Finding>), RenderError> {
        if step.must_merely_succeed() {
            return Ok(((!response.is_success()).then(|| response.answered()), Vec::new()));
        }
        let judge = self.session.judge();
        let assumed = judge.assumption(number, step, response, &self.bindings)?;
        let unmet = assumed.first().map(|Finding { at, expected, actual, .. }| {
            format!("{at} is {actual}, and the case can only be judged where it is {expected}")
        });
        let findings =
            if step.expects.is_empty() { Vec::new() } else { judge.step(number, step, response, &self.bindings)? };
        Ok((unmet, findings))
    }

    /// Sends a step's request; what came back, or why the case ends here.
    async fn exchange(&mut self, number: usize, step: &Step) -> Result<Response, Ended> {
        self.session.turn().await;
        let prepared = prepare(self.session, &self.keys, step, &self.bindings)
            .map_err(|error| Ended::Indeterminate(self.fault(number, step, &error)))?;
        let expected = self.made.expect(self.session, self.bases, &self.case.id, &prepared).await;
        expected.map_err(|withheld| match withheld {
            Withheld::Unsaved(why) => Ended::NotTestable(prerequisite(number, step, &why)),
            Withheld::Unwritten(why) => Ended::Indeterminate(format!("step {number}, {}: {why}", step.label())),
        })?;
        let (client, halt) = (&self.session.client, &self.session.halt);
        let exchange = match prepared {
            Prepared::Request(request) => client.send_unless(request, halt.of_steps()).await,
            Prepared::Bytes(bytes) => client.send_raw_unless(bytes, halt.of_steps()).await,
        };
        // What is kept is what crossed the wire.
        let outcome = exchange.outcome.as_ref().map(|response| self.session.binding(step).read(response));
        let outcome = outcome.map_err(Clone::clone);
        self.made.answered(self.session, self.bases, &exchange.request, &outcome);
        self.exchanges.push(number, exchange, &mut self.redactor);
        outcome.map_err(|failure| {
            // A lost connection is an answer too, where a step may have any.
            if step.any_answer && was_sent(&failure) && !self.session.halt.ends_steps() {
                self.findings.extend(self.session.judge().unanswered(number, step, &failure.to_string()));
                return Ended::Whole;
            }
            self.unanswered = Some(Unanswered { request: step.label(), doubt: Doubt::Failed(failure.kind) });
            Ended::Indeterminate(format!("step {number}, {}: {failure}", step.label()))
        })
    }

    /// The sentence for a fault that is not the endpoint's.
    fn fault(&self, number: usize, step: &Step, error: &dyn std::error::Error) -> String {
        format!("step {number}, {}, at {}: {error}", step.label(), step.origin)
    }

    fn settle(&mut self, number: usize, step: &Step, response: &Response, findings: Vec<Finding>) -> Ended {
        // After another outcome than the expected one the state is not what the
        // next steps build on, whatever the level of the finding. That no claim
        // goes unjudged behind a less certain outcome, the lint sees to.
        // What decides is the outcome named first: one named after it may ask for
        // more than is certain.
        let first = step.expects.iter().find(|expect| expect.has_outcome()).map(|expect| &expect.requirement);
        let another_outcome = findings.iter().any(|finding| {
            matches!(finding.at.as_str(), "status" | "error")
                && first.is_some_and(|first| *first == finding.requirement)
        });
        let failed = verdict(&findings, false) == Verdict::Fail;
        self.findings.extend(findings);
        if (another_outcome && !step.any_answer) || failed {
            return Ended::AtFinding;
        }
        self.take_snapshot(number, step, response);
        self.capture(number, step, response)
    }

    /// Adds the answer to the case's snapshot, when the step is part of it.
    fn take_snapshot(&mut self, number: usize, step: &Step, response: &Response) {
        if let Some(canonical) = &mut self.canonical
            && step.takes_snapshot()
        {
            let operation = match &step.action {
                Action::Call(call) => self.session.service.operations.get(&call.operation),
                _ => None,
            };
            canonical.add(number, &step.label(), operation, response, &self.bindings);
        }
    }

    fn capture(&mut self, number: usize, step: &Step, response: &Response) -> Ended {
        if step.captures.is_empty() {
            return Ended::Whole;
        }
        let body = response.json().unwrap_or(Value::Null);
        for capture in &step.captures {
            match body.pointer(&capture.pointer).filter(|value| !value.is_null()) {
                Some(value) => self.bindings.bind(capture.name.clone(), value.clone()),
                None => {
                    let what = format!("{} without {}", response.answered(), capture.pointer);
                    return Ended::NotTestable(prerequisite(number, step, &what));
                }
            }
        }
        Ended::Whole
    }

    fn finish(mut self, planned: &Planned, ended: Ended, leftovers: &[String], took: Duration) -> Outcome {
        let ended = self.unless_keys_ran_out(ended);
        let whole = matches!(ended, Ended::Whole);
        // Of a case that passed, and takes no snapshot, nothing is kept that was sent.
        let passed = whole && self.findings.is_empty() && leftovers.is_empty() && planned.known_failures.is_empty();
        if !passed || self.case.takes_snapshot() {
            self.exchanges.iter().for_each(|exchange| self.redactor.learn(exchange));
        }
        let heard = self.mailbox.as_ref().map(Mailbox::heard).unwrap_or_default();
        heard.iter().for_each(|heard| self.redactor.learn(&heard.exchange));
        let secrets = self.mailbox.as_ref().map(Mailbox::secrets).unwrap_or_default();
        secrets.iter().for_each(|secret| self.redactor.add(secret));
        // It is compared, and written by who renews snapshots, without secrets that
        // stand where its own redactions do not look.
        let taken = self.canonical.take().filter(|_| whole);
        let taken = taken.and_then(|taken| taken.finish(|text| self.redactor.text(text)));
        if let Some(taken) = &taken {
            if let Some(kept) = &self.session.taken {
                kept.lock().unwrap_or_else(PoisonError::into_inner).insert(self.case.id.clone(), taken.clone());
            }
            let recorded = self.session.snapshots.get(&self.case.id);
            self.findings.extend(snapshot(self.case, taken, recorded, self.session.recorded));
        }
        let (judged, reason) = match ended {
            // A finding made before outranks the missing rest.
            Ended::NotTestable(_) | Ended::Indeterminate(_)
                if verdict(&self.findings, self.session.strict) == Verdict::Fail =>
            {
                (Verdict::Fail, None)
            }
            Ended::NotTestable(reason) => (Verdict::NotTestable, Some(reason)),
            Ended::Indeterminate(reason) => (Verdict::Indeterminate, Some(reason)),
            Ended::Whole | Ended::AtFinding => (verdict(&self.findings, self.session.strict), None),
        };
        let (verdict, reason) = against_known(planned, judged, reason);
        let keep = verdict != Verdict::Pass || !self.findings.is_empty();
        let exchanges = if keep { self.recorded(&heard) } else { Vec::new() };
        // Who does not get beyond the fixtures waited for nothing.
        let is_begun = self.reached.checked_sub(1).is_some_and(|last| self.case.steps[last].fixture.is_none());
        if keep && is_begun && heard.is_empty() && self.case.awaits_calls() {
            self.session.stage.miss();
        }
        let unanswered = self.unanswered.take();
        let redact = |text: &String| self.redactor.sentence(text);
        let findings = std::mem::take(&mut self.findings);
        let result = CaseResult {
            about: self.case.about.clone(),
            action: action(self.session, self.case),
            protocol: self.case.speaks(self.session.protocol).to_string(),
            verdict,
            reason: reason.as_ref().map(redact),
            requirements: self.case.proves.clone(),
            known_failures: places(planned),
            case: self.case.id.clone(),
            origin: self.case.origin.to_string(),
            leftovers: leftovers.iter().map(redact).collect(),
            findings: findings.into_iter().map(|finding| self.redactor.finding(finding)).collect(),
            exchanges,
            duration_us: micros(took),
        };
        Outcome { result, snapshot: taken, unanswered }
    }

    /// What came of credentials that ran out meanwhile says nothing of the endpoint.
    fn unless_keys_ran_out(&mut self, ended: Ended) -> Ended {
        let in_doubt = !self.findings.is_empty() || !matches!(ended, Ended::Whole);
        if !in_doubt || !self.keys.ran_out() {
            return ended;
        }
        self.findings.clear();
        Ended::Indeterminate(
            "the case took longer than its credentials lasted, so nothing can be said of it".to_owned(),
        )
    }

    /// All exchanges in the order of the steps, those of the other services included.
    fn recorded(&self, heard: &[Heard]) -> Vec<RecordedExchange> {
        let record = |number: usize, exchange: &Exchange| {
            let step = &self.case.steps[number - 1];
            let about = About {
                step: number,
                label: &step.label(),
                signed_by: actor_name(step.actor),
                tampered: step.is_tampered(),
                fixture: step.fixture.as_deref(),
            };
            self.redactor.exchange(exchange, about)
        };
        let mut recorded = self.exchanges.recorded(record);
        recorded.extend(evidence(self.session, &self.redactor, self.case, heard, self.reached));
        recorded.sort_by_key(|exchange| exchange.step);
        recorded
    }
}

/// A case that nobody could sign. Nothing was asked of the endpoint.
fn without_credentials(session: &Session, planned: &Planned, error: &CredentialsError) -> Outcome {
    let reason = format!("not run: no credentials: {error}");
    let result = not_run(session, planned, Verdict::Indeterminate, reason);
    let unanswered = Unanswered { request: "credentials".to_owned(), doubt: Doubt::Failed(FailureKind::Request) };
    Outcome { result, snapshot: None, unanswered: Some(unanswered) }
}

/// A result for a case that did not run.
pub(super) fn not_run(session: &Session, planned: &Planned, verdict: Verdict, reason: String) -> CaseResult {
    CaseResult {
        case: planned.case.id.clone(),
        about: planned.case.about.clone(),
        action: action(session, &planned.case),
        protocol: planned.case.speaks(session.protocol).to_string(),
        verdict,
        reason: Some(reason),
        known_failures: places(planned),
        requirements: planned.case.proves.clone(),
        origin: planned.case.origin.to_string(),
        findings: Vec::new(),
        exchanges: Vec::new(),
        leftovers: Vec::new(),
        duration_us: 0,
    }
}

/// The operation that a case is about: its first requirement's.
fn action(session: &Session, case: &Case) -> String {
    let requirement = case.proves.first().and_then(|id| session.catalog.get(id));
    requirement.and_then(|requirement| requirement.operation.clone()).unwrap_or_else(|| "service".to_owned())
}

fn places(planned: &Planned) -> Vec<String> {
    planned.known_failures.iter().map(KnownFailure::place).collect()
}

/// The verdict in the light of what the target file says of the case: the first
/// entry that matches gives the reason. Each case stands for itself, also where a
/// pattern matches several, and what got no answer stays without a verdict.
fn against_known(planned: &Planned, verdict: Verdict, reason: Option<String>) -> (Verdict, Option<String>) {
    let Some(known) = planned.known_failures.first() else { return (verdict, reason) };
    let link = known.link.as_ref().map(|link| format!(" ({link})")).unwrap_or_default();
    let known = format!("{}{link}", known.reason);
    match verdict {
        // A target that cannot even do what the case builds on fails it too.
        Verdict::Fail | Verdict::NotTestable => (Verdict::ExpectedFail, Some(known)),
        Verdict::Pass | Verdict::Warn => (Verdict::UnexpectedPass, Some(format!("known to fail: {known}"))),
        other => (other, reason),
    }
}

/// Whether the endpoint asks for fewer requests, where the case asks neither for that
/// answer nor for just any.
fn is_throttled(step: &Step, response: &Response) -> bool {
    let name = response.error_name();
    let wanted = step.outcomes().any(|expect| {
        expect.status.contains(&response.status) || name.as_ref().is_some_and(|name| expect.error.contains(name))
    });
    response.is_throttled() && !wanted && !step.any_answer
}

fn prerequisite(number: usize, step: &Step, what: &str) -> String {
    let fixture = step.fixture.as_ref().map(|name| format!(" (fixture {name})")).unwrap_or_default();
    format!("prerequisite step {number}{fixture}, {}, at {}: {what}", step.label(), step.origin)
}
