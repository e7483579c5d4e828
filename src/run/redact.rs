//! Takes secrets out of exchanges when they are recorded. What is kept, shown and
//! written anywhere has passed through here.

use std::ops::{Deref, DerefMut};

use super::event::{RecordedBody, RecordedExchange, RecordedRequest, RecordedResponse};
use crate::judge::{Finding, SNAPSHOT};
use crate::spec::Service;
use crate::target::{MOST_SEARCHED, REDACTED, Target, is_secret_name};
use crate::wire::{Exchange, Headers, is_readable, json};

/// Most characters of a body that are kept.
const LONGEST_BODY: usize = 16 * 1024;

/// Most bytes of a message's headers that are kept, all together: about what servers
/// accept in a request.
const MOST_OF_HEADERS: usize = 128 * 1024;

/// Stands for the headers that are not kept, where a name would stand.
const CUT: &str = "…";

/// Most bytes of a snapshot that are kept, on either side; the longest of the suite has
/// a few thousand.
const LONGEST_SNAPSHOT: usize = 256 * 1024;

/// Knows secrets, and takes them out of what is recorded.
#[derive(Debug, Clone)]
pub(super) struct Redactor(crate::target::Redactor);

impl Deref for Redactor {
    type Target = crate::target::Redactor;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Redactor {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl Redactor {
    /// Knows the target's secrets and which members are sensitive.
    pub(super) fn new(service: &Service, target: &Target) -> Self {
        Self(crate::target::Redactor::new(service, target))
    }

    /// A finding without secrets, its values cut to a length that a person can
    /// read. A snapshot is compared line by line, and stays whole.
    pub(super) fn finding(&self, finding: Finding) -> Finding {
        if finding.requirement == SNAPSHOT {
            let whole = |text: &str| cut_snapshot(self.text(text));
            return Finding {
                at: self.sentence(&finding.at),
                expected: whole(&finding.expected),
                actual: whole(&finding.actual),
                ..finding
            };
        }
        Finding {
            // A pointer may lead through names that the endpoint chose.
            at: self.sentence(&finding.at),
            expected: self.sentence(&finding.expected),
            actual: self.sentence(&finding.actual),
            ..finding
        }
    }

    /// An exchange without secrets.
    pub(super) fn exchange(&self, exchange: &Exchange, about: About<'_>) -> RecordedExchange {
        let request = &exchange.request;
        let (response, failure) = match &exchange.outcome {
            Ok(response) => (
                Some(RecordedResponse {
                    status: response.status,
                    headers: self.headers(&response.headers),
                    body: self.body(&response.body),
                }),
                None,
            ),
            Err(failure) => (None, Some(self.sentence(&failure.to_string()))),
        };
        RecordedExchange {
            step: about.step,
            label: about.label.to_owned(),
            signed_by: about.signed_by.to_owned(),
            tampered: about.tampered,
            fixture: about.fixture.map(str::to_owned),
            collaborator: None,
            request: RecordedRequest {
                method: request.method.clone(),
                target: self.target(&request.target),
                headers: self.headers(&request.headers),
                body: self.body(&request.body),
            },
            response,
            failure,
            duration_us: micros(exchange.duration),
        }
    }

    fn target(&self, target: &str) -> String {
        let Some((path, query)) = target.split_once('?') else { return self.text(target) };
        let pairs = query.split('&').map(|pair| match pair.split_once('=') {
            Some((name, _)) if is_secret_name(name) => {
                format!("{name}={REDACTED}")
            }
            _ => self.text(pair),
        });
        format!("{}?{}", self.text(path), pairs.collect::<Vec<_>>().join("&"))
    }

    fn headers(&self, headers: &Headers) -> Vec<(String, String)> {
        let value = |name: &str, value: &[u8]| {
            if is_secret_name(name) {
                return REDACTED.to_owned();
            }
            let text = self.text(&String::from_utf8_lossy(value));
            // The signature is the last part of the header's value.
            match text.split_once("Signature=") {
                Some((before, _)) => format!("{before}Signature={REDACTED}"),
                None => text,
            }
        };
        let mut left = MOST_OF_HEADERS;
        let mut kept = Vec::new();
        for (name, bytes) in headers.iter() {
            let Some(rest) = left.checked_sub(name.len() + bytes.len()) else {
                let more = headers.len() - kept.len();
                kept.push((CUT.to_owned(), format!("{more} more headers, not kept because of their length")));
                break;
            };
            left = rest;
            kept.push((self.text(name), value(name, bytes)));
        }
        kept
    }

    fn body(&self, body: &[u8]) -> RecordedBody {
        // In what has too many values to be read, a secret may be spelt in any way.
        if body.len() > MOST_SEARCHED || !is_readable(body) {
            return RecordedBody { text: String::new(), bytes: body.len() as u64, cut: true };
        }
        let mut text = self.text(&String::from_utf8_lossy(body));
        // A secret may be spelt with escapes that no list foresees.
        if let Some(mut value) = json(text.as_bytes())
            && self.blank(&mut value, false)
        {
            text = value.to_string();
        }
        let end = text.char_indices().nth(LONGEST_BODY).map(|(end, _)| end);
        if let Some(end) = end {
            text.truncate(end);
        }
        RecordedBody { text, bytes: body.len() as u64, cut: end.is_some() }
    }
}

fn cut_snapshot(text: String) -> String {
    if text.len() <= LONGEST_SNAPSHOT {
        return text;
    }
    let end = (0..=LONGEST_SNAPSHOT).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}\n… ({} bytes in all)\n", &text[..end], text.len())
}

/// What is said of an exchange beside the exchange itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct About<'a> {
    pub(super) step: usize,
    pub(super) label: &'a str,
    pub(super) signed_by: &'a str,
    pub(super) tampered: bool,
    pub(super) fixture: Option<&'a str>,
}

