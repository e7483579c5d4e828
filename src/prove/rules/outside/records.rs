//! Records for streams.

use serde_json::{Value, json};

use crate::prove::alteration::Alteration;
use crate::prove::answers::{member, on};
use crate::reference::{Switch, Told};

pub(super) fn all() -> Vec<Alteration> {
    [records(), entries(), large(), switched(), open()].into_iter().flatten().collect()
}

fn records() -> Vec<Alteration> {
    let record = &["UpdateRecords/rule/stream-record"];
    let dates = &["UpdateRecords/rule/stream-dates"];
    let each = &["UpdateRecords/rule/stream-record-per-update"];
    vec![
        told("stream-is-told-nothing", "Nothing is put into a stream.", each, |record| *record = Value::Null),
        Alteration::mutant(
            "stream-record-per-patch",
            "Every patch is a record of its own for the stream.",
            each,
            Switch::StreamRecordPerPatch,
        ),
        without("identityPoolId", "A stream's record names no pool.", record),
        without("identityId", "A stream's record names no identity.", record),
        without("lastModifiedDate", "A stream's record has no date.", record),
        without("payloadType", "A stream's record does not say how it holds its records.", record),
        told("stream-record-counts-behind", "A stream's record has the count from before.", record, |record| {
            if let Some(count) = record["syncCount"].as_i64() {
                record["syncCount"] = (count - 1).into();
            }
        }),
        told("stream-record-of-an-update", "The operation of a stream's record is `update`.", record, |record| {
            if record["operation"] == "replace" {
                record["operation"] = "update".into();
            }
        }),
        told(
            "stream-record-removes",
            "The operation of a stream's record is always `remove`.",
            &["UpdateRecords/rule/stream-operation", "BulkPublish/rule/published-record"],
            |record| record["operation"] = "remove".into(),
        ),
        told(
            "stream-record-names-no-dataset",
            "A stream's record does not name its dataset.",
            &["UpdateRecords/rule/stream-names-dataset"],
            |record| (record["dataSetName"], record["datasetName"]) = (Value::Null, Value::Null),
        ),
        told("stream-record-dated-in-seconds", "A stream's record is dated in seconds.", dates, |record| {
            seconds(&mut record["lastModifiedDate"]);
        }),
        each_entry("stream-entries-dated-in-seconds", "A stream's entries are dated in seconds.", dates, |entry| {
            seconds(&mut entry["lastModifiedDate"]);
        }),
        each_entry("stream-devices-date-in-seconds", "Dates of devices are in seconds.", dates, |entry| {
            seconds(&mut entry["deviceLastModifiedDate"]);
        }),
        told(
            "stream-record-with-address",
            "A stream's record has an address although it holds its records.",
            &["UpdateRecords/rule/stream-inline"],
            |record| {
                if record["payloadType"] == "Inline" {
                    record["kinesisSyncRecordsURL"] = "https://example.com/".into();
                }
            },
        ),
    ]
}

fn entries() -> Vec<Alteration> {
    let form = &["UpdateRecords/rule/stream-entries"];
    let removed = &["UpdateRecords/rule/stream-removed-entry"];
    vec![
        each_entry("stream-entries-in-capitals", "A stream's entries have members in capitals.", form, |entry| {
            entry["Key"] = entry["key"].take();
        }),
        each_entry("stream-entries-without-count", "A stream's entries have no count.", form, |entry| {
            entry["syncCount"] = Value::Null;
        }),
        each_entry("stream-entries-without-op", "A stream's entries do not say what was done.", form, |entry| {
            entry["op"] = Value::Null;
        }),
        each_entry("stream-entries-without-date", "A stream's entries have no dates of devices.", form, |entry| {
            entry["deviceLastModifiedDate"] = Value::Null;
        }),
        each_entry(
            "stream-entries-without-value",
            "A stream's entries hold only keys.",
            &["UpdateRecords/rule/stream-holds-changes"],
            |entry| {
                entry["value"] = "".into();
            },
        ),
        told(
            "stream-record-of-one-entry",
            "A stream's record holds one entry, whatever was written.",
            &["UpdateRecords/rule/stream-holds-changes", "BulkPublish/rule/published-record"],
            |record| {
                if let Some(entries) = record["kinesisSyncRecords"].as_array_mut() {
                    entries.truncate(1);
                }
            },
        ),
        each_entry(
            "stream-entries-always-replace",
            "Every entry for a stream has the op `replace`.",
            removed,
            |entry| {
                entry["op"] = "replace".into();
            },
        ),
        told("stream-without-removed", "Removed records are not put into the stream.", removed, |record| {
            if let Some(entries) = record["kinesisSyncRecords"].as_array_mut() {
                entries.retain(|entry| entry["op"] != "remove");
            }
        }),
    ]
}

fn large() -> Vec<Alteration> {
    let object = &["UpdateRecords/rule/stream-large-object"];
    vec![
        Alteration::mutant(
            "stream-takes-everything",
            "Records are put into the stream whatever their size.",
            &["UpdateRecords/rule/stream-large"],
            Switch::LargeRecordsInline,
        ),
        told(
            "stream-address-missing",
            "A large record has no address.",
            &["UpdateRecords/rule/stream-large"],
            |record| {
                record["kinesisSyncRecordsURL"] = Value::Null;
            },
        ),
        told(
            "stream-address-unsigned",
            "A large record has an address that everybody else must sign.",
            &["UpdateRecords/rule/stream-large-signed"],
            |record| {
                if let Some((address, _)) = record["kinesisSyncRecordsURL"].as_str().and_then(|url| url.split_once('?'))
                {
                    record["kinesisSyncRecordsURL"] = address.to_owned().into();
                }
            },
        ),
        Alteration::retold(
            "stream-object-is-an-object",
            "Large records are kept below a member.",
            object,
            |told, value| {
                if told == Told::Object {
                    *value = json!({ "kinesisSyncRecords": value.take() });
                }
            },
        ),
        Alteration::retold(
            "stream-object-cut-off",
            "Of large records only the first half is kept.",
            object,
            |told, value| {
                if let (Told::Object, Some(entries)) = (told, value.as_array_mut()) {
                    entries.truncate(entries.len() / 2);
                }
            },
        ),
    ]
}

