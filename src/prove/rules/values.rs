//! Writes: removals, values, answers, quotas.

use serde_json::Value;

use crate::prove::alteration::Alteration;
use crate::prove::answers::member;
use crate::reference::Switch;
use crate::spec::ShapeKind;
use crate::wire::Response;

pub(super) fn all() -> Vec<Alteration> {
    let mut all = removals();
    all.extend(values());
    all.extend(answers());
    all.extend(quotas());
    all
}

fn removals() -> Vec<Alteration> {
    vec![
        Alteration::mutant(
            "removal-with-value-refused",
            "A removal that carries a value is refused.",
            &["UpdateRecords/rule/remove-with-value"],
            Switch::RemovalWithValueRefused,
        ),
        Alteration::mutant(
            "removal-takes-value",
            "A removal that carries a value writes it.",
            &["UpdateRecords/rule/remove-value-ignored", "UpdateRecords/rule/removed-record-has-no-value"],
            Switch::RemovalTakesValue,
        ),
        Alteration::rewritten(
            "removed-value-is-empty-text",
            "The value of a removed record is the empty text.",
            &["UpdateRecords/rule/removed-record-has-no-value", "ListRecords/rule/tombstone"],
            |_, _, response| {
                each_record(response, |record| {
                    if record["Value"].is_null() {
                        record["Value"] = "".into();
                    }
                });
            },
        ),
        Alteration::mutant(
            "removal-keeps-count",
            "A removal leaves the record's count as it was.",
            &["UpdateRecords/rule/record-carries-new-count", "ListRecords/rule/tombstone"],
            Switch::RemovalKeepsCount,
        ),
        Alteration::mutant(
            "no-tombstones",
            "A removed record is forgotten.",
            &["ListRecords/rule/tombstone", "UpdateRecords/rule/tombstone-count-continues"],
            Switch::NoTombstones,
        ),
        Alteration::mutant(
            "tombstones-unlisted",
            "Removed records are remembered, but not listed.",
            &["ListRecords/rule/tombstone"],
            Switch::TombstonesUnlisted,
        ),
        Alteration::variant(
            "tombstones-unlisted-from-zero",
            "Removed records are not listed from count 0.",
            &["ListRecords/rule/tombstone-listed-from-zero"],
            Switch::TombstonesUnlistedFromZero,
        ),
        Alteration::mutant(
            "tombstones-without-key",
            "Removed records are listed without their key.",
            &["ListRecords/rule/tombstone"],
            Switch::TombstonesWithoutKey,
        ),
        Alteration::mutant(
            "tombstone-count-forgotten",
            "A write to a removed key must name count 0.",
            &["UpdateRecords/rule/tombstone-count-continues"],
            Switch::TombstoneCountForgotten,
        ),
        Alteration::mutant(
            "stale-after-removal-accepted",
            "A write to a removed key is taken whatever its sync count.",
            &["UpdateRecords/rule/tombstone-count-continues"],
            Switch::StaleAfterRemovalAccepted,
        ),
        Alteration::mutant(
            "last-removal-deletes",
            "Removing the last record deletes the dataset.",
            &["ListRecords/rule/dataset-of-tombstones-exists"],
            Switch::LastRemovalDeletes,
        ),
    ]
}

