//! The smallest sequence that still breaks the same rule.
//!
//! Every candidate is played on fresh datasets, several at a time, so nothing has to
//! be set back. A candidate counts only when it breaks the same rule; an attempt
//! without answer says nothing. At the end the result is played twice more, since a
//! failure that comes and goes is another thing than one that stays.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::campaign::whole;
use super::operation::{
    Bulk, Change, CountPick, List, ListToken, Operation, Patch, Place, Sequence, SincePick, TokenPick, Update,
    ValuePick, Who,
};
use super::play::{Attempt, Manner, Outcome, play};
use super::send::{Endpoints, Slot};

/// How much may be spent on shrinking one failure.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// Attempts.
    pub attempts: u64,
    /// Time.
    pub time: Duration,
}

impl Default for Budget {
    /// 1,000 attempts in 30 seconds.
    fn default() -> Self {
        Self { attempts: 1_000, time: Duration::from_secs(30) }
    }
}

/// Whether a failure can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replayed {
    /// It came again both times.
    Reproduced,
    /// It came again only sometimes, or never.
    Flaky,
}

/// What shrinking came to.
#[derive(Debug)]
pub(super) struct Shrunk {
    pub(super) sequence: Sequence,
    /// The last attempt that failed.
    pub(super) attempt: Attempt,
    pub(super) attempts: u64,
    pub(super) replayed: Replayed,
}

/// Tries to see a failure again before it is called flaky.
const TRIES: u32 = 3;

pub(super) struct Shrinker<'a> {
    pub(super) endpoints: &'a Arc<Endpoints>,
    pub(super) slots: &'a [Slot],
    pub(super) manner: &'a Arc<Manner>,
    /// The rule that must be broken.
    pub(super) rule: &'static str,
    pub(super) budget: Budget,
}

impl Shrinker<'_> {
    /// Shrinks a sequence that failed in `attempt`.
    pub(super) async fn shrink(&self, sequence: &Sequence, attempt: Attempt) -> Shrunk {
        let begun = Instant::now();
        let short = Sequence(sequence.0[..attempt.played.min(sequence.0.len())].to_vec());
        let mut shrunk = Shrunk { sequence: short, attempt, attempts: 0, replayed: Replayed::Flaky };
        if !self.comes_again(&mut shrunk).await {
            return shrunk;
        }
        loop {
            let candidates = candidates(&shrunk.sequence);
            let spent = |attempts| attempts >= self.budget.attempts || begun.elapsed() >= self.budget.time;
            let mut smaller = None;
            for few in candidates.chunks(self.slots.len().max(1)) {
                if spent(shrunk.attempts) {
                    break;
                }
                shrunk.attempts += few.len() as u64;
                smaller = self.first_failing(few).await;
                if smaller.is_some() {
                    break;
                }
            }
            let Some((sequence, attempt)) = smaller else { break };
            let played = attempt.played;
            shrunk.sequence = sequence;
            shrunk.sequence.0.truncate(played);
            shrunk.attempt = attempt;
        }
        shrunk.replayed = self.replay(&mut shrunk).await;
        shrunk
    }

    async fn comes_again(&self, shrunk: &mut Shrunk) -> bool {
        for _ in 0..TRIES {
            shrunk.attempts += 1;
            if let Some((_, attempt)) = self.first_failing(std::slice::from_ref(&shrunk.sequence)).await {
                shrunk.attempt = attempt;
                return true;
            }
        }
        false
    }

    async fn replay(&self, shrunk: &mut Shrunk) -> Replayed {
        for _ in 0..2 {
            shrunk.attempts += 1;
            match self.first_failing(std::slice::from_ref(&shrunk.sequence)).await {
                Some((_, attempt)) => shrunk.attempt = attempt,
                None => return Replayed::Flaky,
            }
        }
        Replayed::Reproduced
    }

    /// Plays all, each on a slot of its own; the first that fails, in their order.
    async fn first_failing(&self, candidates: &[Sequence]) -> Option<(Sequence, Attempt)> {
        let mut playing = JoinSet::new();
        for (index, (candidate, slot)) in candidates.iter().zip(self.slots).enumerate() {
            let (endpoints, manner) = (Arc::clone(self.endpoints), Arc::clone(self.manner));
            let (candidate, slot) = (candidate.clone(), slot.clone());
            playing.spawn(async move {
                let attempt = play(&endpoints, &slot, &candidate, &manner).await;
                (index, candidate, attempt)
            });
        }
        let mut first: Option<(usize, Sequence, Attempt)> = None;
        while let Some(ended) = playing.join_next().await {
            let (index, candidate, attempt) = whole(ended);
            if self.breaks_rule(&attempt) && first.as_ref().is_none_or(|(known, ..)| index < *known) {
                first = Some((index, candidate, attempt));
            }
        }
        first.map(|(_, candidate, attempt)| (candidate, attempt))
    }

    fn breaks_rule(&self, attempt: &Attempt) -> bool {
        match &attempt.outcome {
            Outcome::Found(complaints) => complaints.iter().any(|complaint| complaint.rule == self.rule),
            Outcome::Clean | Outcome::Indeterminate(_) => false,
        }
    }
}

