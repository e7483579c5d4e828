//! BulkPublish and GetBulkPublishDetails. Nothing is published; only the course
//! of it is played, from the moments of the calls.

use serde::{Deserialize, Serialize};

use super::configuration::CognitoStreams;
use super::error::ServiceError;
use super::state::{Call, Model};
use super::timestamp::Timestamp;
use crate::reference::altered::Switch;

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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BulkPublishDetails {
    /// How far it has come.
    pub status: BulkPublishStatus,
    /// Its start, if it has started.
    pub start_time: Option<Timestamp>,
    /// Its end, if it has ended.
    pub complete_time: Option<Timestamp>,
}

/// A bulk publish that was asked for.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Publish {
    started: Timestamp,
    /// What it will have come to at its end.
    outcome: BulkPublishStatus,
}

impl BulkPublishDetails {
    /// The latest publish, if there was one, seen at `now`.
    fn at(publish: Option<Publish>, now: Timestamp) -> Self {
        let end = publish.map(|publish| publish.started.plus_millis(PUBLISH_MILLIS));
        let complete_time = end.filter(|end| *end <= now);
        let status = match (publish, complete_time) {
            (None, _) => BulkPublishStatus::NotStarted,
            (Some(_), None) => BulkPublishStatus::InProgress,
            (Some(publish), Some(_)) => publish.outcome,
        };
        Self { status, start_time: publish.map(|publish| publish.started), complete_time }
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
        let (wait, switches) = (self.limits.bulk_publish_wait_millis, self.switches.clone());
        let pool = self.pool_mut(identity_pool_id)?;
        let streams = pool.streams.as_ref().is_some_and(CognitoStreams::is_enabled);
        if !streams && !switches.has(Switch::PublishFailsLater) {
            let message = "Streaming is not enabled for the identity pool";
            return Err(ServiceError::invalid_parameter(message));
        }
        let latest = BulkPublishDetails::at(pool.published, call.now);
        if latest.status == BulkPublishStatus::InProgress && !switches.has(Switch::ParallelPublishes) {
            return Err(ServiceError::duplicate_request("A bulk publish of the identity pool is in progress"));
        }
        let succeeded = latest.complete_time.filter(|_| latest.status == BulkPublishStatus::Succeeded);
        let too_soon = succeeded.is_some_and(|done| call.now < done.plus_millis(wait));
        if too_soon && !switches.has(Switch::RepublishedAtOnce) {
            let message = "The identity pool was published successfully too short a time ago";
            return Err(ServiceError::already_streamed(message));
        }
        if !switches.has(Switch::PublishNeverStarts) {
            let outcome = if streams { BulkPublishStatus::Succeeded } else { BulkPublishStatus::Failed };
            pool.published = Some(Publish { started: call.now, outcome });
        }
        Ok(())
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
        Ok(BulkPublishDetails::at(self.pool(identity_pool_id)?.published, call.now))
    }
}
