//! The check: each dataset by itself, by the order that the counts give.
//!
//! `timeline` holds one dataset's calls and the writes that have their place,
//! `gather` finds those places in the answers, `sweep` goes over the calls in the
//! order of time, and `search` tries out what the answers leave open.

mod fault;
mod gather;
mod search;
mod sweep;
mod timeline;

use std::ops::Range;

use self::fault::Fault;
use self::timeline::{NONE, Timeline};
use super::operation::{Call, History};
use super::verdict::{Counts, Verdict};

/// Why a dataset's calls were not found to be consistent.
#[derive(Debug, Clone)]
enum Trouble {
    /// They are not.
    Wrong(Fault),
    /// It could not be told.
    Untold(String),
}

/// Checks a history. `budget` is how many calls may be looked at again while
/// searching; it is looked at nowhere else, and 0 is legal.
pub fn check(history: &History, budget: u64) -> Verdict {
    let counts = Counts::of(history);
    let datasets = Datasets::of(history);
    let mut untold = None;
    for range in &datasets.ranges {
        match datasets.check(history, range.clone(), budget) {
            Ok(()) => {}
            Err(Trouble::Wrong(fault)) => return Verdict::Inconsistent(fault.part(history)),
            Err(Trouble::Untold(why)) => untold = untold.or(Some(why)),
        }
    }
    match untold {
        Some(why) => Verdict::Unknown { why },
        None => Verdict::Consistent(counts),
    }
}

/// The calls by dataset and time.
struct Datasets {
    /// Places in the history.
    order: Vec<u32>,
    /// Of each dataset, where in `order` its calls are.
    ranges: Vec<Range<usize>>,
    /// By value, the place in the history of the call that writes it.
    writers: Vec<u32>,
    /// By place in the history, the place within the dataset.
    local: Vec<u32>,
}

impl Datasets {
    fn of(history: &History) -> Self {
        let operations = &history.operations;
        let mut order: Vec<u32> = (0..operations.len() as u32).collect();
        order.sort_by_key(|at| (operations[*at as usize].dataset, operations[*at as usize].invoked));
        let mut ranges: Vec<Range<usize>> = Vec::new();
        let mut local = vec![NONE; operations.len()];
        let mut writers = vec![NONE; history.value_count()];
        for (at, place) in order.iter().enumerate() {
            let operation = &operations[*place as usize];
            match ranges.last_mut() {
                Some(range) if operations[order[range.start] as usize].dataset == operation.dataset => {
                    range.end = at + 1;
                }
                _ => ranges.push(at..at + 1),
            }
            let start = ranges.last().map_or(0, |range| range.start);
            local[*place as usize] = (at - start) as u32;
            for value in operation.patches().iter().filter_map(|patch| patch.value) {
                writers[value.index()] = *place;
            }
        }
        Self { order, ranges, writers, local }
    }

    fn check(&self, history: &History, range: Range<usize>, budget: u64) -> Result<(), Trouble> {
        let deletes = |place: &u32| {
            let operation = &history.operations[*place as usize];
            operation.call == Call::Delete && operation.may_have_written()
        };
        if !self.order[range.clone()].iter().any(deletes) {
            return self.check_as(history, range, budget, false).map_err(|(trouble, _)| trouble);
        }
        // Whether a deletion takes a step of the count is open; one of both must fit.
        let with_step = match self.check_as(history, range.clone(), budget, true) {
            Ok(()) => return Ok(()),
            Err(trouble) => trouble,
        };
        let without = match self.check_as(history, range, budget, false) {
            Ok(()) => return Ok(()),
            Err(trouble) => trouble,
        };
        Err(match (with_step, without) {
            ((untold @ Trouble::Untold(_), _), _) | (_, (untold @ Trouble::Untold(_), _)) => untold,
            // The reading that explains more of the history has the better reason.
            ((first, explained), (second, more)) => {
                if more > explained {
                    second
                } else {
                    first
                }
            }
        })
    }

    /// Together with trouble comes up to which call all was well, to compare.
    fn check_as(
        &self,
        history: &History,
        range: Range<usize>,
        budget: u64,
        deletion_steps: bool,
    ) -> Result<(), (Trouble, usize)> {
        let places = &self.order[range];
        let mut timeline = Timeline::new(history, places, &self.local, &self.writers, deletion_steps);
        let unplaced = timeline.gather().map_err(|fault| (Trouble::Wrong(fault), 0))?;
        search::settle(&mut timeline, unplaced, budget)
    }
}
