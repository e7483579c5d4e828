//! Documents from several recorded runs.

use serde_json::Value;

use crate::check;
use crate::command::{Ended, Room};

/// A run in `name`, recorded on this day, with what `change` makes of its lines.
fn night(room: &Room, name: &str, day: u8, change: impl Fn(Value) -> Vec<Value>) {
    let mut lines: Vec<Value> = Vec::new();
    for line in room.read("r/run.jsonl").lines() {
        lines.extend(change(serde_json::from_str(line).expect("a line is JSON")));
    }
    let count = |lines: &[Value], verdict: &str| lines.iter().filter(|line| line["verdict"] == verdict).count();
    let results = lines.iter().filter(|line| line["type"] == "result").count();
    let (passed, failed) = (count(&lines, "pass"), count(&lines, "fail"));
    for line in &mut lines {
        match line["type"].as_str() {
            Some("header") => {
                line["started"] = format!("2026-01-{day:02}T00:00:00Z").into();
                line["selected"] = results.into();
                line["target"]["endpoint"] = "http://127.0.0.1:4580".into();
            }
            Some("footer") => {
                (line["totals"]["pass"], line["totals"]["fail"]) = (passed.into(), failed.into());
                line["exit"] = u8::from(failed > 0).into();
            }
            _ => {}
        }
    }
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    room.write(&format!("{name}/run.jsonl"), &text);
}

fn same(line: Value) -> Vec<Value> {
    vec![line]
}

fn failing(line: Value, case: &str) -> Value {
    let mut line = line;
    if line["case"] == case {
        line["verdict"] = "fail".into();
        let (requirement, origin) = (line["requirements"][0].clone(), line["origin"].clone());
        line["findings"] = serde_json::json!([{
            "level": "fail", "step": 1, "at": "status", "expected": "400", "actual": "200",
            "requirement": requirement, "origin": origin,
        }]);
    }
    line
}

/// A room with a recorded run of the small suite in `r`, and its cases that passed.
fn room() -> (Room, Vec<String>) {
    let room = Room::with_suite();
    room.run("run --cases cases --report-dir r").exits(0);
    let lines = room.read("r/run.jsonl");
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line is JSON"));
    let passed = lines.filter(|line| line["verdict"] == "pass");
    let mut cases: Vec<_> = passed.map(|line| line["case"].as_str().expect("an id").to_owned()).collect();
    cases.sort();
    (room, cases)
}

/// One verdict, one case more, one case less.
fn worse(room: &Room, cases: &[String]) {
    night(room, "new", 2, |line| {
        if line["case"] == cases[1].as_str() {
            return Vec::new();
        }
        let mut more = line.clone();
        more["case"] = "records/new/case".into();
        let added = line["case"] == cases[2].as_str();
        [failing(line, &cases[0])].into_iter().chain(added.then_some(more)).collect()
    });
}

fn told(room: &Room, args: &str, code: i32) -> Ended {
    room.run(args).exits(code)
}

#[test]
fn two_nights_give_a_line_for_each_change() {
    let (room, cases) = room();
    night(&room, "old", 1, same);
    worse(&room, &cases);
    let ended = told(&room, "report diff old new", 1);
    let lines: Vec<_> = ended.stdout.lines().collect();
    assert_eq!(lines.len(), 5, "a header, three lines and a sentence: {ended}");
    check("report-diff", &ended.to_string());
    check("report-diff-markdown", &told(&room, "report diff old new --format markdown", 1).to_string());
    let json: Value = serde_json::from_str(&told(&room, "report diff old new --format json", 1).stdout).expect("JSON");
    assert_eq!((&json["regression"], json["changes"].as_array().map(Vec::len)), (&Value::Bool(true), Some(3)));
    check("report-diff-same", &told(&room, "report diff old old", 0).to_string());
    told(&room, "report diff old new -o d.html", 1);
    let page = room.read("d.html");
    assert!(page.contains("newly failing: 1"));
    assert_eq!(page.matches("<article class=\"change\"").count(), 3, "{page}");
    let markdown = told(&room, "report diff old new --format markdown", 1).stdout;
    assert_eq!(markdown.lines().filter(|line| line.starts_with("- ")).count(), 3, "{markdown}");
    told(&room, "report diff old new -o d.txt", 1);
    assert!(room.read("d.txt").contains("a step back") && !room.read("d.txt").contains('\u{1b}'));
}

#[test]
fn an_ending_that_stands_for_no_form_is_refused() {
    let (room, _) = room();
    check("report-ending", &told(&room, "report diff r r -o d.pdf", 2).to_string());
    for command in ["matrix r", "trend r"] {
        told(&room, &format!("report {command} -o d.pdf"), 2);
    }
    assert!(!room.path("d.pdf").exists());
    told(&room, "report diff r r -o d.pdf --format text", 0);
    told(&room, "report diff r r -o d.HTML", 0);
    told(&room, "report diff r r -o plain", 0);
    assert!(room.read("d.HTML").starts_with("<!doctype html>") && room.read("plain").starts_with(|c| c != '<'));
}

#[test]
fn a_matrix_in_which_nothing_calls_for_attention_says_so() {
    let (room, _) = room();
    check("report-matrix-quiet", &told(&room, "report matrix r again=r", 0).to_string());
}

#[test]
fn what_went_back_and_forth_is_no_regression() {
    let (room, cases) = room();
    for day in 1..=4 {
        night(
            &room,
            &format!("h/{day}"),
            day,
            |line| if day == 2 { vec![failing(line, &cases[0])] } else { same(line) },
        );
    }
    night(&room, "new", 5, |line| vec![failing(line, &cases[0])]);
    room.write("h/5/run.jsonl", "");
    check("report-diff-history", &told(&room, "report diff h/4 new --history h", 0).to_string());
    told(&room, "report diff h/4 new --history h --last 2", 1);
    told(&room, "report diff h/4 new", 1);
}

