//! Answers that are held back, so that a program is under way for as long as a test wants
//! it to be, on a fast machine and on one that stalls.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use syncspec::wire::Request;

/// Longest time that anything may take to come about.
const PATIENCE: Duration = Duration::from_secs(60);

/// Says which answers are meant, by their requests.
type Which = fn(&Request) -> bool;

/// Holds answers back while it is shut. Clones are one.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<(Mutex<State>, Condvar)>);

/// Open by default.
#[derive(Default)]
struct State {
    /// Which answers it is shut to, and how many of them may pass all the same.
    shut: Option<(Which, usize)>,
    /// How many of them have passed,
    passed: usize,
    /// and how many were held back.
    held: usize,
}

impl Gate {
    /// Lets so many more answers to `which` requests pass, and then none.
    pub(crate) fn shut_after(&self, passing: usize, which: Which) {
        *self.state() = State { shut: Some((which, passing)), ..State::default() };
    }

    pub(crate) fn open(&self) {
        *self.state() = State::default();
        self.0.1.notify_all();
    }

    /// How many of the answers that it is shut to have passed.
    pub(crate) fn passed(&self) -> usize {
        self.state().passed
    }

    /// Whether it holds an answer back.
    pub(crate) fn holds(&self) -> bool {
        self.state().held > 0
    }

    /// For a proxy: takes as long as the answer to this request is held back.
    pub(crate) fn pass(&self, request: &Request) {
        let mut state = self.state();
        let Some((which, passing)) = state.shut else { return };
        if !which(request) {
            return;
        }
        if state.passed < passing {
            state.passed += 1;
            return;
        }
        state.held += 1;
        tokio::task::block_in_place(|| drop(self.0.1.wait_while(state, |state| state.shut.is_some())));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits until something holds.
#[track_caller]
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
