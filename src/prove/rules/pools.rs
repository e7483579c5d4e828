//! Pools: events, configuration, bulk publish; devices and subscriptions.

use serde_json::{Value, json};

use crate::prove::alteration::Alteration;
use crate::prove::answers::{accept, is_error, member, message, on, refuse};
use crate::reference::Switch;
use crate::spec::Credentials;
use crate::wire::Response;

pub(super) fn all() -> Vec<Alteration> {
    [events(), configuration(), publish(), publish_variants(), registration(), subscriptions(), empty_answers()]
        .into_iter()
        .flatten()
        .collect()
}

fn events() -> Vec<Alteration> {
    vec![
        Alteration::mutant(
            "event-forgotten",
            "An event that is set is forgotten at once.",
            &["SetCognitoEvents/rule/read-back"],
            Switch::EventForgotten,
        ),
        Alteration::mutant(
            "empty-event-ignored",
            "Setting an event to the empty text changes nothing.",
            &["SetCognitoEvents/rule/empty-removes", "GetCognitoEvents/rule/no-events"],
            Switch::EmptyEventIgnored,
        ),
        Alteration::mutant(
            "empty-event-kept",
            "An event that is set to the empty text is listed with the empty text.",
            &["SetCognitoEvents/rule/empty-removes", "GetCognitoEvents/rule/no-events"],
            Switch::EmptyEventKept,
        ),
        Alteration::mutant(
            "empty-event-refused",
            "An event cannot be set to the empty text.",
            &["SetCognitoEvents/rule/empty-removes", "SetCognitoEvents/rule/remove-unset-accepted"],
            Switch::EmptyEventRefused,
        ),
        Alteration::mutant(
            "unset-event-refused",
            "Removing an event that is not set fails with ResourceNotFoundException.",
            &["SetCognitoEvents/rule/remove-unset-accepted"],
            Switch::UnsetEventRefused,
        ),
        Alteration::rewritten(
            "sync-trigger-refused",
            "No function can be bound to `SyncTrigger`.",
            &["SetCognitoEvents/rule/sync-trigger-accepted"],
            |operation, request, response| {
                let body: Option<Value> = serde_json::from_slice(&request.body).ok();
                let function = body.as_ref().and_then(|body| body.pointer("/Events/SyncTrigger")?.as_str());
                if operation == Some("SetCognitoEvents") && function.is_some_and(|function| !function.is_empty()) {
                    refuse(response, 400, "InvalidParameterException");
                }
            },
        ),
        Alteration::rewritten(
            "no-events-made-up",
            "A pool without events lists `SyncTrigger` without a function.",
            &["GetCognitoEvents/rule/no-events"],
            on("GetCognitoEvents", |response| no_events(response, &json!({ "SyncTrigger": "" }))),
        ),
        Alteration::rewritten(
            "no-events-are-null",
            "A pool without events answers null for them.",
            &["GetCognitoEvents/rule/no-events-form"],
            on("GetCognitoEvents", |response| no_events(response, &Value::Null)),
        )
        .legal(),
        Alteration::rewritten(
            "no-events-are-left-out",
            "A pool without events answers an empty object.",
            &["GetCognitoEvents/rule/no-events-form"],
            on("GetCognitoEvents", |response| no_events_at_all(response)),
        )
        .legal(),
        Alteration::variant(
            "unknown-event-ignored",
            "An event of an unknown name is taken and forgotten.",
            &["SetCognitoEvents/rule/unknown-event"],
            Switch::UnknownEventIgnored,
        ),
        Alteration::rewritten(
            "unknown-event-is-a-validation-error",
            "An event of an unknown name is a ValidationException.",
            &["SetCognitoEvents/rule/unknown-event"],
            on("SetCognitoEvents", |response| {
                if is_error(response, "InvalidParameterException") && says(response, "Unknown event") {
                    refuse(response, 400, "ValidationException");
                }
            }),
        )
        .legal(),
    ]
}

