//! Credentials that are asked for when they are needed, and again before they run
//! out.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::Mutex;
use tokio::time::timeout;

use super::credentials::{Credentials, Secret};

/// Credentials that run out sooner are asked for anew: a case must be over before
/// the ones that it began with are worth nothing. Of short-lived ones the second
/// half of their life is kept back instead.
const MARGIN: Duration = Duration::from_secs(10 * 60);

/// With less than this left, credentials are not handed out when no new ones came.
const LEAST_LEFT: Duration = Duration::from_secs(60);

/// Longest wait for an answer to one question for credentials.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// After a refusal nobody asks again for so long: the cases that follow would each
/// wait for the same answer.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(10);

/// Secrets of earlier credentials that are remembered, so that they stay known
/// where what was recorded is searched for them.
const MOST_REMEMBERED: usize = 64;

/// Why there are no credentials: one line, without secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CredentialsError(pub(super) String);

/// Credentials and how long they are good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Valid {
    /// The credentials.
    pub credentials: Credentials,
    /// When they run out; none for those that never do, as far as is known.
    pub until: Option<SystemTime>,
}

/// What asks for credentials.
pub(super) trait Fetch: Send + Sync {
    /// Asks once; takes as long as it takes.
    fn fetch(&self) -> Fetching<'_>;
    /// Where the credentials come from, for people: "profile `x`".
    fn describe(&self) -> String;
}

/// A question for credentials under way.
pub(super) type Fetching<'f> = Pin<Box<dyn Future<Output = Result<Valid, CredentialsError>> + Send + 'f>>;

/// Where credentials come from. Clones share what was fetched; the debug form
/// shows no secret.
#[derive(Clone)]
pub struct Provider(Arc<Source>);

enum Source {
    Fixed(Credentials),
    Fetched(Box<Fetched>),
}

struct Fetched {
    fetch: Box<dyn Fetch>,
    state: Mutex<State>,
    seen: std::sync::Mutex<Seen>,
}

#[derive(Default)]
struct State {
    held: Option<Held>,
    failed: Option<(Instant, CredentialsError)>,
}

struct Held {
    valid: Valid,
    /// From when on new ones are asked for.
    due: Option<SystemTime>,
}

/// What can be looked up without asking anybody.
#[derive(Default)]
struct Seen {
    last: Option<Credentials>,
    secrets: VecDeque<Secret>,
}

impl Provider {
    /// Always the same credentials.
    pub fn fixed(credentials: Credentials) -> Self {
        Self(Arc::new(Source::Fixed(credentials)))
    }

    pub(super) fn fetched(fetch: impl Fetch + 'static) -> Self {
        let (state, seen) = (Mutex::default(), std::sync::Mutex::default());
        Self(Arc::new(Source::Fetched(Box::new(Fetched { fetch: Box::new(fetch), state, seen }))))
    }

    /// Credentials that are good for at least some minutes more, or for half of
    /// their life when that is short. Several callers at once cause one question,
    /// which takes at most 10 s.
    ///
    /// # Errors
    ///
    /// When none could be had. Ones that are not yet about to run out are handed
    /// out rather than an error.
    pub async fn get(&self) -> Result<Valid, CredentialsError> {
        self.get_within(PATIENCE).await
    }

    async fn get_within(&self, patience: Duration) -> Result<Valid, CredentialsError> {
        let (fetch, state, seen) = match &*self.0 {
            Source::Fixed(credentials) => return Ok(Valid { credentials: credentials.clone(), until: None }),
            Source::Fetched(fetched) => (&fetched.fetch, &fetched.state, &fetched.seen),
        };
        let mut state = state.lock().await;
        let now = SystemTime::now();
        if let Some(held) = state.held.as_ref().filter(|held| held.due.is_none_or(|due| now < due)) {
            return Ok(held.valid.clone());
        }
        let recent = state.failed.as_ref().filter(|(at, _)| at.elapsed() < PAUSE_AFTER_FAILURE);
        let fetched = match recent {
            Some((_, error)) => Err(error.clone()),
            None => timeout(patience, fetch.fetch()).await.unwrap_or_else(|_| {
                Err(CredentialsError(format!("{}: no answer within {patience:?}", fetch.describe())))
            }),
        };
        match fetched {
            Ok(valid) => {
                remember(seen, &valid.credentials);
                let due = valid.until.map(|until| due(SystemTime::now(), until));
                *state = State { held: Some(Held { valid: valid.clone(), due }), failed: None };
                Ok(valid)
            }
            Err(error) => {
                if recent.is_none() {
                    state.failed = Some((Instant::now(), error.clone()));
                }
                let usable = |held: &&Held| held.valid.until.is_none_or(|until| until > now + LEAST_LEFT);
                state.held.as_ref().filter(usable).map(|held| held.valid.clone()).ok_or(error)
            }
        }
    }

