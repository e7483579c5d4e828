//! The services that the target's server calls: what a case has them answer, and what
//! they heard.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use super::event::RecordedExchange;
use super::redact::{About, Redactor};
use super::session::Session;
use crate::cases::{self, Action, Bindings, Case, Collaborator, FunctionPayload, RenderError, Template, names};
use crate::collaborators::{
    FunctionAnswer, Heard, Listener, Mailbox, Payload, PushAnswer, PushCall, Refusal, Role, Scripts, StreamAnswer,
};
use crate::target::Collaborators;
use crate::wire::{Exchange, Failure, FailureKind, Headers, Request, Response};

/// Who answers for the other services, as far as a run has them.
#[derive(Debug, Clone, Default)]
pub(super) struct Stage(pub(super) Option<Arc<Listener>>);

impl Stage {
    /// Opens what a case has to do with; none when that is nothing, or the harness plays
    /// no service.
    pub(super) fn open(
        &self,
        session: &Session,
        case: &Case,
        bindings: &Bindings,
        number: usize,
    ) -> Result<Option<Mailbox>, RenderError> {
        let (Some(listener), Some(played)) = (&self.0, &session.target.collaborators) else { return Ok(None) };
        if !Collaborator::ALL.into_iter().any(|collaborator| case.meets(collaborator)) {
            return Ok(None);
        }
        let scripts = rendered(&case.scripts, played, bindings)?;
        Ok(Some(listener.open(&session.name_of_played(number), scripts)))
    }

    /// Notes that a case waited for a call that did not come.
    pub(super) fn miss(&self) {
        self.0.iter().for_each(|listener| listener.miss());
    }
}

/// The scripts with their placeholders filled in, but for the event.
fn rendered(scripts: &cases::Scripts, played: &Collaborators, bindings: &Bindings) -> Result<Scripts, RenderError> {
    let mut bindings = bindings.clone();
    bindings.bind(names::EVENT, Scripts::event_placeholder());
    let refusal = |refusal: &Option<cases::Refusal>| {
        let rendered = |refusal: &cases::Refusal| {
            let message = refusal.message.as_ref().map(|text| text.render(&bindings)).transpose()?;
            Ok(Refusal { error: refusal.error.clone(), status: refusal.status, message })
        };
        refusal.as_ref().map(rendered).transpose()
    };
    let function = scripts.function.iter().map(|answer| {
        Ok(FunctionAnswer {
            payload: payload(&answer.payload, &bindings)?,
            function_error: answer.function_error.clone(),
            refusal: refusal(&answer.refusal)?,
            delay: played.scaled(answer.delay),
        })
    });
    let stream = scripts
        .stream
        .iter()
        .map(|answer| Ok(StreamAnswer { refusal: refusal(&answer.refusal)?, delay: played.scaled(answer.delay) }));
    let push = scripts.push.iter().map(|answer| {
        let on = answer.on.map(|on| match on {
            cases::PushCall::Create => PushCall::Create,
            cases::PushCall::Publish => PushCall::Publish,
        });
        Ok(PushAnswer { on, refusal: refusal(&answer.refusal)?, delay: played.scaled(answer.delay) })
    });
    Ok(Scripts {
        function: function.collect::<Result<_, RenderError>>()?,
        stream: stream.collect::<Result<_, RenderError>>()?,
        push: push.collect::<Result<_, RenderError>>()?,
    })
}

fn payload(payload: &FunctionPayload, bindings: &Bindings) -> Result<Payload, RenderError> {
    Ok(match payload {
        FunctionPayload::Event { set, remove } => {
            let value = |(at, value): &(String, Template)| Ok((at.clone(), value.render(bindings)?));
            Payload::Event { set: set.iter().map(value).collect::<Result<_, RenderError>>()?, remove: remove.clone() }
        }
        FunctionPayload::Value(value) => Payload::Value(value.render(bindings)?),
        FunctionPayload::Text(text) => Payload::Text(text.render(bindings)?),
    })
}

