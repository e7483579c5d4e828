//! Hostile endpoints: whatever a server does, a run ends in bounded time and memory with
//! a verdict, and its report can be read. `docs/hostile.md` shows what each came to.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

#[path = "support/hostile/mod.rs"]
mod hostile;

use hostile::{BEHAVIOURS, Ended, TIMEOUT, complaints, run};

/// Runs at a time: most of them wait most of the time.
const AT_A_TIME: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn every_behaviour_comes_to_an_end_with_a_verdict() {
    let room = Arc::new(Semaphore::new(AT_A_TIME));
    let mut runs = JoinSet::new();
    for behaviour in BEHAVIOURS {
        let room = Arc::clone(&room);
        runs.spawn(async move {
            let _place = room.acquire().await.expect("it stays open");
            (behaviour, run(env!("CARGO_BIN_EXE_syncspec"), behaviour).await)
        });
    }
    let ended = runs.join_all().await;
    let mut complaints: Vec<String> =
        ended.iter().flat_map(|(behaviour, ended)| complaints(behaviour, ended)).collect();
    let ended = ended.into_iter().map(|(behaviour, ended)| (behaviour.name, ended)).collect();
    complaints.extend(about_throttling(&ended));
    complaints.extend(about_who_is_gone(&ended));
    assert!(complaints.is_empty(), "with --timeout {TIMEOUT}:\n{}", complaints.join("\n"));
}

type ByName = BTreeMap<&'static str, Ended>;

/// Throttling changes no verdict, and is told.
fn about_throttling(ended: &ByName) -> Vec<String> {
    let (throttled, plain) = (&ended["throttles-each-third"], &ended["merely-slow"]);
    let mut complaints = Vec::new();
    if throttled.verdicts() != plain.verdicts() {
        complaints.push(format!("verdicts differ: {:?} and {:?}", throttled.verdicts(), plain.verdicts()));
    }
    if throttled.throttled() < 10 || plain.throttled() > 0 || !throttled.stdout.contains("the target throttled: ") {
        complaints.push(format!("{} answers throttled: {}", throttled.throttled(), throttled.stdout));
    }
    complaints
}

/// Who is gone is told with the last case, and who is only slow, or resets or hangs now
/// and then, is not gone. (Where half of all requests hang, so few cases come to their end
/// that many in a row may not: to be taken for gone is right then.)
fn about_who_is_gone(ended: &ByName) -> Vec<String> {
    let mut complaints = Vec::new();
    for name in ["falls-silent", "falls-silent-in-body", "resets-later"] {
        let stopped = ended[name].stopped().unwrap_or_default();
        let names_the_last =
            stopped.contains("; the last case that it answered was ") || stopped.contains("; it answered no case");
        if !stopped.starts_with("the endpoint is gone: ") || !names_the_last {
            complaints.push(format!("{name}: stopped: {stopped}"));
        }
    }
    for name in ["half-resets", "one-operation-hangs", "merely-slow", "grows-slow"] {
        if let Some(stopped) = ended[name].stopped() {
            complaints.push(format!("{name} is not gone, and was stopped: {stopped}"));
        }
    }
    complaints
}
