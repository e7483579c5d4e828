//! The loop over a plan, and its events.
