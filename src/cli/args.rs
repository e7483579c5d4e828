//! The command line as it is typed.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};

use super::lengths::{Timeout, length};
use super::protocol::ProtocolArg;
use super::report_args::{JunitArgs, MatrixArgs, MergeArgs, NightDiffArgs, TrendArgs};
use super::run_args::RunArgs;
use super::serve_args::ServeArgs;
use crate::plan::Share;

/// Cases at a time, if nobody says.
pub(super) const DEFAULT_JOBS: u16 = 16;

/// Tells whether an endpoint really speaks Amazon Cognito Sync (2014-06-30), and shows where and why not.
///
/// Without a command, the whole suite runs against the embedded reference server.
#[derive(Debug, Parser)]
#[command(name = "syncspec", version, after_help = EXIT_CODES)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

const EXIT_CODES: &str = "\
Exit codes: 0 all selected cases passed, warned, were skipped by declaration or failed as expected;
1 a case failed, passed unexpectedly, or a known failure matches nothing (see `run --fail-on`);
2 wrong usage, or something could not be written; 3 something could not be judged, or the target is
not the service; 4 nothing was selected or judged.";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run cases against a target (default: the embedded reference server)
    Run(RunArgs),
    /// Renew the snapshots of a target from what it answers now
    Record(RecordArgs),
    /// List the cases, with what they prove
    List(ListArgs),
    /// Explain a case or a requirement: the rule, its sources, the requests as they will be sent
    Explain(ExplainArgs),
    /// Check case files, and report every mistake by line and column
    Lint(LintArgs),
    /// Show which cases and which mutants every requirement has
    Coverage(CoverageArgs),
    /// Show that the cases can fail: run them against servers that are wrong on purpose
    Prove(ProveArgs),
    /// Find what no listed case thinks of: play sequences of operations drawn from a seed
    Fuzz(FuzzArgs),
    /// Take back what interrupted runs have left on a target
    Clean(CleanArgs),
    /// Serve the reference server until interrupted
    Serve(ServeArgs),
    /// Print the JSON Schema of a file format
    Schema {
        /// Which format
        kind: SchemaKind,
    },
    /// Make a document from recorded runs
    Report {
        /// Which document
        #[command(subcommand)]
        format: ReportFormat,
    },
    /// Look at what the suite knows of the service
    Spec {
        /// In which way
        #[command(subcommand)]
        view: SpecView,
    },
    /// Set up a target: begin a target file, or see what works with one
    Target {
        /// What to do
        #[command(subcommand)]
        action: TargetAction,
    },
    /// Print completions for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

/// Which suite.
#[derive(Debug, Clone, Default, Parser)]
pub(super) struct SuiteArgs {
    /// Use the case files of this folder instead of the built-in suite
    #[arg(long, value_name = "DIR")]
    pub(super) cases: Option<PathBuf>,
}

/// Which target.
#[derive(Debug, Clone, Default, Parser)]
pub(super) struct TargetArgs {
    /// The target file (default: the embedded reference server)
    #[arg(long, value_name = "FILE")]
    pub(super) target: Option<PathBuf>,
    /// Send to this address instead of the target file's; without a target file, with the public
    /// keys of the reference server
    #[arg(long, value_name = "URL")]
    pub(super) endpoint: Option<String>,
}

impl TargetArgs {
    /// Whether any is named; else the embedded server is meant.
    pub(super) fn is_named(&self) -> bool {
        self.target.is_some() || self.endpoint.is_some()
    }
}

#[derive(Debug, Parser)]
pub(super) struct RecordArgs {
    /// Cases to record, as for `run`; those that take no snapshot are left out
    #[arg(value_name = "FILTER")]
    pub(super) filters: Vec<String>,
    #[command(flatten)]
    pub(super) suite: SuiteArgs,
    /// The target file; its `snapshots`, else its `name`, is the name of the set
    #[arg(long, value_name = "FILE")]
    pub(super) target: PathBuf,
    /// Send to this address instead of the target file's
    #[arg(long, value_name = "URL")]
    pub(super) endpoint: Option<String>,
    /// The folder of the sets
    #[arg(long, value_name = "DIR", default_value = "snapshots")]
    pub(super) snapshots: PathBuf,
    /// Say what would change, and write nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Remove the snapshots that belong to no case any more
    #[arg(long)]
    pub(super) prune: bool,
    /// Most cases at a time
    #[arg(long, short, value_name = "N", default_value_t = DEFAULT_JOBS, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) jobs: u16,
    /// How long to wait for a whole response: seconds, or with a unit (ms, s, m)
    #[arg(long, value_name = "TIME", default_value_t)]
    pub(super) timeout: Timeout,
}

