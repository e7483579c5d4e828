//! From an operation and its input to an exchange.
