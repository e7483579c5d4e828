//! What stands on the page, in the order in which it stands there.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, Write};

use askama::Template;
use indexmap::IndexMap;

use super::difference::Difference;
use super::evidence::Evidence;
use super::index::index;
use crate::judge::{SNAPSHOT, Verdict};
use crate::report::failure::{Context, cause, severity, short};
use crate::report::record::Record;
use crate::report::standing::{Count, Standing, Standings};
use crate::report::summary::Summary;
use crate::report::text::{count, duration, grouped, printable};
use crate::run::{CaseResult, Event};
use crate::spec::{Dispute, RequirementKind};

/// Cases that are shown with their evidence, each broken requirement's first one
/// before any second: with the exchanges that go with it, a case takes some
/// kilobytes.
const MOST_EVIDENCE: usize = 120;

/// Cases that are shown so for one requirement or one reason.
const MOST_EVIDENCE_EACH: usize = 3;

#[derive(Template)]
#[template(path = "page.html")]
struct Page {
    title: String,
    sentence: String,
    /// `good`, `bad` or `unsure`.
    tone: &'static str,
    facts: Vec<(&'static str, String)>,
    notices: Vec<String>,
    conformance: Share,
    judged: Share,
    tables: Vec<Table>,
    sections: Vec<Section>,
    readings: Vec<String>,
    unasked: Vec<(String, Vec<String>)>,
    unasked_count: usize,
    cases: usize,
    index: String,
}

/// A number of a whole, in words and in per cent.
struct Share {
    part: String,
    whole: String,
    percent: String,
}

impl Share {
    fn of(part: usize, whole: usize) -> Self {
        // Never rounded up to all, nor down to nothing.
        let percent = (part * 1000).checked_div(whole).map_or_else(
            || "–".to_owned(),
            |tenths| {
                let tenths = if part > 0 { tenths.max(1) } else { tenths };
                format!("{}.{} %", tenths / 10, tenths % 10)
            },
        );
        let percent = percent.replace(".0 %", " %");
        Self { part: grouped(part as u64), whole: grouped(whole as u64), percent }
    }
}

/// Requirements in groups of one sort.
struct Table {
    caption: &'static str,
    /// Heads the column of names.
    sort: &'static str,
    rows: Vec<Row>,
}

/// The requirements of one action or one kind.
struct Row {
    name: String,
    all: usize,
    /// Class, words and number of each standing that occurs.
    bars: Vec<(&'static str, &'static str, usize)>,
    conforming: usize,
    judged: usize,
}

impl Row {
    fn of(name: &str, standings: &Standings, wanted: impl Fn(&str) -> bool) -> Option<Self> {
        let count: Count = standings.count(wanted);
        let bars =
            Standing::ALL.into_iter().rev().map(|standing| (class(standing), standing.name(), count.of(standing)));
        (count.all() > count.of(Standing::Unasked)).then(|| Self {
            name: name.to_owned(),
            all: count.all(),
            bars: bars.filter(|(.., number)| *number > 0).collect(),
            conforming: count.conforming(),
            judged: count.judged(),
        })
    }
}

fn class(standing: Standing) -> &'static str {
    match standing {
        Standing::Broken => "broken",
        Standing::InDoubt => "doubt",
        Standing::Noted => "noted",
        Standing::Holds => "holds",
        Standing::Unjudged => "unjudged",
        Standing::Unasked => "unasked",
    }
}

/// Results of one sort, in groups.
struct Section {
    id: &'static str,
    title: String,
    says: &'static str,
    groups: Vec<Group>,
    /// Whether the groups are shown open.
    open: bool,
}

/// Results of one cause: a requirement or a reason.
struct Group {
    /// Id of the requirement; empty when the cause is a reason.
    requirement: String,
    heading: String,
    /// What makes us sure of the requirement.
    grounds: String,
    evidence: Vec<Evidence>,
    /// Id of further cases, and what came of each.
    rest: Vec<(String, String)>,
    all: usize,
}

/// Writes the run as one page. `rerun` of the context is the command that a case's
/// id is added to.
///
/// # Errors
///
/// When `output` cannot be written to.
pub fn html(record: &Record, context: &Context<'_>, disputes: &[Dispute], mut output: impl Write) -> io::Result<()> {
    let page = page(record, context, disputes);
    let text = page.render().map_err(io::Error::other)?;
    output.write_all(text.as_bytes())
}

