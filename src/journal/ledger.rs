//! What a run under way owes.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::debt::Debt;
use super::file::Journal;

/// Names a debt in its ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Number(u64);

/// What a run owes, for all of its cases. Without a journal it remembers nothing: the
/// cases know what they made, and nobody comes after them.
#[derive(Debug, Default)]
pub struct Ledger {
    written: Option<Mutex<Written>>,
    is_gone: AtomicBool,
}

#[derive(Debug)]
struct Written {
    /// None once it was removed.
    journal: Option<Journal>,
    owed: BTreeSet<Number>,
}

impl Ledger {
    /// What is owed is written into this journal.
    pub fn written(journal: Journal) -> Self {
        let written = Written { journal: Some(journal), owed: BTreeSet::new() };
        Self { written: Some(Mutex::new(written)), is_gone: AtomicBool::default() }
    }

    /// Whether there is a journal.
    pub fn is_written(&self) -> bool {
        self.written.is_some()
    }

    /// Writes down a debt, before the request that makes it is sent.
    ///
    /// # Errors
    ///
    /// When it cannot be written; the request must not be sent then.
    pub fn owe(&self, debt: impl FnOnce() -> Debt) -> io::Result<Number> {
        let number = self.with(|written| {
            let Some(journal) = &mut written.journal else { return Err(io::Error::other("the run is over")) };
            let number = Number(journal.owe(debt())?);
            written.owed.insert(number);
            Ok(number)
        });
        number.unwrap_or(Ok(Number(0)))
    }

    /// The request has succeeded.
    pub fn made(&self, number: Number) {
        self.with(|written| {
            // Not to know it makes who comes after more careful, and nothing else.
            written.journal.as_mut().map(|journal| journal.made(number.0))
        });
    }

    /// It was taken back, or never made.
    pub fn paid(&self, number: Number) {
        self.with(|written| {
            // When it cannot be written, it will be taken back once more.
            let _ = written.journal.as_mut().map(|journal| journal.paid(number.0));
            written.owed.remove(&number);
        });
    }

    /// The endpoint is gone: nothing can be taken back now.
    pub fn give_up(&self) {
        self.is_gone.store(true, Ordering::Relaxed);
    }

    /// Whether nothing can be taken back now.
    pub fn is_given_up(&self) -> bool {
        self.is_gone.load(Ordering::Relaxed)
    }

    /// The run is over. A journal in which nothing is owed is removed; else where it
    /// stands, and how many debts are in it.
    ///
    /// # Errors
    ///
    /// When it cannot be removed.
    pub fn close(&self) -> io::Result<Option<(PathBuf, usize)>> {
        let closed = self.with(|written| {
            let Some(journal) = written.journal.take() else { return Ok(None) };
            if written.owed.is_empty() {
                return journal.remove().map(|()| None);
            }
            Ok(Some((journal.path().to_owned(), written.owed.len())))
        });
        closed.unwrap_or(Ok(None))
    }

    fn with<T>(&self, act: impl FnOnce(&mut Written) -> T) -> Option<T> {
        self.written.as_ref().map(|written| act(&mut written.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        // However the run came to its end: an empty journal is of no use to anybody.
        let _ = self.close();
    }
}
