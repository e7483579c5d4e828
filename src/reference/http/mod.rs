//! The HTTP server around the model: routes, signatures, input, constraints,
//! answers. Everything that the service description says is read from it.
//!
//! `server` listens, and `served` has requests wait for the state file and for other
//! services; both read the clock. `handler` and all below it turn one request into one
//! response, or into a question, and can be tested without a network. (`race` waits a
//! millisecond, in a server that is told to race.)
//!
//! Choices, where sources are silent: the order of the checks is route, signature,
//! class of credentials, JSON and types, constraints, the caller's own resources,
//! and then the model; a broken constraint is an InvalidParameterException; an
//! unrouted request is answered in the XML form, with the error's name in the
//! header too; null in the body is the same as nothing. More stand in `sigv4`,
//! `input`, `dispatch`, and for the other protocol in `rpc`.

mod access;
mod accounts;
mod canonical;
mod careless;
mod claim;
mod dispatch;
mod encode;
mod fault;
mod handler;
mod input;
mod output;
mod own;
mod race;
mod refusal;
mod route;
mod rpc;
mod served;
mod server;
mod setup;
mod sigv4;
#[cfg(test)]
mod testing;
mod validate;

pub use access::{Access, AccessLog};
pub use accounts::Unreachable;
pub use fault::{Fault, FaultError};
pub use server::Server;
pub use setup::{Setup, StartError};
