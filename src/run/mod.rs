//! The loop over a plan, and its events.
//!
//! [`run`] executes a plan's cases, several at a time, and tells a sink of
//! everything as [`Event`]s: they are the lines of `run.jsonl`, and all that
//! reports are made from. [`execute`] runs a single case; [`libtest`] offers the
//! suite as tests.
//!
//! Invariants: a result is told once for every selected case, whatever happens;
//! secrets are taken out when an exchange is recorded; a step is only repeated
//! when its case says so, or when its request was throttled and so had no effect; a
//! case cleans up after itself whatever its verdict.
//!
//! Deliberately absent: printing, files, and any knowledge of the service.

mod ask;
mod breaker;
mod claim;
mod engine;
mod event;
mod execute;
mod halt;
mod keep;
mod kept;
mod keyring;
pub mod libtest;
mod observe;
mod prepare;
mod preview;
mod probe;
mod queue;
mod redact;
mod sending;
mod session;
mod undo;

#[cfg(test)]
mod tests;

pub use ask::{Asked, ask};
pub use breaker::{Doubt, Unanswered};
pub use claim::claim;
pub use engine::{Settings, header, results, resume, run};
pub use event::{
    CaseResult, Event, FORMAT_VERSION, FailOn, Footer, Header, Partition, RecordedBody, RecordedExchange,
    RecordedRequest, RecordedResponse, TargetSummary,
};
pub use execute::{Outcome, execute};
pub use prepare::PrepareError;
pub use preview::preview;
pub use probe::probe;
pub use session::{Session, Taken};

pub use crate::target::REDACTED;
