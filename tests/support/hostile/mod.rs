//! A server that misbehaves by name, and the real binary run against it.
//!
//! Where a behaviour begins after some good answers, or leaves some requests alone, the
//! reference server stands behind it and answers.

pub(crate) mod behaviours;
mod run;
mod serve;

pub(crate) use behaviours::BEHAVIOURS;
pub(crate) use run::{Ended, TIMEOUT, complaints, run};
