//! From a call on a dataset to a signed request, and from what came back to an
//! outcome.

use std::sync::Arc;
use std::time::SystemTime;

use serde_json::{Map, Value as Json, json};

use super::history::{Call, History, Key, Listing, Outcome, Record};
use crate::client::{Client, Signing, SigningForm, bind, sign};
use crate::spec::Service;
use crate::target::{Identity, Target};
use crate::wire::{Failure, FailureKind, Request, Response};

/// As many records as a dataset holds, so that a listing is one page.
const PAGE: u64 = 1024;

/// Before and between the counts in a conflict's message.
const CURRENT_COUNT: &str = "Current SyncCount for: ";
const NO_SUCH_COUNT: &str = "No such SyncCount:";

/// A way to one identity's datasets.
#[derive(Debug, Clone)]
pub(super) struct Line {
    target: Arc<Target>,
    /// Whose address is signed.
    addressed: Client,
    /// Who is sent to: the same, or what stands before it.
    through: Client,
    identity: Arc<Identity>,
    pool: String,
}

/// A listing's outcome, and the token for a write.
pub(super) struct Answer {
    pub(super) outcome: Outcome,
    pub(super) token: Option<String>,
}

impl Line {
    /// A way to the datasets of the target's first identity.
    ///
    /// # Errors
    ///
    /// A sentence when the target has none.
    pub(super) fn new(target: Arc<Target>, addressed: Client, through: Client) -> Result<Self, String> {
        let pool = target.pools.first().filter(|pool| !pool.identities.is_empty());
        let pool = pool.ok_or_else(|| format!("target {} names no identity with credentials", target.name))?;
        let (identity, pool) = (Arc::new(pool.identities[0].clone()), pool.id.clone());
        Ok(Self { target, addressed, through, identity, pool })
    }

    /// The signed request of a call on a dataset.
    ///
    /// # Errors
    ///
    /// A sentence when it cannot be signed.
    pub(super) fn request(
        &self,
        dataset: &str,
        call: &Call,
        token: Option<&str>,
        history: &History,
    ) -> Result<Request, String> {
        let service = Service::embedded();
        let (name, mut input) = input(call, token, history);
        let place = [("IdentityPoolId", &*self.pool), ("IdentityId", &*self.identity.id), ("DatasetName", dataset)];
        input.extend(place.map(|(member, value)| (member.to_owned(), value.into())));
        let operation = service.operations.get(name).ok_or_else(|| format!("the service has no operation {name}"))?;
        let mut request = bind(operation, &input).map_err(|error| error.to_string())?;
        let endpoint = self.addressed.endpoint();
        endpoint.address(&mut request);
        let signing = Signing {
            credentials: &self.identity.credentials,
            region: &self.target.region,
            service: &service.signing_name,
            time: SystemTime::now(),
            form: SigningForm::Header,
        };
        sign(&mut request, &endpoint.host_header(), &signing).map_err(|error| error.to_string())?;
        Ok(request)
    }

    /// Sends a call's request and reads what came back.
    pub(super) async fn send(&self, request: Request, call: &Call, history: &mut History) -> Answer {
        match self.through.send(request).await.outcome {
            Ok(response) => read(&response, call, history),
            Err(failure) => Answer { outcome: unanswered(&failure), token: None },
        }
    }
}

/// Whoever could not even connect has done nothing.
fn unanswered(failure: &Failure) -> Outcome {
    match failure.kind {
        FailureKind::Connect | FailureKind::Tls | FailureKind::Request => Outcome::Refused,
        FailureKind::TimedOut | FailureKind::Broken | FailureKind::TooLarge => Outcome::Unknown,
    }
}

fn input(call: &Call, token: Option<&str>, history: &History) -> (&'static str, Map<String, Json>) {
    let mut input = Map::new();
    let name = match call {
        Call::Update(patches) => {
            let patch = |patch: &super::history::Patch| {
                let mut json = json!({
                    "Op": if patch.value.is_some() { "replace" } else { "remove" },
                    "Key": history.key_text(patch.key),
                    "SyncCount": patch.base,
                });
                if let Some(value) = patch.value {
                    json["Value"] = history.value_text(value).into();
                }
                json
            };
            input.insert("RecordPatches".to_owned(), patches.iter().map(patch).collect());
            input.insert("SyncSessionToken".to_owned(), token.into());
            "UpdateRecords"
        }
        Call::List { since } => {
            if *since > 0 {
                input.insert("LastSyncCount".to_owned(), (*since).into());
            }
            input.insert("MaxResults".to_owned(), PAGE.into());
            "ListRecords"
        }
        Call::Delete => "DeleteDataset",
    };
    (name, input)
}

fn read(response: &Response, call: &Call, history: &mut History) -> Answer {
    let refused = |outcome| Answer { outcome, token: None };
    match response.status {
        200..300 => {}
        500.. => return refused(Outcome::Unknown),
        _ => return refused(refusal(response, call, history)),
    }
    let Some(body) = response.json() else { return refused(Outcome::Unknown) };
    let outcome = match call {
        Call::Delete => Outcome::Deleted,
        // What cannot be read as a record is for others to judge.
        Call::Update(_) => Outcome::Written(records(&body, history).unwrap_or_default()),
        Call::List { .. } => listing(&body, history).map_or(Outcome::Refused, Outcome::Listed),
    };
    let token = body.get("SyncSessionToken").and_then(Json::as_str).map(str::to_owned);
    Answer { outcome, token }
}

fn refusal(response: &Response, call: &Call, history: &mut History) -> Outcome {
    let name = response.error_name().unwrap_or_default();
    let message = response.error_message().unwrap_or_default();
    match (call, name.as_str()) {
        (Call::Update(_), "ResourceConflictException") => Outcome::Conflict { told: told(&message, history) },
        (Call::Delete, "ResourceNotFoundException") => Outcome::Missing,
        (Call::List { .. }, "InvalidParameterException") if message.starts_with(NO_SUCH_COUNT) => Outcome::Ahead,
        _ => Outcome::Refused,
    }
}

/// Key and count of `Current SyncCount for: <key> is: <count> not: <other>`.
fn told(message: &str, history: &mut History) -> Option<(Key, i64)> {
    let (key, counts) = message.strip_prefix(CURRENT_COUNT)?.rsplit_once(" is: ")?;
    let (count, _) = counts.split_once(" not: ")?;
    Some((history.key(key), count.trim().parse().ok()?))
}

/// A listing that is one whole page; others cannot be taken for one moment's state.
fn listing(body: &Json, history: &mut History) -> Option<Listing> {
    if body.get("NextToken").is_some_and(|token| !token.is_null()) {
        return None;
    }
    let flag = |name: &str| body.get(name).and_then(Json::as_bool).unwrap_or(false);
    Some(Listing {
        count: body.get("DatasetSyncCount")?.as_i64()?,
        exists: flag("DatasetExists"),
        deleted: flag("DatasetDeletedAfterRequestedSyncCount"),
        records: records(body, history)?,
    })
}

fn records(body: &Json, history: &mut History) -> Option<Vec<Record>> {
    let record = |record: &Json| {
        Some(Record {
            key: history.key(record.get("Key")?.as_str()?),
            count: record.get("SyncCount")?.as_i64()?,
            value: record.get("Value").and_then(Json::as_str).map(|value| history.value(value)),
        })
    };
    match body.get("Records") {
        None | Some(Json::Null) => Some(Vec::new()),
        Some(records) => records.as_array()?.iter().map(record).collect(),
    }
}
