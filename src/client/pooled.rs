//! The fast path: connections are kept and used again.

use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use reqwest::{Url, redirect};
use tokio::time::timeout;

use super::failure::{broken, chain, failure, root_cause, timed_out};
use super::raw::unconnected;
use super::response::{MAX_HEADERS, body_too_large};
use super::{Endpoint, Limits};
use crate::wire::{Failure, FailureKind, Headers, Request, Response};

/// Idle connections are dropped before servers with the shortest usual patience
/// (5 s) close them, so that a request seldom meets a closing connection.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// Idle connections that are kept.
const MAX_IDLE: usize = 1024;

/// Headers by which HTTP/1.1 manages connections and bodies: the library acts on
/// them, or sends others instead.
const HOP_BY_HOP: &[&str] =
    &["connection", "expect", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"];

/// Headers beyond this number are left to the exact path; the library's map has
/// a limit of its own, far above.
const MAX_SENT_HEADERS: usize = 256;

/// Builds the library's client. It follows no redirects, uses no proxy, undoes no
/// content coding, keeps no cookies, and repeats a request only when a kept
/// connection closed before any of the request was written to it.
pub(super) fn client(limits: &Limits, tls: rustls::ClientConfig) -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .connect_timeout(limits.connect_timeout)
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .http1_only()
        .http1_max_headers(MAX_HEADERS)
        .tcp_nodelay(true)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(MAX_IDLE)
        .build()
}

/// The request in the library's form, or none when the library would send other
/// bytes, or act on what is meant for the server.
pub(super) fn exact(endpoint: &Endpoint, request: &Request) -> Option<reqwest::Request> {
    let method = Method::from_bytes(request.method.as_bytes()).ok().filter(|method| *method != Method::CONNECT)?;
    let mut exact = reqwest::Request::new(method, exact_url(&endpoint.origin(), &request.target)?);
    *exact.headers_mut() = exact_headers(&request.headers)?;
    let mut lengths = request.headers.get_all("content-length");
    let stated = lengths.next();
    let length = request.body.len().to_string();
    let fits = stated.map_or(request.body.is_empty(), |stated| stated == length.as_bytes());
    if !fits || lengths.next().is_some() {
        return None;
    }
    if !request.body.is_empty() {
        *exact.body_mut() = Some(request.body.clone().into());
    }
    Some(exact)
}

/// The address, when its target comes out of both of the library's parsers as it
/// went in.
fn exact_url(origin: &str, target: &str) -> Option<Url> {
    if !target.starts_with('/') || target.contains('#') {
        return None;
    }
    let url = Url::parse(&format!("{origin}{target}")).ok()?;
    let uri: Uri = url.as_str().parse().ok()?;
    (uri.path_and_query()?.as_str() == target).then_some(url)
}

/// The headers, when the library's map gives them back in the same order and
/// letter case: it lower-cases names and puts those of one name together.
fn exact_headers(headers: &Headers) -> Option<HeaderMap> {
    let hosts = headers.get_all("host").count();
    if hosts != 1 || headers.len() > MAX_SENT_HEADERS {
        return None;
    }
    let mut map = HeaderMap::with_capacity(headers.len() + 1);
    let mut previous = "";
    for (name, value) in headers.iter() {
        let parsed = HeaderName::from_bytes(name.as_bytes()).ok().filter(|parsed| parsed.as_str() == name)?;
        let scattered = name != previous && map.contains_key(&parsed);
        if scattered || HOP_BY_HOP.contains(&name) {
            return None;
        }
        map.append(parsed, HeaderValue::from_bytes(value).ok()?);
        previous = name;
    }
    Some(map)
}

/// Sends the request on a kept connection, or on a new one when none is idle: the
/// duration includes making it.
pub(super) async fn send(
    client: &reqwest::Client,
    endpoint: &Endpoint,
    limits: &Limits,
    request: reqwest::Request,
) -> (Result<Response, Failure>, Duration) {
    let started = Instant::now();
    let exchange = exchange(client, request, limits.max_response_bytes);
    let outcome = match timeout(limits.response_timeout, exchange).await {
        Ok(outcome) => outcome.map_err(|error| error.into_failure(endpoint)),
        Err(_) => Err(timed_out(limits.response_timeout)),
    };
    (outcome, started.elapsed())
}

/// What went wrong in an exchange.
enum ExchangeError {
    Library(reqwest::Error),
    TooLarge { max_body: u64 },
}

