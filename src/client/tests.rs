//! Both paths against servers that misbehave on cue.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use rstest::rstest;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc;

use super::{Client, Endpoint, Limits};
use crate::wire::{Exchange, FailureKind, Headers, Request, Response};

/// Which path a request is to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Path {
    Pooled,
    Exact,
}

fn limits() -> Limits {
    let long = Duration::from_secs(30);
    Limits { connect_timeout: long, response_timeout: long, max_response_bytes: 10_000 }
}

fn impatient() -> Limits {
    Limits { response_timeout: Duration::from_millis(80), ..limits() }
}

/// A server on loopback and what it saw.
struct Server {
    endpoint: Endpoint,
    requests: mpsc::UnboundedReceiver<Vec<u8>>,
    connections: Arc<AtomicUsize>,
}

impl Server {
    /// Runs `script` on every connection, with its number and a place for the
    /// requests that it reads.
    async fn start<F, S>(script: F) -> Self
    where
        F: Fn(usize, TcpStream, mpsc::UnboundedSender<Vec<u8>>) -> S + Send + 'static,
        S: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = Endpoint::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let (sender, requests) = mpsc::unbounded_channel();
        let counter = connections.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = counter.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(script(number, stream, sender.clone()));
            }
        });
        Self { endpoint, requests, connections }
    }

    /// Answers every request with the same bytes and keeps the connection.
    async fn answering(reply: &'static str) -> Self {
        Self::start(move |_, mut stream, seen| async move {
            while let Some(request) = read_request(&mut stream).await {
                seen.send(request).unwrap();
                stream.write_all(reply.as_bytes()).await.unwrap();
            }
        })
        .await
    }

    /// Reads one request, sends the bytes and closes.
    async fn closing_after(reply: &'static str) -> Self {
        Self::start(move |_, mut stream, seen| async move {
            if let Some(request) = read_request(&mut stream).await {
                seen.send(request).unwrap();
                stream.write_all(reply.as_bytes()).await.unwrap();
            }
        })
        .await
    }

    /// Reads one request, then repeats the text after a start until the client
    /// leaves: without end as fast as it goes, or now and then.
    async fn endless(start: &'static str, repeated: &str, pause: Option<Duration>) -> Self {
        let repeated = repeated.repeat(if pause.is_some() { 1 } else { 500 });
        Self::start(move |_, mut stream, _| {
            let repeated = repeated.clone();
            async move {
                read_request(&mut stream).await;
                let mut sent = stream.write_all(start.as_bytes()).await;
                while sent.is_ok() {
                    sent = stream.write_all(repeated.as_bytes()).await;
                    tokio::time::sleep(pause.unwrap_or_default()).await;
                }
            }
        })
        .await
    }

    fn client(&self, limits: Limits) -> Client {
        Client::new(self.endpoint.clone(), limits).unwrap()
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    async fn seen(&mut self) -> String {
        String::from_utf8(self.requests.recv().await.unwrap()).unwrap()
    }
}

/// Head and, by its content-length, body of one request; none at the end.
async fn read_request(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut request = Vec::new();
    loop {
        if let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
            let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
            if request.len() >= end + 4 + length.unwrap_or(0) {
                return Some(request);
            }
        }
        if stream.read_buf(&mut request).await.ok()? == 0 {
            return None;
        }
    }
}

fn request(path: Path, method: &str, target: &str, body: &'static str) -> Request {
    // The pooled path cannot write upper case.
    let name = if path == Path::Exact { "X-Path" } else { "x-path" };
    Request {
        method: method.to_owned(),
        target: target.to_owned(),
        headers: [(name, "1")].into_iter().collect(),
        body: Bytes::from_static(body.as_bytes()),
    }
}

async fn get(server: &Server, path: Path, limits: Limits) -> Exchange {
    server.client(limits).send(request(path, "GET", "/", "")).await
}

#[track_caller]
fn response(exchange: Exchange) -> Response {
    exchange.outcome.unwrap_or_else(|failure| panic!("{failure}"))
}

