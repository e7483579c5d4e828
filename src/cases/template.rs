//! Values with placeholders, and how they are filled in.
//!
//! A placeholder is `{name}`, `{name+1}`, `{name-1}` or `{repeat:TEXT:TIMES}`,
//! where a name is lower-case words joined by hyphens. Any other brace stands for
//! itself, so that JSON text needs no escaping; `{{name}` is the literal `{name}`.

use std::fmt::Write as _;

use indexmap::IndexMap;
use serde_json::{Map, Number, Value};

use super::file::Node;

/// Most characters that one `{repeat:…}` may produce: more than any limit of a
/// service under test needs, and little enough to be safe.
const LONGEST_REPEAT: usize = 16 * 1024 * 1024;

/// Most entries that one repeated entry may produce.
const MOST_ENTRIES: usize = 100_000;

/// What placeholders stand for while a case runs.
#[derive(Debug, Clone, Default)]
pub struct Bindings(IndexMap<String, Value>);

impl Bindings {
    /// Nothing bound.
    pub fn new() -> Self {
        Self::default()
    }

    /// Binds a name, replacing what it stood for.
    pub fn bind(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.0.insert(name.into(), value.into());
    }

    /// What a name stands for.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// All names with their values, in the order of their first binding.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

/// Why a template cannot be filled in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// Nothing is bound to a name.
    #[error("`{{{0}}}` stands for nothing here")]
    Unbound(String),
    /// A number is to be moved, but the value is no whole number.
    #[error("`{{{0}}}` is no whole number, so nothing can be added to it")]
    NotANumber(String),
}

/// A value with placeholders.
#[derive(Debug, Clone, PartialEq)]
pub enum Template {
    /// A value without placeholders, text included.
    Fixed(Value),
    /// Text with placeholders.
    Text(Text),
    /// A list.
    List(Vec<Template>),
    /// An object.
    Table(Vec<(String, Template)>),
    /// The same entry several times, with `{index}` counting from 0.
    Entries {
        /// How many.
        times: usize,
        /// The entry.
        entry: Box<Template>,
    },
}

impl Template {
    /// Reads a case file's value.
    ///
    /// # Errors
    ///
    /// A sentence on what is wrong with a placeholder.
    pub fn parse(node: &Node) -> Result<Self, String> {
        Ok(match node {
            Node::Bool(value) => Self::Fixed(Value::Bool(*value)),
            Node::Integer(value) => Self::Fixed(Value::from(*value)),
            Node::Float(value) => {
                Self::Fixed(Number::from_f64(*value).map(Value::Number).ok_or("JSON has no such number")?)
            }
            Node::Text(text) => Self::from_text(Text::parse(text)?),
            Node::List(list) => Self::List(list.iter().map(Self::parse).collect::<Result<_, _>>()?),
            Node::Table(table) => match repeated(table) {
                Some((times, entry)) => Self::Entries { times: times?, entry: Box::new(Self::parse(entry)?) },
                None => Self::Table(
                    table
                        .iter()
                        .map(|(key, value)| Ok((key.clone(), Self::parse(value)?)))
                        .collect::<Result<_, String>>()?,
                ),
            },
        })
    }

    fn from_text(text: Text) -> Self {
        match text.0.as_slice() {
            [] => Self::Fixed(Value::from("")),
            [Part::Literal(literal)] => Self::Fixed(Value::from(literal.clone())),
            _ => Self::Text(text),
        }
    }

    /// Fills the placeholders in.
    ///
    /// # Errors
    ///
    /// When a name is not bound, or is to be counted with and is no number.
    pub fn render(&self, bindings: &Bindings) -> Result<Value, RenderError> {
        match self {
            Self::Fixed(value) => Ok(value.clone()),
            Self::Text(text) => text.render_value(bindings),
            Self::List(list) => list.iter().map(|entry| entry.render(bindings)).collect(),
            Self::Table(table) => {
                let entries = table.iter().map(|(key, value)| Ok((key.clone(), value.render(bindings)?)));
                entries.collect::<Result<Map<_, _>, _>>().map(Value::Object)
            }
            Self::Entries { times, entry } => {
                let mut bindings = bindings.clone();
                let entries = (0..*times).map(|index| {
                    bindings.bind("index", index);
                    entry.render(&bindings)
                });
                entries.collect()
            }
        }
    }

    /// Calls `visit` with every name that the template needs bound.
    pub fn names(&self, visit: &mut dyn FnMut(&str)) {
        match self {
            Self::Fixed(_) => {}
            Self::Text(text) => text.names(visit),
            Self::List(list) => list.iter().for_each(|entry| entry.names(visit)),
            Self::Table(table) => table.iter().for_each(|(_, value)| value.names(visit)),
            Self::Entries { entry, .. } => entry.names(&mut |name| {
                if name != "index" {
                    visit(name);
                }
            }),
        }
    }
}

