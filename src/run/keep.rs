//! What stood on the target before the run, and is brought back after it.

use std::sync::{Arc, Mutex, PoisonError};

use indexmap::IndexMap;
use serde_json::{Map, Value};
use tokio::sync::OnceCell;

use super::session::Session;
use super::undo::{Withheld, unwritten};
use crate::cases::Bases;
use crate::journal::{Debt, Kind, Number, Paid, Sight};

/// What is kept: once for each operation that replaces it, and each pool that it
/// belongs to. Only a run with a journal keeps anything: without one the target is a
/// server of its own, which nobody else has set up.
#[derive(Debug, Default)]
pub(super) struct Keeper {
    kept: Mutex<IndexMap<(String, String), Kept>>,
}

type Kept = Arc<OnceCell<(Debt, Number)>>;

impl Keeper {
    /// Reads and writes down what a request may replace, unless that was done before.
    pub(super) async fn keep(
        &self,
        session: &Session,
        bases: &Bases,
        sight: &Sight<'_>,
        case: &str,
    ) -> Result<(), Withheld> {
        let Some(save) = sight.base.save.as_ref().filter(|_| session.ledger.is_written()) else { return Ok(()) };
        let same = save.same.iter().filter_map(|name| Some((name.clone(), sight.labels.get(name)?.clone())));
        let input: Map<String, Value> = same.collect();
        // What belongs to others is not there for the run to change.
        let is_of_target = |value: &Value| session.target.pools.iter().any(|pool| *value == *pool.id);
        if !input.values().any(is_of_target) {
            return Ok(());
        }
        let name = &sight.operation.name;
        let place = (name.clone(), Value::Object(input.clone()).to_string());
        let kept = Arc::clone(self.kept.lock().unwrap_or_else(PoisonError::into_inner).entry(place).or_default());
        let read = async || {
            let saved = session.payer(bases).read(name, save, &input).await;
            let saved = saved.map_err(|unpaid| {
                let pool = input.values().filter_map(Value::as_str).collect::<Vec<_>>().join(", ");
                Withheld::Unsaved(format!(
                    "{name} was not called, because what it would replace in {pool} could not be read and so not be \
                     brought back: {}",
                    unpaid.reason
                ))
            })?;
            let case = case.to_owned();
            let debt = Debt {
                kind: Kind::Restore,
                call: name.clone(),
                input: input.clone(),
                saved,
                made_by: name.clone(),
                case,
            };
            let number = session.ledger.owe(|| debt.clone()).map_err(unwritten)?;
            Ok((debt, number))
        };
        kept.get_or_try_init(read).await.map(drop)
    }

    /// Brings everything back, what was replaced last first; what could not be brought
    /// back, as sentences. To be called after the last case.
    pub(super) async fn restore(&self, session: &Session, bases: &Bases) -> Vec<String> {
        let kept = std::mem::take(&mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner));
        let mut sentences = Vec::new();
        let mut nobody_answers = session.ledger.is_given_up();
        for (debt, number) in kept.into_values().rev().filter_map(|kept| kept.get().cloned()) {
            let place = debt.input.values().filter_map(Value::as_str).collect::<Vec<_>>().join(", ");
            let paid = match nobody_answers {
                true => Err("the endpoint does not answer".to_owned()),
                false => session.unless_given_up(session.payer(bases).pay(&debt, true)).await.map_err(|unpaid| {
                    nobody_answers = unpaid.is_unanswered;
                    unpaid.reason
                }),
            };
            match paid {
                Ok(Paid::Done { notes } | Paid::NothingThere { notes }) => {
                    session.ledger.paid(number);
                    sentences.extend(notes.into_iter().map(|note| format!("{place}: {note}")));
                }
                Err(problem) => {
                    sentences
                        .push(format!("what {} replaced in {place} could not be brought back: {problem}", debt.call));
                }
            }
        }
        sentences
    }
}
