//! One pass over the calls in the order of time.
//!
//! What is carried along is the highest place that any call stood at that was
//! answered so far: whoever is sent later stands there or further on. A call that
//! may stand at several places takes the first of them, which leaves most to those
//! after it.

use super::fault::Fault;
use super::gather::Unplaced;
use super::timeline::{Entry, NONE, Place, Timeline};
use crate::fuzz::history::operation::{Call, Key, Listing, Outcome};

/// What is still open while a pass is made. It asks then only what holds however
/// that turns out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leeway<'o> {
    /// Writes without a place that may get one,
    pub(super) unplaced: &'o [Unplaced],
    /// from here on.
    pub(super) from: Place,
}

impl Leeway<'_> {
    /// All is settled.
    pub(super) const NONE: Self = Self { unplaced: &[], from: 0 };
}

/// How far somebody knew the writes to be: a place, and the call that stood there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) place: Place,
    pub(super) by: u32,
}

impl Known {
    pub(super) const NOTHING: Self = Self { place: 0, by: NONE };
}

/// Which moments to pass over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch {
    pub(super) from: usize,
    /// What was known before.
    pub(super) known: Known,
    /// It ends after so many moments,
    pub(super) most: usize,
    /// or when this place is known.
    pub(super) until: Place,
}

impl Stretch {
    pub(super) const ALL: Self = Self { from: 0, known: Known::NOTHING, most: usize::MAX, until: Place::MAX };
}

