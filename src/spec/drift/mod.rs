//! The suite's data against a machine-readable model of the API, so that a
//! maintainer learns when AWS changes one.
//!
//! A reader for each format ([`botocore`], [`smithy`]), and one for the suite's own
//! data ([`ours`]), give the same small [`model::Model`]. [`statements`] takes it
//! apart into statements that each have a place, and two sets of statements are
//! compared. Places read like the ids of requirements, and follow the operations:
//! what a shape is called does not matter, what it constrains does.
//!
//! Where the suite differs from the model on purpose, a dispute says so
//! (`model-differs`), with what the model has there: that difference alone is
//! accounted for, any other at the same place is not.
//!
//! Deliberately absent: IO, and what no model says (credentials, limits, rules).

mod botocore;
mod compare;
mod model;
mod ours;
mod read;
mod smithy;
mod statements;

pub use compare::{Difference, Drift};
pub use read::{ModelError, ModelFile};
