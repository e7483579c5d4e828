//! What a stream's record holds.

use serde_json::{Value, json};

use crate::reference::model::{PatchOperation, Record, StreamRecord, Timestamp};

/// Where the records of a dataset are.
pub(super) enum Payload<'a> {
    /// In the stream's record, where there are any.
    Inline,
    /// At an address, since they are too large.
    At(&'a str),
}

/// The record, as JSON.
pub(super) fn body(record: &StreamRecord, payload: &Payload<'_>) -> Value {
    let (records, url, kind) = match payload {
        Payload::Inline => (record.records.as_deref().map(records), None, "Inline"),
        Payload::At(url) => (None, Some(*url), "S3Url"),
    };
    json!({
        "identityPoolId": record.place.identity_pool_id,
        "identityId": record.place.identity_id,
        "dataSetName": record.place.dataset_name,
        "datasetName": record.place.dataset_name,
        "operation": operation(record.operation),
        "kinesisSyncRecords": records,
        "lastModifiedDate": record.last_modified_date.millis(),
        "kinesisSyncRecordsURL": url,
        "payloadType": kind,
        "syncCount": record.sync_count,
    })
}

/// The records of a dataset, as JSON.
pub(super) fn records(records: &[Record]) -> Value {
    let entry = |record: &Record| {
        let op = if record.value.is_some() { PatchOperation::Replace } else { PatchOperation::Remove };
        json!({
            "key": record.key,
            "value": record.value,
            "syncCount": record.sync_count,
            "lastModifiedDate": record.last_modified_date.millis(),
            "deviceLastModifiedDate": record.device_last_modified_date.map(Timestamp::millis),
            "op": operation(op),
        })
    };
    records.iter().map(entry).collect()
}

fn operation(operation: PatchOperation) -> &'static str {
    match operation {
        PatchOperation::Replace => "replace",
        PatchOperation::Remove => "remove",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Payload, body};
    use crate::reference::model::{DatasetPlace, PatchOperation, Record, StreamRecord, Timestamp};

    fn changed(records: Option<Vec<Record>>, operation: PatchOperation) -> StreamRecord {
        let place = DatasetPlace {
            identity_pool_id: "p".to_owned(),
            identity_id: "i".to_owned(),
            dataset_name: "d".to_owned(),
        };
        StreamRecord {
            place,
            operation,
            records,
            last_modified_date: Timestamp::from_millis(1_700_000_000_123),
            sync_count: 7,
        }
    }

    fn record(key: &str, value: Option<&str>, device: Option<i64>) -> Record {
        Record {
            key: key.to_owned(),
            value: value.map(str::to_owned),
            sync_count: 7,
            last_modified_date: Timestamp::from_millis(1_700_000_000_123),
            last_modified_by: "i".into(),
            device_last_modified_date: device.map(Timestamp::from_millis),
        }
    }

    #[test]
    fn an_update_is_told_with_its_records() {
        let records = vec![record("a", Some("1"), Some(1_600_000_000_000)), record("b", None, None)];
        let said = body(&changed(Some(records), PatchOperation::Replace), &Payload::Inline);
        let expected = json!({
            "identityPoolId": "p", "identityId": "i", "dataSetName": "d", "datasetName": "d", "operation": "replace",
            "kinesisSyncRecords": [
                { "key": "a", "value": "1", "syncCount": 7, "lastModifiedDate": 1_700_000_000_123_i64,
                  "deviceLastModifiedDate": 1_600_000_000_000_i64, "op": "replace" },
                { "key": "b", "value": null, "syncCount": 7, "lastModifiedDate": 1_700_000_000_123_i64,
                  "deviceLastModifiedDate": null, "op": "remove" },
            ],
            "lastModifiedDate": 1_700_000_000_123_i64, "kinesisSyncRecordsURL": null, "payloadType": "Inline",
            "syncCount": 7,
        });
        assert_eq!(said, expected);
    }

    #[test]
    fn a_deletion_and_a_large_change_are_told_without() {
        let deleted = body(&changed(None, PatchOperation::Remove), &Payload::Inline);
        assert_eq!(deleted["operation"], "remove");
        assert!(deleted["kinesisSyncRecords"].is_null() && deleted["kinesisSyncRecordsURL"].is_null());
        let large = changed(Some(vec![record("a", Some("1"), None)]), PatchOperation::Replace);
        let large = body(&large, &Payload::At("http://s3/x"));
        assert!(large["kinesisSyncRecords"].is_null());
        assert_eq!((&large["kinesisSyncRecordsURL"], &large["payloadType"]), (&json!("http://s3/x"), &json!("S3Url")));
    }
}
