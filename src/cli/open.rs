//! Suites, targets and sessions from what was typed.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::args::{SuiteArgs, TargetArgs};
use super::{Exit, NOT_JUDGED};
use crate::cases::{CasesError, Suite};
use crate::client::Client;
use crate::judge::advice;
use crate::reference::{Server, World};
use crate::run::{Session, probe};
use crate::spec::{Catalog, Service};
use crate::target::{Target, embedded_world};

pub(super) fn suite(args: &SuiteArgs) -> Result<Suite, Exit> {
    suite_in(args.cases.as_deref())
}

pub(super) fn suite_in(dir: Option<&Path>) -> Result<Suite, Exit> {
    let (service, catalog) = (Service::embedded(), Catalog::embedded());
    let suite = match dir {
        Some(dir) => Suite::from_dir(service, catalog, dir),
        None => Suite::shipped(service, catalog),
    };
    suite.map_err(|error| match &error {
        CasesError::Mistakes(problems) => {
            let mistakes = if problems.len() == 1 { "mistake" } else { "mistakes" };
            Exit::usage(format!("the case files have {} {mistakes}\n{error}", problems.len()))
        }
        CasesError::Unreadable { .. } | CasesError::NoCases { .. } => Exit::usage(error),
    })
}

/// A target, and the embedded server behind it if that is what was asked for.
pub(super) struct Opened {
    pub(super) target: Target,
    pub(super) server: Option<Server>,
}

/// Reads the target file, or starts the embedded server.
pub(super) async fn target(args: &TargetArgs) -> Result<Opened, Exit> {
    let mut opened = match (&args.target, &args.endpoint) {
        (Some(file), _) => Opened { target: Target::from_file(file).map_err(Exit::usage)?, server: None },
        (None, Some(endpoint)) => {
            let mut target = Target::embedded(&embedded_world(), endpoint);
            // Whose server it is nobody said, so no snapshots are its own.
            target.name = "endpoint".to_owned();
            target.snapshots = None;
            Opened { target, server: None }
        }
        (None, None) => {
            let world = embedded_world();
            let server = start(world.clone()).await?;
            Opened { target: Target::embedded(&world, &server.endpoint()), server: Some(server) }
        }
    };
    if let Some(endpoint) = &args.endpoint {
        opened.target.endpoint = endpoint.trim_end_matches('/').to_owned();
    }
    Ok(opened)
}

async fn start(world: World) -> Result<Server, Exit> {
    let service = Arc::new(Service::embedded().clone());
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
    probe(session, &suite.bases).await.map_err(|why| Exit {
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
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Exit> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| Exit::usage(format!("cannot start: {error}")))
}
