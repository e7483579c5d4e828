//! What a case will send, without sending it.

use bytes::Bytes;

use super::event::RecordedExchange;
use super::keyring::Keyring;
use super::prepare::{PrepareError, Prepared, actor_name, prepare};
use super::redact::About;
use super::session::Session;
use crate::cases::{Action, Case};
use crate::plan::Lease;
use crate::wire::{Exchange, Failure, FailureKind, Headers, Request};

/// The request of every step of a case, without secrets. A value that an earlier
/// step would capture is shown as `<name>`; where a number is needed, as 0.
pub fn preview(session: &Session, case: &Case, lease: &Lease) -> Vec<Result<RecordedExchange, PrepareError>> {
    let mut bindings = session.bindings(case, lease, 1);
    let keys = Keyring::last(session, lease);
    let mut requests = Vec::new();
    for (index, step) in case.steps.iter().enumerate() {
        let nothing = matches!(step.action, Action::Observe(_)).then(|| Prepared::Bytes(Bytes::new()));
        let prepared = nothing.map_or_else(|| prepare(session, &keys, step, &bindings), Ok).or_else(|_| {
            // Something is counted with: numbers instead of names.
            let mut numbers = bindings.clone();
            for capture in case.steps[..index].iter().flat_map(|step| &step.captures) {
                numbers.bind(capture.name.clone(), 0);
            }
            prepare(session, &keys, step, &numbers)
        });
        let request = prepared.map(|prepared| match prepared {
            Prepared::Request(request) => request,
            Prepared::Bytes(body) => {
                Request { method: String::new(), target: String::new(), headers: Headers::new(), body }
            }
        });
        let about = About {
            step: index + 1,
            label: &step.label(),
            signed_by: actor_name(step.actor),
            tampered: step.is_tampered(),
            fixture: step.fixture.as_deref(),
        };
        requests.push(request.map(|request| {
            let not_sent = Failure { kind: FailureKind::Request, detail: "not sent".to_owned() };
            let exchange = Exchange { request, outcome: Err(not_sent), duration: std::time::Duration::ZERO };
            RecordedExchange { failure: None, ..session.redactor.exchange(&exchange, about) }
        }));
        for capture in &step.captures {
            bindings.bind(capture.name.clone(), format!("<{}>", capture.name));
        }
    }
    requests
}
