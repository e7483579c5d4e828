//! What the judge says: findings, and what a case came to.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::spec::Strength;

/// What a finding means for its case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Nobody knows what is right: recorded, never judged.
    Note,
    /// An inferred requirement does not hold.
    Warn,
    /// A documented or observed requirement does not hold.
    Fail,
}

impl From<Strength> for Level {
    fn from(strength: Strength) -> Self {
        match strength {
            Strength::Documented | Strength::Observed => Self::Fail,
            Strength::Inferred => Self::Warn,
            Strength::Open => Self::Note,
        }
    }
}

/// One difference between what was expected and what came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Finding {
    /// What it means for the case.
    pub level: Level,
    /// Number of the step, from 1, fixtures included.
    pub step: usize,
    /// Where in the response: `status`, `error`, `message`, `body`, `snapshot` with the
    /// first few places that differ, `header NAME`, a JSON pointer, or `answer` when
    /// there was none.
    pub at: String,
    /// What was expected there, in words or as JSON.
    pub expected: String,
    /// What was there.
    pub actual: String,
    /// Id of the requirement that does not hold.
    pub requirement: String,
    /// `file:line:column` of the expectation in the suite; of a snapshot `file:line`, and
    /// from what and when it was recorded.
    pub origin: String,
}

/// What a case came to on a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every expectation held.
    Pass,
    /// Only inferred requirements did not hold.
    Warn,
    /// A documented or observed requirement did not hold.
    Fail,
    /// It failed, and the target file says so.
    ExpectedFail,
    /// The target file says that it fails, and it passed.
    UnexpectedPass,
    /// The target says that it lacks what the case needs.
    Skipped,
    /// A prerequisite did not hold.
    NotTestable,
    /// There was no answer to judge.
    Indeterminate,
}

impl Verdict {
    /// All verdicts, in the order in which totals list them.
    pub const ALL: [Self; 8] = [
        Self::Pass,
        Self::Warn,
        Self::Fail,
        Self::ExpectedFail,
        Self::UnexpectedPass,
        Self::Skipped,
        Self::NotTestable,
        Self::Indeterminate,
    ];

    /// The name used in documents and on the terminal.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::ExpectedFail => "expected-fail",
            Self::UnexpectedPass => "unexpected-pass",
            Self::Skipped => "skipped",
            Self::NotTestable => "not-testable",
            Self::Indeterminate => "indeterminate",
        }
    }

    /// Whether expectations were compared with answers to the end.
    pub fn is_judged(self) -> bool {
        !matches!(self, Self::Skipped | Self::NotTestable | Self::Indeterminate)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The verdict that findings lead to, known failures aside. With `strict`,
/// inferred requirements count like documented ones.
pub fn verdict(findings: &[Finding], strict: bool) -> Verdict {
    match findings.iter().map(|finding| finding.level).max() {
        Some(Level::Fail) => Verdict::Fail,
        Some(Level::Warn) if strict => Verdict::Fail,
        Some(Level::Warn) => Verdict::Warn,
        Some(Level::Note) | None => Verdict::Pass,
    }
}
