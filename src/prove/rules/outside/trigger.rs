//! Functions behind `SyncTrigger`: when they are called, with what, and what becomes of
//! their answers.

use serde_json::{Map, Value, json};

use super::entries;
use crate::prove::alteration::Alteration;
use crate::prove::answers::body;
use crate::reference::{Switch, Told};
use crate::wire::{Request, Response};

pub(super) fn all() -> Vec<Alteration> {
    [calls(), events(), open_events(), answers(), left_out(), answered()].into_iter().flatten().collect()
}

fn calls() -> Vec<Alteration> {
    vec![
        Alteration::mutant(
            "function-never-called",
            "No function is ever called.",
            &["UpdateRecords/rule/trigger-runs"],
            Switch::FunctionNeverCalled,
        ),
        Alteration::mutant(
            "function-for-the-account",
            "The function sees the account's updates too.",
            &["UpdateRecords/rule/trigger-for-identities-only"],
            Switch::FunctionForAccount,
        ),
        Alteration::mutant(
            "function-called-twice",
            "A function is called twice for each update.",
            &["UpdateRecords/rule/trigger-called-once"],
            Switch::FunctionCalledTwice,
        ),
        Alteration::variant(
            "function-sees-refused-updates",
            "The function sees an update before anything of it is checked.",
            &["UpdateRecords/rule/trigger-after-checks"],
            Switch::FunctionSeesRefused,
        ),
        Alteration::variant(
            "function-sees-no-patches",
            "The function sees updates without patches too.",
            &["UpdateRecords/rule/trigger-without-patches"],
            Switch::FunctionSeesNoPatches,
        ),
    ]
}

fn events() -> Vec<Alteration> {
    let holds_all = "UpdateRecords/rule/trigger-event-holds-all";
    let values = "UpdateRecords/rule/trigger-event-values";
    let op = "UpdateRecords/rule/trigger-event-op";
    vec![
        field("version", "The event has version 1.", json!(1)),
        field("eventType", "The event has no type.", Value::Null),
        field("region", "The event names no region.", Value::Null),
        field("identityPoolId", "The event names another pool.", json!("us-east-1:another")),
        field("identityId", "The event names no identity.", Value::Null),
        field("datasetName", "The event names no dataset.", Value::Null),
        Alteration::retold(
            "event-with-records-in-a-list",
            "The event holds its records in a list.",
            &["UpdateRecords/rule/trigger-event"],
            |told, event| match told {
                Told::Event => {
                    let listed = entries(event).map(|records| records.values().cloned().collect::<Vec<_>>());
                    event["datasetRecords"] = listed.unwrap_or_default().into();
                }
                Told::Answer(_) => event["datasetRecords"] = json!({}),
                _ => {}
            },
        ),
        Alteration::retold(
            "event-of-the-patches",
            "The event holds only the records that the update changes.",
            &[holds_all],
            |told, event| {
                if let (Told::Event, Some(records)) = (told, entries(event)) {
                    records.retain(|_, entry| entry["oldValue"] != entry["newValue"]);
                }
            },
        ),
        each_entry("event-without-old-values", "The event holds no old values.", &[values], |entry| {
            entry["oldValue"] = Value::Null;
        }),
        each_entry(
            "event-with-old-values-twice",
            "The event holds old values in place of new ones.",
            &[values],
            |entry| {
                if !entry["newValue"].is_null() {
                    entry["newValue"] = entry["oldValue"].clone();
                }
            },
        ),
        each_entry("event-always-replaces", "Every entry of the event has the op `replace`.", &[op], |entry| {
            entry["op"] = "replace".into();
        }),
        Alteration::retold(
            "event-with-other-ops",
            "A changed record has the op `update` in the event, and in answers.",
            &[op],
            |told, event| {
                let (from, to) = match told {
                    Told::Event => ("replace", "update"),
                    Told::Answer(_) => ("update", "replace"),
                    _ => return,
                };
                for entry in entries(event).into_iter().flat_map(Map::values_mut).filter(|entry| entry["op"] == from) {
                    entry["op"] = to.into();
                }
            },
        ),
    ]
}

