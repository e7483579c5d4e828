//! `syncspec fuzz --mutants`: what it takes to find each server that breaks a rule of
//! the sync counts, as a table in Markdown.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::sync::watch;

use super::args::{Format, FuzzArgs};
use super::output::Output;
use super::{Exit, NOTHING_SELECTED, fuzz, inspect, open};
use crate::cases::Suite;
use crate::fuzz::{CaseFile, Endpoints, Found, Replayed, Report};
use crate::judge::Verdict;
use crate::plan::Plan;
use crate::prove::{Alteration, Kind, alterations};
use crate::reference::Server;
use crate::run::{CaseResult, Settings, results};
use crate::source::matches;
use crate::spec::{Catalog, Service};
use crate::target::{Target, embedded_world};

/// Operations whose rules sequences are about.
const OPERATIONS: [&str; 6] =
    ["UpdateRecords", "ListRecords", "DeleteDataset", "DescribeDataset", "ListDatasets", "DescribeIdentityUsage"];

/// For an answer to a replayed case.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Mutants, `*` standing for any text, that no sequence can show.
const NOT_SHOWN: &[(&str, &str)] = &[
    ("account-is-*", "sequences are signed by identities"),
    ("deleted-fill-quota", "it takes twenty deletions on one identity"),
];

/// A mutant was not found.
const MISSED: u8 = 1;

pub(super) async fn hunt_all(args: &FuzzArgs, filter: &str, seed: u64, output: &Output) -> Result<u8, Exit> {
    let selected: Vec<Alteration> = alterations(Service::embedded())
        .into_iter()
        .filter(|alteration| alteration.kind == Kind::Mutant && is_of_sync(alteration))
        .filter(|alteration| not_shown(alteration).is_none())
        .filter(|alteration| alteration.is_meant(filter))
        .collect();
    if selected.is_empty() {
        let message = format!("no mutant of the rules of records and datasets matches `{filter}`");
        return Err(Exit { code: NOTHING_SELECTED, message });
    }
    let mut rows = Vec::new();
    for alteration in selected {
        let report = hunt(args, &alteration, seed).await?;
        let case = match the_finding(&alteration, &report) {
            Some(found) => Some(keeps(found, &alteration).await?),
            None => None,
        };
        let row = Row { alteration, report, case };
        output.note(&row.line());
        rows.push(row);
    }
    let missed = rows.iter().filter(|row| row.report.findings.is_empty()).count();
    match args.format {
        Format::Text => output.text(&table(&rows)),
        Format::Json => {
            let rows: Vec<_> = rows
                .iter()
                .map(|Row { alteration, report, case }| {
                    let found = the_finding(alteration, report);
                    json!({
                        "mutant": alteration.name,
                        "found": found.map(|found| found.requirement),
                        "sequences": found.map(|found| found.number + 1),
                        "shrunk": found.map(|found| found.sequence.0.len()),
                        "case": case,
                        "seconds": report.took.as_secs_f64(),
                    })
                })
                .collect();
            inspect::print_json(output, &json!({ "seed": seed, "mutants": rows }))?;
        }
    }
    Ok(if missed == 0 { 0 } else { MISSED })
}

/// Whether a mutant breaks a rule, in prose, of an operation that sequences use.
fn is_of_sync(alteration: &Alteration) -> bool {
    let of_sync = |id: &String| id.split_once("/rule/").is_some_and(|(operation, _)| OPERATIONS.contains(&operation));
    alteration.requirements.iter().any(of_sync)
}

/// Why no sequence shows a mutant, if none does.
fn not_shown(alteration: &Alteration) -> Option<&'static str> {
    NOT_SHOWN.iter().find(|(name, _)| matches(name, &alteration.name)).map(|(_, why)| *why)
}

/// Fuzzes one altered server until it is found.
async fn hunt(args: &FuzzArgs, alteration: &Alteration, seed: u64) -> Result<Report, Exit> {
    let (server, target) = start(alteration).await?;
    let timeout = args.timeout.length();
    let endpoints = Arc::new(Endpoints::connect(target, timeout, open::run_id()?).map_err(Exit::usage)?);
    let (_going_on, cancel) = watch::channel(false);
    let report = crate::fuzz::fuzz(&endpoints, &fuzz::settings(args, seed, Duration::ZERO), cancel, |_| {}).await;
    server.shutdown().await;
    Ok(report)
}

