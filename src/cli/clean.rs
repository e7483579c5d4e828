//! `syncspec clean`: takes back what runs have left on a target.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::args::{CleanArgs, Format};
use super::output::Output;
use super::{Exit, NOT_JUDGED, inspect, journal, open};
use crate::cases::Bases;
use crate::client::BackOff;
use crate::journal::{Dead, Debt, Found, Kind, Paid, Payer, found};
use crate::target::Redactor;

/// How long to wait for a whole response.
const TIMEOUT: Duration = Duration::from_secs(30);

pub(super) fn clean(args: &CleanArgs, output: &Output) -> Result<u8, Exit> {
    if args.target.target.is_none() && args.target.endpoint.is_none() {
        return Err(Exit::usage("name the target to clean with --target FILE; the embedded server keeps nothing"));
    }
    let suite = open::suite(&args.suite)?;
    open::runtime()?.block_on(async {
        let session = open::session(open::target_as_it_is(&args.target).await?, TIMEOUT, false)?;
        open::reachable(&session.client, &session.target).await?;
        let redactor = Redactor::new(session.service, &session.target);
        let payer = Payer {
            service: session.service,
            bases: &suite.bases,
            target: &session.target,
            client: &session.client,
            back_off: BackOff::default(),
            redactor: &redactor,
        };
        let mut cleaning =
            Cleaning { args, output, payer, told: Vec::new(), left: 0, nobody_answers: false, owed: HashSet::new() };
        cleaning.go().await?;
        cleaning.end()
    })
}

/// What a line tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Done,
    NothingThere,
    WouldBeDone,
    LeftAlone,
    Failed,
}

impl What {
    fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::NothingThere => "nothing-there",
            Self::WouldBeDone => "would-be-done",
            Self::LeftAlone => "left-alone",
            Self::Failed => "failed",
        }
    }
}

struct Cleaning<'c> {
    args: &'c CleanArgs,
    output: &'c Output,
    payer: Payer<'c>,
    told: Vec<(What, String)>,
    /// How many things could not be taken back.
    left: usize,
    nobody_answers: bool,
    /// What journals know of already, as text.
    owed: HashSet<String>,
}

