//! A running server with collaborators, and clients for it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_sdk_cognitosync::config::{BehaviorVersion, Credentials as SdkCredentials, Region};
use aws_sdk_cognitosync::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_cognitosync::operation::bulk_publish::{BulkPublishError, BulkPublishOutput};
use aws_sdk_cognitosync::operation::get_bulk_publish_details::GetBulkPublishDetailsOutput;
use aws_sdk_cognitosync::operation::list_records::ListRecordsOutput;
use aws_sdk_cognitosync::operation::register_device::RegisterDeviceError;
use aws_sdk_cognitosync::operation::update_records::builders::UpdateRecordsFluentBuilder;
use aws_sdk_cognitosync::operation::update_records::{UpdateRecordsError, UpdateRecordsOutput};
use aws_sdk_cognitosync::types::{
    BulkPublishStatus, CognitoStreams, Operation, Platform, PushSync, Record, RecordPatch, StreamingStatus,
};
use aws_sdk_cognitosync::{Client, Config};
use serde_json::Value;
use syncspec::client::{Endpoint, Limits, SignedPayload, Signing, SigningForm, sign};
use syncspec::reference::{Collaborators, Keys, Server, Setup, StartError, State, World};
use syncspec::spec::Service;
use syncspec::target::Credentials;
use syncspec::wire::{Headers, Request};
use tokio::time::{sleep, timeout};

const ROLE: &str = "arn:aws:iam::123456789012:role/sync";

/// Enough for a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server and clients for it. The server stops with the last clone.
#[derive(Clone)]
pub(crate) struct Stage {
    server: Arc<Server>,
    pub(crate) pool: String,
    pub(crate) identity: String,
    pub(crate) user: Client,
    developer: Client,
    world: Arc<World>,
}

impl Stage {
    pub(crate) async fn try_start(collaborators: Collaborators) -> Result<Self, StartError> {
        Self::start_with(collaborators, Setup::default()).await
    }

    /// A server that keeps its state in this file.
    pub(crate) async fn start_kept(collaborators: Collaborators, file: &Path) -> Self {
        let state = Some(State::open(file).expect("the file can be used"));
        let started = Self::start_with(collaborators, Setup { state, ..Setup::default() }).await;
        started.expect("the server starts")
    }

    async fn start_with(collaborators: Collaborators, setup: Setup) -> Result<Self, StartError> {
        let world = World { collaborators, ..World::standard(1, 2) };
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let service = Service::embedded_shared();
        let server = Server::start_with(listen, service, std::slice::from_ref(&world), setup).await?;
        let pool = &world.pools[0];
        Ok(Self {
            pool: pool.identity_pool_id.clone(),
            identity: pool.identities[0].identity_id.clone(),
            developer: client(&server, &world.developer),
            user: client(&server, &pool.identities[0].keys),
            server: Arc::new(server),
            world: Arc::new(world),
        })
    }

    pub(crate) async fn start(collaborators: Collaborators) -> Self {
        Self::try_start(collaborators).await.expect("the server starts")
    }

    pub(crate) async fn stop(self) {
        Arc::into_inner(self.server).expect("no clone is left").shutdown().await;
    }

    // ---- records -----------------------------------------------------------------

    pub(crate) async fn list(&self, dataset: &str) -> ListRecordsOutput {
        let listing = self.user.list_records().identity_pool_id(&self.pool).identity_id(&self.identity);
        ok(listing.dataset_name(dataset).send().await)
    }

    pub(crate) async fn token(&self, dataset: &str) -> String {
        self.list(dataset).await.sync_session_token().expect("there is a token").to_owned()
    }

    pub(crate) fn update_by(
        &self,
        client: &Client,
        dataset: &str,
        token: &str,
        patches: &[RecordPatch],
    ) -> UpdateRecordsFluentBuilder {
        let update = client.update_records().identity_pool_id(&self.pool).identity_id(&self.identity);
        update.dataset_name(dataset).sync_session_token(token).set_record_patches(Some(patches.to_vec()))
    }

    pub(crate) async fn write_with(
        &self,
        dataset: &str,
        token: &str,
        patches: &[RecordPatch],
    ) -> Result<UpdateRecordsOutput, SdkError<UpdateRecordsError>> {
        self.update_by(&self.user, dataset, token, patches).send().await
    }

    /// Lists for a token and writes.
    pub(crate) async fn write(
        &self,
        dataset: &str,
        patches: &[RecordPatch],
    ) -> Result<UpdateRecordsOutput, SdkError<UpdateRecordsError>> {
        self.write_with(dataset, &self.token(dataset).await, patches).await
    }

    pub(crate) async fn write_as_developer(
        &self,
        dataset: &str,
        patches: &[RecordPatch],
    ) -> Result<UpdateRecordsOutput, SdkError<UpdateRecordsError>> {
        self.update_by(&self.developer, dataset, &self.token(dataset).await, patches).send().await
    }

    pub(crate) async fn write_from(
        &self,
        dataset: &str,
        device: &str,
        patches: &[RecordPatch],
    ) -> Result<UpdateRecordsOutput, SdkError<UpdateRecordsError>> {
        let update = self.update_by(&self.user, dataset, &self.token(dataset).await, patches);
        update.device_id(device).send().await
    }

