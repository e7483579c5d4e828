//! Conditions on one value.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::Value;

use crate::cases::{Bindings, Condition, Match, RenderError, ValueType};

/// A condition that does not hold: what was expected, in words or as JSON.
pub(super) type Expected = String;

/// Whether two JSON values are the same: numbers by value (`1`, `1.0` and `1E0`
/// are equal), null members like absent ones, lists in order.
pub(super) fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(_), Value::Number(_)) => compare(a, b) == Some(Ordering::Equal),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            let in_other = |from: &serde_json::Map<String, Value>, to: &serde_json::Map<String, Value>| {
                from.iter().all(|(key, value)| equal(value, to.get(key).unwrap_or(&Value::Null)))
            };
            in_other(a, b) && in_other(b, a)
        }
        _ => a == b,
    }
}

/// Whether `entry` has at least the members of `wanted`, and each of them at least what
/// is wanted of it: a list entries like these, in whatever order, anything else the value.
fn has_members(entry: &Value, wanted: &Value) -> bool {
    match (entry, wanted) {
        (Value::Object(entry), Value::Object(wanted)) => {
            wanted.iter().all(|(key, value)| has_members(entry.get(key).unwrap_or(&Value::Null), value))
        }
        (Value::Array(entries), Value::Array(wanted)) => {
            wanted.iter().all(|wanted| entries.iter().any(|entry| has_members(entry, wanted)))
        }
        _ => equal(entry, wanted),
    }
}

/// Whether the lists hold equal entries, in whatever order.
fn same_entries(actual: &[Value], wanted: &[Value]) -> bool {
    let mut left: Vec<&Value> = actual.iter().collect();
    let found = wanted.iter().all(|wanted| match left.iter().position(|entry| equal(entry, wanted)) {
        Some(index) => {
            left.swap_remove(index);
            true
        }
        None => false,
    });
    found && left.is_empty()
}

/// A value that is absent is treated as null.
pub(super) fn is_type(value: &Value, wanted: ValueType) -> bool {
    /// The years 2000 and 2100, in seconds since the epoch: a date outside them
    /// was surely counted in another unit.
    const DATES: std::ops::RangeInclusive<f64> = 946_684_800.0..=4_102_444_800.0;
    match wanted {
        ValueType::String => value.is_string(),
        ValueType::Integer => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        ValueType::Number => value.is_number(),
        ValueType::Boolean => value.is_boolean(),
        ValueType::Date => value.as_f64().is_some_and(|number| DATES.contains(&number)),
        ValueType::List => value.is_array(),
        ValueType::Object => value.is_object(),
        ValueType::Null => value.is_null(),
    }
}

/// Every part of the condition that does not hold. A value that is absent is
/// given as null.
///
/// # Errors
///
/// When a placeholder in the condition stands for nothing.
pub(super) fn check(condition: &Match, value: &Value, bindings: &Bindings) -> Result<Vec<Expected>, RenderError> {
    let mut unmet = Vec::new();
    for part in &condition.parts {
        let part = part.map(|template| template.render(bindings))?;
        if !holds(&part, value) {
            unmet.push(expected(&part));
        }
    }
    Ok(unmet)
}

fn holds(condition: &Condition<Value>, value: &Value) -> bool {
    // A list that is absent has no entries; anything else is no list.
    let entries = || if value.is_null() { Some(&[][..]) } else { value.as_array().map(Vec::as_slice) };
    let has = |wanted: &Value| entries().map(|entries| entries.iter().any(|entry| has_members(entry, wanted)));
    match condition {
        Condition::Equals(wanted) => equal(value, wanted),
        Condition::Near(wanted, distance) => near(value, wanted, *distance),
        // Nothing at all is no other value.
        Condition::Not(unwanted) => !value.is_null() && !equal(value, unwanted),
        Condition::OneOf(wanted) => wanted.iter().any(|wanted| equal(value, wanted)),
        Condition::Type(wanted) => is_type(value, *wanted),
        Condition::Min(least) => compare(value, least).is_some_and(Ordering::is_ge),
        Condition::Max(most) => compare(value, most).is_some_and(Ordering::is_le),
        Condition::Pattern(pattern) => value.as_str().is_some_and(|text| pattern.is_match(text)),
        Condition::Contains(part) => value.as_str().is_some_and(|text| text.contains(&*as_text(part))),
        Condition::Length(length) => length_of(value) == Some(*length),
        Condition::Unordered(wanted) => value.as_array().is_some_and(|list| same_entries(list, wanted)),
        Condition::HasEntry(wanted) => has(wanted) == Some(true),
        Condition::HasNoEntry(unwanted) => has(unwanted) == Some(false),
        Condition::HasAny(wanted) => value.is_object() && wanted.iter().any(|wanted| has_members(value, wanted)),
    }
}

fn expected(condition: &Condition<Value>) -> Expected {
    let list = |values: &[Value]| Value::from(values);
    match condition {
        Condition::Equals(wanted) => wanted.to_string(),
        Condition::Near(wanted, distance) => format!("{wanted} ± {distance}"),
        Condition::Not(unwanted) => format!("a value other than {unwanted}"),
        Condition::OneOf(wanted) => format!("one of {}", list(wanted)),
        Condition::Type(wanted) => wanted.phrase().to_owned(),
        Condition::Min(least) => format!("at least {least}"),
        Condition::Max(most) => format!("at most {most}"),
        Condition::Pattern(pattern) => format!("text matching {} as a whole", pattern.as_written()),
        Condition::Contains(part) => format!("text containing {}", Value::from(as_text(part))),
        Condition::Length(length) => format!("a length of {length}"),
        Condition::Unordered(wanted) => format!("in any order {}", list(wanted)),
        Condition::HasEntry(wanted) => format!("an entry with {wanted}"),
        Condition::HasNoEntry(unwanted) => format!("no entry with {unwanted}"),
        Condition::HasAny(wanted) => format!("an object with the members of one of {}", list(wanted)),
    }
}

fn as_text(value: &Value) -> Cow<'_, str> {
    value.as_str().map_or_else(|| Cow::Owned(value.to_string()), Cow::Borrowed)
}

fn near(value: &Value, wanted: &Value, distance: f64) -> bool {
    match (value.as_f64(), wanted.as_f64()) {
        (Some(value), Some(wanted)) => (value - wanted).abs() <= distance,
        _ => false,
    }
}

/// Compares two numbers by value; whole ones exactly, beyond 2^53 too.
fn compare(value: &Value, other: &Value) -> Option<Ordering> {
    match (whole(value), whole(other)) {
        (Some(value), Some(other)) => Some(value.cmp(&other)),
        _ => value.as_f64()?.partial_cmp(&other.as_f64()?),
    }
}

/// A whole number in any JSON form.
fn whole(value: &Value) -> Option<i128> {
    /// Every whole number of a float up to this is exact.
    const FITS: f64 = 1e30;
    let float = || value.as_f64().filter(|number| number.fract() == 0.0 && number.abs() <= FITS);
    let integer = value.as_i64().map(i128::from).or_else(|| value.as_u64().map(i128::from));
    #[expect(clippy::cast_possible_truncation, reason = "the filter keeps to whole numbers that fit")]
    integer.or_else(|| float().map(|number| number as i128))
}

fn length_of(value: &Value) -> Option<u64> {
    let length = match value {
        Value::String(text) => text.chars().count(),
        Value::Array(list) => list.len(),
        Value::Object(object) => object.len(),
        _ => return None,
    };
    Some(length as u64)
}
