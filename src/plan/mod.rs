//! Which cases run, on which identity, and what may run beside what.
