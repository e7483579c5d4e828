//! A failure as an ordinary case file.
//!
//! The requests of the smallest sequence are written down with placeholders for ids
//! and names, and with captures for every token and count that an answer gave. What
//! came before the last request is a prerequisite: it must have the outcome that it
//! had, or else the case is not testable. The last request expects what its answer
//! failed to be, and names the requirement.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::model::Complaint;
use super::operation::Who;
use super::play::Sent;
use super::term::{Count, Names, Source, Term};
use super::want::{Answer, Want, value_of};
use crate::spec::{Catalog, Service};

/// A case file to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseFile {
    /// Where it belongs below a folder of cases, without the ending `.toml`.
    pub stem: String,
    /// What the file says.
    pub text: String,
}

/// Longest time that the case waits for figures that may lag behind.
const WITHIN_MS: u32 = 2_000;

/// Records of a believed listing that a case spells out.
const MOST_BELIEVED: usize = 20;

/// From so many characters on, a text of one character is written as a repetition.
const LONG: usize = 40;

/// The case of a complaint about the last of these requests.
pub(super) fn case_file(sent: &[Sent], complaint: &Complaint, names: &Names, seed: u64, number: u64) -> CaseFile {
    let captures = Captures::of(sent, complaint);
    let mut steps = String::new();
    for (index, request) in sent.iter().enumerate() {
        let last = index + 1 == sent.len();
        if let Some(step) = step(index, request, &captures, last.then_some(complaint)) {
            steps.push_str(&step);
        }
    }
    let requirement = complaint.rule;
    let statement = Catalog::embedded().get(requirement).map_or("", |known| &known.statement);
    let figures = sent.iter().any(|request| matches!(request.operation, "DescribeIdentityUsage" | "ListDatasets"));
    let isolation = if figures { "isolation = \"identity\"\n" } else { "" };
    let actual = sent.last().map_or_else(String::new, |last| complaint.want.actual(&last.answer));
    let seen = one_line(&format!("{} was {actual}, not {}", complaint.want.at(), complaint.want.expected(names)));
    let text = format!(
        "# Found by fuzzing: seed {seed}, sequence {number}.\n# When it was found, {seen}.\n\n[[case]]\n\
         name = \"seed-{seed}-sequence-{number}\"\nabout = {}\nproves = [{}]\n{isolation}steps = [\n{steps}]\n",
        quoted(statement),
        quoted(requirement),
    );
    CaseFile { stem: format!("regression/{}", kebab(requirement)), text }
}

