//! From a step to the request that it sends.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use serde_json::{Map, Value};

use super::keyring::Keyring;
use super::session::Session;
use crate::cases::{Action, Actor, Bindings, Body, Call, Payload, RenderError, SignForm, Step, Template, Transfer};
use crate::client::{BindError, Binding, SignError, SignedPayload, Signing, SigningForm, bind, chunked, sign};
use crate::target::{Credentials, Secret};
use crate::wire::{Headers, Request};

/// How long a signature in the query is valid.
const QUERY_EXPIRES: Duration = Duration::from_secs(300);

/// Why a step's request cannot be made: a fault of the case or of the target
/// file, never of the endpoint.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// A placeholder stands for nothing.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// The input does not fit the operation.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The request cannot be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The operation does not exist.
    #[error("the service has no operation {0}")]
    Operation(String),
    /// The step sends nothing.
    #[error("the step looks at what arrived, and sends nothing")]
    Observation,
    /// There is nothing of the kind that the step rewrites.
    #[error("the signed request has nothing that matches `{0}`, which the step rewrites")]
    Rewrite(String),
    /// The target has no credentials for who is to sign.
    #[error("the target has no credentials for {0}")]
    Credentials(&'static str),
}

/// What a step sends.
#[derive(Debug)]
pub(super) enum Prepared {
    /// A request.
    Request(Request),
    /// Bytes on a connection of their own.
    Bytes(Bytes),
}

/// The request of a step, signed as the step wants.
pub(super) fn prepare(
    session: &Session,
    keys: &Keyring,
    step: &Step,
    bindings: &Bindings,
) -> Result<Prepared, PrepareError> {
    let mut request = match &step.action {
        Action::Bytes(bytes) => return Ok(Prepared::Bytes(bytes.render(bindings)?.into())),
        Action::Observe(_) => return Err(PrepareError::Observation),
        Action::Call(call) => called(session, session.binding(step), call, bindings)?,
        Action::Send { method, target, body } => Request {
            method: method.render(bindings)?,
            target: target.render(bindings)?,
            headers: Headers::new(),
            body: match body {
                Body::Empty => Bytes::new(),
                Body::Text(text) => text.render(bindings)?.into(),
                Body::Bytes(bytes) => bytes.clone().into(),
            },
        },
    };
    session.client.endpoint().address(&mut request);
    for (name, value) in &step.headers {
        request.headers.set(name, value.render(bindings)?);
    }
    if let Some(credentials) = credentials(keys, step.actor)? {
        sign_as(session, &mut request, &credentials, step)?;
    }
    tamper(&mut request, step, bindings)?;
    transfer(&mut request, step.transfer);
    Ok(Prepared::Request(request))
}

fn called(session: &Session, binding: Binding<'_>, call: &Call, bindings: &Bindings) -> Result<Request, PrepareError> {
    let operation = session.service.operations.get(&call.operation);
    let operation = operation.ok_or_else(|| PrepareError::Operation(call.operation.clone()))?;
    let mut request = binding.call(operation, &input(&call.input, bindings)?)?;
    if let Some(json) = &call.json {
        request.body = json.render(bindings)?.into();
        request.headers.set("content-type", "application/json");
    }
    Ok(request)
}

/// Members with their placeholders filled in.
pub(super) fn input(members: &[(String, Template)], bindings: &Bindings) -> Result<Map<String, Value>, RenderError> {
    members.iter().map(|(name, value)| Ok((name.clone(), value.render(bindings)?))).collect()
}

/// A request of an operation, signed by `actor` in the usual way.
pub(super) fn plain_call(
    session: &Session,
    keys: &Keyring,
    actor: Actor,
    operation: &str,
    input: &Map<String, Value>,
) -> Result<Request, PrepareError> {
    let known = session.service.operations.get(operation);
    let operation = known.ok_or_else(|| PrepareError::Operation(operation.to_owned()))?;
    let mut request = bind(operation, input)?;
    session.client.endpoint().address(&mut request);
    if let Some(credentials) = credentials(keys, actor)? {
        let signing = signing(session, &credentials);
        sign(&mut request, &session.client.endpoint().host_header(), &signing)?;
    }
    Ok(request)
}

fn signing<'a>(session: &'a Session, credentials: &'a Credentials) -> Signing<'a> {
    Signing {
        credentials,
        region: &session.target.region,
        service: &session.service.signing_name,
        time: SystemTime::now(),
        form: SigningForm::Header,
        payload: SignedPayload::Hashed,
        without_headers: &[],
    }
}

