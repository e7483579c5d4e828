//! What a run owes its target: everything that it makes or changes, and how that is
//! taken back.
//!
//! `sight` tells from a request, as it is sent, what it may make; a [`Ledger`] keeps
//! what is owed, and writes it into a [`Journal`] before the request goes out; a
//! [`Payer`] sends what takes it back. After a run that ended as it should nothing is
//! owed, and its journal is gone; what a killed run left is in its journal, which
//! [`found`] finds, and what no journal knows any more, [`Payer::sweep`] does. [`Claims`]
//! keep processes of one machine from using a pool at the same time.
//!
//! Invariants: a request that makes something is not sent when it cannot be written
//! down first; a record is in the hands of the operating system then, so that no
//! killed process loses it (a machine that loses its power may). A journal holds the
//! members of the requests that take things back, that is ids, names, and a pool's
//! configuration as it was: no keys, tokens, or values of records. While a process
//! uses its journal, it holds a lock on it, by which others know that it lives.
//!
//! Deliberately absent: names of operations, which are in `cases/_base.toml`; and
//! printing.

mod claim;
mod debt;
mod file;
mod ledger;
mod pay;
mod restore;
mod sight;
mod sweep;

#[cfg(test)]
mod tests;

pub use claim::Claims;
pub use debt::{Debt, Kind, Owed};
pub use file::{Begun, Dead, FORMAT_VERSION, Found, Journal, JournalError, found, state_folder};
pub use ledger::{Ledger, Number};
pub use pay::{Paid, Payer, Unpaid};
pub use sight::{Sight, sights, undoing};
pub use sweep::{Swept, is_name_of_a_run};
