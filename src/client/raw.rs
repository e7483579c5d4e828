//! The exact path: any bytes at all, on a connection of their own.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::failure::{broken, chain, failure, root_cause, timed_out};
use super::tls::{REMEDY, is_unvouched};
use super::{Endpoint, Limits, response};
use crate::wire::{Failure, FailureKind, Headers, Request, Response};

/// The bytes that a request is on the wire: request line of HTTP/1.1, headers and
/// body as they stand, nothing added, nothing checked.
pub fn to_bytes(request: &Request) -> Bytes {
    let mut bytes = Vec::with_capacity(1024 + request.body.len());
    bytes.extend_from_slice(format!("{} {} HTTP/1.1\r\n", request.method, request.target).as_bytes());
    for (name, value) in request.headers.iter() {
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(&request.body);
    bytes.into()
}

/// The body in chunks, as `transfer-encoding: chunked` announces it: two where it
/// is long enough for two, so that who takes the first for the whole is found out.
pub fn chunked(body: &[u8]) -> Bytes {
    let (first, second) = body.split_at(body.len() / 2);
    let mut bytes = Vec::with_capacity(body.len() + 64);
    for chunk in [first, second].into_iter().filter(|chunk| !chunk.is_empty()) {
        bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        bytes.extend_from_slice(chunk);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    bytes.into()
}

/// The request that [`to_bytes`] makes these very bytes of. Bytes that are none
/// stand whole in the body of a request without method, target and headers.
pub(super) fn recorded(bytes: &Bytes) -> Request {
    parsed(bytes).filter(|request| to_bytes(request) == bytes).unwrap_or_else(|| Request {
        method: String::new(),
        target: String::new(),
        headers: Headers::new(),
        body: bytes.clone(),
    })
}

fn parsed(bytes: &Bytes) -> Option<Request> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let mut lines = std::str::from_utf8(&bytes[..end]).ok()?.split("\r\n");
    let (method, rest) = lines.next()?.split_once(' ')?;
    Some(Request {
        method: method.to_owned(),
        target: rest.strip_suffix(" HTTP/1.1")?.to_owned(),
        headers: lines.map(|line| line.split_once(": ")).collect::<Option<Headers>>()?,
        body: bytes.slice(end + 4..),
    })
}

/// The exact path's share of a client.
pub(super) struct Raw {
    /// For endpoints with TLS.
    pub(super) tls: Option<TlsConnector>,
}

impl Raw {
    /// Sends the bytes on a fresh connection, reads one response and closes.
    /// The duration starts when the connection stands.
    pub(super) async fn send(
        &self,
        endpoint: &Endpoint,
        limits: &Limits,
        bytes: &[u8],
    ) -> (Result<Response, Failure>, Duration) {
        let called = Instant::now();
        let exchange = async {
            let stream = match self.connect(endpoint, limits.connect_timeout).await {
                Ok(stream) => stream,
                Err(failure) => return (Err(failure), called.elapsed()),
            };
            let connected = Instant::now();
            let outcome = exchange(stream, bytes, limits.max_response_bytes).await;
            (outcome, connected.elapsed())
        };
        match timeout(limits.response_timeout, exchange).await {
            Ok(done) => done,
            Err(_) => (Err(timed_out(limits.response_timeout)), called.elapsed()),
        }
    }

    /// Makes a connection, TLS included where the endpoint wants it; each of the
    /// two within `within`.
    pub(super) async fn connect(&self, endpoint: &Endpoint, within: Duration) -> Result<Box<dyn Stream>, Failure> {
        let connecting = timeout(within, TcpStream::connect((endpoint.host(), endpoint.port()))).await;
        let tcp = connecting.unwrap_or_else(|_| Err(late(within))).and_then(|tcp| tcp.set_nodelay(true).map(|()| tcp));
        let tcp = tcp.map_err(|error| unconnected(FailureKind::Connect, endpoint, &error))?;
        let Some(tls) = &self.tls else { return Ok(Box::new(tcp)) };
        let refused = |error: &(dyn std::error::Error + 'static)| unconnected(FailureKind::Tls, endpoint, error);
        let name = ServerName::try_from(endpoint.host().to_owned()).map_err(|error| refused(&error))?;
        let agreeing = timeout(within, tls.connect(name, tcp)).await;
        let stream = agreeing.unwrap_or_else(|_| Err(late(within))).map_err(|error| refused(&error))?;
        Ok(Box::new(stream))
    }
}

/// The first bytes that come after these were sent, at most `most` of them; fewer
/// when the connection ends or breaks before.
pub(super) async fn first_bytes(mut stream: Box<dyn Stream>, bytes: &[u8], most: usize) -> Vec<u8> {
    // Who does not listen may have spoken all the same.
    let _ = stream.write_all(bytes).await;
    let _ = stream.flush().await;
    let mut read = Vec::new();
    let _ = stream.take(most as u64).read_buf(&mut read).await;
    read
}

/// A connection, with TLS or without.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// Speaks TLS with this configuration.
pub(super) fn connector(config: rustls::ClientConfig) -> TlsConnector {
    TlsConnector::from(Arc::new(config))
}

fn late(within: Duration) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, format!("not within {within:?}"))
}

