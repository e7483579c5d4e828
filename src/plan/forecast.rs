//! What a plan will do to a target, told before anything is sent.

use std::num::NonZeroU32;

use indexmap::IndexMap;
use serde::Serialize;

use super::reach::Reach;
use super::select::{Decision, Plan};
use crate::cases::{Action, Actor, Case, Collaborator, Effect, Expect, Isolation, Step, Template};

/// What a request to an endpoint takes where nothing else is known, in milliseconds.
const ASSUMED_LATENCY_MS: u32 = 50;

/// The same on this machine.
const ASSUMED_LATENCY_HERE_MS: u32 = 2;

/// Stands for requests that are none of the service's operations.
const NO_OPERATION: &str = "no operation";

/// What a plan will do to a target if the target answers as expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Forecast {
    /// Ids of the cases that would run.
    pub cases: Vec<String>,
    /// Why other selected cases are skipped, and their ids.
    pub skipped: IndexMap<String, Vec<String>>,
    /// Requests by operation, most first; what no operation has stands under
    /// `no operation`.
    pub requests: IndexMap<String, Requests>,
    /// What the cases make on the target.
    pub made: Vec<Made>,
    /// Operations that change how a whole pool behaves, with the number of calls.
    pub pool_changes: IndexMap<String, usize>,
    /// Operations that can be called once a day for a pool, with the number of calls.
    pub once_a_day: IndexMap<String, usize>,
    /// Cases that have to do with a service that the harness plays, by what they call it:
    /// `function`, `stream` or `push`.
    pub played: IndexMap<String, usize>,
    /// How long it takes.
    pub time: Estimate,
    /// Which part of a run these cases are; none when they are all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
}

/// A part of a run that several machines share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Part {
    /// Its number, from 1.
    pub index: usize,
    /// How many parts there are.
    pub count: usize,
    /// How many cases all parts together select.
    pub selected: usize,
    /// The pools that its cases are given; none when these are all of the target's.
    pub pools: Option<Vec<String>>,
}

/// How many requests reach an operation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Requests {
    /// At least so many, those that take something back included.
    pub at_least: usize,
    /// How many of them are repeated until the answer is the expected one or the
    /// case's patience ends.
    pub repeated: usize,
}

/// Things of one kind that cases make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Made {
    /// What, as a noun in the singular.
    pub what: String,
    /// How many.
    pub count: usize,
    /// The operation that takes it back after the case; none if the service has none,
    /// so that they stay.
    pub taken_back_by: Option<String>,
}

/// The least time that a run takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Estimate {
    /// In seconds, rounded up.
    pub seconds: u64,
    /// Most requests per second, if the target bounds them.
    pub requests_per_second: Option<NonZeroU32>,
    /// What a request is assumed to take, in milliseconds.
    pub assumed_latency_ms: u32,
}

/// What a forecast must know of the target and the run.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Most cases at a time; at least 1.
    pub jobs: usize,
    /// Pools of the target.
    pub pools: usize,
    /// Most requests per second.
    pub requests_per_second: Option<NonZeroU32>,
    /// Whether the endpoint is on this machine.
    pub here: bool,
}

impl Forecast {
    /// What the plan will do.
    pub fn of(plan: &Plan, reach: &Reach<'_>, pace: Pace) -> Self {
        let mut counting = Counting { reach, requests: IndexMap::new(), made: IndexMap::new() };
        let mut played = IndexMap::new();
        let (mut cases, mut skipped) = (Vec::new(), IndexMap::<String, Vec<String>>::new());
        let (mut alone, mut longest) = (0, 0);
        for planned in &plan.cases {
            let case = &*planned.case;
            match &planned.decision {
                Decision::Skip { reason } => skipped.entry(reason.clone()).or_default().push(case.id.clone()),
                Decision::Run(_) => {
                    cases.push(case.id.clone());
                    for collaborator in Collaborator::ALL.into_iter().filter(|one| case.meets(*one)) {
                        *played.entry(collaborator.name().to_owned()).or_default() += 1;
                    }
                    let requests = counting.add(case);
                    longest = longest.max(requests);
                    if matches!(case.isolation, Isolation::Pool | Isolation::FreshPool) {
                        alone += requests;
                    }
                }
            }
        }
        let mut requests = counting.requests;
        requests.sort_by(|left, l, right, r| r.at_least.cmp(&l.at_least).then(left.cmp(right)));
        let of_effect = |once_a_day: bool| {
            let with_effect = |name: &String| {
                reach
                    .base(name)
                    .and_then(|base| base.effect)
                    .is_some_and(|effect: Effect| effect.is_once_a_day() == once_a_day)
            };
            requests
                .iter()
                .filter(|(name, _)| with_effect(name))
                .map(|(name, of)| (name.clone(), of.at_least))
                .collect()
        };
        let made = counting.made.into_iter();
        let made = made.map(|((what, taken_back_by), count)| Made { what, count, taken_back_by }).collect();
        let total = requests.values().map(|requests| requests.at_least).sum();
        Self {
            cases,
            skipped,
            made,
            pool_changes: of_effect(false),
            once_a_day: of_effect(true),
            played,
            time: pace.estimate(total, alone, longest),
            requests,
            part: None,
        }
    }

