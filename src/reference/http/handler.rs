//! One request to one response, without a network: route, signature, class of
//! credentials, input, the caller's own resources, model, answer, in this order.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::Bytes;

use super::dispatch;
use super::encode;
use super::input;
use super::race::Shared;
use super::refusal::Refusal;
use super::route::{Routed, Router};
use super::sigv4::{Verifier, hex};
use super::validate::Patterns;
use crate::reference::altered::{Departure, Rewrite, Switch, Switches};
use crate::reference::model::{Call, Caller, Counts, Limits, Model, Timestamp};
use crate::reference::world::World;
use crate::spec::{Credentials, Operation, Service};
use crate::wire::{Headers, Request, Response};

/// What a browser may read of an answer, and how long it may remember that.
const EXPOSED_HEADERS: &str = "x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,Date";
const PREFLIGHT_SECONDS: &str = "172800";

/// What an unknown operation is answered with; there is no content type.
const UNKNOWN_OPERATION_BODY: &[u8] = b"<UnknownOperationException/>\n";

/// When a request is handled, and fresh random bytes for it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) now: Timestamp,
    pub(super) request_id: [u8; 16],
    pub(super) random: [u8; 16],
}

/// Answers requests.
pub(super) struct Handler {
    service: Arc<Service>,
    router: Router,
    patterns: Patterns,
    verifier: Verifier,
    model: Shared,
    switches: Switches,
    rewrite: Option<Rewrite>,
}

impl Handler {
    /// A service with nothing in it but `world`. Fails when a pattern of the
    /// description does not compile.
    pub(super) fn new(
        service: Arc<Service>,
        world: &World,
        departure: Departure,
        session_key: [u8; 32],
        now: Timestamp,
    ) -> Result<Self, regex::Error> {
        let Departure { switches, rewrite, race } = departure;
        Ok(Self {
            router: Router::new(&service, switches.clone()),
            patterns: Patterns::compile(&service)?,
            verifier: Verifier::new(world, &service.signing_name, switches.clone()),
            model: Shared::new(Model::new(world, Limits::of(&service), switches.clone(), session_key, now), race),
            service,
            switches,
            rewrite,
        })
    }

    /// The model behind the answers.
    pub(super) fn model(&mut self) -> &mut Shared {
        &mut self.model
    }

    /// The operation that a request leads to, if any.
    pub(super) fn operation(&self, request: &Request) -> Option<&str> {
        let routed = self.router.route(&self.service, &request.method, request.path());
        routed.map(|routed| routed.operation.name.as_str())
    }

    /// Whose key this is.
    pub(super) fn owner(&self, access_key_id: &str) -> Option<&Caller> {
        self.verifier.owner(access_key_id)
    }

    /// What the service holds.
    pub(super) fn counts(&self) -> Counts {
        self.model.lock().counts()
    }

    /// The answer to a request that was read completely.
    pub(super) fn answer(&self, request: &Request, moment: &Moment) -> Response {
        let mut response = self.unaltered(request, moment);
        if let Some(rewrite) = &self.rewrite {
            let routed = self.router.route(&self.service, &request.method, request.path());
            rewrite(routed.map(|routed| routed.operation.name.as_str()), request, &mut response);
        }
        response
    }

    fn unaltered(&self, request: &Request, moment: &Moment) -> Response {
        let origin = request.headers.contains("origin");
        if request.method == "OPTIONS" && origin {
            return preflight(request, moment);
        }
        let Some(routed) = self.router.route(&self.service, &request.method, request.path()) else {
            return self.refuse(None, &Refusal::unknown_operation(), moment, origin);
        };
        // A fault in this code must cost one answer, not the connection.
        let outcome = catch_unwind(AssertUnwindSafe(|| self.perform(&routed, request, moment)));
        match outcome.unwrap_or_else(|_| Err(Refusal::internal("The service failed"))) {
            Ok(body) => {
                let mut headers = common_headers(moment, origin);
                if !body.is_empty() {
                    headers.append("content-type", "application/json");
                }
                Response { status: self.service.success_status, headers, body: body.into() }
            }
            Err(refusal) => self.refuse(Some(routed.operation), &refusal, moment, origin),
        }
    }

    /// The answer to a request that could not be read, or was refused.
    pub(super) fn refuse(
        &self,
        operation: Option<&Operation>,
        refusal: &Refusal,
        moment: &Moment,
        origin: bool,
    ) -> Response {
        let (name, status, mut body) = encode::failure(&self.service, operation, refusal);
        let mut headers = common_headers(moment, origin);
        headers.append("x-amzn-ErrorType", format!("{name}{}", refusal.by.tail()));
        if *refusal == Refusal::unknown_operation() {
            body = UNKNOWN_OPERATION_BODY.to_vec();
        } else {
            headers.append("content-type", "application/json");
        }
        Response { status, headers, body: body.into() }
    }

