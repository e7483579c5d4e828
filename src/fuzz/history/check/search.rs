//! Places for the writes whose answers name none.
//!
//! The places are gone through in the order of counts. At each, what fits by all
//! that is known below is tried, and a short sweep over the calls around it throws
//! out most of what is wrong at once; so a window in which something is ambiguous
//! is searched by itself, and the rest of the history only once at the end.

use super::Trouble;
use super::fault::Fault;
use super::gather::{Open, Unplaced};
use super::sweep::{Known, Leeway, Stretch};
use super::timeline::{NONE, Place, Timeline};
use crate::fuzz::history::operation::{Call, Outcome};

/// How far around a place a choice is tried: in places, and in moments.
const NEAR_PLACES: Place = 16;
const NEAR_MOMENTS: usize = 512;

/// How many lost writes are tried as the one that nobody saw.
const MOST_UNSEEN: usize = 16;

/// Gives every write a place, if there is a way, and checks the history so.
pub(super) fn settle(timeline: &mut Timeline<'_>, mut open: Open, budget: u64) -> Result<(), (Trouble, usize)> {
    let wrong = |(fault, at)| (Trouble::Wrong(fault), at);
    for (count, call) in std::mem::take(&mut open.bound) {
        timeline.place(call, count * 2);
    }
    open.gaps.retain(|gap| timeline.taken_by(*gap).is_none());
    open.unplaced.retain(|write| timeline.placed[write.call as usize].is_none());
    if open.unplaced.is_empty() && open.gaps.is_empty() {
        return timeline.sweep(Stretch::ALL, Leeway::NONE, |_| {}).map(drop).map_err(wrong);
    }
    bound_above(timeline, &mut open.unplaced);
    let mut known = Vec::with_capacity(timeline.moments.len());
    let leeway = Leeway { unplaced: &open.unplaced, from: 0 };
    timeline.sweep(Stretch::ALL, leeway, |now| known.push(now)).map_err(wrong)?;
    for write in &mut open.unplaced {
        write.low = known[timeline.sent[write.call as usize] as usize].place;
    }
    open.unplaced.retain(|write| write.must || write.low < write.high);
    let slots = slots(timeline, &open);
    Search { timeline, open: &open, known, slots, budget, spent: 0, best: None, unseen: false }.run()
}

/// The places above which writes cannot stand, by what was seen after they were
/// answered, and by what would have refused them.
fn bound_above(timeline: &Timeline<'_>, unplaced: &mut [Unplaced]) {
    let mut least = Place::MAX;
    let mut least_from: Vec<(u64, Place)> = Vec::new();
    for call in timeline.calls().rev() {
        least = least.min(timeline.fixed(call).unwrap_or(Place::MAX));
        least_from.push((timeline.operation(call).invoked, least));
    }
    least_from.reverse();
    let deletes = |write: &Unplaced| timeline.operation(write.call).call == Call::Delete;
    let no_deletions = !unplaced.iter().any(deletes);
    for write in unplaced {
        let operation = timeline.operation(write.call);
        if operation.outcome != Outcome::Unknown {
            let after = least_from.partition_point(|(invoked, _)| *invoked <= operation.returned);
            write.high = least_from.get(after).map_or(Place::MAX, |(_, least)| *least);
        }
        if no_deletions {
            let refusing =
                operation.patches().iter().filter_map(|patch| timeline.next_entry(patch.key, patch.base * 2));
            write.high = refusing.map(|entry| entry.place - 1).min().map_or(write.high, |most| most.min(write.high));
        }
    }
}

/// A place that may be, or must be, some write's.
#[derive(Debug)]
struct Slot {
    place: Place,
    /// A count that was passed: somebody took it.
    required: bool,
    /// Who may stand here, as far as can be said beforehand.
    candidates: Vec<u32>,
    /// Those that must have a place by now.
    due: Vec<u32>,
}

