//! Hostile endpoints: whatever a server does, a run ends in bounded time and memory with
//! a verdict, and its report can be read. `docs/hostile.md` shows what each came to.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

#[path = "support/hostile/mod.rs"]
mod hostile;

use hostile::{BEHAVIOURS, Behaviour, Ended, Expected, TIMEOUT, run};

/// Generous: the bounds that are promised are in `docs/hostile.md`.
const LONGEST: Duration = Duration::from_secs(60);
const MOST_KIB: u64 = 512 * 1024;
const MOST_WRITTEN: u64 = 64 * 1024 * 1024;

/// Runs at a time: most of them wait most of the time.
const AT_A_TIME: usize = 12;

const PROGRAM: &str = env!("CARGO_BIN_EXE_syncspec");

fn behaviour(name: &str) -> &'static Behaviour {
    BEHAVIOURS.iter().find(|behaviour| behaviour.name == name).expect("there is one of this name")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_behaviour_comes_to_an_end_with_a_verdict() {
    let room = Arc::new(Semaphore::new(AT_A_TIME));
    let mut runs = JoinSet::new();
    for behaviour in BEHAVIOURS {
        let room = Arc::clone(&room);
        runs.spawn(async move {
            let _place = room.acquire().await.expect("it stays open");
            complaints(behaviour, &run(PROGRAM, behaviour).await)
        });
    }
    let complaints: Vec<String> = runs.join_all().await.into_iter().flatten().collect();
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

fn complaints(behaviour: &Behaviour, ended: &Ended) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut demand = |holds: bool, what: String| {
        if !holds {
            complaints.push(format!("{} ({}; --timeout {TIMEOUT}): {what}", behaviour.name, behaviour.about));
        }
    };
    let codes: &[i32] = match behaviour.expected {
        Expected::Bad => &[1, 3],
        Expected::NotJudged => &[3],
        Expected::Good => &[0],
    };
    let code = ended.code;
    let all = || format!("{} {:?} {}\n{}{}", ended.totals(), ended.stopped(), ended.said(), ended.stdout, ended.stderr);
    demand(code.is_some_and(|code| codes.contains(&code)), format!("exit code {code:?}: {}", all()));
    demand(ended.took < LONGEST, format!("took {:?}", ended.took));
    demand(ended.peak.is_none_or(|peak| peak < MOST_KIB), format!("{:?} KiB of memory", ended.peak));
    demand(ended.written < MOST_WRITTEN, format!("{} bytes written", ended.written));
    demand(!ended.stderr.contains("panicked"), format!("it panicked: {}", ended.stderr));
    demand(!ended.stdout.contains("\u{1b}[2J") && !ended.stdout.contains('\u{202e}'), "codes printed".to_owned());
    demand(ended.strays == 0, format!("{} connections to another host", ended.strays));
    // A run that never began has one sentence instead.
    if ended.record.is_empty() {
        demand(ended.stderr.lines().count() == 1 && ended.stderr.starts_with("error: "), ended.stderr.clone());
    } else {
        let selected = ended.record[0]["selected"].as_u64();
        let verdicts = ended.verdicts();
        demand(selected == Some(verdicts.len() as u64), format!("{} results", verdicts.len()));
        demand(ended.junit.is_ok(), format!("report junit: {:?}", ended.junit.as_ref().err()));
        if behaviour.expected == Expected::NotJudged {
            demand(!verdicts.values().any(|verdict| verdict == "fail"), all());
        }
    }
    complaints
}

#[tokio::test(flavor = "multi_thread")]
async fn throttling_changes_no_verdict() {
    let throttled = run(PROGRAM, behaviour("throttles-each-third")).await;
    let plain = run(PROGRAM, behaviour("merely-slow")).await;
    assert_eq!(throttled.verdicts(), plain.verdicts());
    assert!(throttled.throttled() > 10 && plain.throttled() == 0, "{}", throttled.throttled());
    assert!(throttled.stdout.contains("throttled"), "{}", throttled.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_falls_silent_is_named_with_its_last_case() {
    let ended = run(PROGRAM, behaviour("falls-silent")).await;
    let stopped = ended.stopped().unwrap_or_default();
    assert!(stopped.starts_with("the endpoint is gone: "), "{stopped}");
    assert!(
        stopped.contains("; the last case that it answered was ") || stopped.contains("it answered no"),
        "{stopped}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_hangs_now_and_then_or_is_slow_is_not_gone() {
    for name in ["half-hangs", "half-resets", "one-operation-hangs", "merely-slow"] {
        let ended = run(PROGRAM, behaviour(name)).await;
        assert_eq!(ended.stopped(), None, "{name}");
    }
}
