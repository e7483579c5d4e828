//! Several clients on one dataset, truly in parallel.
//!
//! Each client is a device of one identity that syncs again and again: it lists,
//! and writes on top of the counts that it knows, to few keys, so that it often
//! comes too late. Now and then its counts are wrong on purpose, or it deletes the
//! dataset. Every value is written once only. What each client chooses is fixed by
//! the seed; what comes of it also depends on how the clients meet.
//!
//! Everything is recorded with the moments at which it was sent and answered, and
//! [`history`] tells whether it can have been.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::dice::Dice;
use super::history::{self, Call, Counts, History, Key, Listing, Operation, Outcome, Patch, Verdict};
use super::line::{Answer, Line};
use super::send::deletion;
use crate::client::Client;
use crate::journal::{Ledger, Number};
use crate::target::Target;

/// How often progress is told.
const TOLD_EVERY: Duration = Duration::from_millis(100);

/// In a hundred turns: only a listing; a wrong count in a patch; a removal.
const ONLY_LISTS: u64 = 30;
const WRONG_COUNTS: u64 = 8;
const REMOVALS: u64 = 10;

/// How the clients behave, and for how long.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Clients at the same time.
    pub clients: u32,
    /// Datasets that they share; all are made new.
    pub datasets: u32,
    /// Keys that they write to.
    pub keys: u32,
    /// Most patches of a call.
    pub patches: u32,
    /// Deletions in a thousand turns.
    pub deletions: u64,
    /// Writes that are sent again, with the same token, of a hundred whose answer was
    /// lost. None are while there are deletions: after one, both may rightly be made.
    pub retries: u64,
    /// Ends after so many calls,
    pub operations: u64,
    /// or after this time.
    pub time: Duration,
    /// Fixes what the clients choose.
    pub seed: u64,
    /// How many calls may be looked at again while searching.
    pub budget: u64,
    /// Ends when it turns true; none when nobody can stop it.
    pub cancel: Option<watch::Receiver<bool>>,
    /// What is made is written down here first.
    pub ledger: Arc<Ledger>,
}

impl Default for Settings {
    /// 8 clients, 1 dataset, 4 keys, for 10 seconds.
    fn default() -> Self {
        Self {
            clients: 8,
            datasets: 1,
            keys: 4,
            patches: 3,
            deletions: 5,
            retries: 50,
            operations: u64::MAX,
            time: Duration::from_secs(10),
            seed: 0,
            budget: 50_000_000,
            cancel: None,
            ledger: Arc::default(),
        }
    }
}

/// What clients did, and whether it can have been.
#[derive(Debug)]
pub struct Finished {
    /// All calls.
    pub history: History,
    /// What became of them, in numbers.
    pub counts: Counts,
    /// Whether they fit together.
    pub verdict: Verdict,
    /// Writes that were sent again.
    pub retried: u64,
    /// How long it took, without the check.
    pub elapsed: Duration,
}

/// Lets clients work on new datasets, whose names begin with `name`, of the target's
/// first identity, and checks what they saw. Requests are addressed to `client`'s
/// endpoint and sent through `through`, which is the same client, or leads to what
/// stands before the endpoint. `progress` hears how many calls were made.
///
/// # Errors
///
/// A sentence when the target has no identity, or a request cannot be made.
pub async fn fuzz(
    target: Arc<Target>,
    client: &Client,
    through: &Client,
    name: &str,
    settings: &Settings,
    mut progress: impl FnMut(u64),
) -> Result<Finished, String> {
    let line = Line::new(target, client.clone(), through.clone())?;
    let shared = Arc::new(Shared {
        line,
        settings: settings.clone(),
        datasets: (0..settings.datasets.max(1)).map(|number| format!("{name}-{number}")).collect(),
        made: AtomicU64::new(0),
        begun: Instant::now(),
    });
    let mut owed = Vec::new();
    for dataset in &shared.datasets {
        let number = settings.ledger.owe(|| deletion(shared.line.place(dataset)));
        owed.push(number.map_err(|error| format!("what is made cannot be written into the journal: {error}"))?);
    }
    let mut working = JoinSet::new();
    for number in 0..settings.clients {
        working.spawn(Device::new(Arc::clone(&shared), number).work());
    }
    let (mut history, mut retried) = (History::new(), 0);
    let mut ticks = tokio::time::interval(TOLD_EVERY);
    loop {
        tokio::select! {
            _ = ticks.tick() => progress(shared.made.load(Ordering::Relaxed)),
            ended = working.join_next() => {
                let Some(ended) = ended else { break };
                let device = ended.map_err(|error| format!("a client broke down: {error}"))??;
                history.extend(&device.history);
                retried += device.retried;
            }
        }
    }
    let elapsed = shared.begun.elapsed();
    shared.clean_up(client, &owed).await;
    let counts = Counts::of(&history);
    let verdict = history::check(&history, settings.budget);
    Ok(Finished { history, counts, verdict, retried, elapsed })
}

/// What all clients know.
struct Shared {
    line: Line,
    settings: Settings,
    datasets: Vec<String>,
    made: AtomicU64,
    begun: Instant,
}

impl Shared {
    /// Deletes what was made, past whatever loses requests. What is left over harms
    /// no later run, whose names are others.
    async fn clean_up(&self, client: &Client, owed: &[Number]) {
        let line = self.line.through(client.clone());
        for (dataset, number) in self.datasets.iter().zip(owed) {
            line.turn().await;
            if line.delete(dataset).await {
                self.settings.ledger.paid(*number);
            }
        }
    }
}

