//! An exchange as lines, those marked that a finding is about.

use crate::report::exchange::{is_nothing, no_answer};
use crate::report::json;
use crate::report::text::{count, excerpt, grouped, printable};
use crate::run::{RecordedBody, RecordedExchange};

/// Most lines of a body.
const MOST_LINES: usize = 60;
/// Longest line, in characters.
const MOST_CHARS: usize = 400;
/// Headers that say of what kind an error is.
const ERROR_HEADERS: [&str; 1] = ["x-amzn-errortype"];
/// Members of a body that say so.
const ERROR_MEMBERS: [&str; 3] = ["__type", "code", "Code"];
/// Members that say more of it.
const MESSAGE_MEMBERS: [&str; 2] = ["message", "Message"];

/// A line, and whether a finding is about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) text: String,
    pub(super) marked: bool,
}

/// The lines of an exchange: `>` was sent, `<` came back. `at` are the places of the
/// findings of this step, as findings name them.
pub(super) fn lines(exchange: &RecordedExchange, at: &[&str]) -> Vec<Line> {
    let request = &exchange.request;
    let plain = |text: String| Line { text, marked: false };
    let mut lines = Vec::new();
    if !is_nothing(exchange) {
        lines.push(plain(format!("> {} {}", printable(&request.method), line(&request.target))));
    }
    lines.extend(request.headers.iter().map(|(name, value)| plain(format!("> {}: {}", line(name), line(value)))));
    lines.extend(body(">", &request.body, &[]));
    if let Some(response) = &exchange.response {
        let about = |place: &str| at.contains(&place);
        lines.push(Line { text: format!("< {}", response.status), marked: about("status") });
        lines.extend(response.headers.iter().map(|(name, value)| {
            let of_error = about("error") && ERROR_HEADERS.contains(&name.to_ascii_lowercase().as_str());
            let named = at.iter().filter_map(|place| place.strip_prefix("header "));
            let marked = of_error || named.into_iter().any(|wanted| wanted.eq_ignore_ascii_case(name));
            Line { text: format!("< {}: {}", line(name), line(value)), marked }
        }));
        lines.extend(body("<", &response.body, at));
    }
    if let Some(failure) = &exchange.failure {
        lines.push(Line { text: format!("{}{}", no_answer(exchange), line(failure)), marked: true });
    }
    lines
}

fn line(text: &str) -> String {
    excerpt(&printable(text).replace('\n', "\\n"), MOST_CHARS, 0)
}

fn body(mark: &str, body: &RecordedBody, at: &[&str]) -> Vec<Line> {
    let laid_out = json::pretty(&body.text);
    let whole = at.contains(&"body");
    let text = printable(laid_out.as_deref().unwrap_or(&body.text)).into_owned();
    if text.is_empty() {
        return if whole { vec![Line { text: format!("{mark} (empty body)"), marked: true }] } else { Vec::new() };
    }
    let wanted = if laid_out.is_some() { wanted(at) } else { Vec::new() };
    let places = if laid_out.is_some() { places(&text) } else { Vec::new() };
    let is_marked = |index: usize| {
        let here = places.get(index).map(String::as_str).unwrap_or_default();
        whole || wanted.iter().any(|wanted| wanted == here)
    };
    let mut lines: Vec<_> = (text.lines().enumerate())
        .map(|(index, text)| Line {
            text: format!("{mark} {}", excerpt(text, MOST_CHARS, 0)),
            marked: is_marked(index),
        })
        .collect();
    let more = lines.len().saturating_sub(MOST_LINES);
    // What a finding is about is shown however far down it stands.
    let late: Vec<_> = lines.drain(lines.len() - more..).filter(|line| line.marked).take(3).collect();
    if more > 0 || body.cut {
        let what = if body.cut { "the rest was not recorded".to_owned() } else { count(more, "more line") };
        let text = format!("{mark} … {what}; the whole body has {} bytes", grouped(body.bytes));
        lines.push(Line { text, marked: false });
    }
    lines.extend(late);
    lines.insert(0, Line { text: mark.to_owned(), marked: false });
    lines
}

