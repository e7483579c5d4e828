//! The services that the service under test calls, played by the harness: Lambda,
//! Kinesis, SNS and S3, as far as it calls them.
//!
//! A [`Listener`] speaks their wire APIs on one address. What it hears is told apart by
//! the name of the function, stream or application that is asked for: each belongs to a
//! [`Mailbox`], which a case opens under a name of its own, with [`Scripts`] that say how
//! to answer, and closes at its end. A mailbox keeps what arrived: as JSON to compare
//! with expectations ([`Mailbox::observation`]), and as exchanges to show
//! ([`Mailbox::heard`]). What arrives for nobody is refused as the service would refuse
//! it, and told at the end ([`Listener::strays`]).
//!
//! Whoever calls, time and memory are bounded: connections, heads, bodies, what a
//! mailbox and the store of objects hold.
//!
//! Deliberately absent: any knowledge of who calls and why; checking of signatures; AWS
//! CBOR, which Kinesis speaks too and which is refused with a sentence; TLS.

mod desk;
mod kinesis;
mod lambda;
mod listener;
mod mailbox;
mod route;
mod s3;
mod script;
mod sns;
#[cfg(test)]
mod tests;

pub use desk::Stray;
pub use listener::Listener;
pub use mailbox::{Heard, Mailbox};
pub use script::{FunctionAnswer, Payload, PushAnswer, PushCall, Refusal, Role, Scripts, StreamAnswer};
