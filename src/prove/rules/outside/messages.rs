//! Push messages, and the endpoints that they are sent to.

use serde_json::{Value, json};

use crate::prove::alteration::Alteration;
use crate::prove::answers::{instead, is_error, on};
use crate::reference::{Switch, Told};

pub(super) fn all() -> Vec<Alteration> {
    [whom(), what(), endpoints(), open()].into_iter().flatten().collect()
}

fn whom() -> Vec<Alteration> {
    vec![
        Alteration::retold(
            "devices-are-told-nothing",
            "No device is ever told of an update.",
            &["UpdateRecords/rule/push-tells-subscribers"],
            |told, message| {
                if matches!(told, Told::Message(_)) {
                    *message = Value::Null;
                }
            },
        ),
        Alteration::mutant(
            "one-device-told",
            "Of the devices that are subscribed only one is told.",
            &["UpdateRecords/rule/push-tells-subscribers"],
            Switch::PushesToOneDevice,
        ),
        Alteration::mutant(
            "every-device-told",
            "Every device of the identity is told of every update.",
            &["UpdateRecords/rule/push-tells-no-others"],
            Switch::PushesToEveryDevice,
        ),
        Alteration::mutant(
            "every-identity-told",
            "Devices that other identities subscribed to a dataset of the same name are told.",
            &["UpdateRecords/rule/push-tells-no-other-identity"],
            Switch::PushesToEveryIdentity,
        ),
        Alteration::mutant(
            "subscription-forgotten",
            "A subscription is answered and forgotten.",
            &["SubscribeToDataset/rule/begins-messages"],
            Switch::SubscriptionForgotten,
        ),
        Alteration::mutant(
            "unsubscription-forgotten",
            "The end of a subscription is answered and forgotten.",
            &["UnsubscribeFromDataset/rule/ends-messages"],
            Switch::UnsubscriptionForgotten,
        ),
    ]
}

fn what() -> Vec<Alteration> {
    let says = &["UpdateRecords/rule/push-message"];
    let silent = &["UpdateRecords/rule/push-is-silent"];
    let mut all: Vec<Alteration> = ["source", "identityPoolId", "identityId", "datasetName", "syncCount"]
        .into_iter()
        .map(|name| {
            let called = format!("message-without-{}", name.to_ascii_lowercase());
            data(&called, &format!("Messages to devices lack `{name}`."), says, move |data| data[name] = Value::Null)
        })
        .collect();
    all.extend([
        data("message-from-elsewhere", "Messages to devices have another source.", says, |data| {
            data["source"] = "syncspec".into();
        }),
        data("message-counts-behind", "Messages have the count from before the update.", says, |data| {
            let count: i64 = data["syncCount"].as_str().and_then(|count| count.parse().ok()).unwrap_or_default();
            data["syncCount"] = (count - 1).to_string().into();
        }),
        data(
            "message-with-a-number",
            "The count in a message is a number.",
            &["UpdateRecords/rule/push-values-are-text"],
            |data| {
                let count: i64 = data["syncCount"].as_str().and_then(|count| count.parse().ok()).unwrap_or_default();
                data["syncCount"] = count.into();
            },
        ),
        message(
            "message-to-apple-is-flat",
            "Messages to Apple devices have the values beside `aps`.",
            &["UpdateRecords/rule/push-message-of-apple"],
            |platform, message| {
                if platform.starts_with("APNS") {
                    let data = message["data"].take();
                    for (name, value) in data.as_object().into_iter().flatten() {
                        message[name] = value.clone();
                    }
                }
            },
        ),
        message("message-is-shown", "Messages to devices are shown to people.", silent, |platform, message| {
            if platform.starts_with("APNS") {
                message["aps"]["alert"] = "Your data has changed".into();
            } else {
                message["notification"] = json!({ "title": "Your data has changed" });
            }
        }),
        message(
            "message-wakes-nobody",
            "Messages to Apple devices do not wake the application.",
            silent,
            |platform, message| {
                if platform.starts_with("APNS") {
                    message["aps"] = json!({});
                }
            },
        ),
    ]);
    all
}

