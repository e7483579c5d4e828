//! What a process has to itself on a target that other processes of this machine use
//! too: each case in a process of its own, as nextest does it, or all in one.

use std::io;
use std::path::Path;

use crate::cases::{Collaborator, Isolation};
use crate::journal::Claims;
use crate::plan::{Decision, Demand, Plan, Planned};
use crate::target::Target;

/// Tries to have for this process what its cases need: all pools of the target, or, when
/// it runs only the case `alone`, one of them, and where the harness plays other services
/// for it. None when another process has it, who is to be waited for. Gives the target
/// with the pools that the process may use; nobody was asked for credentials yet.
///
/// `plan` is that of the whole suite, as each of the processes has it, unless `alone`
/// needs no pool that is fresh: by their places in it, such cases agree on the pools.
///
/// # Errors
///
/// When `folder`, that of all journals, cannot be written to.
pub fn claim(target: &Target, plan: &Plan, alone: Option<&str>, folder: &Path) -> io::Result<Option<(Target, Claims)>> {
    let take = |things: &[&str]| Claims::take(folder, &target.endpoint, things.iter().copied());
    let planned = alone.and_then(|alone| plan.cases.iter().find(|planned| planned.case.id == alone));
    let Some(planned) = planned else {
        let pools: Vec<_> = target.own_pools().map(|pool| pool.id.as_str()).collect();
        return Ok(take(&pools)?.map(|claims| (target.clone(), claims)));
    };
    let places = match &planned.decision {
        Decision::Run(demand) => places(&target.clone().assumed(), plan, planned, *demand),
        Decision::Skip { .. } => Vec::new(),
    };
    if places.is_empty() {
        return Ok(take(&[])?.map(|claims| (target.clone(), claims)));
    }
    let meets = Collaborator::ALL.into_iter().any(|one| planned.case.meets(one));
    let listens = target.collaborators.as_ref().filter(|_| meets).map(|played| format!("listens on {}", played.listen));
    for place in places {
        let things: Vec<_> =
            [Some(target.pools[place].id.as_str()), listens.as_deref()].into_iter().flatten().collect();
        if let Some(claims) = take(&things)? {
            return Ok(Some((target.clone().with_pools(|other| other == place), claims)));
        }
    }
    Ok(None)
}

/// The places of the pools that would do for a case, in the order of a lease table.
fn places(target: &Target, plan: &Plan, planned: &Planned, demand: Demand) -> Vec<usize> {
    let own = target.pools.iter().enumerate().filter(|(_, pool)| !pool.is_taken);
    let serves = |least: usize| own.clone().filter(move |(_, pool)| pool.identities.len() >= least);
    let place = |(place, _)| place;
    match demand.isolation {
        Isolation::Dataset | Isolation::Identity => serves(demand.identities).map(place).collect(),
        Isolation::Pool => serves(demand.identities).rev().map(place).collect(),
        Isolation::FreshPool => {
            let before = plan.cases.iter().take_while(|other| other.case.id != planned.case.id);
            let takes_one = |other: &&Planned| matches!(other.decision, Decision::Run(demand) if demand.isolation == Isolation::FreshPool);
            let least = usize::from(serves(1).next().is_some());
            serves(least).rev().map(place).skip(before.filter(takes_one).count()).take(1).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::claim;
    use crate::cases::Suite;
    use crate::plan::Plan;
    use crate::reference::World;
    use crate::spec::{Catalog, Service};
    use crate::target::Target;

    /// Cases `a/t/NAME` with these kinds of isolation.
    fn plan(target: &Target, cases: &[(&str, &str)]) -> Plan {
        let case = |(name, isolation): &(&str, &str)| {
            format!(
                "[[case]]\nname = \"{name}\"\nproves = [\"ListRecords/route\"]\nisolation = \"{isolation}\"\n\
                 steps = [{{ send = {{ method = \"GET\", target = \"/\" }}, as = \"identity\", expect = {{ status = 200 }} }}]\n"
            )
        };
        let text: String = cases.iter().map(case).collect();
        let suite = Suite::from_texts(Service::embedded(), Catalog::embedded(), &[("a/t.toml", &text)]);
        Plan::new(&suite.expect("no mistakes"), &[], target).expect("all are selected")
    }

    #[test]
    fn processes_get_pools_of_their_own() {
        let room = tempfile::tempdir().expect("a folder");
        let target = Target::embedded(&World::standard(3, 1), "http://127.0.0.1:1");
        let cases = [("d", "dataset"), ("f1", "fresh-pool"), ("f2", "fresh-pool"), ("i", "identity"), ("p", "pool")];
        let plan = plan(&target, &cases);
        let claim = |alone| claim(&target, &plan, alone, room.path()).expect("it can be written to");
        let place = |target: &Target| target.pools.iter().position(|pool| !pool.is_taken);
        let (shared, first) = claim(Some("a/t/d")).expect("nobody has any");
        let (alone, second) = claim(Some("a/t/p")).expect("two are left");
        assert_eq!((place(&shared), place(&alone)), (Some(0), Some(2)));
        assert!(claim(Some("a/t/f1")).is_none(), "it waits for its own, though one is free");
        let (fresh, third) = claim(Some("a/t/f2")).expect("its own is free");
        assert_eq!((place(&fresh), fresh.own_pools().count()), (Some(1), 1));
        assert!(claim(Some("a/t/i")).is_none() && claim(None).is_none());
        drop((first, second));
        assert!(claim(Some("a/t/i")).is_some() && claim(None).is_none());
        drop(third);
        assert_eq!(claim(None).expect("nobody has any").0.own_pools().count(), 3);
    }
}
