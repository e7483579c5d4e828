//! Documents from recorded runs.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::check;
use crate::command::Room;

#[test]
fn a_partial_record_is_refused_unless_asked_for() {
    let room = Room::with_suite();
    room.run("run --cases cases --report-dir r").exits(0);
    let whole = room.read("r/run.jsonl");
    let partial: String = whole.split_inclusive('\n').take(3).collect();
    room.write("r/run.jsonl", &partial);
    check("report-partial", &room.run("report junit r").exits(2).to_string());
    assert!(room.run("report junit --partial r").exits(0).stdout.contains("<testsuites"));
    room.write("r/run.jsonl", "");
    check("report-empty", &room.run("report junit r").exits(2).to_string());
    check("report-missing", &room.run("report junit missing").exits(2).to_string());
    room.write("r/run.jsonl", &whole);
    room.write("runs/night-1/run.jsonl", &whole);
    check("report-one-below", &room.run("report html runs").exits(2).to_string());
    room.write("runs/night-2/run.jsonl", &whole);
    check("report-some-below", &room.run("report html runs").exits(2).to_string());
    room.write("none/x.txt", "");
    check("report-none-below", &room.run("report html none").exits(2).to_string());
    check("report-unwritable", &room.run("report junit r -o missing/j.xml").exits(2).to_string());
}

/// A document that goes to a device or a pipe is written there, and takes nobody's place.
#[cfg(unix)]
#[test]
fn what_is_no_file_is_written_to_and_stays() {
    let room = Room::with_suite();
    room.run("run --cases cases --report-dir r").exits(0);
    let printed = room.run("report markdown r").exits(0).stdout;
    assert_eq!(room.run("report markdown r -o /dev/stdout").exits(0).stdout, printed);
    room.write("far/page.md", "old");
    std::os::unix::fs::symlink("far/page.md", room.path("near.md")).unwrap();
    room.run("report markdown r -o near.md").exits(0);
    assert!(room.path("near.md").is_symlink());
    assert_eq!(room.read("far/page.md"), printed);
}

/// What does not differ from run to run: of each case what came of it, and what was
/// found, in the order of the cases; and which suite it was.
fn lasting(text: &str) -> (Value, BTreeMap<String, Value>) {
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
    let header = &lines[0];
    let members = ["format-version", "suite-version", "suite-digest", "selection-digest", "selected", "rerun"];
    let header = members.map(|member| (member, header[member].clone())).into_iter().collect();
    let found = |finding: &Value| {
        let members = ["level", "step", "at", "requirement", "origin"];
        members.map(|member| (member.to_owned(), finding[member].clone())).into_iter().collect::<Value>()
    };
    let of = |line: &Value| {
        let members = ["about", "action", "protocol", "verdict", "reason", "requirements", "origin"];
        let mut lasting: Vec<Value> = members.map(|member| line[member].clone()).into();
        lasting.extend(line["findings"].as_array().into_iter().flatten().map(found));
        (line["case"].as_str().expect("a case has an id").to_owned(), Value::from(lasting))
    };
    (header, lines.iter().filter(|line| line["type"] == "result").map(of).collect())
}

/// So many cases are tried once more, by themselves, when they came to something else.
const MOST_AGAIN: usize = 10;

/// Both are what a user gets who types the command today.
#[test]
fn the_committed_run_of_the_reference_server_is_not_stale() {
    let renew = "renew it with `cargo run --release -- run --report-dir reports/reference --html`";
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/reference");
    let committed =
        |name: &str| fs::read_to_string(dir.join(name)).unwrap_or_else(|error| panic!("{name}: {error}; {renew}"));
    let room = Room::new();
    room.run("run --report-dir r --quiet");
    let ((header, then), (now_header, now)) = (lasting(&committed("run.jsonl")), lasting(&room.read("r/run.jsonl")));
    assert_eq!(header, now_header, "{renew}");
    let differs = |case: &&String, now: &BTreeMap<String, Value>| then.get(*case) != now.get(*case);
    let mut differing: Vec<_> = then.keys().chain(now.keys()).filter(|case| differs(case, &now)).collect();
    if (1..=MOST_AGAIN).contains(&differing.len()) {
        // A few cases depend on the time that passes between two requests, which can be
        // long on a busy machine.
        let ids: Vec<_> = differing.iter().map(|case| case.as_str()).collect();
        room.run(&format!("run --report-dir again --quiet --jobs 1 {}", ids.join(" ")));
        let (_, again) = lasting(&room.read("again/run.jsonl"));
        differing.retain(|case| differs(case, &again));
    }
    assert!(differing.is_empty(), "{differing:?}; {renew}");
    let page = room.run(&format!("report html {}", dir.join("run.jsonl").display())).exits(0).stdout;
    assert!(page == committed("run.html"), "the page is not what is made of its run.jsonl; {renew}");
}
