//! What an answer must be: conditions that can be checked here and now, and be
//! written into a case file with the same meaning.

use serde_json::Value;

use super::term::{Names, Source, Term};
use crate::target::Redactor;
use crate::wire::Response;

/// An answer, read once.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) error: Option<String>,
    /// The body as JSON; null when it is none.
    pub(super) body: Value,
}

/// Takes secrets out of a body, but for tokens where they belong.
pub(super) fn blank(body: &mut Value, redactor: &Redactor) {
    let tokens: Vec<(String, Value)> = match &*body {
        Value::Object(members) => (members.iter())
            .filter(|(name, value)| redactor.is_sensitive(name) && value.is_string())
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
        _ => Vec::new(),
    };
    redactor.blank(body, false);
    if let Value::Object(members) = body {
        members.extend(tokens);
    }
}

impl Answer {
    pub(super) fn read(response: &Response) -> Self {
        let is_error = !(200..300).contains(&response.status);
        Self {
            status: response.status,
            error: is_error.then(|| response.error_name()).flatten(),
            body: response.json().unwrap_or(Value::Null),
        }
    }

    /// The same without secrets where they do not belong: everything that is shown or
    /// kept is made of it. Tokens stay, for they are sent again.
    pub(super) fn without_secrets(self, redactor: &Redactor) -> Self {
        let Self { status, error, mut body } = self;
        blank(&mut body, redactor);
        Self { status, error: error.map(|error| redactor.sentence(&error)), body }
    }

    pub(super) fn succeeded(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The value at a pointer; null when there is none.
    pub(super) fn at(&self, pointer: &str) -> &Value {
        self.body.pointer(pointer).unwrap_or(&Value::Null)
    }

    pub(super) fn text(&self, pointer: &str) -> Option<&str> {
        self.at(pointer).as_str().filter(|text| !text.is_empty())
    }

    pub(super) fn number(&self, pointer: &str) -> Option<i64> {
        whole(self.at(pointer))
    }

    pub(super) fn list(&self, pointer: &str) -> &[Value] {
        self.at(pointer).as_array().map_or(&[], Vec::as_slice)
    }

    pub(super) fn message(&self) -> &str {
        self.text("/message").or_else(|| self.text("/Message")).unwrap_or_default()
    }

    /// The answer in a few words.
    pub(super) fn in_short(&self) -> String {
        match &self.error {
            Some(error) => format!("{} {error}", self.status),
            None => self.status.to_string(),
        }
    }
}

/// A whole number in any JSON form.
pub(super) fn whole(value: &Value) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "the filter keeps to whole numbers that fit")]
    let float = || value.as_f64().filter(|n| n.fract() == 0.0 && n.abs() < 9e15).map(|n| n as i64);
    value.as_i64().or_else(float)
}

