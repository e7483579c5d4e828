//! The reference server as seen by AWS's own Rust SDK, and by clients that do not
//! play by the rules.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_sdk_cognitosync::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_cognitosync::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_cognitosync::primitives::DateTime;
use aws_sdk_cognitosync::types::{
    BulkPublishStatus, CognitoStreams, Operation, Platform, PushSync, Record, RecordPatch, StreamingStatus,
};
use aws_sdk_cognitosync::{Client, Config};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use syncspec::reference::{Keys, Server, World};
use syncspec::spec::Service;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

/// Longest time that anything may take to come about.
const PATIENCE: Duration = Duration::from_secs(30);

const DATASET: &str = "settings:v1";
const ROLE: &str = "arn:aws:iam::123456789012:role/sync";
const UNKNOWN_POOL: &str = "us-east-1:aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";

/// A running server and clients for it.
struct Stage {
    server: Server,
    world: World,
    pool: String,
    identity: String,
    developer: Client,
    user: Client,
    stranger: Client,
}

impl Stage {
    async fn start() -> Self {
        let world = World::standard(2, 2);
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let server = Server::start(listen, Service::embedded_shared(), world.clone()).await;
        let server = server.expect("the server starts");
        let pool = &world.pools[0];
        Self {
            pool: pool.identity_pool_id.clone(),
            identity: pool.identities[0].identity_id.clone(),
            developer: client(&server, &world.developer),
            user: client(&server, &pool.identities[0].keys),
            stranger: client(&server, &pool.identities[1].keys),
            server,
            world,
        }
    }

    /// Records since a count, and a session.
    async fn list(&self, since: i64) -> aws_sdk_cognitosync::operation::list_records::ListRecordsOutput {
        let listing = self.user.list_records().identity_pool_id(&self.pool).identity_id(&self.identity);
        ok(listing.dataset_name(DATASET).last_sync_count(since).send().await)
    }

    fn update(
        &self,
        session: Option<&str>,
    ) -> aws_sdk_cognitosync::operation::update_records::builders::UpdateRecordsFluentBuilder {
        let update = self.user.update_records().identity_pool_id(&self.pool).identity_id(&self.identity);
        update.dataset_name(DATASET).set_sync_session_token(session.map(str::to_owned))
    }
}

fn client(server: &Server, keys: &Keys) -> Client {
    let Keys { access_key_id, secret_access_key, session_token } = keys.clone();
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .region(Region::new("us-east-1"))
        .endpoint_url(server.endpoint())
        .retry_config(aws_sdk_cognitosync::config::retry::RetryConfig::disabled())
        .credentials_provider(Credentials::new(access_key_id, secret_access_key, session_token, None, "test"))
        .build();
    Client::from_conf(config)
}

fn ok<T, E: std::error::Error + 'static>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("{}", DisplayErrorContext(error)))
}

/// Name, message and status of an error that the service answered with.
fn refused<T, E>(result: Result<T, SdkError<E>>) -> (String, String, u16)
where
    E: ProvideErrorMetadata,
{
    match result {
        Err(SdkError::ServiceError(context)) => {
            let (error, status) = (context.err(), context.raw().status().as_u16());
            (error.code().unwrap_or_default().to_owned(), error.message().unwrap_or_default().to_owned(), status)
        }
        Err(other) => panic!("not answered by the service: {other:?}", other = other.to_string()),
        Ok(_) => panic!("accepted"),
    }
}

fn patch(operation: Operation, key: &str, value: Option<&str>, count: i64) -> RecordPatch {
    let patch = RecordPatch::builder().op(operation).key(key).set_value(value.map(str::to_owned));
    patch.sync_count(count).build().expect("the patch is complete")
}

fn replace(key: &str, value: &str, count: i64) -> RecordPatch {
    patch(Operation::Replace, key, Some(value), count)
}

fn shown(records: &[Record]) -> Vec<(&str, Option<&str>, i64)> {
    let of = |record: &Record| record.sync_count().unwrap_or(-1);
    records.iter().map(|record| (record.key().unwrap_or_default(), record.value(), of(record))).collect()
}

