//! A case's canonical responses against what was recorded.

use super::finding::{Finding, Level};
use crate::cases::Case;

/// How the recorded snapshots relate to the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// They are the target's own: a difference is a regression.
    OnTarget,
    /// They come from another server, which may make other legal choices: a
    /// difference is noted.
    Elsewhere,
}

/// Stands for a requirement in findings about snapshots: that answers stay what
/// they were is no statement about the service.
pub const SNAPSHOT: &str = "snapshot";

/// The finding for a snapshot that differs from what was recorded. That nothing
/// was recorded yet is noted where snapshots are the target's own.
pub fn snapshot(case: &Case, actual: &str, recorded: Option<&str>, from: Recorded) -> Option<Finding> {
    let (level, expected) = match (recorded, from) {
        (Some(recorded), _) if recorded == actual => return None,
        (Some(recorded), Recorded::OnTarget) => (Level::Fail, recorded),
        (Some(recorded), Recorded::Elsewhere) => (Level::Note, recorded),
        (None, Recorded::OnTarget) => (Level::Note, "nothing is recorded yet"),
        (None, Recorded::Elsewhere) => return None,
    };
    let step = case.steps.iter().rposition(|step| step.expects.iter().any(|expect| expect.snapshot));
    Some(Finding {
        level,
        step: step.map_or(case.steps.len(), |index| index + 1),
        at: SNAPSHOT.to_owned(),
        expected: expected.to_owned(),
        actual: actual.to_owned(),
        requirement: SNAPSHOT.to_owned(),
        origin: case.origin.to_string(),
    })
}