#[derive(Debug, Parser)]
pub(super) struct ListArgs {
    /// Cases to list, as for `run`
    #[arg(value_name = "FILTER")]
    pub(super) filters: Vec<String>,
    #[command(flatten)]
    pub(super) suite: SuiteArgs,
    /// List only the K-th of N parts of the cases, as for `run`
    #[arg(long, value_name = "K/N")]
    pub(super) partition: Option<Share>,
    /// Text for people, or one JSON object
    #[arg(long, value_name = "FORMAT", default_value_t, value_enum)]
    pub(super) format: Format,
}

#[derive(Debug, Parser)]
pub(super) struct ExplainArgs {
    /// Id of a case or of a requirement
    #[arg(value_name = "CASE|REQUIREMENT")]
    pub(super) id: String,
    /// The protocol of calls, where the case leaves it open
    #[arg(long, value_name = "PROTOCOL", default_value_t, value_enum)]
    pub(super) protocol: ProtocolArg,
    #[command(flatten)]
    pub(super) suite: SuiteArgs,
    #[command(flatten)]
    pub(super) target: TargetArgs,
}

#[derive(Debug, Parser)]
pub(super) struct LintArgs {
    /// The folder of case files (default: the built-in suite)
    #[arg(value_name = "DIR")]
    pub(super) dir: Option<PathBuf>,
}

#[derive(Debug, Parser)]
pub(super) struct CoverageArgs {
    /// Requirements to show one by one: a part of an id, or a pattern with `*`
    #[arg(value_name = "FILTER")]
    pub(super) filters: Vec<String>,
    #[command(flatten)]
    pub(super) suite: SuiteArgs,
    /// Text for people, or one JSON object
    #[arg(long, value_name = "FORMAT", default_value_t, value_enum)]
    pub(super) format: Format,
}

#[derive(Debug, Parser)]
pub(super) struct ProveArgs {
    /// Mutants and variants to try: a part of a name or of a requirement's id, or a pattern with `*`
    #[arg(value_name = "FILTER")]
    pub(super) filters: Vec<String>,
    #[command(flatten)]
    pub(super) suite: SuiteArgs,
    /// Run every variant by itself against the whole suite, not only as a part of a stranger
    #[arg(long)]
    pub(super) thorough: bool,
    /// Most servers at a time
    #[arg(long, short, value_name = "N", default_value_t = DEFAULT_SERVERS, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(super) jobs: u16,
    /// Text for people, or one JSON object
    #[arg(long, value_name = "FORMAT", default_value_t, value_enum)]
    pub(super) format: Format,
}

const DEFAULT_SERVERS: u16 = 8;

#[derive(Debug, Parser)]
pub(super) struct FuzzArgs {
    #[command(flatten)]
    pub(super) target: TargetArgs,
    /// Most sequences
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(super) sequences: u64,
    /// Most operations of a sequence
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(super) steps: u16,
    /// Let so many clients work on one dataset at the same time instead, and check what they saw
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u16).range(2..=256), conflicts_with_all = ["mutants", "write_case", "sequences", "steps"])]
    pub(super) clients: Option<u16>,
    /// With `--clients`: lose some requests and answers on the way
    #[arg(long, requires = "clients")]
    pub(super) faults: bool,
    /// With `--clients`: draw what does not fit together into this SVG file
    #[arg(long, value_name = "FILE", requires = "clients")]
    pub(super) timeline: Option<PathBuf>,
    /// What the sequences are drawn from (default: something new each time, which is printed)
    #[arg(long, value_name = "SEED")]
    pub(super) seed: Option<u64>,
    /// Stop after this time: seconds, or with a unit (ms, s, m, h, d; with `--clients`, 10s if not
    /// given)
    #[arg(long, value_name = "TIME", value_parser = length)]
    pub(super) time: Option<Duration>,
    /// Most sequences at a time; each has two identities to itself
    #[arg(long, short, value_name = "N", default_value_t = DEFAULT_SEQUENCES_AT_A_TIME, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(super) jobs: u16,
    /// Write what was found as a case file into this folder, which `run --cases DIR` then replays
    #[arg(long, value_name = "DIR")]
    pub(super) write_case: Option<PathBuf>,
    /// Let inferred requirements fail instead of warn
    #[arg(long)]
    pub(super) strict: bool,
    /// How long to wait for a whole response: seconds, or with a unit (ms, s, m)
    #[arg(long, value_name = "TIME", default_value_t)]
    pub(super) timeout: Timeout,
    /// Fuzz servers that are wrong on purpose instead of a target, and print what it took to find
    /// each: those whose name or requirement holds FILTER, if given
    #[arg(long, value_name = "FILTER", num_args = 0..=1, default_missing_value = "", conflicts_with_all = ["target", "endpoint", "write_case", "time"])]
    pub(super) mutants: Option<String>,
    /// Text for people, or one JSON object
    #[arg(long, value_name = "FORMAT", default_value_t, value_enum)]
    pub(super) format: Format,
}

