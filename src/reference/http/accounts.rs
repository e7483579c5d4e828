//! Several accounts behind one address. Each has a model of its own, so that nothing
//! needs to check whether one account reaches into another: there is nothing there.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

use super::claim::Claim;
use super::handler::Handler;
use super::race::Posted;
use crate::reference::altered::Departure;
use crate::reference::clock::Clock;
use crate::reference::collaborators::{Desk, Outside, follow};
use crate::reference::model::{Caller, Counts, Effect, PieceKey, Restored, Timestamp};
use crate::reference::store::{State, StateError, Store};
use crate::reference::world::World;
use crate::spec::Service;
use crate::wire::Request;

/// The accounts of a server.
pub(super) struct Accounts {
    /// Never empty; the first also answers those whom nobody knows.
    accounts: Vec<Account>,
    by_key: HashMap<String, usize>,
}

/// One account.
pub(super) struct Account {
    pub(super) id: String,
    pub(super) handler: Arc<Handler>,
    /// The other services that it calls.
    pub(super) outside: Arc<Outside>,
}

/// What a state file held that no world has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unreachable {
    /// Ids of the pools.
    pub pools: Vec<String>,
    /// Ids of identities in pools that there are.
    pub identities: Vec<String>,
}

impl Accounts {
    /// Accounts with nothing in them. Fails when there is none, when a key has two
    /// owners or a pool two accounts, when a pattern of the description does not
    /// compile, or when another service cannot be called at its address.
    pub(super) fn new(
        service: &Arc<Service>,
        worlds: &[World],
        departure: &Departure,
        session_key: [u8; 32],
        now: Timestamp,
    ) -> io::Result<Self> {
        let invalid = |what: String| io::Error::new(io::ErrorKind::InvalidInput, what);
        let (mut accounts, mut by_key, mut pools) = (Vec::new(), HashMap::new(), HashMap::new());
        for (at, world) in worlds.iter().enumerate() {
            let identities = world.pools.iter().flat_map(|pool| &pool.identities).map(|identity| &identity.keys);
            for keys in identities.chain([&world.developer]) {
                if by_key.insert(keys.access_key_id.clone(), at).is_some() {
                    return Err(invalid(format!("the access key {} has two owners", keys.access_key_id)));
                }
            }
            for pool in &world.pools {
                if pools.insert(&pool.identity_pool_id, at).is_some() {
                    return Err(invalid(format!("the pool {} exists twice", pool.identity_pool_id)));
                }
            }
            let handler = Handler::new(Arc::clone(service), world, departure.clone(), session_key, now)
                .map_err(|error| invalid(error.to_string()))?;
            let outside = Outside::new(&world.collaborators, &world.region, departure).map_err(invalid)?;
            let (id, handler, outside) = (world.account_id.clone(), Arc::new(handler), Arc::new(outside));
            accounts.push(Account { id, handler, outside });
        }
        if accounts.is_empty() {
            return Err(invalid("there is no account".to_owned()));
        }
        Ok(Self { accounts, by_key })
    }

    /// Gives the models what the state holds, and has it follow them from then on.
    pub(super) fn restore(&self, state: State, now: Timestamp) -> Result<(Arc<Store>, Unreachable), StateError> {
        let mut unreachable = Unreachable::default();
        state.read(&mut |key, form| {
            for account in &self.accounts {
                let restored = account.handler.model().lock().restore(key, form);
                match restored.map_err(|error| error.to_string())? {
                    Restored::Taken => return Ok(()),
                    Restored::Unknown => {}
                }
            }
            match key {
                PieceKey::Pool(pool) => unreachable.pools.push(pool.clone()),
                PieceKey::Identity(pool, identity) if !unreachable.pools.contains(pool) => {
                    unreachable.identities.push(identity.clone());
                }
                _ => {}
            }
            Ok(())
        })?;
        let store = Arc::new(Store::start(state));
        for account in &self.accounts {
            account.handler.model().follow_with(&store);
            account.handler.model().lock().resume(now);
        }
        Ok((store, unreachable))
    }