fn open_events() -> Vec<Alteration> {
    vec![
        Alteration::retold(
            "event-without-op-of-unchanged",
            "A record that does not change has no op in the event, and no new value.",
            &["UpdateRecords/rule/trigger-unchanged-entry"],
            |told, event| match told {
                Told::Event => {
                    for entry in entries(event).into_iter().flat_map(Map::values_mut) {
                        if entry["oldValue"] == entry["newValue"] {
                            (entry["op"], entry["newValue"]) = (Value::Null, Value::Null);
                        }
                    }
                }
                // What the function hands back as it was is to stay as it was.
                Told::Answer(event_sent) => {
                    if let Some(records) = entries(event) {
                        records.retain(|key, entry| {
                            event_sent["datasetRecords"].get(key) != Some(entry) || !entry["op"].is_null()
                        });
                    }
                }
                _ => {}
            },
        )
        .legal(),
        each_entry(
            "event-with-empty-old-value",
            "A new record has the empty text as its old value in the event.",
            &["UpdateRecords/rule/trigger-new-entry"],
            |entry| {
                if entry["oldValue"].is_null() {
                    entry["oldValue"] = "".into();
                }
            },
        )
        .legal(),
        each_entry(
            "event-with-value-of-removed",
            "A record that is removed keeps its value as the new one in the event.",
            &["UpdateRecords/rule/trigger-removed-entry"],
            |entry| {
                if entry["op"] == "remove" {
                    entry["newValue"] = entry["oldValue"].clone();
                }
            },
        )
        .legal(),
        Alteration::variant(
            "event-with-tombstones",
            "The event holds records that were removed before.",
            &["UpdateRecords/rule/trigger-tombstones-unseen"],
            Switch::FunctionSeesTombstones,
        ),
        Alteration::retold("event-with-more-fields", "The event has fields of its own.", &[], |told, event| {
            if told == Told::Event {
                event["requestId"] = "00000000-0000-4000-8000-000000000000".into();
            }
        })
        .legal(),
    ]
}

fn answers() -> Vec<Alteration> {
    vec![
        each_answered(
            "function-changes-nothing",
            "What a function wants a record to be is not written.",
            &["UpdateRecords/rule/trigger-changes-record"],
            |entry, former| {
                if let Some(former) = former
                    && entry["op"] == "replace"
                    && !entry["newValue"].is_null()
                {
                    entry["newValue"] = former["newValue"].clone();
                    entry["op"] = former["op"].clone();
                }
                true
            },
        ),
        each_answered(
            "function-changes-only-changes",
            "What a function wants a record to be is written only where the client writes it.",
            &["UpdateRecords/rule/trigger-changes-record"],
            |_, former| former.is_some_and(|former| former["oldValue"] != former["newValue"]),
        ),
        each_answered(
            "function-removes-nothing-by-op",
            "An entry of the function's answer with the op `remove` is taken for one that is left out.",
            &["UpdateRecords/rule/trigger-removes-by-op"],
            |entry, former| entry["op"] != "remove" || former.is_some_and(|former| former["op"] == "remove"),
        ),
        each_answered(
            "function-removes-nothing-by-null",
            "An entry of the function's answer with the op `replace` and no value is taken for one that is left out.",
            &["UpdateRecords/rule/trigger-removes-by-null"],
            |entry, _| entry["op"] != "replace" || !entry["newValue"].is_null(),
        ),
        each_answered(
            "function-null-is-empty",
            "An entry of the function's answer with the op `replace` and no value writes the empty text.",
            &["UpdateRecords/rule/trigger-removes-by-null"],
            |entry, _| {
                if entry["op"] == "replace" && entry["newValue"].is_null() {
                    entry["newValue"] = "".into();
                }
                true
            },
        ),
        each_answered(
            "function-adds-nothing",
            "A new entry in the function's answer is ignored.",
            &["UpdateRecords/rule/trigger-adds-record"],
            |_, former| former.is_some(),
        ),
    ]
}

