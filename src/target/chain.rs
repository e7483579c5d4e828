//! Developer credentials from where AWS's tools have theirs.

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use tokio::sync::OnceCell;

use super::credentials::{Credentials, Secret};
use super::provider::{CredentialsError, Fetch, Fetching, Valid};
use super::sdk;

/// A profile, or the default chain: environment, the default profile, web identity,
/// container, instance.
pub(super) struct Chain {
    /// None for the default chain.
    profile: Option<String>,
    /// Whose services are asked, such as STS.
    region: String,
    /// Files are read and clients made when somebody first asks.
    provider: OnceCell<SharedCredentialsProvider>,
}

impl Chain {
    pub(super) fn new(profile: Option<String>, region: String) -> Self {
        Self { profile, region, provider: OnceCell::new() }
    }

    async fn provider(&self) -> Result<&SharedCredentialsProvider, CredentialsError> {
        let make = || async {
            let config = ProviderConfig::without_region()
                .with_region(Some(Region::new(self.region.clone())))
                .with_behavior_version(Some(BehaviorVersion::latest()))
                .with_http_client(sdk::http_client(None)?)
                .with_timeout_config(sdk::timeouts())
                .with_retry_config(sdk::retries());
            Ok(match &self.profile {
                // Of the default chain the environment would come first.
                Some(profile) => SharedCredentialsProvider::new(
                    ProfileFileCredentialsProvider::builder().configure(&config).profile_name(profile).build(),
                ),
                None => SharedCredentialsProvider::new(
                    DefaultCredentialsChain::builder()
                        .configure(config)
                        .region(Region::new(self.region.clone()))
                        .build()
                        .await,
                ),
            })
        };
        self.provider.get_or_try_init(make).await
    }
}

impl Fetch for Chain {
    fn fetch(&self) -> Fetching<'_> {
        Box::pin(async {
            let found = self.provider().await?.provide_credentials().await;
            let found =
                found.map_err(|error| CredentialsError(format!("{}: {}", self.describe(), sdk::causes(&error))))?;
            Ok(Valid {
                until: found.expiry(),
                credentials: Credentials {
                    access_key_id: found.access_key_id().to_owned(),
                    secret_access_key: Secret::new(found.secret_access_key()),
                    session_token: found.session_token().map(Secret::new),
                },
            })
        })
    }

    fn describe(&self) -> String {
        self.profile
            .as_ref()
            .map_or_else(|| "the default provider chain".to_owned(), |profile| format!("profile `{profile}`"))
    }
}
