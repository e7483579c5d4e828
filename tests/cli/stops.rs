//! Runs that do not come to their end: whatever stops one, it never looks green.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::check;
use crate::command::{Ended, Room};
use crate::gate::eventually;
use crate::runs::{Altered, record, verdicts};

/// Slow enough to be stopped under way, and told line by line.
const SLOWLY: &str = "run --jobs 1 --format json --report-dir r";

#[test]
fn an_interrupted_run_says_so() {
    let room = Room::new();
    let mut run = room.start(SLOWLY);
    run.lines(10);
    run.signal("INT");
    let ended = run.end();
    assert_eq!(ended.code, Some(3), "{ended}");
    let lines = record(&room.read("r/run.jsonl"));
    let footer = lines.last().expect("there is a footer");
    assert_eq!(footer["stopped"], json!("the run was interrupted"));
    assert_eq!(footer["exit"], json!(3));
    let header = lines.first().expect("there is a header");
    assert_eq!(header["selected"], json!(verdicts(&lines).len()), "every selected case has a result");
    assert_eq!(ended.stdout, room.read("r/run.jsonl"));
}

#[test]
fn an_interrupted_run_prints_a_summary() {
    // What the first case has made is taken back slowly, which leaves time to take note.
    let altered = Altered::start(|request, _| {
        if request.method == "DELETE" {
            std::thread::sleep(Duration::from_millis(300));
        }
    });
    altered.gate.shut_after(0, |request| request.method == "POST");
    let room = Room::with_suite();
    let run = room.start(&format!("run --cases cases --jobs 1 --report-dir r --endpoint {}", altered.endpoint));
    eventually("the first case writes", || altered.gate.holds());
    run.signal("INT");
    altered.gate.open();
    check("run-interrupted", &run.end().exits(3).to_string());
}

#[test]
fn a_server_that_goes_away_ends_the_run() {
    let room = Room::new();
    let mut server = room.start("serve --listen 127.0.0.1:0 --log off --write-target t.toml");
    server.lines(4);
    let mut run = room.start(&format!("{SLOWLY} --target t.toml"));
    run.lines(10);
    server.kill();
    let begun = Instant::now();
    let ended = run.end().exits(3);
    assert!(begun.elapsed() < Duration::from_secs(25), "it took {:?}", begun.elapsed());
    let lines = record(&ended.stdout);
    let footer = lines.last().expect("there is a footer");
    let reason = footer["stopped"].as_str().unwrap_or_default();
    assert!(
        reason.starts_with("the endpoint is gone: ") && reason.contains("the last case that it answered"),
        "{reason}"
    );
    let selected = lines[0]["selected"].as_u64().unwrap_or_default();
    assert_eq!(u64::try_from(verdicts(&lines).len()).ok(), Some(selected));
    let unanswered = verdicts(&lines).into_values().filter(|verdict| verdict == "fail").count();
    assert_eq!(unanswered, 0, "no answer is no failure of the endpoint's answers");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let room = Room::new();
    for args in ["list", "schema case", "run sync-count --report-dir r", "run sync-count --format json --report-dir s"]
    {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        // Gone before the first word, however few they are.
        drop(reader);
        let output = room.command(args).stdout(writer).output().expect("the program starts");
        let ended = Ended::of(args, &output).exits(0);
        assert!(!ended.stderr.contains("panicked"), "{ended}");
    }
    record(&room.read("s/run.jsonl"));
}
