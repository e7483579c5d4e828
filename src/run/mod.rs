//! The loop over a plan, and its events.

mod event;

pub use event::{
    CaseResult, Event, FORMAT_VERSION, Footer, Header, RecordedBody, RecordedExchange, RecordedRequest,
    RecordedResponse, TargetSummary,
};
