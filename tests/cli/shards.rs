//! Runs that several machines share: their parts, and the run that they make together.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::check;
use crate::command::Room;

/// Cases that fail on a server that counts by two, and others.
const CASES: &str = "describe-dataset/ delete-dataset/ update-records/sync-count update-records/valid list-records/ \
                     constraints/dataset-name http/routes";

/// The parts that they are run in.
const PARTS: usize = 8;

/// Longest time that a run may take to come so far.
const PATIENCE: Duration = Duration::from_secs(60);

const SUITE: &str = "run --cases cases";

/// Of each result what does not differ from run to run.
fn results(room: &Room, dir: &str) -> BTreeMap<String, Value> {
    let lines = room.read(&format!("{dir}/run.jsonl"));
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line is JSON"));
    let results = lines.filter(|line| line["type"] == "result").map(|line| {
        let finding = |finding: &Value| {
            ["level", "step", "at", "expected", "requirement", "origin"].map(|member| finding[member].clone())
        };
        let findings: Vec<_> = line["findings"].as_array().into_iter().flatten().map(finding).collect();
        let told = json!([line["verdict"], line["requirements"], findings]);
        (line["case"].as_str().expect("an id").to_owned(), told)
    });
    results.collect()
}

fn header(room: &Room, dir: &str) -> Value {
    let lines = room.read(&format!("{dir}/run.jsonl"));
    serde_json::from_str(lines.lines().next().expect("a header")).expect("it is JSON")
}

#[test]
fn eight_parts_are_one_run() {
    let room = Room::new();
    let mut server = room.start("serve --listen 127.0.0.1:0 --log off --mutant count-by-two --write-target t.toml");
    server.lines(4);
    room.run(&format!("run --target t.toml --quiet --report-dir one {CASES}")).exits(1);
    let one = results(&room, "one");
    assert!(one.len() > 100 && one.values().any(|told| told[0] == "fail"), "{one:#?}");
    let (mut parts, mut union) = (Vec::new(), BTreeMap::new());
    for index in 1..=PARTS {
        let ended = room.run(&format!("run --target t.toml --partition {index}/{PARTS} --report-dir p{index} {CASES}"));
        assert!(matches!(ended.code, Some(0 | 1 | 3)), "{ended}");
        let part = results(&room, &format!("p{index}"));
        if index == 1 {
            let listed = room.run(&format!("list --partition {index}/{PARTS} {CASES}")).exits(0).stdout;
            assert_eq!(listed.lines().collect::<BTreeSet<_>>(), part.keys().map(String::as_str).collect());
        }
        for (case, told) in part {
            assert!(union.insert(case.clone(), told).is_none(), "{case} is in two parts");
        }
        parts.push(format!("p{index}"));
    }
    assert_eq!(union, one);
    let merge = |parts: &[String], code| room.run(&format!("report merge {} -o whole", parts.join(" "))).exits(code);
    check("merge-part-missing", &merge(&parts[..PARTS - 1], 2).to_string());
    check("merge-part-twice", &merge(&[&parts[..], &parts[2..3]].concat(), 2).to_string());
    // Of the same case files and number of parts, but of another selection.
    room.run(&format!("run --target t.toml --partition 3/{PARTS} --report-dir other http/")).exits(0);
    let with = |other: &str| [&parts[..2], &[other.to_owned()], &parts[3..]].concat();
    check("merge-part-of-another", &merge(&with("other"), 2).to_string());
    // A server that is right is another target.
    room.run(&format!("run --partition 3/{PARTS} --report-dir embedded {CASES}")).exits(0);
    check("merge-part-elsewhere", &merge(&with("embedded"), 2).to_string());
    assert!(!room.path("whole").join("run.jsonl").exists(), "nothing is left of what was refused");
    merge(&parts, 1);
    assert_eq!(results(&room, "whole"), one);
    let (merged, whole) = (header(&room, "whole"), header(&room, "one"));
    for member in ["selected", "selection-digest", "suite-digest", "partition"] {
        assert_eq!(merged[member], whole[member], "{member}");
    }
    let same = room.run("report diff one whole").exits(0);
    assert!(same.stdout.contains("nothing has changed") && !same.stdout.contains("selected"), "{same}");
    server.signal("TERM");
    server.end().exits(0);
}

