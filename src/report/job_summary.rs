//! A recorded run as Markdown, for the summary of a job.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anstream::adapter::strip_str;

use super::failure::{Context, cause, failure, severity, short};
use super::md::{Page, cell, code, fence, folded, prose};
use super::record::Record;
use super::share::percent;
use super::standing::Standings;
use super::summary::Summary;
use super::text::{count, grouped};
use crate::judge::Verdict;
use crate::run::{CaseResult, Event};
use crate::spec::Dispute;

/// Cases of one cause that are shown in full.
const MOST_IN_FULL: usize = 1;

/// Cases of one cause that get a line each.
const MOST_LINES: usize = 20;

/// The run, with what broke first and its evidence folded away; less than 1 MB, whatever
/// the run.
pub fn job_summary(record: &Record, context: &Context<'_>, disputes: &[Dispute]) -> String {
    let mut summary = Summary::new(disputes);
    summary.add(&Event::Header(record.header.clone()));
    record.results.iter().for_each(|result| summary.add_result(result));
    record.footer.iter().for_each(|footer| summary.add(&Event::Footer(footer.clone())));
    let mut page = Page::new(&summary.sentence());
    page.add(&numbers(record, context));
    for (verdicts, title) in SECTIONS {
        section(&mut page, title, verdicts, record, context);
    }
    page.add(&actions(&summary));
    if !summary.skips.is_empty() {
        page.list("Skipped", false, counted(&summary.skips), 0);
    }
    let readings: Vec<_> = summary.readings().collect();
    if !readings.is_empty() {
        page.list("What the target answered where sources disagree", false, lines(readings), 0);
    }
    let footer = record.footer.iter().flat_map(|footer| footer.leftovers.iter().cloned());
    let left: Vec<_> = summary.leftovers.iter().map(|(case, what)| format!("{case}: {what}")).chain(footer).collect();
    if !left.is_empty() {
        page.list("Left behind on the target", true, lines(left), 0);
    }
    page.finish()
}

/// Worst first.
const SECTIONS: [(&[Verdict], &str); 4] = [
    (&[Verdict::Fail], "Broken"),
    (&[Verdict::UnexpectedPass], "Passed against a known failure"),
    (&[Verdict::NotTestable, Verdict::Indeterminate], "Could not be judged"),
    (&[Verdict::Warn], "In doubt"),
];

fn numbers(record: &Record, context: &Context<'_>) -> String {
    let count = Standings::of(context.catalog, &record.results).count(|_| true);
    let (conforming, judged, all) = (count.conforming(), count.judged(), count.all());
    let of = |part: usize, whole: usize| {
        format!("**{}** ({} of {})", percent(part, whole), grouped(part as u64), grouped(whole as u64))
    };
    format!(
        "{} of the requirements that were judged conform; {} of all requirements could be judged.\n",
        of(conforming, judged),
        of(judged, all)
    )
}

fn lines(texts: Vec<String>) -> impl Iterator<Item = String> {
    texts.into_iter().map(|text| format!("- {}\n", prose(&text)))
}

fn counted(entries: &indexmap::IndexMap<String, usize>) -> impl Iterator<Item = String> {
    entries.iter().map(|(entry, number)| format!("- {}: {}\n", prose(entry), count(*number, "case")))
}

/// The results of these verdicts under their causes, the cause with most cases first.
fn section(page: &mut Page, title: &str, verdicts: &[Verdict], record: &Record, context: &Context<'_>) {
    let mut by_cause: BTreeMap<&str, Vec<&CaseResult>> = BTreeMap::new();
    let results = record.results.iter().filter(|result| verdicts.contains(&result.verdict));
    let mut all = 0;
    for result in results {
        all += 1;
        by_cause.entry(cause(result)).or_default().push(result);
    }
    if by_cause.is_empty() {
        return;
    }
    page.add(&format!("#### {title}: {}\n", count(all, "case")));
    let mut causes: Vec<_> = by_cause.into_iter().collect();
    causes.iter_mut().for_each(|(_, cases)| cases.sort_by_key(|result| (severity(result.verdict), &result.case)));
    causes.sort_by_key(|(cause, cases)| (std::cmp::Reverse(cases.len()), *cause));
    for (cause, cases) in causes {
        page.add(&of_cause(cause, &cases, context));
    }
}

fn of_cause(cause: &str, cases: &[&CaseResult], context: &Context<'_>) -> String {
    let statement = context.catalog.get(cause).map(|requirement| requirement.statement.as_str());
    let title = format!("{}: {}", count(cases.len(), "case"), statement.unwrap_or(cause));
    let mut block = folded(&title, false);
    if statement.is_some() {
        // Writing to a string cannot fail.
        let _ = write!(block, "{}\n\n", code(cause));
    }
    let (full, rest) = cases.split_at(MOST_IN_FULL.min(cases.len()));
    for result in full.iter().filter(|result| result.was_begun()) {
        block += &fence(&strip_str(&failure(result, context)).to_string());
        block.push('\n');
    }
    for result in rest.iter().take(MOST_LINES) {
        let short = short(result);
        let short = if short.is_empty() { short } else { format!(": {}", code(&short)) };
        let _ = writeln!(block, "- {}{short}", code(&result.case));
    }
    let more = rest.len().saturating_sub(MOST_LINES);
    if more > 0 {
        let _ = writeln!(block, "- … {}", count(more, "more case"));
    }
    block.trim_end().to_owned() + "\n\n</details>\n"
}

