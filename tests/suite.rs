//! The suite as shipped: every file in `cases/` loads, and what the suite promises
//! as a whole holds.

use std::collections::BTreeSet;
use std::path::Path;

use std::sync::Arc;
use std::time::Duration;

use syncspec::cases::Suite;
use syncspec::collaborators::Listener;
use syncspec::judge::Verdict;
use syncspec::plan::{Decision, Plan};
use syncspec::reference::Server;
use syncspec::run::{Session, Settings, results};
use syncspec::spec::{Catalog, Protocol, Service};
use syncspec::target::{Target, calling, embedded_world};

fn suite() -> Suite {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    Suite::from_dir(Service::embedded(), Catalog::embedded(), &dir).unwrap_or_else(|error| panic!("\n{error}"))
}

#[test]
fn the_program_has_the_files_of_this_folder_and_their_digests() {
    let shipped = Suite::shipped(Service::embedded(), Catalog::embedded()).expect("it is valid");
    assert_eq!(shipped.digest, suite().digest);
    let part = Suite::shipped_in_part(Service::embedded(), Catalog::embedded(), &|stem| stem == "list-datasets/valid");
    assert_eq!(part.expect("it is valid").digest, shipped.digest);
}

#[test]
fn every_file_loads_and_every_operation_is_called() {
    let operations = suite().cases.iter().flat_map(|case| case.operations().into_iter().map(str::to_owned)).collect();
    let of_service: BTreeSet<String> = Service::embedded().operations.keys().cloned().collect();
    assert_eq!(BTreeSet::<String>::difference(&of_service, &operations).count(), 0);
}

/// Its answer holds pools that other cases are writing to meanwhile.
const WITHOUT_SNAPSHOT: [&str; 1] = ["ListIdentityPoolUsage"];

#[test]
fn every_operation_has_a_valid_call_with_a_snapshot() {
    let suite = suite();
    let snapped: BTreeSet<&str> = (suite.cases.iter().flat_map(|case| &case.steps))
        .filter(|step| step.expects.iter().any(|expect| expect.snapshot))
        .filter_map(|step| match &step.action {
            syncspec::cases::Action::Call(call) => Some(call.operation.as_str()),
            _ => None,
        })
        .collect();
    let operations = Service::embedded().operations.keys().map(String::as_str);
    let missing: Vec<&str> = operations.filter(|name| !snapped.contains(name)).collect();
    assert_eq!(missing, WITHOUT_SNAPSHOT);
}

/// Over the protocol of the documentation's samples everything holds that is not about
/// the wire of rest-json, and the same snapshots are right.
#[tokio::test(flavor = "multi_thread")]
async fn the_suite_holds_over_legacy_rpc() {
    let (suite, service, catalog) = (suite(), Service::embedded(), Catalog::embedded());
    let world = embedded_world();
    let played = Listener::start(([127, 0, 0, 1], 0).into()).await.expect("it listens");
    let called = calling(world.clone(), &played.endpoint());
    let server = Server::start(([127, 0, 0, 1], 0).into(), Arc::new(service.clone()), called).await;
    let server = server.expect("it starts");
    let target = Target::embedded(&world, &server.endpoint()).called_back(&world, played.address());
    let mut plan = Plan::new(&suite, &[], &target).expect("all are selected");
    plan.over(Protocol::LegacyRpc, service, catalog, &target);
    let skipped = plan.cases.iter().filter_map(|planned| match &planned.decision {
        Decision::Skip { reason } => Some(reason.as_str()),
        Decision::Run(_) => None,
    });
    let skipped: Vec<&str> = skipped.collect();
    let expected =
        |reason: &str| reason.starts_with("written for rest-json: ") || reason.contains("lasting-bulk-publish");
    assert!(skipped.iter().all(|reason| expected(reason)), "{skipped:?}");
    assert!(skipped.len() * 4 < suite.cases.len(), "{} of {} are skipped", skipped.len(), suite.cases.len());
    let mut session = Session::connect(target, Duration::from_secs(30), false, "suite".to_owned()).expect("a session");
    session = session.playing(played);
    session.protocol = Protocol::LegacyRpc;
    let settings = Settings { jobs: 8, fail_fast: false, datasets_per_identity: service.datasets_per_identity() };
    let results = results(&session, plan, &suite.digest, settings).await;
    let is_well = |verdict| matches!(verdict, Verdict::Pass | Verdict::Skipped);
    let unwell: Vec<_> = results.iter().filter(|result| !is_well(result.verdict)).collect();
    assert!(unwell.is_empty(), "{unwell:#?}");
    assert!(results.iter().all(|result| result.protocol == "legacy-rpc" || result.verdict == Verdict::Skipped));
    assert_eq!(results.iter().map(|result| result.leftovers.len()).sum::<usize>(), 0);
    server.shutdown().await;
}
