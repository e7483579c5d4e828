//! From a call on a dataset to a signed request, and from what came back to an
//! outcome.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::history::{Call, History, Key, Listing, Outcome, Record};
use super::send::signed;
use super::want::blank;
use crate::client::Client;
use crate::spec::Service;
use crate::target::{Identity, Redactor, Target};
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
    redactor: Redactor,
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
        let redactor = Redactor::new(Service::embedded(), &target);
        Ok(Self { target, addressed, through, identity, pool, redactor })
    }

    /// Waits until the next request may be sent.
    pub(super) async fn turn(&self) {
        self.addressed.turn().await;
    }

    /// The same way through another client.
    pub(super) fn through(&self, through: Client) -> Self {
        Self { through, ..self.clone() }
    }

    /// The signed request of a call on a dataset.
    ///
    /// # Errors
    ///
    /// A sentence when it cannot be signed.
    pub(super) async fn request(
        &self,
        dataset: &str,
        call: &Call,
        token: Option<&str>,
        history: &History,
    ) -> Result<Request, String> {
        let (name, mut input) = input(call, token, history);
        input.extend(self.place(dataset));
        signed(&self.addressed, &self.target.region, &self.identity, name, &input)
            .await
            .map_err(|error| format!("{name}: {error}"))
    }

    /// The members that say which dataset.
    pub(super) fn place(&self, dataset: &str) -> Map<String, Json> {
        let place = [("IdentityPoolId", &*self.pool), ("IdentityId", &*self.identity.id), ("DatasetName", dataset)];
        place.map(|(member, value)| (member.to_owned(), value.into())).into_iter().collect()
    }

    /// Deletes a dataset; whether it is not there now.
    pub(super) async fn delete(&self, dataset: &str) -> bool {
        let request = self.request(dataset, &Call::Delete, None, &History::new()).await;
        let Ok(request) = request else { return false };
        let outcome = self.through.send(request).await.outcome;
        outcome.is_ok_and(|response| (200..300).contains(&response.status) || response.status == 404)
    }

    /// Sends a call's request and reads what came back.
    pub(super) async fn send(&self, request: Request, call: &Call, history: &mut History) -> Answer {
        let exchange = self.through.send(request).await;
        // What a server tells of keys and values is shown.
        let mut redactor = self.redactor.clone();
        redactor.learn(&exchange);
        match exchange.outcome {
            Ok(response) => read(&without_secrets(response, &redactor), call, history),
            Err(failure) => Answer { outcome: unanswered(&failure), token: None },
        }
    }
}

fn without_secrets(response: Response, redactor: &Redactor) -> Response {
    let Some(mut body) = response.json() else { return response };
    blank(&mut body, redactor);
    Response { body: body.to_string().into(), ..response }
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

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{read, told, unanswered};
    use crate::fuzz::history::{Call, History, Outcome};
    use crate::wire::{Failure, FailureKind, Headers, Response};

    fn answered(status: u16, error: &str, body: &str, call: &Call) -> (Outcome, Option<String>, History) {
        let mut history = History::new();
        let headers: Headers =
            [("x-amzn-ErrorType", error)].into_iter().filter(|(_, error)| !error.is_empty()).collect();
        let response = Response { status, headers, body: body.to_owned().into() };
        let answer = read(&response, call, &mut history);
        (answer.outcome, answer.token, history)
    }

    const UPDATE: Call = Call::Update(Vec::new());
    const LIST: Call = Call::List { since: 3 };

    #[rstest]
    #[case::conflict(409, "ResourceConflictException:http://x/", "{}", UPDATE, Outcome::Conflict { told: None })]
    #[case::missing(404, "ResourceNotFoundException", "{}", Call::Delete, Outcome::Missing)]
    #[case::conflicting_deletion(409, "ResourceConflictException", "{}", Call::Delete, Outcome::Refused)]
    #[case::ahead(
        400,
        "InvalidParameterException",
        r#"{"message": "No such SyncCount: 3 exists for this Dataset"}"#,
        LIST,
        Outcome::Ahead
    )]
    #[case::other_parameter(400, "InvalidParameterException", r#"{"message": "MaxResults"}"#, LIST, Outcome::Refused)]
    #[case::too_much(429, "TooManyRequestsException", "{}", UPDATE, Outcome::Refused)]
    #[case::internal(500, "InternalErrorException", "{}", UPDATE, Outcome::Unknown)]
    #[case::no_json(200, "", "<html>", LIST, Outcome::Unknown)]
    #[case::deleted(200, "", "{}", Call::Delete, Outcome::Deleted)]
    #[case::written_without_records(200, "", r#"{"Records": null}"#, UPDATE, Outcome::Written(Vec::new()))]
    #[case::one_page_of_several(200, "", r#"{"DatasetSyncCount": 3, "NextToken": "x"}"#, LIST, Outcome::Refused)]
    #[case::no_count(200, "", r#"{"Records": []}"#, LIST, Outcome::Refused)]
    fn an_answer_is_read(
        #[case] status: u16,
        #[case] error: &str,
        #[case] body: &str,
        #[case] call: Call,
        #[case] expected: Outcome,
    ) {
        assert_eq!(answered(status, error, body, &call).0, expected);
    }

    #[test]
    fn a_listing_is_read() {
        let body = r#"{"DatasetSyncCount": 4, "DatasetExists": true, "NextToken": null, "SyncSessionToken": "t",
            "DatasetDeletedAfterRequestedSyncCount": true,
            "Records": [{"Key": "a", "Value": "x", "SyncCount": 4}, {"Key": "b", "Value": null, "SyncCount": 2}]}"#;
        let (outcome, token, history) = answered(200, "", body, &LIST);
        let Outcome::Listed(listing) = outcome else { panic!("{outcome:?}") };
        assert_eq!((listing.count, listing.exists, listing.deleted, token.as_deref()), (4, true, true, Some("t")));
        let texts = listing.records.iter().map(|record| {
            (history.key_text(record.key), record.count, record.value.map(|value| history.value_text(value)))
        });
        assert_eq!(texts.collect::<Vec<_>>(), [("a", 4, Some("x")), ("b", 2, None)]);
    }

    #[rstest]
    #[case("Current SyncCount for: a is: 5 not: 2", Some(("a", 5)))]
    #[case("Current SyncCount for: this is: it is: 5 not: 2", Some(("this is: it", 5)))]
    #[case("Current SyncCount for: a is: many not: 2", None)]
    #[case("conflict", None)]
    fn a_conflict_tells_a_count(#[case] message: &str, #[case] expected: Option<(&str, i64)>) {
        let mut history = History::new();
        let read = told(message, &mut history);
        assert_eq!(read.map(|(key, count)| (history.key_text(key), count)), expected);
    }

    #[test]
    fn only_what_was_sent_can_have_been_done() {
        let outcome = |kind| unanswered(&Failure { kind, detail: String::new() });
        assert_eq!(outcome(FailureKind::Connect), Outcome::Refused);
        assert_eq!(outcome(FailureKind::Broken), Outcome::Unknown);
        assert_eq!(outcome(FailureKind::TimedOut), Outcome::Unknown);
    }
}
