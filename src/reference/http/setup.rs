//! What a server is started with, and why it may not start.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use super::access::AccessLog;
use super::fault::Fault;
use crate::reference::altered::Departure;
use crate::reference::store::{State, StateError};

/// What a server may have beyond what it must: nothing of it, by default.
#[derive(Default)]
pub struct Setup {
    /// How it departs from the reference on purpose.
    pub departure: Departure,
    /// What it remembers from before, and for the next time.
    pub state: Option<State>,
    /// Told of every answer.
    pub log: Option<AccessLog>,
    /// Whether it answers `/_syncspec/health`, `/_syncspec/state` and `/_syncspec/faults`,
    /// unsigned.
    pub own_paths: bool,
    /// Failures that requests meet, the first that is due for each.
    pub faults: Vec<Fault>,
    /// Whether its own paths let everybody change the faults.
    pub fault_control: bool,
    /// By how many seconds its clock is ahead of the machine's; behind if negative.
    pub clock_offset_seconds: i64,
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Setup");
        shown.field("departure", &self.departure).field("state", &self.state.is_some());
        shown.field("log", &self.log.is_some()).field("own_paths", &self.own_paths);
        shown.field("faults", &self.faults).field("fault_control", &self.fault_control);
        shown.field("clock_offset_seconds", &self.clock_offset_seconds).finish()
    }
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// What it shall serve does not fit together, or the system gives no random bytes.
    #[error("{0}")]
    Setup(#[source] io::Error),
    /// The state cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
}
