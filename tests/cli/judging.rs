//! A fair judge: endpoints that are not finished, lists of what is known to fail, and
//! endpoints that are something else.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use serde_json::{Value, json};
use syncspec::reference::World;
use syncspec::target::{Worlds, embedded_world, to_file};

use crate::check;
use crate::command::{Room, settled};
use crate::half_built::HalfBuilt;
use crate::runs::{record, verdicts};

/// What a half-built server is tried with: reads, which it has, and writes.
const SOME: &str = "register-device subscribe delete-dataset/ GetCognitoEvents/ DescribeDataset/ ListDatasets/";

/// A half-built server meets some of the suite; its failures become a list, which turns
/// the next run green, and stays honest when something is built.
#[test]
fn a_half_built_server_is_judged_by_what_it_has() {
    let (room, server) = (Room::new(), HalfBuilt::reads());
    let target = to_file(&Worlds::standard(), &embedded_world(), &server.endpoint);
    room.write("t.toml", &target);
    let run = &format!("run {SOME} --target t.toml --show 0 --report-dir r");

    let first = room.run(&format!("{run} --write-known-failures known.toml")).exits(1);
    assert!(first.stdout.lines().count() < 120, "the summary is not buried: {first}");
    let outline: Vec<_> = first.stdout.lines().skip_while(|line| !line.starts_with("works")).collect();
    check("half-built", &settled(&outline.join("\n")));
    let failed = verdicts(&record(&room.read("r/run.jsonl")));
    let failed = failed.values().filter(|verdict| ["fail", "not-testable"].contains(&verdict.as_str())).count();
    assert!(failed > 50, "{failed}");
    let known = room.read("known.toml");
    assert!(known.matches("[[known-failure]]").count() < failed, "{known}");
    check("half-built-known", &known.lines().take(12).collect::<Vec<_>>().join("\n"));

    // What people wrote into the list is not lost.
    check(
        "known-failures-are-there",
        &room.run(&format!("{run} --write-known-failures known.toml")).exits(2).to_string(),
    );

    room.write("t.toml", &target.replace("offers =", "known-failures-file = \"known.toml\"\noffers ="));
    let second = room.run(run).exits(0);
    assert!(second.stdout.contains("failed as expected"), "{second}");
    let counted = verdicts(&record(&room.read("r/run.jsonl")));
    assert_eq!(counted.values().filter(|verdict| *verdict == "expected-fail").count(), failed);

    server.build("RegisterDevice");
    let third = room.run(run).exits(1);
    let told: Vec<_> =
        third.stdout.lines().skip_while(|line| !line.starts_with("known failures that passed")).collect();
    check("half-built-fixed", &settled(&told.join("\n")));
    assert!(told.iter().any(|line| line.contains("register-device/")), "{third}");
    let ratchet = room.run(&format!("{run} --fail-on new")).exits(0);
    assert!(ratchet.stdout.contains("known failures that passed; take them out of the list:"), "{ratchet}");
    assert!(ratchet.stdout.contains("passed against a known failure"), "{ratchet}");
    assert_eq!(record(&room.read("r/run.jsonl"))[0]["fail-on"], json!("new"));
}

/// One operation is enough to be let in.
#[test]
fn one_operation_is_enough() {
    let (room, server) = (Room::with_suite(), HalfBuilt::with(["DescribeIdentityUsage".to_owned()]));
    let ended = room.run(&format!("run unwritten --cases cases --endpoint {} --report-dir r", server.endpoint));
    // The small suite has no base request for it, so that nothing is left to ask.
    assert!(ended.exits(3).stderr.contains("does not have what it was asked for: ListRecords got 501"));
    let ended = room.run(&format!("run list-records/valid --endpoint {} --show 0 --report-dir r", server.endpoint));
    assert!(ended.exits(1).stdout.contains("does not work:  ListRecords"));
}

#[test]
fn a_ratchet_lets_a_wrong_list_pass() {
    let room = Room::with_suite();
    let mut server = room.start("serve --listen 127.0.0.1:0 --log off --write-target t.toml");
    server.lines(4);
    let known = |case: &str| format!("\n[[known-failure]]\ncase = \"{case}\"\nreason = \"r\"\n");
    let target =
        room.read("t.toml").replace("offers = [", "").replace("lasting-bulk-publish\"]\n", "lasting-bulk-publish\", ")
            + &known("gone/*")
            + &known("*/first-write")
            + &known("*/legacy");
    room.write("t.toml", &target);
    let run = "run --cases cases --target t.toml --show 0 --report-dir r --junit j.xml";
    room.run(run).exits(1);
    check("fail-on-new", &room.run(&format!("{run} --fail-on new")).exits(0).to_string());
    let report = quick_junit::Report::deserialize_from_str(&room.read("j.xml")).expect("it is JUnit");
    assert_eq!((report.failures, report.errors), (0, 0));
}

