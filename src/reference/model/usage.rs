//! Usage of pools and identities.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::error::ServiceError;
use super::page::{self, PageRequest};
use super::state::{Model, Pool};
use super::timestamp::Timestamp;

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

impl Model {
    /// What an identity uses; nothing, for one that the pool does not know.
    ///
    /// # Errors
    ///
    /// `ResourceNotFoundException` for an unknown pool.
    pub fn identity_usage(&self, identity_pool_id: &str, identity_id: &str) -> Result<IdentityUsage, ServiceError> {
        let identity = self.pool(identity_pool_id)?.identities.get(identity_id);
        Ok(IdentityUsage {
            identity_id: identity_id.to_owned(),
            identity_pool_id: identity_pool_id.to_owned(),
            last_modified_date: identity.and_then(|identity| identity.modified),
            dataset_count: identity.map_or(0, |identity| identity.existing().count() as u64),
            data_storage: identity.map_or(0, |identity| identity.storage_bytes()),
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
        let size = request.size(PAGE_POOLS_MAX)?;
        let after = match &request.next_token {
            None => None,
            Some(token) => Some(self.pool_of_token(token).ok_or_else(page::invalid_token)?),
        };
        let rest = self.pools.iter().filter(|(id, _)| after.as_ref().is_none_or(|after| *id > after));
        let (usages, more) = page::take(rest.map(|(id, pool)| usage(id, pool)), size);
        let next_token = usages.last().filter(|_| more).map(|last| STANDARD.encode(&last.identity_pool_id));
        let max_results = request.max_results.unwrap_or(size as i64);
        Ok(IdentityPoolUsagePage { usages, max_results, next_token })
    }

    fn pool_of_token(&self, token: &str) -> Option<String> {
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
