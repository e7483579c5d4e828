//! How requests that come at the same time share the model: one after the other.
//!
//! A server can be made to let them race, in the ways in which servers go wrong: it
//! then works on copies, or in two steps with a gap between them.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use crate::reference::altered::{Race, Switch, Switches};
use crate::reference::model::{Model, Timestamp};
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
    store: Option<Arc<Store>>,
}

/// The model, locked. What was changed meanwhile is handed to the store, if there is
/// one, before anybody else can lock it.
pub(super) struct Locked<'s> {
    model: MutexGuard<'s, Model>,
    store: Option<&'s Store>,
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
        match self.store {
            Some(store) => store.follow(self.model.take_changes()),
            None => self.model.forget_changes(),
        }
    }
}

impl Shared {
    pub(super) fn new(model: Model, race: Option<Race>) -> Self {
        Self { model: Mutex::new(model), race, copy: Mutex::new(None), store: None }
    }

    /// Has `store` follow every change from here on.
    pub(super) fn follow_with(&mut self, store: Arc<Store>) {
        self.store = Some(store);
    }

    pub(super) fn lock(&self) -> Locked<'_> {
        // A panic elsewhere left the model whole: it changes only at the end.
        let model = self.model.lock().unwrap_or_else(PoisonError::into_inner);
        Locked { model, store: self.store.as_deref() }
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
                *self.lock() = copy;
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
