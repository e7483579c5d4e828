//! The suite as tests, one for each case: against the embedded reference server,
//! or against the target file that `SYNCSPEC_TARGET` names.
//!
//! `cargo test --test conformance -- update-records` runs a part of it. Snapshots
//! are insta's: `cargo insta review` and `INSTA_UPDATE` work as ever, and are only
//! asked when the target is the one that they were recorded from.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use libtest_mimic::Arguments;
use syncspec::cases::{Base, Effect, Suite};
use syncspec::client::Endpoint;
use syncspec::judge::advice;
use syncspec::plan::{Plan, Reach};
use syncspec::reference::Server;
use syncspec::report::{Context, failure, quote};
use syncspec::run::libtest::{Open, Trials, run_trials};
use syncspec::run::{CaseResult, Session, TargetSummary, probe};
use syncspec::snapshot::Snapshot;
use syncspec::spec::{Catalog, Service};
use syncspec::target::{EMBEDDED_SNAPSHOTS, Target, embedded_world};

const TARGET: &str = "SYNCSPEC_TARGET";
/// Effects beyond single identities that cases may have on a target that is not on this
/// machine, with commas between them, as for `syncspec run --allow`.
const ALLOW: &str = "SYNCSPEC_ALLOW";
/// Set to anything, it lets cases run against who does not seem to be the service, as
/// `syncspec run --no-probe` does.
const NO_PROBE: &str = "SYNCSPEC_NO_PROBE";
/// Set by nextest, whose processes would not see each other's leases.
const NEXTEST: &str = "NEXTEST";
const TIMEOUT: Duration = Duration::from_secs(30);

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
    let (service, catalog) = (Service::embedded(), Catalog::embedded());
    let suite = Suite::from_dir(service, catalog, &Path::new(env!("CARGO_MANIFEST_DIR")).join("cases"));
    let suite = suite.map_err(|error| error.to_string())?;
    let file = std::env::var_os(TARGET).map(PathBuf::from);
    if file.is_some() && std::env::var_os(NEXTEST).is_some() {
        return Err(format!(
            "nextest gives each case a process of its own, and {TARGET} names a target that they would share \
             without knowing of each other; use `cargo test` or `syncspec run`"
        ));
    }
    let target = match &file {
        Some(file) => Target::from_file(file).map_err(|error| error.to_string())?,
        // Its endpoint is not known before it is started, which is not before a
        // case runs: listing must not start anything.
        None => Target::embedded(&embedded_world(), "http://127.0.0.1:0"),
    };
    let mut plan = Plan::new(&suite, &[], &target).map_err(|error| error.to_string())?;
    let allowed = allowed(&std::env::var(ALLOW).unwrap_or_default())?;
    // The embedded server has no address yet, but is on this machine.
    if !Endpoint::parse(&target.endpoint).map_or(file.is_none(), |endpoint| endpoint.is_loopback()) {
        plan.withhold(&Reach::new(&suite, service), &allowed, |names| format!("{ALLOW}={}", names.join(",")));
    }
    let snapshots = target.snapshots.clone();
    let rerun = file.map_or_else(String::new, |file| format!(" --target {}", quote(&file.display().to_string())));
    let bases = suite.bases.clone();
    let trials = Trials {
        open: move || open(target.clone(), &bases),
        check_snapshot: move |case: &str, text: &str| check_snapshot(snapshots.as_deref(), case, text),
        describe: move |session: &Session, result: &CaseResult| describe(session, result, &rerun),
    };
    Ok(run_trials(arguments, plan, service.datasets_per_identity(), trials))
}

/// The effects that are named, with commas between them.
fn allowed(names: &str) -> Result<Vec<Effect>, String> {
    let known = Effect::ALL.map(Effect::name).join(", ");
    let named = |name: &str| Effect::named(name).ok_or_else(|| format!("{ALLOW} names `{name}`; it may name {known}"));
    names.split(',').map(str::trim).filter(|name| !name.is_empty()).map(named).collect()
}

/// Connects to the target, which is started first when it is the embedded one.
fn open(mut target: Target, bases: &IndexMap<String, Base>) -> Result<Open, String> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| error.to_string())?;
    let session = runtime.block_on(async {
        let embedded = target.endpoint.ends_with(":0");
        if embedded {
            let service = Arc::new(Service::embedded().clone());
            let server = Server::start(([127, 0, 0, 1], 0).into(), service, embedded_world()).await;
            let server = server.map_err(|error| format!("the embedded server cannot start: {error}"))?;
            target.endpoint = server.endpoint();
            // It serves until the test program ends.
            std::mem::forget(server);
        }
        // Process ids come again, in containers at every start.
        let run = getrandom::u32().map_err(|error| format!("no random numbers: {error}"))?;
        let session = Session::connect(target, TIMEOUT, false, format!("{run:08x}"))?;
        let probed = session.client.probe().await;
        probed
            .map_err(|failure| format!("cannot reach {}: {failure}; {}", session.target.endpoint, advice(&failure)))?;
        if !embedded && std::env::var_os(NO_PROBE).is_none() {
            let why = |why| format!("{} {why}; {NO_PROBE}=1 runs the cases all the same", session.target.endpoint);
            probe(&session, bases).await.map_err(why)?;
        }
        Ok::<_, String>(session)
    })?;
    Ok(Open { runtime, session })
}

fn check_snapshot(set: Option<&str>, case: &str, text: &str) -> Result<(), String> {
    // Another server's answers may differ from these and be right.
    let Some(set) = set else { return Ok(()) };
    let Snapshot { folder, name } = Snapshot::of(case);
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path(format!("../snapshots/{set}/{folder}"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let origin = if set == EMBEDDED_SNAPSHOTS { "the syncspec reference server" } else { set };
    settings.set_description(format!("recorded from {origin}"));
    let asserted = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        settings.bind(|| insta::assert_snapshot!(name, text))
    }));
    asserted.map_err(|_| "the answer differs from its snapshot; see above, and `cargo insta review`".to_owned())
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
