//! Which cases run, on which identity, and what may run beside what.
//!
//! [`Plan`] selects cases and decides, visibly, which of them the target cannot
//! serve, and which have effects that nobody has allowed ([`Reach`]). [`Forecast`]
//! tells what a plan will do, [`Share`] which part of a run a case belongs to when
//! several machines share it. [`LeaseTable`] hands out pools and identities while the
//! run goes on.
//!
//! Deliberately absent: IO and time; the runner asks, the plan answers.

mod forecast;
mod lease;
mod protocol;
mod reach;
mod select;
mod share;

pub use forecast::{Estimate, Forecast, Made, Pace, Part, Requests};
pub use lease::{Demand, Lease, LeaseTable};
pub use reach::Reach;
pub use select::{Decision, Plan, PlanError, Planned, could_select, function_script, names_a_case, selects};
pub use share::{Share, ShareError};