fn slots(timeline: &Timeline<'_>, open: &Open) -> Vec<Slot> {
    let covered = covered(timeline);
    let is_covered = |count: i64| covered.get(count as usize).copied().unwrap_or(false);
    let is_deletion = |write: &Unplaced| timeline.operation(write.call).call == Call::Delete;
    let has_deletions = open.unplaced.iter().any(is_deletion);
    let mut places: Vec<(Place, bool)> = open.gaps.iter().map(|gap| (gap * 2, true)).collect();
    if has_deletions && !timeline.deletion_steps {
        places.extend((1..=timeline.last).filter(|count| !is_covered(*count)).map(|count| (count * 2 + 1, false)));
    }
    places.push((timeline.last * 2 + 2, false));
    places.sort_unstable();
    let mut waiting = open.unplaced.clone();
    waiting.sort_unstable_by_key(|write| std::cmp::Reverse(write.low));
    let (mut active, mut musts): (Vec<Unplaced>, Vec<Unplaced>) = (Vec::new(), Vec::new());
    let mut slots = Vec::new();
    for (place, required) in places {
        while let Some(write) = waiting.pop_if(|write| write.low < place) {
            active.push(write);
            musts.extend(write.must.then_some(write));
        }
        active.retain(|write| write.high >= place);
        let fits = |write: &&Unplaced| match is_deletion(write) {
            true if timeline.deletion_steps => place % 2 == 0 && !is_covered(place / 2 - 1),
            deletion => deletion == (place % 2 == 1),
        };
        let mut fitting: Vec<&Unplaced> = active.iter().filter(fits).collect();
        // Who has the least time left comes first.
        fitting.sort_unstable_by_key(|write| (!write.must, write.high, write.low, write.call));
        let candidates: Vec<u32> = fitting.into_iter().map(|write| write.call).collect();
        let due = musts.extract_if(.., |write| write.high < place).map(|write| write.call).collect();
        if required || !candidates.is_empty() {
            slots.push(Slot { place, required, candidates, due });
        } else if let Some(slot) = slots.last_mut() {
            // Whoever had to stand before this place had its last chance there.
            slot.due.extend(due);
        } else {
            slots.push(Slot { place, required, candidates, due });
        }
    }
    slots
}

/// For each count, whether no deletion can stand between its write and the next: a
/// listing shows a record from before.
fn covered(timeline: &Timeline<'_>) -> Vec<bool> {
    let mut change = vec![0_i64; timeline.last as usize + 2];
    for call in timeline.calls() {
        if let Outcome::Listed(listing) = &timeline.operation(call).outcome
            && listing.exists
        {
            // A tombstone may outlive its dataset.
            let oldest =
                listing.records.iter().filter(|record| record.value.is_some()).map(|record| record.count).min();
            if let Some(oldest) = oldest {
                change[oldest.max(0) as usize] += 1;
                change[listing.count as usize] -= 1;
            } else if timeline.deletion_steps {
                change[listing.count as usize - 1] += 1;
                change[listing.count as usize] -= 1;
            }
        }
    }
    let mut depth = 0;
    let covers = |change: &i64| {
        depth += change;
        depth > 0
    };
    change.iter().map(covers).collect()
}

struct Search<'t, 'h> {
    timeline: &'t mut Timeline<'h>,
    open: &'t Open,
    /// Before each moment, what was known at least.
    known: Vec<Known>,
    slots: Vec<Slot>,
    budget: u64,
    spent: u64,
    /// The fault that lies furthest on, with its moment.
    best: Option<(Fault, usize)>,
    /// A write that nobody saw might explain what is wrong.
    unseen: bool,
}

/// The choices at one slot.
struct Choices {
    /// Calls; nobody is [`NONE`].
    options: Vec<u32>,
    /// How many of them were tried.
    tried: usize,
}

impl Search<'_, '_> {
    fn run(mut self) -> Result<(), (Trouble, usize)> {
        let mut stack: Vec<Choices> = Vec::new();
        let mut first = true;
        loop {
            let fits = stack.len() < self.slots.len() || {
                if !first && self.charge(self.timeline.moments.len()) {
                    return Err((self.out_of_budget(), 0));
                }
                first = false;
                if self.is_well() {
                    return Ok(());
                }
                false
            };
            if fits && let Some(options) = self.options(stack.len()) {
                stack.push(Choices { options, tried: 0 });
            }
            if !self.choose(&mut stack) {
                return Err(self.nothing_fits());
            }
            if self.spent > self.budget {
                return Err((self.out_of_budget(), 0));
            }
        }
    }

