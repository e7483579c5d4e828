//! From an operation and its input to an exchange: [`bind`] puts the input where
//! rest-json wants it, a [`Binding`] where the protocol does, [`Endpoint::address`]
//! says where it goes, [`sign`] adds the signature, and [`Client::send`] gives what
//! came back, which a [`Binding`] reads.
//!
//! # Two paths
//!
//! - **Pooled**, through an HTTP library that keeps connections: for every request
//!   that the library sends byte for byte as written.
//! - **Exact**, on a fresh connection without a library: for all others, such as
//!   targets with `..` or blanks, names in upper case, scattered duplicates, a wrong
//!   or doubled `content-length`, a `transfer-encoding`, a `connection` header.
//!
//! [`Client::send`] chooses by comparing what the library would send with what is
//! written; the choice never changes the request. Two differences can be seen:
//! the pooled path adds `accept: */*` when there is no `accept`, which cannot be
//! turned off, and gives the response's header names in lower case with those of
//! one name together (their order kept). The exact path gives them as they came.
//!
//! # What is never done
//!
//! Redirects are not followed, content codings not undone, proxies not used, and
//! no request is sent twice (who repeats one that was throttled sends another). The one exception is safe: when a kept connection
//! turns out closed before a byte of the request was written to it, the request
//! goes out on another one. A connection that closes later gives
//! [`FailureKind::Broken`], since the request may
//! have had its effect.
//!
//! Deliberately absent: knowledge of any operation, validation of input, and
//! judgement of what comes back.

mod back_off;
mod bind;
mod endpoint;
mod failure;
mod pace;
mod pooled;
mod protocol;
mod raw;
mod response;
mod rpc;
mod sign;
mod tls;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tls_tests;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

pub use back_off::{BackOff, GivingWay};
pub use bind::{BindError, bind};
pub use endpoint::{Endpoint, EndpointError};
pub use pace::Signs;
pub use protocol::Binding;
pub use raw::{chunked, to_bytes};
pub use sign::{SignError, SignedPayload, Signing, SigningForm, sign};
pub use tls::CaFileError;

use self::failure::failure;
use self::pace::Pace;
use self::raw::Raw;
use self::tls::{TlsError, Trust};
use crate::target::Target;
use crate::wire::{Exchange, Failure, FailureKind, Request, Response};

/// How long and how much to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// For making a connection.
    pub connect_timeout: Duration,
    /// For the whole exchange: connecting, sending, and reading to the last byte.
    pub response_timeout: Duration,
    /// Bytes of a response's body that are read, inclusive. Its head is bounded
    /// apart, at 256 headers and about 256 KiB.
    pub max_response_bytes: u64,
}

impl Default for Limits {
    /// 5 s to connect, 30 s in all, 8 MiB: more than a full dataset takes, escaped.
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            response_timeout: Duration::from_secs(30),
            max_response_bytes: 8 * 1024 * 1024,
        }
    }
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The platform's certificates cannot be used.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// The certificates of the `ca-file` cannot be used.
    #[error(transparent)]
    CaFile(#[from] CaFileError),
    /// The HTTP library refuses its configuration.
    #[error("the HTTP client cannot be set up: {0}")]
    Http(#[from] reqwest::Error),
}

impl From<TlsError> for ClientError {
    fn from(error: TlsError) -> Self {
        match error {
            TlsError::Rustls(error) => Self::Tls(error),
            TlsError::CaFile(error) => Self::CaFile(error),
        }
    }
}

/// Sends requests to one endpoint. Clones share their connections and their pace, and
/// are cheap.
///
/// Connections belong to the tokio runtime that made them: use a client within one
/// runtime only.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    endpoint: Endpoint,
    limits: Limits,
    pooled: reqwest::Client,
    raw: Raw,
    pace: Pace,
}

impl Client {
    /// Sets up a client; nothing is connected yet.
    ///
    /// # Errors
    ///
    /// When the endpoint wants TLS and the platform's certificates cannot be
    /// loaded.
    pub fn new(endpoint: Endpoint, limits: Limits) -> Result<Self, ClientError> {
        let trust = if endpoint.is_secure() { Trust::Platform } else { Trust::Nobody };
        let tls = tls::config(trust)?;
        Self::with_tls(endpoint, limits, tls, Pace::new(None))
    }

    /// A client for the endpoint at this address, which waits so long for a whole
    /// response.
    ///
    /// # Errors
    ///
    /// A sentence on what is wrong with the address, or as for [`Client::new`].
    pub fn open(address: &str, response_timeout: Duration) -> Result<Self, String> {
        let endpoint: Endpoint = Endpoint::parse(address).map_err(|error| error.to_string())?;
        let limits = Limits { response_timeout, ..Limits::default() };
        Self::new(endpoint, limits).map_err(|error| error.to_string())
    }

