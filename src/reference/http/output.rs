//! What operations give, on its way to the wire: values, and members by API name.

use std::borrow::Cow;

use serde::ser::{Serialize, Serializer};
use serde_json::Number;

/// A value of an answer. Members stand in a list, in the order in which they were given:
/// they are few, and read once, which no map would make up for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Output {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Self>),
    Members(Vec<(Cow<'static, str>, Self)>),
}

impl Output {
    /// Members of these names.
    pub(super) fn of<const N: usize>(members: [(&'static str, Self); N]) -> Self {
        Self::Members(members.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }

    /// The member of this name, of a value that has members.
    pub(super) fn member(&self, name: &str) -> Option<&Self> {
        let Self::Members(members) = self else { return None };
        members.iter().find(|(member, _)| member == name).map(|(_, value)| value)
    }
}

impl From<bool> for Output {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Output {
    fn from(number: i64) -> Self {
        Self::Number(number.into())
    }
}

impl From<u64> for Output {
    fn from(number: u64) -> Self {
        Self::Number(number.into())
    }
}

impl From<usize> for Output {
    fn from(number: usize) -> Self {
        Self::Number(number.into())
    }
}

impl From<f64> for Output {
    /// Null for what is no number in JSON.
    fn from(number: f64) -> Self {
        Number::from_f64(number).map_or(Self::Null, Self::Number)
    }
}

impl From<&str> for Output {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Output {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl<T: Into<Output>> From<Option<T>> for Output {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl<T: Into<Output>> FromIterator<T> for Output {
    fn from_iter<I: IntoIterator<Item = T>>(entries: I) -> Self {
        Self::List(entries.into_iter().map(Into::into).collect())
    }
}

/// As it is, whatever the service description says.
impl Serialize for Output {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(number) => number.serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(entries) => serializer.collect_seq(entries),
            Self::Members(members) => serializer.collect_map(members.iter().map(|(name, value)| (name, value))),
        }
    }
}
