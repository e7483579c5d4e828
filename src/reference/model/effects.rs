//! What the model wants done outside: records for a stream, push messages, bulk
//! publishes. It only says so; whoever holds the model takes the effects out, in the
//! order in which they came about, and sees to them. They are no part of what is kept.

use super::configuration::CognitoStreams;
use super::dataset::{PatchOperation, Record};
use super::state::{DatasetPlace, Model, Pool};
use super::timestamp::Timestamp;
use crate::reference::collaborators::Collaborators;

/// Which other services there are. What there is none for is stored and answered,
/// but has no effects.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reach {
    /// Functions can be called.
    pub functions: bool,
    /// Streams can be written to.
    pub streams: bool,
    /// Devices can be reached.
    pub push: bool,
}

impl Reach {
    /// What these collaborators reach.
    pub(super) fn of(collaborators: &Collaborators) -> Self {
        Self {
            functions: collaborators.lambda.is_some(),
            streams: collaborators.kinesis.is_some(),
            push: collaborators.sns.is_some(),
        }
    }
}

/// Something to be done outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// A change goes into a stream.
    Stream(StreamTarget, StreamRecord),
    /// All data of a pool goes into a stream.
    Publish(BulkPublish),
    /// A device is told of a change.
    Notify(Notification),
}

/// The stream of a pool, as it was set at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamTarget {
    /// The pool.
    pub identity_pool_id: String,
    /// Name of the stream.
    pub stream_name: String,
    /// Which setting of the stream this is: no two have the same number.
    pub setting: u64,
}

/// A state or a change of a dataset, for a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamRecord {
    /// Which dataset.
    pub place: DatasetPlace,
    /// `Remove` when the dataset was deleted.
    pub operation: PatchOperation,
    /// The records that changed; none when the dataset was deleted.
    pub records: Option<Vec<Record>>,
    /// When the dataset was last written or deleted.
    pub last_modified_date: Timestamp,
    /// The dataset's count.
    pub sync_count: i64,
}

/// All data of a pool for a stream. Datasets are named, not copied: each is looked at
/// when its turn comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkPublish {
    /// Where to.
    pub target: StreamTarget,
    /// Which bulk publish this is: no two have the same number.
    pub number: u64,
    /// The datasets that existed when it began.
    pub places: Vec<DatasetPlace>,
}

/// Tells one device that a dataset has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// ARN of the device's platform endpoint.
    pub endpoint_arn: String,
    /// The device's platform, such as `GCM`.
    pub platform: String,
    /// Which dataset.
    pub place: DatasetPlace,
    /// The dataset's count.
    pub sync_count: i64,
}

impl Pool {
    /// The stream that changes go into, while streaming is on.
    pub(super) fn stream_target(&self, identity_pool_id: &str) -> Option<StreamTarget> {
        let streams = self.streams.as_ref().filter(|streams| CognitoStreams::is_enabled(streams))?;
        Some(StreamTarget {
            identity_pool_id: identity_pool_id.to_owned(),
            stream_name: streams.stream_name.clone()?,
            setting: self.stream_setting,
        })
    }
}

impl Model {
    /// Takes out what is to be done outside since this was last called, in order.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// What exists of a dataset, for a stream; none when it was deleted meanwhile.
    pub fn stream_record(&self, place: &DatasetPlace) -> Option<StreamRecord> {
        let identity = self.pools.get(&place.identity_pool_id)?.identities.get(&place.identity_id)?;
        let dataset = identity.dataset(&place.dataset_name).ok()?;
        Some(StreamRecord {
            place: place.clone(),
            operation: PatchOperation::Replace,
            records: Some(dataset.records.values().filter(|record| !record.is_tombstone()).cloned().collect()),
            last_modified_date: dataset.modified,
            sync_count: dataset.count,
        })
    }

    /// Switches streaming off because `reason`, unless it was set anew since.
    pub fn stream_failed(&mut self, target: &StreamTarget, reason: &str) {
        let Some(pool) = self.pools.get_mut(&target.identity_pool_id) else { return };
        if pool.stream_setting != target.setting {
            return;
        }
        if let Some(streams) = pool.streams.as_mut().filter(|streams| CognitoStreams::is_enabled(streams)) {
            streams.streaming_status = Some("DISABLED".to_owned());
            streams.disabled_reason = Some(reason.to_owned());
        }
    }

    /// A number that nothing had before.
    pub(super) fn next_number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// Says what follows from a change of a dataset: a record for the stream, and
    /// messages to the devices that are subscribed, but for the one that wrote.
    pub(super) fn changed(&mut self, place: &DatasetPlace, whose: &str, change: Change<'_>) {
        let Reach { streams, push, .. } = self.reach;
        let Some(pool) = self.pools.get(&place.identity_pool_id).filter(|_| streams || push) else { return };
        let Some(identity) = pool.identities.get(whose) else { return };
        let Some(dataset) = identity.datasets.get(&place.dataset_name) else { return };
        let mut effects = Vec::new();
        if let Some(target) = pool.stream_target(&place.identity_pool_id).filter(|_| streams) {
            let (operation, records) = match change {
                Change::Written { records, .. } => (PatchOperation::Replace, Some(records.to_vec())),
                Change::Deleted => (PatchOperation::Remove, None),
            };
            let (last_modified_date, sync_count) = (dataset.modified, dataset.count);
            let record = StreamRecord { place: place.clone(), operation, records, last_modified_date, sync_count };
            effects.push(Effect::Stream(target, record));
        }
        let pushes = push && pool.push_sync.as_ref().is_some_and(|push| !push.application_arns.is_empty());
        if let Change::Written { device_id, .. } = change
            && pushes
        {
            let others = dataset.subscribers.iter().filter(|id| Some(id.as_str()) != device_id);
            effects.extend(others.filter_map(|id| identity.devices.endpoint(id)).map(|(platform, endpoint_arn)| {
                Effect::Notify(Notification {
                    endpoint_arn: endpoint_arn.to_owned(),
                    platform: platform.to_owned(),
                    place: place.clone(),
                    sync_count: dataset.count,
                })
            }));
        }
        self.effects.extend(effects);
    }
}

/// How a dataset changed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Change<'a> {
    /// These records were written or removed, by this device if it said so.
    Written { records: &'a [Record], device_id: Option<&'a str> },
    /// The dataset was deleted.
    Deleted,
}
