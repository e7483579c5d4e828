//! `syncspec report`: documents from recorded runs.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use super::Exit;
use super::args::DocumentArgs;
use super::output::{Output, write_atomically};
use crate::report::{self, Context, Partial, Record};
use crate::spec::{Catalog, Service};

/// Name of a recorded run in its folder.
pub(super) const RUN_FILE: &str = "run.jsonl";

/// Reads a recorded run, given as its file or folder.
pub(super) fn read(path: &Path, partial: Partial) -> Result<Record, Exit> {
    let file = if path.is_dir() { path.join(RUN_FILE) } else { path.to_owned() };
    let named = |error: &dyn std::fmt::Display| Exit::usage(format!("{}: {error}", file.display()));
    let opened = File::open(&file).map_err(|error| named(&error))?;
    Record::read(BufReader::new(opened), partial).map_err(|error| named(&error))
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

pub(super) fn html(args: &DocumentArgs, output: &Output) -> Result<u8, Exit> {
    let disputes = &Service::embedded().disputes;
    document(args, output, |record, context, document| report::html(record, context, disputes, document))
}

pub(super) fn junit(args: &DocumentArgs, output: &Output) -> Result<u8, Exit> {
    document(args, output, |record, context, document| report::junit(record, context, document))
}

/// Writes a document to a file, or prints it.
pub(super) fn deliver(document: &[u8], path: Option<&Path>, output: &Output) -> Result<u8, Exit> {
    let written = match path {
        Some(path) => write_atomically(path, document)
            .map_err(|error| Exit::usage(format!("cannot write {}: {error}", path.display()))),
        None => output.bytes(document).map_err(Exit::usage),
    };
    written.map(|()| 0)
}
