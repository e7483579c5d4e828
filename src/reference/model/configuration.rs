//! A pool's events and configuration.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::ServiceError;
use super::state::Model;
use crate::reference::altered::Switch;

/// The one event that a function can be bound to.
const SYNC_TRIGGER: &str = "SyncTrigger";

/// What a pool is set up to do beside storing data.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PoolConfiguration {
    /// Push messages; none when not configured, or when left as it is.
    pub push_sync: Option<PushSync>,
    /// Streaming of changes; none when not configured, or when left as it is.
    pub cognito_streams: Option<CognitoStreams>,
}

/// Configuration of push messages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushSync {
    /// ARNs of the platform applications.
    pub application_arns: Vec<String>,
    /// ARN of the role to send as.
    pub role_arn: Option<String>,
}

/// Configuration of the stream of changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CognitoStreams {
    /// Name of the stream.
    pub stream_name: Option<String>,
    /// ARN of the role to write as.
    pub role_arn: Option<String>,
    /// `ENABLED` or `DISABLED`, as sent.
    pub streaming_status: Option<String>,
    /// Why the service switched streaming off; none when it did not. Means nothing in
    /// what is set.
    pub disabled_reason: Option<String>,
}

impl CognitoStreams {
    /// Whether changes are streamed.
    pub(super) fn is_enabled(&self) -> bool {
        self.streaming_status.as_deref() == Some("ENABLED")
    }
}

impl Model {
    /// Event names to function ARNs.
    ///
    /// # Errors
    ///
    /// `ResourceNotFoundException` for an unknown pool.
    pub fn cognito_events(&self, identity_pool_id: &str) -> Result<BTreeMap<String, String>, ServiceError> {
        let pool = self.pool(identity_pool_id)?;
        Ok(pool.sync_trigger.iter().map(|arn| (SYNC_TRIGGER.to_owned(), arn.clone())).collect())
    }

    /// Binds events to functions; an empty ARN unbinds.
    ///
    /// # Errors
    ///
    /// `ResourceNotFoundException` for an unknown pool; `InvalidParameterException`
    /// for an unknown event.
    pub fn set_cognito_events(
        &mut self,
        identity_pool_id: &str,
        events: &BTreeMap<String, String>,
    ) -> Result<(), ServiceError> {
        let switches = self.switches.clone();
        let pool = self.pool_mut(identity_pool_id)?;
        if let Some(unknown) = events.keys().find(|name| *name != SYNC_TRIGGER) {
            if switches.has(Switch::UnknownEventIgnored) {
                return Ok(());
            }
            return Err(ServiceError::invalid_parameter(format!("Unknown event type: {unknown}")));
        }
        let Some(arn) = events.get(SYNC_TRIGGER) else { return Ok(()) };
        let removes = arn.is_empty();
        if removes && switches.has(Switch::EmptyEventRefused) {
            return Err(ServiceError::invalid_parameter("The ARN of a function is empty"));
        }
        if removes && switches.has(Switch::UnsetEventRefused) && pool.sync_trigger.is_none() {
            return Err(ServiceError::not_found(format!("Event '{SYNC_TRIGGER}' not found")));
        }
        let ignored = if removes { Switch::EmptyEventIgnored } else { Switch::EventForgotten };
        if !switches.has(ignored) {
            pool.sync_trigger = (!removes || switches.has(Switch::EmptyEventKept)).then(|| arn.clone());
        }
        Ok(())
    }

    /// The pool's configuration.
    ///
    /// # Errors
    ///
    /// `ResourceNotFoundException` for an unknown pool.
    pub fn pool_configuration(&self, identity_pool_id: &str) -> Result<PoolConfiguration, ServiceError> {
        let pool = self.pool(identity_pool_id)?;
        Ok(PoolConfiguration { push_sync: pool.push_sync.clone(), cognito_streams: pool.streams.clone() })
    }

    /// Replaces the parts that are given, clears those that are given empty, and
    /// gives the whole configuration.
    ///
    /// # Errors
    ///
    /// `ResourceNotFoundException` for an unknown pool.
    pub fn set_pool_configuration(
        &mut self,
        identity_pool_id: &str,
        configuration: &PoolConfiguration,
    ) -> Result<PoolConfiguration, ServiceError> {
        let (switches, setting) = (self.switches.clone(), self.next_number());
        let pool = self.pool_mut(identity_pool_id)?;
        if switches.has(Switch::LeftOutIsCleared) {
            (pool.push_sync, pool.streams) = (None, None);
        }
        if let Some(push) = &configuration.push_sync {
            let clears = *push == PushSync::default();
            if !(clears && switches.has(Switch::EmptyPushSyncIgnored)) {
                pool.push_sync = (!clears).then(|| push.clone());
            }
        }
        if let Some(streams) = &configuration.cognito_streams {
            let is_on = pool.streams.as_ref().is_some_and(CognitoStreams::is_enabled);
            if !(is_on && switches.has(Switch::StreamingStaysOn)) {
                let failed = pool.streams.as_ref().is_some_and(|streams| streams.disabled_reason.is_some());
                pool.streams = (*streams != CognitoStreams::default()).then(|| streams.clone());
                if let Some(streams) = pool.streams.as_mut()
                    && failed
                    && switches.has(Switch::StreamingStaysOff)
                {
                    streams.streaming_status = Some("DISABLED".to_owned());
                }
                pool.stream_setting = setting;
            }
        }
        let set = PoolConfiguration { push_sync: pool.push_sync.clone(), cognito_streams: pool.streams.clone() };
        if switches.has(Switch::PushSyncForgotten) {
            pool.push_sync = None;
        }
        if switches.has(Switch::StreamsForgotten) {
            pool.streams = None;
        }
        Ok(set)
    }
}
