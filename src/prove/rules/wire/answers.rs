//! Forms of answers: dates, nulls, and every JSON form of the same.

use serde_json::{Map, Number, Value};

use crate::prove::alteration::Alteration;
use crate::prove::answers::{always, body, by_path, on};
use crate::wire::Response;

pub(super) fn all() -> Vec<Alteration> {
    [dates_and_nulls(), members(), numbers(), texts()].into_iter().flatten().collect()
}

fn dates_and_nulls() -> Vec<Alteration> {
    vec![
        Alteration::rewritten(
            "dates-as-text",
            "Dates are text.",
            &["service/rule/dates-are-epoch-seconds"],
            always(|response| dates(response, |date| date.to_string().into())),
        ),
        Alteration::rewritten(
            "dates-in-milliseconds",
            "Dates are counted in milliseconds.",
            &["service/rule/dates-are-epoch-seconds"],
            always(|response| dates(response, |date| (date * 1000.0).round().into())),
        ),
        Alteration::rewritten(
            "no-writer-is-empty-text",
            "A dataset that nobody wrote was last modified by the empty text.",
            &["service/rule/null-is-absent"],
            on("ListRecords", |response| {
                body(response, |body| {
                    if body["LastModifiedBy"].is_null() {
                        body["LastModifiedBy"] = "".into();
                    }
                });
            }),
        ),
        Alteration::rewritten(
            "nulls-left-out",
            "What has no value is left out of an answer.",
            &[],
            by_path(|response| body(response, leave_nulls_out)),
        )
        .legal(),
        Alteration::rewritten(
            "writers-are-null",
            "An identity that wrote is not named.",
            &[],
            always(|response| {
                each(response, &|name, value| {
                    let by_account = value.as_str().is_some_and(|by| by.len() == 12);
                    (name == "LastModifiedBy" && !by_account).then_some(Value::Null)
                });
            }),
        )
        .legal(),
    ]
}

fn members() -> Vec<Alteration> {
    vec![
        Alteration::rewritten(
            "extra-members",
            "Every object of an answer has a member that nobody declared.",
            &[],
            always(|response| {
                body(response, |body| {
                    objects(body, &|members| {
                        members.insert("Colour".to_owned(), "blue".into());
                    })
                })
            }),
        )
        .legal(),
        Alteration::rewritten(
            "disabled-reason",
            "Streams say why they are disabled, as the documentation has it.",
            &[],
            always(|response| {
                body(response, |body| {
                    if let Some(streams) = body.get_mut("CognitoStreams").filter(|streams| streams.is_object()) {
                        streams["DisabledReason"] = Value::Null;
                    }
                })
            }),
        )
        .legal(),
        Alteration::rewritten(
            "members-in-reverse",
            "The members of answers come in the reverse order.",
            &[],
            always(|response| {
                body(response, |body| {
                    objects(body, &|members| {
                        *members = std::mem::take(members).into_iter().rev().collect();
                    })
                })
            }),
        )
        .legal(),
    ]
}

fn numbers() -> Vec<Alteration> {
    vec![
        Alteration::rewritten(
            "numbers-with-fraction",
            "Whole numbers are written with a fraction.",
            &[],
            always(|response| {
                written(response, &|number| if number.is_f64() { number.to_string() } else { format!("{number}.0") })
            }),
        )
        .legal(),
        Alteration::rewritten(
            "numbers-with-exponent",
            "Numbers are written with an exponent, dates as 1.412974057151E9.",
            &[],
            always(|response| written(response, &with_exponent)),
        )
        .legal(),
    ]
}

fn texts() -> Vec<Alteration> {
    vec![
        Alteration::rewritten(
            "answers-in-many-lines",
            "Answers are written over many lines.",
            &[],
            always(|response| {
                if let Some(Ok(text)) = response.json().map(|body| serde_json::to_vec_pretty(&body)) {
                    response.body = text.into();
                }
            }),
        )
        .legal(),
        Alteration::rewritten(
            "answers-in-ascii",
            "Whatever is not ASCII is escaped, and slashes are too.",
            &[],
            always(|response| {
                if response.json().is_some() {
                    let text = String::from_utf8_lossy(&response.body).replace('/', "\\/");
                    response.body = text.chars().map(escaped).collect::<String>().into();
                }
            }),
        )
        .legal(),
    ]
}

fn leave_nulls_out(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, value| !value.is_null());
            members.values_mut().for_each(leave_nulls_out);
        }
        Value::Array(entries) => entries.iter_mut().for_each(leave_nulls_out),
        _ => {}
    }
}

/// Alters the members of every object; of the map of events, whose keys mean
/// something, and of an object that is all of an answer and empty, it does not.
fn objects(value: &mut Value, alter: &dyn Fn(&mut Map<String, Value>)) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            members.iter_mut().filter(|(name, _)| *name != "Events").for_each(|(_, value)| objects(value, alter));
            alter(members);
        }
        Value::Array(entries) => entries.iter_mut().for_each(|entry| objects(entry, alter)),
        _ => {}
    }
}

/// Replaces members, wherever they stand, with what a function of name and value
/// gives.
fn each(response: &mut Response, instead: &dyn Fn(&str, &Value) -> Option<Value>) {
    body(response, |body| {
        objects(body, &|members| {
            for (name, value) in members {
                if let Some(instead) = instead(name, value) {
                    *value = instead;
                }
            }
        });
    });
}

fn dates(response: &mut Response, rewrite: impl Fn(f64) -> Value) {
    each(response, &|name, value| {
        value.as_f64().filter(|_| name.ends_with("Date") || name.ends_with("Time")).map(&rewrite)
    });
}

/// Writes the body anew, with numbers in another form.
fn written(response: &mut Response, number: &dyn Fn(&Number) -> String) {
    if let Some(body) = response.json() {
        response.body = text(&body, number).into();
    }
}

fn text(value: &Value, number: &dyn Fn(&Number) -> String) -> String {
    match value {
        Value::Number(value) => number(value),
        Value::Array(entries) => {
            let entries: Vec<String> = entries.iter().map(|entry| text(entry, number)).collect();
            format!("[{}]", entries.join(","))
        }
        Value::Object(members) => {
            let member = |(name, value)| format!("{}:{}", Value::from(name), text(value, number));
            let members: Vec<String> = members.iter().map(|(name, value)| member((name.as_str(), value))).collect();
            format!("{{{}}}", members.join(","))
        }
        other => other.to_string(),
    }
}

/// As Java writes a double.
fn with_exponent(number: &Number) -> String {
    let text = format!("{:E}", number.as_f64().unwrap_or_default());
    if text.contains('.') { text } else { text.replacen('E', ".0E", 1) }
}

fn escaped(character: char) -> String {
    if character.is_ascii() {
        return character.to_string();
    }
    let mut units = [0; 2];
    character.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")).collect()
}
