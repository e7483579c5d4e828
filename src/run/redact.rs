//! Takes secrets out of exchanges when they are recorded. What is kept, shown and
//! written anywhere has passed through here.

use std::fmt;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;

use super::event::{REDACTED, RecordedBody, RecordedExchange, RecordedRequest, RecordedResponse};
use crate::judge::{Finding, SNAPSHOT};
use crate::spec::Service;
use crate::target::Target;
use crate::wire::{Exchange, Headers};

/// Most characters of a body that are kept.
const LONGEST_BODY: usize = 16 * 1024;

/// Longest body that is looked through for secrets, in bytes, which takes a while for
/// each of them; of longer ones nothing is kept. A full dataset is about half as long.
const MOST_SEARCHED: usize = 2 * 1024 * 1024;

/// Longest value that a finding shows, in characters.
const LONGEST_VALUE: usize = 2_000;

/// Shorter values are not taken for secrets: they would be found everywhere.
const SHORTEST_SECRET: usize = 8;

/// Most secrets that are learned from what crossed the wire in one case: several
/// times what the longest case carries. An endpoint that sends more would keep us
/// looking for them for ever; of such a case nothing is shown.
const MOST_LEARNED: usize = 500;

/// Headers and query parameters whose whole value is secret, by lower-case name.
const SECRET_NAMES: [&str; 2] = ["x-amz-security-token", "x-amz-signature"];

/// Knows secrets in every form in which they may show up.
#[derive(Clone)]
pub(super) struct Redactor {
    /// Names of members whose values are secret.
    members: Vec<String>,
    /// Secret texts, longest first.
    secrets: Vec<String>,
    /// How many more can be learned; none if there were more than that.
    room: Option<usize>,
}

impl fmt::Debug for Redactor {
    /// Says how many secrets it knows, and none of them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").field("secrets", &self.secrets.len()).finish_non_exhaustive()
    }
}

impl Redactor {
    /// Knows the target's secrets and which members are sensitive.
    pub(super) fn new(service: &Service, target: &Target) -> Self {
        let members = service.sensitive_names().into_iter().map(str::to_owned).collect();
        let mut redactor = Self { members, secrets: Vec::new(), room: Some(usize::MAX) };
        for secret in target.secrets() {
            redactor.add(secret.expose());
        }
        Self { room: Some(MOST_LEARNED), ..redactor }
    }