/// The finding that names what the mutant breaks, or else the first.
fn the_finding<'a>(alteration: &Alteration, report: &'a Report) -> Option<&'a Found> {
    let names = |found: &&Found| alteration.requirements.iter().any(|id| id == found.requirement);
    report.findings.iter().find(names).or(report.findings.first())
}

/// Whether a finding's case does what it is for: fails on the mutant for the same
/// requirement, and passes on the reference. Else what it does.
async fn keeps(found: &Found, mutant: &Alteration) -> Result<String, Exit> {
    let there = replay(&found.case, mutant).await?;
    let here = replay(&found.case, &Alteration::control()).await?;
    let again = there.findings.iter().any(|finding| finding.requirement == found.requirement);
    Ok(match (again, here.verdict) {
        (true, Verdict::Pass) => "fails there, passes here".to_owned(),
        (_, verdict) => format!("{} there, {verdict} here", there.verdict),
    })
}

/// The result of a case on a server of its own.
async fn replay(case: &CaseFile, alteration: &Alteration) -> Result<CaseResult, Exit> {
    let path = format!("{}.toml", case.stem);
    let files = [("_base.toml", Suite::shipped_bases()), (path.as_str(), case.text.as_str())];
    let suite = Suite::from_texts(Service::embedded(), Catalog::embedded(), &files).map_err(Exit::usage)?;
    let (server, mut target) = start(alteration).await?;
    target.snapshots = None;
    let plan = Plan::new(&suite, &[], &target).map_err(Exit::usage)?;
    let session = open::session(target, TIMEOUT, false)?;
    let settings = Settings { jobs: 1, fail_fast: false, datasets_per_identity: 1 };
    let result = results(&session, plan, &suite.digest, settings).await.pop();
    server.shutdown().await;
    result.ok_or_else(|| Exit::usage("a written case gave no result"))
}

async fn start(alteration: &Alteration) -> Result<(Server, Target), Exit> {
    let world = embedded_world();
    let server = alteration.serve(([127, 0, 0, 1], 0).into(), world.clone());
    let problem = |error| Exit::usage(format!("the server `{}` cannot start: {error}", alteration.name));
    let server = server.await.map_err(problem)?;
    let target = Target::embedded(&world, &server.endpoint());
    Ok((server, target))
}

fn table(rows: &[Row]) -> String {
    let mut text = String::from(
        "| mutant | found by | sequences | operations | shrunk to | attempts | seconds | the case |\n\
         |---|---|---:|---:|---:|---:|---:|---|\n",
    );
    for row in rows {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "{}", row.line());
    }
    let found = rows.iter().filter(|row| !row.report.findings.is_empty()).count();
    let _ = writeln!(text, "\n{found} of {} mutants found. Not tried:\n", rows.len());
    for (name, why) in NOT_SHOWN {
        let _ = writeln!(text, "- `{name}`: {why}");
    }
    text
}

/// A mutant, and what it took to find it.
struct Row {
    alteration: Alteration,
    report: Report,
    /// What becomes of the case that was written.
    case: Option<String>,
}

impl Row {
    fn line(&self) -> String {
        let Self { alteration, report, case } = self;
        let name = &alteration.name;
        let Some(found) = the_finding(alteration, report) else {
            let (sequences, seconds) = (report.sequences, report.took.as_secs_f64());
            return format!("| {name} | not found | {sequences} | | | | {seconds:.1} | |");
        };
        let named = alteration.requirements.iter().any(|id| id == found.requirement);
        let other = if named { "" } else { " (another rule)" };
        let flaky = if found.replayed == Replayed::Flaky { ", flaky" } else { "" };
        let (until_found, shrinking) = found.took;
        format!(
            "| {name} | `{}`{other}{flaky} | {} | {} | {} | {} | {:.1} | {} |",
            found.requirement,
            found.number + 1,
            found.length,
            found.sequence.0.len(),
            found.attempts,
            (until_found + shrinking).as_secs_f64(),
            case.as_deref().unwrap_or_default(),
        )
    }
}
