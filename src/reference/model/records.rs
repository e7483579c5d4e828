//! ListRecords and UpdateRecords.

use std::collections::BTreeSet;
use std::ops::Bound;

use super::dataset::{Dataset, PatchOperation, Record, RecordPatch, Write};
use super::error::ServiceError;
use super::page::{self, PageRequest};
use super::session::Session;
use super::state::{Call, Caller, DatasetPlace, Identity, Model};
use crate::reference::altered::Switch;

/// Most records of one page.
const PAGE_RECORDS_MAX: usize = 1_024;

/// Input of ListRecords beside the dataset's place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListRecords {
    /// Only records with a higher count; 0 or none for all.
    pub last_sync_count: Option<i64>,
    /// Which page.
    pub page: PageRequest,
    /// A session to be checked; listing needs none.
    pub sync_session_token: Option<String>,
}

/// Output of ListRecords.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordPage {
    /// Records and tombstones, by key.
    pub records: Vec<Record>,
    /// Names the next page, if there is one.
    pub next_token: Option<String>,
    /// The dataset's count; 0 when it never existed.
    pub dataset_sync_count: i64,
    /// Who last wrote to the dataset, while it exists.
    pub last_modified_by: Option<String>,
    /// Whether the dataset exists now.
    pub dataset_exists: bool,
    /// Whether it was deleted since the count that the client last saw.
    pub dataset_deleted_after_requested_sync_count: bool,
    /// A new session for one update.
    pub sync_session_token: String,
}

/// Input of UpdateRecords beside the dataset's place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpdateRecords {
    /// The writing device.
    pub device_id: Option<String>,
    /// The changes; all are made or none.
    pub patches: Vec<RecordPatch>,
    /// The session that the update uses up. None, which only an altered service
    /// description lets through, means that no session is checked.
    pub sync_session_token: Option<String>,
}

impl Model {
    /// Records that changed since a count, and a session for writing.
    ///
    /// # Errors
    ///
    /// `NotAuthorizedException` for an unknown pool; `InvalidParameterException`
    /// for a count that the dataset has not reached, a session that is not valid
    /// here, or a page that cannot be.
    pub fn list_records(
        &self,
        call: &Call<'_>,
        place: &DatasetPlace,
        input: &ListRecords,
    ) -> Result<RecordPage, ServiceError> {
        let pool = self.pools.get(&place.identity_pool_id).ok_or_else(ServiceError::not_authorized)?;
        let identity = pool.identities.get(&place.identity_id);
        if let Some(token) = &input.sync_session_token {
            self.session(call, place, identity, token)?;
        }
        let size = input.page.size(PAGE_RECORDS_MAX)?;
        let listing = ["records", &place.identity_pool_id, &place.identity_id, &place.dataset_name];
        let after = input.page.after(&listing)?;
        let mut answer = RecordPage {
            records: Vec::new(),
            next_token: None,
            dataset_sync_count: 0,
            last_modified_by: None,
            dataset_exists: false,
            dataset_deleted_after_requested_sync_count: false,
            sync_session_token: self.sessions.issue(place, call.random, call.now),
        };
        let Some(dataset) = identity.and_then(|identity| identity.datasets.get(&place.dataset_name)) else {
            return Ok(answer);
        };
        let since = input.last_sync_count.unwrap_or(0).max(0);
        if dataset.exists && since > dataset.count {
            let message = format!("No such SyncCount: {since} exists for this Dataset");
            return Err(ServiceError::invalid_parameter(message));
        }
        answer.dataset_sync_count = dataset.count;
        answer.dataset_exists = dataset.exists;
        answer.dataset_deleted_after_requested_sync_count = dataset.deleted_after(since);
        answer.last_modified_by = dataset.exists.then(|| dataset.modified_by.clone());
        let (records, more) = page::take(changed(dataset, since, after), size);
        if more {
            answer.next_token = records.last().map(|last| page::token(&listing, &last.key));
        }
        answer.records = records;
        Ok(answer)
    }

