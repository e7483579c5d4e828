//! The service under fuzzing.
//!
//! # Histories
//!
//! [`history`] holds what several clients did to datasets at the same time, and
//! tells whether the dataset's rules allow what they saw.

mod dice;
pub mod history;
