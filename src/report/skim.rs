//! A recorded run in brief: of each result what is needed to compare it with that of
//! another run, in 32 bytes, and where the rest of it stands.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, BufRead, Read, Seek, SeekFrom};

use indexmap::IndexMap;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::jsonl::{Partial, RESULT, ReadError};
use super::lines::{Checks, Lines, MOST_LINE, Name, Names};
use crate::judge::{Level, Verdict};
use crate::run::{CaseResult, Event, Footer, Header};

/// Most results that room is made for before they came: a header may say anything.
const MOST_FORESEEN: usize = 1 << 20;

/// Reads runs that are to be compared with each other.
#[derive(Debug, Clone)]
pub struct Skimmer {
    names: Names,
}

/// A run in brief.
#[derive(Debug, Clone)]
pub struct Skim {
    /// What was known before the first case ran.
    pub header: Header,
    /// What was known at the end; none when the run is partial.
    pub footer: Option<Footer>,
    /// Results by verdict; verdicts that did not occur may be missing.
    pub totals: IndexMap<Verdict, usize>,
    /// By name.
    pub(super) results: Vec<Skimmed>,
}

/// A result in brief.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Skimmed {
    pub(super) name: Name,
    /// What was found, without what differs from run to run.
    pub(super) print: u64,
    /// Where its line begins, in the upper bits; the number of its verdict in the
    /// lowest eight.
    place: u64,
}

impl Skimmed {
    pub(super) fn verdict(self) -> Verdict {
        Verdict::ALL[(self.place & 0xff) as usize % Verdict::ALL.len()]
    }

    /// Where its line begins, in bytes from the beginning of the file.
    pub(super) fn place(self) -> u64 {
        self.place >> 8
    }
}

impl Default for Skimmer {
    fn default() -> Self {
        Self { names: Names::new() }
    }
}

impl Skimmer {
    pub(super) fn name(&self, case: &str) -> Name {
        self.names.name(case)
    }

    /// Reads a run.
    ///
    /// # Errors
    ///
    /// When it is no whole and consistent record, for all that is read of it. With
    /// [`Partial::Allow`] the footer may be missing.
    pub fn read(&self, input: impl BufRead, partial: Partial) -> Result<Skim, ReadError> {
        let (mut lines, mut checks) = (Lines::of(input), Checks::new(partial));
        let (mut header, mut footer, mut results) = (None, None, Vec::new());
        while let Some(line) = lines.next_line()? {
            let read = match brief(line.text) {
                Ok(read) => read,
                Err(_) if checks.is_cut(&line) => break,
                Err(error) => return Err(ReadError::malformed(line.number, &error)),
            };
            match read {
                Brief::Header(read) => {
                    checks.header(line.number, &read)?;
                    results.reserve_exact(read.selected.min(MOST_FORESEEN));
                    header = Some(*read);
                }
                Brief::Result(result) => {
                    checks.result(line.number, result.verdict)?;
                    let verdict = Verdict::ALL.iter().position(|verdict| *verdict == result.verdict).unwrap_or(0);
                    results.push(Skimmed {
                        name: self.name(&result.case),
                        print: result.print(),
                        place: line.place << 8 | verdict as u64,
                    });
                }
                Brief::Footer(read) => {
                    checks.footer(line.number, &read)?;
                    footer = Some(*read);
                }
            }
        }
        checks.end()?;
        let header = header.ok_or(ReadError::Empty)?;
        results.sort_unstable();
        if let Some(pair) = results.windows(2).find(|pair| pair[0].name == pair[1].name) {
            return Err(ReadError::RepeatedCase { places: [pair[0].place(), pair[1].place()] });
        }
        Ok(Skim { header, footer, totals: checks.into_totals(), results })
    }
}

impl Skim {
    /// How many results there are.
    pub fn results(&self) -> usize {
        self.results.len()
    }

    /// How many results have this verdict.
    pub fn of(&self, verdict: Verdict) -> usize {
        self.totals.get(&verdict).copied().unwrap_or(0)
    }

    pub(super) fn get(&self, name: Name) -> Option<Skimmed> {
        self.results.binary_search_by_key(&name, |result| result.name).ok().map(|index| self.results[index])
    }
}

/// The result of which the line begins here, whole but for its exchanges.
pub(super) fn result_at(input: &mut (impl BufRead + Seek), place: u64) -> io::Result<CaseResult> {
    input.seek(SeekFrom::Start(place))?;
    let mut line = Vec::new();
    input.take(MOST_LINE as u64).read_until(b'\n', &mut line)?;
    let changed = |_| io::Error::other("it changed while it was read; wait until the run is over");
    let mut result: CaseResult = serde_json::from_slice(&line).map_err(changed)?;
    result.exchanges = Vec::new();
    Ok(result)
}

