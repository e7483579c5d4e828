//! The reference server and the other services that it calls, which are played here:
//! over real sockets, with AWS's own Rust SDK as the client.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use aws_sdk_cognitosync::types::{BulkPublishStatus, Platform, StreamingStatus};
use rstest::rstest;
use serde_json::{Value, json};
use syncspec::reference::{Collaborators, Times};

#[path = "collaborators/played.rs"]
mod played;
#[path = "collaborators/stage.rs"]
mod stage;

use played::{Gate, Heard, Played, Said};
use stage::{Stage, ok, refused, remove, replace, shown};

/// A function that answers with what it is given, altered.
fn function(alter: impl Fn(&mut Value) + Send + Sync + 'static) -> impl Fn(&Heard) -> Said + Send + Sync + 'static {
    move |heard| {
        let mut event = heard.json();
        alter(&mut event);
        Said::json(200, &event)
    }
}

fn lambda(played: &Played) -> Collaborators {
    Collaborators { lambda: Some(played.endpoint()), ..Collaborators::default() }
}

fn kinesis(played: &Played) -> Collaborators {
    let times = Times { pause: Duration::from_millis(1), ..Times::default() };
    Collaborators { kinesis: Some(played.endpoint()), times, ..Collaborators::default() }
}

// ---- functions ------------------------------------------------------------------

#[tokio::test]
async fn a_function_adds_changes_and_removes() {
    let lambda_played = Played::start(function(|event| {
        let records = &mut event["datasetRecords"];
        records["a"]["newValue"] = "changed".into();
        records["b"]["op"] = "remove".into();
        records["added"] = json!({ "newValue": "new", "op": "replace" });
        records.as_object_mut().expect("an object").remove("left-out");
    }))
    .await;
    let stage = Stage::start(lambda(&lambda_played)).await;
    ok(stage.write_as_developer("d", &[replace("b", "1", 0), replace("left-out", "1", 0)]).await);
    assert!(lambda_played.heard().is_empty(), "developers' updates have no function");
    stage.bind("arn:aws:lambda:us-east-1:123456789012:function:f").await;
    ok(stage.write_as_developer("d", &[replace("c", "1", 0)]).await);
    assert!(lambda_played.heard().is_empty(), "developers' updates have no function");

    let written = ok(stage.write("d", &[replace("a", "1", 0), remove("c", 2)]).await);
    assert_eq!(
        shown(written.records()),
        [("a", Some("changed"), 3), ("c", None, 3), ("added", Some("new"), 3), ("b", None, 3)]
    );
    let heard = lambda_played.heard();
    assert_eq!(heard.len(), 1);
    let path = "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Af/invocations";
    assert_eq!((heard[0].method.as_str(), heard[0].target.as_str()), ("POST", path));
    assert_eq!(heard[0].header("x-amz-invocation-type"), "RequestResponse");
    assert!(heard[0].header("authorization").contains("/us-east-1/lambda/aws4_request"));
    let expected = json!({
        "version": 2, "eventType": "SyncTrigger", "region": "us-east-1", "identityPoolId": stage.pool,
        "identityId": stage.identity, "datasetName": "d",
        "datasetRecords": {
            "a": { "oldValue": null, "newValue": "1", "op": "replace" },
            "b": { "oldValue": "1", "newValue": "1", "op": "replace" },
            "c": { "oldValue": "1", "newValue": null, "op": "remove" },
            "left-out": { "oldValue": "1", "newValue": "1", "op": "replace" },
        },
    });
    assert_eq!(heard[0].json(), expected);
    let listed = stage.list("d").await;
    let live: Vec<_> = shown(listed.records()).into_iter().filter(|(_, value, _)| value.is_some()).collect();
    assert_eq!(live, [("a", Some("changed"), 3), ("added", Some("new"), 3), ("left-out", Some("1"), 1)]);
}

const INVALID: (&str, u16) = ("InvalidLambdaFunctionOutputException", 400);
const INTERNAL: (&str, u16) = ("InternalErrorException", 500);

#[rstest]
#[case::thrown(Said::json(200, &json!({ "errorMessage": "no" })).with("x-amz-function-error", "Unhandled"), INVALID)]
#[case::not_json(Said::new(200, "no"), INVALID)]
#[case::nothing(Said::new(200, "null"), INVALID)]
#[case::too_large(Said::new(200, " ".repeat(6 * 1024 * 1024 + 1)), INVALID)]
#[case::missing(Said::json(404, &json!({ "Type": "User", "Message": "Function not found" })), INVALID)]
#[case::denied(Said::json(403, &json!({ "Message": "not authorized" })), INVALID)]
#[case::throttled(Said::json(429, &json!({ "Reason": "CallerRateLimitExceeded" })), ("LambdaThrottledException", 429))]
#[case::failing(Said::json(500, &json!({ "Message": "no" })), INTERNAL)]
#[case::redirecting(Said::new(307, "").with("location", "http://127.0.0.1:1/"), INVALID)]
#[case::slow(Said::new(200, "null").after(Duration::from_secs(60)), ("LambdaSocketTimeoutException", 400))]
#[tokio::test]
async fn a_function_that_fails_fails_the_update(#[case] said: Said, #[case] expected: (&str, u16)) {
    let played = Played::start(move |_| said.clone()).await;
    let mut collaborators = lambda(&played);
    if expected.0 == "LambdaSocketTimeoutException" {
        collaborators.times.function = Duration::from_millis(300);
    }
    let stage = Stage::start(collaborators).await;
    stage.bind("f").await;
    let token = stage.token("d").await;
    let (name, _, status) = refused(stage.write_with("d", &token, &[replace("a", "1", 0)]).await);
    assert_eq!((name.as_str(), status), expected);
    assert!(!stage.list("d").await.dataset_exists());
    // The token outlived that.
    stage.bind("").await;
    ok(stage.write_with("d", &token, &[replace("a", "1", 0)]).await);
}

#[tokio::test]
async fn nobody_at_the_endpoint_is_an_internal_error() {
    let gone = Played::start(|_| Said::new(200, "")).await;
    let collaborators = lambda(&gone);
    gone.stop().await;
    let stage = Stage::start(collaborators).await;
    stage.bind("f").await;
    let (name, message, status) = refused(stage.write("d", &[replace("a", "1", 0)]).await);
    assert_eq!((name.as_str(), status), INTERNAL);
    assert!(message.starts_with("AWS Lambda cannot be reached"), "{message}");
}

#[rstest]
#[case::other_field(|event: &mut Value| event["datasetName"] = "other".into(), "InvalidLambdaFunctionOutputException")]
#[case::wrong_type(|event: &mut Value| event["datasetRecords"]["a"]["newValue"] = 1.into(), "InvalidLambdaFunctionOutputException")]
#[case::long_key(|event: &mut Value| event["datasetRecords"]["k".repeat(1025)] = json!({ "newValue": "", "op": "replace" }), "InvalidLambdaFunctionOutputException")]
#[case::empty_key(|event: &mut Value| event["datasetRecords"][""] = json!({ "newValue": "", "op": "replace" }), "InvalidLambdaFunctionOutputException")]
#[case::long_value(|event: &mut Value| event["datasetRecords"]["a"]["newValue"] = "x".repeat(1_048_576).into(), "InvalidLambdaFunctionOutputException")]
#[case::large_dataset(|event: &mut Value| event["datasetRecords"]["a"]["newValue"] = "x".repeat(1_048_575).into(), "")]
#[case::too_large_dataset(|event: &mut Value| event["datasetRecords"]["ab"] = json!({ "newValue": "x".repeat(1_048_575), "op": "replace" }), "LimitExceededException")]
#[tokio::test]
async fn what_a_function_writes_obeys_the_rules(#[case] alter: fn(&mut Value), #[case] error: &str) {
    let played = Played::start(function(alter)).await;
    let stage = Stage::start(lambda(&played)).await;
    stage.bind("f").await;
    let written = stage.write("d", &[replace("a", "1", 0)]).await;
    match error {
        "" => assert_eq!(ok(written).records().len(), 1),
        error => assert_eq!(refused(written).0, error),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_function_stops_nobody_else() {
    let played = Played::start(|heard| {
        let slow = heard.json()["datasetName"] == "slow";
        Said::json(200, &heard.json()).after(Duration::from_secs(if slow { 3_600 } else { 0 }))
    })
    .await;
    let mut collaborators = lambda(&played);
    collaborators.times.function = Duration::from_secs(3_600);
    let stage = Stage::start(collaborators).await;
    stage.bind("f").await;
    let slow = stage.user.clone();
    let token = stage.token("slow").await;
    let update = stage.update_by(&slow, "slow", &token, &[replace("a", "1", 0)]);
    let running = tokio::spawn(update.send());
    played.wait_for(1).await;
    // The same identity, in this dataset and in another; no more than it takes to run.
    ok(stage.write("fast", &[replace("a", "1", 0)]).await);
    ok(stage.write_as_developer("slow", &[replace("b", "1", 0)]).await);
    assert_eq!(stage.list("slow").await.records().len(), 1);
    assert!(!running.is_finished());
    running.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_token_writes_once_however_many_are_under_way() {
    let gate = Gate::default();
    let holding = gate.clone();
    let played = Played::start(move |heard| Said::json(200, &heard.json()).held_by(&holding)).await;
    let stage = Stage::start(lambda(&played)).await;
    stage.bind("f").await;
    let token = stage.token("d").await;
    let updates = (0..4).map(|number| {
        let key = format!("key {number}");
        tokio::spawn(stage.update_by(&stage.user, "d", &token, &[replace(&key, "1", 0)]).send())
    });
    let updates: Vec<_> = updates.collect();
    played.wait_for(4).await;
    gate.open();
    let mut written = 0;
    for update in updates {
        match update.await.expect("it ran") {
            Ok(_) => written += 1,
            refusal => assert_eq!(refused(refusal).0, "InvalidParameterException"),
        }
    }
    assert_eq!((written, played.heard().len()), (1, 4));
    assert_eq!(stage.list("d").await.dataset_sync_count(), Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_writes_meanwhile_makes_a_conflict() {
    let gate = Gate::default();
    let holding = gate.clone();
    let played = Played::start(move |heard| Said::json(200, &heard.json()).held_by(&holding)).await;
    let stage = Stage::start(lambda(&played)).await;
    stage.bind("f").await;
    let token = stage.token("d").await;
    let running = tokio::spawn(stage.update_by(&stage.user, "d", &token, &[replace("a", "1", 0)]).send());
    played.wait_for(1).await;
    ok(stage.write_as_developer("d", &[replace("a", "mine", 0)]).await);
    gate.open();
    let (name, _, status) = refused(running.await.expect("it ran"));
    assert_eq!((name.as_str(), status), ("ResourceConflictException", 409));
    assert_eq!(shown(stage.list("d").await.records()), [("a", Some("mine"), 1)]);
}

// ---- streams ---------------------------------------------------------------------

#[tokio::test]
async fn each_update_has_a_record() {
    let played = Played::start(|_| Said::json(200, &json!({ "ShardId": "0", "SequenceNumber": "1" }))).await;
    let stage = Stage::start(kinesis(&played)).await;
    ok(stage.write("d", &[replace("unstreamed", "1", 0)]).await);
    stage.stream("changes").await;
    ok(stage.write("d", &[replace("ü", "1", 0), remove("unstreamed", 1)]).await);
    refused(stage.write("d", &[replace("ü", "1", 0)]).await);
    stage.delete("d").await;
    played.wait_for(2).await;
    let heard = played.heard();
    assert_eq!((heard[0].method.as_str(), heard[0].target.as_str()), ("POST", "/"));
    assert_eq!(heard[0].header("x-amz-target"), "Kinesis_20131202.PutRecord");
    assert_eq!(heard[0].header("content-type"), "application/x-amz-json-1.1");
    assert!(heard[0].header("authorization").contains("/us-east-1/kinesis/aws4_request"));
    assert_eq!(
        (&heard[0].json()["StreamName"], &heard[0].json()["PartitionKey"]),
        (&json!("changes"), &json!(stage.identity))
    );
    let mut record = heard[0].record();
    let date = record["lastModifiedDate"].as_i64().expect("milliseconds");
    assert!(date.to_string().len() == 13);
    for entry in record["kinesisSyncRecords"].as_array_mut().expect("a list") {
        assert_eq!(entry["lastModifiedDate"].take(), date);
    }
    let expected = json!({
        "identityPoolId": stage.pool, "identityId": stage.identity, "dataSetName": "d", "datasetName": "d",
        "operation": "replace", "payloadType": "Inline", "kinesisSyncRecordsURL": null, "syncCount": 2,
        "lastModifiedDate": date,
        "kinesisSyncRecords": [
            { "key": "ü", "value": "1", "syncCount": 2, "lastModifiedDate": null, "deviceLastModifiedDate": null, "op": "replace" },
            { "key": "unstreamed", "value": null, "syncCount": 2, "lastModifiedDate": null, "deviceLastModifiedDate": null, "op": "remove" },
        ],
    });
    assert_eq!(record, expected);
    let deleted = heard[1].record();
    assert_eq!((&deleted["operation"], &deleted["syncCount"]), (&json!("remove"), &json!(3)));
    assert!(deleted["kinesisSyncRecords"].is_null() && deleted["kinesisSyncRecordsURL"].is_null());
    // Nothing more was sent: what comes last would have come after it.
    ok(stage.write("last", &[replace("a", "1", 0)]).await);
    played.wait_for(3).await;
    let names: Vec<_> = played.heard().iter().map(|heard| heard.record()["datasetName"].clone()).collect();
    assert_eq!(names, ["d", "d", "last"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_come_in_the_order_of_the_updates() {
    // Some are throttled, and then sent again before any later one.
    let count = AtomicUsize::new(0);
    let played = Played::start(move |_| {
        let number = count.fetch_add(1, Ordering::Relaxed);
        match number % 5 {
            2 => Said::json(400, &json!({ "__type": "ProvisionedThroughputExceededException", "message": "slower" })),
            3 => Said::new(503, ""),
            _ => Said::json(200, &json!({})),
        }
    })
    .await;
    let stage = Stage::start(kinesis(&played)).await;
    stage.stream("changes").await;
    let writers = (0..4).map(|writer| {
        let stage = stage.clone();
        tokio::spawn(async move {
            for count in 0..8 {
                let key = format!("{writer} {count}");
                ok(stage.write("d", &[replace(&key, "1", 0)]).await);
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.expect("it ran");
    }
    let counts = || -> Vec<i64> {
        let mut counts: Vec<i64> =
            played.heard().iter().filter_map(|heard| heard.record()["syncCount"].as_i64()).collect();
        counts.dedup();
        counts
    };
    played::eventually("32 records", || counts().len() >= 32).await;
    assert_eq!(counts(), (1..=32).collect::<Vec<_>>());
}

#[rstest]
#[case::missing(Said::json(400, &json!({ "__type": "com.amazonaws.kinesis#ResourceNotFoundException", "message": "Stream changes not found" })), "Kinesis refused: ResourceNotFoundException: Stream changes not found", 1)]
#[case::denied(Said::json(400, &json!({ "__type": "AccessDeniedException", "Message": "no" })), "Kinesis refused: AccessDeniedException: no", 1)]
#[case::failing(Said::new(500, ""), "Kinesis refused with status 500", 5)]
#[tokio::test]
async fn a_stream_that_cannot_be_written_is_switched_off(
    #[case] said: Said,
    #[case] reason: &str,
    #[case] sent: usize,
) {
    let played = Played::start(move |_| said.clone()).await;
    let stage = Stage::start(kinesis(&played)).await;
    stage.stream("changes").await;
    ok(stage.write("d", &[replace("a", "1", 0)]).await);
    stage.until_streaming(&StreamingStatus::Disabled).await;
    let configuration = stage.raw_configuration().await;
    assert_eq!(configuration["CognitoStreams"]["DisabledReason"], reason);
    assert_eq!(played.heard().len(), sent);
    // Off means off, until it is set anew.
    ok(stage.write("d", &[replace("b", "1", 0)]).await);
    let (name, _, _) = refused(stage.bulk_publish().await);
    assert_eq!(name, "InvalidParameterException");
    stage.stream("changes").await;
    assert_eq!(stage.raw_configuration().await["CognitoStreams"].get("DisabledReason"), None);
    ok(stage.write("d", &[replace("c", "1", 0)]).await);
    // What had been sent before would have come before it.
    played.wait_for(sent + 1).await;
    let counts: Vec<_> = played.heard().iter().map(|heard| heard.record()["syncCount"].clone()).collect();
    assert!(
        counts[..sent].iter().all(|count| *count == 1) && counts[sent..].iter().all(|count| *count == 3),
        "{counts:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_for_a_slow_stream() {
    let played = Played::start(|_| Said::json(200, &json!({})).after(Duration::from_secs(3_600))).await;
    let mut collaborators = kinesis(&played);
    collaborators.times.call = Duration::from_secs(3_600);
    let stage = Stage::start(collaborators).await;
    stage.stream("changes").await;
    for key in ["a", "b", "c"] {
        ok(stage.write("d", &[replace(key, "1", 0)]).await);
    }
    played.wait_for(1).await;
    assert_eq!(stage.list("d").await.dataset_sync_count(), Some(3));
    assert_eq!(played.heard().len(), 1);
    // Stopping does not wait for it either, beyond a second.
    let started = Instant::now();
    stage.stop().await;
    assert!(started.elapsed() < Duration::from_secs(60));
}

#[tokio::test]
async fn what_is_too_large_for_a_stream_goes_to_s3() {
    let played = Played::start(|_| Said::json(200, &json!({}))).await;
    let made = AtomicBool::new(false);
    let s3 = Played::start(move |heard| match heard.target.as_str() {
        "/bucket" => {
            made.store(true, Ordering::Relaxed);
            Said::new(200, "")
        }
        _ if made.load(Ordering::Relaxed) => Said::new(200, ""),
        _ => Said::new(404, "<Error><Code>NoSuchBucket</Code><Message>no</Message></Error>"),
    })
    .await;
    let collaborators = Collaborators { s3: Some(s3.endpoint()), bucket: "bucket".to_owned(), ..kinesis(&played) };
    let stage = Stage::start(collaborators).await;
    stage.stream("changes").await;
    let large = "x".repeat(1_048_400);
    ok(stage.write("d", &[replace("a", &large, 0)]).await);
    played.wait_for(1).await;
    let record = played.heard()[0].record();
    assert_eq!((&record["payloadType"], &record["operation"]), (&json!("S3Url"), &json!("replace")));
    assert!(record["kinesisSyncRecords"].is_null());
    let url = record["kinesisSyncRecordsURL"].as_str().expect("an address");
    let heard = s3.heard();
    let targets: Vec<_> = heard.iter().map(|heard| (heard.method.as_str(), heard.target.as_str())).collect();
    let object = heard[2].target.clone();
    assert_eq!(targets, [("PUT", object.as_str()), ("PUT", "/bucket"), ("PUT", object.as_str())]);
    assert!(url.starts_with(&format!("{}{object}?X-Amz-Algorithm=AWS4-HMAC-SHA256&", s3.endpoint())), "{url}");
    assert!(url.contains("&X-Amz-Signature=") && url.contains("X-Amz-Expires=86400"), "{url}");
    assert_eq!(heard[2].header("x-amz-content-sha256").len(), 64);
    let kept = heard[2].json();
    assert_eq!((&kept[0]["key"], kept[0]["value"].as_str().map(str::len)), (&json!("a"), Some(large.len())));
    assert_eq!(kept.as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn without_s3_a_large_record_ends_the_stream() {
    let played = Played::start(|_| Said::json(200, &json!({}))).await;
    let stage = Stage::start(kinesis(&played)).await;
    stage.stream("changes").await;
    ok(stage.write("d", &[replace("a", &"x".repeat(1_048_400), 0)]).await);
    stage.until_streaming(&StreamingStatus::Disabled).await;
    assert!(played.heard().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bulk_publish_sends_all_there_is_and_can_fail() {
    let fails = Arc::new(AtomicBool::new(true));
    let failing = Arc::clone(&fails);
    let gate = Gate::default();
    let holding = gate.clone();
    let played = Played::start(move |_| match failing.load(Ordering::Relaxed) {
        true => Said::json(400, &json!({ "__type": "ResourceNotFoundException", "message": "gone" })),
        false => Said::json(200, &json!({})).held_by(&holding),
    })
    .await;
    let stage = Stage::start(kinesis(&played)).await;
    ok(stage.write("d", &[replace("a", "1", 0), replace("b", "1", 0)]).await);
    ok(stage.write("d", &[remove("b", 1)]).await);
    ok(stage.write("e", &[replace("a", "2", 0)]).await);
    ok(stage.write("gone", &[replace("a", "1", 0)]).await);
    stage.delete("gone").await;
    stage.stream("changes").await;
    assert_eq!(stage.publish_details().await.bulk_publish_status(), Some(&BulkPublishStatus::NotStarted));
    ok(stage.bulk_publish().await);
    let failed = stage.until_published(&BulkPublishStatus::Failed).await;
    assert_eq!(failed.failure_message(), Some("Kinesis refused: ResourceNotFoundException: gone"));
    assert!(failed.bulk_publish_complete_time().is_some());

    fails.store(false, Ordering::Relaxed);
    ok(stage.bulk_publish().await);
    played.wait_for(2).await;
    let running = stage.publish_details().await;
    assert_eq!(running.bulk_publish_status(), Some(&BulkPublishStatus::InProgress));
    assert!(running.bulk_publish_complete_time().is_none() && running.failure_message().is_none());
    assert_eq!(refused(stage.bulk_publish().await).0, "DuplicateRequestException");
    gate.open();
    stage.until_published(&BulkPublishStatus::Succeeded).await;
    assert_eq!(refused(stage.bulk_publish().await).0, "AlreadyStreamedException");
    let sent: Vec<_> = played.heard()[1..]
        .iter()
        .map(|heard| {
            let record = heard.record();
            let keys = record["kinesisSyncRecords"].as_array().expect("a list").iter();
            let keys: Vec<_> = keys.map(|entry| entry["key"].as_str().unwrap_or_default().to_owned()).collect();
            (record["datasetName"].as_str().unwrap_or_default().to_owned(), keys, record["syncCount"].clone())
        })
        .collect();
    let keys = || vec!["a".to_owned()];
    assert_eq!(sent, [("d".to_owned(), keys(), json!(2)), ("e".to_owned(), keys(), json!(1))]);
}

// ---- state -----------------------------------------------------------------------

/// What a sudden end would leave of a state file. The server must not be writing.
fn left_of(file: &Path) -> PathBuf {
    let left = file.with_extension("left");
    fs::copy(file, &left).expect("it can be copied");
    left
}

#[tokio::test]
async fn a_stream_that_was_switched_off_stays_so_after_a_sudden_end() {
    let played = Played::start(|_| Said::json(400, &json!({ "__type": "ResourceNotFoundException" }))).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("state.db");
    let stage = Stage::start_kept(kinesis(&played), &file).await;
    stage.stream("changes").await;
    ok(stage.write("d", &[replace("a", "1", 0)]).await);
    stage.until_streaming(&StreamingStatus::Disabled).await;
    let before = stage.raw_configuration().await;
    let restarted = Stage::start_kept(kinesis(&played), &left_of(&file)).await;
    let after = restarted.raw_configuration().await;
    assert_eq!(after, before);
    assert_eq!(after["CognitoStreams"]["StreamingStatus"], "DISABLED");
    assert_eq!(after["CognitoStreams"]["DisabledReason"], "Kinesis refused: ResourceNotFoundException");
    let heard = played.heard().len();
    ok(restarted.write("d", &[replace("b", "1", 0)]).await);
    restarted.stop().await;
    assert_eq!(played.heard().len(), heard);
    // An end in peace keeps it too.
    stage.stop().await;
    let restarted = Stage::start_kept(kinesis(&played), &file).await;
    assert_eq!(restarted.raw_configuration().await, before);
}

#[tokio::test]
async fn a_bulk_publish_that_a_sudden_end_broke_off_has_failed() {
    let gate = Gate::default();
    let holding = gate.clone();
    let played = Played::start(move |_| Said::json(200, &json!({})).held_by(&holding)).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("state.db");
    let stage = Stage::start_kept(kinesis(&played), &file).await;
    ok(stage.write("d", &[replace("a", "1", 0)]).await);
    stage.stream("changes").await;
    ok(stage.bulk_publish().await);
    played.wait_for(1).await;
    let restarted = Stage::start_kept(kinesis(&played), &left_of(&file)).await;
    let details = restarted.publish_details().await;
    assert_eq!(details.bulk_publish_status(), Some(&BulkPublishStatus::Failed));
    assert!(details.failure_message().is_some_and(|message| message.contains("restarted")), "{details:?}");
    ok(restarted.bulk_publish().await);
    gate.open();
    restarted.until_published(&BulkPublishStatus::Succeeded).await;
}

#[tokio::test]
async fn a_device_can_be_reached_after_a_sudden_end() {
    let played = Played::start(sns).await;
    let collaborators = || Collaborators { sns: Some(played.endpoint()), ..Collaborators::default() };
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("state.db");
    let stage = Stage::start_kept(collaborators(), &file).await;
    stage.push(&["arn:aws:sns:us-east-1:1:app/GCM/a"]).await;
    ok(stage.write("d", &[replace("a", "1", 0)]).await);
    let device = ok(stage.register(Platform::Gcm, "phone").await);
    stage.subscribe("d", &device).await;
    let restarted = Stage::start_kept(collaborators(), &left_of(&file)).await;
    ok(restarted.write("d", &[replace("b", "1", 0)]).await);
    played.wait_for(2).await;
    assert_eq!(played.heard()[1].form()["Action"], "Publish");
    // It is known again, and SNS need not be asked.
    assert_eq!(ok(restarted.register(Platform::Gcm, "phone").await), device);
    assert_eq!(played.heard().len(), 2);
}

// ---- push ------------------------------------------------------------------------

/// An SNS that names endpoints after tokens.
fn sns(heard: &Heard) -> Said {
    let form = heard.form();
    match form["Action"].as_str() {
        "CreatePlatformEndpoint" => Said::new(200, format!("<r><EndpointArn>arn:{}</EndpointArn></r>", form["Token"])),
        _ => Said::new(500, "<ErrorResponse><Error><Code>InternalFailure</Code></Error></ErrorResponse>"),
    }
}

#[tokio::test]
async fn other_devices_are_told_of_an_update() {
    let played = Played::start(sns).await;
    let stage = Stage::start(Collaborators { sns: Some(played.endpoint()), ..Collaborators::default() }).await;
    stage.push(&["arn:aws:sns:us-east-1:1:app/APNS/a", "arn:aws:sns:us-east-1:1:app/GCM/a"]).await;
    let phone = ok(stage.register(Platform::Gcm, "phone & more").await);
    let tablet = ok(stage.register(Platform::Apns, "tablet").await);
    let silent = ok(stage.register(Platform::Gcm, "silent").await);
    assert_eq!(ok(stage.register(Platform::Gcm, "phone & more").await), phone);
    let heard = played.heard();
    assert_eq!(heard.len(), 3, "a device that is known needs no new endpoint");
    let form = heard[0].form();
    assert_eq!(form["PlatformApplicationArn"], "arn:aws:sns:us-east-1:1:app/GCM/a");
    assert_eq!((form["Token"].as_str(), form["Version"].as_str()), ("phone & more", "2010-03-31"));
    assert!(heard[0].header("authorization").contains("/us-east-1/sns/aws4_request"));
    let (name, _, _) = refused(stage.register(Platform::Adm, "other").await);
    assert_eq!(name, "InvalidConfigurationException");

    ok(stage.write("d", &[replace("a", "1", 0)]).await);
    stage.subscribe("d", &phone).await;
    stage.subscribe("d", &tablet).await;
    assert_ne!(silent, phone);
    ok(stage.write_from("d", &phone, &[replace("b", "1", 0)]).await);
    played.wait_for(4).await;
    let form = played.heard()[3].form();
    assert_eq!((form["Action"].as_str(), form["TargetArn"].as_str()), ("Publish", "arn:tablet"));
    assert_eq!(form["MessageStructure"], "json");
    let message: Value = serde_json::from_str(&form["Message"]).expect("JSON");
    let apns: Value = serde_json::from_str(message["APNS"].as_str().expect("a text")).expect("JSON");
    let expected = json!({
        "source": "cognito-sync", "identityPoolId": stage.pool, "identityId": stage.identity, "datasetName": "d",
        "syncCount": "2",
    });
    assert_eq!(apns, json!({ "aps": { "content-available": 1 }, "data": expected }));
    // SNS failed, and nobody noticed. An update that names no device tells both.
    ok(stage.write("d", &[replace("c", "1", 0)]).await);
    played.wait_for(6).await;
    let mut told: Vec<_> = played.heard()[4..].iter().map(|heard| heard.form()["TargetArn"].clone()).collect();
    told.sort();
    assert_eq!(told, ["arn:phone & more", "arn:tablet"]);
    // Nothing more was sent: what comes last would have come after it.
    ok(stage.write_from("d", &tablet, &[replace("d", "1", 0)]).await);
    played.wait_for(7).await;
    let last: Vec<_> = played.heard()[6..].iter().map(|heard| heard.form()["TargetArn"].clone()).collect();
    assert_eq!(last, ["arn:phone & more"]);
}

#[rstest]
#[case::no_application(404, "NotFound", "Application does not exist", ("InvalidConfigurationException", 400))]
#[case::denied(403, "AuthorizationError", "no", ("InvalidConfigurationException", 400))]
#[case::bad_token(400, "InvalidParameter", "Invalid parameter: Token Reason: empty", ("InvalidParameterException", 400))]
#[case::bad_application(400, "InvalidParameter", "Invalid parameter: PlatformApplicationArn", ("InvalidConfigurationException", 400))]
#[case::throttled(400, "Throttling", "Rate exceeded", ("TooManyRequestsException", 429))]
#[case::failing(500, "InternalFailure", "no", INTERNAL)]
#[case::without_arn(200, "", "", INTERNAL)]
#[tokio::test]
async fn a_device_without_endpoint_is_not_registered(
    #[case] status: u16,
    #[case] code: &str,
    #[case] message: &str,
    #[case] expected: (&str, u16),
) {
    let body = format!("<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>");
    let played = Played::start(move |_| Said::new(status, body.clone())).await;
    let stage = Stage::start(Collaborators { sns: Some(played.endpoint()), ..Collaborators::default() }).await;
    stage.push(&["arn:aws:sns:us-east-1:1:app/GCM/a"]).await;
    let (name, _, status) = refused(stage.register(Platform::Gcm, "phone").await);
    assert_eq!((name.as_str(), status), expected);
}

#[tokio::test]
async fn an_unusable_endpoint_stops_the_start() {
    let collaborators = Collaborators { sns: Some("localhost:1".to_owned()), ..Collaborators::default() };
    let error = Stage::try_start(collaborators).await.err().expect("it is refused");
    assert!(error.to_string().contains("`localhost:1`: name an address like"), "{error}");
}
