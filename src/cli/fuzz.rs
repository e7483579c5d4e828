//! `syncspec fuzz`: what sequences of operations find on a target.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::watch;

use super::args::{Format, FuzzArgs};
use super::open::Opened;
use super::output::{Output, write_atomically};
use super::{
    Exit, NOT_JUDGED, NOTHING_SELECTED, fuzz_clients, fuzz_mutants, inspect, interrupt::interruption, journal, open,
    worst,
};
use crate::cases::Suite;
use crate::client::Client;
use crate::fuzz::{Budget, CaseFile, Endpoints, Found, Progress, Replayed, Report, Settings, fuzz};
use crate::judge::Level;
use crate::target::Target;

/// Something is not as it must be.
const FAILED: u8 = 1;

/// How often a line is printed on how far it has come.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// How long figures of usage may lag behind on somebody else's server.
const LAG: Duration = Duration::from_secs(5);

pub(super) fn run(args: &FuzzArgs, output: &Output) -> Result<u8, Exit> {
    let seed = match args.seed {
        Some(seed) => seed,
        None => u64::from(getrandom::u32().map_err(|error| Exit::usage(format!("no random numbers: {error}")))?),
    };
    open::runtime()?.block_on(async {
        match &args.mutants {
            Some(filter) => fuzz_mutants::hunt_all(args, filter, seed, output).await,
            None => match args.clients {
                Some(clients) => fuzz_clients::run(args, clients, seed, output).await,
                None => target(args, seed, output).await,
            },
        }
    })
}

pub(super) fn settings(args: &FuzzArgs, seed: u64, lag: Duration) -> Settings {
    Settings {
        sequences: args.sequences,
        steps: args.steps.into(),
        seed,
        time: args.time,
        jobs: args.jobs.into(),
        budget: Budget::default(),
        lag,
    }
}

async fn target(args: &FuzzArgs, seed: u64, output: &Output) -> Result<u8, Exit> {
    let Opened { target, server, interrupted, .. } = open::target(&args.target).await?;
    let opened = target.clone();
    let ended = on(target, server.is_some(), args, seed, output, interrupted).await;
    open::close(&opened, server, output).await;
    ended
}

/// Fuzzes a target with credentials at hand.
async fn on(
    target: Target,
    is_embedded: bool,
    args: &FuzzArgs,
    seed: u64,
    output: &Output,
    interrupted: Option<watch::Receiver<bool>>,
) -> Result<u8, Exit> {
    let timeout = args.timeout.length();
    let lag = if is_embedded { Duration::ZERO } else { LAG };
    let client = Client::to(&target, timeout).map_err(Exit::usage)?;
    open::reachable(&client, &target).await?;
    let run_id = open::run_id()?;
    let journal = match is_embedded {
        true => None,
        false => Some(journal::begin(&target, &run_id, &args.target, interrupted.as_ref(), output).await?),
    };
    let last_words = journal.as_ref().map(|_| journal::when_left(&args.target));
    let endpoints = Endpoints::connect(target, timeout, run_id).map_err(Exit::usage)?;
    let endpoints = Arc::new(match journal {
        Some(journal) => endpoints.journalled(journal),
        None => endpoints,
    });
    let interrupted = interrupted.unwrap_or_else(|| interruption(last_words));
    let quiet = args.format == Format::Json;
    let mut last_line = Instant::now();
    let told = |progress: Progress| {
        if !quiet && last_line.elapsed() >= LINE_EVERY {
            last_line = Instant::now();
            output.note(&progress_line(progress, args.sequences));
        }
    };
    let report = fuzz(&endpoints, &settings(args, seed, lag), interrupted, told).await;
    journal::closed(endpoints.close_journal(), &args.target, output);
    let (mut written, mut unwritten) = (Vec::new(), None);
    if let Some(dir) = &args.write_case {
        // What cannot be written is printed instead.
        let cases = report.findings.iter().map(|found| write_case(dir, &found.case));
        written.extend(cases.map_while(|case| case.map_err(|exit| unwritten = Some(exit)).ok()));
    }
    match args.format {
        Format::Text => output.text(&text(args, seed, &report, &written)),
        Format::Json => inspect::print_json(output, &document(seed, &report, &written))?,
    }
    let code = exit_code(&report, args.strict);
    unwritten.map_or(Ok(code), |exit| Err(Exit { code: worst([code, exit.code]), ..exit }))
}

fn exit_code(report: &Report, strict: bool) -> u8 {
    let fails = |found: &Found| found.level == Level::Fail || strict && found.level == Level::Warn;
    if report.findings.iter().any(fails) {
        FAILED
    } else if report.sequences == 0 && report.indeterminate == 0 {
        NOTHING_SELECTED
    } else if report.indeterminate > 0 || report.stopped {
        NOT_JUDGED
    } else {
        0
    }
}