#[tokio::test]
async fn records_are_written_listed_and_refused() {
    let stage = Stage::start().await;
    let fresh = stage.list(0).await;
    assert!(!fresh.dataset_exists() && !fresh.dataset_deleted_after_requested_sync_count());
    assert_eq!((fresh.count(), fresh.dataset_sync_count(), fresh.last_modified_by()), (0, Some(0), None));
    let said = DateTime::from_secs_f64(1_577_836_800.123);
    let dated = RecordPatch::builder().op(Operation::Replace).key("a").value("ü1").sync_count(0);
    let dated = dated.device_last_modified_date(said).build().expect("the patch is complete");
    let update = stage.update(fresh.sync_session_token()).record_patches(dated);
    let update = update.record_patches(replace("b", "", 0)).device_id("phone").client_context("{}");
    let written = ok(update.send().await);
    assert_eq!(shown(written.records()), [("a", Some("ü1"), 1), ("b", Some(""), 1)]);
    assert_eq!(written.records()[0].last_modified_by(), Some("phone"));
    let echoed = written.records()[0].device_last_modified_date().map(DateTime::as_secs_f64);
    assert!((echoed.unwrap_or_default() - 1_577_836_800.123).abs() < 0.001);

    let (name, message, status) = refused(stage.update(fresh.sync_session_token()).send().await);
    assert_eq!((name.as_str(), status), ("InvalidParameterException", 400));
    assert_eq!(message, "SyncSessionToken not valid for these inputs");

    let listed = stage.list(0).await;
    assert_eq!(listed.dataset_sync_count(), Some(1));
    let stale = stage.update(listed.sync_session_token()).record_patches(replace("b", "2", 1));
    let stale = stale.record_patches(replace("a", "2", 0)).send().await.expect_err("the count is stale");
    assert!(stale.as_service_error().is_some_and(|error| error.is_resource_conflict_exception()));
    assert_eq!(stale.message(), Some("Current SyncCount for: a is: 1 not: 0"));
    assert_eq!(stage.list(1).await.count(), 0);

    let removal = patch(Operation::Remove, "b", None, 1);
    ok(stage.update(listed.sync_session_token()).record_patches(removal).send().await);
    let since = stage.list(1).await;
    assert_eq!(shown(since.records()), [("b", None, 2)]);
    assert!(since.sync_session_token().is_some_and(|token| token.len() > 100));
    let (name, message, _) = refused(
        stage
            .user
            .list_records()
            .identity_pool_id(&stage.pool)
            .identity_id(&stage.identity)
            .dataset_name(DATASET)
            .last_sync_count(3)
            .send()
            .await,
    );
    assert_eq!(name, "InvalidParameterException");
    assert_eq!(message, "No such SyncCount: 3 exists for this Dataset");
    stage.server.shutdown().await;
}

#[tokio::test]
async fn datasets_are_described_listed_and_deleted() {
    let stage = Stage::start().await;
    let Stage { user, pool, identity, .. } = &stage;
    let describe = || user.describe_dataset().identity_pool_id(pool).identity_id(identity).dataset_name(DATASET);
    let delete = || user.delete_dataset().identity_pool_id(pool).identity_id(identity).dataset_name(DATASET);
    let missing = describe().send().await.expect_err("there is no dataset yet");
    assert!(missing.as_service_error().is_some_and(|error| error.is_resource_not_found_exception()));
    assert_eq!(refused(delete().send().await).2, 404);

    let session = stage.list(0).await;
    ok(stage.update(session.sync_session_token()).record_patches(replace("key", "välue", 0)).send().await);
    let described = ok(describe().send().await);
    let described = described.dataset().expect("it is described");
    assert_eq!(
        (described.dataset_name(), described.data_storage(), described.num_records()),
        (Some(DATASET), Some(9), Some(1))
    );
    assert_eq!(described.last_modified_by(), Some(identity.as_str()));
    let age = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("now is after 1970").as_secs_f64()
        - described.creation_date().expect("it has a date").as_secs_f64();
    assert!((-1.0..60.0).contains(&age), "{age}");

    let listed = ok(user.list_datasets().identity_pool_id(pool).identity_id(identity).max_results(64).send().await);
    assert_eq!((listed.count(), listed.datasets().len(), listed.next_token()), (1, 1, None));
    let usage = ok(stage.developer.describe_identity_usage().identity_pool_id(pool).identity_id(identity).send().await);
    let usage = usage.identity_usage().expect("usage is described");
    assert_eq!((usage.dataset_count(), usage.data_storage()), (1, Some(9)));

    let deleted = ok(delete().send().await);
    assert_eq!(deleted.dataset().and_then(|dataset| dataset.num_records()), Some(1));
    assert_eq!(refused(describe().send().await).0, "ResourceNotFoundException");
    let after = stage.list(1).await;
    assert!(!after.dataset_exists() && after.dataset_deleted_after_requested_sync_count());
    let again = stage.update(after.sync_session_token()).record_patches(replace("key", "new", 0));
    ok(again.send().await);
    let after = stage.list(1).await;
    assert!(after.dataset_exists() && after.dataset_deleted_after_requested_sync_count());
    assert_eq!(shown(after.records()), [("key", Some("new"), 3)]);
    stage.server.shutdown().await;
}