/// `{ repeat = 3, entry = … }` in place of a list.
fn repeated(table: &IndexMap<String, Node>) -> Option<(Result<usize, String>, &Node)> {
    let (times, entry) = (table.get("repeat")?, table.get("entry")?);
    if table.len() != 2 {
        return None;
    }
    let times = match times {
        Node::Integer(times) => usize::try_from(*times).ok().filter(|times| *times <= MOST_ENTRIES),
        _ => None,
    };
    Some((times.ok_or_else(|| format!("`repeat` is a whole number from 0 to {MOST_ENTRIES}")), entry))
}

/// Text with placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Slot { name: String, plus: i64 },
    Repeat { text: String, times: usize },
}

impl Text {
    /// No text.
    pub(super) fn empty() -> Self {
        Self(Vec::new())
    }

    /// Reads text with placeholders.
    ///
    /// # Errors
    ///
    /// A sentence on what is wrong with a `{repeat:…}`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts: Vec<Part> = Vec::new();
        for piece in pieces(text) {
            match piece {
                Piece::Literal(literal) | Piece::Escaped(literal) => match parts.last_mut() {
                    Some(Part::Literal(last)) => last.push_str(literal),
                    _ => parts.push(Part::Literal(literal.to_owned())),
                },
                Piece::Placeholder(inner) => parts.push(Part::parse(inner)?),
            }
        }
        Ok(Self(parts))
    }

    /// Fills the placeholders in, as text.
    ///
    /// # Errors
    ///
    /// As for [`Template::render`].
    pub fn render(&self, bindings: &Bindings) -> Result<String, RenderError> {
        let mut rendered = String::new();
        for part in &self.0 {
            match part {
                Part::Literal(literal) => rendered.push_str(literal),
                Part::Repeat { text, times } => rendered.push_str(&text.repeat(*times)),
                Part::Slot { name, plus } => match slot(bindings, name, *plus)? {
                    Value::String(text) => rendered.push_str(&text),
                    other => {
                        // Writing to a `String` cannot fail.
                        let _ = write!(rendered, "{other}");
                    }
                },
            }
        }
        Ok(rendered)
    }

    /// A text that is one placeholder takes over the value with its type.
    fn render_value(&self, bindings: &Bindings) -> Result<Value, RenderError> {
        match self.0.as_slice() {
            [Part::Slot { name, plus }] => slot(bindings, name, *plus),
            _ => self.render(bindings).map(Value::String),
        }
    }

    /// The text with its placeholders, as a case file would write it.
    pub fn as_written(&self) -> String {
        let part = |part: &Part| match part {
            Part::Literal(literal) => literal.clone(),
            Part::Slot { name, plus: 0 } => format!("{{{name}}}"),
            Part::Slot { name, plus } if *plus > 0 => format!("{{{name}+{plus}}}"),
            Part::Slot { name, plus } => format!("{{{name}--{}}}", plus.unsigned_abs()),
            Part::Repeat { text, times } => format!("{{repeat:{text}:{times}}}"),
        };
        self.0.iter().map(part).collect()
    }

    /// Calls `visit` with every name that the text needs bound.
    pub fn names(&self, visit: &mut dyn FnMut(&str)) {
        for part in &self.0 {
            if let Part::Slot { name, .. } = part {
                visit(name);
            }
        }
    }
}

impl Part {
    fn parse(inner: &str) -> Result<Self, String> {
        if let Some(repeat) = inner.strip_prefix("repeat:") {
            let (text, times) = repeat.rsplit_once(':').ok_or("a repetition is written `{repeat:TEXT:TIMES}`")?;
            let times: usize = times.parse().map_err(|_| format!("`{times}` is no number of repetitions"))?;
            if text.len().saturating_mul(times) > LONGEST_REPEAT {
                return Err(format!("a repetition of more than {LONGEST_REPEAT} bytes"));
            }
            return Ok(Self::Repeat { text: text.to_owned(), times });
        }
        let (name, plus) = split_offset(inner);
        Ok(Self::Slot { name: name.to_owned(), plus })
    }
}

/// `count+1` is the name `count` and 1, `count--1` the name and -1. One hyphen
/// would not do: `dataset-2` is a name.
pub(super) fn split_offset(inner: &str) -> (&str, i64) {
    let offset = inner.split_once('+').map(|(name, plus)| (name, plus.parse::<i64>()));
    let offset =
        offset.or_else(|| inner.split_once("--").map(|(name, minus)| (name, minus.parse::<i64>().map(|minus| -minus))));
    match offset {
        Some((name, Ok(plus))) => (name, plus),
        _ => (inner, 0),
    }
}

fn slot(bindings: &Bindings, name: &str, plus: i64) -> Result<Value, RenderError> {
    let value = bindings.get(name).ok_or_else(|| RenderError::Unbound(name.to_owned()))?;
    if plus == 0 {
        return Ok(value.clone());
    }
    let moved = whole_number(value).and_then(|number| number.checked_add(plus));
    moved.map(Value::from).ok_or_else(|| RenderError::NotANumber(name.to_owned()))
}

