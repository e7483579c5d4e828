//! Cases that did not pass, as text for the author of the endpoint, who may
//! never have seen the suite.

use std::collections::HashSet;
use std::iter;

use super::curl::{curl, quote};
use super::text::{BAD, BOLD, DIM, count, duration, excerpt, indent, printable, styled, verdict_style};
use super::{compare, exchange};
use crate::judge::{Finding, Level, SNAPSHOT, Verdict};
use crate::run::{CaseResult, RecordedExchange, TargetSummary};
use crate::spec::Catalog;

/// Most exchanges shown for one case; findings of later steps name the step.
const MOST_EXCHANGES: usize = 3;
/// Most steps listed in short; earlier ones are counted.
const MOST_STEPS: usize = 20;
/// Longest name of such a step, in characters.
const MOST_LABEL: usize = 60;
/// Most cases listed in a line each; more would push the summary's start off screen
/// and say nothing new.
const MOST_LINES: usize = 40;
/// Longest line in a list of cases, in characters.
const MOST_CHARS: usize = 160;

/// What a text about a result needs to know beside the result.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Says in plain words what requirement ids mean.
    pub catalog: &'a Catalog,
    /// The target of the run.
    pub target: &'a TargetSummary,
    /// Service name in the SigV4 credential scope.
    pub signing_service: &'a str,
    /// The command that a case's id is added to in order to run it alone, such
    /// as `syncspec run --target t.toml`, quoted for a shell.
    pub rerun: &'a str,
}

/// All that a person needs to understand one result and to see it again.
pub fn failure(result: &CaseResult, context: &Context<'_>) -> String {
    let reason = result.reason.iter().map(|reason| indent(&printable(reason), "  "));
    let exchanges = evident(result).into_iter().map(|exchange| on_the_wire(exchange, result, context));
    let leftovers = result.leftovers.iter().map(|leftover| format!("\n  left behind: {}\n", printable(leftover)));
    let again = format!("\n  {}\n  {} {}\n", styled(DIM, "this case alone:"), context.rerun, quote(&result.case));
    iter::once(headline(result))
        .chain(reason)
        .chain([findings(result, context), steps(result)])
        .chain(exchanges)
        .chain(leftovers)
        .chain([again])
        .chain((result.verdict == Verdict::Fail).then(|| known_failure(result)))
        .collect()
}

fn known_failure(result: &CaseResult) -> String {
    let title = styled(DIM, "or, when it is known, in the target file:");
    format!("\n  {title}\n{}", indent(&known_failure_entry(result), "  "))
}

/// The lines that make a target file expect this failure.
pub(super) fn known_failure_entry(result: &CaseResult) -> String {
    format!("[[known-failure]]\ncase = {:?}\nreason = \"…\"\n", result.case)
}

fn on_the_wire(exchange: &RecordedExchange, result: &CaseResult, context: &Context<'_>) -> String {
    let wire = indent(&exchange::exchange(exchange, &wanted(result, exchange)), "  ");
    // What the server sent, it has to send itself.
    if exchange.collaborator.is_some() {
        return format!("\n{wire}");
    }
    let command = curl(exchange, context.target, context.signing_service);
    // The command begins at the left: a quoted body may have lines of its own.
    format!("\n{wire}  {}\n{}", styled(DIM, "the same request with curl:"), printable(&command))
}

/// The results that call for attention, worst first: `most` of them in full, the
/// rest one line each. A broken requirement is shown in full once before any is
/// shown twice, so that one cause with many victims hides no other.
///
/// Passed, skipped and expectedly failed cases are left out.
pub fn failures<'r>(results: impl IntoIterator<Item = &'r CaseResult>, most: usize, context: &Context<'_>) -> String {
    let sorted = worst_first(results);
    let (full, rest) = sorted.split_at(most.min(sorted.len()));
    let mut sections: Vec<_> = full.iter().map(|result| failure(result, context)).collect();
    if !rest.is_empty() {
        let title = count(rest.len(), if full.is_empty() { "case" } else { "more case" });
        let more = rest.len().saturating_sub(MOST_LINES);
        let more = (more > 0).then(|| format!("  {}\n", styled(DIM, format_args!("… {more} more, in the report"))));
        let lines: String = rest.iter().take(MOST_LINES).map(|result| one_line(result)).chain(more).collect();
        sections.push(format!("{}\n{lines}", styled(BOLD, title)));
    }
    sections.join("\n")
}

