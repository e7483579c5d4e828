//! The unmodified AWS SDK for Rust against `syncspec serve`: all 17 actions, errors by
//! class, pages, values that are absent, retries, and clocks that differ.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, SystemTime};

use aws_config::BehaviorVersion;
use aws_sdk_cognitosync::Client;
use aws_sdk_cognitosync::config::retry::RetryConfig;
use aws_sdk_cognitosync::config::{Credentials, Region};
use aws_sdk_cognitosync::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_cognitosync::operation::list_datasets::ListDatasetsError;
use aws_sdk_cognitosync::operation::update_records::{UpdateRecordsError, UpdateRecordsOutput};
use aws_sdk_cognitosync::primitives::DateTime;
use aws_sdk_cognitosync::types::{
    BulkPublishStatus, CognitoStreams, Operation, Platform, PushSync, RecordPatch, StreamingStatus,
};

const POOL: &str = "us-east-1:0a1b2c3d-0000-4000-8000-000000000000";
const IDENTITY: &str = "us-east-1:1a2b3c4d-0000-4000-8000-000000000000";
const DATASET: &str = "settings:rust";
const ROLE: &str = "arn:aws:iam::123456789012:role/sync";
const APPLICATION: &str = "arn:aws:sns:us-east-1:123456789012:app/GCM/app";
const TRIGGER: &str = "arn:aws:lambda:us-east-1:123456789012:function:trigger";

/// Both clients of a server that serves `tests/clients/world.toml`.
pub(crate) struct Round {
    endpoint: String,
    developer: Client,
    user: Client,
}

/// An operation of the user's on the dataset.
macro_rules! on_dataset {
    ($client:expr, $operation:ident) => {
        $client.$operation().identity_pool_id(POOL).identity_id(IDENTITY).dataset_name(DATASET)
    };
}

impl Round {
    pub(crate) async fn with(endpoint: &str) -> Self {
        let config = aws_config::defaults(BehaviorVersion::latest()).endpoint_url(endpoint);
        // Retries need not take seconds here. A program that was built with the features
        // that SDK crates have by default needs no client of its own for HTTP.
        let retries = RetryConfig::standard().with_initial_backoff(Duration::from_millis(10));
        let http = aws_smithy_http_client::Builder::new().build_http();
        let config = config.region(Region::new("us-east-1")).retry_config(retries).http_client(http);
        let config = config.no_credentials().load().await;
        let client = |id: &str, secret: &str, token: Option<&str>| {
            let keys = Credentials::new(id, secret, token.map(str::to_owned), None, "world.toml");
            Client::from_conf(
                aws_sdk_cognitosync::Config::from(&config).to_builder().credentials_provider(keys).build(),
            )
        };
        Self {
            endpoint: endpoint.to_owned(),
            developer: client("AKIADEVELOPER", "developer-secret", None),
            user: client("ASIAUSER", "user-secret", Some("user-token")),
        }
    }

    /// Writes with a token that was just fetched.
    async fn update(&self, patches: Vec<RecordPatch>) -> Result<UpdateRecordsOutput, SdkError<UpdateRecordsError>> {
        let listed = ok(on_dataset!(self.user, list_records).send().await);
        let update = on_dataset!(self.user, update_records).set_sync_session_token(listed.sync_session_token);
        update.set_record_patches(Some(patches)).client_context("{}").send().await
    }

    async fn list_datasets(&self) -> Result<i32, SdkError<ListDatasetsError>> {
        let listed = self.user.list_datasets().identity_pool_id(POOL).identity_id(IDENTITY).send().await;
        listed.map(|listed| listed.count())
    }

    pub(crate) async fn records(&self) {
        let fresh = ok(on_dataset!(self.user, list_records).send().await);
        // What is null is none, or what the type is by default.
        assert_eq!((fresh.next_token(), fresh.last_modified_by()), (None, None));
        assert_eq!((fresh.records().len(), fresh.count(), fresh.dataset_sync_count()), (0, 0, Some(0)));
        assert!(!fresh.dataset_exists() && !fresh.dataset_deleted_after_requested_sync_count());
        let said = DateTime::from_millis(1_577_836_800_123);
        let dated = RecordPatch::builder().op(Operation::Replace).key("a").value("välue").sync_count(0);
        let dated = dated.device_last_modified_date(said).build().expect("it is complete");
        let written = ok(self.update(vec![dated, patch("b", 0, Some(""))]).await);
        let counts: Vec<_> = written.records().iter().map(|record| record.sync_count()).collect();
        assert_eq!(counts, [Some(1), Some(1)]);
        // The SDK reads numbers as floats, and keeps more digits than there are.
        let echoed = written.records()[0].device_last_modified_date().expect("a date").as_secs_f64();
        assert!((echoed - said.as_secs_f64()).abs() < 0.001, "{echoed}");
        assert_eq!(written.records()[1].value(), Some(""));
        let now = DateTime::from(SystemTime::now()).as_secs_f64();
        let age = now - written.records()[0].last_modified_date().expect("a date").as_secs_f64();
        assert!(age.abs() < 60.0, "{age}");
        ok(self.update(vec![patch("b", 1, None)]).await);
        let removed = ok(on_dataset!(self.user, list_records).last_sync_count(1).send().await);
        let removed: Vec<_> =
            removed.records().iter().map(|record| (record.key(), record.value(), record.sync_count())).collect();
        assert_eq!(removed, [(Some("b"), None, Some(2))]);
        self.pages().await;
        let described = ok(on_dataset!(self.user, describe_dataset).send().await);
        let described = described.dataset().expect("it is described");
        assert_eq!((described.num_records(), described.data_storage()), (Some(1), Some(7)));
    }