const DEFAULT_SEQUENCES_AT_A_TIME: u16 = 4;

#[derive(Debug, Parser)]
pub(super) struct CleanArgs {
    #[command(flatten)]
    pub(super) suite: SuiteArgs,
    #[command(flatten)]
    pub(super) target: TargetArgs,
    /// Only say what would be done
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Of what no journal knows, remove what was last changed more than so many hours ago
    #[arg(long, value_name = "HOURS", default_value_t = DEFAULT_OLDER_THAN)]
    pub(super) older_than: u64,
    /// Text for people, or one JSON object
    #[arg(long, value_name = "FORMAT", default_value_t, value_enum)]
    pub(super) format: Format,
}

const DEFAULT_OLDER_THAN: u64 = 6;

#[derive(Debug, Subcommand)]
pub(super) enum ReportFormat {
    /// One page of HTML, which needs nothing beside it
    Html(DocumentArgs),
    /// JUnit XML
    Junit(JunitArgs),
    /// Markdown for the summary of a job, such as $GITHUB_STEP_SUMMARY
    Markdown(DocumentArgs),
    /// What one run has come to that another had not; exits 1 on a regression
    Diff(NightDiffArgs),
    /// What several targets, or versions of one, make of each requirement
    Matrix(MatrixArgs),
    /// How targets fared over the runs in a folder
    Trend(TrendArgs),
    /// One run of its parts; exits like the run
    Merge(MergeArgs),
}

#[derive(Debug, Subcommand)]
pub(super) enum TargetAction {
    /// Write a target file in which everything is explained
    Init(InitArgs),
    /// Say what works with the target's credentials, without changing anything; exits 3 when something
    /// does not
    Check(CheckArgs),
    /// Print the Lambda function that follows the scripts of cases, for a target with `scripted = true`
    Function(FunctionArgs),
}

#[derive(Debug, Parser)]
pub(super) struct InitArgs {
    /// The file to write; one that is there is left alone
    #[arg(value_name = "FILE", default_value = "target.toml")]
    pub(super) file: PathBuf,
}

#[derive(Debug, Parser)]
pub(super) struct FunctionArgs {
    #[command(flatten)]
    pub(super) suite: SuiteArgs,
}

#[derive(Debug, Parser)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    pub(super) target: TargetArgs,
    #[command(flatten)]
    pub(super) suite: SuiteArgs,
    /// Have Cognito Identity give identities as it does for a run, and delete again those that it
    /// made
    #[arg(long)]
    pub(super) make_identities: bool,
    /// How long to wait for a whole response: seconds, or with a unit (ms, s, m)
    #[arg(long, value_name = "TIME", default_value_t)]
    pub(super) timeout: Timeout,
    /// Text for people, or one JSON object
    #[arg(long, value_name = "FORMAT", default_value_t, value_enum)]
    pub(super) format: Format,
}

#[derive(Debug, Subcommand)]
pub(super) enum SpecView {
    /// Compare it with a model of AWS's; exits 1 when they differ otherwise than in known disputes
    Diff(DiffArgs),
    /// Print the points on which sources disagree, as Markdown
    Disputes,
    /// Print what a correct server may do otherwise than the reference, as Markdown
    Tolerance,
}

#[derive(Debug, Parser)]
pub(super) struct DiffArgs {
    /// The model: a service-2.json of botocore, packed with gzip or not, or a Smithy model as JSON
    #[arg(value_name = "MODEL")]
    pub(super) model: PathBuf,
    /// Text for people, or one JSON object
    #[arg(long, value_name = "FORMAT", default_value_t, value_enum)]
    pub(super) format: Format,
}

#[derive(Debug, Parser)]
pub(super) struct DocumentArgs {
    /// The recorded run: a run.jsonl, or its folder
    #[arg(value_name = "RUN")]
    pub(super) run: PathBuf,
    /// Where to write (default: standard output)
    #[arg(long, short, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// Accept a run that was interrupted
    #[arg(long)]
    pub(super) partial: bool,
}

/// Form of what is printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    #[default]
    Text,
    /// For machines.
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum SchemaKind {
    /// Case files
    Case,
    /// The file of base requests
    Base,
    /// The file of fixtures
    Fixture,
    /// The file of requirements that no case proves
    Excluded,
    /// Target files
    Target,
    /// World files of `serve`
    World,
    /// One line of run.jsonl
    Report,
}