fn values() -> Vec<Alteration> {
    vec![
        Alteration::rewritten(
            "ascii-only",
            "Keys and values come back in ASCII.",
            &["UpdateRecords/rule/any-text"],
            |_, _, response| {
                each_text(response, |text| text.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect())
            },
        ),
        Alteration::rewritten(
            "first-plane-only",
            "Keys and values lose characters beyond the 65,536 first ones.",
            &["UpdateRecords/rule/any-text"],
            |_, _, response| each_text(response, |text| text.chars().filter(|c| *c <= '\u{ffff}').collect()),
        ),
        Alteration::rewritten(
            "texts-trimmed",
            "Keys and values lose the white space at their ends.",
            &["UpdateRecords/rule/any-text"],
            |_, _, response| each_text(response, |text| text.trim().to_owned()),
        ),
        Alteration::rewritten(
            "keys-lower-cased",
            "Keys come back in lower case.",
            &["UpdateRecords/rule/any-text"],
            |_, _, response| {
                each_record(response, |record| record["Key"] = record["Key"].as_str().map(str::to_lowercase).into());
            },
        ),
        Alteration::mutant(
            "key-length-in-bytes",
            "A key holds 1024 bytes at most.",
            &["UpdateRecords/rule/key-length-in-characters"],
            Switch::KeyLengthInBytes,
        ),
        Alteration::mutant(
            "empty-value-refused",
            "The empty text is refused as a value.",
            &["UpdateRecords/rule/empty-value"],
            Switch::EmptyValueRefused,
        ),
        Alteration::mutant(
            "empty-value-is-none",
            "The empty text is kept as no value.",
            &["UpdateRecords/rule/empty-value-echoed"],
            Switch::EmptyValueIsNone,
        ),
        Alteration::mutant(
            "values-of-400-kilobytes",
            "A value holds 400 KB at most.",
            &["UpdateRecords/rule/value-of-lower-maximum"],
            Switch::ValuesOf400Kilobytes,
        ),
        Alteration::described(
            "values-of-4-megabytes",
            "A value may have 4,194,304 characters, which only the size of its dataset forbids.",
            &["UpdateRecords/input/RecordPatches/Value/max-length"],
            |service| {
                if let ShapeKind::String(constraints) = &mut service.shapes["RecordValue"].kind {
                    constraints.max_length = Some(4_194_304);
                }
            },
        )
        .legal(),
        Alteration::variant(
            "missing-value-removes",
            "A replacement without value removes the record.",
            &["UpdateRecords/rule/replace-without-value"],
            Switch::MissingValueRemoves,
        ),
        Alteration::variant(
            "missing-value-is-empty",
            "A replacement without value writes the empty text.",
            &["UpdateRecords/rule/replace-without-value"],
            Switch::MissingValueIsEmpty,
        ),
    ]
}

fn answers() -> Vec<Alteration> {
    vec![
        Alteration::rewritten(
            "answers-no-record",
            "A write answers with no records.",
            &["UpdateRecords/rule/returns-written-records", "UpdateRecords/rule/returns-every-written-record"],
            |operation, _, response| {
                if operation == Some("UpdateRecords") {
                    records(response, Vec::clear);
                }
            },
        ),
        Alteration::rewritten(
            "answers-first-record",
            "A write answers with the first record only.",
            &["UpdateRecords/rule/returns-every-written-record"],
            |operation, _, response| {
                if operation == Some("UpdateRecords") {
                    records(response, |records| records.truncate(1));
                }
            },
        ),
        Alteration::rewritten(
            "answers-in-another-order",
            "A write answers with its records in the order of their keys, backwards.",
            &[],
            |operation, _, response| {
                if operation == Some("UpdateRecords") {
                    records(response, |records| records.sort_by_key(|record| record["Key"].to_string()));
                    records(response, |records| records.reverse());
                }
            },
        )
        .legal(),
        Alteration::mutant(
            "answers-whole-dataset",
            "A write answers with all records of the dataset.",
            &["UpdateRecords/rule/returns-written-records"],
            Switch::AnswersWholeDataset,
        ),
        Alteration::rewritten(
            "client-context-refused",
            "A client context is an invalid parameter.",
            &["UpdateRecords/rule/client-context-ignored"],
            |_, request, response| {
                if request.headers.contains("x-amz-Client-Context") {
                    response.status = 400;
                    response.headers.set("x-amzn-ErrorType", "InvalidParameterException:");
                }
            },
        ),
        Alteration::rewritten(
            "device-date-in-seconds",
            "DeviceLastModifiedDate comes back without its fraction of a second.",
            &["UpdateRecords/rule/device-date-echoed"],
            |_, _, response| each_device_date(response, |date, _| date.as_f64().map(f64::floor).into()),
        ),
        Alteration::rewritten(
            "device-date-overwritten",
            "DeviceLastModifiedDate is the server's date of the write.",
            &["UpdateRecords/rule/device-date-echoed"],
            |_, _, response| {
                each_device_date(response, |date, server| if date.is_null() { Value::Null } else { server })
            },
        ),
        Alteration::rewritten(
            "device-date-filled-in",
            "DeviceLastModifiedDate is the server's date of the write where none was sent.",
            &["UpdateRecords/rule/device-date-missing"],
            |_, _, response| each_device_date(response, |date, server| if date.is_null() { server } else { date }),
        )
        .legal(),
        Alteration::rewritten(
            "device-date-zero",
            "DeviceLastModifiedDate is 0 where none was sent.",
            &["UpdateRecords/rule/device-date-missing"],
            |_, _, response| each_device_date(response, |date, _| if date.is_null() { 0.into() } else { date }),
        )
        .legal(),
        Alteration::variant(
            "unknown-device-invalid",
            "A write by a device that was never registered is an invalid parameter.",
            &["UpdateRecords/rule/unknown-device"],
            Switch::UnknownDeviceInvalid,
        ),
        Alteration::variant(
            "unknown-device-not-found",
            "A write by a device that was never registered finds no device.",
            &["UpdateRecords/rule/unknown-device"],
            Switch::UnknownDeviceNotFound,
        ),
    ]
}

