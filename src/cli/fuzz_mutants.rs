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
use crate::fuzz::{Endpoints, Found, Replayed, Report};
use crate::prove::{Alteration, Kind, alterations};
use crate::reference::Server;
use crate::source::matches;
use crate::spec::Service;
use crate::target::{Target, embedded_world};

/// Operations whose rules sequences are about.
const OPERATIONS: [&str; 6] =
    ["UpdateRecords", "ListRecords", "DeleteDataset", "DescribeDataset", "ListDatasets", "DescribeIdentityUsage"];

/// A mutant was not found.
const MISSED: u8 = 1;

pub(super) async fn run(args: &FuzzArgs, filter: &str, seed: u64, output: &Output) -> Result<u8, Exit> {
    let fits = |text: &str| if filter.contains('*') { matches(filter, text) } else { text.contains(filter) };
    let selected: Vec<Alteration> = alterations(Service::embedded())
        .into_iter()
        .filter(|alteration| alteration.kind == Kind::Mutant && is_of_sync(alteration))
        .filter(|alteration| fits(&alteration.name) || alteration.requirements.iter().any(|id| fits(id)))
        .collect();
    if selected.is_empty() {
        let message = format!("no mutant of the rules of records and datasets matches `{filter}`");
        return Err(Exit { code: NOTHING_SELECTED, message });
    }
    let mut rows = Vec::new();
    for alteration in selected {
        let report = hunt(args, &alteration, seed).await?;
        output.note(&row(&alteration, &report));
        rows.push((alteration, report));
    }
    let missed = rows.iter().filter(|(_, report)| report.findings.is_empty()).count();
    match args.format {
        Format::Text => output.text(&table(&rows)),
        Format::Json => {
            let rows: Vec<_> = rows
                .iter()
                .map(|(alteration, report)| {
                    let found = the_finding(alteration, report);
                    json!({
                        "mutant": alteration.name,
                        "found": found.map(|found| found.requirement),
                        "sequences": found.map(|found| found.number + 1),
                        "shrunk": found.map(|found| found.sequence.0.len()),
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

/// Fuzzes one altered server until it is found.
async fn hunt(args: &FuzzArgs, alteration: &Alteration, seed: u64) -> Result<Report, Exit> {
    let (service, world) = (Arc::new(alteration.service(Service::embedded())), embedded_world());
    let server =
        Server::start_altered(([127, 0, 0, 1], 0).into(), service, world.clone(), alteration.departure()).await;
    let server =
        server.map_err(|error| Exit::usage(format!("the server `{}` cannot start: {error}", alteration.name)))?;
    let target = Target::embedded(&world, &server.endpoint());
    let timeout = Duration::from_secs(args.timeout);
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

fn table(rows: &[(Alteration, Report)]) -> String {
    let mut text = String::from(
        "| mutant | found by | sequences | operations | shrunk to | attempts | seconds |\n|---|---|---:|---:|---:|---:|---:|\n",
    );
    for (alteration, report) in rows {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "{}", row(alteration, report));
    }
    let found = rows.iter().filter(|(_, report)| !report.findings.is_empty()).count();
    let _ = writeln!(text, "\n{found} of {} mutants found", rows.len());
    text
}

fn row(alteration: &Alteration, report: &Report) -> String {
    let name = &alteration.name;
    let Some(found) = the_finding(alteration, report) else {
        return format!("| {name} | not found | {} | | | | {:.1} |", report.sequences, report.took.as_secs_f64());
    };
    let other = if alteration.requirements.iter().any(|id| id == found.requirement) { "" } else { " (another rule)" };
    let flaky = if found.replayed == Replayed::Flaky { ", flaky" } else { "" };
    let (until_found, shrinking) = found.took;
    format!(
        "| {name} | `{}`{other}{flaky} | {} | {} | {} | {} | {:.1} |",
        found.requirement,
        found.number + 1,
        found.length,
        found.sequence.0.len(),
        found.attempts,
        (until_found + shrinking).as_secs_f64(),
    )
}
