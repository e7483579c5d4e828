//! The rules of a dataset once more, for a checker that searches.
//!
//! A call whose answer was lost may take effect at any time, or never: it ends with
//! the history, where an effect is seen by nobody.

use std::collections::BTreeMap;

use porcupine_rs::{Model, Operation as Searched, check_operations};

use crate::fuzz::history::{Call, History, Key, Listing, Operation, Outcome, Patch, Value};

/// Whether a search finds an order in which every answer is right, with deletions
/// that take a step of the count or with such as do not.
pub(crate) fn is_consistent(history: &History) -> bool {
    searched::<true>(history) || searched::<false>(history)
}

fn searched<const STEPS: bool>(history: &History) -> bool {
    let operations = history.operations.iter().map(|operation| Searched::<Rules<STEPS>> {
        client_id: Some(operation.client),
        call_time: operation.invoked as i64,
        return_time: if operation.outcome == Outcome::Unknown { i64::MAX } else { operation.returned as i64 },
        op: operation.clone(),
        metadata: None,
    });
    check_operations(&operations.collect::<Vec<_>>())
}

#[derive(Clone)]
struct Rules<const STEPS: bool>;

#[derive(Clone, Debug, Default, Hash, PartialEq, Eq)]
struct State {
    count: i64,
    exists: bool,
    /// Twice the count of the latest deletion, and one more if it took no step.
    deleted: i64,
    records: BTreeMap<Key, (i64, Option<Value>)>,
}

impl State {
    fn count(&self, key: Key) -> i64 {
        self.records.get(&key).map_or(0, |record| record.0)
    }

    fn takes(&self, patches: &[Patch]) -> bool {
        patches.iter().all(|patch| patch.base >= self.count(patch.key))
    }

    fn write(&mut self, patches: &[Patch]) {
        self.count += 1;
        self.exists = true;
        self.records.extend(patches.iter().map(|patch| (patch.key, (self.count, patch.value))));
    }

    fn delete(&mut self, steps: bool) {
        self.count += i64::from(steps);
        self.deleted = self.count * 2 + i64::from(!steps);
        self.exists = false;
        self.records.clear();
    }

    fn lists(&self, since: i64, listing: &Listing) -> bool {
        if !listing.exists || !self.exists {
            return listing.exists == self.exists;
        }
        let missed = since > 0 && 2 * since < self.deleted - 2 * (self.deleted % 2);
        let is_right = |record: &crate::fuzz::history::Record| {
            let now = self.records.get(&record.key);
            let buried = record.value.is_none() && record.count * 2 <= self.deleted;
            let older = now.is_none_or(|now| now.0 < record.count);
            record.count > since && (now == Some(&(record.count, record.value)) || (older && buried))
        };
        let shown = |key: &Key| listing.records.iter().any(|record| record.key == *key);
        let due = |(key, (count, value)): (&Key, &(i64, Option<Value>))| {
            *count <= since || shown(key) || (value.is_none() && since == 0)
        };
        self.count == listing.count
            && since <= self.count
            && (listing.deleted || !missed)
            && listing.records.iter().all(is_right)
            && self.records.iter().all(due)
    }
}

impl<const STEPS: bool> Model for Rules<STEPS> {
    type State = State;
    type Op = Operation;
    type Metadata = ();

    fn init() -> State {
        State::default()
    }

    fn step(state: &State, operation: &Operation) -> (bool, State) {
        let mut next = state.clone();
        let is_right = match (&operation.call, &operation.outcome) {
            (_, Outcome::Refused) | (Call::List { .. }, Outcome::Unknown) => true,
            (Call::List { since }, Outcome::Listed(listing)) => state.lists(*since, listing),
            (Call::List { since }, Outcome::Ahead) => !state.exists || state.count < *since,
            (Call::Update(patches), Outcome::Written(records)) => {
                next.write(patches);
                let same = records.iter().zip(patches).all(|(record, patch)| record.value == patch.value);
                state.takes(patches) && same && records.iter().all(|record| record.count == next.count)
            }
            (Call::Update(patches), Outcome::Conflict { told }) => match told {
                Some((key, count)) => {
                    let patch = patches.iter().find(|patch| patch.key == *key);
                    state.count(*key) == *count && patch.is_some_and(|patch| patch.base != *count)
                }
                None => patches.iter().any(|patch| patch.base != state.count(patch.key)),
            },
            (Call::Update(patches), Outcome::Unknown) => {
                if state.takes(patches) {
                    next.write(patches);
                }
                true
            }
            (Call::Delete, Outcome::Unknown) if !state.exists => true,
            (Call::Delete, Outcome::Deleted | Outcome::Unknown) => {
                next.delete(STEPS);
                state.exists
            }
            (Call::Delete, Outcome::Missing) => !state.exists,
            _ => false,
        };
        (is_right, next)
    }
}
