//! Suites in `tests/data/lint`: what lint says of those with mistakes, and that
//! those without use every feature of the format.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use syncspec::cases::{Case, CasesError, Exclusion, Expect, Ignore, Match, Step, Suite};
use syncspec::spec::{Catalog, Service};

fn folders(kind: &str) -> Vec<(String, PathBuf)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/lint").join(kind);
    let entries = fs::read_dir(&root).unwrap_or_else(|error| panic!("{}: {error}", root.display()));
    let mut folders: Vec<_> = entries
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), entry.path()))
        .collect();
    folders.sort();
    assert!(!folders.is_empty(), "{} is empty", root.display());
    folders
}

fn load(folder: &Path) -> Result<Suite, CasesError> {
    Suite::from_dir(Service::embedded(), Catalog::embedded(), folder)
}

fn assert_snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path("../snapshots/lint");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

#[test]
fn every_mistake_is_shown_where_it_is() {
    for (name, folder) in folders("err") {
        let error = load(&folder).expect_err(&name).to_string();
        assert_snapshot(&name, &error.replace(&*folder.to_string_lossy(), &name));
    }
}

#[test]
fn every_feature_is_understood() {
    for (name, folder) in folders("ok") {
        let suite = load(&folder).unwrap_or_else(|error| panic!("{name}\n{error}"));
        let excluded =
            suite.excluded.iter().map(|Exclusion { patterns, mutants, unaltered, cases, reason, origin }| {
                format!("{origin}: excluded {patterns:?} {mutants:?} {unaltered:?} {cases:?}: {reason}\n")
            });
        let excluded = excluded.map(|line| line.replace(&*folder.to_string_lossy(), &name));
        let text: Vec<String> = suite.cases.iter().map(|case| described(case)).chain(excluded).collect();
        assert_snapshot(&format!("ok.{name}"), &text.join("\n"));
    }
}

/// What a case was understood as, in few lines.
fn described(case: &Case) -> String {
    let Case { id, about, proves, needs, isolation, datasets, uses_other_identity, .. } = case;
    let mut text = format!(
        "{id}: {about:?}\n  proves {proves:?}, needs {needs:?}, {isolation:?}, datasets {datasets}, other {uses_other_identity}\n"
    );
    for Step {
        fixture, action, actor, headers, sign, tamper, transfer, any_answer, captures, expects, within, ..
    } in &case.steps
    {
        let fixture = fixture.as_ref().map(|name| format!(" (fixture {name})")).unwrap_or_default();
        writeln!(text, "  step{fixture} as {actor:?}: {action:?}").unwrap();
        writeln!(text, "    headers {headers:?}, {sign:?}, {tamper:?}, within {within:?}").unwrap();
        writeln!(text, "    {transfer:?}, any answer {any_answer}").unwrap();
        for capture in captures {
            writeln!(text, "    capture {} = {}", capture.name, capture.pointer).unwrap();
        }
        for Expect { requirement, status, error, message, members, absent, headers, body, snapshot, ignore, .. } in
            expects
        {
            writeln!(text, "    expect {requirement}: {status:?} {error:?} {body:?}, snapshot {snapshot}").unwrap();
            message.iter().for_each(|condition| writeln!(text, "      message {}", conditions(condition)).unwrap());
            for (place, condition) in members.iter().chain(headers) {
                writeln!(text, "      {place:?} {}", conditions(condition)).unwrap();
            }
            for Ignore { at, reason, .. } in ignore {
                writeln!(text, "      ignore {at}: {reason}").unwrap();
            }
            absent.iter().for_each(|pointer| writeln!(text, "      absent {pointer}").unwrap());
        }
    }
    text
}

fn conditions(condition: &Match) -> String {
    condition.parts.iter().map(|part| format!("{part:?}")).collect::<Vec<_>>().join(", ")
}
