//! `prove`, `coverage`, and servers that are wrong on purpose.

use crate::check;
use crate::command::Room;

#[test]
fn a_case_is_shown_to_be_able_to_fail() {
    let room = Room::with_suite();
    let proof = room.run("prove --cases cases ListRecords/route").exits(0);
    check("prove", &proof.to_string());
    let json = room.run("prove --cases cases --format json ListRecords/route/moved").exits(0);
    let document: serde_json::Value = serde_json::from_str(&json.stdout).expect("it is JSON");
    assert_eq!(document["alterations"][0]["proven"], true, "{document}");
    assert_eq!(document["catching-nothing"], serde_json::json!([]), "{document}");
}

#[test]
fn what_no_case_catches_is_told() {
    let room = Room::with_suite();
    check("prove-not-caught", &room.run("prove --cases cases no-request-id").exits(1).to_string());
    check("prove-unknown", &room.run("prove --cases cases nonsense").exits(4).to_string());
    let excused =
        "[[excluded]]\nmutants = [\"no-request-*\", \"ListRecords/route/*\"]\nreason = \"This suite looks away.\"\n";
    room.write("cases/_excluded.toml", excused);
    check("prove-excused", &room.run("prove --cases cases no-request-id").exits(0).to_string());
    check("prove-caught-after-all", &room.run("prove --cases cases ListRecords/route").exits(1).to_string());
}

#[test]
fn coverage_shows_who_proves_what() {
    let room = Room::with_suite();
    room.write(
        "cases/_excluded.toml",
        "[[excluded]]\nrequirements = [\"*/error/InternalErrorException\"]\nreason = \"No request provokes it.\"\n",
    );
    let one = "coverage --cases cases UpdateRecords/rule/stale-sync-count UpdateRecords/error/InternalErrorException";
    check("coverage", &room.run(one).exits(0).to_string());
    check("coverage-gap", &room.run("coverage --cases cases service/rule/request-id").exits(1).to_string());
    check("coverage-unknown", &room.run("coverage --cases cases nonsense").exits(4).to_string());
    let json = room.run("coverage --cases cases --format json service/rule/request-id").exits(1);
    let document: serde_json::Value = serde_json::from_str(&json.stdout).expect("it is JSON");
    assert_eq!(document["requirements"][0]["cases"], serde_json::json!([]), "{document}");
}

#[test]
fn mutants_can_be_met() {
    let room = Room::new();
    check("list-mutants", &room.run("serve --list-mutants --mutant stale-").exits(0).to_string());
    check("unknown-mutant", &room.run("serve --mutant stale-acepted").exits(2).to_string());
}
