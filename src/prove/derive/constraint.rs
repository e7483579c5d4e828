//! Servers that break one constraint of one input member: they do not have it, or
//! have it one too wide or one too narrow.

use regex_syntax::hir::{Class, HirKind};

use super::member::{Down, Place};
use crate::prove::alteration::Alteration;
use crate::spec::{Location, Member, Service, ShapeKind, StringConstraints};

/// The mutants of a member of an input and of all below it.
pub(super) fn of_member(service: &Service, place: &Place, member: &Member, mutants: &mut Vec<Alteration>) {
    if member.required {
        let (id, words, own) = (format!("{}/required", place.id), place.words(), place.clone());
        mutants.push(Alteration::described(
            &format!("{id}/dropped"),
            &format!("{words} may be left out."),
            &[&id],
            move |service| own.set_required(service, false),
        ));
    }
    text(place, &member.constraints, mutants);
    let is_text = matches!(service.shape(&member.shape).kind, ShapeKind::String(_));
    if member.location == Location::Body || !is_text {
        coerced(place, mutants);
    }
    of_shape(service, place, &member.shape, mutants);
}

fn of_shape(service: &Service, place: &Place, shape: &str, mutants: &mut Vec<Alteration>) {
    match &service.shape(shape).kind {
        ShapeKind::String(constraints) => text(place, constraints, mutants),
        ShapeKind::List { member } => {
            if let ShapeKind::Structure { members } = &service.shape(member).kind {
                let entry = place.down(Down::Entry, "");
                for (name, member) in members {
                    of_member(service, &entry.down(Down::Member(name.clone()), name), member, mutants);
                }
            } else {
                let entry = place.down(Down::Entry, "entry");
                coerced(&entry, mutants);
                of_shape(service, &entry, member, mutants);
            }
        }
        ShapeKind::Map { key, value, max_entries } => {
            if let Some(most) = max_entries {
                entries(place, *most, mutants);
            }
            of_shape(service, &place.down(Down::Key, "key"), key, mutants);
            let below = place.down(Down::Value, "value");
            coerced(&below, mutants);
            of_shape(service, &below, value, mutants);
        }
        ShapeKind::Structure { members } => {
            for (name, member) in members {
                of_member(service, &place.down(Down::Member(name.clone()), name), member, mutants);
            }
        }
        ShapeKind::Integer | ShapeKind::Long | ShapeKind::Boolean | ShapeKind::Timestamp => {}
    }
}

fn coerced(place: &Place, mutants: &mut Vec<Alteration>) {
    let (id, own) = (format!("{}/type", place.id), place.clone());
    mutants.push(Alteration::described(
        &format!("{id}/coerced"),
        &format!("For {}, values of other types are taken as well.", place.words()),
        &[&id],
        move |service| own.own_shape(service).coerced = true,
    ));
}

fn entries(place: &Place, most: u64, mutants: &mut Vec<Alteration>) {
    let id = format!("{}/max-entries", place.id);
    for (word, most) in [("dropped", None), ("one-more", Some(most + 1)), ("one-fewer", Some(most - 1))] {
        let own = place.clone();
        let about = match most {
            None => format!("{} has no maximum of entries.", place.words()),
            Some(most) => format!("{} may have {most} entries.", place.words()),
        };
        mutants.push(Alteration::described(&format!("{id}/{word}"), &about, &[&id], move |service| {
            if let ShapeKind::Map { max_entries, .. } = &mut own.own_shape(service).kind {
                *max_entries = most;
            }
        }));
    }
}

/// Characters of the shortest text that a pattern matches. The patterns of the
/// service ask for plain characters, of one byte each.
fn shortest_match(pattern: &str) -> Option<u64> {
    let pattern = regex_syntax::parse(pattern).ok()?;
    pattern.properties().minimum_len()?.try_into().ok()
}

