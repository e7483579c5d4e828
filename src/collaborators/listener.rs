//! Connections in, bytes to requests, responses to bytes.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderName, HeaderValue};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use super::desk::{Desk, Stray};
use super::mailbox::Mailbox;
use super::route::answer as reply;
use super::script::Scripts;
use crate::wire::{Headers, Request, Response};

/// Most connections at a time; more wait until one ends.
const CONNECTIONS_MAX: usize = 256;

/// Most bytes of a body: more than a full dataset makes in any of the forms.
const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Most bytes of a request's head.
const HEAD_BYTES_MAX: usize = 128 * 1024;

/// How long a head, or the wait for one, may take.
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a body may take.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// Lambda, Kinesis, SNS and S3 on one address. It stops when it is dropped.
#[derive(Debug)]
pub struct Listener {
    address: SocketAddr,
    desk: Arc<Desk>,
    accepting: JoinHandle<()>,
}

impl Listener {
    /// Listens on `listen`, port 0 for any free one.
    ///
    /// # Errors
    ///
    /// When the address cannot be listened on.
    pub async fn start(listen: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let (address, desk) = (listener.local_addr()?, Arc::new(Desk::default()));
        let accepting = tokio::spawn(accept(listener, Arc::clone(&desk)));
        Ok(Self { address, desk, accepting })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens, as a URL without a path, such as `http://127.0.0.1:4600`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Opens a function, a stream and an application of this name, which nobody else
    /// may have, until the mailbox is dropped.
    pub fn open(&self, name: &str, scripts: Scripts) -> Mailbox {
        Mailbox::open(&self.desk, name, scripts)
    }

    /// What came for nobody so far, in the order of first coming.
    pub fn strays(&self) -> Vec<Stray> {
        self.desk.strays()
    }

    /// Notes that somebody waited for a call that did not come.
    pub fn miss(&self) {
        self.desk.miss();
    }

    /// Whether calls were waited for, and none ever came, for whomever: nobody seems to
    /// know that it is here.
    pub fn is_ignored(&self) -> bool {
        self.desk.is_ignored()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, desk: Arc<Desk>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    // What has not ended when this is given up is cut off with the set.
    let mut connections = JoinSet::new();
    loop {
        // The semaphore is never closed.
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let desk = Arc::clone(&desk);
                    connections.spawn(async move {
                        connection(stream, desk).await;
                        drop(place);
                    });
                }
                // Most likely out of file handles: wait for connections to end.
                Err(_) => sleep(Duration::from_millis(20)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, desk: Arc<Desk>) {
    // Without this, small answers may wait for the caller's acknowledgement.
    let _ignored = stream.set_nodelay(true);
    let service = service_fn(|request| {
        let desk = Arc::clone(&desk);
        async move { Ok::<_, Infallible>(exchange(&desk, request).await) }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    // How a connection ended is the caller's business.
    let _ended = pin!(serving).await;
}

async fn exchange(desk: &Desk, request: http::Request<Incoming>) -> http::Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let headers: Headers =
        head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes().to_vec())).collect();
    let target = head.uri.path_and_query().map(|target| target.as_str().to_owned()).unwrap_or_default();
    let method = head.method.as_str().to_owned();
    let response = match timeout(BODY_TIMEOUT, read(body)).await {
        Ok(Some(body)) => desk.answer(Request { method, target, headers, body }).await,
        // The rest of the body may still be on its way.
        Ok(None) | Err(_) => {
            // What follows the path may open an address, or name a device.
            let path = target.split('?').next().unwrap_or_default();
            desk.stray(&format!("{method} {path}, with a body that was too large, broke off or took too long"));
            let mut response = reply(413, "text/plain", "the body is too large, broke off or took too long\n");
            response.headers.append("connection", "close");
            response
        }
    };
    encoded(response)
}

/// Reads a body of at most [`BODY_BYTES_MAX`] bytes.
async fn read(mut body: Incoming) -> Option<Bytes> {
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.ok()?.into_data() else { continue };
        if bytes.len() + data.len() > BODY_BYTES_MAX {
            return None;
        }
        bytes.extend_from_slice(&data);
    }
    Some(bytes.freeze())
}

fn encoded(response: Response) -> http::Response<Full<Bytes>> {
    let mut encoded = http::Response::new(Full::new(response.body));
    // Statuses of scripts are within what HTTP has.
    *encoded.status_mut() =
        http::StatusCode::from_u16(response.status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in response.headers.iter() {
        let pair = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value));
        if let (Ok(name), Ok(value)) = pair {
            encoded.headers_mut().append(name, value);
        }
    }
    encoded
}
