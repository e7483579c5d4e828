//! What the model wants done outside: records for a stream, push messages, bulk
//! publishes. It only says so; whoever holds the model takes the effects out, in the
//! order in which they came about, and sees to them. They are no part of what is kept.

use super::configuration::CognitoStreams;
use super::dataset::{PatchOperation, Record};
use super::state::{DatasetPlace, Model, Pool};
use super::timestamp::Timestamp;
use crate::reference::altered::{Switch, Switches};
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
    pub(super) fn stream_target(&self, identity_pool_id: &str, switches: &Switches) -> Option<StreamTarget> {
        let always = switches.has(Switch::StreamsWhileDisabled);
        let streams = self.streams.as_ref().filter(|streams| always || CognitoStreams::is_enabled(streams))?;
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
        let dataset = identity.datasets.get(&place.dataset_name)?;
        if !dataset.exists && !self.switches.has(Switch::PublishesDeletedDatasets) {
            return None;
        }
        let tombstones = self.switches.has(Switch::PublishesTombstones);
        let told = |record: &&Record| tombstones || !record.is_tombstone();
        Some(StreamRecord {
            place: place.clone(),
            operation: PatchOperation::Replace,
            records: Some(dataset.records.values().filter(told).cloned().collect()),
            last_modified_date: dataset.modified,
            sync_count: dataset.count,
        })
    }

    /// Switches streaming off because `reason`, unless it was set anew since.
    pub fn stream_failed(&mut self, target: &StreamTarget, reason: &str) {
        let ignored = self.switches.has(Switch::StreamFailureIgnored);
        let Some(pool) = self.pools.get_mut(&target.identity_pool_id) else { return };
        if pool.stream_setting != target.setting || ignored {
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
        if streams {
            self.streamed(place, whose, change);
        }
        if let Change::Written { device_id, .. } = change
            && push
        {
            self.notified(place, whose, device_id);
        }
    }

    fn streamed(&mut self, place: &DatasetPlace, whose: &str, change: Change<'_>) {
        let Some(pool) = self.pools.get(&place.identity_pool_id) else { return };
        let Some(target) = pool.stream_target(&place.identity_pool_id, &self.switches) else { return };
        let Some(dataset) = pool.identities.get(whose).and_then(|of| of.datasets.get(&place.dataset_name)) else {
            return;
        };
        let record = |operation, records| {
            let (last_modified_date, sync_count) = (dataset.modified, dataset.count);
            let record = StreamRecord { place: place.clone(), operation, records, last_modified_date, sync_count };
            Effect::Stream(target.clone(), record)
        };
        let replaced = |records: &[Record]| record(PatchOperation::Replace, Some(records.to_vec()));
        let effects: Vec<Effect> = match change {
            Change::Deleted if self.switches.has(Switch::DeletionsUnstreamed) => Vec::new(),
            Change::Deleted => vec![record(PatchOperation::Remove, None)],
            Change::Written { .. } if self.switches.has(Switch::StreamsWholeDataset) => {
                vec![replaced(&dataset.records.values().cloned().collect::<Vec<_>>())]
            }
            Change::Written { records, .. } if self.switches.has(Switch::StreamRecordPerPatch) => {
                records.chunks(1).map(replaced).collect()
            }
            Change::Written { records, .. } => vec![replaced(records)],
        };
        self.effects.extend(effects);
    }

    /// Has devices told of a change, but for the one that made it.
    pub(super) fn notified(&mut self, place: &DatasetPlace, whose: &str, device_id: Option<&str>) {
        let has = |switch| self.switches.has(switch);
        let Some(pool) = self.pools.get(&place.identity_pool_id).filter(|_| self.reach.push) else { return };
        let configured = pool.push_sync.as_ref().is_some_and(|push| !push.application_arns.is_empty());
        let Some(changed) = pool.identities.get(whose).and_then(|of| of.datasets.get(&place.dataset_name)) else {
            return;
        };
        if !configured && !has(Switch::PushesWithoutPush) {
            return;
        }
        let mut effects = Vec::new();
        let everybody = has(Switch::PushesToEveryIdentity);
        for (_, identity) in pool.identities.iter().filter(|(id, _)| *id == whose || everybody) {
            let subscribed: Vec<&String> = if has(Switch::PushesToEveryDevice) {
                identity.devices.ids().collect()
            } else {
                let dataset = identity.datasets.get(&place.dataset_name);
                dataset.iter().flat_map(|dataset| &dataset.subscribers).collect()
            };
            let sender = device_id.filter(|_| !has(Switch::PushesToSender));
            let most = if has(Switch::PushesToOneDevice) { 1 } else { subscribed.len() };
            let others = subscribed.into_iter().filter(|id| Some(id.as_str()) != sender).take(most);
            effects.extend(others.filter_map(|id| identity.devices.endpoint(id)).map(|(platform, endpoint_arn)| {
                Effect::Notify(Notification {
                    endpoint_arn: endpoint_arn.to_owned(),
                    platform: platform.to_owned(),
                    place: place.clone(),
                    sync_count: changed.count,
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
