//! `syncspec report merge`: one record of the parts of a run.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use super::output::Output;
use super::recorded::{CutOff, file, open, refused};
use super::report::RUN_FILE;
use super::report_args::MergeArgs;
use super::{Exit, open as opened};
use crate::report::{Merged, Partial, Skimmer, Summary, Whole, case_at, read_events};
use crate::spec::Service;

pub(super) fn merge(args: &MergeArgs, output: &Output) -> Result<u8, Exit> {
    let skimmer = Skimmer::default();
    let files: Vec<_> = args.parts.iter().map(|part| file(part)).collect();
    let target = args.output.join(RUN_FILE);
    if target.symlink_metadata().is_ok() {
        return Err(Exit::usage(format!("{} is there already; choose another folder", target.display())));
    }
    if let Some(twice) = given_twice(&files) {
        return Err(Exit::usage(format!("{} is given twice; each part is to be named once", twice.display())));
    }
    let mut parts = Vec::new();
    for file in &files {
        let skim = skimmer.read(open(file)?, Partial::Refuse);
        parts.push((file.display().to_string(), skim.map_err(|error| refused(file, &error, CutOff::IsNoUse))?));
    }
    let suite = opened::suite(&args.suite)?;
    let cases: Vec<_> = suite.cases.iter().map(|case| case.id.as_str()).collect();
    let whole = Whole { cases: &cases, suite_digest: &suite.digest, union: args.union };
    let case = |part: usize, place| case_at(&mut BufReader::new(File::open(&files[part])?), place);
    let merged = Merged::of(&skimmer, &parts, whole, case).map_err(Exit::usage)?;
    let number = parts.len();
    drop(parts);
    let unwritable = |error: &io::Error| Exit::usage(format!("cannot write {}: {error}", target.display()));
    fs::create_dir_all(&args.output).map_err(|error| unwritable(&error))?;
    let beside = args.output.join(format!(".{RUN_FILE}.{}.tmp", std::process::id()));
    let ended = write(&merged, &files, &beside).and_then(|summary| {
        fs::rename(&beside, &target).map_err(|error| unwritable(&error))?;
        Ok(summary)
    });
    if ended.is_err() {
        // It is not whole, and of no use to anybody.
        let _ = fs::remove_file(&beside);
    }
    let summary = ended?;
    output.text(&format!("{}\n", summary.sentence()));
    output.text(&format!("report: {} (of {number} parts)\n", args.output.display()));
    Ok(summary.exit())
}

/// A part that is named twice, be it in two ways.
fn given_twice(files: &[PathBuf]) -> Option<&PathBuf> {
    let mut known = HashSet::new();
    files.iter().find(|file| file.canonicalize().is_ok_and(|real| !known.insert(real)))
}

/// Writes the record, and reads it once more: what a reader would refuse must not take the
/// name of a run.
fn write(merged: &Merged, files: &[PathBuf], to: &Path) -> Result<Summary, Exit> {
    let unwritable = |error: &io::Error| Exit::usage(format!("cannot write {}: {error}", to.display()));
    let inputs = files.iter().map(|file| open(file)).collect::<Result<Vec<_>, _>>()?;
    let mut written = BufWriter::new(File::create(to).map_err(|error| unwritable(&error))?);
    merged.write(inputs, &mut written).and_then(|()| written.flush()).map_err(|error| unwritable(&error))?;
    let mut summary = Summary::new(&Service::embedded().disputes);
    for event in read_events(open(to)?, Partial::Refuse) {
        summary.add(&event.map_err(|error| Exit::usage(format!("the parts make no run: {error}")))?);
    }
    Ok(summary)
}
