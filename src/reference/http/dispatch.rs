//! From an operation's name and input to the model's method, and from what that
//! gives to members by API name.
//!
//! Null is written where captures of the service show it (NextToken,
//! SyncSessionsCount, a tombstone's Value, parts of a configuration that are not
//! set, dates that are not there); no member is left out.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::input::{self, Input};
use super::output::Output;
use super::refusal::Refusal;
use crate::reference::altered::Switch;
use crate::reference::collaborators::Question;
use crate::reference::model::{
    BulkPublishDetails, Call, CognitoStreams, DatasetDescription, DatasetPlace, DeviceIdentity, IdentityPoolUsage,
    ListRecords, Model, PageRequest, PatchOperation, PoolConfiguration, PushSync, Record, RecordPatch, Timestamp,
    Untaken, UpdateRecords,
};

/// Calls the operation of this name.
pub(super) fn call(model: &mut Model, call: &Call<'_>, operation: &str, input: &Input) -> Result<Output, Refusal> {
    match operation {
        "DescribeDataset" | "DeleteDataset" | "ListDatasets" | "ListRecords" | "UpdateRecords" => {
            of_datasets(model, call, operation, input)
        }
        "RegisterDevice" | "SubscribeToDataset" | "UnsubscribeFromDataset" => of_devices(model, call, operation, input),
        _ => of_pools(model, call, operation, input),
    }
}

fn of_datasets(model: &mut Model, call: &Call<'_>, operation: &str, input: &Input) -> Result<Output, Refusal> {
    let place = place(input);
    Ok(match operation {
        "DescribeDataset" => Output::of([("Dataset", dataset(model.describe_dataset(&place)?))]),
        "DeleteDataset" => Output::of([("Dataset", dataset(model.delete_dataset(call, &place)?))]),
        "ListDatasets" => {
            let page = model.list_datasets(&place.identity_pool_id, &place.identity_id, &page_request(input))?;
            Output::of([
                ("Count", page.datasets.len().into()),
                ("Datasets", page.datasets.into_iter().map(dataset).collect()),
                ("NextToken", page.next_token.into()),
            ])
        }
        "ListRecords" => list_records(model, call, &place, input)?,
        _ => update_records(model, call, &update(input), input)?,
    })
}

fn update(input: &Input) -> UpdateRecords {
    UpdateRecords {
        device_id: input.text("DeviceId"),
        patches: entries(input.get("RecordPatches")).iter().map(patch).collect(),
        sync_session_token: input.text("SyncSessionToken"),
    }
}

fn update_records(
    model: &mut Model,
    call: &Call<'_>,
    update: &UpdateRecords,
    input: &Input,
) -> Result<Output, Refusal> {
    Ok(updated(model.update_records(call, &place(input), update)?))
}

fn updated(records: Vec<Record>) -> Output {
    Output::of([("Records", records.into_iter().map(record).collect())])
}

/// What another service must answer before this operation can be called, if anything.
pub(super) fn question(
    model: &Model,
    call: &Call<'_>,
    operation: &str,
    input: &Input,
) -> Result<Option<Question>, Refusal> {
    Ok(match operation {
        "UpdateRecords" => {
            let (place, update) = (place(input), update(input));
            let effects = || Some(model.told_first(call, &place, &update)).filter(|effects| !effects.is_empty());
            let invocation = model.invocation(call, &place, &update)?.map(Question::Function);
            invocation.or_else(|| effects().map(Question::Effects))
        }
        "RegisterDevice" => {
            let place = place(input);
            let (platform, token) = (&text(input, "Platform"), &text(input, "Token"));
            let device = DeviceIdentity { platform, token };
            model.endpoint_request(&place.identity_pool_id, &place.identity_id, device)?.map(Question::Endpoint)
        }
        _ => None,
    })
}

/// What an altered server does although it refuses an update: makes it, or uses up
/// its session.
pub(super) fn aftermath(model: &mut Model, call: &Call<'_>, operation: &str, input: &Input) -> Result<Output, Refusal> {
    if operation == "UpdateRecords" {
        let (place, update) = (place(input), update(input));
        if model.has(Switch::FunctionFailureWrites) {
            model.update_records(call, &place, &update)?;
        } else if let Some(token) = &update.sync_session_token {
            model.spend_session(call, &place, token);
        }
    }
    Ok(Output::Null)
}

