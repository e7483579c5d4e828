//! The service itself: a pure [`model`] of Cognito Sync and the HTTP [`Server`]
//! around it.
//!
//! Three uses: the embedded target of every run, a correct server on loopback for
//! people who write clients, and the body of every mutant. It is reached over
//! HTTP like any stranger; nothing that judges a response looks in here.
//!
//! Invariants:
//!
//! - what the service description says (routes, places and names of members,
//!   types, constraints, statuses, credential rules, quotas) is read from the
//!   [`Service`](crate::spec::Service) that the server is given and stands nowhere
//!   in this code, so that an altered description makes an altered server;
//! - the model has no clock, no randomness and no IO: the same calls give the
//!   same answers;
//! - every answer comes from a lock held for one call only; a failed call has
//!   changed nothing;
//! - with a state file, an answer leaves when everything that was changed before it
//!   is on the disk ([`State`]); without one, nothing of that costs anything;
//! - accounts share an address and nothing else.
//!
//! Other services (Lambda, Kinesis, S3, SNS) are called where the [`World`] names
//! them; where it does not, what concerns them is stored and answered, not done. No
//! lock is held while one is waited for.
//!
//! Deliberately absent: TLS, throttling of its own accord ([`Fault`] has it fail when
//! told to), merged identities, and the RPC
//! form of the protocol from 2014. Where no source says how the service behaves, a
//! choice was made; [`model`], `http` and `collaborators` list theirs.

mod altered;
mod clock;
mod collaborators;
mod http;
pub mod model;
mod store;
mod world;

pub use altered::{Departure, Race, Retell, Rewrite, Switch, Switches, Told};
pub use clock::duration;
pub use collaborators::{Collaborators, Times};
pub use http::{Access, AccessLog, Fault, FaultError, Server, Setup, StartError, Unreachable};
pub use store::{State, StateError};
pub use world::{Keys, World, WorldIdentity, WorldPool};
