//! Another service, played: it hears requests and says what a script says.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

/// Enough for a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(30);

/// A service that is played until it is dropped.
pub(crate) struct Played {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<Heard>>>,
    playing: JoinHandle<()>,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub(crate) method: String,
    pub(crate) target: String,
    headers: http::HeaderMap,
    body: Bytes,
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    status: u16,
    headers: Vec<(&'static str, &'static str)>,
    body: String,
    after: Duration,
    held: Option<Gate>,
}

/// Holds answers back until it is opened.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gate(watch::Sender<bool>);

impl Gate {
    pub(crate) fn open(&self) {
        self.0.send_replace(true);
    }
}

impl Said {
    pub(crate) fn new(status: u16, body: impl Into<String>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), after: Duration::ZERO, held: None }
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::new(status, body.to_string())
    }

    pub(crate) fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(crate) fn after(mut self, after: Duration) -> Self {
        self.after = after;
        self
    }

    pub(crate) fn held_by(mut self, gate: &Gate) -> Self {
        self.held = Some(gate.clone());
        self
    }
}

impl Heard {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }

    /// The record of a PutRecord.
    pub(crate) fn record(&self) -> Value {
        let data = self.json()["Data"].as_str().map(|data| STANDARD.decode(data).expect("base64"));
        serde_json::from_slice(&data.expect("there is data")).expect("the record is JSON")
    }

    /// The parameters of a query protocol.
    pub(crate) fn form(&self) -> BTreeMap<String, String> {
        let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
        let body = String::from_utf8_lossy(&self.body).into_owned();
        let pairs = body.split('&').filter_map(|pair| pair.split_once('='));
        pairs.map(|(name, value)| (decode(name), decode(value))).collect()
    }
}

impl Played {
    pub(crate) async fn start(script: impl Fn(&Heard) -> Said + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port is free");
        let address = listener.local_addr().expect("it listens");
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (to, script) = (Arc::clone(&heard), Arc::new(script));
        let playing = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (to, script) = (Arc::clone(&to), Arc::clone(&script));
                let service = service_fn(move |request: http::Request<Incoming>| {
                    let (to, script) = (Arc::clone(&to), Arc::clone(&script));
                    async move { Ok::<_, Infallible>(answer(request, &to, &*script).await) }
                });
                connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { address, heard, playing }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What came so far.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until so many requests came.
    pub(crate) async fn wait_for(&self, count: usize) {
        eventually(&format!("{count} requests"), || self.heard().len() >= count).await;
    }

    pub(crate) async fn stop(mut self) {
        self.playing.abort();
        let _aborted = (&mut self.playing).await;
    }
}

impl Drop for Played {
    fn drop(&mut self) {
        self.playing.abort();
    }
}

async fn answer(
    request: http::Request<Incoming>,
    to: &Mutex<Vec<Heard>>,
    script: &(dyn Fn(&Heard) -> Said + Send + Sync),
) -> http::Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.expect("the body comes").to_bytes();
    let target = head.uri.path_and_query().map(|target| target.as_str().to_owned()).unwrap_or_default();
    let heard = Heard { method: head.method.to_string(), target, headers: head.headers, body };
    let said = script(&heard);
    to.lock().unwrap_or_else(PoisonError::into_inner).push(heard);
    sleep(said.after).await;
    if let Some(Gate(gate)) = said.held {
        let mut opened = gate.subscribe();
        let _opened = opened.wait_for(|open| *open).await;
    }
    let mut response = http::Response::builder().status(said.status);
    for (name, value) in said.headers {
        response = response.header(name, value);
    }
    response.body(Full::from(said.body)).expect("the answer is one")
}

/// Waits until something holds.
pub(crate) async fn eventually(what: &str, holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("waited in vain for {what}"));
}
