//! The case-file format: files as written, then cases resolved.
//!
//! `file` mirrors the TOML and is the source of the JSON Schema; [`Suite`]
//! holds the resolved [`Case`]s, in which every name is known, every placeholder
//! parsed and every default filled in. All mistakes in a folder are reported at
//! once, by line and column. The guide for authors is `docs/case-files.md`.
//!
//! Deliberately absent: results. Nothing is ever written back into a case.

mod base;
mod base_file;
mod case;
mod check;
mod condition;
mod describe;
mod error;
mod excluded;
mod file;
mod function;
pub mod names;
mod protocol;
mod read;
mod reading;
mod resolve;
mod scope;
mod script;
mod sending;
mod suite;
mod template;

pub use base::{Base, Bases, Save, SavedMember, Sweep, Undo};
pub use base_file::BaseFile;
pub use case::{Action, Body, Call, Capture, Case, Exclusion, Expect, Ignore, Rewrite, Sign, Step, Suite, Tamper};
pub use condition::{Condition, Match, Pattern};
pub use describe::alternatives;
pub use error::CasesError;
pub use file::{Actor, BodyForm, CaseFile, Effect, ExcludedFile, FixtureFile, Isolation, ValueType};
pub use function::FunctionScript;
pub use script::{
    Collaborator, FunctionAnswer, Payload as FunctionPayload, PushAnswer, PushCall, Refusal, Scripts, StreamAnswer,
};
pub use sending::{Payload, SignForm, Transfer};
pub use suite::Wanted;
pub use template::{Bindings, RenderError, Template, Text};
