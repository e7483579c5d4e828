//! Runs over the protocol of the documentation's samples.

use serde_json::Value;

use crate::check;
use crate::command::Room;

/// The lines of a recorded run.
fn lines(room: &Room, dir: &str) -> Vec<Value> {
    let text = room.read(&format!("{dir}/run.jsonl"));
    text.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
}

#[test]
fn who_does_not_offer_it_is_not_asked() {
    let room = Room::with_suite();
    check("legacy-rpc", &room.run("run --cases cases --protocol legacy-rpc --report-dir r").exits(0).to_string());
    let mut server = room.start("serve --listen 127.0.0.1:0 --log off --write-target t.toml");
    server.lines(4);
    let target = room.read("t.toml").replace("lacks = [\"lasting-bulk-publish\"]\n", "");
    assert!(target.contains("offers = [\"legacy-rpc\"]\n"), "{target}");
    room.write("t.toml", &target.replace("offers = [\"legacy-rpc\"]\n", ""));
    let run = "run --cases cases --target t.toml --report-dir s";
    check("legacy-rpc-not-offered", &room.run(&format!("{run} --protocol legacy-rpc")).exits(4).to_string());
    let ended = room.run(run).exits(0);
    assert!(ended.stdout.contains("1  the target does not offer legacy-rpc"), "{ended}");
    for (line, code, expected) in [
        (
            "offers = [\"legacy-rcp\"]",
            4,
            "target reference offers `legacy-rcp`, which is nothing that a target can offer; did you mean `legacy-rpc`?",
        ),
        ("offers = [\"legacy-rpc\"]\nlacks = [\"legacy-rpc\"]", 2, "t.toml:5:11: `legacy-rpc` stands in `lacks` too"),
    ] {
        room.write("t.toml", &target.replace("offers = [\"legacy-rpc\"]", line));
        let ended = room.run(run).exits(code);
        assert!(ended.stderr.contains(expected), "{ended}");
    }
}

/// What a request makes is known by its header and its body, whatever its path.
#[test]
fn what_it_makes_is_written_down_and_taken_back() {
    let room = Room::new();
    let mut server = room.start("serve --listen 127.0.0.1:0 --log off --write-target t.toml");
    server.lines(4);
    let cases = "set-identity-pool-configuration/valid subscribe-to-dataset/valid update-records/valid legacy-rpc";
    let ended = room.run(&format!("run {cases} --protocol legacy-rpc --target t.toml --report-dir r --show 0"));
    let ended = ended.exits(0);
    let lines = lines(&room, "r");
    // Streaming cannot be unset: that the footer says so is right.
    let mut results = lines.iter().filter(|line| line["type"] == "result");
    assert!(results.all(|line| line["leftovers"].as_array().is_none_or(Vec::is_empty)), "{ended}");
    let left = room.run("clean --target t.toml --dry-run").exits(0);
    check("legacy-rpc-nothing-left", &left.to_string());
}

#[test]
fn a_run_goes_on_in_its_own_protocol() {
    let room = Room::with_suite();
    room.run("run --cases cases --protocol legacy-rpc --report-dir r").exits(0);
    let text = room.read("r/run.jsonl");
    let partial: Vec<&str> = text.lines().take(2).collect();
    room.write("r/run.jsonl", &(partial.join("\n") + "\n"));
    let ended = room.run("run --cases cases --resume r").exits(2);
    assert!(ended.stderr.contains("it spoke legacy-rpc, and now rest-json"), "{ended}");
    room.run("run --cases cases --resume r --protocol legacy-rpc").exits(0);
}