    /// Makes the next choice that fits, going back where none is left; false when
    /// everything was tried.
    fn choose(&mut self, stack: &mut Vec<Choices>) -> bool {
        while let Some(choices) = stack.last_mut() {
            if let Some(last) = choices.tried.checked_sub(1)
                && choices.options[last] != NONE
            {
                self.timeline.displace(choices.options[last]);
            }
            let Some(call) = choices.options.get(choices.tried).copied() else {
                stack.pop();
                continue;
            };
            choices.tried += 1;
            let slot = stack.len() - 1;
            if self.fits(slot, call) {
                return true;
            }
            if self.spent > self.budget {
                return true;
            }
        }
        false
    }

    /// Who may take a slot; none when somebody has missed the last chance.
    fn options(&mut self, slot: usize) -> Option<Vec<u32>> {
        let Slot { place, required, candidates, due } = &self.slots[slot];
        let (place, required) = (*place, *required);
        let missed =
            due.iter().find(|call| self.timeline.placed[**call as usize].is_none() && !candidates.contains(call));
        if let Some(missed) = missed.copied() {
            self.blame(self.never_placed(missed), self.timeline.sent[missed as usize] as usize);
            return None;
        }
        let is_free = |call: &&u32| self.timeline.placed[**call as usize].is_none();
        let mut options: Vec<u32> =
            candidates.iter().filter(is_free).filter(|call| self.is_touched(place, **call)).copied().collect();
        let must = options.first().is_some_and(|call| self.timeline.operation(*call).outcome != Outcome::Unknown);
        if place > self.timeline.last * 2 {
            options.truncate(MOST_UNSEEN);
        }
        if required {
            if options.is_empty() {
                let version = place / 2;
                let above = (version + 1..=self.timeline.last).find_map(|count| self.timeline.taken_by(count));
                let witness = above.or_else(|| self.reader(version)).unwrap_or(0);
                let at = self.timeline.sent[witness as usize] as usize;
                self.blame(Fault::Gap { version, witness: self.timeline.place_in_history(witness) }, at);
            }
        } else if must {
            options.push(NONE);
        } else {
            options.insert(0, NONE);
        }
        Some(options)
    }

    /// A call that saw this count, or one above it.
    fn reader(&self, version: i64) -> Option<u32> {
        self.timeline.calls().find(|call| match &self.timeline.operation(*call).outcome {
            Outcome::Listed(listing) => listing.exists && listing.count >= version,
            Outcome::Conflict { told } => told.is_some_and(|(_, count)| count >= version),
            _ => false,
        })
    }

    /// Whether the call writes all keys that were seen to be written at the place.
    fn is_touched(&self, place: Place, call: u32) -> bool {
        let Some(touched) = self.open.touched.get(&(place / 2)).filter(|_| place % 2 == 0) else { return true };
        let operation = self.timeline.operation(call);
        if operation.call == Call::Delete {
            // Tombstones of all records are one way of deleting a dataset.
            return touched.iter().all(|(_, removed)| *removed);
        }
        let writes = |key, removed: bool| {
            operation.patches().iter().any(|patch| patch.key == key && (!removed || patch.value.is_none()))
        };
        touched.iter().all(|(key, removed)| writes(*key, *removed))
    }

