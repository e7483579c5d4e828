//! Fuzzing finds what is wrong, and nothing where all is right; what it finds becomes
//! a case that fails for the same requirement there, and passes on a right server.
//!
//! Small budgets, and the same sequences every time. `SYNCSPEC_FUZZ_SEQUENCES` plays
//! so many sequences instead against every server that must give no finding.

use std::sync::Arc;
use std::time::Duration;

use syncspec::cases::Suite;
use syncspec::fuzz::{Budget, CaseFile, Endpoints, Replayed, Report, Settings, fuzz};
use syncspec::judge::Verdict;
use syncspec::plan::Plan;
use syncspec::prove::{Alteration, Kind, alterations};
use syncspec::reference::Server;
use syncspec::run::{CaseResult, Session, Settings as RunSettings, results};
use syncspec::spec::{Catalog, Service};
use syncspec::target::{Target, embedded_world};
use tokio::sync::watch;

const TIMEOUT: Duration = Duration::from_secs(20);

fn settings(seed: u64, sequences: u64) -> Settings {
    Settings {
        sequences,
        steps: 20,
        seed,
        time: None,
        jobs: 4,
        budget: Budget { attempts: 500, time: Duration::from_secs(60) },
        lag: Duration::ZERO,
    }
}

fn asked_for(otherwise: u64) -> u64 {
    let asked = std::env::var("SYNCSPEC_FUZZ_SEQUENCES").ok();
    asked.map_or(otherwise, |asked| asked.parse().expect("SYNCSPEC_FUZZ_SEQUENCES is a number"))
}

fn alteration(name: &str) -> Alteration {
    let found = alterations(Service::embedded()).into_iter().find(|alteration| alteration.name == name);
    found.unwrap_or_else(|| panic!("there is no alteration `{name}`"))
}

/// A server and a target that leads to it.
async fn started(alteration: &Alteration) -> (Server, Target) {
    let world = embedded_world();
    let server = alteration.serve(([127, 0, 0, 1], 0).into(), world.clone()).await;
    let server = server.expect("a server starts on loopback");
    let mut target = Target::embedded(&world, &server.endpoint());
    target.snapshots = None;
    (server, target)
}

async fn fuzzed(alteration: &Alteration, settings: &Settings) -> Report {
    let (server, target) = started(alteration).await;
    let endpoints = Endpoints::connect(target, TIMEOUT, "test".to_owned()).expect("the endpoint is one");
    let (_going_on, cancel) = watch::channel(false);
    let report = fuzz(&Arc::new(endpoints), settings, cancel, |_| {}).await;
    server.shutdown().await;
    report
}

/// The result of a case file's only case on a server.
async fn replayed(case: &CaseFile, alteration: &Alteration) -> CaseResult {
    let files = [("_base.toml", Suite::shipped_bases()), (&format!("{}.toml", case.stem), &case.text)];
    let suite = Suite::from_texts(Service::embedded(), Catalog::embedded(), &files);
    let suite = suite.unwrap_or_else(|error| panic!("{error}\n{}", case.text));
    let (server, target) = started(alteration).await;
    let plan = Plan::new(&suite, &[], &target).expect("there is a case");
    let session = Session::connect(target, TIMEOUT, false, "again".to_owned()).expect("the endpoint is one");
    let settings = RunSettings { jobs: 1, fail_fast: false, datasets_per_identity: 20 };
    let mut results = results(&session, plan, &suite.digest, settings).await;
    server.shutdown().await;
    results.pop().expect("the case gave a result")
}

fn told(report: &Report) -> Vec<String> {
    let found = |found: &syncspec::fuzz::Found| {
        format!("{} at {}: {} not {}\n{}", found.requirement, found.at, found.actual, found.expected, found.case.text)
    };
    report.findings.iter().map(found).chain(report.reasons.clone()).collect()
}

#[tokio::test]
async fn the_reference_server_gives_no_finding() {
    let report = fuzzed(&Alteration::control(), &settings(1, asked_for(60).max(60))).await;
    assert!(report.findings.is_empty() && report.indeterminate == 0, "{}", told(&report).join("\n"));
    assert!(report.sequences >= 60 && report.tally.rules.len() > 50, "{:?}", report.tally);
    assert!(report.tally.conflicts > 10 && report.tally.deletions > 10 && report.tally.later_pages > 0);
}

