//! An exchange on the wire, as text.

use super::json;
use super::text::{BAD, BOLD, DIM, count, duration, excerpt, grouped, printable, styled};
use crate::run::{RecordedBody, RecordedExchange};

/// Most lines of a body that are shown.
const MOST_LINES: usize = 40;
/// Longest line that is shown, in characters.
const MOST_CHARS: usize = 300;

/// Headers that every request has and that hardly explain an answer.
const REQUEST_NOISE: [&str; 10] = [
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "host",
    "user-agent",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-security-token",
];
/// Headers that every response has and that hardly explain a finding.
const RESPONSE_NOISE: [&str; 6] = ["connection", "content-length", "date", "keep-alive", "server", "vary"];

/// Request and response, if there is one, every line marked `>` or `<`. Headers that are mere
/// routine are counted and not shown, except those in `wanted` (names in lower
/// case), which findings are about.
pub fn exchange(exchange: &RecordedExchange, wanted: &[String]) -> String {
    let request = &exchange.request;
    let mut lines = vec![styled(BOLD, title(exchange))];
    if !is_nothing(exchange) {
        let target = excerpt(&printable(&request.target), MOST_CHARS, 0);
        lines.push(format!("> {} {target}", printable(&request.method)));
        lines.extend(message(">", &request.headers, &REQUEST_NOISE, wanted, &request.body));
    }
    if let Some(response) = &exchange.response {
        lines.push(format!("< {}", response.status));
        lines.extend(message("<", &response.headers, &RESPONSE_NOISE, wanted, &response.body));
    }
    if let Some(failure) = &exchange.failure {
        lines.push(styled(BAD, format_args!("{}{}", no_answer(exchange), printable(failure))));
    }
    lines.join("\n") + "\n"
}

/// Which step it belongs to, who sent it, and how long it took.
pub(super) fn title(exchange: &RecordedExchange) -> String {
    // What was not sent took no time.
    let was_sent = exchange.response.is_some() || exchange.failure.is_some();
    let took = if was_sent { format!(", {}", duration(exchange.duration_us)) } else { String::new() };
    let by = match &exchange.collaborator {
        Some(_) if is_nothing(exchange) => String::new(),
        Some(_) => format!(", sent by the target's server{took}"),
        None => format!(", signed by {}{took}", exchange.signed_by),
    };
    format!("step {}, {}{by}", exchange.step, printable(&exchange.label))
}

/// Whether the target's server was waited for, and sent nothing.
pub(super) fn is_nothing(exchange: &RecordedExchange) -> bool {
    exchange.collaborator.is_some() && exchange.request.method.is_empty()
}

/// What stands before the reason why nothing came back.
pub(super) fn no_answer(exchange: &RecordedExchange) -> &'static str {
    if is_nothing(exchange) { "" } else { "no answer: " }
}

fn message(
    mark: &str,
    headers: &[(String, String)],
    noise: &[&str],
    wanted: &[String],
    body: &RecordedBody,
) -> Vec<String> {
    let is_shown = |name: &str| {
        let name = name.to_ascii_lowercase();
        wanted.contains(&name) || !noise.contains(&name.as_str())
    };
    let mut lines = Vec::new();
    for (name, value) in headers.iter().filter(|(name, _)| is_shown(name)) {
        lines.push(format!("{mark} {}: {}", printable(name), excerpt(&printable(value), MOST_CHARS, 0)));
    }
    let hidden = headers.iter().filter(|(name, _)| !is_shown(name)).count();
    if hidden > 0 {
        lines.push(styled(DIM, format_args!("{mark} ({} not shown)", count(hidden, "routine header"))));
    }
    let body = self::body(body);
    if !body.is_empty() {
        lines.push(mark.to_owned());
        lines.extend(body.into_iter().map(|line| format!("{mark} {line}")));
    }
    lines
}

/// The lines of a body, JSON laid out, not more than can be read.
fn body(body: &RecordedBody) -> Vec<String> {
    let laid_out = json::pretty(&body.text);
    let text = printable(laid_out.as_deref().unwrap_or(&body.text));
    let mut lines: Vec<_> = text.lines().map(|line| excerpt(line, MOST_CHARS, 0)).collect();
    let more = lines.len().saturating_sub(MOST_LINES);
    lines.truncate(MOST_LINES);
    if more > 0 || body.cut {
        let what = if body.cut { "the rest was not recorded".to_owned() } else { count(more, "more line") };
        let bytes = grouped(body.bytes);
        lines.push(styled(DIM, format_args!("… {what}; the whole body has {bytes} bytes")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use anstream::adapter::strip_str;

    use super::super::samples;
    use super::exchange;
    use crate::run::RecordedExchange;

    fn plain(given: &RecordedExchange, wanted: &[String]) -> String {
        strip_str(&exchange(given, wanted)).to_string()
    }

    #[test]
    fn both_directions_are_shown_without_routine() {
        insta::assert_snapshot!(plain(&samples::exchange(3), &[]), @r#"
        step 3, PutItem, signed by identity, 612 µs
        > PUT /items/my%20item?mode=1
        > Content-Type: application/json
        > (5 routine headers not shown)
        >
        > {
        >   "Text": "it's",
        >   "Count": 0
        > }
        < 200
        < content-type: application/json
        < x-request-id: r-1
        < (1 routine header not shown)
        <
        < {
        <   "Version": 2,
        <   "Tags": []
        < }
        "#);
    }

    #[test]
    fn a_header_that_a_finding_is_about_is_shown() {
        assert!(plain(&samples::exchange(3), &["date".to_owned()]).contains("< date: today\n"));
    }

    #[test]
    fn bodies_have_a_bound_and_say_what_is_missing() {
        let mut given = samples::exchange(1);
        given.request.body = samples::body(&format!("[{}1]", "1,".repeat(99)));
        let response = given.response.as_mut().unwrap();
        response.body = samples::body(&"x".repeat(1000));
        (response.body.cut, response.body.bytes) = (true, 1_048_576);
        let text = plain(&given, &[]);
        assert!(text.contains("> … 62 more lines; the whole body has 201 bytes\n"), "{text}");
        assert!(text.contains("xxx… (1,000 characters)\n"), "{text}");
        assert!(text.contains("< … the rest was not recorded; the whole body has 1,048,576 bytes\n"), "{text}");
    }

    #[test]
    fn silence_is_said() {
        let failure = Some("the connection was closed after 12 bytes".to_owned());
        let text = plain(&RecordedExchange { response: None, failure, ..samples::exchange(1) }, &[]);
        assert!(text.ends_with("\nno answer: the connection was closed after 12 bytes\n"), "{text}");
    }
}
