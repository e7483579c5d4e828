//! `run.jsonl`: one event per line, written as they happen, read one by one.

use std::collections::HashSet;
use std::io::{self, BufRead, Write};

use super::lines::{Checks, Lines, Name, Names};
use crate::run::{Event, FORMAT_VERSION};

/// Writes one event as one line and flushes, so that an interrupted run leaves
/// whole lines behind.
///
/// # Errors
///
/// When `output` cannot be written to.
pub fn write_event(event: &Event, mut output: impl Write) -> io::Result<()> {
    let mut line = serde_json::to_vec(event)?;
    line.push(b'\n');
    output.write_all(&line)?;
    output.flush()
}

/// Whether a record that ends without a footer may be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Partial {
    /// No: the run was interrupted, and its record would look better than it is.
    Refuse,
    /// Yes: the reader says that it shows a partial run. A last line that was cut
    /// while it was written is left out.
    Allow,
}

/// Why a record cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The input failed.
    #[error("cannot read the record of the run: {0}")]
    Io(#[from] io::Error),
    /// There is no line at all.
    #[error("the record of the run is empty")]
    Empty,
    /// The first line is another event.
    #[error("line 1 is no header; is this a run.jsonl?")]
    NoHeader,
    /// Written by a version of syncspec whose records this one would misread.
    #[error("the record has format version {found}; this syncspec reads version {FORMAT_VERSION}")]
    UnknownVersion {
        /// The version that the header names.
        found: u64,
    },
    /// A line is no event.
    #[error("line {line}: {problem}")]
    Malformed {
        /// Number of the line, from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// A second header: two records in one file.
    #[error("line {line}: a second header; each run has a file of its own")]
    SecondHeader {
        /// Number of the line, from 1.
        line: usize,
    },
    /// Something follows the footer.
    #[error("line {line}: the run was already over")]
    AfterFooter {
        /// Number of the line, from 1.
        line: usize,
    },
    /// Two results for one case.
    #[error("line {line}: a second result for `{case}`")]
    DuplicateCase {
        /// Number of the line, from 1.
        line: usize,
        /// The case.
        case: String,
    },
    /// The same, from a reader that keeps no lines.
    #[error("two results for one case, in the lines that begin at bytes {} and {}", places[0].min(places[1]), places[0].max(places[1]))]
    RepeatedCase {
        /// Where the lines begin, in bytes from the beginning.
        places: [u64; 2],
    },
    /// No footer: the run was interrupted.
    #[error("the run is partial: it ends after {results} of {selected} results, without a footer")]
    Partial {
        /// How many results there are.
        results: usize,
        /// How many cases were selected.
        selected: usize,
    },
    /// Header, results and footer contradict each other.
    #[error("line {line}: {problem}")]
    Inconsistent {
        /// Number of the line, from 1.
        line: usize,
        /// What contradicts what.
        problem: String,
    },
}

impl ReadError {
    /// The message without its position, which counts lines within this line.
    pub(super) fn malformed(line: usize, error: &serde_json::Error) -> Self {
        let text = error.to_string();
        let message = text.split(" at line ").next().unwrap_or(&text);
        let place = if error.column() > 0 { format!(", at column {}", error.column()) } else { String::new() };
        Self::Malformed { line, problem: format!("{message}{place}") }
    }
}

/// Reads a record event by event. After an error nothing more comes; a record
/// is whole and consistent when the iterator ended without one.
pub fn read_events<R: BufRead>(input: R, partial: Partial) -> Reader<R> {
    Reader {
        lines: Lines::of(input),
        over: false,
        checks: Checks::new(partial),
        cases: HashSet::new(),
        names: Names::new(),
    }
}

/// The events of a record, each checked against those before it.
#[derive(Debug)]
pub struct Reader<R> {
    lines: Lines<R>,
    /// Nothing more comes.
    over: bool,
    checks: Checks,
    /// The cases that have a result, by what stands for their ids: a million ids
    /// would take the memory that reading line by line saves.
    cases: HashSet<Name>,
    names: Names,
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<Event, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let next = self.event().transpose();
        self.over = !matches!(next, Some(Ok(_)));
        next
    }
}

impl<R: BufRead> Reader<R> {
    fn event(&mut self) -> Result<Option<Event>, ReadError> {
        let Some(line) = self.lines.next_line()? else { return self.checks.end().map(|()| None) };
        let event = match parse(line.text) {
            Ok(event) => event,
            Err(_) if self.checks.is_cut(&line) => return self.checks.end().map(|()| None),
            Err(error) => return Err(ReadError::malformed(line.number, &error)),
        };
        match &event {
            Event::Header(header) => self.checks.header(line.number, header)?,
            Event::Result(result) => {
                self.checks.result(line.number, result.verdict)?;
                if !self.cases.insert(self.names.name(&result.case)) {
                    return Err(ReadError::DuplicateCase { line: line.number, case: result.case.clone() });
                }
            }
            Event::Footer(footer) => self.checks.footer(line.number, footer)?,
        }
        Ok(Some(event))
    }
}

/// How the line of a result begins, as it is written here.
pub(super) const RESULT: &[u8] = br#"{"type":"result","#;

