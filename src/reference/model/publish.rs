//! BulkPublish and GetBulkPublishDetails.
//!
//! Where no stream can be written to, nothing is published: only the course of it is
//! played, from the moments of the calls.

use serde::{Deserialize, Serialize};

use super::configuration::CognitoStreams;
use super::dataset::Dataset;
use super::effects::{BulkPublish, Effect};
use super::error::ServiceError;
use super::state::{Call, DatasetPlace, Identity, Model, Pool};
use super::timestamp::Timestamp;
use crate::reference::altered::{Switch, Switches};

/// How long a bulk publish takes, in milliseconds: long enough for a client to
/// see it run, short enough to wait for.
const PUBLISH_MILLIS: i64 = 300;

/// How far a pool's latest bulk publish has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum BulkPublishStatus {
    /// There was none.
    NotStarted,
    /// It runs.
    InProgress,
    /// It is done.
    Succeeded,
    /// It ended without being done.
    Failed,
}

impl BulkPublishStatus {
    /// As on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotStarted => "NOT_STARTED",
            Self::InProgress => "IN_PROGRESS",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
        }
    }
}

/// A pool's latest bulk publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkPublishDetails {
    /// How far it has come.
    pub status: BulkPublishStatus,
    /// Its start, if it has started.
    pub start_time: Option<Timestamp>,
    /// Its end, if it has ended.
    pub complete_time: Option<Timestamp>,
    /// Why it failed, if it did and that is known.
    pub failure_message: Option<String>,
}

/// A bulk publish that was asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Publish {
    started: Timestamp,
    course: Course,
}

impl Publish {
    /// Whoever saw to it is no more.
    pub(super) fn interrupted(&mut self, now: Timestamp) {
        if matches!(self.course, Course::Real(_)) {
            self.course = Course::Over(now, Some("The service was restarted during the publish".to_owned()));
        }
    }
}

/// How a bulk publish goes.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Course {
    /// It is played, and will have come to this at its end.
    Played(BulkPublishStatus),
    /// It is under way, by this number.
    Real(u64),
    /// It came to an end, and failed if there is a reason.
    Over(Timestamp, Option<String>),
}

impl BulkPublishDetails {
    /// The latest publish, if there was one, seen at `now`.
    fn at(publish: Option<&Publish>, now: Timestamp) -> Self {
        let mut details = Self {
            status: BulkPublishStatus::NotStarted,
            start_time: publish.map(|publish| publish.started),
            complete_time: None,
            failure_message: None,
        };
        let Some(Publish { started, course }) = publish else { return details };
        details.status = BulkPublishStatus::InProgress;
        match course {
            Course::Real(_) => {}
            Course::Played(outcome) => {
                details.complete_time = Some(started.plus_millis(PUBLISH_MILLIS)).filter(|end| *end <= now);
                if details.complete_time.is_some() {
                    details.status = *outcome;
                }
            }
            Course::Over(end, failure) => {
                let failed = failure.is_some();
                details.status = if failed { BulkPublishStatus::Failed } else { BulkPublishStatus::Succeeded };
                (details.complete_time, details.failure_message) = (Some(*end), failure.clone());
            }
        }
        details
    }
}

impl Pool {
    /// The datasets that exist.
    fn places(&self, identity_pool_id: &str, switches: &Switches) -> Vec<DatasetPlace> {
        let deleted = switches.has(Switch::PublishesDeletedDatasets);
        let of_identity = |(identity_id, identity): (&String, &Identity)| -> Vec<DatasetPlace> {
            let place = |(dataset_name, _): (&String, &Dataset)| DatasetPlace {
                identity_pool_id: identity_pool_id.to_owned(),
                identity_id: identity_id.clone(),
                dataset_name: dataset_name.clone(),
            };
            identity.datasets.iter().filter(|(_, dataset)| deleted || dataset.exists).map(place).collect()
        };
        let mut places: Vec<DatasetPlace> = self.identities.iter().flat_map(of_identity).collect();
        if switches.has(Switch::PublishesOneDataset) {
            places.truncate(1);
        }
        if let Some(DatasetPlace { identity_id: first, .. }) = places.first().cloned()
            && switches.has(Switch::PublishesOneIdentity)
        {
            places.retain(|place| place.identity_id == first);
        }
        places
    }
}

