//! The suite as tests, one for each case: against the embedded reference server,
//! or against the target file that `SYNCSPEC_TARGET` names.
//!
//! `cargo test --test conformance -- update-records` runs a part of it. Snapshots
//! are insta's: `cargo insta review` and `INSTA_UPDATE` work as ever, and are only
//! asked when the target is the one that they were recorded from.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use libtest_mimic::Arguments;
use syncspec::cases::{Bases, Case, Effect, Isolation, Suite};
use syncspec::client::Endpoint;
use syncspec::collaborators::Listener;
use syncspec::journal::{Begun, Claims, Journal, state_folder};
use syncspec::judge::{Recorded, advice, snapshot};
use syncspec::plan::{Plan, Reach, could_select};
use syncspec::reference::{Server, World};
use syncspec::report::{Context, failure, quote};
use syncspec::run::libtest::{Concluded, Open, Trials, run_trials};
use syncspec::run::{CaseResult, Session, TargetSummary, claim, probe};
use syncspec::snapshot::{Snapshot, Store};
use syncspec::spec::{Catalog, Service};
use syncspec::target::{EMBEDDED_IDENTITIES, EMBEDDED_SNAPSHOTS, Making, Target, calling, embedded_world};
use tokio::runtime::Runtime;

const TARGET: &str = "SYNCSPEC_TARGET";
/// Effects beyond single identities that cases may have on a target that is not on this
/// machine, with commas between them, as for `syncspec run --allow`.
const ALLOW: &str = "SYNCSPEC_ALLOW";
/// Set to anything, it lets cases run against who does not seem to be the service, as
/// `syncspec run --no-probe` does.
const NO_PROBE: &str = "SYNCSPEC_NO_PROBE";
/// Set when insta keeps a list of the snapshots that are in use.
const IN_USE: &str = "INSTA_SNAPSHOT_REFERENCES_FILE";
/// Begins the names of tests that tell of known failures without a case.
const KNOWN_FAILURE: &str = "known-failure/";
const TIMEOUT: Duration = Duration::from_secs(30);
/// Between two looks at what another process has.
const PAUSE: Duration = Duration::from_millis(10);

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    match conformance(&arguments) {
        Ok(code) => code,
        Err(message) => {
            #[expect(clippy::print_stderr, reason = "a test program speaks for itself")]
            {
                eprintln!("error: {message}");
            }
            ExitCode::from(2)
        }
    }
}

fn conformance(arguments: &Arguments) -> Result<ExitCode, String> {
    let file = std::env::var_os(TARGET).map(PathBuf::from);
    let alone = alone(arguments);
    let mut suite = suite(alone)?;
    let Some(file) = file else {
        only(&mut suite, alone);
        // Its endpoint is not known before it is started, which is not before a
        // case runs: listing must not start anything.
        let (world, nowhere) = (world(alone.is_some()), ([127, 0, 0, 1], 0).into());
        let target = Target::embedded(&world, "http://127.0.0.1:0").called_back(&world, nowhere);
        return trials(arguments, &suite, target, None, String::new());
    };
    let target = Target::from_file(&file).map_err(|error| error.to_string())?;
    let rerun = format!(" --target {}", quote(&file.display().to_string()));
    if arguments.list {
        return trials(arguments, &suite, target.assumed(), None, rerun);
    }
    // They agree on their pools by their places among all cases.
    if suite.cases.iter().any(|case| alone == Some(&case.id) && case.isolation == Isolation::FreshPool) {
        suite = self::suite(None)?;
    }
    // What is claimed is held until the process ends.
    let (target, _claims) = claimed(&target, &suite, alone)?;
    only(&mut suite, alone);
    let (asked, first) = (target.clone(), runtime(alone.is_some())?);
    let resolved = first.block_on(target.resolve(Making::Allowed)).map_err(|error| error.to_string());
    let ended = resolved.and_then(|target| trials(arguments, &suite, target, Some(first), rerun));
    if !asked.made_identities().is_empty() {
        let left = runtime(true)?.block_on(asked.remove_made_identities());
        left.iter().for_each(|leftover| left_behind(leftover));
    }
    ended
}

/// The case that alone is to run, as nextest asks each of its processes for one.
fn alone(arguments: &Arguments) -> Option<&str> {
    let named = arguments.filter.as_deref().filter(|_| arguments.exact && !arguments.list)?;
    (!named.starts_with(KNOWN_FAILURE)).then_some(named)
}

/// The suite as it was when this was built, which cargo does anew whenever it changes; or as
/// much of it as one case needs.
fn suite(alone: Option<&str>) -> Result<Suite, String> {
    let (service, catalog) = (Service::embedded(), Catalog::embedded());
    let suite = match alone {
        Some(case) => Suite::shipped_in_part(service, catalog, &|stem| could_select(case, stem)),
        None => Suite::shipped(service, catalog),
    };
    suite.map_err(|error| error.to_string())
}

