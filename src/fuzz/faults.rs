//! A proxy on loopback that loses requests and answers.
//!
//! Clients talk plain HTTP to it, one request a connection or several; it passes on
//! what it does not lose through a [`Client`], so that the endpoint behind it may
//! be any, TLS or not. Requests keep their `host` and their signature.
//!
//! What it loses is fixed by the seed and the order in which requests come.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::dice::Dice;
use crate::client::Client;
use crate::wire::{Headers, Request, Response};

/// Most headers of a request.
const HEADERS_MAX: usize = 64;

/// Most bytes of a request: more than a client here ever sends.
const REQUEST_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The longest delay.
const DELAY_MILLIS_MAX: u64 = 30;

/// How often what happens, of a hundred requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shares {
    /// The connection is cut before the request is passed on.
    pub cut_before: u64,
    /// The connection is cut when the answer is there, and before it is passed on.
    pub cut_after: u64,
    /// The answer is passed on late.
    pub delayed: u64,
}

impl Default for Shares {
    fn default() -> Self {
        Self { cut_before: 5, cut_after: 10, delayed: 10 }
    }
}

/// What happened to the requests.
#[derive(Debug, Default)]
pub struct Tally {
    /// Requests that came whole.
    pub requests: AtomicU64,
    /// Cut before they were passed on.
    pub cut_before: AtomicU64,
    /// Cut when they were answered.
    pub cut_after: AtomicU64,
    /// Answered late.
    pub delayed: AtomicU64,
}

/// The proxy; it listens until it is dropped.
#[derive(Debug)]
pub struct Faults {
    address: SocketAddr,
    tally: Arc<Tally>,
    accepting: JoinHandle<()>,
}

impl Faults {
    /// Listens on a free port of loopback, and passes on to `upstream`'s endpoint.
    ///
    /// # Errors
    ///
    /// When there is no port to listen on.
    pub async fn start(upstream: Client, shares: Shares, seed: u64) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let tally = Arc::new(Tally::default());
        let proxy = Arc::new(Proxy { upstream, shares, dice: Mutex::new(Dice::new(seed)), tally: Arc::clone(&tally) });
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let proxy = Arc::clone(&proxy);
                // A connection that breaks is the client's to notice.
                tokio::spawn(async move { proxy.serve(stream).await });
            }
        });
        Ok(Self { address, tally, accepting })
    }

    /// Where it listens, as an endpoint.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What happened to the requests so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }
}

impl Drop for Faults {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

struct Proxy {
    upstream: Client,
    shares: Shares,
    dice: Mutex<Dice>,
    tally: Arc<Tally>,
}

/// What is done with a request.
enum Fate {
    Passed,
    CutBefore,
    CutAfter,
    Delayed(Duration),
}

impl Proxy {
    async fn serve(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut buffer = Vec::new();
        while let Some(request) = read_request(&mut stream, &mut buffer).await? {
            let to_head = request.method == "HEAD";
            let fate = self.fate();
            if matches!(fate, Fate::CutBefore) {
                return Ok(());
            }
            // Whoever is not answered there is not answered here either.
            let Ok(response) = self.upstream.send(request).await.outcome else { return Ok(()) };
            match fate {
                Fate::CutAfter => return Ok(()),
                Fate::Delayed(time) => sleep(time).await,
                Fate::Passed | Fate::CutBefore => {}
            }
            stream.write_all(&to_bytes(&response, to_head)).await?;
        }
        Ok(())
    }

