//! One dataset: its records, its counter, and what a batch of patches does.
//!
//! Invariant: `live` and `bytes` always are the number and the size of the records
//! that have a value, and `count` is never below any record's.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::error::ServiceError;
use super::state::Limits;
use super::timestamp::Timestamp;
use super::tracked::Tracked;
use crate::reference::altered::{Switch, Switches};

/// Tombstones kept in one dataset; bounds its memory.
const TOMBSTONES_MAX: usize = 4_096;

/// A record, or the tombstone of a removed one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its key.
    #[serde(skip)]
    pub key: String,
    /// Its value; none when it was removed.
    pub value: Option<String>,
    /// The dataset's count when the record was last written.
    pub sync_count: i64,
    /// When the server last wrote it.
    pub last_modified_date: Timestamp,
    /// Who last wrote it.
    pub last_modified_by: Arc<str>,
    /// What the writer said of its own clock, unchecked.
    pub device_last_modified_date: Option<Timestamp>,
}

impl Record {
    /// Whether it was removed.
    pub(super) fn is_tombstone(&self) -> bool {
        self.value.is_none()
    }
}

/// One change of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordPatch {
    /// What to do.
    pub operation: PatchOperation,
    /// The record's key.
    pub key: String,
    /// The new value; means nothing for a removal.
    pub value: Option<String>,
    /// The record's count as the client knows it; 0 for a new one.
    pub sync_count: i64,
    /// The client's clock, if it says.
    pub device_last_modified_date: Option<Timestamp>,
}

/// What a patch does to its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatchOperation {
    /// Writes the value, whether or not there was one.
    Replace,
    /// Leaves a tombstone.
    Remove,
}

/// A dataset as the API describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetDescription {
    /// Whose it is.
    pub identity_id: String,
    /// Its name.
    pub dataset_name: String,
    /// First write, or first one after the latest deletion.
    pub creation_date: Timestamp,
    /// Latest write.
    pub last_modified_date: Timestamp,
    /// Who did the latest write.
    pub last_modified_by: String,
    /// Bytes of keys and values in UTF-8.
    pub data_storage: u64,
    /// Records with a value.
    pub num_records: u64,
}

/// When and by whom a batch is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Write<'a> {
    pub(super) now: Timestamp,
    pub(super) by: &'a str,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Dataset {
    /// Not deleted.
    pub(super) exists: bool,
    pub(super) created: Timestamp,
    /// Latest write or deletion.
    pub(super) modified: Timestamp,
    pub(super) modified_by: Arc<str>,
    /// One step per write or deletion; survives deletions.
    pub(super) count: i64,
    /// The count that the latest deletion took; 0 when there was none.
    pub(super) deleted_at: i64,
    #[serde(skip)]
    pub(super) records: Tracked<String, Record>,
    /// Records with a value.
    #[serde(skip)]
    pub(super) live: u64,
    /// Their size, keys included.
    #[serde(skip)]
    pub(super) bytes: u64,
    /// Ids of the devices that want to hear of writes.
    pub(super) subscribers: BTreeSet<String>,
    #[serde(skip)]
    pub(super) switches: Switches,
    /// The form that is kept of it, if any.
    #[serde(skip)]
    pub(super) kept: Vec<u8>,
}

impl Dataset {
    /// A dataset that was never written to.
    pub(super) fn new(now: Timestamp, switches: Switches) -> Self {
        Self {
            exists: false,
            created: now,
            modified: now,
            modified_by: "".into(),
            count: 0,
            deleted_at: 0,
            records: Tracked::default(),
            live: 0,
            bytes: 0,
            subscribers: BTreeSet::new(),
            switches,
            kept: Vec::new(),
        }
    }

    /// Gives back a record that is kept elsewhere.
    pub(super) fn restore(&mut self, mut record: Record) {
        record.last_modified_by = self.known(&record.last_modified_by);
        if let Some(value) = &record.value {
            self.live += 1;
            self.bytes += self.size(&record.key, value);
        }
        self.records.restore(record.key.clone(), record);
    }

