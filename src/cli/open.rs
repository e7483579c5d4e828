//! Suites, targets and sessions from what was typed.

use std::mem::ManuallyDrop;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

use super::args::{SuiteArgs, TargetArgs};
use super::interrupt::interruption;
use super::output::Output;
use super::{Exit, NOT_JUDGED, journal};
use crate::cases::{CasesError, Suite};
use crate::client::Client;
use crate::collaborators::Listener;
use crate::judge::advice;
use crate::plan::{Plan, could_select, names_a_case, selects};
use crate::reference::{Server, World};
use crate::run::{Session, probe};
use crate::spec::{Catalog, Service};
use crate::target::{CognitoIdentity, Making, Pool, Target, calling, embedded_world};

/// The suite of a command. When the command is over, so is the program, and the suite
/// need not be taken apart before.
pub(super) type Lasting = ManuallyDrop<Suite>;

pub(super) fn suite(args: &SuiteArgs) -> Result<Lasting, Exit> {
    suite_in(args.cases.as_deref())
}

/// As much of the suite as a run of these filters needs: the files that the ids of cases
/// lead to, where the filters are such; else all of it.
pub(super) fn suite_for(args: &SuiteArgs, target: &TargetArgs, filters: &[String]) -> Result<Lasting, Exit> {
    let (service, catalog) = (Service::embedded(), Catalog::embedded());
    let alone = !filters.is_empty() && filters.iter().all(|filter| names_a_case(filter, catalog));
    // Whether known failures are cases at all, only all cases tell.
    if !alone || named(target)?.is_some_and(|target| !target.known_failures.is_empty()) {
        return suite(args);
    }
    let wanted = |stem: &str| filters.iter().any(|filter| could_select(filter, stem));
    let part = match &args.cases {
        Some(dir) => Suite::from_dir_in_part(service, catalog, dir, &wanted),
        None => Suite::shipped_in_part(service, catalog, &wanted),
    };
    let found = |suite: &Suite| filters.iter().all(|filter| suite.cases.iter().any(|case| selects(filter, case)));
    match part {
        Err(CasesError::NoCases { .. }) => suite(args),
        // What was meant, all cases tell.
        Ok(part) if !found(&part) => suite(args),
        part => part.map(Lasting::new).map_err(refused),
    }
}

pub(super) fn suite_in(dir: Option<&Path>) -> Result<Lasting, Exit> {
    let (service, catalog) = (Service::embedded(), Catalog::embedded());
    let suite = match dir {
        Some(dir) => Suite::from_dir(service, catalog, dir),
        None => Suite::shipped(service, catalog),
    };
    suite.map(Lasting::new).map_err(refused)
}

fn refused(error: CasesError) -> Exit {
    match &error {
        CasesError::Mistakes(problems) => {
            let mistakes = if problems.len() == 1 { "mistake" } else { "mistakes" };
            Exit::usage(format!("the case files have {} {mistakes}\n{error}", problems.len()))
        }
        CasesError::Unreadable { .. } | CasesError::NoCases { .. } => Exit::usage(error),
    }
}

/// A target with credentials at hand, and the embedded server behind it if that is
/// what was asked for. What is opened is closed in the end, see [`close`].
pub(super) struct Opened {
    pub(super) target: Target,
    /// Plays the services that the embedded server calls.
    pub(super) listener: Option<Listener>,
    pub(super) server: Option<Server>,
    /// Turns true when the program is asked to stop; there when that had to be
    /// watched from here on, because there are things to take back.
    pub(super) interrupted: Option<watch::Receiver<bool>>,
}

/// Reads the target file and asks for the credentials that it does not hold itself,
/// or starts the embedded server, which then calls nobody.
pub(super) async fn target(args: &TargetArgs) -> Result<Opened, Exit> {
    let Some(target) = named(args)? else {
        let world = embedded_world();
        let server = start(world.clone()).await?;
        let target = Target::embedded(&world, &server.endpoint());
        return Ok(Opened { target, listener: None, server: Some(server), interrupted: None });
    };
    opened(args, target).await
}

/// The same, with an embedded server that calls the harness as the other services.
/// `change` has a say before anybody is asked for anything.
pub(super) async fn target_on_stage(
    args: &TargetArgs,
    change: impl FnOnce(Target) -> Result<Target, Exit>,
) -> Result<Opened, Exit> {
    let Some(target) = named(args)?.map(change).transpose()? else {
        let listener = listen(([127, 0, 0, 1], 0).into()).await?;
        let world = calling(embedded_world(), &listener.endpoint());
        let server = start(world.clone()).await?;
        let target = Target::embedded(&world, &server.endpoint()).called_back(&world, listener.address());
        return Ok(Opened { target, listener: Some(listener), server: Some(server), interrupted: None });
    };
    opened(args, target).await
}

async fn opened(args: &TargetArgs, target: Target) -> Result<Opened, Exit> {
    let makes = |pool: &Pool| pool.cognito.as_ref().is_some_and(CognitoIdentity::makes_identities);
    let mut interrupted = target.pools.iter().any(makes).then(|| interruption(Some(journal::when_left(args))));
    let target = resolve(target, interrupted.as_mut()).await?;
    Ok(Opened { target, listener: None, server: None, interrupted })
}

/// The session with the harness as the services that the target's server calls, where
/// the target says that it calls them and the plan has to do with them. The embedded
/// server's are there already, as `listener`.
pub(super) async fn playing(session: Session, plan: &Plan, listener: Option<Listener>) -> Result<Session, Exit> {
    let listener = match (&session.target.collaborators, listener) {
        (_, Some(listener)) => listener,
        (Some(played), None) if plan.meets_collaborators() => listen(played.listen).await?,
        _ => return Ok(session),
    };
    Ok(session.playing(listener))
}

