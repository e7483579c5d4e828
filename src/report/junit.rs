//! A recorded run as JUnit XML, for continuous integration.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use anstream::adapter::strip_str;
use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use super::failure::{Context, failure, short};
use super::record::Record;
use super::text::printable;
use crate::judge::Verdict;
use crate::run::{CaseResult, FailOn};

/// Name of the outermost element.
const NAME: &str = "syncspec";

/// Whether test cases say where their case stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Locations {
    /// No: the form that Jenkins checks has no place for it.
    #[default]
    Hidden,
    /// Yes, as `file` and `line`.
    Shown,
}

/// Writes the run as JUnit XML: a suite for each action, in alphabetical order,
/// its cases by id. What is wrong with the run itself, such as a missing end, is
/// a failed test in a suite of its own, so that no reader takes it for green.
///
/// The document has the form that Jenkins checks with `junit-10.xsd`. With
/// [`Locations::Shown`], each test case also has the `file` and `line` of its case, which
/// GitLab and annotations on GitHub show, and which that form does not know.
///
/// # Errors
///
/// When `output` cannot be written to.
pub fn junit(record: &Record, context: &Context<'_>, locations: Locations, mut output: impl Write) -> io::Result<()> {
    let mut report = Report::new(NAME);
    if let Some(footer) = &record.footer {
        report.set_time(Duration::from_micros(footer.duration_us));
    }
    let mut actions: BTreeMap<&str, Vec<&CaseResult>> = BTreeMap::new();
    for result in &record.results {
        actions.entry(&result.action).or_default().push(result);
    }
    for (action, mut results) in actions {
        results.sort_by_key(|result| &result.case);
        let mut suite = TestSuite::new(clean(action));
        suite.add_properties(properties(record));
        suite.timestamp = record.header.started.parse().ok();
        suite.add_test_cases(results.iter().map(|result| case(result, context, record.header.fail_on, locations)));
        suite.set_time(Duration::from_micros(results.iter().map(|result| result.duration_us).sum()));
        report.add_test_suite(suite);
    }
    report.add_test_suites(run(record));
    let text = report.to_string().map_err(io::Error::other)?;
    output.write_all(without_skipped(&text).as_bytes())
}

/// The document without the number of skipped cases in its outermost element, where the
/// form has none. The suites have it.
fn without_skipped(text: &str) -> String {
    let begins = format!("<testsuites name=\"{NAME}\"");
    let Some((before, rest)) = text.split_once(&begins) else { return text.to_owned() };
    let Some((attributes, after)) = rest.split_once('>') else { return text.to_owned() };
    let kept = attributes.split_inclusive("\" ").filter(|attribute| !attribute.trim_start().starts_with("skipped="));
    format!("{before}{begins}{}>{after}", kept.collect::<String>())
}

/// Text that XML allows, without losing what it does not allow.
fn clean(text: &str) -> String {
    printable(text).into_owned()
}

fn properties(record: &Record) -> Vec<Property> {
    let header = &record.header;
    [
        ("target", &header.target.name),
        ("endpoint", &header.target.endpoint),
        ("suite-version", &header.suite_version),
        ("suite-digest", &header.suite_digest),
        ("selection-digest", &header.selection_digest),
    ]
    .map(|(name, value)| Property::new(name, clean(value)))
    .into()
}

fn case(result: &CaseResult, context: &Context<'_>, fail_on: FailOn, locations: Locations) -> TestCase {
    let mut case = TestCase::new(clean(&result.case), status(result, context, fail_on));
    case.set_classname(format!("syncspec.{}", clean(&result.action)));
    case.set_time(Duration::from_micros(result.duration_us));
    if let (Locations::Shown, Some((file, line))) = (locations, place(&result.origin)) {
        case.extra.insert("file".into(), clean(file).into());
        case.extra.insert("line".into(), clean(line).into());
    }
    let told = match result.verdict {
        Verdict::Pass | Verdict::Warn => !result.findings.is_empty(),
        Verdict::UnexpectedPass => fail_on == FailOn::New,
        _ => false,
    };
    if told {
        case.set_system_out(text(result, context));
    }
    case
}

