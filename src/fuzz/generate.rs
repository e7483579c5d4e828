//! Sequences from a seed, by proptest's strategies.
//!
//! Each sequence first draws which operations and which oddities it has at all
//! ("swarm"): one that never deletes goes deeper into counts, one without odd
//! tokens gets more writes through, and no feature can hide another for good.

use proptest::prelude::{Just, Strategy};
use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Union, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use proptest::{bool, collection, option};

use super::operation::{
    Bulk, COLD_KEYS, Change, CountPick, DATASETS, HOT_KEYS, List, ListToken, ODD_KEYS, Operation, Patch, Place,
    Sequence, SincePick, TokenPick, Update, ValuePick, Who,
};

/// What a sequence may contain; each switched on or off by chance.
#[derive(Debug, Clone, Copy)]
struct Swarm {
    deletions: bool,
    removals: bool,
    stale_counts: bool,
    odd_counts: bool,
    odd_tokens: bool,
    odd_patches: bool,
    odd_texts: bool,
    quotas: bool,
    batches: bool,
    pages: bool,
    figures: bool,
    other_identity: bool,
    several_datasets: bool,
    cold_keys: bool,
}

fn swarm() -> impl Strategy<Value = Swarm> {
    // Mostly on, so that sequences stay rich; what is costly mostly off.
    let on = || bool::weighted(0.7);
    let rare = || bool::weighted(0.3);
    let first = (on(), on(), on(), rare(), rare(), rare(), rare());
    let second = (bool::weighted(0.02), on(), on(), on(), rare(), on(), rare());
    (first, second).prop_map(
        |(
            (deletions, removals, stale_counts, odd_counts, odd_tokens, odd_patches, odd_texts),
            (quotas, batches, pages, figures, other_identity, several_datasets, cold_keys),
        )| Swarm {
            deletions,
            removals,
            stale_counts,
            odd_counts,
            odd_tokens,
            odd_patches,
            odd_texts,
            quotas,
            batches,
            pages,
            figures,
            other_identity,
            several_datasets,
            cold_keys,
        },
    )
}

/// Some of these, by weight; those of weight 0 never.
fn some<T: std::fmt::Debug + 'static>(choices: Vec<(u32, BoxedStrategy<T>)>) -> BoxedStrategy<T> {
    Union::new_weighted(choices.into_iter().filter(|(weight, _)| *weight > 0).collect()).boxed()
}

fn when(on: bool, weight: u32) -> u32 {
    if on { weight } else { 0 }
}

/// Sequences of up to `steps` operations. `identities` is how many there are, 1 or 2.
pub(super) fn sequences(steps: usize, identities: usize) -> impl Strategy<Value = Sequence> {
    let with = move |mut swarm: Swarm| {
        swarm.other_identity &= identities > 1;
        collection::vec(operation(swarm), 1..=steps.max(1)).prop_map(Sequence)
    };
    swarm().prop_flat_map(with)
}

/// The sequence with this number of a seed: the same one always.
pub(super) fn sequence(strategy: &impl Strategy<Value = Sequence>, seed: u64, number: u64) -> Sequence {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&number.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    // No strategy here refuses anything, so there always is a tree.
    strategy.new_tree(&mut runner).map_or_else(|_| Sequence(Vec::new()), |tree| tree.current())
}

fn operation(swarm: Swarm) -> BoxedStrategy<Operation> {
    let figures = |weight| when(swarm.figures, weight);
    let usage = who(swarm).prop_map(Operation::Usage);
    let sizes = option::weighted(0.5, select(vec![1_u16, 2, 64]));
    let datasets = (who(swarm), sizes).prop_map(|(who, size)| Operation::Datasets { who, size });
    some(vec![
        (10, update(swarm).prop_map(Operation::Update).boxed()),
        (5, list(swarm).prop_map(Operation::List).boxed()),
        (when(swarm.pages, 2), place(swarm).prop_map(Operation::More).boxed()),
        (figures(2), place(swarm).prop_map(Operation::Describe).boxed()),
        (figures(1), datasets.boxed()),
        (figures(1), usage.boxed()),
        (when(swarm.deletions, 3), place(swarm).prop_map(Operation::Delete).boxed()),
    ])
}

