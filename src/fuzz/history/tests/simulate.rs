//! Histories of a server that is right, and ways to spoil them.

use std::collections::BTreeMap;

use crate::fuzz::dice::Dice;
use crate::fuzz::history::{Call, History, Key, Listing, Operation, Outcome, Patch, Record, Value};

/// What is simulated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) clients: u32,
    pub(crate) keys: u64,
    pub(crate) calls: usize,
    /// Deletions, lost answers: of a hundred.
    pub(crate) deletions: u64,
    pub(crate) lost: u64,
    /// Conflicts tell the count.
    pub(crate) told: bool,
    pub(crate) deletion_steps: bool,
}

#[derive(Default)]
struct State {
    count: i64,
    exists: bool,
    deleted: i64,
    records: BTreeMap<Key, (i64, Option<Value>)>,
}

enum Client {
    Idle,
    Sent { at: usize },
    Done { at: usize },
}

/// A history as a server that is right gives it: each call takes effect in one
/// moment between its sending and its answer.
pub(crate) fn simulate(dice: &mut Dice, kind: Kind) -> History {
    let mut history = History::new();
    let keys: Vec<Key> = (0..kind.keys).map(|key| history.key(&format!("k{key}"))).collect();
    let mut state = State::default();
    let mut clients: Vec<Client> = (0..kind.clients).map(|_| Client::Idle).collect();
    let mut known: Vec<BTreeMap<Key, i64>> = vec![BTreeMap::new(); clients.len()];
    let mut counts = vec![0; clients.len()];
    let mut time = 0;
    loop {
        time += 1;
        let open = clients.iter().filter(|client| !matches!(client, Client::Idle)).count();
        if open == 0 && history.operations.len() >= kind.calls {
            return history;
        }
        let who = dice.below(clients.len() as u64) as usize;
        clients[who] = match clients[who] {
            Client::Idle if history.operations.len() >= kind.calls => Client::Idle,
            Client::Idle => {
                let call = call(dice, kind, &keys, &mut history, &known[who], counts[who]);
                let (client, outcome) = (who as u32, Outcome::Refused);
                history.operations.push(Operation { client, dataset: 0, invoked: time, returned: 0, call, outcome });
                Client::Sent { at: history.operations.len() - 1 }
            }
            Client::Sent { at } => {
                let lost = dice.percent(kind.lost);
                if !(lost && dice.percent(50)) {
                    history.operations[at].outcome = answer(&mut state, kind, &history.operations[at].call);
                }
                if lost {
                    history.operations[at].outcome = Outcome::Unknown;
                }
                Client::Done { at }
            }
            Client::Done { at } => {
                history.operations[at].returned = time;
                learn(&history.operations[at].outcome, &mut known[who], &mut counts[who]);
                Client::Idle
            }
        };
    }
}

fn learn(outcome: &Outcome, known: &mut BTreeMap<Key, i64>, count: &mut i64) {
    match outcome {
        Outcome::Listed(listing) => {
            *count = if listing.exists { listing.count } else { 0 };
            known.extend(listing.records.iter().map(|record| (record.key, record.count)));
            if !listing.exists || listing.deleted {
                known.clear();
            }
        }
        Outcome::Written(records) => known.extend(records.iter().map(|record| (record.key, record.count))),
        Outcome::Conflict { told: Some((key, count)) } => {
            known.insert(*key, *count);
        }
        _ => {}
    }
}

fn call(
    dice: &mut Dice,
    kind: Kind,
    keys: &[Key],
    history: &mut History,
    known: &BTreeMap<Key, i64>,
    count: i64,
) -> Call {
    if dice.percent(kind.deletions) {
        return Call::Delete;
    }
    if dice.percent(45) {
        return Call::List { since: if dice.percent(50) { 0 } else { count } };
    }
    let mut patches: Vec<Patch> = Vec::new();
    for at in 0..=dice.below(3) {
        let key = keys[dice.below(keys.len() as u64) as usize];
        if patches.iter().any(|patch| patch.key == key) {
            continue;
        }
        let base = match dice.below(12) {
            0 => 0,
            1 => known.get(&key).map_or(2, |count| count + 1),
            _ => known.get(&key).copied().unwrap_or(0),
        };
        let value = format!("v{}.{at}", history.operations.len());
        let value = (!dice.percent(15)).then(|| history.value(&value));
        patches.push(Patch { key, base, value });
    }
    Call::Update(patches)
}

