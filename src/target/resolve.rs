//! From what a target file says to credentials at hand: everybody who is to give
//! some is asked once.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::cognito::{OfIdentity, Service};
use super::provider::{CredentialsError, PATIENCE, Provider};
use super::{CognitoIdentity, Credentials, Identity, Pool, Secret, Target};

/// All questions together take at most so long.
const PATIENCE_FOR_ALL: Duration = Duration::from_secs(20);

/// Questions about identities at a time: services allow some tens a second.
const AT_A_TIME: usize = 8;

/// What could not be had from those who were to give it. Empty for a target whose
/// credentials all stand in its file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shortfalls {
    /// Why there are no developer credentials, though the target file names some.
    pub developer: Option<String>,
    /// Why there are fewer identities than the target file asks for, each reason
    /// once.
    pub identities: Vec<String>,
}

/// Nobody can sign: no case can be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("target {target} has no credentials to sign with: {}", reasons.join("; "))]
pub struct ResolveError {
    target: String,
    reasons: Vec<String>,
}

/// Whether identities may be made where the target file asks for new ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Making {
    /// As many as it asks for.
    Allowed,
    /// None: nothing is to change. Such pools are left without identities.
    Forbidden,
}

/// An identity that was made and that nobody will find again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeIdentity {
    /// The id of its pool.
    pub pool: String,
    /// Its id.
    pub id: String,
}

/// The identities that were made, shared by the clones of a target.
#[derive(Clone, Default)]
pub struct MadeIdentities(Arc<Mutex<Vec<MadeIdentity>>>);

impl MadeIdentities {
    fn add(&self, pool: &str, id: &str) {
        let made = MadeIdentity { pool: pool.to_owned(), id: id.to_owned() };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(made);
    }

    fn list(&self) -> Vec<MadeIdentity> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn take(&self) -> Vec<MadeIdentity> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for MadeIdentities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.list().fmt(f)
    }
}

impl Target {
    /// The same target with credentials at hand: the developer's are asked for, and
    /// each pool's identities where Cognito Identity is to give them, all at once
    /// and for 20 s at most. Nobody is asked when the target file holds all keys.
    ///
    /// What cannot be had is left out and told of in [`Target::shortfalls`].
    /// Whatever was made meanwhile is in [`Target::made_identities`], of this target
    /// and of the one it came from.
    ///
    /// # Errors
    ///
    /// When nothing is left that could sign, now or when identities are made.
    pub async fn resolve(mut self, making: Making) -> Result<Self, ResolveError> {
        let until = Instant::now() + PATIENCE_FOR_ALL;
        self.shortfalls = Shortfalls::default();
        for pool in self.pools.iter_mut().filter(|pool| pool.cognito.is_some()) {
            pool.identities.clear();
        }
        self.resolve_developer().await;
        let permits = Arc::new(Semaphore::new(AT_A_TIME));
        let mut asked = JoinSet::new();
        for (index, pool) in self.pools.iter().enumerate() {
            let Some(settings) = &pool.cognito else { continue };
            if making == Making::Forbidden && settings.ids.is_empty() {
                self.shortfalls.identities.push("the identities of a run are made when it begins".to_owned());
                continue;
            }
            let service =
                Service::new(settings, &pool.id, &self.region, self.ca_file.as_deref(), self.developer.as_ref());
            let service = match service {
                Ok(service) => Arc::new(service),
                Err(error) => {
                    self.shortfalls.identities.push(error.to_string());
                    continue;
                }
            };
            for number in 0..settings.identities {
                let wanted = Wanted {
                    service: Arc::clone(&service),
                    pool: pool.id.clone(),
                    known: settings.ids.get(number).cloned(),
                    user: settings.developer_provider.as_ref().map(|_| format!("{}-{}", self.prefix, number + 1)),
                    made: self.made.clone(),
                };
                let (permits, place) = (Arc::clone(&permits), settings.place());
                asked.spawn(async move {
                    let answer = timeout_at(until, async {
                        // It is never closed.
                        let _permit = permits.acquire().await;
                        tokio::time::timeout(PATIENCE, wanted.identity()).await
                    });
                    let late = || CredentialsError(format!("{place}: no answer in time"));
                    let answer = answer.await.map_err(|_| late()).and_then(|answer| answer.map_err(|_| late()));
                    (index, number, answer.and_then(|identity| identity))
                });
            }
        }
        let mut answers = asked.join_all().await;
        answers.sort_unstable_by_key(|(pool, number, _)| (*pool, *number));
        for (index, _, answer) in answers {
            match answer {
                Ok(identity) => self.pools[index].identities.push(identity),
                Err(error) => self.shortfalls.identities.push(error.to_string()),
            }
        }
        self.drop_repeated();
        let waits =
            |pool: &Pool| making == Making::Forbidden && pool.cognito.as_ref().is_some_and(|own| own.ids.is_empty());
        let can_sign =
            self.developer.is_some() || self.pools.iter().any(|pool| waits(pool) || !pool.identities.is_empty());
        if can_sign { Ok(self) } else { Err(self.nobody()) }
    }

