//! A recorded run as a whole, for documents that cannot be made line by line.

use std::io::BufRead;

use super::jsonl::{Partial, ReadError, read_events};
use crate::run::{CaseResult, Event, Footer, Header};

/// A recorded run.
#[derive(Debug, Clone)]
pub struct Record {
    /// What was known before the first case ran.
    pub header: Header,
    /// The results, in the order of finishing.
    pub results: Vec<CaseResult>,
    /// What was known at the end; none when the run is partial.
    pub footer: Option<Footer>,
}

impl Record {
    /// Reads a `run.jsonl`.
    ///
    /// # Errors
    ///
    /// When it is no whole and consistent record. With [`Partial::Allow`] the
    /// footer may be missing.
    pub fn read(input: impl BufRead, partial: Partial) -> Result<Self, ReadError> {
        let mut events = read_events(input, partial);
        let Some(Event::Header(header)) = events.next().transpose()? else { return Err(ReadError::NoHeader) };
        let mut record = Self { header, results: Vec::new(), footer: None };
        for event in events {
            match event? {
                Event::Header(_) => {}
                Event::Result(result) => record.results.push(*result),
                Event::Footer(footer) => record.footer = Some(footer),
            }
        }
        Ok(record)
    }
}

#[cfg(test)]
mod tests {
    use super::super::jsonl::{Partial, write_event};
    use super::super::samples;
    use super::Record;
    use crate::judge::Verdict;

    #[test]
    fn a_record_holds_all_events() {
        let mut file = Vec::new();
        for event in samples::events(&[Verdict::Pass, Verdict::Fail]) {
            write_event(&event, &mut file).unwrap();
        }
        let record = Record::read(&file[..], Partial::Refuse).unwrap();
        assert_eq!(record.header.selected, 2);
        assert_eq!(record.results.iter().map(|result| &result.case[..]).collect::<Vec<_>>(), ["a/0", "a/1"]);
        assert_eq!(record.footer.map(|footer| footer.exit), Some(1));
        assert!(Record::read(&b""[..], Partial::Allow).is_err());
    }
}