#[tokio::test]
async fn pools_are_configured_published_and_measured() {
    let stage = Stage::start().await;
    let Stage { developer, pool, .. } = &stage;
    let events = || async { ok(developer.get_cognito_events().identity_pool_id(pool).send().await) };
    assert!(events().await.events().is_none_or(|events| events.is_empty()));
    for (arn, count) in [("arn:aws:lambda:us-east-1:123456789012:function:f", 1), ("", 0)] {
        ok(developer.set_cognito_events().identity_pool_id(pool).events("SyncTrigger", arn).send().await);
        assert_eq!(events().await.events().map_or(0, |events| events.len()), count);
    }

    let set = || developer.set_identity_pool_configuration().identity_pool_id(pool);
    let get = || async { ok(developer.get_identity_pool_configuration().identity_pool_id(pool).send().await) };
    let fresh = get().await;
    assert_eq!(
        (fresh.identity_pool_id(), fresh.push_sync(), fresh.cognito_streams()),
        (Some(pool.as_str()), None, None)
    );
    let publish = || developer.bulk_publish().identity_pool_id(pool);
    assert_eq!(refused(publish().send().await).0, "InvalidParameterException");
    let streams = CognitoStreams::builder().stream_name("s").role_arn(ROLE);
    let streams = streams.streaming_status(StreamingStatus::Enabled).build();
    assert_eq!(ok(set().cognito_streams(streams.clone()).send().await).cognito_streams(), Some(&streams));
    assert_eq!(get().await.cognito_streams(), Some(&streams));

    let details = || async { ok(developer.get_bulk_publish_details().identity_pool_id(pool).send().await) };
    assert_eq!(details().await.bulk_publish_status(), Some(&BulkPublishStatus::NotStarted));
    assert_eq!(ok(publish().send().await).identity_pool_id(), Some(pool.as_str()));
    let done = async {
        loop {
            let details = details().await;
            if details.bulk_publish_status() == Some(&BulkPublishStatus::Succeeded) {
                return details;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    let done = timeout(PATIENCE, done).await.expect("it ends");
    assert!(done.bulk_publish_start_time().is_some() && done.bulk_publish_complete_time().is_some());
    let again = publish().send().await.expect_err("it was published just now");
    assert!(again.as_service_error().is_some_and(|error| error.is_already_streamed_exception()));

    let usage = ok(developer.describe_identity_pool_usage().identity_pool_id(pool).send().await);
    let usage = usage.identity_pool_usage().expect("usage is described");
    assert_eq!((usage.data_storage(), usage.sync_sessions_count()), (Some(0), None));
    let page = ok(developer.list_identity_pool_usage().max_results(1).send().await);
    assert_eq!((page.count(), page.max_results(), page.identity_pool_usages().len()), (1, 1, 1));
    let rest = developer.list_identity_pool_usage().set_next_token(page.next_token().map(str::to_owned));
    let rest = ok(rest.send().await);
    assert_eq!((rest.count(), rest.next_token()), (1, None));
    let unknown = developer.describe_identity_pool_usage().identity_pool_id(UNKNOWN_POOL).send().await;
    let (name, message, status) = refused(unknown);
    assert_eq!((name.as_str(), status), ("ResourceNotFoundException", 404));
    assert!(message.contains(&format!("IdentityPool '{UNKNOWN_POOL}' not found")), "{message}");
    stage.server.shutdown().await;
}

#[tokio::test]
async fn devices_are_registered_and_subscribed() {
    let stage = Stage::start().await;
    let Stage { user, pool, identity, .. } = &stage;
    let register = || {
        let register = user.register_device().identity_pool_id(pool).identity_id(identity);
        register.platform(Platform::Gcm).token("push-token").send()
    };
    let early = register().await.expect_err("push is not configured");
    assert!(early.as_service_error().is_some_and(|error| error.is_invalid_configuration_exception()));
    let push = PushSync::builder().application_arns("arn:aws:sns:us-east-1:123456789012:app/GCM/app").build();
    let set = stage.developer.set_identity_pool_configuration().identity_pool_id(pool);
    assert_eq!(ok(set.push_sync(push.clone()).send().await).push_sync(), Some(&push));
    let device = ok(register().await).device_id().expect("it has an id").to_owned();
    assert_eq!(device.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);

    let subscribe = |device: &str| {
        let subscribe = user.subscribe_to_dataset().identity_pool_id(pool).identity_id(identity);
        subscribe.dataset_name(DATASET).device_id(device).send()
    };
    assert_eq!(refused(subscribe(&device).await).0, "ResourceNotFoundException");
    let session = stage.list(0).await;
    ok(stage.update(session.sync_session_token()).record_patches(replace("k", "v", 0)).send().await);
    ok(subscribe(&device).await);
    assert_eq!(refused(subscribe("another").await).2, 404);
    let unsubscribe = user.unsubscribe_from_dataset().identity_pool_id(pool).identity_id(identity);
    ok(unsubscribe.dataset_name(DATASET).device_id(&device).send().await);
    let by_developer = stage.developer.register_device().identity_pool_id(pool).identity_id(identity);
    let (name, message, status) = refused(by_developer.platform(Platform::Adm).token("t").send().await);
    assert_eq!((name.as_str(), status), ("NotAuthorizedException", 403));
    assert_eq!(message, "These credentials are not valid for accessing this resource");
    stage.server.shutdown().await;
}

#[tokio::test]
async fn credentials_and_constraints_are_enforced() {
    let stage = Stage::start().await;
    let Stage { pool, identity, .. } = &stage;
    let list = |client: &Client, pool: &str, identity: &str| {
        client.list_datasets().identity_pool_id(pool).identity_id(identity).send()
    };
    ok(list(&stage.developer, pool, identity).await);
    assert_eq!(refused(list(&stage.stranger, pool, identity).await).0, "NotAuthorizedException");
    let other_pool = &stage.world.pools[1].identity_pool_id;
    assert_eq!(refused(list(&stage.user, other_pool, identity).await).0, "NotAuthorizedException");
    let usage = stage.user.describe_identity_pool_usage().identity_pool_id(pool).send().await;
    assert_eq!(refused(usage).0, "NotAuthorizedException");

    let mut keys = stage.world.developer.clone();
    keys.secret_access_key.push('x');
    let (name, message, status) = refused(list(&client(&stage.server, &keys), pool, identity).await);
    assert_eq!((name.as_str(), status), ("InvalidSignatureException", 403));
    assert!(!message.contains(&keys.secret_access_key), "{message}");
    keys.access_key_id = "AKIAUNKNOWN".to_owned();
    let (name, ..) = refused(list(&client(&stage.server, &keys), pool, identity).await);
    assert_eq!(name, "UnrecognizedClientException");

    let (name, message, status) = refused(list(&stage.developer, "INVALID", "A:B:C").await);
    assert_eq!((name.as_str(), status), ("InvalidParameterException", 400));
    assert_eq!(
        message,
        "2 validation errors detected: Value 'INVALID' at 'identityPoolId' failed to satisfy constraint: \
         Member must satisfy regular expression pattern: [\\w-]+:[0-9a-f-]+; Value 'A:B:C' at 'identityId' failed \
         to satisfy constraint: Member must satisfy regular expression pattern: [\\w-]+:[0-9a-f-]+"
    );
    let session = stage.list(0).await;
    let long = "k".repeat(1_025);
    let update = stage.update(session.sync_session_token()).record_patches(replace(&long, "v", 0));
    let (name, message, _) = refused(update.send().await);
    assert_eq!(name, "InvalidParameterException");
    assert!(message.starts_with("1 validation error detected: Value 'kkk"), "{message}");
    assert!(message.contains("at 'recordPatches.1.member.key' failed"), "{message}");
    stage.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_writers_never_overwrite_each_other() {
    let stage = Arc::new(Stage::start().await);
    let writers: Vec<_> = (0..4)
        .map(|_| {
            let stage = Arc::clone(&stage);
            tokio::spawn(async move {
                let (mut written, mut refused) = (0_i64, 0);
                while written < 10 {
                    let listed = stage.list(0).await;
                    let known = listed.records().first().and_then(Record::sync_count).unwrap_or(0);
                    let update = stage.update(listed.sync_session_token()).record_patches(replace("n", "v", known));
                    match update.send().await {
                        Ok(answer) => {
                            assert_eq!(answer.records()[0].sync_count(), Some(known + 1));
                            written += 1;
                        }
                        Err(error) => {
                            let conflict = error.as_service_error().map(|error| error.is_resource_conflict_exception());
                            assert_eq!(conflict, Some(true), "{error:?}");
                            refused += 1;
                        }
                    }
                }
                refused
            })
        })
        .collect();
    let mut conflicts = 0;
    for writer in writers {
        conflicts += writer.await.expect("the writer ends");
    }
    assert_eq!(stage.list(0).await.dataset_sync_count(), Some(40), "with {conflicts} conflicts");
}

/// Sends bytes as they are, says that nothing more comes if the client `leaves`, and
/// reads until the server closes.
async fn raw(address: SocketAddr, bytes: &[u8], leaves: bool) -> String {
    let mut stream = TcpStream::connect(address).await.expect("the server accepts");
    // The server may rightly close before everything is written.
    let _sent = stream.write_all(bytes).await;
    if leaves {
        let _left = stream.shutdown().await;
    }
    let mut answer = Vec::new();
    let mut chunk = [0; 4_096];
    let whole = async {
        while let Ok(read @ 1..) = stream.read(&mut chunk).await {
            answer.extend_from_slice(&chunk[..read]);
        }
    };
    timeout(PATIENCE, whole).await.expect("the server closes");
    String::from_utf8_lossy(&answer).into_owned()
}

/// The same request as the last one of its connection.
fn last(request: &[u8]) -> Vec<u8> {
    let end = request.windows(2).position(|window| window == b"\r\n").expect("it has a first line");
    [&request[..end], b"\r\nconnection: close", &request[end..]].concat()
}

/// A request signed by the developer, as bytes.
fn signed(stage: &Stage, method: &str, path: &str, body: &[u8]) -> Vec<u8> {
    let keys = &stage.world.developer;
    let identity = Credentials::new(&keys.access_key_id, &keys.secret_access_key, None, None, "t");
    let identity = identity.into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region("us-east-1")
        .name("cognito-sync")
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .expect("everything is given");
    let uri = format!("{}{path}", stage.server.endpoint());
    let request = SignableRequest::new(method, uri, std::iter::empty(), SignableBody::Bytes(body));
    let signature = sign(request.expect("it can be signed"), &parameters.into()).expect("it is signed").into_parts().0;
    let host = stage.server.address();
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in signature.headers() {
        text.extend([name, ": ", value, "\r\n"]);
    }
    text.push_str("\r\n");
    [text.as_bytes(), body].concat()
}

#[tokio::test]
async fn hostile_clients_do_no_harm() {
    let stage = Stage::start().await;
    let address = stage.server.address();
    let path = format!("/identitypools/{}/events", stage.pool);
    let deep = [b"{\"Events\":".as_slice(), &b"[".repeat(100_000)].concat();
    let long_header = format!("GET / HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "y".repeat(1 << 20));
    let many_headers = format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n", "x: y\r\n".repeat(5_000));
    let huge = vec![b' '; 9 << 20];
    let lying = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999\r\n\r\nx";
    let chunked = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n";
    let get = |line: &str| last(format!("{line} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes());
    let post = |body: &[u8]| last(&signed(&stage, "POST", &path, body));
    let broken_off: Vec<(&str, Vec<u8>, &str)> = vec![
        ("half a request", b"GET /identitypools HTT".to_vec(), ""),
        ("half a body", b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nx".to_vec(), " 400 "),
        ("a body said to be huge", lying.to_vec(), " 400 "),
    ];
    let whole: Vec<(&str, Vec<u8>, &str)> = vec![
        ("garbage", b"\x16\x03\x01\x00\xff\x00\r\n\r\n".to_vec(), " 400 "),
        ("a long header", long_header.into_bytes(), " 431 "),
        ("many headers", many_headers.into_bytes(), " 431 "),
        ("a broken chunk", chunked.to_vec(), " 400 "),
        ("a huge body", post(&huge), " 413 "),
        ("a body that is not UTF-8", post(b"{\"Events\":\"\xff\"}"), "SerializationException"),
        ("a body that is no object", post(b"[]"), "SerializationException"),
        ("deep nesting", post(&deep), "SerializationException"),
        ("no signature", get("GET /identitypools"), "MissingAuthenticationToken"),
        ("no route", get("BREW /pot"), "<UnknownOperationException/>"),
        ("no path", get("OPTIONS *"), " 404 "),
        ("a fine one", post(b"{\"Events\":{\"SyncTrigger\":\"\"}}"), " 200 "),
    ];
    let broken_off = broken_off.into_iter().map(|case| (case, true));
    for ((what, bytes, expected), leaves) in broken_off.chain(whole.into_iter().map(|case| (case, false))) {
        let answer = raw(address, &bytes, leaves).await;
        assert!(answer.contains(expected), "{what}: {answer}");
        ok(stage.developer.list_identity_pool_usage().send().await);
    }
    stage.server.shutdown().await;
}

#[tokio::test]
async fn a_connection_outlives_errors() {
    let stage = Stage::start().await;
    let path = format!("/identitypools/{}/events", stage.pool);
    let requests = [
        signed(&stage, "POST", &path, b"{]"),
        b"GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(),
        b"GET /identitypools HTTP/1.1\r\nhost: x\r\norigin: http://a\r\n\r\n".to_vec(),
        b"OPTIONS /identitypools HTTP/1.1\r\nhost: x\r\norigin: http://a\r\naccess-control-request-headers: b\r\n\r\n"
            .to_vec(),
        last(&signed(&stage, "GET", &path, b"")),
    ];
    let answer = raw(stage.server.address(), &requests.concat(), false).await;
    let statuses: Vec<&str> = answer.split("HTTP/1.1 ").skip(1).filter_map(|rest| rest.get(..3)).collect();
    assert_eq!(statuses, ["400", "404", "403", "200", "200"], "{answer}");
    assert_eq!(answer.matches("access-control-allow-origin: *").count(), 2, "{answer}");
    assert!(answer.contains("access-control-allow-headers: b"), "{answer}");
    assert!(answer.ends_with(r#"{"Events":{}}"#), "{answer}");
    stage.server.shutdown().await;
}

#[tokio::test]
async fn shutting_down_frees_the_address_in_bounded_time() {
    let stage = Stage::start().await;
    let address = stage.server.address();
    let mut idle = TcpStream::connect(address).await.expect("the server accepts");
    idle.write_all(b"GET /ident").await.expect("the half request is sent");
    timeout(PATIENCE, stage.server.shutdown()).await.expect("it ends");
    assert!(TcpStream::connect(address).await.is_err());
}