/// The failure of a connection that could not be made.
pub(super) fn unconnected(
    kind: FailureKind,
    endpoint: &Endpoint,
    error: &(dyn std::error::Error + 'static),
) -> Failure {
    let remedy = if chain(error).any(is_unvouched) { format!("; {REMEDY}") } else { String::new() };
    failure(kind, format!("{}: {}{remedy}", endpoint.origin(), root_cause(error)))
}

/// Writes and reads at the same time: a server may answer, and stop reading,
/// before it has the whole request.
async fn exchange(stream: Box<dyn Stream>, bytes: &[u8], max_body: u64) -> Result<Response, Failure> {
    let (reader, mut writer) = tokio::io::split(stream);
    let bodiless = bytes.starts_with(b"HEAD ");
    let reading = response::read(reader, bodiless, max_body);
    let writing = async {
        writer.write_all(bytes).await?;
        writer.flush().await
    };
    tokio::pin!(reading, writing);
    let written = tokio::select! {
        outcome = &mut reading => return outcome,
        written = &mut writing => written,
    };
    // A server that refuses the rest of a request may have answered all the same.
    match (reading.await, written) {
        (Err(failure), Err(error)) if failure.kind == FailureKind::Broken => {
            Err(broken(format!("writing the request failed: {}", root_cause(&error))))
        }
        (outcome, _) => outcome,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use rstest::rstest;

    use super::{chunked, recorded, to_bytes};

    #[rstest]
    #[case::plain("GET / HTTP/1.1\r\nhost: a\r\n\r\n", "GET", "/")]
    #[case::odd("g:t a b HTTP/1.1\r\nA: b: c\r\na:  \r\n\r\nbody\r\n\r\n", "g:t", "a b")]
    #[case::no_headers_at_all("GET / HTTP/1.1\r\n\r\n", "GET", "/")]
    #[case::other_version("GET / HTTP/1.0\r\nhost: a\r\n\r\n", "", "")]
    #[case::bare_line_feeds("GET / HTTP/1.1\nhost: a\n\n", "", "")]
    #[case::no_blank_after_colon("GET / HTTP/1.1\r\nhost:a\r\n\r\n", "", "")]
    #[case::cut("GET / HT", "", "")]
    #[case::nothing("", "", "")]
    fn bytes_are_recorded_as_a_request_only_when_they_are_exactly_one(
        #[case] text: &'static str,
        #[case] method: &str,
        #[case] target: &str,
    ) {
        let bytes = Bytes::from_static(text.as_bytes());
        let request = recorded(&bytes);
        assert_eq!((request.method.as_str(), request.target.as_str()), (method, target));
        assert_eq!(if method.is_empty() { request.body } else { to_bytes(&request) }, bytes);
    }

    #[rstest]
    #[case::nothing("", "0\r\n\r\n")]
    #[case::one_byte("a", "1\r\na\r\n0\r\n\r\n")]
    #[case::two_chunks("0123456789abcdefghijk", "a\r\n0123456789\r\nb\r\nabcdefghijk\r\n0\r\n\r\n")]
    fn a_body_is_cut_into_chunks(#[case] body: &str, #[case] expected: &str) {
        assert_eq!(chunked(body.as_bytes()), expected);
    }
}
