//! How requests that come at the same time share the model: one after the other.
//!
//! A server can be made to let them race, in the ways in which servers go wrong: it
//! then works on copies, or in two steps with a gap between them.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use crate::reference::altered::{Race, Switch, Switches};
use crate::reference::model::{Effect, Model, Timestamp};

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
    /// Where effects go, until the server stops.
    effects: Mutex<Option<UnboundedSender<Effect>>>,
}

impl Shared {
    pub(super) fn new(model: Model, race: Option<Race>) -> Self {
        Self { model: Mutex::new(model), race, copy: Mutex::new(None), effects: Mutex::new(None) }
    }

    /// Has effects sent here from now on; nowhere if there is none.
    pub(super) fn send_effects(&self, to: Option<UnboundedSender<Effect>>) {
        *self.effects.lock().unwrap_or_else(PoisonError::into_inner) = to;
    }

    /// Sends on what is to be done outside. The model is still locked, so that effects
    /// go out in the order of the changes.
    fn post(&self, model: &mut Model) {
        let effects = model.take_effects();
        if effects.is_empty() {
            return;
        }
        if let Some(to) = self.effects.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            for effect in effects {
                // Nobody listens any more: the server stops.
                let _stopping = to.send(effect);
            }
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Model> {
        // A panic elsewhere left the model whole: it changes only at the end.
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
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
                self.post(&mut model);
                written
            }
            (Some(Race::WrittenOnCopy), "UpdateRecords") => {
                let mut copy = self.lock().clone();
                let written = perform(&mut copy)?;
                sleep(GAP);
                let mut model = self.lock();
                *model = copy;
                self.post(&mut model);
                Ok(written)
            }
            (Some(Race::ListedFromCopy), "ListRecords") => {
                let mut copy = self.copy.lock().unwrap_or_else(PoisonError::into_inner);
                let is_fresh = |(made, _): &mut (Timestamp, Model)| now.millis() - made.millis() <= COPY_MILLIS;
                copy.take_if(|copy| !is_fresh(copy));
                let (_, model) = copy.get_or_insert_with(|| (now, self.lock().clone()));
                perform(model)
            }
            _ => {
                let mut model = self.lock();
                let done = perform(&mut model);
                self.post(&mut model);
                done
            }
        }
    }
}