fn answer(state: &mut State, kind: Kind, call: &Call) -> Outcome {
    match call {
        Call::Update(patches) => {
            let count = |key: &Key| state.records.get(key).map_or(0, |record| record.0);
            // A count ahead of the record's is taken half of the time; both are legal.
            let refuses = |patch: &&Patch| {
                patch.base < count(&patch.key) || (patch.base > count(&patch.key) && state.count % 2 == 0)
            };
            if let Some(stale) = patches.iter().find(refuses) {
                return Outcome::Conflict { told: kind.told.then(|| (stale.key, count(&stale.key))) };
            }
            state.count += 1;
            state.exists = true;
            let record = |patch: &Patch| Record { key: patch.key, count: state.count, value: patch.value };
            let records: Vec<Record> = patches.iter().map(record).collect();
            state.records.extend(records.iter().map(|record| (record.key, (record.count, record.value))));
            Outcome::Written(records)
        }
        Call::List { since } if state.exists && *since > state.count => Outcome::Ahead,
        Call::List { since } => {
            let records = state.records.iter().filter(|(_, record)| record.0 > *since);
            let records = records.map(|(key, (count, value))| Record { key: *key, count: *count, value: *value });
            let deleted = *since > 0 && *since <= state.deleted;
            Outcome::Listed(Listing { count: state.count, exists: state.exists, deleted, records: records.collect() })
        }
        Call::Delete if !state.exists => Outcome::Missing,
        Call::Delete => {
            state.count += i64::from(kind.deletion_steps);
            state.deleted = state.count;
            state.exists = false;
            state.records.clear();
            Outcome::Deleted
        }
    }
}

/// Changes an answer to one that may be wrong.
pub(crate) fn spoil(dice: &mut Dice, history: &mut History) {
    let at = dice.below(history.operations.len() as u64) as usize;
    let other = history.operations[dice.below(history.operations.len() as u64) as usize].clone();
    let by = [-2, -1, 1, 2][dice.below(4) as usize];
    let picked = dice.next() as usize;
    let operation = &mut history.operations[at];
    match &mut operation.outcome {
        Outcome::Listed(listing) => match dice.below(7) {
            0 => listing.count += by,
            1 => listing.exists = !listing.exists,
            2 if !listing.records.is_empty() => {
                listing.records.remove(picked % listing.records.len());
            }
            3 if !listing.records.is_empty() => {
                let place = picked % listing.records.len();
                listing.records[place].count += by;
            }
            4 => listing.deleted = !listing.deleted,
            5 => operation.outcome = Outcome::Ahead,
            _ => {
                // Another call's answer: older, newer, or the same.
                if let (Outcome::Listed(_), Call::List { .. }) = (&other.outcome, &other.call) {
                    (operation.call, operation.outcome) = (other.call, other.outcome);
                }
            }
        },
        Outcome::Written(records) if dice.percent(60) => records.iter_mut().for_each(|record| record.count += by),
        Outcome::Conflict { told: Some(told) } if dice.percent(30) => told.1 = (told.1 + by).max(0),
        Outcome::Written(_) | Outcome::Conflict { .. } if dice.percent(50) => {
            let Call::Update(patches) = &mut operation.call else { return };
            let place = picked % patches.len();
            patches[place].base = (patches[place].base + by).max(0);
        }
        Outcome::Written(_) => operation.outcome = Outcome::Conflict { told: None },
        Outcome::Conflict { .. } => operation.outcome = Outcome::Refused,
        Outcome::Deleted => operation.outcome = Outcome::Missing,
        Outcome::Missing => operation.outcome = Outcome::Deleted,
        Outcome::Ahead | Outcome::Refused | Outcome::Unknown => operation.returned += 40,
    }
}
