//! What outlives the process: a file that follows the model, call by call.
//!
//! The model stays in memory and is the only one that answers. While it is locked for
//! a call, what the call changed is put into a queue; a thread takes whatever waits
//! there and writes it in one transaction. An answer leaves when everything that was
//! changed before it is on the disk: what a client was told, changed by itself or by
//! somebody else, is never taken back. Calls that come at the same time thus share
//! the cost of one write.
//!
//! Invariants:
//!
//! - changes are queued in the order in which the model made them, those of one call
//!   together, so that the file is always the model at some moment between two calls;
//!   what other services cause in the model counts as a call;
//! - when a write fails, nothing more is written, and nobody is answered from the
//!   memory that is now ahead of the file: the server says so and stops.

mod file;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::watch;

pub use self::file::StateError;
use self::file::{StateFile, Take};
use crate::reference::model::Piece;

/// A state file that was opened and not yet served from.
#[derive(Debug)]
pub struct State {
    file: StateFile,
    session_key: [u8; 32],
}

impl State {
    /// Opens a state file; makes it when there is none, or an empty one. Only its owner
    /// may read a file that was made here (on Unix).
    ///
    /// # Errors
    ///
    /// When it is in use, not a state file, written by a newer version, damaged, or
    /// not to be read or written.
    pub fn open(path: &Path) -> Result<Self, StateError> {
        let mut new_session_key = [0; 32];
        getrandom::fill(&mut new_session_key)
            .map_err(|error| StateError::Unusable { path: path.display().to_string(), what: error.to_string() })?;
        // The database may panic over a file that something else wrote into.
        let opened = catch_unwind(|| StateFile::open(path, new_session_key));
        let file = opened.unwrap_or_else(|_| {
            Err(StateError::Damaged {
                path: path.display().to_string(),
                what: "its pages do not fit together".to_owned(),
            })
        })?;
        Ok(Self { session_key: file.session_key()?, file })
    }

    /// What sync sessions are signed with, those from before too.
    pub(super) fn session_key(&self) -> [u8; 32] {
        self.session_key
    }

    /// Gives every piece to `take`, each before those that stand in it.
    pub(super) fn read(&self, take: Take<'_>) -> Result<(), StateError> {
        self.file.read_all(take)
    }
}

/// How far the file has come.
#[derive(Debug, Clone, Default)]
struct Progress {
    /// Number of the latest call whose changes are on the disk.
    done: u64,
    /// Why nothing more will be.
    failed: Option<Arc<str>>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Vec<Piece>,
    /// Number of the latest call whose changes came here.
    last: u64,
    closing: bool,
}

#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue>,
    woken: Condvar,
    progress: watch::Sender<Progress>,
}

/// Follows the model with a file.
#[derive(Debug)]
pub(super) struct Store {
    shared: Arc<Shared>,
    writing: Mutex<Option<JoinHandle<()>>>,
}

impl Store {
    /// Follows from here on. What the file holds must have been given to the model.
    pub(super) fn start(state: State) -> Self {
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            woken: Condvar::new(),
            progress: watch::Sender::new(Progress::default()),
        });
        let writing = std::thread::spawn({
            let shared = Arc::clone(&shared);
            move || shared.write_all(&state.file)
        });
        Self { shared, writing: Mutex::new(Some(writing)) }
    }

    /// Has the file follow what a call changed. To be called while the model is locked.
    pub(super) fn follow(&self, changes: Vec<Piece>) {
        if changes.is_empty() {
            return;
        }
        let mut queue = self.shared.queue();
        queue.waiting.extend(changes);
        queue.last += 1;
        drop(queue);
        self.shared.woken.notify_one();
    }

    /// Waits until everything that came before is on the disk.
    ///
    /// # Errors
    ///
    /// Why it never will be.
    pub(super) async fn settled(&self) -> Result<(), Arc<str>> {
        self.reached(self.last()).await
    }

    /// Number of the latest call whose changes came here.
    pub(super) fn last(&self) -> u64 {
        self.shared.queue().last
    }

    /// Waits until the changes of this call, and all before it, are on the disk.
    ///
    /// # Errors
    ///
    /// Why they never will be.
    pub(super) async fn reached(&self, last: u64) -> Result<(), Arc<str>> {
        let mut progress = self.shared.progress.subscribe();
        let reached = progress.wait_for(|progress| progress.failed.is_some() || progress.done >= last).await;
        match reached.map(|progress| progress.failed.clone()) {
            Ok(None) => Ok(()),
            Ok(Some(why)) => Err(why),
            Err(_) => Err("the state file is closed".into()),
        }
    }

    /// Waits until the file cannot be written any more, and says why. For ever, if
    /// nothing is wrong.
    pub(super) async fn failure(&self) -> Arc<str> {
        let mut progress = self.shared.progress.subscribe();
        let failed = progress.wait_for(|progress| progress.failed.is_some()).await;
        match failed.map(|progress| progress.failed.clone()) {
            Ok(Some(why)) => why,
            _ => std::future::pending().await,
        }
    }

    /// Whether the file could be written until now.
    pub(super) fn is_sound(&self) -> bool {
        self.shared.progress.borrow().failed.is_none()
    }

    /// Writes what still waits, and closes the file.
    pub(super) fn close(&self) {
        self.shared.queue().closing = true;
        self.shared.woken.notify_one();
        let writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writing) = writing {
            // It catches its own panics.
            let _ended = writing.join();
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what waits, all of it at a time, until the store is closed.
    fn write_all(&self, file: &StateFile) {
        loop {
            let mut queue = self.queue();
            while queue.waiting.is_empty() && !queue.closing {
                queue = self.woken.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
            let (pieces, last) = (std::mem::take(&mut queue.waiting), queue.last);
            drop(queue);
            if pieces.is_empty() {
                return;
            }
            let written = catch_unwind(AssertUnwindSafe(|| file.write(&pieces)));
            match written.unwrap_or_else(|_| Err("the database failed".to_owned())) {
                Ok(()) => self.progress.send_modify(|progress| progress.done = last),
                Err(why) => {
                    self.progress.send_modify(|progress| progress.failed = Some(why.into()));
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
