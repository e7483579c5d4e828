//! `syncspec run --repeat`: the same cases again and again, each time as a run of its own.

use std::ffi::OsString;
use std::fs;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::{Duration, Instant};

use super::args::Format;
use super::output::Output;
use super::run_args::RunArgs;
use super::{Exit, worst};
use crate::reference;
use crate::report::{count, duration};

/// How the name of a round's folder begins.
const ROUND: &str = "round-";

/// Rounds that are named in the last sentence.
const MOST_NAMED: usize = 10;

/// How often cases are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// So many times.
    Times(NonZeroU32),
    /// Until so much time is over; the round that is under way then is finished.
    For(Duration),
}

impl FromStr for Repeat {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let times = text.parse().ok().map(Self::Times);
        let length = || reference::duration(text).filter(|length| !length.is_zero()).map(Self::For);
        times.or_else(length).ok_or("a number of rounds, such as `20`, or a time with its unit (`ms`, `s`, `m`, `h` or `d`), such as `90s` or `10m`")
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ended {
    /// Its exit code.
    pub(super) exit: u8,
    /// Whether it was ended before its last case.
    pub(super) stopped: bool,
}

/// Refuses a folder that has rounds already: they and the new ones would look like one
/// history.
pub(super) fn place(args: &RunArgs) -> Result<(), Exit> {
    let Some(dir) = args.report_dir.as_deref().filter(|_| args.repeat.is_some()) else { return Ok(()) };
    // A folder that is not there yet, or cannot be read, is the first round's matter.
    let names = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let is_round = |name: &OsString| {
        name.to_str().and_then(|name| name.strip_prefix(ROUND)).is_some_and(|number| number.parse::<u32>().is_ok())
    };
    match names.filter(is_round).min() {
        Some(round) => Err(Exit::usage(format!(
            "{} is there already, a round of an earlier run; choose another folder with --report-dir",
            dir.join(round).display()
        ))),
        None => Ok(()),
    }
}

/// Runs rounds until there were enough, or one was stopped: by hand, by `--fail-fast`, or
/// because nobody answered any more. Gives the exit code of the worst.
///
/// # Errors
///
/// When a round cannot be had; the earlier ones are told of, and what was wrong with them
/// is not forgotten in the exit code.
pub(super) async fn rounds(
    args: &RunArgs,
    repeat: Repeat,
    output: &Output,
    round: impl AsyncFn(&RunArgs) -> Result<Ended, Exit>,
) -> Result<u8, Exit> {
    let begun = Instant::now();
    let (mut number, mut wrong) = (0, Vec::new());
    let broken_off = loop {
        number += 1;
        let report_dir = args.report_dir.as_ref().map(|dir| dir.join(format!("{ROUND}{number:04}")));
        let ended = match round(&RunArgs { report_dir, ..args.clone() }).await {
            Ok(ended) => ended,
            Err(exit) => break Some(exit),
        };
        if ended.exit != 0 {
            wrong.push((number, ended.exit));
        }
        let enough = match repeat {
            Repeat::Times(times) => number >= times.get(),
            Repeat::For(length) => begun.elapsed() >= length,
        };
        if enough || ended.stopped {
            break None;
        }
    };
    let codes = wrong.iter().map(|(_, code)| *code);
    let (ended, result) = match broken_off {
        None => (sentence(number, &wrong, begun.elapsed()), Ok(worst(codes))),
        // The reason is all that there is to say.
        Some(exit) if number == 1 => return Err(exit),
        Some(exit) => {
            let ended = sentence(number - 1, &wrong, begun.elapsed());
            let code = worst(codes.chain([exit.code]));
            (format!("{ended}; round {number} broke off"), Err(Exit { code, ..exit }))
        }
    };
    match args.format {
        Format::Text => output.text(&format!("{ended}\n")),
        // Standard output holds the lines of the records, and nothing else.
        Format::Json => output.note(&ended),
    }
    result
}

fn sentence(rounds: u32, wrong: &[(u32, u8)], took: Duration) -> String {
    let all = format!(
        "{} in {}",
        count(rounds as usize, "round"),
        duration(u64::try_from(took.as_micros()).unwrap_or(u64::MAX))
    );
    if wrong.is_empty() {
        return format!("{all}: all ended well");
    }
    let mut named: Vec<String> = wrong.iter().take(MOST_NAMED).map(|(number, _)| number.to_string()).collect();
    if wrong.len() > MOST_NAMED {
        named.push("more".to_owned());
    }
    let last = named.pop().unwrap_or_default();
    let named = if named.is_empty() { last } else { format!("{} and {last}", named.join(", ")) };
    let rounds = if wrong.len() == 1 { "round" } else { "rounds" };
    format!("{all}: {} did not end well, {rounds} {named}", wrong.len())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("20", Some(Repeat::Times(NonZeroU32::new(20).expect("not zero"))))]
    #[case("90s", Some(Repeat::For(Duration::from_secs(90))))]
    #[case("10m", Some(Repeat::For(Duration::from_mins(10))))]
    #[case("0", None)]
    #[case("0s", None)]
    #[case("-1", None)]
    #[case("ten", None)]
    fn a_number_or_a_time(#[case] text: &str, #[case] expected: Option<Repeat>) {
        assert_eq!(text.parse().ok(), expected);
    }

    #[rstest]
    #[case(1, &[], "1 round in 2.0 s: all ended well", 0)]
    #[case(3, &[(2, 1)], "3 rounds in 2.0 s: 1 did not end well, round 2", 1)]
    #[case(3, &[(1, 1), (3, 3)], "3 rounds in 2.0 s: 2 did not end well, rounds 1 and 3", 1)]
    #[case(3, &[(1, 3)], "3 rounds in 2.0 s: 1 did not end well, round 1", 3)]
    fn the_end_is_told_in_a_sentence(
        #[case] rounds: u32,
        #[case] wrong: &[(u32, u8)],
        #[case] expected: &str,
        #[case] exit: u8,
    ) {
        assert_eq!(sentence(rounds, wrong, Duration::from_secs(2)), expected);
        assert_eq!(worst(wrong.iter().map(|(_, code)| *code)), exit);
    }

    #[test]
    fn of_many_rounds_a_few_are_named() {
        let wrong: Vec<(u32, u8)> = (1..=12).map(|number| (number, 1)).collect();
        let expected = "12 rounds in 2.0 s: 12 did not end well, rounds 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and more";
        assert_eq!(sentence(12, &wrong, Duration::from_secs(2)), expected);
    }
}