/// Leaves out the other cases of the file: they would have their share of the target.
fn only(suite: &mut Suite, alone: Option<&str>) {
    suite.cases.retain(|case| alone.is_none_or(|alone| case.id == alone));
}

/// The target with the pools that this process may use. Waits until no other process has
/// them: a case in another one would be judged by what this one does.
fn claimed(target: &Target, suite: &Suite, alone: Option<&str>) -> Result<(Target, Claims), String> {
    let folder = state_folder(|name| std::env::var_os(name)).map_err(|error| error.to_string())?;
    let plan = Plan::new(suite, &[], &target.clone().assumed()).map_err(|error| error.to_string())?;
    let mut has_waited = false;
    loop {
        let unwritable = |error| format!("cannot lock the target's pools in {}: {error}", folder.display());
        if let Some(claimed) = claim(target, &plan, alone, &folder).map_err(unwritable)? {
            return Ok(claimed);
        }
        if alone.is_none() && !has_waited {
            #[expect(clippy::print_stderr, reason = "a test program speaks for itself")]
            {
                eprintln!("another run on this machine uses the target's pools; this one begins when it is over");
            }
            has_waited = true;
        }
        std::thread::sleep(PAUSE);
    }
}

/// Runs the suite as tests; `rerun` is what leads to the target on a command line.
fn trials(
    arguments: &Arguments,
    suite: &Suite,
    target: Target,
    runtime: Option<Runtime>,
    rerun: String,
) -> Result<ExitCode, String> {
    let mut plan = Plan::new(suite, &[], &target).map_err(|error| error.to_string())?;
    let allowed = allowed(&std::env::var(ALLOW).unwrap_or_default())?;
    // The embedded server has no address yet, but is on this machine.
    if !Endpoint::parse(&target.endpoint).map_or(rerun.is_empty(), |endpoint| endpoint.is_loopback()) {
        plan.withhold(&Reach::new(suite, Service::embedded()), &allowed, |names| {
            format!("{ALLOW}={}", names.join(","))
        });
    }
    let bases = Arc::clone(&suite.bases);
    let how = How { is_alone: alone(arguments).is_some(), plays: plan.meets_collaborators() };
    let golden = target.snapshots.clone().map(|set| Golden::of(set, suite)).transpose()?;
    let runtime = Mutex::new(runtime);
    let trials = Trials {
        open: move || {
            // The one that credentials were asked for on, if they were.
            let runtime = runtime.lock().unwrap_or_else(PoisonError::into_inner).take();
            open(target.clone(), &bases, how, runtime.map_or_else(|| self::runtime(how.is_alone), Ok)?)
        },
        // Another server's answers may differ from these and be right.
        check_snapshot: move |case: &str, text: &str| golden.as_ref().map_or(Ok(()), |golden| golden.check(case, text)),
        describe: move |session: &Session, result: &CaseResult| describe(session, result, &rerun),
    };
    let Concluded { code, leftovers, strays, uncalled } =
        run_trials(arguments, plan, Service::embedded().datasets_per_identity(), trials);
    leftovers.iter().for_each(|leftover| left_behind(leftover));
    strays.iter().for_each(|stray| told(&format!("the server asked for what no case has: {stray}")));
    uncalled.iter().for_each(|uncalled| told(uncalled));
    Ok(code)
}

/// The effects that are named, with commas between them.
fn allowed(names: &str) -> Result<Vec<Effect>, String> {
    let known = Effect::ALL.map(Effect::name).join(", ");
    let named = |name: &str| Effect::named(name).ok_or_else(|| format!("{ALLOW} names `{name}`; it may name {known}"));
    names.split(',').map(str::trim).filter(|name| !name.is_empty()).map(named).collect()
}

fn left_behind(leftover: &str) {
    told(&format!("left behind on the target: {leftover}"));
}

#[expect(clippy::print_stderr, reason = "a test program speaks for itself")]
fn told(sentence: &str) {
    eprintln!("{sentence}");
}

/// One thread drives a single case and the server for it.
fn runtime(is_alone: bool) -> Result<Runtime, String> {
    use tokio::runtime::Builder;
    let mut builder = if is_alone { Builder::new_current_thread() } else { Builder::new_multi_thread() };
    builder.enable_all().build().map_err(|error| error.to_string())
}

/// How cases are run.
#[derive(Clone, Copy)]
struct How {
    /// There is only one.
    is_alone: bool,
    /// Some meet services that the harness plays.
    plays: bool,
}

/// What the embedded server begins with. One case can use two pools at most.
fn world(is_alone: bool) -> World {
    if is_alone { World::standard(2, EMBEDDED_IDENTITIES) } else { embedded_world() }
}

