//! The rules of the house that no compiler checks: which room may know which,
//! who names the service, who prints, and how long files and functions get.
//!
//! Every check is a function from texts to complaints, each with its place and
//! what to do about it, so that each check is itself shown to be able to fail.
//! Tests (whatever stands below `#[cfg(test)]`) are exempt, except that `judge`
//! must not know `reference` even there.

use std::collections::{BTreeMap, BTreeSet};

#[path = "tidy/source.rs"]
mod source;

use source::{Source, crate_paths, files_below, is_word, item_end, line_of, prepared, read, sources, words};

/// Which rooms each room may know. Whoever needs a new arrow adds it here, on
/// purpose; arrows run one way.
const ARROWS: &[(&str, &[&str])] = &[
    ("spec", &[]),
    ("wire", &[]),
    ("source", &[]),
    ("collaborators", &["wire"]),
    ("reference", &["spec", "wire"]),
    ("cases", &["spec", "wire", "source"]),
    ("snapshot", &["spec", "wire", "source", "cases"]),
    ("target", &["spec", "wire", "source", "reference"]),
    ("client", &["spec", "wire", "target"]),
    ("plan", &["spec", "source", "cases", "target"]),
    ("judge", &["spec", "wire", "cases", "snapshot"]),
    ("journal", &["spec", "wire", "cases", "target", "client"]),
    ("run", &["spec", "wire", "cases", "target", "plan", "client", "journal", "judge", "snapshot", "collaborators"]),
    ("report", &["spec", "plan", "judge", "run"]),
    ("prove", &["spec", "wire", "source", "cases", "target", "plan", "judge", "run", "reference", "collaborators"]),
    ("fuzz", &["spec", "wire", "cases", "target", "client", "journal", "judge", "reference"]),
    (
        "cli",
        &[
            "spec",
            "wire",
            "source",
            "reference",
            "cases",
            "snapshot",
            "target",
            "client",
            "plan",
            "journal",
            "judge",
            "run",
            "report",
            "prove",
            "fuzz",
            "collaborators",
        ],
    ),
];

/// Rooms that must work for any service.
const MACHINERY: &[&str] =
    &["wire", "collaborators", "client", "journal", "judge", "plan", "run", "report", "snapshot"];

/// Longest file without its tests, in lines.
const MOST_FILE_LINES: usize = 500;
/// Files that are longer all the same, with a limit of their own that may only
/// fall; an entry that is no longer needed is a complaint.
const LONG_FILES: &[(&str, usize)] = &[];
/// Longest function, from `fn` to its closing brace, in lines.
const MOST_FUNCTION_LINES: usize = 70;

// ---- the checks on the real files ---------------------------------------------

#[test]
fn rooms_know_only_whom_they_may() {
    complain(&layering(&sources(), ARROWS));
}

#[test]
fn arrows_run_one_way() {
    complain(&cycles(ARROWS));
}

#[test]
fn the_judge_never_sees_the_reference() {
    complain(&judge_and_reference(&sources()));
}

#[test]
fn the_machinery_names_no_operation() {
    let names = operations(&read("src/spec/service.toml"));
    assert!(names.len() > 10, "found only {names:?} in service.toml");
    complain(&named_operations(&sources(), &names));
}

#[test]
fn files_and_functions_stay_readable() {
    complain(&long_files(&sources(), LONG_FILES));
    complain(&long_functions(&sources()));
}

#[test]
fn only_the_command_line_prints_and_exits() {
    complain(&printing(&sources()));
}

#[test]
fn case_files_sit_where_their_ids_say() {
    complain(&case_files(&files_below("cases")));
}