fn who(swarm: Swarm) -> BoxedStrategy<Who> {
    some(vec![(3, Just(Who::Own).boxed()), (when(swarm.other_identity, 2), Just(Who::Other).boxed())])
}

fn place(swarm: Swarm) -> impl Strategy<Value = Place> {
    let datasets = if swarm.several_datasets { DATASETS } else { 1 };
    (who(swarm), 0..datasets).prop_map(|(who, dataset)| Place { who, dataset })
}

fn update(swarm: Swarm) -> impl Strategy<Value = Update> {
    let odd = |weight| when(swarm.odd_tokens, weight);
    let token = some(vec![
        (8, Just(TokenPick::Fresh).boxed()),
        (5, (0_u8..4).prop_map(TokenPick::FreshSince).boxed()),
        (2, Just(TokenPick::Held).boxed()),
        (odd(2), Just(TokenPick::Spent).boxed()),
        (odd(2), Just(TokenPick::OfDataset).boxed()),
        (odd(when(swarm.other_identity, 2)), Just(TokenPick::OfIdentity).boxed()),
        (odd(1), Just(TokenPick::MadeUp).boxed()),
    ]);
    let patches = some(vec![
        (6, collection::vec(patch(swarm), 1).boxed()),
        (when(swarm.batches, 3), collection::vec(patch(swarm), 2..5).boxed()),
        (when(swarm.odd_patches, 1), Just(Vec::new()).boxed()),
    ]);
    let distinct = if swarm.odd_patches { bool::weighted(0.7).boxed() } else { Just(true).boxed() };
    let quota = |weight| when(swarm.quotas, weight);
    let bulk = some(vec![
        (12, Just(Bulk::None).boxed()),
        (quota(1), Just(Bulk::Full).boxed()),
        (quota(2), Just(Bulk::OneTooMany).boxed()),
    ]);
    let context = bool::weighted(0.05);
    let parts = (place(swarm), token, patches, distinct, bulk, context);
    parts.prop_map(|(place, token, mut patches, distinct, bulk, context)| {
        if distinct {
            let mut seen = std::collections::BTreeSet::new();
            patches.retain(|patch| seen.insert(patch.key));
        }
        Update { place, token, patches, bulk, context }
    })
}

fn patch(swarm: Swarm) -> impl Strategy<Value = Patch> {
    let odd_key = HOT_KEYS + COLD_KEYS;
    let key = some(vec![
        (8, (0..HOT_KEYS).boxed()),
        (when(swarm.cold_keys, 4), (HOT_KEYS..odd_key).boxed()),
        (when(swarm.odd_texts, 2), (odd_key..odd_key + ODD_KEYS).boxed()),
    ]);
    let odd = |weight| when(swarm.odd_counts, weight);
    let count = some(vec![
        (8, Just(CountPick::Right).boxed()),
        (when(swarm.stale_counts, 3), (1_u8..4).prop_map(CountPick::Stale).boxed()),
        (when(swarm.stale_counts, 1), Just(CountPick::Zero).boxed()),
        (odd(1), (1_u8..4).prop_map(CountPick::Ahead).boxed()),
        (odd(1), Just(CountPick::OfDataset).boxed()),
    ]);
    (key, change(swarm), count, bool::weighted(0.2)).prop_map(|(key, change, count, dated)| Patch {
        key,
        change,
        count,
        dated,
    })
}