fn page(record: &Record, context: &Context<'_>, disputes: &[Dispute]) -> Page {
    let summary = summary(record, disputes);
    let standings = Standings::of(context.catalog, &record.results);
    let count = standings.count(|_| true);
    let asked = count.all() - count.of(Standing::Unasked);
    let unasked = unasked(&standings, context);
    Page {
        title: format!("{} – syncspec", record.header.target.name),
        sentence: summary.sentence(),
        tone: tone(record),
        facts: facts(record),
        notices: notices(record),
        conformance: Share::of(count.conforming(), count.judged()),
        judged: Share::of(count.judged(), asked),
        tables: vec![
            Table { caption: "By action", sort: "action", rows: actions(&standings, context) },
            Table { caption: "By kind", sort: "kind", rows: kinds(&standings, context) },
        ],
        sections: sections(record, context),
        readings: summary.readings().collect(),
        unasked_count: unasked.iter().map(|(_, ids)| ids.len()).sum(),
        unasked,
        cases: record.results.len(),
        index: index(&record.results, context.rerun),
    }
}

fn summary(record: &Record, disputes: &[Dispute]) -> Summary {
    let mut summary = Summary::new(disputes);
    summary.add(&Event::Header(record.header.clone()));
    record.results.iter().for_each(|result| summary.add_result(result));
    record.footer.iter().for_each(|footer| summary.add(&Event::Footer(footer.clone())));
    summary
}

fn tone(record: &Record) -> &'static str {
    match record.footer.as_ref().map(|footer| footer.exit) {
        Some(0) => "good",
        Some(1) => "bad",
        _ => "unsure",
    }
}

fn facts(record: &Record) -> Vec<(&'static str, String)> {
    let (header, target) = (&record.header, &record.header.target);
    let mut facts = vec![
        ("target", target.name.clone()),
        ("endpoint", target.endpoint.clone()),
        ("region", target.region.clone()),
        ("started", header.started.clone()),
    ];
    facts.extend(record.footer.as_ref().map(|footer| ("took", duration(footer.duration_us))));
    if !target.lacks.is_empty() {
        facts.push(("lacks", target.lacks.join(", ")));
    }
    if header.strict {
        facts.push(("strict", "inferred requirements count like documented ones".to_owned()));
    }
    facts.push(("suite", format!("{}, digest {:.12}", header.suite_version, header.suite_digest)));
    facts.push(("selection", format!("{}, digest {:.12}", count(header.selected, "case"), header.selection_digest)));
    facts
}

/// What is to be known of the run itself.
fn notices(record: &Record) -> Vec<String> {
    let Some(footer) = &record.footer else {
        return vec!["The record has no end: the run was cut off, and this is a part of it.".to_owned()];
    };
    let unmatched =
        footer.unmatched_known_failures.iter().map(|entry| format!("known failure without a case: {entry}"));
    let idle =
        footer.idle_known_failures.iter().map(|entry| format!("known failure of which nothing was run: {entry}"));
    let left = footer.leftovers.iter().map(|left| format!("left behind on the target: {left}"));
    let strays = footer.strays.iter().map(|stray| format!("the server asked for what no case has: {stray}"));
    let throttled =
        (footer.throttled > 0).then(|| format!("answers that asked for fewer requests: {}", footer.throttled));
    unmatched
        .chain(idle)
        .chain(left)
        .chain(strays)
        .chain(throttled)
        .map(|notice| printable(&notice).into_owned())
        .collect()
}

fn actions(standings: &Standings, context: &Context<'_>) -> Vec<Row> {
    let action = |id: &str| id.split('/').next().unwrap_or_default().to_owned();
    let names: std::collections::BTreeSet<_> = standings.iter().map(|(id, _)| action(id)).collect();
    // The service as a whole comes last: it is no action.
    let service = |name: &String| context.catalog.iter().any(|of| of.operation.is_none() && action(&of.id) == *name);
    let (whole, operations): (Vec<_>, Vec<_>) = names.into_iter().partition(service);
    let row = |name: &String| Row::of(name, standings, |id| action(id) == *name);
    operations.iter().chain(&whole).filter_map(row).collect()
}

fn kinds(standings: &Standings, context: &Context<'_>) -> Vec<Row> {
    let of = |id: &str| context.catalog.get(id).map(|requirement| requirement.kind);
    let row = |kind: RequirementKind| Row::of(kind.name(), standings, |id| of(id) == Some(kind));
    RequirementKind::ALL.into_iter().filter_map(row).collect()
}

/// Requirements of the catalogue that no case of the run speaks of, by action.
fn unasked(standings: &Standings, context: &Context<'_>) -> Vec<(String, Vec<String>)> {
    let mut by_action: IndexMap<String, Vec<String>> = IndexMap::new();
    for (id, standing) in standings.iter() {
        if standing == Standing::Unasked && context.catalog.get(id).is_some() {
            let action = id.split('/').next().unwrap_or_default();
            by_action.entry(action.to_owned()).or_default().push(id.to_owned());
        }
    }
    by_action.into_iter().collect()
}

