//! The case-file format: files as written, then cases resolved.

pub mod file;
