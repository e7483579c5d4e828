//! What all cases of a run share.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::event::FailOn;
use super::halt::Halt;
use super::keep::Keeper;
use super::observe::Stage;
use super::redact::Redactor;
use crate::cases::{Action, Bases, Bindings, Case, Step, names};
use crate::client::{BackOff, Binding, Client};
use crate::collaborators::{Listener, Stray};
use crate::journal::{Journal, Ledger, Payer};
use crate::judge::{Judge, Recorded};
use crate::plan::{Lease, function_script};
use crate::snapshot::Store;
use crate::spec::{Catalog, Protocol, Service};
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
    /// Where the snapshots that cases take are kept, for who renews them.
    pub taken: Option<Taken>,
    /// The protocol of calls, where the case leaves it open. What is called beside the
    /// cases, to look or to take back, speaks rest-json in any run.
    pub protocol: Protocol,
    /// Inferred requirements count like documented ones.
    pub strict: bool,
    /// Which failures fail the run.
    pub fail_on: FailOn,
    /// Begins every name that the run makes; different for each run.
    pub run_id: String,
    /// What the run owes the target.
    pub(super) ledger: Arc<Ledger>,
    /// What stood there before.
    pub(super) keeper: Arc<Keeper>,
    /// Plays the services that the target's server calls.
    pub(super) stage: Stage,
    /// Knows the target's secrets; each case goes on learning from there.
    pub(super) redactor: Arc<Redactor>,
    /// Tells cases under way to give up.
    pub(super) halt: Halt,
    /// How long throttled requests give way.
    pub(super) back_off: BackOff,
}

