//! The flags of `syncspec serve`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use crate::reference::duration;

#[derive(Debug, Parser)]
pub(super) struct ServeArgs {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4580")]
    pub(super) listen: SocketAddr,
    /// Write a target file that leads to the server
    #[arg(long, value_name = "FILE")]
    pub(super) write_target: Option<PathBuf>,
    /// Serve the accounts, pools and identities of this file (default: one account with public
    /// keys, see `syncspec schema world`)
    #[arg(long, value_name = "FILE")]
    pub(super) world: Option<PathBuf>,
    /// With `--world` and `--write-target`: the account that the target file is for (default: the
    /// first)
    #[arg(long, value_name = "ID", requires_all = ["world", "write_target"])]
    pub(super) account: Option<String>,
    /// Keep everything in this file; what was answered is still there after any kind of end
    /// (default: in memory only)
    #[arg(long, value_name = "FILE", conflicts_with = "mutant")]
    pub(super) state: Option<PathBuf>,
    /// Tell of each request on standard error
    #[arg(long, value_name = "FORMAT", default_value_t, value_enum)]
    pub(super) log: LogFormat,
    /// Have requests fail: `WHAT[:OPERATION][:WHEN]`, such as
    /// `TooManyRequestsException:UpdateRecords:2/3`; may be given several times
    ///
    /// WHAT is the name of an error, `cut-before` (the connection ends, nothing was done),
    /// `cut-after` (all was done, the answer is lost) or `delay=TIME`, such as `delay=500ms`.
    /// Without OPERATION it is for all; an error that operations declare, for those that do. WHEN
    /// is N for the first N requests, N/M for the first N of each M; without it, for all. A
    /// request meets the first fault that is due, and every delay.
    #[arg(long, value_name = "FAULT", conflicts_with = "mutant")]
    pub(super) fault: Vec<String>,
    /// Let everybody who reaches the server change the faults while it serves, by PUT and DELETE of
    /// `/_syncspec/faults`
    #[arg(long, conflicts_with = "mutant")]
    pub(super) fault_control: bool,
    /// Put the server's clock forward by TIME, such as `1h`, or back with `-1h`
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = clock_offset, conflicts_with = "mutant")]
    pub(super) clock_offset: Option<i64>,
    /// Serve a server with one requirement broken, or one that makes another legal choice
    #[arg(long, value_name = "NAME")]
    pub(super) mutant: Option<String>,
    /// List the names for `--mutant` (those that begin with NAME, if given), and serve nothing
    #[arg(long)]
    pub(super) list_mutants: bool,
}

/// Farthest that the clock can be put, in seconds: ten years.
const CLOCK_OFFSET_MAX: i64 = 3_650 * 86_400;

/// Seconds from a length of time with or without a sign.
fn clock_offset(text: &str) -> Result<i64, String> {
    let (sign, length) = match text.strip_prefix('-') {
        Some(length) => (-1, length),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let seconds = duration(length).filter(|length| length.subsec_millis() == 0).map(|length| length.as_secs());
    let offset = seconds.and_then(|seconds| i64::try_from(seconds).ok()).filter(|offset| *offset <= CLOCK_OFFSET_MAX);
    let wanted = "wanted whole seconds, minutes, hours or days, such as `90s`, `1h` or `-25h`, of at most 3650d";
    offset.map(|offset| sign * offset).ok_or_else(|| wanted.to_owned())
}

/// Form of the access log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// Nothing.
    Off,
    /// One line for people.
    #[default]
    Short,
    /// One JSON object.
    Json,
}
