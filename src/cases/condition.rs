//! Conditions on values of a response.

use std::slice::from_ref;
use std::sync::Arc;

use super::file::ValueType;
use super::template::Template;

/// Stands before what a [`Pattern`] is written as, and [`END`] behind it.
const WHOLE: &str = "^(?s:";
const END: &str = ")$";

/// A condition on a value: each of its parts must hold, in the order in which they are
/// told of.
#[derive(Debug, Clone, Default)]
pub struct Match {
    /// The parts; none only for a matcher that was refused.
    pub parts: Vec<Condition>,
}

/// A part of a [`Match`]; the values that it names are templates until a case has filled
/// them in.
#[derive(Debug, Clone)]
pub enum Condition<T = Template> {
    /// Equal to this value.
    Equals(T),
    /// A number within this distance of another.
    Near(T, f64),
    /// Present, and different from this value.
    Not(T),
    /// Equal to one of these values.
    OneOf(Vec<T>),
    /// Of this type.
    Type(ValueType),
    /// Not less than this number.
    Min(T),
    /// Not more than this number.
    Max(T),
    /// Text that as a whole matches this.
    Pattern(Pattern),
    /// Text that contains this text.
    Contains(T),
    /// Characters of a text, entries of a list or object.
    Length(u64),
    /// A list with these entries in any order.
    Unordered(Vec<T>),
    /// A list with an entry that has these members.
    HasEntry(T),
    /// A list without any entry that has these members.
    HasNoEntry(T),
    /// An object that has the members of one of these.
    HasAny(Vec<T>),
}

impl<T> Condition<T> {
    /// The same condition with other values.
    ///
    /// # Errors
    ///
    /// The first of `value`.
    pub fn map<U, E>(&self, value: impl Fn(&T) -> Result<U, E>) -> Result<Condition<U>, E> {
        let values = |list: &[T]| list.iter().map(&value).collect::<Result<Vec<U>, E>>();
        Ok(match self {
            Self::Equals(one) => Condition::Equals(value(one)?),
            Self::Near(one, distance) => Condition::Near(value(one)?, *distance),
            Self::Not(one) => Condition::Not(value(one)?),
            Self::OneOf(list) => Condition::OneOf(values(list)?),
            Self::Type(value_type) => Condition::Type(*value_type),
            Self::Min(one) => Condition::Min(value(one)?),
            Self::Max(one) => Condition::Max(value(one)?),
            Self::Pattern(pattern) => Condition::Pattern(pattern.clone()),
            Self::Contains(one) => Condition::Contains(value(one)?),
            Self::Length(length) => Condition::Length(*length),
            Self::Unordered(list) => Condition::Unordered(values(list)?),
            Self::HasEntry(one) => Condition::HasEntry(value(one)?),
            Self::HasNoEntry(one) => Condition::HasNoEntry(value(one)?),
            Self::HasAny(list) => Condition::HasAny(values(list)?),
        })
    }

    /// The values that it names.
    fn values(&self) -> &[T] {
        match self {
            Self::Equals(one) | Self::Near(one, _) | Self::Not(one) | Self::Min(one) | Self::Max(one) => from_ref(one),
            Self::Contains(one) | Self::HasEntry(one) | Self::HasNoEntry(one) => from_ref(one),
            Self::OneOf(list) | Self::Unordered(list) | Self::HasAny(list) => list,
            Self::Type(_) | Self::Pattern(_) | Self::Length(_) => &[],
        }
    }
}

/// A pattern that a text must match as a whole, line breaks included.
///
/// Shared, since a copy of a regular expression has a memory of its own to search with.
#[derive(Debug, Clone)]
pub struct Pattern(pub(super) Arc<regex::Regex>);

impl Pattern {
    /// The regular expression for a pattern as a case file writes it.
    pub(super) fn whole(written: &str) -> String {
        format!("{WHOLE}{written}{END}")
    }

    /// Whether a text matches.
    pub fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// The pattern as a case file writes it.
    pub fn as_written(&self) -> &str {
        let whole = self.0.as_str();
        whole.strip_prefix(WHOLE).and_then(|rest| rest.strip_suffix(END)).unwrap_or(whole)
    }
}

impl From<Condition> for Match {
    fn from(only: Condition) -> Self {
        Self { parts: vec![only] }
    }
}

impl Match {
    /// Whether it asks for null that is written out: the only condition that tells it
    /// from a member that is absent.
    pub fn asks_for_null(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Condition::Type(ValueType::Null)))
    }

    /// Calls `visit` with every template in the condition.
    pub fn templates<'m>(&'m self, visit: &mut impl FnMut(&'m Template)) {
        self.parts.iter().flat_map(Condition::values).for_each(visit);
    }
}
