//! Which cases run, on which identity, and what may run beside what.
//!
//! [`Plan`] selects cases and decides, visibly, which of them the target cannot
//! serve, and which have effects that nobody has allowed ([`Reach`]). [`Forecast`]
//! tells what a plan will do. [`LeaseTable`] hands out pools and identities while the
//! run goes on.
//!
//! Deliberately absent: IO and time; the runner asks, the plan answers.

mod forecast;
mod lease;
mod protocol;
mod reach;
mod select;

pub use forecast::{Estimate, Forecast, Made, Pace, Requests};
pub use lease::{Demand, Lease, LeaseTable};
pub use reach::Reach;
pub use select::{Decision, Plan, PlanError, Planned, function_script};
