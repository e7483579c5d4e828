//! Text files that people write, and what is wrong with them: where, what, and
//! what to do about it. Case files and target files are read through here, so
//! that every mistake is reported in one form.

mod pattern;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

pub use pattern::{Glob, matches, selects};

/// A place in a text file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// Path of the file, as a reader would open it.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// A mistake in a text file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Where.
    pub origin: Origin,
    /// What is wrong, with a suggestion where there is one.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.origin, self.message)
    }
}

/// A text file with the means to turn a byte offset into line and column.
#[derive(Debug)]
pub struct Source<'t> {
    path: Arc<str>,
    text: &'t str,
    /// Where each line begins.
    lines: Vec<usize>,
}

impl<'t> Source<'t> {
    /// A file with this path, as a reader would open it, and this text.
    pub fn new(path: impl Into<Arc<str>>, text: &'t str) -> Self {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { path: path.into(), text, lines }
    }

    /// Its path, as a reader would open it.
    pub fn path(&self) -> &Arc<str> {
        &self.path
    }

    /// Its text.
    pub fn text(&self) -> &'t str {
        self.text
    }

    /// The place of a byte offset.
    pub fn origin(&self, span: &Range<usize>) -> Origin {
        let mut offset = span.start.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.lines.partition_point(|begin| *begin <= offset);
        // The first line begins at 0, so that every offset lies in one.
        let begin = self.lines[line - 1];
        Origin { file: Arc::clone(&self.path), line, column: self.text[begin..offset].chars().count() + 1 }
    }

    /// A mistake at a byte offset.
    pub fn problem(&self, span: &Range<usize>, message: impl Into<String>) -> Problem {
        Problem { origin: self.origin(span), message: message.into() }
    }

    /// Parses the file, with a suggestion for a misspelt key.
    ///
    /// # Errors
    ///
    /// The first syntax error, unknown key or wrong type.
    pub fn parse<T: serde::de::DeserializeOwned>(&self) -> Result<T, Problem> {
        self.parsed(<str>::to_owned)
    }

    /// The same for a file that holds secrets: what is wrong is told without the value
    /// that is.
    ///
    /// # Errors
    ///
    /// As for [`Source::parse`].
    pub fn parse_discreetly<T: serde::de::DeserializeOwned>(&self) -> Result<T, Problem> {
        self.parsed(without_value)
    }

    fn parsed<T: serde::de::DeserializeOwned>(&self, told: fn(&str) -> String) -> Result<T, Problem> {
        toml::from_str(self.text)
            .map_err(|error| self.problem(&error.span().unwrap_or(0..0), with_suggestion(&told(error.message()))))
    }
}

/// serde's message for a wrong value, which quotes it, without the value.
fn without_value(message: &str) -> String {
    let parts = message.strip_prefix("invalid ").and_then(|rest| rest.rsplit_once(", expected "));
    match parts {
        Some((found, expected)) => {
            let found = found.split(['"', '`', '\'']).next().unwrap_or_default().trim_end();
            format!("invalid {found}, expected {expected}")
        }
        None => message.to_owned(),
    }
}

/// serde's message for an unknown field or variant, with a suggestion if a known
/// one is close; any other message as it is.
pub fn with_suggestion(message: &str) -> String {
    let hint = unknown_name(message).and_then(|(name, known)| did_you_mean(name, known));
    format!("{message}{}", hint.unwrap_or_default())
}

/// The unknown name and the known ones, out of serde's message for an unknown
/// field or variant, which quotes each of them in backticks.
fn unknown_name(message: &str) -> Option<(&str, impl Iterator<Item = &str>)> {
    if !message.starts_with("unknown ") {
        return None;
    }
    let mut quoted = message.split('`').skip(1).step_by(2);
    Some((quoted.next()?, quoted))
}

/// `; did you mean `X`?` for the known name that is closest to `name`, if any is
/// close enough to be meant.
pub fn did_you_mean<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<String> {
    const CLOSE_ENOUGH: f64 = 0.8;
    let lower = name.to_lowercase();
    let closeness = |candidate: &str| strsim::jaro_winkler(&lower, &candidate.to_lowercase());
    let scored = known.into_iter().map(|candidate| (closeness(candidate), candidate));
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 >= CLOSE_ENOUGH).then(|| format!("; did you mean `{}`?", best.1))
}

#[cfg(test)]
mod tests {
    use super::{Source, did_you_mean};

    #[test]
    fn a_place_counts_lines_and_characters_from_one() {
        let source = Source::new("f.toml", "a\nbäc = 1\n");
        let place = |offset| source.origin(&(offset..offset)).to_string();
        assert_eq!(place(0), "f.toml:1:1");
        assert_eq!(place(2), "f.toml:2:1");
        // `ä` takes two bytes; an offset within it is the place of the character.
        assert_eq!(place(4), "f.toml:2:2");
        assert_eq!(place(5), "f.toml:2:3");
        assert_eq!(place(999), "f.toml:3:1");
    }

    #[test]
    fn a_wrong_value_is_not_told_of_a_file_with_secrets() {
        #[derive(Debug, serde::Deserialize)]
        struct File {
            #[expect(dead_code, reason = "only its type is asked for")]
            key: Vec<bool>,
        }
        for value in ["\"hush, expected hush\"", "4711", "[\"hush\"]", "[4711.5]", "{ hush = 1 }"] {
            let text = format!("key = {value}");
            let source = Source::new("f.toml", &text);
            let problem = source.parse_discreetly::<File>().expect_err("it is wrong").to_string();
            assert!(problem.starts_with("f.toml:1:") && problem.contains("invalid type: "), "{problem}");
            assert!(!problem.contains("hush") && !problem.contains("4711"), "{problem}");
        }
        let source = Source::new("f.toml", "key = 4711");
        assert!(source.parse::<File>().expect_err("it is wrong").to_string().contains("4711"));
    }

    #[test]
    fn only_a_close_name_is_suggested() {
        let known = ["ListRecords", "ListDatasets", "UpdateRecords"];
        assert_eq!(did_you_mean("ListRecord", known).as_deref(), Some("; did you mean `ListRecords`?"));
        assert_eq!(did_you_mean("listrecords", known).as_deref(), Some("; did you mean `ListRecords`?"));
        assert_eq!(did_you_mean("Frobnicate", known), None);
        assert_eq!(did_you_mean("anything", []), None);
    }
}
