//! What a run comes to against a server that misbehaves, one behaviour after the other:
//! prints the table of `docs/hostile.md`.
//!
//! `cargo bench --bench hostile -- NAME` tries those whose name holds NAME.

use std::process::Command;

#[path = "../tests/support/hostile/mod.rs"]
mod hostile;

use hostile::behaviours::Behaviour;
use hostile::{BEHAVIOURS, Ended, TIMEOUT, complaints, run};

/// Longest text in a cell, in characters.
const LONGEST: usize = 150;

fn main() {
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let (mut rows, mut wrong) = (Vec::new(), Vec::new());
    for behaviour in BEHAVIOURS.iter().filter(|behaviour| behaviour.name.contains(&filter)) {
        let ended = runtime.block_on(run(env!("CARGO_BIN_EXE_syncspec"), behaviour));
        wrong.extend(complaints(behaviour, &ended));
        rows.push(row(behaviour, &ended));
    }
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let text = format!(
        "{} behaviours, `--timeout {TIMEOUT}`, 16 cases at a time (4 where it begins later); syncspec {} (release), {}, {cores} cores.\n\n\
         | name | what the server does | exit | what the run says | s | MiB |\n|---|---|---:|---|---:|---:|\n{}",
        rows.len(),
        env!("CARGO_PKG_VERSION"),
        rustc(),
        rows.concat()
    );
    #[expect(clippy::print_stdout, reason = "a bench tells what it measured")]
    {
        println!("{text}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn row(behaviour: &Behaviour, ended: &Ended) -> String {
    let code = ended.code.map_or_else(|| "killed".to_owned(), |code| code.to_string());
    let peak = ended.peak.map_or_else(|| "?".to_owned(), |kib| (kib / 1024).to_string());
    let took = ended.took.as_secs_f64();
    let Behaviour { name, about, .. } = behaviour;
    format!("| {name} | {about} | {code} | {} | {took:.1} | {peak} |\n", says(ended))
}

fn says(ended: &Ended) -> String {
    if ended.record.is_empty() {
        return cell(ended.stderr.trim());
    }
    let mut parts = vec![ended.totals()];
    parts.extend(ended.stopped().map(|stopped| format!("stopped: {}", cell(stopped))));
    let said = ended.said();
    parts.extend((!said.is_empty() && ended.stopped().is_none()).then(|| cell(&said)));
    parts.extend((ended.throttled() > 0).then(|| format!("{} answers throttled", ended.throttled())));
    parts.join("; ")
}

/// One line that a table can hold.
fn cell(text: &str) -> String {
    let port = regex::Regex::new(r"127\.0\.0\.1:\d+").expect("it compiles");
    let text = port.replace_all(text, "127.0.0.1:…").into_owned();
    let shown: String = text.chars().take(LONGEST).collect::<String>().escape_debug().to_string();
    let more = if text.chars().count() > LONGEST { "…" } else { "" };
    format!("{}{more}", shown.replace("\\\"", "\"").replace("\\'", "'").replace('|', "\\|").replace('<', "\\<"))
}

fn rustc() -> String {
    let version = Command::new("rustc").arg("--version").output().ok();
    let version = version.and_then(|output| String::from_utf8(output.stdout).ok()).unwrap_or_default();
    version.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}