/// What came of a question, as the operation that needs it takes it.
#[derive(Debug, Clone)]
pub(super) enum Found {
    /// The patches to be made, instead of those that were sent.
    Patches(Vec<RecordPatch>),
    /// ARN of the platform endpoint.
    Endpoint(String),
    /// Others were told of the update, and one of them may not have taken it.
    Told(Option<Untaken>),
}

/// Calls an operation that needed an answer first.
pub(super) fn call_with(model: &mut Model, call: &Call<'_>, input: &Input, found: &Found) -> Result<Output, Refusal> {
    match found {
        Found::Patches(patches) => {
            let sent = update(input);
            let made = UpdateRecords { patches: patches.clone(), ..sent.clone() };
            let output = update_records(model, call, &made, input)?;
            model.told_of_function(&sent.patches);
            Ok(output)
        }
        Found::Told(untaken) => {
            Ok(updated(model.update_told(call, &place(input), &update(input), untaken.as_ref())?))
        }
        Found::Endpoint(arn) => register_device(model, call, input, Some(arn.clone())),
    }
}

fn register_device(
    model: &mut Model,
    call: &Call<'_>,
    input: &Input,
    endpoint_arn: Option<String>,
) -> Result<Output, Refusal> {
    let place = place(input);
    let (platform, token) = (&text(input, "Platform"), &text(input, "Token"));
    let device = DeviceIdentity { platform, token };
    let id = model.register_device(call, &place.identity_pool_id, &place.identity_id, device, endpoint_arn)?;
    Ok(Output::of([("DeviceId", id.into())]))
}

/// Patches as a client would send them, for the constraints to be checked.
pub(super) fn as_sent(patches: &[RecordPatch]) -> Value {
    let sent = |patch: &RecordPatch| {
        let mut sent = json!({ "Op": "remove", "Key": patch.key, "SyncCount": patch.sync_count });
        if let (PatchOperation::Replace, Some(value)) = (patch.operation, &patch.value) {
            sent["Op"] = "replace".into();
            sent["Value"] = value.as_str().into();
        }
        sent
    };
    patches.iter().map(sent).collect()
}

fn list_records(model: &Model, call: &Call<'_>, place: &DatasetPlace, input: &Input) -> Result<Output, Refusal> {
    let request = ListRecords {
        last_sync_count: input.number("LastSyncCount"),
        page: page_request(input),
        sync_session_token: input.text("SyncSessionToken"),
    };
    let page = model.list_records(call, place, &request)?;
    Ok(Output::of([
        ("Records", page.records.into_iter().map(record).collect()),
        ("NextToken", page.next_token.into()),
        ("Count", page.count.into()),
        ("DatasetSyncCount", page.dataset_sync_count.into()),
        ("LastModifiedBy", page.last_modified_by.into()),
        ("MergedDatasetNames", Output::List(Vec::new())),
        ("DatasetExists", page.dataset_exists.into()),
        ("DatasetDeletedAfterRequestedSyncCount", page.dataset_deleted_after_requested_sync_count.into()),
        ("SyncSessionToken", page.sync_session_token.into()),
    ]))
}

fn of_devices(model: &mut Model, call: &Call<'_>, operation: &str, input: &Input) -> Result<Output, Refusal> {
    let place = place(input);
    Ok(match operation {
        "SubscribeToDataset" => {
            model.subscribe_to_dataset(&place, &text(input, "DeviceId"))?;
            Output::of([])
        }
        "UnsubscribeFromDataset" => {
            model.unsubscribe_from_dataset(&place, &text(input, "DeviceId"))?;
            Output::of([])
        }
        _ => register_device(model, call, input, None)?,
    })
}

