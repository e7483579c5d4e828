//! The flags of `syncspec run`.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use super::args::{DEFAULT_JOBS, Format, SuiteArgs, TargetArgs};
use super::lengths::Timeout;
use super::progress::Shown;
use super::protocol::ProtocolArg;
use super::repeat::Repeat;
use crate::cases::Effect;
use crate::plan::Share;
use crate::run::FailOn;

#[derive(Debug, Clone, Parser)]
pub(super) struct RunArgs {
    /// Cases to run: a part of an id, a pattern with `*`, or the beginning of a requirement's id
    #[arg(value_name = "FILTER")]
    pub(super) filters: Vec<String>,
    #[command(flatten)]
    pub(super) suite: SuiteArgs,
    #[command(flatten)]
    pub(super) target: TargetArgs,
    /// Run only the K-th of N parts of the cases (K from 1): which part a case is in, its id
    /// decides. `report merge` makes one run of all parts
    #[arg(long, value_name = "K/N")]
    pub(super) partition: Option<Share>,
    /// With `--partition`: no other part uses the pools of this target file, so do not deal them out
    #[arg(long, requires = "partition")]
    pub(super) own_pools: bool,
    /// The protocol of calls. Cases that are written for the other one are skipped, and all are
    /// where the target does not offer it
    #[arg(long, value_name = "PROTOCOL", default_value_t, value_enum)]
    pub(super) protocol: ProtocolArg,
    /// Most cases at a time
    #[arg(long, short, value_name = "N", default_value_t = DEFAULT_JOBS, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) jobs: u16,
    /// Let inferred requirements fail instead of warn
    #[arg(long)]
    pub(super) strict: bool,
    /// Stop at the first case that fails
    #[arg(long)]
    pub(super) fail_fast: bool,
    /// Run the cases again and again: so many times (`20`), or until a time is over (`10m`; ms, s,
    /// m, h, d). Each round is a run of its own; with `--report-dir`, in a folder of its own in
    /// there. The embedded server begins anew each time
    #[arg(long, value_name = "TIMES|TIME", conflicts_with_all = ["resume", "plan", "write_known_failures", "junit", "html"])]
    pub(super) repeat: Option<Repeat>,
    /// Run only what did not pass in this recorded run (a folder or a run.jsonl)
    #[arg(long, value_name = "DIR")]
    pub(super) rerun_failed: Option<PathBuf>,
    /// Go on with an interrupted run (a folder or a run.jsonl): what has its result is not run again
    #[arg(long, value_name = "DIR", conflicts_with_all = ["rerun_failed", "report_dir"])]
    pub(super) resume: Option<PathBuf>,
    /// Print what the run would do to the target, and send nothing: cases, requests, what is made
    /// and changed, how long it takes. Works with the target down
    #[arg(long, conflicts_with_all = ["write_known_failures", "junit", "html", "report_dir", "fail_fast"])]
    pub(super) plan: bool,
    /// Allow cases that reach beyond the data of single identities, on a target that is not on
    /// this machine (on loopback all are allowed); can be given several times
    #[arg(long, value_name = "EFFECT", value_enum)]
    pub(super) allow: Vec<Allow>,
    /// Which failures lead to exit code 1
    #[arg(long, value_name = "WHICH", default_value_t, value_enum)]
    pub(super) fail_on: FailOnArg,
    /// Write what failed, and was not known to, into this file as `[[known-failure]]` entries to
    /// review; a target file names it by `known-failures-file`. The file must not be there yet
    #[arg(long, value_name = "FILE")]
    pub(super) write_known_failures: Option<PathBuf>,
    /// Do not ask first whether the target is Cognito Sync at all
    #[arg(long)]
    pub(super) no_probe: bool,
    /// Where run.jsonl is written (default: reports/<target>/<UTC time>)
    #[arg(long, value_name = "DIR")]
    pub(super) report_dir: Option<PathBuf>,
    /// Write JUnit XML to this file too
    #[arg(long, value_name = "FILE")]
    pub(super) junit: Option<PathBuf>,
    /// Write the run as a page of HTML too (default: run.html beside run.jsonl)
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    #[expect(clippy::option_option, reason = "clap tells so whether a value was given")]
    pub(super) html: Option<Option<PathBuf>>,
    /// Judge the answers against this set of recorded snapshots: one that differs fails
    #[arg(long, value_name = "SET")]
    pub(super) compare: Option<String>,
    /// Look for sets of snapshots in this folder, before those that are built in
    #[arg(long, value_name = "DIR")]
    pub(super) snapshots: Option<PathBuf>,
    /// How long to wait for a whole response: seconds, or with a unit (ms, s, m)
    #[arg(long, value_name = "TIME", default_value_t)]
    pub(super) timeout: Timeout,
    /// Show at most so many failures in full [default: 10]
    #[arg(long, value_name = "N")]
    pub(super) show: Option<usize>,
    /// Print only what broke and the verdict in a sentence
    #[arg(long, short)]
    pub(super) quiet: bool,
    /// Print every case as it ends, on standard error, and every failure in full
    #[arg(long, short, conflicts_with = "quiet")]
    pub(super) verbose: bool,
    /// Do not show how far the run has come
    #[arg(long)]
    pub(super) no_progress: bool,
    /// Text for people, or the lines of run.jsonl
    #[arg(long, value_name = "FORMAT", default_value_t, value_enum)]
    pub(super) format: Format,
}

