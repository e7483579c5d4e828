//! What the answers say of where the writes stand.

use std::collections::{BTreeSet, HashMap};

use super::fault::Fault;
use super::timeline::{NONE, Place, Timeline};
use crate::fuzz::history::operation::{Call, Key, Listing, Outcome, Record};

/// A write whose answer names no count, or never came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unplaced {
    pub(super) call: u32,
    /// It was made; else it may have been.
    pub(super) must: bool,
    /// It can only stand above this place,
    pub(super) low: Place,
    /// and not above this one.
    pub(super) high: Place,
}

/// Writes without a place, and counts without a write.
#[derive(Debug, Default)]
pub(super) struct Open {
    pub(super) unplaced: Vec<Unplaced>,
    /// Counts that no answer claims.
    pub(super) gaps: Vec<i64>,
    /// By count, the write whose value was read there.
    pub(super) bound: HashMap<i64, u32>,
    /// The same by write.
    bound_at: HashMap<u32, i64>,
    /// By count, keys that were written there, and whether they were removed.
    pub(super) touched: HashMap<i64, Vec<(Key, bool)>>,
}

impl Timeline<'_> {
    /// Gives every write its place that has one by its answer, and says what is left.
    pub(super) fn gather(&mut self) -> Result<Open, Fault> {
        let mut open = Open::default();
        let mut known = Vec::new();
        let (mut keys, mut witness) = (BTreeSet::new(), NONE);
        for call in self.calls() {
            let operation = self.operation(call);
            keys.extend(operation.patches().iter().map(|patch| patch.key));
            if let Some(version) = self.accepted(call)? {
                known.push((version, call));
            } else if operation.may_have_written() {
                // A call without patches may or may not take a step.
                let must = operation.outcome != Outcome::Unknown && operation.call != Call::Update(Vec::new());
                open.unplaced.push(Unplaced { call, must, low: 0, high: Place::MAX });
            }
            let seen = self.highest_seen(call)?;
            if seen > self.last {
                (self.last, witness) = (seen, call);
            }
        }
        self.keys = keys.into_iter().collect();
        known.sort_unstable();
        self.check_known(&known)?;
        self.find_gaps(&known, &mut open, witness)?;
        self.by_count = vec![NONE; self.last as usize + 1];
        for (version, call) in known {
            self.place(call, version * 2);
        }
        for call in self.calls() {
            self.gather_evidence(call, &mut open)?;
        }
        Ok(open)
    }

    /// The count that an accepted update took.
    fn accepted(&self, call: u32) -> Result<Option<i64>, Fault> {
        let operation = self.operation(call);
        let (Outcome::Written(records), Some(version)) = (&operation.outcome, operation.version()) else {
            return Ok(None);
        };
        let write = self.place_in_history(call);
        if records.iter().any(|record| record.count != version) {
            return Err(Fault::SplitCounts { write });
        }
        for patch in operation.patches() {
            let other = |record: &&Record| record.key == patch.key && record.value != patch.value;
            if let Some(record) = records.iter().find(other) {
                return Err(Fault::OtherAnswer { write, key: record.key });
            }
        }
        if version < 1 { Err(Fault::Gap { version, witness: write }) } else { Ok(Some(version)) }
    }

    /// The highest count that the call's answer shows, if it shows a possible one.
    fn highest_seen(&self, call: u32) -> Result<i64, Fault> {
        let operation = self.operation(call);
        let read = self.place_in_history(call);
        Ok(match (&operation.outcome, &operation.call) {
            (Outcome::Written(_), _) => operation.version().unwrap_or(0),
            (Outcome::Conflict { .. }, _) => self.told(call).map_or(0, |(_, count)| count),
            (Outcome::Listed(listing), Call::List { since }) if listing.exists => {
                if listing.count < 1 {
                    return Err(Fault::Unwritten { read });
                }
                if *since > listing.count {
                    return Err(Fault::AheadListed { read });
                }
                for record in &listing.records {
                    if record.count > listing.count {
                        return Err(Fault::AboveCount { read, key: record.key });
                    }
                    if record.count <= *since {
                        return Err(Fault::NotAbove { read, key: record.key });
                    }
                }
                listing.count
            }
            _ => 0,
        })
    }

    /// What a conflict's message tells of one of the call's keys.
    pub(super) fn told(&self, call: u32) -> Option<(Key, i64)> {
        let operation = self.operation(call);
        let Outcome::Conflict { told } = operation.outcome else { return None };
        told.filter(|(key, _)| operation.patches().iter().any(|patch| patch.key == *key))
    }

    fn check_known(&self, known: &[(i64, u32)]) -> Result<(), Fault> {
        let Some(pair) = known.windows(2).find(|pair| pair[0].0 == pair[1].0) else { return Ok(()) };
        let (one, other) = (pair[0].1, pair[1].1);
        let (first, second) = (one.min(other), one.max(other));
        let (until, from) = (self.operation(second).returned, self.operation(first).invoked);
        let between = self.calls().find(|call| {
            let operation = self.operation(*call);
            let lost = operation.outcome == Outcome::Unknown;
            let ended = if lost { u64::MAX } else { operation.returned };
            let overlaps = operation.invoked <= until && ended >= from;
            operation.call == Call::Delete && operation.may_have_written() && overlaps
        });
        Err(Fault::SameCount {
            first: self.place_in_history(first),
            second: self.place_in_history(second),
            deletion: between.map(|call| self.place_in_history(call)),
        })
    }

    /// Counts below the last that no answer claims. There cannot be more of them
    /// than writes that may have taken them.
    fn find_gaps(&self, known: &[(i64, u32)], open: &mut Open, last: u32) -> Result<(), Fault> {
        let fills = |unplaced: &&Unplaced| self.deletion_steps || self.operation(unplaced.call).call != Call::Delete;
        let most = open.unplaced.iter().filter(fills).count();
        let mut next = 1;
        let ends = known.iter().copied().chain([(self.last.saturating_add(1), last)]);
        for (version, call) in ends {
            if version - next > (most - open.gaps.len()) as i64 {
                return Err(Fault::Gap { version: next, witness: self.place_in_history(call) });
            }
            open.gaps.extend(next..version);
            next = version + 1;
        }
        Ok(())
    }

    fn gather_evidence(&self, call: u32, open: &mut Open) -> Result<(), Fault> {
        if let Some((key, count)) = self.told(call)
            && count > 0
            && self.taken_by(count).is_none()
        {
            open.touched.entry(count).or_default().push((key, false));
        }
        match &self.operation(call).outcome {
            Outcome::Listed(listing @ Listing { exists: true, .. }) => {
                listing.records.iter().try_for_each(|record| self.trace(call, record, open))
            }
            _ => Ok(()),
        }
    }

    /// Traces a record that was read to the call that wrote it.
    fn trace(&self, call: u32, record: &Record, open: &mut Open) -> Result<(), Fault> {
        let Record { key, count, value } = *record;
        let read = self.place_in_history(call);
        let taken = self.taken_by(count);
        let writes = |call: u32| self.operation(call).patches().iter().any(|p| p.key == key && p.value == value);
        if taken.is_some_and(writes) {
            return Ok(());
        }
        let Some(value) = value else {
            match taken {
                // Tombstones of all records are one way of deleting a dataset.
                Some(_) if open.unplaced.iter().any(|other| self.operation(other.call).call == Call::Delete) => {}
                Some(_) => return Err(Fault::Phantom { read, key }),
                None => open.touched.entry(count).or_default().push((key, true)),
            }
            return Ok(());
        };
        let Some(writer) = self.writer(value).filter(|writer| writes(*writer)) else {
            return Err(Fault::Phantom { read, key });
        };
        let write = self.place_in_history(writer);
        let refused = !self.operation(writer).may_have_written();
        if refused {
            return Err(Fault::RefusedShown { read, write });
        }
        match open.bound.get(&count) {
            Some(bound) if *bound == writer => Ok(()),
            Some(bound) => {
                Err(Fault::SameCount { first: self.place_in_history(*bound), second: write, deletion: None })
            }
            None if taken.is_some()
                || self.placed[writer as usize].is_some()
                || open.bound_at.contains_key(&writer) =>
            {
                Err(Fault::Twice { read, write, key })
            }
            None => {
                open.bound.insert(count, writer);
                open.bound_at.insert(writer, count);
                Ok(())
            }
        }
    }
}
