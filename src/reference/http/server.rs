//! The listener: connections in, bytes to requests, responses to bytes.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::{HeaderName, HeaderValue};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use super::access::Access;
use super::accounts::{Accounts, Unreachable};
use super::fault::Faults;
use super::handler::Moment;
use super::refusal::Refusal;
use super::served::{Answer, Served};
use super::setup::{Setup, StartError};
use crate::reference::altered::Departure;
use crate::reference::clock::Clock;
use crate::reference::model::Timestamp;
use crate::reference::store::Store;
use crate::reference::world::World;
use crate::spec::Service;
use crate::wire::{Headers, Request, Response};

/// Most bytes of a body: enough for the longest value with every character
/// written as an escape of six bytes, and its envelope.
const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;

/// A body beyond the limit is read so much further and dropped: a client that is
/// still sending would otherwise lose the answer to a reset connection.
const DRAINED_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Most bytes of a request's head.
const HEAD_BYTES_MAX: usize = 128 * 1024;

/// How long a head, or the wait for one, may take.
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a body may take.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// How long open requests may go on after the end was called.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(1);

const HTTP_DATE: &[BorrowedFormatItem<'_>] = time::macros::format_description!(
    "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
);

/// The service, listening. It stops when it is shut down or dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: watch::Sender<()>,
    accepting: JoinHandle<()>,
    store: Option<Arc<Store>>,
    unreachable: Unreachable,
}

impl Server {
    /// Listens on `listen` (port 0 for any free one) as the service that `service`
    /// describes, with what `world` holds and no data.
    ///
    /// # Errors
    ///
    /// When the address cannot be listened on, the system gives no random bytes,
    /// or a pattern of the description does not compile.
    pub async fn start(listen: SocketAddr, service: Arc<Service>, world: World) -> io::Result<Self> {
        Self::start_altered(listen, service, world, Departure::default()).await
    }

    /// The same, for a server that departs from the reference on purpose.
    ///
    /// # Errors
    ///
    /// As for [`Server::start`].
    pub async fn start_altered(
        listen: SocketAddr,
        service: Arc<Service>,
        world: World,
        departure: Departure,
    ) -> io::Result<Self> {
        let setup = Setup { departure, ..Setup::default() };
        Self::start_with(listen, service, &[world], setup).await.map_err(|error| match error {
            StartError::Listen { source, .. } | StartError::Setup(source) => source,
            StartError::State(error) => io::Error::other(error),
        })
    }

    /// The same for several accounts, one world each. They share the address; none can
    /// see anything of another. Who signs with an unknown key is refused by all alike.
    ///
    /// # Errors
    ///
    /// As for [`Server::start`]; also when there is no world, a key or a pool belongs to
    /// two of them, or the state cannot be read.
    pub async fn start_with(
        listen: SocketAddr,
        service: Arc<Service>,
        worlds: &[World],
        setup: Setup,
    ) -> Result<Self, StartError> {
        let Setup { departure, state, log, own_paths, faults, fault_control, clock_offset_seconds } = setup;
        let clock = Clock::ahead(clock_offset_seconds);
        let mut session_key = [0; 32];
        match &state {
            Some(state) => session_key = state.session_key(),
            None => getrandom::fill(&mut session_key).map_err(io::Error::other).map_err(StartError::Setup)?,
        }
        let accounts = Accounts::new(&service, worlds, &departure, session_key, clock.now());
        let accounts = accounts.map_err(StartError::Setup)?;
        let refused = |source| StartError::Listen { address: listen, source };
        let listener = TcpListener::bind(listen).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let (mut store, mut unreachable) = (None, Unreachable::default());
        if let Some(state) = state {
            let (restored, left) = accounts.restore(state, clock.now())?;
            restored.settled().await.map_err(|why| StartError::Setup(io::Error::other(&*why)))?;
            (store, unreachable) = (Some(restored), left);
        }
        let (stop, stopped) = watch::channel(());
        let faults = Faults::new(service, faults, fault_control);
        let served = Arc::new(Served { accounts, store: store.clone(), log, own_paths, faults, clock });
        let accepting = tokio::spawn(serve(listener, served, stopped));
        Ok(Self { address, stop, accepting, store, unreachable })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens, as a URL without a path, such as `http://127.0.0.1:8000`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What the state held that no world has. It is kept, for the day on which one has
    /// it again.
    pub fn unreachable(&self) -> &Unreachable {
        &self.unreachable
    }

    /// Waits until the state cannot be written any more, and says why; every request is
    /// answered with an error from then on. For ever, if nothing is wrong.
    pub async fn failure(&self) -> Arc<str> {
        match &self.store {
            Some(store) => store.failure().await,
            None => std::future::pending().await,
        }
    }

    /// Takes no more connections and gives the requests that are being answered a
    /// second to end.
    pub async fn shutdown(self) {
        self.shutdown_within(SHUTDOWN_GRACE).await;
    }

    /// The same with another time to end. The state is whole and closed afterwards.
    pub async fn shutdown_within(self, grace: Duration) {
        // Told by its absence: what has not ended by then is cut off.
        drop(self.stop);
        let mut accepting = self.accepting;
        if timeout(grace, &mut accepting).await.is_err() {
            accepting.abort();
            // An error says that it was cut off, which is what was meant.
            let _cut_off = accepting.await;
        }
        if let Some(store) = self.store {
            let closed = tokio::task::spawn_blocking(move || store.close());
            // It has nothing to panic over.
            let _closed = closed.await;
        }
    }
}

/// Takes connections until it is stopped, and sees to what follows from requests.
async fn serve(listener: TcpListener, served: Arc<Served>, stopped: watch::Receiver<()>) {
    let mut following = served.accounts.follow_effects(served.store.as_ref(), served.clock);
    let accept = async {
        accept(listener, Arc::clone(&served), stopped).await;
        served.accounts.stop_effects();
    };
    tokio::join!(accept, async { while following.join_next().await.is_some() {} });
}

/// Takes connections until `stopped` says, or loses its sender.
async fn accept(listener: TcpListener, served: Arc<Served>, mut stopped: watch::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = stopped.changed() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, Arc::clone(&served), stopped.clone()));
                }
                // Most likely out of file handles: wait for connections to end.
                Err(_) => sleep(Duration::from_millis(20)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    // What has not ended when this is given up is cut off with the set.
    while connections.join_next().await.is_some() {}
}