/// A line as an event. That of a result is told by how it begins: looking for its type
/// would hold all of it in memory once more.
fn parse(line: &[u8]) -> serde_json::Result<Event> {
    if line.starts_with(RESULT) {
        serde_json::from_slice(line).map(Event::Result)
    } else {
        serde_json::from_slice(line)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::samples;
    use super::{Partial, ReadError, read_events, write_event};
    use crate::judge::Verdict;
    use crate::run::Event;

    fn lines(events: &[Event]) -> Vec<String> {
        let line = |event: &Event| {
            let mut bytes = Vec::new();
            write_event(event, &mut bytes).unwrap();
            String::from_utf8(bytes).unwrap()
        };
        events.iter().map(line).collect()
    }

    /// Header, a pass, a fail, footer.
    fn record() -> Vec<String> {
        lines(&samples::events(&[Verdict::Pass, Verdict::Fail]))
    }

    fn refused(text: &str, partial: Partial) -> String {
        let mut last = None;
        for event in read_events(text.as_bytes(), partial) {
            assert!(last.is_none(), "something came after {last:?}");
            last = event.err();
        }
        last.as_ref().map(ReadError::to_string).unwrap_or_default()
    }

    #[test]
    fn what_was_written_is_read() {
        let events = read_events(record().concat().as_bytes(), Partial::Refuse).collect::<Result<Vec<_>, _>>().unwrap();
        assert_eq!(lines(&events), record());
        assert!(record().iter().all(|line| line.matches('\n').count() == 1));
    }

    #[rstest]
    #[case::empty("", "the record of the run is empty")]
    #[case::other("{\"name\": \"x\"}\n", "line 1 is no header; is this a run.jsonl?")]
    #[case::blank("\n", "line 1 is no header; is this a run.jsonl?")]
    #[case::newer(
        "{\"type\":\"header\",\"format-version\":7,\"unheard-of\":1}\n",
        "the record has format version 7; this syncspec reads version 1"
    )]
    fn other_files_are_refused(#[case] text: &str, #[case] error: &str) {
        assert_eq!(refused(text, Partial::Refuse), error);
        assert_eq!(refused(text, Partial::Allow), error);
    }

    #[rstest]
    #[case::no_header(&[1, 3], "line 1 is no header; is this a run.jsonl?")]
    #[case::second_header(&[0, 1, 0], "line 3: a second header; each run has a file of its own")]
    #[case::late(&[0, 1, 2, 3, 1], "line 5: the run was already over")]
    #[case::second_footer(&[0, 1, 2, 3, 3], "line 5: the run was already over")]
    #[case::duplicate(&[0, 1, 1], "line 3: a second result for `a/0`")]
    #[case::totals(&[0, 1, 3], "line 3: the footer counts 1 as fail, but 0 of the results are")]
    fn lines_out_of_place_are_refused(#[case] order: &[usize], #[case] error: &str) {
        let record = record();
        let text: String = order.iter().map(|index| record[*index].as_str()).collect();
        assert_eq!(refused(&text, Partial::Refuse), error);
        assert_eq!(refused(&text, Partial::Allow), error);
    }

    #[rstest]
    #[case::fewer(0, "\"selected\":2", "\"selected\":3", "the header selects 3 cases, but there are 2 results")]
    #[case::more(0, "\"selected\":2", "\"selected\":1", "the header selects 1 cases, but there are 2 results")]
    #[case::greener(3, "\"exit\":1", "\"exit\":0", "the footer has exit code 0, but its totals lead to 1")]
    fn contradictions_are_refused(#[case] line: usize, #[case] from: &str, #[case] to: &str, #[case] error: &str) {
        let mut record = record();
        assert!(record[line].contains(from), "{}", record[line]);
        record[line] = record[line].replace(from, to);
        assert_eq!(refused(&record.concat(), Partial::Allow), format!("line 4: {error}"));
    }

    #[test]
    fn a_run_that_was_stopped_has_a_result_for_every_case_too() {
        let mut events = samples::events(&[Verdict::Pass]);
        let [Event::Header(header), _, Event::Footer(footer)] = &mut events[..] else { unreachable!() };
        (header.selected, footer.stopped, footer.exit) = (9, Some("interrupted".to_owned()), 3);
        let refusal = refused(&lines(&events).concat(), Partial::Refuse);
        assert_eq!(refusal, "line 3: the header selects 9 cases, but there are 1 results");
    }

    #[test]
    fn a_partial_record_is_read_only_when_asked_for() {
        let whole_lines = record()[..2].concat();
        let cut = format!("{whole_lines}{}", &record()[2][..40]);
        for text in [whole_lines, cut] {
            let error = "the run is partial: it ends after 1 of 2 results, without a footer";
            assert_eq!(refused(&text, Partial::Refuse), error);
            assert_eq!(refused(&text, Partial::Allow), "");
            assert_eq!(read_events(text.as_bytes(), Partial::Allow).count(), 2);
        }
    }

    #[test]
    fn a_broken_line_in_the_middle_is_never_taken_for_a_cut() {
        let text = format!("{}{}\n{}", record()[0], &record()[1][..40], record()[2]);
        let error = "line 2: control character (\\u0000-\\u001F) found while parsing a string";
        assert_eq!(refused(&text, Partial::Allow), error);
        let text = record()[..2].concat().replace("\"verdict\":\"pass\"", "\"verdict\":pass");
        let column = record()[1].find(":\"pass\"").unwrap() + 2;
        assert_eq!(refused(&text, Partial::Allow), format!("line 2: expected value, at column {column}"));
    }
}
