//! What broke, in a screen: what a failed run says before all evidence.

use super::broken::{Cause, Dead, causes};
use super::curl::quote;
use super::failure::{Context, brief, statement};
use super::summary::Summary;
use super::text::{BOLD, DIM, count, excerpt, grouped, hanging, printable, styled, wrapped};
use crate::judge::Verdict;
use crate::run::CaseResult;

/// Most broken rules; a first screen has some 24 lines.
const MOST_RULES: usize = 5;
/// Most reasons why cases could not be judged.
const MOST_REASONS: usize = 2;
/// Longest reason, in characters.
const MOST_CHARS: usize = 160;

/// What broke in plain words, the most important first, each with a command that shows
/// it again. Nothing when nothing did. Prose has at most `width` characters on a line.
pub fn overview<'r>(
    summary: &Summary,
    results: impl IntoIterator<Item = &'r CaseResult>,
    context: &Context<'_>,
    width: usize,
) -> String {
    let (mut failed, mut unjudged) = (Vec::new(), Vec::new());
    for result in results {
        match result.verdict {
            Verdict::Fail => failed.push(result),
            Verdict::NotTestable | Verdict::Indeterminate => unjudged.push(result),
            _ => {}
        }
    }
    if failed.is_empty() && unjudged.is_empty() {
        return String::new();
    }
    let dead = Dead::of(summary);
    let title = if failed.is_empty() { "what went wrong:" } else { "what broke, the most important first:" };
    let parts = [
        styled(BOLD, title) + "\n",
        dead_actions(&dead, &failed, context, width),
        rules(&causes(failed, &dead, context.catalog), context, width),
        reasons(&unjudged, &dead, context, width),
    ];
    parts.concat()
}

fn dead_actions(dead: &Dead<'_>, failed: &[&CaseResult], context: &Context<'_>, width: usize) -> String {
    if dead.actions.is_empty() {
        return String::new();
    }
    let names: Vec<_> = dead.actions.iter().map(|(action, _)| printable(action)).collect();
    let verb = if names.len() == 1 { "does not work" } else { "do not work" };
    let words = wrapped(&format!("{} {verb}: {}", names.join(", "), dead.says()), width, "  ");
    let words: String = words.lines().map(|line| styled(BOLD, line) + "\n").collect();
    let of_dead = |result: &&&CaseResult| dead.actions.iter().any(|(action, _)| result.action == *action);
    let first = failed.iter().filter(of_dead).min_by_key(|result| &result.case);
    words + &first.map(|first| again(first, context)).unwrap_or_default()
}

/// The command that shows a case again. It is never broken.
fn again(result: &CaseResult, context: &Context<'_>) -> String {
    format!("     {} {}\n", styled(DIM, context.rerun), quote(&result.case))
}

