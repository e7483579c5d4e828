//! Kinesis' PutRecord.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::json;
use tokio::time::sleep;

use super::s3::S3;
use super::send::{Outgoing, Sender, refused};
use super::settings::Times;
use super::stream::{Payload, body, records};
use crate::reference::altered::{Switch, Telling, Told};
use crate::reference::model::{StreamRecord, StreamTarget};

/// Most bytes of a record and its partition key.
const RECORD_BYTES_MAX: usize = 1024 * 1024;

/// Most bytes of an answer that are read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// How often a record is sent at most.
const ATTEMPTS: u32 = 5;

/// Errors that ask for fewer calls.
const THROTTLING: [&str; 4] = [
    "ProvisionedThroughputExceededException",
    "LimitExceededException",
    "ThrottlingException",
    "KMSThrottlingException",
];

/// Other errors that pass.
const PASSING: [&str; 2] = ["InternalFailure", "ServiceUnavailable"];

/// Kinesis at an endpoint.
#[derive(Debug)]
pub(super) struct Kinesis {
    pub(super) endpoint: String,
    pub(super) times: Times,
    /// For what is too large.
    pub(super) s3: Option<S3>,
    pub(super) telling: Telling,
}

/// Why a record was not taken.
pub(super) struct Refusal {
    /// A sentence.
    pub(super) why: String,
    /// Whether there were too many calls.
    pub(super) throttled: bool,
    /// Whether it may be taken later.
    passes: bool,
}

impl Refusal {
    /// One that will not pass.
    fn lasting(why: String) -> Self {
        Self { why, throttled: false, passes: false }
    }
}

impl Kinesis {
    /// Puts a record into a stream, and tries again where that can help. Fails for good.
    pub(super) async fn put(
        &self,
        sender: &Sender,
        target: &StreamTarget,
        record: &StreamRecord,
    ) -> Result<(), Refusal> {
        let Some(data) = self.telling.told(Told::Record, body(record, &Payload::Inline)) else { return Ok(()) };
        let mut data = data.to_string();
        if data.len() + record.place.identity_id.len() > self.most_inline() {
            let Some(s3) = &self.s3 else {
                let why = format!("A record of {} bytes is too large for a stream, and there is no S3", data.len());
                return Err(Refusal::lasting(why));
            };
            let records = record.records.as_deref().map(records).unwrap_or_default();
            let records = self.telling.told(Told::Object, records).unwrap_or_default().to_string();
            let url = s3.keep(sender, records.into_bytes(), self.times.call).await.map_err(Refusal::lasting)?;
            let Some(told) = self.telling.told(Told::Record, body(record, &Payload::At(&url))) else { return Ok(()) };
            data = told.to_string();
        }
        let mut key = record.place.identity_id.clone();
        if self.telling.switches.has(Switch::StreamPartitionedByDataset) {
            key = format!("{key}/{}", record.place.dataset_name);
        }
        let mut pause = self.times.pause;
        for attempt in 1.. {
            let Err(refusal) = self.put_once(sender, target, &key, data.as_bytes()).await else {
                break;
            };
            if refusal.throttled && self.telling.switches.has(Switch::ThrottledRecordsDropped) {
                break;
            }
            if !refusal.passes || attempt >= ATTEMPTS {
                return Err(Refusal { why: format!("Kinesis {}", refusal.why), ..refusal });
            }
            sleep(pause).await;
            pause *= 2;
        }
        Ok(())
    }

    /// Most bytes of a record that is put into the stream itself.
    fn most_inline(&self) -> usize {
        if self.telling.switches.has(Switch::LargeRecordsInline) {
            usize::MAX
        } else if self.telling.switches.has(Switch::RecordsOf50KilobytesElsewhere) {
            50 * 1024
        } else {
            RECORD_BYTES_MAX
        }
    }

    async fn put_once(&self, sender: &Sender, target: &StreamTarget, key: &str, data: &[u8]) -> Result<(), Refusal> {
        let limit: Duration = self.times.call;
        let request = json!({ "StreamName": target.stream_name, "Data": STANDARD.encode(data), "PartitionKey": key });
        let answer = sender.send(Outgoing {
            service: "kinesis",
            method: Method::POST,
            url: format!("{}/", self.endpoint),
            headers: &[("content-type", "application/x-amz-json-1.1"), ("x-amz-target", "Kinesis_20131202.PutRecord")],
            body: request.to_string().into_bytes(),
            limit,
            most: ANSWER_BYTES_MAX,
        });
        let answer = answer.await.map_err(|lost| Refusal { why: lost.in_words(), throttled: false, passes: true })?;
        if answer.is_ok() {
            return Ok(());
        }
        let (name, message) = answer.json_error();
        let throttled = answer.status == 429 || THROTTLING.contains(&name.as_str());
        let passes = throttled || answer.status >= 500 || PASSING.contains(&name.as_str());
        Err(Refusal { why: refused(answer.status, &name, &message), throttled, passes })
    }
}