/// Verdicts of a section, its anchor, title and what it means; worst first.
const SECTIONS: [(&[Verdict], &str, &str, &str); 6] = [
    (&[Verdict::Fail], "broken", "Broken", "Documented or observed requirements that do not hold."),
    (
        &[Verdict::UnexpectedPass],
        "unexpected",
        "Passed against a known failure",
        "The target file says that these fail. Take the entries out of it.",
    ),
    (
        &[Verdict::NotTestable, Verdict::Indeterminate],
        "unjudged",
        "Could not be judged",
        "A prerequisite did not hold, or no answer came. Nothing is known of what these would have shown.",
    ),
    (
        &[Verdict::Warn],
        "doubtful",
        "In doubt",
        "Inferred requirements that do not hold: what the sources suggest and nobody wrote down.",
    ),
    (&[Verdict::ExpectedFail], "known", "Failed as expected", "The target file names these as known failures."),
    (&[Verdict::Skipped], "skipped", "Skipped", "The target says that it lacks what these need."),
];

fn sections(record: &Record, context: &Context<'_>) -> Vec<Section> {
    let mut room = MOST_EVIDENCE;
    let section = |(verdicts, id, title, says): (&[Verdict], &'static str, &str, &'static str)| {
        let results: Vec<_> = record.results.iter().filter(|result| verdicts.contains(&result.verdict)).collect();
        let groups = groups(&results, context, &mut room);
        let title = format!("{title}: {}", counted(&groups, results.len()));
        (!groups.is_empty()).then_some(Section { id, title, says, groups, open: id == "broken" })
    };
    SECTIONS.into_iter().filter_map(section).collect()
}

fn counted(groups: &[Group], cases: usize) -> String {
    let rules = groups.iter().filter(|group| !group.requirement.is_empty()).count();
    if rules == 0 {
        count(cases, "case")
    } else {
        format!("{} in {}", count(rules, "requirement"), count(cases, "case"))
    }
}

/// The results under their causes, the cause with most cases first. Evidence is
/// given while there is room, to every cause once before to any twice.
fn groups(results: &[&CaseResult], context: &Context<'_>, room: &mut usize) -> Vec<Group> {
    let mut by_cause: BTreeMap<&str, Vec<&CaseResult>> = BTreeMap::new();
    for result in results {
        by_cause.entry(cause(result)).or_default().push(result);
    }
    let mut causes: Vec<_> = by_cause.into_iter().collect();
    causes.iter_mut().for_each(|(_, cases)| cases.sort_by_key(|result| (severity(result.verdict), &result.case)));
    causes.sort_by_key(|(cause, cases)| (std::cmp::Reverse(cases.len()), *cause));
    let mut shown = HashSet::new();
    for round in 0..MOST_EVIDENCE_EACH {
        for case in causes.iter().filter_map(|(_, cases)| cases.get(round)).filter(|case| case.was_begun()) {
            if *room > 0 && shown.insert(case.case.as_str()) {
                *room -= 1;
            }
        }
    }
    let group = |(cause, cases): (&str, Vec<&CaseResult>)| {
        let (full, rest): (Vec<_>, Vec<_>) = cases.iter().copied().partition(|case| shown.contains(case.case.as_str()));
        let requirement = cases.iter().any(|case| case.findings.iter().any(|finding| finding.requirement == cause));
        let (heading, grounds) = if requirement { words(cause, context) } else { (reason(cause), String::new()) };
        Group {
            requirement: if requirement { cause.to_owned() } else { String::new() },
            heading,
            grounds,
            evidence: full.iter().map(|case| Evidence::of(case, context)).collect(),
            rest: rest.iter().map(|case| (case.case.clone(), short(case))).collect(),
            all: cases.len(),
        }
    };
    causes.into_iter().map(group).collect()
}

fn reason(cause: &str) -> String {
    if cause.is_empty() { "no reason given".to_owned() } else { printable(cause).into_owned() }
}

