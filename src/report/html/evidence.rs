//! All that the page says of one case that did not pass.

use super::difference::{Difference, difference};
use super::wire::{self, Line};
use crate::judge::{Finding, Level, Verdict};
use crate::report::curl::{curl, quote};
use crate::report::exchange::title;
use crate::report::failure::{Context, evident, known_failure_entry, outcome};
use crate::report::text::{duration, printable};
use crate::run::{CaseResult, RecordedExchange};

/// Most findings of one case.
const MOST_FINDINGS: usize = 12;

/// What the page says of one case.
pub(super) struct Evidence {
    pub(super) id: String,
    pub(super) verdict: &'static str,
    pub(super) about: String,
    pub(super) place: String,
    pub(super) reason: String,
    pub(super) findings: Vec<FindingView>,
    /// Findings that are not shown.
    pub(super) more_findings: usize,
    pub(super) steps: Vec<StepView>,
    pub(super) exchanges: Vec<ExchangeView>,
    pub(super) leftovers: Vec<String>,
    /// The command that runs this case alone.
    pub(super) rerun: String,
    /// The lines of a target file that expect this failure; empty when it did not
    /// fail.
    pub(super) known: String,
}

pub(super) struct FindingView {
    pub(super) place: String,
    pub(super) level: &'static str,
    pub(super) difference: Difference,
    pub(super) origin: String,
    pub(super) requirement: String,
}

/// A step in a line.
pub(super) struct StepView {
    pub(super) number: usize,
    pub(super) label: String,
    pub(super) outcome: String,
    pub(super) fixture: String,
    pub(super) differs: bool,
}

pub(super) struct ExchangeView {
    pub(super) title: String,
    pub(super) lines: Vec<Line>,
    /// Empty for what the target's server sent.
    pub(super) curl: String,
}

impl Evidence {
    pub(super) fn of(result: &CaseResult, context: &Context<'_>) -> Self {
        let failed = matches!(result.verdict, Verdict::Fail | Verdict::NotTestable);
        Self {
            id: result.case.clone(),
            verdict: result.verdict.name(),
            about: printable(result.about.as_deref().unwrap_or_default()).into_owned(),
            place: format!("{}, {}, {}", result.origin, result.protocol, duration(result.duration_us)),
            reason: printable(result.reason.as_deref().unwrap_or_default()).into_owned(),
            findings: result.findings.iter().take(MOST_FINDINGS).map(|finding| of_finding(finding, result)).collect(),
            more_findings: result.findings.len().saturating_sub(MOST_FINDINGS),
            steps: result.exchanges.iter().map(|exchange| of_step(exchange, result)).collect(),
            exchanges: evident(result).into_iter().map(|exchange| of_exchange(exchange, result, context)).collect(),
            leftovers: result.leftovers.iter().map(|leftover| printable(leftover).into_owned()).collect(),
            rerun: format!("{} {}", context.rerun, quote(&result.case)),
            known: if failed { known_failure_entry(result) } else { String::new() },
        }
    }
}

fn of_finding(finding: &Finding, result: &CaseResult) -> FindingView {
    let label = result.exchanges.iter().find(|exchange| exchange.step == finding.step);
    let label = label.map(|exchange| format!(" {}", printable(&exchange.label))).unwrap_or_default();
    FindingView {
        place: format!("step {}{label}, {}", finding.step, printable(&finding.at)),
        level: match finding.level {
            Level::Fail => "",
            Level::Warn => "warning",
            Level::Note => "note, not judged",
        },
        difference: difference(&finding.expected, &finding.actual),
        origin: finding.origin.clone(),
        requirement: finding.requirement.clone(),
    }
}

fn of_step(exchange: &RecordedExchange, result: &CaseResult) -> StepView {
    let differs = |finding: &Finding| finding.step == exchange.step && finding.level > Level::Note;
    StepView {
        number: exchange.step,
        label: printable(&exchange.label).into_owned(),
        outcome: outcome(exchange),
        fixture: exchange.fixture.clone().unwrap_or_default(),
        differs: result.findings.iter().any(differs),
    }
}

fn of_exchange(exchange: &RecordedExchange, result: &CaseResult, context: &Context<'_>) -> ExchangeView {
    let here = result.findings.iter().filter(|finding| finding.step == exchange.step);
    let at: Vec<_> = here.map(|finding| finding.at.as_str()).collect();
    // What the server sent, it has to send itself.
    let curl = match exchange.collaborator {
        None => curl(exchange, context.target, context.signing_service),
        Some(_) => String::new(),
    };
    ExchangeView { title: title(exchange), lines: wire::lines(exchange, &at), curl: printable(&curl).into_owned() }
}