#[track_caller]
fn assert_fails(exchange: &Exchange, kind: FailureKind, detail: &str) {
    let failure = exchange.outcome.as_ref().unwrap_err();
    assert_eq!(failure.kind, kind, "{failure}");
    assert!(failure.detail.contains(detail), "{failure}");
}

#[rstest]
#[case::get("GET", "", "")]
#[case::delete("DELETE", "", "")]
#[case::empty_post("POST", "", "content-length: 0\r\n")]
#[case::post("POST", "abc", "content-length: 3\r\n")]
#[case::get_with_body("GET", "abc", "content-length: 3\r\n")]
#[case::own_method("PURGE", "", "")]
#[tokio::test]
async fn the_recorded_request_is_what_was_sent(
    #[values(Path::Pooled, Path::Exact)] path: Path,
    #[case] method: &str,
    #[case] body: &'static str,
    #[case] length: &str,
) {
    let mut server = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
    let exchange = server.client(limits()).send(request(path, method, "/a//b%2Fc?d=%20&e", body)).await;
    let (name, accept) = if path == Path::Exact { ("X-Path", "") } else { ("x-path", "accept: */*\r\n") };
    let host = server.endpoint.host_header();
    let expected =
        format!("{method} /a//b%2Fc?d=%20&e HTTP/1.1\r\nhost: {host}\r\n{name}: 1\r\n{length}{accept}\r\n{body}");
    assert_eq!(server.seen().await, expected);
    assert_eq!(super::to_bytes(&exchange.request), expected);
    assert_eq!(response(exchange).body, "{}");
}

#[rstest]
#[case::dots("/a/../b")]
#[case::blank("/a b")]
#[case::fragment("/a#b")]
#[case::not_ascii("/ü?'\"")]
#[case::asterisk("*")]
#[tokio::test]
async fn a_target_that_is_no_uri_is_sent_as_written(#[case] target: &str) {
    let mut server = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let exchange = server.client(limits()).send(request(Path::Pooled, "GET", target, "")).await;
    assert!(server.seen().await.starts_with(&format!("GET {target} HTTP/1.1\r\n")));
    assert_eq!(response(exchange).status, 200);
}

#[tokio::test]
async fn a_wrong_length_is_sent_as_written() {
    let mut server = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let mut request = request(Path::Pooled, "POST", "/", "abcdef");
    request.headers.append("content-length", "3");
    let exchange = server.client(limits()).send(request).await;
    assert!(server.seen().await.contains("\r\ncontent-length: 3\r\n\r\nabc"));
    assert_eq!(exchange.request.headers.get_all("content-length").count(), 1);
}

