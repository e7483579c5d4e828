//! How two runs differ, for programs.

use indexmap::IndexMap;
use serde_json::{Value, json};

use super::{Change, ChangeKind, Diff};

/// One object: the two runs, whether it is a regression, how many changes of each kind
/// there are, and the changes.
pub fn diff_json(diff: &Diff) -> Value {
    let counts: IndexMap<_, _> = ChangeKind::ALL.into_iter().map(|kind| (kind, diff.count(kind))).collect();
    let change = |change: &Change| {
        let verdict = |result: &Option<crate::run::CaseResult>| result.as_ref().map(|result| result.verdict);
        json!({
            "kind": change.kind,
            "case": change.case,
            "before": verdict(&change.before),
            "after": verdict(&change.after),
            "why": change.why(),
            "turns": change.turns,
        })
    };
    json!({
        "old": { "target": diff.old.target, "started": diff.old.started, "suite-digest": diff.old.suite_digest },
        "new": { "target": diff.new.target, "started": diff.new.started, "suite-digest": diff.new.suite_digest },
        "notes": diff.notes,
        "regression": diff.is_regression(),
        "sentence": diff.sentence(),
        "counts": counts,
        "same": diff.same,
        "changes": diff.changes.iter().map(change).collect::<Vec<_>>(),
    })
}
