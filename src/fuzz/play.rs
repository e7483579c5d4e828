//! Plays one sequence on datasets of its own, and compares every answer with what
//! the model allows.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::model::{Complaint, Fate, Judge, Listing, Model};
use super::operation::{List, Operation, Place, Sequence, Update, Who};
use super::send::{Endpoints, Slot, Unanswered, deletion};
use super::term::{Handed, Input, Names, Source, Term, at, literal, of};
use super::want::Answer;
use crate::journal::Number;

/// A request of an attempt, and what came back.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) who: Who,
    pub(super) operation: &'static str,
    pub(super) input: Input,
    pub(super) answer: Answer,
    /// What it showed was believed, since nothing certain was known.
    pub(super) believed: bool,
}

/// What an attempt at a sequence came to.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) outcome: Outcome,
    /// How many operations were played, the one that ended it included.
    pub(super) played: usize,
    pub(super) sent: Vec<Sent>,
    pub(super) names: Names,
    pub(super) tally: Tally,
}

#[derive(Debug)]
pub(super) enum Outcome {
    /// Everything was as it may be.
    Clean,
    /// The answer to the last request broke these rules.
    Found(Vec<Complaint>),
    /// There was no answer to judge, or none from which one could go on.
    Indeterminate(String),
}

/// What was exercised.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// How often each rule was put to the test.
    pub rules: BTreeMap<&'static str, u64>,
    /// Requests by operation and outcome, `UpdateRecords 409 ResourceConflictException`.
    pub outcomes: BTreeMap<String, u64>,
    /// Requests in all, those that clean up aside.
    pub requests: u64,
    /// Pages that followed a first one.
    pub later_pages: u64,
    /// Datasets that were deleted.
    pub deletions: u64,
    /// Writes that were refused with a conflict.
    pub conflicts: u64,
    /// Answers of which the rules leave open what they are.
    pub open: u64,
}

impl Tally {
    /// Adds another one.
    pub fn add(&mut self, other: &Self) {
        other.rules.iter().for_each(|(rule, times)| *self.rules.entry(rule).or_default() += times);
        for (outcome, times) in &other.outcomes {
            *self.outcomes.entry(outcome.clone()).or_default() += times;
        }
        self.requests += other.requests;
        self.later_pages += other.later_pages;
        self.deletions += other.deletions;
        self.conflicts += other.conflicts;
        self.open += other.open;
    }

    fn count(&mut self, operation: &str, answer: &Answer) {
        self.requests += 1;
        self.deletions += u64::from(operation == "DeleteDataset" && answer.succeeded());
        self.conflicts += u64::from(answer.error.as_deref() == Some("ResourceConflictException"));
        *self.outcomes.entry(format!("{operation} {}", answer.in_short())).or_default() += 1;
    }
}

/// How attempts are made.
#[derive(Debug, Clone, Default)]
pub(super) struct Manner {
    /// Rules of which it is known that they do not hold: no longer told.
    pub(super) muted: Vec<&'static str>,
    /// How long figures may lag behind before they are wrong.
    pub(super) lag: Duration,
}

/// Most pages that are followed.
const MOST_PAGES: usize = 200;

/// Between two looks at figures that may lag behind.
const PAUSE: Duration = Duration::from_millis(50);

/// Why an attempt ends before its sequence does.
enum Stop {
    Found(Vec<Complaint>),
    Indeterminate(String),
}

impl From<Unanswered> for Stop {
    fn from(Unanswered(why): Unanswered) -> Self {
        Self::Indeterminate(why)
    }
}

struct Play<'a> {
    endpoints: &'a Endpoints,
    slot: &'a Slot,
    manner: &'a Manner,
    names: Names,
    model: Model,
    sent: Vec<Sent>,
    tally: Tally,
    /// Datasets that may be there.
    made: Vec<(Place, Number)>,
}

/// Plays a sequence, and deletes the datasets that it made.
pub(super) async fn play(endpoints: &Endpoints, slot: &Slot, sequence: &Sequence, manner: &Manner) -> Attempt {
    let names = endpoints.names(slot);
    let (model, sent, tally) = (Model::default(), Vec::new(), Tally::default());
    let mut play = Play { endpoints, slot, manner, names, model, sent, tally, made: Vec::new() };
    let (mut outcome, mut played) = (Outcome::Clean, 0);
    for operation in &sequence.0 {
        played += 1;
        match play.operation(operation).await {
            Ok(()) => {}
            Err(Stop::Found(complaints)) => outcome = Outcome::Found(complaints),
            Err(Stop::Indeterminate(why)) => outcome = Outcome::Indeterminate(why),
        }
        if !matches!(outcome, Outcome::Clean) {
            break;
        }
    }
    play.clean_up().await;
    Attempt { outcome, played, sent: play.sent, names: play.names, tally: play.tally }
}