impl Model {
    /// Starts to publish all data of a pool.
    ///
    /// # Errors
    ///
    /// `ResourceNotFoundException` for an unknown pool; `InvalidParameterException`
    /// when streams are not enabled; `DuplicateRequestException` while one runs;
    /// `AlreadyStreamedException` when the latest was done too short a time ago.
    pub fn bulk_publish(&mut self, call: &Call<'_>, identity_pool_id: &str) -> Result<(), ServiceError> {
        let (wait, switches, number) =
            (self.limits.bulk_publish_wait_millis, self.switches.clone(), self.next_number());
        let real = self.reach.streams;
        let pool = self.pool_mut(identity_pool_id)?;
        let target = pool.stream_target(identity_pool_id, &switches).filter(|_| real);
        let streams = target.is_some() || !real && pool.streams.as_ref().is_some_and(CognitoStreams::is_enabled);
        if !streams && !switches.has(Switch::PublishFailsLater) {
            let message = "Streaming is not enabled for the identity pool";
            return Err(ServiceError::invalid_parameter(message));
        }
        let latest = BulkPublishDetails::at(pool.published.as_ref(), call.now);
        if latest.status == BulkPublishStatus::InProgress && !switches.has(Switch::ParallelPublishes) {
            return Err(ServiceError::duplicate_request("A bulk publish of the identity pool is in progress"));
        }
        let counts = latest.status == BulkPublishStatus::Succeeded
            || latest.status == BulkPublishStatus::Failed && switches.has(Switch::FailedPublishCounts);
        let succeeded = latest.complete_time.filter(|_| counts);
        let too_soon = succeeded.is_some_and(|done| call.now < done.plus_millis(wait));
        if too_soon && !switches.has(Switch::RepublishedAtOnce) {
            let message = "The identity pool was published successfully too short a time ago";
            return Err(ServiceError::already_streamed(message));
        }
        if !switches.has(Switch::PublishNeverStarts) {
            let outcome = if streams { BulkPublishStatus::Succeeded } else { BulkPublishStatus::Failed };
            let course = if target.is_some() { Course::Real(number) } else { Course::Played(outcome) };
            pool.published = Some(Publish { started: call.now, course });
            if let Some(target) = target {
                let places = pool.places(identity_pool_id, &switches);
                self.effects.push(Effect::Publish(BulkPublish { target, number, places }));
            }
        }
        Ok(())
    }

    /// A bulk publish that was given out came to an end, and failed if there is a
    /// reason.
    pub fn bulk_publish_ended(&mut self, publish: &BulkPublish, now: Timestamp, failure: Option<String>) {
        let failure = failure.filter(|_| !self.switches.has(Switch::PublishFailureHidden));
        if let Some(reason) = failure.as_ref().filter(|_| self.switches.has(Switch::PublishFailureEndsStreaming)) {
            self.stream_failed(&publish.target, reason);
        }
        let pool = self.pools.get_mut(&publish.target.identity_pool_id);
        if let Some(published) = pool.and_then(|pool| pool.published.as_mut())
            && matches!(published.course, Course::Real(number) if number == publish.number)
        {
            published.course = Course::Over(now, failure);
        }
    }

    /// How far the pool's latest bulk publish has come.
    ///
    /// # Errors
    ///
    /// `ResourceNotFoundException` for an unknown pool.
    pub fn bulk_publish_details(
        &self,
        call: &Call<'_>,
        identity_pool_id: &str,
    ) -> Result<BulkPublishDetails, ServiceError> {
        Ok(BulkPublishDetails::at(self.pool(identity_pool_id)?.published.as_ref(), call.now))
    }
}
