//! Datasets, their descriptions and lists, usage figures, quotas.

use crate::prove::alteration::Alteration;
use crate::prove::answers::member;

pub(super) fn all() -> Vec<Alteration> {
    vec![Alteration::rewritten(
        "count-of-datasets-off-by-one",
        "Count of a list of datasets is one too many.",
        &["ListDatasets/rule/count-is-of-answer"],
        |operation, _, response| {
            if operation == Some("ListDatasets") {
                member(response, "/Count", |count| *count = (count.as_i64().unwrap_or_default() + 1).into());
            }
        },
    )]
}