fn complain(complaints: &[String]) {
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

// ---- the checks ---------------------------------------------------------------

fn layering(sources: &[Source], arrows: &[(&str, &[&str])]) -> Vec<String> {
    let allowed: BTreeMap<_, _> = arrows.iter().copied().collect();
    let mut complaints = Vec::new();
    for source in sources {
        let Some(room) = source.room() else { continue };
        let Some(known) = allowed.get(room) else {
            complaints.push(format!("{}:1: room `{room}` has no row in ARROWS of tests/tidy.rs; add it", source.path));
            continue;
        };
        for (line, path) in crate_paths(&source.shipped_code) {
            let (other, place) = (path[0].as_str(), format!("{}:{line}", source.path));
            if other == room {
                continue;
            }
            if !known.contains(&other) {
                complaints.push(format!("{place}: `{room}` must not know `{other}`; move the code or turn the arrow"));
            } else if path.len() > 2 && path[1].starts_with(char::is_lowercase) {
                let name = path.join("::");
                complaints
                    .push(format!("{place}: `crate::{name}` reaches into `{other}`; re-export it from its mod.rs"));
            }
        }
        complaints.extend(beyond_the_room(source));
    }
    complaints
}

/// Chains of `super::` that leave the room unseen by the check of arrows.
fn beyond_the_room(source: &Source) -> Vec<String> {
    let chain = "super::".repeat(source.depth());
    words(&source.shipped_code, &chain)
        .map(|at| format!("{}:{}: `{chain}` leaves the room; write `crate::`", source.path, line_of(&source.code, at)))
        .collect()
}

fn cycles(arrows: &[(&str, &[&str])]) -> Vec<String> {
    let mut settled: BTreeSet<&str> = BTreeSet::new();
    loop {
        let before = settled.len();
        settled.extend(
            (arrows.iter())
                .filter(|(_, known)| known.iter().all(|other| settled.contains(other)))
                .map(|(room, _)| *room)
                .collect::<Vec<_>>(),
        );
        if settled.len() == before {
            break;
        }
    }
    (arrows.iter().filter(|(room, _)| !settled.contains(room)))
        .map(|(room, _)| format!("tests/tidy.rs: `{room}` is part of a cycle, or knows a room that has no row"))
        .collect()
}

fn judge_and_reference(sources: &[Source]) -> Vec<String> {
    let why = "a mistake of our server would excuse the same mistake of a target; judge by the case alone";
    let mut complaints = Vec::new();
    for source in sources.iter().filter(|source| source.is_in(&["judge"])) {
        let by_crate = crate_paths(&source.code).into_iter().filter(|(_, path)| path[0] == "reference");
        let by_super = words(&source.code, "super::reference").map(|at| line_of(&source.code, at));
        for line in by_crate.map(|(line, _)| line).chain(by_super) {
            complaints.push(format!("{}:{line}: `judge` mentions `reference`: {why}", source.path));
        }
    }
    complaints
}

fn operations(service: &str) -> BTreeSet<String> {
    let name = |line: &str| Some(line.strip_prefix("[operation.")?.split(['.', ']']).next()?.to_owned());
    service.lines().filter_map(name).collect()
}

fn named_operations(sources: &[Source], names: &BTreeSet<String>) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources.iter().filter(|source| source.is_in(MACHINERY)) {
        for name in names {
            for at in words(&source.shipped, name) {
                let line = line_of(&source.shipped, at);
                let advice = "ask `spec` for what sets it apart, or use an invented name";
                complaints.push(format!("{}:{line}: the machinery names `{name}`; {advice}", source.path));
            }
        }
    }
    complaints
}

fn long_files(sources: &[Source], tolerated: &[(&str, usize)]) -> Vec<String> {
    let mut complaints = Vec::new();
    for Source { path, shipped, .. } in sources {
        let lines = shipped.trim_end().lines().count();
        let own = tolerated.iter().find(|(file, _)| file == path).map(|(_, most)| *most);
        let most = own.unwrap_or(MOST_FILE_LINES);
        if lines > most {
            complaints.push(format!("{path}:{lines}: {lines} lines without tests, {most} are allowed; split it"));
        } else if own.is_some() && lines <= MOST_FILE_LINES {
            complaints.push(format!("{path}:{lines}: it is short enough now; take it out of LONG_FILES"));
        }
    }
    complaints
}