fn quotas() -> Vec<Alteration> {
    vec![
        Alteration::rewritten(
            "quotas-are-invalid-parameters",
            "A write that would pass a quota is an invalid parameter.",
            &[
                "UpdateRecords/rule/dataset-quota-error",
                "UpdateRecords/rule/record-quota-error",
                "UpdateRecords/rule/size-quota-error",
            ],
            |_, _, response| {
                if is_quota(response) {
                    response.headers.set("x-amzn-ErrorType", "InvalidParameterException:");
                }
            },
        ),
        Alteration::rewritten(
            "quota-message-of-few-words",
            "The message about an exceeded quota says no more than that.",
            &["UpdateRecords/rule/quota-message"],
            |_, _, response| {
                if is_quota(response) {
                    member(response, "/message", |message| *message = "Limit exceeded".into());
                }
            },
        )
        .legal(),
        Alteration::mutant(
            "record-quota-per-call",
            "The quota of records is compared with the patches of a call.",
            &["UpdateRecords/rule/record-quota-error"],
            Switch::RecordQuotaPerCall,
        ),
        Alteration::variant(
            "tombstones-fill-quota",
            "Removed records count towards the quota of records.",
            &["UpdateRecords/rule/tombstones-fill-quota"],
            Switch::TombstonesFillQuota,
        ),
        Alteration::mutant(
            "deleted-fill-quota",
            "Deleted datasets count towards the quota of datasets.",
            &["UpdateRecords/rule/deletion-makes-room"],
            Switch::DeletedFillQuota,
        ),
        Alteration::mutant(
            "size-of-values",
            "The size of a record is that of its value.",
            &["UpdateRecords/rule/size-quota-is-mebibyte", "DescribeDataset/rule/data-storage-formula"],
            Switch::SizeOfValues,
        ),
        Alteration::mutant(
            "size-in-characters",
            "Sizes are counted in characters.",
            &["UpdateRecords/rule/size-quota-is-mebibyte", "DescribeDataset/rule/data-storage-formula"],
            Switch::SizeInCharacters,
        ),
        size_quota("size-quota-is-million", 1_000_000),
        size_quota("size-quota-one-byte-more", 1_048_577),
        size_quota("size-quota-one-byte-fewer", 1_048_575),
    ]
}

fn size_quota(name: &str, bytes: u64) -> Alteration {
    let about = format!("A dataset holds {bytes} bytes.");
    Alteration::described(name, &about, &["UpdateRecords/rule/size-quota-is-mebibyte"], move |service| {
        let of_size = service.limits.iter_mut().filter(|limit| limit.id == "dataset-size");
        of_size.for_each(|limit| limit.value = bytes);
    })
}

fn is_quota(response: &Response) -> bool {
    response.headers.get("x-amzn-ErrorType").is_some_and(|name| name.starts_with("LimitExceededException"))
}

/// Rewrites a list of records, where there is one.
fn records(response: &mut Response, rewrite: impl FnOnce(&mut Vec<Value>)) {
    member(response, "/Records", |records| {
        if let Value::Array(records) = records {
            rewrite(records);
        }
    });
}

fn each_record(response: &mut Response, rewrite: impl Fn(&mut Value)) {
    records(response, |records| records.iter_mut().for_each(rewrite));
}

/// Rewrites every key and value.
fn each_text(response: &mut Response, rewrite: impl Fn(&str) -> String) {
    each_record(response, |record| {
        for name in ["Key", "Value"] {
            record[name] = record[name].as_str().map(&rewrite).into();
        }
    });
}

/// Rewrites every date of a device. Given: it, and the server's date of the write.
fn each_device_date(response: &mut Response, rewrite: impl Fn(Value, Value) -> Value) {
    each_record(response, |record| {
        let server = record["LastModifiedDate"].clone();
        record["DeviceLastModifiedDate"] = rewrite(record["DeviceLastModifiedDate"].take(), server);
    });
}
