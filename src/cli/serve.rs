//! `syncspec serve`: the reference server as a server.

use super::Exit;
use super::args::ServeArgs;
use super::interrupt::asked_to_stop;
use super::open::runtime;
use super::output::{Output, write_atomically};
use crate::prove::{Alteration, Kind, alterations, races};
use crate::reference::{Collaborators, World};
use crate::source::did_you_mean;
use crate::spec::Service;
use crate::target::{embedded_world, to_file};

pub(super) fn serve(args: &ServeArgs, output: &Output) -> Result<u8, Exit> {
    if args.list_mutants {
        list_mutants(args, output);
        return Ok(0);
    }
    let alteration = match &args.mutant {
        Some(name) => find(name)?,
        None => Alteration::control(),
    };
    runtime()?.block_on(async {
        let collaborators = Collaborators::from_environment(|name| std::env::var(name).ok()).map_err(Exit::usage)?;
        let world = World { collaborators, ..embedded_world() };
        let server = alteration
            .serve(args.listen, world.clone())
            .await
            .map_err(|error| Exit::usage(format!("cannot listen on {}: {error}", args.listen)))?;
        let endpoint = server.endpoint();
        if let Some(file) = &args.write_target {
            let written = write_atomically(file, to_file(&world, &endpoint).as_bytes());
            written.map_err(|error| Exit::usage(format!("cannot write {}: {error}", file.display())))?;
        }
        output.text(&welcome(&world, &endpoint));
        output.text(&outside(&world.collaborators));
        if args.mutant.is_some() {
            output.text(&format!("{}\n", described(&alteration)));
        }
        let asked = asked_to_stop().await;
        server.shutdown().await;
        asked.map(|()| 0).map_err(Exit::usage)
    })
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

/// What a person needs to point a client at the server. The keys are public.
fn welcome(world: &World, endpoint: &str) -> String {
    let developer = &world.developer;
    let pool = world.pools.first();
    let identity = pool.and_then(|pool| pool.identities.first());
    let (pool, identity) = (pool.map(|pool| &pool.identity_pool_id), identity.map(|identity| &identity.identity_id));
    format!(
        "The reference server listens on {endpoint} until interrupted. It keeps everything in memory.\n\
         region {}, pool {}, identity {}\n\
         developer keys (public): AWS_ACCESS_KEY_ID={} AWS_SECRET_ACCESS_KEY={}\n\
         More pools, identities and their keys: syncspec serve --write-target FILE\n",
        world.region,
        pool.map_or("none", String::as_str),
        identity.map_or("none", String::as_str),
        developer.access_key_id,
        developer.secret_access_key,
    )
}