/// How much attention a verdict calls for; none for those that call for none.
pub(super) fn severity(verdict: Verdict) -> Option<u8> {
    match verdict {
        Verdict::Fail => Some(0),
        Verdict::UnexpectedPass => Some(1),
        Verdict::Indeterminate => Some(2),
        Verdict::NotTestable => Some(3),
        Verdict::Warn => Some(4),
        Verdict::Pass | Verdict::ExpectedFail | Verdict::Skipped => None,
    }
}

fn worst_first<'r>(results: impl IntoIterator<Item = &'r CaseResult>) -> Vec<&'r CaseResult> {
    let mut sorted: Vec<_> =
        results.into_iter().filter_map(|result| severity(result.verdict).map(|rank| (rank, result))).collect();
    sorted.sort_by_key(|(rank, result)| (*rank, &result.case));
    let mut seen = HashSet::new();
    let mut sorted: Vec<_> =
        (sorted.into_iter()).map(|(rank, result)| (rank, !seen.insert((rank, cause(result))), result)).collect();
    sorted.sort_by_key(|(rank, again, result)| (*rank, *again, cause(result)));
    sorted.into_iter().map(|(.., result)| result).collect()
}

/// The finding that weighs most, the first of several.
fn worst(result: &CaseResult) -> Option<&Finding> {
    result.findings.iter().rev().max_by_key(|finding| finding.level)
}

/// What results of one cause have in common: the requirement, or the reason.
pub(super) fn cause(result: &CaseResult) -> &str {
    worst(result).map(|finding| finding.requirement.as_str()).or(result.reason.as_deref()).unwrap_or_default()
}

fn verdict(result: &CaseResult) -> String {
    styled(verdict_style(result.verdict), result.verdict.name().to_uppercase())
}

fn headline(result: &CaseResult) -> String {
    let about = result.about.iter().map(|about| format!("  {}\n", printable(about)));
    let place = format!("{}, {}, {}", result.origin, result.protocol, duration(result.duration_us));
    let place = format!("  {}\n", styled(DIM, place));
    iter::once(format!("{} {}\n", verdict(result), styled(BOLD, &result.case))).chain(about).chain([place]).collect()
}

/// A result in a list: verdict, case, and what came of it in short.
fn one_line(result: &CaseResult) -> String {
    format!("  {} {}  {}\n", verdict(result), result.case, short(result))
}

/// What came of a result, in one short line without styles.
pub(super) fn short(result: &CaseResult) -> String {
    let why = match worst(result) {
        Some(Finding { at, requirement, origin, .. }) if requirement == SNAPSHOT => {
            format!("{at} differs from {origin}")
        }
        Some(Finding { at, expected, actual, requirement, .. }) => {
            format!("{at}: expected {expected}, got {actual} ({requirement})")
        }
        None => result.reason.clone().unwrap_or_default(),
    };
    excerpt(&printable(&why).replace('\n', " "), MOST_CHARS, 0)
}

/// The findings under the requirements that they break. Without findings, the
/// requirements that the case proves.
fn findings(result: &CaseResult, context: &Context<'_>) -> String {
    if result.findings.is_empty() {
        return result.requirements.iter().map(|id| requirement(id, context)).collect();
    }
    let mut text = String::new();
    let mut told: Vec<&str> = Vec::new();
    for id in result.findings.iter().map(|finding| finding.requirement.as_str()) {
        if told.contains(&id) {
            continue;
        }
        told.push(id);
        text += &requirement(id, context);
        for finding in result.findings.iter().filter(|finding| finding.requirement == id) {
            text += &self::finding(finding, result);
        }
    }
    text
}

/// A requirement in plain words, and what makes us sure of it.
fn requirement(id: &str, context: &Context<'_>) -> String {
    if id == SNAPSHOT {
        let statement = "The answer is what it was when its snapshot was recorded.";
        return format!("\n  {}\n", styled(BOLD, statement));
    }
    let Some(requirement) = context.catalog.get(id) else {
        return format!("\n  {}\n  {}\n", styled(BOLD, id), styled(DIM, "not in this version's catalogue"));
    };
    let dispute = requirement.dispute.as_ref().map(|dispute| format!("; sources disagree, see dispute `{dispute}`"));
    let sources = requirement.sources.join("; ");
    let grounds = format!("{} in: {sources}{}", requirement.strength, dispute.unwrap_or_default());
    format!("\n  {}\n  {}\n  {}\n", styled(BOLD, &requirement.statement), styled(DIM, id), styled(DIM, grounds))
}

