//! A request, what came back, and how long it took.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use super::Headers;

/// A request exactly as it is sent, signature included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Method, as written on the request line.
    pub method: String,
    /// Request target, as written on the request line: path and query, never
    /// normalised.
    pub target: String,
    /// Headers in order.
    pub headers: Headers,
    /// Body bytes.
    pub body: Bytes,
}

impl Request {
    /// The target's path, still encoded.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The target's query without its question mark, still encoded.
    pub fn query(&self) -> Option<&str> {
        self.target.split_once('?').map(|(_, query)| query)
    }
}

/// A response exactly as it came, with transfer coding undone and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// HTTP status code.
    pub status: u16,
    /// Headers. The order of headers with the same name is the wire's.
    pub headers: Headers,
    /// Body bytes.
    pub body: Bytes,
}

impl Response {
    /// Whether the status says that the request succeeded.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Status, error and message in a few words, as the endpoint sent them.
    pub fn answered(&self) -> String {
        let name = self.error_name().map(|name| format!(" {name}")).unwrap_or_default();
        let message = self.error_message().map(|message| format!(": {message}")).unwrap_or_default();
        format!("answered {}{name}{message}", self.status)
    }

    /// The body as JSON, if it is any: see [`json`](super::json()).
    pub fn json(&self) -> Option<serde_json::Value> {
        json(&self.body)
    }

    /// Whether the endpoint refuses because of too many requests, or because it has
    /// no capacity just now, which any correct endpoint may do at any time. Such a
    /// request had no effect.
    pub fn is_throttled(&self) -> bool {
        const STATUS: [u16; 2] = [429, 503];
        const NAMES: [&str; 5] =
            ["Throttling", "TooManyRequests", "RequestLimitExceeded", "RequestThrottled", "SlowDown"];
        let is_named = || self.error_name().is_some_and(|name| NAMES.iter().any(|known| name.starts_with(known)));
        STATUS.contains(&self.status) || (self.status >= 400 && is_named())
    }

    /// How long the endpoint asks to wait before the next request: `retry-after` in
    /// whole seconds. Its other form, a date, is passed over.
    pub fn retry_after(&self) -> Option<Duration> {
        self.headers.get("retry-after")?.trim().parse().ok().map(Duration::from_secs)
    }

    /// The error's name: from the header `x-amzn-ErrorType`, else from `__type`
    /// or `code` in a JSON body, or, of a response that is no success, in the `Output`
    /// there, else from an XML body that is one empty element. Addresses after `:` and namespaces before `#` are cut off.
    pub fn error_name(&self) -> Option<String> {
        let named = self.headers.get("x-amzn-errortype").map(str::to_owned).or_else(|| self.error_name_in_body())?;
        let name = named.split(':').next()?.rsplit('#').next()?.trim();
        (!name.is_empty()).then(|| name.to_owned())
    }

    fn error_name_in_body(&self) -> Option<String> {
        if let Some(body) = self.json() {
            let body = self.told(&body);
            let named = ["__type", "code"].iter().find_map(|key| body.get(key)?.as_str().map(str::to_owned));
            return named;
        }
        let text = std::str::from_utf8(&self.body).ok()?.trim();
        let name = text.strip_prefix('<')?.strip_suffix("/>")?.trim();
        name.chars().all(char::is_alphanumeric).then(|| name.to_owned())
    }

    /// What tells an error in a body: all of it, or what stands in its envelope.
    fn told<'b>(&self, body: &'b serde_json::Value) -> &'b serde_json::Value {
        body.get("Output").filter(|output| output.is_object() && !self.is_success()).unwrap_or(body)
    }

    /// The error's message: `message` of a JSON body, or `Message`; found like its name.
    pub fn error_message(&self) -> Option<String> {
        let body = self.json()?;
        let body = self.told(&body);
        ["message", "Message"].iter().find_map(|key| body.get(key)?.as_str().map(str::to_owned))
    }
}

/// Most values, keys among them, of a JSON text that is read: ten times what the
/// largest answers hold. Each takes about a hundred bytes of memory, so that a text
/// of 8 MiB could fill more than most machines have to spare.
const MOST_VALUES: usize = 200_000;

/// Bytes as JSON, if they are any. A text nested more than 128 deep, or of more than
/// 200,000 values, is taken for none: it would cost memory out of all proportion.
pub fn json(bytes: &[u8]) -> Option<serde_json::Value> {
    if !is_readable(bytes) {
        return None;
    }
    serde_json::from_slice(bytes).ok()
}

/// Whether bytes hold no more values than are read, if they are JSON.
pub fn is_readable(bytes: &[u8]) -> bool {
    // Shorter texts cannot hold more.
    if bytes.len() <= MOST_VALUES {
        return true;
    }
    let (mut values, mut in_string, mut escaped) = (0, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            // Each key and each value but the first follows one of these.
            b',' | b':' | b'[' | b'{' if !in_string => values += 1,
            _ => {}
        }
    }
    values <= MOST_VALUES
}

