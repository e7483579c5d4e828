//! What the service remembers, and who asks it for what.

use serde::{Deserialize, Serialize};

use super::configuration::{CognitoStreams, PushSync};
use super::dataset::Dataset;
use super::devices::Devices;
use super::effects::{Effect, Reach};
use super::error::ServiceError;
use super::publish::Publish;
use super::session::{SessionId, Sessions, Spent};
use super::timestamp::Timestamp;
use super::tracked::Tracked;
use crate::reference::altered::{Switch, Switches};
use crate::reference::world::World;
use crate::spec::Service;

/// The service's memory. Every operation is a method.
#[derive(Debug, Clone)]
pub struct Model {
    pub(super) account_id: String,
    pub(super) limits: Limits,
    pub(super) switches: Switches,
    pub(super) sessions: Sessions,
    pub(super) pools: Tracked<String, Pool>,
    pub(super) reach: Reach,
    /// What is to be done outside, oldest first.
    pub(super) effects: Vec<Effect>,
    /// The latest number that was given to a setting or a bulk publish.
    pub(super) numbers: u64,
}

impl Model {
    /// The service at `now`, with the pools and identities of `world` and no data.
    /// `session_key` signs sync sessions; it should be unknown to clients.
    pub fn new(world: &World, limits: Limits, switches: Switches, session_key: [u8; 32], now: Timestamp) -> Self {
        let pools = world.pools.iter().map(|pool| {
            let identities =
                pool.identities.iter().map(|identity| (identity.identity_id.clone(), Identity::default())).collect();
            (pool.identity_pool_id.clone(), Pool::new(identities, now))
        });
        Self {
            account_id: world.account_id.clone(),
            limits,
            sessions: Sessions::new(session_key, switches.clone()),
            switches,
            pools: pools.collect(),
            reach: Reach::of(&world.collaborators),
            effects: Vec::new(),
            numbers: 0,
        }
    }

    /// Whether this switch is thrown.
    pub fn has(&self, switch: Switch) -> bool {
        self.switches.has(switch)
    }

    /// Throws other switches, and gives those that were thrown.
    pub fn switch(&mut self, switches: Switches) -> Switches {
        std::mem::replace(&mut self.switches, switches)
    }

    /// What a server might take for a name that the caller left out, as a server
    /// does whose description was altered to allow that: the caller's own, or else
    /// the first pool that streams, or else the first there is.
    pub fn guess(&self, caller: &Caller, member: &str) -> Option<String> {
        let (pool, identity) = match caller {
            Caller::Identity { identity_pool_id, identity_id } => (identity_pool_id.clone(), identity_id.clone()),
            Caller::Developer => {
                let streams =
                    |(_, pool): &(&String, &Pool)| pool.streams.as_ref().is_some_and(CognitoStreams::is_enabled);
                let (id, pool) = self.pools.iter().find(streams).or_else(|| self.pools.first_key_value())?;
                (id.clone(), pool.identities.keys().next()?.clone())
            }
        };
        let data = || self.pools.get(&pool)?.identities.get(&identity);
        match member {
            "IdentityPoolId" => Some(pool),
            "IdentityId" => Some(identity),
            "DatasetName" => data()?.existing().next().map(|(name, _)| name.clone()),
            "DeviceId" => data()?.devices.first(),
            _ => None,
        }
    }

    /// The pool, for operations that say when there is none.
    pub(super) fn pool(&self, id: &str) -> Result<&Pool, ServiceError> {
        self.pools.get(id).ok_or_else(|| ServiceError::pool_not_found(id))
    }

    pub(super) fn pool_mut(&mut self, id: &str) -> Result<&mut Pool, ServiceError> {
        self.pools.get_mut(id).ok_or_else(|| ServiceError::pool_not_found(id))
    }
}

/// Who calls, when, and with which luck.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The moment of the call.
    pub now: Timestamp,
    /// Whose credentials signed it.
    pub caller: &'a Caller,
    /// Fresh random bytes, never the same twice: ids are made from them.
    pub random: [u8; 16],
}

/// Whose credentials signed a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// The account that owns the pools.
    Developer,
    /// An identity of a pool.
    Identity {
        /// Its pool.
        identity_pool_id: String,
        /// The identity.
        identity_id: String,
    },
}

/// Names a dataset, whether or not it exists.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DatasetPlace {
    /// The pool.
    pub identity_pool_id: String,
    /// The identity in it.
    pub identity_id: String,
    /// The dataset's name.
    pub dataset_name: String,
}

/// The quotas, all inclusive: exactly that much is still allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Datasets that exist, for one identity.
    pub datasets_per_identity: u64,
    /// Records with a value, for one dataset.
    pub records_per_dataset: u64,
    /// Bytes of keys and values in UTF-8, for one dataset.
    pub dataset_bytes: u64,
    /// Milliseconds from a finished bulk publish until the pool's next.
    pub bulk_publish_wait_millis: i64,
}