async fn connection(stream: TcpStream, served: Arc<Served>, mut stopped: watch::Receiver<()>) {
    // Without this, small answers may wait for the client's acknowledgement.
    let _ignored = stream.set_nodelay(true);
    let service = service_fn(|request| {
        let served = Arc::clone(&served);
        async move { exchange(&served, request).await }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut serving = pin!(serving);
    tokio::select! {
        // How a connection ended is the client's business.
        _ = serving.as_mut() => return,
        _ = stopped.changed() => serving.as_mut().graceful_shutdown(),
    }
    let _ended = serving.await;
}

/// Why a connection ends that might go on: a fault wants it.
#[derive(Debug, thiserror::Error)]
#[error("the connection is to be cut")]
struct Cut;

async fn exchange(served: &Served, request: http::Request<Incoming>) -> Result<http::Response<Full<Bytes>>, Cut> {
    let (head, body) = request.into_parts();
    let headers: Headers =
        head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes().to_vec())).collect();
    let body = timeout(BODY_TIMEOUT, read(body)).await.unwrap_or_else(|_| Err(Refusal::timed_out()));
    let Some(moment) = moment(served.clock) else {
        // No random bytes, no request id: there is nothing to say.
        return Ok(encoded(Response { status: 500, headers: Headers::new(), body: Bytes::new() }));
    };
    let began = Instant::now();
    let target = head.uri.path_and_query().map(|target| target.as_str().to_owned()).unwrap_or_default();
    let request = Request { method: head.method.as_str().to_owned(), target, headers, body: Bytes::new() };
    let (request, answer) = match body {
        Ok(body) => {
            let request = Request { body, ..request };
            let answer = served.answer(&request, &moment).await;
            (request, answer)
        }
        Err(refusal) => {
            let mut response = served.accounts.any_handler().refuse_unseen(&request, &refusal, &moment);
            // The rest of the body may still be on its way.
            response.headers.append("connection", "close");
            (request, Answer::from(response))
        }
    };
    if let Some(log) = &served.log {
        log(&Access::new(&served.accounts, &request, &answer, moment.now, began.elapsed()));
    }
    let mut response = answer.sent().ok_or(Cut)?;
    if served.clock.is_off() {
        response.headers.append("date", http_date(served.clock.now()));
    }
    Ok(encoded(response))
}

/// A moment in the form of HTTP's headers. Otherwise, hyper tells the machine's time.
fn http_date(at: Timestamp) -> String {
    let at = OffsetDateTime::from_unix_timestamp(at.millis().div_euclid(1_000));
    at.ok().and_then(|at| at.format(HTTP_DATE).ok()).unwrap_or_default()
}

/// Reads a body of at most [`BODY_BYTES_MAX`] bytes.
async fn read(mut body: Incoming) -> Result<Bytes, Refusal> {
    let mut bytes = BytesMut::new();
    let mut total = 0_usize;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::serialization("The body broke off"))?;
        let Ok(data) = frame.into_data() else { continue };
        total = total.saturating_add(data.len());
        if total > DRAINED_BYTES_MAX {
            break;
        }
        if total > BODY_BYTES_MAX {
            bytes = BytesMut::new();
        } else {
            bytes.extend_from_slice(&data);
        }
    }
    if total > BODY_BYTES_MAX { Err(Refusal::too_large()) } else { Ok(bytes.freeze()) }
}

fn moment(clock: Clock) -> Option<Moment> {
    // One call into the system for both.
    let mut fresh = [[0; 16]; 2];
    getrandom::fill(fresh.as_flattened_mut()).ok()?;
    let [request_id, random] = fresh;
    Some(Moment { now: clock.now(), request_id, random })
}

fn encoded(response: Response) -> http::Response<Full<Bytes>> {
    let mut encoded = http::Response::new(Full::new(response.body));
    // A status that HTTP does not have can only come from an altered description.
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
