//! `syncspec serve`: the reference server as a server.

use std::sync::Arc;

use super::Exit;
use super::args::ServeArgs;
use super::interrupt::asked_to_stop;
use super::open::runtime;
use super::output::{Output, write_atomically};
use crate::reference::Server;
use crate::spec::Service;
use crate::target::{embedded_world, to_file};

pub(super) fn serve(args: &ServeArgs, output: &Output) -> Result<u8, Exit> {
    runtime()?.block_on(async {
        let world = embedded_world();
        let service = Arc::new(Service::embedded().clone());
        let server = Server::start(args.listen, service, world.clone())
            .await
            .map_err(|error| Exit::usage(format!("cannot listen on {}: {error}", args.listen)))?;
        let endpoint = server.endpoint();
        if let Some(file) = &args.write_target {
            let written = write_atomically(file, to_file(&world, &endpoint).as_bytes());
            written.map_err(|error| Exit::usage(format!("cannot write {}: {error}", file.display())))?;
        }
        output.text(&welcome(&world, &endpoint));
        let asked = asked_to_stop().await;
        server.shutdown().await;
        asked.map(|()| 0).map_err(Exit::usage)
    })
}

/// What a person needs to point a client at the server. The keys are public.
fn welcome(world: &crate::reference::World, endpoint: &str) -> String {
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