/// Smaller sequences, the boldest first: long stretches taken out, then single
/// operations, then everything simpler in one respect.
pub(super) fn candidates(sequence: &Sequence) -> Vec<Sequence> {
    let all = &sequence.0;
    let mut candidates = Vec::new();
    let mut stretch = all.len() / 2;
    while stretch > 0 {
        // The last operation is the one that failed.
        for start in (0..all.len().saturating_sub(stretch)).step_by(stretch) {
            let kept = all[..start].iter().chain(&all[start + stretch..]);
            candidates.push(Sequence(kept.cloned().collect()));
        }
        stretch /= 2;
    }
    candidates.extend(moved_together(sequence));
    for (index, operation) in all.iter().enumerate() {
        for simpler in simpler(operation) {
            let mut operations = all.clone();
            operations[index] = simpler;
            candidates.push(Sequence(operations));
        }
    }
    candidates
}

/// The same with one identity, with one dataset fewer, with one plainer key.
fn moved_together(sequence: &Sequence) -> Vec<Sequence> {
    let mut moved = Vec::new();
    let mut push = |change: &dyn Fn(&mut Operation)| {
        let mut operations = sequence.0.clone();
        operations.iter_mut().for_each(change);
        if operations != sequence.0 {
            moved.push(Sequence(operations));
        }
    };
    push(&|operation| with_place(operation, &|place| place.who = Who::Own));
    for from in 1..super::operation::DATASETS {
        push(&|operation| {
            with_place(operation, &|place| {
                if place.dataset == from {
                    place.dataset = from - 1;
                }
            })
        });
    }
    let keys = sequence.0.iter().flat_map(|operation| match operation {
        Operation::Update(update) => update.patches.iter().map(|patch| patch.key).collect(),
        _ => Vec::new(),
    });
    let keys: std::collections::BTreeSet<u8> = keys.collect();
    for from in &keys {
        let Some(to) = (0..*from).find(|to| !keys.contains(to)) else { continue };
        push(&|operation| {
            if let Operation::Update(update) = operation {
                update.patches.iter_mut().filter(|patch| patch.key == *from).for_each(|patch| patch.key = to);
            }
        });
    }
    moved
}

fn with_place(operation: &mut Operation, change: &dyn Fn(&mut Place)) {
    match operation {
        Operation::Update(update) => change(&mut update.place),
        Operation::List(list) => change(&mut list.place),
        Operation::More(place) | Operation::Describe(place) | Operation::Delete(place) => change(place),
        Operation::Datasets { who, .. } | Operation::Usage(who) => {
            let mut place = Place { who: *who, dataset: 0 };
            change(&mut place);
            *who = place.who;
        }
    }
}

/// Everything that is simpler than this in one respect.
fn simpler(operation: &Operation) -> Vec<Operation> {
    match operation {
        Operation::Update(update) => simpler_updates(update).into_iter().map(Operation::Update).collect(),
        Operation::List(list) => simpler_lists(list).into_iter().map(Operation::List).collect(),
        Operation::Datasets { who, size: Some(_) } => vec![Operation::Datasets { who: *who, size: None }],
        _ => Vec::new(),
    }
}