/// A whole number in any JSON form: `3`, `3.0` and `3E0` alike.
fn whole_number(value: &Value) -> Option<i64> {
    let float = || value.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < 9e15);
    #[expect(clippy::cast_possible_truncation, reason = "the filter keeps to whole numbers that fit")]
    value.as_i64().or_else(|| float().map(|number| number as i64))
}

/// A stretch of text.
pub(super) enum Piece<'t> {
    /// Text that stands for itself.
    Literal(&'t str),
    /// `{name}` that stands for itself because it was written `{{name}`.
    Escaped(&'t str),
    /// What stands between the braces of a placeholder.
    Placeholder(&'t str),
}

/// Splits text into literals and placeholders; `{{` before a placeholder makes
/// it a literal.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        let (before, from_brace) = rest.split_at(open);
        if !before.is_empty() {
            pieces.push(Piece::Literal(before));
        }
        let escaped = from_brace.strip_prefix('{').filter(|inner| placeholder_length(inner).is_some());
        rest = if let Some(length) = placeholder_length(from_brace) {
            pieces.push(Piece::Placeholder(&from_brace[1..length - 1]));
            &from_brace[length..]
        } else if let Some(literal) = escaped {
            let length = placeholder_length(literal).unwrap_or(literal.len());
            pieces.push(Piece::Escaped(&literal[..length]));
            &literal[length..]
        } else {
            pieces.push(Piece::Literal(&from_brace[..1]));
            &from_brace[1..]
        };
    }
    if !rest.is_empty() {
        pieces.push(Piece::Literal(rest));
    }
    pieces
}

/// Length of the placeholder, braces included, that `text` begins with.
fn placeholder_length(text: &str) -> Option<usize> {
    let inner = text.strip_prefix('{')?;
    let end = inner.find('}')?;
    let inner = &inner[..end];
    let is_repeat = inner.starts_with("repeat:");
    let is_name = inner.starts_with(|first: char| first.is_ascii_lowercase())
        && inner.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '+');
    (is_repeat || is_name).then_some(end + 2)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::super::file::Node;
    use super::{Bindings, RenderError, Template};

    fn bindings() -> Bindings {
        let mut bindings = Bindings::new();
        bindings.bind("count", 4);
        bindings.bind("float", 4.0);
        bindings.bind("dataset-2", "d2");
        bindings.bind("token", "t");
        bindings
    }

    fn render(text: &str) -> Result<Value, RenderError> {
        Template::parse(&Node::Text(text.to_owned())).expect("parses").render(&bindings())
    }

    #[rstest]
    #[case("plain", json!("plain"))]
    #[case("", json!(""))]
    #[case("{token}", json!("t"))]
    #[case("{count}", json!(4))]
    #[case("{count+1}", json!(5))]
    #[case("{count--1}", json!(3))]
    #[case("{float+1}", json!(5))]
    #[case("n{count}", json!("n4"))]
    #[case("{dataset-2}/x", json!("d2/x"))]
    #[case("{repeat:ab:3}", json!("ababab"))]
    #[case("{repeat::::2}", json!("::::"))]
    #[case("{{token}", json!("{token}"))]
    #[case(r#"{ "Op": null, "T": "{token}" }"#, json!(r#"{ "Op": null, "T": "t" }"#))]
    #[case(r#"{"a":{}}"#, json!(r#"{"a":{}}"#))]
    #[case("{Upper} { } {", json!("{Upper} { } {"))]
    fn text_is_filled_in(#[case] text: &str, #[case] expected: Value) {
        assert_eq!(render(text), Ok(expected));
    }

    #[test]
    fn what_cannot_be_filled_in_is_named() {
        assert_eq!(render("{nothing}"), Err(RenderError::Unbound("nothing".to_owned())));
        assert_eq!(render("{token+1}"), Err(RenderError::NotANumber("token".to_owned())));
    }

    #[test]
    fn entries_are_repeated_with_their_index() {
        let entry = Node::Table([("Key".to_owned(), Node::Text("k-{index}".to_owned()))].into_iter().collect());
        let list =
            Node::Table([("repeat".to_owned(), Node::Integer(3)), ("entry".to_owned(), entry)].into_iter().collect());
        let template = Template::parse(&list).expect("parses");
        assert_eq!(template.render(&bindings()), Ok(json!([{ "Key": "k-0" }, { "Key": "k-1" }, { "Key": "k-2" }])));
        let mut names = Vec::new();
        template.names(&mut |name| names.push(name.to_owned()));
        assert!(names.is_empty(), "{names:?}");
    }

    #[test]
    fn an_absurd_repetition_is_refused() {
        assert!(Template::parse(&Node::Text("{repeat:a:99999999999}".to_owned())).is_err());
        assert!(Template::parse(&Node::Text("{repeat:a}".to_owned())).is_err());
    }
}