fn switched() -> Vec<Alteration> {
    vec![
        Alteration::mutant(
            "streams-while-disabled",
            "Changes go into the stream while streaming is off.",
            &["UpdateRecords/rule/stream-off"],
            Switch::StreamsWhileDisabled,
        ),
        Alteration::mutant(
            "refused-updates-told",
            "Updates that are refused are told to the stream and to devices.",
            &["UpdateRecords/rule/stream-refused-update", "UpdateRecords/rule/push-refused-update"],
            Switch::RefusedUpdatesTold,
        ),
        Alteration::mutant(
            "account-updates-untold",
            "The account's updates are told to nobody.",
            &["UpdateRecords/rule/stream-developer-update", "UpdateRecords/rule/push-developer-update"],
            Switch::AccountUpdatesUntold,
        ),
        Alteration::mutant(
            "stream-failure-ignored",
            "Streaming stays on when the stream takes no records.",
            &["GetIdentityPoolConfiguration/rule/failed-stream-is-disabled"],
            Switch::StreamFailureIgnored,
        ),
        Alteration::mutant(
            "streaming-stays-off",
            "Streaming that the service switched off stays off.",
            &["SetIdentityPoolConfiguration/rule/streaming-enabled-again"],
            Switch::StreamingStaysOff,
        ),
        Alteration::rewritten(
            "disabled-reason-unsaid",
            "Why streaming was switched off is not said.",
            &["GetIdentityPoolConfiguration/rule/disabled-reason"],
            on("GetIdentityPoolConfiguration", |response| {
                member(response, "/CognitoStreams/DisabledReason", |reason| *reason = Value::Null);
            }),
        )
        .legal(),
    ]
}

fn open() -> Vec<Alteration> {
    vec![
        told(
            "stream-says-data-set-name-only",
            "A stream's record names its dataset as `dataSetName` alone.",
            &[],
            |record| record["datasetName"] = Value::Null,
        )
        .legal(),
        told(
            "stream-says-dataset-name-only",
            "A stream's record names its dataset as `datasetName` alone.",
            &["UpdateRecords/rule/stream-data-set-name"],
            |record| record["dataSetName"] = Value::Null,
        )
        .legal(),
        Alteration::variant(
            "streams-whole-dataset",
            "A record for the stream holds all records of the dataset.",
            &["UpdateRecords/rule/stream-holds-only-changes"],
            Switch::StreamsWholeDataset,
        ),
        each_entry(
            "stream-removed-with-empty-value",
            "The entry of a removed record has the empty text as its value.",
            &["UpdateRecords/rule/stream-removed-value"],
            |entry| {
                if entry["op"] == "remove" {
                    entry["value"] = "".into();
                }
            },
        )
        .legal(),
        Alteration::variant(
            "records-of-50-kb-elsewhere",
            "Records of more than 50 KB are put elsewhere than into the stream.",
            &["UpdateRecords/rule/stream-inline-up-to-1-mb"],
            Switch::RecordsOf50KilobytesElsewhere,
        ),
        Alteration::variant(
            "stream-partitioned-by-dataset",
            "The partition key of a record is the identity's id and the dataset's name.",
            &["UpdateRecords/rule/stream-partition-key"],
            Switch::StreamPartitionedByDataset,
        ),
        Alteration::variant(
            "deletions-unstreamed",
            "The deletion of a dataset is no record for the stream.",
            &["DeleteDataset/rule/stream-deletion"],
            Switch::DeletionsUnstreamed,
        ),
        told("stream-record-with-more-members", "A stream's record has members of its own.", &[], |record| {
            record["region"] = "us-east-1".into();
        })
        .legal(),
    ]
}

fn seconds(date: &mut Value) {
    if let Some(millis) = date.as_f64() {
        *date = (millis / 1000.0).into();
    }
}

/// A mutant that puts other records into streams.
fn told(
    name: &str,
    about: &str,
    requirements: &[&str],
    change: impl Fn(&mut Value) + Send + Sync + 'static,
) -> Alteration {
    Alteration::retold(name, about, requirements, move |told, value| {
        if told == Told::Record {
            change(value);
        }
    })
}

fn without(name: &'static str, about: &str, requirements: &[&str]) -> Alteration {
    let called = format!("stream-record-without-{}", name.to_ascii_lowercase());
    told(&called, about, requirements, move |record| record[name] = Value::Null)
}

/// A mutant whose records for streams have other entries.
fn each_entry(
    name: &str,
    about: &str,
    requirements: &[&str],
    change: impl Fn(&mut Value) + Send + Sync + 'static,
) -> Alteration {
    told(name, about, requirements, move |record| {
        if let Some(entries) = record["kinesisSyncRecords"].as_array_mut() {
            entries.iter_mut().for_each(&change);
        }
    })
}
