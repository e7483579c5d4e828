//! One dataset's calls in the order of time, and its writes in the order of counts.

use crate::fuzz::history::operation::{Call, History, Key, Operation, Outcome, Value};

/// A place among the writes: twice the count that a write took, and one more for a
/// deletion that took no step after it. The dataset's state at a place is what all
/// writes up to it left.
pub(super) type Place = i64;

/// No call.
pub(super) const NONE: u32 = u32::MAX;

/// A record as a write left it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) place: Place,
    pub(super) value: Option<Value>,
    /// The call that wrote it.
    pub(super) write: u32,
}

impl Entry {
    pub(super) fn count(&self) -> i64 {
        self.place / 2
    }
}

/// A call is sent or answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment {
    time: u64,
    pub(super) is_answer: bool,
    pub(super) call: u32,
}

/// One dataset. Calls are numbered by when they were sent.
#[derive(Debug)]
pub(super) struct Timeline<'h> {
    pub(super) history: &'h History,
    /// Of each call, its place in the history.
    pub(super) places: &'h [u32],
    /// By place in the history, the call's number.
    local: &'h [u32],
    /// By value, the place in the history of the call that writes it.
    writers: &'h [u32],
    /// Sendings and answers; what comes at one time counts as overlapping.
    pub(super) moments: Vec<Moment>,
    /// Of each call, which moment its sending is.
    pub(super) sent: Vec<u32>,
    /// The highest count that anybody saw.
    pub(super) last: i64,
    /// By count, the update that took it, or the deletion.
    pub(super) by_count: Vec<u32>,
    /// By key, what was written, in order.
    pub(super) entries: Vec<Vec<Entry>>,
    /// Keys that calls of this dataset write.
    pub(super) keys: Vec<Key>,
    /// Deletions, in order.
    pub(super) deletions: Vec<(Place, u32)>,
    /// Of each call, its place among the writes, once it has one.
    pub(super) placed: Vec<Option<Place>>,
    /// A deletion takes a step of the count.
    pub(super) deletion_steps: bool,
    /// By key, the latest listing that showed it: scratch space of the sweep.
    pub(super) shown: Vec<u32>,
}

impl<'h> Timeline<'h> {
    pub(super) fn new(
        history: &'h History,
        places: &'h [u32],
        local: &'h [u32],
        writers: &'h [u32],
        deletion_steps: bool,
    ) -> Self {
        let mut moments = Vec::with_capacity(places.len() * 2);
        for (call, place) in places.iter().enumerate() {
            let operation = &history.operations[*place as usize];
            let moment = |time, is_answer| Moment { time, is_answer, call: call as u32 };
            moments.push(moment(operation.invoked, false));
            if operation.outcome != Outcome::Unknown {
                moments.push(moment(operation.returned.max(operation.invoked), true));
            }
        }
        moments.sort_unstable();
        let mut sent = vec![0; places.len()];
        for (at, moment) in moments.iter().enumerate().filter(|(_, moment)| !moment.is_answer) {
            sent[moment.call as usize] = at as u32;
        }
        Self {
            history,
            places,
            local,
            writers,
            moments,
            sent,
            last: 0,
            by_count: Vec::new(),
            entries: vec![Vec::new(); history.key_count()],
            keys: Vec::new(),
            deletions: Vec::new(),
            placed: vec![None; places.len()],
            deletion_steps,
            shown: vec![NONE; history.key_count()],
        }
    }

    pub(super) fn operation(&self, call: u32) -> &'h Operation {
        &self.history.operations[self.place_in_history(call)]
    }

    pub(super) fn place_in_history(&self, call: u32) -> usize {
        self.places[call as usize] as usize
    }

    pub(super) fn calls(&self) -> std::ops::Range<u32> {
        0..self.places.len() as u32
    }

    /// The call that writes a value, if it is one of this dataset.
    pub(super) fn writer(&self, value: Value) -> Option<u32> {
        let place = *self.writers.get(value.index())? as usize;
        let call = *self.local.get(place)?;
        (self.places.get(call as usize).copied() == Some(place as u32)).then_some(call)
    }

    /// The latest deletion up to a place; 0 is before all.
    pub(super) fn deleted(&self, place: Place) -> (Place, u32) {
        let until = self.deletions.partition_point(|(deletion, _)| *deletion <= place);
        until.checked_sub(1).map_or((0, NONE), |at| self.deletions[at])
    }

    /// The first deletion after a place.
    pub(super) fn next_deletion(&self, place: Place) -> Option<Place> {
        let from = self.deletions.partition_point(|(deletion, _)| *deletion <= place);
        self.deletions.get(from).map(|(deletion, _)| *deletion)
    }

    pub(super) fn exists(&self, place: Place) -> bool {
        place / 2 * 2 > self.deleted(place).0
    }

    /// A record at a place, tombstones included.
    pub(super) fn record(&self, key: Key, place: Place) -> Option<Entry> {
        let entries = &self.entries[key.index()];
        let until = entries.partition_point(|entry| entry.place <= place);
        let entry = entries[until.checked_sub(1)?];
        (entry.place > self.deleted(place).0).then_some(entry)
    }

    /// A record's count at a place; 0 when there is none.
    pub(super) fn count(&self, key: Key, place: Place) -> i64 {
        self.record(key, place).map_or(0, |entry| entry.count())
    }

    /// The first write to a key after a place.
    pub(super) fn next_entry(&self, key: Key, place: Place) -> Option<Entry> {
        let entries = &self.entries[key.index()];
        entries.get(entries.partition_point(|entry| entry.place <= place)).copied()
    }

    /// Where a record's count first changes after a place.
    pub(super) fn next_change(&self, key: Key, place: Place) -> Option<Place> {
        let written = self.next_entry(key, place).map(|entry| entry.place);
        let deleted = self.record(key, place).and_then(|_| self.next_deletion(place));
        [written, deleted].into_iter().flatten().min()
    }

    /// Gives a write its place. Places of calls that have one are not free.
    pub(super) fn place(&mut self, call: u32, place: Place) {
        let operation = self.operation(call);
        self.placed[call as usize] = Some(place);
        if place % 2 == 0
            && let Some(free) = self.by_count.get_mut((place / 2) as usize)
        {
            *free = call;
        }
        if operation.call == Call::Delete {
            let at = self.deletions.partition_point(|(deletion, _)| *deletion < place);
            self.deletions.insert(at, (place, call));
        }
        for patch in operation.patches() {
            let entries = &mut self.entries[patch.key.index()];
            let at = entries.partition_point(|entry| entry.place < place);
            entries.insert(at, Entry { place, value: patch.value, write: call });
        }
    }

    /// Takes a write's place away again.
    pub(super) fn displace(&mut self, call: u32) {
        let operation = self.operation(call);
        let Some(place) = self.placed[call as usize].take() else { return };
        if place % 2 == 0
            && let Some(taken) = self.by_count.get_mut((place / 2) as usize)
        {
            *taken = NONE;
        }
        self.deletions.retain(|(_, deletion)| *deletion != call);
        for patch in operation.patches() {
            let entries = &mut self.entries[patch.key.index()];
            let at = entries.partition_point(|entry| entry.place < place);
            entries.remove(at);
        }
    }

    /// Who took a count.
    pub(super) fn taken_by(&self, count: i64) -> Option<u32> {
        let call = usize::try_from(count).ok().and_then(|count| self.by_count.get(count));
        call.copied().filter(|call| *call != NONE)
    }
}
