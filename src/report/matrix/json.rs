//! The matrix for programs.

use serde_json::{Value, json};

use super::Matrix;

/// One object: `targets`, `requirements` and `disputes`, each with one entry for each
/// target in their order.
pub fn matrix_json(matrix: &Matrix) -> Value {
    let target = |column: &super::Column| {
        let count = column.count();
        json!({
            "label": column.label,
            "target": column.header.target,
            "started": column.header.started,
            "suite-digest": column.header.suite_digest,
            "whole": column.footer.as_ref().is_some_and(|footer| footer.stopped.is_none()),
            "conforming": count.conforming(),
            "judged": count.judged(),
            "requirements": count.all(),
        })
    };
    let rows = matrix.groups.iter().flat_map(|group| group.rows.iter().map(move |row| (group, row)));
    let row = |(group, row): (&super::Group, &super::Row)| {
        let case = |column: &super::Column| column.evidence.get(&row.id).map(|evidence| evidence.case.clone());
        json!({
            "id": row.id,
            "action": group.action,
            "kind": group.kind,
            "strength": row.strength,
            "standings": row.cells.iter().map(|standing| standing.name()).collect::<Vec<_>>(),
            "cases": matrix.columns.iter().map(case).collect::<Vec<_>>(),
            "disagreement": row.disagreement,
        })
    };
    let dispute = |row: &super::DisputeRow| json!({ "id": row.id, "question": row.question, "answers": row.answers });
    json!({
        "notes": matrix.notes,
        "targets": matrix.columns.iter().map(target).collect::<Vec<_>>(),
        "requirements": rows.map(row).collect::<Vec<_>>(),
        "disputes": matrix.disputes.iter().map(dispute).collect::<Vec<_>>(),
    })
}
