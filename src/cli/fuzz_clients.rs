//! `syncspec fuzz --clients K`: several clients at once, and whether what they saw
//! can have been.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;

use super::args::{Format, FuzzArgs};
use super::interrupt::interruption;
use super::open::Opened;
use super::output::{Output, place_for, unwritable, write_atomically};
use super::{Exit, NOT_JUDGED, inspect, journal, open, worst};
use crate::client::Client;
use crate::fuzz::{ClientSettings, Faults, Finished, Part, Shares, Verdict, fuzz_clients, in_words, timeline};
use crate::journal::Ledger;
use crate::judge::Level;
use crate::target::Target;

/// What the clients saw cannot have been.
const FAILED: u8 = 1;

/// How long the clients work when nobody says.
const TIME: Duration = Duration::from_secs(10);

pub(super) async fn run(args: &FuzzArgs, clients: u16, seed: u64, output: &Output) -> Result<u8, Exit> {
    args.timeline.iter().try_for_each(|file| place_for(file, |_| false))?;
    let Opened { target, server, interrupted, .. } = open::target(&args.target).await?;
    let target = Arc::new(target);
    let ended = on(&target, server.is_some(), args, clients, seed, output, interrupted).await;
    open::close(&target, server, output).await;
    ended
}

/// Fuzzes a target with credentials at hand.
async fn on(
    target: &Arc<Target>,
    is_embedded: bool,
    args: &FuzzArgs,
    clients: u16,
    seed: u64,
    output: &Output,
    interrupted: Option<watch::Receiver<bool>>,
) -> Result<u8, Exit> {
    let timeout = args.timeout.length();
    let client = Client::to(target, timeout).map_err(Exit::usage)?;
    open::reachable(&client, target).await?;
    let faults = match args.faults {
        true => Some(Faults::start(client.clone(), Shares::default(), seed).await.map_err(Exit::usage)?),
        false => None,
    };
    let through = match &faults {
        Some(faults) => Client::open(&faults.endpoint(), timeout).map_err(Exit::usage)?,
        None => client.clone(),
    };
    let run_id = open::run_id()?;
    let ledger = match is_embedded {
        true => Ledger::default(),
        false => Ledger::written(journal::begin(target, &run_id, &args.target, interrupted.as_ref(), output).await?),
    };
    let last_words = ledger.is_written().then(|| journal::when_left(&args.target));
    let settings = ClientSettings {
        clients: clients.into(),
        time: args.time.unwrap_or(TIME),
        seed,
        // A write is only sent again where nothing is deleted meanwhile.
        deletions: if args.faults { 0 } else { ClientSettings::default().deletions },
        cancel: Some(interrupted.unwrap_or_else(|| interruption(last_words))),
        ledger: Arc::new(ledger),
        ..ClientSettings::default()
    };
    let name = format!("{}-{run_id}", target.prefix);
    let finished = fuzz_clients(Arc::clone(target), &client, &through, &name, &settings, |_| {}).await;
    journal::closed(settings.ledger.close(), &args.target, output);
    let finished = finished.map_err(Exit::usage)?;
    let drawn = drawn(&finished, args.timeline.as_deref());
    match args.format {
        Format::Text => output.text(&text(&drawn, clients, seed, &finished, faults.as_ref())),
        Format::Json => inspect::print_json(output, &document(seed, &finished, faults.as_ref()))?,
    }
    let code = exit_code(&finished, args.strict);
    drawn.map_or_else(|exit| Err(Exit { code: worst([code, exit.code]), ..exit }), |_| Ok(code))
}

/// Draws what does not fit together, if that was asked for; the file.
fn drawn<'f>(finished: &Finished, file: Option<&'f Path>) -> Result<Option<&'f Path>, Exit> {
    let (Verdict::Inconsistent(part), Some(file)) = (&finished.verdict, file) else { return Ok(None) };
    let written = write_atomically(file, timeline(&finished.history, part).as_bytes());
    written.map(|()| Some(file)).map_err(|error| Exit::usage(unwritable(file, &error)))
}

/// What has proven nothing must not look green.
fn exit_code(finished: &Finished, strict: bool) -> u8 {
    match &finished.verdict {
        Verdict::Inconsistent(part) if part.level() == Level::Fail || strict => FAILED,
        Verdict::Unknown { .. } => NOT_JUDGED,
        Verdict::Consistent(counts) if counts.overlapping == 0 => NOT_JUDGED,
        Verdict::Inconsistent(_) | Verdict::Consistent(_) => 0,
    }
}

fn text(
    drawn: &Result<Option<&Path>, Exit>,
    clients: u16,
    seed: u64,
    finished: &Finished,
    faults: Option<&Faults>,
) -> String {
    let mut text = String::new();
    let mut line = |line: std::fmt::Arguments<'_>| {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "{line}");
    };
    match &finished.verdict {
        Verdict::Consistent(_) => {
            line(format_args!("What the clients saw fits together: one order explains every answer."))
        }
        Verdict::Unknown { why } => {
            line(format_args!("Whether what the clients saw fits together could not be told: {why}"))
        }
        Verdict::Inconsistent(part) => {
            let level = if part.level() == Level::Fail { "FAIL" } else { "WARN" };
            line(format_args!("{level} {}", part.requirement));
            line(format_args!("{}", in_words(&finished.history, part).trim_end()));
            match drawn {
                Ok(Some(file)) => line(format_args!("drawn in {}", file.display())),
                Ok(None) => line(format_args!("(--timeline FILE draws it)")),
                // That it could not be is told at the end.
                Err(_) => {}
            }
        }
    }
    let counts = &finished.counts;
    line(format_args!(
        "{clients} clients, {} calls in {:.1} s: {} writes made, {} conflicts, {} listings, {} without an answer, {} sent again",
        counts.operations,
        finished.elapsed.as_secs_f64(),
        counts.written,
        counts.conflicts,
        counts.listings,
        counts.unknown,
        finished.retried,
    ));
    if let Some(faults) = faults {
        let of = |count: &std::sync::atomic::AtomicU64| count.load(Ordering::Relaxed);
        let tally = faults.tally();
        line(format_args!(
            "of {} requests, {} were cut before they were passed on, {} after they were answered, {} answered late",
            of(&tally.requests),
            of(&tally.cut_before),
            of(&tally.cut_after),
            of(&tally.delayed)
        ));
    }
    line(format_args!("{}", counts.proof()));
    line(format_args!("seed {seed}; what clients do at the same time comes out differently each time"));
    text
}

fn document(seed: u64, finished: &Finished, faults: Option<&Faults>) -> Value {
    let counts = &finished.counts;
    let (verdict, part): (&str, Option<&Part>) = match &finished.verdict {
        Verdict::Consistent(_) => ("consistent", None),
        Verdict::Inconsistent(part) => ("inconsistent", Some(part)),
        Verdict::Unknown { .. } => ("unknown", None),
    };
    json!({
        "seed": seed,
        "verdict": verdict,
        "why": match &finished.verdict { Verdict::Unknown { why } => Some(why), _ => None },
        "requirement": part.map(|part| part.requirement),
        "reason": part.map(|part| in_words(&finished.history, part)),
        "operations": counts.operations,
        "written": counts.written,
        "conflicts": counts.conflicts,
        "listings": counts.listings,
        "unknown": counts.unknown,
        "overlapping": counts.overlapping,
        "retried": finished.retried,
        "cut": faults.map(|faults| {
            let tally = faults.tally();
            tally.cut_before.load(Ordering::Relaxed) + tally.cut_after.load(Ordering::Relaxed)
        }),
        "seconds": finished.elapsed.as_secs_f64(),
    })
}
