//! From an operation and its input to an exchange.

mod bind;
mod endpoint;
mod failure;
mod sign;

pub use bind::{BindError, bind};
pub use endpoint::{Endpoint, EndpointError};
pub use sign::{SignError, Signing, SigningForm, sign};
