//! Which cases run, on which identity, and what may run beside what.
//!
//! [`Plan`] selects cases and decides, visibly, which of them the target cannot
//! serve. [`LeaseTable`] hands out pools and identities while the run goes on.
//!
//! Deliberately absent: IO and time; the runner asks, the plan answers.

mod lease;
mod select;

pub use lease::{Demand, Lease, LeaseTable};
pub use select::{Decision, Plan, PlanError, Planned};