fn actions(summary: &Summary) -> String {
    let columns: Vec<_> = Verdict::ALL.into_iter().filter(|verdict| summary.total.of(*verdict) > 0).collect();
    let names: Vec<_> = columns.iter().map(|verdict| verdict.name()).collect();
    let mut block = folded("By action", false);
    let _ = write!(block, "| action | {} | cases |\n|---|{}---:|\n", names.join(" | "), "---:|".repeat(names.len()));
    for (action, tally) in &summary.actions {
        let numbers: Vec<_> = columns.iter().map(|verdict| tally.of(*verdict).to_string()).collect();
        let _ = writeln!(block, "| {} | {} | {} |", cell(action), numbers.join(" | "), tally.cases());
    }
    block + "\n</details>\n"
}

#[cfg(test)]
mod tests {
    use super::super::md::MOST_BYTES;
    use super::super::samples;
    use super::{Context, Record, job_summary};
    use crate::judge::Verdict;
    use crate::run::CaseResult;

    fn told(results: Vec<CaseResult>) -> String {
        let record =
            Record { header: samples::header(results.len()), footer: Some(samples::footer(&results)), results };
        let (catalog, target) = (samples::catalog(), samples::target());
        let context = Context { catalog: &catalog, target: &target, signing_service: "s", rerun: "syncspec run" };
        job_summary(&record, &context, &samples::service().disputes)
    }

    #[test]
    fn what_broke_comes_first() {
        let verdicts = Verdict::ALL.iter().enumerate();
        let mut results: Vec<_> =
            verdicts.map(|(index, verdict)| samples::result(&format!("a/{index}"), *verdict)).collect();
        results.extend([samples::result("a/8", Verdict::Fail), samples::result("a/9", Verdict::Warn)]);
        let text = told(results);
        let mut fenced = false;
        let outside = text.lines().filter(|line| {
            fenced ^= line.starts_with("```");
            !fenced && !line.is_empty() && *line != "```" && *line != "</details>"
        });
        insta::assert_snapshot!(outside.collect::<Vec<_>>().join("\n"), @r#"
        ### 2 of 10 cases failed on my-emulator (http://127.0.0.1:4566) in 0.8 s, 1 passed against a known failure, 2 could not be judged
        **0 %** (0 of 2) of the requirements that were judged conform; **18.1 %** (2 of 11) of all requirements could be judged.
        #### Broken: 2 cases
        <details><summary>2 cases: a change made to an old version of an item is refused</summary>
        `PutItem/rule/stale`
        - `a/8`: `status: expected 409, got 200 (PutItem/rule/stale)`
        #### Passed against a known failure: 1 case
        <details><summary>1 case: known failure: versions are not built yet</summary>
        #### Could not be judged: 2 cases
        <details><summary>1 case: step 1 (PutItem): status was 500, not 200</summary>
        <details><summary>1 case: step 2 (PutItem): the connection was cut</summary>
        #### In doubt: 2 cases
        <details><summary>2 cases: each change raises the item's version by one</summary>
        `PutItem/rule/version-grows`
        - `a/9`: `status: expected 409, got 200 (PutItem/rule/version-grows)`
        <details><summary>By action</summary>
        | action | pass | warn | fail | expected-fail | unexpected-pass | skipped | not-testable | indeterminate | cases |
        |---|---:|---:|---:|---:|---:|---:|---:|---:|---:|
        | `PutItem` | 1 | 2 | 2 | 1 | 1 | 1 | 1 | 1 | 10 |
        <details><summary>Skipped</summary>
        - the target lacks lambda: 1 case
        <details><summary>What the target answered where sources disagree</summary>
        - do versions grow by one? another answer: 200
        "#);
        assert!(text.contains("```text\nFAIL a/2\n") && text.contains("curl -i -X PUT"), "{text}");
    }

    #[test]
    fn it_stays_below_what_github_takes() {
        let result = |number: usize| {
            let mut result = samples::result(&format!("a/{number}"), Verdict::Fail);
            result.findings[0].requirement = format!("PutItem/rule/{number}");
            result.findings[0].actual = "long ".repeat(2_000);
            result
        };
        let text = told((0..2_000).map(result).collect());
        assert!(text.len() <= MOST_BYTES, "{}", text.len());
        assert!(text.contains("sections found no room here"), "{}", &text[text.len() - 500..]);
    }
}
