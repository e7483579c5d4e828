//! Expectations against exchanges: findings and verdicts.

mod finding;

pub use finding::{Finding, Level, Verdict, verdict};
