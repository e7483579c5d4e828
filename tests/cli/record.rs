//! Recording a target's snapshots, and judging others against them.

use serde_json::json;
use syncspec::target::{Worlds, embedded_world, to_file};

use crate::check;
use crate::command::{Ended, Room, Running};
use crate::runs::{Altered, record as recorded_run, verdicts};

/// Three cases, two of which take a snapshot.
const CASES: &str = r#"
[[case]]
name = "written"
proves = ["ListRecords/route"]
given = ["dataset-with-one-record"]
steps = [
  { call = "ListRecords", expect = { status = 200, members = { "/Count" = 1 }, snapshot = true } },
]

[[case]]
name = "unwritten"
proves = ["ListRecords/route"]
steps = [
  { call = "ListRecords", expect = { status = 200, members = { "/Count" = 0 }, snapshot = true } },
]

[[case]]
name = "without"
proves = ["ListRecords/route"]
steps = [{ call = "ListRecords", expect = { status = 200 } }]
"#;

const RECORD: &str = "record --cases cases --target t.toml";
const WRITTEN: &str = "snapshots/mine/records/listed.written.snap";

/// A room with the cases and a target file for a server, the set's name in it.
fn room(endpoint: &str, set: &str) -> Room {
    let room = Room::with_suite();
    std::fs::remove_file(room.path("cases/records/counts.toml")).expect("it is there");
    room.write("cases/records/listed.toml", CASES);
    let target = to_file(&Worlds::standard(), &embedded_world(), endpoint);
    room.write("t.toml", &target.replace("snapshots = \"reference\"", &format!("snapshots = \"{set}\"")));
    room
}

/// A reference server, as a server of somebody's.
fn serving(set: &str, more: &str) -> (Room, Running) {
    let host = Room::new();
    let mut server = host.start(&format!("serve --listen 127.0.0.1:0 --log off --write-target t.toml {more}"));
    server.lines(4);
    let endpoint = host.read("t.toml").lines().find_map(|line| line.strip_prefix("endpoint = ").map(str::to_owned));
    (room(endpoint.expect("the file names it").trim_matches('"'), set), server)
}

/// What was printed, with the day as it differs.
fn dated(ended: &Ended) -> String {
    let day = regex::Regex::new(r"\b20\d\d-\d\d-\d\d\b").expect("the pattern compiles");
    day.replace_all(&ended.to_string(), "<day>").into_owned()
}

#[test]
fn a_target_is_recorded_and_compared() {
    let (room, _server) = serving("mine", "");
    check("record-dry", &dated(&room.run(&format!("{RECORD} --dry-run")).exits(0)));
    assert!(!room.path("snapshots").exists(), "a dry run writes nothing");
    check("record-new", &dated(&room.run(RECORD).exits(0)));
    let file = room.read(WRITTEN);
    assert!(
        file.starts_with("---\nsource: syncspec record\ndescription: \"recorded from a server on loopback on 20"),
        "{file}"
    );
    assert!(room.read("snapshots/mine/_recorded.toml").contains("from = \"loopback\"\nrenewed = \"20"));
    // What did not change is not touched.
    room.write(WRITTEN, &file.replace("on 20", "on 19"));
    check("record-unchanged", &dated(&room.run(RECORD).exits(0)));
    assert!(room.read(WRITTEN).contains("on 19"));
    check(
        "compare-nothing",
        &room.run("run --cases cases --compare mine --snapshots snapshots without").exits(4).to_string(),
    );
    room.run("run --cases cases --target t.toml --snapshots snapshots --report-dir own").exits(0);
    room.run("run --cases cases --endpoint http://127.0.0.1:1 --compare mine --snapshots snapshots").exits(3);
    // The embedded server is judged against what the other one answered.
    room.run("run --cases cases --compare mine --snapshots snapshots --report-dir r").exits(0);
    room.write(WRITTEN, &file.replace("\"DatasetSyncCount\": 1", "\"DatasetSyncCount\": 7"));
    let ended = room.run("run --cases cases --compare mine --snapshots snapshots --report-dir r").exits(1);
    check("compare-differs", &dated(&ended));
    check(
        "compare-show-0",
        &dated(&room.run("run --cases cases --compare mine --snapshots snapshots --report-dir r --show 0").exits(1)),
    );
    check("record-changed", &dated(&room.run(RECORD).exits(0)));
    assert!(room.read(WRITTEN).contains("\"DatasetSyncCount\": 1"));
}

