//! From an operation's name and input to the model's method, and from what that
//! gives to members by API name.
//!
//! Null is written where captures of the service show it (NextToken,
//! SyncSessionsCount, a tombstone's Value, parts of a configuration that are not
//! set, dates that are not there); no member is left out.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::input::{self, Input};
use super::refusal::Refusal;
use crate::reference::model::{
    BulkPublishDetails, Call, CognitoStreams, DatasetDescription, DatasetPlace, IdentityPoolUsage, ListRecords, Model,
    PageRequest, PatchOperation, PoolConfiguration, PushSync, Record, RecordPatch, Timestamp, UpdateRecords,
};

/// Calls the operation of this name.
pub(super) fn call(model: &mut Model, call: &Call<'_>, operation: &str, input: &Input) -> Result<Value, Refusal> {
    match operation {
        "DescribeDataset" | "DeleteDataset" | "ListDatasets" | "ListRecords" | "UpdateRecords" => {
            of_datasets(model, call, operation, input)
        }
        "RegisterDevice" | "SubscribeToDataset" | "UnsubscribeFromDataset" => of_devices(model, call, operation, input),
        _ => of_pools(model, call, operation, input),
    }
}

fn of_datasets(model: &mut Model, call: &Call<'_>, operation: &str, input: &Input) -> Result<Value, Refusal> {
    let place = place(input);
    Ok(match operation {
        "DescribeDataset" => json!({ "Dataset": dataset(&model.describe_dataset(&place)?) }),
        "DeleteDataset" => json!({ "Dataset": dataset(&model.delete_dataset(call, &place)?) }),
        "ListDatasets" => {
            let page = model.list_datasets(&place.identity_pool_id, &place.identity_id, &page_request(input))?;
            json!({
                "Datasets": page.datasets.iter().map(dataset).collect::<Vec<_>>(),
                "Count": page.datasets.len(),
                "NextToken": page.next_token,
            })
        }
        "ListRecords" => list_records(model, call, &place, input)?,
        _ => {
            let update = UpdateRecords {
                device_id: input.text("DeviceId"),
                patches: entries(input.get("RecordPatches")).iter().map(patch).collect(),
                sync_session_token: input.text("SyncSessionToken"),
            };
            let records = model.update_records(call, &place, &update)?;
            json!({ "Records": records.iter().map(record).collect::<Vec<_>>() })
        }
    })
}

fn list_records(model: &Model, call: &Call<'_>, place: &DatasetPlace, input: &Input) -> Result<Value, Refusal> {
    let request = ListRecords {
        last_sync_count: input.number("LastSyncCount"),
        page: page_request(input),
        sync_session_token: input.text("SyncSessionToken"),
    };
    let page = model.list_records(call, place, &request)?;
    Ok(json!({
        "Records": page.records.iter().map(record).collect::<Vec<_>>(),
        "NextToken": page.next_token,
        "Count": page.count,
        "DatasetSyncCount": page.dataset_sync_count,
        "LastModifiedBy": page.last_modified_by,
        "MergedDatasetNames": [],
        "DatasetExists": page.dataset_exists,
        "DatasetDeletedAfterRequestedSyncCount": page.dataset_deleted_after_requested_sync_count,
        "SyncSessionToken": page.sync_session_token,
    }))
}

fn of_devices(model: &mut Model, call: &Call<'_>, operation: &str, input: &Input) -> Result<Value, Refusal> {
    let place = place(input);
    let text = |name| input.text(name).unwrap_or_default();
    Ok(match operation {
        "SubscribeToDataset" => {
            model.subscribe_to_dataset(&place, &text("DeviceId"))?;
            json!({})
        }
        "UnsubscribeFromDataset" => {
            model.unsubscribe_from_dataset(&place, &text("DeviceId"))?;
            json!({})
        }
        _ => {
            let (pool, identity) = (&place.identity_pool_id, &place.identity_id);
            json!({ "DeviceId": model.register_device(call, pool, identity, &text("Platform"), &text("Token"))? })
        }
    })
}

fn of_pools(model: &mut Model, call: &Call<'_>, operation: &str, input: &Input) -> Result<Value, Refusal> {
    let pool = input.text("IdentityPoolId").unwrap_or_default();
    Ok(match operation {
        "BulkPublish" => {
            model.bulk_publish(call, &pool)?;
            json!({ "IdentityPoolId": pool })
        }
        "GetBulkPublishDetails" => publish_details(&pool, &model.bulk_publish_details(call, &pool)?),
        "DescribeIdentityPoolUsage" => json!({ "IdentityPoolUsage": pool_usage(&model.identity_pool_usage(&pool)?) }),
        "DescribeIdentityUsage" => {
            let usage = model.identity_usage(&pool, &input.text("IdentityId").unwrap_or_default())?;
            json!({ "IdentityUsage": {
                "IdentityId": usage.identity_id,
                "IdentityPoolId": usage.identity_pool_id,
                "LastModifiedDate": usage.last_modified_date.map(Timestamp::seconds),
                "DatasetCount": usage.dataset_count,
                "DataStorage": usage.data_storage,
            } })
        }
        "ListIdentityPoolUsage" => {
            let page = model.list_identity_pool_usage(&page_request(input))?;
            json!({
                "IdentityPoolUsages": page.usages.iter().map(pool_usage).collect::<Vec<_>>(),
                "MaxResults": page.max_results,
                "Count": page.usages.len(),
                "NextToken": page.next_token,
            })
        }
        "GetCognitoEvents" => json!({ "Events": model.cognito_events(&pool)? }),
        "SetCognitoEvents" => {
            model.set_cognito_events(&pool, &events(input))?;
            json!({})
        }
        "GetIdentityPoolConfiguration" => configuration(&pool, &model.pool_configuration(&pool)?),
        "SetIdentityPoolConfiguration" => {
            configuration(&pool, &model.set_pool_configuration(&pool, &new_configuration(input))?)
        }
        other => return Err(Refusal::internal(format!("{other} is described but not built"))),
    })
}

