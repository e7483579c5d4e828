//! Documents made from the events of a run: texts for a terminal, the recorded
//! run itself, JUnit XML, and the JSON Schema of a record's lines.
//!
//! [`failure()`] and [`failures`] explain what did not pass to someone who has
//! never seen the suite; [`Summary`] counts while events pass by and ends in one
//! sentence; [`write_event`] and [`read_events`] make and read `run.jsonl`, and
//! [`Record`] holds a whole one.
//!
//! Invariants:
//!
//! - Every document follows from events alone, so it can be made again later.
//! - Nothing that is empty, cut short or contradictory reads like a good run.
//! - Texts are rendered once, with styles; whoever prints them strips the styles
//!   where they are not wanted.
//! - What an endpoint sent is shown, never sent on: control characters appear as
//!   escapes.
//!
//! Deliberately absent: IO beyond a given reader or writer, printing, verdicts
//! (they are [`judge`](crate::judge)'s), exit codes (they are
//! [`run`](crate::run)'s), and any knowledge of the service.

mod broken;
mod compare;
mod curl;
mod diff;
mod disputes;
mod exchange;
mod failure;
mod forecast;
mod html;
mod job_summary;
mod json;
mod jsonl;
mod junit;
mod known;
mod lines;
mod matrix;
mod md;
mod merge;
mod outline;
mod overview;
mod readings;
mod record;
#[cfg(test)]
mod samples;
mod schema;
mod sentence;
mod share;
mod skim;
mod standing;
mod summary;
mod table;
mod text;
mod trend;

pub use compare::changes;
pub use curl::{curl, quote};
pub use diff::{Change, ChangeKind, Diff, Differences, diff_html, diff_json, diff_markdown, diff_text};
pub use disputes::disputes;
pub use exchange::exchange;
pub use failure::{Context, failure, failures};
pub use forecast::forecast;
pub use html::html;
pub use job_summary::job_summary;
pub use jsonl::{Partial, ReadError, Reader, read_events, write_event};
pub use junit::{Locations, junit};
pub use known::NewFailures;
pub use matrix::{Column, Columns, Matrix, badge, matrix_html, matrix_json, matrix_markdown, matrix_text};
pub use merge::{MergeError, Merged, Whole};
pub use overview::overview;
pub use record::Record;
pub use schema::schema;
pub use skim::{Skim, Skimmer, case_at, header};
pub use standing::{Count, Standing, Standings};
pub use summary::{Summary, Tally};
pub use text::{count, duration, hanging, wrapped};
pub use trend::{Trend, trend_html, trend_markdown, trend_text};
