//! `--write-known-failures`: begins the list of known failures of a target.

use std::path::{Path, PathBuf};

use super::Exit;
use super::output::write_atomically;
use crate::cases::Suite;
use crate::report::NewFailures;
use crate::run::CaseResult;

/// Gathers what fails, and writes it to a file at the end.
#[derive(Debug)]
pub(super) struct KnownFailures {
    file: PathBuf,
    new: NewFailures,
}

impl KnownFailures {
    /// The list that is to be written to this file, which must not be there yet: what
    /// people wrote into it would be lost.
    pub(super) fn to(file: &Path) -> Result<Self, Exit> {
        let shown = file.display();
        if file.symlink_metadata().is_ok() {
            return Err(Exit::usage(format!("{shown} is there already; remove it, or write to another file")));
        }
        Ok(Self { file: file.to_owned(), new: NewFailures::default() })
    }

    pub(super) fn add(&mut self, result: &CaseResult) {
        self.new.add(result);
    }

    /// Writes the file; the line that tells of it.
    pub(super) fn write(&self, target: &str, suite: &Suite) -> Result<String, Exit> {
        let (text, entries) = self.new.to_toml(target, suite.cases.iter().map(|case| case.id.as_str()));
        let shown = self.file.display();
        write_atomically(&self.file, text.as_bytes())
            .map_err(|error| Exit::usage(format!("cannot write {shown}: {error}")))?;
        let (entries, cases) = (counted(entries, "entry", "entries"), counted(self.new.cases(), "case", "cases"));
        Ok(format!("known failures: {shown} ({entries} for {cases}, to be reviewed)"))
    }
}

fn counted(number: usize, one: &str, more: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { more })
}
