//! One request to one response, without a network: route, signature, class of
//! credentials, input, the caller's own resources, model, answer, in this order. Where
//! another service must be asked in between, the answer is a question first.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc::UnboundedSender;

use super::dispatch::{self, Found};
use super::encode::Forms;
use super::input::{self, Input};
use super::race::{Posted, Shared};
use super::refusal::Refusal;
use super::route::{Carried, Routed, Router};
use super::rpc;
use super::sigv4::{Verifier, hex};
use super::validate::{self, Patterns};
use crate::reference::altered::{Departure, Rewrite, Switch, Switches};
use crate::reference::collaborators::{Desk, Looking, Question, Reply, invalid_output};
use crate::reference::model::{
    BulkPublish, Call, Caller, Counts, DatasetPlace, Limits, Model, RecordPatch, ServiceError, StreamTarget, Timestamp,
};
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
    forms: Forms,
    verifier: Verifier,
    model: Shared,
    switches: Switches,
    rewrite: Option<Rewrite>,
    /// Whether some requests lead to questions.
    asks: bool,
}

/// What becomes of a request.
pub(super) enum Step {
    /// It is answered.
    Answered(Response),
    /// It can be once a question is.
    Asks(Box<Pending>),
}

/// A request that waits for the answer to a question.
pub(super) struct Pending {
    pub(super) question: Question,
    operation: String,
    caller: Caller,
    input: Input,
}

