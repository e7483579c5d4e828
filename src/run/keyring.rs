//! The credentials that a case signs with, fetched before its first step.

use std::time::SystemTime;

use super::session::Session;
use crate::cases::{Actor, Case};
use crate::plan::Lease;
use crate::target::{Credentials, CredentialsError, Provider, Valid};

/// The credentials of one case. None for who is not there, or signs nothing.
#[derive(Debug, Default)]
pub(super) struct Keyring {
    pub(super) developer: Option<Credentials>,
    /// Of the lease's identities: the case's own, then the other.
    pub(super) identities: Vec<Credentials>,
    /// When the first of them runs out.
    until: Option<SystemTime>,
}

impl Keyring {
    /// What the case signs with, good for as long as a case can be expected to take.
    pub(super) async fn fetch(session: &Session, lease: &Lease, case: &Case) -> Result<Self, CredentialsError> {
        let signs = case.steps.iter().any(|step| step.actor == Actor::Developer);
        let developer = session.target.developer.as_ref().filter(|_| signs);
        Self::of(developer, identities(session, lease)).await
    }

    /// What one call is signed with.
    pub(super) async fn for_actor(session: &Session, lease: &Lease, actor: Actor) -> Result<Self, CredentialsError> {
        let developer = session.target.developer.as_ref().filter(|_| actor == Actor::Developer);
        Self::of(developer, identities(session, lease).filter(|_| actor == Actor::Identity)).await
    }

    async fn of(
        developer: Option<&Provider>,
        identities: impl Iterator<Item = &Provider>,
    ) -> Result<Self, CredentialsError> {
        let mut keys = Self::default();
        if let Some(developer) = developer {
            keys.developer = Some(keys.noted(developer.get().await?));
        }
        for provider in identities {
            let credentials = keys.noted(provider.get().await?);
            keys.identities.push(credentials);
        }
        Ok(keys)
    }

    /// What was fetched last, without asking anybody, to show requests with.
    pub(super) fn last(session: &Session, lease: &Lease) -> Self {
        Self {
            developer: session.target.developer.as_ref().and_then(Provider::last),
            identities: identities(session, lease).filter_map(Provider::last).collect(),
            until: None,
        }
    }

    fn noted(&mut self, valid: Valid) -> Credentials {
        self.until = self.until.into_iter().chain(valid.until).min();
        valid.credentials
    }

    /// Whether any of them is worth nothing by now.
    pub(super) fn ran_out(&self) -> bool {
        self.until.is_some_and(|until| until <= SystemTime::now())
    }
}

fn identities<'s>(session: &'s Session, lease: &'s Lease) -> impl Iterator<Item = &'s Provider> {
    let pool = &session.target.pools[lease.pool];
    lease.identities.iter().map(|identity| &pool.identities[*identity].credentials)
}
