//! Recorded runs as they are named on the command line: by their file, or by its folder.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use super::Exit;
use super::nights::records;
use super::report::RUN_FILE;
use crate::report::ReadError;

/// Read at a time, in bytes: files of many runs are large.
const BUFFER: usize = 256 * 1024;

/// What may be done with a run that was cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CutOff {
    /// The command has a flag for it.
    CanBeAccepted,
    /// It has to be whole.
    IsNoUse,
}

/// The record that is named by its file or its folder.
pub(super) fn file(named: &Path) -> PathBuf {
    if named.is_dir() { named.join(RUN_FILE) } else { named.to_owned() }
}

pub(super) fn open(file: &Path) -> Result<BufReader<File>, Exit> {
    let opened = File::open(file).map_err(|error| unreadable(file, &error))?;
    Ok(BufReader::with_capacity(BUFFER, opened))
}

fn unreadable(file: &Path, error: &io::Error) -> Exit {
    let folder = file.parent().filter(|folder| file.ends_with(RUN_FILE) && folder.is_dir());
    match (error.kind(), folder) {
        (io::ErrorKind::NotFound, Some(folder)) => Exit::usage(nothing_in(folder)),
        (io::ErrorKind::NotFound, None) => Exit::usage(format!("{}: there is no such file or folder", file.display())),
        _ => Exit::usage(format!("{}: {error}", file.display())),
    }
}

/// Of a folder without a record; people name that of a target and mean one of its runs.
fn nothing_in(folder: &Path) -> String {
    let below = records(folder).unwrap_or_default();
    let runs: Vec<_> = below.iter().filter(|path| path.ends_with(RUN_FILE)).filter_map(|path| path.parent()).collect();
    let folder = folder.display();
    match runs[..] {
        [] => format!("{folder}: there is no {RUN_FILE} in it, and none below it"),
        [only] => format!("{folder}: there is no {RUN_FILE} in it; did you mean {}?", only.display()),
        [.., last] => {
            let number = runs.len();
            format!(
                "{folder}: there is no {RUN_FILE} in it, but {number} runs below it; the last is {}",
                last.display()
            )
        }
    }
}

/// Why a record is refused, and what to do about it.
pub(super) fn refused(file: &Path, error: &ReadError, cut_off: CutOff) -> Exit {
    let hint = match (error, cut_off) {
        (ReadError::Partial { .. }, CutOff::CanBeAccepted) => "; --partial takes it as it is",
        (ReadError::Partial { .. }, CutOff::IsNoUse) => "; `syncspec run --resume` with its folder goes on with it",
        _ => "",
    };
    Exit::usage(format!("{}: {error}{hint}", file.display()))
}
