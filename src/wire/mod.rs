//! What crosses the wire: requests, responses, and both together as an
//! [`Exchange`]. Headers are lists, so that order and duplicates survive; bodies
//! are the exact bytes. Beside them, what opens the signed addresses in a text.
//!
//! Deliberately absent: IO, and any knowledge of the service. Nothing here is
//! redacted; what gets recorded is decided where it is recorded.

mod address;
mod exchange;
mod headers;

pub use address::signatures;
pub use exchange::{Exchange, Failure, FailureKind, Request, Response, is_readable, json};
pub use headers::Headers;