const DEFAULT_SHOWN: usize = 10;

impl RunArgs {
    /// How many failures are shown in full.
    pub(super) fn shown_in_full(&self) -> usize {
        self.show.unwrap_or(if self.verbose { usize::MAX } else { DEFAULT_SHOWN })
    }

    /// What is shown while cases run. Whoever reads the lines of run.jsonl needs none.
    pub(super) fn shown(&self) -> Shown {
        let progress = !self.no_progress && self.format == Format::Text;
        match (self.quiet, self.verbose) {
            (true, _) => Shown::Nothing,
            (false, true) => Shown::Cases { progress },
            (false, false) if progress => Shown::Progress,
            (false, false) => Shown::Nothing,
        }
    }
}

impl Default for RunArgs {
    fn default() -> Self {
        Self {
            filters: Vec::new(),
            suite: SuiteArgs::default(),
            target: TargetArgs::default(),
            partition: None,
            own_pools: false,
            protocol: ProtocolArg::default(),
            jobs: DEFAULT_JOBS,
            strict: false,
            fail_fast: false,
            repeat: None,
            rerun_failed: None,
            resume: None,
            plan: false,
            allow: Vec::new(),
            fail_on: FailOnArg::default(),
            write_known_failures: None,
            no_probe: false,
            report_dir: None,
            junit: None,
            html: None,
            compare: None,
            snapshots: None,
            timeout: Timeout::default(),
            show: None,
            quiet: false,
            verbose: false,
            no_progress: false,
            format: Format::default(),
        }
    }
}

/// What may be done beyond the data of single identities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Allow {
    /// Change the configuration and the events of pools
    PoolChanges,
    /// Publish all that a pool holds, which can be done once a day
    BulkPublish,
}

impl Allow {
    /// As it is typed.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::PoolChanges => "pool-changes",
            Self::BulkPublish => "bulk-publish",
        }
    }
}

impl From<Allow> for Effect {
    fn from(allow: Allow) -> Self {
        match allow {
            Allow::PoolChanges => Self::PoolChanges,
            Allow::BulkPublish => Self::BulkPublish,
        }
    }
}

/// Which failures fail the run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOnArg {
    /// A case that fails, a known failure that passes, and one that matches no case
    #[default]
    Any,
    /// Only a case that fails and is not known to; the other two are told
    New,
}

impl From<FailOnArg> for FailOn {
    fn from(which: FailOnArg) -> Self {
        match which {
            FailOnArg::Any => Self::Any,
            FailOnArg::New => Self::New,
        }
    }
}