/// A condition on one answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Want {
    /// A success.
    Success,
    /// One of these errors; with this status, if one is certain.
    Refusal { status: Option<u16>, errors: Vec<&'static str> },
    /// The message is this.
    Message(Term),
    /// The value at the pointer is this.
    Is(String, Term),
    /// A number not less.
    AtLeast(String, Term),
    /// A number not more.
    AtMost(String, Term),
    /// A number within a millisecond of this.
    Moment(String, f64),
    /// Text that is not empty.
    SomeText(String),
    /// Null or absent.
    Missing(String),
    /// A list with an entry that has these members.
    Entry(&'static str, Vec<(&'static str, Term)>),
    /// A list without such an entry.
    NoEntry(&'static str, Vec<(&'static str, Term)>),
    /// The entry of this key has no value.
    NoValue(&'static str, String),
    /// A list of at most so many entries.
    Length(&'static str, usize),
}

impl Want {
    /// Whether the answer is so.
    pub(super) fn holds(&self, answer: &Answer, names: &Names) -> bool {
        match self {
            Self::Success => answer.succeeded(),
            Self::Refusal { status, errors } => {
                status.is_none_or(|status| status == answer.status)
                    && answer.error.as_deref().is_some_and(|error| errors.contains(&error))
            }
            Self::Message(words) => words.value(names) == answer.message(),
            Self::Is(pointer, term) => equal(answer.at(pointer), &term.value(names)),
            Self::AtLeast(pointer, term) => compare(answer.at(pointer), &term.value(names), |a, b| a >= b),
            Self::AtMost(pointer, term) => compare(answer.at(pointer), &term.value(names), |a, b| a <= b),
            Self::Moment(pointer, moment) => {
                answer.at(pointer).as_f64().is_some_and(|seen| (seen - moment).abs() <= MILLISECOND)
            }
            Self::SomeText(pointer) => answer.text(pointer).is_some(),
            Self::Missing(pointer) => answer.at(pointer).is_null(),
            Self::Entry(list, members) => has(answer.list(list), members, names),
            Self::NoEntry(list, members) => !has(answer.list(list), members, names),
            Self::NoValue(list, key) => value_of(answer.list(list), key).is_none(),
            Self::Length(list, most) => answer.list(list).len() <= *most,
        }
    }

    /// Where in the answer, as findings say it.
    pub(super) fn at(&self) -> String {
        match self {
            Self::Success => "status".to_owned(),
            Self::Refusal { .. } => "error".to_owned(),
            Self::Message(_) => "message".to_owned(),
            Self::Is(pointer, _)
            | Self::AtLeast(pointer, _)
            | Self::AtMost(pointer, _)
            | Self::Moment(pointer, _)
            | Self::SomeText(pointer)
            | Self::Missing(pointer) => pointer.clone(),
            Self::Entry(list, _) | Self::NoEntry(list, _) | Self::NoValue(list, _) | Self::Length(list, _) => {
                (*list).to_owned()
            }
        }
    }

    /// What was expected, in words.
    pub(super) fn expected(&self, names: &Names) -> String {
        let table = |members: &Vec<(&'static str, Term)>| Term::Table(members.clone()).value(names).to_string();
        match self {
            Self::Success => "a success".to_owned(),
            Self::Refusal { status: Some(status), errors } => format!("{status} {}", errors.join(" or ")),
            Self::Refusal { status: None, errors } => errors.join(" or "),
            Self::Message(term) | Self::Is(_, term) => term.value(names).to_string(),
            Self::AtLeast(_, term) => format!("at least {}", term.value(names)),
            Self::AtMost(_, term) => format!("at most {}", term.value(names)),
            Self::Moment(_, moment) => format!("{moment} to the millisecond"),
            Self::SomeText(_) => "text that is not empty".to_owned(),
            Self::Missing(_) => "null or absent".to_owned(),
            Self::Entry(_, members) => format!("an entry with {}", table(members)),
            Self::NoEntry(_, members) => format!("no entry with {}", table(members)),
            Self::NoValue(_, key) => format!("no value of {key}"),
            Self::Length(_, most) => format!("at most {most} entries"),
        }
    }

    /// What was there instead, in words.
    pub(super) fn actual(&self, answer: &Answer) -> String {
        match self {
            Self::Success | Self::Refusal { .. } => answer.in_short(),
            Self::Message(_) => answer.message().to_owned(),
            _ => cut(&answer.at(&self.at()).to_string()),
        }
    }

    /// Calls `visit` with every source that the condition draws from.
    pub(super) fn sources(&self, visit: &mut dyn FnMut(&Source)) {
        match self {
            Self::Message(term) | Self::Is(_, term) | Self::AtLeast(_, term) | Self::AtMost(_, term) => {
                term.sources(visit);
            }
            Self::Entry(_, members) | Self::NoEntry(_, members) => {
                members.iter().for_each(|(_, term)| term.sources(visit));
            }
            _ => {}
        }
    }
}

/// A date may be off by this much, being rounded.
const MILLISECOND: f64 = 0.001_000_1;

/// Most characters of an answer that a finding shows.
const MOST_SHOWN: usize = 400;

fn cut(text: &str) -> String {
    match text.char_indices().nth(MOST_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn equal(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(_), Some(_)) => compare(a, b, |a, b| a == b),
        _ => a == b,
    }
}

fn compare(a: &Value, b: &Value, order: impl Fn(i64, i64) -> bool) -> bool {
    whole(a).zip(whole(b)).is_some_and(|(a, b)| order(a, b))
}

fn has(list: &[Value], members: &[(&'static str, Term)], names: &Names) -> bool {
    let wanted: Vec<(&str, Value)> = members.iter().map(|(name, term)| (*name, term.value(names))).collect();
    list.iter().any(|entry| wanted.iter().all(|(name, value)| equal(&entry[*name], value)))
}

/// The value of the first record with a key that has one.
pub(super) fn value_of<'a>(list: &'a [Value], key: &str) -> Option<&'a str> {
    list.iter().filter(|entry| entry["Key"] == key).find_map(|entry| entry["Value"].as_str())
}
