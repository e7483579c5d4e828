//! The suite as tests: one trial for each case, for `cargo test` and
//! `cargo nextest`.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use super::breaker::{Doubt, gone};
use super::event::CaseResult;
use super::execute::{Outcome, execute};
use super::session::Session;
use crate::cases::Bases;
use crate::judge::{Level, SNAPSHOT, Verdict};
use crate::plan::{Decision, Demand, Lease, LeaseTable, Plan, Planned};
use crate::wire::FailureKind;

/// How trials are run and judged. Cheap to clone.
pub struct Trials<O, C, R> {
    /// Makes the session, at most once and not before the first case runs:
    /// listing the cases must neither start nor reach anything.
    pub open: O,
    /// Checks a case's canonical responses against what is recorded.
    pub check_snapshot: C,
    /// Tells of a case that did not pass, for people.
    pub describe: R,
}

/// A session with the runtime that it belongs to.
pub struct Open {
    /// Runs the cases.
    pub runtime: tokio::runtime::Runtime,
    /// What all cases share.
    pub session: Session,
}

impl Open {
    /// After the last trial: brings back what stood on the target before.
    fn conclude(&self, bases: &Bases) -> Vec<String> {
        let mut leftovers = self.runtime.block_on(self.session.restore(bases));
        match self.session.close_journal() {
            Ok(None) => {}
            Ok(Some((path, left))) => leftovers.push(format!(
                "{left} in all could not be taken back: `syncspec clean` with the target file does (written down in {})",
                path.display()
            )),
            Err(error) => leftovers.push(format!("the journal cannot be removed: {error}")),
        }
        leftovers
    }
}

/// Everything that the trials share once the first of them runs.
struct Shared {
    open: Open,
    leases: Mutex<LeaseTable>,
    released: Condvar,
    numbers: AtomicUsize,
    /// How the endpoint is gone, once it is.
    gone: OnceLock<String>,
}

impl Shared {
    /// Finds out whether the endpoint is still there, when a case was not answered.
    fn doubt(&self, outcome: &Outcome) {
        let doubt = match outcome.unanswered.as_ref().map(|unanswered| unanswered.doubt) {
            Some(doubt @ (Doubt::Throttled | Doubt::Failed(FailureKind::TimedOut | FailureKind::Connect))) => doubt,
            _ => return,
        };
        let session = &self.open.session;
        if self.gone.get().is_none()
            && let Some(gone) = self.open.runtime.block_on(gone(session.client.clone(), doubt))
        {
            session.halt.gone();
            // The first to know has said it.
            let _ = self.gone.set(format!("{gone}, after {}", outcome.result.case));
        }
    }

    /// Waits for a lease that meets the demand; none if there will never be one.
    fn acquire(&self, demand: Demand) -> Option<Lease> {
        let mut leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(lease) = leases.acquire(demand) {
                return Some(lease);
            }
            if leases.is_idle() {
                return None;
            }
            leases = self.released.wait(leases).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn release(&self, lease: &Lease) {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner).release(lease);
        self.released.notify_all();
    }
}

/// Runs a plan as tests. Fails when a test fails, and also when cases were to run
/// and none of them was judged: an empty run must not look green. After the last one,
/// what stood on the target before is brought back.
pub fn run_trials<O, C, R>(
    arguments: &Arguments,
    plan: Plan,
    datasets_per_identity: usize,
    trials: Trials<O, C, R>,
) -> Concluded
where
    O: Fn() -> Result<Open, String> + Send + Sync + 'static,
    C: Fn(&str, &str) -> Result<(), String> + Send + Sync + 'static,
    R: Fn(&Session, &CaseResult) -> String + Send + Sync + 'static,
{
    let judged = Arc::new(AtomicUsize::new(0));
    let bases = Arc::clone(&plan.bases);
    let suite = Arc::new(Suite { trials, shared: OnceLock::new(), datasets_per_identity, judged: Arc::clone(&judged) });
    let all = Arc::clone(&suite);
    let trial = |planned: Planned| {
        let suite = Arc::clone(&suite);
        // A runner that lists first and gives each test a process of its own, as
        // nextest does, leaves skipped cases out. Others run into the reason.
        let left_out = arguments.list && matches!(planned.decision, Decision::Skip { .. });
        Trial::ignorable_test(planned.case.id.clone(), move || suite.trial(&planned)).with_ignored_flag(left_out)
    };
    let unmatched = plan.unmatched_known_failures;
    let mut tests: Vec<Trial> = plan.cases.into_iter().map(trial).collect();
    tests.extend(unmatched.into_iter().map(|known| {
        Trial::test(format!("known-failure/{}", known.pattern), move || {
            Err(Failed::from(format!("the known failure {} matches no case; remove it", known.place())))
        })
    }));
    let conclusion = libtest_mimic::run(arguments, tests);
    let ran = conclusion.num_passed + conclusion.num_failed + conclusion.num_ignored;
    let nothing_judged = !arguments.list && ran > 0 && judged.load(Ordering::Relaxed) == 0;
    let code = if conclusion.has_failed() || nothing_judged { ExitCode::from(101) } else { ExitCode::SUCCESS };
    all.end(code, &bases)
}

