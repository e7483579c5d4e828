//! Writes: sync counts, conflicts, what one call may hold.

use crate::prove::alteration::Alteration;
use crate::prove::answers::member;
use crate::reference::Switch;
use crate::wire::Response;

pub(super) fn all() -> Vec<Alteration> {
    let mut all = counts();
    all.extend(conflicts());
    all.extend(messages_of_conflicts());
    all.extend(batches());
    all
}

fn counts() -> Vec<Alteration> {
    vec![
        Alteration::mutant(
            "count-per-patch",
            "A dataset's count rises by one for each patch of a call.",
            &["UpdateRecords/rule/one-step-per-call", "UpdateRecords/rule/trigger-one-step"],
            Switch::CountPerPatch,
        ),
        Alteration::mutant(
            "count-by-two",
            "A call raises a dataset's count by two.",
            &["UpdateRecords/rule/one-step-per-call"],
            Switch::CountByTwo,
        ),
        Alteration::mutant(
            "datasets-share-count",
            "All datasets of an identity have one counter.",
            &["UpdateRecords/rule/one-step-per-call"],
            Switch::DatasetsShareCount,
        ),
        Alteration::mutant(
            "equal-value-uncounted",
            "A call that changes no value does not raise the count.",
            &["UpdateRecords/rule/rewrite-counts"],
            Switch::EqualValueUncounted,
        ),
        Alteration::mutant(
            "equal-value-unanswered",
            "A write that changes no value gives no record.",
            &["UpdateRecords/rule/rewrite-accepted"],
            Switch::EqualValueUnanswered,
        ),
        Alteration::mutant(
            "rewrite-refused",
            "Writing the value that a record already has is an invalid parameter.",
            &["UpdateRecords/rule/rewrite-accepted"],
            Switch::RewriteRefused,
        ),
        Alteration::mutant(
            "records-count-alone",
            "Each record has a count of its own, which begins at one.",
            &["UpdateRecords/rule/record-carries-new-count"],
            Switch::RecordsCountAlone,
        ),
        Alteration::mutant(
            "records-count-behind",
            "A written record gets the count from before the write.",
            &["UpdateRecords/rule/record-carries-new-count"],
            Switch::RecordsCountBehind,
        ),
        Alteration::mutant(
            "count-reset-by-deletion",
            "A deletion sets the dataset's count back to 0.",
            &["UpdateRecords/rule/count-survives-deletion", "ListRecords/rule/recreated-lists-new-records"],
            Switch::DeletionResetsCount,
        ),
    ]
}

fn conflicts() -> Vec<Alteration> {
    vec![
        Alteration::mutant(
            "new-record-names-dataset-count",
            "A patch for a new record must name the dataset's count.",
            &["UpdateRecords/rule/new-record-count-zero"],
            Switch::NewRecordNamesDatasetCount,
        ),
        Alteration::mutant(
            "stale-accepted",
            "A patch is taken whatever its sync count.",
            &["UpdateRecords/rule/stale-sync-count", "UpdateRecords/rule/conflict-despite-equal-value"],
            Switch::StaleAccepted,
        ),
        Alteration::mutant(
            "stale-equal-accepted",
            "A stale patch is taken when it would not change the value.",
            &["UpdateRecords/rule/conflict-despite-equal-value"],
            Switch::StaleEqualAccepted,
        ),
        Alteration::mutant(
            "stale-removal-accepted",
            "A removal is taken whatever its sync count.",
            &["UpdateRecords/rule/stale-sync-count"],
            Switch::StaleRemovalAccepted,
        ),
        Alteration::mutant(
            "first-patch-checked",
            "Only the first patch of a call is checked for its sync count.",
            &["UpdateRecords/rule/stale-sync-count"],
            Switch::FirstPatchChecked,
        ),
        Alteration::mutant(
            "tokens-voided-by-writes",
            "A write makes void every token that was handed out before it.",
            &["UpdateRecords/rule/stale-sync-count"],
            Switch::TokensVoidedByWrites,
        ),
        Alteration::mutant(
            "partial-batch",
            "The patches of a refused call that name the right count are written.",
            &["UpdateRecords/rule/all-or-nothing"],
            Switch::PartialBatch,
        ),
    ]
}