/// File and line of `file:line:column`.
fn place(origin: &str) -> Option<(&str, &str)> {
    origin.rsplit_once(':').and_then(|(place, _)| place.rsplit_once(':'))
}

fn text(result: &CaseResult, context: &Context<'_>) -> String {
    strip_str(&failure(result, context)).to_string()
}

fn status(result: &CaseResult, context: &Context<'_>, fail_on: FailOn) -> TestCaseStatus {
    let mut status = match result.verdict {
        Verdict::Pass | Verdict::Warn => return TestCaseStatus::success(),
        Verdict::UnexpectedPass if fail_on == FailOn::New => return TestCaseStatus::success(),
        Verdict::ExpectedFail | Verdict::Skipped => TestCaseStatus::skipped(),
        Verdict::Fail | Verdict::UnexpectedPass => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Verdict::NotTestable | Verdict::Indeterminate => TestCaseStatus::non_success(NonSuccessKind::Error),
    };
    status.set_type(result.verdict.name());
    if result.verdict == Verdict::Skipped || result.verdict == Verdict::ExpectedFail {
        let reason = clean(result.reason.as_deref().unwrap_or(result.verdict.name()));
        // GitHub's readers show the message, GitLab shows the text.
        status.set_message(reason.as_str());
        status.set_description(reason);
    } else {
        status.set_message(short(result));
        status.set_description(text(result, context));
    }
    status
}

