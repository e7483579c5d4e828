//! `syncspec serve`: the reference server as a server.

mod failing;
mod log;

use std::time::Duration;

use self::log::Log;
use super::interrupt::interruption;
use super::open::runtime;
use super::output::{Output, write_atomically};
use super::serve_args::ServeArgs;
use super::{Exit, FAILED};
use crate::prove::{Alteration, Kind, alterations, races};
use crate::reference::{Collaborators, Server, Setup, StartError, State, Unreachable, World};
use crate::source::did_you_mean;
use crate::spec::Service;
use crate::target::{Worlds, to_file};

/// How long requests that are being answered may go on after the end was called. The
/// second call ends them at once.
const GRACE: Duration = Duration::from_secs(10);

/// Most ids that a sentence names.
const NAMED_MAX: usize = 3;

pub(super) fn serve(args: &ServeArgs, output: &Output) -> Result<u8, Exit> {
    if args.list_mutants {
        list_mutants(args, output);
        return Ok(0);
    }
    let alteration = match &args.mutant {
        Some(name) => find(name)?,
        None => Alteration::control(),
    };
    let collaborators = Collaborators::from_environment(|name| std::env::var(name).ok()).map_err(Exit::usage)?;
    let mut worlds = match &args.world {
        Some(file) => Worlds::from_file(file).map_err(Exit::usage)?,
        None => Worlds::standard(),
    };
    for world in &mut worlds.accounts {
        world.collaborators = collaborators.clone();
    }
    let account = account(args, &worlds)?;
    let faults = failing::faults(&args.fault)?;
    let state = args.state.as_deref().map(State::open).transpose().map_err(Exit::usage)?;
    let (log, lines) = Log::start(args.log, worlds.accounts.len() > 1).unzip();
    let ended = runtime()?.block_on(async {
        let told = failing::told(args, &faults);
        let setup = Setup {
            state,
            log,
            own_paths: args.mutant.is_none(),
            faults,
            fault_control: args.fault_control,
            clock_offset_seconds: args.clock_offset.unwrap_or(0),
            ..Setup::default()
        };
        let server = alteration.serve_with(args.listen, &worlds.accounts, setup).await;
        let server = server.map_err(|error: StartError| Exit::usage(error))?;
        let endpoint = server.endpoint();
        if let Some(file) = &args.write_target {
            let written = write_atomically(file, to_file(&worlds, account, &endpoint).as_bytes());
            written.map_err(|error| Exit::usage(format!("cannot write {}: {error}", file.display())))?;
        }
        // Whoever reads that it listens may ask it to stop.
        let stop = interruption(None);
        output.text(&welcome(args, &worlds, account, &endpoint));
        output.text(&outside(&collaborators));
        output.text(&told);
        if args.mutant.is_some() {
            output.text(&format!("{}\n", described(&alteration)));
        }
        if let Some(note) = left(server.unreachable()) {
            output.note(&note);
        }
        until_stopped(server, stop).await
    });
    if let Some(lines) = lines {
        lines.end();
    }
    ended
}

async fn until_stopped(server: Server, mut stop: tokio::sync::watch::Receiver<bool>) -> Result<u8, Exit> {
    let ended = tokio::select! {
        asked = stop.wait_for(|asked| *asked) => asked.map(|_| 0).map_err(|_| Exit::usage("cannot wait for signals")),
        why = server.failure() => Err(Exit {
            code: FAILED,
            message: format!("{why}; what was answered until then is kept, and nothing is served without keeping it"),
        }),
    };
    server.shutdown_within(GRACE).await;
    ended
}

/// The account that is shown, and that the target file is for.
fn account<'w>(args: &ServeArgs, worlds: &'w Worlds) -> Result<&'w World, Exit> {
    let ids = || worlds.accounts.iter().map(|world| world.account_id.as_str());
    let account = match &args.account {
        Some(id) => worlds.accounts.iter().find(|world| world.account_id == *id).ok_or_else(|| {
            let hint = did_you_mean(id, ids()).unwrap_or_default();
            Exit::usage(format!("the world has no account `{id}`{hint}"))
        })?,
        None => worlds.accounts.first().ok_or_else(|| Exit::usage("the world has no account"))?,
    };
    let usable = account.pools.iter().any(|pool| !pool.identities.is_empty());
    if args.write_target.is_some() && !usable {
        let id = &account.account_id;
        return Err(Exit::usage(format!("account {id} has no pool with an identity, so no target file leads to it")));
    }
    Ok(account)
}