impl Play<'_> {
    async fn operation(&mut self, operation: &Operation) -> Result<(), Stop> {
        match operation {
            Operation::Update(update) => self.update(update).await,
            Operation::List(list) => self.list(list).await,
            Operation::More(place) => match self.model.left_off(*place) {
                Some(listing) => self.pages(listing, false).await,
                None => Ok(()),
            },
            Operation::Describe(place) => self.describe(*place).await,
            Operation::Datasets { who, size } => self.datasets(*who, *size).await,
            Operation::Usage(who) => self.usage(*who).await,
            Operation::Delete(place) => self.delete(*place).await,
        }
    }

    /// Sends one request and keeps it.
    async fn send(&mut self, who: Who, operation: &'static str, input: Input) -> Result<Answer, Stop> {
        let answer = self.endpoints.send(self.slot, who, operation, &input, &self.names).await?;
        self.tally.count(operation, &answer);
        self.sent.push(Sent { who, operation, input, answer: answer.clone(), believed: false });
        Ok(answer)
    }

    /// Judges an answer; whether it is odd in ways that are known already.
    fn judge(
        &mut self,
        answer: &Answer,
        fate: &Fate,
        with: impl FnOnce(&mut Model, &mut Judge<'_>),
    ) -> Result<bool, Stop> {
        if matches!(fate, Fate::Open) {
            self.tally.open += 1;
            if answer.status >= 500 {
                let what = answer.in_short();
                return Err(Stop::Indeterminate(format!("answered {what} where it is open what is right")));
            }
        }
        let tested = &mut self.tally.rules;
        let mut judge = Judge { answer, names: &self.names, complaints: Vec::new(), tested };
        with(&mut self.model, &mut judge);
        let complaints = judge.complaints;
        let odd = !complaints.is_empty();
        let news: Vec<Complaint> =
            complaints.into_iter().filter(|complaint| !self.manner.muted.contains(&complaint.rule)).collect();
        if news.is_empty() { Ok(odd) } else { Err(Stop::Found(news)) }
    }

    /// Lists a dataset of which too little is known.
    async fn look(&mut self, place: Place) -> Result<(), Stop> {
        if self.model.dataset(place).sure {
            return Ok(());
        }
        let listing = self.model.fresh_listing(place);
        let begun = self.sent.len();
        self.pages(listing, false).await?;
        self.sent[begun..].iter_mut().for_each(|sent| sent.believed = true);
        match self.model.dataset(place).sure {
            true => Ok(()),
            false => Err(Stop::Indeterminate(format!("what {place} holds cannot be seen"))),
        }
    }

    /// Follows a listing to its end, or only to the end of this page.
    async fn pages(&mut self, mut listing: Listing, one_only: bool) -> Result<(), Stop> {
        loop {
            let input = listing.input(&self.model);
            self.tally.later_pages += u64::from(listing.pages() > 0);
            let answer = self.send(listing.place.who, "ListRecords", input).await?;
            let fate = listing.fate.clone();
            let odd = self.judge(&answer, &fate, |model, judge| model.judge_page(&mut listing, judge))?;
            let step = self.sent.len() - 1;
            self.model.saw_page(&mut listing, &answer, step, odd);
            if !listing.goes_on() {
                return Ok(());
            }
            if one_only {
                self.model.leave_off(listing);
                return Ok(());
            }
            if listing.pages() >= MOST_PAGES {
                return Err(Stop::Indeterminate(format!("more than {MOST_PAGES} pages of {}", listing.place)));
            }
        }
    }

    async fn list(&mut self, list: &List) -> Result<(), Stop> {
        self.look(list.place).await?;
        let listing = self.model.listing(list);
        self.pages(listing, list.first_page_only).await
    }

    async fn update(&mut self, update: &Update) -> Result<(), Stop> {
        self.look(update.place).await?;
        if self.model.wants_fresh_token(update) {
            let listing = self.model.token_listing(update);
            self.pages(listing, false).await?;
            // What it showed may have been odd in a way that is known.
            self.look(update.place).await?;
        }
        let plan = self.model.plan(update);
        self.expect(update.place)?;
        let answer = self.send(update.place.who, "UpdateRecords", plan.input()).await?;
        let odd = self.judge(&answer, &plan.fate, |model, judge| model.judge_update(&plan, judge));
        // Whatever was found, the dataset may be there now.
        let step = self.sent.len() - 1;
        self.model.saw_update(&plan, &answer, step, odd.as_ref().map_or(true, |odd| *odd));
        odd.map(|_| ())
    }

    async fn describe(&mut self, place: Place) -> Result<(), Stop> {
        self.look(place).await?;
        let fate = self.model.describe_fate(place);
        let answer = self.send(place.who, "DescribeDataset", at(place)).await?;
        let odd = self.judge(&answer, &fate, |model, judge| model.judge_describe(place, &fate, judge))?;
        if odd {
            self.model.unsure(place);
        }
        Ok(())
    }

    async fn delete(&mut self, place: Place) -> Result<(), Stop> {
        self.look(place).await?;
        let fate = self.model.delete_fate(place);
        let answer = self.send(place.who, "DeleteDataset", at(place)).await?;
        let odd = self.judge(&answer, &fate, |model, judge| model.judge_delete(place, &fate, judge))?;
        self.model.saw_delete(place, &answer, odd);
        Ok(())
    }

    async fn usage(&mut self, who: Who) -> Result<(), Stop> {
        let deadline = Instant::now() + self.manner.lag;
        loop {
            let answer = self.send(who, "DescribeIdentityUsage", of(who)).await?;
            let step = self.sent.len() - 1;
            let judged = self.judge(&answer, &Fate::Open, |model, judge| model.judge_usage(who, step, judge));
            if judged.is_ok() || Instant::now() >= deadline {
                return judged.map(|_| ());
            }
            self.sent.pop();
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn datasets(&mut self, who: Who, size: Option<u16>) -> Result<(), Stop> {
        let deadline = Instant::now() + self.manner.lag;
        loop {
            let begun = self.sent.len();
            let judged = self.pages_of_datasets(who, size).await;
            if judged.is_ok() || Instant::now() >= deadline {
                return judged;
            }
            self.sent.truncate(begun);
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn pages_of_datasets(&mut self, who: Who, size: Option<u16>) -> Result<(), Stop> {
        let mut seen: Vec<String> = Vec::new();
        let mut next = None;
        for _ in 0..MOST_PAGES {
            let mut input = of(who);
            input.extend(size.map(|size| ("MaxResults", Term::Integer(size.into()))));
            input.extend(next.take().map(|next| ("NextToken", Term::Handed(next))));
            let answer = self.send(who, "ListDatasets", input).await?;
            let fate = Fate::Success("ListDatasets/rule/pages-hold-everything");
            self.judge(&answer, &fate, |model, judge| model.judge_datasets(who, size, &seen, judge))?;
            let name = |entry: &serde_json::Value| entry["DatasetName"].as_str().map(str::to_owned);
            seen.extend(answer.list("/Datasets").iter().filter_map(name));
            let source = Source { step: self.sent.len() - 1, pointer: "/NextToken".to_owned() };
            next = answer.text("/NextToken").map(|text| Handed { text: text.to_owned(), source });
            if next.is_none() {
                return Ok(());
            }
        }
        Err(Stop::Indeterminate(format!("more than {MOST_PAGES} pages of datasets")))
    }

    /// Writes down that a dataset may be made.
    fn expect(&mut self, place: Place) -> Result<(), Stop> {
        if self.made.iter().all(|(made, _)| *made != place) {
            let number = self.endpoints.ledger.owe(|| deletion(literal(&at(place), &self.names)));
            let number = number.map_err(|error| {
                Stop::Indeterminate(format!("what is made cannot be written into the journal: {error}"))
            })?;
            self.made.push((place, number));
        }
        Ok(())
    }

    /// Deletes what was made. What cannot be deleted is left; the journal, or its name,
    /// says whose it is.
    async fn clean_up(&mut self) {
        for (place, number) in std::mem::take(&mut self.made) {
            match self.endpoints.send(self.slot, place.who, "DeleteDataset", &at(place), &self.names).await {
                Ok(answer) if answer.succeeded() || answer.status == 404 => self.endpoints.ledger.paid(number),
                Ok(_) => {}
                // The next one would wait for an answer as long.
                Err(_) => break,
            }
        }
    }
}