fn long_functions(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources {
        let code = &source.shipped_code;
        for at in words(code, "fn") {
            let name = code[at + 2..].trim_start().split(|c| !is_word(c)).next().unwrap_or_default();
            let lines = code[at..item_end(code, at)].lines().count();
            // Without a name it is the type of a function.
            if !name.is_empty() && lines > MOST_FUNCTION_LINES {
                let (path, line) = (&source.path, line_of(code, at));
                complaints.push(format!(
                    "{path}:{line}: `{name}` has {lines} lines, {MOST_FUNCTION_LINES} are allowed; give its parts names"
                ));
            }
        }
    }
    complaints
}

fn printing(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources.iter().filter(|source| !source.is_in(&["cli"]) && source.path != "src/main.rs") {
        for what in ["println!", "print!", "eprintln!", "eprint!", "dbg!", "process::exit"] {
            for at in words(&source.shipped_code, what) {
                let line = line_of(&source.shipped_code, at);
                complaints.push(format!("{}:{line}: `{what}` belongs in `cli`; return a value instead", source.path));
            }
        }
    }
    complaints
}

fn case_files(files: &[String]) -> Vec<String> {
    let is_well_placed = |path: &str| match path.split('/').collect::<Vec<_>>()[..] {
        [_, "_base.toml" | "_fixtures.toml" | "_excluded.toml" | ".gitkeep"] => true,
        [_, _, topic] => topic.ends_with(".toml") && !topic.starts_with(['_', '.']),
        _ => false,
    };
    (files.iter().filter(|path| !is_well_placed(path)))
        .map(|path| format!("{path}:1: no case would be read from it; make it cases/<area>/<topic>.toml"))
        .collect()
}

// ---- each check can fail --------------------------------------------------------

fn one(path: &str, text: &str) -> Vec<Source> {
    prepared([(path, text.to_owned())])
}

#[test]
fn forbidden_arrows_are_found() {
    let text = "use crate::wire::Headers;\nuse crate::{spec::Service, run::{\n Event}};\nfn f() { crate::cli::go() }\n\
                // crate::cli\n#[cfg(test)]\nmod tests { use crate::cli::X; }\n";
    let complaints = layering(&one("src/wire/x.rs", text), ARROWS);
    assert_eq!(complaints.len(), 3, "{complaints:#?}");
    assert!(complaints[0].starts_with("src/wire/x.rs:2: `wire` must not know `spec`"), "{complaints:#?}");
    assert!(complaints[2].starts_with("src/wire/x.rs:4: `wire` must not know `cli`"), "{complaints:#?}");
    assert_eq!(layering(&one("src/attic/mod.rs", ""), ARROWS).len(), 1);
}

#[test]
fn reaching_into_a_room_is_found() {
    let inner = |text| layering(&one("src/report/x.rs", text), ARROWS).len();
    assert_eq!(inner("use crate::run::event::Event;"), 1);
    assert_eq!(inner("use crate::run::{Event, event::{Header, Footer}};"), 2);
    assert_eq!(inner("use super::super::run::Event;"), 1);
    assert_eq!(inner("use crate::run::Event; use super::y; fn f() { crate::judge::verdict(&[], true); }"), 0);
    assert_eq!(inner("fn f() { crate::judge::Verdict::is_judged(v); crate::report::text::count(1); }"), 0);
}

#[test]
fn cycles_are_found() {
    assert_eq!(cycles(&[("a", &["b"]), ("b", &["c"]), ("c", &["a"]), ("d", &[])]).len(), 3);
    assert_eq!(cycles(&[("a", &["nobody"])]).len(), 1);
}