/// What a state file holds that this world does not have.
fn left(unreachable: &Unreachable) -> Option<String> {
    let Unreachable { pools, identities } = unreachable;
    let named = |what: &str, several: &str, ids: &[String]| match ids {
        [] => None,
        [id] => Some(format!("the {what} {id}")),
        _ => {
            let more = if ids.len() > NAMED_MAX { ", …" } else { "" };
            Some(format!("{} {several} ({}{more})", ids.len(), ids[..ids.len().min(NAMED_MAX)].join(", ")))
        }
    };
    let left: Vec<String> =
        named("pool", "pools", pools).into_iter().chain(named("identity", "identities", identities)).collect();
    let left = if left.is_empty() { None } else { Some(left.join(" and ")) };
    left.map(|left| format!("The state also holds {left}, which this world does not have: kept, but not served."))
}

/// Every server that departs from the reference, those that only several clients at
/// once can tell from it too.
fn all() -> Vec<Alteration> {
    alterations(Service::embedded()).into_iter().chain(races()).collect()
}

/// The alteration of this name.
fn find(name: &str) -> Result<Alteration, Exit> {
    let all = all();
    let hint = did_you_mean(name, all.iter().map(|alteration| alteration.name.as_str())).unwrap_or_default();
    let found = all.into_iter().find(|alteration| alteration.name == name);
    found.ok_or_else(|| Exit::usage(format!("there is no mutant `{name}`, see `syncspec serve --list-mutants`{hint}")))
}

fn list_mutants(args: &ServeArgs, output: &Output) {
    let begins = args.mutant.as_deref().unwrap_or_default();
    let listed = all().into_iter().filter(|alteration| alteration.name.starts_with(begins));
    let lines: String = listed.map(|alteration| format!("{}  {}\n", alteration.name, alteration.about)).collect();
    output.text(&lines);
}

/// What a person should know who meets an altered server.
fn described(alteration: &Alteration) -> String {
    let Alteration { name, about, kind, requirements, .. } = alteration;
    let what = match kind {
        Kind::Mutant => format!("It is wrong on purpose. Broken: {}.", requirements.join(", ")),
        Kind::Variant => "It is no less right than the reference.".to_owned(),
    };
    format!("This is `{name}`: {about} {what}")
}

/// Which other services are called: whoever has the variables set for another reason
/// should know.
fn outside(collaborators: &Collaborators) -> String {
    let line = |(name, endpoint)| format!("{name} is called at {endpoint}\n");
    collaborators.named().map(line).collect()
}

/// What a person needs to point a client at the server.
fn welcome(args: &ServeArgs, worlds: &Worlds, account: &World, endpoint: &str) -> String {
    let kept = match &args.state {
        Some(file) => format!("It keeps everything in {}.", file.display()),
        None => "It keeps everything in memory.".to_owned(),
    };
    let developer = &account.developer;
    let pool = account.pools.iter().find(|pool| !pool.identities.is_empty()).or(account.pools.first());
    let identity = pool.and_then(|pool| pool.identities.first());
    let (pool, identity) = (pool.map(|pool| &pool.identity_pool_id), identity.map(|identity| &identity.identity_id));
    let others = match worlds.accounts.len() {
        1 => String::new(),
        accounts => format!("account {} of {accounts}, ", account.account_id),
    };
    let keys = if worlds.is_public(&developer.access_key_id) {
        let (id, secret) = (&developer.access_key_id, &developer.secret_access_key);
        format!("developer keys (public): AWS_ACCESS_KEY_ID={id} AWS_SECRET_ACCESS_KEY={secret}")
    } else {
        format!("developer keys: AWS_ACCESS_KEY_ID={} and the secret of the world file", developer.access_key_id)
    };
    format!(
        "The reference server listens on {endpoint} until interrupted. {kept}\n\
         {others}region {}, pool {}, identity {}\n\
         {keys}\n\
         More pools, identities and their keys: syncspec serve --write-target FILE\n",
        account.region,
        pool.map_or("none", String::as_str),
        identity.map_or("none", String::as_str),
    )
}
