//! How much of a run still goes on, as cases under way see it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

/// After an interruption, cases under way have this long to come to their end.
const GRACE: Duration = Duration::from_secs(5);

/// After that, clean-up has this long for whatever request it is at.
const FOR_CLEAN_UP: Duration = Duration::from_secs(5);

/// How much goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// Everything.
    Going,
    /// No steps, but clean-up.
    Interrupted,
    /// Nothing: nobody would answer.
    Gone,
}

/// Tells cases under way to give up. Clones are one.
#[derive(Debug, Clone)]
pub(super) struct Halt(Arc<watch::Sender<Phase>>);

impl Default for Halt {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Phase::Going)))
    }
}

impl Halt {
    /// The run was interrupted: steps are given up in a while.
    pub(super) fn interrupt(&self) {
        let halt = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(GRACE).await;
            halt.reach(Phase::Interrupted);
        });
    }

    /// The endpoint is gone: everything is given up now.
    pub(super) fn gone(&self) {
        self.reach(Phase::Gone);
    }

    fn reach(&self, phase: Phase) {
        self.0.send_if_modified(|now| {
            let further = phase > *now;
            *now = phase.max(*now);
            further
        });
    }

    /// Whether steps are given up.
    pub(super) fn ends_steps(&self) -> bool {
        *self.0.borrow() > Phase::Going
    }

    /// Waits until steps are given up; why.
    pub(super) async fn of_steps(&self) -> String {
        match self.wait(Phase::Interrupted).await {
            Phase::Gone => "given up, since the endpoint is gone".to_owned(),
            Phase::Going | Phase::Interrupted => "given up, since the run was interrupted".to_owned(),
        }
    }

    /// Waits until clean-up is given up; why.
    pub(super) async fn of_clean_up(&self) -> String {
        let in_time = async {
            self.wait(Phase::Interrupted).await;
            tokio::time::sleep(FOR_CLEAN_UP).await;
        };
        tokio::select! {
            _ = self.wait(Phase::Gone) => "given up, since the endpoint is gone".to_owned(),
            () = in_time => format!("given up after {FOR_CLEAN_UP:?}, since the run was interrupted"),
        }
    }

    async fn wait(&self, least: Phase) -> Phase {
        let mut phase = self.0.subscribe();
        let reached = phase.wait_for(|phase| *phase >= least).await.map(|phase| *phase);
        match reached {
            Ok(phase) => phase,
            // Who sends is held by `self`.
            Err(_) => std::future::pending().await,
        }
    }
}
