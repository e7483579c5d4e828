//! One record of the parts of a run that several machines have shared.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, BufRead, Write};

use indexmap::IndexMap;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::jsonl::{RESULT, ReadError, write_event};
use super::lines::{Lines, Name};
use super::skim::{Skim, Skimmer};
use crate::judge::Verdict;
use crate::run::{Event, Footer, Header, Partition};

/// Members of a header that may differ between parts of one run. All others, also those
/// that later versions add, must be alike.
const OWN_MEMBERS: [&str; 7] = ["started", "selected", "selection-digest", "resumed", "rerun", "partition", "target"];

/// Most missing cases that are named.
const MOST_NAMED: usize = 5;

/// Why records are no parts of one run, or not all of them.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// A part cannot be read.
    #[error("{part}: {error}")]
    Read {
        /// Name of the part.
        part: String,
        /// Why not.
        error: ReadError,
    },
    /// There is nothing to merge.
    #[error("no part is given")]
    Nothing,
    /// Their headers tell of different runs.
    #[error("{first} and {second} are no parts of one run: {member} is {left} in one and {right} in the other")]
    Other {
        /// Name of a part.
        first: String,
        /// Name of another.
        second: String,
        /// What differs.
        member: String,
        /// What the first has.
        left: String,
        /// What the second has.
        right: String,
    },
    /// A case has two results.
    #[error("`{case}` has a result in {first} and in {second}; the parts of a run have no case in common")]
    Twice {
        /// The case.
        case: String,
        /// Name of a part.
        first: String,
        /// Name of another.
        second: String,
    },
    /// Parts of the run are missing.
    #[error("{} of {count} {} missing", numbers(.missing), if has_one(.missing) { "is" } else { "are" })]
    Missing {
        /// The first and the last of each row of parts that are, from 1, in order.
        missing: Vec<(usize, usize)>,
        /// How many parts there are.
        count: usize,
    },
    /// A part is none of the run, or given twice.
    #[error("part {index} of {count} is {what}")]
    Part {
        /// Its number, from 1.
        index: usize,
        /// How many parts there are.
        count: usize,
        /// That it is none, or which two files are both this part.
        what: String,
    },
    /// Not every case of the run has a result.
    #[error("{missing} of the {selected} cases have no result in any part{}", named(.names, *.missing))]
    Incomplete {
        /// How many have none.
        missing: usize,
        /// How many cases there are.
        selected: usize,
        /// The first few of those that have none, if their names are known.
        names: Vec<String>,
    },
    /// The parts do not say that they are parts, and nothing tells what they are parts of.
    #[error(
        "the records do not say which parts of a run they are, and their suite (digest {digest:.12}) is not the one at \
         hand, so that nothing tells whether they are all of it; name their suite with --cases, or use the version of \
         syncspec that made them"
    )]
    UnknownWhole {
        /// Digest of their suite.
        digest: String,
    },
    /// A file cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

fn has_one(missing: &[(usize, usize)]) -> bool {
    matches!(missing, [(first, last)] if first == last)
}

/// Such as `parts 1, 3 to 8`.
fn numbers(missing: &[(usize, usize)]) -> String {
    let row = |(first, last): &(usize, usize)| match last - first {
        0 => first.to_string(),
        1 => format!("{first}, {last}"),
        _ => format!("{first} to {last}"),
    };
    let rows: Vec<String> = missing.iter().take(MOST_NAMED).map(row).collect();
    let more = if missing.len() > MOST_NAMED { ", …" } else { "" };
    format!("{} {}{more}", if has_one(missing) { "part" } else { "parts" }, rows.join(", "))
}

fn named(names: &[String], all: usize) -> String {
    let more = if names.len() < all { ", …" } else { "" };
    if names.is_empty() { String::new() } else { format!(": {}{more}", names.join(", ")) }
}

/// What parts that do not say so themselves are parts of.
#[derive(Debug, Clone, Copy)]
pub struct Whole<'s> {
    /// The ids of all cases of the suite, in its order.
    pub cases: &'s [&'s str],
    /// Digest of the suite.
    pub suite_digest: &'s str,
    /// Whether the cases that have a result are all that there should be.
    pub union: bool,
}

