//! What runs have left that no journal knows of.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};

use super::debt::{Debt, Kind};
use super::pay::Payer;
use crate::cases::{Bindings, Sweep};

/// Pages of one listing that are read at most: a server that never ends one must not
/// keep the program.
const MOST_PAGES: usize = 1000;

/// Length of a run's id, in hexadecimal digits.
const RUN_ID: usize = 8;

/// What is there.
#[derive(Debug, Default)]
pub struct Swept {
    /// What takes it away.
    pub owed: Vec<Debt>,
    /// What could not be looked into, in sentences.
    pub problems: Vec<String>,
}

/// The id of the run that made this name, if a run with this prefix did:
/// `<prefix>-<eight hexadecimal digits>-…`.
pub fn is_name_of_a_run<'n>(prefix: &str, name: &'n str) -> Option<&'n str> {
    let rest = name.strip_prefix(prefix)?.strip_prefix('-')?;
    let (run, rest) = rest.split_at_checked(RUN_ID)?;
    let is_id = run.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (is_id && rest.starts_with('-')).then_some(run)
}

impl Payer<'_> {
    /// Finds what runs have made on the target's identities and nobody has changed for
    /// `older_than`. What belongs to the runs `live` is left alone, and so is everything
    /// whose name no run with the target's prefix would make.
    pub async fn sweep(&self, older_than: Duration, live: &[String]) -> Swept {
        let mut swept = Swept::default();
        let Some(sweep) = &self.bases.sweep else { return swept };
        let before = SystemTime::now().checked_sub(older_than).and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let before = before.unwrap_or_default().as_secs_f64();
        for pool in &self.target.pools {
            for identity in &pool.identities {
                let mut bindings = Bindings::new();
                bindings.bind("identity-pool-id", pool.id.clone());
                bindings.bind("identity-id", identity.id.clone());
                match self.entries(sweep, &bindings).await {
                    Ok((input, entries)) => {
                        let stale = entries.iter().filter_map(|entry| self.stale(sweep, entry, before, live));
                        swept.owed.extend(stale.map(|name| removal(sweep, &input, &name)));
                    }
                    Err(problem) => {
                        let problem = format!("{} of identity {}: {problem}", sweep.operation, identity.id);
                        swept.problems.push(problem);
                    }
                }
            }
        }
        swept
    }

    /// The listing's input, and its entries from all pages.
    async fn entries(&self, sweep: &Sweep, bindings: &Bindings) -> Result<(Map<String, Value>, Vec<Value>), String> {
        let member = |(name, value): &(String, crate::cases::Template)| Ok((name.clone(), value.render(bindings)?));
        let input: Result<Map<_, _>, crate::cases::RenderError> = sweep.input.iter().map(member).collect();
        let input = input.map_err(|error| error.to_string())?;
        let (mut entries, mut page) = (Vec::new(), input.clone());
        for _ in 0..MOST_PAGES {
            let response = self.call(&sweep.operation, &page).await.map_err(|unpaid| unpaid.reason)?;
            let answer = response.json().filter(|_| (200..300).contains(&response.status));
            let answer = answer.ok_or_else(|| {
                let name = response.error_name().map(|name| format!(" {name}")).unwrap_or_default();
                self.redactor.sentence(&format!("answered {}{name}", response.status))
            })?;
            entries.extend(answer.pointer(&sweep.entries).and_then(Value::as_array).into_iter().flatten().cloned());
            let next = answer.pointer(&sweep.next).filter(|next| !next.is_null() && **next != "");
            match next {
                Some(next) => page.insert(sweep.page.clone(), next.clone()),
                None => return Ok((input, entries)),
            };
        }
        Err(format!("the listing does not end within {MOST_PAGES} pages"))
    }

    /// The name of an entry that a run has made and forgotten.
    fn stale(&self, sweep: &Sweep, entry: &Value, before: f64, live: &[String]) -> Option<String> {
        let name = entry.pointer(&sweep.name)?.as_str()?;
        let run = is_name_of_a_run(&self.target.prefix, name)?;
        let changed = entry.pointer(&sweep.changed)?.as_f64()?;
        (changed < before && !live.iter().any(|live| live == run)).then(|| name.to_owned())
    }
}

fn removal(sweep: &Sweep, listed: &Map<String, Value>, name: &str) -> Debt {
    let same = sweep.same.iter().filter_map(|name| Some((name.clone(), listed.get(name)?.clone())));
    Debt {
        kind: Kind::Undo,
        call: sweep.remove.clone(),
        input: same.chain([(sweep.remove_name.clone(), Value::from(name))]).collect(),
        saved: Map::new(),
        made_by: sweep.operation.clone(),
        case: String::new(),
    }
}