/// Whole microseconds; a duration that does not fit is as long as can be said.
pub(super) fn micros(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use rstest::rstest;

    use super::{About, Redactor};
    use crate::judge::{Finding, Level, SNAPSHOT};
    use crate::reference::World;
    use crate::spec::Service;
    use crate::target::Target;
    use crate::wire::{Exchange, Headers, Request, Response};

    const TOKEN: &str = "sync/session+token==1";

    fn exchange() -> Exchange {
        let world = World::standard(1, 1);
        let session = world.pools[0].identities[0].keys.session_token.clone().unwrap_or_default();
        Exchange {
            request: Request {
                method: "GET".to_owned(),
                target: "/a?syncSessionToken=sync%2Fsession%2Btoken%3D%3D1&X-Amz-Signature=abcdef&b=1".to_owned(),
                headers: [
                    ("authorization", "AWS4-HMAC-SHA256 Credential=AKID/x, SignedHeaders=host, Signature=abcdef"),
                    ("x-amz-security-token", session.as_str()),
                ]
                .into_iter()
                .collect::<Headers>(),
                body: Bytes::from(format!(r#"{{"SyncSessionToken":"{TOKEN}","x":"{session}"}}"#)),
            },
            outcome: Ok(Response {
                status: 200,
                headers: Headers::new(),
                // The same token, spelt with escapes.
                body: Bytes::from_static(br#"{"SyncSessionToken":"sync\/session\u002btoken==1","Count":1}"#),
            }),
            duration: Duration::from_micros(5),
        }
    }

    #[test]
    fn no_secret_survives_recording() {
        let target = Target::embedded(&World::standard(1, 1), "http://127.0.0.1:1");
        let mut redactor = Redactor::new(Service::embedded(), &target);
        let exchange = exchange();
        redactor.learn(&exchange);
        let about = About { step: 1, label: "l", signed_by: "identity", tampered: false, fixture: None };
        let recorded = redactor.exchange(&exchange, about);
        let written = serde_json::to_string(&recorded).expect("can be written");
        for secret in ["session+token", "session%2Btoken", "abcdef", "public+example", "u002b"] {
            assert!(!written.contains(secret), "{secret} in {written}");
        }
        assert!(written.contains("Credential=AKID/x") && written.contains("&b=1"), "{written}");
        assert_eq!(redactor.text(&format!("expected {TOKEN}")), "expected <redacted>");
    }

    fn answering(body: impl Into<Bytes>) -> Exchange {
        Exchange { outcome: Ok(Response { status: 200, headers: Headers::new(), body: body.into() }), ..exchange() }
    }

    fn redactor(exchange: &Exchange) -> Redactor {
        let target = Target::embedded(&World::standard(1, 1), "http://127.0.0.1:1");
        let mut redactor = Redactor::new(Service::embedded(), &target);
        redactor.learn(exchange);
        redactor
    }

    #[rstest]
    #[case::other_case(r#"{"syncsessionTOKEN":"hush-hush-1"}"#)]
    #[case::list(r#"{"SyncSessionToken":["hush-hush-1"]}"#)]
    #[case::below(r#"{"SyncSessionToken":{"Value":"hush-hush-1"}}"#)]
    #[case::escaped(r#"{"SyncSessionToken":["\u0068ush-hush-1"]}"#)]
    fn a_secret_in_another_form_is_one_too(#[case] body: &'static str) {
        let exchange = answering(body);
        let redactor = redactor(&exchange);
        let text = redactor.body(body.as_bytes()).text;
        assert!(text.contains("redacted") && !text.contains("ush-hush"), "{text}");
        assert_eq!(redactor.text("is hush-hush-1"), "is <redacted>");
    }

    #[test]
    fn a_number_can_be_a_secret() {
        let body = r#"{"SyncSessionToken":1234567890,"Count":1234567891}"#;
        let redactor = redactor(&answering(body));
        assert!(!redactor.body(body.as_bytes()).text.contains("1234567890"));
        assert_eq!(redactor.text("1234567890, 1234567891"), "<redacted>, 1234567891");
    }

    #[test]
    fn more_secrets_than_can_be_looked_for_leave_nothing_to_show() {
        let entry = |number: usize| format!(r#"{{"SyncSessionToken":"token-{number:08}"}}"#);
        let body = format!("[{}]", (0..200_000).map(entry).collect::<Vec<_>>().join(","));
        let exchange = answering(body);
        let redactor = redactor(&exchange);
        let about = About { step: 1, label: "l", signed_by: "identity", tampered: false, fixture: None };
        let written = serde_json::to_string(&redactor.exchange(&exchange, about)).expect("can be written");
        assert!(!written.contains("token-0"), "{}", &written[..1000]);
        assert_eq!(redactor.text("token-00199999"), "<redacted>");
    }

    #[test]
    fn a_finding_names_its_place_without_secrets_and_not_at_any_length() {
        let finding = Finding {
            level: Level::Fail,
            step: 1,
            at: format!("/{TOKEN}/{}", "k".repeat(5_000)),
            expected: String::new(),
            actual: String::new(),
            requirement: "r".to_owned(),
            origin: "o".to_owned(),
        };
        let finding = redactor(&exchange()).finding(finding);
        assert!(finding.at.starts_with("/<redacted>/kkk") && finding.at.len() < 2_100, "{}", finding.at);
    }

    #[test]
    fn a_long_body_is_cut_and_says_so() {
        let target = Target::embedded(&World::standard(1, 1), "http://127.0.0.1:1");
        let redactor = Redactor::new(Service::embedded(), &target);
        let body = redactor.body("ä".repeat(20_000).as_bytes());
        assert_eq!((body.text.chars().count(), body.bytes, body.cut), (16 * 1024, 40_000, true));
    }

    #[test]
    fn a_secret_is_found_wherever_it_stands_in_a_long_text() {
        let redactor = redactor(&exchange());
        for (before, after) in [(0, 10_000), (5_000, 5_000), (10_000, 0)] {
            // Both are there, and one begins like the other.
            let text = format!("{}{TOKEN}{}", "s".repeat(before), "sync/sess".repeat(after));
            let text = redactor.text(&text);
            assert!(text.contains("<redacted>") && !text.contains("sync/session"), "{before}");
        }
    }

    #[test]
    fn headers_and_snapshots_are_not_kept_at_any_length() {
        let redactor = redactor(&exchange());
        let headers: Headers = (0..200).map(|number| (format!("h{number}"), "v".repeat(1_500))).collect();
        let kept = redactor.headers(&headers);
        assert_eq!(kept.len(), 88);
        assert_eq!(kept[87].1, "113 more headers, not kept because of their length");
        let finding = Finding {
            level: Level::Note,
            step: 1,
            at: "answer".to_owned(),
            expected: "short".to_owned(),
            actual: "ü".repeat(1_000_000),
            requirement: SNAPSHOT.to_owned(),
            origin: "o".to_owned(),
        };
        let finding = redactor.finding(finding);
        assert_eq!(finding.expected, "short");
        assert!(finding.actual.ends_with("ü\n… (2000000 bytes in all)\n") && finding.actual.len() < 263_000);
    }

    #[test]
    fn a_body_of_too_many_values_is_not_kept() {
        let body = format!(r#"{{"SyncSessionToken":["\u0068ush-hush-1"],"x":[{}0]}}"#, "0,".repeat(300_000));
        let redactor = redactor(&answering(body.clone()));
        let kept = redactor.body(body.as_bytes());
        assert_eq!((&*kept.text, kept.cut), ("", true));
    }

    #[test]
    fn a_body_too_long_to_look_through_is_not_kept() {
        let target = Target::embedded(&World::standard(1, 1), "http://127.0.0.1:1");
        let redactor = Redactor::new(Service::embedded(), &target);
        let kept = |bytes: usize| {
            let body = redactor.body("a".repeat(bytes).as_bytes());
            (body.text.len(), body.bytes, body.cut)
        };
        assert_eq!(kept(2_097_152), (16 * 1024, 2_097_152, true));
        assert_eq!(kept(2_097_153), (0, 2_097_153, true));
    }
}
