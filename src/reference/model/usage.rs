//! Usage of pools and identities.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::error::ServiceError;
use super::page::{self, PageRequest};
use super::state::{Identity, Model, Pool};
use super::timestamp::Timestamp;
use crate::reference::altered::Switch;

/// Most pools of one page.
const PAGE_POOLS_MAX: usize = 1_000;

/// What an identity uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityUsage {
    /// The identity.
    pub identity_id: String,
    /// Its pool.
    pub identity_pool_id: String,
    /// Latest change of any dataset, if there was one.
    pub last_modified_date: Option<Timestamp>,
    /// Datasets that exist.
    pub dataset_count: u64,
    /// Bytes of keys and values in UTF-8.
    pub data_storage: u64,
}

/// What a pool uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityPoolUsage {
    /// The pool.
    pub identity_pool_id: String,
    /// Bytes of keys and values of all identities, in UTF-8.
    pub data_storage: u64,
    /// Latest change of any dataset, or the pool's creation.
    pub last_modified_date: Timestamp,
}

/// Output of ListIdentityPoolUsage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityPoolUsagePage {
    /// Pools by id.
    pub usages: Vec<IdentityPoolUsage>,
    /// The number asked for, or what was used in its place.
    pub max_results: i64,
    /// Names the next page, if there is one.
    pub next_token: Option<String>,
}

/// How much a model holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Identity pools.
    pub pools: usize,
    /// Identities of all of them.
    pub identities: usize,
    /// Datasets that exist.
    pub datasets: usize,
    /// Records with a value.
    pub records: u64,
    /// Bytes of keys and values in UTF-8.
    pub data_storage: u64,
}

impl Model {
    /// How much there is of everything.
    pub fn counts(&self) -> Counts {
        let identities = || self.pools.values().flat_map(|pool| pool.identities.values());
        let datasets = || identities().flat_map(Identity::existing);
        Counts {
            pools: self.pools.len(),
            identities: identities().count(),
            datasets: datasets().count(),
            records: datasets().map(|(_, dataset)| dataset.live).sum(),
            data_storage: identities().map(Identity::storage_bytes).sum(),
        }
    }

    /// What an identity uses; nothing, for one that the pool does not know.
    ///
    /// # Errors
    ///
    /// `ResourceNotFoundException` for an unknown pool.
    pub fn identity_usage(&self, identity_pool_id: &str, identity_id: &str) -> Result<IdentityUsage, ServiceError> {
        let pool = self.pool(identity_pool_id)?;
        if self.switches.has(Switch::UsageOfKnownIdentities) {
            pool.identity(identity_id)?;
        }
        let identity = pool.identities.get(identity_id);
        Ok(IdentityUsage {
            identity_id: identity_id.to_owned(),
            identity_pool_id: identity_pool_id.to_owned(),
            last_modified_date: identity.and_then(|identity| identity.modified),
            dataset_count: identity.map_or(0, |identity| self.dataset_count(identity)),
            data_storage: identity.map_or(0, |identity| self.identity_storage(identity)),
        })
    }

    /// What a pool uses.
    ///
    /// # Errors
    ///
    /// `ResourceNotFoundException` for an unknown pool.
    pub fn identity_pool_usage(&self, identity_pool_id: &str) -> Result<IdentityPoolUsage, ServiceError> {
        Ok(usage(identity_pool_id, self.pool(identity_pool_id)?))
    }

    /// What each pool uses, page by page. The token is the last pool's id in
    /// Base64, as was once captured from the service.
    ///
    /// # Errors
    ///
    /// `InvalidParameterException` for a page that cannot be.
    pub fn list_identity_pool_usage(&self, request: &PageRequest) -> Result<IdentityPoolUsagePage, ServiceError> {
        let size = request.size(PAGE_POOLS_MAX, &self.switches)?;
        let after = match &request.next_token {
            None => None,
            Some(token) => match self.pool_of_token(token) {
                None if self.switches.has(Switch::BadNextTokenIgnored) => None,
                pool => Some(pool.ok_or_else(page::invalid_token)?),
            },
        };
        let rest = self.pools.iter().filter(|(id, _)| page::follows(id, after.as_ref(), &self.switches));
        let (usages, last) = page::take(rest.map(|(id, pool)| usage(id, pool)), size, &self.switches);
        let next_token = last.map(|last| self.token_of_pool(last.identity_pool_id));
        let max_results = request.max_results.unwrap_or(size as i64);
        Ok(IdentityPoolUsagePage { usages, max_results, next_token })
    }

    fn dataset_count(&self, identity: &Identity) -> u64 {
        let ever = self.switches.has(Switch::DatasetsCountedForEver).then_some(identity.datasets.len());
        ever.unwrap_or_else(|| identity.existing().count()) as u64
    }

    fn identity_storage(&self, identity: &Identity) -> u64 {
        if self.switches.has(Switch::StorageOfOneDataset) {
            return identity.existing().next().map_or(0, |(_, dataset)| dataset.bytes);
        }
        if self.switches.has(Switch::StorageOfDeletedDatasets) {
            return identity.datasets.values().map(|dataset| dataset.bytes).sum();
        }
        identity.storage_bytes()
    }

    fn token_of_pool(&self, id: String) -> String {
        if self.switches.has(Switch::PoolTokenPlain) { id } else { STANDARD.encode(id) }
    }

    fn pool_of_token(&self, token: &str) -> Option<String> {
        if self.switches.has(Switch::PoolTokenPlain) {
            return self.pools.contains_key(token).then(|| token.to_owned());
        }
        let id = String::from_utf8(STANDARD.decode(token).ok()?).ok()?;
        self.pools.contains_key(&id).then_some(id)
    }
}

fn usage(id: &str, pool: &Pool) -> IdentityPoolUsage {
    IdentityPoolUsage {
        identity_pool_id: id.to_owned(),
        data_storage: pool.identities.values().map(|identity| identity.storage_bytes()).sum(),
        last_modified_date: pool.modified,
    }
}