    pub(crate) async fn delete(&self, dataset: &str) {
        let deletion = self.user.delete_dataset().identity_pool_id(&self.pool).identity_id(&self.identity);
        ok(deletion.dataset_name(dataset).send().await);
    }

    // ---- pools -------------------------------------------------------------------

    /// Binds the event to a function; to none for an empty name.
    pub(crate) async fn bind(&self, function: &str) {
        let events = self.developer.set_cognito_events().identity_pool_id(&self.pool);
        ok(events.events("SyncTrigger", function).send().await);
    }

    /// Switches streaming on.
    pub(crate) async fn stream(&self, name: &str) {
        let streams = CognitoStreams::builder().stream_name(name).role_arn(ROLE);
        let streams = streams.streaming_status(StreamingStatus::Enabled).build();
        let set = self.developer.set_identity_pool_configuration().identity_pool_id(&self.pool);
        ok(set.cognito_streams(streams).send().await);
    }

    pub(crate) async fn push(&self, applications: &[&str]) {
        let applications = applications.iter().map(|arn| (*arn).to_owned()).collect();
        let push = PushSync::builder().set_application_arns(Some(applications)).role_arn(ROLE).build();
        let set = self.developer.set_identity_pool_configuration().identity_pool_id(&self.pool);
        ok(set.push_sync(push).send().await);
    }

    pub(crate) async fn until_streaming(&self, status: &StreamingStatus) {
        let waiting = async {
            loop {
                let asked = self.developer.get_identity_pool_configuration().identity_pool_id(&self.pool);
                let answered = ok(asked.send().await);
                if answered.cognito_streams().and_then(CognitoStreams::streaming_status) == Some(status) {
                    break;
                }
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, waiting).await.expect("streaming changes");
    }

    /// The configuration with members that the SDK does not know.
    pub(crate) async fn raw_configuration(&self) -> Value {
        let mut request = Request {
            method: "GET".to_owned(),
            target: format!("/identitypools/{}/configuration", self.pool.replace(':', "%3A")),
            headers: Headers::new(),
            body: bytes::Bytes::new(),
        };
        let credentials = Credentials::from(&self.world.developer);
        let signing = Signing {
            credentials: &credentials,
            region: &self.world.region,
            service: "cognito-sync",
            time: SystemTime::now(),
            form: SigningForm::Header,
            payload: SignedPayload::Hashed,
            without_headers: &[],
        };
        sign(&mut request, &self.server.address().to_string(), &signing).expect("it can be signed");
        let endpoint = Endpoint::parse(&self.server.endpoint()).expect("an endpoint");
        let client = syncspec::client::Client::new(endpoint, Limits::default()).expect("a client");
        let answer = client.send(request).await.outcome.expect("it answers");
        answer.json().expect("the body is JSON")
    }

    pub(crate) async fn bulk_publish(&self) -> Result<BulkPublishOutput, SdkError<BulkPublishError>> {
        self.developer.bulk_publish().identity_pool_id(&self.pool).send().await
    }

    pub(crate) async fn publish_details(&self) -> GetBulkPublishDetailsOutput {
        ok(self.developer.get_bulk_publish_details().identity_pool_id(&self.pool).send().await)
    }

    pub(crate) async fn until_published(&self, status: &BulkPublishStatus) -> GetBulkPublishDetailsOutput {
        let waiting = async {
            loop {
                let details = self.publish_details().await;
                if details.bulk_publish_status() == Some(status) {
                    return details;
                }
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, waiting).await.expect("the bulk publish ends")
    }

    // ---- devices -----------------------------------------------------------------

    pub(crate) async fn register(
        &self,
        platform: Platform,
        token: &str,
    ) -> Result<String, SdkError<RegisterDeviceError>> {
        let device = self.user.register_device().identity_pool_id(&self.pool).identity_id(&self.identity);
        let registered = device.platform(platform).token(token).send().await?;
        Ok(registered.device_id().expect("it has an id").to_owned())
    }

    pub(crate) async fn subscribe(&self, dataset: &str, device: &str) {
        let subscription = self.user.subscribe_to_dataset().identity_pool_id(&self.pool).identity_id(&self.identity);
        ok(subscription.dataset_name(dataset).device_id(device).send().await);
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
        .credentials_provider(SdkCredentials::new(access_key_id, secret_access_key, session_token, None, "test"))
        .build();
    Client::from_conf(config)
}

pub(crate) fn ok<T, E: std::error::Error + 'static>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("{}", DisplayErrorContext(error)))
}

/// Name, message and status of an error that the service answered with.
pub(crate) fn refused<T, E>(result: Result<T, SdkError<E>>) -> (String, String, u16)
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

pub(crate) fn replace(key: &str, value: &str, count: i64) -> RecordPatch {
    let patch = RecordPatch::builder().op(Operation::Replace).key(key).value(value);
    patch.sync_count(count).build().expect("the patch is complete")
}

pub(crate) fn remove(key: &str, count: i64) -> RecordPatch {
    let patch = RecordPatch::builder().op(Operation::Remove).key(key);
    patch.sync_count(count).build().expect("the patch is complete")
}

pub(crate) fn shown(records: &[Record]) -> Vec<(&str, Option<&str>, i64)> {
    let of = |record: &Record| record.sync_count().unwrap_or(-1);
    records.iter().map(|record| (record.key().unwrap_or_default(), record.value(), of(record))).collect()
}
