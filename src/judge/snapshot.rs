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

/// The finding for a snapshot that differs from what was recorded, or for which
/// nothing was recorded.
pub fn snapshot(case: &Case, actual: &str, recorded: Option<&str>, from: Recorded) -> Option<Finding> {
    let level = match from {
        Recorded::OnTarget => Level::Fail,
        Recorded::Elsewhere => Level::Note,
    };
    if recorded == Some(actual) || (recorded.is_none() && from == Recorded::Elsewhere) {
        return None;
    }
    let step = case.steps.iter().rposition(|step| step.expects.iter().any(|expect| expect.snapshot));
    Some(Finding {
        level,
        step: step.map_or(case.steps.len(), |index| index + 1),
        at: "snapshot".to_owned(),
        expected: recorded.unwrap_or("nothing is recorded yet; record it with `cargo insta test --review`").to_owned(),
        actual: actual.to_owned(),
        requirement: case.proves.first().cloned().unwrap_or_default(),
        origin: case.origin.to_string(),
    })
}
