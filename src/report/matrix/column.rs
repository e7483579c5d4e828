//! What one run says, as a column of the matrix, gathered line by line.

use std::collections::BTreeMap;
use std::io::BufRead;

use indexmap::IndexMap;

use crate::judge::Verdict;
use crate::report::failure::short;
use crate::report::jsonl::{Partial, ReadError, read_events};
use crate::report::readings::Readings;
use crate::report::standing::{Count, Standing, Standings};
use crate::run::{CaseResult, Event, Footer, Header};
use crate::spec::{Catalog, Dispute};

/// A target, or a version of one.
#[derive(Debug)]
pub struct Column {
    /// What it is called in the matrix; no two are called alike.
    pub label: String,
    /// How its run began.
    pub header: Header,
    /// How its run ended; none when it is partial.
    pub footer: Option<Footer>,
    /// Where its run has a page of its own, if that is known.
    pub page: Option<String>,
    pub(super) standings: Standings,
    /// What makes a requirement stand as it does.
    pub(super) evidence: IndexMap<String, Evidence>,
    /// What it answered to each dispute, by the dispute's id.
    pub(super) answers: BTreeMap<String, String>,
}

/// The case that shows how a requirement stands.
#[derive(Debug, Clone)]
pub(super) struct Evidence {
    pub(super) standing: Standing,
    pub(super) case: String,
    pub(super) verdict: Verdict,
    /// What came, in one line; empty when nothing was found.
    pub(super) came: String,
    /// How many cases show the same.
    pub(super) cases: usize,
}

impl Column {
    /// Reads a run, and keeps what it says of each requirement.
    fn read(
        label: String,
        input: impl BufRead,
        partial: Partial,
        catalog: &Catalog,
        disputes: &[Dispute],
    ) -> Result<Self, ReadError> {
        let (mut standings, mut readings) = (Standings::new(catalog), Readings::of(disputes));
        let (mut header, mut footer, mut evidence) = (None, None, IndexMap::new());
        for event in read_events(input, partial) {
            match event? {
                Event::Header(read) => header = Some(read),
                Event::Footer(read) => footer = Some(read),
                Event::Result(result) => {
                    readings.add(&result);
                    standings.add(&result);
                    add_evidence(&mut evidence, &result);
                }
            }
        }
        let answers = readings.answers().map(|(id, answer)| (id.to_owned(), answer)).collect();
        let header = header.ok_or(ReadError::Empty)?;
        Ok(Self { label, header, footer, page: None, standings, evidence, answers })
    }

    /// The command that a case's id is added to in order to run it alone on this target.
    pub(super) fn rerun<'a>(&'a self, otherwise: &'a str) -> &'a str {
        self.header.rerun.as_deref().unwrap_or(otherwise)
    }

    /// How many requirements stand how.
    pub fn count(&self) -> Count {
        self.standings.count(|_| true)
    }
}

fn add_evidence(evidence: &mut IndexMap<String, Evidence>, result: &CaseResult) {
    for (id, standing) in Standings::said(result) {
        let new =
            || Evidence { standing, case: result.case.clone(), verdict: result.verdict, came: short(result), cases: 1 };
        match evidence.get_mut(id) {
            None => drop(evidence.insert(id.to_owned(), new())),
            Some(known) if known.standing < standing => *known = new(),
            Some(known) if known.standing == standing => known.cases += 1,
            Some(_) => {}
        }
    }
}

/// The columns of a matrix, one after the other.
#[derive(Debug, Default)]
pub struct Columns(pub(super) Vec<Column>);

impl Columns {
    /// Reads a run as the next column. `label` is what it is to be called; else it has
    /// the name of its target, and when it was run if that is taken.
    ///
    /// # Errors
    ///
    /// When it is no whole and consistent record. With [`Partial::Allow`] the footer
    /// may be missing.
    pub fn read(
        &mut self,
        label: Option<&str>,
        input: impl BufRead,
        partial: Partial,
        catalog: &Catalog,
        disputes: &[Dispute],
    ) -> Result<&mut Column, ReadError> {
        let mut column = Column::read(String::new(), input, partial, catalog, disputes)?;
        let name = label.unwrap_or(&column.header.target.name);
        let taken = |label: &str| self.0.iter().any(|column| column.label == label);
        let dated = format!("{name} {}", column.header.started);
        let numbered = (2..).map(|number| format!("{name} ({number})"));
        let mut labels = [name.to_owned(), dated].into_iter().chain(numbered);
        column.label = labels.find(|label| !taken(label)).unwrap_or_default();
        let index = self.0.len();
        self.0.push(column);
        Ok(&mut self.0[index])
    }

    pub(super) fn into_columns(self) -> Vec<Column> {
        self.0
    }

    /// What keeps the columns from being compared.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let differs =
            |get: fn(&Header) -> &str| self.0.windows(2).any(|pair| get(&pair[0].header) != get(&pair[1].header));
        if differs(|header| &header.suite_digest) {
            notes.push(
                "The runs are of different suites: a requirement may stand differently because its cases do."
                    .to_owned(),
            );
        } else if differs(|header| &header.selection_digest) {
            notes.push("The runs are of different selections of one suite.".to_owned());
        }
        if self.0.windows(2).any(|pair| pair[0].header.protocol != pair[1].header.protocol) {
            let spoken: Vec<_> =
                self.0.iter().map(|column| format!("{} over {}", column.label, column.header.protocol)).collect();
            notes.push(format!("The targets were called over different protocols: {}.", spoken.join(", ")));
        }
        if self.0.windows(2).any(|pair| pair[0].header.strict != pair[1].header.strict) {
            notes.push("Some runs are strict on inferred requirements, others are not.".to_owned());
        }
        for column in &self.0 {
            match &column.footer {
                None => notes.push(format!("The run of {} is partial: it was cut off.", column.label)),
                Some(Footer { stopped: Some(reason), .. }) => {
                    notes.push(format!("The run of {} was stopped: {reason}", column.label));
                }
                Some(_) => {}
            }
        }
        notes
    }
}