/// What the trials came to.
#[derive(Debug)]
pub struct Concluded {
    /// Success, or 101 as of any test program.
    pub code: ExitCode,
    /// What could not be taken back from the target, as sentences.
    pub leftovers: Vec<String>,
    /// What the target's server asked of the services that the harness played and that
    /// no case knows, as sentences.
    pub strays: Vec<String>,
    /// That no server called them although cases waited for it, and what to do.
    pub uncalled: Option<String>,
}

struct Suite<O, C, R> {
    trials: Trials<O, C, R>,
    /// Or why there is none: who cannot be reached is not tried again by each trial.
    shared: OnceLock<Result<Shared, String>>,
    datasets_per_identity: usize,
    judged: Arc<AtomicUsize>,
}

impl<O, C, R> Suite<O, C, R>
where
    O: Fn() -> Result<Open, String>,
    C: Fn(&str, &str) -> Result<(), String>,
    R: Fn(&Session, &CaseResult) -> String,
{
    fn shared(&self) -> Result<&Shared, Failed> {
        let open = || {
            (self.trials.open)().map(|open| Shared {
                leases: Mutex::new(LeaseTable::new(&open.session.target, self.datasets_per_identity)),
                released: Condvar::new(),
                numbers: AtomicUsize::new(1),
                gone: OnceLock::new(),
                open,
            })
        };
        self.shared.get_or_init(open).as_ref().map_err(Failed::from)
    }

    /// After the last trial.
    fn end(&self, code: ExitCode, bases: &Bases) -> Concluded {
        let Some(Ok(shared)) = self.shared.get() else {
            return Concluded { code, leftovers: Vec::new(), strays: Vec::new(), uncalled: None };
        };
        let leftovers = shared.open.conclude(bases);
        let session = &shared.open.session;
        Concluded { code, leftovers, strays: session.strays(), uncalled: session.uncalled() }
    }

    fn trial(&self, planned: &Planned) -> Result<Completion, Failed> {
        let demand = match &planned.decision {
            Decision::Run(demand) => *demand,
            Decision::Skip { reason } => return Ok(Completion::ignored_with(reason)),
        };
        let shared = self.shared()?;
        if let Some(gone) = shared.gone.get() {
            return Err(format!("not run: {gone}").into());
        }
        let lease = shared.acquire(demand);
        let lease = lease.ok_or("not run: no pool or identity of the target can be given to it")?;
        let number = shared.numbers.fetch_add(1, Ordering::Relaxed);
        let session = &shared.open.session;
        // A case that panics gives its lease back too, or others would wait for it.
        let ran = || shared.open.runtime.block_on(execute(session, planned, &lease, number));
        let outcome = std::panic::catch_unwind(AssertUnwindSafe(ran));
        shared.release(&lease);
        let outcome = outcome.unwrap_or_else(|panic| resume_unwind(panic));
        shared.doubt(&outcome);
        self.conclude(session, &outcome)
    }

    fn conclude(&self, session: &Session, outcome: &Outcome) -> Result<Completion, Failed> {
        let result = &outcome.result;
        if result.verdict.is_judged() {
            self.judged.fetch_add(1, Ordering::Relaxed);
        }
        // The recorded snapshot may have been renewed since the program was built,
        // and is to be renewed if the user says so: its check decides alone.
        let snapshot =
            outcome.snapshot.as_ref().map_or(Ok(()), |taken| (self.trials.check_snapshot)(&result.case, taken));
        let mut failing = result.findings.iter().filter(|finding| finding.level == Level::Fail);
        let only_snapshot = result.verdict == Verdict::Fail && failing.all(|finding| finding.requirement == SNAPSHOT);
        match result.verdict {
            Verdict::Skipped => Ok(Completion::ignored()),
            // The snapshot may be just what is known to differ.
            Verdict::ExpectedFail => Ok(Completion::Completed),
            Verdict::Pass | Verdict::Warn => snapshot.map(|()| Completion::Completed).map_err(Failed::from),
            Verdict::Fail if only_snapshot => snapshot.map(|()| Completion::Completed).map_err(Failed::from),
            Verdict::Fail | Verdict::UnexpectedPass | Verdict::NotTestable | Verdict::Indeterminate => {
                Err(Failed::from((self.trials.describe)(session, result)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;
    use std::process::ExitCode;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, OnceLock};

    use super::{Open, Suite as Adapter, Trials};
    use crate::cases::Suite;
    use crate::client::{Client, Endpoint, Limits};
    use crate::collaborators::Listener;
    use crate::plan::Plan;
    use crate::reference::{Server, World};
    use crate::run::Session;
    use crate::spec::{Catalog, Service};
    use crate::target::{KnownFailure, Target};

    const RECORDED: &str = "bulk-publish/valid/asked-for";

    const CASES: &str = r#"
        [[case]]
        name = "a"
        proves = ["ListRecords/route"]
        steps = [{ send = { method = "GET", target = "/nowhere" }, expect = { members = { "/A" = 1 } } }]
        # Its id is that of a case whose snapshot is shipped, which says otherwise.
        [[case]]
        name = "asked-for"
        proves = ["ListRecords/route"]
        steps = [{ send = { method = "GET", target = "/identitypools" }, as = "developer", expect = { status = 200, snapshot = true } }]
    "#;

    fn plan(target: &Target, filter: &str) -> Plan {
        let suite = Suite::from_texts(Service::embedded(), Catalog::embedded(), &[("bulk-publish/valid.toml", CASES)]);
        Plan::new(&suite.expect("no mistakes"), &[filter.to_owned()], target).expect("it is selected")
    }

    fn target() -> Target {
        Target::embedded(&World::standard(1, 1), "http://127.0.0.1:0")
    }

    /// Whether all trials pass, each on a thread of its own, and how often a session
    /// was asked for.
    fn passes(plan: &Plan, open: impl Fn() -> Result<Open, String> + Send + Sync) -> (bool, usize) {
        let opened = AtomicUsize::new(0);
        let trials = Trials {
            open: || {
                opened.fetch_add(1, Ordering::Relaxed);
                open()
            },
            check_snapshot: |_: &str, _: &str| Err("the snapshot differs".to_owned()),
            describe: |_: &Session, _: &_| String::new(),
        };
        let adapter = Adapter { trials, shared: OnceLock::new(), datasets_per_identity: 20, judged: Arc::default() };
        let all = std::thread::scope(|scope| {
            let trials: Vec<_> =
                plan.cases.iter().map(|planned| scope.spawn(|| adapter.trial(planned).is_ok())).collect();
            trials.into_iter().all(|trial| trial.join().is_ok_and(|passed| passed))
        });
        drop(adapter);
        (all, opened.into_inner())
    }

    #[test]
    fn who_cannot_be_reached_is_tried_once() {
        assert_eq!(passes(&plan(&target(), ""), || Err("nobody is there".to_owned())), (false, 1));
    }

    #[test]
    fn a_snapshot_that_is_known_to_differ_is_expected() {
        for (known, expected) in [(true, true), (false, false)] {
            let mut target = target();
            let failure =
                KnownFailure { pattern: RECORDED.to_owned(), reason: "r".to_owned(), link: None, origin: None };
            target.known_failures = known.then_some(failure).into_iter().collect();
            let plan = plan(&target, RECORDED);
            assert_eq!(passes(&plan, move || open(target.clone())), (expected, 1), "{known}");
        }
    }

    #[test]
    fn what_came_for_no_case_is_told_in_the_end() {
        let plan = plan(&target(), "bulk-publish/valid/a");
        let listener = Arc::new(OnceLock::new());
        let told = Arc::clone(&listener);
        let trials = Trials {
            open: move || {
                let Open { runtime, session } = open(target())?;
                let playing = runtime.block_on(Listener::start(([127, 0, 0, 1], 0).into()));
                let playing = playing.map_err(|error| error.to_string())?;
                told.get_or_init(|| playing.address());
                Ok(Open { session: session.playing(playing), runtime })
            },
            check_snapshot: |_: &str, _: &str| Ok(()),
            describe: |_: &Session, _: &_| String::new(),
        };
        let adapter = Adapter { trials, shared: OnceLock::new(), datasets_per_identity: 20, judged: Arc::default() };
        let nothing_yet = adapter.end(ExitCode::SUCCESS, &plan.bases);
        assert_eq!((nothing_yet.strays.len(), nothing_yet.uncalled), (0, None));
        let _failed = adapter.trial(&plan.cases[0]);
        let address = *listener.get().expect("it was opened");
        let mut asking = TcpStream::connect(address).expect("it listens");
        let path = "/2015-03-31/functions/misspelt/invocations";
        write!(asking, "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}")
            .and_then(|()| asking.read_to_end(&mut Vec::new()))
            .expect("it answers");
        let ended = adapter.end(ExitCode::SUCCESS, &plan.bases);
        assert_eq!(ended.strays, ["the function `misspelt`"]);
        assert_eq!(ended.uncalled, None);
    }

    fn open(mut target: Target) -> Result<Open, String> {
        let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
        let session = runtime.block_on(async {
            let service = Service::embedded_shared();
            let server = Server::start(([127, 0, 0, 1], 0).into(), service, World::standard(1, 1)).await;
            let server = server.map_err(|error| error.to_string())?;
            target.endpoint = server.endpoint();
            std::mem::forget(server);
            let endpoint = Endpoint::parse(&target.endpoint).map_err(|error| error.to_string())?;
            let client = Client::new(endpoint, Limits::default()).map_err(|error| error.to_string())?;
            Ok::<_, String>(Session::new(target, client, false, "r1".to_owned()))
        })?;
        Ok(Open { runtime, session })
    }
}
