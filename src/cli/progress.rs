//! How far a run has come: a bar on a terminal, a line now and then elsewhere.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output::Output;
use crate::judge::Verdict;

/// How often a line is printed where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Shows how far a run has come, on standard error.
pub(super) struct Progress<'o> {
    output: &'o Output,
    bar: ProgressBar,
    total: usize,
    done: usize,
    failed: usize,
    last_line: Instant,
}

impl<'o> Progress<'o> {
    pub(super) fn new(output: &'o Output, total: usize, quiet: bool) -> Self {
        let drawn = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} cases, {msg} failed, {per_sec}, {eta} to go");
        let bar = ProgressBar::with_draw_target(u64::try_from(total).ok(), drawn);
        let bar = bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())).with_message("0");
        Self { output, bar, total, done: 0, failed: 0, last_line: Instant::now() }
    }

    pub(super) fn add(&mut self, verdict: Verdict) {
        self.done += 1;
        if matches!(verdict, Verdict::Fail | Verdict::UnexpectedPass) {
            self.failed += 1;
            self.bar.set_message(self.failed.to_string());
        }
        self.bar.inc(1);
        if self.bar.is_hidden() && self.last_line.elapsed() >= LINE_EVERY {
            self.last_line = Instant::now();
            self.output.note(&format!("{} of {} cases, {} failed", self.done, self.total, self.failed));
        }
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