async fn listen(address: SocketAddr) -> Result<Listener, Exit> {
    Listener::start(address).await.map_err(|error| {
        let place = "where the target's server is to call the other services";
        Exit::usage(format!("cannot listen on {address}, {place} ([collaborators] of the target file): {error}"))
    })
}

/// The target that was named, with whatever credentials can be had without making an
/// identity for it.
pub(super) async fn target_as_it_is(args: &TargetArgs) -> Result<Target, Exit> {
    let named = named(args)?.ok_or_else(|| Exit::usage("name a target with --target FILE"))?;
    let resolved = named.resolve(Making::Forbidden).await;
    resolved.map_err(|error| Exit { code: NOT_JUDGED, message: error.to_string() })
}

/// The target that was named, before anybody was asked for credentials; none when the
/// embedded server was meant.
pub(super) fn named(args: &TargetArgs) -> Result<Option<Target>, Exit> {
    let mut target = match (&args.target, &args.endpoint) {
        (Some(file), _) => Target::from_file(file).map_err(Exit::usage)?,
        (None, Some(endpoint)) => {
            let mut target = Target::embedded(&embedded_world(), endpoint);
            // Whose server it is nobody said, so no snapshots are its own.
            target.name = "endpoint".to_owned();
            target.snapshots = None;
            target
        }
        (None, None) => return Ok(None),
    };
    if let Some(endpoint) = &args.endpoint {
        endpoint.trim_end_matches('/').clone_into(&mut target.endpoint);
    }
    Ok(Some(target))
}

/// The embedded server as a target, as [`target_on_stage`] would give it, without
/// starting anything.
pub(super) fn embedded(endpoint: &str) -> Target {
    let world = embedded_world();
    Target::embedded(&world, endpoint).called_back(&world, ([127, 0, 0, 1], 0).into())
}

/// The target with credentials at hand. What was made for it is taken back when it
/// cannot be used, or when nobody wants it any more.
async fn resolve(target: Target, interrupted: Option<&mut watch::Receiver<bool>>) -> Result<Target, Exit> {
    let asked = target.clone();
    let mut resolving = std::pin::pin!(target.resolve(Making::Allowed));
    let stopped = async {
        match interrupted {
            Some(interrupted) => interrupted.wait_for(|stopped| *stopped).await.is_ok(),
            None => std::future::pending().await,
        }
    };
    let (resolved, stopped) = tokio::select! {
        resolved = &mut resolving => (resolved, false),
        // What is being made must be known before it can be taken back.
        _ = stopped => (resolving.await, true),
    };
    let mut message = match resolved {
        Ok(target) if !stopped => return Ok(target),
        Ok(_) => "interrupted before the first case".to_owned(),
        Err(error) => error.to_string(),
    };
    for leftover in asked.remove_made_identities().await {
        message += "\nleft behind: ";
        message += &leftover;
    }
    Err(Exit { code: NOT_JUDGED, message })
}

/// Ends what [`target`] began: the identities that were made are deleted, or told
/// of, and the embedded server stops.
pub(super) async fn close(target: &Target, server: Option<Server>, output: &Output) {
    for leftover in target.remove_made_identities().await {
        output.note(&format!("left behind: {leftover}"));
    }
    if let Some(server) = server {
        // What it still owes the services that the run played, nobody waits for.
        server.shutdown_within(Duration::ZERO).await;
    }
}

pub(super) async fn start(world: World) -> Result<Server, Exit> {
    let service = Service::embedded_shared();
    let server = Server::start(([127, 0, 0, 1], 0).into(), service, world).await;
    server.map_err(|error| Exit::usage(format!("the embedded server cannot listen on 127.0.0.1: {error}")))
}

/// One sentence, and no wall of errors, when nobody listens.
pub(super) async fn reachable(client: &Client, target: &Target) -> Result<(), Exit> {
    client.probe().await.map_err(|failure| Exit {
        code: NOT_JUDGED,
        message: format!("cannot reach {} (target {}): {failure}; {}", target.endpoint, target.name, advice(&failure)),
    })
}

/// One sentence, and no thousand failures, when somebody else answers.
pub(super) async fn is_the_service(session: &Session, suite: &Suite) -> Result<(), Exit> {
    let Target { endpoint, name, .. } = &*session.target;
    probe(session, &suite.bases.operations).await.map_err(|why| Exit {
        code: NOT_JUDGED,
        message: format!("{endpoint} (target {name}) {why}; --no-probe runs the cases all the same"),
    })
}

/// A session on a target, with a name of its own for what it makes.
pub(super) fn session(target: Target, timeout: Duration, strict: bool) -> Result<Session, Exit> {
    Session::connect(target, timeout, strict, run_id()?).map_err(Exit::usage)
}

/// Eight random characters that name a run.
pub(super) fn run_id() -> Result<String, Exit> {
    let random = getrandom::u32().map_err(|error| Exit::usage(format!("no random numbers: {error}")))?;
    Ok(format!("{random:08x}"))
}

/// A runtime for a command that sends or serves.
pub(super) fn runtime() -> Result<Runtime, Exit> {
    built(Builder::new_multi_thread())
}

/// A runtime for the cases that these filters select: a single one, and the server for
/// it, needs no more threads than there are.
pub(super) fn runtime_for(suite: &Suite, filters: &[String]) -> Result<Runtime, Exit> {
    let selected = suite.cases.iter().filter(|case| filters.iter().any(|filter| selects(filter, case)));
    if selected.take(2).count() == 1 { built(Builder::new_current_thread()) } else { runtime() }
}

fn built(mut builder: Builder) -> Result<Runtime, Exit> {
    builder.enable_all().build().map_err(|error| Exit::usage(format!("cannot start: {error}")))
}
