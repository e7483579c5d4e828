//! DescribeDataset, ListDatasets and DeleteDataset.

use super::dataset::{DatasetDescription, Write};
use super::effects::Change;
use super::error::ServiceError;
use super::page::{self, PageRequest};
use super::state::{Call, DatasetPlace, Model};
use crate::reference::altered::Switch;

/// Most datasets of one page.
const PAGE_DATASETS_MAX: usize = 64;

/// Output of ListDatasets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetPage {
    /// Datasets that exist, by name.
    pub datasets: Vec<DatasetDescription>,
    /// Names the next page, if there is one.
    pub next_token: Option<String>,
}

impl Model {
    /// Describes one dataset.
    ///
    /// # Errors
    ///
    /// `ResourceNotFoundException` when pool, identity or dataset does not exist.
    pub fn describe_dataset(&self, place: &DatasetPlace) -> Result<DatasetDescription, ServiceError> {
        let identity =
            self.pool(&place.identity_pool_id)?.identity(self.whose(&place.identity_pool_id, &place.identity_id))?;
        let deleted = identity.datasets.get(&place.dataset_name);
        let dataset = match deleted.filter(|_| self.switches.has(Switch::DeletedDescribed)) {
            Some(deleted) => deleted,
            None => identity.dataset(&place.dataset_name)?,
        };
        Ok(dataset.describe(&place.identity_id, &place.dataset_name))
    }

    /// Describes an identity's datasets, page by page.
    ///
    /// # Errors
    ///
    /// `NotAuthorizedException` for an unknown pool; `InvalidParameterException`
    /// for a page that cannot be.
    pub fn list_datasets(
        &self,
        identity_pool_id: &str,
        identity_id: &str,
        request: &PageRequest,
    ) -> Result<DatasetPage, ServiceError> {
        let pool = self.pools.get(identity_pool_id).ok_or_else(ServiceError::not_authorized)?;
        let size = request.size(PAGE_DATASETS_MAX, &self.switches)?;
        let listing = ["datasets", identity_pool_id, identity_id];
        let after = request.after(&listing, &self.switches)?;
        let all = pool
            .identities
            .get(self.whose(identity_pool_id, identity_id))
            .into_iter()
            .flat_map(|identity| &identity.datasets);
        let listed = all.filter(|(_, dataset)| dataset.exists || self.switches.has(Switch::DeletedListed));
        let rest = listed.filter(|(name, _)| page::follows(name, after.as_ref(), &self.switches));
        let described = rest.map(|(name, dataset)| dataset.describe(identity_id, name));
        let (datasets, last) = page::take(described, size, &self.switches);
        let next_token = last.map(|last| page::token(&listing, &last.dataset_name));
        Ok(DatasetPage { datasets, next_token })
    }

    /// Deletes a dataset and gives it as it was.
    ///
    /// # Errors
    ///
    /// `ResourceNotFoundException` when pool, identity or dataset does not exist.
    pub fn delete_dataset(
        &mut self,
        call: &Call<'_>,
        place: &DatasetPlace,
    ) -> Result<DatasetDescription, ServiceError> {
        let by = self.writer(call.caller, None);
        let (whose, switches) =
            (self.whose(&place.identity_pool_id, &place.identity_id).to_owned(), self.switches.clone());
        self.pool(&place.identity_pool_id)?.identity(&whose)?.dataset(&place.dataset_name)?;
        if switches.has(Switch::PushesDeletions) {
            // Before nobody is subscribed any more.
            self.notified(place, &whose, None);
        }
        let pool = self.pool_mut(&place.identity_pool_id)?;
        let identity = pool.identity_mut(&whose)?;
        let mut described = identity.dataset(&place.dataset_name)?.describe(&place.identity_id, &place.dataset_name);
        if let Some(dataset) = identity.datasets.get_mut(&place.dataset_name) {
            dataset.delete(Write { now: call.now, by: &by });
            if switches.has(Switch::DeletionDescribedAfterwards) {
                described = dataset.describe(&place.identity_id, &place.dataset_name);
            }
        }
        if switches.has(Switch::DeletionForgotten) {
            identity.datasets.remove(&place.dataset_name);
        }
        identity.forget_old_deletions();
        identity.modified = Some(call.now);
        pool.modified = call.now;
        self.changed(place, &whose, Change::Deleted);
        Ok(described)
    }
}
