//! Altered servers that tell a stream and devices of an update before they make it, and
//! mind when nobody hears them, or that tell something else of what a function changed.
//!
//! The reference makes an update first, and nothing that follows can change that.

use super::dataset::{PatchOperation, Record, RecordPatch};
use super::effects::{Effect, StreamRecord};
use super::error::ServiceError;
use super::records::UpdateRecords;
use super::state::{Call, DatasetPlace, Model};
use crate::reference::altered::Switch;

/// An effect that another service did not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untaken {
    /// What it did not take.
    pub effect: Effect,
    /// Why, as a sentence.
    pub why: String,
    /// Whether it asked for fewer calls.
    pub throttled: bool,
}

impl Model {
    /// What an altered server tells others before it makes this update; nothing of one
    /// that would be refused.
    pub fn told_first(&self, call: &Call<'_>, place: &DatasetPlace, input: &UpdateRecords) -> Vec<Effect> {
        let Some(pool) = self.pools.get(&place.identity_pool_id) else { return Vec::new() };
        let streams = self.tells_streams_first() && pool.streams.is_some();
        let devices = self.tells_devices_first() && pool.push_sync.is_some();
        if !streams && !devices {
            return Vec::new();
        }
        let mut rehearsed = self.with_pool(&place.identity_pool_id);
        if rehearsed.update_records(call, place, input).is_err() {
            return Vec::new();
        }
        let mut effects = rehearsed.take_effects();
        effects.retain(|effect| self.is_told_first(effect));
        effects
    }

    /// Makes an update of which others were told; one of them may not have taken it.
    ///
    /// # Errors
    ///
    /// Those of [`Model::update_records`], and the one that blames the other service.
    pub fn update_told(
        &mut self,
        call: &Call<'_>,
        place: &DatasetPlace,
        input: &UpdateRecords,
        untaken: Option<&Untaken>,
    ) -> Result<Vec<Record>, ServiceError> {
        if let Some(untaken) = untaken {
            if let Some(error) = self.blamed(untaken) {
                return Err(error);
            }
            if self.loses(&untaken.effect) {
                return self.with_pool(&place.identity_pool_id).update_records(call, place, input);
            }
        }
        let records = self.update_records(call, place, input)?;
        let mut effects = self.take_effects();
        effects.retain(|effect| !self.is_told_first(effect));
        self.effects = effects;
        if let Some(Untaken { effect: Effect::Stream(target, _), why, .. }) = untaken {
            self.stream_failed(target, why);
        }
        Ok(records)
    }

    /// Has others told something else of an update that a function changed; `sent` are
    /// the client's patches.
    pub fn told_of_function(&mut self, sent: &[RecordPatch]) {
        if self.has(Switch::FunctionChangesUnstreamed) {
            for effect in &mut self.effects {
                if let Effect::Stream(_, StreamRecord { records: Some(records), .. }) = effect {
                    *records = records.iter().filter_map(|record| as_sent(record, sent)).collect();
                }
            }
        }
        if self.has(Switch::FunctionChangesToldApart) {
            let is_message = |effect: &&Effect| matches!(effect, Effect::Notify(_));
            let again: Vec<Effect> = self.effects.iter().filter(is_message).cloned().collect();
            self.effects.extend(again);
        }
    }

    /// A copy with this pool alone: others may hold much.
    fn with_pool(&self, identity_pool_id: &str) -> Self {
        let pool = self.pools.get_key_value(identity_pool_id);
        Self {
            account_id: self.account_id.clone(),
            limits: self.limits,
            switches: self.switches.clone(),
            sessions: self.sessions.clone(),
            pools: pool.map(|(id, pool)| (id.clone(), pool.clone())).into_iter().collect(),
            reach: self.reach,
            effects: Vec::new(),
            numbers: self.numbers,
        }
    }

    fn tells_streams_first(&self) -> bool {
        self.has(Switch::ThrottledStreamRefuses)
            || self.has(Switch::StreamFailureRefuses)
            || self.has(Switch::StreamFailureLoses)
    }

    fn tells_devices_first(&self) -> bool {
        self.has(Switch::PushFailureRefuses) || self.has(Switch::PushFailureLoses)
    }

    fn is_told_first(&self, effect: &Effect) -> bool {
        match effect {
            Effect::Stream(..) => self.tells_streams_first(),
            Effect::Notify(_) => self.tells_devices_first(),
            Effect::Publish(_) => false,
        }
    }

    /// The error that an update is refused with because of this.
    fn blamed(&self, untaken: &Untaken) -> Option<ServiceError> {
        let name = match &untaken.effect {
            Effect::Stream(..) if untaken.throttled && self.has(Switch::ThrottledStreamRefuses) => {
                "TooManyRequestsException"
            }
            Effect::Stream(..) if self.has(Switch::StreamFailureRefuses) => "InternalErrorException",
            Effect::Notify(_) if self.has(Switch::PushFailureRefuses) => "InternalErrorException",
            _ => return None,
        };
        Some(ServiceError::new(name, untaken.why.as_str()))
    }

    /// Whether an update is answered and not made because of this.
    fn loses(&self, effect: &Effect) -> bool {
        match effect {
            Effect::Stream(..) => self.has(Switch::StreamFailureLoses),
            Effect::Notify(_) => self.has(Switch::PushFailureLoses),
            Effect::Publish(_) => false,
        }
    }
}

/// A record with the value that the client sent for it, if it sent one.
fn as_sent(record: &Record, sent: &[RecordPatch]) -> Option<Record> {
    let patch = sent.iter().find(|patch| patch.key == record.key)?;
    let value = patch.value.clone().filter(|_| patch.operation == PatchOperation::Replace);
    Some(Record { value, ..record.clone() })
}