/// Connects to the target, which is started first when it is the embedded one.
fn open(mut target: Target, bases: &Bases, how: How, runtime: Runtime) -> Result<Open, String> {
    let How { is_alone, plays } = how;
    let session = runtime.block_on(async {
        let is_embedded = target.endpoint.ends_with(":0");
        let mut listener = None;
        if is_embedded {
            let played = Listener::start(([127, 0, 0, 1], 0).into()).await;
            let played = played.map_err(|error| format!("the other services cannot be played: {error}"))?;
            let world = calling(world(is_alone), &played.endpoint());
            listener = Some(played);
            let service = Service::embedded_shared();
            let server = Server::start(([127, 0, 0, 1], 0).into(), service, world).await;
            let server = server.map_err(|error| format!("the embedded server cannot start: {error}"))?;
            target.endpoint = server.endpoint();
            // It serves until the test program ends.
            std::mem::forget(server);
        }
        // Process ids come again, in containers at every start.
        let run = getrandom::u32().map_err(|error| format!("no random numbers: {error}"))?;
        if let Some(played) = target.collaborators.as_ref().filter(|_| plays && !is_embedded) {
            let played = Listener::start(played.listen).await.map_err(|error| {
                format!("cannot listen on {}, where the target's server calls other services: {error}", played.listen)
            })?;
            listener = Some(played);
        }
        let mut session = Session::connect(target, TIMEOUT, false, format!("{run:08x}"))?;
        if let Some(listener) = listener {
            session = session.playing(listener);
        }
        let probed = session.client.probe().await;
        probed
            .map_err(|failure| format!("cannot reach {}: {failure}; {}", session.target.endpoint, advice(&failure)))?;
        if is_embedded {
            return Ok(session);
        }
        if std::env::var_os(NO_PROBE).is_none() {
            let why = |why| format!("{} {why}; {NO_PROBE}=1 runs the cases all the same", session.target.endpoint);
            probe(&session, &bases.operations).await.map_err(why)?;
        }
        // What is killed here, `syncspec clean` takes back.
        let folder = state_folder(|name| std::env::var_os(name)).map_err(|error| error.to_string())?;
        let journal = Journal::begin(&folder, &Begun::now(&session.target, &session.run_id));
        Ok::<_, String>(session.journalled(journal.map_err(|error| error.to_string())?))
    })?;
    Ok(Open { runtime, session })
}

/// The target's own snapshots, as they stand in the source tree: newer than those that
/// the program was built with.
struct Golden {
    set: String,
    recorded: Store,
    cases: HashMap<String, Arc<Case>>,
}

impl Golden {
    fn of(set: String, suite: &Suite) -> Result<Self, String> {
        let recorded = Store::begun(&set, &source_tree().join("snapshots")).map_err(|error| error.to_string())?;
        let taking = suite.cases.iter().filter(|case| case.takes_snapshot());
        Ok(Self { set, recorded, cases: taking.map(|case| (case.id.clone(), case.clone())).collect() })
    }

    /// An answer that differs only where the case says that it may is taken for the
    /// recorded one; insta judges the rest.
    fn check(&self, case: &str, text: &str) -> Result<(), String> {
        let recorded = self.recorded.get(case);
        let findings = self.cases.get(case).map(|case| snapshot(case, text, recorded, Recorded::OnTarget));
        let findings = findings.unwrap_or_default();
        if let Some(stale) = findings.iter().find(|finding| finding.actual.starts_with("stale ignore rule")) {
            return Err(stale.actual.clone());
        }
        // insta asks cargo where it is, in each process anew; it need not for what is right,
        // unless it is to tell which snapshots are in use.
        if recorded.is_some() && findings.is_empty() && std::env::var_os(IN_USE).is_none() {
            return Ok(());
        }
        let text = recorded.filter(|_| findings.is_empty()).map_or(text, |recorded| recorded.text);
        let Snapshot { folder, name } = Snapshot::of(case);
        let mut settings = insta::Settings::new();
        settings.set_snapshot_path(format!("../snapshots/{}/{folder}", self.set));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        let origin = if self.set == EMBEDDED_SNAPSHOTS { "the syncspec reference server" } else { &self.set };
        settings.set_description(format!("recorded from {origin}"));
        let asserted = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            settings.bind(|| insta::assert_snapshot!(name, text))
        }));
        asserted.map_err(|_| "the answer differs from its snapshot; see above, and `cargo insta review`".to_owned())
    }
}

/// Where the source stands now: who runs an archive of tests may have it elsewhere than
/// who built it, and says so by this variable.
fn source_tree() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from)
}

fn describe(session: &Session, result: &CaseResult, rerun: &str) -> String {
    let target = TargetSummary::from(&*session.target);
    let context = Context {
        catalog: session.catalog,
        target: &target,
        signing_service: &session.service.signing_name,
        rerun: &format!("syncspec run{rerun}"),
    };
    anstream::adapter::strip_str(&failure(result, &context)).to_string()
}
