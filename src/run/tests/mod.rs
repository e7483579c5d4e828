//! Cases run against small servers on loopback that do as they are told.

mod credentials;
mod judging;
mod known;
mod leasing;
mod recording;
mod sending;
mod stopping;
mod support;
mod throttling;
mod totals;
mod undoing;
