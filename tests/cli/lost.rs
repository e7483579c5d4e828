//! What is printed and cannot arrive: a full disk is no success.

use std::fs::File;
use std::process::Stdio;

use rstest::rstest;

use crate::command::{Ended, Room};
use crate::runs::Altered;

const FULL: &str = "error: cannot write to standard output: No space left on device (os error 28)";

/// The program with its standard output on a disk that is full.
fn on_a_full_disk(room: &Room, args: &str) -> Ended {
    let full = File::options().write(true).open("/dev/full").expect("Linux has it");
    let output = room.command(args).stdout(full).stderr(Stdio::piped()).output().expect("the program starts");
    Ended::of(args, &output)
}

#[rstest]
#[case("list --cases cases")]
#[case("list --cases cases --format json")]
#[case("lint cases")]
#[case("explain records/counts/unwritten --cases cases")]
#[case("schema case")]
#[case("completions bash")]
#[case("coverage")]
#[case("coverage --format json")]
#[case("spec disputes")]
#[case("spec tolerance")]
#[case("serve --list-mutants")]
#[case("target function")]
#[case("target check --target t.toml")]
#[case("clean --target t.toml")]
#[case("prove UpdateRecords/rule/record-carries-new-count")]
#[case("fuzz --sequences 1 --steps 2 --seed 1")]
#[case("fuzz --sequences 1 --steps 2 --seed 1 --format json")]
#[case("run --cases cases --report-dir s")]
#[case("run --cases cases --report-dir s --quiet")]
#[case("run --cases cases --report-dir s --format json")]
#[case("run --cases cases --report-dir s --repeat 2")]
#[case("run --cases cases --plan")]
#[case("run --cases cases --plan --format json")]
#[case("report html r")]
#[case("report junit r")]
#[case("report markdown r")]
#[case("report diff r r")]
#[case("report matrix r")]
#[case("report trend r")]
#[case("report merge --cases cases r -o s")]
fn a_full_disk_is_told(#[case] args: &str) {
    let room = Room::with_suite();
    let mut server =
        args.contains("t.toml").then(|| room.start("serve --listen 127.0.0.1:0 --log off --write-target t.toml"));
    server.iter_mut().for_each(|server| server.lines(4));
    if args.starts_with("report") {
        room.run("run --cases cases --report-dir r").exits(0);
    }
    let ended = on_a_full_disk(&room, args).exits(2);
    assert_eq!(ended.stderr.lines().filter(|line| *line == FULL).count(), 1, "{ended}");
    assert_eq!(ended.stderr.lines().last(), Some(FULL), "{ended}");
}

#[test]
fn a_run_that_failed_stays_failed() {
    let altered = Altered::start(|_, response| {
        if response.status == 409 {
            response.status = 400;
        }
    });
    let args = format!("run --cases cases --report-dir r --endpoint {}", altered.endpoint);
    let ended = on_a_full_disk(&Room::with_suite(), &args).exits(1);
    assert_eq!(ended.stderr.lines().last(), Some(FULL), "{ended}");
}
