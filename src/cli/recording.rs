//! The file `run.jsonl` of a run under way.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use super::report::RUN_FILE;
use crate::report::write_event;
use crate::run::Event;

/// Writes a run's events. A run that is resumed writes a new file beside the old one,
/// and moves it over when it holds all that the old one is worth: whenever the program
/// is killed, one of them is there, and every finished result is in it.
pub(super) struct Recording {
    path: PathBuf,
    file: BufWriter<File>,
    /// Where the file still stands, and how many results belong in it before it moves.
    beside: Option<(PathBuf, usize)>,
    written: io::Result<()>,
}

impl Recording {
    /// A new record in this folder.
    pub(super) fn begin(dir: &Path) -> io::Result<Self> {
        let path = dir.join(RUN_FILE);
        // What another run is writing there must not be lost.
        let file = locked(File::options().write(true).create(true).truncate(false).open(&path)?)?;
        if file.metadata()?.is_file() {
            file.set_len(0)?;
        }
        Ok(Self { path, file: BufWriter::new(file), beside: None, written: Ok(()) })
    }

    /// The record in this folder goes on; so many results are taken over.
    pub(super) fn resume(dir: &Path, results: usize) -> io::Result<Self> {
        let beside = dir.join(format!(".{RUN_FILE}.{}.new", std::process::id()));
        let file = locked(File::create(&beside)?)?;
        let beside = Some((beside, results));
        Ok(Self { path: dir.join(RUN_FILE), file: BufWriter::new(file), beside, written: Ok(()) })
    }

    /// Writes an event through to the operating system. After an error nothing more
    /// is written; [`Recording::finish`] tells of it.
    pub(super) fn add(&mut self, event: &Event) {
        if self.written.is_ok() {
            self.written = write_event(event, &mut self.file).and_then(|()| self.settle(event));
        }
    }

    fn settle(&mut self, event: &Event) -> io::Result<()> {
        let Some((beside, left)) = &mut self.beside else { return Ok(()) };
        *left -= usize::from(matches!(event, Event::Result(_)));
        if *left == 0 {
            fs::rename(&*beside, &self.path)?;
            self.beside = None;
        }
        Ok(())
    }

    /// The last event was written.
    ///
    /// # Errors
    ///
    /// When not everything could be.
    pub(super) fn finish(mut self) -> io::Result<()> {
        std::mem::replace(&mut self.written, Ok(()))
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        if let Some((beside, _)) = &self.beside {
            // It is less than what is there.
            let _ = fs::remove_file(beside);
        }
    }
}

/// Holds a lock for as long as the run is under way. Where a lock keeps readers out,
/// nobody is told.
fn locked(file: File) -> io::Result<File> {
    if cfg!(unix) {
        file.try_lock().map_err(|_| io::Error::other("a run that is under way writes to it"))?;
    }
    Ok(file)
}

/// Whether a run is under way that writes this file.
pub(super) fn is_being_written(path: &Path) -> bool {
    cfg!(unix) && File::open(path).is_ok_and(|file| matches!(file.try_lock(), Err(fs::TryLockError::WouldBlock)))
}
