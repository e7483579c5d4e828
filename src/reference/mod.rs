//! The service itself: a pure model, and the HTTP server around it.
