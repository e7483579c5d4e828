//! One dataset: its records, its counter, and what a batch of patches does.
//!
//! Invariant: `live` and `bytes` always are the number and the size of the records
//! that have a value, and `count` is never below any record's.

use std::collections::{BTreeMap, BTreeSet};

use super::error::ServiceError;
use super::state::Limits;
use super::timestamp::Timestamp;
use crate::reference::altered::{Switch, Switches};

/// Tombstones kept in one dataset; bounds its memory.
const TOMBSTONES_MAX: usize = 4_096;

/// A record, or the tombstone of a removed one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its key.
    pub key: String,
    /// Its value; none when it was removed.
    pub value: Option<String>,
    /// The dataset's count when the record was last written.
    pub sync_count: i64,
    /// When the server last wrote it.
    pub last_modified_date: Timestamp,
    /// Who last wrote it.
    pub last_modified_by: String,
    /// What the writer said of its own clock, unchecked.
    pub device_last_modified_date: Option<Timestamp>,
}

impl Record {
    /// Bytes of key and value in UTF-8; a tombstone has none.
    fn bytes(&self) -> u64 {
        self.value.as_ref().map_or(0, |value| record_bytes(&self.key, value))
    }
}

fn record_bytes(key: &str, value: &str) -> u64 {
    (key.len() + value.len()) as u64
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

#[derive(Debug, Clone)]
pub(super) struct Dataset {
    /// Not deleted.
    pub(super) exists: bool,
    pub(super) created: Timestamp,
    /// Latest write or deletion.
    pub(super) modified: Timestamp,
    pub(super) modified_by: String,
    /// One step per write or deletion; survives deletions.
    pub(super) count: i64,
    /// The count that the latest deletion took; 0 when there was none.
    pub(super) deleted_at: i64,
    pub(super) records: BTreeMap<String, Record>,
    /// Records with a value.
    pub(super) live: u64,
    /// Their size, keys included.
    pub(super) bytes: u64,
    /// Ids of the devices that want to hear of writes.
    pub(super) subscribers: BTreeSet<String>,
}

impl Dataset {
    /// A dataset that was never written to.
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            exists: false,
            created: now,
            modified: now,
            modified_by: String::new(),
            count: 0,
            deleted_at: 0,
            records: BTreeMap::new(),
            live: 0,
            bytes: 0,
            subscribers: BTreeSet::new(),
        }
    }

    pub(super) fn describe(&self, identity_id: &str, dataset_name: &str) -> DatasetDescription {
        DatasetDescription {
            identity_id: identity_id.to_owned(),
            dataset_name: dataset_name.to_owned(),
            creation_date: self.created,
            last_modified_date: self.modified,
            last_modified_by: self.modified_by.clone(),
            data_storage: self.bytes,
            num_records: self.live,
        }
    }

    /// Whether a client that last saw `last_sync_count` has missed a deletion.
    pub(super) fn deleted_after(&self, last_sync_count: i64) -> bool {
        last_sync_count > 0 && last_sync_count < self.deleted_at
    }

    /// Removes everything but the memory of the deletion.
    pub(super) fn delete(&mut self, write: Write<'_>) {
        self.exists = false;
        self.count += 1;
        self.deleted_at = self.count;
        self.modified = write.now;
        write.by.clone_into(&mut self.modified_by);
        self.records.clear();
        self.subscribers.clear();
        self.live = 0;
        self.bytes = 0;
    }

    /// Whether `patches` may be written: the counts agree and the result fits.
    pub(super) fn check(
        &self,
        patches: &[RecordPatch],
        limits: &Limits,
        switches: &Switches,
    ) -> Result<(), ServiceError> {
        for patch in patches {
            self.check_count(patch, switches)?;
        }
        let (live, bytes) = self.totals_after(patches);
        if live > limits.records_per_dataset {
            return Err(ServiceError::limit_exceeded(format!(
                "A dataset holds at most {} records, this one would hold {live}",
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

    fn check_count(&self, patch: &RecordPatch, switches: &Switches) -> Result<(), ServiceError> {
        let server = self.records.get(&patch.key).map_or(0, |record| record.sync_count);
        // Deletion took the records' counts away; a client that goes on from the
        // count it was shown is as right as one that begins anew.
        let resurrects = !self.exists && patch.sync_count == self.count;
        if patch.sync_count == server || resurrects || switches.has(Switch::StaleAccepted) {
            return Ok(());
        }
        let RecordPatch { key, sync_count: client, .. } = patch;
        Err(ServiceError::conflict(format!("Current SyncCount for: {key} is: {server} not: {client}")))
    }

    /// Live records and their bytes, once the patches (each key once) are written.
    fn totals_after(&self, patches: &[RecordPatch]) -> (u64, u64) {
        let (mut live, mut bytes) = (self.live, self.bytes);
        for patch in patches {
            if let Some(old) = self.records.get(&patch.key).filter(|record| record.value.is_some()) {
                live -= 1;
                bytes -= old.bytes();
            }
            if let Some(value) = new_value(patch) {
                live += 1;
                bytes += record_bytes(&patch.key, value);
            }
        }
        (live, bytes)
    }

    /// Writes checked patches in one step of the counter.
    pub(super) fn write(&mut self, patches: &[RecordPatch], write: Write<'_>, switches: &Switches) -> Vec<Record> {
        (self.live, self.bytes) = self.totals_after(patches);
        if !self.exists {
            self.exists = true;
            self.created = write.now;
        }
        self.count += if switches.has(Switch::CountPerPatch) { patches.len() as i64 } else { 1 };
        self.modified = write.now;
        write.by.clone_into(&mut self.modified_by);
        let written: Vec<Record> = patches
            .iter()
            .map(|patch| Record {
                key: patch.key.clone(),
                value: new_value(patch).cloned(),
                sync_count: self.count,
                last_modified_date: write.now,
                last_modified_by: write.by.to_owned(),
                device_last_modified_date: patch.device_last_modified_date,
            })
            .collect();
        self.records.extend(written.iter().map(|record| (record.key.clone(), record.clone())));
        self.forget_old_tombstones();
        written
    }

    fn forget_old_tombstones(&mut self) {
        let tombstones = self.records.values().filter(|record| record.value.is_none());
        let mut counts: Vec<i64> = tombstones.map(|record| record.sync_count).collect();
        if counts.len() > TOMBSTONES_MAX {
            counts.sort_unstable_by(|a, b| b.cmp(a));
            // Those of one call share a count and go together.
            let oldest_kept = counts[TOMBSTONES_MAX - 1].max(counts[TOMBSTONES_MAX] + 1);
            self.records.retain(|_, record| record.value.is_some() || record.sync_count >= oldest_kept);
        }
    }
}

fn new_value(patch: &RecordPatch) -> Option<&String> {
    match patch.operation {
        PatchOperation::Replace => patch.value.as_ref(),
        PatchOperation::Remove => None,
    }
}
