//! Devices and their subscriptions.

use super::{renamed, says};
use crate::prove::alteration::Alteration;
use crate::prove::answers::{is_error, member, message, on, refuse};
use crate::reference::Switch;
use crate::spec::Credentials;
use crate::wire::Response;

pub(super) fn all() -> Vec<Alteration> {
    [registration(), subscriptions()].into_iter().flatten().collect()
}

fn registration() -> Vec<Alteration> {
    vec![
        Alteration::rewritten(
            "device-id-without-dashes",
            "A device's id is 32 digits in a row.",
            &["RegisterDevice/rule/device-id-is-guid"],
            on("RegisterDevice", |response| {
                member(response, "/DeviceId", |id| *id = id.as_str().unwrap_or_default().replace('-', "").into());
            }),
        ),
        Alteration::mutant(
            "registers-without-push",
            "A device is registered in a pool without push synchronisation.",
            &["RegisterDevice/rule/needs-push-configuration"],
            Switch::RegistersWithoutPush,
        ),
        Alteration::rewritten(
            "registering-needs-push-to-be-found",
            "Registering a device without push synchronisation fails with ResourceNotFoundException.",
            &["RegisterDevice/rule/needs-push-configuration"],
            on("RegisterDevice", |response| {
                renamed(response, "InvalidConfigurationException", 404, "ResourceNotFoundException")
            }),
        ),
        Alteration::described(
            "developer-registers",
            "The account registers devices.",
            &["RegisterDevice/rule/role-refused"],
            |service| service.operations["RegisterDevice"].credentials = Credentials::Either,
        ),
        Alteration::rewritten(
            "role-refused-as-iam-does",
            "The account that registers a device is refused with AccessDeniedException.",
            &["RegisterDevice/rule/role-refused"],
            on("RegisterDevice", |response| renamed(response, "NotAuthorizedException", 403, "AccessDeniedException")),
        ),
        Alteration::rewritten(
            "role-refused-in-other-words",
            "The account that registers a device is told that access is denied.",
            &["RegisterDevice/rule/role-refused-message"],
            on("RegisterDevice", |response| {
                if is_error(response, "NotAuthorizedException") {
                    message(response, |_| "Access denied".to_owned());
                }
            }),
        ),
        Alteration::variant(
            "device-ids-in-upper-case",
            "Ids of devices are written in upper case.",
            &[],
            Switch::DeviceIdsInUpperCase,
        ),
        Alteration::variant(
            "device-ids-always-new",
            "Each registration gives a new id, also of a device that is registered.",
            &[],
            Switch::DeviceIdsAlwaysNew,
        ),
    ]
}

fn subscriptions() -> Vec<Alteration> {
    vec![
        Alteration::variant(
            "subscribes-without-push",
            "Subscriptions are taken in a pool without push synchronisation.",
            &[
                "SubscribeToDataset/rule/needs-push-configuration",
                "UnsubscribeFromDataset/rule/needs-push-configuration",
            ],
            Switch::SubscribesWithoutPush,
        ),
        Alteration::rewritten(
            "subscribing-needs-push-to-be-found",
            "A subscription without push synchronisation fails with ResourceNotFoundException.",
            &[
                "SubscribeToDataset/rule/needs-push-configuration",
                "UnsubscribeFromDataset/rule/needs-push-configuration",
            ],
            |operation, _, response| {
                if operation.is_some_and(|operation| operation.ends_with("Dataset")) {
                    renamed(response, "InvalidConfigurationException", 404, "ResourceNotFoundException");
                }
            },
        )
        .legal(),
        Alteration::variant(
            "unknown-device-subscribed",
            "Any device can be subscribed, registered or not.",
            &["SubscribeToDataset/rule/unknown-device", "UnsubscribeFromDataset/rule/unknown-device"],
            Switch::UnknownDeviceSubscribed,
        ),
        Alteration::rewritten(
            "unknown-device-is-invalid",
            "A device that was never registered is an invalid parameter.",
            &["SubscribeToDataset/rule/unknown-device", "UnsubscribeFromDataset/rule/unknown-device"],
            |operation, _, response| unknown_device(operation, response, 400, "InvalidParameterException"),
        )
        .legal(),
        Alteration::rewritten(
            "unknown-device-is-not-allowed",
            "A device that was never registered is not authorised.",
            &["SubscribeToDataset/rule/unknown-device", "UnsubscribeFromDataset/rule/unknown-device"],
            |operation, _, response| unknown_device(operation, response, 403, "NotAuthorizedException"),
        )
        .legal(),
        Alteration::mutant(
            "unknown-dataset-subscribed",
            "A device can be subscribed to a dataset that does not exist.",
            &["SubscribeToDataset/rule/dataset-exists-first"],
            Switch::UnknownDatasetSubscribed,
        ),
        Alteration::rewritten(
            "unknown-dataset-is-invalid",
            "Subscribing to a dataset that does not exist is an invalid parameter.",
            &["SubscribeToDataset/rule/unknown-dataset"],
            on("SubscribeToDataset", |response| {
                if is_error(response, "ResourceNotFoundException") && says(response, "Dataset") {
                    refuse(response, 400, "InvalidParameterException");
                }
            }),
        )
        .legal(),
    ]
}

fn unknown_device(operation: Option<&str>, response: &mut Response, status: u16, name: &str) {
    let of_device = operation.is_some_and(|operation| operation.contains("ubscribe"));
    if of_device && is_error(response, "ResourceNotFoundException") && says(response, "Device") {
        refuse(response, status, name);
    }
}