/// One client.
struct Device {
    shared: Arc<Shared>,
    number: u32,
    dice: Dice,
    history: History,
    keys: Vec<Key>,
    /// What it knows of each dataset.
    known: Vec<Known>,
    retried: u64,
}

/// What a client knows of a dataset.
#[derive(Debug, Clone, Default)]
struct Known {
    /// The count up to which it has listed; 0 when there was nothing.
    count: i64,
    records: BTreeMap<Key, i64>,
}

impl Known {
    fn learn(&mut self, listing: &Listing) {
        if !listing.exists || listing.deleted {
            *self = Self::default();
        }
        if listing.exists {
            self.count = listing.count;
            self.records.extend(listing.records.iter().map(|record| (record.key, record.count)));
        }
    }
}

impl Device {
    fn new(shared: Arc<Shared>, number: u32) -> Self {
        let mut history = History::new();
        let keys = (0..shared.settings.keys.max(1)).map(|key| history.key(&format!("key-{key}"))).collect();
        // Seeds that lie side by side lead to numbers that have nothing in common.
        let seed = Dice::new(shared.settings.seed ^ (u64::from(number) << 32)).next();
        let known = vec![Known::default(); shared.datasets.len()];
        Self { shared, number, dice: Dice::new(seed), history, keys, known, retried: 0 }
    }

    async fn work(mut self) -> Result<Self, String> {
        while self.has_time() {
            let dataset = self.dice.below(self.known.len() as u64) as usize;
            let since = if self.dice.percent(50) { self.known[dataset].count } else { 0 };
            let listed = self.call(dataset, Call::List { since }, None).await?;
            if let Outcome::Listed(listing) = &listed.outcome {
                self.known[dataset].learn(listing);
            } else {
                self.known[dataset] = Known::default();
            }
            if self.dice.percent(ONLY_LISTS) {
                continue;
            }
            if self.dice.below(1000) < self.shared.settings.deletions {
                self.call(dataset, Call::Delete, None).await?;
            } else if let Some(token) = listed.token {
                let call = Call::Update(self.patches(dataset));
                let written = self.call(dataset, call, Some(&token)).await?;
                if let Outcome::Written(records) = &written.outcome {
                    self.known[dataset].records.extend(records.iter().map(|record| (record.key, record.count)));
                }
            }
        }
        Ok(self)
    }

    fn has_time(&self) -> bool {
        let Shared { settings, made, begun, .. } = &*self.shared;
        let is_stopped = settings.cancel.as_ref().is_some_and(|cancel| *cancel.borrow());
        !is_stopped && made.load(Ordering::Relaxed) < settings.operations && begun.elapsed() < settings.time
    }

    /// Makes a call and records it.
    async fn call(&mut self, dataset: usize, call: Call, token: Option<&str>) -> Result<Answer, String> {
        let shared = Arc::clone(&self.shared);
        shared.line.turn().await;
        let request = shared.line.request(&shared.datasets[dataset], &call, token, &self.history).await?;
        let invoked = self.now();
        let mut answer = shared.line.send(request.clone(), &call, &mut self.history).await;
        if answer.outcome == Outcome::Unknown && self.may_retry(dataset, &call) {
            self.retried += 1;
            answer = shared.line.send(request, &call, &mut self.history).await;
            // The first try may have been made, and may be why the second was refused.
            if !matches!(answer.outcome, Outcome::Written(_)) {
                answer.outcome = Outcome::Unknown;
            }
        }
        let (returned, outcome) = (self.now(), answer.outcome.clone());
        let (client, dataset) = (self.number, dataset as u32);
        self.history.operations.push(Operation { client, dataset, invoked, returned, call, outcome });
        shared.made.fetch_add(1, Ordering::Relaxed);
        Ok(answer)
    }

    /// Whether a write may be sent again: never on a count ahead of the record's,
    /// since both might rightly be made.
    fn may_retry(&mut self, dataset: usize, call: &Call) -> bool {
        let Call::Update(patches) = call else { return false };
        let known = &self.known[dataset].records;
        let is_ahead = |patch: &Patch| patch.base > known.get(&patch.key).copied().unwrap_or(0);
        let settings = &self.shared.settings;
        settings.deletions == 0 && !patches.iter().any(is_ahead) && self.dice.percent(settings.retries)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.shared.begun.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn patches(&mut self, dataset: usize) -> Vec<Patch> {
        let most = u64::from(self.shared.settings.patches.max(1)).min(self.keys.len() as u64);
        let count = 1 + self.dice.below(most) as usize;
        let first = self.dice.below(self.keys.len() as u64) as usize;
        let mut patches = Vec::with_capacity(count);
        for at in 0..count {
            let key = self.keys[(first + at) % self.keys.len()];
            let known = self.known[dataset].records.get(&key).copied().unwrap_or(0);
            let base = match self.dice.percent(WRONG_COUNTS) {
                true => (known + [-2, -1, 1][self.dice.below(3) as usize]).max(0),
                false => known,
            };
            let value = match self.dice.percent(REMOVALS) {
                true => None,
                false => {
                    let text = format!("{}-{}-{at}", self.number, self.history.operations.len());
                    Some(self.history.value(&text))
                }
            };
            patches.push(Patch { key, base, value });
        }
        patches
    }
}