/// Writes a case into a folder of cases; the shipped base requests go beside it when
/// the folder has none. A file of the same name is left alone.
fn write_case(dir: &Path, case: &CaseFile) -> Result<PathBuf, Exit> {
    let problem = |path: &Path, error: std::io::Error| Exit::usage(format!("cannot write {}: {error}", path.display()));
    let bases = dir.join("_base.toml");
    let numbered = |number: u32| if number == 1 { String::new() } else { format!("-{number}") };
    let path = (1..).map(|number| dir.join(format!("{}{}.toml", case.stem, numbered(number))));
    let path = path.into_iter().find(|path| !path.exists()).unwrap_or_default();
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| problem(folder, error))?;
    }
    if !bases.exists() {
        write_atomically(&bases, Suite::shipped_bases().as_bytes()).map_err(|error| problem(&bases, error))?;
    }
    write_atomically(&path, case.text.as_bytes()).map_err(|error| problem(&path, error))?;
    Ok(path)
}

fn progress_line(progress: Progress, sequences: u64) -> String {
    let Progress { sequences: played, requests, findings, shrinking } = progress;
    let doing = if shrinking { ", looking for a smaller sequence" } else { "" };
    format!("{played} of {sequences} sequences, {requests} requests, {findings} found{doing}")
}

fn text(args: &FuzzArgs, seed: u64, report: &Report, written: &[PathBuf]) -> String {
    let mut text = String::new();
    let mut line = |line: std::fmt::Arguments<'_>| {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "{line}");
    };
    for (index, found) in report.findings.iter().enumerate() {
        let level = if found.level == Level::Fail { "FAIL" } else { "WARN" };
        line(format_args!("{level} {}", found.requirement));
        line(format_args!("  {} is {}", found.at, found.actual));
        line(format_args!("  expected {}", found.expected));
        let again = match found.replayed {
            Replayed::Reproduced => "reproduced twice",
            Replayed::Flaky => "flaky: it did not come again every time",
        };
        let (operations, smallest) = (found.length, found.sequence.0.len());
        line(format_args!(
            "  sequence {} of {operations} operations, shrunk to {smallest} in {} attempts; {again}",
            found.number, found.attempts
        ));
        for step in found.sequence.to_string().lines() {
            line(format_args!("    {step}"));
        }
        match written.get(index) {
            Some(path) => line(format_args!("  written to {}", path.display())),
            None => line(format_args!("  the case (--write-case DIR keeps it):\n{}", indented(&found.case.text))),
        }
    }
    for reason in &report.reasons {
        line(format_args!("not judged: {reason}"));
    }
    let seconds = report.took.as_secs_f64();
    line(format_args!(
        "{} sequences, {} requests in {seconds:.1} s; {} found, {} told nothing{}",
        report.sequences,
        report.tally.requests,
        report.findings.len(),
        report.indeterminate,
        if report.stopped { "; stopped" } else { "" },
    ));
    for exercised in exercised(report) {
        line(format_args!("{exercised}"));
    }
    let whose = match (&args.target.target, &args.target.endpoint) {
        (Some(file), _) => format!(" --target {}", file.display()),
        (None, Some(endpoint)) => format!(" --endpoint {endpoint}"),
        (None, None) => String::new(),
    };
    line(format_args!(
        "again: syncspec fuzz{whose} --seed {seed} --sequences {} --steps {}",
        args.sequences, args.steps
    ));
    text
}

/// What the fuzzing reached, so that a reader sees whether it was shallow.
fn exercised(report: &Report) -> Vec<String> {
    let tally = &report.tally;
    let tests: u64 = tally.rules.values().sum();
    let mut lines = vec![format!(
        "exercised: {} rules, {tests} times; {} conflicts, {} deletions, {} later pages, {} answers that are open",
        tally.rules.len(),
        tally.conflicts,
        tally.deletions,
        tally.later_pages,
        tally.open,
    )];
    lines.extend(tally.outcomes.iter().map(|(outcome, times)| format!("  {times:>8}  {outcome}")));
    lines
}

fn indented(text: &str) -> String {
    text.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("    {line}\n") }).collect()
}

fn document(seed: u64, report: &Report, written: &[PathBuf]) -> Value {
    let finding = |(index, found): (usize, &Found)| {
        json!({
            "requirement": found.requirement,
            "level": found.level,
            "at": found.at,
            "expected": found.expected,
            "actual": found.actual,
            "sequence": found.number,
            "operations": found.length,
            "shrunk": found.sequence.0.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "requests": found.requests,
            "attempts": found.attempts,
            "reproduced": found.replayed == Replayed::Reproduced,
            "case": found.case.text,
            "written": written.get(index),
        })
    };
    json!({
        "seed": seed,
        "sequences": report.sequences,
        "requests": report.tally.requests,
        "findings": report.findings.iter().enumerate().map(finding).collect::<Vec<_>>(),
        "indeterminate": report.indeterminate,
        "reasons": report.reasons,
        "stopped": report.stopped,
        "seconds": report.took.as_secs_f64(),
        "rules": report.tally.rules,
        "outcomes": report.tally.outcomes,
        "conflicts": report.tally.conflicts,
        "deletions": report.tally.deletions,
        "later-pages": report.tally.later_pages,
        "open": report.tally.open,
    })
}
