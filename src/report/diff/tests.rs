use std::io::{BufReader, Cursor};

use anstream::adapter::strip_str;
use rstest::rstest;

use super::super::jsonl::{Partial, write_event};
use super::super::samples;
use super::super::skim::{Skim, Skimmer};
use super::{ChangeKind, Diff, Differences, diff_html, diff_markdown, diff_text};
use crate::judge::Verdict::{
    self, ExpectedFail, Fail, Indeterminate, NotTestable, Pass, Skipped, UnexpectedPass, Warn,
};
use crate::run::{CaseResult, Event, Header};

/// A run of these cases, begun on this day.
fn night(day: u8, cases: &[(&str, Verdict)], change: impl FnOnce(&mut Header, &mut [CaseResult])) -> Vec<u8> {
    let mut results: Vec<_> = cases.iter().map(|(case, verdict)| samples::result(case, *verdict)).collect();
    let mut header = samples::header(results.len());
    header.started = format!("2026-01-{day:02}T00:00:00Z");
    change(&mut header, &mut results);
    let footer = Event::Footer(samples::footer(&results));
    let results = results.into_iter().map(|result| Event::Result(Box::new(result)));
    let mut file = Vec::new();
    for event in std::iter::once(Event::Header(header)).chain(results).chain([footer]) {
        write_event(&event, &mut file).unwrap();
    }
    file
}

fn diff(old: &[u8], new: &[u8], earlier: &[Vec<u8>]) -> Diff {
    let skimmer = Skimmer::default();
    let skim = |file: &[u8]| -> Skim { skimmer.read(file, Partial::Allow).unwrap() };
    let (before, after) = (skim(old), skim(new));
    let mut differences = Differences::of(&before, &after);
    earlier.iter().for_each(|file| differences.remember(&skim(file)));
    let opened = |file| BufReader::new(Cursor::new(file));
    differences.read(&mut opened(old), &mut opened(new)).unwrap()
}

fn plain(diff: &Diff) -> String {
    strip_str(&diff_text(diff)).to_string()
}

const OLD: &[(&str, Verdict)] = &[("a/1", Pass), ("a/2", Pass), ("a/3", Warn), ("a/gone", Pass)];
const NEW: &[(&str, Verdict)] = &[("a/new", Pass), ("a/3", Warn), ("a/2", Fail), ("a/1", Pass)];

