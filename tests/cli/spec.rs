//! What the suite knows of the service, against models of it.

use std::path::Path;

use serde_json::Value;

use crate::check;
use crate::command::Room;
use crate::model::model_of_facts;

#[test]
fn a_model_that_agrees_is_told_with_the_known_disputes() {
    let room = Room::new();
    room.write("service-2.json", &model_of_facts().to_string());
    check("spec-diff", &room.run("spec diff service-2.json").exits(0).to_string());
}

#[test]
fn drift_is_told_and_fails() {
    let room = Room::new();
    let mut model = model_of_facts();
    model["operations"].as_object_mut().expect("operations").remove("BulkPublish");
    model["shapes"]["IdentityPoolId"]["max"] = 60.into();
    model["shapes"]["Platform"]["enum"].as_array_mut().expect("a list").push("BAIDU".into());
    // The model has what only the documentation had.
    model["shapes"]["LambdaSocketTimeoutException"] = model["shapes"]["LimitExceededException"].clone();
    let errors = model["operations"]["UpdateRecords"]["errors"].as_array_mut().expect("a list");
    errors.push(serde_json::json!({ "shape": "LambdaSocketTimeoutException" }));
    room.write("service-2.json", &model.to_string());
    check("spec-diff-drift", &room.run("spec diff service-2.json").exits(1).to_string());
    let json: Value =
        serde_json::from_str(&room.run("spec diff service-2.json --format json").exits(1).stdout).unwrap();
    assert_eq!(json["format"], "botocore");
    let place = |list: &str, index: usize| json[list][index]["place"].clone();
    assert_eq!(place("differences", 0), "BulkPublish");
    assert_eq!(place("known-disputes", 1), "ListDatasets/input/MaxResults/pattern");
    assert_eq!(json["known-disputes"][1]["dispute"], "list-datasets-max-results");
}

#[test]
fn what_is_no_model_is_wrong_usage() {
    let room = Room::new();
    room.write("rules.json", r#"{ "version": "1.0", "rules": [] }"#);
    check("spec-diff-no-model", &room.run("spec diff rules.json").exits(2).to_string());
    check("spec-diff-missing", &room.run("spec diff missing.json").exits(2).to_string());
}

#[test]
fn the_page_on_disputes_is_that_of_the_data() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/disputes.md"));
    let made = Room::new().run("spec disputes").exits(0).stdout;
    assert!(!made.contains("in no case"), "a reading is said to show from a requirement that no case proves");
    assert!(
        page.is_ok_and(|page| page == made),
        "docs/disputes.md is not what the data says; renew it with `cargo run -- spec disputes > docs/disputes.md`"
    );
}

#[test]
fn the_page_on_tolerance_is_that_of_the_variants() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/tolerance.md"));
    let made = Room::new().run("spec tolerance").exits(0).stdout;
    assert!(
        page.is_ok_and(|page| page == made),
        "docs/tolerance.md is not what the variants say; renew it with `cargo run -- spec tolerance > docs/tolerance.md`"
    );
}

#[test]
fn a_run_tells_which_readings_the_target_follows() {
    let room = Room::new();
    let run = room.run("run constraints/messages/error-name list-records/paging/count-of-a-page --report-dir r");
    check("run-disputed", &run.exits(0).to_string());
}
