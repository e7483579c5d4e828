//! Histories of all kinds, and what the check makes of them.

mod bugs;
mod compare;
mod oracle;
mod shown;
mod simulate;
mod story;
