//! Kinesis: PutRecord and PutRecords, in its JSON protocol.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};

use super::desk::{Addressee, Desk};
use super::mailbox::State;
use super::route::answer as reply;
use super::script::{Role, nth};
use crate::wire::{self, Request, Response};

const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// Errors whose status is not 400.
const STATUSES: [(&str, u16); 2] = [("InternalFailure", 500), ("ServiceUnavailable", 503)];

/// A record that is put.
struct Record {
    data: Value,
    put: Value,
}

pub(super) async fn answer(desk: &Desk, operation: &str, request: Request) -> Response {
    if request.headers.get("content-type").is_some_and(|kind| kind.contains("cbor")) {
        desk.stray("a stream in CBOR, which is not spoken here; Java's SDKs speak JSON with AWS_CBOR_DISABLE=true or CBOR_ENABLED=false");
        return error(
            "SerializationException",
            None,
            "this listener speaks JSON; set AWS_CBOR_DISABLE=true or CBOR_ENABLED=false",
        );
    }
    let Some(input) = wire::json(&request.body) else {
        desk.stray(&format!("{operation} of a stream, with a body that is no JSON"));
        return error("SerializationException", None, "the body is no JSON");
    };
    let is_list = match operation {
        "PutRecord" => false,
        "PutRecords" => true,
        _ => {
            desk.stray(&format!("{operation} of a stream, which is not played"));
            return error("UnknownOperationException", None, "syncspec plays PutRecord and PutRecords");
        }
    };
    let text = |name: &str| input.get(name).and_then(Value::as_str);
    let stream = text("StreamName").or_else(|| text("StreamARN")).unwrap_or_default().to_owned();
    let records = records(&input, &stream, is_list);
    let post = match desk.addressee(stream.rsplit('/').next().unwrap_or_default()) {
        Addressee::Open(post) => post,
        Addressee::Closed => return taken(records.len(), 0, is_list),
        Addressee::Nobody => {
            desk.stray(&format!("the stream `{stream}`"));
            return error("ResourceNotFoundException", None, &format!("Stream {stream} not found"));
        }
    };
    let count = |state: &mut State| {
        state.put_calls += 1;
        state.put_calls - 1
    };
    let (number, hearing) = post.hear(Role::Stream, shown(request, &input), count, |_| {});
    let script = nth(&post.scripts.stream, number).cloned().unwrap_or_default();
    hearing.pause(script.delay).await;
    hearing.answered(|state| {
        if let Some(refusal) = &script.refusal {
            state.refused_puts += 1;
            return error(&refusal.error, refusal.status, refusal.message());
        }
        let response = taken(records.len(), number, is_list);
        state.taken += records.len();
        for Record { data, put } in records.into_iter().filter(|_| state.keeps) {
            state.records.push(data);
            state.puts.push(put);
        }
        response
    })
}

/// The records that a call puts.
fn records(input: &Value, stream: &str, is_list: bool) -> Vec<Record> {
    let entries =
        if is_list { input["Records"].as_array().map_or(&[][..], Vec::as_slice) } else { std::slice::from_ref(input) };
    let record = |entry: &Value| Record {
        data: data(&entry["Data"]).unwrap_or(Value::Null),
        put: json!({ "stream": stream, "partition-key": entry["PartitionKey"] }),
    };
    entries.iter().map(record).collect()
}

/// Data as JSON, if it is that.
fn data(encoded: &Value) -> Option<Value> {
    wire::json(&STANDARD.decode(encoded.as_str()?).ok()?)
}

/// The request with readable data.
fn shown(request: Request, input: &Value) -> Request {
    let mut readable = input.clone();
    let decode = |entry: &mut Value| {
        if let Some(data) = data(&entry["Data"]) {
            entry["Data"] = data;
        }
    };
    match readable.get_mut("Records").and_then(Value::as_array_mut) {
        Some(records) => records.iter_mut().for_each(decode),
        None => decode(&mut readable),
    }
    Request { body: Bytes::from(readable.to_string()), ..request }
}

fn taken(records: usize, call: usize, is_list: bool) -> Response {
    let place = |record: usize| {
        let number = format!("4959{call:026}{record:026}");
        json!({ "SequenceNumber": number, "ShardId": "shardId-000000000000" })
    };
    let body = if is_list {
        json!({ "FailedRecordCount": 0, "Records": (0..records).map(place).collect::<Value>() })
    } else {
        place(0)
    };
    reply(200, CONTENT_TYPE, body.to_string())
}

fn error(name: &str, status: Option<u16>, message: &str) -> Response {
    let usual = STATUSES.iter().find(|(known, _)| *known == name).map_or(400, |(_, status)| *status);
    let body = json!({ "__type": name, "message": message });
    reply(status.unwrap_or(usual), CONTENT_TYPE, body.to_string())
}
