//! Runs that go on where they were interrupted.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::command::{Room, Running};
use crate::runs::{record, verdicts};

/// Their lines are more than a pipe holds, so that a run that is not read is under way
/// until it is.
const CASES: &str = "update-records/sync-count list- delete-dataset/valid get-cognito describe-";

/// A server with its target file, and a room for both.
fn served() -> (Room, Running) {
    let room = Room::new();
    let mut server = room.start("serve --listen 127.0.0.1:0 --log off --write-target t.toml");
    server.lines(4);
    (room, server)
}

/// The lines of results that a run resumed now takes over, by case.
fn settled(text: &str) -> BTreeMap<String, String> {
    let mut settled = BTreeMap::new();
    for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
        let event: Value = serde_json::from_str(line).expect("a whole line is JSON");
        let is_begun = event["duration-us"].as_u64().unwrap_or_default() > 0;
        if event["type"] == "result" && is_begun && event["verdict"] != "indeterminate" {
            settled.insert(event["case"].as_str().expect("an id").to_owned(), line.to_owned());
        }
    }
    settled
}

/// Resumes the run in `r`, and checks that nothing was done twice and nothing left out.
fn resumes(room: &Room, args: &str) {
    let before = settled(&room.read("r/run.jsonl"));
    assert!(!before.is_empty(), "something was finished");
    let ended = room.run(&format!("run --target t.toml --resume r {args} {CASES}")).exits(0);
    let text = room.read("r/run.jsonl");
    let lines = record(&text);
    assert_eq!(lines[0]["resumed"], json!(before.len()), "{ended}");
    assert_eq!(lines[0]["selected"], json!(verdicts(&lines).len()));
    assert!(verdicts(&lines).values().all(|verdict| verdict == "pass"), "{ended}");
    let after = settled(&text);
    for (case, line) in &before {
        assert_eq!(after.get(case), Some(line), "{case} was run again");
    }
    assert!(after.len() > before.len(), "the rest was run");
    let again = room.run(&format!("run --target t.toml --resume r {CASES}")).exits(4);
    assert!(again.stderr.contains("there is nothing to resume"), "{again}");
    assert_eq!(room.read("r/run.jsonl"), text);
}

#[test]
fn a_killed_run_goes_on() {
    let (room, _server) = served();
    for (number, torn) in [(5, ""), (40, "{\"type\":\"result\",\"case\":\"li")] {
        let mut run = room.start(&format!("run --target t.toml --jobs 2 --format json --report-dir r {CASES}"));
        run.lines(number);
        run.kill();
        let mut text = room.read("r/run.jsonl");
        text.push_str(torn);
        room.write("r/run.jsonl", &text);
        resumes(&room, "");
    }
}

#[test]
fn an_interrupted_run_goes_on() {
    let (room, _server) = served();
    let mut run = room.start(&format!("run --target t.toml --jobs 2 --format json --report-dir r {CASES}"));
    run.lines(20);
    run.signal("INT");
    run.end().exits(3);
    resumes(&room, "--jobs 4");
}

/// Killed while it is resumed, again and again: what was finished stays finished.
#[test]
fn a_run_that_is_killed_while_it_is_resumed_loses_nothing() {
    let (room, _server) = served();
    let mut run = room.start(&format!("run --target t.toml --jobs 2 --format json --report-dir r {CASES}"));
    run.lines(10);
    run.kill();
    for more in [1, 3, 12, 25] {
        let before = settled(&room.read("r/run.jsonl"));
        let mut run = room.start(&format!("run --target t.toml --jobs 2 --format json --resume r {CASES}"));
        run.lines(more);
        run.kill();
        let after = settled(&room.read("r/run.jsonl"));
        for (case, line) in &before {
            assert_eq!(after.get(case), Some(line), "{case} was lost");
        }
    }
    resumes(&room, "");
}

#[test]
fn another_run_is_not_taken_for_the_rest_of_this_one() {
    let (room, _server) = served();
    let mut run = room.start(&format!("run --target t.toml --jobs 1 --format json --report-dir r {CASES}"));
    run.lines(5);
    run.signal("STOP");
    let busy = room.run(&format!("run --target t.toml --resume r {CASES}")).exits(2);
    assert!(busy.stderr.contains("the run in r is still under way"), "{busy}");
    run.kill();
    let refused = |args: &str, why: &str| {
        let ended = room.run(&format!("run --resume r {args}")).exits(2);
        assert!(ended.stderr.contains(why), "{ended}");
    };
    refused(&format!("--target t.toml {CASES} register-device"), "it selected other cases");
    refused(&format!("--target t.toml --strict {CASES}"), "it ran without --strict, and now with --strict");
    refused(CASES, "its target was reference, and now embedded");
    refused("--target t.toml --report-dir x", "cannot be used with");
    let file = room.read("t.toml");
    room.write("u.toml", &file.replace("us-east-1\"\nlacks", "eu-west-1\"\nlacks"));
    refused(&format!("--target u.toml {CASES}"), "its region was us-east-1, and now eu-west-1");
}
