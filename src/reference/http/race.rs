//! How requests that come at the same time share the model: one after the other.
//!
//! A server can be made to let them race, in the ways in which servers go wrong: it
//! then works on copies, or in two steps with a gap between them.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use crate::reference::altered::{Race, Switch, Switches};
use crate::reference::model::{Effect, Model, Timestamp};
use crate::reference::store::Store;

/// The gap between two steps: long enough for another request to come between.
const GAP: Duration = Duration::from_millis(1);

/// How old a copy for listings may grow, in milliseconds.
const COPY_MILLIS: i64 = 20;

/// The model, for one request at a time unless they are to race.
pub(super) struct Shared {
    model: Mutex<Model>,
    race: Option<Race>,
    /// For listings that look at a copy: the copy, and when it was made.
    copy: Mutex<Option<(Timestamp, Model)>>,
    /// Follows every change, if there is one.
    store: OnceLock<Arc<Store>>,
    /// Where effects go, until the server stops.
    effects: Mutex<Option<UnboundedSender<Posted>>>,
}

/// An effect, and the latest change that the store was given when it came about.
pub(super) struct Posted {
    pub(super) effect: Effect,
    pub(super) change: u64,
}

/// The model, locked. Before anybody else can lock it, what was changed meanwhile is
/// handed to the store, if there is one, and what is to be done outside is sent on:
/// both thus come in the order of the changes.
pub(super) struct Locked<'s> {
    model: MutexGuard<'s, Model>,
    shared: &'s Shared,
}

impl Deref for Locked<'_> {
    type Target = Model;

    fn deref(&self) -> &Model {
        &self.model
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut Model {
        &mut self.model
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        match self.shared.store() {
            Some(store) => store.follow(self.model.take_changes()),
            None => self.model.forget_changes(),
        }
        self.shared.post(self.model.take_effects());
    }
}

impl Shared {
    pub(super) fn new(model: Model, race: Option<Race>) -> Self {
        let (copy, effects) = (Mutex::new(None), Mutex::new(None));
        Self { model: Mutex::new(model), race, copy, store: OnceLock::new(), effects }
    }

    /// Has effects sent here from now on; nowhere if there is none.
    pub(super) fn send_effects(&self, to: Option<UnboundedSender<Posted>>) {
        *self.effects.lock().unwrap_or_else(PoisonError::into_inner) = to;
    }

    fn post(&self, effects: Vec<Effect>) {
        if effects.is_empty() {
            return;
        }
        let change = self.store().map_or(0, |store| store.last());
        if let Some(to) = self.effects.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            for effect in effects {
                // Nobody listens any more: the server stops.
                let _stopping = to.send(Posted { effect, change });
            }
        }
    }

    /// Has `store` follow every change from here on. The first one that is given stays.
    pub(super) fn follow_with(&self, store: &Arc<Store>) {
        self.store.get_or_init(|| Arc::clone(store));
    }

    /// Waits until everything that was changed before is kept; false if it never will be.
    pub(super) async fn is_kept(&self) -> bool {
        match self.store() {
            Some(store) => store.settled().await.is_ok(),
            None => true,
        }
    }

    fn store(&self) -> Option<&Store> {
        self.store.get().map(Arc::as_ref)
    }

    pub(super) fn lock(&self) -> Locked<'_> {
        // A panic elsewhere left the model whole: it changes only at the end.
        let model = self.model.lock().unwrap_or_else(PoisonError::into_inner);
        Locked { model, shared: self }
    }

    /// Does what an operation does.
    pub(super) fn call<T, E>(
        &self,
        operation: &str,
        now: Timestamp,
        perform: &dyn Fn(&mut Model) -> Result<T, E>,
    ) -> Result<T, E> {
        match (self.race, operation) {
            (Some(Race::CheckedThenWritten), "UpdateRecords") => {
                let mut copy = self.lock().clone();
                perform(&mut copy)?;
                sleep(GAP);
                let mut model = self.lock();
                let switches = model.switch(Switches::from(vec![Switch::StaleAccepted]));
                let written = perform(&mut model);
                model.switch(switches);
                written
            }
            (Some(Race::WrittenOnCopy), "UpdateRecords") => {
                let mut copy = self.lock().clone();
                let written = perform(&mut copy)?;
                sleep(GAP);
                let mut model = self.lock();
                *model = copy;
                Ok(written)
            }
            (Some(Race::ListedFromCopy), "ListRecords") => {
                let mut copy = self.copy.lock().unwrap_or_else(PoisonError::into_inner);
                let is_fresh = |(made, _): &mut (Timestamp, Model)| now.millis() - made.millis() <= COPY_MILLIS;
                copy.take_if(|copy| !is_fresh(copy));
                let (_, model) = copy.get_or_insert_with(|| (now, self.lock().clone()));
                perform(model)
            }
            _ => perform(&mut self.lock()),
        }
    }
}