    /// A client for a target: it trusts the certificates of the target's `ca-file`, if
    /// there is one, and keeps to the target's `requests-per-second`.
    ///
    /// # Errors
    ///
    /// A sentence on what is wrong with the target's endpoint or `ca-file`, with the
    /// target's name.
    pub fn to(target: &Target, response_timeout: Duration) -> Result<Self, String> {
        let limits = Limits { response_timeout, ..Limits::default() };
        let opened = || -> Result<Self, String> {
            let endpoint = Endpoint::parse(&target.endpoint).map_err(|error| error.to_string())?;
            let trust = match target.ca_file.as_deref().map(Path::new) {
                Some(file) => Trust::File(file),
                None if endpoint.is_secure() => Trust::Platform,
                None => Trust::Nobody,
            };
            let tls = tls::config(trust).map_err(|error| error.to_string())?;
            let pace = Pace::new(target.requests_per_second);
            Self::with_tls(endpoint, limits, tls, pace).map_err(|error| error.to_string())
        };
        opened().map_err(|error| format!("target {}: {error}", target.name))
    }

    fn with_tls(
        endpoint: Endpoint,
        limits: Limits,
        tls: rustls::ClientConfig,
        pace: Pace,
    ) -> Result<Self, ClientError> {
        let raw = Raw { tls: endpoint.is_secure().then(|| raw::connector(tls.clone())) };
        let pooled = pooled::client(&limits, tls)?;
        Ok(Self { inner: Arc::new(Inner { endpoint, limits, pooled, raw, pace }) })
    }

    /// Where this client sends to.
    pub fn endpoint(&self) -> &Endpoint {
        &self.inner.endpoint
    }

    /// How long and how much this client waits for.
    pub fn limits(&self) -> Limits {
        self.inner.limits
    }

    /// Waits until the next request may be sent: for the target's rate, and for the
    /// end of a common pause. To be waited for before signing, so that no signature
    /// grows old meanwhile. Without a rate, and while nothing throttles, it is no wait.
    pub async fn turn(&self) {
        self.inner.pace.turn().await;
    }

    /// Takes note that the endpoint throttled: no [`Client::turn`] comes for this long.
    pub fn pause(&self, pause: Duration) {
        self.inner.pace.pause(pause);
    }

    /// For a request that is repeated as long as it is throttled.
    pub fn give_way(&self, back_off: BackOff) -> GivingWay {
        GivingWay::new(back_off)
    }

    /// How often [`Client::pause`] was called.
    pub fn throttled(&self) -> u64 {
        self.inner.pace.throttled()
    }

    /// Signs of life of the endpoint, over all requests of this client and its clones.
    pub fn signs(&self) -> Signs {
        self.inner.pace.pulse().read()
    }

    /// Sends a request and reads the response. The target is sent as it stands:
    /// the endpoint's base path is the business of [`Endpoint::address`].
    ///
    /// What a request cannot do without is added when it is missing: `host`, and
    /// `content-length` when there is a body, or when there is none and the method
    /// is POST, PUT or PATCH (0, as RFC 9110 asks; a DELETE without body gets
    /// none). A request with a `transfer-encoding` of its own gets no length. The
    /// exchange's request holds what was added.
    ///
    /// The duration includes making a connection on the pooled path, when none was
    /// idle, and not on the exact path.
    pub async fn send(&self, mut request: Request) -> Exchange {
        let Inner { endpoint, limits, pooled, raw, pace } = &*self.inner;
        let _under_way = pace.pulse().begin();
        endpoint.add_host(&mut request);
        add_length(&mut request);
        let (outcome, duration) = match pooled::exact(endpoint, &request) {
            Some(exact) => {
                if !request.headers.contains("accept") {
                    request.headers.append("accept", "*/*");
                }
                pooled::send(pooled, endpoint, limits, exact).await
            }
            None => raw.send(endpoint, limits, &to_bytes(&request)).await,
        };
        self.listen(&outcome, duration);
        Exchange { request, outcome, duration }
    }

    /// As [`Client::send`], unless `stop` comes first, with the reason as a sentence.
    /// Then that is the failure:
    /// [`FailureKind::Request`] when nothing was
    /// sent, else [`FailureKind::TimedOut`], since
    /// the request may have had its effect.
    pub async fn send_unless(&self, request: Request, stop: impl Future<Output = String>) -> Exchange {
        let unsent = request.clone();
        unless(stop, self.send(request), || unsent).await
    }

