//! The services that the target's server calls: what a case has them answer, and what
//! they heard.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use super::session::Session;
use crate::cases::{self, Action, Bindings, Case, Collaborator, FunctionPayload, RenderError, Template, names};
use crate::collaborators::{
    FunctionAnswer, Heard, Listener, Mailbox, Payload, PushAnswer, PushCall, Refusal, Role, Scripts, StreamAnswer,
};
use crate::target::Collaborators;
use crate::wire::{Headers, Response};

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

/// The step of a case that a call is evidence for: the first that looks at its service
/// from when it arrived on, if the case came so far; else the one under way then.
pub(super) fn evidence_for(case: &Case, heard: &Heard, reached: usize) -> usize {
    let looks = |number: &usize| matches!(case.steps[number - 1].action, Action::Observe(collaborator) if role(collaborator) == heard.role);
    let last = reached.min(case.steps.len());
    (heard.step.max(1)..=last).find(looks).unwrap_or(heard.step)
}

/// The name of the service that a call was for, as case files have it.
pub(super) fn collaborator(heard: &Heard) -> Collaborator {
    match heard.role {
        Role::Function => Collaborator::Function,
        Role::Stream => Collaborator::Stream,
        Role::Push => Collaborator::Push,
    }
}
