//! Expectations against exchanges: findings and verdicts.
//!
//! Pure: no IO, no clock, and no knowledge of the service but its data. The same
//! exchange gives the same findings whenever it is judged, and all of them.
//!
//! Deliberately absent: the reference server. A fault of ours must not excuse
//! the same fault in a target.

mod finding;
mod shape;
mod snapshot;
mod step;
mod value;

#[cfg(test)]
mod tests;

pub use finding::{Finding, Level, Verdict, verdict};
pub use shape::{Answer, Sign, advice, sign, stranger};
pub use snapshot::{Recorded, SNAPSHOT, snapshot};
pub use step::Judge;
