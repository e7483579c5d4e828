//! ListRecords and UpdateRecords.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::dataset::{Dataset, PatchOperation, Record, RecordPatch, Write};
use super::effects::Change;
use super::error::ServiceError;
use super::page::{self, PageRequest};
use super::session::Session;
use super::state::{Call, Caller, DatasetPlace, Identity, Model};
use crate::reference::altered::{Switch, Switches};

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
    /// Number of records on the page.
    pub count: usize,
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
        let identity = pool.identities.get(self.whose(&place.identity_pool_id, &place.identity_id));
        if let Some(token) = &input.sync_session_token {
            self.check_session_of_listing(call, place, identity, token)?;
        }
        let size = input.page.size(PAGE_RECORDS_MAX, &self.switches)?;
        let listing = ["records", &place.identity_pool_id, &place.identity_id, &place.dataset_name];
        let after = input.page.after(&listing, &self.switches)?;
        let dataset = identity.and_then(|identity| self.listed_dataset(identity, &place.dataset_name));
        let mut answer = RecordPage {
            records: Vec::new(),
            count: 0,
            next_token: None,
            dataset_sync_count: 0,
            last_modified_by: None,
            dataset_exists: false,
            dataset_deleted_after_requested_sync_count: false,
            sync_session_token: self.token(call, place, input, dataset),
        };
        let Some(dataset) = dataset else {
            return self.check_never_written(place, input).map(|()| answer);
        };
        let since = self.since(dataset, input);
        if self.is_ahead(dataset, since) {
            return Err(no_such_count(since));
        }
        if !dataset.exists && self.switches.has(Switch::DeletedNotFound) {
            return Err(ServiceError::dataset_not_found(&place.dataset_name));
        }
        answer.dataset_sync_count = self.shown_count(dataset);
        answer.dataset_exists = dataset.exists || self.switches.has(Switch::DeletedShownAsExisting);
        answer.dataset_deleted_after_requested_sync_count = dataset.deleted_after(since);
        answer.last_modified_by = dataset.exists.then(|| dataset.modified_by.to_string());
        let listed = self.listed(dataset, since);
        let whole = listed.len();
        let (records, last) = page::take(self.rest(listed, after.as_ref()), size, &self.switches);
        answer.next_token = last.map(|last| page::token(&listing, &last.key));
        answer.count = if self.switches.has(Switch::CountOfListing) { whole } else { records.len() };
        answer.records = records.into_iter().map(|record| self.as_listed(record)).collect();
        Ok(answer)
    }

    fn check_never_written(&self, place: &DatasetPlace, input: &ListRecords) -> Result<(), ServiceError> {
        let since = input.last_sync_count.unwrap_or(0);
        if self.switches.has(Switch::NeverWrittenNotFound) {
            return Err(ServiceError::dataset_not_found(&place.dataset_name));
        }
        if since > 0 && self.switches.has(Switch::AheadOfNeverWrittenRefused) {
            return Err(no_such_count(since));
        }
        Ok(())
    }

    /// Whether `since` is a count that the dataset has not reached.
    fn is_ahead(&self, dataset: &Dataset, since: i64) -> bool {
        if !dataset.exists {
            return since > 0 && self.switches.has(Switch::DeletedRefusesCount);
        }
        since > dataset.count && !self.switches.has(Switch::CountAheadListsNothing)
    }

    /// The dataset that a listing is of.
    fn listed_dataset<'i>(&self, identity: &'i Identity, name: &str) -> Option<&'i Dataset> {
        let other = || identity.datasets.values().next().filter(|_| self.switches.has(Switch::OtherDatasetListed));
        identity.datasets.get(name).or_else(other)
    }

    /// The count after which records are listed.
    fn since(&self, dataset: &Dataset, input: &ListRecords) -> i64 {
        let later_page = input.page.next_token.is_some();
        let forgotten = later_page && self.switches.has(Switch::LaterPagesForgetCount);
        if forgotten || self.switches.has(Switch::LastSyncCountIgnored) {
            return 0;
        }
        let default = if self.switches.has(Switch::NoCountListsNothing) { dataset.count } else { 0 };
        input.last_sync_count.unwrap_or(default).max(0)
    }

    /// The count that a listing shows.
    fn shown_count(&self, dataset: &Dataset) -> i64 {
        if self.switches.has(Switch::DeletedShowsZero) && !dataset.exists {
            0
        } else if self.switches.has(Switch::CountShownLate) {
            dataset.count - 1
        } else {
            dataset.count
        }
    }

    /// The token that a listing hands out: a new one.
    fn token(&self, call: &Call<'_>, place: &DatasetPlace, input: &ListRecords, dataset: Option<&Dataset>) -> String {
        let given = input.sync_session_token.clone().filter(|_| self.switches.has(Switch::SessionContinued));
        let count = dataset.map_or(0, |dataset| dataset.count);
        given.unwrap_or_else(|| self.sessions.issue(place, call.random, call.now, count))
    }

    /// The records that changed since a count, by key.
    fn listed<'d>(&self, dataset: &'d Dataset, since: i64) -> Vec<&'d Record> {
        let has = |switch| self.switches.has(switch);
        let is_listed = |record: &&Record| {
            let changed =
                record.sync_count > since || has(Switch::LastSyncCountInclusive) && record.sync_count == since;
            let hidden = has(Switch::LatestWriteUnlisted) && record.sync_count == dataset.count
                || has(Switch::TombstonesUnlisted) && record.is_tombstone()
                || has(Switch::TombstonesUnlistedFromZero) && record.is_tombstone() && since == 0;
            changed && !hidden
        };
        dataset.records.values().filter(is_listed).collect()
    }

    /// What follows the page before.
    fn rest<'d>(&self, mut listed: Vec<&'d Record>, after: Option<&String>) -> impl Iterator<Item = &'d Record> {
        let (by_count, backwards) =
            (self.switches.has(Switch::RecordsByCount), self.switches.has(Switch::RecordsBackwards));
        if by_count {
            listed.sort_by_key(|record| record.sync_count);
        }
        if backwards {
            listed.reverse();
        }
        if by_count || backwards {
            let last = after.and_then(|after| listed.iter().position(|record| record.key == *after));
            listed.drain(..last.map_or(0, |last| last + 1));
        } else {
            listed.retain(|record| page::follows(&record.key, after, &self.switches));
        }
        listed.into_iter()
    }

    fn as_listed(&self, record: &Record) -> Record {
        let mut record = record.clone();
        if record.is_tombstone() && self.switches.has(Switch::TombstonesWithoutKey) {
            record.key.clear();
        }
        record
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
        let whose = self.whose(&place.identity_pool_id, &place.identity_id).to_owned();
        let identity = self.pool(&place.identity_pool_id)?.identity(&whose)?;
        let session = match &input.sync_session_token {
            Some(token) => Some(self.session_of_write(call, place, identity, token)?),
            None => None,
        };
        let written = self.write_records(call, place, &whose, input);
        if written.is_err() && self.switches.has(Switch::RefusedUpdatesTold) {
            let device_id = input.device_id.as_deref();
            self.changed(place, &whose, Change::Written { records: &[], device_id });
        }
        if let Some(Session { id, expires, .. }) = session
            && self.spends_session(input, &written)
        {
            self.pool_mut(&place.identity_pool_id)?.identity_mut(&whose)?.spend(id, expires, call.now);
        }
        written
    }

    fn write_records(
        &mut self,
        call: &Call<'_>,
        place: &DatasetPlace,
        whose: &str,
        input: &UpdateRecords,
    ) -> Result<Vec<Record>, ServiceError> {
        let patches = &*self.checked_patches(input)?;
        let (limits, switches) = (self.limits, self.switches.clone());
        let by = self.writer(call.caller, input.device_id.as_deref());
        let pool = self.pool_mut(&place.identity_pool_id)?;
        let identity = pool.identity_mut(whose)?;
        identity.check_device(input.device_id.as_deref(), &switches)?;
        if patches.is_empty() && !switches.has(Switch::NoPatchesCounted) {
            return Ok(Vec::new());
        }
        let full = identity.check_quota(&limits, &switches);
        let highest = identity.datasets.values().map(|dataset| dataset.count).max();
        // The fresh dataset is kept only when every check has passed.
        let mut fresh = Dataset::new(call.now, switches.clone());
        let dataset = identity.datasets.get_mut(&place.dataset_name).unwrap_or(&mut fresh);
        if switches.has(Switch::DatasetsShareCount) {
            dataset.count = highest.unwrap_or_default();
        }
        let write = Write { now: call.now, by: &by };
        dataset.check(patches, &limits).inspect_err(|_| dataset.write_some(patches, write))?;
        if !dataset.exists {
            full?;
        }
        let written = dataset.write(patches, write);
        identity.datasets.entry(place.dataset_name.clone()).or_insert(fresh);
        identity.modified = Some(call.now);
        pool.modified = call.now;
        let device_id = input.device_id.as_deref();
        if *call.caller != Caller::Developer || !switches.has(Switch::AccountUpdatesUntold) {
            self.changed(place, whose, Change::Written { records: &written, device_id });
        }
        Ok(written)
    }

    /// The patches, as far as they can be checked without looking at the dataset.
    pub(super) fn checked_patches<'i>(&self, input: &'i UpdateRecords) -> Result<Cow<'i, [RecordPatch]>, ServiceError> {
        let patches = match self.switches.has(Switch::SameKeyLastWins) {
            true => Cow::Owned(last_of_each_key(&input.patches)),
            false => Cow::Borrowed(input.patches.as_slice()),
        };
        check_patches(&patches, &self.switches)?;
        Ok(patches)
    }

    /// Under whose name an identity's data is kept: its own.
    pub(super) fn whose<'a>(&'a self, identity_pool_id: &str, identity_id: &'a str) -> &'a str {
        let first = || self.pools.get(identity_pool_id)?.identities.keys().next();
        if self.switches.has(Switch::IdentitiesShareData) {
            return first().map_or(identity_id, String::as_str);
        }
        identity_id
    }

    /// The session of a token that is good for a write here.
    pub(super) fn session_of_write(
        &self,
        call: &Call<'_>,
        place: &DatasetPlace,
        identity: &Identity,
        token: &str,
    ) -> Result<Session, ServiceError> {
        let session = self.session(call, place, token).ok_or_else(invalid_session)?;
        let refused = match identity.dataset(&place.dataset_name) {
            Ok(dataset) => session.count.is_some_and(|count| count < dataset.count),
            Err(_) => self.switches.has(Switch::TokenOfMissingDatasetRefused),
        };
        if refused {
            return Err(invalid_session());
        }
        if identity.spent.contains_key(&session.id) && !self.switches.has(Switch::SpentTokenWrites) {
            return Err(invalid_session());
        }
        Ok(session)
    }

    /// Checks a token that is sent along with a listing.
    fn check_session_of_listing(
        &self,
        call: &Call<'_>,
        place: &DatasetPlace,
        identity: Option<&Identity>,
        token: &str,
    ) -> Result<(), ServiceError> {
        let session = self.session(call, place, token).ok_or_else(invalid_session)?;
        if self.switches.has(Switch::ListingTakesNoToken) {
            return Err(invalid_session());
        }
        let spent = identity.is_some_and(|identity| identity.spent.contains_key(&session.id));
        match spent && !self.switches.has(Switch::SpentTokenLists) {
            true if self.switches.has(Switch::SpentTokenUnauthorized) => Err(ServiceError::not_authorized()),
            true => Err(invalid_session()),
            false => Ok(()),
        }
    }

    /// The session of a token that was issued here, for this dataset.
    fn session(&self, call: &Call<'_>, place: &DatasetPlace, token: &str) -> Option<Session> {
        let anyway = self.switches.has(Switch::AnyTokenAccepted);
        let made_up = anyway.then_some(Session { id: call.random, expires: call.now, count: None });
        self.sessions.read(token, place, call.now).or(made_up)
    }

    /// Whether a write uses up its session.
    fn spends_session(&self, input: &UpdateRecords, written: &Result<Vec<Record>, ServiceError>) -> bool {
        match written {
            Ok(_) => !(input.patches.is_empty() && self.switches.has(Switch::NoPatchesKeepToken)),
            Err(refusal) if refusal.name == "ResourceConflictException" => {
                self.switches.has(Switch::ConflictSpendsToken)
            }
            Err(_) => self.switches.has(Switch::OtherRefusalSpendsToken),
        }
    }

    /// Uses up the session of an update that is not made, as only an altered server does.
    pub fn spend_session(&mut self, call: &Call<'_>, place: &DatasetPlace, token: &str) {
        let whose = self.whose(&place.identity_pool_id, &place.identity_id).to_owned();
        let Some(Session { id, expires, .. }) = self.session(call, place, token) else { return };
        let identity = self.pool_mut(&place.identity_pool_id).and_then(|pool| pool.identity_mut(&whose));
        if let Ok(identity) = identity {
            identity.spend(id, expires, call.now);
        }
    }

    /// Who a write is ascribed to.
    pub(super) fn writer(&self, caller: &Caller, device_id: Option<&str>) -> String {
        match caller {
            Caller::Developer => self.account_id.clone(),
            Caller::Identity { identity_id, .. } => device_id.unwrap_or(identity_id).to_owned(),
        }
    }
}

