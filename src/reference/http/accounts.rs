//! Several accounts behind one address. Each has a model of its own, so that nothing
//! needs to check whether one account reaches into another: there is nothing there.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use super::claim::Claim;
use super::handler::Handler;
use crate::reference::altered::Departure;
use crate::reference::model::{Caller, Counts, PieceKey, Restored, Timestamp};
use crate::reference::store::{State, Store};
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
    pub(super) handler: Handler,
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
    /// owners or a pool two accounts, or when a pattern of the description does not
    /// compile.
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
            accounts.push(Account { id: world.account_id.clone(), handler });
        }
        if accounts.is_empty() {
            return Err(invalid("there is no account".to_owned()));
        }
        Ok(Self { accounts, by_key })
    }

    /// Gives the models what the state holds, and has it follow them from then on.
    pub(super) fn restore(
        &mut self,
        state: State,
    ) -> Result<(Arc<Store>, Unreachable), crate::reference::store::StateError> {
        let mut unreachable = Unreachable::default();
        state.read(&mut |key, form| {
            for account in &mut self.accounts {
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
        for account in &mut self.accounts {
            account.handler.model().follow_with(Arc::clone(&store));
            account.handler.model().lock().touch_pools();
        }
        Ok((store, unreachable))
    }

    /// The account whose key a request names, and the key's owner.
    pub(super) fn caller(&self, request: &Request) -> Option<(&Account, &Caller)> {
        let key = Claim::read(request).ok()?.access_key_id;
        let account = self.accounts.get(*self.by_key.get(&key)?)?;
        Some((account, account.handler.owner(&key)?))
    }

    /// Who answers a request. A request that names no known key is refused by all alike.
    pub(super) fn handler(&self, request: &Request) -> &Handler {
        let only_one = self.accounts.len() == 1;
        let named = if only_one { None } else { self.caller(request) };
        &named.map_or(&self.accounts[0], |(account, _)| account).handler
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
