//! How the check of histories grows with their length.
//!
//! `cargo bench --bench history`; `benches/README.md` says what was measured.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use syncspec::fuzz::history::{Call, History, Key, Listing, Operation, Outcome, Patch, Record, Value, Verdict, check};

const CLIENTS: usize = 64;
const KEYS: usize = 20;
/// Nanoseconds from one effect to the next, and the longest way there or back.
const STEP: u64 = 100;
const WAY: u64 = 3_000;
/// One in so many answers is lost.
const LOST: u64 = 100;

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

/// A dataset, and what it answers.
#[derive(Default)]
struct Dataset {
    count: i64,
    records: BTreeMap<Key, (i64, Option<Value>)>,
}

impl Dataset {
    fn update(&mut self, patches: &[Patch]) -> Outcome {
        let count = |key: &Key| self.records.get(key).map_or(0, |record| record.0);
        if let Some(stale) = patches.iter().find(|patch| patch.base != count(&patch.key)) {
            return Outcome::Conflict { told: Some((stale.key, count(&stale.key))) };
        }
        self.count += 1;
        self.records.extend(patches.iter().map(|patch| (patch.key, (self.count, patch.value))));
        let record = |patch: &Patch| Record { key: patch.key, count: self.count, value: patch.value };
        Outcome::Written(patches.iter().map(record).collect())
    }

    fn list(&self, since: i64) -> Outcome {
        let records = self.records.iter().filter(|(_, record)| record.0 > since);
        let records = records.map(|(key, (count, value))| Record { key: *key, count: *count, value: *value }).collect();
        Outcome::Listed(Listing { count: self.count, exists: self.count > 0, deleted: false, records })
    }
}

/// A legal history: half listings, a third of them whole, and half updates of one to
/// three records, one in eight of them stale.
fn history(operations: usize, lost: bool) -> History {
    let (mut dice, mut history, mut dataset) = (Dice(7), History::new(), Dataset::default());
    let keys: Vec<Key> = (0..KEYS).map(|key| history.key(&format!("key-{key}"))).collect();
    let mut free = [0; CLIENTS];
    let mut now = WAY;
    while history.operations.len() < operations {
        now += STEP;
        let client = dice.below(CLIENTS as u64) as usize;
        if free[client] >= now {
            continue;
        }
        let call = if dice.below(2) == 0 {
            let since = [0, dataset.count, (dataset.count - 5).max(0)][dice.below(3) as usize];
            Call::List { since }
        } else {
            let (first, stale) = (dice.below(KEYS as u64) as usize, dice.below(8) == 0);
            let patches = (0..=dice.below(3) as usize).map(|at| {
                let key = keys[(first + at) % KEYS];
                let base = dataset.records.get(&key).map_or(0, |record| record.0);
                let value = Some(history.value(&format!("{}-{at}", history.operations.len())));
                Patch { key, base: if stale { base / 2 } else { base }, value }
            });
            Call::Update(patches.collect())
        };
        let outcome = match &call {
            Call::Update(patches) => dataset.update(patches),
            Call::List { since } => dataset.list(*since),
            Call::Delete => Outcome::Missing,
        };
        let outcome = if lost && dice.below(LOST) == 0 { Outcome::Unknown } else { outcome };
        let invoked = (now - dice.below(WAY)).max(free[client] + 1);
        let returned = now + dice.below(WAY);
        free[client] = returned;
        history.operations.push(Operation { client: client as u32, dataset: 0, invoked, returned, call, outcome });
    }
    history
}

fn growth(criterion: &mut Criterion) {
    for (name, lost) in [("all-answered", false), ("one-in-100-lost", true)] {
        let mut group = criterion.benchmark_group(name);
        group.sample_size(10).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(5));
        for operations in [10_000, 31_623, 100_000, 316_228, 1_000_000] {
            let history = history(operations, lost);
            assert!(matches!(check(&history, u64::MAX), Verdict::Consistent(_)), "the history is legal");
            group.throughput(Throughput::Elements(operations as u64));
            group.bench_with_input(BenchmarkId::from_parameter(operations), &history, |bencher, history| {
                bencher.iter(|| check(black_box(history), u64::MAX));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, growth);
criterion_main!(benches);
