//! Where a run writes: what has no place is refused before anything is sent, and what is
//! there of earlier runs is not mixed with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rstest::rstest;

use crate::check;
use crate::command::Room;
use crate::runs::{Altered, record};

const SUITE: &str = "run --cases cases";

/// An endpoint that fails one of the cases, and how often it was asked; at each request,
/// something happens.
fn failing(happens: impl Fn() + Send + Sync + 'static) -> (Altered, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let altered = Altered::start(move |_, response| {
        count.fetch_add(1, Ordering::Relaxed);
        happens();
        if response.status == 409 {
            response.status = 400;
        }
    });
    (altered, asked)
}

#[rstest]
#[case("--junit missing/j.xml", "there is no folder missing")]
#[case("--html=missing/p.html", "there is no folder missing")]
#[case("--write-known-failures missing/k.toml", "there is no folder missing")]
#[case("--junit file/j.xml", "file is no folder")]
#[case("--html=cases", "it is a folder; name a file")]
fn a_document_without_a_place_is_refused_before_the_first_request(#[case] flag: &str, #[case] why: &str) {
    let (room, (altered, asked)) = (Room::with_suite(), failing(|| {}));
    room.write("file", "");
    let ended = room.run(&format!("{SUITE} --report-dir r --endpoint {} {flag}", altered.endpoint)).exits(2);
    assert!(ended.stderr.starts_with("error: cannot write ") && ended.stderr.ends_with(&format!("{why}\n")), "{ended}");
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    assert!(!room.path("r").exists(), "a run that did not begin leaves nothing behind");
}

#[rstest]
#[case("--report-dir a/b --junit a/j.xml --html=./a/b/p.html", "a/j.xml")]
#[case("--junit reports/j.xml", "reports/j.xml")]
#[case("--html=reports/embedded/p.html", "reports/embedded/p.html")]
fn a_folder_that_is_made_for_the_record_is_a_place(#[case] flags: &str, #[case] file: &str) {
    let room = Room::with_suite();
    room.run(&format!("{SUITE} {flags}")).exits(0);
    assert!(room.path(file).is_file());
}

/// The folder goes away while the run is under way.
#[test]
fn what_cannot_be_written_keeps_no_verdict_back() {
    let room = Room::with_suite();
    for (dir, flags) in [("r", "--junit gone/j.xml --html"), ("s", "--write-known-failures gone/k.toml")] {
        std::fs::create_dir(room.path("gone")).expect("a folder");
        let gone = room.path("gone");
        let (altered, _) = failing(move || {
            let _ = std::fs::remove_dir(&gone);
        });
        let args = format!("{SUITE} --report-dir {dir} --quiet --endpoint {} {flags}", altered.endpoint);
        let ended = room.run(&args).exits(1);
        assert!(ended.stdout.contains("1 of 4 cases failed"), "{ended}");
        assert!(ended.stderr.contains("error: cannot write gone/"), "{ended}");
    }
    assert!(room.path("r/run.html").exists(), "one document that cannot be written does not keep the other back");
}

#[test]
fn rounds_are_not_mixed_with_those_of_an_earlier_run() {
    let room = Room::with_suite();
    let run = format!("{SUITE} --quiet --report-dir r --repeat 2");
    room.run(&run).exits(0);
    let before = room.read("r/round-0001/run.jsonl");
    room.write("s/round-about/notes.txt", "");
    room.run(&run.replace("--report-dir r", "--report-dir s")).exits(0);
    check("repeat-there", &room.run(&run).exits(2).to_string());
    assert_eq!(room.read("r/round-0001/run.jsonl"), before);
}

#[test]
fn no_page_stays_that_tells_of_another_run() {
    let room = Room::with_suite();
    let run = format!("{SUITE} --report-dir r");
    room.run(&format!("{run} --html")).exits(0);
    room.run(&format!("{run} unwritten")).exits(0);
    assert!(!room.path("r/run.html").exists(), "it told of the run before");
    room.write("r/run.html", "<!doctype html>\n<title>my own</title>\n");
    room.run(&format!("{run} unwritten")).exits(0);
    assert!(room.read("r/run.html").contains("my own"), "what others wrote is left alone");
    room.run(&format!("{run} --html=r/page.html")).exits(0);
    room.run(&format!("{run} unwritten")).exits(0);
    assert!(room.path("r/page.html").exists(), "who chose a name looks after it");
}

#[cfg(unix)]
#[test]
fn a_record_that_is_being_written_is_left_alone() {
    let room = Room::with_suite();
    room.run(&format!("{SUITE} --report-dir r")).exits(0);
    let before = room.read("r/run.jsonl");
    let held = std::fs::File::open(room.path("r/run.jsonl")).expect("it is there");
    held.lock().expect("nobody else has it");
    let ended = room.run(&format!("{SUITE} --report-dir r unwritten")).exits(2);
    assert!(ended.stderr.contains("a run that is under way writes to it"), "{ended}");
    assert_eq!(room.read("r/run.jsonl"), before);
    drop(held);
    room.run(&format!("{SUITE} --report-dir r unwritten")).exits(0);
    assert_eq!(record(&room.read("r/run.jsonl")).len(), 3, "the shorter record is whole, and alone");
}