    /// The credentials that were handed out last, without asking anybody.
    pub fn last(&self) -> Option<Credentials> {
        match &*self.0 {
            Source::Fixed(credentials) => Some(credentials.clone()),
            Source::Fetched(fetched) => fetched.seen.lock().unwrap_or_else(PoisonError::into_inner).last.clone(),
        }
    }

    /// Whether they are the same for ever.
    pub fn is_fixed(&self) -> bool {
        matches!(&*self.0, Source::Fixed(_))
    }

    /// Where they come from, for people: "keys", "profile `x`".
    pub fn describe(&self) -> String {
        match &*self.0 {
            Source::Fixed(_) => "keys".to_owned(),
            Source::Fetched(fetched) => fetched.fetch.describe(),
        }
    }

    /// The secrets of the credentials that were handed out so far.
    pub(super) fn secrets(&self) -> Vec<Secret> {
        match &*self.0 {
            Source::Fixed(credentials) => credentials.secrets().cloned().collect(),
            Source::Fetched(fetched) => {
                fetched.seen.lock().unwrap_or_else(PoisonError::into_inner).secrets.iter().cloned().collect()
            }
        }
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Source::Fixed(credentials) => f.debug_tuple("Fixed").field(credentials).finish(),
            Source::Fetched(fetched) => f.debug_tuple("Fetched").field(&fetched.fetch.describe()).finish(),
        }
    }
}

fn remember(seen: &std::sync::Mutex<Seen>, credentials: &Credentials) {
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    for secret in credentials.secrets() {
        if !seen.secrets.contains(secret) {
            seen.secrets.push_back(secret.clone());
        }
    }
    while seen.secrets.len() > MOST_REMEMBERED {
        seen.secrets.pop_front();
    }
    seen.last = Some(credentials.clone());
}

/// From when on credentials fetched `now` that last `until` are asked for anew.
fn due(now: SystemTime, until: SystemTime) -> SystemTime {
    let left = until.duration_since(now).unwrap_or_default();
    now + left.saturating_sub(MARGIN.min(left / 2))
}

#[cfg(test)]
impl Provider {
    /// Gives what `answer` says, for tests of who uses credentials.
    pub(crate) fn scripted(answer: impl Fn() -> Result<Valid, String> + Send + Sync + 'static) -> Self {
        struct Scripted<A>(A);
        impl<A: Fn() -> Result<Valid, String> + Send + Sync> Fetch for Scripted<A> {
            fn fetch(&self) -> Fetching<'_> {
                Box::pin(std::future::ready((self.0)().map_err(CredentialsError)))
            }
            fn describe(&self) -> String {
                "a script".to_owned()
            }
        }
        Self::fetched(Scripted(answer))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::{Duration, SystemTime};

    use rstest::rstest;

    use super::{Credentials, CredentialsError, Fetch, Fetching, Provider, Secret, Valid, due};

    /// Hands out numbered credentials that last so many seconds, or refuses.
    struct Script {
        asked: Arc<AtomicUsize>,
        /// By number of the question, the last one for all that follow.
        lives: Vec<Option<u64>>,
    }

    impl Fetch for Script {
        fn fetch(&self) -> Fetching<'_> {
            let number = self.asked.fetch_add(1, Ordering::SeqCst);
            let life = self.lives[number.min(self.lives.len() - 1)];
            Box::pin(async move {
                tokio::task::yield_now().await;
                let life = life.ok_or_else(|| CredentialsError("refused".to_owned()))?;
                Ok(Valid {
                    credentials: Credentials {
                        access_key_id: format!("ASIA{number}"),
                        secret_access_key: Secret::new(format!("hush-{number}")),
                        session_token: None,
                    },
                    until: Some(SystemTime::now() + Duration::from_secs(life)),
                })
            })
        }

