//! One call outside any case, to see whether it works at all.

use super::event::RecordedExchange;
use super::keyring::Keyring;
use super::prepare::{actor_name, input, plain_call};
use super::redact::{About, Redactor};
use super::session::Session;
use crate::cases::{Actor, Base};
use crate::plan::Lease;

/// What came of a call, without secrets.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The call.
    pub exchange: RecordedExchange,
    /// What came back in a few words: "answered 404 ResourceNotFoundException: …", or
    /// why nothing came.
    pub said: String,
}

impl Asked {
    /// The answer's status; none when there was no answer.
    pub fn status(&self) -> Option<u16> {
        self.exchange.response.as_ref().map(|response| response.status)
    }
}

/// Calls an operation once with its valid request, signed by `actor`, which is the
/// developer, the lease's identity, or nobody.
///
/// # Errors
///
/// A sentence when the request cannot be made, for want of credentials for instance.
pub async fn ask(
    session: &Session,
    lease: &Lease,
    operation: &str,
    base: &Base,
    actor: Actor,
) -> Result<Asked, String> {
    let keys = Keyring::for_actor(session, lease, actor).await.map_err(|error| error.to_string())?;
    let mut used = Vec::new();
    base.input.iter().for_each(|(_, value)| value.names(&mut |name| used.push(name.to_owned())));
    let bindings = session.bindings_of(lease, 0, &used, "");
    let input = input(&base.input, &bindings).map_err(|error| error.to_string())?;
    let request = plain_call(session, &keys, actor, operation, &input).map_err(|error| error.to_string())?;
    let exchange = session.client.send(request).await;
    let mut redactor = Redactor::clone(&session.redactor);
    session.target.changing_secrets().for_each(|secret| redactor.add(secret.expose()));
    redactor.learn(&exchange);
    let said = match &exchange.outcome {
        Ok(response) => response.answered(),
        Err(failure) => failure.to_string(),
    };
    let about = About { step: 1, label: operation, signed_by: actor_name(actor), tampered: false, fixture: None };
    Ok(Asked { said: redactor.sentence(&said), exchange: redactor.exchange(&exchange, about) })
}
