//! `syncspec target`: begins a target file, and says what works with one.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, Write as _};

use serde_json::{Value, json};

use super::args::{CheckArgs, Format, InitArgs};
use super::output::Output;
use super::target_check::{Checked, State, examine};
use super::{Exit, NOT_JUDGED, inspect, open};
use crate::report::quote;
use crate::target::TEMPLATE;

pub(super) fn init(args: &InitArgs, output: &Output) -> Result<u8, Exit> {
    let path = args.file.display();
    let problem = |error: &io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => Exit::usage(format!("{path} is there already; choose another name")),
        _ => Exit::usage(format!("cannot write {path}: {error}")),
    };
    let mut file = OpenOptions::new().write(true).create_new(true).open(&args.file).map_err(|error| problem(&error))?;
    file.write_all(TEMPLATE.as_bytes()).map_err(|error| problem(&error))?;
    let quoted = quote(&path.to_string());
    output.text(&format!(
        "wrote {path}\nFill in endpoint, pool and credentials, then: syncspec target check --target {quoted}\n"
    ));
    Ok(0)
}

pub(super) fn check(args: &CheckArgs, output: &Output) -> Result<u8, Exit> {
    let suite = open::suite(&args.suite)?;
    let checked = open::runtime()?.block_on(examine(args, &suite))?;
    match args.format {
        Format::Text => output.text(&text(&checked)),
        Format::Json => inspect::print_json(output, &document(&checked))?,
    }
    Ok(if checked.is_well() { 0 } else { NOT_JUDGED })
}

fn text(checked: &Checked) -> String {
    let mut text = format!("target {}, {}, region {}\n\n", checked.target, checked.endpoint, checked.region);
    let mut pool = None;
    for line in &checked.lines {
        if line.pool.is_some() && line.pool != pool {
            pool.clone_from(&line.pool);
            // Writing to a `String` cannot fail.
            let _ = writeln!(text, "      pool {}", line.pool.as_deref().unwrap_or_default());
        }
        let indent = if line.pool.is_some() { "  " } else { "" };
        let state = match line.state {
            State::Ok => "ok  ",
            State::Note => "note",
            State::Problem => "FAIL",
        };
        let _ = writeln!(text, "{state}  {indent}{}: {}", line.what, line.detail);
    }
    text.push('\n');
    for (reason, cases) in &checked.skipped {
        let _ = writeln!(text, "{cases:>5}  skipped: {reason}");
    }
    let _ = writeln!(text, "{} of {} cases have what they need", checked.runnable, checked.cases);
    text
}

fn document(checked: &Checked) -> Value {
    let line = |line: &super::target_check::Line| {
        let state = match line.state {
            State::Ok => "ok",
            State::Note => "note",
            State::Problem => "problem",
        };
        json!({ "state": state, "pool": line.pool, "what": line.what, "detail": line.detail })
    };
    let skipped = |(reason, cases): (&String, &usize)| json!({ "reason": reason, "cases": cases });
    json!({
        "target": checked.target,
        "endpoint": checked.endpoint,
        "region": checked.region,
        "ok": checked.is_well(),
        "checks": checked.lines.iter().map(line).collect::<Vec<_>>(),
        "identities": checked.identities,
        "cases": checked.cases,
        "runnable": checked.runnable,
        "skipped": checked.skipped.iter().map(skipped).collect::<Vec<_>>(),
    })
}