    /// The SDK has no paginators for this service.
    async fn pages(&self) {
        let (mut keys, mut next) = (Vec::new(), None);
        loop {
            let page = on_dataset!(self.user, list_records).max_results(1).set_next_token(next);
            let page = ok(page.send().await);
            assert!(page.records().len() <= 1);
            keys.extend(page.records().iter().filter_map(|record| record.key().map(str::to_owned)));
            next = page.next_token;
            if next.is_none() {
                break;
            }
        }
        assert_eq!(keys, ["a", "b"]);
        let (mut pools, mut next) = (0, None);
        loop {
            let page = self.developer.list_identity_pool_usage().max_results(1).set_next_token(next);
            let page = ok(page.send().await);
            pools += page.identity_pool_usages().len();
            next = page.next_token;
            if next.is_none() {
                break;
            }
        }
        assert_eq!(pools, 3);
    }

    pub(crate) async fn devices(&self) {
        let register = || {
            let register = self.user.register_device().identity_pool_id(POOL).identity_id(IDENTITY);
            register.platform(Platform::Gcm).token("push-token").send()
        };
        let early = refused(register().await);
        assert!(early.is_invalid_configuration_exception(), "{early}");
        let push = PushSync::builder().application_arns(APPLICATION).role_arn(ROLE).build();
        let set = self.developer.set_identity_pool_configuration().identity_pool_id(POOL).push_sync(push.clone());
        ok(set.send().await);
        let configured = ok(self.developer.get_identity_pool_configuration().identity_pool_id(POOL).send().await);
        assert_eq!(configured.push_sync(), Some(&push));
        let device = ok(register().await).device_id().expect("it has an id").to_owned();
        ok(on_dataset!(self.user, subscribe_to_dataset).device_id(&device).send().await);
        ok(on_dataset!(self.user, unsubscribe_from_dataset).device_id(&device).send().await);
    }

