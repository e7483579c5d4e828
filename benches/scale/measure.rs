//! Whole processes, measured by what the system says of them at their end.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use wait4::Wait4 as _;

/// What a process cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) wall: Duration,
    /// In user mode and in the system.
    pub(crate) processor: Duration,
    /// Most bytes in memory.
    pub(crate) memory: u64,
}

impl Cost {
    /// So many times the time, in the same memory.
    pub(crate) fn times(self, factor: f64) -> Self {
        Self { wall: self.wall.mul_f64(factor), processor: self.processor.mul_f64(factor), ..self }
    }
}

/// Names another program to be measured than the one that was built with this bench, whose
/// libraries have what those of the tests switch on.
const PROGRAM: &str = "SYNCSPEC_PROGRAM";

/// The program that is measured.
pub(crate) fn program() -> Command {
    Command::new(std::env::var_os(PROGRAM).unwrap_or_else(|| env!("CARGO_BIN_EXE_syncspec").into()))
}

/// This very program, for another of its parts.
pub(crate) fn this_program() -> Command {
    Command::new(std::env::current_exe().expect("a path"))
}

/// Runs a command to its end, which must be a good one.
pub(crate) fn child(command: &mut Command, folder: &Path) -> Cost {
    let begun = Instant::now();
    let command = command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null());
    let ended = command.spawn().expect("it starts").wait4().expect("it ends");
    let wall = begun.elapsed();
    assert!(ended.status.success(), "{command:?}: {}", ended.status);
    Cost { wall, processor: ended.rusage.utime + ended.rusage.stime, memory: ended.rusage.maxrss }
}

/// The medians of several things, measured in turn, so that what else goes on on the
/// machine falls on all of them.
pub(crate) fn medians<const N: usize>(rounds: usize, things: [&dyn Fn() -> Cost; N]) -> [Cost; N] {
    let mut costs: [Vec<Cost>; N] = std::array::from_fn(|_| Vec::new());
    for round in 0..=rounds {
        for (thing, costs) in things.iter().zip(&mut costs) {
            let cost = thing();
            // The first warms caches up.
            if round > 0 {
                costs.push(cost);
            }
        }
    }
    costs.map(|costs| Cost {
        wall: median(costs.iter().map(|cost| cost.wall).collect()),
        processor: median(costs.iter().map(|cost| cost.processor).collect()),
        memory: median(costs.iter().map(|cost| cost.memory).collect()),
    })
}

fn median<T: Ord + Copy>(mut values: Vec<T>) -> T {
    values.sort();
    values[values.len() / 2]
}

/// A table in Markdown, printed row by row.
#[derive(Debug)]
pub(crate) struct Table;

impl Table {
    pub(crate) fn begin() -> Self {
        let table = Self;
        table.line("| what | wall | processor | peak memory | beside |");
        table.line("|---|---:|---:|---:|---|");
        table
    }

    /// `beside`: what it is compared with, and what that is called.
    pub(crate) fn row(&mut self, what: &str, cost: &Cost, beside: Option<(&Cost, &str)>) {
        let ratio = |a: Duration, b: Duration| a.as_secs_f64() / b.as_secs_f64();
        let beside = beside.map(|(other, name)| {
            let (wall, processor) = (ratio(cost.wall, other.wall), ratio(cost.processor, other.processor));
            format!("{wall:.2} × the wall time of {name}, {processor:.2} × its processor time")
        });
        let time = |time: Duration| match time.as_secs_f64() {
            seconds if seconds < 1.0 => format!("{:.1} ms", seconds * 1e3),
            seconds => format!("{seconds:.2} s"),
        };
        let memory = cost.memory as f64 / f64::from(1 << 20);
        self.line(&format!(
            "| {what} | {} | {} | {memory:.0} MiB | {} |",
            time(cost.wall),
            time(cost.processor),
            beside.unwrap_or_default()
        ));
    }

    #[expect(clippy::print_stdout, reason = "a bench tells what it measured")]
    #[expect(clippy::unused_self, reason = "a row stands in a table that was begun")]
    fn line(&self, line: &str) {
        println!("{line}");
    }
}
