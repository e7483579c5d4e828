//! Canonical, redacted forms of responses, and their store.
//!
//! A case's snapshot is one text with every response that the case marks with
//! `snapshot = true`. What differs from run to run is replaced by named
//! placeholders, the same value by the same placeholder throughout the case.
//!
//! Deliberately absent: writing. Snapshots are renewed through insta by
//! `tests/conformance.rs`, so that `cargo insta review` works; this room reads.

mod canonical;
mod store;

pub use canonical::{Canonical, Redactions};
pub use store::{Snapshot, Store};