    async fn resolve_developer(&mut self) {
        if let Some(developer) = &self.developer
            && let Err(error) = developer.get().await
        {
            self.shortfalls.developer = Some(error.to_string());
            self.developer = None;
        }
    }

    /// The same reason is told once, and an identity that came twice is held once: a
    /// case that is to be alone on it would not be.
    fn drop_repeated(&mut self) {
        let mut known = std::collections::HashSet::new();
        for pool in &mut self.pools {
            pool.identities.retain(|identity| {
                let is_new = known.insert(identity.id.clone());
                if !is_new {
                    let what = format!("Cognito Identity gave identity {} twice", identity.id);
                    self.shortfalls.identities.push(what);
                }
                is_new
            });
        }
        self.shortfalls.identities.sort();
        self.shortfalls.identities.dedup();
    }

    fn nobody(self) -> ResolveError {
        let developer = self.shortfalls.developer.map(|why| format!("developer: {why}"));
        let identities = self.shortfalls.identities.into_iter().map(|why| format!("identities: {why}"));
        ResolveError { target: self.name, reasons: developer.into_iter().chain(identities).collect() }
    }

    /// The same target as it will be when everybody gives what is asked for,
    /// without asking anybody: what is not known stands as zeros. It cannot sign in
    /// earnest; it serves to plan and to show.
    #[must_use]
    pub fn assumed(mut self) -> Self {
        for pool in &mut self.pools {
            let Pool { id, identities, cognito: Some(settings), .. } = pool else { continue };
            let id = |number: usize| {
                let region = id.split(':').next().unwrap_or_default();
                let unknown = || format!("{region}:00000000-0000-4000-8000-{number:012}");
                settings.ids.get(number).cloned().unwrap_or_else(unknown)
            };
            *identities =
                (0..settings.identities).map(|number| Identity { id: id(number), credentials: stand_in() }).collect();
        }
        self.developer = self.developer.map(|developer| if developer.is_fixed() { developer } else { stand_in() });
        self
    }

    /// The identities that [`Target::resolve`] made and that nobody will find
    /// again, as long as they are not removed.
    pub fn made_identities(&self) -> Vec<MadeIdentity> {
        self.made.list()
    }

    /// Deletes the identities that were made; what is left behind, in sentences.
    /// Takes at most 10 s for each pool.
    pub async fn remove_made_identities(&self) -> Vec<String> {
        let mut leftovers = Vec::new();
        let made = self.made.take();
        for pool in &self.pools {
            let ids: Vec<_> = made.iter().filter(|made| made.pool == pool.id).map(|made| made.id.clone()).collect();
            leftovers.extend(self.delete_identities(&pool.id, &ids).await);
        }
        leftovers
    }

    /// Deletes identities of a pool with the developer's credentials; what could
    /// not be deleted, in sentences.
    pub async fn delete_identities(&self, pool: &str, ids: &[String]) -> Vec<String> {
        if ids.is_empty() {
            return Vec::new();
        }
        let own = CognitoIdentity { endpoint: None, identities: 0, ids: Vec::new(), developer_provider: None };
        let settings = self.pools.iter().find(|known| known.id == pool).and_then(|known| known.cognito.as_ref());
        let settings = settings.unwrap_or(&own);
        let service = Service::new(settings, pool, &self.region, self.ca_file.as_deref(), self.developer.as_ref());
        let problems = match service {
            Ok(service) => tokio::time::timeout(PATIENCE, service.delete(ids)).await.unwrap_or_else(|_| {
                vec![format!("identities {} could not be deleted: no answer in time", ids.join(", "))]
            }),
            Err(error) => vec![format!("identities {} could not be deleted: {error}", ids.join(", "))],
        };
        problems.into_iter().map(|problem| format!("pool {pool}: {problem}")).collect()
    }
}

/// An identity that is to be had.
struct Wanted {
    service: Arc<Service>,
    pool: String,
    known: Option<String>,
    user: Option<String>,
    made: MadeIdentities,
}

impl Wanted {
    async fn identity(self) -> Result<Identity, CredentialsError> {
        let id = match (self.known, &self.user) {
            (Some(id), _) => id,
            (None, Some(user)) => self.service.identity_of(user).await?,
            (None, None) => {
                let id = self.service.make().await?;
                self.made.add(&self.pool, &id);
                id
            }
        };
        let credentials = Provider::fetched(OfIdentity { service: self.service, id: id.clone(), user: self.user });
        credentials.get().await?;
        Ok(Identity { id, credentials })
    }
}

/// Keys of nobody.
fn stand_in() -> Provider {
    Provider::fixed(Credentials {
        access_key_id: "ASIA0000000000000000".to_owned(),
        secret_access_key: Secret::new("not fetched, because nothing is sent"),
        session_token: Some(Secret::new("not fetched, because nothing is sent")),
    })
}
