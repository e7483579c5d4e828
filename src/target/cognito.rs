//! Identities and their temporary credentials from Cognito Identity: AWS's, or an
//! emulator's.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use aws_credential_types::provider::{error::CredentialsError as Unprovided, future};
use aws_sdk_cognitoidentity::Client;
use aws_sdk_cognitoidentity::config::{
    self, BehaviorVersion, Config, IdentityCache, ProvideCredentials, Region, SharedCredentialsProvider,
};
use aws_sdk_cognitoidentity::error::{ProvideErrorMetadata, SdkError};

use super::credentials::{Credentials, Secret};
use super::provider::{CredentialsError, Fetch, Fetching, Provider, Valid};
use super::sdk;

/// Whom a token of Cognito Identity's own is for.
const OWN_PROVIDER: &str = "cognito-identity.amazonaws.com";

/// Most identities that one request deletes.
const MOST_DELETED: usize = 60;

/// How a pool's identities are had from Cognito Identity, as the target file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CognitoIdentity {
    /// Where it listens; none for AWS's own in the target's region.
    pub endpoint: Option<String>,
    /// How many identities: as many as `ids`, if there are any.
    pub identities: usize,
    /// Ids of identities that exist already.
    pub ids: Vec<String>,
    /// The pool's developer provider that users are signed in with; none for
    /// unauthenticated identities.
    pub developer_provider: Option<String>,
}

impl CognitoIdentity {
    /// Whether a run makes identities here that were not there before, and that
    /// nobody finds again. Those of a developer provider keep the users' names.
    pub fn makes_identities(&self) -> bool {
        self.ids.is_empty() && self.developer_provider.is_none()
    }

    /// Where it listens, for people.
    pub(super) fn place(&self) -> String {
        match &self.endpoint {
            Some(endpoint) => format!("Cognito Identity at {endpoint}"),
            None => "Cognito Identity".to_owned(),
        }
    }
}

/// A way to the Cognito Identity of one pool.
pub(super) struct Service {
    client: Client,
    pool: String,
    place: String,
    provider: Option<String>,
    developer: Option<Provider>,
}

