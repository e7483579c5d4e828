//! A recorded request as a `curl` command that a POSIX shell understands.

use super::text::printable;
use crate::run::{RecordedBody, RecordedExchange, RecordedRequest, TargetSummary};

/// What a recorded value begins with where a secret was removed.
const REDACTED_BEGINNINGS: [&str; 2] = ["<redacted", "%3Credacted"];
/// Who signs with credentials of their own; others are broken on purpose.
const SIGNERS: [&str; 3] = ["developer", "identity", "other-identity"];
/// Headers that curl writes by itself when it signs and sends.
const MADE_BY_CURL: [&str; 7] =
    ["host", "user-agent", "content-length", "connection", "authorization", "x-amz-date", "x-amz-content-sha256"];
const TOKEN: &str = "x-amz-security-token";

/// A command that repeats `request`, after comment lines on what it cannot
/// repeat. Credentials are left to the shell's variables `AWS_ACCESS_KEY_ID`,
/// `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`.
///
/// A request that was not signed is not signed by the command either.
pub fn curl(exchange: &RecordedExchange, target: &TargetSummary, signing_service: &str) -> String {
    let (request, signed_by) = (&exchange.request, exchange.signed_by.as_str());
    let mut words = vec![format!("curl -i -X {}", quote(&request.method))];
    if is_dotted(&request.target) {
        words.push("--path-as-is".to_owned());
    }
    if request.target.contains(['[', ']', '{', '}']) {
        words.push("--globoff".to_owned());
    }
    if is_signed(request, signed_by) {
        words.push(format!("--aws-sigv4 {}", quoted(&format!("aws:amz:{}:{signing_service}", target.region))));
        words.push(r#"--user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY""#.to_owned());
    }
    words.extend(request.headers.iter().filter_map(|(name, value)| header(name, value, target, signed_by)));
    words.extend(data(request));
    words.push(url(&request.target, &target.endpoint));
    let command = words.join(" \\\n  ");
    format!("{}{command}\n", notes(exchange, &command))
}

fn is_signed(request: &RecordedRequest, signed_by: &str) -> bool {
    signed_by != "none" && !is_presigned(request)
}

fn is_presigned(request: &RecordedRequest) -> bool {
    request.target.to_ascii_lowercase().contains("x-amz-signature=")
}

/// Comment lines on what the command cannot repeat as it stands.
fn notes(exchange: &RecordedExchange, command: &str) -> String {
    let (request, signed_by) = (&exchange.request, exchange.signed_by.as_str());
    let mut notes = String::new();
    let mut note = |text: &str| notes = format!("{notes}# {text}\n");
    if is_presigned(request) {
        note("it was signed in its query string: the signature has to be made anew");
    } else if signed_by != "none" && !SIGNERS.contains(&signed_by) {
        note(&format!("it was signed by `{}`, which curl cannot repeat: it signs correctly", signed_by.trim()));
    } else if exchange.tampered {
        note("it was signed in another way or changed after signing, which curl does not repeat");
    }
    if REDACTED_BEGINNINGS.iter().any(|mark| command.contains(mark)) {
        note("what reads <redacted> was a secret and has to be filled in");
    }
    if !is_whole(&request.body) {
        let bytes = request.body.bytes;
        note(&format!("the body is too long or no plain text: put its {bytes} bytes into body.bin"));
    }
    notes
}

fn is_made_by_curl(name: &str) -> bool {
    MADE_BY_CURL.iter().chain([&TOKEN]).any(|made| name.eq_ignore_ascii_case(made))
}

/// Whether the body is in the record and a command line can carry it.
fn is_whole(body: &RecordedBody) -> bool {
    !body.cut && !body.text.contains(char::REPLACEMENT_CHARACTER) && printable(&body.text) == body.text
}

fn header(name: &str, value: &str, target: &TargetSummary, signed_by: &str) -> Option<String> {
    if name.eq_ignore_ascii_case(TOKEN) && signed_by != "none" {
        return Some(format!(r#"-H "{name}: $AWS_SESSION_TOKEN""#));
    }
    let is_other_host = name.eq_ignore_ascii_case("host") && value != authority(&target.endpoint);
    // Where nobody signs, these headers were put there by the case.
    let is_own =
        signed_by == "none" && ["authorization", "x-amz-date"].iter().any(|own| name.eq_ignore_ascii_case(own));
    if is_made_by_curl(name) && !is_other_host && !is_own && !name.eq_ignore_ascii_case(TOKEN) {
        return None;
    }
    // `Name:` would tell curl to leave the header out; `Name;` sends it empty.
    let line = if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") };
    Some(format!("-H {}", quoted(&line)))
}

/// The options that send the body as it was, and keep curl from adding a type.
fn data(request: &RecordedRequest) -> Vec<String> {
    let has = |header: &str| request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(header));
    let body = &request.body;
    if body.bytes == 0 && !has("content-length") {
        return Vec::new();
    }
    let mut words = Vec::new();
    if !has("content-type") {
        words.push("-H 'Content-Type:'".to_owned());
    }
    words.push(if !is_whole(body) {
        "--data-binary @body.bin".to_owned()
    } else if body.text.starts_with('@') {
        // `--data-binary` would read a file of that name.
        format!("--data-raw {}", quoted(&body.text))
    } else {
        format!("--data-binary {}", quoted(&body.text))
    });
    words
}

/// The address, and the option for request targets that no address can have.
fn url(target: &str, endpoint: &str) -> String {
    let origin = origin(endpoint);
    let is_path = target.starts_with('/') && !target.contains(['#', ' ']);
    if is_path {
        quoted(&format!("{origin}{target}"))
    } else {
        format!("--request-target {} {}", quoted(target), quoted(&format!("{origin}/")))
    }
}

/// Scheme and authority: a request's target already has the endpoint's path.
fn origin(endpoint: &str) -> &str {
    let start = endpoint.find("://").map_or(0, |colon| colon + 3);
    endpoint[start..].find('/').map_or(endpoint, |slash| &endpoint[..start + slash])
}

fn authority(endpoint: &str) -> &str {
    let origin = origin(endpoint);
    origin.find("://").map_or(origin, |colon| &origin[colon + 3..])
}

/// Whether the path has segments that curl would resolve.
fn is_dotted(target: &str) -> bool {
    let path = target.split('?').next().unwrap_or(target).to_ascii_lowercase().replace("%2e", ".");
    path.split('/').any(|segment| matches!(segment, "." | ".."))
}

/// A word for a POSIX shell, quoted only when it must be.
pub fn quote(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) { word.to_owned() } else { quoted(word) }
}

/// A word for a POSIX shell, in single quotes.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use rstest::rstest;

    use super::super::samples;
    use super::{curl, quote};
    use crate::run::{RecordedBody, RecordedExchange, RecordedRequest};

    fn command(request: &RecordedRequest, signed_by: &str) -> String {
        let exchange =
            RecordedExchange { request: request.clone(), signed_by: signed_by.to_owned(), ..samples::exchange(1) };
        curl(&exchange, &samples::target(), "item-store")
    }

    fn with_body(text: &str) -> RecordedRequest {
        let body = RecordedBody { text: text.to_owned(), bytes: text.len() as u64, cut: false };
        RecordedRequest { body, ..samples::request() }
    }

    #[rstest]
    #[case("plain-1.0/a:b", "plain-1.0/a:b")]
    #[case("", "''")]
    #[case("two words", "'two words'")]
    #[case("it's", r"'it'\''s'")]
    #[case("$HOME `x` \"y\" \\", "'$HOME `x` \"y\" \\'")]
    #[case("a\nb", "'a\nb'")]
    #[case("*", "'*'")]
    #[case("~", "'~'")]
    fn words_are_quoted_for_a_shell(#[case] word: &str, #[case] written: &str) {
        assert_eq!(quote(word), written);
        if cfg!(unix) {
            let shell = Command::new("sh").args(["-c", &format!("printf %s {written}")]).output().unwrap();
            assert_eq!(String::from_utf8(shell.stdout).unwrap(), word);
        }
    }

    #[test]
    fn a_signed_request_is_repeated_with_its_own_headers() {
        insta::assert_snapshot!(command(&samples::request(), "identity"), @r#"
        curl -i -X PUT \
          --aws-sigv4 'aws:amz:us-east-1:item-store' \
          --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \
          -H 'Content-Type: application/json' \
          -H "X-Amz-Security-Token: $AWS_SESSION_TOKEN" \
          --data-binary '{"Text":"it'\''s","Count":0}' \
          'http://127.0.0.1:4566/items/my%20item?mode=1'
        "#);
    }

    #[test]
    fn an_unsigned_request_stays_unsigned() {
        insta::assert_snapshot!(command(&RecordedRequest { headers: Vec::new(), ..samples::request() }, "none"), @r#"
        curl -i -X PUT \
          -H 'Content-Type:' \
          --data-binary '{"Text":"it'\''s","Count":0}' \
          'http://127.0.0.1:4566/items/my%20item?mode=1'
        "#);
    }

    #[test]
    fn what_cannot_be_repeated_is_said() {
        let mut request = with_body("\u{fffd}\0");
        request.target = "/items?X-Amz-Signature=%3Credacted%3E".to_owned();
        insta::assert_snapshot!(command(&request, "identity"), @r#"
        # it was signed in its query string: the signature has to be made anew
        # what reads <redacted> was a secret and has to be filled in
        # the body is too long or no plain text: put its 4 bytes into body.bin
        curl -i -X PUT \
          -H 'Content-Type: application/json' \
          -H "X-Amz-Security-Token: $AWS_SESSION_TOKEN" \
          --data-binary @body.bin \
          'http://127.0.0.1:4566/items?X-Amz-Signature=%3Credacted%3E'
        "#);
        assert!(command(&samples::request(), "wrong-secret").starts_with("# it was signed by `wrong-secret`"));
    }

    #[test]
    fn what_a_case_put_there_unsigned_is_kept() {
        let text = command(&samples::request(), "none");
        assert!(text.starts_with("# what reads <redacted> was a secret and has to be filled in\ncurl"), "{text}");
        assert!(text.contains("-H 'Authorization: <redacted>'") && text.contains("-H 'X-Amz-Date: 2026"), "{text}");
        assert!(!text.contains("--aws-sigv4"), "{text}");
    }

    #[rstest]
    #[case("@file", "--data-raw '@file'")]
    #[case("it's", r"--data-binary 'it'\''s'")]
    fn bodies_are_data_and_not_files(#[case] body: &str, #[case] option: &str) {
        assert!(command(&with_body(body), "identity").contains(option));
    }

    #[rstest]
    #[case("/items/../x", "--path-as-is")]
    #[case("/items/%2E/x", "--path-as-is")]
    #[case("/items/{id}", "--globoff")]
    #[case("*", "--request-target '*' 'http://127.0.0.1:4566/'")]
    #[case("/it's", r"'http://127.0.0.1:4566/it'\''s'")]
    fn odd_paths_arrive_as_they_are(#[case] target: &str, #[case] option: &str) {
        let request = RecordedRequest { target: target.to_owned(), ..samples::request() };
        assert!(command(&request, "identity").contains(option), "{}", command(&request, "identity"));
        assert!(!command(&samples::request(), "identity").contains("--path-as-is"));
    }

    #[rstest]
    #[case("X-Empty", "", "-H 'X-Empty;'")]
    #[case("Host", "elsewhere.test", "-H 'Host: elsewhere.test'")]
    #[case("X-Quote", "it's", r"-H 'X-Quote: it'\''s'")]
    fn odd_headers_arrive_as_they_are(#[case] name: &str, #[case] value: &str, #[case] option: &str) {
        let headers = vec![(name.to_owned(), value.to_owned())];
        assert!(command(&RecordedRequest { headers, ..samples::request() }, "identity").contains(option));
    }
}