#[test]
fn a_part_is_known_by_its_number() {
    let room = Room::with_suite();
    for (name, share) in [("zero", "0/3"), ("beyond", "4/3"), ("word", "x"), ("none", "1/0")] {
        check(&format!("partition-{name}"), &room.run(&format!("{SUITE} --partition {share}")).exits(2).to_string());
    }
    room.run("list --partition 4/3").exits(2);
    check("partition-list", &room.run("list --cases cases --partition 1/3").exits(0).to_string());
    check("partition-run", &room.run(&format!("{SUITE} --partition 1/3 --report-dir r")).exits(0).to_string());
    let plan = room.run(&format!("{SUITE} --partition 1/3 --plan")).exits(0);
    check("partition-plan", &plan.to_string());
    let plan = room.run(&format!("{SUITE} --partition 1/3 --plan --format json")).exits(0).stdout;
    let plan: Value = serde_json::from_str(&plan).expect("it is JSON");
    let part = json!({ "index": 1, "count": 3, "selected": plan["part"]["selected"], "pools": null });
    assert_eq!(plan["part"], part);
    // Which part a case is in, depends on nothing but its id.
    let listed = room.run("list --cases cases --partition 1/3").stdout;
    let case = listed.lines().next().expect("a case");
    assert_eq!(room.run(&format!("list --cases cases --partition 1/3 {case}")).stdout.lines().next(), Some(case));
    room.run(&format!("{SUITE} --resume r")).exits(2);
    check("partition-resume", &room.run(&format!("{SUITE} --resume r --partition 2/3")).exits(2).to_string());
}

#[test]
fn a_part_may_have_no_case() {
    let room = Room::with_suite();
    let listed = room.run("list --cases cases").stdout;
    let case = listed.lines().next().expect("a case");
    let of = |index| room.run(&format!("list --cases cases --partition {index}/2 {case}")).exits(0).stdout;
    let (with, without) = if of(1).is_empty() { (2, 1) } else { (1, 2) };
    let run = |index: i32| room.run(&format!("{SUITE} --partition {index}/2 --report-dir p{index} {case}")).exits(0);
    run(with);
    check("partition-empty", &run(without).to_string());
    room.run(&format!("{SUITE} --partition {without}/2 --plan {case}")).exits(0);
    room.run(&format!("report junit p{without}")).exits(0);
    room.run("report merge p1 p2 -o whole").exits(0);
    // What no part would have, is a slip of the pen.
    room.run(&format!("{SUITE} --partition 1/2 no-such-case")).exits(4);
}

/// Known failures are the whole run's: a part says nothing of those that others have.
#[test]
fn lists_of_known_failures_are_of_the_whole_run() {
    let room = Room::new();
    let mut server = room.start("serve --listen 127.0.0.1:0 --log off --mutant count-by-two --write-target t.toml");
    server.lines(4);
    let cases = "update-records/sync-count";
    room.run(&format!("run --target t.toml --quiet --report-dir one --write-known-failures one.toml {cases}")).exits(1);
    let target = room.read("t.toml");
    let mut lists = String::new();
    for index in 1..=2 {
        let known = format!("k{index}.toml");
        let part = format!("run --target t.toml --quiet --partition {index}/2 {cases}");
        room.run(&format!("{part} --report-dir a{index} --write-known-failures {known}"));
        lists += &room.read(&known);
    }
    // The lists of the parts, one after the other, are one list.
    room.write("known.toml", &lists);
    let (top, tables) = target.split_once("\n[").expect("a table");
    room.write("known-failures.toml", &format!("{top}\nknown-failures-file = \"known.toml\"\n\n[{tables}"));
    for index in 1..=2 {
        let part = format!("run --target known-failures.toml --partition {index}/2 --report-dir b{index} {cases}");
        let ended = room.run(&part).exits(0);
        assert!(!ended.stdout.contains("known failure"), "{ended}");
    }
    let whole = room.run("report merge b1 b2 -o whole").exits(0);
    assert!(whole.stdout.contains("failed as expected"), "{whole}");
    // One that matches no case of the suite is wrong for everybody.
    room.write(
        "known.toml",
        &format!("{lists}\n[[known-failure]]\ncase = \"gone/*\"\nreason = \"it was there once\"\n"),
    );
    for index in 1..=2 {
        let part = format!("run --target known-failures.toml --partition {index}/2 --report-dir d{index} {cases}");
        room.run(&part).exits(1);
    }
    server.signal("TERM");
    server.end().exits(0);
}