/// The case of which the result stands at this place of a record.
///
/// # Errors
///
/// When the file cannot be read, or no result begins there.
pub fn case_at(input: &mut (impl BufRead + Seek), place: u64) -> io::Result<String> {
    result_at(input, place).map(|result| result.case)
}

/// How a run began, without reading more of it.
///
/// # Errors
///
/// When it is no record of a run.
pub fn header(input: impl BufRead) -> Result<Header, ReadError> {
    let mut lines = Lines::of(input);
    let line = lines.next_line()?.ok_or(ReadError::Empty)?;
    match brief(line.text) {
        Ok(Brief::Header(header)) => Ok(*header),
        Ok(_) => Err(ReadError::NoHeader),
        Err(error) => Err(ReadError::malformed(line.number, &error)),
    }
}

enum Brief<'l> {
    Header(Box<Header>),
    Result(Box<BriefResult<'l>>),
    Footer(Box<Footer>),
}

fn brief(line: &[u8]) -> serde_json::Result<Brief<'_>> {
    if line.starts_with(RESULT) {
        return serde_json::from_slice(line).map(Brief::Result);
    }
    let event: Event = serde_json::from_slice(line)?;
    Ok(match event {
        Event::Header(header) => Brief::Header(Box::new(header)),
        Event::Result(_) => Brief::Result(serde_json::from_slice(line)?),
        Event::Footer(footer) => Brief::Footer(Box::new(footer)),
    })
}

/// What is read of a result; what is not must be there all the same.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct BriefResult<'l> {
    #[serde(borrow)]
    case: Cow<'l, str>,
    verdict: Verdict,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default, borrow)]
    findings: Vec<BriefFinding<'l>>,
    #[serde(rename = "action")]
    _action: IgnoredAny,
    #[serde(rename = "protocol")]
    _protocol: IgnoredAny,
    #[serde(rename = "requirements")]
    _requirements: IgnoredAny,
    #[serde(rename = "origin")]
    _origin: IgnoredAny,
    #[serde(rename = "duration-us")]
    _duration_us: IgnoredAny,
}

#[derive(Deserialize)]
struct BriefFinding<'l> {
    level: Level,
    #[serde(borrow)]
    at: Cow<'l, str>,
    #[serde(borrow)]
    actual: Cow<'l, str>,
    #[serde(borrow)]
    requirement: Cow<'l, str>,
}

impl BriefResult<'_> {
    /// The same for results that say the same: which requirements do not hold, where,
    /// and what sort of answer came. Values, which may be times and names that are new
    /// in each run, the numbers of steps, and places in case files are left out.
    fn print(&self) -> u64 {
        if self.findings.is_empty() && self.reason.is_none() {
            return 0;
        }
        let mut prints: Vec<_> = self.findings.iter().map(BriefFinding::print).collect();
        prints.sort_unstable();
        prints.dedup();
        let mut hasher = DefaultHasher::new();
        prints.hash(&mut hasher);
        // A finding says more than the reason, which may be the words of whoever
        // wrote the list of known failures.
        if prints.is_empty() && !self.verdict.is_judged() {
            settled(self.reason.as_deref().unwrap_or_default()).hash(&mut hasher);
        }
        hasher.finish()
    }
}

impl BriefFinding<'_> {
    fn print(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.level, &self.at, &self.requirement, sort(&self.at, &self.actual)).hash(&mut hasher);
        hasher.finish()
    }
}

/// What sort of answer this is: status and error without the message, else the form of
/// the value.
fn sort<'a>(at: &str, actual: &'a str) -> &'a str {
    match at {
        "status" | "error" => actual.split(':').next().unwrap_or_default(),
        _ => match actual.bytes().next() {
            Some(b'"' | b'{' | b'[') => &actual[..1],
            Some(b'-' | b'0'..=b'9') => "0",
            _ if matches!(actual, "true" | "false" | "null") => actual,
            _ => "",
        },
    }
}

