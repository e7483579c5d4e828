//! Expectations in words, for people who ask what a case demands.

use std::fmt;

use serde_json::Value;

use super::case::{Expect, Ignore, Match};
use super::file::{BodyForm, ValueType};
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

/// `a or b`.
pub fn alternatives(values: &[impl ToString]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
}

impl fmt::Display for Match {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = |words: &str, value: &Option<Template>| value.as_ref().map(|value| format!("{words} {value}"));
        let list = |words: &str, values: &Option<Vec<Template>>| {
            values.as_ref().map(|values| format!("{words} [{}]", joined(values.iter())))
        };
        let within = self.within.map(|distance| format!(" (± {distance})")).unwrap_or_default();
        let parts = [
            one("is", &self.equals).map(|part| part + &within),
            one("is not", &self.not),
            list("is one of", &self.one_of),
            self.value_type.map(|value_type| format!("is {}", value_type.phrase())),
            one("is at least", &self.min),
            one("is at most", &self.max),
            self.pattern_as_written().map(|pattern| format!("matches {pattern} as a whole")),
            one("contains", &self.contains),
            self.length.map(|length| format!("has length {length}")),
            list("holds, in any order,", &self.unordered),
            one("has an entry with", &self.has_entry),
            one("has no entry with", &self.has_no_entry),
        ];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join(" and "))
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
    use super::{Match, Template, ValueType};

    #[test]
    fn a_condition_reads_as_a_sentence() {
        let text = |text: &str| Template::parse(&Node::Text(text.to_owned())).expect("parses");
        let condition = Match {
            equals: Some(text("{count+1}")),
            within: Some(0.5),
            value_type: Some(ValueType::Integer),
            one_of: Some(vec![text("a"), text("b")]),
            ..Match::default()
        };
        assert_eq!(condition.to_string(), r#"is "{count+1}" (± 0.5) and is one of ["a", "b"] and is a whole number"#);
    }
}