    pub(crate) async fn pools(&self) {
        let Self { developer, .. } = self;
        for (arn, count) in [(TRIGGER, 1), ("", 0)] {
            ok(developer.set_cognito_events().identity_pool_id(POOL).events("SyncTrigger", arn).send().await);
            let events = ok(developer.get_cognito_events().identity_pool_id(POOL).send().await);
            assert_eq!(events.events().map_or(0, |events| events.len()), count);
        }
        let streams = CognitoStreams::builder().stream_name("changes").role_arn(ROLE);
        let streams = streams.streaming_status(StreamingStatus::Enabled).build();
        let set = developer.set_identity_pool_configuration().identity_pool_id(POOL).cognito_streams(streams);
        ok(set.send().await);
        ok(developer.bulk_publish().identity_pool_id(POOL).send().await);
        loop {
            let details = ok(developer.get_bulk_publish_details().identity_pool_id(POOL).send().await);
            if details.bulk_publish_status() == Some(&BulkPublishStatus::Succeeded) {
                assert!(details.bulk_publish_start_time() <= details.bulk_publish_complete_time());
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let again = refused(developer.bulk_publish().identity_pool_id(POOL).send().await);
        assert!(again.is_already_streamed_exception(), "{again}");
        let usage = ok(developer.describe_identity_pool_usage().identity_pool_id(POOL).send().await);
        let usage = usage.identity_pool_usage().expect("it is described");
        assert_eq!((usage.data_storage(), usage.sync_sessions_count()), (Some(7), None));
        let usage = developer.describe_identity_usage().identity_pool_id(POOL).identity_id(IDENTITY).send();
        assert_eq!(ok(usage.await).identity_usage().map(|usage| usage.dataset_count()), Some(1));
    }

    pub(crate) async fn errors(&self) {
        let Self { developer, user, .. } = self;
        let stale = refused(self.update(vec![patch("a", 0, Some("v"))]).await);
        assert!(stale.is_resource_conflict_exception(), "{stale}");
        let beyond = refused(on_dataset!(user, list_records).last_sync_count(9).send().await);
        assert!(beyond.is_invalid_parameter_exception(), "{beyond}");
        let foreign = refused(user.get_cognito_events().identity_pool_id(POOL).send().await);
        assert!(foreign.is_not_authorized_exception(), "{foreign}");
        let much = "x".repeat(600_000);
        self.faults(&["delay=0s:UpdateRecords"]);
        let much = refused(self.update(vec![patch("x", 0, Some(&much)), patch("y", 0, Some(&much))]).await);
        assert!(much.is_limit_exceeded_exception(), "{much}");
        // To the SDK this is throttling: all attempts are used up.
        assert_eq!(self.requests(), 3);
        ok(on_dataset!(user, delete_dataset).send().await);
        let missing = refused(on_dataset!(user, describe_dataset).send().await);
        assert!(missing.is_resource_not_found_exception(), "{missing}");

        // Those that need other services, or luck.
        let failing = async |name: &str| {
            self.faults(&[name]);
            refused(self.update(vec![patch("a", 0, Some("v"))]).await)
        };
        assert!(failing("InvalidLambdaFunctionOutputException").await.is_invalid_lambda_function_output_exception());
        assert!(failing("LambdaThrottledException").await.is_lambda_throttled_exception());
        // The model lacks it: only its code tells what it is.
        assert_eq!(failing("LambdaSocketTimeoutException").await.code(), Some("LambdaSocketTimeoutException"));
        self.faults(&["ConcurrentModificationException", "DuplicateRequestException"]);
        let set = refused(developer.set_identity_pool_configuration().identity_pool_id(POOL).send().await);
        assert!(set.is_concurrent_modification_exception(), "{set}");
        let publish = refused(developer.bulk_publish().identity_pool_id(POOL).send().await);
        assert!(publish.is_duplicate_request_exception(), "{publish}");
    }

    pub(crate) async fn retries(&self) {
        for fault in ["TooManyRequestsException", "InternalErrorException", "cut-before"] {
            self.faults(&[&format!("{fault}:ListDatasets:2")]);
            ok(self.list_datasets().await);
            assert_eq!(self.requests(), 3, "{fault}");
        }
        // One that does not end.
        self.faults(&["TooManyRequestsException"]);
        let error = refused(self.list_datasets().await);
        assert!(error.is_too_many_requests_exception() && self.requests() == 3, "{error}");
        self.faults(&["InternalErrorException"]);
        let error = refused(self.list_datasets().await);
        assert!(error.is_internal_error_exception() && self.requests() == 3, "{error}");
        // When an answer is lost, the SDK sends the update again, whose token is used up by
        // then.
        self.faults(&["cut-after:UpdateRecords:1"]);
        let again = refused(self.update(vec![patch("lost", 0, Some("v"))]).await);
        assert!(again.is_invalid_parameter_exception() && self.requests() == 2, "{again}");
        let listed = ok(on_dataset!(self.user, list_records).send().await);
        assert!(listed.records().iter().any(|record| record.key() == Some("lost")), "it was written");
        self.faults(&[]);
    }

    /// The server's clock is an hour off. The SDK learns the time from the refusal, and is
    /// right from then on.
    pub(crate) async fn clock(&self) {
        self.faults(&["delay=0s:ListDatasets"]);
        ok(self.list_datasets().await);
        assert_eq!(self.requests(), 2);
        ok(self.list_datasets().await);
        assert_eq!(self.requests(), 3);
    }

    /// Has the server fail in these ways from now on.
    fn faults(&self, faults: &[&str]) {
        let body = serde_json::json!(faults).to_string();
        let length = body.len();
        let answer = self.exchange(&format!("PUT /_syncspec/faults HTTP/1.1\r\ncontent-length: {length}\r\n"), &body);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    /// How many requests came since then, that the first fault is for.
    fn requests(&self) -> u64 {
        let answer = self.exchange("GET /_syncspec/faults HTTP/1.1\r\n", "");
        let body = answer.split("\r\n\r\n").nth(1).expect("a body");
        let shown: serde_json::Value = serde_json::from_str(body).expect("it is JSON");
        shown["faults"][0]["requests"].as_u64().expect("a number")
    }

    fn exchange(&self, head: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(self.endpoint.trim_start_matches("http://")).expect("it listens");
        let request = format!("{head}host: h\r\nconnection: close\r\n\r\n{body}");
        stream.write_all(request.as_bytes()).expect("it is sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it is text");
        answer
    }
}

fn ok<T, E: std::error::Error + 'static>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("{}", DisplayErrorContext(error)))
}

/// The error that the service refused a call with.
fn refused<T, E: std::error::Error + Send + Sync + 'static>(result: Result<T, SdkError<E>>) -> E {
    match result {
        Ok(_) => panic!("it was not refused"),
        Err(SdkError::ServiceError(refused)) => refused.into_err(),
        Err(other) => panic!("{}", DisplayErrorContext(other)),
    }
}

/// Writes a record, or removes it when there is no value.
fn patch(key: &str, count: i64, value: Option<&str>) -> RecordPatch {
    let operation = if value.is_some() { Operation::Replace } else { Operation::Remove };
    let patch = RecordPatch::builder().op(operation).key(key).set_value(value.map(str::to_owned));
    patch.sync_count(count).build().expect("it is complete")
}
