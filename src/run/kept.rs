//! The exchanges of a case under way, within bounds.

use bytes::Bytes;

use super::event::{RecordedBody, RecordedExchange};
use super::redact::Redactor;
use crate::target::MOST_SEARCHED;
use crate::wire::Exchange;

/// Most bytes of response bodies that a case holds on to; a full dataset is about a
/// megabyte.
const MOST_HELD: usize = 8 * 1024 * 1024;

/// The exchanges of a case, in order.
#[derive(Debug, Default)]
pub(super) struct Kept {
    exchanges: Vec<Held>,
    /// Bytes of response bodies.
    held: usize,
}

#[derive(Debug)]
struct Held {
    /// The step's number.
    step: usize,
    exchange: Exchange,
    /// Length of a response body that is not held.
    left_out: Option<usize>,
}

impl Kept {
    /// Adds an exchange. A response body that would not be recorded, or is too much, is
    /// left out, once `redactor` has learned from it.
    pub(super) fn push(&mut self, step: usize, mut exchange: Exchange, redactor: &mut Redactor) {
        let length = exchange.outcome.as_ref().map_or(0, |response| response.body.len());
        let mut left_out = None;
        if length > MOST_SEARCHED || self.held + length > MOST_HELD {
            redactor.learn(&exchange);
            if let Ok(response) = &mut exchange.outcome {
                response.body = Bytes::new();
            }
            left_out = Some(length);
        } else {
            self.held += length;
        }
        self.exchanges.push(Held { step, exchange, left_out });
    }

    /// Forgets the latest, since its request is repeated.
    pub(super) fn pop(&mut self) {
        if let Some(held) = self.exchanges.pop() {
            self.held -= held.exchange.outcome.map_or(0, |response| response.body.len());
        }
    }

    /// All exchanges, as far as they are held.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Exchange> {
        self.exchanges.iter().map(|held| &held.exchange)
    }

    /// All exchanges without secrets, in order; `record` gives one of a step.
    pub(super) fn recorded(&self, record: impl Fn(usize, &Exchange) -> RecordedExchange) -> Vec<RecordedExchange> {
        let recorded = self.exchanges.iter().map(|Held { step, exchange, left_out }| {
            let mut recorded = record(*step, exchange);
            if let (Some(length), Some(response)) = (left_out, &mut recorded.response) {
                response.body = RecordedBody { text: String::new(), bytes: *length as u64, cut: true };
            }
            recorded
        });
        recorded.collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;

    use super::super::redact::{About, Redactor};
    use super::Kept;
    use crate::reference::World;
    use crate::spec::Service;
    use crate::target::Target;
    use crate::wire::{Exchange, Headers, Request, Response};

    fn answered(body: impl Into<Bytes>) -> Exchange {
        let request =
            Request { method: "GET".to_owned(), target: "/".to_owned(), headers: Headers::new(), body: Bytes::new() };
        let response = Response { status: 200, headers: Headers::new(), body: body.into() };
        Exchange { request, outcome: Ok(response), duration: Duration::ZERO }
    }

    #[test]
    fn only_so_much_is_held_and_nothing_is_forgotten() {
        let target = Target::embedded(&World::standard(1, 1), "http://127.0.0.1:1");
        let mut redactor = Redactor::new(Service::embedded(), &target);
        let mut kept = Kept::default();
        let padding = "x".repeat(3_000_000);
        kept.push(1, answered(format!(r#"{{"SyncSessionToken":"hush-hush-1","x":"{padding}"}}"#)), &mut redactor);
        for _ in 0..10 {
            kept.push(2, answered(vec![b'y'; 1_000_000]), &mut redactor);
        }
        kept.pop();
        let held: usize = kept.iter().map(|exchange| exchange.outcome.as_ref().map_or(0, |it| it.body.len())).sum();
        assert_eq!(held, 8_000_000);
        assert_eq!(redactor.text("is hush-hush-1"), "is <redacted>");
        let about = |step| About { step, label: "l", signed_by: "none", tampered: false, fixture: None };
        let recorded = kept.recorded(|step, exchange| redactor.exchange(exchange, about(step)));
        let bodies: Vec<_> = recorded.iter().filter_map(|it| it.response.as_ref()).map(|it| &it.body).collect();
        assert_eq!(recorded.len(), 10);
        assert_eq!((bodies[0].bytes, bodies[0].cut, &*bodies[0].text), (3_000_041, true, ""));
        assert_eq!((bodies[1].bytes, bodies[1].cut, bodies[1].text.len()), (1_000_000, true, 16_384));
        assert_eq!((bodies[9].bytes, bodies[9].cut, &*bodies[9].text), (1_000_000, true, ""));
    }
}
