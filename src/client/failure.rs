//! Short ways to say why there is no response.

use std::error::Error;
use std::time::Duration;

use crate::wire::{Failure, FailureKind};

/// A failure with its detail: one sentence for people, without addresses' queries
/// and without secrets.
pub(super) fn failure(kind: FailureKind, detail: impl Into<String>) -> Failure {
    Failure { kind, detail: detail.into() }
}

/// The connection broke, or what came was not HTTP.
pub(super) fn broken(detail: impl Into<String>) -> Failure {
    failure(FailureKind::Broken, detail)
}

/// Every error of a chain, the outermost first.
pub(super) fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// The text of the innermost error: the one that knows what happened.
pub(super) fn root_cause(error: &(dyn Error + 'static)) -> String {
    chain(error).last().unwrap_or(error).to_string()
}

/// The response was not complete in time.
pub(super) fn timed_out(within: Duration) -> Failure {
    failure(FailureKind::TimedOut, format!("the response was not complete within {within:?}"))
}