/// `UpdateRecords/rule/one-step-per-call` as `update-records-one-step-per-call`.
fn kebab(requirement: &str) -> String {
    let mut kebab = String::new();
    for (index, c) in requirement.replace("/rule/", "-").chars().enumerate() {
        if c.is_ascii_uppercase() && index > 0 && !kebab.ends_with('-') {
            kebab.push('-');
        }
        kebab.push(if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' });
    }
    kebab
}

/// Names for what later requests need from earlier answers.
struct Captures(BTreeMap<Source, String>);

impl Captures {
    fn of(sent: &[Sent], complaint: &Complaint) -> Self {
        let mut needed = BTreeSet::new();
        let mut need = |source: &Source| {
            needed.insert(source.clone());
        };
        for (_, term) in sent.iter().flat_map(|request| &request.input) {
            term.sources(&mut need);
        }
        complaint.want.sources(&mut need);
        let mut taken: BTreeMap<&str, u32> = BTreeMap::new();
        let name = |source: Source| {
            let stem = match source.pointer.as_str() {
                "/SyncSessionToken" => "token",
                "/NextToken" => "next",
                pointer if pointer.starts_with("/IdentityUsage") => "usage",
                _ => "count",
            };
            let number = taken.entry(stem).or_default();
            *number += 1;
            let name = if *number == 1 { stem.to_owned() } else { format!("{stem}-{number}") };
            (source, name)
        };
        Self(needed.into_iter().map(name).collect())
    }

    fn at(&self, step: usize) -> Vec<String> {
        let here = self.0.iter().filter(|(source, _)| source.step == step);
        here.map(|(source, name)| format!("{name} = {}", quoted(&source.pointer))).collect()
    }

    /// A placeholder without its braces.
    fn name(&self, source: &Source, plus: i64) -> Option<String> {
        let name = self.0.get(source)?;
        Some(match plus {
            0 => name.clone(),
            plus => format!("{name}{}{plus}", if plus > 0 { "+" } else { "-" }),
        })
    }
}

/// One step as a line of the file; none for a refusal without a name, which a case
/// cannot ask for.
fn step(index: usize, sent: &Sent, captures: &Captures, complaint: Option<&Complaint>) -> Option<String> {
    let mut parts = vec![format!("call = {}", quoted(sent.operation))];
    if sent.who == Who::Other {
        parts.push("as = \"other-identity\"".to_owned());
    }
    let with: Vec<String> = sent.input.iter().filter_map(|(name, term)| member(name, term, captures)).collect();
    if !with.is_empty() {
        parts.push(format!("with = {{ {} }}", with.join(", ")));
    }
    let captured = captures.at(index);
    if !captured.is_empty() {
        parts.push(format!("capture = {{ {} }}", captured.join(", ")));
    }
    match complaint {
        Some(complaint) => {
            if matches!(sent.operation, "DescribeIdentityUsage" | "ListDatasets") {
                parts.push(format!("within-ms = {WITHIN_MS}"));
            }
            parts.extend(assumed(complaint, &sent.answer));
            parts.push(format!("expect = {{ {} }}", expected(&complaint.want, &sent.answer, captures)));
        }
        None if !sent.answer.succeeded() => {
            let known = |error: &&String| Service::embedded().error_names().any(|known| known == error.as_str());
            let error = sent.answer.error.as_ref().filter(known)?;
            parts.push(format!("assume = {{ status = {}, error = {} }}", sent.answer.status, quoted(error)));
        }
        None if sent.believed => parts.push(believed(&sent.answer)),
        None => {}
    }
    Some(format!("  {{ {} }},\n", parts.join(",\n    ")))
}

/// What a listing showed of a dataset of which nothing certain was known: where it
/// shows something else, the rest means nothing.
fn believed(answer: &Answer) -> String {
    let (mut members, mut absent) = (Vec::new(), Vec::new());
    let mut see = |pointer: String| match answer.at(&pointer) {
        Value::Null => absent.push(quoted(&pointer)),
        Value::String(text) => members.push(format!("{} = {}", quoted(&pointer), quoted(&literal(text)))),
        other => members.push(format!("{} = {other}", quoted(&pointer))),
    };
    see("/DatasetExists".to_owned());
    see("/DatasetSyncCount".to_owned());
    let records = answer.list("/Records").len();
    for index in 0..records.min(MOST_BELIEVED) {
        ["Key", "Value", "SyncCount"].iter().for_each(|member| see(format!("/Records/{index}/{member}")));
    }
    if records <= MOST_BELIEVED {
        see(format!("/Records/{records}"));
    }
    let (members, absent) = (members.join(", "), absent.join(", "));
    format!("assume = {{ status = 200, members = {{ {members} }}, absent = [{absent}] }}")
}

/// A member that the base request does not have as it is wanted.
fn member(name: &str, term: &Term, captures: &Captures) -> Option<String> {
    let is_of_base = matches!(term, Term::Pool | Term::Identity(Who::Own) | Term::Dataset(0));
    (!is_of_base).then(|| format!("{name} = {}", toml(term, captures)))
}

/// What must hold of the last answer for the expectation to mean something.
fn assumed(complaint: &Complaint, answer: &Answer) -> Option<String> {
    match &complaint.want {
        Want::Success | Want::Refusal { .. } => None,
        Want::Message(_) => {
            let error = answer.error.as_deref()?;
            Some(format!("assume = {{ status = {}, error = {} }}", answer.status, quoted(error)))
        }
        _ if complaint.on_last_page => Some("assume = { status = 200, absent = [\"/NextToken\"] }".to_owned()),
        _ => Some("assume = { status = 200 }".to_owned()),
    }
}

/// The body of an expectation.
fn expected(want: &Want, answer: &Answer, captures: &Captures) -> String {
    let members = |pointer: &str, what: String| format!("members = {{ {} = {what} }}", quoted(pointer));
    let table = |entry: &[(&'static str, Term)]| toml(&Term::Table(entry.to_vec()), captures);
    match want {
        Want::Success => "status = 200".to_owned(),
        Want::Refusal { status, errors } => {
            let errors: Vec<String> = errors.iter().map(|error| quoted(error)).collect();
            let status = status.map(|status| format!("status = {status}, ")).unwrap_or_default();
            format!("{status}error = [{}]", errors.join(", "))
        }
        Want::Message(term) => format!("message = {}", toml(term, captures)),
        Want::Is(pointer, term) => members(pointer, toml(term, captures)),
        Want::AtLeast(pointer, term) => members(pointer, format!("{{ min = {} }}", toml(term, captures))),
        Want::AtMost(pointer, term) => members(pointer, format!("{{ max = {} }}", toml(term, captures))),
        Want::Moment(pointer, moment) => members(pointer, format!("{{ equals = {moment}, within = 0.001 }}")),
        Want::SomeText(pointer) => members(pointer, "{ type = \"string\", pattern = \".+\" }".to_owned()),
        Want::Missing(pointer) => format!("absent = [{}]", quoted(pointer)),
        Want::Entry(list, entry) => members(list, format!("{{ has-entry = {} }}", table(entry))),
        Want::NoEntry(list, entry) => members(list, format!("{{ has-no-entry = {} }}", table(entry))),
        Want::NoValue(list, key) => {
            // A case cannot say null; that the value is not the one that was there
            // says as much.
            let value = value_of(answer.list(list), key).unwrap_or_default();
            let entry = [("Key", Term::from(key.as_str())), ("Value", Term::from(value))];
            members(list, format!("{{ has-no-entry = {} }}", table(&entry)))
        }
        Want::Length(list, most) => format!("absent = [{}]", quoted(&format!("{list}/{most}"))),
    }
}

/// A term as TOML.
fn toml(term: &Term, captures: &Captures) -> String {
    match term {
        Term::Integer(number) => number.to_string(),
        Term::Float(number) => number.to_string(),
        Term::Bool(value) => value.to_string(),
        Term::Count(count) if count.source.is_none() => count.value.to_string(),
        Term::Text(_) | Term::Count(_) | Term::Handed(_) | Term::Dataset(_) | Term::Identity(_) | Term::Pool => {
            quoted(&text(term, captures))
        }
        Term::Words(words) => quoted(&words.iter().map(|word| text(word, captures)).collect::<String>()),
        Term::List(list) => {
            let entries: Vec<String> = list.iter().map(|term| toml(term, captures)).collect();
            format!("[{}]", entries.join(", "))
        }
        Term::Table(members) => {
            let members: Vec<String> =
                members.iter().map(|(name, term)| format!("{name} = {}", toml(term, captures))).collect();
            format!("{{ {} }}", members.join(", "))
        }
    }
}

/// A term as text of a case file, placeholders in braces.
fn text(term: &Term, captures: &Captures) -> String {
    let braced = |name: String| format!("{{{name}}}");
    match term {
        Term::Text(text) => literal(text),
        Term::Count(Count { source: Some((source, plus)), value }) => {
            captures.name(source, *plus).map_or_else(|| value.to_string(), braced)
        }
        Term::Count(count) => count.value.to_string(),
        Term::Handed(handed) => captures.name(&handed.source, 0).map_or_else(|| literal(&handed.text), braced),
        Term::Dataset(0) => "{dataset}".to_owned(),
        Term::Dataset(number) => format!("{{dataset-{}}}", number + 1),
        Term::Identity(Who::Own) => "{identity-id}".to_owned(),
        Term::Identity(Who::Other) => "{other-identity-id}".to_owned(),
        Term::Pool => "{identity-pool-id}".to_owned(),
        Term::Integer(_) | Term::Float(_) | Term::Bool(_) | Term::Words(_) | Term::List(_) | Term::Table(_) => {
            toml(term, captures)
        }
    }
}

/// Text that stands for itself: what looks like a placeholder is escaped, what is
/// long and of one character becomes a repetition.
fn literal(text: &str) -> String {
    let mut chars = text.chars();
    if let Some(first) = chars.next().filter(|first| !"{}:".contains(*first))
        && chars.clone().count() + 1 >= LONG
        && chars.all(|c| c == first)
    {
        return format!("{{repeat:{first}:{}}}", text.chars().count());
    }
    let mut escaped = String::with_capacity(text.len());
    for (index, c) in text.char_indices() {
        if c == '{' && is_placeholder(&text[index..]) {
            escaped.push('{');
        }
        escaped.push(c);
    }
    escaped
}

/// Whether text begins with what a case file takes for a placeholder.
fn is_placeholder(text: &str) -> bool {
    let Some((inner, _)) = text.strip_prefix('{').and_then(|rest| rest.split_once('}')) else { return false };
    let name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '+';
    inner.starts_with("repeat:") || inner.starts_with(|c: char| c.is_ascii_lowercase()) && inner.chars().all(name)
}

/// A TOML basic string. JSON's escapes are TOML's too.
fn quoted(text: &str) -> String {
    Value::from(text).to_string().replace('\u{7f}', "\\u007F")
}

/// Text for a comment.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