#[test]
fn a_judge_that_peeks_is_found() {
    let text = "#[cfg(test)]\nmod tests { use crate::reference::Server; }";
    assert_eq!(judge_and_reference(&one("src/judge/x.rs", text)).len(), 1);
    assert_eq!(judge_and_reference(&one("src/judge/x.rs", "use super::super::reference::Server;")).len(), 1);
    assert_eq!(judge_and_reference(&one("src/judge/x.rs", "// crate::reference\nfn reference() {}")).len(), 0);
}

#[test]
fn operation_names_are_found() {
    let names = operations("[operation.PutItem]\n[operation.GetItem.input]\n[shape.Item]\n");
    assert_eq!(names.iter().collect::<Vec<_>>(), ["GetItem", "PutItem"]);
    let count = |path, text| named_operations(&one(path, text), &names).len();
    assert_eq!(count("src/run/x.rs", "/// As for `PutItem`.\nconst X: &str = \"GetItem\";"), 2);
    assert_eq!(count("src/run/x.rs", "struct PutItems;\n#[cfg(test)]\nmod tests { const X: &str = \"GetItem\"; }"), 0);
    assert_eq!(count("src/reference/x.rs", "struct PutItem;"), 0);
}

#[test]
fn long_files_and_functions_are_found() {
    let file = |lines: usize, tests: &str, tolerated: &[(&str, usize)]| {
        long_files(&one("src/run/x.rs", &("// ä\n".repeat(lines) + tests)), tolerated).len()
    };
    let tests = "#[cfg(test)]\nmod tests {\n}\n";
    assert_eq!([file(501, "", &[]), file(500, "", &[]), file(500, tests, &[])], [1, 0, 0]);
    let tolerated = &[("src/run/x.rs", 510)];
    assert_eq!([file(511, "", tolerated), file(510, "", tolerated), file(500, "", tolerated)], [1, 0, 1]);
    let function = |lines: usize| {
        let text = format!("fn f(a: [u8; 2]) {{\n{}}}\nfn g();\n", "  g(\"}\", '{');\n".repeat(lines - 2));
        long_functions(&one("src/run/x.rs", &text)).len()
    };
    assert_eq!([function(71), function(70)], [1, 0]);
}

#[test]
fn printing_is_found() {
    let count = |path, text| printing(&one(path, text)).len();
    assert_eq!(count("src/run/x.rs", "fn f() { println!(\"\"); eprintln!(\"\"); std::process::exit(1) }"), 3);
    assert_eq!(
        count("src/run/x.rs", "// println!()\nconst X: &str = r#\"print!(\"\"#;\n#[cfg(test)]\nfn f() { print!() }"),
        0
    );
    assert_eq!(count("src/cli/x.rs", "fn f() { println!() }"), 0);
}

#[test]
fn misplaced_case_files_are_found() {
    let bad = ["cases/a.toml", "cases/a/b.yaml", "cases/a/b/c.toml", "cases/a/_base.toml", "cases/_other.toml"];
    assert_eq!(case_files(&bad.map(str::to_owned)).len(), bad.len());
    assert_eq!(case_files(&["cases/a/b.toml", "cases/_base.toml"].map(str::to_owned)).len(), 0);
}

#[test]
fn modules_for_tests_are_told_from_others() {
    let texts = [
        ("src/run/mod.rs", "#[cfg(test)]\nmod samples;\nmod real;\nuse crate::cli::X;\n"),
        ("src/run/samples.rs", "use crate::cli::X;\n"),
        ("src/run/real.rs", "use crate::cli::X;\nconst C: char = '\"';\nfn f<'a>(x: &'a str) { '\\'' }\n"),
    ];
    let complaints = layering(&prepared(texts.map(|(path, text)| (path, text.to_owned()))), ARROWS);
    let places: Vec<_> = complaints.iter().map(|complaint| complaint.split(": ").next().unwrap()).collect();
    assert_eq!(places, ["src/run/mod.rs:4", "src/run/real.rs:1"]);
}