fn sign_as(
    session: &Session,
    request: &mut Request,
    credentials: &Credentials,
    step: &Step,
) -> Result<(), PrepareError> {
    let mut signing = signing(session, credentials);
    if let Some(region) = &step.sign.region {
        signing.region = region;
    }
    if let Some(service) = &step.sign.service {
        signing.service = service;
    }
    let moved = Duration::from_secs(step.sign.clock_minutes.unsigned_abs().saturating_mul(60));
    let time =
        if step.sign.clock_minutes < 0 { signing.time.checked_sub(moved) } else { signing.time.checked_add(moved) };
    signing.time = time.unwrap_or(signing.time);
    signing.payload = match step.sign.payload {
        Payload::Hashed => SignedPayload::Hashed,
        Payload::Stated => SignedPayload::Stated,
        Payload::Unsigned => SignedPayload::Unsigned,
    };
    signing.without_headers = &step.sign.without_headers;
    if step.sign.form == SignForm::Query {
        signing.form = SigningForm::Query { expires: QUERY_EXPIRES };
    }
    Ok(sign(request, &session.client.endpoint().host_header(), &signing)?)
}

/// Whose keys sign; none for an unsigned request.
fn credentials(keys: &Keyring, actor: Actor) -> Result<Option<Credentials>, PrepareError> {
    let identity = |index: usize| keys.identities.get(index).cloned();
    let own = || identity(0).ok_or(PrepareError::Credentials("an identity"));
    Ok(match actor {
        Actor::None => None,
        Actor::Developer => Some(keys.developer.clone().ok_or(PrepareError::Credentials("the developer"))?),
        Actor::Identity => Some(own()?),
        Actor::OtherIdentity => Some(identity(1).ok_or(PrepareError::Credentials("another identity"))?),
        Actor::UnknownKey => Some(Credentials {
            access_key_id: "AKIAUNKNOWNTOSYNCSPE".to_owned(),
            secret_access_key: Secret::new("not/a/key/of/any/account/at/all/00000000"),
            session_token: None,
        }),
        Actor::WrongSecret => {
            Some(Credentials { secret_access_key: Secret::new("not/the/secret/that/belongs/to/the/key/0"), ..own()? })
        }
        Actor::WrongSessionToken => {
            Some(Credentials { session_token: Some(Secret::new("bm90IGEgc2Vzc2lvbiB0b2tlbg==")), ..own()? })
        }
    })
}

fn tamper(request: &mut Request, step: &Step, bindings: &Bindings) -> Result<(), PrepareError> {
    let tamper = &step.tamper;
    if let Some(method) = &tamper.method {
        request.method.clone_from(method);
    }
    if let Some(target) = &tamper.target {
        request.target = target.render(bindings)?;
    }
    if let Some(body) = &tamper.body {
        request.body = body.render(bindings)?.into();
    }
    for (name, value) in &tamper.headers {
        request.headers.set(name, value.render(bindings)?);
    }
    for (name, value) in &tamper.add_headers {
        request.headers.append(name, value.render(bindings)?);
    }
    for name in &tamper.without_headers {
        request.headers.remove(name);
    }
    for rewrite in &tamper.rewrites {
        let old = rewrite.header.as_ref().map_or(Some(request.target.as_str()), |name| request.headers.get(name));
        // Without a match the request would go out whole, and be rightly accepted.
        let old = old.filter(|old| rewrite.pattern.is_match(old));
        let old = old.ok_or_else(|| PrepareError::Rewrite(rewrite.pattern.to_string()))?;
        let new = rewrite.pattern.replace(old, rewrite.with.as_str()).into_owned();
        match &rewrite.header {
            Some(name) => request.headers.set(name, new),
            None => request.target = new,
        }
    }
    Ok(())
}

fn transfer(request: &mut Request, transfer: Transfer) {
    if transfer.chunked {
        request.body = chunked(&request.body);
        request.headers.remove("content-length");
        request.headers.append("transfer-encoding", "chunked");
    }
    if transfer.upper_case_headers {
        let upper = |(name, value): (&str, &[u8])| (name.to_ascii_uppercase(), value.to_vec());
        request.headers = request.headers.iter().map(upper).collect();
    }
}

/// The name of who signs, for people.
pub(super) fn actor_name(actor: Actor) -> &'static str {
    match actor {
        Actor::Developer => "developer",
        Actor::Identity => "identity",
        Actor::OtherIdentity => "other-identity",
        Actor::None => "none",
        Actor::UnknownKey => "unknown-key",
        Actor::WrongSecret => "wrong-secret",
        Actor::WrongSessionToken => "wrong-session-token",
    }
}
