//! What a dataset has room for.

use std::collections::{BTreeMap, BTreeSet};

use super::update::{PatchFate, Planned};
use super::{Dataset, LIMIT, Phase, Reason};
use crate::fuzz::operation::{Bulk, Change, ValuePick};
use crate::fuzz::term::Count;

/// Bytes that a dataset surely has room for.
const SURELY_FITS: usize = 1_000_000;

/// The quota of records, and that of bytes as clients count it.
const QUOTA_RECORDS: usize = 1_024;
const QUOTA_BYTES: usize = 1_048_576;
const LONGEST_VALUE: usize = 1_048_575;

impl Dataset {
    /// A value that leaves no room in the dataset, or goes so much beyond.
    pub(super) fn filling(&self, key: &str, beyond: usize) -> String {
        let others = self.records.iter().filter(|(other, _)| *other != key);
        let others: usize = others.map(|(key, record)| size(key, record.value.as_deref())).sum();
        let room = (QUOTA_BYTES + beyond).saturating_sub(others + key.len());
        "f".repeat(room.min(LONGEST_VALUE))
    }

    /// Adds patches of new records until the quota is reached, or one beyond.
    pub(super) fn add_bulk(&self, bulk: Bulk, patches: &mut Vec<Planned>) {
        if bulk == Bulk::None || self.phase == Phase::Exists && !self.sure {
            return;
        }
        let (live, _) = self.records_after(patches);
        let room = QUOTA_RECORDS.saturating_sub(live) + usize::from(bulk == Bulk::OneTooMany);
        let keys = (0..).map(|index| format!("bulk-{index}")).filter(|key| !self.records.contains_key(key));
        patches.extend(keys.take(room).map(|key| Planned {
            key,
            change: Change::Write(ValuePick::Short(0)),
            sent: Some("x".to_owned()),
            becomes: Some("x".to_owned()),
            count: Count::plain(0),
            date: None,
            rewrites: false,
        }));
    }

    /// Records with a value once the patches are written, and those without.
    fn records_after(&self, patches: &[Planned]) -> (usize, usize) {
        let mut after: BTreeMap<&str, bool> = BTreeMap::new();
        if self.phase == Phase::Exists {
            after.extend(self.records.iter().map(|(key, record)| (key.as_str(), record.value.is_some())));
        }
        after.extend(patches.iter().map(|patch| (patch.key.as_str(), patch.becomes.is_some())));
        let live = after.values().filter(|live| **live).count();
        (live, after.len() - live + self.murky.len())
    }

    /// What the patches taken together make of the call.
    pub(super) fn call_fate(&self, patches: &[Planned]) -> Option<PatchFate> {
        let keys: BTreeSet<&str> = patches.iter().map(|patch| patch.key.as_str()).collect();
        if patches.is_empty() || keys.len() < patches.len() {
            return Some(PatchFate::Open);
        }
        let (live, removed) = self.records_after(patches);
        if live > QUOTA_RECORDS {
            return Some(PatchFate::Wrong(Reason::new("UpdateRecords/rule/record-quota-error", 400, &[LIMIT])));
        }
        let kept = self.records.iter().filter(|(key, _)| !keys.contains(key.as_str()) && self.phase == Phase::Exists);
        let kept: usize = kept.map(|(key, record)| size(key, record.value.as_deref())).sum();
        let written: usize = patches.iter().map(|patch| size(&patch.key, patch.becomes.as_deref())).sum();
        let total = kept + written;
        let quota = "UpdateRecords/rule/size-quota-is-mebibyte";
        if total <= SURELY_FITS && live + removed <= QUOTA_RECORDS {
            let full = "UpdateRecords/limit/records-per-dataset";
            return (live == QUOTA_RECORDS).then_some(PatchFate::Fine { rule: full, inferred: false });
        }
        // Whether removed records take room is open.
        match total {
            _ if removed > 0 => Some(PatchFate::Open),
            _ if total <= QUOTA_BYTES => Some(PatchFate::Fine { rule: quota, inferred: true }),
            _ if total <= 2 * QUOTA_BYTES - SURELY_FITS => Some(PatchFate::Wrong(Reason::new(quota, 400, &[LIMIT]))),
            _ => Some(PatchFate::Wrong(Reason::new("UpdateRecords/rule/size-quota-error", 400, &[LIMIT]))),
        }
    }
}

/// Bytes of a record as clients count them.
fn size(key: &str, value: Option<&str>) -> usize {
    key.len() + value.map_or(0, str::len)
}