impl Limits {
    /// The quotas that `service` names; what it does not name is unlimited.
    pub fn of(service: &Service) -> Self {
        let value = |id| service.limit(id).map_or(u64::MAX, |limit| limit.value);
        let wait = service.limit("bulk-publish-wait").map_or(0, |limit| {
            let unit = match limit.unit.as_str() {
                "seconds" => 1_000,
                "minutes" => 60 * 1_000,
                "hours" => 60 * 60 * 1_000,
                _ => 24 * 60 * 60 * 1_000,
            };
            limit.value.saturating_mul(unit)
        });
        Self {
            datasets_per_identity: value("datasets-per-identity"),
            records_per_dataset: value("records-per-dataset"),
            dataset_bytes: value("dataset-size"),
            bulk_publish_wait_millis: i64::try_from(wait).unwrap_or(i64::MAX),
        }
    }
}

/// One identity pool.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Pool {
    #[serde(skip)]
    pub(super) identities: Tracked<String, Identity>,
    /// Creation, or the latest change of any dataset.
    pub(super) modified: Timestamp,
    pub(super) push_sync: Option<PushSync>,
    pub(super) streams: Option<CognitoStreams>,
    /// Which setting of the stream that is: counted anew in every process, since what
    /// refers to it ends with the process.
    #[serde(skip)]
    pub(super) stream_setting: u64,
    /// ARN of the function behind the event `SyncTrigger`.
    pub(super) sync_trigger: Option<String>,
    /// The latest bulk publish.
    pub(super) published: Option<Publish>,
    /// The form that is kept of it, if any.
    #[serde(skip)]
    pub(super) kept: Vec<u8>,
}

impl Pool {
    fn new(identities: Tracked<String, Identity>, now: Timestamp) -> Self {
        Self {
            identities,
            modified: now,
            push_sync: None,
            streams: None,
            stream_setting: 0,
            sync_trigger: None,
            published: None,
            kept: Vec::new(),
        }
    }

    pub(super) fn identity(&self, id: &str) -> Result<&Identity, ServiceError> {
        self.identities.get(id).ok_or_else(|| identity_not_found(id))
    }

    pub(super) fn identity_mut(&mut self, id: &str) -> Result<&mut Identity, ServiceError> {
        self.identities.get_mut(id).ok_or_else(|| identity_not_found(id))
    }
}

fn identity_not_found(id: &str) -> ServiceError {
    ServiceError::not_found(format!("Identity '{id}' not found"))
}

/// One identity's data.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Identity {
    /// By name; deleted ones are remembered here too.
    #[serde(skip)]
    pub(super) datasets: Tracked<String, Dataset>,
    pub(super) devices: Devices,
    /// Sessions that an update has used up, with the moment they expire anyway.
    #[serde(skip)]
    pub(super) spent: Spent,
    /// The latest change of any dataset.
    pub(super) modified: Option<Timestamp>,
    /// The form that is kept of it, if any.
    #[serde(skip)]
    pub(super) kept: Vec<u8>,
}

/// Deletions remembered for one identity; bounds its memory.
const DELETIONS_REMEMBERED_MAX: usize = 1_000;

impl Identity {
    /// The dataset, unless it is deleted or never was.
    pub(super) fn dataset(&self, name: &str) -> Result<&Dataset, ServiceError> {
        let found = self.datasets.get(name).filter(|dataset| dataset.exists);
        found.ok_or_else(|| ServiceError::dataset_not_found(name))
    }

    /// The datasets that exist, by name.
    pub(super) fn existing(&self) -> impl Iterator<Item = (&String, &Dataset)> {
        self.datasets.iter().filter(|(_, dataset)| dataset.exists)
    }

    /// Whether there may be one dataset more.
    pub(super) fn check_quota(&self, limits: &Limits, switches: &Switches) -> Result<(), ServiceError> {
        let all = switches.has(Switch::DeletedFillQuota).then_some(self.datasets.len());
        let existing = all.unwrap_or_else(|| self.existing().count()) as u64;
        let most = limits.datasets_per_identity;
        match existing >= most {
            true => Err(ServiceError::limit_exceeded(format!("An identity has at most {most} datasets"))),
            false => Ok(()),
        }
    }

    /// Whether a write may name this device: any.
    pub(super) fn check_device(&self, device_id: Option<&str>, switches: &Switches) -> Result<(), ServiceError> {
        let unknown = device_id.filter(|id| !self.devices.contains(id));
        match unknown {
            Some(_) if switches.has(Switch::UnknownDeviceInvalid) => {
                Err(ServiceError::invalid_parameter("DeviceId is not valid for these inputs"))
            }
            Some(id) if switches.has(Switch::UnknownDeviceNotFound) => {
                Err(ServiceError::not_found(format!("Device '{id}' not found")))
            }
            _ => Ok(()),
        }
    }

    /// Bytes of all datasets.
    pub(super) fn storage_bytes(&self) -> u64 {
        self.existing().map(|(_, dataset)| dataset.bytes).sum()
    }

    /// Forgets the oldest deletion when there are too many to remember.
    pub(super) fn forget_old_deletions(&mut self) {
        let deleted = self.datasets.iter().filter(|(_, dataset)| !dataset.exists);
        if deleted.clone().count() > DELETIONS_REMEMBERED_MAX
            && let Some(oldest) = deleted.min_by_key(|(_, dataset)| dataset.modified).map(|(name, _)| name.clone())
        {
            self.datasets.remove(&oldest);
        }
    }

    /// Marks a session as used up, and drops those that have expired.
    pub(super) fn spend(&mut self, session: SessionId, expires: Timestamp, now: Timestamp) {
        self.spent.forget_expired(now);
        self.spent.insert(session, expires);
    }
}
