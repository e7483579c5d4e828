//! Conditions on one value.

use std::cmp::Ordering;

use serde_json::Value;

use crate::cases::{Bindings, Match, RenderError, Template, ValueType};

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
    let render = |template: &Option<Template>| template.as_ref().map(|template| template.render(bindings)).transpose();
    let render_all = |templates: &Option<Vec<Template>>| {
        let rendered = templates.as_ref().map(|list| list.iter().map(|one| one.render(bindings)).collect());
        rendered.transpose()
    };
    let mut unmet = Vec::new();
    let mut demand = |holds: bool, expected: &dyn Fn() -> String| {
        if !holds {
            unmet.push(expected());
        }
    };
    if let Some(wanted) = render(&condition.equals)? {
        match condition.within {
            Some(distance) => demand(near(value, &wanted, distance), &|| format!("{wanted} ± {distance}")),
            None => demand(equal(value, &wanted), &|| wanted.to_string()),
        }
    }
    if let Some(unwanted) = render(&condition.not)? {
        // Nothing at all is no other value.
        demand(!value.is_null() && !equal(value, &unwanted), &|| format!("a value other than {unwanted}"));
    }
    let one_of: Option<Vec<Value>> = render_all(&condition.one_of)?;
    if let Some(wanted) = one_of {
        demand(wanted.iter().any(|wanted| equal(value, wanted)), &|| format!("one of {}", Value::from(wanted.clone())));
    }
    if let Some(wanted) = condition.value_type {
        demand(is_type(value, wanted), &|| wanted.phrase().to_owned());
    }
    if let Some(least) = render(&condition.min)? {
        demand(compare(value, &least).is_some_and(|order| order.is_ge()), &|| format!("at least {least}"));
    }
    if let Some(most) = render(&condition.max)? {
        demand(compare(value, &most).is_some_and(|order| order.is_le()), &|| format!("at most {most}"));
    }
    if let Some(pattern) = &condition.pattern {
        let matches = value.as_str().is_some_and(|text| pattern.is_match(text));
        let written = condition.pattern_as_written().unwrap_or(pattern.as_str());
        demand(matches, &|| format!("text matching {written} as a whole"));
    }
    if let Some(part) = render(&condition.contains)? {
        let part = part.as_str().map_or_else(|| part.to_string(), str::to_owned);
        let contains = value.as_str().is_some_and(|text| text.contains(&part));
        demand(contains, &|| format!("text containing {}", Value::from(part.clone())));
    }
    if let Some(length) = condition.length {
        demand(length_of(value) == Some(length), &|| format!("a length of {length}"));
    }
    let unordered: Option<Vec<Value>> = render_all(&condition.unordered)?;
    if let Some(wanted) = unordered {
        let same = value.as_array().is_some_and(|list| same_entries(list, &wanted));
        demand(same, &|| format!("in any order {}", Value::from(wanted.clone())));
    }
    // A list that is absent has no entries; anything else is no list.
    let entries = if value.is_null() { Some(&[][..]) } else { value.as_array().map(Vec::as_slice) };
    let has = |wanted: &Value| entries.map(|entries| entries.iter().any(|entry| has_members(entry, wanted)));
    if let Some(wanted) = render(&condition.has_entry)? {
        demand(has(&wanted) == Some(true), &|| format!("an entry with {wanted}"));
    }
    if let Some(unwanted) = render(&condition.has_no_entry)? {
        demand(has(&unwanted) == Some(false), &|| format!("no entry with {unwanted}"));
    }
    let has_any: Option<Vec<Value>> = render_all(&condition.has_any)?;
    if let Some(wanted) = has_any {
        let has = value.is_object() && wanted.iter().any(|wanted| has_members(value, wanted));
        demand(has, &|| format!("an object with the members of one of {}", Value::from(wanted.clone())));
    }
    Ok(unmet)
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
