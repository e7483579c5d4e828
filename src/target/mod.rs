//! Endpoints: where to send, with which credentials, and what is lacking.

mod credentials;

pub use credentials::{Credentials, Secret};
