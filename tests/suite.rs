//! The suite as shipped: every file in `cases/` loads, and what the suite promises
//! as a whole holds.

use std::collections::BTreeSet;
use std::path::Path;

use syncspec::cases::Suite;
use syncspec::spec::{Catalog, Service};

fn suite() -> Suite {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    Suite::from_dir(Service::embedded(), Catalog::embedded(), &dir).unwrap_or_else(|error| panic!("\n{error}"))
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