/// What is wrong with the run as a whole: nothing, or a suite that says so.
fn run(record: &Record) -> Option<TestSuite> {
    let mut cases = Vec::new();
    let mut add = |name: &str, kind: NonSuccessKind, message: &str| {
        let mut status = TestCaseStatus::non_success(kind);
        status.set_message(clean(message));
        status.set_description(clean(message));
        let mut case = TestCase::new(name, status);
        case.set_classname("syncspec.run");
        cases.push(case);
    };
    match &record.footer {
        None => add("run/whole", NonSuccessKind::Error, "the record has no footer: the run is partial"),
        Some(footer) => {
            if let Some(reason) = &footer.stopped {
                add("run/whole", NonSuccessKind::Error, &format!("the run was stopped: {reason}"));
            }
            let entries = footer.unmatched_known_failures.iter();
            for entry in entries.filter(|_| record.header.fail_on == FailOn::Any) {
                add("run/known-failures", NonSuccessKind::Failure, &format!("`{entry}` matches no case"));
            }
            if footer.exit == 4 {
                add("run/judged", NonSuccessKind::Error, "nothing was judged");
            }
        }
    }
    if cases.is_empty() {
        return None;
    }
    let mut suite = TestSuite::new("run");
    suite.add_properties(properties(record));
    suite.add_test_cases(cases);
    Some(suite)
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::{Context, Locations, Record, junit};
    use crate::judge::{Level, Verdict};

    fn record(verdicts: &[Verdict]) -> Record {
        let results: Vec<_> = (verdicts.iter().enumerate())
            .map(|(index, verdict)| samples::result(&format!("put-item/{index}"), *verdict))
            .collect();
        Record { header: samples::header(results.len()), footer: Some(samples::footer(&results)), results }
    }

    fn xml(record: &Record) -> String {
        let (catalog, target) = (samples::catalog(), samples::target());
        let context =
            Context { catalog: &catalog, target: &target, signing_service: "item-store", rerun: "syncspec run" };
        let mut xml = Vec::new();
        junit(record, &context, Locations::Hidden, &mut xml).unwrap();
        String::from_utf8(xml).unwrap()
    }

    #[test]
    fn each_verdict_has_its_element() {
        let mut record = record(&[Verdict::Skipped, Verdict::Pass]);
        record.results[0].action = "GetItem".to_owned();
        insta::assert_snapshot!(xml(&record), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="syncspec" tests="2" failures="0" errors="0" time="0.800">
            <testsuite name="GetItem" tests="1" skipped="1" errors="0" failures="0" timestamp="2026-01-01T00:00:00.000+00:00" time="0.001">
                <properties>
                    <property name="target" value="my-emulator"/>
                    <property name="endpoint" value="http://127.0.0.1:4566"/>
                    <property name="suite-version" value="0.1.0"/>
                    <property name="suite-digest" value="aa11"/>
                    <property name="selection-digest" value="bb22"/>
                </properties>
                <testcase name="put-item/0" classname="syncspec.GetItem" time="0.001">
                    <skipped message="the target lacks lambda" type="skipped">the target lacks lambda</skipped>
                </testcase>
            </testsuite>
            <testsuite name="PutItem" tests="1" skipped="0" errors="0" failures="0" timestamp="2026-01-01T00:00:00.000+00:00" time="0.001">
                <properties>
                    <property name="target" value="my-emulator"/>
                    <property name="endpoint" value="http://127.0.0.1:4566"/>
                    <property name="suite-version" value="0.1.0"/>
                    <property name="suite-digest" value="aa11"/>
                    <property name="selection-digest" value="bb22"/>
                </properties>
                <testcase name="put-item/1" classname="syncspec.PutItem" time="0.001"/>
            </testsuite>
        </testsuites>
        "#);
    }

    #[test]
    fn places_are_shown_when_asked_for() {
        let record = record(&[Verdict::Pass]);
        assert!(!xml(&record).contains("line="));
        let (catalog, target) = (samples::catalog(), samples::target());
        let context = Context { catalog: &catalog, target: &target, signing_service: "s", rerun: "syncspec run" };
        let mut xml = Vec::new();
        junit(&record, &context, Locations::Shown, &mut xml).unwrap();
        let xml = String::from_utf8(xml).unwrap();
        assert!(xml.contains(r#" file="cases/put-item/count.toml" line="12""#), "{xml}");
    }

    #[test]
    fn counts_agree_with_the_verdicts() {
        let mut record = record(&Verdict::ALL);
        record.results[0].findings = vec![samples::finding(Level::Note, 1)];
        let text = xml(&record);
        assert!(text.contains(r#"<testsuite name="PutItem" tests="8" skipped="2" errors="2" failures="2""#), "{text}");
        assert_eq!(text.matches("<system-out>").count(), 2);
        assert!(text.contains(r#"<failure message="status: expected 409, got 200 (PutItem/rule/stale)" type="fail">"#));
        assert!(
            text.contains(r#"<failure message="known failure: versions are not built yet" type="unexpected-pass">"#)
        );
        assert!(text.contains(r#"<error message="step 2 (PutItem): the connection was cut" type="indeterminate">"#));
        assert!(text.contains(
            r#"<skipped message="the target lacks lambda" type="skipped">the target lacks lambda</skipped>"#
        ));
    }

    #[test]
    fn what_xml_forbids_is_shown_as_an_escape() {
        let mut record = record(&[Verdict::Fail]);
        record.results[0].findings[0].actual = "\u{0}\u{b}\u{1b}[31m\u{ffff}]]><&".to_owned();
        let text = xml(&record);
        assert!(!text.contains(['\u{0}', '\u{b}', '\u{1b}', '\u{ffff}']));
        assert!(text.contains(r"\u{0}\u{b}\u{1b}[31m\u{ffff}]]&gt;&lt;&amp;"), "{text}");
    }

    #[test]
    fn a_run_that_did_not_end_is_red() {
        let mut record = record(&[Verdict::Pass]);
        assert!(!xml(&record).contains("testsuite name=\"run\""));
        let footer = record.footer.as_mut().unwrap();
        footer.stopped = Some("interrupted".to_owned());
        footer.unmatched_known_failures = vec!["gone/*".to_owned()];
        let text = xml(&record);
        assert!(text.contains("the run was stopped: interrupted") && text.contains("`gone/*` matches no case"));
        record.footer = None;
        assert!(xml(&record).contains("the run is partial"));
        let nothing = self::record(&[Verdict::Skipped]);
        assert!(xml(&nothing).contains("nothing was judged"));
    }
}
