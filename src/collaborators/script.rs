//! How the played services answer, as a case says it, with nothing left to fill in but
//! the event.

use std::time::Duration;

use serde_json::{Map, Value, json};

/// One of the services that are played, as cases name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// A Lambda function.
    Function,
    /// A Kinesis stream, with the objects in S3 that its records lead to.
    Stream,
    /// An SNS platform application.
    Push,
}

/// How a case's services answer. For each call in order, the last for all that follow;
/// without any, as usual: a function with its event, a stream and an application by
/// taking what they are given.
#[derive(Debug, Clone, Default)]
pub struct Scripts {
    /// For each invocation of the function.
    pub function: Vec<FunctionAnswer>,
    /// For each call that puts records into the stream.
    pub stream: Vec<StreamAnswer>,
    /// For each call of SNS, those of one kind counted apart from the other.
    pub push: Vec<PushAnswer>,
}

/// One answer of a function.
#[derive(Debug, Clone, Default)]
pub struct FunctionAnswer {
    /// What it returns.
    pub payload: Payload,
    /// Says that it ended with an error, of this kind, such as `Unhandled`.
    pub function_error: Option<String>,
    /// Lambda refuses to call it.
    pub refusal: Option<Refusal>,
    /// How long it takes, as time on this machine.
    pub delay: Duration,
}

/// What a function returns.
#[derive(Debug, Clone)]
pub enum Payload {
    /// Its event, changed.
    Event {
        /// JSON pointers and what stands there instead; parents are made.
        set: Vec<(String, Value)>,
        /// JSON pointers to what is left out.
        remove: Vec<String>,
    },
    /// Another value.
    Value(Value),
    /// These bytes.
    Text(String),
}

impl Default for Payload {
    /// The event as it came.
    fn default() -> Self {
        Self::Event { set: Vec::new(), remove: Vec::new() }
    }
}

/// One answer of a stream.
#[derive(Debug, Clone, Default)]
pub struct StreamAnswer {
    /// Kinesis does not take the records.
    pub refusal: Option<Refusal>,
    /// How long it takes, as time on this machine.
    pub delay: Duration,
}

/// One answer of SNS.
#[derive(Debug, Clone, Default)]
pub struct PushAnswer {
    /// The kind of call; none for any.
    pub on: Option<PushCall>,
    /// SNS refuses.
    pub refusal: Option<Refusal>,
    /// How long it takes, as time on this machine.
    pub delay: Duration,
}

/// The kinds of calls of SNS that can be scripted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PushCall {
    /// An endpoint is made for a device.
    Create,
    /// A message is sent.
    Publish,
}

/// An error of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Its name, such as `TooManyRequestsException`.
    pub error: String,
    /// HTTP status; none for the service's usual one.
    pub status: Option<u16>,
    /// Its message; none for a sentence that says who refused.
    pub message: Option<String>,
}

/// What stands in texts of a script for the event, as JSON. No case file can hold it.
pub(super) const EVENT: &str = "\u{0}event\u{0}";

impl Scripts {
    /// What stands for the event's JSON text within texts of scripts, until a call comes.
    pub fn event_placeholder() -> &'static str {
        EVENT
    }
}

impl Refusal {
    /// The message, or a sentence that says who refused.
    pub(super) fn message(&self) -> &str {
        self.message.as_deref().unwrap_or("refused, as the case wants it")
    }
}

/// The entry for the call of this number, from 0.
pub(super) fn nth<T>(script: &[T], number: usize) -> Option<&T> {
    script.get(number).or_else(|| script.last())
}

impl Payload {
    /// The bytes that a function returns when called with `event`.
    pub(super) fn bytes(&self, event: &[u8]) -> Vec<u8> {
        let text = || String::from_utf8_lossy(event).into_owned();
        // As compact as it can be had, so that cases know its form.
        let compact = || serde_json::from_slice::<Value>(event).map_or_else(|_| text(), |event| event.to_string());
        match self {
            Self::Event { set, remove } if set.is_empty() && remove.is_empty() => event.to_vec(),
            Self::Event { set, remove } => {
                let mut changed: Value = serde_json::from_slice(event).unwrap_or_else(|_| json!({}));
                for (pointer, value) in set {
                    put(&mut changed, pointer, filled(value, &compact));
                }
                remove.iter().for_each(|pointer| take(&mut changed, pointer));
                changed.to_string().into_bytes()
            }
            Self::Value(value) => filled(value, &compact).to_string().into_bytes(),
            Self::Text(text) if text.contains(EVENT) => text.replace(EVENT, &compact()).into_bytes(),
            Self::Text(text) => text.clone().into_bytes(),
        }
    }
}

/// The value with the event filled in.
fn filled(value: &Value, event: &impl Fn() -> String) -> Value {
    match value {
        Value::String(text) if text.contains(EVENT) => Value::String(text.replace(EVENT, &event())),
        Value::Array(list) => list.iter().map(|entry| filled(entry, event)).collect(),
        Value::Object(object) => {
            Value::Object(object.iter().map(|(name, value)| (name.clone(), filled(value, event))).collect())
        }
        other => other.clone(),
    }
}

