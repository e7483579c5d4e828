//! Flags of the documents that are made from several recorded runs.

use std::ffi::OsStr;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use super::Exit;
use super::args::{DocumentArgs, SuiteArgs};

#[derive(Debug, Parser)]
pub(super) struct JunitArgs {
    #[command(flatten)]
    pub(super) document: DocumentArgs,
    /// Give each test case the `file` and `line` of its case, for GitLab and for annotations on
    /// GitHub; Jenkins' xUnit plugin refuses them
    #[arg(long)]
    pub(super) locations: bool,
}

/// Where a document goes, and in which form.
#[derive(Debug, Parser)]
pub(super) struct FormArgs {
    /// Where to write (default: standard output)
    #[arg(long, short, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// Form of the document (default: by the ending of FILE; text if it has none)
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub(super) format: Option<DocumentFormat>,
}

impl FormArgs {
    /// The form that was asked for, or that the name of the file stands for.
    ///
    /// # Errors
    ///
    /// When its ending stands for none.
    pub(super) fn format(&self) -> Result<DocumentFormat, Exit> {
        let ending = self.output.as_ref().and_then(|path| path.extension()).map(OsStr::to_string_lossy);
        let (None, Some(ending)) = (self.format, ending) else {
            return Ok(self.format.unwrap_or(DocumentFormat::Text));
        };
        match &*ending.to_ascii_lowercase() {
            "html" | "htm" => Ok(DocumentFormat::Html),
            "md" | "markdown" => Ok(DocumentFormat::Markdown),
            "json" => Ok(DocumentFormat::Json),
            "txt" | "text" => Ok(DocumentFormat::Text),
            _ => Err(Exit::usage(format!(
                "no form of a document ends in .{ending}: it is .html, .md, .json or .txt; or say with --format which it is"
            ))),
        }
    }
}

/// Form of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum DocumentFormat {
    /// For a terminal
    Text,
    /// For the summary of a job
    Markdown,
    /// One page that needs nothing beside it
    Html,
    /// For programs
    Json,
}

#[derive(Debug, Parser)]
pub(super) struct NightDiffArgs {
    /// The old run: a run.jsonl, or its folder
    #[arg(value_name = "OLD")]
    pub(super) old: PathBuf,
    /// The new run
    #[arg(value_name = "NEW")]
    pub(super) new: PathBuf,
    /// A folder with earlier runs of the target: what went back and forth in them is flaky, and no
    /// regression
    #[arg(long, value_name = "DIR")]
    pub(super) history: Option<PathBuf>,
    /// How many runs of the history to look at, the latest
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1000), requires = "history")]
    pub(super) last: u16,
    #[command(flatten)]
    pub(super) form: FormArgs,
    /// Accept runs that were interrupted
    #[arg(long)]
    pub(super) partial: bool,
}

#[derive(Debug, Parser)]
pub(super) struct MatrixArgs {
    /// The runs, one for each column: a run.jsonl or its folder, or LABEL=PATH
    #[arg(value_name = "RUN", required = true)]
    pub(super) runs: Vec<String>,
    /// Also write a badge for each target into this folder
    #[arg(long, value_name = "DIR")]
    pub(super) badges: Option<PathBuf>,
    /// Where the pages of the runs are: an address with `{target}` in it (default: run.html beside
    /// each run, if it is there)
    #[arg(long, value_name = "URL")]
    pub(super) pages: Option<String>,
    #[command(flatten)]
    pub(super) form: FormArgs,
    /// Accept runs that were interrupted
    #[arg(long)]
    pub(super) partial: bool,
}

#[derive(Debug, Parser)]
pub(super) struct TrendArgs {
    /// The folder with the runs, at any depth
    #[arg(value_name = "DIR")]
    pub(super) dir: PathBuf,
    /// Only runs of the target of this name
    #[arg(long, value_name = "NAME")]
    pub(super) target: Option<String>,
    #[command(flatten)]
    pub(super) form: FormArgs,
}

#[derive(Debug, Parser)]
pub(super) struct MergeArgs {
    /// The parts: a run.jsonl or its folder each
    #[arg(value_name = "PART", required = true)]
    pub(super) parts: Vec<PathBuf>,
    /// The folder for the merged run
    #[arg(long, short, value_name = "DIR")]
    pub(super) output: PathBuf,
    #[command(flatten)]
    pub(super) suite: SuiteArgs,
    /// Of records that do not say which part of a run they are: take the cases they have for all
    /// that there should be, even if the suite has more
    #[arg(long)]
    pub(super) union: bool,
}
