//! The same cases again: `--repeat`; and one case alone, for which no more is read than
//! it needs.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use rstest::rstest;
use serde_json::Value;

use crate::check;
use crate::command::Room;
use crate::runs::{Altered, record, verdicts};

fn run(dir: &str) -> String {
    format!("run --cases cases --quiet --report-dir {dir}")
}

#[test]
fn each_round_is_a_run_of_its_own() {
    let room = Room::with_suite();
    check("repeat", &room.run(&format!("{} --repeat 2", run("r"))).exits(0).to_string());
    let rounds: Vec<Vec<Value>> =
        ["1", "2"].iter().map(|number| record(&room.read(&format!("r/round-000{number}/run.jsonl")))).collect();
    assert_eq!(verdicts(&rounds[0]), verdicts(&rounds[1]));
    assert!(!room.path("r/round-0003").exists());
}

#[test]
fn a_round_that_fails_is_named_and_the_next_begins() {
    let (room, altered) = (
        Room::with_suite(),
        Altered::start(|_, response| {
            if response.status == 409 {
                response.status = 400;
            }
        }),
    );
    let args = format!("{} --repeat 2 --endpoint {}", run("r"), altered.endpoint);
    check("repeat-failed", &room.run(&args).exits(1).to_string());
    room.run(&format!("{} --repeat 2 --fail-fast --jobs 1 --endpoint {}", run("r2"), altered.endpoint)).exits(1);
    assert!(!room.path("r2/round-0002").exists(), "--fail-fast ends the round, and the rounds");
}

/// An endpoint that fails the case, and is none any more when the first round is over: the
/// case's last request takes back what it made.
fn gone_after_a_round() -> Altered {
    let (is_over, made) = (AtomicBool::new(false), AtomicBool::new(false));
    Altered::start(move |request, response| {
        if is_over.load(Ordering::SeqCst) {
            (response.status, response.body) = (502, "<html>Bad Gateway</html>".into());
            response.headers.set("content-type", "text/html");
        } else if request.method == "DELETE" {
            is_over.store(made.load(Ordering::SeqCst), Ordering::SeqCst);
        } else if request.method == "POST" {
            made.store(true, Ordering::SeqCst);
            response.status = 500;
        }
    })
}

#[test]
fn a_round_that_cannot_begin_hides_no_earlier_one() {
    let (room, altered) = (Room::with_suite(), gone_after_a_round());
    let args = format!("{} first-write --repeat 5 --endpoint {}", run("r"), altered.endpoint);
    check("repeat-broken-off", &room.run(&args).exits(1).to_string());
    assert!(room.path("r/round-0001/run.jsonl").exists() && !room.path("r/round-0002").exists());
    // Of the first round there is nothing to say but why.
    let ended = room.run(&format!("{} first-write --repeat 5 --endpoint {}", run("r2"), altered.endpoint)).exits(3);
    assert!(ended.stdout.is_empty() && ended.stderr.lines().count() == 1, "{ended}");
}

#[test]
fn of_the_lines_of_records_nothing_is_told_between_them() {
    let ended = Room::with_suite().run(&format!("{} --repeat 2 --format json", run("r"))).exits(0);
    let lines = ended.stdout.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line of a record"));
    assert_eq!(lines.filter(|line| line["type"] == "footer").count(), 2);
    assert!(ended.stderr.starts_with("2 rounds in "), "{ended}");
}

#[test]
fn a_time_is_over_after_the_round_that_is_under_way() {
    let room = Room::with_suite();
    room.run(&format!("{} --repeat 1ms", run("r"))).exits(0);
    assert!(room.path("r/round-0001/run.jsonl").exists());
    assert!(!room.path("r/round-0002").exists());
}

#[rstest]
#[case("0")]
#[case("soon")]
#[case("2 --junit x.xml")]
#[case("2 --plan")]
fn other_repetitions_are_refused(#[case] repeat: &str) {
    Room::with_suite().run(&format!("{} --repeat {repeat}", run("r"))).exits(2);
}

/// The digest and the verdict are the same as in a run of all.
#[test]
fn a_case_that_is_named_needs_no_other_file() {
    let room = Room::with_suite();
    room.run(&run("all")).exits(0);
    let all = record(&room.read("all/run.jsonl"));
    let (case, verdict) = verdicts(&all).pop_first().expect("a case");
    room.run(&format!("{} {case}", run("r"))).exits(0);
    let alone = record(&room.read("r/run.jsonl"));
    assert_eq!(verdicts(&alone), BTreeMap::from([(case.clone(), verdict)]));
    assert_eq!(alone[0]["suite-digest"], all[0]["suite-digest"]);
    room.write("cases/other/broken.toml", "[[case]]\nname = 5\n");
    room.run(&format!("{} {case}", run("r"))).exits(0);
    // Whoever names no case wants all of them.
    room.run(&format!("{} {}", run("r"), case.split('/').next().unwrap_or_default())).exits(2);
    room.run(&format!("{} {case}-and-more", run("r"))).exits(2);
}