fn configuration() -> Vec<Alteration> {
    vec![
        Alteration::rewritten(
            "pool-not-echoed",
            "The configuration does not say whose it is.",
            &["GetIdentityPoolConfiguration/rule/pool-echoed"],
            on("GetIdentityPoolConfiguration", |response| member(response, "/IdentityPoolId", |id| *id = Value::Null)),
        ),
        Alteration::rewritten(
            "first-pool-echoed",
            "Every configuration is said to be that of one pool.",
            &["GetIdentityPoolConfiguration/rule/pool-echoed"],
            on("GetIdentityPoolConfiguration", |response| {
                member(response, "/IdentityPoolId", |id| *id = "us-east-1:00000000-0000-4000-8000-000000000001".into());
            }),
        ),
        Alteration::rewritten(
            "no-push-sync-is-an-object",
            "PushSync that is not set is an empty object.",
            &[
                "GetIdentityPoolConfiguration/rule/no-push-sync",
                "SetIdentityPoolConfiguration/rule/empty-push-sync-clears",
            ],
            on("GetIdentityPoolConfiguration", |response| fill(response, "/PushSync", &json!({}))),
        ),
        Alteration::mutant(
            "push-sync-forgotten",
            "PushSync that is set is answered and then forgotten.",
            &[
                "SetIdentityPoolConfiguration/rule/push-sync-read-back",
                "SetIdentityPoolConfiguration/rule/push-sync-without-role",
            ],
            Switch::PushSyncForgotten,
        ),
        Alteration::rewritten(
            "push-sync-read-back-without-role",
            "PushSync is read back without its role.",
            &["SetIdentityPoolConfiguration/rule/push-sync-read-back"],
            on("GetIdentityPoolConfiguration", |response| {
                member(response, "/PushSync/RoleArn", |role| *role = Value::Null)
            }),
        ),
        Alteration::rewritten(
            "push-sync-needs-a-role",
            "PushSync without a role is refused.",
            &["SetIdentityPoolConfiguration/rule/push-sync-without-role"],
            |operation, request, response| {
                let body: Option<Value> = serde_json::from_slice(&request.body).ok();
                let push = body.as_ref().and_then(|body| body.get("PushSync"));
                let lacks_role =
                    push.is_some_and(|push| push.get("ApplicationArns").is_some() && push.get("RoleArn").is_none());
                if operation == Some("SetIdentityPoolConfiguration") && lacks_role {
                    refuse(response, 400, "InvalidParameterException");
                }
            },
        ),
        Alteration::rewritten(
            "push-sync-role-made-up",
            "A role that was not set is read back as the empty text.",
            &["SetIdentityPoolConfiguration/rule/push-sync-without-role"],
            on("GetIdentityPoolConfiguration", |response| fill(response, "/PushSync/RoleArn", &json!(""))),
        ),
        Alteration::mutant(
            "empty-push-sync-ignored",
            "An empty PushSync leaves the setting as it was.",
            &["SetIdentityPoolConfiguration/rule/empty-push-sync-clears"],
            Switch::EmptyPushSyncIgnored,
        ),
        Alteration::mutant(
            "streams-forgotten",
            "CognitoStreams that is set is answered and then forgotten.",
            &["SetIdentityPoolConfiguration/rule/streams-read-back"],
            Switch::StreamsForgotten,
        ),
        Alteration::mutant(
            "streaming-stays-on",
            "Streaming that is on cannot be switched off.",
            &["SetIdentityPoolConfiguration/rule/streams-read-back"],
            Switch::StreamingStaysOn,
        ),
        Alteration::rewritten(
            "streams-read-back-without-status",
            "CognitoStreams is read back without its status.",
            &["SetIdentityPoolConfiguration/rule/streams-read-back"],
            on("GetIdentityPoolConfiguration", |response| {
                member(response, "/CognitoStreams/StreamingStatus", |status| *status = Value::Null)
            }),
        ),
        Alteration::variant(
            "left-out-is-cleared",
            "A part left out of a configuration is cleared.",
            &["SetIdentityPoolConfiguration/rule/left-out-is-kept"],
            Switch::LeftOutIsCleared,
        ),
    ]
}