/// A run made of its parts, as far as it does not consist of results.
#[derive(Debug, Clone)]
pub struct Merged {
    /// How the run began: the first part's header, with what all of them select.
    pub header: Header,
    /// How it ended.
    pub footer: Footer,
}

impl Merged {
    /// Checks that these belong together and are all of a run. `case_at` gives the id of the
    /// case whose line begins at this place of this part.
    ///
    /// # Errors
    ///
    /// When they do not, or are not.
    pub fn of(
        skimmer: &Skimmer,
        parts: &[(String, Skim)],
        whole: Whole<'_>,
        mut case_at: impl FnMut(usize, u64) -> io::Result<String>,
    ) -> Result<Self, MergeError> {
        let [(first, skim), others @ ..] = parts else { return Err(MergeError::Nothing) };
        for (name, other) in others {
            alike((first, &skim.header), (name, &other.header))?;
        }
        let partition = skim.header.partition.as_ref();
        partition.map(|partition| each_once(parts, partition)).transpose()?;
        let mut names: Vec<(Name, usize, u64)> = Vec::new();
        for (part, (_, skim)) in parts.iter().enumerate() {
            names.extend(skim.results.iter().map(|result| (result.name, part, result.place())));
        }
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            let (case, part) = (case_at(pair[0].1, pair[0].2)?, |index: usize| parts[index].0.clone());
            return Err(MergeError::Twice { case, first: part(pair[0].1), second: part(pair[1].1) });
        }
        let digest = match partition {
            Some(partition) if names.len() == partition.selected => partition.selection_digest.clone(),
            Some(Partition { selected, .. }) => {
                let missing = selected.saturating_sub(names.len());
                return Err(MergeError::Incomplete { missing, selected: *selected, names: Vec::new() });
            }
            None => united(skimmer, &skim.header, &names, whole)?,
        };
        let mut header = skim.header.clone();
        header.started = parts.iter().map(|(_, skim)| skim.header.started.clone()).min().unwrap_or_default();
        (header.selected, header.selection_digest) = (names.len(), digest);
        (header.partition, header.resumed) = (None, None);
        // Each machine may have its target file elsewhere.
        header.rerun = header.rerun.filter(|rerun| parts.iter().all(|(_, it)| it.header.rerun.as_ref() == Some(rerun)));
        let footer = footer(parts, &header)?;
        Ok(Self { header, footer })
    }

    /// Writes the record: the results of all parts in their order, byte for byte.
    ///
    /// # Errors
    ///
    /// When a part cannot be read, or `output` not be written to.
    pub fn write(&self, parts: impl IntoIterator<Item = impl BufRead>, mut output: impl Write) -> io::Result<()> {
        write_event(&Event::Header(self.header.clone()), &mut output)?;
        for part in parts {
            let mut lines = Lines::of(part);
            while let Some(line) = lines.next_line().map_err(io::Error::other)? {
                if is_result(line.text)? {
                    output.write_all(line.text)?;
                }
            }
        }
        write_event(&Event::Footer(self.footer.clone()), output)
    }
}

