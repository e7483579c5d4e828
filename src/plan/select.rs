//! Which cases of a suite run on a target, and why the others do not.

use std::sync::Arc;

use super::lease::Demand;
use super::pattern::matches;
use crate::cases::{Case, Isolation, Suite, names};
use crate::source::did_you_mean;
use crate::target::{KnownFailure, Target};

/// What is to become of the cases of a suite on a target.
#[derive(Debug)]
pub struct Plan {
    /// The selected cases, in the order of the suite.
    pub cases: Vec<Planned>,
    /// Known failures of the target that match none of the suite's cases.
    pub unmatched_known_failures: Vec<String>,
}

/// A selected case.
#[derive(Debug, Clone)]
pub struct Planned {
    /// The case.
    pub case: Arc<Case>,
    /// What is to become of it.
    pub decision: Decision,
    /// The entry of the target file that says it fails.
    pub known_failure: Option<KnownFailure>,
}

/// Whether a case runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It runs.
    Run(Demand),
    /// The target lacks what it needs.
    Skip {
        /// What, for people.
        reason: String,
    },
}

/// Why nothing can be planned.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PlanError {
    /// A filter selects nothing.
    #[error("no case matches `{filter}`, see `syncspec list`{hint}")]
    NothingMatches {
        /// The filter.
        filter: String,
        /// A suggestion, or nothing.
        hint: String,
    },
}

impl Plan {
    /// Selects the cases that match any of `filters` (all, if there are none)
    /// and decides which of them the target can serve.
    ///
    /// A filter matches a case whose id contains it; with `*` in it, a case whose
    /// id or one of whose requirements as a whole matches it; else also a case
    /// that proves a requirement which begins with it.
    ///
    /// # Errors
    ///
    /// When a filter matches no case.
    pub fn new(suite: &Suite, filters: &[String], target: &Target) -> Result<Self, PlanError> {
        for filter in filters {
            if !suite.cases.iter().any(|case| selects(filter, case)) {
                let ids = suite.cases.iter().map(|case| case.id.as_str());
                let operations = suite.cases.iter().flat_map(Case::operations);
                let hint = did_you_mean(filter, ids.chain(operations)).unwrap_or_default();
                return Err(PlanError::NothingMatches { filter: filter.clone(), hint });
            }
        }
        let mut fresh_pools = target.pools.len();
        let selected = |case: &&Case| filters.is_empty() || filters.iter().any(|filter| selects(filter, case));
        let planned = |case: &Case| Planned {
            decision: decide(case, target, &mut fresh_pools),
            known_failure: target.known_failures.iter().find(|known| matches(&known.pattern, &case.id)).cloned(),
            case: Arc::new(case.clone()),
        };
        let unmatched = |known: &&KnownFailure| !suite.cases.iter().any(|case| matches(&known.pattern, &case.id));
        Ok(Self {
            unmatched_known_failures: target
                .known_failures
                .iter()
                .filter(unmatched)
                .map(|known| known.pattern.clone())
                .collect(),
            cases: suite.cases.iter().filter(selected).map(planned).collect(),
        })
    }
}

fn selects(filter: &str, case: &Case) -> bool {
    if filter.contains('*') {
        return matches(filter, &case.id) || case.proves.iter().any(|requirement| matches(filter, requirement));
    }
    case.id.contains(filter) || case.proves.iter().any(|requirement| requirement.starts_with(filter))
}

/// Whether the target can serve the case. `fresh_pools` counts down.
fn decide(case: &Case, target: &Target, fresh_pools: &mut usize) -> Decision {
    let skip = |reason: String| Decision::Skip { reason };
    if let Some(need) = case.needs.iter().find(|need| target.lacks.contains(need)) {
        return skip(format!("the target lacks {need}"));
    }
    if target.pools.len() < 2 && case.needs.iter().any(|need| need == names::TWO_POOLS) {
        return skip("needs two pools, and the target file names one".to_owned());
    }
    let unnamed = |(name, need): &&(&str, &str)| {
        case.needs.iter().any(|wanted| wanted == need) && !target.resources.contains_key(*name)
    };
    if let Some((_, need)) = names::RESOURCES.iter().find(unnamed) {
        return skip(format!("the target file has no [{need}] table"));
    }
    let demand = Demand::of(case);
    if demand.developer && target.developer.is_none() {
        return skip("the target file has no [developer] credentials".to_owned());
    }
    let most = target.pools.iter().map(|pool| pool.identities.len()).max().unwrap_or(0);
    if demand.identities > most {
        return skip(format!("needs {} identities in one pool, and the target file names {most}", demand.identities));
    }
    if case.isolation == Isolation::FreshPool {
        let Some(left) = fresh_pools.checked_sub(1) else {
            let pools = target.pools.len();
            return skip(format!(
                "needs a pool that no other such case has used, and the target file names only {pools}"
            ));
        };
        *fresh_pools = left;
    }
    Decision::Run(demand)
}