#[tokio::test]
async fn a_server_that_makes_another_legal_choice_gives_no_finding() {
    let variants = alterations(Service::embedded()).into_iter().filter(|alteration| alteration.kind == Kind::Variant);
    let mut alarms = Vec::new();
    for (seed, variant) in variants.enumerate() {
        let report = fuzzed(&variant, &settings(seed as u64, asked_for(3))).await;
        alarms.extend(told(&report).into_iter().map(|told| format!("{}: {told}", variant.name)));
    }
    assert!(alarms.is_empty(), "{} false alarms\n{}", alarms.len(), alarms.join("\n"));
}

/// Fuzzes a mutant until it is found, and replays what is kept of every finding on it
/// and on the reference.
async fn found_and_kept(name: &str) {
    let mutant = alteration(name);
    let report = fuzzed(&mutant, &settings(1, 300)).await;
    let is_broken = |id: &str| mutant.requirements.iter().any(|broken| broken == id);
    let named = report.findings.iter().any(|found| is_broken(found.requirement));
    assert!(named, "{name} is not found by what it breaks: {}", told(&report).join("\n"));
    for found in &report.findings {
        let (text, requirement) = (&found.case.text, found.requirement);
        assert_eq!(found.replayed, Replayed::Reproduced, "{name}\n{text}");
        assert!(found.sequence.0.len() <= 6, "{name}: {}", found.sequence);
        let there = replayed(&found.case, &mutant).await;
        let broken = matches!(there.verdict, Verdict::Fail | Verdict::Warn);
        let the_same = there.findings.iter().any(|finding| finding.requirement == requirement);
        assert!(broken && the_same, "{name}: {} {:?} {:?}\n{text}", there.verdict, there.reason, there.findings);
        // Where something is open on the way, a right server may take the other turn.
        let here = replayed(&found.case, &Alteration::control()).await;
        let takes_other_turn = here.verdict == Verdict::NotTestable && !is_broken(requirement);
        let passes = here.verdict == Verdict::Pass || takes_other_turn;
        assert!(passes, "{name}: {} {:?} {:?}\n{text}", here.verdict, here.reason, here.findings);
    }
}

#[tokio::test]
async fn mutants_are_found_shrunk_and_kept_as_cases() {
    for name in [
        "count-per-patch",
        "stale-removal-accepted",
        "partial-batch",
        "conflict-counts-swapped",
        "removed-value-is-empty-text",
        "token-of-any-identity",
        "deletion-described-afterwards",
    ] {
        found_and_kept(name).await;
    }
}

#[tokio::test]
async fn pages_and_figures_that_are_wrong_are_kept_as_cases_too() {
    for name in ["pages-skip-one", "never-flagged", "last-sync-count-inclusive", "datasets-counted-for-ever"] {
        found_and_kept(name).await;
    }
}

#[tokio::test]
async fn the_same_seed_finds_the_same() {
    let mutant = alteration("stale-accepted");
    let (first, second) = (fuzzed(&mutant, &settings(9, 50)).await, fuzzed(&mutant, &settings(9, 50)).await);
    let of = |report: &Report| {
        let found = report.findings.last().expect("it is found");
        (found.number, found.requirement, found.sequence.to_string(), found.case.clone())
    };
    assert_eq!(of(&first), of(&second));
}

#[tokio::test]
async fn an_endpoint_that_does_not_answer_is_not_blamed() {
    let (server, target) = started(&Alteration::control()).await;
    server.shutdown().await;
    let endpoints = Endpoints::connect(target, TIMEOUT, "gone".to_owned()).expect("the endpoint is one");
    let (_going_on, cancel) = watch::channel(false);
    let report = fuzz(&Arc::new(endpoints), &settings(1, 1_000), cancel, |_| {}).await;
    assert!(report.findings.is_empty() && report.sequences == 0);
    // It does not go on for ever.
    assert!((20..100).contains(&report.indeterminate), "{}", report.indeterminate);
}