fn is_result(line: &[u8]) -> io::Result<bool> {
    #[derive(serde::Deserialize)]
    struct Any {
        r#type: String,
    }
    Ok(line.starts_with(RESULT) || serde_json::from_slice::<Any>(line)?.r#type == "result")
}

/// Whether two headers tell of one run.
fn alike(first: (&str, &Header), second: (&str, &Header)) -> Result<(), MergeError> {
    let members = |header: &Header| -> io::Result<IndexMap<String, Value>> {
        let Value::Object(all) = serde_json::to_value(header)? else { return Ok(IndexMap::new()) };
        let mut members: IndexMap<_, _> = all.into_iter().filter(|(key, _)| !OWN_MEMBERS.contains(&&key[..])).collect();
        let mut target = serde_json::to_value(&header.target)?;
        target["endpoint"] = place(&header.target.endpoint).into();
        if let Some(listen) = &header.target.collaborators {
            target["collaborators"] = listen.rsplit_once(':').map_or(listen.as_str(), |(host, _)| host).into();
        }
        members.extend(
            target.as_object().into_iter().flatten().map(|(key, value)| (format!("target.{key}"), value.clone())),
        );
        Ok(members)
    };
    let (left, right) = (members(first.1)?, members(second.1)?);
    let keys: HashSet<_> = left.keys().chain(right.keys()).collect();
    let differing = keys.into_iter().filter(|key| left.get(*key) != right.get(*key));
    // Of another target all sorts of things differ, and its name says it best.
    let Some(member) = differing.min_by_key(|key| (*key != "target.name", *key)) else { return Ok(()) };
    let shown = |members: &IndexMap<String, Value>| members.get(member).map_or("absent".to_owned(), Value::to_string);
    Err(MergeError::Other {
        first: first.0.to_owned(),
        second: second.0.to_owned(),
        member: member.clone(),
        left: shown(&left),
        right: shown(&right),
    })
}

/// An endpoint without its port where that says nothing: each machine has a loopback
/// address of its own.
fn place(endpoint: &str) -> &str {
    let own = ["http://127.0.0.1:", "http://localhost:", "http://[::1]:"];
    own.into_iter().find(|own| endpoint.starts_with(own)).unwrap_or(endpoint)
}

/// Whether these are all parts that the run has, each of them once.
fn each_once(parts: &[(String, Skim)], whole: &Partition) -> Result<(), MergeError> {
    let first = parts.first().map(|(name, _)| name.clone()).unwrap_or_default();
    let mut files: BTreeMap<usize, &str> = BTreeMap::new();
    for (name, skim) in parts {
        let other = |member: &str, left: String, right: String| MergeError::Other {
            first: first.clone(),
            second: name.clone(),
            member: member.to_owned(),
            left,
            right,
        };
        let Some(part) = &skim.header.partition else {
            return Err(other("partition", format!("{} of {}", whole.index, whole.count), "absent".to_owned()));
        };
        if part.count != whole.count {
            return Err(other("the number of parts", whole.count.to_string(), part.count.to_string()));
        }
        if (part.selected, &part.selection_digest) != (whole.selected, &whole.selection_digest) {
            let shown = |selected, digest: &str| format!("{selected} cases, digest {digest:.12}");
            let left = shown(whole.selected, &whole.selection_digest);
            return Err(other("the whole selection", left, shown(part.selected, &part.selection_digest)));
        }
        let (index, count) = (part.index, part.count);
        if index == 0 || index > count {
            return Err(MergeError::Part { index, count, what: format!("no part, but {name} says that it is") });
        }
        if let Some(file) = files.insert(index, name) {
            return Err(MergeError::Part { index, count, what: format!("both {file} and {name}") });
        }
    }
    // Rows of numbers, not the numbers: a header may say that there are any number of parts.
    let ends = files.keys().copied().map(Some).chain([None]);
    let begins = [0].into_iter().chain(files.keys().copied());
    let rows = begins.zip(ends).map(|(before, after)| (before, after.map_or(whole.count, |after| after - 1)));
    let missing: Vec<_> =
        rows.filter(|(before, last)| before < last).map(|(before, last)| (before + 1, last)).collect();
    if missing.is_empty() { Ok(()) } else { Err(MergeError::Missing { missing, count: whole.count }) }
}

/// The digest of the whole selection, from the suite.
fn united(
    skimmer: &Skimmer,
    header: &Header,
    names: &[(Name, usize, u64)],
    whole: Whole<'_>,
) -> Result<String, MergeError> {
    if header.suite_digest != whole.suite_digest {
        return Err(MergeError::UnknownWhole { digest: header.suite_digest.clone() });
    }
    let has_result = |case: &&str| names.binary_search_by_key(&skimmer.name(case), |(name, ..)| *name).is_ok();
    let (with, without): (Vec<&str>, Vec<&str>) = whole.cases.iter().partition(|case| has_result(case));
    if with.len() != names.len() || (!without.is_empty() && !whole.union) {
        let names = without.iter().take(MOST_NAMED).map(|case| (*case).to_owned()).collect();
        return Err(MergeError::Incomplete { missing: without.len(), selected: whole.cases.len(), names });
    }
    let mut hash = Sha256::new();
    for case in with {
        hash.update(case.as_bytes());
        hash.update(b"\n");
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn footer(parts: &[(String, Skim)], header: &Header) -> Result<Footer, MergeError> {
    let mut footers = Vec::new();
    for (part, skim) in parts {
        let partial = || ReadError::Partial { results: skim.results(), selected: skim.header.selected };
        let footer = skim.footer.as_ref().ok_or_else(|| MergeError::Read { part: part.clone(), error: partial() })?;
        footers.push((part, footer));
    }
    let all = |list: fn(&Footer) -> &Vec<String>| -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        for entry in footers.iter().flat_map(|(_, footer)| list(footer)) {
            if !all.contains(entry) {
                all.push(entry.clone());
            }
        }
        all
    };
    let totals = Verdict::ALL.map(|verdict| (verdict, parts.iter().map(|(_, skim)| skim.of(verdict)).sum()));
    let totals: IndexMap<_, _> = totals.into_iter().collect();
    let unmatched = all(|footer| &footer.unmatched_known_failures);
    // An entry that was of use to one part is of use to the run.
    let mut idle = all(|footer| &footer.idle_known_failures);
    idle.retain(|entry| footers.iter().all(|(_, footer)| footer.idle_known_failures.contains(entry)));
    let stopped = footers.iter().filter_map(|(part, footer)| Some(format!("{part}: {}", footer.stopped.as_ref()?)));
    let stopped: Vec<_> = stopped.collect();
    let stopped = (!stopped.is_empty()).then(|| stopped.join("; "));
    Ok(Footer {
        exit: Footer::exit_code(&totals, !unmatched.is_empty(), stopped.is_some(), header.fail_on),
        totals,
        unmatched_known_failures: unmatched,
        leftovers: all(|footer| &footer.leftovers),
        idle_known_failures: idle,
        strays: all(|footer| &footer.strays),
        uncalled: footers.iter().find_map(|(_, footer)| footer.uncalled.clone()),
        stopped,
        throttled: footers.iter().fold(0, |sum, (_, footer)| footer.throttled.saturating_add(sum)),
        finished: footers.iter().map(|(_, footer)| footer.finished.clone()).max().unwrap_or_default(),
        duration_us: footers.iter().map(|(_, footer)| footer.duration_us).max().unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Cursor};

    use rstest::rstest;

    use super::super::jsonl::{Partial, read_events, write_event};
    use super::super::samples;
    use super::super::skim::{Skim, Skimmer, result_at};
    use super::{MergeError, Merged, Whole};
    use crate::judge::Verdict;
    use crate::run::{Event, Footer, Header, Partition};

    /// Part `index` of two, with these verdicts; its cases are `p<index>/<number>`.
    fn part(index: usize, verdicts: &[Verdict], change: impl FnOnce(&mut Header, &mut Footer)) -> Vec<u8> {
        let mut events = samples::events(verdicts);
        let last = events.len() - 1;
        for (number, event) in events[1..last].iter_mut().enumerate() {
            let Event::Result(result) = event else { unreachable!() };
            result.case = format!("p{index}/{number}");
        }
        let [Event::Header(header), .., Event::Footer(footer)] = &mut events[..] else { unreachable!() };
        header.target.endpoint = format!("http://127.0.0.1:4000{index}");
        header.partition = Some(Partition { index, count: 2, selected: 3, selection_digest: "whole".to_owned() });
        footer.duration_us = index as u64;
        change(header, footer);
        footer.exit = footer.exit_of(header.is_empty_part(), header.fail_on);
        let mut file = Vec::new();
        events.iter().for_each(|event| write_event(event, &mut file).unwrap());
        file
    }

    fn merged(parts: &[Vec<u8>], whole: Whole<'_>) -> Result<Vec<u8>, MergeError> {
        let skimmer = Skimmer::default();
        let skim = |(index, part): (usize, &Vec<u8>)| -> (String, Skim) {
            (format!("part-{index}"), skimmer.read(&part[..], Partial::Allow).unwrap())
        };
        let skims: Vec<_> = parts.iter().enumerate().map(skim).collect();
        let case_at = |part: usize, place| Ok(result_at(&mut BufReader::new(Cursor::new(&parts[part])), place)?.case);
        let merged = Merged::of(&skimmer, &skims, whole, case_at)?;
        let mut file = Vec::new();
        merged.write(parts.iter().map(|part| &part[..]), &mut file)?;
        Ok(file)
    }

    const NO_SUITE: Whole<'_> = Whole { cases: &[], suite_digest: "", union: false };

    fn first() -> Vec<u8> {
        part(1, &[Verdict::Pass, Verdict::Fail], |_, _| {})
    }

    fn second() -> Vec<u8> {
        part(2, &[Verdict::Skipped], |_, _| {})
    }

    #[test]
    fn parts_make_a_whole_and_consistent_run() {
        let file = merged(&[second(), first()], NO_SUITE).unwrap();
        let events: Vec<_> = read_events(&file[..], Partial::Refuse).map(Result::unwrap).collect();
        let [Event::Header(header), .., Event::Footer(footer)] = &events[..] else { unreachable!() };
        assert_eq!((header.selected, &header.selection_digest[..], &header.partition), (3, "whole", &None));
        assert_eq!((footer.exit, footer.totals[&Verdict::Fail], footer.duration_us), (1, 1, 2));
        // Results are copied, not written anew.
        for line in String::from_utf8(first()).unwrap().lines().filter(|line| line.contains("\"result\"")) {
            assert!(file.windows(line.len()).any(|window| window == line.as_bytes()));
        }
    }

    #[rstest]
    #[case::missing(vec![first()], "part 2 of 2 is missing")]
    #[case::twice(vec![first(), part(1, &[], |_, _| {})], "part 1 of 2 is both part-0 and part-1")]
    #[case::no_part(vec![first(), part(3, &[], |_, _| {})], "part 3 of 2 is no part, but part-1 says that it is")]
    #[case::shorter(vec![first(), part(2, &[], |_, _| {})], "1 of the 3 cases have no result in any part")]
    #[case::suite(
        vec![first(), part(2, &[Verdict::Pass], |header, _| header.suite_digest = "cc".to_owned())],
        "part-0 and part-1 are no parts of one run: suite-digest is \"aa11\" in one and \"cc\" in the other"
    )]
    #[case::strict(
        vec![first(), part(2, &[Verdict::Pass], |header, _| header.strict = true)],
        "part-0 and part-1 are no parts of one run: strict is false in one and true in the other"
    )]
    #[case::target(
        vec![first(), part(2, &[Verdict::Pass], |header, _| header.target.endpoint = "http://h:1".to_owned())],
        "part-0 and part-1 are no parts of one run: target.endpoint is \"http://127.0.0.1:\" in one and \"http://h:1\" in the other"
    )]
    #[case::not_a_part(
        vec![first(), part(2, &[Verdict::Pass], |header, _| header.partition = None)],
        "part-0 and part-1 are no parts of one run: partition is 1 of 2 in one and absent in the other"
    )]
    #[case::of_another(
        vec![first(), part(2, &[Verdict::Pass], |header, _| header.partition.as_mut().unwrap().selected = 9)],
        "part-0 and part-1 are no parts of one run: the whole selection is 3 cases, digest whole in one and 9 cases, digest whole in the other"
    )]
    fn what_does_not_belong_together_is_refused(#[case] parts: Vec<Vec<u8>>, #[case] error: &str) {
        assert_eq!(merged(&parts, NO_SUITE).unwrap_err().to_string(), error);
    }

    #[test]
    fn a_part_may_have_none_of_the_cases() {
        let alone = |header: &mut Header, _: &mut Footer| header.partition.as_mut().unwrap().selected = 2;
        let whole = |verdicts: &[Verdict]| merged(&[part(1, verdicts, alone), part(2, &[], alone)], NO_SUITE).unwrap();
        let exit = |file: Vec<u8>| {
            let last = read_events(&file[..], Partial::Refuse).map(Result::unwrap).last();
            let Some(Event::Footer(footer)) = last else { unreachable!() };
            footer.exit
        };
        assert_eq!(exit(whole(&[Verdict::Pass, Verdict::Pass])), 0);
        // Of all parts together something must be judged.
        assert_eq!(exit(whole(&[Verdict::Skipped, Verdict::Skipped])), 4);
    }

    #[test]
    fn a_number_of_parts_that_cannot_be_takes_no_memory() {
        let many = |header: &mut Header, _: &mut Footer| {
            *header.partition.as_mut().unwrap() =
                Partition { index: usize::MAX, count: usize::MAX, selected: 3, selection_digest: String::new() };
        };
        let error = merged(&[part(1, &[Verdict::Pass], many)], NO_SUITE).unwrap_err();
        assert_eq!(error.to_string(), format!("parts 1 to {} of {} are missing", usize::MAX - 1, usize::MAX));
    }

    #[rstest]
    #[case(&[2], 8, "parts 1, 3 to 8 of 8 are missing")]
    #[case(&[3, 1], 4, "parts 2, 4 of 4 are missing")]
    #[case(&[1, 4], 4, "parts 2, 3 of 4 are missing")]
    #[case(&[1, 3], 3, "part 2 of 3 is missing")]
    #[case(&[2, 4, 6, 8, 10, 12], 13, "parts 1, 3, 5, 7, 9, … of 13 are missing")]
    fn all_parts_that_are_missing_are_told(#[case] given: &[usize], #[case] count: usize, #[case] expected: &str) {
        let of = |index: &usize| {
            part(1, &[], |header, _| {
                let partition = header.partition.as_mut().unwrap();
                (partition.index, partition.count) = (*index, count);
            })
        };
        let parts: Vec<_> = given.iter().map(of).collect();
        assert_eq!(merged(&parts, NO_SUITE).unwrap_err().to_string(), expected);
    }

    #[test]
    fn no_case_counts_twice() {
        let other = part(1, &[Verdict::Pass], |header, _| header.partition.as_mut().unwrap().index = 2);
        let error = merged(&[first(), other], NO_SUITE).unwrap_err().to_string();
        assert!(error.starts_with("`p1/") && error.contains("in part-0 and in part-1"), "{error}");
    }

    #[test]
    fn a_part_that_was_cut_off_is_refused() {
        let mut cut = second();
        cut.truncate(cut.len() - 30);
        let error = merged(&[first(), cut], NO_SUITE).unwrap_err().to_string();
        assert_eq!(error, "part-1: the run is partial: it ends after 1 of 1 results, without a footer");
    }

    #[test]
    fn parts_that_do_not_say_so_are_held_against_the_suite() {
        let parts = [1, 2].map(|index| part(index, &[Verdict::Pass], |header, _| header.partition = None));
        let suite = |cases| Whole { cases, suite_digest: "aa11", union: false };
        let digest = |file: &[u8]| match read_events(file, Partial::Refuse).next() {
            Some(Ok(Event::Header(header))) => header.selection_digest,
            other => unreachable!("{other:?}"),
        };
        let whole = digest(&merged(&parts, suite(&["p2/0", "p1/0"])).unwrap());
        assert_eq!(whole.len(), 64);
        let error = merged(&parts, suite(&["p1/0", "p2/0", "p3/0"])).unwrap_err().to_string();
        assert_eq!(error, "1 of the 3 cases have no result in any part: p3/0");
        let union = Whole { union: true, ..suite(&["p2/0", "p3/0", "p1/0"]) };
        assert_eq!(digest(&merged(&parts, union).unwrap()), whole);
        assert!(matches!(merged(&parts, suite(&["p1/0"])).unwrap_err(), MergeError::Incomplete { .. }));
        assert!(matches!(merged(&parts, NO_SUITE).unwrap_err(), MergeError::UnknownWhole { .. }));
    }

    #[test]
    fn footers_are_added_up() {
        let ended = |throttled, idle: &'static [&'static str], stopped: Option<&'static str>| {
            move |_: &mut Header, footer: &mut Footer| {
                footer.throttled = throttled;
                footer.idle_known_failures = idle.iter().map(|entry| (*entry).to_owned()).collect();
                (footer.stopped, footer.exit) =
                    (stopped.map(str::to_owned), if stopped.is_some() { 3 } else { footer.exit });
            }
        };
        let parts = [
            part(1, &[Verdict::Pass, Verdict::Pass], ended(2, &["a/*", "b/*"], Some("interrupted"))),
            part(2, &[Verdict::Pass], ended(3, &["b/*"], None)),
        ];
        let file = merged(&parts, NO_SUITE).unwrap();
        let Some(Ok(Event::Footer(footer))) = read_events(&file[..], Partial::Refuse).last() else { unreachable!() };
        assert_eq!((footer.throttled, footer.exit), (5, 3));
        assert_eq!(footer.idle_known_failures, ["b/*"]);
        assert_eq!(footer.stopped.as_deref(), Some("part-0: interrupted"));
    }
}