/// A server that is wrong in what no expectation says.
#[test]
fn a_mutant_differs_from_what_was_recorded() {
    let (room, _server) = serving("mine", "");
    room.run(RECORD).exits(0);
    let altered = Altered::start(|_, response| {
        if let Some(mut body) = response.json().filter(|body| body.get("DatasetSyncCount").is_some()) {
            body["LastModifiedBy"] = json!("arn:aws:iam::123456789012:user/x");
            response.body = body.to_string().into();
        }
    });
    let args = format!("run --cases cases --endpoint {} --report-dir r", altered.endpoint);
    room.run(&args).exits(0);
    let ended = room.run(&format!("{args} --compare mine --snapshots snapshots")).exits(1);
    check("compare-altered", &dated(&ended));
    let lines = recorded_run(&room.read("r/run.jsonl"));
    let failed: Vec<_> =
        verdicts(&lines).into_iter().filter(|(_, verdict)| verdict == "fail").map(|(case, _)| case).collect();
    assert_eq!(failed, ["records/listed/unwritten", "records/listed/written"]);
    // A rule beside the case lets it pass, with the set as it was.
    let rule = "snapshot = true, ignore = [{ at = \"/LastModifiedBy\", reason = \"It says who asks.\" }]";
    room.write("cases/records/listed.toml", &CASES.replace("snapshot = true", rule));
    room.run(&format!("{args} --compare mine --snapshots snapshots")).exits(0);
    // On a server that has no such member, the rule is stale.
    check(
        "compare-stale-rule",
        &dated(&room.run("run --cases cases --compare mine --snapshots snapshots --report-dir r --show 1").exits(1)),
    );
    assert!(
        room.run("explain --cases cases records/listed/written")
            .exits(0)
            .stdout
            .contains("but for /LastModifiedBy: It says who asks.")
    );
}

#[test]
fn what_does_not_pass_is_not_recorded() {
    let (room, _server) = serving("mine", "");
    room.run(RECORD).exits(0);
    let before = room.read(WRITTEN);
    room.write(
        "cases/records/listed.toml",
        &CASES.replace("\"/Count\" = 1", "\"/Count\" = 2").replace("\"unwritten\"", "\"renamed\""),
    );
    check("record-failed", &dated(&room.run(RECORD).exits(1)));
    assert_eq!(room.read(WRITTEN), before);
    check("record-prune", &dated(&room.run(&format!("{RECORD} --prune")).exits(1)));
    assert!(!room.path("snapshots/mine/records/listed.unwritten.snap").exists());
    assert!(room.path("snapshots/mine/records/listed.renamed.snap").exists());
    let files = room.files();
    assert!(
        files.iter().all(|(path, _)| !path.to_string_lossy().ends_with(".tmp")),
        "nothing is left beside the files"
    );
}

#[test]
fn nothing_is_written_when_nobody_answers() {
    let room = room("http://127.0.0.1:1", "mine");
    room.run(RECORD).exits(3);
    assert!(!room.path("snapshots").exists());
}

#[test]
fn a_wrong_set_is_told() {
    let (room, _server) = serving("reference", "");
    check("record-reference", &room.run(RECORD).exits(2).to_string());
    let target = room.read("t.toml");
    room.write("t.toml", &target.replace("snapshots = \"reference\"", "snapshots = \"acct-123456789012\""));
    check("record-account", &room.run(RECORD).exits(2).to_string());
    room.write("t.toml", &target.replace("snapshots = \"reference\"", "snapshots = \"../up\""));
    room.run(RECORD).exits(2);
    room.write("t.toml", &target.replace("snapshots = \"reference\"", "snapshots = \"aws\""));
    room.write("snapshots/aws/_recorded.toml", "from = \"aws\"\n");
    check("record-other-source", &room.run(RECORD).exits(2).to_string());
    check("record-none", &room.run(&format!("{RECORD} without")).exits(4).to_string());
    check("compare-unknown", &room.run("run --cases cases --compare refrence").exits(2).to_string());
    check("compare-empty", &room.run("run --cases cases --compare aws --snapshots snapshots").exits(2).to_string());
    check("compare-no-folder", &room.run("run --cases cases --compare aws --snapshots missing").exits(2).to_string());
    room.write("snapshots/aws/records/listed.written.snap", "---\nsource: x\n---\nstep 1: x -> 200\n{,}\n");
    check("compare-malformed", &room.run("run --cases cases --compare aws --snapshots snapshots").exits(2).to_string());
    room.run("run --cases cases --compare ../snapshots/aws --snapshots snapshots").exits(2);
}
