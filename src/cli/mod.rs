//! Flags, printing and exit codes: the only room that prints.
//!
//! Each command is a file; what several share is in `open` (suites, targets,
//! sessions) and `output`. Commands return an exit code, and only `main` exits.

mod args;
mod clean;
mod coverage;
mod explain;
mod forecast;
mod function;
mod fuzz;
mod fuzz_clients;
mod fuzz_mutants;
mod inspect;
mod interrupt;
mod journal;
mod known;
mod lengths;
mod merge;
mod nights;
mod open;
mod output;
mod partition;
mod progress;
mod protocol;
mod prove;
mod record;
mod recorded;
mod recording;
mod repeat;
mod report;
mod report_args;
mod report_several;
mod resume;
mod run;
mod run_args;
mod run_ending;
mod serve;
mod serve_args;
mod spec;
mod target;
mod target_check;

use std::process::ExitCode;

use clap::Parser as _;

use self::args::{Args, Command, SpecView, TargetAction};
use self::output::Output;
use self::run_args::RunArgs;

/// What was served or run did not hold.
const FAILED: u8 = 1;
/// Wrong usage: flags, target file, case files.
const USAGE: u8 = 2;
/// Nothing failed, but something could not be judged.
const NOT_JUDGED: u8 = 3;
/// Nothing was selected.
const NOTHING_SELECTED: u8 = 4;

/// Why a command ended early: the exit code, and a sentence for standard error.
#[derive(Debug)]
struct Exit {
    code: u8,
    message: String,
}

impl Exit {
    #[expect(clippy::needless_pass_by_value, reason = "`map_err` hands errors over")]
    fn usage(error: impl ToString) -> Self {
        Self { code: USAGE, message: error.to_string() }
    }
}

/// The exit code of something that went wrong in several ways. That a case failed says
/// most; then that something could not be done at all.
fn worst(codes: impl IntoIterator<Item = u8>) -> u8 {
    const WORST_FIRST: [u8; 4] = [FAILED, USAGE, NOTHING_SELECTED, NOT_JUDGED];
    let rank = |code: &u8| WORST_FIRST.iter().position(|worse| worse == code).unwrap_or(WORST_FIRST.len());
    codes.into_iter().min_by_key(rank).unwrap_or(0)
}

/// Runs the command line.
pub fn main() -> ExitCode {
    let args = Args::parse();
    let output = Output::default();
    let ended = match args.command.unwrap_or_else(|| Command::Run(RunArgs::default())) {
        Command::Run(args) => run::run(&args, &output),
        Command::Record(args) => record::record(&args, &output),
        Command::List(args) => inspect::list(&args, &output),
        Command::Explain(args) => explain::explain(&args, &output),
        Command::Lint(args) => inspect::lint(&args, &output),
        Command::Coverage(args) => coverage::coverage(&args, &output),
        Command::Prove(args) => prove::run(&args, &output),
        Command::Fuzz(args) => fuzz::run(&args, &output),
        Command::Clean(args) => clean::clean(&args, &output),
        Command::Serve(args) => serve::serve(&args, &output),
        Command::Schema { kind } => inspect::schema(kind, &output),
        Command::Report { format } => report::report(&format, &output),
        Command::Spec { view: SpecView::Diff(args) } => spec::diff(&args, &output),
        Command::Spec { view: SpecView::Disputes } => spec::disputes(&output),
        Command::Spec { view: SpecView::Tolerance } => spec::tolerance(&output),
        Command::Target { action: TargetAction::Init(args) } => target::init(&args, &output),
        Command::Target { action: TargetAction::Check(args) } => target::check(&args, &output),
        Command::Target { action: TargetAction::Function(args) } => function::function(&args, &output),
        Command::Completions { shell } => inspect::completions(shell, &output),
    };
    let code = ended.unwrap_or_else(|exit| {
        output.error(&exit.message);
        exit.code
    });
    // Whoever reads a document that is not whole must not think that all is well.
    let lost = output.lost().map(|why| {
        output.error(why);
        USAGE
    });
    ExitCode::from(worst([code].into_iter().chain(lost)))
}