fn publish() -> Vec<Alteration> {
    vec![
        Alteration::mutant(
            "parallel-publishes",
            "A bulk publish may run beside another of the same pool.",
            &["BulkPublish/rule/one-at-a-time"],
            Switch::ParallelPublishes,
        ),
        Alteration::rewritten(
            "duplicate-publish-is-a-conflict",
            "A bulk publish beside another one is a ResourceConflictException.",
            &["BulkPublish/rule/one-at-a-time"],
            on("BulkPublish", |response| {
                renamed(response, "DuplicateRequestException", 409, "ResourceConflictException")
            }),
        ),
        Alteration::mutant(
            "republished-at-once",
            "A pool may be published again as soon as it was.",
            &["BulkPublish/rule/once-a-day"],
            Switch::RepublishedAtOnce,
        ),
        Alteration::rewritten(
            "republish-is-a-duplicate",
            "A second bulk publish of the day is a DuplicateRequestException.",
            &["BulkPublish/rule/once-a-day"],
            on("BulkPublish", |response| {
                renamed(response, "AlreadyStreamedException", 400, "DuplicateRequestException")
            }),
        ),
        Alteration::rewritten(
            "never-published-succeeded",
            "A pool that was never published is said to have been.",
            &["GetBulkPublishDetails/rule/never-published"],
            on("GetBulkPublishDetails", |response| status(response, "NOT_STARTED", &json!("SUCCEEDED"))),
        ),
        Alteration::rewritten(
            "never-published-has-no-status",
            "A pool that was never published has no status.",
            &["GetBulkPublishDetails/rule/never-published"],
            on("GetBulkPublishDetails", |response| status(response, "NOT_STARTED", &Value::Null)),
        ),
        Alteration::mutant(
            "publish-never-starts",
            "A bulk publish never gets further than having been asked for.",
            &["GetBulkPublishDetails/rule/status-follows-publish"],
            Switch::PublishNeverStarts,
        ),
        Alteration::rewritten(
            "publish-status-in-other-words",
            "A bulk publish that runs or is done has a status of another name.",
            &["GetBulkPublishDetails/rule/status-follows-publish"],
            on("GetBulkPublishDetails", |response| {
                status(response, "IN_PROGRESS", &json!("RUNNING"));
                status(response, "SUCCEEDED", &json!("COMPLETED"));
            }),
        ),
        Alteration::rewritten(
            "body-of-a-publish-refused",
            "A bulk publish with a body is refused.",
            &["BulkPublish/rule/body-ignored"],
            |operation, request, response| {
                if operation == Some("BulkPublish") && !request.body.is_empty() {
                    refuse(response, 400, "SerializationException");
                }
            },
        ),
        Alteration::rewritten(
            "body-of-publish-details-refused",
            "Details of a bulk publish cannot be asked for with a body.",
            &["GetBulkPublishDetails/rule/body-ignored"],
            |operation, request, response| {
                if operation == Some("GetBulkPublishDetails") && !request.body.is_empty() {
                    refuse(response, 400, "SerializationException");
                }
            },
        ),
        Alteration::rewritten(
            "body-of-publish-details-needed",
            "Details of a bulk publish cannot be asked for without a body.",
            &["GetBulkPublishDetails/rule/body-ignored"],
            |operation, request, response| {
                if operation == Some("GetBulkPublishDetails") && request.body.is_empty() {
                    refuse(response, 400, "SerializationException");
                }
            },
        ),
    ]
}