async fn exchange(
    client: &reqwest::Client,
    request: reqwest::Request,
    max_body: u64,
) -> Result<Response, ExchangeError> {
    let mut response = client.execute(request).await.map_err(ExchangeError::Library)?;
    if response.content_length().is_some_and(|length| length > max_body) {
        return Err(ExchangeError::TooLarge { max_body });
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(ExchangeError::Library)? {
        body.extend_from_slice(&chunk);
        if body.len() as u64 > max_body {
            return Err(ExchangeError::TooLarge { max_body });
        }
    }
    let headers = response.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    Ok(Response { status: response.status().as_u16(), headers, body: body.into() })
}

impl ExchangeError {
    fn into_failure(self, endpoint: &Endpoint) -> Failure {
        let error = match self {
            Self::TooLarge { max_body } => return body_too_large(max_body),
            Self::Library(error) => error.without_url(),
        };
        if error.is_connect() {
            let before_tls = !endpoint.is_secure() || chain(&error).any(is_about_tcp);
            let kind = if before_tls || error.is_timeout() { FailureKind::Connect } else { FailureKind::Tls };
            return unconnected(kind, endpoint, &error);
        }
        if error.is_builder() {
            return failure(FailureKind::Request, root_cause(&error));
        }
        let head_too_large =
            chain(&error).filter_map(|cause| cause.downcast_ref()).any(hyper::Error::is_parse_too_large);
        if head_too_large {
            return failure(FailureKind::TooLarge, "the response has too many or too long headers");
        }
        broken(root_cause(&error))
    }
}

/// The library has no type for a failure below TLS, only these words.
fn is_about_tcp(error: &(dyn std::error::Error + 'static)) -> bool {
    let text = error.to_string();
    text.starts_with("tcp ") || text.starts_with("dns ")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::exact;
    use crate::client::Endpoint;
    use crate::wire::Request;

    fn fits(method: &str, target: &str, headers: &[(&str, &str)], body: &'static str) -> bool {
        let request = Request {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: headers.iter().copied().collect(),
            body: bytes::Bytes::from_static(body.as_bytes()),
        };
        exact(&Endpoint::parse("http://h").unwrap(), &request).is_some()
    }

    #[rstest]
    #[case::plain("/a/us-east-1%3Ab?c=%20&d=", true)]
    #[case::double_slash("//a//b", true)]
    #[case::empty_query("/a?", true)]
    #[case::root("/", true)]
    #[case::literal_colon("/a:b", true)]
    #[case::dots("/a/../b", false)]
    #[case::encoded_dots("/a/%2e%2E/b", false)]
    #[case::backslash("/a\\b", false)]
    #[case::blank("/a b", false)]
    #[case::quote_in_query("/a?b='", false)]
    #[case::fragment("/a#b", false)]
    #[case::not_ascii("/ü", false)]
    #[case::line_break("/a\r\nx: y", false)]
    #[case::tab("/a\tb", false)]
    #[case::no_slash("a", false)]
    #[case::asterisk("*", false)]
    #[case::empty("", false)]
    #[case::absolute("http://h/a", false)]
    fn a_target_fits_when_it_is_sent_as_written(#[case] target: &str, #[case] expected: bool) {
        assert_eq!(fits("GET", target, &[("host", "h")], ""), expected);
    }

    #[rstest]
    #[case::plain(&[("host", "h"), ("a", "1"), ("a", "2"), ("b", "")], true)]
    #[case::no_host(&[], false)]
    #[case::two_hosts(&[("host", "h"), ("host", "h")], false)]
    #[case::upper_case(&[("host", "h"), ("X-a", "1")], false)]
    #[case::scattered(&[("host", "h"), ("a", "1"), ("b", ""), ("a", "2")], false)]
    #[case::bad_name(&[("host", "h"), ("a b", "1")], false)]
    #[case::bad_value(&[("host", "h"), ("a", "1\n")], false)]
    #[case::connection(&[("host", "h"), ("connection", "close")], false)]
    #[case::coding(&[("host", "h"), ("transfer-encoding", "chunked")], false)]
    fn headers_fit_when_they_are_sent_as_written(#[case] headers: &[(&str, &str)], #[case] expected: bool) {
        assert_eq!(fits("GET", "/", headers, ""), expected);
    }

    #[rstest]
    #[case::right("3", true)]
    #[case::short("2", false)]
    #[case::padded("03", false)]
    #[case::list("3, 3", false)]
    fn a_length_fits_when_it_is_true(#[case] length: &str, #[case] expected: bool) {
        assert_eq!(fits("POST", "/", &[("host", "h"), ("content-length", length)], "abc"), expected);
    }

    #[test]
    fn a_body_without_length_or_with_two_does_not_fit() {
        assert!(!fits("POST", "/", &[("host", "h")], "abc"));
        assert!(!fits("POST", "/", &[("host", "h"), ("content-length", "3"), ("content-length", "3")], "abc"));
    }

    #[rstest]
    #[case("DELETE", true)]
    #[case("get", true)]
    #[case("CONNECT", false)]
    #[case("G T", false)]
    #[case("", false)]
    fn a_method_fits_when_it_is_a_token(#[case] method: &str, #[case] expected: bool) {
        assert_eq!(fits(method, "/", &[("host", "h")], ""), expected);
    }
}
