//! From an operation and its input to an exchange.

mod bind;

pub use bind::{BindError, bind};
