//! Takes secrets out of exchanges when they are recorded. What is kept, shown and
//! written anywhere has passed through here.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;

use super::event::{REDACTED, RecordedBody, RecordedExchange, RecordedRequest, RecordedResponse};
use crate::judge::Finding;
use crate::spec::Service;
use crate::target::Target;
use crate::wire::{Exchange, Headers};

/// Most characters of a body that are kept.
const LONGEST_BODY: usize = 16 * 1024;

/// Longest value that a finding shows, in characters.
const LONGEST_VALUE: usize = 2_000;

/// Shorter values are not taken for secrets: they would be found everywhere.
const SHORTEST_SECRET: usize = 8;

/// Headers and query parameters whose whole value is secret, by lower-case name.
const SECRET_NAMES: [&str; 2] = ["x-amz-security-token", "x-amz-signature"];

/// Knows secrets in every form in which they may show up.
#[derive(Debug, Clone)]
pub(super) struct Redactor {
    /// Names of members whose values are secret.
    members: Vec<String>,
    /// Secret texts, longest first.
    secrets: Vec<String>,
}

impl Redactor {
    /// Knows the target's secrets and which members are sensitive.
    pub(super) fn new(service: &Service, target: &Target) -> Self {
        let members = service.sensitive_names().into_iter().map(str::to_owned).collect();
        let mut redactor = Self { members, secrets: Vec::new() };
        for secret in target.secrets() {
            redactor.add(secret.expose());
        }
        redactor
    }

    /// Learns the secrets that an exchange carries.
    pub(super) fn learn(&mut self, exchange: &Exchange) {
        let bodies = [Some(&exchange.request.body), exchange.outcome.as_ref().ok().map(|response| &response.body)];
        for body in bodies.into_iter().flatten() {
            match serde_json::from_slice(body) {
                Ok(value) => self.learn_from(&value),
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
        self.members.iter().any(|member| member == name)
    }

    fn learn_from(&mut self, value: &Value) {
        match value {
            Value::Object(object) => {
                for (name, value) in object {
                    match value {
                        Value::String(text) if self.is_sensitive(name) => self.add(text),
                        _ => self.learn_from(value),
                    }
                }
            }
            Value::Array(list) => list.iter().for_each(|entry| self.learn_from(entry)),
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

    fn add(&mut self, secret: &str) {
        if secret.len() < SHORTEST_SECRET || self.secrets.iter().any(|known| known == secret) {
            return;
        }
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

    /// Text without secrets.
    pub(super) fn text(&self, text: &str) -> String {
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
        let shown = |text: &str| {
            let text = self.text(text);
            if finding.at == "snapshot" { text } else { shorten(text) }
        };
        Finding { expected: shown(&finding.expected), actual: shown(&finding.actual), ..finding }
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
            Err(failure) => (None, Some(self.text(&failure.to_string()))),
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
        let mut text = self.text(&String::from_utf8_lossy(body));
        // A secret may be spelt with escapes that no list foresees.
        if let Ok(mut value) = serde_json::from_str::<Value>(&text)
            && self.blank(&mut value)
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
    /// other texts; whether there were any.
    fn blank(&self, value: &mut Value) -> bool {
        match value {
            Value::Object(object) => {
                let mut found = false;
                for (name, value) in object.iter_mut() {
                    let leaks = value.as_str().is_some_and(|text| text.len() >= SHORTEST_SECRET && text != REDACTED);
                    if leaks && self.is_sensitive(name) {
                        *value = Value::from(REDACTED);
                        found = true;
                    } else {
                        found |= self.blank(value);
                    }
                }
                found
            }
            Value::Array(list) => list.iter_mut().fold(false, |found, entry| self.blank(entry) | found),
            Value::String(text) => {
                let redacted = self.text(text);
                let found = redacted != *text;
                *text = redacted;
                found
            }
            _ => false,
        }
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

    use super::{About, Redactor};
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

    #[test]
    fn a_long_body_is_cut_and_says_so() {
        let target = Target::embedded(&World::standard(1, 1), "http://127.0.0.1:1");
        let redactor = Redactor::new(Service::embedded(), &target);
        let body = redactor.body("ä".repeat(20_000).as_bytes());
        assert_eq!((body.text.chars().count(), body.bytes, body.cut), (16 * 1024, 40_000, true));
    }
}