    /// Places the call, and says whether nothing near speaks against it.
    fn fits(&mut self, slot: usize, call: u32) -> bool {
        let Slot { place, due, .. } = &self.slots[slot];
        let place = *place;
        if let Some(missed) =
            due.iter().find(|other| self.timeline.placed[**other as usize].is_none() && **other != call)
        {
            let missed = *missed;
            self.blame(self.never_placed(missed), self.timeline.sent[missed as usize] as usize);
            return false;
        }
        if call != NONE {
            let sent = self.timeline.sent[call as usize] as usize;
            self.timeline.place(call, place);
            if let Err(fault) = self.timeline.stand_as_write(call, place, self.known[sent], Leeway::NONE) {
                self.blame(fault, sent);
                return false;
            }
        }
        let near = [place / 2, place / 2 + 1].into_iter().filter_map(|count| self.timeline.taken_by(count));
        let Some(from) = near.map(|call| self.timeline.sent[call as usize] as usize).min() else { return true };
        let stretch = Stretch { from, known: self.known[from], most: NEAR_MOMENTS, until: place + NEAR_PLACES };
        let leeway = Leeway { unplaced: &self.open.unplaced, from: place + 1 };
        match self.timeline.sweep(stretch, leeway, |_| {}) {
            Ok(moments) => {
                self.charge(moments);
                true
            }
            Err((fault, at)) => {
                self.charge(at - from);
                self.blame(fault, at);
                false
            }
        }
    }

    /// Whether the history is right with everything in its place.
    fn is_well(&mut self) -> bool {
        let is_open = |write: &&Unplaced| write.must && self.timeline.placed[write.call as usize].is_none();
        if let Some(missed) = self.open.unplaced.iter().find(is_open).map(|write| write.call) {
            self.blame(self.never_placed(missed), self.timeline.sent[missed as usize] as usize);
            return false;
        }
        match self.timeline.sweep(Stretch::ALL, Leeway::NONE, |_| {}) {
            Ok(_) => true,
            Err((fault, at)) => {
                self.blame(fault, at);
                false
            }
        }
    }

    fn never_placed(&self, call: u32) -> Fault {
        let place = self.timeline.place_in_history(call);
        match self.timeline.operation(call).call {
            Call::Delete => self.never_deleted(call, place),
            _ => Fault::Gap { version: self.timeline.last + 1, witness: place },
        }
    }

    /// What shows best that a deletion has no place.
    fn never_deleted(&self, call: u32, deletion: usize) -> Fault {
        let before = self.known[self.timeline.sent[call as usize] as usize].place;
        let returned = self.timeline.operation(call).returned;
        for later in self.timeline.calls().filter(|later| self.timeline.operation(*later).invoked > returned) {
            let Outcome::Listed(listing) = &self.timeline.operation(later).outcome else { continue };
            let read = self.timeline.place_in_history(later);
            let old = listing.records.iter().find(|record| record.value.is_some() && record.count * 2 <= before);
            match old.filter(|_| listing.exists) {
                Some(_) if listing.count * 2 <= before => return Fault::StillThere { read, deletion },
                Some(old) => return Fault::Resurrected { read, key: old.key, deletion },
                None => {}
            }
        }
        let last_deletion = self.timeline.deletions.last();
        if last_deletion.is_some_and(|(place, _)| *place > self.timeline.last * 2) {
            return Fault::DeletedNothing { deletion };
        }
        Fault::NotDeleted { deletion }
    }

    fn blame(&mut self, fault: Fault, at: usize) {
        let lost = |write: &Unplaced| !write.must && self.timeline.placed[write.call as usize].is_none();
        self.unseen |= fault.may_be_unseen_write() && self.open.unplaced.iter().any(lost);
        if self.best.is_none_or(|(_, best)| at > best) {
            self.best = Some((fault, at));
        }
    }

    /// Pays for so many moments; whether the budget is gone.
    fn charge(&mut self, moments: usize) -> bool {
        self.spent = self.spent.saturating_add(moments as u64);
        self.spent > self.budget
    }

    fn out_of_budget(&self) -> Trouble {
        let (places, writes) = (self.slots.len(), self.open.unplaced.len());
        Trouble::Untold(format!(
            "{writes} writes whose answers name no count, or were lost, could stand at {places} places, and the budget \
             ended before one way was found in which every answer is right."
        ))
    }

    fn nothing_fits(&self) -> (Trouble, usize) {
        match self.best {
            Some((fault, at)) if !self.unseen => (Trouble::Wrong(fault), at),
            Some((_, at)) => {
                let why = "Only a lost write that nobody saw afterwards could explain the history, in more ways than were tried.";
                (Trouble::Untold(why.to_owned()), at)
            }
            None => (Trouble::Untold("There is no place to begin with.".to_owned()), 0),
        }
    }
}