    /// Fills in labels that were left empty and are not required. In the unaltered
    /// description every label is.
    fn guess<'s>(&self, routed: &Routed<'s>, caller: &Caller) -> Option<Routed<'s>> {
        let left_out = |(label, value): &(String, String)| {
            let member = routed.operation.input.get(label);
            value.is_empty() && member.is_some_and(|member| !member.required)
        };
        if !routed.labels.iter().any(left_out) {
            return None;
        }
        let model = self.model.lock();
        let labels = routed.labels.iter().map(|given| {
            let guess = left_out(given).then(|| model.guess(caller, &given.0)).flatten();
            (given.0.clone(), guess.unwrap_or_else(|| given.1.clone()))
        });
        Some(Routed { operation: routed.operation, labels: labels.collect() })
    }

    fn perform(&self, routed: &Routed<'_>, request: &Request, moment: &Moment) -> Result<Vec<u8>, Refusal> {
        let operation = routed.operation;
        if self.switches.has(Switch::InputBeforeSignature) {
            input::read(&self.service, &self.patterns, routed, request)?;
        }
        let anybody;
        let caller = match self.verifier.verify(request, moment.now) {
            Err(refusal)
                if self.switches.has(Switch::UnsignedAccepted)
                    && refusal == Refusal::missing_authentication_token() =>
            {
                anybody = anybody_allowed(operation, routed);
                &anybody
            }
            verified => verified?,
        };
        let class_last = self.switches.has(Switch::ClassAfterInput);
        if !class_last {
            check_class(operation, caller)?;
        }
        let guessed = self.guess(routed, caller);
        let routed = guessed.as_ref().unwrap_or(routed);
        if self.switches.has(Switch::ScopeBeforeInput) {
            self.check_scope(caller, &|name| routed.label(name).map(str::to_owned))?;
        }
        let input = input::read(&self.service, &self.patterns, routed, request)?;
        if class_last {
            check_class(operation, caller)?;
        }
        self.check_scope(caller, &|name| input.text(name))?;
        let call = Call { now: moment.now, caller, random: moment.random };
        let output = self
            .model
            .call(&operation.name, moment.now, &|model| dispatch::call(model, &call, &operation.name, &input))?;
        Ok(encode::success(&self.service, operation, &output))
    }

    /// An identity reaches its own pool and its own data, nothing else.
    fn check_scope(&self, caller: &Caller, named: &dyn Fn(&str) -> Option<String>) -> Result<(), Refusal> {
        let Caller::Identity { identity_pool_id, identity_id } = caller else { return Ok(()) };
        let foreign = |name: &str, own: &str| named(name).is_some_and(|named| named != own);
        let other_pool = foreign("IdentityPoolId", identity_pool_id) && !self.switches.has(Switch::PoolUnchecked);
        let foreign = other_pool || foreign("IdentityId", identity_id);
        if foreign && !self.switches.has(Switch::ScopeUnchecked) { Err(Refusal::not_authorized()) } else { Ok(()) }
    }
}

fn check_class(operation: &Operation, caller: &Caller) -> Result<(), Refusal> {
    match (operation.credentials, caller) {
        (Credentials::DeveloperOnly, Caller::Identity { .. }) | (Credentials::IdentityOnly, Caller::Developer) => {
            Err(Refusal::not_authorized())
        }
        _ => Ok(()),
    }
}

/// Whoever may call the operation with these labels.
fn anybody_allowed(operation: &Operation, routed: &Routed<'_>) -> Caller {
    let label = |name: &str| routed.label(name).map(str::to_owned).unwrap_or_default();
    match operation.credentials {
        Credentials::IdentityOnly => {
            Caller::Identity { identity_pool_id: label("IdentityPoolId"), identity_id: label("IdentityId") }
        }
        Credentials::DeveloperOnly | Credentials::Either => Caller::Developer,
    }
}

fn common_headers(moment: &Moment, origin: bool) -> Headers {
    let mut headers = Headers::new();
    let id = hex(&moment.request_id);
    let id = [&id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..]].join("-");
    headers.append("x-amzn-RequestId", id);
    if origin {
        headers.append("access-control-allow-origin", "*");
        headers.append("access-control-expose-headers", EXPOSED_HEADERS);
    }
    headers
}

/// The answer to a browser that asks whether it may ask; no signature is needed.
fn preflight(request: &Request, moment: &Moment) -> Response {
    let mut headers = common_headers(moment, true);
    for what in ["method", "headers"] {
        if let Some(asked) = request.headers.get_all(&format!("access-control-request-{what}")).next() {
            let granted = if what == "method" { "methods" } else { what };
            headers.append(format!("access-control-allow-{granted}"), asked);
        }
    }
    headers.append("access-control-max-age", PREFLIGHT_SECONDS);
    Response { status: 200, headers, body: Bytes::new() }
}

#[cfg(test)]
#[path = "handler_tests.rs"]
mod tests;