    fn fate(&self) -> Fate {
        let mut dice = self.dice.lock().unwrap_or_else(PoisonError::into_inner);
        let (drawn, millis) = (dice.below(100), 1 + dice.below(DELAY_MILLIS_MAX));
        let Shares { cut_before, cut_after, delayed } = self.shares;
        let count = |counter: &AtomicU64| counter.fetch_add(1, Ordering::Relaxed);
        count(&self.tally.requests);
        if drawn < cut_before {
            count(&self.tally.cut_before);
            Fate::CutBefore
        } else if drawn < cut_before + cut_after {
            count(&self.tally.cut_after);
            Fate::CutAfter
        } else if drawn < cut_before + cut_after + delayed {
            count(&self.tally.delayed);
            Fate::Delayed(Duration::from_millis(millis))
        } else {
            Fate::Passed
        }
    }
}

/// The next request; none when no more comes, or it is not to be understood.
async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<Option<Request>> {
    loop {
        if let Some((request, length)) = parsed(buffer) {
            buffer.drain(..length);
            return Ok(Some(request));
        }
        if buffer.len() > REQUEST_BYTES_MAX || stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}

/// A whole request and its length, once there is one.
fn parsed(buffer: &[u8]) -> Option<(Request, usize)> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut parsed = httparse::Request::new(&mut headers);
    let Ok(httparse::Status::Complete(head)) = parsed.parse(buffer) else { return None };
    let (method, target) = (parsed.method?.to_owned(), parsed.path?.to_owned());
    let headers: Headers = parsed.headers.iter().map(|header| (header.name, header.value)).collect();
    let body = headers.get("content-length").map_or(Some(0), |length| length.trim().parse::<usize>().ok())?;
    let length = head.checked_add(body)?;
    let body = buffer.get(head..length)?.to_vec().into();
    Some((Request { method, target, headers, body }, length))
}

/// The response with a length, and without what was said of the connection behind.
fn to_bytes(response: &Response, to_head: bool) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {} Passed\r\n", response.status).into_bytes();
    let ours = ["content-length", "transfer-encoding", "connection", "keep-alive"];
    for (name, value) in response.headers.iter().filter(|(name, _)| !ours.contains(&name.to_lowercase().as_str())) {
        bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    bytes.extend(format!("content-length: {}\r\n\r\n", response.body.len()).into_bytes());
    if !to_head {
        bytes.extend(&response.body[..]);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use rstest::rstest;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::{Faults, Shares, parsed};
    use crate::client::{Client, Endpoint, Limits};
    use crate::wire::{FailureKind, Headers, Request};

    /// A server that counts requests and answers `ok`.
    async fn counting() -> (Client, Arc<AtomicU64>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let count = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&count);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut buffer = Vec::new();
                while super::read_request(&mut stream, &mut buffer).await.is_ok_and(|request| request.is_some()) {
                    counter.fetch_add(1, Ordering::SeqCst);
                    let answered = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
                    answered.expect("the proxy reads the answer");
                }
            }
        });
        (client(&endpoint), count)
    }

    fn client(endpoint: &str) -> Client {
        Client::new(Endpoint::parse(endpoint).expect("an endpoint"), Limits::default()).expect("a client")
    }

    fn request() -> Request {
        let headers: Headers = [("host", "elsewhere")].into_iter().collect();
        Request { method: "POST".to_owned(), target: "/a".to_owned(), headers, body: "body".into() }
    }

    const NONE: Shares = Shares { cut_before: 0, cut_after: 0, delayed: 0 };

    #[rstest]
    #[case::passed(NONE, 1, true)]
    #[case::cut_before(Shares { cut_before: 100, ..NONE }, 0, false)]
    #[case::cut_after(Shares { cut_after: 100, ..NONE }, 1, false)]
    #[case::delayed(Shares { delayed: 100, ..NONE }, 1, true)]
    #[tokio::test]
    async fn what_is_lost_is_lost_where_it_should_be(
        #[case] shares: Shares,
        #[case] arrives: u64,
        #[case] answered: bool,
    ) {
        let (upstream, count) = counting().await;
        let faults = Faults::start(upstream, shares, 1).await.expect("a port");
        let through = client(&faults.endpoint());
        for sent in 1..=3 {
            let outcome = through.send(request()).await.outcome;
            match outcome {
                Ok(response) => assert_eq!((response.status, &response.body[..], answered), (200, &b"ok"[..], true)),
                Err(failure) => assert_eq!((failure.kind, answered), (FailureKind::Broken, false), "{failure}"),
            }
            assert_eq!(count.load(Ordering::SeqCst), arrives * sent);
        }
        let tally = faults.tally();
        let counts = [&tally.requests, &tally.cut_before, &tally.cut_after, &tally.delayed];
        let counts = counts.map(|count| count.load(Ordering::Relaxed));
        assert_eq!(counts, [3, 3 * shares.cut_before / 100, 3 * shares.cut_after / 100, 3 * shares.delayed / 100]);
    }

    #[tokio::test]
    async fn what_is_no_request_is_not_passed_on() {
        let (upstream, count) = counting().await;
        let faults = Faults::start(upstream, NONE, 1).await.expect("a port");
        let address = faults.endpoint().trim_start_matches("http://").to_owned();
        let mut stream = TcpStream::connect(address).await.expect("it listens");
        stream.write_all(b"POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\nshort").await.expect("it reads");
        stream.shutdown().await.expect("it is open");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("it ends");
        assert_eq!((answer.len(), count.load(Ordering::SeqCst)), (0, 0));
    }

    #[rstest]
    #[case::half_a_head(b"GET / HTTP/1.1\r\nhost: a\r\n", None)]
    #[case::half_a_body(b"GET / HTTP/1.1\r\ncontent-length: 3\r\n\r\nab", None)]
    #[case::whole_and_more(b"GET / HTTP/1.1\r\ncontent-length: 3\r\n\r\nabcde", Some(40))]
    #[case::boundless(b"GET / HTTP/1.1\r\ncontent-length: 18446744073709551615\r\n\r\nab", None)]
    #[case::no_length(b"GET / HTTP/1.1\r\ncontent-length: x\r\n\r\nab", None)]
    fn a_request_is_taken_when_it_is_whole(#[case] bytes: &[u8], #[case] length: Option<usize>) {
        assert_eq!(parsed(bytes).map(|(_, length)| length), length);
    }
}
