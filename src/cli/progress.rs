//! How far a run has come: a bar on a terminal, a line now and then elsewhere.

use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output::Output;
use crate::judge::Verdict;
use crate::run::{CaseResult, FailOn};

/// How often a line is printed where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// A bar only stands where the numbers leave room for it.
const NARROW: u16 = 80;

/// What is shown while cases run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// Nothing.
    Nothing,
    /// How far the run has come.
    Progress,
    /// Every case as it ends; `progress` as well.
    Cases {
        /// Whether to show how far the run has come, too.
        progress: bool,
    },
}

/// Shows how far a run has come, on standard error.
pub(super) struct Progress<'o> {
    output: &'o Output,
    shown: Shown,
    /// What fails the run.
    fail_on: FailOn,
    bar: ProgressBar,
    total: usize,
    done: usize,
    failed: usize,
    begun: Instant,
    last_line: Instant,
}

impl<'o> Progress<'o> {
    pub(super) fn new(output: &'o Output, total: usize, shown: Shown, fail_on: FailOn) -> Self {
        let has_bar = matches!(shown, Shown::Progress | Shown::Cases { progress: true });
        let drawn = if has_bar { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let is_narrow = terminal_size::terminal_size_of(std::io::stderr()).is_some_and(|(width, _)| width.0 < NARROW);
        let template = match is_narrow {
            true => "{pos}/{len}, {msg} failed, {per_sec}, {eta} to go",
            false => "{bar:24} {pos}/{len} cases, {msg} failed, {per_sec}, {eta} to go",
        };
        let bar = ProgressBar::with_draw_target(u64::try_from(total).ok(), drawn);
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let style = style.with_key("per_sec", |state: &indicatif::ProgressState, text: &mut dyn std::fmt::Write| {
            // Writing to the bar cannot fail.
            let _ = write!(text, "{:.0} a second", state.per_sec());
        });
        let bar = bar.with_style(style).with_message("0");
        let begun = Instant::now();
        Self { output, shown, fail_on, bar, total, done: 0, failed: 0, begun, last_line: begun }
    }

    pub(super) fn add(&mut self, result: &CaseResult) {
        self.done += 1;
        if fails(result.verdict, self.fail_on) {
            self.failed += 1;
            self.bar.set_message(self.failed.to_string());
        }
        if matches!(self.shown, Shown::Cases { .. }) {
            let line = format!("{} {}", result.verdict.name(), result.case);
            if self.bar.is_hidden() { self.output.note(&line) } else { self.bar.println(line) }
        }
        self.bar.inc(1);
        if self.shown == Shown::Progress && self.bar.is_hidden() && self.last_line.elapsed() >= LINE_EVERY {
            self.last_line = Instant::now();
            self.output.note(&line(self.done, self.total, self.failed, self.begun.elapsed()));
        }
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// Whether such a result fails the run.
fn fails(verdict: Verdict, fail_on: FailOn) -> bool {
    verdict == Verdict::Fail || (verdict == Verdict::UnexpectedPass && fail_on == FailOn::Any)
}

/// How far a run has come, in a line: so many of so many cases, after this time.
fn line(done: usize, total: usize, failed: usize, elapsed: Duration) -> String {
    let [of, all] = [done, total].map(|number| u32::try_from(number).unwrap_or(u32::MAX));
    let rate = f64::from(of) / elapsed.as_secs_f64().max(0.001);
    let left = Duration::from_secs_f64(f64::from(all.saturating_sub(of)) / rate.max(0.001));
    format!("{done} of {total} cases, {failed} failed, {rate:.0} a second, {} to go", HumanDuration(left))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{fails, line};
    use crate::judge::Verdict;
    use crate::run::FailOn;

    #[test]
    fn what_a_ratchet_lets_through_is_not_counted_as_failed() {
        assert!(fails(Verdict::UnexpectedPass, FailOn::Any) && fails(Verdict::Fail, FailOn::New));
        assert!(!fails(Verdict::UnexpectedPass, FailOn::New) && !fails(Verdict::Warn, FailOn::Any));
    }

    #[test]
    fn a_line_tells_the_rate_and_what_is_left() {
        let text = line(200, 950, 3, Duration::from_secs(10));
        assert_eq!(text, "200 of 950 cases, 3 failed, 20 a second, 38 seconds to go");
    }
}
