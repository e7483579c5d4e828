//! What the harness costs beside a bare loop of the same signed requests, as whole
//! processes: wall time, processor time and peak memory.
//!
//! `cargo bench --bench scale` measures everything and prints the table of
//! `benches/README.md`; `-- --quick` takes one round of the smaller rows, and
//! `SYNCSPEC_PROGRAM` (an absolute path) names another program to be measured. The bench
//! itself is also the bare loop and the endpoint that both talk to, each in a process of
//! its own.

mod bare;
mod endpoint;
mod measure;
mod suites;

use std::path::Path;
use std::time::Duration;

use endpoint::Endpoint;
use measure::{Cost, Table, child, medians, program};
use suites::Suite;

/// Cases under way at a time, on both sides.
const JOBS: usize = 16;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [endpoint::NAME, latency, answer] => endpoint::serve(latency, answer),
        ["bare", suite, endpoint] => bare::run(Path::new(suite), endpoint),
        ["--quick"] => compare(true),
        [] => compare(false),
        other => panic!("{other:?}: give nothing, or --quick"),
    }
}

/// One row after the other.
fn compare(quick: bool) {
    let rounds = if quick { 1 } else { 7 };
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let mut table = Table::begin();
    let (small, large) = (Suite::make(folder.path(), 1_000), Suite::make(folder.path(), 10_000));
    let endpoint = Endpoint::start(Duration::ZERO, &suites::answer());

    let [bare_fast, run, documents] = medians(
        rounds,
        [&|| bare(&large, &endpoint), &|| harness(&large, &endpoint, &[]), &|| {
            harness(&large, &endpoint, &["--junit", "run.xml", "--html=run.html"])
        }],
    );
    table.row("10,000 cases from 10,000 files: the bare loop", &bare_fast, None);
    table.row("… `syncspec run`, with `run.jsonl`", &run, Some((&bare_fast, "the bare loop")));
    table.row("… with JUnit and HTML too", &documents, Some((&run, "the run without")));

    let slow = Endpoint::start(Duration::from_millis(20), &suites::answer());
    let [bare_slow, run_slow] = medians(rounds, [&|| bare(&small, &slow), &|| harness(&small, &slow, &[])]);
    table.row("1,000 cases, 20 ms latency: the bare loop", &bare_slow, None);
    table.row("… `syncspec run`", &run_slow, Some((&bare_slow, "the bare loop")));

    if !quick {
        let huge = Suite::make(folder.path(), 100_000);
        let [run_huge] = medians(3, [&|| harness(&huge, &endpoint, &[])]);
        table.row("100,000 cases", &run_huge, Some((&run.times(10.0), "ten times 10,000")));
    }

    let home = folder.path();
    let alone = |arguments: &'static [&'static str]| move || child(program().args(arguments), home);
    let [help, list, one, whole] = medians(
        rounds * 3,
        [
            &alone(&["--help"]),
            &alone(&["list"]),
            &alone(&["run", "update-records/sync-count/stale-is-refused"]),
            &alone(&["run"]),
        ],
    );
    table.row("`syncspec --help`", &help, None);
    table.row("`syncspec list`", &list, None);
    table.row("`syncspec run` of one case, embedded server and all", &one, None);
    table.row("`syncspec run`, the shipped suite on the embedded server", &whole, None);
}

fn bare(suite: &Suite, endpoint: &Endpoint) -> Cost {
    let mut command = measure::this_program();
    child(command.arg("bare").arg(&suite.cases).arg(&endpoint.address), &suite.folder)
}

fn harness(suite: &Suite, endpoint: &Endpoint, flags: &[&str]) -> Cost {
    let target = suite.target(&endpoint.address);
    let mut command = program();
    command.arg("run").arg("--cases").arg(&suite.cases).arg("--target").arg(target);
    command.args(["--no-probe", "--jobs", &JOBS.to_string(), "--report-dir", "report"]).args(flags);
    child(&mut command, &suite.folder)
}