fn change(swarm: Swarm) -> BoxedStrategy<Change> {
    let texts = |weight| when(swarm.odd_texts, weight);
    let value = some(vec![
        (8, (0_u8..4).prop_map(ValuePick::Short).boxed()),
        (1, Just(ValuePick::Empty).boxed()),
        (texts(2), (0_u8..3).prop_map(ValuePick::Unicode).boxed()),
        (texts(1), Just(ValuePick::Awkward).boxed()),
        (texts(1), Just(ValuePick::Long).boxed()),
        (when(swarm.quotas, 3), Just(ValuePick::Huge).boxed()),
        (when(swarm.quotas, 1), Just(ValuePick::Fill).boxed()),
        (when(swarm.quotas, 1), Just(ValuePick::Overfill).boxed()),
    ]);
    some(vec![
        (8, value.prop_map(Change::Write).boxed()),
        (2, Just(Change::Same).boxed()),
        (when(swarm.odd_patches, 1), Just(Change::WriteNothing).boxed()),
        (when(swarm.removals, 3), Just(Change::Remove).boxed()),
        (when(swarm.removals, 1), Just(Change::RemoveWithValue).boxed()),
    ])
}

fn list(swarm: Swarm) -> impl Strategy<Value = List> {
    let odd = |weight| when(swarm.odd_tokens, weight);
    let since = some(vec![
        (2, Just(SincePick::None).boxed()),
        (1, Just(SincePick::Zero).boxed()),
        (2, Just(SincePick::Last).boxed()),
        (5, (1_u8..4).prop_map(SincePick::Before).boxed()),
        (1, (1_u8..4).prop_map(SincePick::Ahead).boxed()),
        (when(swarm.deletions, 3), Just(SincePick::BeforeDeletion).boxed()),
    ]);
    let small = select(vec![1_u16, 2, 3]).boxed();
    let size = some(vec![
        (4, Just(None).boxed()),
        (when(swarm.pages, 5), small.prop_map(Some).boxed()),
        (1, select(vec![Some(1_000_u16), Some(1_024)]).boxed()),
    ]);
    let token = some(vec![
        (8, Just(ListToken::None).boxed()),
        (odd(2), Just(ListToken::Held).boxed()),
        (odd(4), Just(ListToken::AfterConflict).boxed()),
        (odd(2), Just(ListToken::Spent).boxed()),
        (odd(1), Just(ListToken::OfDataset).boxed()),
    ]);
    let first_page_only = if swarm.pages { bool::weighted(0.3).boxed() } else { Just(false).boxed() };
    (place(swarm), since, size, token, first_page_only).prop_map(|(place, since, size, token, first_page_only)| List {
        place,
        since,
        size,
        token,
        first_page_only,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::operation::{Operation, Who};
    use super::{sequence, sequences};

    #[test]
    fn a_seed_gives_the_same_sequences_always() {
        let strategy = sequences(20, 2);
        for number in 0..20 {
            assert_eq!(sequence(&strategy, 7, number), sequence(&strategy, 7, number));
        }
        let distinct: BTreeSet<String> = (0..50).map(|number| sequence(&strategy, 7, number).to_string()).collect();
        assert!(distinct.len() > 45, "{}", distinct.len());
        assert_ne!(sequence(&strategy, 7, 1), sequence(&strategy, 8, 1));
    }

    #[test]
    fn every_kind_of_operation_comes_up_and_whole_kinds_are_left_out() {
        let strategy = sequences(20, 2);
        let all: Vec<_> = (0..200).map(|number| sequence(&strategy, 1, number)).collect();
        let deletes = |operation: &Operation| matches!(operation, Operation::Delete(_));
        let with = all.iter().filter(|sequence| sequence.0.iter().any(deletes)).count();
        assert!((40..=180).contains(&with), "{with} of 200 delete");
        let names: BTreeSet<_> = all.iter().flat_map(|sequence| &sequence.0).map(Operation::name).collect();
        assert_eq!(names.len(), 6, "{names:?}");
    }

    #[test]
    fn a_lone_identity_has_no_other() {
        let strategy = sequences(20, 1);
        for number in 0..100 {
            for operation in sequence(&strategy, 1, number).0 {
                assert!(!matches!(
                    operation,
                    Operation::Usage(Who::Other) | Operation::Datasets { who: Who::Other, .. }
                ));
            }
        }
    }
}
