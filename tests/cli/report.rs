//! Documents from recorded runs.

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
    check("report-unwritable", &room.run("report junit r -o missing/j.xml").exits(2).to_string());
}