fn place(input: &Input) -> DatasetPlace {
    let text = |name| input.text(name).unwrap_or_default();
    DatasetPlace {
        identity_pool_id: text("IdentityPoolId"),
        identity_id: text("IdentityId"),
        dataset_name: text("DatasetName"),
    }
}

fn page_request(input: &Input) -> PageRequest {
    PageRequest { next_token: input.text("NextToken"), max_results: input.number("MaxResults") }
}

fn entries(list: Option<&Value>) -> &[Value] {
    list.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn patch(patch: &Value) -> RecordPatch {
    let text = |name: &str| patch.get(name).and_then(input::text);
    let remove = text("Op").as_deref() == Some("remove");
    RecordPatch {
        operation: if remove { PatchOperation::Remove } else { PatchOperation::Replace },
        key: text("Key").unwrap_or_default(),
        value: text("Value"),
        sync_count: patch.get("SyncCount").and_then(input::number).unwrap_or(0),
        device_last_modified_date: patch
            .get("DeviceLastModifiedDate")
            .and_then(Value::as_f64)
            .map(Timestamp::from_seconds),
    }
}

fn events(input: &Input) -> BTreeMap<String, String> {
    let events = input.get("Events").and_then(Value::as_object);
    events.into_iter().flatten().map(|(name, arn)| (name.clone(), input::text(arn).unwrap_or_default())).collect()
}

fn new_configuration(input: &Input) -> PoolConfiguration {
    let part = |part: &Value, name: &str| part.get(name).and_then(input::text);
    PoolConfiguration {
        push_sync: input.get("PushSync").map(|push| PushSync {
            application_arns: entries(push.get("ApplicationArns")).iter().filter_map(input::text).collect(),
            role_arn: part(push, "RoleArn"),
        }),
        cognito_streams: input.get("CognitoStreams").map(|streams| CognitoStreams {
            stream_name: part(streams, "StreamName"),
            role_arn: part(streams, "RoleArn"),
            streaming_status: part(streams, "StreamingStatus"),
        }),
    }
}

fn configuration(pool: &str, configuration: &PoolConfiguration) -> Value {
    let push = configuration.push_sync.as_ref();
    let streams = configuration.cognito_streams.as_ref();
    json!({
        "IdentityPoolId": pool,
        "PushSync": push.map(|push| json!({ "ApplicationArns": push.application_arns, "RoleArn": push.role_arn })),
        "CognitoStreams": streams.map(|streams| json!({
            "StreamName": streams.stream_name,
            "RoleArn": streams.role_arn,
            "StreamingStatus": streams.streaming_status,
        })),
    })
}

fn publish_details(pool: &str, details: &BulkPublishDetails) -> Value {
    json!({
        "IdentityPoolId": pool,
        "BulkPublishStartTime": details.start_time.map(Timestamp::seconds),
        "BulkPublishCompleteTime": details.complete_time.map(Timestamp::seconds),
        "BulkPublishStatus": details.status.as_str(),
        "FailureMessage": null,
    })
}

fn dataset(dataset: &DatasetDescription) -> Value {
    json!({
        "IdentityId": dataset.identity_id,
        "DatasetName": dataset.dataset_name,
        "CreationDate": dataset.creation_date.seconds(),
        "LastModifiedDate": dataset.last_modified_date.seconds(),
        "LastModifiedBy": dataset.last_modified_by,
        "DataStorage": dataset.data_storage,
        "NumRecords": dataset.num_records,
    })
}

fn record(record: &Record) -> Value {
    json!({
        "Key": record.key,
        "Value": record.value,
        "SyncCount": record.sync_count,
        "LastModifiedDate": record.last_modified_date.seconds(),
        "LastModifiedBy": record.last_modified_by,
        "DeviceLastModifiedDate": record.device_last_modified_date.map(Timestamp::seconds),
    })
}

fn pool_usage(usage: &IdentityPoolUsage) -> Value {
    json!({
        "IdentityPoolId": usage.identity_pool_id,
        "SyncSessionsCount": null,
        "DataStorage": usage.data_storage,
        "LastModifiedDate": usage.last_modified_date.seconds(),
    })
}
