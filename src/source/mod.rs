//! Text files that people write, and what is wrong with them: where, what, and
//! what to do about it. Case files and target files are read through here, so
//! that every mistake is reported in one form.

mod pattern;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

pub use pattern::{matches, selects};

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
    /// Path of the file, as a reader would open it.
    pub path: Arc<str>,
    /// Its text.
    pub text: &'t str,
}

impl Source<'_> {
    /// The place of a byte offset.
    pub fn origin(&self, span: &Range<usize>) -> Origin {
        let mut offset = span.start.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &self.text[..offset];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Origin {
            file: Arc::clone(&self.path),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
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
        toml::from_str(self.text)
            .map_err(|error| self.problem(&error.span().unwrap_or(0..0), with_suggestion(error.message())))
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
        let source = Source { path: "f.toml".into(), text: "a\nbäc = 1\n" };
        let place = |offset| source.origin(&(offset..offset)).to_string();
        assert_eq!(place(0), "f.toml:1:1");
        assert_eq!(place(2), "f.toml:2:1");
        // `ä` takes two bytes; an offset within it is the place of the character.
        assert_eq!(place(4), "f.toml:2:2");
        assert_eq!(place(5), "f.toml:2:3");
        assert_eq!(place(999), "f.toml:3:1");
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