    /// All requests, at least.
    pub fn requests_in_all(&self) -> usize {
        self.requests.values().map(|requests| requests.at_least).sum()
    }
}

impl Pace {
    /// Requests wait for the rate, for a free place, for a pool that nobody else
    /// uses, and within a case for each other: the longest of these counts.
    fn estimate(self, total: usize, alone: usize, longest: usize) -> Estimate {
        let latency = if self.here { ASSUMED_LATENCY_HERE_MS } else { ASSUMED_LATENCY_MS };
        let one_by_one = total.div_ceil(self.jobs.max(1)).max(alone.div_ceil(self.pools.max(1))).max(longest);
        let waiting = (one_by_one as u64 * u64::from(latency)).div_ceil(1000);
        let by_rate = self.requests_per_second.map_or(0, |rate| (total as u64).div_ceil(u64::from(rate.get())));
        Estimate {
            seconds: waiting.max(by_rate),
            requests_per_second: self.requests_per_second,
            assumed_latency_ms: latency,
        }
    }
}

struct Counting<'r> {
    reach: &'r Reach<'r>,
    requests: IndexMap<String, Requests>,
    made: IndexMap<(String, Option<String>), usize>,
}

/// A call that makes something: operation, who makes it, and the members that say
/// what is made.
type Making<'c> = (&'c str, Actor, Vec<&'c (String, Template)>);

impl Counting<'_> {
    /// Counts what a case does; how many requests it sends at least.
    fn add(&mut self, case: &Case) -> usize {
        let mut sent = 0;
        let mut makings: Vec<Making<'_>> = Vec::new();
        // Looking at what arrived sends nothing.
        for step in case.steps.iter().filter(|step| !matches!(step.action, Action::Observe(_))) {
            let operation = self.reach.operations(step).into_iter().next();
            self.count(&operation.unwrap_or_else(|| NO_OPERATION.to_owned()), step.within.is_some());
            sent += 1;
            let Action::Call(call) = &step.action else { continue };
            if !should_succeed(step) {
                continue;
            }
            // As in a run: what is made again is taken back once.
            let base = self.reach.base(&call.operation);
            let undo = base.and_then(|base| base.undo.as_ref());
            let same = undo.map(|undo| &undo.same);
            let what = call.input.iter().filter(|(name, _)| same.is_none_or(|same| same.contains(name))).collect();
            let making = (call.operation.as_str(), step.actor, what);
            if makings.contains(&making) {
                continue;
            }
            makings.push(making);
            if let Some(undo) = undo {
                self.count(&undo.operation, false);
                sent += 1;
            }
            if let Some(what) = base.and_then(|base| base.makes.clone()) {
                let taken_back_by = undo.map(|undo| undo.operation.clone());
                *self.made.entry((what, taken_back_by)).or_default() += 1;
            }
        }
        sent
    }

    fn count(&mut self, operation: &str, repeated: bool) {
        let requests = self.requests.entry(operation.to_owned()).or_default();
        requests.at_least += 1;
        requests.repeated += usize::from(repeated);
    }
}

