//! `fuzz` as it is typed. What it finds is the business of `tests/fuzz.rs` and
//! `tests/concurrent.rs`.

use serde_json::Value;

use crate::check;
use crate::command::Room;

#[test]
fn sequences_on_the_reference_find_nothing() {
    let room = Room::new();
    let ended = room.run("fuzz --sequences 20 --seed 1 --format json").exits(0);
    let report: Value = serde_json::from_str(&ended.stdout).expect("it is JSON");
    assert_eq!((&report["sequences"], &report["findings"]), (&20.into(), &Value::Array(Vec::new())), "{report}");
    assert!(report["rules"].as_object().is_some_and(|rules| rules.len() > 20), "{report}");
}

#[test]
fn several_clients_on_the_reference_fit_together() {
    let room = Room::new();
    for faults in ["", " --faults"] {
        let ended = room.run(&format!("fuzz --clients 4 --time 3 --seed 1 --format json{faults}")).exits(0);
        let report: Value = serde_json::from_str(&ended.stdout).expect("it is JSON");
        assert_eq!(report["verdict"], "consistent", "{report}");
        assert!(report["overlapping"].as_u64().is_some_and(|writes| writes > 0), "{report}");
        let lost = report["cut"].as_u64().is_some_and(|cut| cut > 0);
        assert_eq!(lost, !faults.is_empty(), "{report}");
    }
}

#[test]
fn a_racy_server_is_told_and_drawn() {
    let room = Room::new();
    let mut server =
        room.start("serve --listen 127.0.0.1:0 --log off --mutant written-on-a-copy --write-target t.toml");
    server.lines(5);
    let ended = room.run("fuzz --target t.toml --clients 8 --time 4 --strict --timeline racy.svg").exits(1);
    // Which of the broken rules shows first is a matter of chance; some are inferred.
    let told = ended.stdout.strip_prefix("FAIL ").or_else(|| ended.stdout.strip_prefix("WARN "));
    assert!(told.is_some_and(|told| told.starts_with("UpdateRecords/rule/")), "{ended}");
    assert!(room.read("racy.svg").starts_with("<svg"), "the picture is there");
}

/// What is found comes first, and is not lost.
#[test]
fn a_case_that_cannot_be_written_is_told_all_the_same() {
    let room = Room::new();
    let mut server = room.start("serve --listen 127.0.0.1:0 --log off --mutant count-per-patch --write-target t.toml");
    server.lines(5);
    room.write("file", "");
    let ended = room.run("fuzz --target t.toml --sequences 50 --seed 1 --write-case file").exits(1);
    assert!(ended.stdout.starts_with("FAIL ") && ended.stdout.contains("[[case]]"), "{ended}");
    assert!(ended.stderr.contains("error: cannot write file/"), "{ended}");
}

#[test]
fn wrong_usage_is_told() {
    let room = Room::new();
    let ended = room.run("fuzz --endpoint http://127.0.0.1:9 --clients 2 --timeline missing/t.svg").exits(2);
    assert!(ended.stderr.contains("cannot write missing/t.svg: there is no folder missing"), "{ended}");
    check("fuzz-one-client", &room.run("fuzz --clients 1").exits(2).to_string());
    check("fuzz-faults-alone", &room.run("fuzz --faults").exits(2).to_string());
    check("fuzz-nobody", &room.run("fuzz --endpoint http://127.0.0.1:9 --clients 2").exits(3).to_string());
}