impl Timeline<'_> {
    /// Passes over a stretch of moments. `told` hears before each what is known.
    /// Gives how many moments it were; what is wrong comes with the moment.
    pub(super) fn sweep(
        &mut self,
        stretch: Stretch,
        leeway: Leeway<'_>,
        mut told: impl FnMut(Known),
    ) -> Result<usize, (Fault, usize)> {
        let mut known = stretch.known;
        let mut standing: Vec<(u32, Place)> = Vec::new();
        let end = self.moments.len().min(stretch.from.saturating_add(stretch.most));
        for at in stretch.from..end {
            let moment = self.moments[at];
            told(known);
            if moment.is_answer {
                let stood = standing.iter().position(|(call, _)| *call == moment.call);
                let place = match stood {
                    Some(stood) => Some(standing.swap_remove(stood).1),
                    // Sent before this stretch began.
                    None => self.fixed(moment.call),
                };
                if let Some(place) = place.filter(|place| *place > known.place) {
                    known = Known { place, by: moment.call };
                }
            } else {
                let place = self.stand(moment.call, known, leeway).map_err(|fault| (fault, at))?;
                if self.operation(moment.call).outcome != Outcome::Unknown {
                    standing.push((moment.call, place));
                }
            }
            if known.place >= stretch.until {
                return Ok(at - stretch.from);
            }
        }
        Ok(end - stretch.from)
    }

    /// Where a call stands that can stand at one place only.
    pub(super) fn fixed(&self, call: u32) -> Option<Place> {
        match &self.operation(call).outcome {
            Outcome::Listed(listing) if listing.exists => Some(listing.count * 2),
            _ => self.placed[call as usize],
        }
    }

    /// The first place at which the call may stand.
    fn stand(&mut self, call: u32, known: Known, leeway: Leeway<'_>) -> Result<Place, Fault> {
        let operation = self.operation(call);
        if let Some(place) = self.placed[call as usize] {
            return self.stand_as_write(call, place, known, leeway).map(|()| place);
        }
        match (&operation.outcome, &operation.call) {
            (Outcome::Listed(listing), Call::List { since }) if listing.exists => {
                let (read, place) = (self.place_in_history(call), listing.count * 2);
                if place < known.place {
                    return Err(Fault::Old { read, knew: self.place_in_history(known.by) });
                }
                self.compare(call, *since, listing, leeway)?;
                Ok(place)
            }
            (Outcome::Listed(_) | Outcome::Missing, _) => self.stand_nowhere(call, known, leeway),
            (Outcome::Ahead, Call::List { since }) => self.stand_ahead(call, *since, known, leeway),
            (Outcome::Conflict { .. }, _) => self.stand_refused(call, known, leeway),
            _ => Ok(known.place),
        }
    }

    pub(super) fn stand_as_write(
        &self,
        call: u32,
        place: Place,
        known: Known,
        leeway: Leeway<'_>,
    ) -> Result<(), Fault> {
        let write = self.place_in_history(call);
        if place <= known.place {
            return Err(Fault::Behind { write, knew: self.place_in_history(known.by) });
        }
        if self.operation(call).call == Call::Delete && !self.exists(place - 1) {
            return Err(Fault::DeletedNothing { deletion: write });
        }
        for patch in self.operation(call).patches() {
            if let Some(newer) = self.record(patch.key, place - 1).filter(|newer| newer.count() > patch.base)
                && !self.may_be_deleted(leeway, newer.place, place)
            {
                return Err(Fault::Stale { write, key: patch.key, newer: self.place_in_history(newer.write) });
            }
        }
        Ok(())
    }

    /// For a call that found no dataset.
    fn stand_nowhere(&self, call: u32, known: Known, leeway: Leeway<'_>) -> Result<Place, Fault> {
        if !self.exists(known.place) {
            return Ok(known.place);
        }
        let next = self.next_deletion(known.place);
        if self.may_be_deleted(leeway, known.place, next.unwrap_or(Place::MAX)) {
            return Ok(known.place);
        }
        next.ok_or_else(|| Fault::Gone { operation: self.place_in_history(call), knew: self.knower(known) })
    }

    /// For a listing that was refused since its count is above the dataset's.
    fn stand_ahead(&self, call: u32, since: i64, known: Known, leeway: Leeway<'_>) -> Result<Place, Fault> {
        if known.place / 2 < since {
            return Ok(known.place);
        }
        // Of a dataset that is deleted it is open which count it has.
        let found = self.stand_nowhere(call, known, leeway);
        found.map_err(|_| Fault::AheadRefused { read: self.place_in_history(call), knew: self.knower(known) })
    }

    /// For a write that met a conflict.
    fn stand_refused(&self, call: u32, known: Known, leeway: Leeway<'_>) -> Result<Place, Fault> {
        let patches = self.operation(call).patches();
        if let Some((key, count)) = self.told(call) {
            return self.stand_told(call, key, count, known, leeway);
        }
        let differs = |place: Place| patches.iter().any(|patch| self.count(patch.key, place) != patch.base);
        if differs(known.place) {
            return Ok(known.place);
        }
        let changes = patches.iter().filter_map(|patch| self.next_change(patch.key, known.place));
        let next = changes.min();
        let end = next.unwrap_or(Place::MAX);
        let may_change = |key: Key, count: i64| {
            self.may_be_written(leeway, key, count * 2, end) || self.may_be_deleted(leeway, count * 2, end)
        };
        if patches.iter().any(|patch| may_change(patch.key, patch.base)) {
            return Ok(known.place);
        }
        let (write, knew) = (self.place_in_history(call), self.knower(known));
        next.ok_or(Fault::FalseConflict { write, knew })
    }

    fn stand_told(&self, call: u32, key: Key, count: i64, known: Known, leeway: Leeway<'_>) -> Result<Place, Fault> {
        let (write, knew) = (self.place_in_history(call), self.knower(known));
        let patch = self.operation(call).patches().iter().find(|patch| patch.key == key);
        if patch.is_some_and(|patch| patch.base == count) {
            return Err(Fault::FalseConflict { write, knew });
        }
        if count < 0 {
            return Err(Fault::WrongTold { write, key, told: count });
        }
        if count > 0 {
            let place = count * 2;
            if self.record(key, place).is_none_or(|entry| entry.place != place) {
                let open = self.taken_by(count).is_none() && self.may_be_written(leeway, key, place - 1, place + 1);
                return if open { Ok(known.place) } else { Err(Fault::WrongTold { write, key, told: count }) };
            }
            let stands = known.place.max(place);
            let gone = self.next_change(key, place).is_some_and(|change| change <= stands);
            return match knew {
                Some(knew) if gone => Err(Fault::Old { read: write, knew }),
                _ => Ok(stands),
            };
        }
        let Some(entry) = self.record(key, known.place) else { return Ok(known.place) };
        let next = self.next_deletion(known.place).filter(|_| count == 0);
        if count == 0 && self.may_be_deleted(leeway, entry.place, next.unwrap_or(Place::MAX)) {
            return Ok(known.place);
        }
        next.ok_or(match knew {
            Some(knew) if count == 0 => Fault::Old { read: write, knew },
            _ => Fault::WrongTold { write, key, told: count },
        })
    }

    /// Compares a listing with the state at its count.
    fn compare(&mut self, call: u32, since: i64, listing: &Listing, leeway: Leeway<'_>) -> Result<(), Fault> {
        let (read, place) = (self.place_in_history(call), listing.count * 2);
        let (deleted, by) = self.deleted(place);
        if deleted == place {
            return Err(Fault::NotDeleted { deletion: self.place_in_history(by) });
        }
        // Whoever saw the count of a deletion, or one that it may have shared, has
        // not missed it.
        let missed = since > 0 && 2 * since < deleted - 2 * (deleted % 2);
        if missed && !listing.deleted {
            return Err(Fault::NotFlagged { read, deletion: self.place_in_history(by) });
        }
        for shown in &listing.records {
            self.shown[shown.key.index()] = call;
            let buried = |above| shown.value.is_none() && self.may_be_deleted(leeway, above, place);
            let Some(now) = self.record(shown.key, place).filter(|now| now.count() >= shown.count) else {
                let before_deletion = shown.count * 2 < deleted;
                if before_deletion && shown.value.is_some() {
                    return Err(Fault::Resurrected { read, key: shown.key, deletion: self.place_in_history(by) });
                }
                let open = self.taken_by(shown.count).is_none()
                    && self.may_be_written(leeway, shown.key, shown.count * 2 - 1, shown.count * 2 + 1);
                let with_deletion = shown.value.is_none() && shown.count * 2 == deleted;
                if open || before_deletion || with_deletion || buried(shown.count * 2 - 1) {
                    continue;
                }
                return Err(Fault::Phantom { read, key: shown.key });
            };
            if now.count() > shown.count {
                if buried(now.place) {
                    continue;
                }
                return Err(Fault::Outdated { read, key: shown.key, write: self.place_in_history(now.write) });
            }
            if now.value != shown.value {
                return Err(Fault::Phantom { read, key: shown.key });
            }
        }
        self.find_missing(call, since, listing, leeway)
    }

    /// Whether the listing, whose records were marked as shown, lacks one.
    fn find_missing(&self, call: u32, since: i64, listing: &Listing, leeway: Leeway<'_>) -> Result<(), Fault> {
        let place = listing.count * 2;
        let lacks = |key: Key| -> Option<Entry> {
            if self.shown[key.index()] == call {
                return None;
            }
            let entry = self.record(key, place).filter(|entry| entry.count() > since)?;
            // Whether tombstones are listed from 0 is open.
            let due = entry.value.is_some() || since > 0;
            let may_be_removed = since == 0 && self.may_be_written(leeway, key, entry.place, place + 1);
            (due && !may_be_removed && !self.may_be_deleted(leeway, entry.place, place)).then_some(entry)
        };
        let few = (listing.count - since) as usize <= self.keys.len();
        let missing = if few {
            let writes = (since + 1..=listing.count).filter_map(|count| self.taken_by(count));
            let mut keys = writes.flat_map(|write| self.operation(write).patches()).map(|patch| patch.key);
            keys.find_map(|key| Some((key, lacks(key)?)))
        } else {
            self.keys.iter().find_map(|key| Some((*key, lacks(*key)?)))
        };
        let Some((key, entry)) = missing else { return Ok(()) };
        let (read, write) = (self.place_in_history(call), self.place_in_history(entry.write));
        let shows_others = listing.records.iter().any(|record| record.count == entry.count());
        let lost = self.operation(entry.write).outcome == Outcome::Unknown;
        Err(if shows_others && lost {
            Fault::Partial { read, key, write }
        } else {
            Fault::Missing { read, key, write, since }
        })
    }

    fn knower(&self, known: Known) -> Option<usize> {
        (known.by != NONE).then(|| self.place_in_history(known.by))
    }

    /// Whether a deletion without a place may come to stand between two places.
    fn may_be_deleted(&self, leeway: Leeway<'_>, above: Place, below: Place) -> bool {
        self.may_come(leeway, above, below, |call| self.operation(call).call == Call::Delete)
    }

    /// Whether a write to this key may.
    fn may_be_written(&self, leeway: Leeway<'_>, key: Key, above: Place, below: Place) -> bool {
        let writes = |call: u32| self.operation(call).patches().iter().any(|patch| patch.key == key);
        self.may_come(leeway, above, below, writes)
    }

    fn may_come(&self, leeway: Leeway<'_>, above: Place, below: Place, fits: impl Fn(u32) -> bool) -> bool {
        let above = above.max(leeway.from - 1);
        let may_come = |open: &Unplaced| {
            self.placed[open.call as usize].is_none()
                && open.low.max(above) + 1 < below
                && open.high > above
                && fits(open.call)
        };
        below > above && leeway.unplaced.iter().any(may_come)
    }
}