/// The places in a body that findings name.
fn wanted(at: &[&str]) -> Vec<String> {
    let mut wanted: Vec<String> =
        at.iter().filter(|place| place.starts_with('/')).map(|place| (*place).to_owned()).collect();
    let mut members = |names: &[&str]| wanted.extend(names.iter().map(|name| format!("/{name}")));
    if at.contains(&"error") {
        members(&ERROR_MEMBERS);
    }
    if at.contains(&"message") {
        members(&MESSAGE_MEMBERS);
    }
    wanted
}

/// The JSON pointer of what each line of laid-out JSON holds; closing lines have
/// that of what they close.
fn places(text: &str) -> Vec<String> {
    /// An open object or array: its pointer, and the index of its next entry if it
    /// is an array.
    struct Open {
        pointer: String,
        next: Option<usize>,
    }
    let mut open: Vec<Open> = Vec::new();
    let mut places = Vec::new();
    for line in text.lines().map(str::trim_start) {
        if line.starts_with(['}', ']']) {
            places.push(open.pop().map(|closed| closed.pointer).unwrap_or_default());
            continue;
        }
        let pointer = match open.last_mut() {
            None => String::new(),
            Some(Open { pointer, next: Some(next) }) => {
                *next += 1;
                format!("{pointer}/{}", *next - 1)
            }
            Some(Open { pointer, next: None }) => format!("{pointer}/{}", key(line)),
        };
        let opens = line.trim_end_matches(',');
        if opens.ends_with(['{', '[']) && !opens.ends_with("\"") {
            let next = opens.ends_with('[').then_some(0);
            open.push(Open { pointer: pointer.clone(), next });
        }
        places.push(pointer);
    }
    places
}

/// The key that a line begins with, as it stands in a JSON pointer.
fn key(line: &str) -> String {
    let mut keys = serde_json::Deserializer::from_str(line).into_iter::<String>();
    let key = keys.next().and_then(Result::ok).unwrap_or_default();
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{Line, lines, places};
    use crate::report::samples;

    fn marked(at: &[&str]) -> Vec<String> {
        let mut exchange = samples::exchange(1);
        if let Some(response) = &mut exchange.response {
            response.headers.push(("x-amzn-ErrorType".to_owned(), "StaleException".to_owned()));
            response.body = samples::body(r#"{"__type":"StaleException","a/b":[{"c":1},"{"],"d":{}}"#);
        }
        lines(&exchange, at).into_iter().filter(|line| line.marked).map(|Line { text, .. }| text).collect()
    }

    #[rstest]
    #[case("status", &["< 200"])]
    #[case("header X-Request-Id", &["< x-request-id: r-1"])]
    #[case("error", &["< x-amzn-ErrorType: StaleException", "<   \"__type\": \"StaleException\","])]
    #[case("/a~1b/0/c", &["<       \"c\": 1"])]
    #[case("/a~1b/1", &["<     \"{\""])]
    #[case("/d", &["<   \"d\": {}"])]
    #[case("/e", &[])]
    fn what_a_finding_is_about_is_marked(#[case] at: &str, #[case] expected: &[&str]) {
        assert_eq!(marked(&[at]), expected);
    }

    #[test]
    fn every_line_of_a_body_has_its_place() {
        let text = "{\n  \"a\": [\n    1,\n    {\n      \"b\": 2\n    }\n  ],\n  \"c\": 3\n}";
        assert_eq!(places(text), ["", "/a", "/a/0", "/a/1", "/a/1/b", "/a/1", "/a", "/c", ""]);
    }

    #[test]
    fn what_is_marked_far_down_is_shown() {
        let mut exchange = samples::exchange(1);
        let numbers: Vec<_> = (0..200).map(|number| number.to_string()).collect();
        exchange.response.as_mut().unwrap().body = samples::body(&format!("[{}]", numbers.join(",")));
        let lines = lines(&exchange, &["/150"]);
        assert!(lines.len() < 90);
        assert_eq!(lines.last().map(|line| (line.text.as_str(), line.marked)), Some(("<   150,", true)));
    }
}