    /// A writer's name. Most records of a dataset are its latest writer's: they share it.
    fn known(&self, by: &str) -> Arc<str> {
        if *self.modified_by == *by { Arc::clone(&self.modified_by) } else { by.into() }
    }

    pub(super) fn describe(&self, identity_id: &str, dataset_name: &str) -> DatasetDescription {
        let (mut num_records, mut data_storage) = (self.live, self.bytes);
        if self.switches.has(Switch::NumRecordsWithTombstones) {
            num_records = self.records.len() as u64;
        }
        if self.switches.has(Switch::NumRecordsOfWrites) {
            num_records = self.count.unsigned_abs();
        }
        if self.switches.has(Switch::DataStorageWithTombstones) {
            let tombstones = self.records.values().filter(|record| record.is_tombstone());
            data_storage += tombstones.map(|record| record.key.len() as u64).sum::<u64>();
        }
        DatasetDescription {
            identity_id: identity_id.to_owned(),
            dataset_name: dataset_name.to_owned(),
            creation_date: self.created,
            last_modified_date: self.modified,
            last_modified_by: self.modified_by.to_string(),
            data_storage,
            num_records,
        }
    }

    /// Whether a client that last saw `last_sync_count` has missed a deletion.
    pub(super) fn deleted_after(&self, last_sync_count: i64) -> bool {
        if self.switches.has(Switch::NeverFlagged)
            || self.switches.has(Switch::FlaggedOnlyWhenRecreated) && !self.exists
        {
            return false;
        }
        let knew_it = last_sync_count > 0 || self.switches.has(Switch::FlaggedFromZero);
        knew_it && last_sync_count < self.deleted_at
    }

    /// Removes everything but the memory of the deletion.
    pub(super) fn delete(&mut self, write: Write<'_>) {
        self.exists = false;
        self.deleted_at = self.count + 1;
        if self.switches.has(Switch::DeletionResetsCount) {
            self.count = 0;
        } else if !self.switches.has(Switch::DeletionUncounted) {
            self.count += 1;
        }
        self.modified = write.now;
        self.modified_by = self.known(write.by);
        if self.switches.has(Switch::DeletionKeepsRecords) {
            return;
        }
        self.records.clear();
        self.subscribers.clear();
        self.live = 0;
        if !self.switches.has(Switch::StorageOfDeletedDatasets) {
            self.bytes = 0;
        }
    }

    /// Whether `patches` may be written: the counts agree and the result fits.
    pub(super) fn check(&self, patches: &[RecordPatch], limits: &Limits) -> Result<(), ServiceError> {
        let checked = if self.switches.has(Switch::FirstPatchChecked) { 1 } else { patches.len() };
        for patch in patches.iter().take(checked) {
            self.check_count(patch)?;
        }
        let (mut records, bytes) = self.totals_after(patches);
        if self.switches.has(Switch::TombstonesFillQuota) {
            let patched = patches.iter().filter(|patch| !self.records.contains_key(&patch.key));
            records = (self.records.len() + patched.count()) as u64;
        }
        if self.switches.has(Switch::RecordQuotaPerCall) {
            records = patches.len() as u64;
        }
        if records > limits.records_per_dataset {
            return Err(ServiceError::limit_exceeded(format!(
                "A dataset holds at most {} records, this one would hold {records}",
                limits.records_per_dataset
            )));
        }
        if bytes > limits.dataset_bytes {
            return Err(ServiceError::limit_exceeded(format!(
                "A dataset holds at most {} bytes, this one would hold {bytes}",
                limits.dataset_bytes
            )));
        }
        Ok(())
    }

