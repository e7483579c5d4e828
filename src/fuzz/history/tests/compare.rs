//! The check against a search, on many small histories.

use super::oracle;
use super::simulate::{Kind, simulate, spoil};
use crate::fuzz::dice::Dice;
use crate::fuzz::history::{History, Verdict, check};

const BUDGET: u64 = 1_000_000;

/// How many histories were legal, were not, and could not be told.
#[derive(Debug, Default)]
struct Tally {
    legal: usize,
    illegal: usize,
    untold: usize,
}

impl Tally {
    fn add(&mut self, seed: u64, history: &History) {
        let legal = oracle::is_consistent(history);
        match (check(history, BUDGET), legal) {
            (Verdict::Consistent(_), true) => self.legal += 1,
            (Verdict::Inconsistent(_), false) => self.illegal += 1,
            (Verdict::Unknown { .. }, _) => self.untold += 1,
            (verdict, _) => panic!("seed {seed}: a search says {legal}, the check {verdict:?}\n{}", shown(history)),
        }
    }
}

/// One line for each call.
fn shown(history: &History) -> String {
    history.operations.iter().enumerate().map(|(at, operation)| format!("{at}: {operation:?}\n")).collect()
}

fn compare(seeds: std::ops::Range<u64>, kind: impl Fn(&mut Dice) -> Kind) -> Tally {
    let mut tally = Tally::default();
    for seed in seeds {
        let mut dice = Dice::new(seed);
        let kind = kind(&mut dice);
        let mut history = simulate(&mut dice, kind);
        let legal_before = matches!(check(&history, BUDGET), Verdict::Consistent(_) | Verdict::Unknown { .. });
        assert!(legal_before, "seed {seed}: {:?}\n{}", check(&history, BUDGET), shown(&history));
        for _ in 0..dice.below(3) {
            spoil(&mut dice, &mut history);
        }
        tally.add(seed, &history);
    }
    tally
}

fn small(dice: &mut Dice) -> Kind {
    Kind {
        clients: 2 + dice.below(3) as u32,
        keys: 1 + dice.below(3),
        calls: 4 + dice.below(10) as usize,
        deletions: 0,
        lost: 0,
        told: dice.percent(50),
        deletion_steps: true,
    }
}

#[test]
fn updates_and_listings_are_judged_as_by_a_search() {
    let tally = compare(0..8_000, small);
    assert_eq!(tally.untold, 0, "{tally:?}");
    assert!(tally.legal > 2_500 && tally.illegal > 2_500, "{tally:?}");
}

#[test]
fn deletions_are_judged_as_by_a_search() {
    let with = |dice: &mut Dice| Kind { deletions: 20, deletion_steps: dice.percent(50), ..small(dice) };
    let tally = compare(0..4_000, with);
    assert_eq!(tally.untold, 0, "{tally:?}");
    assert!(tally.legal > 1_000 && tally.illegal > 1_000, "{tally:?}");
}

#[test]
fn lost_answers_are_judged_as_by_a_search() {
    let tally = compare(0..4_000, |dice| Kind { lost: 20, ..small(dice) });
    assert!(tally.untold < 20, "{tally:?}");
    assert!(tally.legal > 1_000 && tally.illegal > 1_000, "{tally:?}");
}

#[test]
fn lost_deletions_are_judged_as_by_a_search() {
    let with = |dice: &mut Dice| Kind { deletions: 15, lost: 20, deletion_steps: dice.percent(50), ..small(dice) };
    let tally = compare(0..4_000, with);
    assert!(tally.untold < 250, "{tally:?}");
    assert!(tally.legal > 1_000 && tally.illegal > 1_000, "{tally:?}");
}
