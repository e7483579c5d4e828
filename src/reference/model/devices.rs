//! RegisterDevice, SubscribeToDataset and UnsubscribeFromDataset. What a
//! registration is good for, a push message, is never sent.

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
}

impl Devices {
    /// The id of the oldest.
    pub(super) fn first(&self) -> Option<String> {
        self.0.first().map(|device| device.id.clone())
    }

    pub(super) fn contains(&self, id: &str) -> bool {
        self.0.iter().any(|device| device.id == id)
    }
}

impl Model {
    /// Registers a device for push messages and gives its id.
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
        platform: &str,
        token: &str,
    ) -> Result<String, ServiceError> {
        let switches = self.switches.clone();
        let pool = self.pool_mut(identity_pool_id)?;
        if !switches.has(Switch::RegistersWithoutPush) {
            check_push(pool)?;
        }
        let identity = pool.identity_mut(identity_id)?;
        let digest = Sha256::new().chain_update(platform).chain_update([0]).chain_update(token).finalize().into();
        let known = identity.devices.0.iter().find(|device| device.digest == digest);
        if let Some(known) = known.filter(|_| !switches.has(Switch::DeviceIdsAlwaysNew)) {
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
        identity.devices.0.push(Device { id: id.clone(), digest });
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
        let identity = self.subscriber(place, device_id)?;
        if let Some(dataset) = identity.datasets.get_mut(&place.dataset_name) {
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
        let identity = self.subscriber(place, device_id)?;
        if let Some(dataset) = identity.datasets.get_mut(&place.dataset_name) {
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
