//! Documents made from the events of a run.

mod compare;
mod curl;
mod exchange;
mod failure;
mod json;
#[cfg(test)]
mod samples;
mod text;

pub use curl::curl;
pub use failure::{Context, failure, failures};
