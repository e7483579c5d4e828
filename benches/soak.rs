//! Whether anything grows in a process that runs the suite for a long time: memory, open
//! files and sockets, threads. The embedded server begins anew with each round, and the
//! harness does not. A round holds more in its middle than between two; what remains is the
//! least of some rounds. What is resident is what the allocator has not given back yet, so
//! what is allocated is counted too.
//!
//! `cargo bench --bench soak` takes ten minutes, `-- 120` two; `benches/README.md` says
//! what was measured. Linux only: it reads `/proc`.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use cap::Cap;
use mimalloc::MiMalloc;

/// The allocator of the program as it is shipped, and a count of the bytes that it gave
/// out and did not get back.
#[global_allocator]
static ALLOCATOR: Cap<MiMalloc> = Cap::new(MiMalloc, usize::MAX);

/// Names the file for the allocated bytes to the process that runs the suite.
const COUNTS: &str = "SOAK_COUNTS";

/// Between two looks from outside.
const PAUSE: Duration = Duration::from_millis(50);

/// Between two looks at the count, which is at its least for some milliseconds of a round.
const BLINK: Duration = Duration::from_micros(500);

/// Several rounds, of which the least is what remains.
const WINDOW: Duration = Duration::from_secs(20);

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

fn main() -> ExitCode {
    if let Some(file) = std::env::var_os(COUNTS) {
        return counted(&file);
    }
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let seconds: u64 = match arguments.as_slice() {
        [] => 600,
        [seconds] => seconds.parse().expect("seconds"),
        other => panic!("{other:?}: give seconds, or nothing"),
    };
    assert!(seconds >= 120, "too short for a slope: give at least 120 seconds");
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let (reports, counts) = (folder.path().join("reports"), folder.path().join("counts"));
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["run", "--quiet", "--no-progress", "--repeat", &format!("{seconds}s"), "--report-dir"]);
    command.arg(&reports).env(COUNTS, &counts).stdout(Stdio::null());
    let begun = Instant::now();
    let mut process = command.spawn().expect("it starts");
    let mut samples = Vec::new();
    let status = loop {
        thread::sleep(PAUSE);
        if let Some(status) = process.try_wait().expect("it can be looked at") {
            break status;
        }
        samples.extend(sample(process.id(), begun.elapsed()));
    };
    assert!(status.success(), "the suite did not pass: {status}");
    let rounds = fs::read_dir(reports).expect("the reports").count();
    let counts = fs::read_to_string(counts).expect("the counts");
    let allocated: Vec<f64> = counts.lines().map(|line| line.parse().expect("a count")).collect();
    tell(rounds, begun.elapsed(), &windows(&samples), &allocated);
    ExitCode::SUCCESS
}

/// The program itself, and a thread that writes the least of the allocated KiB of each
/// window to `file`.
fn counted(file: &OsStr) -> ExitCode {
    let mut file = File::create(file).expect("a file for the counts");
    thread::spawn(move || {
        loop {
            let mut least = usize::MAX;
            let begun = Instant::now();
            while begun.elapsed() < WINDOW {
                thread::sleep(BLINK);
                least = least.min(ALLOCATOR.allocated());
            }
            writeln!(file, "{}", least / 1024).expect("the count is kept");
        }
    });
    syncspec::cli::main()
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

/// The samples of each whole window. One that the end cut short would miss what others
/// have, and lies where a fit gives it the most weight.
fn windows(samples: &[Sample]) -> Vec<&[Sample]> {
    let number = |sample: &Sample| (sample.at * 60.0 / WINDOW.as_secs_f64()).floor();
    let mut windows: Vec<_> = samples.chunk_by(|a, b| number(a).total_cmp(&number(b)).is_eq()).collect();
    windows.pop();
    windows
}

/// What each window says, and, for memory, what remains between rounds. What is filled
/// once is filled in the first quarter.
#[expect(clippy::print_stdout, reason = "a bench tells what it measured")]
fn tell(rounds: usize, took: Duration, windows: &[&[Sample]], allocated: &[f64]) {
    println!("{rounds} rounds in {:.0} s; the last three quarters of it:\n", took.as_secs_f64());
    let windows = &windows[windows.len() / 4..];
    let allocated = &allocated[allocated.len() / 4..];
    let of = |value: &dyn Fn(&Sample) -> f64| -> Vec<Vec<f64>> {
        windows.iter().map(|window| window.iter().map(value).collect()).collect()
    };
    let least = |values: &[f64]| values.iter().copied().fold(f64::INFINITY, f64::min);
    let resident: Vec<f64> = of(&|sample| sample.memory).iter().map(|window| least(window)).collect();
    println!("| | first half: least, median, most | second half |\n|---|---:|---:|");
    row("allocated between rounds, KiB", &allocated.iter().map(|kib| vec![*kib]).collect::<Vec<_>>());
    row("resident between rounds, MiB", &resident.iter().map(|kib| vec![kib / 1024.0]).collect::<Vec<_>>());
    row("resident memory, MiB", &of(&|sample| sample.memory / 1024.0));
    row("open files and sockets", &of(&|sample| sample.files as f64));
    row("threads, one of which counts", &of(&|sample| sample.threads as f64));
    let slope = |name: &str, values: &[f64]| {
        let (slope, error) = fit(values);
        println!("| {name} | {slope:+.0} KiB a minute | {error:.0} |");
    };
    println!("\n| what remains between rounds | slope | standard error |\n|---|---:|---:|");
    slope("allocated", allocated);
    slope("resident", &resident);
}

#[expect(clippy::print_stdout, reason = "a bench tells what it measured")]
fn row(name: &str, windows: &[Vec<f64>]) {
    let cells = |half: &[Vec<f64>]| {
        let mut values = half.concat();
        values.sort_by(f64::total_cmp);
        format!("{:.0}, {:.0}, {:.0}", values[0], values[values.len() / 2], values[values.len() - 1])
    };
    let (first, second) = windows.split_at(windows.len() / 2);
    println!("| {name} | {} | {} |", cells(first), cells(second));
}

/// The least squares fit of a value for each window: growth in a minute, and its standard
/// error.
fn fit(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let at = |number: usize| number as f64 * WINDOW.as_secs_f64() / 60.0;
    let middle = at(values.len() - 1) / 2.0;
    let mean = values.iter().sum::<f64>() / count;
    let points = || values.iter().enumerate().map(|(number, value)| (at(number) - middle, value - mean));
    let variance: f64 = points().map(|(at, _)| at.powi(2)).sum();
    let slope = points().map(|(at, value)| at * value).sum::<f64>() / variance;
    let rest: f64 = points().map(|(at, value)| (value - slope * at).powi(2)).sum();
    (slope, (rest / (count - 2.0) / variance).sqrt())
}
