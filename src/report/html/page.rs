//! What stands on the page, in the order in which it stands there.

use std::io::{self, Write};

use askama::Template;
use indexmap::IndexMap;

use super::difference::Difference;
use super::filters;
use super::index::index;
use super::numbers::{Share, Table, tables};
use super::sections::{Group, Section, sections};
use crate::judge::Verdict;
use crate::report::broken::Dead;
use crate::report::failure::Context;
use crate::report::record::Record;
use crate::report::standing::{Standing, Standings};
use crate::report::summary::{Summary, Tally};
use crate::report::text::{SCRIPTED, count, duration, grouped, moment, printable};
use crate::run::{Event, Partition};
use crate::spec::Dispute;

/// Broken rules that are listed before all else.
const MOST_RULES: usize = 12;

#[derive(Template)]
#[template(path = "page.html")]
struct Page {
    title: String,
    started: String,
    sentence: String,
    /// `good`, `bad` or `unsure`.
    tone: &'static str,
    notices: Vec<String>,
    parts: Vec<Part>,
    shares: Vec<Share>,
    dead: Vec<DeadAction>,
    rules: Vec<Rule>,
    /// The command that shows the first broken rule again; empty when its case is not shown.
    again: String,
    /// Broken rules that are not listed.
    more_rules: usize,
    /// Broken rules that only say that an action does nothing.
    explained: usize,
    sections: Vec<Section>,
    tables: Vec<Table>,
    /// What the words for standings mean.
    words: Vec<(&'static str, &'static str)>,
    readings: Vec<String>,
    unasked: Vec<(String, Vec<String>)>,
    unasked_count: usize,
    cases: String,
    facts: Vec<(&'static str, String)>,
    leftovers: Vec<String>,
    /// Known failures of which nothing was run.
    idle: Vec<String>,
    index: String,
}

/// A part of the results: how many there are, and where they stand on the page.
struct Part {
    place: String,
    /// `good`, `bad`, `unsure` or `calm`.
    tone: &'static str,
    number: String,
    name: &'static str,
}

/// An action of which nothing works.
struct DeadAction {
    action: String,
    says: String,
}

/// A broken rule in a line.
struct Rule {
    id: String,
    statement: String,
    cases: String,
    short: String,
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
    let unasked = unasked(&standings, context);
    let dead = Dead::of(&summary);
    let sections = sections(record, &dead, context);
    let broken = sections.first().filter(|section| section.id == "broken");
    let (rules, explained) = broken.map(rules).unwrap_or_default();
    Page {
        title: format!("{} – syncspec", record.header.target.name),
        started: moment(&record.header.started),
        sentence: summary.sentence(),
        tone: tone(record),
        notices: notices(record),
        parts: parts(record, &summary, &sections),
        shares: Share::both(&standings),
        dead: dead.actions.iter().map(|(action, tally)| DeadAction::of(action, tally)).collect(),
        explained,
        again: broken.map(again).unwrap_or_default(),
        more_rules: rules.len().saturating_sub(MOST_RULES),
        rules: rules.into_iter().take(MOST_RULES).collect(),
        tables: tables(&standings, context),
        sections,
        words: Standing::words(),
        readings: summary.readings().collect(),
        unasked_count: unasked.iter().map(|(_, ids)| ids.len()).sum(),
        unasked,
        cases: grouped(record.results.len() as u64),
        facts: facts(record),
        leftovers: leftovers(record),
        idle: idle(record),
        index: index(&record.results, context.rerun),
    }
}

impl DeadAction {
    fn of(action: &str, tally: &Tally) -> Self {
        let says = format!("does not work: {}", Dead { actions: vec![(action, tally)] }.says());
        Self { action: printable(action).into_owned(), says }
    }
}

/// The rules that are broken by themselves, and how many others there are.
fn rules(section: &Section) -> (Vec<Rule>, usize) {
    let (explained, own): (Vec<_>, Vec<_>) = section.groups.iter().partition(|group| group.is_explained);
    let rule = |group: &&Group| Rule {
        id: group.requirement.clone(),
        statement: group.heading.clone(),
        cases: count(group.all, "case"),
        short: group.short.clone(),
    };
    (own.iter().filter(|group| !group.requirement.is_empty()).map(rule).collect(), explained.len())
}

/// The command for the case that the page shows first.
fn again(section: &Section) -> String {
    let first = section.groups.first().and_then(|group| group.evidence.first());
    first.map(|case| case.rerun.clone()).unwrap_or_default()
}

/// What the results are, worst first, and what passed as visibly as what did not.
fn parts(record: &Record, summary: &Summary, sections: &[Section]) -> Vec<Part> {
    let mut parts: Vec<_> = (sections.iter())
        .map(|section| Part {
            place: section.id.to_owned(),
            tone: section.tone,
            number: grouped(section.cases as u64),
            name: section.name,
        })
        .collect();
    let passed = summary.total.of(Verdict::Pass);
    let part = |place: &str, tone, number: usize, name| Part {
        place: place.to_owned(),
        tone,
        number: grouped(number as u64),
        name,
    };
    parts.push(part("cases?verdict=pass", if passed > 0 { "good" } else { "calm" }, passed, "passed"));
    let all = record.results.len();
    parts.push(part("cases", "", all, if all == 1 { "case in all" } else { "cases in all" }));
    parts
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
    if target.scripted_function {
        facts.push(("function", SCRIPTED.to_owned()));
    }
    if header.strict {
        facts.push(("strict", "inferred requirements count like documented ones".to_owned()));
    }
    facts.push(("suite", format!("{}, digest {:.12}", header.suite_version, header.suite_digest)));
    facts.push(("selection", format!("{}, digest {:.12}", count(header.selected, "case"), header.selection_digest)));
    if let Some(Partition { index, count: parts, selected, .. }) = &header.partition {
        facts.push(("part", format!("{index} of {parts} of a run of {}", count(*selected, "case"))));
    }
    facts
}

/// What is to be known of the run before anything else.
fn notices(record: &Record) -> Vec<String> {
    let Some(footer) = &record.footer else {
        return vec!["The record has no end: the run was cut off, and this is a part of it.".to_owned()];
    };
    let unmatched =
        footer.unmatched_known_failures.iter().map(|entry| format!("known failure without a case: {entry}"));
    let strays = footer.strays.iter().map(|stray| format!("the server asked for what no case has: {stray}"));
    let throttled =
        (footer.throttled > 0).then(|| format!("answers that asked for fewer requests: {}", footer.throttled));
    let uncalled = footer.uncalled.clone();
    unmatched.chain(uncalled).chain(strays).chain(throttled).map(|notice| printable(&notice).into_owned()).collect()
}

/// What the cases left, then what the run as a whole did.
fn leftovers(record: &Record) -> Vec<String> {
    let of = |case: &str, left: &String| printable(&format!("{case}: {left}")).into_owned();
    let by_cases = record.results.iter().flat_map(|result| result.leftovers.iter().map(|left| of(&result.case, left)));
    let by_run = record.footer.iter().flat_map(|footer| &footer.leftovers).map(|left| printable(left).into_owned());
    by_cases.chain(by_run).collect()
}

fn idle(record: &Record) -> Vec<String> {
    // The cases of a part's may be in other parts of the run.
    let footer = record.footer.iter().filter(|_| record.header.partition.is_none());
    let entries = footer.flat_map(|footer| &footer.idle_known_failures);
    entries.map(|entry| printable(entry).into_owned()).collect()
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

#[cfg(test)]
mod tests {
    use super::super::super::samples;
    use super::super::sections::MOST_EVIDENCE;
    use super::{html, page};
    use crate::judge::{Level, Verdict};
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
        assert_eq!(page.matches("<details class=\"group bad-edge\" open").count(), 1, "{page}");
        assert!(page.contains("<span class=\"count\">9<") && page.contains("id=\"rule/PutItem/rule/stale\""));
        assert_eq!(page.matches("<article class=\"case\"").count(), 3);
        // The others are there too, and can be linked to.
        assert!((0..9).all(|index| page.contains(&format!("id=\"case/a/{index}\""))));
        assert!(page.contains("<ins>409</ins>") && page.contains("<del>200</del>"));
        assert!(page.contains("<mark>&lt; 200</mark>"), "{page}");
        assert!(page.contains("syncspec run a/0"));
    }

    #[test]
    fn what_broke_begins_with_the_command_for_the_first_of_it() {
        let mut results = results(&[Verdict::Fail, Verdict::Fail, Verdict::Fail]);
        results[2].findings[0].requirement = "PutItem/rule/version-grows".to_owned();
        let page = shown(&record(results));
        let (command, rules) =
            (page.find(">syncspec run a/0</pre>").unwrap(), page.find("<ol class=\"broke\">").unwrap());
        assert!(page.find("id=\"broke\"").unwrap() < command && command < rules, "{page}");
    }

    #[test]
    fn what_is_broken_beside_the_cause_of_a_case_has_its_place_too() {
        let mut results = results(&[Verdict::Fail]);
        let mut other = samples::finding(Level::Fail, 1);
        other.requirement = "PutItem/rule/version-grows".to_owned();
        results[0].findings.push(other);
        let page = shown(&record(results.clone()));
        assert!(page.contains("Also broken in these cases"), "{page}");
        assert_eq!(page.matches("id=\"rule/PutItem/rule/version-grows\"").count(), 1);
        results[0].findings[1].level = Level::Note;
        assert!(!shown(&record(results)).contains("Also broken"));
    }

    #[test]
    fn every_verdict_but_pass_has_its_section() {
        let page = shown(&record(results(&Verdict::ALL)));
        for id in ["broken", "unexpected", "unjudged", "doubtful", "known", "skipped", "requirements", "cases"] {
            assert!(page.contains(&format!("<section id=\"{id}\" ")), "{id}");
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
    fn what_a_run_rests_on_is_told_before_its_results() {
        let mut record = record(results(&[Verdict::Pass]));
        assert!(!shown(&record).contains("follows the scripts"));
        record.header.target.scripted_function = true;
        record.footer.as_mut().unwrap().uncalled = Some("no server called <anybody>".to_owned());
        let page = shown(&record);
        assert!(page.contains("follows the scripts of the cases") && page.contains("no server called &#60;anybody"));
    }

    #[test]
    fn a_page_holds_each_case_in_its_list() {
        let record = record(results(&[Verdict::Pass, Verdict::Skipped]));
        let (catalog, target) = (samples::catalog(), samples::target());
        let context =
            Context { catalog: &catalog, target: &target, signing_service: "item-store", rerun: "syncspec run" };
        let page = page(&record, &context, &[]);
        assert_eq!((page.cases.as_str(), page.sections.len(), page.tone), ("2", 1, "good"));
        assert!(page.index.contains("\"a/0\"") && page.index.contains("\"a/1\""));
    }
}
