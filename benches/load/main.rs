//! The reference server under load, beside a handler that gives everybody the same
//! answer, and what its data takes in memory.
//!
//! `cargo bench --bench load` prints the tables of `benches/README.md`; `-- --quick`
//! takes one short round. Servers are processes of their own.

#[path = "../../tests/support/calls.rs"]
#[expect(dead_code, reason = "a bench needs no developer, and sends by itself")]
mod calls;
#[path = "../scale/endpoint.rs"]
mod endpoint;
#[path = "../scale/measure.rs"]
#[expect(dead_code, reason = "the other bench measures processes that end")]
mod measure;
mod rate;
mod server;
mod wire;

use std::time::Duration;

use endpoint::Endpoint;
use rate::{Rate, Work};
use server::Served;

/// What the handler answers that knows nothing: all that a client could look for.
const CONSTANT: &str =
    r#"{"Count":20,"DatasetSyncCount":1,"SyncSessionToken":"none","Records":[{"SyncCount":1}],"filler":""}"#;

/// Records of each dataset that is listed.
const LISTED: usize = 20;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [endpoint::NAME, latency, answer] => endpoint::serve(latency, answer),
        ["--quick"] => measure_all(1, Duration::from_millis(500), 20),
        [] => measure_all(5, Duration::from_secs(3), 1_000),
        other => panic!("{other:?}: give nothing, or --quick"),
    }
}

/// So many rounds of this length, and then so many datasets of 1,000 records.
fn measure_all(rounds: usize, length: Duration, datasets: usize) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    say(
        "| what | requests a second | beside the constant handler | median | 99 of 100 within |\n|---|---:|---:|---:|---:|",
    );
    for work in Work::ALL {
        let served = Served::start(1, rate::CONNECTIONS);
        runtime.block_on(served.fill(1, LISTED, rate::CONNECTIONS));
        let constant = Endpoint::start(Duration::ZERO, CONSTANT);
        let mut pairs: Vec<(Rate, Rate)> = (0..rounds)
            .map(|_| {
                let bare = runtime.block_on(rate::measure(work, &served.at(&constant.address), length));
                (bare, runtime.block_on(rate::measure(work, &served.target, length)))
            })
            .collect();
        pairs.sort_by(|a, b| (a.1.per_second / a.0.per_second).total_cmp(&(b.1.per_second / b.0.per_second)));
        let (bare, reference) = pairs[rounds / 2];
        say(&format!("| {}: the constant handler | {bare} |", work.name(), bare = bare.cells(None)));
        say(&format!("| … the reference server | {} |", reference.cells(Some(&bare))));
    }
    memory(&runtime, datasets);
}

/// Resident memory before and after.
fn memory(runtime: &tokio::runtime::Runtime, datasets: usize) {
    const RECORDS: usize = 1_000;
    say("\n| the server holds | resident memory | each | written in |\n|---|---:|---:|---:|");
    for (datasets, records) in [(datasets, 1), (datasets, RECORDS)] {
        let served = Served::start(1, datasets.div_ceil(server::DATASETS));
        let before = served.memory();
        let begun = std::time::Instant::now();
        runtime.block_on(served.fill(datasets.min(server::DATASETS), records, datasets.div_ceil(server::DATASETS)));
        let (took, after) = (begun.elapsed(), served.memory());
        let count = datasets * records;
        let each = (after - before) as f64 / count as f64;
        let what = if records == 1 { "datasets of one record" } else { "records, 1,000 in each dataset" };
        let mebibytes = after as f64 / f64::from(1 << 20);
        say(&format!("| {count} {what} | {mebibytes:.0} MiB | {each:.0} bytes | {:.1} s |", took.as_secs_f64()));
    }
}

#[expect(clippy::print_stdout, reason = "a bench tells what it measured")]
fn say(line: &str) {
    println!("{line}");
}