fn endpoints() -> Vec<Alteration> {
    let id = &["RegisterDevice/rule/makes-endpoint"];
    vec![
        Alteration::retold("endpoint-of-another-token", "Endpoints are made for other tokens.", id, |told, asked| {
            if told == Told::Endpoint {
                asked["Token"] = asked["Token"].as_str().unwrap_or_default().to_ascii_uppercase().into();
            }
        }),
        Alteration::retold("endpoint-of-one-platform", "Endpoints are made for one platform.", id, |told, asked| {
            if told == Told::Endpoint {
                let arn = asked["PlatformApplicationArn"].as_str().unwrap_or_default();
                asked["PlatformApplicationArn"] = ["APNS_SANDBOX", "APNS", "ADM"]
                    .iter()
                    .fold(arn.to_owned(), |arn, platform| arn.replace(&format!("app/{platform}/"), "app/GCM/"))
                    .into();
            }
        }),
    ]
}

fn open() -> Vec<Alteration> {
    vec![
        Alteration::variant(
            "sender-told",
            "The device that an update names is told of it too.",
            &["UpdateRecords/rule/push-tells-sender"],
            Switch::PushesToSender,
        ),
        Alteration::variant(
            "deletions-pushed",
            "Devices are told of deletions too.",
            &["DeleteDataset/rule/push-deletion"],
            Switch::PushesDeletions,
        ),
        Alteration::variant(
            "pushes-without-push",
            "Devices are told while PushSync is cleared.",
            &["SetIdentityPoolConfiguration/rule/no-push-sync-no-messages"],
            Switch::PushesWithoutPush,
        ),
        Alteration::variant(
            "endpoints-made-late",
            "An endpoint is made when its device is first sent a message.",
            &["RegisterDevice/rule/makes-endpoint-at-once"],
            Switch::EndpointsMadeLate,
        ),
        Alteration::rewritten(
            "platform-without-application-is-invalid",
            "A device whose platform the pool has no application for is an invalid parameter.",
            &["RegisterDevice/rule/platform-without-application"],
            on("RegisterDevice", |response| instead(response, "has no application", 400, "InvalidParameterException")),
        )
        .legal(),
        Alteration::rewritten(
            "refused-application-is-not-found",
            "A device whose application SNS refuses is a ResourceNotFoundException.",
            &["RegisterDevice/rule/refused-application"],
            on("RegisterDevice", |response| {
                if is_error(response, "InvalidConfigurationException") {
                    instead(response, "SNS refused", 404, "ResourceNotFoundException");
                }
            }),
        )
        .legal(),
        Alteration::rewritten(
            "trouble-of-sns-is-a-configuration",
            "A device is an InvalidConfigurationException when SNS throttles or fails.",
            &["RegisterDevice/rule/throttled-sns", "RegisterDevice/rule/failing-sns"],
            on("RegisterDevice", |response| {
                if response.status == 429 || response.status == 500 {
                    instead(response, "SNS refused", 400, "InvalidConfigurationException");
                }
            }),
        )
        .legal(),
        Alteration::rewritten(
            "refused-token-is-a-configuration",
            "A device whose token SNS refuses is an InvalidConfigurationException.",
            &["RegisterDevice/rule/refused-token"],
            on("RegisterDevice", |response| {
                if is_error(response, "InvalidParameterException") {
                    instead(response, "SNS refused", 400, "InvalidConfigurationException");
                }
            }),
        )
        .legal(),
    ]
}

/// A mutant that says something else to devices.
fn message(
    name: &str,
    about: &str,
    requirements: &[&str],
    change: impl Fn(&str, &mut Value) + Send + Sync + 'static,
) -> Alteration {
    Alteration::retold(name, about, requirements, move |told, value| {
        if let Told::Message(platform) = told {
            change(platform, value);
        }
    })
}

/// A mutant whose messages hold other values.
fn data(
    name: &str,
    about: &str,
    requirements: &[&str],
    change: impl Fn(&mut Value) + Send + Sync + 'static,
) -> Alteration {
    message(name, about, requirements, move |_, message| change(&mut message["data"]))
}