impl Cleaning<'_> {
    async fn go(&mut self) -> Result<(), Exit> {
        let folder = journal::folder()?;
        let target = self.payer.target;
        let journals = found(&folder, &target.name)
            .map_err(|error| Exit::usage(format!("cannot read {}: {error}", folder.join(&target.name).display())))?;
        let (mut dead, mut live) = (Vec::new(), Vec::new());
        for journal in journals {
            match journal {
                Found::Live { run } => {
                    self.tell(What::LeftAlone, format!("run {run} is under way; what it made is left alone"));
                    live.push(run);
                }
                Found::Dead(journal) if !journal.begun.is_of(target) => {
                    let begun = &journal.begun;
                    let whose = format!("run {} was on {}, with pools of its own", begun.run, begun.endpoint);
                    self.tell(What::LeftAlone, format!("{whose}; what it left is left alone"));
                }
                Found::Dead(journal) => dead.push(journal),
                Found::Unreadable(problem) => self.fail(problem),
            }
        }
        // What the oldest run found, stood there before all of them.
        for journal in dead.into_iter().rev() {
            self.take_back(journal, !live.is_empty()).await;
        }
        if !self.nobody_answers {
            self.sweep(&live).await;
        }
        Ok(())
    }

    /// What the journal of one run says, last first.
    async fn take_back(&mut self, dead: Dead, others_live: bool) {
        let Dead { begun, owed, mut journal } = dead;
        let run = format!("run {}", begun.run);
        let mut is_empty = true;
        for owed in owed.iter().rev() {
            self.owed.insert(key(&owed.debt));
            if others_live && concerns_a_pool(self.payer.bases, &owed.debt) {
                is_empty = false;
                let what = in_words(&owed.debt);
                self.fail(format!("{what} ({run}): another run is under way and may be using it; clean again later"));
            } else if self.pay(&owed.debt, owed.is_certain, &run).await {
                // When it cannot be written, it will be taken back once more.
                let _ = journal.paid(owed.number);
            } else {
                is_empty = false;
            }
        }
        if is_empty
            && !self.args.dry_run
            && let Err(error) = journal.remove()
        {
            self.fail(format!("the journal of {run} cannot be removed: {error}"));
        }
    }

    /// What no journal knows.
    async fn sweep(&mut self, live: &[String]) {
        let older = Duration::from_secs(self.args.older_than.saturating_mul(3600));
        let swept = self.payer.sweep(older, live).await;
        swept.problems.into_iter().for_each(|problem| self.fail(problem));
        for debt in swept.owed {
            if !self.owed.contains(&key(&debt)) {
                self.pay(&debt, true, "a run without a journal").await;
            }
        }
    }

    /// Takes one thing back; whether it is owed no more.
    async fn pay(&mut self, debt: &Debt, is_certain: bool, run: &str) -> bool {
        let what = in_words(debt);
        if self.args.dry_run {
            self.tell(What::WouldBeDone, format!("would {} {what} ({run})", verb(debt).0));
            return false;
        }
        if self.nobody_answers {
            self.fail(format!("{what} ({run}): not tried, since the endpoint does not answer"));
            return false;
        }
        match self.payer.pay(debt, is_certain).await {
            Ok(paid) => {
                let (what, notes) = match paid {
                    Paid::Done { notes } => ((What::Done, format!("{} {what} ({run})", verb(debt).1)), notes),
                    Paid::NothingThere { notes } => {
                        let is = if debt.kind == Kind::Restore { "is as it was" } else { "is not there" };
                        ((What::NothingThere, format!("{what} {is} ({run})")), notes)
                    }
                };
                self.tell(what.0, what.1);
                notes.into_iter().for_each(|note| self.tell(What::LeftAlone, note));
                true
            }
            Err(unpaid) => {
                self.nobody_answers = unpaid.is_unanswered;
                self.fail(format!("{what} ({run}): {} {}", debt.call, unpaid.reason));
                false
            }
        }
    }

    fn tell(&mut self, what: What, line: String) {
        if self.args.format == Format::Text {
            self.output.text(&format!("{line}\n"));
        }
        self.told.push((what, line));
    }

    fn fail(&mut self, line: String) {
        self.left += 1;
        if self.args.format == Format::Text {
            self.output.text(&format!("could not take back {line}\n"));
        }
        self.told.push((What::Failed, line));
    }

    fn end(&self) -> Result<u8, Exit> {
        let count = |what| self.told.iter().filter(|(told, _)| *told == what).count();
        let (done, planned) = (count(What::Done), count(What::WouldBeDone));
        match self.args.format {
            Format::Text => {
                let things =
                    |number: usize| if number == 1 { "1 thing".to_owned() } else { format!("{number} things") };
                let left = if self.left == 0 { String::new() } else { format!(", {} left", things(self.left)) };
                let sentence = match (self.args.dry_run, done + self.left + planned) {
                    (_, 0) => "Nothing was left behind.".to_owned(),
                    (true, _) => format!("{} would be taken back{left}.", things(planned)),
                    (false, _) => format!("{} taken back{left}.", things(done)),
                };
                self.output.text(&format!("{sentence}\n"));
            }
            Format::Json => {
                let line = |(what, line): &(What, String)| json!({ "what": what.name(), "text": line });
                let lines: Vec<Value> = self.told.iter().map(line).collect();
                inspect::print_json(
                    self.output,
                    &json!({ "dry-run": self.args.dry_run, "left": self.left, "lines": lines }),
                )?;
            }
        }
        Ok(if self.left == 0 { 0 } else { NOT_JUDGED })
    }
}

/// A debt by what is sent for it.
fn key(debt: &Debt) -> String {
    format!("{} {}", debt.call, Value::Object(debt.input.clone()))
}

/// Whether it changes what others on the same pool may be using.
fn concerns_a_pool(bases: &Bases, debt: &Debt) -> bool {
    bases.operations.get(&debt.call).is_some_and(|base| base.save.is_some())
}

/// How taking it back is called, before and after.
fn verb(debt: &Debt) -> (&'static str, &'static str) {
    match debt.kind {
        Kind::Undo if debt.input.contains_key("DatasetName") => ("remove", "removed"),
        Kind::Undo => ("unset", "unset"),
        Kind::Restore => ("bring back", "brought back"),
    }
}

/// What is taken back, for people.
fn in_words(debt: &Debt) -> String {
    let named = |name: &str| debt.input.get(name).and_then(Value::as_str).unwrap_or("?");
    let pool = named("IdentityPoolId");
    match (debt.kind, debt.input.contains_key("DeviceId"), debt.input.contains_key("DatasetName")) {
        (Kind::Restore, ..) => format!("what {} replaced in pool {pool}", debt.made_by),
        (Kind::Undo, true, _) => format!(
            "the subscription of device {} to dataset {} of identity {}",
            named("DeviceId"),
            named("DatasetName"),
            named("IdentityId")
        ),
        (Kind::Undo, false, true) => format!("dataset {} of identity {}", named("DatasetName"), named("IdentityId")),
        (Kind::Undo, false, false) => format!("what {} set in pool {pool}", debt.made_by),
    }
}