impl Service {
    pub(super) fn new(
        settings: &CognitoIdentity,
        pool: &str,
        region: &str,
        ca_file: Option<&Path>,
        developer: Option<&Provider>,
    ) -> Result<Self, CredentialsError> {
        // Whose certificates a file names is the target's own, not AWS's.
        let ca_file = ca_file.filter(|_| settings.endpoint.is_some());
        // Nothing is taken over from the environment, which may name other
        // endpoints, regions and keys.
        let mut config: config::Builder = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region.to_owned()))
            .http_client(sdk::http_client(ca_file)?)
            .timeout_config(sdk::timeouts())
            .retry_config(sdk::retries())
            .identity_cache(IdentityCache::no_cache());
        if let Some(endpoint) = &settings.endpoint {
            config = config.endpoint_url(endpoint);
        }
        if let Some(developer) = developer {
            config = config.credentials_provider(SharedCredentialsProvider::new(Developer(developer.clone())));
        }
        Ok(Self {
            client: Client::from_conf(config.build()),
            pool: pool.to_owned(),
            place: settings.place(),
            provider: settings.developer_provider.clone(),
            developer: developer.cloned(),
        })
    }

    /// A new unauthenticated identity.
    pub(super) async fn make(&self) -> Result<String, CredentialsError> {
        let made = self.client.get_id().identity_pool_id(&self.pool).send().await;
        let made = made.map_err(|error| self.refused("GetId", &error))?;
        made.identity_id.ok_or_else(|| self.nothing("GetId", "an identity id"))
    }

    /// The identity of a user of the developer provider, and a token for it. It is
    /// made when the user has none yet.
    async fn sign_in(&self, user: &str, known: Option<&str>) -> Result<(String, String), CredentialsError> {
        const CALL: &str = "GetOpenIdTokenForDeveloperIdentity";
        let provider = self.provider.as_deref().unwrap_or_default();
        let request = self.client.get_open_id_token_for_developer_identity().identity_pool_id(&self.pool);
        let request = request.logins(provider, user).set_identity_id(known.map(str::to_owned));
        let signed_in = request.send().await.map_err(|error| self.refused(CALL, &error))?;
        let id = signed_in.identity_id.ok_or_else(|| self.nothing(CALL, "an identity id"))?;
        let token = signed_in.token.ok_or_else(|| self.nothing(CALL, "a token"))?;
        Ok((id, token))
    }

    /// The identity of a user, without its credentials.
    pub(super) async fn identity_of(&self, user: &str) -> Result<String, CredentialsError> {
        Ok(self.sign_in(user, None).await?.0)
    }

    async fn credentials(&self, id: &str, user: Option<&str>) -> Result<Valid, CredentialsError> {
        const CALL: &str = "GetCredentialsForIdentity";
        let token = match user {
            Some(user) => Some(self.sign_in(user, Some(id)).await?.1),
            None => None,
        };
        let logins = token.clone().map(|token| HashMap::from([(OWN_PROVIDER.to_owned(), token)]));
        let request = self.client.get_credentials_for_identity().identity_id(id).set_logins(logins);
        let token: Vec<_> = token.map(Secret::new).into_iter().collect();
        let refused = |error| CredentialsError(sdk::without(self.refused(CALL, &error).0, &token));
        let got = request.send().await.map_err(refused)?;
        let keys = got.credentials.ok_or_else(|| self.nothing(CALL, "credentials"))?;
        let until = keys.expiration.and_then(|time| time.try_into().ok());
        match (keys.access_key_id, keys.secret_key) {
            (Some(access_key_id), Some(secret)) => Ok(Valid {
                credentials: Credentials {
                    access_key_id,
                    secret_access_key: Secret::new(secret),
                    session_token: keys.session_token.map(Secret::new),
                },
                until,
            }),
            _ => Err(self.nothing(CALL, "both keys")),
        }
    }

    /// Deletes identities; what could not be deleted, in sentences.
    pub(super) async fn delete(&self, ids: &[String]) -> Vec<String> {
        let mut problems = Vec::new();
        for few in ids.chunks(MOST_DELETED) {
            let problem =
                |ids: &[String], what: &str| format!("identities {} could not be deleted: {what}", ids.join(", "));
            if self.developer.is_none() {
                problems.push(problem(few, "that takes developer credentials"));
                continue;
            }
            match self.client.delete_identities().set_identity_ids_to_delete(Some(few.to_vec())).send().await {
                Ok(deleted) => {
                    for left in deleted.unprocessed_identity_ids() {
                        let why = left.error_code().map_or("no reason given", |code| code.as_str());
                        problems
                            .push(problem(&left.identity_id().map(str::to_owned).into_iter().collect::<Vec<_>>(), why));
                    }
                }
                Err(error) => problems.push(problem(few, &self.refused("DeleteIdentities", &error).0)),
            }
        }
        problems
    }

    fn refused<E, R>(&self, call: &str, error: &SdkError<E, R>) -> CredentialsError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        R: fmt::Debug,
    {
        let secrets = self.developer.as_ref().map(Provider::secrets).unwrap_or_default();
        CredentialsError(sdk::without(format!("{}, {call}: {}", self.place, sdk::in_words(error)), &secrets))
    }

    fn nothing(&self, call: &str, what: &str) -> CredentialsError {
        CredentialsError(format!("{}, {call}: the answer holds no {what}", self.place))
    }
}

/// The credentials of one identity.
pub(super) struct OfIdentity {
    pub(super) service: Arc<Service>,
    pub(super) id: String,
    /// The user that it belongs to; none when it is unauthenticated.
    pub(super) user: Option<String>,
}

impl Fetch for OfIdentity {
    fn fetch(&self) -> Fetching<'_> {
        Box::pin(self.service.credentials(&self.id, self.user.as_deref()))
    }

    fn describe(&self) -> String {
        self.service.place.clone()
    }
}

/// The developer's credentials in the library's form.
#[derive(Debug)]
struct Developer(Provider);

impl ProvideCredentials for Developer {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let valid = self.0.get().await.map_err(Unprovided::not_loaded)?;
            Ok(aws_credential_types::Credentials::new(
                valid.credentials.access_key_id,
                valid.credentials.secret_access_key.expose(),
                valid.credentials.session_token.as_ref().map(|token| token.expose().to_owned()),
                valid.until,
                "syncspec",
            ))
        })
    }
}