/// A target file for a server elsewhere, with so many pools.
fn elsewhere(pools: usize) -> String {
    let top = "name = \"elsewhere\"\nendpoint = \"https://sync.example.test\"\nregion = \"us-east-1\"\n\
               developer = { access-key-id = \"AKIAEXAMPLE\", secret-access-key = \"developer-secret\" }\n";
    let pool = |pool| {
        format!(
            "[[pool]]\nidentity-pool-id = \"us-east-1:0000000{pool}-0000-4000-8000-000000000000\"\n\
             [[pool.identity]]\nidentity-id = \"us-east-1:1000000{pool}-0000-4000-8000-000000000000\"\n\
             access-key-id = \"ASIAEXAMPLE\"\nsecret-access-key = \"identity-secret\"\nsession-token = \"token\"\n"
        )
    };
    std::iter::once(top.to_owned()).chain((0..pools).map(pool)).collect()
}

/// Who cannot see each other must not meet.
#[test]
fn parts_on_a_target_elsewhere_have_pools_of_their_own() {
    let room = Room::with_suite();
    room.write("three.toml", &elsewhere(3));
    let plan = |more: &str| room.run(&format!("{SUITE} --plan --target three.toml {more}"));
    check("partition-pools", &plan("--partition 2/2").exits(0).to_string());
    let first = plan("--partition 1/2").exits(0).stdout;
    assert!(first.contains("us-east-1:00000000-") && first.contains("us-east-1:00000002-"), "{first}");
    check("partition-too-few-pools", &plan("--partition 2/4").exits(2).to_string());
    let own = plan("--partition 2/4 --own-pools").exits(0).stdout;
    assert!(own.contains("part 2 of 4") && !own.contains("us-east-1:0000000"), "{own}");
    // The run itself is refused as its plan is, before anything is sent.
    let refused = room.run(&format!("{SUITE} --target three.toml --partition 2/4")).exits(2);
    assert!(refused.stderr.contains("cannot share"), "{refused}");
    plan("--own-pools").exits(2);
}

/// Two runs at the same time would judge each other's doings: the second waits.
#[test]
fn runs_on_one_machine_wait_for_each_other() {
    let room = Room::new();
    let mut server = room.start("serve --listen 127.0.0.1:0 --log off --write-target t.toml");
    server.lines(4);
    // Another one has a pool to itself.
    let target = syncspec::target::Target::from_file(&room.path("t.toml")).expect("it was written");
    let pool = target.pools[3].id.as_str();
    let claims = syncspec::journal::Claims::take(&room.path("state"), &target.endpoint, [pool]);
    let claims = claims.expect("it can be written").expect("nobody has it");
    let cases = "set-cognito-events/valid get-cognito-events/valid list-datasets/valid";
    let begin = |index: usize| {
        let mut command =
            room.command(&format!("run --target t.toml --partition {index}/2 --report-dir p{index} {cases}"));
        let told = fs::File::create(room.path(&format!("told{index}"))).expect("a file");
        command.stdout(Stdio::null()).stderr(told).spawn().expect("the program starts")
    };
    let parts = [begin(1), begin(2)];
    let begun = Instant::now();
    let waits = |index: usize| room.read(&format!("told{index}")).starts_with("Another run on this machine uses the");
    while !(waits(1) && waits(2)) {
        assert!(begun.elapsed() < PATIENCE, "they did not wait: {}", room.read("told1"));
        std::thread::sleep(Duration::from_millis(10));
    }
    let nothing_ran = |index: usize| !room.path(&format!("p{index}/run.jsonl")).exists();
    assert!(nothing_ran(1) && nothing_ran(2));
    drop(claims);
    for mut part in parts {
        assert!(part.wait().expect("it ends").success());
    }
    room.run("report merge p1 p2 -o whole").exits(0);
    server.signal("TERM");
    server.end().exits(0);
}
