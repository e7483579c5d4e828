//! Who may use which pool and identity at the same time.

use crate::cases::{Actor, Case, Isolation, names};
use crate::target::{Pool, Target};

/// What a case must be given before it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    /// What nothing else may use meanwhile.
    pub isolation: Isolation,
    /// How many identities of one pool: 0, 1 or 2.
    pub identities: usize,
    /// How many datasets it may make on each of them.
    pub datasets: usize,
    /// Whether it signs with the account's own credentials.
    pub developer: bool,
}

impl Demand {
    /// What a case demands.
    pub fn of(case: &Case) -> Self {
        Self {
            isolation: case.isolation,
            identities: identities(case),
            datasets: case.datasets,
            developer: case.steps.iter().any(|step| step.actor == Actor::Developer),
        }
    }
}

/// None for a case that neither signs as one nor names one: a target without
/// identities can serve it all the same.
fn identities(case: &Case) -> usize {
    if case.uses_other_identity {
        return 2;
    }
    let signs = |actor| !matches!(actor, Actor::None | Actor::Developer | Actor::UnknownKey);
    let mut used = case.isolation == Isolation::Identity || case.steps.iter().any(|step| signs(step.actor));
    case.placeholders(&mut |name| used |= name == names::IDENTITY);
    used.into()
}

/// A pool and identities, held by one case until they are given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Index of the pool in the target.
    pub pool: usize,
    /// Indices of the identities in the pool: the case's own, then the other.
    pub identities: Vec<usize>,
    demand: Demand,
}

#[derive(Debug)]
struct PoolState {
    /// Somebody else has it.
    is_taken: bool,
    /// Cases that use the pool.
    users: usize,
    /// One of them has the pool to itself.
    exclusive: bool,
    /// A case has left something behind that cannot be undone.
    spent: bool,
    identities: Vec<IdentityState>,
}

#[derive(Debug, Default)]
struct IdentityState {
    users: usize,
    exclusive: bool,
    datasets: usize,
}

/// The pools and identities of a target, and who holds them.
#[derive(Debug)]
pub struct LeaseTable {
    pools: Vec<PoolState>,
    datasets_per_identity: usize,
}

impl LeaseTable {
    /// All free. An identity is shared only while the datasets of those who
    /// share it stay within `datasets_per_identity`.
    pub fn new(target: &Target, datasets_per_identity: usize) -> Self {
        let pool = |pool: &Pool| PoolState {
            is_taken: pool.is_taken,
            users: 0,
            exclusive: false,
            spent: false,
            identities: std::iter::repeat_with(IdentityState::default).take(pool.identities.len()).collect(),
        };
        Self { pools: target.pools.iter().map(pool).collect(), datasets_per_identity }
    }

    /// A lease that meets the demand, if one is free now.
    ///
    /// Cases that share start at the first pool and its first identity, those
    /// that want to be alone at the other end, so that they seldom meet.
    pub fn acquire(&mut self, demand: Demand) -> Option<Lease> {
        let alone = matches!(demand.isolation, Isolation::Pool | Isolation::FreshPool);
        let mut order: Vec<usize> = (0..self.pools.len()).collect();
        if alone {
            order.reverse();
        }
        order.into_iter().find_map(|pool| self.acquire_in(pool, demand, alone))
    }

    fn acquire_in(&mut self, index: usize, demand: Demand, alone: bool) -> Option<Lease> {
        let quota = self.datasets_per_identity;
        let pool = &mut self.pools[index];
        let taken = pool.is_taken || pool.exclusive || (alone && pool.users > 0);
        if taken || (demand.isolation == Isolation::FreshPool && pool.spent) {
            return None;
        }
        let identities = pool.free_identities(demand, quota)?;
        pool.users += 1;
        pool.exclusive = alone;
        pool.spent |= demand.isolation == Isolation::FreshPool;
        for identity in &identities {
            let state = &mut pool.identities[*identity];
            state.users += 1;
            state.datasets += demand.datasets;
            state.exclusive = demand.isolation == Isolation::Identity;
        }
        Some(Lease { pool: index, identities, demand })
    }

    /// Whether nobody holds a lease: what cannot be had now, never can.
    pub fn is_idle(&self) -> bool {
        self.pools.iter().all(|pool| pool.users == 0)
    }

    /// Gives a lease back.
    pub fn release(&mut self, lease: &Lease) {
        let pool = &mut self.pools[lease.pool];
        pool.users -= 1;
        pool.exclusive = false;
        for identity in &lease.identities {
            let state = &mut pool.identities[*identity];
            state.users -= 1;
            state.datasets -= lease.demand.datasets;
            state.exclusive = false;
        }
    }
}