/// One request and what became of it.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// What was sent.
    pub request: Request,
    /// What came back, or why nothing did.
    pub outcome: Result<Response, Failure>,
    /// From the first byte sent to the last byte read.
    pub duration: Duration,
}

/// Why there is no response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What sort of failure it was.
    pub kind: FailureKind,
    /// What happened, for people; holds no secret.
    pub detail: String,
}

/// The sorts of failure, by what they tell of the endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// No connection could be made: the request was not sent.
    Connect,
    /// TLS could not be agreed: the request was not sent.
    Tls,
    /// No complete response in time; the request may have had its effect.
    TimedOut,
    /// The connection broke, or what came was not HTTP; the request may have had
    /// its effect.
    Broken,
    /// The response was larger than the harness reads.
    TooLarge,
    /// The request could not be put together: a fault of the case or the harness.
    Request,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            FailureKind::Connect => "no connection",
            FailureKind::Tls => "no TLS connection",
            FailureKind::TimedOut => "no response in time",
            FailureKind::Broken => "the connection broke",
            FailureKind::TooLarge => "the response is too large",
            FailureKind::Request => "the request could not be sent",
        };
        write!(f, "{what}: {}", self.detail)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{Headers, Response, json};

    fn response(header: Option<&str>, body: &str) -> Response {
        Response {
            status: 400,
            headers: header.map(|value| ("x-amzn-ErrorType", value)).into_iter().collect::<Headers>(),
            body: Bytes::copy_from_slice(body.as_bytes()),
        }
    }

    #[test]
    fn an_error_is_named_by_header_or_body_in_all_forms_seen() {
        for (header, body, expected) in [
            (Some("A"), "{}", Some("A")),
            (Some("A:http://internal.amazon.com/coral/x/"), "", Some("A")),
            (Some("a.b#A:http://internal.amazon.com/coral/x/#y"), "", Some("A")),
            (None, r#"{"__type":"com.amazon.coral.service#A","message":"m"}"#, Some("A")),
            (None, r#"{"code":"A"}"#, Some("A")),
            (None, r#"{"Output":{"__type":"a.b#A"},"Version":"1.0"}"#, Some("A")),
            (None, "<UnknownOperationException/>\n", Some("UnknownOperationException")),
            (Some("A"), r#"{"__type":"B"}"#, Some("A")),
            (None, "<html><body>no</body></html>", None),
            (None, r#"{"message":"m"}"#, None),
            (None, "", None),
        ] {
            assert_eq!(response(header, body).error_name().as_deref(), expected, "{header:?} {body}");
        }
    }

    #[test]
    fn who_asks_for_fewer_requests_is_known_by_status_or_name() {
        let throttled = |status: u16, name: &str| {
            Response { status, ..response((!name.is_empty()).then_some(name), "") }.is_throttled()
        };
        for (status, name) in [
            (429, ""),
            (503, "ServiceUnavailable"),
            (400, "ThrottlingException"),
            (400, "Throttling"),
            (400, "TooManyRequestsException"),
            (400, "RequestLimitExceeded"),
            (500, "SlowDown"),
        ] {
            assert!(throttled(status, name), "{status} {name}");
        }
        for (status, name) in [(400, "LimitExceededException"), (200, "Throttling"), (500, ""), (400, "")] {
            assert!(!throttled(status, name), "{status} {name}");
        }
    }

    #[test]
    fn a_wait_is_read_in_seconds_only() {
        let asked = |value: &str| {
            let headers = [("Retry-After", value)].into_iter().collect::<Headers>();
            Response { headers, ..response(None, "") }.retry_after().map(|wait| wait.as_secs())
        };
        assert_eq!(asked("3"), Some(3));
        assert_eq!(asked("Wed, 21 Oct 2015 07:28:00 GMT"), None);
        assert_eq!(asked("-1"), None);
    }

    #[test]
    fn json_that_costs_too_much_is_none() {
        assert!(json(br#"{"a":[1,2]}"#).is_some());
        assert!(json(format!("[{}0]", "0,".repeat(150_000)).as_bytes()).is_some());
        assert!(json(format!("[{}0]", "0,".repeat(250_000)).as_bytes()).is_none());
        assert!(json(&[b'['; 250_000]).is_none());
        assert!(json(format!("\"{}\"", r#",\""#.repeat(300_000)).as_bytes()).is_some());
    }

    #[test]
    fn a_message_is_read_in_either_case() {
        assert_eq!(response(None, r#"{"message":"m"}"#).error_message().as_deref(), Some("m"));
        assert_eq!(response(None, r#"{"Message":"m"}"#).error_message().as_deref(), Some("m"));
        assert_eq!(response(None, r#"{"message":3}"#).error_message(), None);
    }
}