/// The names on the way of a JSON pointer.
fn segments(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(|segment| segment.replace("~1", "/").replace("~0", "~"))
}

/// Puts a value where a pointer leads. What is missing on the way is made; what is no
/// object, or no list with that index or the next, is replaced.
fn put(document: &mut Value, pointer: &str, value: Value) {
    let mut at = document;
    for segment in segments(pointer) {
        let index = segment.parse::<usize>().ok();
        let is_entry = at.as_array().zip(index).is_some_and(|(list, index)| index <= list.len());
        if !is_entry && !at.is_object() {
            *at = Value::Object(Map::new());
        }
        at = match at {
            Value::Array(list) => {
                let index = index.unwrap_or_default();
                if index == list.len() {
                    list.push(Value::Null);
                }
                &mut list[index]
            }
            other => &mut other[segment.as_str()],
        };
    }
    *at = value;
}

/// Leaves out what a pointer leads to, if it leads anywhere.
fn take(document: &mut Value, pointer: &str) {
    let Some((parent, _)) = pointer.rsplit_once('/') else { return };
    let Some(last) = segments(pointer).last() else { return };
    match document.pointer_mut(parent) {
        Some(Value::Object(object)) => {
            object.shift_remove(&last);
        }
        Some(Value::Array(list)) => {
            if let Some(index) = last.parse::<usize>().ok().filter(|index| *index < list.len()) {
                list.remove(index);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::{EVENT, Payload, nth};

    fn changed(set: &[(&str, Value)], remove: &[&str]) -> Value {
        let set = set.iter().map(|(pointer, value)| ((*pointer).to_owned(), value.clone())).collect();
        let remove = remove.iter().map(|pointer| (*pointer).to_owned()).collect();
        let bytes = Payload::Event { set, remove }.bytes(br#"{"a": {"b": 1}, "l": [1, 2]}"#);
        serde_json::from_slice(&bytes).expect("JSON")
    }

    #[rstest]
    #[case("/a/b", json!({ "a": { "b": 9 }, "l": [1, 2] }))]
    #[case("/a/c/d", json!({ "a": { "b": 1, "c": { "d": 9 } }, "l": [1, 2] }))]
    #[case("/l/0", json!({ "a": { "b": 1 }, "l": [9, 2] }))]
    #[case("/l/2", json!({ "a": { "b": 1 }, "l": [1, 2, 9] }))]
    #[case("/l/x", json!({ "a": { "b": 1 }, "l": { "x": 9 } }))]
    #[case("/a/b/c", json!({ "a": { "b": { "c": 9 } }, "l": [1, 2] }))]
    #[case("/x~1y~0", json!({ "a": { "b": 1 }, "l": [1, 2], "x/y~": 9 }))]
    #[case("", json!(9))]
    fn a_value_is_put_where_a_pointer_leads(#[case] pointer: &str, #[case] expected: Value) {
        assert_eq!(changed(&[(pointer, json!(9))], &[]), expected);
    }

    #[test]
    fn what_is_removed_is_gone_and_what_is_not_there_does_not_matter() {
        assert_eq!(changed(&[], &["/a/b", "/l/0", "/l/7", "/nowhere/x", "/a/c"]), json!({ "a": {}, "l": [2] }));
    }

    #[test]
    fn the_event_can_be_told_in_texts() {
        let told = Payload::Value(json!({ "said": format!("<{EVENT}>") })).bytes(br#"{ "a": 1 }"#);
        assert_eq!(String::from_utf8_lossy(&told), r#"{"said":"<{\"a\":1}>"}"#);
        assert_eq!(Payload::Text(format!("{EVENT}!")).bytes(b"[ ]"), b"[]!");
        assert_eq!(Payload::default().bytes(b"[ ]"), b"[ ]");
    }

    #[test]
    fn the_last_answer_is_for_all_that_follow() {
        assert_eq!(
            (nth(&[1, 2], 0), nth(&[1, 2], 1), nth(&[1, 2], 5), nth::<i32>(&[], 0)),
            (Some(&1), Some(&2), Some(&2), None)
        );
    }

    /// What the function that the suite ships is held to as well, by `.ci/function.mjs`.
    #[test]
    fn answers_are_those_of_the_shipped_function() {
        let vectors: Value =
            serde_json::from_str(include_str!("../../tests/data/function-vectors.json")).expect("JSON");
        let vectors = vectors.as_array().expect("a list");
        assert!(vectors.len() > 20);
        for vector in vectors {
            let list = |name: &str| vector["script"][name].as_array().cloned().unwrap_or_default();
            let pointer = |value: &Value| value.as_str().expect("a pointer").to_owned();
            let set = list("set").iter().map(|entry| (pointer(&entry[0]), entry[1].clone())).collect();
            let remove = list("remove").iter().map(pointer).collect();
            let payload = match vector["script"].get("answer") {
                Some(answer) => Payload::Value(answer.clone()),
                None => Payload::Event { set, remove },
            };
            let answered: Value =
                serde_json::from_slice(&payload.bytes(vector["event"].to_string().as_bytes())).expect("JSON");
            assert_eq!(answered, vector["answer"], "{}", vector["name"]);
        }
    }
}