    /// Whether the patch names the count of its record.
    pub(super) fn check_count(&self, patch: &RecordPatch) -> Result<(), ServiceError> {
        let record = self.records.get(&patch.key);
        let server = self.count_to_name(record);
        // Deletion took the records' counts away; a client that goes on from the
        // count it was shown is as right as one that begins anew.
        let resurrects =
            !self.exists && patch.sync_count == self.count && !self.switches.has(Switch::ResurrectionRefused);
        if patch.sync_count == server || resurrects || self.tolerates(patch, record) {
            let rewrite = record.is_some() && !self.changes(patch);
            let refused = rewrite && self.switches.has(Switch::RewriteRefused)
                || !self.exists && self.count > 0 && self.switches.has(Switch::RecreationRefused);
            return if refused { Err(ServiceError::invalid_parameter("Nothing can be written here")) } else { Ok(()) };
        }
        let RecordPatch { key, sync_count: client, .. } = patch;
        let message = format!("Current SyncCount for: {key} is: {server} not: {client}");
        if *client > server && self.switches.has(Switch::AheadInvalid) {
            return Err(ServiceError::invalid_parameter(message));
        }
        Err(ServiceError::conflict(message))
    }

    /// The count that a patch must name.
    fn count_to_name(&self, record: Option<&Record>) -> i64 {
        let missing = if self.switches.has(Switch::NewRecordNamesDatasetCount) { self.count } else { 0 };
        let forgotten = |record: &&Record| record.is_tombstone() && self.switches.has(Switch::TombstoneCountForgotten);
        record.filter(|record| !forgotten(record)).map_or(missing, |record| record.sync_count)
    }

    /// Whether an altered server takes a patch that names another count.
    fn tolerates(&self, patch: &RecordPatch, record: Option<&Record>) -> bool {
        let has = |switch| self.switches.has(switch);
        let ahead = patch.sync_count > record.map_or(0, |record| record.sync_count);
        has(Switch::StaleAccepted)
            || has(Switch::StaleEqualAccepted) && record.is_some_and(|record| record.value == patch.value)
            || has(Switch::StaleRemovalAccepted) && patch.operation == PatchOperation::Remove
            || has(Switch::StaleAfterRemovalAccepted) && record.is_some_and(Record::is_tombstone)
            || has(Switch::AheadAccepted) && ahead && record.is_some()
            || has(Switch::CountForNewAccepted) && record.is_none()
    }

    /// Live records and their bytes, once the patches (each key once) are written.
    fn totals_after(&self, patches: &[RecordPatch]) -> (u64, u64) {
        let (mut live, mut bytes) = (self.live, self.bytes);
        for patch in patches {
            if let Some(old) = self.records.get(&patch.key).and_then(|record| record.value.as_ref()) {
                live -= 1;
                bytes -= self.size(&patch.key, old);
            }
            if let Some(value) = self.new_value(patch) {
                live += 1;
                bytes += self.size(&patch.key, &value);
            }
        }
        (live, bytes)
    }

    /// Bytes of key and value in UTF-8.
    fn size(&self, key: &str, value: &str) -> u64 {
        let key = if self.switches.has(Switch::SizeOfValues) { "" } else { key };
        let size = if self.switches.has(Switch::SizeInCharacters) {
            key.chars().count() + value.chars().count()
        } else {
            key.len() + value.len()
        };
        size as u64
    }

    /// Writes those patches of a refused batch that name the right count, as only
    /// an altered server does.
    pub(super) fn write_some(&mut self, patches: &[RecordPatch], write: Write<'_>) {
        let right = patches.iter().filter(|patch| self.check_count(patch).is_ok());
        let right: Vec<RecordPatch> = right.cloned().collect();
        if self.exists && !right.is_empty() && self.switches.has(Switch::PartialBatch) {
            self.write(&right, write);
        }
    }