/// Whether the step expects that its call succeeds, or does not say that it fails.
fn should_succeed(step: &Step) -> bool {
    let accepts = |expect: &Expect| expect.status.iter().any(|status| (200..300).contains(status));
    let mut outcomes = step.outcomes().filter(|expect| expect.has_outcome()).peekable();
    outcomes.peek().is_none() || outcomes.any(accepts)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use rstest::rstest;

    use super::{Forecast, Made, Pace};
    use crate::cases::{Effect, Suite};
    use crate::plan::{Plan, Reach};
    use crate::reference::World;
    use crate::spec::{Catalog, Service};
    use crate::target::Target;

    const CASES: &str = r#"
        [[case]]
        name = "twice"
        proves = ["UpdateRecords/route"]
        steps = [
            { call = "ListRecords", capture = { token = "/SyncSessionToken" } },
            { call = "UpdateRecords" },
            { call = "UpdateRecords", expect = { status = 200 } },
            { call = "UpdateRecords", expect = { status = 409, error = "ResourceConflictException" } },
            { call = "UpdateRecords", with = { DatasetName = "{dataset-2}" }, within-ms = 2000 },
        ]
        [[case]]
        name = "device"
        proves = ["RegisterDevice/route"]
        needs = ["sns"]
        steps = [{ call = "RegisterDevice", expect = { status = 200 } }]
        [[case]]
        name = "events"
        proves = ["SetCognitoEvents/route"]
        steps = [
            { call = "SetCognitoEvents" },
            { send = { method = "GET", target = "/identitypools/{identity-pool-id}" }, as = "developer", expect = { status = 200 } },
            { send = { method = "GET", target = "/nowhere" }, expect = { status = 404, error = "UnknownOperationException" } },
        ]
        [[case]]
        name = "publish"
        proves = ["BulkPublish/route"]
        isolation = "fresh-pool"
        steps = [{ call = "BulkPublish", expect = { status = 200 } }]
        [[case]]
        name = "old"
        proves = ["ListRecords/route"]
        needs = ["legacy-rpc"]
        steps = [{ call = "ListRecords", expect = { status = 200 } }]
    "#;

    fn forecast(allowed: &[Effect]) -> Forecast {
        let (service, catalog) = (Service::embedded(), Catalog::embedded());
        let files = [("_base.toml", Suite::shipped_bases()), ("a/t.toml", CASES)];
        let suite = Suite::from_texts(service, catalog, &files).expect("no mistakes");
        let mut target = Target::embedded(&World::standard(1, 1), "http://127.0.0.1:1");
        (target.lacks, target.offers) = (vec!["legacy-rpc".into()], Vec::new());
        let mut plan = Plan::new(&suite, &[], &target).expect("all are selected");
        let reach = Reach::new(&suite, service);
        plan.withhold(&reach, allowed, |names| {
            names.iter().map(|name| format!("--allow {name}")).collect::<Vec<_>>().join(" ")
        });
        Forecast::of(&plan, &reach, Pace { jobs: 4, pools: 1, requests_per_second: NonZeroU32::new(2), here: false })
    }

    #[test]
    fn what_will_be_done_is_counted() {
        let forecast = forecast(&Effect::ALL);
        assert_eq!(forecast.cases.len(), 4);
        assert_eq!(forecast.skipped["the target lacks legacy-rpc"], ["a/t/old"]);
        let requests: Vec<_> =
            forecast.requests.iter().map(|(name, of)| (name.as_str(), of.at_least, of.repeated)).collect();
        assert_eq!(
            requests,
            [
                ("UpdateRecords", 4, 1),
                ("DeleteDataset", 2, 0),
                ("SetCognitoEvents", 2, 0),
                ("BulkPublish", 1, 0),
                ("DescribeIdentityPoolUsage", 1, 0),
                ("ListRecords", 1, 0),
                ("RegisterDevice", 1, 0),
                ("no operation", 1, 0),
            ]
        );
        let made = |what: &str, count, by: Option<&str>| Made {
            what: what.to_owned(),
            count,
            taken_back_by: by.map(str::to_owned),
        };
        assert_eq!(forecast.made, [made("dataset", 2, Some("DeleteDataset")), made("device", 1, None)]);
        assert_eq!(forecast.pool_changes["SetCognitoEvents"], 2);
        assert_eq!(forecast.once_a_day["BulkPublish"], 1);
        assert_eq!((forecast.requests_in_all(), forecast.time.seconds), (13, 7));
    }

    #[test]
    fn what_is_not_allowed_is_skipped() {
        let forecast = forecast(&[]);
        let skipped: Vec<_> = forecast.skipped.iter().map(|(reason, ids)| (reason.as_str(), ids.len())).collect();
        assert_eq!(
            skipped,
            [
                ("changes the configuration of a pool; allow it with --allow pool-changes", 1),
                (
                    "publishes all that a pool holds, which can be done once a day; allow it with --allow bulk-publish",
                    1
                ),
                ("the target lacks legacy-rpc", 1),
            ]
        );
        assert!(forecast.pool_changes.is_empty() && forecast.once_a_day.is_empty());
    }

    #[rstest]
    #[case::by_rate(Some(10), false, 1000, 0, 0, 100)]
    #[case::by_places(None, false, 1000, 0, 0, 13)]
    #[case::by_pools(None, false, 1000, 600, 0, 15)]
    #[case::by_the_longest_case(None, false, 1000, 0, 900, 45)]
    #[case::here(None, true, 1000, 0, 0, 1)]
    fn time_is_what_is_waited_for_longest(
        #[case] rate: Option<u32>,
        #[case] here: bool,
        #[case] total: usize,
        #[case] alone: usize,
        #[case] longest: usize,
        #[case] seconds: u64,
    ) {
        let pace = Pace { jobs: 4, pools: 2, requests_per_second: rate.and_then(NonZeroU32::new), here };
        assert_eq!(pace.estimate(total, alone, longest).seconds, seconds);
    }
}