/// A requirement in plain words, and what makes us sure of it.
fn words(id: &str, context: &Context<'_>) -> (String, String) {
    if id == SNAPSHOT {
        return ("The answer is what it was when its snapshot was recorded.".to_owned(), String::new());
    }
    let Some(requirement) = context.catalog.get(id) else {
        return (id.to_owned(), "not in this version's catalogue".to_owned());
    };
    let dispute = requirement.dispute.as_ref().map(|dispute| format!("; sources disagree, see dispute {dispute}"));
    let grounds = format!("{} in: {}", requirement.strength, requirement.sources.join("; "));
    (requirement.statement.clone(), grounds + &dispute.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::super::super::samples;
    use super::{MOST_EVIDENCE, Share, html, page};
    use crate::judge::Verdict;
    use crate::report::{Context, Record};
    use crate::run::CaseResult;

    fn record(results: Vec<CaseResult>) -> Record {
        Record { header: samples::header(results.len()), footer: Some(samples::footer(&results)), results }
    }

    fn shown(record: &Record) -> String {
        let (catalog, target) = (samples::catalog(), samples::target());
        let context =
            Context { catalog: &catalog, target: &target, signing_service: "item-store", rerun: "syncspec run" };
        let mut document = Vec::new();
        html(record, &context, &samples::service().disputes, &mut document).unwrap();
        String::from_utf8(document).unwrap()
    }

    fn results(verdicts: &[Verdict]) -> Vec<CaseResult> {
        let result = |(index, verdict): (usize, &Verdict)| samples::result(&format!("a/{index}"), *verdict);
        verdicts.iter().enumerate().map(result).collect()
    }

    #[test]
    fn a_broken_rule_is_one_entry_with_all_its_cases() {
        let page = shown(&record(results(&[Verdict::Fail; 9])));
        assert_eq!(page.matches("<details class=\"group\" open").count(), 1, "{page}");
        assert!(page.contains("<span class=\"count\">9</span>") && page.contains("id=\"rule/PutItem/rule/stale\""));
        assert_eq!(page.matches("<article class=\"case\"").count(), 3);
        // The others are there too, and can be linked to.
        assert!((0..9).all(|index| page.contains(&format!("id=\"case/a/{index}\""))));
        assert!(page.contains("<ins>409</ins>") && page.contains("<del>200</del>"));
        assert!(page.contains("<mark>&lt; 200</mark>") || page.contains("<mark>&#60; 200</mark>"), "{page}");
        assert!(page.contains("syncspec run a/0"));
    }

    #[test]
    fn every_verdict_but_pass_has_its_section() {
        let page = shown(&record(results(&Verdict::ALL)));
        for id in ["broken", "unexpected", "unjudged", "doubtful", "known", "skipped", "requirements", "cases"] {
            assert!(page.contains(&format!("<section id=\"{id}\">")), "{id}");
        }
        assert!(page.contains("the target lacks lambda"));
    }

    #[test]
    fn nothing_that_an_endpoint_sends_becomes_markup() {
        let mut results = results(&[Verdict::Fail]);
        results[0].findings[0].actual = "<script>alert(1)</script>\u{1b}[31m".to_owned();
        results[0].exchanges[1].response.as_mut().unwrap().body = samples::body("</pre><img src=x>");
        let page = shown(&record(results));
        assert!(!page.contains("<script>alert") && !page.contains("<img") && !page.contains('\u{1b}'));
        assert_eq!(page.matches("</script>").count(), 2);
    }

    #[test]
    fn the_page_of_many_failures_stays_small() {
        let mut results = results(&vec![Verdict::Fail; 20_000]);
        for (index, result) in results.iter_mut().enumerate() {
            result.findings[0].requirement = format!("PutItem/rule/r{}", index % 500);
        }
        let page = shown(&record(results));
        assert_eq!(page.matches("<article class=\"case\"").count(), MOST_EVIDENCE);
        assert!(page.len() < 8_000_000, "{}", page.len());
    }

    #[test]
    fn a_part_of_a_run_says_so() {
        let mut record = record(results(&[Verdict::Pass]));
        assert!(!shown(&record).contains("class=\"notices\""));
        record.footer = None;
        let page = shown(&record);
        assert!(page.contains("class=\"unsure\"") && page.contains("The record has no end"));
    }

    #[test]
    fn shares_are_never_rounded_to_all_or_nothing() {
        let percent = |part, whole| Share::of(part, whole).percent;
        assert_eq!((percent(9_999, 10_000), percent(1, 10_000)), ("99.9 %".to_owned(), "0.1 %".to_owned()));
        assert_eq!((percent(7, 7), percent(0, 0)), ("100 %".to_owned(), "–".to_owned()));
    }

    #[test]
    fn a_page_holds_each_case_in_its_list() {
        let record = record(results(&[Verdict::Pass, Verdict::Skipped]));
        let (catalog, target) = (samples::catalog(), samples::target());
        let context =
            Context { catalog: &catalog, target: &target, signing_service: "item-store", rerun: "syncspec run" };
        let page = page(&record, &context, &[]);
        assert_eq!((page.cases, page.sections.len(), page.tone), (2, 1, "good"));
        assert!(page.index.contains("\"a/0\"") && page.index.contains("\"a/1\""));
    }
}