fn finding(finding: &Finding, result: &CaseResult) -> String {
    let level = match finding.level {
        Level::Fail => "",
        Level::Warn => " (warning)",
        Level::Note => " (note, not judged)",
    };
    let label = result.exchanges.iter().find(|exchange| exchange.step == finding.step);
    let label = label.map(|exchange| format!(" {}", printable(&exchange.label))).unwrap_or_default();
    format!(
        "\n    step {}{label}, {}{level}\n{}{}",
        finding.step,
        printable(&finding.at),
        indent(&compare::comparison(&finding.expected, &finding.actual), "      "),
        indent(&styled(DIM, format_args!("expected at {}", finding.origin)), "      "),
    )
}

/// The exchanges that explain the result: those of the steps with findings; else
/// the last one, which is where a case without findings came to an end.
pub(super) fn evident(result: &CaseResult) -> Vec<&RecordedExchange> {
    let has_finding = |step| result.findings.iter().any(|finding| finding.step == step);
    let of_findings: Vec<_> =
        result.exchanges.iter().filter(|exchange| has_finding(exchange.step)).take(MOST_EXCHANGES).collect();
    if of_findings.is_empty() { result.exchanges.last().into_iter().collect() } else { of_findings }
}

/// How the case came to where it ended: each step in a line. Nothing when the
/// exchanges that are shown in full say it already.
fn steps(result: &CaseResult) -> String {
    if result.exchanges.len() <= evident(result).len() {
        return String::new();
    }
    let earlier = result.exchanges.len().saturating_sub(MOST_STEPS);
    let width = result.exchanges.iter().map(|exchange| label(exchange).chars().count()).max().unwrap_or(0);
    let earlier_line = (earlier > 0).then(|| format!("    {}\n", styled(DIM, count(earlier, "earlier step"))));
    let lines = result.exchanges.iter().skip(earlier).map(|exchange| step(exchange, result, width));
    let title = format!("\n  {}\n", styled(DIM, "the steps:"));
    iter::once(title).chain(earlier_line).chain(lines).collect()
}

fn label(exchange: &RecordedExchange) -> String {
    excerpt(&printable(&exchange.label), MOST_LABEL, 0)
}

fn step(exchange: &RecordedExchange, result: &CaseResult, width: usize) -> String {
    let label = label(exchange);
    let outcome = outcome(exchange);
    let fixture = exchange.fixture.iter().map(|name| format!("  {}", styled(DIM, format_args!("fixture {name}"))));
    let differs = result.findings.iter().any(|finding| finding.step == exchange.step && finding.level > Level::Note);
    let mark = differs.then(|| format!("  {}", styled(BAD, "not as expected")));
    let line = format!("    {:>2}  {label:<width$}  {outcome}", exchange.step);
    iter::once(line).chain(fixture).chain(mark).chain(["\n".to_owned()]).collect()
}

/// What came of a step in a word or two.
pub(super) fn outcome(exchange: &RecordedExchange) -> String {
    match &exchange.response {
        Some(response) => response.status.to_string(),
        None if exchange::is_nothing(exchange) => "nothing arrived".to_owned(),
        None => "no answer".to_owned(),
    }
}

