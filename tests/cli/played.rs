//! The harness as the services that the target's server calls: a server in a process of
//! its own that calls them there, and one that calls nobody.

use std::net::TcpListener;

use serde_json::Value;

use crate::check;
use crate::command::{Room, Running};
use crate::port::free_port;

const CASES: &str = r#"
[[case]]
name = "function"
about = "The function adds a record, and has seen the update."
proves = ["UpdateRecords/route"]
isolation = "pool"
function = { set = { "/datasetRecords/added" = { newValue = "{fresh}", op = "replace" } } }
steps = [
  { call = "SetCognitoEvents", with = { Events = { SyncTrigger = "{function-arn}" } } },
  { call = "ListRecords", capture = { token = "/SyncSessionToken" } },
  { call = "UpdateRecords", expect = { status = 200 } },
  { observe = "function", expect = { members = { "/count" = 1, "/events/0/datasetRecords/score/newValue" = "1" } } },
  { call = "ListRecords", expect = { status = 200, members = { "/Records/0/Key" = "added", "/Records/0/Value" = "{fresh}" } } },
]

[[case]]
name = "stream"
about = "The stream gets one record, although it was busy at first."
proves = ["UpdateRecords/route"]
isolation = "pool"
stream = [{ refuse = "ProvisionedThroughputExceededException" }, {}]
steps = [
  { call = "SetIdentityPoolConfiguration", without = ["PushSync"], with = { CognitoStreams = { StreamName = "{stream-name}", RoleArn = "{stream-role-arn}", StreamingStatus = "ENABLED" } } },
  { call = "ListRecords", capture = { token = "/SyncSessionToken" } },
  { call = "UpdateRecords", expect = { status = 200 } },
  { observe = "stream", within-ms = 5000, expect = { members = { "/count" = 1, "/refused" = 1, "/records/0/kinesisSyncRecords/0/key" = "score", "/puts/0/stream" = "{stream-name}" } } },
]

[[case]]
name = "push"
about = "Another device is told of an update."
proves = ["UpdateRecords/route"]
isolation = "pool"
steps = [
  { call = "SetIdentityPoolConfiguration", with = { PushSync = { ApplicationArns = ["{application-arn}"], RoleArn = "{push-role-arn}" } } },
  { call = "RegisterDevice", with = { Platform = "{platform}", Token = "hush-{fresh}" }, capture = { device-id = "/DeviceId" } },
  { call = "ListRecords", capture = { token = "/SyncSessionToken" } },
  { call = "UpdateRecords" },
  { call = "SubscribeToDataset", with = { DeviceId = "{device-id}" } },
  { call = "ListRecords", capture = { token = "/SyncSessionToken" } },
  { call = "UpdateRecords", with = { RecordPatches = [{ Op = "replace", Key = "score", Value = "2", SyncCount = 1 }] }, expect = { status = 200 } },
  { observe = "push", expect = { members = { "/endpoints/0/token" = "hush-{fresh}", "/endpoints/0/application" = "{application-arn}" } } },
  { observe = "push", within-ms = 5000, expect = { members = { "/messages/0/message/GCM/data/syncCount" = "2" } } },
]

[[case]]
name = "unplayed"
proves = ["UpdateRecords/route"]
steps = [
  { call = "ListRecords", capture = { token = "/SyncSessionToken" } },
  { call = "UpdateRecords", expect = { status = 200 } },
]
"#;

/// A room with the cases above and the shipped base requests.
fn room() -> Room {
    let room = Room::new();
    room.write("cases/_base.toml", syncspec::cases::Suite::shipped_bases());
    room.write("cases/played/cases.toml", CASES);
    room
}

/// A server that calls the other services on this port, if on any, and a target file
/// for it in the room.
fn served(room: &Room, port: Option<u16>, listen: u16) -> Running {
    let args = "serve --listen 127.0.0.1:0 --write-target own.toml";
    let mut command = room.command(args);
    for service in ["LAMBDA", "KINESIS", "SNS", "S3"] {
        if let Some(port) = port {
            command.env(format!("AWS_ENDPOINT_URL_{service}"), format!("http://127.0.0.1:{port}"));
        }
    }
    let mut server = Room::begin(args, command);
    while !room.path("own.toml").exists() {
        server.lines(1);
    }
    let own = room.read("own.toml");
    let (before, rest) = own.split_once("[kinesis]").expect("resources");
    let (_, pools) = rest.split_once("[[pool]]").expect("pools");
    let played = format!("[collaborators]\nlisten = \"127.0.0.1:{listen}\"\n");
    room.write("t.toml", &format!("{before}{played}[[pool]]{pools}"));
    server
}

const RUN: &str = "run --cases cases --report-dir r";