    /// Makes all changes, in one step of the dataset's count, and gives the records
    /// as they now are, one for each patch. Creates the dataset if need be.
    ///
    /// # Errors
    ///
    /// `ResourceNotFoundException` for an unknown pool or identity;
    /// `InvalidParameterException` for a session that is not valid here, a key
    /// given twice, or a replacement without value; `ResourceConflictException`
    /// when a record's count is another than the patch says;
    /// `LimitExceededException` when a quota would be passed. The session survives
    /// all of them.
    pub fn update_records(
        &mut self,
        call: &Call<'_>,
        place: &DatasetPlace,
        input: &UpdateRecords,
    ) -> Result<Vec<Record>, ServiceError> {
        let identity = self.pool(&place.identity_pool_id)?.identity(&place.identity_id)?;
        let session = match &input.sync_session_token {
            Some(token) => Some(self.session(call, place, Some(identity), token)?),
            None => None,
        };
        if input.patches.is_empty() && self.switches.has(Switch::NoPatchesRefused) {
            return Err(ServiceError::invalid_parameter("RecordPatches is empty"));
        }
        check_patches(&input.patches)?;
        let (limits, switches) = (self.limits, self.switches.clone());
        let by = self.writer(call.caller, input.device_id.as_deref());
        let pool = self.pool_mut(&place.identity_pool_id)?;
        let identity = pool.identity_mut(&place.identity_id)?;
        let mut written = Vec::new();
        if !input.patches.is_empty() {
            let existing = identity.existing().count() as u64;
            // The fresh dataset is kept only when every check has passed.
            let mut fresh = Dataset::new(call.now);
            let dataset = identity.datasets.get_mut(&place.dataset_name).unwrap_or(&mut fresh);
            dataset.check(&input.patches, &limits, &switches)?;
            if !dataset.exists && existing >= limits.datasets_per_identity {
                let most = limits.datasets_per_identity;
                return Err(ServiceError::limit_exceeded(format!("An identity has at most {most} datasets")));
            }
            written = dataset.write(&input.patches, Write { now: call.now, by: &by }, &switches);
            identity.datasets.entry(place.dataset_name.clone()).or_insert(fresh);
            identity.modified = Some(call.now);
        }
        if let Some(Session { id, expires }) = session {
            identity.spend(id, expires, call.now);
        }
        if !written.is_empty() {
            pool.modified = call.now;
        }
        Ok(written)
    }

    /// The session of a token that is valid here and not used up.
    fn session(
        &self,
        call: &Call<'_>,
        place: &DatasetPlace,
        identity: Option<&Identity>,
        token: &str,
    ) -> Result<Session, ServiceError> {
        let session = self.sessions.read(token, place, call.now);
        let spent = |session: &Session| identity.is_some_and(|identity| identity.spent.contains_key(&session.id));
        let valid = session.filter(|session| !spent(session));
        valid.ok_or_else(|| ServiceError::invalid_parameter("SyncSessionToken not valid for these inputs"))
    }

    /// Who a write is ascribed to.
    pub(super) fn writer(&self, caller: &Caller, device_id: Option<&str>) -> String {
        match caller {
            Caller::Developer => self.account_id.clone(),
            Caller::Identity { identity_id, .. } => device_id.unwrap_or(identity_id).to_owned(),
        }
    }
}

fn changed(dataset: &Dataset, since: i64, after: Option<String>) -> impl Iterator<Item = Record> {
    let from = after.map_or(Bound::Unbounded, Bound::Excluded);
    let records = dataset.records.range((from, Bound::Unbounded));
    records.map(|(_, record)| record).filter(move |record| record.sync_count > since).cloned()
}

/// What can be said of patches without looking at the dataset.
fn check_patches(patches: &[RecordPatch]) -> Result<(), ServiceError> {
    let mut keys = BTreeSet::new();
    for patch in patches {
        if !keys.insert(&patch.key) {
            return Err(ServiceError::invalid_parameter(format!("Key {} is patched more than once", patch.key)));
        }
        if patch.operation == PatchOperation::Replace && patch.value.is_none() {
            return Err(ServiceError::invalid_parameter(format!("Key {} is replaced without a Value", patch.key)));
        }
    }
    Ok(())
}
