//! UpdateRecords with a function behind the event `SyncTrigger`: what the function is
//! told, and what its answer makes of the client's patches.
//!
//! The function runs between two looks at the model. The first checks the whole update
//! and gives an [`Invocation`]; the second is an ordinary update with the patches that
//! came out of it, so that whatever happened meanwhile is found by the ordinary checks.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::dataset::{Dataset, PatchOperation, RecordPatch};
use super::error::ServiceError;
use super::records::UpdateRecords;
use super::state::{Call, Caller, DatasetPlace, Identity, Model};
use crate::reference::altered::Switch;

/// A function that is to see an update before it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// The function.
    pub function_arn: String,
    /// What is updated.
    pub place: DatasetPlace,
    /// Every record that has a value, and every one that the client patches, by key.
    pub records: BTreeMap<String, Seen>,
    /// The client's patches.
    patches: Vec<RecordPatch>,
    /// Counts of all records, removed ones too.
    counts: BTreeMap<String, i64>,
    /// Whether the client's patches are dropped that the function leaves out.
    drops_left_out: bool,
}

/// A record as the function sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its value before the update; none when there is none.
    pub old_value: Option<String>,
    /// Its value after the update; none when it will have none.
    pub new_value: Option<String>,
}

/// What a function wants records to be: values by key, none for records that shall not
/// be. Records that it does not name are left as they would be.
pub type Wanted = BTreeMap<String, Option<String>>;

impl Model {
    /// The function that must see this update first, if there is one: only updates of
    /// identities, with patches, in pools with a `SyncTrigger` have one.
    ///
    /// # Errors
    ///
    /// Those of [`Model::update_records`], when there is a function.
    pub fn invocation(
        &self,
        call: &Call<'_>,
        place: &DatasetPlace,
        input: &UpdateRecords,
    ) -> Result<Option<Invocation>, ServiceError> {
        let has = |switch| self.switches.has(switch);
        let unseen = has(Switch::FunctionNeverCalled)
            || *call.caller == Caller::Developer && !has(Switch::FunctionForAccount)
            || input.patches.is_empty() && !has(Switch::FunctionSeesNoPatches);
        if !self.reach.functions || unseen {
            return Ok(None);
        }
        let pool = self.pool(&place.identity_pool_id)?;
        let Some(function_arn) = pool.sync_trigger.clone().filter(|arn| !arn.is_empty()) else { return Ok(None) };
        let whose = self.whose(&place.identity_pool_id, &place.identity_id);
        let identity = pool.identity(whose)?;
        let checked = self.check_update(call, place, input, identity);
        // What a refused update leaves behind, the update itself sees to.
        let leaves_something = has(Switch::ConflictSpendsToken)
            || has(Switch::OtherRefusalSpendsToken)
            || has(Switch::PartialBatch)
            || has(Switch::RefusedUpdatesTold);
        match checked {
            Err(_) if has(Switch::FunctionSeesRefused) => {}
            Err(_) if leaves_something => return Ok(None),
            checked => checked?,
        }
        let patches = self.checked_patches(input).map_or_else(|_| input.patches.clone(), Cow::into_owned);
        let fresh = Dataset::new(call.now, self.switches.clone());
        let dataset = identity.datasets.get(&place.dataset_name).unwrap_or(&fresh);
        Ok(Some(Invocation {
            function_arn,
            place: place.clone(),
            records: seen(dataset, &patches, has(Switch::FunctionSeesTombstones)),
            counts: dataset.records.values().map(|record| (record.key.clone(), record.sync_count)).collect(),
            drops_left_out: has(Switch::LeftOutPatchesDropped),
            patches,
        }))
    }

    /// Whether the update would be made as it stands.
    fn check_update(
        &self,
        call: &Call<'_>,
        place: &DatasetPlace,
        input: &UpdateRecords,
        identity: &Identity,
    ) -> Result<(), ServiceError> {
        if let Some(token) = &input.sync_session_token {
            self.session_of_write(call, place, identity, token)?;
        }
        let patches = self.checked_patches(input)?;
        identity.check_device(input.device_id.as_deref(), &self.switches)?;
        let fresh = Dataset::new(call.now, self.switches.clone());
        let dataset = identity.datasets.get(&place.dataset_name).unwrap_or(&fresh);
        dataset.check(&patches, &self.limits)?;
        if !dataset.exists {
            identity.check_quota(&self.limits, &self.switches)?;
        }
        Ok(())
    }
}

/// The records of a dataset, as a function sees them.
fn seen(dataset: &Dataset, patches: &[RecordPatch], tombstones: bool) -> BTreeMap<String, Seen> {
    let live = dataset.records.values().filter(|record| tombstones || !record.is_tombstone());
    let mut records: BTreeMap<String, Seen> = live
        .map(|record| {
            let value = record.value.clone();
            (record.key.clone(), Seen { old_value: value.clone(), new_value: value })
        })
        .collect();
    for patch in patches {
        let seen = records.entry(patch.key.clone()).or_insert(Seen { old_value: None, new_value: None });
        seen.new_value = dataset.new_value(patch);
    }
    records
}

impl Invocation {
    /// The client's patches, with what the function wants otherwise, and then patches
    /// for the other records that it wants changed, by key. These name the counts that
    /// the function's input was made from.
    pub fn patches_with(&self, wanted: &Wanted) -> Vec<RecordPatch> {
        let mut patches = self.patches.clone();
        if self.drops_left_out {
            patches.retain(|patch| wanted.contains_key(&patch.key));
        }
        for patch in &mut patches {
            if let Some(value) = wanted.get(&patch.key) {
                (patch.operation, patch.value) = (operation(value.as_ref()), value.clone());
            }
        }
        let patched: BTreeSet<&String> = self.patches.iter().map(|patch| &patch.key).collect();
        let current = |key: &str| self.records.get(key).and_then(|seen| seen.new_value.as_ref());
        let others = wanted.iter().filter(|(key, value)| !patched.contains(key) && current(key) != value.as_ref());
        patches.extend(others.map(|(key, value)| RecordPatch {
            operation: operation(value.as_ref()),
            key: key.clone(),
            value: value.clone(),
            sync_count: self.counts.get(key).copied().unwrap_or(0),
            device_last_modified_date: None,
        }));
        patches
    }
}

fn operation(value: Option<&String>) -> PatchOperation {
    if value.is_some() { PatchOperation::Replace } else { PatchOperation::Remove }
}