fn role(collaborator: Collaborator) -> Role {
    match collaborator {
        Collaborator::Function => Role::Function,
        Collaborator::Stream => Role::Stream,
        Collaborator::Push => Role::Push,
    }
}

/// What arrived so far, as if it had been answered, so that it is judged like an answer.
pub(super) fn observed(mailbox: Option<&Mailbox>, collaborator: Collaborator) -> Response {
    let document = mailbox.map_or(Value::Null, |mailbox| mailbox.observation(role(collaborator)));
    Response { status: 200, headers: Headers::new(), body: Bytes::from(document.to_string()) }
}

/// What the services heard, as evidence: each call under the step that looks at it, and
/// for a step that looks and finds none, what was waited for.
pub(super) fn evidence(
    session: &Session,
    redactor: &Redactor,
    case: &Case,
    heard: &[Heard],
    reached: usize,
) -> Vec<RecordedExchange> {
    let under = |collaborator: Collaborator, step: usize, exchange: &Exchange| {
        let label = format!("observe {}", collaborator.name());
        let about = About { step, label: &label, signed_by: "server", tampered: false, fixture: None };
        let collaborator = Some(collaborator.name().to_owned());
        RecordedExchange { collaborator, ..redactor.exchange(exchange, about) }
    };
    let mut found: Vec<RecordedExchange> = heard
        .iter()
        .map(|heard| {
            let collaborator = collaborator(heard.role);
            under(collaborator, looking(case, heard, collaborator, reached), &heard.exchange)
        })
        .collect();
    for (step, number) in case.steps.iter().zip(1..=reached) {
        let Action::Observe(collaborator) = step.action else { continue };
        if heard.iter().any(|heard| heard.role == role(collaborator)) {
            continue;
        }
        let detail = session.waited_for(collaborator);
        let request =
            Request { method: String::new(), target: String::new(), headers: Headers::new(), body: Bytes::new() };
        let outcome = Err(Failure { kind: FailureKind::Broken, detail: String::new() });
        let nothing = under(collaborator, number, &Exchange { request, outcome, duration: Duration::ZERO });
        found.push(RecordedExchange { failure: Some(detail), ..nothing });
    }
    found
}

/// The step of a case that a call is evidence for: the first that looks at its service
/// from when it arrived on, if the case came so far; else the one under way then.
fn looking(case: &Case, heard: &Heard, collaborator: Collaborator, reached: usize) -> usize {
    let looks = |number: &usize| matches!(case.steps[number - 1].action, Action::Observe(one) if one == collaborator);
    let last = reached.min(case.steps.len());
    (heard.step.max(1)..=last).find(looks).unwrap_or(heard.step)
}

/// The name that case files have for a service.
fn collaborator(role: Role) -> Collaborator {
    match role {
        Role::Function => Collaborator::Function,
        Role::Stream => Collaborator::Stream,
        Role::Push => Collaborator::Push,
    }
}

impl Session {
    /// Says that nothing came for a service, where it was waited for, and what came
    /// instead.
    fn waited_for(&self, collaborator: Collaborator) -> String {
        let (what, service, variable) = match collaborator {
            Collaborator::Function => ("function", "Lambda", "LAMBDA"),
            Collaborator::Stream => ("stream", "Kinesis", "KINESIS"),
            Collaborator::Push => ("push application", "SNS", "SNS"),
        };
        let place = self.stage.0.as_ref().map(|listener| listener.endpoint()).unwrap_or_default();
        let instead = self.strays();
        let instead = match instead.as_slice() {
            [] => "and nothing came there under another name".to_owned(),
            strays => format!("and this came there for nobody: {}", strays.join("; ")),
        };
        format!(
            "nothing arrived for the {what} of this case; the target's server is expected to call {service} at \
             {place} (AWS_ENDPOINT_URL_{variable}), {instead}"
        )
    }
}
