//! Commands that only look: help, list, explain, lint, schema.

use rstest::rstest;
use serde_json::Value;

use crate::check;
use crate::command::{Ended, Room};
use crate::wrong::BY_HAND;

fn ok(args: &str) -> Ended {
    Room::new().run(args).exits(0)
}

#[test]
fn help_of_every_command() {
    let commands = [
        "",
        "run",
        "list",
        "explain",
        "lint",
        "coverage",
        "prove",
        "fuzz",
        "clean",
        "serve",
        "schema",
        "report",
        "report junit",
        "report markdown",
        "report diff",
        "report matrix",
        "report trend",
        "report merge",
        "spec",
        "spec diff",
        "spec disputes",
        "spec tolerance",
        "target",
        "target init",
        "target check",
        "target function",
        "completions",
    ];
    for command in commands {
        let name = format!("help {command}").trim_end().replace(' ', "-");
        check(&name, &ok(&format!("{command} --help")).to_string());
    }
    check("version", &ok("--version").to_string());
}

#[test]
fn list_shows_ids() {
    let room = Room::with_suite();
    check("list", &room.run("list --cases cases").exits(0).to_string());
    check("list-filter", &room.run("list --cases cases ListRecords/route unwritten").exits(0).to_string());
    check("list-json", &room.run("list --cases cases --format json stale").exits(0).to_string());
    let whole: Value = serde_json::from_str(&ok("list --format json").stdout).expect("it is JSON");
    assert!(whole.as_array().is_some_and(|cases| cases.len() > 100), "the suite is part of the program");
}

#[test]
fn explain_tells_of_cases_and_requirements() {
    let room = Room::with_suite();
    check("explain-case", &room.run("explain --cases cases records/counts/stale-is-refused").exits(0).to_string());
    let other = room.run("explain --cases cases --protocol legacy-rpc records/counts/stale-is-refused").exits(0);
    check("explain-legacy-rpc", &other.to_string());
    room.write("cases/records/bodies.toml", BY_HAND);
    let skipped = room.run("explain --cases cases --protocol legacy-rpc records/bodies/by-hand").exits(0);
    check("explain-skipped", &skipped.to_string());
    let requirement = room.run("explain --cases cases UpdateRecords/rule/stale-sync-count").exits(0);
    check("explain-requirement", &requirement.to_string());
    let disputed = room.run("explain --cases cases ListDatasets/input/MaxResults/pattern").exits(0);
    check("explain-disputed", &disputed.to_string());
    check("explain-unknown", &room.run("explain --cases cases records/counts/stale-is-refusd").exits(4).to_string());
}

#[test]
fn lint_shows_every_mistake_at_once() {
    let room = Room::with_suite();
    check("lint", &room.run("lint cases").exits(0).to_string());
    let text = room.read("cases/records/counts.toml");
    let wrong = text.replace("UpdateRecords/route", "UpdateRecords/rout").replace("legacy-rpc", "legacy-rcp");
    room.write(
        "cases/records/counts.toml",
        &wrong.replace("call = \"ListRecords\", expect", "call = \"ListRecord\", expect"),
    );
    room.write("cases/records/more.toml", &text.replace("about =", "abuot ="));
    check("lint-wrong", &room.run("lint cases").exits(2).to_string());
    room.write("empty/readme.md", "nothing here");
    check("lint-empty", &room.run("lint empty").exits(2).to_string());
    check("lint-missing", &room.run("lint missing").exits(2).to_string());
    ok("lint");
}

/// A TOML file as JSON.
fn json(toml: &str) -> Value {
    toml::from_str(toml).expect("it is TOML")
}

fn schema(kind: &str) -> jsonschema::Validator {
    let schema: Value = serde_json::from_str(&ok(&format!("schema {kind}")).stdout).expect("it is JSON");
    assert!(jsonschema::meta::is_valid(&schema), "the schema of {kind} is none");
    jsonschema::validator_for(&schema).expect("the schema compiles")
}

#[track_caller]
fn assert_valid(validator: &jsonschema::Validator, file: &str, value: &Value) {
    let errors: Vec<_> =
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{file}: {errors:#?}");
}

#[test]
fn schemas_fit_the_shipped_files() {
    let [case, base, fixture, excluded] = ["case", "base", "fixture", "excluded"].map(schema);
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut checked = 0;
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("an entry").path())
        {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let validator = match path.file_name().and_then(|name| name.to_str()) {
                Some("_base.toml") => &base,
                Some("_fixtures.toml") => &fixture,
                Some("_excluded.toml") => &excluded,
                Some(name) if name.ends_with(".toml") => &case,
                _ => continue,
            };
            let text = std::fs::read_to_string(&path).expect("it is read");
            assert_valid(validator, &path.display().to_string(), &json(&text));
            checked += 1;
        }
    }
    assert!(checked > 20, "only {checked} files");
}

#[test]
fn schemas_refuse_what_the_reader_refuses() {
    let case = schema("case");
    let text = include_str!("../data/suite/records/counts.toml");
    assert_valid(&case, "counts.toml", &json(text));
    for (from, to) in [("about =", "abuot ="), ("needs = [", "needs = [1, "), ("name = \"legacy\"\n", "")] {
        assert!(!case.is_valid(&json(&text.replace(from, to))), "{from} to {to}");
    }
}

#[test]
fn completions_are_printed_for_every_shell() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        assert!(ok(&format!("completions {shell}")).stdout.contains("syncspec"), "{shell}");
    }
}

/// Prose is broken at blanks; a word that is longer stands whole.
#[rstest]
#[case("explain UpdateRecords/rule/stale-sync-count")]
#[case("explain ListDatasets/input/MaxResults/pattern")]
#[case("coverage UpdateRecords/rule/stale-sync-count UpdateRecords/error/InternalErrorException")]
#[case("run --plan")]
fn prose_fits_narrow_terminals(#[case] args: &str) {
    let output = Room::new().command(args).env("COLUMNS", "40").output().expect("the program starts");
    let ended = Ended::of(args, &output).exits(0);
    let too_long = |line: &&str| line.chars().count() > 40 && line.trim().contains(' ');
    assert_eq!(ended.stdout.lines().find(too_long), None, "{ended}");
}
