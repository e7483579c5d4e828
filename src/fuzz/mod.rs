//! The service under fuzzing.
//!
//! # Several clients at once
//!
//! [`concurrent`] lets several clients work on one dataset, truly in parallel, and
//! asks whether what they saw can have been. [`faults`] stands between them and the
//! endpoint, loses requests and answers, and so finds out whether a call whose answer
//! was lost is made once, or not at all.
//!
//! # Histories
//!
//! [`history`] holds what several clients did to datasets at the same time, and
//! tells whether the dataset's rules allow what they saw.

pub mod concurrent;
mod dice;
pub mod faults;
pub mod history;
mod line;
