//! RegisterDevice, SubscribeToDataset and UnsubscribeFromDataset.
//!
//! Where devices can be reached, a registration is made in two steps: the first says
//! which platform endpoint to create, the second keeps what came of it.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::error::ServiceError;
use super::state::{Call, DatasetPlace, Identity, Model, Pool};
use crate::reference::altered::Switch;

/// Devices kept for one identity; bounds its memory.
const DEVICES_MAX: usize = 1_000;

/// An identity's devices, oldest first.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Devices(Vec<Device>);

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Device {
    id: String,
    /// Digest of platform and push token: enough to know them again, and small
    /// however long the token is.
    digest: [u8; 32],
    platform: String,
    /// ARN of its platform endpoint, where devices can be reached.
    endpoint_arn: Option<String>,
}

/// A platform endpoint that a device needs to be reached.
#[derive(Clone, PartialEq, Eq)]
pub struct EndpointRequest {
    /// ARN of the application.
    pub application_arn: String,
    /// The device's push token.
    pub token: String,
}

/// The debug form hides the token.
impl fmt::Debug for EndpointRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointRequest").field("application_arn", &self.application_arn).finish_non_exhaustive()
    }
}

/// What makes a device: its platform and its push token.
#[derive(Clone, Copy)]
pub struct DeviceIdentity<'a> {
    /// Such as `GCM`.
    pub platform: &'a str,
    /// As the platform gave it to the device.
    pub token: &'a str,
}

impl DeviceIdentity<'_> {
    fn digest(self) -> [u8; 32] {
        Sha256::new().chain_update(self.platform).chain_update([0]).chain_update(self.token).finalize().into()
    }
}

impl Devices {
    /// The id of the oldest.
    pub(super) fn first(&self) -> Option<String> {
        self.0.first().map(|device| device.id.clone())
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = &String> {
        self.0.iter().map(|device| &device.id)
    }

    pub(super) fn contains(&self, id: &str) -> bool {
        self.0.iter().any(|device| device.id == id)
    }

    /// Platform and endpoint of a device that can be reached.
    pub(super) fn endpoint(&self, id: &str) -> Option<(&str, &str)> {
        let device = self.0.iter().find(|device| device.id == id)?;
        Some((device.platform.as_str(), device.endpoint_arn.as_deref()?))
    }
}

impl Model {
    /// The platform endpoint that registering this device takes first, if any: none
    /// where no device can be reached, and for one that is registered with an endpoint.
    ///
    /// # Errors
    ///
    /// Those of [`Model::register_device`], where devices can be reached; also
    /// `InvalidConfigurationException` when no application of the pool is for the
    /// device's platform.
    pub fn endpoint_request(
        &self,
        identity_pool_id: &str,
        identity_id: &str,
        device: DeviceIdentity<'_>,
    ) -> Result<Option<EndpointRequest>, ServiceError> {
        if !self.reach.push {
            return Ok(None);
        }
        let pool = self.pool(identity_pool_id)?;
        match check_push(pool) {
            Err(_) if self.switches.has(Switch::RegistersWithoutPush) => return Ok(None),
            checked => checked?,
        }
        let digest = device.digest();
        let devices = &pool.identity(identity_id)?.devices.0;
        if devices.iter().any(|known| known.digest == digest && known.endpoint_arn.is_some()) {
            return Ok(None);
        }
        let applications = pool.push_sync.iter().flat_map(|push| &push.application_arns);
        let of_platform = |arn: &&String| arn.split('/').nth(1) == Some(device.platform);
        let application_arn = applications.into_iter().find(of_platform).cloned().ok_or_else(|| {
            let message = format!("The identity pool has no application of the platform {}", device.platform);
            ServiceError::invalid_configuration(message)
        })?;
        Ok(Some(EndpointRequest { application_arn, token: device.token.to_owned() }))
    }