/// Names of the headers that findings of this step are about, in lower case.
fn wanted(result: &CaseResult, exchange: &RecordedExchange) -> Vec<String> {
    (result.findings.iter())
        .filter(|finding| finding.step == exchange.step)
        .filter_map(|finding| finding.at.strip_prefix("header "))
        .map(str::to_ascii_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use anstream::adapter::strip_str;
    use rstest::rstest;

    use super::super::samples;
    use super::{Context, failure, failures};
    use crate::judge::{Level, Verdict};
    use crate::run::CaseResult;

    fn with_context<T>(act: impl FnOnce(&Context<'_>) -> T) -> T {
        let (catalog, target) = (samples::catalog(), samples::target());
        let rerun = "syncspec run --target t.toml";
        act(&Context { catalog: &catalog, target: &target, signing_service: "item-store", rerun })
    }

    fn plain(result: &CaseResult) -> String {
        with_context(|context| strip_str(&failure(result, context)).to_string())
    }

    #[test]
    fn a_failure_tells_all() {
        insta::assert_snapshot!(plain(&samples::result("put-item/count/stale", Verdict::Fail)), @r#"
        FAIL put-item/count/stale
          cases/put-item/count.toml:12:1, rest-json, 1.2 ms

          a change made to an old version of an item is refused
          PutItem/rule/stale
          documented in: Item Store Guide; Item Store model

            step 2 PutItem, status
              expected  409
              actual    200
              expected at cases/put-item/count.toml:20:18

          the steps:
             1  PutItem  200
             2  PutItem  200  not as expected

          step 2, PutItem, signed by identity, 612 µs
          > PUT /items/my%20item?mode=1
          > Content-Type: application/json
          > (5 routine headers not shown)
          >
          > {
          >   "Text": "it's",
          >   "Count": 0
          > }
          < 200
          < content-type: application/json
          < x-request-id: r-1
          < (1 routine header not shown)
          <
          < {
          <   "Version": 2,
          <   "Tags": []
          < }
          the same request with curl:
        curl -i -X PUT \
          --aws-sigv4 'aws:amz:us-east-1:item-store' \
          --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \
          -H 'Content-Type: application/json' \
          -H "X-Amz-Security-Token: $AWS_SESSION_TOKEN" \
          --data-binary '{"Text":"it'\''s","Count":0}' \
          'http://127.0.0.1:4566/items/my%20item?mode=1'

          this case alone:
          syncspec run --target t.toml put-item/count/stale

          or, when it is known, in the target file:
          [[known-failure]]
          case = "put-item/count/stale"
          reason = "…"
        "#);
    }

    #[test]
    fn a_snapshot_is_shown_as_a_diff() {
        let mut result = samples::result("put-item/count/stale", Verdict::Warn);
        result.findings[0].at = "snapshot".to_owned();
        result.findings[0].expected = "{\n  \"Version\": 1\n}".to_owned();
        result.findings[0].actual = "{\n  \"Version\": 2\n}".to_owned();
        let text = plain(&result);
        assert!(text.contains("step 2 PutItem, snapshot (warning)\n      - expected  + actual\n"), "{text}");
        assert!(text.contains("      -   \"Version\": 1\n      +   \"Version\": 2\n"), "{text}");
        assert!(text.contains("sources disagree, see dispute `versions`"), "{text}");
    }

    #[rstest]
    #[case(Verdict::NotTestable, "NOT-TESTABLE put-item/x")]
    #[case(Verdict::Indeterminate, "INDETERMINATE put-item/x")]
    #[case(Verdict::Skipped, "SKIPPED put-item/x")]
    #[case(Verdict::ExpectedFail, "EXPECTED-FAIL put-item/x")]
    #[case(Verdict::UnexpectedPass, "UNEXPECTED-PASS put-item/x")]
    fn other_verdicts_say_why(#[case] verdict: Verdict, #[case] headline: &str) {
        let result = samples::result("put-item/x", verdict);
        let text = plain(&result);
        assert!(text.starts_with(headline), "{text}");
        assert!(text.contains(result.reason.as_deref().unwrap()), "{text}");
        assert!(text.contains("a change made to an old version of an item is refused"), "{text}");
    }

    #[test]
    fn an_unknown_requirement_is_named_all_the_same() {
        let mut result = samples::result("put-item/x", Verdict::Fail);
        result.findings[0].requirement = "PutItem/rule/gone".to_owned();
        assert!(plain(&result).contains("  PutItem/rule/gone\n  not in this version's catalogue\n"));
    }

    #[test]
    fn a_long_list_is_cut() {
        let results: Vec<_> = (0..50).map(|index| samples::result(&format!("a/{index}"), Verdict::Fail)).collect();
        let text = with_context(|context| strip_str(&failures(&results, 0, context)).to_string());
        assert_eq!(text.lines().count(), 42, "{text}");
        assert!(text.starts_with("50 cases\n") && text.ends_with("  … 10 more, in the report\n"), "{text}");
    }

    #[test]
    fn a_list_shows_each_cause_once_before_any_twice() {
        let mut other = samples::result("z/other-cause", Verdict::Fail);
        other.findings[0] = samples::finding(Level::Fail, 1);
        other.findings[0].requirement = "PutItem/error/StaleException".to_owned();
        let results = [
            samples::result("a/warned", Verdict::Warn),
            samples::result("a/passed", Verdict::Pass),
            samples::result("b/first", Verdict::Fail),
            samples::result("b/second", Verdict::Fail),
            samples::result("b/cut", Verdict::Indeterminate),
            other,
        ];
        let text = with_context(|context| strip_str(&failures(&results, 2, context)).to_string());
        let full: Vec<_> = text.lines().filter(|line| line.starts_with("FAIL ")).collect();
        assert_eq!(full, ["FAIL z/other-cause", "FAIL b/first"]);
        insta::assert_snapshot!(text[text.find("3 more").unwrap()..].to_owned(), @r#"
        3 more cases
          FAIL b/second  status: expected 409, got 200 (PutItem/rule/stale)
          INDETERMINATE b/cut  step 2 (PutItem): the connection was cut
          WARN a/warned  status: expected 409, got 200 (PutItem/rule/version-grows)
        "#);
    }
}
