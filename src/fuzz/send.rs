//! From an operation's input to a signed request and back.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};

use super::operation::Who;
use super::term::{Input, Names, literal};
use super::want::Answer;
use crate::client::{BackOff, Client, SignedPayload, Signing, SigningForm, bind, sign};
use crate::journal::{Debt, Journal, Kind, Ledger};
use crate::spec::Service;
use crate::target::{Identity, Redactor, Target};
use crate::wire::Request;

/// Whom sequences are played against, and how: a target with a client for it.
#[derive(Debug)]
pub struct Endpoints {
    pub(super) target: Target,
    pub(super) client: Client,
    redactor: Redactor,
    pub(super) ledger: Ledger,
    run_id: String,
    attempts: AtomicU64,
}

/// The identities that one attempt has to itself.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    pub(super) pool: usize,
    /// One or two.
    pub(super) identities: Vec<usize>,
}

/// Why there is nothing to judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unanswered(pub(super) String);

impl Endpoints {
    /// A target, and a client that waits `timeout` for a whole answer. `run_id`
    /// begins every name that is made, and must be unlike that of any other run.
    ///
    /// # Errors
    ///
    /// A sentence on what is wrong with the endpoint or the `ca-file`.
    pub fn connect(target: Target, timeout: Duration, run_id: String) -> Result<Self, String> {
        let client = Client::to(&target, timeout)?;
        let redactor = Redactor::new(Service::embedded(), &target);
        Ok(Self { target, client, redactor, ledger: Ledger::default(), run_id, attempts: AtomicU64::new(0) })
    }

    /// The same, with a journal of what is made.
    #[must_use]
    pub fn journalled(self, journal: Journal) -> Self {
        Self { ledger: Ledger::written(journal), ..self }
    }

    /// Closes the journal: where it stands, and how much is in it, if something could
    /// not be deleted.
    ///
    /// # Errors
    ///
    /// When nothing is left, and it cannot be removed.
    pub fn close_journal(&self) -> io::Result<Option<(PathBuf, usize)>> {
        self.ledger.close()
    }

    /// Identities that attempts can have to themselves: pairs, as long as there are
    /// two in a pool, so that a second identity is at hand.
    pub(super) fn slots(&self) -> Vec<Slot> {
        let pools = self.target.pools.iter().enumerate();
        let slots = pools.flat_map(|(pool, held)| {
            let all: Vec<usize> = (0..held.identities.len()).collect();
            let pairs: Vec<Vec<usize>> = match all.len() {
                0 | 1 => all.chunks(1).map(<[usize]>::to_vec).collect(),
                _ => all.chunks_exact(2).map(<[usize]>::to_vec).collect(),
            };
            pairs.into_iter().map(move |identities| Slot { pool, identities })
        });
        slots.collect()
    }

    /// Identities in the smallest slot: 0, 1 or 2.
    pub(super) fn identities(&self) -> usize {
        self.slots().iter().map(|slot| slot.identities.len()).min().unwrap_or(0)
    }

    /// Names for a new attempt: no other has the same datasets.
    pub(super) fn names(&self, slot: &Slot) -> Names {
        let pool = &self.target.pools[slot.pool];
        let id =
            |index: usize| slot.identities.get(index).map_or_else(String::new, |at| pool.identities[*at].id.clone());
        let number = self.attempts.fetch_add(1, Ordering::Relaxed);
        Names {
            pool: pool.id.clone(),
            identities: [id(0), id(1)],
            prefix: format!("{}-{}-{number}", self.target.prefix, self.run_id),
        }
    }

    /// Sends a request in its turn, again when it was throttled; an answer that asks for
    /// fewer requests is none.
    pub(super) async fn send(
        &self,
        slot: &Slot,
        who: Who,
        operation: &str,
        input: &Input,
        names: &Names,
    ) -> Result<Answer, Unanswered> {
        let fault = |error: &dyn std::fmt::Display| Unanswered(format!("{operation}: {error}"));
        let identity = slot.identities.get(usize::from(who == Who::Other)).ok_or_else(|| fault(&"no such identity"))?;
        let identity = &self.target.pools[slot.pool].identities[*identity];
        let input = literal(input, names);
        let mut giving_way = self.client.give_way(BackOff::default());
        loop {
            self.client.turn().await;
            let request = signed(&self.client, &self.target.region, identity, operation, &input).await;
            let request = request.map_err(|error| fault(&error))?;
            let exchange = self.client.send(request).await;
            // What a server says of what it was sent may hold secrets of this request.
            let mut redactor = self.redactor.clone();
            redactor.learn(&exchange);
            let response = exchange.outcome.map_err(|failure| Unanswered(redactor.sentence(&fault(&failure).0)))?;
            let answer = Answer::read(&response).without_secrets(&redactor);
            if !response.is_throttled() {
                return Ok(answer);
            }
            if !giving_way.again(&self.client, &response).await {
                return Err(fault(&format!("answered {}; the endpoint wants fewer requests", answer.in_short())));
            }
        }
    }
}

/// What is owed for a write to a dataset.
pub(super) fn deletion(place: Map<String, Value>) -> Debt {
    Debt {
        kind: Kind::Undo,
        call: "DeleteDataset".to_owned(),
        input: place,
        saved: Map::new(),
        made_by: "UpdateRecords".to_owned(),
        case: "fuzz".to_owned(),
    }
}

/// A call by an identity, signed in the ordinary way for `client`'s endpoint.
///
/// # Errors
///
/// A sentence when there is no such operation, no credentials are to be had, or the
/// call cannot be put on the wire.
pub(super) async fn signed(
    client: &Client,
    region: &str,
    identity: &Identity,
    operation: &str,
    input: &Map<String, Value>,
) -> Result<Request, String> {
    let service = Service::embedded();
    let known = service.operations.get(operation).ok_or_else(|| "no such operation".to_owned())?;
    let mut request = bind(known, input).map_err(|error| error.to_string())?;
    let endpoint = client.endpoint();
    endpoint.address(&mut request);
    let keys = identity.credentials.get().await.map_err(|error| format!("no credentials: {error}"))?;
    let signing = Signing {
        credentials: &keys.credentials,
        region,
        service: &service.signing_name,
        time: SystemTime::now(),
        form: SigningForm::Header,
        payload: SignedPayload::Hashed,
        without_headers: &[],
    };
    sign(&mut request, &endpoint.host_header(), &signing).map_err(|error| error.to_string())?;
    Ok(request)
}