fn invalid_session() -> ServiceError {
    ServiceError::invalid_parameter("SyncSessionToken not valid for these inputs")
}

fn no_such_count(since: i64) -> ServiceError {
    ServiceError::invalid_parameter(format!("No such SyncCount: {since} exists for this Dataset"))
}

/// What can be said of patches without looking at the dataset.
fn check_patches(patches: &[RecordPatch], switches: &Switches) -> Result<(), ServiceError> {
    let invalid = |message: String| Err(ServiceError::invalid_parameter(message));
    if patches.is_empty() && switches.has(Switch::NoPatchesRefused) {
        return invalid("RecordPatches is empty".to_owned());
    }
    if patches.len() > PAGE_RECORDS_MAX && switches.has(Switch::ManyPatchesInvalid) {
        return invalid("RecordPatches is too long".to_owned());
    }
    let mut keys = BTreeSet::new();
    for patch in patches {
        let (key, replaces) = (&patch.key, patch.operation == PatchOperation::Replace);
        if !keys.insert(key) {
            let message = format!("Key {key} is patched more than once");
            let conflicts = switches.has(Switch::SameKeyConflicts);
            return if conflicts { Err(ServiceError::conflict(message)) } else { invalid(message) };
        }
        let value_needed = !switches.has(Switch::MissingValueRemoves) && !switches.has(Switch::MissingValueIsEmpty);
        if replaces && patch.value.is_none() && value_needed {
            return invalid(format!("Key {key} is replaced without a Value"));
        }
        if !replaces && patch.value.is_some() && switches.has(Switch::RemovalWithValueRefused) {
            return invalid(format!("Key {key} is removed with a Value"));
        }
        let bytes = patch.value.as_ref().map_or(1, String::len);
        let refused = bytes == 0 && switches.has(Switch::EmptyValueRefused)
            || bytes > 400 * 1_024 && switches.has(Switch::ValuesOf400Kilobytes)
            || key.len() > 1_024 && switches.has(Switch::KeyLengthInBytes);
        if refused {
            return invalid(format!("Key {key} has a size that is not allowed"));
        }
    }
    Ok(())
}

fn last_of_each_key(patches: &[RecordPatch]) -> Vec<RecordPatch> {
    let last: BTreeMap<&String, &RecordPatch> = patches.iter().map(|patch| (&patch.key, patch)).collect();
    last.into_values().cloned().collect()
}
