//! A client that costs as little as one can: the bytes of a request are written, and
//! of an answer no more is read than its status and its length.

use std::fmt::Write as _;

use serde_json::Value;
use syncspec::target::{Identity, Target};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::calls::{Caller, client};

/// Puts calls of one identity on the wire.
pub(crate) struct Signer {
    caller: Caller,
    host: String,
}

impl Signer {
    pub(crate) fn new(target: &Target, pool: &str, identity: &Identity) -> Self {
        let client = client(&target.endpoint);
        let host = client.endpoint().host_header();
        Self { caller: Caller::identity(&client, &target.region, pool, identity), host }
    }

    /// The bytes of a signed request.
    pub(crate) fn request(&self, operation: &str, input: &Value) -> Vec<u8> {
        let request = self.caller.signed(operation, input);
        let mut head = format!("{} {} HTTP/1.1\r\nhost: {}\r\n", request.method, request.target, self.host);
        for (name, value) in request.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("host")) {
            // Writing to a `String` cannot fail.
            let _ = write!(head, "{name}: {}\r\n", String::from_utf8_lossy(value));
        }
        let _ = write!(head, "content-length: {}\r\n\r\n", request.body.len());
        [head.as_bytes(), &request.body].concat()
    }
}

/// A connection that is kept.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(endpoint: &str) -> Self {
        let address = endpoint.strip_prefix("http://").expect("loopback");
        let stream = TcpStream::connect(address).await.expect("somebody listens");
        stream.set_nodelay(true).expect("no delay");
        Self { stream, buffer: Vec::with_capacity(64 * 1024) }
    }

    /// The body of an answer, which must be a good one.
    pub(crate) async fn send(&mut self, request: &[u8]) -> &[u8] {
        self.stream.write_all(request).await.expect("it is read");
        self.buffer.clear();
        let head = loop {
            if let Some(at) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            assert!(self.stream.read_buf(&mut self.buffer).await.expect("an answer") > 0, "the connection ended");
        };
        let text = std::str::from_utf8(&self.buffer[..head]).expect("text");
        assert!(text.starts_with("HTTP/1.1 200 "), "{text}{}", String::from_utf8_lossy(&self.buffer[head..]));
        let lengths = text.lines().filter_map(|line| line.split_once(':'));
        let mut lengths = lengths.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        let length: usize = lengths.next().and_then(|(_, value)| value.trim().parse().ok()).expect("a length");
        while self.buffer.len() < head + length {
            assert!(self.stream.read_buf(&mut self.buffer).await.expect("a body") > 0, "the connection ended");
        }
        &self.buffer[head..]
    }

    /// The same, read.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Value {
        serde_json::from_slice(self.send(request).await).expect("JSON")
    }
}
