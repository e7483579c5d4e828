//! The server that does as a behaviour says.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::behaviours::{Act, Behaviour, Say, Then};

/// It listens until it is dropped, and so does the other host.
pub(super) struct Hostile {
    pub(super) address: SocketAddr,
    stage: Arc<Stage>,
    tasks: Vec<JoinHandle<()>>,
}

struct Stage {
    act: Act,
    good: usize,
    /// The reference server.
    upstream: SocketAddr,
    /// The other host, and how many connections it got.
    elsewhere: SocketAddr,
    strays: AtomicUsize,
    /// Requests so far.
    asked: AtomicUsize,
    /// The answer before.
    before: Mutex<Option<Vec<u8>>>,
}

impl Hostile {
    pub(super) async fn start(behaviour: &Behaviour, upstream: SocketAddr) -> io::Result<Self> {
        let (listener, other) = (TcpListener::bind("127.0.0.1:0").await?, TcpListener::bind("127.0.0.1:0").await?);
        let stage = Arc::new(Stage {
            act: behaviour.act,
            good: behaviour.good,
            upstream,
            elsewhere: other.local_addr()?,
            strays: AtomicUsize::new(0),
            asked: AtomicUsize::new(0),
            before: Mutex::new(None),
        });
        let address = listener.local_addr()?;
        let strays = Arc::clone(&stage);
        let counting = tokio::spawn(async move {
            while other.accept().await.is_ok() {
                strays.strays.fetch_add(1, Ordering::SeqCst);
            }
        });
        let serving = Arc::clone(&stage);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let stage = Arc::clone(&serving);
                // A connection that breaks is the client's to notice.
                tokio::spawn(async move { stage.serve(stream).await });
            }
        });
        Ok(Self { address, stage, tasks: vec![counting, accepting] })
    }

    /// Connections to the other host.
    pub(super) fn strays(&self) -> usize {
        self.stage.strays.load(Ordering::SeqCst)
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Stage {
    async fn serve(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        if let Act::Accepted(say) = self.act {
            return perform(&mut stream, say).await.map(drop);
        }
        let mut upstream = None;
        loop {
            let Some(request) = read_request(&mut stream).await? else { return Ok(()) };
            let number = self.asked.fetch_add(1, Ordering::SeqCst);
            let say = if number < self.good { None } else { self.say(number, &request) };
            let keeps = match say {
                Some(say) => perform(&mut stream, say).await?,
                None => {
                    let answer = answer(&mut upstream, self.upstream, &request).await?;
                    let answer = if number < self.good { answer } else { self.altered(answer, number).await };
                    stream.write_all(&answer).await?;
                    true
                }
            };
            if !keeps || has(&request, "connection: close") {
                return stream.shutdown().await;
            }
        }
    }

    /// What is said to a request; none where it is answered well.
    fn say(&self, number: usize, request: &[u8]) -> Option<Say> {
        match self.act {
            Act::Accepted(say) | Act::Asked(say) => Some(say),
            Act::Half(say) => (number % 2 == 1).then_some(say),
            Act::Third(say) => (number % 3 == 2).then_some(say),
            Act::Some(part, say) => {
                let line = request.split(|byte| *byte == b'\r').next().unwrap_or_default();
                String::from_utf8_lossy(line).contains(part).then_some(say)
            }
            Act::Slower(_) | Act::Late(_) | Act::Swapped | Act::Doubled(_) | Act::Redirect(_) => None,
        }
    }

    async fn altered(&self, mut answer: Vec<u8>, number: usize) -> Vec<u8> {
        match self.act {
            Act::Slower(step) => tokio::time::sleep(Duration::from_millis(step * number as u64)).await,
            Act::Late(late) => tokio::time::sleep(Duration::from_millis(late)).await,
            Act::Swapped => {
                let mut before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
                return before.replace(answer.clone()).unwrap_or(answer);
            }
            Act::Doubled(more) => answer.extend(more.as_bytes()),
            Act::Redirect(status) => {
                let elsewhere = self.elsewhere;
                answer = format!(
                    "HTTP/1.1 {status} Elsewhere\r\nlocation: http://{elsewhere}/\r\ncontent-length: 0\r\n\r\n"
                )
                .into_bytes();
            }
            Act::Accepted(_) | Act::Asked(_) | Act::Half(_) | Act::Third(_) | Act::Some(..) => {}
        }
        answer
    }
}

/// Does what is to be done; whether the connection takes another request.
async fn perform(stream: &mut TcpStream, Say(first, then): Say) -> io::Result<bool> {
    // Characters below 256 stand for bytes.
    let first: Vec<u8> = first.chars().map(|char| char as u8).collect();
    stream.write_all(&first).await?;
    match then {
        Then::Keep => return Ok(true),
        Then::Close => stream.shutdown().await?,
        Then::Reset => stream.set_zero_linger()?,
        Then::Hang => hang(stream).await,
        Then::Repeat(part, times) => {
            for _ in 0..times {
                stream.write_all(part).await?;
            }
            stream.shutdown().await?;
        }
        Then::Drip(part) => {
            for byte in part.iter().cycle() {
                stream.write_all(&[*byte]).await?;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
        Then::Headers(times) => {
            for number in 0..times {
                stream.write_all(format!("x-header-{number}: value of header {number}\r\n").as_bytes()).await?;
            }
            stream.write_all(b"content-length: 2\r\n\r\n{}").await?;
        }
    }
    Ok(false)
}

/// Until the client leaves.
async fn hang(stream: &mut TcpStream) {
    let mut nowhere = [0; 4096];
    while stream.read(&mut nowhere).await.is_ok_and(|count| count > 0) {}
}

/// The answer of the server behind.
async fn answer(upstream: &mut Option<TcpStream>, address: SocketAddr, request: &[u8]) -> io::Result<Vec<u8>> {
    if upstream.is_none() {
        *upstream = Some(TcpStream::connect(address).await?);
    }
    let Some(stream) = upstream else { return Ok(Vec::new()) };
    stream.write_all(request).await?;
    read_message(stream).await?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

async fn read_request(stream: &mut TcpStream) -> io::Result<Option<Vec<u8>>> {
    read_message(stream).await
}

/// A message whose body has a length, or ends with the last chunk.
async fn read_message(stream: &mut TcpStream) -> io::Result<Option<Vec<u8>>> {
    let mut message = Vec::new();
    loop {
        if let Some(end) = message.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&message[..end]).to_lowercase();
            let length = head.split("\r\ncontent-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
            let is_whole = match head.contains("\r\ntransfer-encoding: chunked") {
                true => message.ends_with(b"0\r\n\r\n"),
                false => message.len() >= end + 4 + length.unwrap_or(0_usize),
            };
            if is_whole {
                return Ok(Some(message));
            }
        }
        if stream.read_buf(&mut message).await? == 0 {
            return Ok(None);
        }
    }
}

fn has(message: &[u8], header: &str) -> bool {
    String::from_utf8_lossy(message).to_lowercase().contains(&format!("\r\n{header}\r\n"))
}
