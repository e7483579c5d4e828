//! The lines of a `run.jsonl`, and what must be true of them together, whoever reads
//! them and however much of each.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::io::{BufRead, Read as _};

use indexmap::IndexMap;
use serde::Deserialize;

use super::jsonl::{Partial, ReadError};
use crate::judge::Verdict;
use crate::run::{FORMAT_VERSION, FailOn, Footer, Header};

/// Longest line that is read, in bytes. What is kept of a case is bounded far below it.
pub(super) const MOST_LINE: usize = 64 * 1024 * 1024;

/// The lines of a file, one at a time.
#[derive(Debug)]
pub(super) struct Lines<R> {
    input: R,
    /// Number of the line read last, from 1.
    number: usize,
    /// Where the next line begins.
    place: u64,
    text: Vec<u8>,
}

/// A line of a file.
#[derive(Debug)]
pub(super) struct Line<'l> {
    /// With its end, if it has one.
    pub(super) text: &'l [u8],
    /// From 1.
    pub(super) number: usize,
    /// Where it begins, in bytes from the beginning of the file.
    pub(super) place: u64,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn of(input: R) -> Self {
        Self { input, number: 0, place: 0, text: Vec::new() }
    }

    /// The next line; none at the end.
    pub(super) fn next_line(&mut self) -> Result<Option<Line<'_>>, ReadError> {
        self.text.clear();
        let length = (&mut self.input).take(MOST_LINE as u64 + 1).read_until(b'\n', &mut self.text)?;
        if length == 0 {
            return Ok(None);
        }
        self.number += 1;
        if length > MOST_LINE {
            let problem = format!("the line is longer than {} MiB", MOST_LINE / 1024 / 1024);
            return Err(ReadError::Malformed { line: self.number, problem });
        }
        let place = self.place;
        self.place += length as u64;
        if self.number == 1 {
            check_version(&self.text)?;
        }
        Ok(Some(Line { text: &self.text, number: self.number, place }))
    }
}

/// As much of a header as every version of the form has.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct AnyHeader {
    r#type: String,
    format_version: u64,
}

fn check_version(line: &[u8]) -> Result<(), ReadError> {
    match serde_json::from_slice::<AnyHeader>(line) {
        Ok(header) if header.r#type != "header" => Err(ReadError::NoHeader),
        Ok(header) if header.format_version != u64::from(FORMAT_VERSION) => {
            Err(ReadError::UnknownVersion { found: header.format_version })
        }
        Ok(_) => Ok(()),
        Err(_) => Err(ReadError::NoHeader),
    }
}

/// What stands for the id of a case: two in 2^128 are alike by chance, and nobody can
/// make them so on purpose.
pub(super) type Name = [u64; 2];

/// Makes names; those of one maker can be compared.
#[derive(Debug, Clone)]
pub(super) struct Names([RandomState; 2]);

impl Names {
    pub(super) fn new() -> Self {
        Self([RandomState::new(), RandomState::new()])
    }

    pub(super) fn name(&self, case: &str) -> Name {
        [self.0[0].hash_one(case), self.0[1].hash_one(case)]
    }
}

/// What header, results and footer of a record must not contradict. That no case has
/// two results, the reader checks.
#[derive(Debug)]
pub(super) struct Checks {
    partial: Partial,
    /// How many cases the header selects, and what fails the run.
    header: Option<(usize, FailOn, bool)>,
    /// Results by verdict.
    totals: IndexMap<Verdict, usize>,
    results: usize,
    /// The footer has come.
    footer: bool,
}

impl Checks {
    pub(super) fn new(partial: Partial) -> Self {
        Self { partial, header: None, totals: IndexMap::new(), results: 0, footer: false }
    }

    /// Whether a line that cannot be read is the last one, cut while it was written.
    pub(super) fn is_cut(&self, line: &Line<'_>) -> bool {
        !line.text.ends_with(b"\n") && self.header.is_some() && !self.footer
    }

    pub(super) fn header(&mut self, line: usize, header: &Header) -> Result<(), ReadError> {
        self.not_over(line)?;
        if self.header.is_some() {
            return Err(ReadError::SecondHeader { line });
        }
        self.header = Some((header.selected, header.fail_on, header.is_empty_part()));
        Ok(())
    }

    pub(super) fn result(&mut self, line: usize, verdict: Verdict) -> Result<(), ReadError> {
        self.not_over(line)?;
        *self.totals.entry(verdict).or_default() += 1;
        self.results += 1;
        Ok(())
    }

    pub(super) fn footer(&mut self, line: usize, footer: &Footer) -> Result<(), ReadError> {
        self.not_over(line)?;
        self.footer = true;
        self.contradiction(footer).map_or(Ok(()), |problem| Err(ReadError::Inconsistent { line, problem }))
    }

    /// Nothing more comes.
    pub(super) fn end(&self) -> Result<(), ReadError> {
        let (selected, ..) = self.header.ok_or(ReadError::Empty)?;
        if self.footer || self.partial == Partial::Allow {
            Ok(())
        } else {
            Err(ReadError::Partial { results: self.results, selected })
        }
    }

    /// Results by verdict.
    pub(super) fn into_totals(self) -> IndexMap<Verdict, usize> {
        self.totals
    }

    fn not_over(&self, line: usize) -> Result<(), ReadError> {
        if self.footer { Err(ReadError::AfterFooter { line }) } else { Ok(()) }
    }

    /// What in the footer cannot be true after this header and these results.
    fn contradiction(&self, footer: &Footer) -> Option<String> {
        let (results, (selected, fail_on, is_empty_part)) = (self.results, self.header.unwrap_or_default());
        let count = |totals: &IndexMap<Verdict, usize>, verdict| totals.get(&verdict).copied().unwrap_or(0);
        for verdict in Verdict::ALL {
            let (said, counted) = (count(&footer.totals, verdict), count(&self.totals, verdict));
            if said != counted {
                return Some(format!("the footer counts {said} as {verdict}, but {counted} of the results are"));
            }
        }
        if results != selected {
            return Some(format!("the header selects {selected} cases, but there are {results} results"));
        }
        let exit = footer.exit_of(is_empty_part, fail_on);
        (footer.exit != exit)
            .then(|| format!("the footer has exit code {}, but its totals lead to {exit}", footer.exit))
    }
}