    /// Registers a device for push messages and gives its id. `endpoint_arn` is the
    /// platform endpoint that was created for it, if one was.
    ///
    /// # Errors
    ///
    /// `ResourceNotFoundException` when pool or identity does not exist;
    /// `InvalidConfigurationException` when the pool has no push configuration.
    pub fn register_device(
        &mut self,
        call: &Call<'_>,
        identity_pool_id: &str,
        identity_id: &str,
        device: DeviceIdentity<'_>,
        endpoint_arn: Option<String>,
    ) -> Result<String, ServiceError> {
        let switches = self.switches.clone();
        let pool = self.pool_mut(identity_pool_id)?;
        if !switches.has(Switch::RegistersWithoutPush) {
            check_push(pool)?;
        }
        let identity = pool.identity_mut(identity_id)?;
        let digest = device.digest();
        let known = identity.devices.0.iter_mut().find(|known| known.digest == digest);
        if let Some(known) = known.filter(|_| !switches.has(Switch::DeviceIdsAlwaysNew)) {
            known.endpoint_arn = endpoint_arn.or(known.endpoint_arn.take());
            return Ok(known.id.clone());
        }
        let mut id = uuid(call.random);
        if switches.has(Switch::DeviceIdsInUpperCase) {
            id.make_ascii_uppercase();
        }
        if identity.devices.0.len() >= DEVICES_MAX {
            let oldest = identity.devices.0.remove(0);
            for dataset in identity.datasets.values_mut() {
                dataset.subscribers.remove(&oldest.id);
            }
        }
        identity.devices.0.push(Device { id: id.clone(), digest, platform: device.platform.to_owned(), endpoint_arn });
        Ok(id)
    }

    /// Has a device told of writes to a dataset; does nothing if it already is.
    ///
    /// # Errors
    ///
    /// `ResourceNotFoundException` when pool, identity, device or dataset does not
    /// exist; `InvalidConfigurationException` when the pool has no push
    /// configuration.
    pub fn subscribe_to_dataset(&mut self, place: &DatasetPlace, device_id: &str) -> Result<(), ServiceError> {
        let forgotten = self.switches.has(Switch::SubscriptionForgotten);
        let identity = self.subscriber(place, device_id)?;
        if let Some(dataset) = identity.datasets.get_mut(&place.dataset_name).filter(|_| !forgotten) {
            dataset.subscribers.insert(device_id.to_owned());
        }
        Ok(())
    }

    /// Has a device no longer told of writes to a dataset; does nothing if it was
    /// not.
    ///
    /// # Errors
    ///
    /// The same as for subscribing.
    pub fn unsubscribe_from_dataset(&mut self, place: &DatasetPlace, device_id: &str) -> Result<(), ServiceError> {
        let forgotten = self.switches.has(Switch::UnsubscriptionForgotten);
        let identity = self.subscriber(place, device_id)?;
        if let Some(dataset) = identity.datasets.get_mut(&place.dataset_name).filter(|_| !forgotten) {
            dataset.subscribers.remove(device_id);
        }
        Ok(())
    }

    /// The identity, when push is configured and device and dataset exist.
    fn subscriber(&mut self, place: &DatasetPlace, device_id: &str) -> Result<&mut Identity, ServiceError> {
        let switches = self.switches.clone();
        let pool = self.pool_mut(&place.identity_pool_id)?;
        if !switches.has(Switch::SubscribesWithoutPush) {
            check_push(pool)?;
        }
        let identity = pool.identity_mut(&place.identity_id)?;
        if !identity.devices.contains(device_id) && !switches.has(Switch::UnknownDeviceSubscribed) {
            return Err(ServiceError::not_found(format!("Device '{device_id}' not found")));
        }
        if !switches.has(Switch::UnknownDatasetSubscribed) {
            identity.dataset(&place.dataset_name)?;
        }
        Ok(identity)
    }
}

fn check_push(pool: &Pool) -> Result<(), ServiceError> {
    let configured = pool.push_sync.as_ref().is_some_and(|push| !push.application_arns.is_empty());
    configured
        .then_some(())
        .ok_or_else(|| ServiceError::invalid_configuration("The identity pool is not configured for push sync"))
}

/// Random bytes in the form of a random UUID.
fn uuid(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let number = u128::from_be_bytes(bytes);
    let hex = format!("{number:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}