#[test]
fn a_server_elsewhere_calls_the_harness() {
    let (room, port) = (room(), free_port());
    let _server = served(&room, Some(port), port);
    room.run(&format!("{RUN} --target t.toml")).exits(0);
    let record = room.read("r/run.jsonl");
    let header: Value = serde_json::from_str(record.lines().next().expect("a header")).expect("JSON");
    assert_eq!(header["target"]["collaborators"], format!("127.0.0.1:{port}"));
    assert!(!record.contains("hush-") && record.matches(r#""verdict":"pass""#).count() == 4, "{record}");
}

#[test]
fn the_embedded_server_does_too() {
    let room = room();
    check("played-embedded", &room.run(RUN).exits(0).to_string());
    check("played-plan", &room.run("run --cases cases --plan").exits(0).to_string());
    check("played-explain", &room.run("explain --cases cases played/cases/stream").exits(0).to_string());
}

#[test]
fn who_calls_nobody_is_told_what_was_awaited_and_where() {
    let (room, port) = (room(), free_port());
    room.write("cases/played/cases.toml", &CASES.replace("5000", "300"));
    let _server = served(&room, None, port);
    check("played-nobody-called", &room.run(&format!("{RUN} --target t.toml")).exits(1).to_string());
    let record = room.read("r/run.jsonl");
    assert!(record.contains(r#""collaborator":"stream""#));
    assert!(record.lines().last().is_some_and(|footer| footer.contains(r#""uncalled":"no server called"#)), "{record}");
    // Who was not waited for is not missed.
    let ended = room.run(&format!("{RUN}2 --target t.toml unplayed")).exits(0);
    assert!(!ended.stdout.contains("no server called"), "{ended}");
    // To find out, a pool would have to be changed.
    let checked = room.run("target check --cases cases --target t.toml").exits(0);
    assert!(
        checked.stdout.contains("ok    other services: ") && checked.stdout.contains("shows in a run only"),
        "{checked}"
    );
}

#[test]
fn that_the_function_at_the_target_follows_scripts_is_recorded() {
    let room = room();
    let _server = served(&room, None, free_port());
    let own = room.read("own.toml");
    room.write("scripted.toml", &own.replace("[lambda]", "[lambda]\nscripted = true"));
    let said = "the target's function follows the scripts of the cases";
    for (target, is_scripted) in [("scripted", true), ("own", false)] {
        let ended =
            room.run(&format!("run --cases cases --report-dir {target} --target {target}.toml unplayed")).exits(0);
        assert_eq!(ended.stdout.contains(said), is_scripted, "{ended}");
        let record = room.read(&format!("{target}/run.jsonl"));
        let header: Value = serde_json::from_str(record.lines().next().expect("a header")).expect("JSON");
        assert_eq!(header["target"]["scripted-function"].as_bool(), is_scripted.then_some(true));
    }
}

#[test]
fn who_calls_with_a_wrong_name_is_told_so() {
    let (room, port) = (room(), free_port());
    let _server = served(&room, Some(port), port);
    let cases = CASES.replace("\"{function-arn}\"", "\"arn:aws:lambda:us-east-1:123456789012:function:sync\"");
    room.write("cases/played/cases.toml", &cases);
    check("played-wrong-name", &room.run(&format!("{RUN} --target t.toml played/cases/function")).exits(1).to_string());
}

#[test]
fn a_place_that_is_taken_is_told_before_anything_runs() {
    let room = room();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let _server = served(&room, None, taken.local_addr().expect("its address").port());
    check("played-port-taken", &room.run(&format!("{RUN} --target t.toml")).exits(2).to_string());
    // Nobody listens for cases that have nothing to do with it.
    room.run(&format!("{RUN} --target t.toml unplayed")).exits(0);
}

#[test]
fn mistakes_in_scripts_and_observations_are_placed() {
    let room = room();
    let broken = CASES.replacen("\"/datasetRecords/added\"", "\"datasetRecords\"", 1).replacen(
        "{ refuse = \"Provisioned",
        "{ refues = \"Provisioned",
        1,
    );
    room.write("cases/played/cases.toml", &broken);
    check("played-misspelt", &room.run("lint cases").exits(2).to_string());
    let broken = CASES
        .replacen("\"/datasetRecords/added\"", "\"datasetRecords\"", 1)
        .replacen("newValue = \"{fresh}\"", "newValue = \"{token}\"", 1)
        .replacen(
            "[{ refuse = \"ProvisionedThroughputExceededException\" }, {}]",
            "[{ status = 429 }, { delay-ms = 90000 }]",
            1,
        )
        .replacen("{ observe = \"push\", expect", "{ observe = \"push\", as = \"developer\", expect", 1)
        .replacen("within-ms = 5000, expect = { members", "within-ms = 5000, expect = { status = 200, members", 1);
    room.write("cases/played/cases.toml", &broken);
    check("played-mistakes", &room.run("lint cases").exits(2).to_string());
}