    /// The account whose key a request names, and the key's owner.
    pub(super) fn caller(&self, request: &Request) -> Option<(&Account, &Caller)> {
        let key = Claim::read(request).ok()?.access_key_id;
        let account = self.accounts.get(*self.by_key.get(&key)?)?;
        Some((account, account.handler.owner(&key)?))
    }

    /// Sees to what follows from answers, until [`Accounts::stop_effects`] is called and
    /// a second more. Nothing of it runs where no other service is called.
    pub(super) fn follow_effects(&self, store: Option<&Arc<Store>>, clock: Clock) -> JoinSet<()> {
        let mut following = JoinSet::new();
        for Account { handler, outside, .. } in self.accounts.iter().filter(|account| account.outside.is_anybody()) {
            let ((post, posted), (to, effects)) = (unbounded_channel(), unbounded_channel());
            handler.send_effects(Some(post));
            following.spawn(when_kept(store.cloned(), posted, to));
            let desk: Arc<dyn Desk> = Arc::<Handler>::clone(handler);
            following.spawn(follow(Arc::clone(outside), desk, effects, clock));
        }
        following
    }

    /// Lets nothing more follow from answers.
    pub(super) fn stop_effects(&self) {
        self.accounts.iter().for_each(|account| account.handler.send_effects(None));
    }

    /// Who answers a request. A request that names no known key is refused by all alike.
    pub(super) fn account(&self, request: &Request) -> &Account {
        let only_one = self.accounts.len() == 1;
        let named = if only_one { None } else { self.caller(request) };
        named.map_or(&self.accounts[0], |(account, _)| account)
    }

    /// Who answers what cannot be read.
    pub(super) fn any_handler(&self) -> &Handler {
        &self.accounts[0].handler
    }

    /// Each account's id, and what it holds.
    pub(super) fn counts(&self) -> impl Iterator<Item = (&str, Counts)> {
        self.accounts.iter().map(|account| (account.id.as_str(), account.handler.counts()))
    }
}

/// Passes effects on when the changes that they follow from are kept, so that no
/// stream or device hears of what might be lost.
async fn when_kept(store: Option<Arc<Store>>, mut posted: UnboundedReceiver<Posted>, to: UnboundedSender<Effect>) {
    while let Some(Posted { effect, change }) = posted.recv().await {
        if let Some(store) = &store
            && store.reached(change).await.is_err()
        {
            return;
        }
        if to.send(effect).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::Ordering;

    use tokio::sync::mpsc::unbounded_channel;

    use super::{Posted, when_kept};
    use crate::reference::model::{DatasetPlace, Effect, Notification, Piece, PieceKey};
    use crate::reference::store::Store;
    use crate::reference::store::tests::faulty_state;

    #[tokio::test]
    async fn what_is_not_kept_has_no_effects() {
        let (state, fails) = faulty_state();
        let store = Arc::new(Store::start(state));
        let (post, posted) = unbounded_channel();
        let (to, mut effects) = unbounded_channel();
        let forwarding = tokio::spawn(when_kept(Some(Arc::clone(&store)), posted, to));
        let change = |form: &[u8]| {
            store.follow(vec![Piece { key: PieceKey::Pool("p".to_owned()), form: Some(form.to_vec()) }]);
            let effect = Effect::Notify(Notification {
                endpoint_arn: "arn".to_owned(),
                platform: "GCM".to_owned(),
                place: DatasetPlace {
                    identity_pool_id: "p".to_owned(),
                    identity_id: "i".to_owned(),
                    dataset_name: "d".to_owned(),
                },
                sync_count: 1,
            });
            post.send(Posted { effect, change: store.last() }).is_ok()
        };
        assert!(change(b"1"));
        assert!(effects.recv().await.is_some());
        fails.store(true, Ordering::SeqCst);
        assert!(change(b"2"));
        forwarding.await.expect("it ends");
        assert_eq!(effects.recv().await, None);
    }
}
