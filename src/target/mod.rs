//! Endpoints: where to send, with which credentials, and what is lacking.