impl PoolState {
    /// As many identities as demanded, whose sharing the demand allows.
    fn free_identities(&self, demand: Demand, quota: usize) -> Option<Vec<usize>> {
        let wants_alone = demand.isolation == Isolation::Identity;
        let free = |(index, state): (usize, &IdentityState)| {
            let shareable = !state.exclusive && (state.users == 0 || !wants_alone);
            // A case that makes more datasets than an identity can hold is about
            // the quota, and can have a fresh identity.
            let fits = state.users == 0 || state.datasets + demand.datasets <= quota;
            (shareable && fits).then_some(index)
        };
        let states = self.identities.iter().enumerate();
        let mut found: Vec<usize> = if wants_alone {
            states.rev().filter_map(free).take(demand.identities).collect()
        } else {
            states.filter_map(free).take(demand.identities).collect()
        };
        if wants_alone {
            found.reverse();
        }
        (found.len() == demand.identities).then_some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::{Demand, IdentityState, Isolation, LeaseTable, PoolState};

    fn table(pools: usize, identities: usize) -> LeaseTable {
        let pool = || PoolState {
            is_taken: false,
            users: 0,
            exclusive: false,
            spent: false,
            identities: std::iter::repeat_with(IdentityState::default).take(identities).collect(),
        };
        LeaseTable { pools: std::iter::repeat_with(pool).take(pools).collect(), datasets_per_identity: 20 }
    }

    fn demand(isolation: Isolation, datasets: usize) -> Demand {
        Demand { isolation, identities: 1, datasets, developer: false }
    }

    #[test]
    fn an_identity_is_shared_while_its_datasets_allow() {
        let mut table = table(1, 1);
        let first = table.acquire(demand(Isolation::Dataset, 15)).expect("free");
        assert!(table.acquire(demand(Isolation::Dataset, 6)).is_none());
        assert!(table.acquire(demand(Isolation::Dataset, 5)).is_some());
        table.release(&first);
        assert!(table.acquire(demand(Isolation::Dataset, 15)).is_some());
    }

    #[test]
    fn who_fills_an_identity_gets_one_alone() {
        let mut table = table(1, 2);
        let full = table.acquire(demand(Isolation::Identity, 21)).expect("free");
        assert_eq!(full.identities, [1]);
        assert_eq!(table.acquire(demand(Isolation::Dataset, 1)).expect("free").identities, [0]);
        assert!(table.acquire(demand(Isolation::Identity, 1)).is_none());
        table.release(&full);
        assert!(table.acquire(demand(Isolation::Identity, 1)).is_some());
    }

    #[test]
    fn a_pool_is_given_alone_only_when_nobody_uses_it() {
        let mut table = table(2, 1);
        let shared = table.acquire(demand(Isolation::Dataset, 1)).expect("free");
        assert_eq!(shared.pool, 0);
        let alone = table.acquire(demand(Isolation::Pool, 1)).expect("free");
        assert_eq!(alone.pool, 1);
        assert!(table.acquire(demand(Isolation::Pool, 1)).is_none());
        assert_eq!(table.acquire(demand(Isolation::Dataset, 1)).expect("shares").pool, 0);
        table.release(&alone);
        assert_eq!(table.acquire(demand(Isolation::Pool, 1)).expect("free again").pool, 1);
    }

    #[test]
    fn what_others_have_is_given_to_nobody() {
        let mut table = table(2, 1);
        table.pools[1].is_taken = true;
        assert_eq!(table.acquire(demand(Isolation::Pool, 1)).expect("free").pool, 0);
        assert!(table.acquire(demand(Isolation::Pool, 1)).is_none());
        assert!(table.acquire(Demand { identities: 0, ..demand(Isolation::Dataset, 0) }).is_none());
    }

    #[test]
    fn a_fresh_pool_is_given_once() {
        let mut table = table(1, 1);
        let fresh = table.acquire(demand(Isolation::FreshPool, 1)).expect("fresh");
        assert!(!table.is_idle());
        table.release(&fresh);
        assert!(table.is_idle());
        assert!(table.acquire(demand(Isolation::FreshPool, 1)).is_none());
        assert!(table.acquire(demand(Isolation::Pool, 1)).is_some());
    }

    #[test]
    fn two_identities_come_from_one_pool() {
        let mut table = table(2, 2);
        let both = Demand { identities: 2, ..demand(Isolation::Identity, 1) };
        let first = table.acquire(both).expect("free");
        let second = table.acquire(both).expect("free");
        assert_eq!((first.pool, second.pool), (0, 1));
        assert!(table.acquire(both).is_none());
    }
}
