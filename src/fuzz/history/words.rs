//! Calls and what is wrong with them, in words.

use std::fmt::Write as _;

use super::operation::{Call, History, Operation, Outcome, Patch, Record};
use super::verdict::Part;

/// How many keys of a call are named.
const MOST_KEYS: usize = 4;

/// How many characters of a key or value are shown.
const MOST_CHARACTERS: usize = 24;

/// The part in plain sentences: what is wrong, and what each call did. Times are in
/// milliseconds from when the first of the calls was sent.
pub fn in_words(history: &History, part: &Part) -> String {
    let start = first_sent(history, &part.operations);
    let mut text = format!("{} ({})\n", part.reason, part.requirement);
    for (number, place) in part.operations.iter().enumerate() {
        let operation = &history.operations[*place];
        // Writing to a `String` cannot fail.
        let _ = writeln!(
            text,
            "  {}. client {}, {}: {}",
            number + 1,
            operation.client,
            when(operation, start),
            what(history, operation)
        );
    }
    text
}

pub(super) fn first_sent(history: &History, places: &[usize]) -> u64 {
    places.iter().map(|place| history.operations[*place].invoked).min().unwrap_or(0)
}

/// From when to when, in milliseconds after `start`.
pub(super) fn when(operation: &Operation, start: u64) -> String {
    let milliseconds = |time: u64| time.saturating_sub(start) as f64 / 1e6;
    let (from, to) = (milliseconds(operation.invoked), milliseconds(operation.returned));
    match operation.outcome {
        Outcome::Unknown => format!("from {from:.3} ms, given up at {to:.3} ms"),
        _ => format!("{from:.3} to {to:.3} ms"),
    }
}

/// What the call asked for and what it got.
pub(super) fn what(history: &History, operation: &Operation) -> String {
    let asked = match &operation.call {
        Call::Update(patches) => format!("write {}", listed(patches.iter().map(|patch| patched(history, patch)))),
        Call::List { since: 0 } => "list all".to_owned(),
        Call::List { since } => format!("list after count {since}"),
        Call::Delete => "delete the dataset".to_owned(),
    };
    format!("{asked}; {}", answer(history, operation))
}

fn answer(history: &History, operation: &Operation) -> String {
    match &operation.outcome {
        Outcome::Written(_) => match operation.version() {
            Some(count) => format!("accepted, count {count}"),
            None => "accepted, no count told".to_owned(),
        },
        Outcome::Listed(listing) if !listing.exists => "the dataset does not exist".to_owned(),
        Outcome::Listed(listing) => {
            let records = listed(listing.records.iter().map(|record| shown(history, record)));
            let deleted = if listing.deleted { ", was deleted" } else { "" };
            format!("count {}{deleted}: {records}", listing.count)
        }
        Outcome::Deleted => "done".to_owned(),
        Outcome::Missing => "it does not exist".to_owned(),
        Outcome::Conflict { told: Some((key, count)) } => {
            format!("conflict, {} is at {count}", quoted(history.key_text(*key)))
        }
        Outcome::Conflict { told: None } => "conflict".to_owned(),
        Outcome::Ahead => "refused, there is no such count".to_owned(),
        Outcome::Refused => "refused".to_owned(),
        Outcome::Unknown => "no answer".to_owned(),
    }
}

/// A few words for a picture.
pub(super) fn in_short(history: &History, operation: &Operation) -> String {
    match (&operation.call, &operation.outcome) {
        (Call::Update(patches), outcome) => {
            let keys =
                listed(patches.iter().map(|patch| format!("{}@{}", short(history.key_text(patch.key)), patch.base)));
            let came = match outcome {
                Outcome::Written(_) => operation.version().map_or_else(|| "ok".to_owned(), |count| count.to_string()),
                Outcome::Conflict { .. } => "conflict".to_owned(),
                Outcome::Unknown => "?".to_owned(),
                _ => "refused".to_owned(),
            };
            format!("write {keys} → {came}")
        }
        (Call::List { since }, Outcome::Listed(listing)) if listing.exists => {
            format!("list >{since} → {}", listing.count)
        }
        (Call::List { since }, Outcome::Listed(_)) => format!("list >{since} → none"),
        (Call::List { since }, Outcome::Unknown) => format!("list >{since} → ?"),
        (Call::List { since }, _) => format!("list >{since} → refused"),
        (Call::Delete, Outcome::Deleted) => "delete → done".to_owned(),
        (Call::Delete, Outcome::Missing) => "delete → none".to_owned(),
        (Call::Delete, Outcome::Unknown) => "delete → ?".to_owned(),
        (Call::Delete, _) => "delete → refused".to_owned(),
    }
}

fn patched(history: &History, patch: &Patch) -> String {
    let key = quoted(history.key_text(patch.key));
    match patch.value {
        Some(value) => format!("{key} = {} on count {}", quoted(history.value_text(value)), patch.base),
        None => format!("{key} removed on count {}", patch.base),
    }
}

fn shown(history: &History, record: &Record) -> String {
    let key = quoted(history.key_text(record.key));
    match record.value {
        Some(value) => format!("{key} = {} at {}", quoted(history.value_text(value)), record.count),
        None => format!("{key} removed at {}", record.count),
    }
}

fn listed(items: impl Iterator<Item = String>) -> String {
    let mut items: Vec<String> = items.collect();
    if items.is_empty() {
        return "nothing".to_owned();
    }
    let more = items.len().saturating_sub(MOST_KEYS);
    items.truncate(MOST_KEYS);
    let text = items.join(", ");
    if more == 0 { text } else { format!("{text} and {more} more") }
}

fn quoted(text: &str) -> String {
    format!("{:?}", short(text))
}

fn short(text: &str) -> String {
    match text.char_indices().nth(MOST_CHARACTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