    /// Learns the secrets that an exchange carries.
    pub(super) fn learn(&mut self, exchange: &Exchange) {
        let bodies = [Some(&exchange.request.body), exchange.outcome.as_ref().ok().map(|response| &response.body)];
        for body in bodies.into_iter().flatten() {
            match serde_json::from_slice(body) {
                Ok(value) => self.learn_from(&value, false),
                Err(_) => self.learn_from_text(&String::from_utf8_lossy(body)),
            }
        }
        for pair in exchange.request.query().unwrap_or_default().split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if (self.is_sensitive(name) || is_secret_name(name))
                && let Ok(value) = percent_decode_str(value).decode_utf8()
            {
                self.add(&value);
            }
        }
        // A server may say in its body what it was sent.
        for value in exchange.request.headers.get_all("authorization") {
            if let Some((_, signature)) = String::from_utf8_lossy(value).split_once("Signature=") {
                self.add(signature);
            }
        }
    }

    fn is_sensitive(&self, name: &str) -> bool {
        self.members.iter().any(|member| member.eq_ignore_ascii_case(name))
    }

    /// `sensitive` says that the value stands below a sensitive name.
    fn learn_from(&mut self, value: &Value, sensitive: bool) {
        match value {
            Value::Object(object) => {
                for (name, value) in object {
                    let sensitive = sensitive || self.is_sensitive(name);
                    self.learn_from(value, sensitive);
                }
            }
            Value::Array(list) => list.iter().for_each(|entry| self.learn_from(entry, sensitive)),
            Value::String(text) if sensitive => self.add(text),
            Value::Number(number) if sensitive => self.add(&number.to_string()),
            _ => {}
        }
    }

    /// Learns from what was meant as JSON: texts that follow a sensitive name.
    fn learn_from_text(&mut self, text: &str) {
        let mut found = Vec::new();
        for member in &self.members {
            for (at, name) in text.match_indices(&format!("\"{member}\"")) {
                let rest = text[at + name.len()..].trim_start();
                let value = rest.strip_prefix(':').and_then(|rest| rest.trim_start().strip_prefix('"'));
                found.extend(value.map(|value| value.split('"').next().unwrap_or(value).to_owned()));
            }
        }
        found.iter().for_each(|secret| self.add(secret));
    }

    /// Learns a secret.
    pub(super) fn add(&mut self, secret: &str) {
        let Some(room) = self.room else { return };
        if secret.len() < SHORTEST_SECRET || self.secrets.iter().any(|known| known == secret) {
            return;
        }
        self.room = room.checked_sub(1);
        let encoded = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
        // As it stands in a query whose writer leaves unreserved characters alone.
        let lenient = encoded.replace("%2D", "-").replace("%2E", ".").replace("%5F", "_").replace("%7E", "~");
        let json = Value::from(secret).to_string();
        let json = json.trim_matches('"').to_owned();
        let slashes = json.replace('/', "\\/");
        self.secrets.extend([secret.to_owned(), encoded, lenient, json, slashes]);
        self.secrets.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        self.secrets.dedup();
    }

    /// Text without secrets, cut to a length that a person can read.
    pub(super) fn sentence(&self, text: &str) -> String {
        shorten(self.text(text))
    }

    /// Text without secrets.
    pub(super) fn text(&self, text: &str) -> String {
        if self.room.is_none() {
            return REDACTED.to_owned();
        }
        let mut redacted = text.to_owned();
        for secret in &self.secrets {
            if redacted.contains(secret.as_str()) {
                redacted = redacted.replace(secret.as_str(), REDACTED);
            }
        }
        redacted
    }

    /// A finding without secrets, its values cut to a length that a person can
    /// read. A snapshot is compared line by line, and stays whole.
    pub(super) fn finding(&self, finding: Finding) -> Finding {
        if finding.at == SNAPSHOT {
            return Finding { expected: self.text(&finding.expected), actual: self.text(&finding.actual), ..finding };
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
        headers.iter().map(|(name, bytes)| (name.to_owned(), value(name, bytes))).collect()
    }

    fn body(&self, body: &[u8]) -> RecordedBody {
        if body.len() > MOST_SEARCHED {
            return RecordedBody { text: String::new(), bytes: body.len() as u64, cut: true };
        }
        let mut text = self.text(&String::from_utf8_lossy(body));
        // A secret may be spelt with escapes that no list foresees.
        if let Ok(mut value) = serde_json::from_str::<Value>(&text)
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

    /// Blanks what still holds a secret: sensitive members, and known secrets in
    /// other texts; whether there were any. `sensitive` says that the value stands
    /// below a sensitive name.
    fn blank(&self, value: &mut Value, sensitive: bool) -> bool {
        let redacted = match value {
            Value::Object(object) => {
                return object.iter_mut().fold(false, |found, (name, value)| {
                    self.blank(value, sensitive || self.is_sensitive(name)) | found
                });
            }
            Value::Array(list) => {
                return list.iter_mut().fold(false, |found, entry| self.blank(entry, sensitive) | found);
            }
            Value::String(text) if sensitive && text.len() >= SHORTEST_SECRET => REDACTED.to_owned(),
            Value::String(text) => self.text(text),
            Value::Number(number) if sensitive && number.to_string().len() >= SHORTEST_SECRET => REDACTED.to_owned(),
            _ => return false,
        };
        let found = value.as_str() != Some(&redacted);
        if found {
            *value = Value::String(redacted);
        }
        found
    }
}

fn is_secret_name(name: &str) -> bool {
    SECRET_NAMES.contains(&name.to_ascii_lowercase().as_str())
}

fn shorten(text: String) -> String {
    match text.char_indices().nth(LONGEST_VALUE) {
        Some((end, _)) => format!("{}… ({} characters in all)", &text[..end], text.chars().count()),
        None => text,
    }
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
    use crate::judge::{Finding, Level};
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
    fn the_debug_form_shows_no_secret() {
        let target = Target::embedded(&World::standard(1, 1), "http://127.0.0.1:1");
        let shown = format!("{:?}", Redactor::new(Service::embedded(), &target));
        assert!(!shown.contains("public"), "{shown}");
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
