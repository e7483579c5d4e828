//! What a case made, and how it is taken back.

use bytes::Bytes;
use serde_json::Value;

use super::prepare::Prepared;
use super::session::Session;
use crate::cases::Bases;
use crate::journal::{Debt, Number, sights, undoing};
use crate::wire::{Failure, FailureKind, Headers, Request, Response};

/// What a case made, or may have made, in the order of making.
#[derive(Debug, Default)]
pub(super) struct Made(Vec<Item>);

#[derive(Debug)]
struct Item {
    debt: Debt,
    number: Number,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The request is about to be sent.
    Expected,
    /// Nobody knows whether the request succeeded.
    Possible,
    /// It succeeded.
    Certain,
}

/// Why a request is not sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Withheld {
    /// It would replace something of the target's that cannot be read, and so not be
    /// brought back.
    Unsaved(String),
    /// What it makes cannot be written down.
    Unwritten(String),
}

impl Made {
    /// Notes what a request may make, and sees to it that what it may replace is kept.
    /// To be called before it is sent; the answer goes to [`Made::answered`].
    pub(super) async fn expect(
        &mut self,
        session: &Session,
        bases: &Bases,
        case: &str,
        prepared: &Prepared,
    ) -> Result<(), Withheld> {
        let raw;
        let request = match prepared {
            Prepared::Request(request) => request,
            Prepared::Bytes(bytes) => {
                raw = in_one_piece(bytes);
                &raw
            }
        };
        for sight in sights(session.service, bases, session.client.endpoint(), request) {
            session.keeper.keep(session, bases, &sight, case).await?;
            let Some(debt) = undoing(&sight, case) else { continue };
            if self.0.iter().any(|item| item.debt == debt) {
                continue;
            }
            let number = session.ledger.owe(|| debt.clone()).map_err(unwritten)?;
            self.0.push(Item { debt, number, state: State::Expected });
        }
        Ok(())
    }

    /// Takes note of what came back for the request expected last.
    pub(super) fn answered(
        &mut self,
        session: &Session,
        bases: &Bases,
        request: &Request,
        outcome: &Result<Response, Failure>,
    ) {
        let state = match outcome {
            Ok(response) if (200..300).contains(&response.status) => Some(State::Certain),
            // It broke down, at the beginning or at the end.
            Ok(response) if matches!(response.status, 500 | 502 | 504) => Some(State::Possible),
            Ok(_) => None,
            Err(failure) => was_sent(failure).then_some(State::Possible),
        };
        let reached = sights(session.service, bases, session.client.endpoint(), request);
        let reached: Vec<Debt> = reached.iter().filter_map(|sight| undoing(sight, "")).collect();
        let is_reached = |debt: &Debt| reached.iter().any(|made| made.call == debt.call && made.input == debt.input);
        self.0.retain_mut(|item| {
            let of_this_request = item.state == State::Expected || is_reached(&item.debt);
            match state {
                Some(State::Certain) if of_this_request && item.state != State::Certain => {
                    session.ledger.made(item.number);
                    item.state = State::Certain;
                }
                Some(_) if item.state == State::Expected => item.state = State::Possible,
                None if item.state == State::Expected => {
                    session.ledger.paid(item.number);
                    return false;
                }
                Some(_) | None => {}
            }
            true
        });
    }

    /// Takes back what was made, last first; what could not be taken back, as sentences.
    pub(super) async fn take_back(&mut self, session: &Session, bases: &Bases) -> Vec<String> {
        let payer = session.payer(bases);
        let mut leftovers = Vec::new();
        let mut nobody_answers = false;
        while let Some(Item { debt, number, state }) = self.0.pop() {
            // Each request would wait for an answer as long as the one before.
            let problem = if nobody_answers || session.ledger.is_given_up() {
                "the endpoint does not answer".to_owned()
            } else {
                match session.unless_given_up(payer.pay(&debt, state == State::Certain)).await {
                    Ok(_) => {
                        session.ledger.paid(number);
                        continue;
                    }
                    Err(unpaid) => {
                        nobody_answers = unpaid.is_unanswered;
                        unpaid.reason
                    }
                }
            };
            let input = Value::Object(debt.input);
            leftovers.push(format!("{} with {input} could not be called: {problem}", debt.call));
        }
        leftovers
    }
}

/// Whether a request without an answer may have had its effect.
pub(super) fn was_sent(failure: &Failure) -> bool {
    !matches!(failure.kind, FailureKind::Connect | FailureKind::Tls | FailureKind::Request)
}

/// Bytes as a request that nobody has taken apart.
fn in_one_piece(bytes: &Bytes) -> Request {
    Request { method: String::new(), target: String::new(), headers: Headers::new(), body: bytes.clone() }
}

#[expect(clippy::needless_pass_by_value, reason = "`map_err` hands errors over")]
pub(super) fn unwritten(error: std::io::Error) -> Withheld {
    Withheld::Unwritten(format!(
        "what the request makes cannot be written into the journal, so it was not sent: {error}"
    ))
}
