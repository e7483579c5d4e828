//! How much fuzzing adds to the requests that it sends: sequences against the
//! embedded server, then a bare loop of the very same requests, already signed,
//! against a fresh server at the same address.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use syncspec::client::Client;
use syncspec::fuzz::{Budget, Endpoints, Settings, fuzz};
use syncspec::reference::{Departure, Server};
use syncspec::spec::Service;
use syncspec::target::{Target, embedded_world};
use syncspec::wire::Request;
use tokio::sync::watch;
use tokio::task::JoinSet;

const SEQUENCES: u64 = 2000;
const AT_A_TIME: usize = 4;
const ROUNDS: usize = 5;
const TIMEOUT: Duration = Duration::from_secs(30);

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let mut rounds: Vec<(f64, f64)> = (0..ROUNDS).map(|round| runtime.block_on(one_round(round as u64))).collect();
    rounds.sort_by(|a, b| (a.0 / a.1).total_cmp(&(b.0 / b.1)));
    let (fuzzed, bare) = rounds[ROUNDS / 2];
    #[expect(clippy::print_stdout, reason = "a bench tells what it measured")]
    {
        println!(
            "fuzzing {fuzzed:.0} requests a second, the same requests bare {bare:.0}: {:.2} of the bare rate \
             (median of {ROUNDS} rounds, {SEQUENCES} sequences each, {AT_A_TIME} at a time)",
            fuzzed / bare
        );
    }
}

/// Requests a second, fuzzed and bare.
async fn one_round(seed: u64) -> (f64, f64) {
    let sent: Arc<Mutex<Vec<Request>>> = Arc::default();
    let keep = Arc::clone(&sent);
    let recording = Departure {
        rewrite: Some(Arc::new(move |_, request: &Request, _| keep.lock().expect("no panic").push(request.clone()))),
        ..Departure::default()
    };
    let (service, world) = (Service::embedded_shared(), embedded_world());
    let free = ([127, 0, 0, 1], 0).into();
    let server = Server::start_altered(free, Arc::clone(&service), world.clone(), recording).await.expect("a server");
    let address = server.address();
    let target = Target::embedded(&world, &server.endpoint());
    let endpoints = Endpoints::connect(target, TIMEOUT, format!("bench{seed}")).expect("endpoints");
    let settings = Settings {
        sequences: SEQUENCES,
        steps: 20,
        seed,
        time: None,
        jobs: AT_A_TIME,
        budget: Budget::default(),
        lag: Duration::ZERO,
    };
    let (_going_on, cancel) = watch::channel(false);
    let begun = Instant::now();
    let report = fuzz(&Arc::new(endpoints), &settings, cancel, |_| {}).await;
    let fuzzed = report.tally.requests as f64 / begun.elapsed().as_secs_f64();
    assert!(report.findings.is_empty() && report.indeterminate == 0, "the reference is in order");
    server.shutdown().await;

    let requests = std::mem::take(&mut *sent.lock().expect("no panic"));
    let server = Server::start(address, service, world).await.expect("the same address");
    let client = Client::open(&server.endpoint(), TIMEOUT).expect("a client");
    let begun = Instant::now();
    let mut workers = JoinSet::new();
    let count = requests.len();
    let share = count.div_ceil(AT_A_TIME);
    for part in requests.chunks(share) {
        let (client, part) = (client.clone(), part.to_vec());
        workers.spawn(async move {
            for request in part {
                assert!(client.send(request).await.outcome.is_ok(), "it is answered");
            }
        });
    }
    workers.join_all().await;
    let bare = count as f64 / begun.elapsed().as_secs_f64();
    server.shutdown().await;
    (fuzzed, bare)
}