fn messages_of_conflicts() -> Vec<Alteration> {
    vec![
        Alteration::rewritten(
            "conflict-without-counts",
            "The message of a conflict names neither key nor counts.",
            &["UpdateRecords/rule/conflict-message"],
            |_, _, response| conflict_message(response, |_| "The record was changed meanwhile".to_owned()),
        ),
        Alteration::rewritten(
            "conflict-counts-swapped",
            "The message of a conflict takes the patch's count for the record's.",
            &["UpdateRecords/rule/conflict-message"],
            |_, _, response| conflict_message(response, swapped),
        ),
        Alteration::variant(
            "count-ahead-accepted",
            "A patch with a count above the record's is taken.",
            &["UpdateRecords/rule/count-ahead-of-record"],
            Switch::AheadAccepted,
        ),
        Alteration::variant(
            "count-ahead-invalid",
            "A patch with a count above the record's, or for a new one above 0, is an invalid parameter.",
            &["UpdateRecords/rule/count-ahead-of-record", "UpdateRecords/rule/count-for-new-record"],
            Switch::AheadInvalid,
        ),
        Alteration::variant(
            "count-for-new-accepted",
            "A patch for a new record is taken whatever its sync count.",
            &["UpdateRecords/rule/count-for-new-record"],
            Switch::CountForNewAccepted,
        ),
        Alteration::variant(
            "resurrection-refused",
            "In a deleted dataset only count 0 is right for a record.",
            &[],
            Switch::ResurrectionRefused,
        ),
    ]
}

fn conflict_message(response: &mut Response, rewrite: impl FnOnce(&str) -> String) {
    if response.status == 409 {
        member(response, "/message", |message| *message = rewrite(message.as_str().unwrap_or_default()).into());
    }
}

/// The message with both of its counts exchanged.
fn swapped(message: &str) -> String {
    let parts = message.rsplit_once(" not: ").and_then(|(head, client)| Some((head.rsplit_once(" is: ")?, client)));
    parts.map_or_else(String::new, |((head, server), client)| format!("{head} is: {client} not: {server}"))
}

fn batches() -> Vec<Alteration> {
    vec![
        Alteration::variant(
            "same-key-last-wins",
            "Of two patches for one key the last is written.",
            &["UpdateRecords/rule/same-key-twice"],
            Switch::SameKeyLastWins,
        ),
        Alteration::variant(
            "same-key-conflicts",
            "Two patches for one key are a conflict.",
            &["UpdateRecords/rule/same-key-twice"],
            Switch::SameKeyConflicts,
        ),
        Alteration::variant(
            "no-patches-refused",
            "A write without patches is an invalid parameter.",
            &["UpdateRecords/rule/no-patches", "UpdateRecords/rule/trigger-without-patches"],
            Switch::NoPatchesRefused,
        ),
        Alteration::variant(
            "no-patches-keep-token",
            "A write without patches does not use up its token.",
            &[],
            Switch::NoPatchesKeepToken,
        ),
        Alteration::variant(
            "no-patches-counted",
            "A write without patches makes the dataset and raises its count.",
            &[],
            Switch::NoPatchesCounted,
        ),
        Alteration::variant(
            "many-patches-invalid",
            "More than 1024 patches in one call are an invalid parameter.",
            &[],
            Switch::ManyPatchesInvalid,
        ),
        Alteration::mutant(
            "recreation-refused",
            "A deleted dataset cannot be written to.",
            &["UpdateRecords/rule/recreates-dataset"],
            Switch::RecreationRefused,
        ),
    ]
}
