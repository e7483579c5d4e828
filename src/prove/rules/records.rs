//! Records: sync counts, conflicts, tombstones, tokens, pages.

use crate::prove::alteration::Alteration;
use crate::reference::Switch;

pub(super) fn all() -> Vec<Alteration> {
    vec![
        Alteration::mutant(
            "count-per-patch",
            "A dataset's count rises by one for each patch of a call.",
            &["UpdateRecords/rule/one-step-per-call"],
            Switch::CountPerPatch,
        ),
        Alteration::mutant(
            "stale-accepted",
            "A patch is taken whatever its sync count.",
            &["UpdateRecords/rule/stale-sync-count", "UpdateRecords/rule/conflict-despite-equal-value"],
            Switch::StaleAccepted,
        ),
        Alteration::variant(
            "no-patches-refused",
            "A write without patches is an invalid parameter.",
            &["UpdateRecords/rule/no-patches"],
            Switch::NoPatchesRefused,
        ),
    ]
}