/// For a pattern that is nothing but a repeated class of ASCII characters: what is
/// left out of the class, in words, and the pattern without it.
fn without_each(pattern: &str) -> Vec<(String, String)> {
    let Ok(parsed) = regex_syntax::parse(pattern) else { return Vec::new() };
    let HirKind::Repetition(repetition) = parsed.kind() else { return Vec::new() };
    let HirKind::Class(Class::Unicode(class)) = repetition.sub.kind() else { return Vec::new() };
    let allowed: Vec<char> =
        class.iter().flat_map(|range| range.start()..=range.end()).filter(char::is_ascii).collect();
    let group = |word: &str, is: fn(&char) -> bool| {
        let of_group: Vec<char> = allowed.iter().copied().filter(is).collect();
        (word.to_owned(), of_group)
    };
    let groups = [
        group("lower-case letters", char::is_ascii_lowercase),
        group("upper-case letters", char::is_ascii_uppercase),
        group("digits", char::is_ascii_digit),
    ];
    let marks = allowed.iter().filter(|c| !c.is_ascii_alphanumeric());
    let marks = marks.map(|mark| (format!("`{mark}`"), vec![*mark]));
    let left_out = groups.into_iter().filter(|(_, of_group)| !of_group.is_empty()).chain(marks);
    let class_of = |without: &[char]| {
        let kept = allowed.iter().filter(|c| !without.contains(c));
        let class: String =
            kept.map(|c| if c.is_ascii_alphanumeric() { c.to_string() } else { format!("\\{c}") }).collect();
        format!("[{class}]+")
    };
    left_out.map(|(word, without)| (word, class_of(&without))).collect()
}

/// What is altered in the constraints of a text.
type Alter = Box<dyn Fn(&mut StringConstraints) + Send + Sync>;

fn text(place: &Place, constraints: &StringConstraints, mutants: &mut Vec<Alteration>) {
    let words = place.words();
    let mut add = |constraint: &str, word: &str, about: String, alter: Alter| {
        let (id, own) = (format!("{}/{constraint}", place.id), place.clone());
        mutants.push(Alteration::described(&format!("{id}/{word}"), &about, &[&id], move |service| {
            own.each_text(service, &alter);
        }));
    };
    let shortest = constraints.pattern.as_deref().and_then(shortest_match);
    // A length that the pattern rules out anyway can be asked for or not: such a
    // server is no mutant, but the same server.
    let fewest = constraints.min_length;
    if let Some(fewest) = fewest.filter(|fewest| shortest.is_none_or(|shortest| shortest < *fewest)) {
        let about = format!("{words} may have {} characters.", fewest - 1);
        add("min-length", "one-fewer", about, Box::new(move |text| text.min_length = Some(fewest - 1)));
    }
    if let Some(fewest) = fewest.filter(|fewest| shortest.is_none_or(|shortest| shortest <= *fewest)) {
        let about = format!("{words} must have {} characters.", fewest + 1);
        add("min-length", "one-more", about, Box::new(move |text| text.min_length = Some(fewest + 1)));
    }
    if let Some(most) = constraints.max_length {
        let about = format!("{words} may have {} characters.", most + 1);
        add("max-length", "one-more", about, Box::new(move |text| text.max_length = Some(most + 1)));
        let about = format!("{words} may have only {} characters.", most - 1);
        add("max-length", "one-fewer", about, Box::new(move |text| text.max_length = Some(most - 1)));
    }
    if let Some(pattern) = constraints.pattern.clone() {
        let about = format!("{words} may be any text.");
        add("pattern", "dropped", about, Box::new(|text| text.pattern = None));
        for (word, searched, about) in [
            ("start", format!("(?:{pattern})(?s:.*)"), "need only begin well"),
            ("end", format!("(?s:.*)(?:{pattern})"), "need only end well"),
            ("line", format!("(?:{pattern})\n?"), "may end with a line break"),
        ] {
            let alter = move |text: &mut StringConstraints| text.pattern = Some(searched.clone());
            add("pattern", word, format!("{words} {about}."), Box::new(alter));
        }
    }
    for (word, narrower) in constraints.pattern.as_deref().map(without_each).unwrap_or_default() {
        let about = format!("{words} may hold no {word}.");
        let word = format!("without-{}", word.replace(' ', "-").replace('`', ""));
        add("pattern", &word, about, Box::new(move |text| text.pattern = Some(narrower.clone())));
    }
    if !constraints.allowed.is_empty() {
        add("enum", "dropped", format!("{words} may be any text."), Box::new(|text| text.allowed.clear()));
        let any_case = |text: &mut StringConstraints| {
            let other = |value: &String| [value.to_ascii_lowercase(), value.to_ascii_uppercase()];
            let others: Vec<String> = text.allowed.iter().flat_map(other).collect();
            text.allowed.extend(others);
        };
        add("enum", "any-case", format!("{words} may be written in any case."), Box::new(any_case));
        for value in constraints.allowed.clone() {
            let about = format!("{words} cannot be `{value}`.");
            let word = format!("without-{value}");
            add("enum", &word, about, Box::new(move |text| text.allowed.retain(|allowed| *allowed != value)));
        }
    }
}
