//! What arrived for one case.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::sleep;

use super::desk::Desk;
use super::s3;
use super::script::{Role, Scripts};
use crate::wire::{self, Exchange, Failure, FailureKind, Request, Response};

/// Most calls that a mailbox keeps; what comes after them is answered and counted.
const MOST_CALLS: usize = 2_000;

/// Most bytes of requests' bodies that it keeps.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// A call that arrived.
#[derive(Debug, Clone)]
pub struct Heard {
    /// For which of the services.
    pub role: Role,
    /// The step of the case that was under way, from 1; see [`Mailbox::at`].
    pub step: usize,
    /// The call and the answer. Data of stream records stands decoded in its body.
    pub exchange: Exchange,
}

/// A function, a stream and an application of one name, for as long as it lives.
#[derive(Debug)]
pub struct Mailbox {
    desk: Arc<Desk>,
    name: String,
    post: Arc<Post>,
}

impl Mailbox {
    pub(super) fn open(desk: &Arc<Desk>, name: &str, scripts: Scripts) -> Self {
        let post = Arc::new(Post { scripts, state: Mutex::default(), over: watch::Sender::default() });
        desk.open(name, Arc::clone(&post));
        Self { desk: Arc::clone(desk), name: name.to_owned(), post }
    }

    /// From now on, calls arrive during this step of the case.
    pub fn at(&self, step: usize) {
        self.post.state().step = step;
    }

    /// What arrived so far, as a document that `docs/case-files.md` describes.
    pub fn observation(&self, role: Role) -> Value {
        let state = self.post.state();
        let mut observed = match role {
            Role::Function => json!({
                "count": state.invocations,
                "events": state.events,
                "invocations": state.invoked,
            }),
            Role::Stream => json!({
                "count": state.taken,
                "refused": state.refused_puts,
                "records": state.records,
                "puts": state.puts,
                "objects": state.records.iter().map(|record| self.object(record)).collect::<Value>(),
            }),
            Role::Push => json!({
                "count": state.messages.len(),
                "refused": state.refused_pushes,
                "endpoints": state.endpoints.iter().map(Endpoint::observed).collect::<Value>(),
                "messages": state.messages,
            }),
        };
        if state.left_out > 0 {
            observed["left-out"] = json!(state.left_out);
        }
        observed
    }

    /// The calls that arrived so far, in order.
    pub fn heard(&self) -> Vec<Heard> {
        self.post.state().heard.clone()
    }

    /// Texts in what arrived that nobody must see: device tokens, also of devices that
    /// were refused, and what opens the addresses in records.
    pub fn secrets(&self) -> Vec<String> {
        let state = self.post.state();
        let addresses = state.records.iter().filter_map(address);
        state.tokens.iter().cloned().chain(addresses.flat_map(wire::signatures)).collect()
    }

    /// What is behind the address in a stream's record; null without one, or when
    /// nothing is there.
    fn object(&self, record: &Value) -> Value {
        let body = address(record).and_then(|url| self.desk.object(&s3::path(url)));
        body.and_then(|body| wire::json(&body)).unwrap_or(Value::Null)
    }
}

/// The address that a record leads to.
fn address(record: &Value) -> Option<&str> {
    record.as_object()?.values().find_map(|value| value.as_str().filter(|text| text.starts_with("http")))
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        self.desk.close(&self.name);
        self.post.over.send_replace(true);
    }
}

/// The side of a mailbox that calls are put into.
#[derive(Debug)]
pub(super) struct Post {
    pub(super) scripts: Scripts,
    state: Mutex<State>,
    /// Turns true when the mailbox is gone.
    over: watch::Sender<bool>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    step: usize,
    heard: Vec<Heard>,
    held: usize,
    /// Calls of which nothing more is known.
    left_out: usize,
    /// Whether there is room for what comes of the call that is being answered.
    pub(super) keeps: bool,
    /// Calls of the function, and what they were.
    pub(super) invocations: usize,
    pub(super) events: Vec<Value>,
    pub(super) invoked: Vec<Value>,
    /// Calls that put records, whatever became of them.
    pub(super) put_calls: usize,
    pub(super) refused_puts: usize,
    /// Records that were taken.
    pub(super) taken: usize,
    pub(super) records: Vec<Value>,
    pub(super) puts: Vec<Value>,
    pub(super) creations: usize,
    pub(super) publications: usize,
    pub(super) refused_pushes: usize,
    pub(super) endpoints: Vec<Endpoint>,
    /// Device tokens that were sent, whatever became of them.
    pub(super) tokens: Vec<String>,
    pub(super) messages: Vec<Value>,
}

/// A platform endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Endpoint {
    pub(super) arn: String,
    pub(super) application: String,
    pub(super) token: String,
}

impl Endpoint {
    fn observed(&self) -> Value {
        json!({ "application": self.application, "token": self.token, "endpoint": self.arn })
    }
}

impl Post {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a call in: `count` notes it, and `note` what it says, when there is room.
    /// `shown` is the request as people are to see it.
    pub(super) fn hear<T>(
        self: &Arc<Self>,
        role: Role,
        shown: Request,
        count: impl FnOnce(&mut State) -> T,
        note: impl FnOnce(&mut State),
    ) -> (T, Hearing) {
        let mut state = self.state();
        let counted = count(&mut state);
        let bytes = shown.body.len();
        let index = if state.heard.len() < MOST_CALLS && state.held + bytes <= MOST_BYTES {
            note(&mut state);
            state.held += bytes;
            let outcome = Err(Failure { kind: FailureKind::Broken, detail: "not answered yet".to_owned() });
            let (step, exchange) = (state.step, Exchange { request: shown, outcome, duration: Duration::ZERO });
            state.heard.push(Heard { role, step, exchange });
            Some(state.heard.len() - 1)
        } else {
            state.left_out += 1;
            None
        };
        (counted, Hearing { post: Arc::clone(self), index, since: Instant::now() })
    }
}

/// A call that is being answered.
#[derive(Debug)]
pub(super) struct Hearing {
    post: Arc<Post>,
    index: Option<usize>,
    since: Instant,
}

impl Hearing {
    /// Lets so much time pass, or what is left until the mailbox is gone: nobody asks any
    /// more then how long an answer took, and who waits for it may be waited for.
    pub(super) async fn pause(&self, delay: Duration) {
        let mut over = self.post.over.subscribe();
        let gone = async {
            // The sender lives as long as the call does.
            let _gone = over.wait_for(|over| *over).await;
        };
        tokio::select! {
            () = sleep(delay) => {}
            () = gone => {}
        }
    }

    /// Notes the answer that `decide` gives; it also notes what comes of it.
    pub(super) fn answered(mut self, decide: impl FnOnce(&mut State) -> Response) -> Response {
        let index = self.index.take();
        let mut state = self.post.state();
        state.keeps = index.is_some();
        let response = decide(&mut state);
        if let Some(index) = index {
            let exchange = &mut state.heard[index].exchange;
            exchange.outcome = Ok(response.clone());
            exchange.duration = self.since.elapsed();
        }
        response
    }
}

impl Drop for Hearing {
    /// Whoever called did not wait for the answer.
    fn drop(&mut self) {
        if let Some(index) = self.index {
            let exchange = &mut self.post.state().heard[index].exchange;
            exchange.duration = self.since.elapsed();
            let detail = format!("the caller hung up after {} ms, before the answer", exchange.duration.as_millis());
            exchange.outcome = Err(Failure { kind: FailureKind::Broken, detail });
        }
    }
}
