//! Pools: events, configuration, bulk publish; devices and subscriptions.

mod devices;
mod publish;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::prove::alteration::Alteration;
use crate::prove::answers::{accept, is_error, member, on, refuse};
use crate::reference::Switch;
use crate::wire::Response;

pub(super) fn all() -> Vec<Alteration> {
    [events(), no_events(), configuration(), streams(), empty_answers(), publish::all(), devices::all()]
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
            &[
                "SetCognitoEvents/rule/empty-removes",
                "SetCognitoEvents/rule/removed-event-calls-nothing",
                "GetCognitoEvents/rule/no-events",
            ],
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
    ]
}

fn no_events() -> Vec<Alteration> {
    vec![
        Alteration::rewritten(
            "no-events-made-up",
            "A pool without events lists `SyncTrigger` without a function.",
            &["GetCognitoEvents/rule/no-events"],
            on("GetCognitoEvents", |response| without_events(response, &json!({ "SyncTrigger": "" }))),
        ),
        Alteration::rewritten(
            "no-events-are-null",
            "A pool without events answers null for them.",
            &["GetCognitoEvents/rule/no-events-form"],
            on("GetCognitoEvents", |response| without_events(response, &Value::Null)),
        )
        .legal(),
        Alteration::rewritten(
            "no-events-are-left-out",
            "A pool without events answers an empty object.",
            &["GetCognitoEvents/rule/no-events-form"],
            on("GetCognitoEvents", no_events_at_all),
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
    ]
}

fn streams() -> Vec<Alteration> {
    vec![
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

fn empty_answers() -> Vec<Alteration> {
    vec![
        Alteration::rewritten(
            "events-answered-with-an-object",
            "Setting events is answered with `{}`.",
            &["SetCognitoEvents/rule/empty-body-form"],
            on("SetCognitoEvents", |response| {
                if response.status == 200 {
                    accept(response, &json!({}));
                }
            }),
        )
        .legal(),
        Alteration::rewritten(
            "subscriptions-answered-with-no-bytes",
            "Subscriptions and their ends are answered with no bytes.",
            &["SubscribeToDataset/rule/empty-body-form", "UnsubscribeFromDataset/rule/empty-body-form"],
            |operation, _, response| {
                if matches!(operation, Some("SubscribeToDataset" | "UnsubscribeFromDataset")) && response.status == 200
                {
                    response.headers.remove("content-type");
                    response.body = Bytes::new();
                }
            },
        )
        .legal(),
    ]
}

fn without_events(response: &mut Response, instead: &Value) {
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

fn renamed(response: &mut Response, from: &str, status: u16, to: &str) {
    if is_error(response, from) {
        refuse(response, status, to);
    }
}

fn says(response: &Response, part: &str) -> bool {
    response.error_message().is_some_and(|message| message.contains(part))
}