fn simpler_updates(update: &Update) -> Vec<Update> {
    let mut simpler = Vec::new();
    if update.patches.len() > 1 {
        for index in 0..update.patches.len() {
            let mut fewer = update.clone();
            fewer.patches.remove(index);
            simpler.push(fewer);
        }
    }
    if update.token != TokenPick::Fresh {
        simpler.push(Update { token: TokenPick::Fresh, ..update.clone() });
    }
    if update.context {
        simpler.push(Update { context: false, ..update.clone() });
    }
    if update.bulk != Bulk::None {
        simpler.push(Update { bulk: Bulk::None, ..update.clone() });
    }
    for (index, patch) in update.patches.iter().enumerate() {
        for patch in simpler_patches(patch) {
            let mut plainer = update.clone();
            plainer.patches[index] = patch;
            simpler.push(plainer);
        }
    }
    simpler
}

fn simpler_patches(patch: &Patch) -> Vec<Patch> {
    let mut simpler = Vec::new();
    let change = |change: Change| Patch { change, ..patch.clone() };
    match patch.change {
        Change::Write(ValuePick::Short(number)) => {
            simpler.extend((0..number).map(|number| change(Change::Write(ValuePick::Short(number)))));
        }
        Change::RemoveWithValue => simpler.push(change(Change::Remove)),
        _ => simpler.push(change(Change::Write(ValuePick::Short(0)))),
    }
    match patch.count {
        CountPick::Right => {}
        CountPick::Zero => simpler.push(Patch { count: CountPick::Right, ..patch.clone() }),
        _ => {
            simpler.extend([CountPick::Right, CountPick::Zero].map(|count| Patch { count, ..patch.clone() }));
        }
    }
    if patch.dated {
        simpler.push(Patch { dated: false, ..patch.clone() });
    }
    simpler
}

fn simpler_lists(list: &List) -> Vec<List> {
    let mut simpler = Vec::new();
    let sinces = match list.since {
        SincePick::None => &[][..],
        SincePick::Zero => &[SincePick::None],
        SincePick::Last | SincePick::BeforeDeletion => &[SincePick::None, SincePick::Zero],
        SincePick::Before(_) | SincePick::Ahead(_) => &[SincePick::None, SincePick::Zero, SincePick::Last],
    };
    simpler.extend(sinces.iter().map(|since| List { since: *since, ..list.clone() }));
    if list.size.is_some() {
        simpler.push(List { size: None, ..list.clone() });
    }
    if list.first_page_only {
        simpler.push(List { first_page_only: false, ..list.clone() });
    }
    if list.token != ListToken::None {
        simpler.push(List { token: ListToken::None, ..list.clone() });
    }
    simpler
}

#[cfg(test)]
mod tests {
    use super::super::generate::{sequence, sequences};
    use super::candidates;

    #[test]
    fn candidates_are_others_and_no_chain_of_them_is_endless() {
        let strategy = sequences(12, 2);
        for number in 0..30 {
            let mut current = sequence(&strategy, 3, number);
            // Taking the last candidate every time takes the smallest steps there are.
            for step in 0.. {
                assert!(step < 2_000, "does not end: {current}");
                let all = candidates(&current);
                assert!(all.iter().all(|candidate| *candidate != current), "{current}");
                assert!(all.iter().all(|candidate| candidate.0.len() <= current.0.len()));
                let Some(last) = all.into_iter().next_back() else { break };
                current = last;
            }
        }
    }

    #[test]
    fn the_failing_operation_is_never_taken_out() {
        let strategy = sequences(12, 2);
        let whole = sequence(&strategy, 3, 4);
        assert!(whole.0.len() > 4, "{whole}");
        let shorter = candidates(&whole).into_iter().filter(|candidate| candidate.0.len() < whole.0.len());
        let mut count = 0;
        for candidate in shorter {
            assert_eq!(candidate.0.last(), whole.0.last());
            count += 1;
        }
        assert!(count > whole.0.len(), "{count}");
    }
}