#[test]
fn broken_records_are_refused_by_name() {
    let (room, _) = room();
    let whole = room.read("r/run.jsonl");
    let lines: Vec<_> = whole.split_inclusive('\n').collect();
    let twice = format!("{}{}", lines[..2].concat(), lines[1..].concat());
    for (name, text) in [
        ("cut", whole[..whole.len() - 20].to_owned()),
        ("twice", twice),
        ("newer", whole.replacen("\"format-version\":1", "\"format-version\":9", 1)),
        ("empty", String::new()),
    ] {
        room.write(&format!("{name}/run.jsonl"), &text);
        for command in ["diff r", "matrix r", "merge -o out r"] {
            let ended = told(&room, &format!("report {command} {name}"), 2);
            assert!(ended.stderr.contains(&format!("{name}/run.jsonl: ")), "{ended}");
        }
    }
    check("report-diff-cut", &told(&room, "report diff r cut", 2).to_string());
    check("report-diff-twice", &told(&room, "report diff r twice", 2).to_string());
    check("report-diff-missing", &told(&room, "report diff r missing", 2).to_string());
    let ended = told(&room, "report diff r cut --partial", 0);
    assert!(ended.stdout.contains("the new run is partial"), "{ended}");
}

#[test]
fn a_matrix_has_a_column_for_each_run() {
    let (room, cases) = room();
    night(&room, "old", 1, same);
    worse(&room, &cases);
    room.write("new/run.html", "");
    check("report-matrix", &told(&room, "report matrix old later=new", 0).to_string());
    told(&room, "report matrix old later=new -o out.html --badges badges", 0);
    let page = room.read("out.html");
    assert!(page.contains(&format!("href=\"new/run.html#case/{}\"", cases[0])), "{page}");
    assert!(room.read("badges/embedded.svg").contains("<title>") && room.read("badges/later.svg").contains("conforms"));
    told(&room, "report matrix old new -o linked.html --pages https://ci.test/{target}.html", 0);
    assert!(room.read("linked.html").contains("https://ci.test/embedded.html#case/"));
    check("report-matrix-pages", &told(&room, "report matrix old --pages https://ci.test/", 2).to_string());
    let json = told(&room, "report matrix old new --format json", 0).stdout;
    assert!(serde_json::from_str::<Value>(&json).expect("JSON")["targets"].as_array().is_some_and(|it| it.len() == 2));
}

#[test]
fn a_trend_shows_gaps_and_what_cannot_be_read() {
    let (room, cases) = room();
    for day in [1, 2, 3, 4, 15] {
        night(&room, &format!("nights/{day:02}"), day, |line| {
            if day == 3 { vec![failing(line, &cases[0])] } else { same(line) }
        });
    }
    room.write("nights/x.jsonl", "{}\n");
    check("report-trend", &told(&room, "report trend nights", 0).to_string());
    told(&room, "report trend nights -o t.html", 0);
    assert!(room.read("t.html").contains("<svg class=\"chart\""));
    assert!(told(&room, "report trend nights --format markdown", 0).stdout.contains("| began |"));
    check("report-trend-none", &told(&room, "report trend nights --target nobody", 2).to_string());
    check("report-trend-of-a-file", &told(&room, "report trend r/run.jsonl", 2).to_string());
    room.write("foreign/x.jsonl", "{}\n");
    check("report-trend-foreign", &told(&room, "report trend foreign", 2).to_string());
}

#[test]
fn parts_of_a_run_are_merged() {
    let (room, cases) = room();
    room.run(&format!("run --cases cases --report-dir one {}", cases[0])).exits(0);
    let all: Value = serde_json::from_str(&room.run("list --cases cases --format json").stdout).expect("JSON");
    let ids = all.as_array().expect("a list").iter().filter_map(|case| case["case"].as_str());
    let others: Vec<_> = ids.filter(|id| *id != cases[0]).collect();
    room.run(&format!("run --cases cases --report-dir two {}", others.join(" "))).exits(0);
    check("report-merge-missing", &told(&room, "report merge --cases cases one -o whole", 2).to_string());
    check("report-merge-unknown", &told(&room, "report merge one -o whole", 2).to_string());
    check("report-merge-twice", &told(&room, "report merge --cases cases one r -o whole", 2).to_string());
    assert!(!room.path("whole/run.jsonl").exists(), "nothing is left of what was refused");
    check("report-merge", &told(&room, "report merge --cases cases one two -o whole", 0).to_string());
    let same = told(&room, "report diff r whole", 0);
    assert!(same.stdout.contains("nothing has changed") && !same.stdout.contains("selected"), "{same}");
    check("report-merge-named-twice", &told(&room, "report merge --cases cases one ./one -o whole-2", 2).to_string());
    let cut = room.read("one/run.jsonl");
    room.write("cut/run.jsonl", &cut[..cut.trim_end().rfind('\n').expect("lines") + 1]);
    check("report-merge-cut", &told(&room, "report merge --cases cases cut two -o whole-2", 2).to_string());
    check("report-merge-there", &told(&room, "report merge --cases cases r -o whole", 2).to_string());
}

#[test]
fn a_job_summary_is_markdown() {
    let (room, cases) = room();
    night(&room, "new", 2, |line| vec![failing(line, &cases[0])]);
    check("report-markdown", &told(&room, "report markdown new", 0).to_string());
    told(&room, "report junit new --locations -o j.xml", 0);
    assert!(room.read("j.xml").contains(" file=\"cases/"), "{}", room.read("j.xml"));
}