#[test]
fn nothing_failed_is_an_empty_list() {
    let room = Room::with_suite();
    let ended = room.run("run --cases cases --report-dir r --write-known-failures k.toml").exits(0);
    assert!(ended.stdout.ends_with("known failures: k.toml (0 entries for 0 cases, to be reviewed)\n"), "{ended}");
    assert!(room.read("k.toml").parse::<toml::Table>().expect("it is TOML").is_empty());
    check("known-failures-nowhere", &room.run("run --write-known-failures no/k.toml").exits(2).to_string());
}

// ---- what is not on this machine ---------------------------------------------------

/// Nothing is sent: there is nobody to send to.
#[test]
fn a_plan_is_told_without_sending_anything() {
    let room = Room::new();
    let world = World::standard(1, 2);
    let target = to_file(&Worlds::from(world.clone()), &world, "https://cognito-sync.us-east-1.amazonaws.com.invalid");
    room.write("t.toml", &target.replace("region =", "requests-per-second = 10\nregion ="));
    check("plan", &room.run("run --plan --target t.toml").exits(0).to_string());
    let all = room.run("run --plan --target t.toml --allow pool-changes --allow bulk-publish").exits(0);
    check("plan-allowed", &all.to_string());
    assert!(!room.path("reports").exists(), "nothing is written");
    let json = room.run("run --plan --target t.toml --format json update-records").exits(0).stdout;
    let json: Value = serde_json::from_str(&json).expect("it is JSON");
    assert!(json["cases"].as_array().is_some_and(|cases| cases.len() > 50), "{json}");
    assert_eq!(json["pool-changes"], json!({}));
    check("plan-nothing", &room.run("run --plan --target t.toml bulk-publish/valid").exits(4).to_string());
    let here = room.run("run --plan").exits(0);
    assert!(here.stdout.contains("BulkPublish") && !here.stdout.contains("--allow"), "{here}");
}

// ---- somebody else -----------------------------------------------------------------

/// Answers every connection with these bytes; none of what it is sent matters.
fn stranger(bytes: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            std::thread::spawn(move || {
                // Who does not read what was sent, resets the connection at its end.
                let mut request = [0; 4096];
                let _ = stream.read(&mut request);
                let _ = stream.write_all(bytes);
            });
        }
    });
    address.to_string()
}

#[test]
fn a_stranger_is_told_in_one_sentence() {
    let room = Room::with_suite();
    let answers: [(&str, &'static [u8]); 6] = [
        ("page", b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 31\r\n\r\n<html><title>Welcome!</title>\r\n\r\n"),
        ("redirect", b"HTTP/1.1 302 Found\r\nlocation: https://login.example.org/x?y\r\ncontent-length: 0\r\n\r\n"),
        ("ssh", b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"),
        ("tls", b"\x15\x03\x01\x00\x02\x02\x46"),
        ("silent", b""),
        ("refused", b"HTTP/1.1 403 Forbidden\r\nx-amzn-errortype: InvalidSignatureException\r\ncontent-length: 16\r\n\r\n{\"message\":\"no\"}"),
    ];
    for (name, bytes) in answers {
        let ended = room.run(&format!("run --cases cases --endpoint http://{}", stranger(bytes))).exits(3);
        assert!(ended.stdout.is_empty() && ended.stderr.lines().count() == 1, "one sentence, no wall: {ended}");
        check(&format!("stranger-{name}"), &ended.to_string());
    }
    assert!(!room.path("reports").exists(), "a run that did not begin leaves nothing behind");
    let plain = stranger(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
    let ended = room.run(&format!("run --cases cases --endpoint https://{plain}")).exits(3);
    check("stranger-without-tls", &ended.to_string());
    let page = stranger(answers[0].1);
    let ended = room.run(&format!("run --cases cases --endpoint http://{page} --no-probe --show 0 --report-dir r"));
    assert!(ended.exits(1).stdout.contains("does not work:"), "who knows better is believed");
}
