//! Canonical, redacted forms of responses, and the sets in which they are kept.
//!
//! A case's snapshot is one text with every response that the case marks with
//! `snapshot = true`. What differs from run to run is replaced by named
//! placeholders, the same value by the same placeholder throughout the case, and
//! what must not be kept (secrets, account numbers) by what it is.
//!
//! A *set* is a folder `<set>/` with the file `_recorded.toml`, which says what the
//! set was recorded from, and one file `<area>/<rest of the case's id>.snap` for each
//! case. Where and when a text was recorded stands in the header of its file: that
//! file changes only when the answer does, so its date is the answer's age, while
//! `_recorded.toml` holds what changes with every renewal and nothing else does.
//!
//! Invariants: what is written here can be read here, and by insta; comparing never
//! depends on what is ignored, and recording never ignores.
//!
//! Deliberately absent: writing to disk. `syncspec record` writes, and insta does for
//! the shipped set when the suite runs under `cargo test`.

mod canonical;
mod form;
mod ignore;
mod provenance;
mod redact;
mod store;

pub use canonical::Canonical;
pub use form::{Body, Section, read, write};
pub use ignore::{IGNORED, Renumber, Settled, settle};
pub use provenance::{Kind, Provenance};
pub use store::{RECORDED_FILE, Recording, Snapshot, Store, StoreError, file};