/// A sentence without what differs from run to run: words with five digits or more,
/// such as ports, times and names that were made for the run.
fn settled(text: &str) -> String {
    let digits = |word: &str| word.bytes().filter(u8::is_ascii_digit).count();
    let word = |word| if digits(word) >= 5 { "…" } else { word };
    text.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Cursor};

    use rstest::rstest;

    use super::super::jsonl::{Partial, write_event};
    use super::super::samples;
    use super::{Skimmer, result_at, settled, sort};
    use crate::judge::Verdict;
    use crate::run::Event;

    fn file(events: &[Event]) -> Vec<u8> {
        let mut file = Vec::new();
        events.iter().for_each(|event| write_event(event, &mut file).unwrap());
        file
    }

    #[test]
    fn a_run_in_brief_leads_to_its_results() {
        let file = file(&samples::events(&Verdict::ALL));
        let skimmer = Skimmer::default();
        let skim = skimmer.read(&file[..], Partial::Refuse).unwrap();
        assert_eq!((skim.results(), skim.footer.is_some()), (Verdict::ALL.len(), true));
        let mut input = BufReader::new(Cursor::new(&file));
        for (index, verdict) in Verdict::ALL.into_iter().enumerate() {
            let brief = skim.get(skimmer.names.name(&format!("a/{index}"))).unwrap();
            let result = result_at(&mut input, brief.place()).unwrap();
            assert_eq!((brief.verdict(), result.verdict, result.case), (verdict, verdict, format!("a/{index}")));
            assert_eq!(skim.of(verdict), 1);
        }
        assert!(skim.get(skimmer.names.name("a/8")).is_none());
        assert!(result_at(&mut input, 3).is_err());
    }

    #[test]
    fn it_refuses_what_a_reader_refuses() {
        let events = samples::events(&[Verdict::Pass, Verdict::Fail]);
        let lines: Vec<_> = file(&events).split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        let read = |lines: &[&[u8]], partial| Skimmer::default().read(&lines.concat()[..], partial);
        let told = |lines: &[&[u8]]| read(lines, Partial::Allow).unwrap_err().to_string();
        let [header, pass, fail, footer] = [&lines[0][..], &lines[1], &lines[2], &lines[3]];
        assert_eq!(told(&[]), "the record of the run is empty");
        assert_eq!(told(&[pass]), "line 1 is no header; is this a run.jsonl?");
        assert_eq!(told(&[header, pass, header]), "line 3: a second header; each run has a file of its own");
        assert_eq!(told(&[header, pass, fail, footer, fail]), "line 5: the run was already over");
        assert_eq!(told(&[header, pass, footer]), "line 3: the footer counts 1 as fail, but 0 of the results are");
        let (first, second) = (header.len(), header.len() + pass.len());
        let twice = format!("two results for one case, in the lines that begin at bytes {first} and {second}");
        assert_eq!(told(&[header, pass, pass]), twice);
        assert!(told(&[header, &pass[..40], b"\n", fail]).starts_with("line 2: "));
        assert!(told(&[header, br#"{"type":"result","case":"a","verdict":"pass"}"#, b"\n"]).contains("missing field"));
        assert!(read(&[header, pass], Partial::Refuse).is_err());
        assert_eq!(read(&[header, pass, &fail[..40]], Partial::Allow).unwrap().results(), 1);
    }

    #[test]
    fn what_differs_from_run_to_run_is_no_difference() {
        let print = |change: &dyn Fn(&mut crate::run::CaseResult)| {
            let mut events = samples::events(&[Verdict::Fail]);
            let Event::Result(result) = &mut events[1] else { unreachable!() };
            change(result);
            Skimmer::default().read(&file(&events)[..], Partial::Refuse).unwrap().results[0].print
        };
        let same = print(&|_| {});
        assert_eq!(print(&|result| result.findings[0].step = 7), same);
        assert_eq!(print(&|result| result.findings[0].actual = "200: at 12:30".to_owned()), same);
        assert_ne!(print(&|result| result.findings[0].actual = "500".to_owned()), same);
        assert_ne!(print(&|result| result.findings[0].at = "/Version".to_owned()), same);
        assert_ne!(print(&|result| result.findings[0].requirement = "PutItem/rule/other".to_owned()), same);
    }

    #[rstest]
    #[case("/a", "\"x\"", "\"")]
    #[case("/a", "-1.5", "0")]
    #[case("/a", "null", "null")]
    #[case("/a", "größer", "")]
    #[case("/a", "", "")]
    #[case("error", "StaleException: 3 is not 4", "StaleException")]
    fn answers_are_sorted(#[case] at: &str, #[case] actual: &str, #[case] expected: &str) {
        assert_eq!(sort(at, actual), expected);
    }

    #[test]
    fn a_reason_keeps_its_status() {
        let reason = "step 1 (PutItem): status was 500, not 200, at 127.0.0.1:40123";
        assert_eq!(settled(reason), "step 1 (PutItem): status was 500, not 200, at …");
    }
}