#[test]
fn two_nights_that_differ_in_three_cases_give_three_lines() {
    let diff = diff(&night(1, OLD, |_, _| {}), &night(2, NEW, |_, _| {}), &[]);
    assert!(diff.is_regression());
    insta::assert_snapshot!(plain(&diff), @r#"
    my-emulator, 2026-01-01T00:00:00Z → 2026-01-02T00:00:00Z
    newly failing  a/2  pass → fail  status: expected 409, got 200 (PutItem/rule/stale)
    vanished       a/gone  pass
    added          a/new  pass
    a step back: 1 newly failing, 1 vanished, 1 added, 2 cases as before
    "#);
    insta::assert_snapshot!(diff_markdown(&diff), @r#"
    ### a step back: 1 newly failing, 1 vanished, 1 added, 2 cases as before

    my-emulator, 2026-01-01 00:00:00 UTC → 2026-01-02 00:00:00 UTC

    <details open><summary>newly failing: 1 case</summary>

    - `a/2` pass → fail: `status: expected 409, got 200 (PutItem/rule/stale)`

    </details>

    <details open><summary>vanished: 1 case</summary>

    - `a/gone` pass

    </details>

    <details><summary>added: 1 case</summary>

    - `a/new` pass

    </details>
    "#);
    let page = diff_html(&diff, None, "syncspec run").unwrap();
    let told: Vec<_> =
        page.split("<article class=\"change\" id=\"").skip(1).filter_map(|it| it.split('"').next()).collect();
    assert_eq!(told, ["case/a/2", "case/a/gone", "case/a/new"]);
    assert_eq!(page.matches("<section id=").count(), 3, "{page}");
    assert_eq!(page.matches(">no result<").count(), 2);
}

#[test]
fn commands_lead_to_the_target_of_the_run() {
    let old =
        |header: &mut Header, _: &mut [CaseResult]| header.rerun = Some("syncspec run --target old.toml".to_owned());
    let new =
        |header: &mut Header, _: &mut [CaseResult]| header.rerun = Some("syncspec run --target new.toml".to_owned());
    let page = diff_html(&diff(&night(1, OLD, old), &night(2, NEW, new), &[]), None, "syncspec run").unwrap();
    for command in ["--target new.toml a/2<", "--target old.toml a/gone<", "--target new.toml a/new<"] {
        assert!(page.contains(command), "no {command} in {page}");
    }
}

#[test]
fn a_night_like_the_one_before_is_one_sentence() {
    let diff = diff(&night(1, OLD, |_, _| {}), &night(2, OLD, |_, _| {}), &[]);
    assert!(!diff.is_regression());
    insta::assert_snapshot!(plain(&diff), @r#"
    my-emulator, 2026-01-01T00:00:00Z → 2026-01-02T00:00:00Z
    nothing has changed: 4 cases as before
    "#);
}

#[rstest]
#[case(Pass, Fail, Some(ChangeKind::NewlyFailing))]
#[case(Skipped, Fail, Some(ChangeKind::NewlyFailing))]
#[case(UnexpectedPass, Fail, Some(ChangeKind::NewlyFailing))]
#[case(Pass, ExpectedFail, Some(ChangeKind::Changed))]
#[case(ExpectedFail, Fail, Some(ChangeKind::Changed))]
#[case(Pass, Warn, Some(ChangeKind::Changed))]
#[case(Pass, UnexpectedPass, Some(ChangeKind::Changed))]
#[case(Pass, Skipped, Some(ChangeKind::NoLongerJudged))]
#[case(Fail, NotTestable, Some(ChangeKind::NoLongerJudged))]
#[case(Skipped, Indeterminate, Some(ChangeKind::Changed))]
#[case(Fail, Warn, Some(ChangeKind::NewlyPassing))]
#[case(Indeterminate, Pass, Some(ChangeKind::NewlyPassing))]
#[case(Fail, Fail, None)]
fn verdicts_become_changes(#[case] before: Verdict, #[case] after: Verdict, #[case] kind: Option<ChangeKind>) {
    assert_eq!(ChangeKind::of(before, after, true), kind);
    assert_eq!(ChangeKind::of(before, after, false), kind.or(Some(ChangeKind::Changed)));
}

#[test]
fn the_same_verdict_for_another_cause_is_a_change() {
    let other = |_: &mut Header, results: &mut [CaseResult]| results[0].findings[0].actual = "503".to_owned();
    let diff = diff(&night(1, &[("a/1", Fail)], |_, _| {}), &night(2, &[("a/1", Fail)], other), &[]);
    assert_eq!(diff.count(ChangeKind::Changed), 1);
    assert!(!diff.is_regression());
    assert!(plain(&diff).contains("changed  a/1  still fail  status: expected 409, got 503"), "{}", plain(&diff));
}

#[rstest]
#[case::first_failure(&[Pass, Pass], ChangeKind::NewlyFailing)]
#[case::back_and_forth(&[Pass, Fail, Pass], ChangeKind::Flaky)]
#[case::was_broken_and_mended(&[Fail, Pass], ChangeKind::Flaky)]
#[case::new_case(&[], ChangeKind::NewlyFailing)]
#[case::not_measured(&[Pass, Indeterminate, Skipped, Pass], ChangeKind::NewlyFailing)]
fn who_went_back_and_forth_is_flaky(#[case] past: &[Verdict], #[case] kind: ChangeKind) {
    let earlier: Vec<_> = past.iter().map(|verdict| night(1, &[("a/1", *verdict)], |_, _| {})).collect();
    let diff = diff(&night(8, &[("a/1", Pass)], |_, _| {}), &night(9, &[("a/1", Fail)], |_, _| {}), &earlier);
    assert_eq!((diff.count(kind), diff.earlier), (1, past.len()));
    assert_eq!(diff.is_regression(), kind == ChangeKind::NewlyFailing);
    assert_eq!(plain(&diff).contains("turned"), kind == ChangeKind::Flaky);
}

#[test]
fn what_cannot_be_compared_is_said() {
    let other = |header: &mut Header, _: &mut [CaseResult]| {
        (header.target.name, header.suite_digest, header.strict) = ("other".to_owned(), "ffff".to_owned(), true);
        header.target.lacks.clear();
    };
    let mut cut = night(1, OLD, |_, _| {});
    cut.truncate(cut.len() - 10);
    insta::assert_snapshot!(plain(&diff(&night(2, OLD, other), &cut, &[])), @r#"
    other, 2026-01-02T00:00:00Z → my-emulator, 2026-01-01T00:00:00Z
    the old run began after the new one; are they swapped?
    the targets differ, so this is no history of one: other, now my-emulator
    the suites differ (0.1.0 ffff, now 0.1.0 aa11): what changed may be the cases, and not the target
    what the target lacks has changed: nothing, now lambda
    one run was strict on inferred requirements: strict, now not strict
    the new run is partial: 4 of 4 cases have a result
    nothing has changed: 4 cases as before
    "#);
    let fewer = |header: &mut Header, _: &mut [CaseResult]| header.selection_digest = "fewer".to_owned();
    let text = plain(&diff(&night(1, OLD, |_, _| {}), &night(2, &OLD[..3], fewer), &[]));
    assert!(text.contains("other cases of the same suite were selected (4, now 3)"), "{text}");
}

#[test]
fn nothing_in_a_run_can_break_the_documents() {
    let evil = "a/<script>`|\u{1b}[2J";
    let change = |_: &mut Header, results: &mut [CaseResult]| {
        results[0].findings[0].actual = "</dd><script>``` @all \u{1b}".to_owned();
        results[0].about = Some("<img onerror=x>".to_owned());
    };
    let diff = diff(&night(1, &[(evil, Pass)], |_, _| {}), &night(2, &[(evil, Fail)], change), &[]);
    let page = diff_html(&diff, Some("../run.html"), "syncspec run").unwrap();
    assert!(!page.contains("<script>``") && !page.contains("<img") && !page.contains('\u{1b}'), "{page}");
    assert!(page.contains("href=\"../run.html#case/a/%3Cscript%3E%60%7C%1B%5B2J\""), "{page}");
    let text = diff_markdown(&diff);
    assert!(!text.contains('\u{1b}') && text.contains("- ``a/<script>`|\\u{1b}[2J`` pass → fail: ````"), "{text}");
}

#[test]
fn many_changes_are_counted_and_some_are_told() {
    let names: Vec<_> = (0..1_500).map(|number| format!("a/{number:04}")).collect();
    let of = |verdict| names.iter().map(|name| (name.as_str(), verdict)).collect::<Vec<_>>();
    let diff = diff(&night(1, &of(Pass), |_, _| {}), &night(2, &of(Fail), |_, _| {}), &[]);
    assert_eq!((diff.count(ChangeKind::NewlyFailing), diff.changes.len()), (1_500, 1_000));
    assert!(plain(&diff).contains("… 1,300 more cases newly failing\na step back: 1,500 newly failing"));
    assert!(diff_html(&diff, None, "syncspec run").unwrap().contains("… 500 more"));
    assert!(diff_markdown(&diff).contains("- … 500 more cases"));
}
