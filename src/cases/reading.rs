//! What all files of a suite are read into, by several threads at a time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use regex::Regex;

use crate::source::Problem;

/// What the files of a suite have in common while they are read.
#[derive(Debug, Default)]
pub(super) struct Reading {
    problems: Mutex<Vec<Problem>>,
    /// Tables repeat a pattern in every row, and compiling one takes longer than
    /// reading the rest of a case.
    patterns: Mutex<HashMap<String, Arc<Regex>>>,
}

impl Reading {
    /// Adds a mistake.
    pub(super) fn problem(&self, problem: Problem) {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner).push(problem);
    }

    /// All mistakes, in the order of their places, each once.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner().unwrap_or_else(PoisonError::into_inner);
        problems.sort();
        problems.dedup();
        problems
    }

    /// A pattern, compiled once.
    ///
    /// # Errors
    ///
    /// When the text is no regular expression, or too large a one.
    pub(super) fn pattern(&self, text: &str) -> Result<Arc<Regex>, regex::Error> {
        if let Some(known) = self.patterns.lock().unwrap_or_else(PoisonError::into_inner).get(text) {
            return Ok(Arc::clone(known));
        }
        let compiled = Arc::new(Regex::new(text)?);
        self.patterns.lock().unwrap_or_else(PoisonError::into_inner).insert(text.to_owned(), Arc::clone(&compiled));
        Ok(compiled)
    }
}