fn publish_variants() -> Vec<Alteration> {
    vec![
        Alteration::variant(
            "publish-fails-later",
            "While streaming is off, a bulk publish is taken and then fails.",
            &["BulkPublish/rule/streaming-disabled"],
            Switch::PublishFailsLater,
        ),
        Alteration::rewritten(
            "publish-needs-streaming-to-be-found",
            "While streaming is off, a bulk publish fails with ResourceNotFoundException.",
            &["BulkPublish/rule/streaming-disabled"],
            on("BulkPublish", |response| without_streaming(response, 404, "ResourceNotFoundException")),
        )
        .legal(),
        Alteration::rewritten(
            "publish-needs-streaming-to-be-allowed",
            "While streaming is off, a bulk publish fails with NotAuthorizedException.",
            &["BulkPublish/rule/streaming-disabled"],
            on("BulkPublish", |response| without_streaming(response, 403, "NotAuthorizedException")),
        )
        .legal(),
        Alteration::rewritten(
            "publish-needs-configuration",
            "While streaming is off, a bulk publish fails with InvalidConfigurationException.",
            &["BulkPublish/rule/streaming-disabled"],
            on("BulkPublish", |response| without_streaming(response, 400, "InvalidConfigurationException")),
        )
        .legal(),
    ]
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

fn empty_answers() -> Vec<Alteration> {
    vec![
        Alteration::rewritten(
            "empty-answers-are-objects",
            "What has nothing to say says `{}`.",
            &["SetCognitoEvents/rule/empty-body-form"],
            |operation, _, response| empty(operation, response, "{}"),
        )
        .legal(),
        Alteration::rewritten(
            "empty-answers-are-no-bytes",
            "What has nothing to say says nothing.",
            &["SubscribeToDataset/rule/empty-body-form", "UnsubscribeFromDataset/rule/empty-body-form"],
            |operation, _, response| empty(operation, response, ""),
        )
        .legal(),
    ]
}

fn no_events(response: &mut Response, instead: &Value) {
    member(response, "/Events", |events| {
        if events.as_object().is_some_and(serde_json::Map::is_empty) {
            *events = instead.clone();
        }
    });
}

fn no_events_at_all(response: &mut Response) {
    if response.json() == Some(json!({ "Events": {} })) {
        accept(response, &json!({}));
    }
}

/// Puts a value where there is null.
fn fill(response: &mut Response, pointer: &str, value: &Value) {
    member(response, pointer, |member| {
        if member.is_null() {
            *member = value.clone();
        }
    });
}

fn status(response: &mut Response, from: &str, to: &Value) {
    member(response, "/BulkPublishStatus", |status| {
        if *status == from {
            *status = to.clone();
        }
    });
}

fn renamed(response: &mut Response, from: &str, status: u16, to: &str) {
    if is_error(response, from) {
        refuse(response, status, to);
    }
}

fn says(response: &Response, part: &str) -> bool {
    response.error_message().is_some_and(|message| message.contains(part))
}

fn without_streaming(response: &mut Response, status: u16, name: &str) {
    if is_error(response, "InvalidParameterException") && says(response, "Streaming") {
        refuse(response, status, name);
    }
}

fn unknown_device(operation: Option<&str>, response: &mut Response, status: u16, name: &str) {
    let of_device = operation.is_some_and(|operation| operation.contains("ubscribe"));
    if of_device && is_error(response, "ResourceNotFoundException") && says(response, "Device") {
        refuse(response, status, name);
    }
}

/// Of the three operations whose answer is empty.
fn empty(operation: Option<&str>, response: &mut Response, body: &'static str) {
    let is_empty = ["SetCognitoEvents", "SubscribeToDataset", "UnsubscribeFromDataset"];
    if response.status == 200 && operation.is_some_and(|operation| is_empty.contains(&operation)) {
        response.body = body.into();
        response.headers.remove("content-type");
        if !body.is_empty() {
            response.headers.append("content-type", "application/json");
        }
    }
}
