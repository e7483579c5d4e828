//! The text of a snapshot: one section for each answer, with a line that says which
//! answer it is, and the body below it.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// Begins the first line of a section, before the number of the step.
const STEP: &str = "step ";
/// Begins every line of a body that is no JSON, so that none can pass for a section.
const QUOTE: &str = "> ";
const EMPTY: &str = "(empty body)";

/// One answer of a snapshot.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// Number of the step that it answers, from 1.
    pub step: usize,
    /// What was called, and the status and error that came.
    pub head: String,
    /// What came with it.
    pub body: Body,
    /// Where the section begins: its line in the text, from 0.
    pub line: usize,
}

/// The body of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// No bytes.
    Empty,
    /// JSON.
    Json(Value),
    /// Anything else, line by line.
    Text(String),
}

impl Section {
    /// The section as it stands in a snapshot, objects with their members by name.
    pub fn text(&self) -> String {
        let mut text = format!("{STEP}{}: {}\n", self.step, self.head);
        match &self.body {
            Body::Empty => text.push_str(EMPTY),
            // A `Value` can always be written.
            Body::Json(value) => text += &serde_json::to_string_pretty(&sorted(value)).unwrap_or_default(),
            Body::Text(body) => {
                for line in body.split('\n') {
                    // Writing to a `String` cannot fail.
                    let _ = writeln!(text, "{}", format!("{QUOTE}{}", visible(line)).trim_end());
                }
            }
        }
        text.trim_end().to_owned()
    }
}

/// The text of a snapshot.
pub fn write(sections: &[Section]) -> String {
    sections.iter().map(Section::text).collect::<Vec<_>>().join("\n\n")
}

/// The sections of a snapshot's text.
///
/// # Errors
///
/// The line (from 0) at which it is none, and why.
pub fn read(text: &str) -> Result<Vec<Section>, (usize, String)> {
    let lines: Vec<&str> = text.lines().collect();
    let heads: Vec<usize> = (0..lines.len()).filter(|line| lines[*line].starts_with(STEP)).collect();
    if heads.first() != Some(&0) {
        return Err((0, format!("a snapshot begins with `{STEP}N: `")));
    }
    let ends = heads.iter().skip(1).copied().chain([lines.len()]);
    heads.iter().zip(ends).map(|(begin, end)| section(*begin, &lines[*begin..end])).collect()
}

fn section(line: usize, lines: &[&str]) -> Result<Section, (usize, String)> {
    let named = lines[0].strip_prefix(STEP).and_then(|rest| rest.split_once(": "));
    let named = named.and_then(|(step, head)| Some((step.parse().ok()?, head)));
    let (step, head) = named.ok_or_else(|| (line, format!("`{}` names no step by its number", lines[0])))?;
    let body = lines[1..].join("\n");
    let body = match body.trim_end() {
        EMPTY => Body::Empty,
        quoted if quoted.starts_with(QUOTE.trim_end()) => {
            let unquoted = quoted.lines().map(|line| line.strip_prefix(QUOTE).or(line.strip_prefix('>')));
            let lines: Option<Vec<&str>> = unquoted.collect();
            Body::Text(
                lines.ok_or_else(|| (line, format!("a body that is no JSON has `{QUOTE}` on each line")))?.join("\n"),
            )
        }
        json => Body::Json(serde_json::from_str(json).map_err(|error| {
            (line + error.line(), format!("the body is neither JSON nor quoted with `{QUOTE}`: {error}"))
        })?),
    };
    Ok(Section { step, head: head.to_owned(), body, line })
}

/// Text whose control characters are shown as escapes.
pub(super) fn visible(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut members: Vec<_> = object.iter().map(|(name, value)| (name.clone(), sorted(value))).collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(members.into_iter().collect::<Map<_, _>>())
        }
        Value::Array(list) => list.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::{Body, Section, read, write};

    #[test]
    fn what_is_written_is_read_again() {
        let section = |step, body| Section { step, head: format!("GET /{step} -> 200"), body, line: 0 };
        let mut sections = vec![
            section(1, Body::Json(json!({ "b": [1, null, "x\n\nstep 9: y"], "a": {} }))),
            section(2, Body::Empty),
            section(3, Body::Text("<html>\n\nstep 4: forged -> 200\n(empty body)\u{1b}[2J".to_owned())),
            section(12, Body::Json(json!("step 5: text"))),
        ];
        let text = write(&sections);
        let again = read(&text).expect("it is a snapshot");
        assert_eq!(again.iter().map(|section| section.line).collect::<Vec<_>>(), [0, 10, 13, 19]);
        // A control character stays what it is shown as.
        sections[2].body = Body::Text("<html>\n\nstep 4: forged -> 200\n(empty body)\\u{1b}[2J".to_owned());
        let placed = again.into_iter().map(|section| Section { line: 0, ..section }).collect::<Vec<_>>();
        assert_eq!(placed, sections);
        assert_eq!(write(&placed), text);
    }

    #[rstest]
    #[case("", 0, "begins with")]
    #[case("{}\nstep 1: a", 0, "begins with")]
    #[case("step 1: a -> 200\n{}\n\nstep x: b -> 200\n{}", 3, "`step x: b -> 200` names no step")]
    #[case("step 1: a -> 200\n{\n  \"a\": 1,\n}", 3, "neither JSON")]
    #[case("step 1: a -> 200\n<html>", 1, "neither JSON")]
    #[case("step 1: a -> 200", 1, "neither JSON")]
    #[case("step 1: a -> 200\n> a\nb", 0, "on each line")]
    fn a_mistake_has_a_line(#[case] text: &str, #[case] line: usize, #[case] what: &str) {
        let (at, message) = read(text).expect_err("it is none");
        assert_eq!(at, line, "{message}");
        assert!(message.contains(what), "{message}");
    }
}
