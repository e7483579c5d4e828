//! BulkPublish and GetBulkPublishDetails. Nothing is published; only the course
//! of it is played, from the moments of the calls.

use super::configuration::CognitoStreams;
use super::error::ServiceError;
use super::state::{Call, Model};
use super::timestamp::Timestamp;

/// How long a bulk publish takes, in milliseconds: long enough for a client to
/// see it run, short enough to wait for.
const PUBLISH_MILLIS: i64 = 300;

/// How far a pool's latest bulk publish has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BulkPublishStatus {
    /// There was none.
    NotStarted,
    /// It runs.
    InProgress,
    /// It is done.
    Succeeded,
}

impl BulkPublishStatus {
    /// As on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotStarted => "NOT_STARTED",
            Self::InProgress => "IN_PROGRESS",
            Self::Succeeded => "SUCCEEDED",
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

impl BulkPublishDetails {
    /// A publish that began at `started`, seen at `now`.
    fn at(started: Option<Timestamp>, now: Timestamp) -> Self {
        let end = started.map(|started| started.plus_millis(PUBLISH_MILLIS));
        let complete_time = end.filter(|end| *end <= now);
        let status = match (started, complete_time) {
            (None, _) => BulkPublishStatus::NotStarted,
            (Some(_), None) => BulkPublishStatus::InProgress,
            (Some(_), Some(_)) => BulkPublishStatus::Succeeded,
        };
        Self { status, start_time: started, complete_time }
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
        let wait = self.limits.bulk_publish_wait_millis;
        let pool = self.pool_mut(identity_pool_id)?;
        if !pool.streams.as_ref().is_some_and(CognitoStreams::is_enabled) {
            let message = "Streaming is not enabled for the identity pool";
            return Err(ServiceError::invalid_parameter(message));
        }
        let latest = BulkPublishDetails::at(pool.published, call.now);
        if latest.status == BulkPublishStatus::InProgress {
            return Err(ServiceError::duplicate_request("A bulk publish of the identity pool is in progress"));
        }
        if latest.complete_time.is_some_and(|done| call.now < done.plus_millis(wait)) {
            let message = "The identity pool was published successfully too short a time ago";
            return Err(ServiceError::already_streamed(message));
        }
        pool.published = Some(call.now);
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
