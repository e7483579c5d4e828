//! Histories written by hand. Times are in milliseconds.

use std::ops::Range;

use crate::fuzz::history::{Call, History, Key, Listing, Operation, Outcome, Patch, Record, Value};

const MILLISECOND: u64 = 1_000_000;

#[derive(Default)]
pub(crate) struct Story {
    pub(crate) history: History,
}

/// Key, count (as known, or as shown), and value; an empty one is none.
pub(crate) type Line = (&'static str, i64, &'static str);

impl Story {
    fn key(&mut self, text: &str) -> Key {
        self.history.key(text)
    }

    fn value(&mut self, text: &str) -> Option<Value> {
        (!text.is_empty()).then(|| self.history.value(text))
    }

    pub(crate) fn call(mut self, client: u32, time: Range<u64>, call: Call, outcome: Outcome) -> Self {
        let (invoked, returned) = (time.start * MILLISECOND, time.end * MILLISECOND);
        self.history.operations.push(Operation { client, dataset: 0, invoked, returned, call, outcome });
        self
    }

    fn patches(&mut self, lines: &[Line]) -> Vec<Patch> {
        let patch = |(key, base, value): &Line| Patch { key: self.key(key), base: *base, value: self.value(value) };
        lines.iter().map(patch).collect()
    }

    /// An update that was accepted and took this count.
    pub(crate) fn wrote(mut self, client: u32, time: Range<u64>, lines: &[Line], count: i64) -> Self {
        let patches = self.patches(lines);
        let record = |patch: &Patch| Record { key: patch.key, count, value: patch.value };
        let records = patches.iter().map(record).collect();
        self.call(client, time, Call::Update(patches), Outcome::Written(records))
    }

    /// An update whose answer was lost.
    pub(crate) fn lost(mut self, client: u32, time: Range<u64>, lines: &[Line]) -> Self {
        let patches = self.patches(lines);
        self.call(client, time, Call::Update(patches), Outcome::Unknown)
    }

    /// An update that met a conflict, which told the count of the first key.
    pub(crate) fn conflicted(mut self, client: u32, time: Range<u64>, lines: &[Line], told: Option<i64>) -> Self {
        let patches = self.patches(lines);
        let told = told.map(|count| (patches[0].key, count));
        self.call(client, time, Call::Update(patches), Outcome::Conflict { told })
    }

    /// A listing.
    pub(crate) fn listed(self, client: u32, time: Range<u64>, since: i64, count: i64, lines: &[Line]) -> Self {
        self.told(client, time, since, count, lines, false)
    }

    /// A listing that says that the dataset was deleted.
    pub(crate) fn told(
        mut self,
        client: u32,
        time: Range<u64>,
        since: i64,
        count: i64,
        lines: &[Line],
        deleted: bool,
    ) -> Self {
        let records = self.patches(lines).into_iter();
        let records = records.map(|patch| Record { key: patch.key, count: patch.base, value: patch.value }).collect();
        let listing = Listing { count, exists: true, deleted, records };
        self.call(client, time, Call::List { since }, Outcome::Listed(listing))
    }

    /// A deletion.
    pub(crate) fn deleted(self, client: u32, time: Range<u64>) -> Self {
        self.call(client, time, Call::Delete, Outcome::Deleted)
    }
}