        fn describe(&self) -> String {
            "a script".to_owned()
        }
    }

    fn provider(lives: &[Option<u64>]) -> (Provider, Arc<AtomicUsize>) {
        let asked = Arc::<AtomicUsize>::default();
        (Provider::fetched(Script { asked: Arc::clone(&asked), lives: lives.to_vec() }), asked)
    }

    async fn id(provider: &Provider) -> Result<String, String> {
        provider.get().await.map(|valid| valid.credentials.access_key_id).map_err(|error| error.to_string())
    }

    #[rstest]
    #[case::an_hour(3600, 3000)]
    #[case::a_quarter(900, 450)]
    #[case::nothing(0, 0)]
    fn new_ones_are_due_some_minutes_before_the_old_run_out(#[case] life: u64, #[case] expected: u64) {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        assert_eq!(due(now, now + Duration::from_secs(life)), now + Duration::from_secs(expected));
        // A clock that is ahead of the service's makes them due at once.
        assert_eq!(due(now, now - Duration::from_secs(1)), now);
    }

    #[tokio::test]
    async fn many_callers_cause_one_question() {
        let (provider, asked) = provider(&[Some(3600)]);
        let mut callers = tokio::task::JoinSet::new();
        for _ in 0..50 {
            let provider = provider.clone();
            callers.spawn(async move { id(&provider).await });
        }
        assert!(callers.join_all().await.iter().all(|got| *got == Ok("ASIA0".to_owned())));
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn what_has_run_out_is_asked_for_anew_and_all_secrets_stay_known() {
        let (provider, asked) = provider(&[Some(0), Some(3600)]);
        assert_eq!(id(&provider).await.as_deref(), Ok("ASIA0"));
        assert_eq!(id(&provider).await.as_deref(), Ok("ASIA1"));
        assert_eq!(id(&provider).await.as_deref(), Ok("ASIA1"));
        assert_eq!(asked.load(Ordering::SeqCst), 2);
        let secrets: Vec<_> = provider.secrets();
        assert_eq!(secrets.iter().map(Secret::expose).collect::<Vec<_>>(), ["hush-0", "hush-1"]);
        assert!(!format!("{provider:?}").contains("hush"));
    }

    #[tokio::test]
    async fn a_refusal_is_told_to_all_and_not_asked_for_again_at_once() {
        let (provider, asked) = provider(&[None, Some(3600)]);
        assert_eq!(id(&provider).await.as_deref().map_err(String::as_str), Err("refused"));
        assert_eq!(id(&provider).await.as_deref().map_err(String::as_str), Err("refused"));
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        assert!(provider.last().is_none());
    }

    #[tokio::test]
    async fn what_is_still_good_is_handed_out_when_no_new_ones_come() {
        // Due at once, as the state says below; good for a while.
        let (provider, _) = provider(&[Some(600), None]);
        assert_eq!(id(&provider).await.as_deref(), Ok("ASIA0"));
        if let super::Source::Fetched(fetched) = &*provider.0 {
            fetched.state.lock().await.held.as_mut().expect("held").due = Some(SystemTime::UNIX_EPOCH);
        }
        assert_eq!(id(&provider).await.as_deref(), Ok("ASIA0"));
        if let super::Source::Fetched(fetched) = &*provider.0 {
            fetched.state.lock().await.held.as_mut().expect("held").valid.until = Some(SystemTime::now());
        }
        assert_eq!(id(&provider).await.as_deref().map_err(String::as_str), Err("refused"));
    }

    #[tokio::test]
    async fn who_does_not_answer_is_not_waited_for_for_ever() {
        struct Silent;
        impl Fetch for Silent {
            fn fetch(&self) -> Fetching<'_> {
                Box::pin(std::future::pending())
            }
            fn describe(&self) -> String {
                "nobody".to_owned()
            }
        }
        let got = Provider::fetched(Silent).get_within(Duration::from_millis(1)).await;
        assert_eq!(got.map_err(|error| error.to_string()), Err("nobody: no answer within 1ms".to_owned()));
    }
}
