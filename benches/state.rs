//! What `--state` costs: the same clients write to a server that keeps everything in
//! memory, and to one whose answers wait for the disk.
//!
//! `cargo bench --bench state`; `benches/README.md` says what was measured.

#[path = "../tests/support/calls.rs"]
#[expect(dead_code, reason = "a bench needs no developer")]
mod calls;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use calls::{Caller, client};
use serde_json::{Value, json};
use syncspec::reference::{Server, Setup, State};
use syncspec::spec::Service;
use syncspec::target::{Target, embedded_world};

/// Clients at a time, each with an identity of its own.
const CLIENTS: [usize; 3] = [1, 8, 48];
const TIME: Duration = Duration::from_secs(3);
const ROUNDS: usize = 5;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    for clients in CLIENTS {
        let mut rounds: Vec<(f64, f64)> = (0..ROUNDS).map(|_| runtime.block_on(one_round(clients))).collect();
        rounds.sort_by(|a, b| (a.0 / a.1).total_cmp(&(b.0 / b.1)));
        let (kept, in_memory) = rounds[ROUNDS / 2];
        #[expect(clippy::print_stdout, reason = "a bench tells what it measured")]
        {
            println!("{clients} clients: {in_memory:.0} writes a second in memory, {kept:.0} with a state file");
        }
    }
}

/// Writes a second, with a state file and without.
async fn one_round(clients: usize) -> (f64, f64) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let state = State::open(&folder.path().join("state.db")).expect("it is made");
    (writes_per_second(clients, Some(state)).await, writes_per_second(clients, None).await)
}

/// Each write is a listing, for its session, and an update of one record.
async fn writes_per_second(clients: usize, state: Option<State>) -> f64 {
    let (service, world) = (Service::embedded_shared(), embedded_world());
    let setup = Setup { state, ..Setup::default() };
    let server = Server::start_with(([127, 0, 0, 1], 0).into(), service, std::slice::from_ref(&world), setup);
    let server = server.await.expect("a server");
    let target = Target::embedded(&world, &server.endpoint());
    let (client, writes) = (client(&target.endpoint), Arc::new(AtomicU64::new(0)));
    let begun = Instant::now();
    let mut working = tokio::task::JoinSet::new();
    let identities = target.pools.iter().flat_map(|pool| pool.identities.iter().map(|identity| (&pool.id, identity)));
    for (pool, identity) in identities.take(clients) {
        let caller = Caller::identity(&client, &target.region, pool, identity);
        let writes = Arc::clone(&writes);
        working.spawn(async move {
            let mut count = 0;
            while begun.elapsed() < TIME {
                count = write(&caller, count).await;
                writes.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    working.join_all().await;
    let rate = writes.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64();
    server.shutdown().await;
    rate
}

async fn write(caller: &Caller, count: i64) -> i64 {
    let list = json!({ "DatasetName": "d", "LastSyncCount": count });
    let listed = Caller::result(&caller.call("ListRecords", &list).await.expect("it answers"));
    let patch = json!({ "Op": "replace", "Key": "k", "Value": "some value or other", "SyncCount": count });
    let token: &Value = &listed["SyncSessionToken"];
    let update = json!({ "DatasetName": "d", "SyncSessionToken": token, "RecordPatches": [patch] });
    let written = Caller::result(&caller.call("UpdateRecords", &update).await.expect("it answers"));
    written["Records"][0]["SyncCount"].as_i64().expect("a count")
}