#[tokio::test]
async fn a_connection_is_kept_and_used_again() {
    let server = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let client = server.client(limits());
    for _ in 0..5 {
        assert_eq!(response(client.clone().send(request(Path::Pooled, "POST", "/", "abc")).await).status, 200);
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_request_whose_kept_connection_breaks_is_not_sent_again() {
    let mut server = Server::start(|_, mut stream, seen| async move {
        for reply in ["HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", ""] {
            seen.send(read_request(&mut stream).await.unwrap()).unwrap();
            stream.write_all(reply.as_bytes()).await.unwrap();
        }
    })
    .await;
    let client = server.client(limits());
    response(client.send(request(Path::Pooled, "POST", "/1", "abc")).await);
    let second = client.send(request(Path::Pooled, "POST", "/2", "abc")).await;
    assert_fails(&second, FailureKind::Broken, "closed");
    assert!(server.seen().await.starts_with("POST /1"));
    assert!(server.seen().await.starts_with("POST /2"));
    assert!(server.requests.try_recv().is_err());
}

#[tokio::test]
async fn a_kept_connection_that_the_server_closed_is_replaced() {
    let server = Server::closing_after("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let client = server.client(limits());
    for _ in 0..3 {
        response(client.send(request(Path::Pooled, "POST", "/", "abc")).await);
        // The client hears of it in a task of its own, which comes before the second of
        // two wake-ups at the latest.
        for _ in 0..2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    assert_eq!(server.connections(), 3);
}

#[rstest]
#[tokio::test]
async fn bodies_and_headers_come_as_sent(#[values(Path::Pooled, Path::Exact)] path: Path) {
    let server = Server::answering(
        "HTTP/1.1 200 OK\r\nX-A: 1\r\ncontent-encoding: gzip\r\nx-a: 2\r\nx-bytes: \u{fc}\r\nTransfer-Encoding: chunked\r\n\r\n\
         3\r\n\u{1f}\u{8b}\r\n1\r\nx\r\n0\r\n\r\n",
    )
    .await;
    let response = response(get(&server, path, limits()).await);
    assert_eq!(response.body, "\u{1f}\u{8b}x");
    assert_eq!(response.headers.get_all("X-a").collect::<Vec<_>>(), [b"1", b"2"]);
    assert_eq!(response.headers.get_all("x-bytes").next(), Some("\u{fc}".as_bytes()));
    assert_eq!(response.headers.get("content-encoding"), Some("gzip"));
}

#[rstest]
#[tokio::test]
async fn a_redirect_is_not_followed(#[values(Path::Pooled, Path::Exact)] path: Path) {
    let mut server = Server::answering("HTTP/1.1 307 x\r\nlocation: /other\r\ncontent-length: 0\r\n\r\n").await;
    let response = response(get(&server, path, limits()).await);
    assert_eq!((response.status, response.headers.get("location")), (307, Some("/other")));
    server.seen().await;
    assert!(server.requests.try_recv().is_err());
}

#[rstest]
#[tokio::test]
async fn a_body_that_ends_with_the_connection_is_whole(#[values(Path::Pooled, Path::Exact)] path: Path) {
    let server = Server::closing_after("HTTP/1.1 200 OK\r\n\r\nabc").await;
    assert_eq!(response(get(&server, path, limits()).await).body, "abc");
}

#[rstest]
#[tokio::test]
async fn the_response_to_head_has_no_body(#[values(Path::Pooled, Path::Exact)] path: Path) {
    let server = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 50000\r\n\r\n").await;
    let exchange = server.client(limits()).send(request(path, "HEAD", "/", "")).await;
    assert!(response(exchange).body.is_empty());
}

#[rstest]
#[case::nothing("")]
#[case::half_a_head("HTTP/1.1 200 OK\r\ncontent-le")]
#[case::garbage("\u{0}\u{1}garbage\r\n\r\n")]
#[case::short_body("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc")]
#[case::short_chunks("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n")]
#[case::bad_chunk("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxy\r\n")]
#[tokio::test]
async fn what_is_no_complete_response_is_broken(
    #[values(Path::Pooled, Path::Exact)] path: Path,
    #[case] reply: &'static str,
) {
    let server = Server::closing_after(reply).await;
    assert_fails(&get(&server, path, limits()).await, FailureKind::Broken, "");
}

#[rstest]
#[case::hang("", "")]
#[case::slow_head("HTTP/1.1 200 OK\r\n", "a: b\r\n")]
#[case::slow_body("HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n", "a")]
#[tokio::test]
async fn a_response_that_does_not_come_to_an_end_times_out(
    #[values(Path::Pooled, Path::Exact)] path: Path,
    #[case] start: &'static str,
    #[case] repeated: &'static str,
) {
    let server = Server::endless(start, repeated, Some(Duration::from_millis(5))).await;
    let exchange = get(&server, path, impatient()).await;
    assert_fails(&exchange, FailureKind::TimedOut, "80ms");
    assert!(exchange.duration >= Duration::from_millis(80) && exchange.duration < Duration::from_secs(10));
}

#[rstest]
#[case::body("HTTP/1.1 200 OK\r\n\r\n", "0123456789012345678901234567890123456789")]
#[case::chunks("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "10\r\n0123456789012345\r\n")]
#[case::length("HTTP/1.1 200 OK\r\ncontent-length: 10001\r\n\r\n", "a")]
#[case::headers("HTTP/1.1 200 OK\r\n", "a: b\r\na: b\r\na: b\r\na: b\r\n")]
#[case::long_header("HTTP/1.1 200 OK\r\na: ", "0123456789012345678901234567890123456789")]
#[tokio::test]
async fn what_is_beyond_the_bounds_is_too_large(
    #[values(Path::Pooled, Path::Exact)] path: Path,
    #[case] start: &'static str,
    #[case] repeated: &'static str,
) {
    let server = Server::endless(start, repeated, None).await;
    assert_fails(&get(&server, path, limits()).await, FailureKind::TooLarge, "");
}

#[rstest]
#[tokio::test]
async fn an_answer_before_the_end_of_the_request_is_read(#[values(Path::Pooled, Path::Exact)] path: Path) {
    let server = Server::start(|_, mut stream, _| async move {
        let mut start = [0; 64];
        stream.read_exact(&mut start).await.unwrap();
        stream.write_all(b"HTTP/1.1 413 x\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
        std::future::pending::<()>().await;
    })
    .await;
    let mut request = request(path, "POST", "/", "");
    request.body = vec![b'a'; 20_000_000].into();
    let exchange = server.client(limits()).send(request).await;
    assert_eq!(response(exchange).status, 413);
}

#[rstest]
#[tokio::test]
async fn a_closed_port_is_no_connection(#[values(Path::Pooled, Path::Exact)] path: Path) {
    // Bound, so that nobody else takes it, and nobody listens.
    let closed = TcpSocket::new_v4().unwrap();
    closed.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let endpoint = Endpoint::parse(&format!("http://{}", closed.local_addr().unwrap())).unwrap();
    let client = Client::new(endpoint, limits()).unwrap();
    let exchange = client.send(request(path, "GET", "/?secret=hush", "")).await;
    assert_fails(&exchange, FailureKind::Connect, "refused");
    assert!(!exchange.outcome.unwrap_err().detail.contains("hush"));
    assert_eq!(client.probe().await.unwrap_err().kind, FailureKind::Connect);
}

#[rstest]
#[tokio::test]
async fn a_name_that_does_not_exist_is_no_connection(#[values(Path::Pooled, Path::Exact)] path: Path) {
    let client = Client::new(Endpoint::parse("https://nowhere.invalid").unwrap(), limits()).unwrap();
    assert_fails(&client.send(request(path, "GET", "/", "")).await, FailureKind::Connect, "https://nowhere.invalid");
}

#[rstest]
#[case::plain_http("HTTP/1.1 400 x\r\n\r\n")]
#[case::close("")]
#[tokio::test]
async fn a_server_without_tls_is_told_from_one_that_is_not_there(
    #[values(Path::Pooled, Path::Exact)] path: Path,
    #[case] reply: &'static str,
) {
    let server = Server::start(move |_, mut stream, _| async move {
        let mut hello = [0; 4096];
        let _ = stream.read(&mut hello).await;
        let _ = stream.write_all(reply.as_bytes()).await;
    })
    .await;
    let endpoint = Endpoint::parse(&server.endpoint.to_string().replace("http:", "https:")).unwrap();
    let client = Client::new(endpoint, limits()).unwrap();
    assert_fails(&client.send(request(path, "GET", "/", "")).await, FailureKind::Tls, "");
    assert_eq!(client.probe().await.unwrap_err().kind, FailureKind::Tls);
}

#[tokio::test]
async fn raw_bytes_are_sent_as_they_are() {
    let mut server = Server::answering("HTTP/1.1 400 x\r\nX-a: 1\r\ncontent-length: 0\r\n\r\n").await;
    let bytes = Bytes::from_static(b"G@T  / HTTP/9\nhost\r\n\r\n");
    let exchange = server.client(limits()).send_raw(bytes.clone()).await;
    assert_eq!(server.seen().await.as_bytes(), bytes);
    assert_eq!(exchange.request.body, bytes);
    assert_eq!(response(exchange).headers, [("X-a", "1"), ("content-length", "0")].into_iter().collect::<Headers>());
}

#[tokio::test]
async fn a_probe_finds_a_server_that_accepts() {
    let server = Server::answering("").await;
    server.client(limits()).probe().await.unwrap();
}

#[test]
fn a_client_can_cross_threads_and_its_debug_form_is_short() {
    fn crosses<T: Send + Sync + Clone>(_: &T) {}
    let client = Client::new(Endpoint::parse("http://h").unwrap(), limits()).unwrap();
    crosses(&client);
    assert!(format!("{client:?}").starts_with("Client { endpoint: Endpoint {"));
}