/// The snapshots that the cases of a run took, by the case's id.
pub type Taken = Arc<Mutex<BTreeMap<String, String>>>;

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
            taken: None,
            ledger: Arc::default(),
            keeper: Arc::default(),
            stage: Stage::default(),
            target: Arc::new(target),
            client,
            protocol: Protocol::default(),
            strict,
            fail_on: FailOn::default(),
            run_id,
            halt: Halt::default(),
            back_off: BackOff::default(),
        }
    }

    /// The same, with the answers compared with this set.
    #[must_use]
    pub fn compared_with(self, snapshots: Store, recorded: Recorded) -> Self {
        Self { snapshots: Arc::new(snapshots), recorded, ..self }
    }

    /// The same, with a client that waits so long for a whole response.
    ///
    /// # Errors
    ///
    /// A sentence on what is wrong with the endpoint or the `ca-file`.
    pub fn connect(target: Target, timeout: Duration, strict: bool, run_id: String) -> Result<Self, String> {
        let client = Client::to(&target, timeout)?;
        Ok(Self::new(target, client, strict, run_id))
    }

    /// The same, with a journal of what the run makes. Every session has one whose
    /// target is not a server of the run's own.
    #[must_use]
    pub fn journalled(self, journal: Journal) -> Self {
        Self { ledger: Arc::new(Ledger::written(journal)), ..self }
    }

    /// The same, with this listener as the services that the target's server calls. A
    /// target with [`collaborators`](Target::collaborators) needs one.
    #[must_use]
    pub fn playing(self, listener: Listener) -> Self {
        Self { stage: Stage(Some(Arc::new(listener))), ..self }
    }

    /// What came to the services that the harness plays and was for no case, as
    /// sentences. Names that hold the run's own were wrong on purpose.
    pub fn strays(&self) -> Vec<String> {
        let strays = self.stage.0.iter().flat_map(|listener| listener.strays());
        let strays = strays.filter(|stray| !stray.what.contains(&self.run_id));
        let sentence = |stray: Stray| match stray.times {
            1 => self.redactor.sentence(&stray.what),
            times => self.redactor.sentence(&format!("{}, {times} times", stray.what)),
        };
        strays.map(sentence).collect()
    }

    /// That no server called the services that the harness plays, although cases waited
    /// for it, and what to do; none when one did, or none had to.
    pub fn uncalled(&self) -> Option<String> {
        let listener = self.stage.0.as_ref().filter(|listener| listener.is_ignored())?;
        let place = listener.endpoint();
        Some(format!(
            "no server called the services that are played at {place}: have the target's server call Lambda, Kinesis, \
             SNS and S3 there (AWS_ENDPOINT_URL_LAMBDA={place} and so on, or as it is configured), or take \
             [collaborators] out of the target file"
        ))
    }

    /// The name of what the harness plays for a case, by the case's number.
    pub(super) fn name_of_played(&self, number: usize) -> String {
        format!("{}-{}-{number}", self.target.prefix, self.run_id)
    }

    /// Brings back what stood on the target before, once the last case is over; what
    /// could not be brought back, as sentences. [`run`](super::run) does so itself.
    pub async fn restore(&self, bases: &Bases) -> Vec<String> {
        let sentences = self.keeper.restore(self, bases).await;
        sentences.iter().map(|sentence| self.redactor.sentence(sentence)).collect()
    }

    /// Closes the journal: where it stands, and how much is in it, if something could
    /// not be taken back.
    ///
    /// # Errors
    ///
    /// When nothing is owed, and it cannot be removed.
    pub fn close_journal(&self) -> io::Result<Option<(PathBuf, usize)>> {
        self.ledger.close()
    }

    /// Takes things back on the target.
    pub(super) fn payer<'p>(&'p self, bases: &'p Bases) -> Payer<'p> {
        Payer {
            service: self.service,
            bases,
            target: &self.target,
            client: &self.client,
            back_off: self.back_off,
            redactor: &self.redactor,
        }
    }

    /// How a step's request is bound, and its answer read.
    pub(super) fn binding(&self, step: &Step) -> Binding<'static> {
        let protocol = match &step.action {
            Action::Call(_) => step.protocol.unwrap_or(self.protocol),
            // Written by hand, and judged as it comes.
            Action::Send { .. } | Action::Bytes(_) | Action::Observe(_) => Protocol::default(),
        };
        Binding { service: self.service, protocol }
    }

    /// Compares responses with expectations.
    pub fn judge(&self) -> Judge<'static> {
        Judge { service: self.service, catalog: self.catalog }
    }

    /// The placeholders that a case begins with. `number` tells the cases of a
    /// run apart.
    pub(super) fn bindings(&self, case: &Case, lease: &Lease, number: usize) -> Bindings {
        let mut used = Vec::new();
        case.placeholders(&mut |name| used.push(name.to_owned()));
        // The function at the target knows its script by that.
        let ending = function_script(case, &self.target).map(|script| format!(".{}", script.digest()));
        self.bindings_of(lease, number, &used, &ending.unwrap_or_default())
    }

    /// The same for what uses these placeholders. Names of datasets end in `ending`.
    pub(super) fn bindings_of(&self, lease: &Lease, number: usize, used: &[String], ending: &str) -> Bindings {
        let mut bindings = Bindings::new();
        let pool = &self.target.pools[lease.pool];
        let identity = |index: usize| lease.identities.get(index).map(|identity| pool.identities[*identity].id.clone());
        bindings.bind("identity-pool-id", pool.id.clone());
        bindings.bind("region", self.target.region.clone());
        let other_pool = self.target.pools.iter().find(|other| other.id != pool.id).map(|other| other.id.clone());
        let leased =
            [(names::IDENTITY, identity(0)), (names::OTHER_IDENTITY, identity(1)), (names::OTHER_POOL, other_pool)];
        for (name, id) in leased {
            if let Some(id) = id {
                bindings.bind(name, id);
            }
        }
        for (name, value) in &self.target.resources {
            bindings.bind(name.clone(), value.clone());
        }
        if let Some(played) = &self.target.collaborators {
            for (name, value) in played.resources(&self.target.region, &self.name_of_played(number)) {
                bindings.bind(name, value);
            }
        }
        for name in used {
            let suffix = name.rsplit_once('-').map_or("1", |(_, suffix)| suffix);
            if names::is_dataset(name) {
                bindings.bind(name, format!("{}-{}-{number}-{suffix}{ending}", self.target.prefix, self.run_id));
            } else if names::is_fresh(name) {
                bindings.bind(name, format!("{}n{number}n{suffix}", self.run_id));
            }
        }
        bindings
    }
}
