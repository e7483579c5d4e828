//! Expectations in words, for people who ask what a case demands.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use super::case::{Expect, Ignore};
use super::condition::{Condition, Match};
use super::file::{BodyForm, ValueType};
use super::script::{FunctionAnswer, Payload as FunctionPayload, PushCall, Refusal, Scripts, StreamAnswer};
use super::template::Template;

impl Expect {
    /// What must hold, one sentence for each part.
    pub fn sentences(&self) -> Vec<String> {
        let mut sentences = Vec::new();
        if !self.status.is_empty() {
            sentences.push(format!("status is {}", alternatives(&self.status)));
        }
        if !self.error.is_empty() {
            sentences.push(format!("error is {}", alternatives(&self.error)));
        }
        sentences.extend(self.message.iter().map(|message| format!("message {message}")));
        sentences.extend(self.members.iter().map(|(pointer, condition)| format!("{pointer} {condition}")));
        sentences.extend(self.absent.iter().map(|pointer| format!("{pointer} is absent or null")));
        sentences.extend(self.headers.iter().map(|(name, condition)| format!("header {name} {condition}")));
        sentences.extend(self.body.map(|body| match body {
            BodyForm::Empty => "the body is empty".to_owned(),
            BodyForm::EmptyOrObject => "the body is empty or {}".to_owned(),
        }));
        if self.snapshot {
            sentences.push("the answer is as recorded, where the recording is the target's own".to_owned());
        }
        sentences.extend(self.ignore.iter().map(|Ignore { at, reason, .. }| format!("  but for {at}: {reason}")));
        sentences
    }
}

impl Scripts {
    /// How each service answers, one sentence for each answer.
    pub fn sentences(&self) -> Vec<String> {
        let mut sentences = Vec::new();
        let mut add = |who: &str, answers: Vec<String>| {
            let last = answers.len();
            for (answer, number) in answers.into_iter().zip(1..) {
                let call = match (number, last) {
                    (1, 1) => "each call".to_owned(),
                    (number, last) if number == last => format!("call {number} and all that follow"),
                    (number, _) => format!("call {number}"),
                };
                sentences.push(format!("{who}, {call}: {answer}"));
            }
        };
        add("function", self.function.iter().map(ToString::to_string).collect());
        let taken = "takes the records";
        let stream = |answer: &StreamAnswer| outcome(answer.refusal.as_ref(), taken, answer.delay);
        add("stream", self.stream.iter().map(stream).collect());
        for on in [None, Some(PushCall::Create), Some(PushCall::Publish)] {
            let (who, taken) = match on {
                None => ("push", "makes endpoints and takes messages"),
                Some(PushCall::Create) => ("push, endpoints", "makes them"),
                Some(PushCall::Publish) => ("push, messages", "takes them"),
            };
            let of_kind = self.push.iter().filter(|answer| answer.on == on);
            add(who, of_kind.map(|answer| outcome(answer.refusal.as_ref(), taken, answer.delay)).collect());
        }
        sentences
    }
}

impl fmt::Display for FunctionAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = Vec::new();
        match &self.payload {
            FunctionPayload::Event { set, remove } => {
                parts.extend(set.iter().map(|(pointer, value)| format!("sets {pointer} to {value}")));
                parts.extend(remove.iter().map(|pointer| format!("removes {pointer}")));
            }
            FunctionPayload::Value(value) => parts.push(format!("answers {value}")),
            FunctionPayload::Text(text) => parts.push(format!("answers the bytes {:?}", text.as_written())),
        }
        parts.extend(self.function_error.iter().map(|error| format!("ends with the function error {error}")));
        if parts.is_empty() {
            parts.push("answers its event".to_owned());
        }
        f.write_str(&outcome(self.refusal.as_ref(), &parts.join(" and "), self.delay))
    }
}

/// What a service does with a call: it refuses, or it does as told, at once or later.
fn outcome(refusal: Option<&Refusal>, done: &str, delay: Duration) -> String {
    let does = match refusal {
        Some(Refusal { error, status, message }) => {
            let status = status.map(|status| format!(", status {status}")).unwrap_or_default();
            let message = message.as_ref().map(|text| format!(", message {:?}", text.as_written()));
            format!("is refused with {error}{status}{}", message.unwrap_or_default())
        }
        None => done.to_owned(),
    };
    if delay.is_zero() { does } else { format!("after {} ms, {does}", delay.as_millis()) }
}

/// `a or b`.
pub fn alternatives(values: &[impl ToString]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
}

impl fmt::Display for Match {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.parts.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and "))
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equals(value) => write!(f, "is {value}"),
            Self::Near(value, distance) => write!(f, "is {value} (± {distance})"),
            Self::Not(value) => write!(f, "is not {value}"),
            Self::OneOf(values) => write!(f, "is one of [{}]", joined(values.iter())),
            Self::Type(value_type) => write!(f, "is {}", value_type.phrase()),
            Self::Min(least) => write!(f, "is at least {least}"),
            Self::Max(most) => write!(f, "is at most {most}"),
            Self::Pattern(pattern) => write!(f, "matches {} as a whole", pattern.as_written()),
            Self::Contains(part) => write!(f, "contains {part}"),
            Self::Length(length) => write!(f, "has length {length}"),
            Self::Unordered(values) => write!(f, "holds, in any order, [{}]", joined(values.iter())),
            Self::HasEntry(entry) => write!(f, "has an entry with {entry}"),
            Self::HasNoEntry(entry) => write!(f, "has no entry with {entry}"),
            Self::HasAny(values) => write!(f, "has the members of one of [{}]", joined(values.iter())),
        }
    }
}

impl ValueType {
    /// The type with its article.
    pub fn phrase(self) -> &'static str {
        match self {
            Self::String => "a string",
            Self::Integer => "a whole number",
            Self::Number => "a number",
            Self::Boolean => "true or false",
            Self::Date => "a date: seconds since the epoch, as a number",
            Self::List => "a list",
            Self::Object => "an object",
            Self::Null => "null, written out",
        }
    }
}

impl fmt::Display for Template {
    /// As JSON, with placeholders as a case file writes them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(value) => write!(f, "{value}"),
            Self::Text(text) => write!(f, "{}", Value::from(text.as_written())),
            Self::List(list) => write!(f, "[{}]", joined(list.iter())),
            Self::Table(table) => {
                let entries = table.iter().map(|(key, value)| format!("{}: {value}", Value::from(key.as_str())));
                write!(f, "{{{}}}", joined(entries))
            }
            Self::Entries { times, entry } => write!(f, "{times} times {entry}"),
        }
    }
}

fn joined(values: impl Iterator<Item = impl fmt::Display>) -> String {
    values.map(|value| value.to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::file::Node;
    use super::{Condition, Match, Template, ValueType};

    #[test]
    fn a_condition_reads_as_a_sentence() {
        let text = |text: &str| Template::parse(&Node::Text(text.to_owned())).expect("parses");
        let parts = vec![
            Condition::Near(text("{count+1}"), 0.5),
            Condition::OneOf(vec![text("a"), text("b")]),
            Condition::Type(ValueType::Integer),
        ];
        let condition = Match { parts };
        assert_eq!(condition.to_string(), r#"is "{count+1}" (± 0.5) and is one of ["a", "b"] and is a whole number"#);
    }
}
