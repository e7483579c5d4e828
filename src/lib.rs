//! syncspec tells whether an endpoint really speaks Amazon Cognito Sync
//! (API 2014-06-30), and shows where and why not.
//!
//! The rooms, and the way data flows through them, are described in
//! `docs/ARCHITECTURE.md`. The binary is a thin shell over [`cli`].

pub mod cases;
pub mod cli;
pub mod client;
pub mod collaborators;
pub mod fuzz;
pub mod journal;
pub mod judge;
pub mod plan;
pub mod prove;
pub mod reference;
pub mod report;
pub mod run;
pub mod snapshot;
pub mod source;
pub mod spec;
pub mod target;
pub mod wire;