fn of_pools(model: &mut Model, call: &Call<'_>, operation: &str, input: &Input) -> Result<Output, Refusal> {
    let pool = input.text("IdentityPoolId").unwrap_or_default();
    Ok(match operation {
        "BulkPublish" => {
            model.bulk_publish(call, &pool)?;
            Output::of([("IdentityPoolId", pool.into())])
        }
        "GetBulkPublishDetails" => publish_details(&pool, model.bulk_publish_details(call, &pool)?),
        "DescribeIdentityPoolUsage" => {
            Output::of([("IdentityPoolUsage", pool_usage(model.identity_pool_usage(&pool)?))])
        }
        "DescribeIdentityUsage" => {
            let usage = model.identity_usage(&pool, &input.text("IdentityId").unwrap_or_default())?;
            let usage = Output::of([
                ("IdentityId", usage.identity_id.into()),
                ("IdentityPoolId", usage.identity_pool_id.into()),
                ("LastModifiedDate", usage.last_modified_date.map(Timestamp::seconds).into()),
                ("DatasetCount", usage.dataset_count.into()),
                ("DataStorage", usage.data_storage.into()),
            ]);
            Output::of([("IdentityUsage", usage)])
        }
        "ListIdentityPoolUsage" => {
            let page = model.list_identity_pool_usage(&page_request(input))?;
            Output::of([
                ("Count", page.usages.len().into()),
                ("IdentityPoolUsages", page.usages.into_iter().map(pool_usage).collect()),
                ("MaxResults", page.max_results.into()),
                ("NextToken", page.next_token.into()),
            ])
        }
        "GetCognitoEvents" => {
            let events = model.cognito_events(&pool)?.into_iter().map(|(name, arn)| (name.into(), arn.into()));
            Output::of([("Events", Output::Members(events.collect()))])
        }
        "SetCognitoEvents" => {
            model.set_cognito_events(&pool, &events(input))?;
            Output::of([])
        }
        "GetIdentityPoolConfiguration" => configuration(&pool, model.pool_configuration(&pool)?),
        "SetIdentityPoolConfiguration" => {
            configuration(&pool, model.set_pool_configuration(&pool, &new_configuration(input))?)
        }
        other => return Err(Refusal::internal(format!("{other} is described but not built"))),
    })
}

fn text(input: &Input, name: &str) -> String {
    input.text(name).unwrap_or_default()
}

fn place(input: &Input) -> DatasetPlace {
    DatasetPlace {
        identity_pool_id: text(input, "IdentityPoolId"),
        identity_id: text(input, "IdentityId"),
        dataset_name: text(input, "DatasetName"),
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
            disabled_reason: None,
        }),
    }
}

fn configuration(pool: &str, configuration: PoolConfiguration) -> Output {
    let push = configuration.push_sync.map(|push| {
        Output::of([
            ("ApplicationArns", push.application_arns.into_iter().collect()),
            ("RoleArn", push.role_arn.into()),
        ])
    });
    let streams = configuration.cognito_streams.map(|streams| {
        Output::of([
            ("StreamName", streams.stream_name.into()),
            ("RoleArn", streams.role_arn.into()),
            ("StreamingStatus", streams.streaming_status.into()),
            ("DisabledReason", streams.disabled_reason.into()),
        ])
    });
    Output::of([("IdentityPoolId", pool.into()), ("PushSync", push.into()), ("CognitoStreams", streams.into())])
}

fn publish_details(pool: &str, details: BulkPublishDetails) -> Output {
    Output::of([
        ("IdentityPoolId", pool.into()),
        ("BulkPublishStartTime", details.start_time.map(Timestamp::seconds).into()),
        ("BulkPublishCompleteTime", details.complete_time.map(Timestamp::seconds).into()),
        ("BulkPublishStatus", details.status.as_str().into()),
        ("FailureMessage", details.failure_message.into()),
    ])
}

fn dataset(dataset: DatasetDescription) -> Output {
    Output::of([
        ("IdentityId", dataset.identity_id.into()),
        ("DatasetName", dataset.dataset_name.into()),
        ("CreationDate", dataset.creation_date.seconds().into()),
        ("LastModifiedDate", dataset.last_modified_date.seconds().into()),
        ("LastModifiedBy", dataset.last_modified_by.into()),
        ("DataStorage", dataset.data_storage.into()),
        ("NumRecords", dataset.num_records.into()),
    ])
}

fn record(record: Record) -> Output {
    Output::of([
        ("Key", record.key.into()),
        ("Value", record.value.into()),
        ("SyncCount", record.sync_count.into()),
        ("LastModifiedDate", record.last_modified_date.seconds().into()),
        ("LastModifiedBy", (*record.last_modified_by).into()),
        ("DeviceLastModifiedDate", record.device_last_modified_date.map(Timestamp::seconds).into()),
    ])
}

fn pool_usage(usage: IdentityPoolUsage) -> Output {
    Output::of([
        ("IdentityPoolId", usage.identity_pool_id.into()),
        ("SyncSessionsCount", Output::Null),
        ("DataStorage", usage.data_storage.into()),
        ("LastModifiedDate", usage.last_modified_date.seconds().into()),
    ])
}
