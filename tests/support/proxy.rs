//! A proxy on loopback that alters answers on their way back.
//!
//! Requests are forwarded byte for byte, `Host` and signature included, so that the
//! server behind it verifies what the client signed. What is no plain HTTP/1.1
//! request with a `content-length` is passed through both ways and left alone.
//! Answers must have a `content-length`, as all of the reference server's have.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use syncspec::wire::{Headers, Request, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Most headers of a message.
const HEADERS_MAX: usize = 256;

/// It listens until it is dropped.
pub(crate) struct Proxy {
    address: SocketAddr,
    accepting: JoinHandle<()>,
    /// Each connection has a clone.
    connections: Arc<()>,
}

impl Proxy {
    /// Listens on a free port, forwards to `upstream`, and lets `alter` change each
    /// answer before it is sent back. The answer's `content-length` is set anew.
    pub(crate) async fn start(
        upstream: SocketAddr,
        alter: impl Fn(&Request, &mut Response) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        Self::start_before(upstream, |_| None, alter).await
    }

    /// The same, with `intercept` answering requests which are then not forwarded.
    pub(crate) async fn start_before(
        upstream: SocketAddr,
        intercept: impl Fn(&Request) -> Option<Response> + Send + Sync + 'static,
        alter: impl Fn(&Request, &mut Response) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (intercept, alter, connections) = (Arc::new(intercept), Arc::new(alter), Arc::new(()));
        let counted = Arc::downgrade(&connections);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (intercept, alter, counted) = (Arc::clone(&intercept), Arc::clone(&alter), counted.upgrade());
                tokio::spawn(async move {
                    // A connection that breaks is the client's to notice.
                    let _broken = forward(client, upstream, &*intercept, &*alter).await;
                    drop(counted);
                });
            }
        });
        Ok(Self { address, accepting, connections })
    }

    /// How many connections there are, those aside that still wait to be taken. Each ends
    /// when the server has answered all that came from the client before it left.
    pub(crate) fn connections(&self) -> usize {
        Arc::strong_count(&self.connections) - 1
    }

    /// Where it listens, as an endpoint.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn forward(
    mut client: TcpStream,
    upstream: SocketAddr,
    intercept: &impl Fn(&Request) -> Option<Response>,
    alter: &impl Fn(&Request, &mut Response),
) -> io::Result<()> {
    let mut server = TcpStream::connect(upstream).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (mut sent, mut received) = (Vec::new(), Vec::new());
    loop {
        let Some((request, length)) = read_request(&mut client, &mut sent).await? else {
            server.write_all(&sent).await?;
            return copy_bidirectional(&mut client, &mut server).await.map(|_| ());
        };
        if let Some(mut response) = intercept(&request) {
            sent.drain(..length);
            client.write_all(&to_bytes(&mut response, request.method == "HEAD")).await?;
            continue;
        }
        server.write_all(&sent[..length]).await?;
        sent.drain(..length);
        let mut response = read_response(&mut server, &mut received, request.method == "HEAD").await?;
        let closes = closes(&request.headers) || closes(&response.headers);
        alter(&request, &mut response);
        client.write_all(&to_bytes(&mut response, request.method == "HEAD")).await?;
        if closes {
            return client.shutdown().await;
        }
    }
}

fn closes(headers: &Headers) -> bool {
    headers.get("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
}

/// The next request and its length in `buffer`; none when what comes is not to be
/// understood, or nothing comes any more.
async fn read_request(client: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<Option<(Request, usize)>> {
    loop {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut parsed = httparse::Request::new(&mut headers);
        match parsed.parse(buffer) {
            Ok(httparse::Status::Complete(head)) => {
                let headers = to_headers(parsed.headers);
                let Some(body) = plain_length(&headers) else { return Ok(None) };
                let method = parsed.method.unwrap_or_default().to_owned();
                let target = parsed.path.unwrap_or_default().to_owned();
                if !fill(client, buffer, head + body).await? {
                    return Ok(None);
                }
                let length = head + body;
                let body = buffer[head..length].to_vec().into();
                return Ok(Some((Request { method, target, headers, body }, length)));
            }
            Ok(httparse::Status::Partial) if client.read_buf(buffer).await? > 0 => {}
            _ => return Ok(None),
        }
    }
}

/// The length of a body that is sent in the plain way.
fn plain_length(headers: &Headers) -> Option<usize> {
    if ["transfer-encoding", "expect", "upgrade"].into_iter().any(|name| headers.contains(name)) {
        return None;
    }
    match headers.get_all("content-length").count() {
        0 => Some(0),
        1 => headers.get("content-length")?.parse().ok(),
        _ => None,
    }
}

/// Reads until the buffer holds so many bytes; whether so many came.
async fn fill(stream: &mut TcpStream, buffer: &mut Vec<u8>, length: usize) -> io::Result<bool> {
    while buffer.len() < length {
        if stream.read_buf(buffer).await? == 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn read_response(server: &mut TcpStream, buffer: &mut Vec<u8>, to_head: bool) -> io::Result<Response> {
    let broken = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    loop {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut parsed = httparse::Response::new(&mut headers);
        match parsed.parse(buffer) {
            Ok(httparse::Status::Complete(head)) => {
                let (status, headers) = (parsed.code.unwrap_or_default(), to_headers(parsed.headers));
                let length = plain_length(&headers).ok_or_else(|| broken("an answer without a plain length"))?;
                let length = if to_head { 0 } else { length };
                if !fill(server, buffer, head + length).await? {
                    return Err(broken("the answer was cut"));
                }
                let body = buffer[head..head + length].to_vec().into();
                buffer.drain(..head + length);
                return Ok(Response { status, headers, body });
            }
            Ok(httparse::Status::Partial) if server.read_buf(buffer).await? > 0 => {}
            _ => return Err(broken("no answer")),
        }
    }
}

fn to_headers(parsed: &[httparse::Header<'_>]) -> Headers {
    parsed.iter().map(|header| (header.name, header.value)).collect()
}

fn to_bytes(response: &mut Response, to_head: bool) -> Vec<u8> {
    if !to_head {
        response.headers.set("content-length", response.body.len().to_string());
    }
    let mut bytes = format!("HTTP/1.1 {} Altered\r\n", response.status).into_bytes();
    for (name, value) in response.headers.iter() {
        bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    bytes.extend(b"\r\n");
    bytes.extend(&response.body[..]);
    bytes
}
