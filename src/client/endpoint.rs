//! Where requests go.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use reqwest::Url;

use crate::wire::{Headers, Request};

/// An address of the form `http(s)://host[:port][/base]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    secure: bool,
    /// As it stands in an address: IPv6 in brackets.
    host: String,
    /// Always the real one, also when it is the scheme's default.
    port: u16,
    /// Whether `port` is the scheme's default.
    default_port: bool,
    /// Empty, or `/…` without a slash at the end.
    base: String,
}

/// Why a text is no endpoint. Never shows the text, which may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Not an address at all.
    #[error("the endpoint is no address of the form http(s)://host[:port][/base]: {0}")]
    Syntax(String),
    /// Another scheme than `http` and `https`.
    #[error("the endpoint's scheme is `{0}`; it must be http or https")]
    Scheme(String),
    /// A user name or a password stands before the host.
    #[error("the endpoint holds a user name or password; credentials belong elsewhere")]
    UserInfo,
    /// A query or a fragment follows the path.
    #[error("the endpoint holds a query or a fragment; it must end after host, port and base path")]
    Tail,
}

impl Endpoint {
    /// Reads an endpoint; the host is lower-cased, slashes at the end are dropped.
    ///
    /// # Errors
    ///
    /// When the text is no address, its scheme is neither `http` nor `https`, or
    /// it holds user name, password, query or fragment.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        let url = Url::parse(text.trim()).map_err(|error| EndpointError::Syntax(error.to_string()))?;
        let secure = match url.scheme() {
            "http" => false,
            "https" => true,
            other => return Err(EndpointError::Scheme(other.to_owned())),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EndpointError::UserInfo);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(EndpointError::Tail);
        }
        let missing = |what: &str| EndpointError::Syntax(format!("the {what} is missing"));
        Ok(Self {
            secure,
            host: url.host_str().ok_or_else(|| missing("host"))?.to_owned(),
            port: url.port_or_known_default().filter(|port| *port != 0).ok_or_else(|| missing("port"))?,
            default_port: url.port().is_none(),
            base: url.path().trim_end_matches('/').to_owned(),
        })
    }

    /// Whether TLS is spoken.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// Host name or IP address; IPv6 without brackets.
    pub fn host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    /// TCP port, the scheme's default when none was given.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Path that every target starts with: empty, or `/…` without a slash at the
    /// end.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// What belongs in the `host` header: the port is left out when it is the
    /// scheme's default.
    pub fn host_header(&self) -> String {
        if self.default_port { self.host.clone() } else { format!("{}:{}", self.host, self.port) }
    }

    /// Scheme, host and port, such as `http://localhost:4566`.
    pub fn origin(&self) -> String {
        format!("{}://{}", if self.secure { "https" } else { "http" }, self.host_header())
    }

    /// Whether the host is this machine by its own name: `localhost`, a name
    /// below it, or a loopback address. No name is looked up.
    pub fn is_loopback(&self) -> bool {
        match self.host().parse::<IpAddr>() {
            Ok(address) => address.to_canonical().is_loopback(),
            Err(_) => self.host == "localhost" || self.host.ends_with(".localhost"),
        }
    }

    /// Addresses a request to this endpoint: puts the base path before its target
    /// and `host` before its headers, unless it has one. To be done once, before
    /// signing, since a signature covers both.
    pub fn address(&self, request: &mut Request) {
        request.target.insert_str(0, &self.base);
        self.add_host(request);
    }

    /// Puts `host` before the headers, unless there is one.
    pub(super) fn add_host(&self, request: &mut Request) {
        if !request.headers.contains("host") {
            prepend(&mut request.headers, "host", &self.host_header());
        }
    }
}

/// Puts a header before all others.
pub(super) fn prepend(headers: &mut Headers, name: &str, value: &str) {
    *headers = std::iter::once((name, value.as_bytes())).chain(headers.iter()).collect();
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin(), self.base)
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{Endpoint, EndpointError};
    use crate::wire::{Headers, Request};

    #[rstest]
    #[case::plain("http://localhost:4566", "http://localhost:4566", "localhost:4566", 4566, true)]
    #[case::default_port("https://Sync.Example.com/", "https://sync.example.com", "sync.example.com", 443, false)]
    #[case::default_port_said("http://a:80", "http://a", "a", 80, false)]
    #[case::other_default("http://a:443", "http://a:443", "a:443", 443, false)]
    #[case::base(" http://127.0.0.2/a/b// ", "http://127.0.0.2/a/b", "127.0.0.2", 80, true)]
    #[case::ipv6("http://[::1]:8080", "http://[::1]:8080", "[::1]:8080", 8080, true)]
    #[case::mapped("http://[::ffff:127.0.0.1]", "http://[::ffff:7f00:1]", "[::ffff:7f00:1]", 80, true)]
    #[case::below_localhost("http://x.localhost", "http://x.localhost", "x.localhost", 80, true)]
    #[case::not_localhost("http://localhost.example", "http://localhost.example", "localhost.example", 80, false)]
    fn an_endpoint_is_read(
        #[case] text: &str,
        #[case] shown: &str,
        #[case] host_header: &str,
        #[case] port: u16,
        #[case] loopback: bool,
    ) {
        let endpoint = Endpoint::parse(text).unwrap();
        assert_eq!(endpoint.to_string(), shown);
        assert_eq!(endpoint.host_header(), host_header);
        assert_eq!(endpoint.port(), port);
        assert_eq!(endpoint.is_loopback(), loopback);
        assert_eq!(Endpoint::parse(shown).unwrap(), endpoint);
    }

    #[rstest]
    #[case::user("http://me@host", EndpointError::UserInfo)]
    #[case::password("http://me:hush@host", EndpointError::UserInfo)]
    #[case::query("http://host?a", EndpointError::Tail)]
    #[case::fragment("http://host/#a", EndpointError::Tail)]
    #[case::scheme("ftp://host", EndpointError::Scheme("ftp".to_owned()))]
    #[case::no_scheme("localhost:4566", EndpointError::Scheme("localhost".to_owned()))]
    fn what_does_not_belong_is_refused(#[case] text: &str, #[case] expected: EndpointError) {
        assert_eq!(Endpoint::parse(text).unwrap_err(), expected);
        assert!(!expected.to_string().contains("hush"));
    }

    #[rstest]
    #[case("")]
    #[case("host")]
    #[case("http://")]
    #[case("http://host:99999")]
    #[case("http://host:0")]
    fn no_address_at_all_is_refused(#[case] text: &str) {
        assert!(matches!(Endpoint::parse(text), Err(EndpointError::Syntax(_))), "{:?}", Endpoint::parse(text));
    }

    #[test]
    fn a_request_is_addressed() {
        let mut request = Request {
            method: "GET".to_owned(),
            target: "/a?b".to_owned(),
            headers: [("x", "1")].into_iter().collect::<Headers>(),
            body: bytes::Bytes::new(),
        };
        Endpoint::parse("http://h:1/base").unwrap().address(&mut request);
        assert_eq!(request.target, "/base/a?b");
        assert_eq!(request.headers, [("host", "h:1"), ("x", "1")].into_iter().collect());
    }
}
