//! What all cases of a run share.

use std::sync::Arc;
use std::time::Duration;

use super::event::FailOn;
use super::redact::Redactor;
use crate::cases::{Bindings, Case, names};
use crate::client::Client;
use crate::judge::{Judge, Recorded};
use crate::plan::Lease;
use crate::snapshot::Store;
use crate::spec::{Catalog, Service};
use crate::target::Target;

/// What all cases of a run share. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Session {
    /// The service, as data.
    pub service: &'static Service,
    /// Its requirements.
    pub catalog: &'static Catalog,
    /// Whom the cases are run against.
    pub target: Arc<Target>,
    /// Sends to the target.
    pub client: Client,
    /// Recorded snapshots.
    pub snapshots: Arc<Store>,
    /// Whether they were recorded from this target.
    pub recorded: Recorded,
    /// Inferred requirements count like documented ones.
    pub strict: bool,
    /// Which failures fail the run.
    pub fail_on: FailOn,
    /// Begins every name that the run makes; different for each run.
    pub run_id: String,
    /// Knows the target's secrets; each case goes on learning from there.
    pub(super) redactor: Arc<Redactor>,
}

/// The set of snapshots that a target without one of its own is compared with.
const OTHERS_SNAPSHOTS: &str = "reference";

impl Session {
    /// A session with the shipped service, requirements and snapshots. `run_id`
    /// is some lower-case letters and digits that no other run uses.
    pub fn new(target: Target, client: Client, strict: bool, run_id: String) -> Self {
        let (set, recorded) = match &target.snapshots {
            Some(set) => (set.as_str(), Recorded::OnTarget),
            None => (OTHERS_SNAPSHOTS, Recorded::Elsewhere),
        };
        let service = Service::embedded();
        Self {
            redactor: Arc::new(Redactor::new(service, &target)),
            service,
            catalog: Catalog::embedded(),
            snapshots: Arc::new(Store::shipped(set)),
            recorded,
            target: Arc::new(target),
            client,
            strict,
            fail_on: FailOn::default(),
            run_id,
        }
    }

    /// The same, with a client that waits so long for a whole response.
    ///
    /// # Errors
    ///
    /// A sentence on what is wrong with the endpoint.
    pub fn connect(target: Target, timeout: Duration, strict: bool, run_id: String) -> Result<Self, String> {
        let client =
            Client::open(&target.endpoint, timeout).map_err(|error| format!("target {}: {error}", target.name))?;
        Ok(Self::new(target, client, strict, run_id))
    }

    /// Compares responses with expectations.
    pub fn judge(&self) -> Judge<'static> {
        Judge { service: self.service, catalog: self.catalog }
    }

    /// The placeholders that a case begins with. `number` tells the cases of a
    /// run apart.
    pub(super) fn bindings(&self, case: &Case, lease: &Lease, number: usize) -> Bindings {
        let mut bindings = Bindings::new();
        let pool = &self.target.pools[lease.pool];
        let identity = |index: usize| lease.identities.get(index).map(|identity| pool.identities[*identity].id.clone());
        bindings.bind("identity-pool-id", pool.id.clone());
        bindings.bind("region", self.target.region.clone());
        let other_pool = self.target.pools.iter().find(|other| other.id != pool.id).map(|other| other.id.clone());
        let leased =
            [("identity-id", identity(0)), (names::OTHER_IDENTITY, identity(1)), (names::OTHER_POOL, other_pool)];
        for (name, id) in leased {
            if let Some(id) = id {
                bindings.bind(name, id);
            }
        }
        for (name, value) in &self.target.resources {
            bindings.bind(name.clone(), value.clone());
        }
        case.placeholders(&mut |name| {
            let suffix = name.rsplit_once('-').map_or("1", |(_, suffix)| suffix);
            if names::is_dataset(name) {
                bindings.bind(name, format!("{}-{}-{number}-{suffix}", self.target.prefix, self.run_id));
            } else if names::is_fresh(name) {
                bindings.bind(name, format!("{}n{number}n{suffix}", self.run_id));
            }
        });
        bindings
    }
}
