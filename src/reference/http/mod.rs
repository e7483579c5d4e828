//! The server.
mod server;
pub use server::Server;