fn left_out() -> Vec<Alteration> {
    vec![
        Alteration::retold(
            "function-removes-what-it-leaves-out",
            "A record that the function's answer leaves out is removed.",
            &["UpdateRecords/rule/trigger-leaves-out"],
            |told, answer| {
                let Told::Answer(event) = told else { return };
                let all: Vec<String> = keys(event);
                if let Some(records) = entries(answer) {
                    for key in all {
                        records.entry(key).or_insert_with(|| json!({ "op": "remove" }));
                    }
                }
            },
        ),
        Alteration::variant(
            "function-drops-what-it-leaves-out",
            "The client's changes that the function leaves out are not made.",
            &["UpdateRecords/rule/trigger-leaves-out-change"],
            Switch::LeftOutPatchesDropped,
        ),
    ]
}

fn answered() -> Vec<Alteration> {
    vec![
        Alteration::rewritten(
            "function-changes-unanswered",
            "The answer to an update holds only what the client sent.",
            &["UpdateRecords/rule/trigger-answers-all"],
            |operation, request, response| {
                if operation == Some("UpdateRecords") {
                    only_sent(request, response);
                }
            },
        ),
        Alteration::mutant(
            "function-changes-unstreamed",
            "The stream is told what the client wrote, and not what the function did.",
            &["UpdateRecords/rule/trigger-changes-streamed"],
            Switch::FunctionChangesUnstreamed,
        ),
        Alteration::mutant(
            "function-changes-told-apart",
            "Devices are told once more of an update that a function saw.",
            &["UpdateRecords/rule/trigger-update-told-once"],
            Switch::FunctionChangesToldApart,
        ),
    ]
}

/// Leaves those records in an answer that the request names.
fn only_sent(request: &Request, response: &mut Response) {
    let sent: Option<Value> = serde_json::from_slice(&request.body).ok();
    let patches = sent.as_ref().and_then(|sent| sent["RecordPatches"].as_array());
    let sent: Vec<&Value> = patches.into_iter().flatten().map(|patch| &patch["Key"]).collect();
    body(response, |body| {
        if let Some(records) = body.get_mut("Records").and_then(Value::as_array_mut) {
            records.retain(|record| sent.contains(&&record["Key"]));
        }
    });
}

/// A mutant whose events have another value, or none, in a field.
fn field(name: &'static str, about: &str, value: Value) -> Alteration {
    let id = "UpdateRecords/rule/trigger-event";
    Alteration::retold(&format!("event-with-other-{}", name.to_ascii_lowercase()), about, &[id], move |told, event| {
        if told == Told::Event {
            event[name] = value.clone();
        }
    })
}

/// A mutant whose events have other entries.
fn each_entry(
    name: &str,
    about: &str,
    requirements: &[&str],
    change: impl Fn(&mut Value) + Send + Sync + 'static,
) -> Alteration {
    Alteration::retold(name, about, requirements, move |told, event| {
        if let (Told::Event, Some(records)) = (told, entries(event)) {
            records.values_mut().for_each(&change);
        }
    })
}

/// A mutant that reads other entries from a function's answer. Given: the entry, and the
/// event's, if it has one; gives whether the entry is read at all.
fn each_answered(
    name: &str,
    about: &str,
    requirements: &[&str],
    change: impl Fn(&mut Value, Option<&Value>) -> bool + Send + Sync + 'static,
) -> Alteration {
    Alteration::retold(name, about, requirements, move |told, answer| {
        let Told::Answer(event) = told else { return };
        if let Some(records) = entries(answer) {
            records.retain(|key, entry| !entry.is_object() || change(entry, event["datasetRecords"].get(key)));
        }
    })
}

fn keys(event: &Value) -> Vec<String> {
    event["datasetRecords"].as_object().map(|records| records.keys().cloned().collect()).unwrap_or_default()
}
