//! Asks an endpoint a few things before a run, to find out whether it is the service.

use std::time::Duration;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::keyring::Keyring;
use super::prepare::{actor_name, input, plain_call};
use super::redact::Redactor;
use super::session::Session;
use crate::cases::{Actor, Base, Bindings, Isolation, names};
use crate::judge::{Answer, Sign, sign, stranger};
use crate::plan::{Demand, Lease, LeaseTable};
use crate::spec::Operation;
use crate::wire::{Failure, FailureKind};

/// The method of requests that change nothing.
const READS: &str = "GET";

/// Longest wait for an answer. Who is slower is no stranger: the run will tell.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends the base requests that only read, until an answer shows that the endpoint
/// may be the service: on a good one, that is the first. Nothing is made or changed.
///
/// # Errors
///
/// Why the endpoint is not the service or lets nobody in, in words that follow its
/// address, without secrets.
pub async fn probe(session: &Session, bases: &IndexMap<String, Base>) -> Result<(), String> {
    let mut redactor = Redactor::clone(&session.redactor);
    let mut signs = Vec::new();
    for (actor, operation, input) in requests(session, bases) {
        let Some(lease) = lease(session) else { return Ok(()) };
        let Some(answer) = ask(session, &lease, actor, operation, &input, &mut redactor).await else { continue };
        let sign = sign(session.service, &answer);
        // One of these is enough to let the endpoint in.
        if matches!(sign, Sign::Service | Sign::Nothing) {
            return Ok(());
        }
        signs.push(sign);
    }
    stranger(&signs).map_or(Ok(()), |why| Err(redactor.sentence(&why)))
}

type Asked<'s> = (Actor, &'s Operation, Map<String, Value>);

/// The requests to send: those of the identity and of the developer in turn, so that
/// both are heard.
fn requests<'s>(session: &'s Session, bases: &IndexMap<String, Base>) -> Vec<Asked<'s>> {
    let bindings = bindings(session);
    let of = |actor: Actor| {
        let asked = bases.iter().filter(|(_, base)| base.credentials == actor).filter_map(|(name, base)| {
            let operation = session.service.operations.get(name).filter(|operation| operation.method == READS)?;
            // What cannot be filled in here needs steps before it.
            Some((actor, operation, input(&base.input, &bindings).ok()?))
        });
        asked.collect::<Vec<Asked<'s>>>()
    };
    let (identity, mut developer) = (of(Actor::Identity), of(Actor::Developer).into_iter());
    let developer_is_known = session.target.developer.is_some();
    let mut all = Vec::new();
    for asked in identity {
        all.push(asked);
        all.extend(developer.next().filter(|_| developer_is_known));
    }
    all.extend(developer.filter(|_| developer_is_known));
    all
}

fn bindings(session: &Session) -> Bindings {
    let mut bindings = Bindings::new();
    let Some(pool) = session.target.own_pools().next() else { return bindings };
    bindings.bind("identity-pool-id", pool.id.clone());
    bindings.bind("region", session.target.region.clone());
    if let Some(identity) = pool.identities.first() {
        bindings.bind("identity-id", identity.id.clone());
    }
    // Reading a dataset does not make it.
    bindings.bind(names::DATASET, format!("{}-{}-0-1", session.target.prefix, session.run_id));
    bindings
}

fn lease(session: &Session) -> Option<Lease> {
    let demand = Demand { isolation: Isolation::Dataset, identities: 1, datasets: 1, developer: false };
    LeaseTable::new(&session.target, 1).acquire(demand)
}

/// Sends a request; none if it cannot be made.
async fn ask<'a>(
    session: &Session,
    lease: &Lease,
    actor: Actor,
    operation: &'a Operation,
    input: &Map<String, Value>,
    redactor: &mut Redactor,
) -> Option<Answer<'a>> {
    let keys = Keyring::for_actor(session, lease, actor).await.ok()?;
    let request = plain_call(session, &keys, actor, &operation.name, input).ok()?;
    let sent = tokio::time::timeout(PATIENCE, session.client.send(request.clone())).await;
    let late = || Failure { kind: FailureKind::TimedOut, detail: format!("not within {PATIENCE:?}") };
    let outcome = match sent {
        Ok(exchange) => {
            redactor.learn(&exchange);
            exchange.outcome
        }
        Err(_) => Err(late()),
    };
    let broken = matches!(&outcome, Err(failure) if failure.kind == FailureKind::Broken);
    let instead = if broken { session.client.first_bytes(&request).await } else { Vec::new() };
    Some(Answer { operation, signed_by: actor_name(actor), outcome, instead })
}
