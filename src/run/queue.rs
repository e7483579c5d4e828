//! The cases that wait for their turn.

use std::cmp::Reverse;
use std::collections::VecDeque;

use crate::plan::{Demand, Lease, LeaseTable, Planned};

/// The cases that wait: those whose other services are slow on purpose first, since a
/// run lasts at least as long as they do; the others in the order of the plan.
///
/// Who demands the same waits in the same line: where the first gets nothing, nobody
/// behind it is asked, so that a long queue costs no more than a short one.
#[derive(Debug)]
pub(super) struct Queue {
    lines: Vec<Line>,
}

#[derive(Debug)]
struct Line {
    demand: Demand,
    /// With their places in the whole queue; never empty.
    cases: VecDeque<(usize, Planned)>,
}

impl Line {
    fn place(&self) -> usize {
        self.cases.front().map_or(usize::MAX, |(place, _)| *place)
    }
}

impl Queue {
    pub(super) fn new(mut cases: Vec<(Planned, Demand)>) -> Self {
        cases.sort_by_key(|(planned, _)| Reverse(planned.case.scripts.longest_delay()));
        let mut lines: Vec<Line> = Vec::new();
        for (place, (planned, demand)) in cases.into_iter().enumerate() {
            match lines.iter_mut().find(|line| line.demand == demand) {
                Some(line) => line.cases.push_back((place, planned)),
                None => lines.push(Line { demand, cases: VecDeque::from([(place, planned)]) }),
            }
        }
        Self { lines }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The first case for which a lease is free.
    pub(super) fn next(&mut self, leases: &mut LeaseTable) -> Option<(Planned, Lease)> {
        self.lines.sort_by_key(Line::place);
        let found = self.lines.iter().enumerate().find_map(|(index, line)| Some((index, leases.acquire(line.demand)?)));
        let (index, lease) = found?;
        let (_, planned) = self.lines[index].cases.pop_front()?;
        if self.lines[index].cases.is_empty() {
            self.lines.remove(index);
        }
        Some((planned, lease))
    }

    /// All that is left, in its order.
    pub(super) fn rest(&mut self) -> Vec<Planned> {
        let mut rest: Vec<_> = self.lines.drain(..).flat_map(|line| line.cases).collect();
        rest.sort_by_key(|(place, _)| *place);
        rest.into_iter().map(|(_, planned)| planned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::Suite;
    use crate::plan::Plan;
    use crate::spec::{Catalog, Service};
    use crate::target::{Target, embedded_world};

    const CASES: &str = r#"
[[case]]
name = "a"
proves = ["GetCognitoEvents/route"]
steps = [{ call = "GetCognitoEvents", expect = { status = 200 } }]

[[case]]
name = "b"
proves = ["GetCognitoEvents/route"]
isolation = "pool"
steps = [{ call = "GetCognitoEvents", expect = { status = 200 } }]

[[case]]
name = "c"
proves = ["GetCognitoEvents/route"]
isolation = "pool"
steps = [{ call = "GetCognitoEvents", expect = { status = 200 } }]

[[case]]
name = "d"
proves = ["GetCognitoEvents/route"]
steps = [{ call = "GetCognitoEvents", expect = { status = 200 } }]

[[case]]
name = "slow"
proves = ["GetCognitoEvents/route"]
function = { delay-ms = 10 }
steps = [{ call = "GetCognitoEvents", expect = { status = 200 } }]
"#;

    fn queue(pools: usize) -> (Queue, LeaseTable) {
        let bases = Suite::shipped_bases();
        let files = [("_base.toml", bases), ("area/topic.toml", CASES)];
        let suite = Suite::from_texts(Service::embedded(), Catalog::embedded(), &files).expect("a suite");
        let world = embedded_world();
        let mut target = Target::embedded(&world, "http://127.0.0.1:1").called_back(&world, ([127, 0, 0, 1], 0).into());
        target.pools.truncate(pools);
        let plan = Plan::new(&suite, &[], &target).expect("a plan");
        let demand = |planned: Planned| {
            let demand = Demand::of(&planned.case);
            (planned, demand)
        };
        (Queue::new(plan.cases.into_iter().map(demand).collect()), LeaseTable::new(&target, 20))
    }

    fn name(planned: &Planned) -> &str {
        planned.case.id.rsplit_once('/').map_or("", |(_, name)| name)
    }

    #[test]
    fn who_waits_for_others_begins_first_and_the_rest_in_order() {
        let (mut queue, mut leases) = queue(8);
        let order: Vec<String> =
            std::iter::from_fn(|| queue.next(&mut leases)).map(|(case, _)| name(&case).to_owned()).collect();
        assert_eq!(order, ["slow", "a", "b", "c", "d"]);
        assert!(queue.is_empty());
    }

    #[test]
    fn who_cannot_be_served_yet_lets_others_go_first() {
        let (mut queue, mut leases) = queue(2);
        let mut begun = Vec::new();
        while let Some(next) = queue.next(&mut leases) {
            begun.push(next);
        }
        let order: Vec<&str> = begun.iter().map(|(case, _)| name(case)).collect();
        assert_eq!(order, ["slow", "a", "b", "d"], "no pool is left for c");
        assert_eq!(queue.rest().iter().map(name).collect::<Vec<_>>(), ["c"]);
    }
}