/// What an operation came to.
enum Outcome {
    /// The body of its answer.
    Done(Vec<u8>),
    Asks(Box<Pending>),
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
        let Departure { switches, rewrite, race, .. } = departure;
        Ok(Self {
            router: Router::new(&service, switches.clone()),
            patterns: Patterns::compile(&service)?,
            forms: Forms::of(&service),
            verifier: Verifier::new(world, &service.signing_name, switches.clone()),
            model: Shared::new(Model::new(world, Limits::of(&service), switches.clone(), session_key, now), race),
            service,
            switches,
            rewrite,
            asks: world.collaborators.are_any(),
        })
    }

    /// The model behind the answers.
    pub(super) fn model(&self) -> &Shared {
        &self.model
    }

    /// The operation that a request leads to, if any.
    pub(super) fn operation(&self, request: &Request) -> Option<&str> {
        self.routed(request).map(|routed| routed.operation.name.as_str())
    }

    /// The operation that a request leads to in the protocol that it speaks.
    fn routed(&self, request: &Request) -> Option<Routed<'_>> {
        if rpc::is_call(&self.service, request, &self.switches) {
            return rpc::route(&self.service, request, &self.switches);
        }
        self.router.route(&self.service, &request.method, request.path())
    }

    /// Whose key this is.
    pub(super) fn owner(&self, access_key_id: &str) -> Option<&Caller> {
        self.verifier.owner(access_key_id)
    }

    /// What the service holds.
    pub(super) fn counts(&self) -> Counts {
        self.model.lock().counts()
    }

    /// Has effects sent here from now on; nowhere if there is none.
    pub(super) fn send_effects(&self, to: Option<UnboundedSender<Posted>>) {
        self.model.send_effects(to);
    }

    /// The answer to a request that was read completely, or what must be asked first.
    pub(super) fn answer(&self, request: &Request, moment: &Moment) -> Step {
        match self.unaltered(request, moment) {
            Step::Answered(response) => Step::Answered(self.altered(request, response)),
            asks @ Step::Asks(_) => asks,
        }
    }

    /// The answer to a request whose question is answered. Whatever happened meanwhile,
    /// the model looks at the request anew.
    pub(super) fn finish(
        &self,
        request: &Request,
        pending: Pending,
        reply: Result<Reply, ServiceError>,
        moment: &Moment,
    ) -> Response {
        let origin = request.headers.contains("origin");
        let operation = self.service.operations.get(&pending.operation);
        let outcome = catch_unwind(AssertUnwindSafe(|| match operation {
            Some(operation) => {
                let reply = reply.inspect_err(|_| self.aftermath(operation, &pending, moment));
                self.perform_with(operation, pending, reply?, moment)
            }
            None => Err(Refusal::unknown_operation()),
        }));
        let response = match outcome.unwrap_or_else(|_| Err(Refusal::internal("The service failed"))) {
            Ok(body) => self.success(body, moment, origin),
            Err(refusal) => self.refuse(operation, &refusal, moment, origin),
        };
        self.altered(request, response)
    }

    /// What a question that has no answer leaves behind, in an altered server.
    fn aftermath(&self, operation: &Operation, pending: &Pending, moment: &Moment) {
        let Pending { caller, input, .. } = pending;
        let call = Call { now: moment.now, caller, random: moment.random };
        let perform = |model: &mut Model| dispatch::aftermath(model, &call, &operation.name, input);
        let writes = self.switches.has(Switch::FunctionFailureWrites);
        if writes || self.switches.has(Switch::FunctionFailureSpendsToken) {
            // Whatever comes of it, the update is refused.
            let _ignored = self.model.call(&operation.name, moment.now, &perform);
        }
    }

    fn perform_with(
        &self,
        operation: &Operation,
        pending: Pending,
        reply: Reply,
        moment: &Moment,
    ) -> Result<Vec<u8>, Refusal> {
        let Pending { question, caller, input, .. } = pending;
        let found = match (question, reply) {
            (Question::Function(invocation), Reply::Wanted(wanted)) => {
                let patches = invocation.patches_with(&wanted);
                self.check_patches(operation, &patches)?;
                Found::Patches(patches)
            }
            (Question::Endpoint(_), Reply::Endpoint(arn)) => Found::Endpoint(arn),
            (Question::Effects(_), Reply::Told(untaken)) => Found::Told(untaken),
            _ => return Err(Refusal::internal("The reply is to another question")),
        };
        let call = Call { now: moment.now, caller: &caller, random: moment.random };
        let perform = |model: &mut Model| dispatch::call_with(model, &call, &input, &found);
        let output = self.model.call(&operation.name, moment.now, &perform)?;
        Ok(self.forms.success(operation, &output))
    }

    /// Refuses patches of a function that break a constraint.
    fn check_patches(&self, operation: &Operation, patches: &[RecordPatch]) -> Result<(), Refusal> {
        let Some(member) = operation.input.get("RecordPatches") else { return Ok(()) };
        let sent = dispatch::as_sent(patches);
        let checked = validate::check_value(&self.service, &self.patterns, &"datasetRecords", &member.shape, &sent);
        checked.map_err(|refusal| invalid_output(refusal.message).into())
    }

    /// The answer as it is sent: altered, and in the form of the protocol that was spoken.
    fn altered(&self, request: &Request, mut response: Response) -> Response {
        let is_call = rpc::is_call(&self.service, request, &self.switches);
        if self.rewrite.is_none() && !is_call {
            return response;
        }
        let operation = self.routed(request).map(|routed| routed.operation);
        if let Some(rewrite) = &self.rewrite {
            rewrite(operation.map(|operation| operation.name.as_str()), request, &mut response);
        }
        match is_call {
            true => rpc::told(&self.service, request, operation, &self.switches, response),
            false => response,
        }
    }

    fn unaltered(&self, request: &Request, moment: &Moment) -> Step {
        let origin = request.headers.contains("origin");
        if request.method == "OPTIONS" && origin {
            return Step::Answered(preflight(request, moment));
        }
        let Some(routed) = self.routed(request) else {
            return Step::Answered(self.refuse(None, &Refusal::unknown_operation(), moment, origin));
        };
        // A fault in this code must cost one answer, not the connection.
        let outcome = catch_unwind(AssertUnwindSafe(|| self.perform(&routed, request, moment)));
        Step::Answered(match outcome.unwrap_or_else(|_| Err(Refusal::internal("The service failed"))) {
            Ok(Outcome::Done(body)) => self.success(body, moment, origin),
            Ok(Outcome::Asks(pending)) => return Step::Asks(pending),
            Err(refusal) => self.refuse(Some(routed.operation), &refusal, moment, origin),
        })
    }

    fn success(&self, body: Vec<u8>, moment: &Moment, origin: bool) -> Response {
        let mut headers = common_headers(moment, origin);
        if !body.is_empty() {
            headers.append("content-type", "application/json");
        }
        Response { status: self.service.success_status, headers, body: body.into() }
    }

    /// The answer to a request that could not be read, or was refused.
    fn refuse(&self, operation: Option<&Operation>, refusal: &Refusal, moment: &Moment, origin: bool) -> Response {
        let (name, status, mut body) = self.forms.failure(&self.service, operation, refusal);
        let mut headers = common_headers(moment, origin);
        headers.append("x-amzn-ErrorType", format!("{name}{}", refusal.by.tail()));
        if *refusal == Refusal::unknown_operation() {
            body = UNKNOWN_OPERATION_BODY.to_vec();
        } else {
            headers.append("content-type", "application/json");
        }
        Response { status, headers, body: body.into() }
    }

    /// The answer to a request that is refused before the service looks at it, in the form
    /// of the protocol that it speaks. The body may not have been read.
    pub(super) fn refuse_unseen(&self, request: &Request, refusal: &Refusal, moment: &Moment) -> Response {
        let response = self.refuse(None, refusal, moment, request.headers.contains("origin"));
        if !rpc::is_call(&self.service, request, &self.switches) {
            return response;
        }
        let operation = self.routed(request).map(|routed| routed.operation);
        rpc::told(&self.service, request, operation, &self.switches, response)
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
        Some(Routed { operation: routed.operation, labels: labels.collect(), carried: routed.carried.clone() })
    }

    fn perform(&self, routed: &Routed<'_>, request: &Request, moment: &Moment) -> Result<Outcome, Refusal> {
        let operation = routed.operation;
        if self.switches.has(Switch::InputBeforeSignature) {
            input::read(&self.service, &self.patterns, routed, request, &self.switches)?;
        }
        let anybody;
        let caller = match self.verifier.verify(request, moment.now) {
            Err(refusal) if self.takes_unsigned(routed) && refusal == Refusal::missing_authentication_token() => {
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
        let input = input::read(&self.service, &self.patterns, routed, request, &self.switches)?;
        if class_last {
            check_class(operation, caller)?;
        }
        self.check_scope(caller, &|name| input.text(name))?;
        let call = Call { now: moment.now, caller, random: moment.random };
        if self.asks
            && let Some(question) = dispatch::question(&self.model.lock(), &call, &operation.name, &input)?
        {
            let (operation, caller) = (operation.name.clone(), caller.clone());
            return Ok(Outcome::Asks(Box::new(Pending { question, operation, caller, input })));
        }
        let output = self
            .model
            .call(&operation.name, moment.now, &|model| dispatch::call(model, &call, &operation.name, &input))?;
        Ok(Outcome::Done(self.forms.success(operation, &output)))
    }

    fn takes_unsigned(&self, routed: &Routed<'_>) -> bool {
        let together = matches!(routed.carried, Carried::Together(_));
        self.switches.has(Switch::UnsignedAccepted) || together && self.switches.has(Switch::RpcUnsignedAccepted)
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

/// How what follows an answer gets at the model.
impl Desk for Handler {
    fn dataset(&self, place: &DatasetPlace) -> Looking<'_> {
        let record = self.model.lock().stream_record(place);
        Box::pin(async move { if self.model.is_kept().await { record } else { None } })
    }

    fn stream_failed(&self, target: &StreamTarget, reason: &str) {
        self.model.lock().stream_failed(target, reason);
    }

    fn publish_ended(&self, publish: &BulkPublish, now: Timestamp, failure: Option<String>) {
        self.model.lock().bulk_publish_ended(publish, now, failure);
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
