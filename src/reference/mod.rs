//! The service itself: a pure model, and the HTTP server around it.

mod world;

pub use world::{Keys, World, WorldIdentity, WorldPool};
