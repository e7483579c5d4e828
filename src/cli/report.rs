//! `syncspec report`: documents from recorded runs.

use std::io::{self, Write as _};
use std::path::Path;

use anstream::adapter::strip_str;

use super::args::{DocumentArgs, ReportFormat};
use super::output::{Output, unwritable, write_atomically};
use super::recorded::{CutOff, file, open, refused};
use super::report_args::JunitArgs;
use super::{Exit, merge, report_several};
use crate::report::{self, Context, Locations, Partial, Record};
use crate::spec::{Catalog, Service};

/// Name of a recorded run in its folder.
pub(super) const RUN_FILE: &str = "run.jsonl";

/// Reads a recorded run, given as its file or folder.
pub(super) fn read(path: &Path, partial: Partial) -> Result<Record, Exit> {
    let file = file(path);
    Record::read(open(&file)?, partial).map_err(|error| refused(&file, &error, CutOff::CanBeAccepted))
}

/// Makes a document of a recorded run.
fn document(
    args: &DocumentArgs,
    output: &Output,
    write: impl FnOnce(&Record, &Context<'_>, &mut Vec<u8>) -> io::Result<()>,
) -> Result<u8, Exit> {
    let partial = if args.partial { Partial::Allow } else { Partial::Refuse };
    let record = read(&args.run, partial)?;
    let context = Context {
        catalog: Catalog::embedded(),
        target: &record.header.target,
        signing_service: &Service::embedded().signing_name,
        rerun: record.header.rerun.as_deref().unwrap_or("syncspec run"),
    };
    let mut document = Vec::new();
    write(&record, &context, &mut document).map_err(Exit::usage)?;
    deliver(&document, args.output.as_deref(), output)
}

/// Makes the document that was asked for.
pub(super) fn report(format: &ReportFormat, output: &Output) -> Result<u8, Exit> {
    match format {
        ReportFormat::Html(args) => html(args, output),
        ReportFormat::Junit(args) => junit(args, output),
        ReportFormat::Markdown(args) => markdown(args, output),
        ReportFormat::Diff(args) => report_several::diff(args, output),
        ReportFormat::Matrix(args) => report_several::matrix(args, output),
        ReportFormat::Trend(args) => report_several::trend(args, output),
        ReportFormat::Merge(args) => merge::merge(args, output),
    }
}

fn html(args: &DocumentArgs, output: &Output) -> Result<u8, Exit> {
    let disputes = &Service::embedded().disputes;
    document(args, output, |record, context, document| report::html(record, context, disputes, document))
}

fn junit(args: &JunitArgs, output: &Output) -> Result<u8, Exit> {
    let locations = if args.locations { Locations::Shown } else { Locations::Hidden };
    document(&args.document, output, |record, context, document| report::junit(record, context, locations, document))
}

fn markdown(args: &DocumentArgs, output: &Output) -> Result<u8, Exit> {
    let disputes = &Service::embedded().disputes;
    document(args, output, |record, context, document| {
        document.write_all(report::job_summary(record, context, disputes).as_bytes())
    })
}

/// Writes a document to a file, or prints it.
pub(super) fn deliver(document: &[u8], path: Option<&Path>, output: &Output) -> Result<u8, Exit> {
    match path {
        Some(path) => write_atomically(path, document).map_err(|error| Exit::usage(unwritable(path, &error)))?,
        None => output.bytes(document),
    }
    Ok(0)
}

/// The same for text with styles: they are for a terminal only.
pub(super) fn deliver_text(text: &str, path: Option<&Path>, output: &Output) -> Result<u8, Exit> {
    if path.is_some() {
        return deliver(strip_str(text).to_string().as_bytes(), path, output);
    }
    output.text(text);
    Ok(0)
}