fn rules(causes: &[Cause<'_>], context: &Context<'_>, width: usize) -> String {
    let own: Vec<_> = causes.iter().filter(|cause| !cause.is_explained).collect();
    let told = own.iter().take(MOST_RULES).enumerate().map(|(index, cause)| rule(index + 1, cause, context, width));
    let more = own.len().saturating_sub(MOST_RULES);
    let more = (more > 0).then(|| wrapped(&format!("… {}", count(more, "more broken rule")), width, "  "));
    let explained = causes.len() - own.len();
    let explained = (explained > 0).then(|| {
        let (rules, are) = (count(explained, "rule"), if explained == 1 { "is" } else { "are" });
        wrapped(&format!("{rules} {are} broken for no other reason than that this does not work"), width, "  ")
    });
    // What only follows from dead actions belongs right below them.
    explained.into_iter().chain(told).chain(more).collect()
}

fn rule(number: usize, cause: &Cause<'_>, context: &Context<'_>, width: usize) -> String {
    let Some(first) = cause.results.first() else { return String::new() };
    let words = match cause.is_requirement {
        true => statement(&cause.cause, context),
        false => printable(&cause.cause).into_owned(),
    };
    let came = brief(first);
    let came = if came.is_empty() { count(cause.results.len(), "case") } else { counted(cause, &came) };
    let words = hanging(&words, width, &format!("  {number}. "), "     ");
    let words: String = words.lines().map(|line| styled(BOLD, line) + "\n").collect();
    words + &wrapped(&came, width, "     ") + &again(first, context)
}

fn counted(cause: &Cause<'_>, came: &str) -> String {
    format!("{}; {came}", count(cause.results.len(), "case"))
}

fn reasons(unjudged: &[&CaseResult], dead: &Dead<'_>, context: &Context<'_>, width: usize) -> String {
    if unjudged.is_empty() {
        return String::new();
    }
    let causes = causes(unjudged.iter().copied(), dead, context.catalog);
    let title = wrapped(&format!("{} could not be judged:", count(unjudged.len(), "case")), width, "  ");
    let reason = |cause: &Cause<'_>| {
        let reason = excerpt(&printable(&cause.cause).replace('\n', " "), MOST_CHARS, 0);
        hanging(&format!("{}: {reason}", grouped(cause.results.len() as u64)), width, "     ", "       ")
    };
    let more = causes.len().saturating_sub(MOST_REASONS);
    let more = (more > 0).then(|| format!("     … {}\n", count(more, "more reason")));
    [title].into_iter().chain(causes.iter().take(MOST_REASONS).map(reason)).chain(more).collect()
}

#[cfg(test)]
mod tests {
    use anstream::adapter::strip_str;
    use rstest::rstest;

    use super::super::samples;
    use super::super::summary::Summary;
    use super::overview;
    use crate::judge::Verdict;
    use crate::report::Context;
    use crate::run::{CaseResult, Event};

    fn told(results: &[CaseResult], width: usize) -> String {
        let summary =
            Summary::of(&results.iter().map(|result| Event::Result(Box::new(result.clone()))).collect::<Vec<_>>());
        let (catalog, target) = (samples::catalog(), samples::target());
        let rerun = "syncspec run --target t.toml";
        let context = Context { catalog: &catalog, target: &target, signing_service: "item-store", rerun };
        strip_str(&overview(&summary, results, &context, width)).to_string()
    }

    /// One rule broken in two cases, an action that does nothing, and cases without a
    /// verdict.
    fn results() -> Vec<CaseResult> {
        let mut results: Vec<_> = [Verdict::Pass, Verdict::Fail, Verdict::Fail, Verdict::NotTestable]
            .iter()
            .enumerate()
            .map(|(index, verdict)| samples::result(&format!("put-item/count/{index}"), *verdict))
            .collect();
        for index in 0..3 {
            let mut result = samples::result(&format!("scan/{index}"), Verdict::Fail);
            result.action = "Scan".to_owned();
            result.findings[0].requirement = format!("Scan/rule/{index}");
            result.findings[0].actual = "501 not built yet".to_owned();
            results.push(result);
        }
        results
    }

    #[test]
    fn what_broke_is_told_in_a_screen() {
        insta::assert_snapshot!(told(&results(), 80), @r#"
        what broke, the most important first:
          Scan does not work: no case passed, 3 failed, mostly with 501
             syncspec run --target t.toml scan/0
          3 rules are broken for no other reason than that this does not work
          1. PutItem: a change made to an old version of an item is refused
             2 cases; status: expected 409, got 200
             syncspec run --target t.toml put-item/count/1
          1 case could not be judged:
             1: step 1 (PutItem): status was 500, not 200
        "#);
    }

    #[rstest]
    fn prose_fits_any_width(#[values(40, 60, 80, 200)] width: usize) {
        let text = told(&results(), width);
        let copied = |line: &&str| line.contains("syncspec run");
        let long: Vec<_> =
            text.lines().filter(|line| !copied(line)).filter(|line| line.chars().count() > width).collect();
        assert!(long.is_empty(), "{long:#?}");
    }

    #[test]
    fn nothing_is_told_when_nothing_broke() {
        assert_eq!(told(&[samples::result("a", Verdict::Pass), samples::result("b", Verdict::Skipped)], 80), "");
    }
}
