//! Canonical, redacted forms of responses, and their store.
