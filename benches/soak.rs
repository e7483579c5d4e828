//! Whether anything grows in a process that runs the suite for a long time: memory, open
//! files and sockets, threads. The embedded server begins anew with each round, and the
//! harness does not. A round holds more in its middle than between two; what remains is the
//! least of some rounds.
//!
//! `cargo bench --bench soak` takes ten minutes, `-- 60` one; `benches/README.md` says
//! what was measured. Linux only: it reads `/proc`.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// Several rounds, of which the least is what remains.
const WINDOW: Duration = Duration::from_secs(10);

/// What is looked at.
#[derive(Debug, Clone, Copy)]
struct Sample {
    /// Minutes since the start.
    at: f64,
    /// Resident memory in KiB.
    memory: f64,
    /// Open files, sockets included.
    files: usize,
    threads: usize,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let seconds: u64 = match arguments.as_slice() {
        [] => 600,
        [seconds] => seconds.parse().expect("seconds"),
        other => panic!("{other:?}: give seconds, or nothing"),
    };
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_syncspec"));
    command.args(["run", "--quiet", "--no-progress", "--repeat", &format!("{seconds}s"), "--report-dir"]);
    command.arg(folder.path()).stdout(Stdio::null());
    let begun = Instant::now();
    let mut process = command.spawn().expect("it starts");
    let mut samples = Vec::new();
    let status = loop {
        std::thread::sleep(PAUSE);
        if let Some(status) = process.try_wait().expect("it can be looked at") {
            break status;
        }
        samples.extend(sample(process.id(), begun.elapsed()));
    };
    assert!(status.success(), "the suite did not pass: {status}");
    let rounds = fs::read_dir(folder.path()).expect("the reports").count();
    // What is filled once is filled in the first quarter.
    let steady = &samples[samples.len() / 4..];
    tell(rounds, begun.elapsed(), steady);
}

/// None while the process ends.
fn sample(process: u32, at: Duration) -> Option<Sample> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let number = |name: &str| -> Option<f64> {
        status.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
    };
    let files = fs::read_dir(format!("/proc/{process}/fd")).ok()?.count();
    let threads = fs::read_dir(format!("/proc/{process}/task")).ok()?.count();
    Some(Sample { at: at.as_secs_f64() / 60.0, memory: number("VmRSS:")?, files, threads })
}

#[expect(clippy::print_stdout, reason = "a bench tells what it measured")]
fn tell(rounds: usize, took: Duration, steady: &[Sample]) {
    let (first, last) = steady.split_at(steady.len() / 2);
    println!("{rounds} rounds in {:.0} s; the last three quarters of it:\n", took.as_secs_f64());
    println!("| | first half: least, median, most | second half |\n|---|---:|---:|");
    let row = |name: &str, of: &dyn Fn(&Sample) -> f64| {
        let cells = |half: &[Sample]| {
            let mut values: Vec<f64> = half.iter().map(of).collect();
            values.sort_by(f64::total_cmp);
            format!("{:.0}, {:.0}, {:.0}", values[0], values[values.len() / 2], values[values.len() - 1])
        };
        println!("| {name} | {} | {} |", cells(first), cells(last));
    };
    row("resident memory, MiB", &|sample| sample.memory / 1024.0);
    row("open files and sockets", &|sample| sample.files as f64);
    row("threads", &|sample| sample.threads as f64);
    println!("\nslope of what remains: {:+.0} KiB a minute", slope(&least(steady)));
}

/// The sample of the least memory in each window.
fn least(samples: &[Sample]) -> Vec<Sample> {
    let window = |sample: &Sample| (sample.at * 60.0 / WINDOW.as_secs_f64()).floor();
    let windows = samples.chunk_by(|a, b| window(a).total_cmp(&window(b)).is_eq());
    windows.filter_map(|window| window.iter().min_by(|a, b| a.memory.total_cmp(&b.memory)).copied()).collect()
}

/// The least squares fit of memory over time.
fn slope(samples: &[Sample]) -> f64 {
    let count = samples.len() as f64;
    let mean = |of: &dyn Fn(&Sample) -> f64| samples.iter().map(of).sum::<f64>() / count;
    let (at, memory) = (mean(&|sample| sample.at), mean(&|sample| sample.memory));
    let covariance: f64 = samples.iter().map(|sample| (sample.at - at) * (sample.memory - memory)).sum();
    let variance: f64 = samples.iter().map(|sample| (sample.at - at).powi(2)).sum();
    covariance / variance
}
