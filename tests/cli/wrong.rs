//! Wrong usage: one exit code, and a sentence that says what to do.

use rstest::rstest;

use crate::check;
use crate::command::Room;

const SUITE: &str = "run --cases cases";

#[test]
fn flags_and_filters() {
    let room = Room::with_suite();
    check("unknown-flag", &room.run("run --tagret t.toml").exits(2).to_string());
    check("bad-jobs", &room.run("run --jobs 0").exits(2).to_string());
    check("unknown-command", &room.run("rnu").exits(2).to_string());
    check("unknown-filter", &room.run(&format!("{SUITE} records/counts/stale-is-refusd")).exits(4).to_string());
    assert!(!room.path("reports").exists(), "a run that did not begin leaves nothing behind");
}

/// A case that can be run over rest-json only.
pub(crate) const BY_HAND: &str = r#"[[case]]
name = "by-hand"
proves = ["ListRecords/route"]
steps = [{ call = "ListRecords", json = "{}", expect = { status = 200 } }]
"#;

#[test]
fn nothing_judged_is_not_green() {
    let room = Room::with_suite();
    room.write("cases/records/bodies.toml", BY_HAND);
    let ended = room.run(&format!("{SUITE} --protocol legacy-rpc bodies")).exits(4);
    check("only-skipped", &ended.to_string());
}

#[test]
fn broken_case_files() {
    let room = Room::with_suite();
    let text = room.read("cases/records/counts.toml");
    room.write("cases/records/counts.toml", &text.replace("status = 409", "staus = 409"));
    check("broken-case", &room.run(SUITE).exits(2).to_string());
    room.write("cases/records/counts.toml", &text.replace("steps = [", "steps = "));
    check("broken-toml", &room.run(SUITE).exits(2).to_string());
}

const TARGET: &str = r#"
name = "mine"
endpoint = "http://127.0.0.1:1"
region = "us-east-1"
identity-pool-id = "us-east-1:00000000-0000-4000-8000-000000000000"

[[identity]]
identity-id = "us-east-1:00000000-0000-4000-8000-000000000001"
access-key-id = "ASIAEXAMPLE"
secret-access-key = "${SYNCSPEC_TEST_SECRET}"
"#;

#[test]
fn target_files() {
    let room = Room::with_suite();
    check("missing-target", &room.run("run --target missing.toml").exits(2).to_string());
    room.write("t.toml", &TARGET.replace("endpoint", "endpiont").replace("region = \"us-east-1\"", "region = 1"));
    check("broken-target", &room.run("run --target t.toml").exits(2).to_string());
    room.write("t.toml", TARGET);
    check("unset-variable", &room.run("run --target t.toml").exits(2).to_string());
    room.write("t.toml", &TARGET.replace("http://127.0.0.1:1", "ftp://there").replace("${SYNCSPEC_TEST_SECRET}", "s"));
    check("bad-scheme", &room.run("run --target t.toml").exits(2).to_string());
    check("bad-endpoint", &room.run("run --endpoint localhost:80/x?y").exits(2).to_string());
    check("endpoint-with-password", &room.run("run --endpoint http://me:hunter2@localhost/").exits(2).to_string());
}

/// As a reader of the file comes across them; what a file that it names has comes last.
#[test]
fn mistakes_stand_in_the_order_of_the_file() {
    let room = Room::with_suite();
    room.write("known.toml", "[[known-failure]]\ncase = \"\"\nreason = \"r\"\n");
    let target = TARGET.replace("name = \"mine\"", "name = \"a/b\"\nknown-failures-file = \"known.toml\"");
    let target = target.replace("region = \"us-east-1\"", "region = \"\"\nprefix = \"-\"\nrequests-per-second = 0");
    room.write("t.toml", &target);
    check("target-mistakes", &room.run("run --target t.toml").exits(2).to_string());
}

#[rstest]
#[case("run --timeout soon")]
#[case("run --timeout 11m")]
#[case("fuzz --time 3.5s")]
#[case("run --repeat 3w")]
fn a_time_that_is_none_is_told_its_units(#[case] args: &str) {
    let name = args.split(['-', ' ', '.']).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
    check(&format!("time-{name}"), &Room::new().run(args).exits(2).to_string());
}

#[test]
fn times_have_units() {
    let room = Room::with_suite();
    room.run(&format!("{SUITE} --timeout 2m --report-dir r")).exits(0);
    room.run(&format!("{SUITE} --timeout 20 --report-dir r")).exits(0);
    room.run("fuzz --time 10ms --timeout 2s --steps 2").exits(0);
}

#[test]
fn nobody_listens() {
    let room = Room::with_suite();
    let ended = room.run("run --endpoint http://127.0.0.1:1").exits(3);
    assert!(ended.stdout.is_empty() && ended.stderr.lines().count() == 1, "one sentence, no wall: {ended}");
    check("nobody-listens", &ended.to_string());
    assert!(!room.path("reports").exists(), "a run that did not begin leaves nothing behind");
}

#[test]
fn unwritable_places() {
    let room = Room::with_suite();
    room.write("file", "");
    check("bad-report-dir", &room.run(&format!("{SUITE} --report-dir file/below")).exits(2).to_string());
    check("bad-junit", &room.run(&format!("{SUITE} --report-dir r --junit missing/j.xml")).exits(2).to_string());
    check(
        "bad-write-target",
        &room.run("serve --listen 127.0.0.1:0 --write-target missing/t.toml").exits(2).to_string(),
    );
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address");
    check("taken-port", &room.run(&format!("serve --listen {address}")).exits(2).to_string());
}

#[test]
fn nothing_to_run_again() {
    let room = Room::with_suite();
    room.run(&format!("{SUITE} unwritten --report-dir r")).exits(0);
    check("rerun-nothing", &room.run(&format!("{SUITE} --rerun-failed r")).exits(4).to_string());
    check("rerun-with-filter", &room.run(&format!("{SUITE} --rerun-failed r unwritten")).exits(2).to_string());
    check("rerun-missing", &room.run(&format!("{SUITE} --rerun-failed missing")).exits(2).to_string());
    room.write("r/run.jsonl", "{\"type\":\"footer\"}\n");
    check("rerun-no-record", &room.run(&format!("{SUITE} --rerun-failed r")).exits(2).to_string());
}