    /// Sends exactly these bytes on a fresh connection and reads one response.
    ///
    /// The exchange's request is what the bytes say when they are one request of
    /// HTTP/1.1 in the usual spelling; else its method, target and headers are
    /// empty and its body holds all the bytes.
    pub async fn send_raw(&self, bytes: Bytes) -> Exchange {
        let Inner { endpoint, limits, raw, pace, .. } = &*self.inner;
        let _under_way = pace.pulse().begin();
        let (outcome, duration) = raw.send(endpoint, limits, &bytes).await;
        self.listen(&outcome, duration);
        Exchange { request: raw::recorded(&bytes), outcome, duration }
    }

    /// As [`Client::send_raw`], unless `stop` comes first; see [`Client::send_unless`].
    pub async fn send_raw_unless(&self, bytes: Bytes, stop: impl Future<Output = String>) -> Exchange {
        unless(stop, self.send_raw(bytes.clone()), || raw::recorded(&bytes)).await
    }

    fn listen(&self, outcome: &Result<Response, Failure>, duration: Duration) {
        let alive = match outcome {
            Ok(response) => !response.is_throttled(),
            Err(failure) => failure.kind == FailureKind::TooLarge,
        };
        if alive {
            self.inner.pace.pulse().answered(duration);
        }
    }

    /// Whether anybody answers: asks for the endpoint's root without a signature, on a
    /// fresh connection, and waits `within` for an answer of any kind. It counts for
    /// nothing: neither for the pace nor as a sign of life.
    ///
    /// # Errors
    ///
    /// As for [`Client::send`]; an answer too large to read is one.
    pub async fn check(&self, within: Duration) -> Result<Response, Failure> {
        let Inner { endpoint, limits, raw, .. } = &*self.inner;
        let request = format!(
            "GET {}/ HTTP/1.1\r\nhost: {}\r\naccept: */*\r\nconnection: close\r\n\r\n",
            endpoint.base(),
            endpoint.host_header()
        );
        let limits =
            Limits { connect_timeout: limits.connect_timeout.min(within), response_timeout: within, ..*limits };
        raw.send(endpoint, &limits, request.as_bytes()).await.0
    }

    /// Whether a connection can be made, TLS included; it is closed at once. Takes
    /// at most the connect timeout, twice that with TLS.
    ///
    /// # Errors
    ///
    /// [`FailureKind::Connect`] or
    /// [`FailureKind::Tls`], with the cause.
    pub async fn probe(&self) -> Result<(), Failure> {
        let Inner { endpoint, limits, raw, .. } = &*self.inner;
        raw.connect(endpoint, limits.connect_timeout).await.map(drop)
    }
}

impl Client {
    /// The first bytes with which the endpoint answers a request, on a connection of
    /// its own, for people who want to know what it is that speaks no HTTP: at most
    /// 256, and none when nothing comes within the connect timeout.
    pub async fn first_bytes(&self, request: &Request) -> Vec<u8> {
        const MOST: usize = 256;
        let Inner { endpoint, limits, raw, .. } = &*self.inner;
        let within = limits.connect_timeout;
        let Ok(stream) = raw.connect(endpoint, within).await else { return Vec::new() };
        tokio::time::timeout(within, raw::first_bytes(stream, &to_bytes(request), MOST)).await.unwrap_or_default()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("endpoint", &self.inner.endpoint).field("limits", &self.inner.limits).finish()
    }
}

async fn unless(
    stop: impl Future<Output = String>,
    sending: impl Future<Output = Exchange>,
    request: impl FnOnce() -> Request,
) -> Exchange {
    let begun = Instant::now();
    tokio::pin!(stop, sending);
    let given_up = |kind, reason| (failure(kind, reason), begun.elapsed());
    let (failure, duration) = tokio::select! {
        biased;
        reason = &mut stop => given_up(FailureKind::Request, reason),
        () = std::future::ready(()) => tokio::select! {
            exchange = sending => return exchange,
            reason = stop => given_up(FailureKind::TimedOut, reason),
        },
    };
    Exchange { request: request(), outcome: Err(failure), duration }
}

fn add_length(request: &mut Request) {
    let delimited = request.headers.contains("content-length") || request.headers.contains("transfer-encoding");
    let wanted = !request.body.is_empty() || matches!(request.method.as_str(), "POST" | "PUT" | "PATCH");
    if wanted && !delimited {
        request.headers.append("content-length", request.body.len().to_string());
    }
}