    /// Writes checked patches in one step of the counter.
    pub(super) fn write(&mut self, patches: &[RecordPatch], write: Write<'_>) -> Vec<Record> {
        (self.live, self.bytes) = self.totals_after(patches);
        if !self.exists {
            self.exists = true;
            if self.count == 0 || !self.switches.has(Switch::RecreationKeepsDate) {
                self.created = write.now;
            }
        }
        let former = self.count;
        let unanswered: Vec<&String> = match self.switches.has(Switch::EqualValueUnanswered) {
            true => patches.iter().filter(|patch| !self.changes(patch)).map(|patch| &patch.key).collect(),
            false => Vec::new(),
        };
        self.count += self.step(patches);
        self.modified = write.now;
        self.modified_by = self.known(write.by);
        let written: Vec<Record> = patches
            .iter()
            .map(|patch| Record {
                key: patch.key.clone(),
                value: self.new_value(patch),
                sync_count: self.new_count(patch, former),
                last_modified_date: write.now,
                last_modified_by: Arc::clone(&self.modified_by),
                device_last_modified_date: patch.device_last_modified_date,
            })
            .collect();
        self.records.extend(written.iter().map(|record| (record.key.clone(), record.clone())));
        if self.switches.has(Switch::NoTombstones) {
            self.records.retain(|record| !record.is_tombstone());
        }
        if self.switches.has(Switch::LastRemovalDeletes) {
            self.exists = self.live > 0;
        }
        self.forget_old_tombstones();
        if self.switches.has(Switch::AnswersWholeDataset) {
            return self.records.values().cloned().collect();
        }
        written.into_iter().filter(|record| !unanswered.contains(&&record.key)).collect()
    }

    /// Whether a patch leads to another value than the record has.
    fn changes(&self, patch: &RecordPatch) -> bool {
        let value = self.records.get(&patch.key).and_then(|record| record.value.clone());
        value != self.new_value(patch)
    }

    /// By how much a call raises the count.
    fn step(&self, patches: &[RecordPatch]) -> i64 {
        if self.switches.has(Switch::CountPerPatch) {
            patches.len() as i64
        } else if self.switches.has(Switch::CountByTwo) {
            2
        } else if self.switches.has(Switch::EqualValueUncounted) {
            i64::from(patches.iter().any(|patch| self.changes(patch)))
        } else {
            1
        }
    }

    /// The count of a written record: the dataset's.
    fn new_count(&self, patch: &RecordPatch, former: i64) -> i64 {
        let record = self.records.get(&patch.key).map_or(0, |record| record.sync_count);
        let removes = patch.operation == PatchOperation::Remove;
        if self.switches.has(Switch::RecordsCountAlone) {
            record + 1
        } else if self.switches.has(Switch::RecordsCountBehind) {
            former
        } else if self.switches.has(Switch::RemovalKeepsCount) && removes {
            record
        } else {
            self.count
        }
    }

    /// What a patch makes of the record's value.
    pub(super) fn new_value(&self, patch: &RecordPatch) -> Option<String> {
        let kept = self.switches.has(Switch::RemovalTakesValue);
        let value = patch.value.clone().filter(|_| patch.operation == PatchOperation::Replace || kept);
        if patch.operation == PatchOperation::Replace && self.switches.has(Switch::MissingValueIsEmpty) {
            return Some(value.unwrap_or_default());
        }
        value.filter(|value| !(value.is_empty() && self.switches.has(Switch::EmptyValueIsNone)))
    }

    fn forget_old_tombstones(&mut self) {
        let tombstones = self.records.values().filter(|record| record.value.is_none());
        let mut counts: Vec<i64> = tombstones.map(|record| record.sync_count).collect();
        if counts.len() > TOMBSTONES_MAX {
            counts.sort_unstable_by(|a, b| b.cmp(a));
            // Those of one call share a count and go together.
            let oldest_kept = counts[TOMBSTONES_MAX - 1].max(counts[TOMBSTONES_MAX] + 1);
            self.records.retain(|record| record.value.is_some() || record.sync_count >= oldest_kept);
        }
    }
}
