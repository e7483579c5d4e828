//! Several clients at once against servers that are right and servers that race.
//!
//! How the clients meet differs from run to run; the runs are long enough that a
//! race is all but certain to show, and end as soon as they can.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rstest::rstest;
use syncspec::client::{Client, Endpoint, Limits};
use syncspec::fuzz::concurrent::{Finished, Settings, fuzz};
use syncspec::fuzz::faults::{Faults, Shares};
use syncspec::fuzz::history::{Verdict, in_words, timeline};
use syncspec::reference::{Departure, Race, Server};
use syncspec::spec::Service;
use syncspec::target::{Target, embedded_world};

/// How often a racy server gets its chance; the times together stay below 10 s.
const ROUNDS: u64 = 20;
const ROUND: Duration = Duration::from_millis(450);

/// Calls that are enough to meet often, and longest time that they may take.
const OPERATIONS: u64 = 1_000;
const PATIENCE: Duration = Duration::from_secs(60);

async fn server(departure: Departure) -> (Server, Arc<Target>, Client) {
    let service = Service::embedded_shared();
    let server = Server::start_altered(([127, 0, 0, 1], 0).into(), service, embedded_world(), departure).await;
    let server = server.expect("a port is free");
    let target = Arc::new(Target::embedded(&embedded_world(), &server.endpoint()));
    let client = client(&target.endpoint);
    (server, target, client)
}

fn client(endpoint: &str) -> Client {
    Client::new(Endpoint::parse(endpoint).expect("an endpoint"), Limits::default()).expect("a client")
}

fn told(finished: &Finished) -> String {
    match &finished.verdict {
        Verdict::Inconsistent(part) => in_words(&finished.history, part),
        verdict => format!("{verdict:?}"),
    }
}

#[rstest]
#[case::lost_update(Race::CheckedThenWritten, &["UpdateRecords/rule/stale-sync-count"])]
// A write that is overwritten as a whole is missing, or its count is taken again.
#[case::duplicate_counts(Race::WrittenOnCopy, &["UpdateRecords/rule/one-step-per-call"])]
// Who writes on what an old copy showed is refused, and that may be what is seen first.
#[case::stale_reads(
    Race::ListedFromCopy,
    &["ListRecords/rule/shows-what-was-written", "UpdateRecords/error/ResourceConflictException"]
)]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_racy_server_is_found(#[case] race: Race, #[case] requirements: &[&str]) {
    let (server, target, client) = server(Departure::from(race)).await;
    for round in 0..ROUNDS {
        let settings = Settings { time: ROUND, seed: round, deletions: 0, ..Settings::default() };
        let name = format!("race-{round}");
        let finished = fuzz(Arc::clone(&target), &client, &client, &name, &settings, |_| {}).await.expect("it runs");
        if let Verdict::Inconsistent(part) = &finished.verdict {
            assert!(requirements.contains(&part.requirement), "{}", told(&finished));
            assert!(part.operations.len() <= 3, "{}", told(&finished));
            let svg = timeline(&finished.history, part);
            assert!(svg.contains(part.requirement), "{svg}");
            server.shutdown().await;
            return;
        }
    }
    panic!("{race:?} was not found in {ROUNDS} rounds");
}

#[rstest]
#[case::one_dataset(1, 0)]
#[case::several_datasets(3, 0)]
#[case::with_deletions(2, 40)]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_right_server_is_left_alone(#[case] datasets: u32, #[case] deletions: u64) {
    let (server, target, client) = server(Departure::default()).await;
    let settings =
        Settings { operations: OPERATIONS, time: PATIENCE, datasets, deletions, seed: 7, ..Settings::default() };
    let mut heard = 0;
    let finished = fuzz(target, &client, &client, "right", &settings, |made| heard = made).await.expect("it runs");
    let Verdict::Consistent(counts) = &finished.verdict else { panic!("{}", told(&finished)) };
    assert_eq!(*counts, finished.counts);
    assert!(counts.written > 20 && counts.conflicts > 5 && counts.overlapping > 10, "{counts:?}");
    assert_eq!(counts.unknown, 0, "{counts:?}");
    assert!(heard > 0 && heard <= counts.operations as u64, "{heard} of {counts:?}");
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_client_alone_proves_nothing() {
    let (server, target, client) = server(Departure::default()).await;
    let settings = Settings { clients: 1, operations: 60, ..Settings::default() };
    let finished = fuzz(target, &client, &client, "alone", &settings, |_| {}).await.expect("it runs");
    let Verdict::Consistent(counts) = finished.verdict else { panic!("{}", told(&finished)) };
    assert!(counts.written > 5 && counts.overlapping == 0, "{counts:?}");
    assert!(counts.proof().contains("nothing is proven"), "{}", counts.proof());
    server.shutdown().await;
}

#[tokio::test]
async fn the_seed_fixes_what_a_client_chooses() {
    let mut runs = Vec::new();
    for seed in [1, 1, 2] {
        let (server, target, client) = server(Departure::default()).await;
        let settings = Settings { clients: 1, operations: 40, deletions: 50, seed, ..Settings::default() };
        let finished = fuzz(target, &client, &client, "seed", &settings, |_| {}).await.expect("it runs");
        runs.push(finished.history.operations.into_iter().map(|made| (made.call, made.outcome)).collect::<Vec<_>>());
        server.shutdown().await;
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
}

#[rstest]
#[case::with_retries(0)]
#[case::with_deletions(20)]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn lost_requests_and_answers_are_made_once_or_not_at_all(#[case] deletions: u64) {
    let (server, target, client_of_server) = server(Departure::default()).await;
    let shares = Shares { cut_before: 8, cut_after: 12, delayed: 10 };
    let faults = Faults::start(client_of_server.clone(), shares, 3).await.expect("a port is free");
    let through = client(&faults.endpoint());
    let settings = Settings { operations: OPERATIONS, time: PATIENCE, deletions, seed: 11, ..Settings::default() };
    let finished = fuzz(target, &client_of_server, &through, "lost", &settings, |_| {}).await.expect("it runs");
    let counts = &finished.counts;
    assert!(!matches!(finished.verdict, Verdict::Inconsistent(_)), "{}", told(&finished));
    if deletions == 0 {
        assert!(matches!(finished.verdict, Verdict::Consistent(_)), "{}", told(&finished));
        assert!(finished.retried > 0);
    }
    assert!(counts.unknown > 10 && counts.written > 20 && counts.overlapping > 5, "{counts:?}");
    let tally = faults.tally();
    let happened = [&tally.cut_before, &tally.cut_after, &tally.delayed].map(|count| count.load(Ordering::Relaxed));
    assert!(happened.iter().all(|count| *count > 0), "{happened:?}");
    server.shutdown().await;
}
