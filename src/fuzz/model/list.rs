//! ListRecords: what each page must hold, and what it tells.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Dataset, Fate, INVALID, Judge, Model, NOT_AUTHORIZED, Phase, Reason, Record, Token, TokenState, entry};
use crate::fuzz::operation::{List, ListToken, Place, SincePick, TokenPick, Update};
use crate::fuzz::term::{Count, Handed, Input, Source, Term, at};
use crate::fuzz::want::{Answer, Want, value_of, whole};

/// A listing under way, page after page.
#[derive(Debug, Clone)]
pub(in crate::fuzz) struct Listing {
    pub(in crate::fuzz) place: Place,
    since: Option<Count>,
    size: Option<u16>,
    /// The token that it carries.
    token: Option<(Place, usize)>,
    pub(in crate::fuzz) fate: Fate,
    view: View,
    /// The dataset's version when it began.
    version: u64,
    seen: BTreeSet<String>,
    pages: usize,
    next: Option<Handed>,
    /// What an unsure dataset turns out to hold.
    found: Vec<(String, Record)>,
    /// Pages that `found` is of: a listing that was begun when all was still known
    /// shows but a part of what there is now.
    found_pages: usize,
}

/// What pages are compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum View {
    /// A dataset that was never written.
    Never,
    /// A deleted one.
    Deleted,
    /// One that exists, and all about it is known.
    Exists,
    /// Nothing: it is not known what is there.
    Open,
}

const RECORDS: &str = "/Records";
const SHOWS_WRITTEN: &str = "ListRecords/rule/shows-what-was-written";
const EXCLUSIVE: &str = "ListRecords/rule/last-sync-count-is-exclusive";
const EVERYTHING: &str = "ListRecords/rule/pages-hold-everything";
const FLAGGED: &str = "ListRecords/rule/recreated-is-flagged";
const TOMBSTONE: &str = "ListRecords/rule/tombstone";

/// Records that surely fit on a page without MaxResults, and their bytes.
const HANDFUL: usize = 20;
const HANDFUL_BYTES: usize = 50_000;

impl Model {
    /// A listing with everything filled in.
    pub(in crate::fuzz) fn listing(&mut self, list: &List) -> Listing {
        let token = self.pick_list_token(list);
        let token_fate = token.and_then(|(at, index)| self.list_token_fate(list.place, at, index));
        let dataset = self.dataset(list.place);
        let since = dataset.since(list.since);
        let mut fate = dataset.list_fate(since.as_ref().map_or(0, |since| since.value), since.as_ref(), list.size);
        match (token_fate, &mut fate) {
            (None, _) => {}
            (Some(Fate::Refused { mut reasons, .. }), Fate::Refused { reasons: others, .. }) => {
                others.append(&mut reasons)
            }
            (Some(Fate::Refused { reasons, .. }), Fate::Open) => fate = Fate::Refused { reasons, lenient: true },
            (Some(other), Fate::Success(_)) => fate = other,
            (Some(Fate::Open), Fate::Refused { lenient, .. }) => *lenient = true,
            (Some(_), _) => {}
        }
        let view = match dataset.phase {
            _ if !dataset.sure || !matches!(fate, Fate::Success(_)) => View::Open,
            Phase::Never => View::Never,
            Phase::Deleted => View::Deleted,
            Phase::Exists => View::Exists,
        };
        // Records by the hundred, one to a page, would take the rest of the time.
        let size = list.size.map(|size| if dataset.patched.len() > 100 { size.max(100) } else { size });
        Listing { since, token, fate, view, ..dataset.whole_listing(list.place, size) }
    }

    /// A listing of everything, made for its token and to learn what is there.
    pub(in crate::fuzz) fn fresh_listing(&mut self, place: Place) -> Listing {
        let list = List { place, since: SincePick::None, size: None, token: ListToken::None, first_page_only: false };
        self.listing(&list)
    }

    /// The listing that a write gets its token from.
    pub(in crate::fuzz) fn token_listing(&mut self, update: &Update) -> Listing {
        let (place, since) = match update.token {
            TokenPick::FreshSince(by) => (update.place, SincePick::Before(by)),
            _ => (update.place, SincePick::None),
        };
        // A count that may be refused gets no token.
        let exists = self.dataset(place).phase == Phase::Exists;
        let since = if exists { since } else { SincePick::None };
        self.listing(&List { place, since, size: None, token: ListToken::None, first_page_only: false })
    }

    /// The listing that was left off, if there is one.
    pub(in crate::fuzz) fn left_off(&mut self, place: Place) -> Option<Listing> {
        let dataset = self.dataset(place);
        let mut listing = dataset.cursor.take()?;
        listing.fate = Fate::Success(EVERYTHING);
        if listing.version != dataset.version || !dataset.sure {
            // What pages hold while others write, no source says.
            (listing.fate, listing.view) = (Fate::Open, View::Open);
        }
        Some(listing)
    }

    pub(in crate::fuzz) fn leave_off(&mut self, listing: Listing) {
        let place = listing.place;
        self.dataset(place).cursor = Some(listing);
    }

    fn pick_list_token(&self, list: &List) -> Option<(Place, usize)> {
        let find = |place: Place, state: TokenState| {
            let tokens = &self.datasets.get(&place)?.tokens;
            tokens.iter().rposition(|token| token.state == state).map(|index| (place, index))
        };
        match list.token {
            ListToken::None => None,
            ListToken::Held => find(list.place, TokenState::Fresh),
            ListToken::AfterConflict => find(list.place, TokenState::AfterConflict),
            ListToken::Spent => find(list.place, TokenState::Spent),
            ListToken::OfDataset => {
                let other = |place: &&Place| place.who == list.place.who && place.dataset != list.place.dataset;
                self.datasets.keys().filter(other).find_map(|place| find(*place, TokenState::Fresh))
            }
        }
    }

    fn list_token_fate(&self, place: Place, at: Place, index: usize) -> Option<Fate> {
        let refused = |reason| Some(Fate::Refused { reasons: vec![reason], lenient: false });
        if at != place {
            return refused(Reason::new("ListRecords/rule/foreign-token-refused", 400, &[INVALID]));
        }
        let dataset = self.datasets.get(&at)?;
        let token = dataset.tokens.get(index)?;
        let current = token.version == dataset.version && index + 1 == dataset.tokens.len();
        match token.state {
            TokenState::Fresh if current => Some(Fate::Success("ListRecords/rule/fresh-token-accepted")),
            TokenState::AfterConflict if token.version == dataset.version => {
                Some(Fate::Success("ListRecords/rule/token-survives-conflict"))
            }
            TokenState::Spent => {
                let named = Want::Refusal { status: Some(400), errors: vec![INVALID] };
                let rule = "ListRecords/rule/spent-token-refused";
                let any = Want::Refusal { status: None, errors: vec![INVALID, NOT_AUTHORIZED] };
                let reason = Reason { rule, want: any, further: None };
                refused(reason.further("ListRecords/rule/spent-token-error", named))
            }
            _ => Some(Fate::Open),
        }
    }

    /// Compares a page with what is known, and takes over what it tells.
    pub(in crate::fuzz) fn judge_page(&mut self, listing: &mut Listing, judge: &mut Judge<'_>) {
        judge.outcome(&listing.fate);
        if !judge.answer.succeeded() {
            return;
        }
        let rule = match listing.pages {
            0 => "ListRecords/rule/returns-token",
            _ => "ListRecords/rule/every-page-has-token",
        };
        judge.check(rule, Want::SomeText("/SyncSessionToken".to_owned()));
        if let Some(size) = listing.size {
            judge.check("ListRecords/rule/page-is-no-larger", Want::Length(RECORDS, usize::from(size)));
        }
        let dataset = self.dataset(listing.place);
        match listing.view {
            View::Never => judge_never(judge),
            View::Deleted => {
                let rule = match listing.since_value() {
                    0 => "ListRecords/rule/deleted-dataset-is-no-error",
                    _ => "ListRecords/rule/deleted-dataset-with-count-is-gone",
                };
                judge.check(rule, Want::Is("/DatasetExists".to_owned(), Term::Bool(false)));
            }
            View::Exists => dataset.judge_existing(listing, judge),
            View::Open => {}
        }
    }

    /// Takes over what a page tells. `odd`: it is not as the rules want it.
    pub(in crate::fuzz) fn saw_page(&mut self, listing: &mut Listing, answer: &Answer, step: usize, odd: bool) {
        let place = listing.place;
        let dataset = self.dataset(place);
        if !answer.succeeded() {
            listing.next = None;
            dataset.sure &= !odd;
            return;
        }
        let handed = |pointer: &str| {
            let source = Source { step, pointer: pointer.to_owned() };
            answer.text(pointer).map(|text| Handed { text: text.to_owned(), source })
        };
        listing.pages += 1;
        listing.next = handed("/NextToken");
        if let Some(handed) = handed("/SyncSessionToken") {
            let last_page = listing.next.is_none();
            let Dataset { version, life, .. } = *dataset;
            let later_page = listing.pages > 1;
            dataset.tokens.push(Token { handed, version, life, state: TokenState::Fresh, last_page, later_page });
        }
        let shown =
            answer.number("/DatasetSyncCount").map(|count| Count::seen(count, step, "/DatasetSyncCount".to_owned()));
        if !dataset.sure && listing.since_value() == 0 {
            listing.found.extend(records(answer, step));
            listing.found_pages += 1;
            if listing.next.is_none() && listing.found_pages == listing.pages {
                dataset.believe(std::mem::take(&mut listing.found), shown, answer.at("/DatasetExists") == true);
            }
            return;
        }
        if odd {
            dataset.sure = false;
        } else if listing.view == View::Exists || listing.view == View::Never {
            // The same number, but from an answer that a case can quote.
            dataset.count = shown.or(dataset.count.take());
            if listing.next.is_none() && listing.since_value() == 0 {
                dataset.suspect = None;
            }
        }
    }
}

fn judge_never(judge: &mut Judge<'_>) {
    let is = |pointer: &str, term| Want::Is(pointer.to_owned(), term);
    let exists = is("/DatasetExists", Term::Bool(false));
    let deleted = is("/DatasetDeletedAfterRequestedSyncCount", Term::Bool(false));
    judge.check("ListRecords/rule/never-written-count-zero", is("/DatasetSyncCount", Term::Integer(0)));
    judge.check("ListRecords/rule/never-written-does-not-exist", exists);
    judge.check("ListRecords/rule/never-written-is-not-deleted", deleted);
    let empty = "ListRecords/rule/never-written-is-empty";
    judge.check(empty, Want::Missing("/Records/0".to_owned()));
    judge.check(empty, is("/Count", Term::Integer(0)));
    judge.check(empty, Want::Missing("/NextToken".to_owned()));
    judge.check("ListRecords/rule/never-written-merges-nothing", Want::Missing("/MergedDatasetNames/0".to_owned()));
    judge.check("ListRecords/rule/never-written-has-no-writer", Want::Missing("/LastModifiedBy".to_owned()));
}

/// The records of a page as they stand there.
fn records(answer: &Answer, step: usize) -> Vec<(String, Record)> {
    let read = |(index, record): (usize, &Value)| {
        let key = record["Key"].as_str()?.to_owned();
        let count = Count::seen(whole(&record["SyncCount"])?, step, format!("/Records/{index}/SyncCount"));
        Some((key, Record { value: record["Value"].as_str().map(str::to_owned), count }))
    };
    answer.list(RECORDS).iter().enumerate().filter_map(read).collect()
}

impl Listing {
    /// The request for the next page.
    pub(in crate::fuzz) fn input(&self, model: &Model) -> Input {
        let mut input = at(self.place);
        input.extend(self.since.as_ref().map(|since| ("LastSyncCount", Term::from(since))));
        input.extend(self.size.map(|size| ("MaxResults", Term::Integer(size.into()))));
        input.extend(self.next.clone().map(|next| ("NextToken", Term::Handed(next))));
        let token = self.token.filter(|_| self.pages == 0);
        let token = token.and_then(|(at, index)| model.datasets.get(&at)?.tokens.get(index));
        input.extend(token.map(|token| ("SyncSessionToken", Term::Handed(token.handed.clone()))));
        input
    }

    /// Whether a page follows, as far as the endpoint says.
    pub(in crate::fuzz) fn goes_on(&self) -> bool {
        self.next.is_some()
    }

    /// Whether there were more pages than there can be records.
    pub(in crate::fuzz) fn pages(&self) -> usize {
        self.pages
    }

    fn since_value(&self) -> i64 {
        self.since.as_ref().map_or(0, |since| since.value)
    }
}

impl Dataset {
    fn whole_listing(&self, place: Place, size: Option<u16>) -> Listing {
        Listing {
            place,
            since: None,
            size,
            token: None,
            fate: Fate::Open,
            view: View::Open,
            version: self.version,
            seen: BTreeSet::new(),
            pages: 0,
            next: None,
            found: Vec::new(),
            found_pages: 0,
        }
    }

    fn since(&self, pick: SincePick) -> Option<Count> {
        let count = || self.count.clone().or(self.before_deletion.clone()).unwrap_or_else(|| Count::plain(0));
        match pick {
            SincePick::None => None,
            SincePick::Zero => Some(Count::plain(0)),
            SincePick::Last => Some(count()),
            SincePick::Before(by) if count().value > i64::from(by) => Some(count().plus(-i64::from(by))),
            SincePick::Before(_) => Some(Count::plain(0)),
            SincePick::Ahead(by) => Some(count().plus(by.into())),
            SincePick::BeforeDeletion => Some(self.before_deletion.clone().unwrap_or_else(count)),
        }
    }

    /// Whether a client that saw this count has missed a deletion.
    fn missed_deletion(&self, since: i64) -> bool {
        since > 0 && self.before_deletion.as_ref().is_some_and(|before| since <= before.value)
    }

    fn list_fate(&self, since: i64, named: Option<&Count>, size: Option<u16>) -> Fate {
        if !self.sure {
            return Fate::Open;
        }
        match self.phase {
            Phase::Never if since > 0 => Fate::Open,
            Phase::Never => Fate::Success("ListRecords/rule/never-written-is-no-error"),
            Phase::Deleted if since == 0 => Fate::Success("ListRecords/rule/deleted-dataset-is-no-error"),
            Phase::Deleted if self.missed_deletion(since) => {
                Fate::Success("ListRecords/rule/deleted-dataset-with-count")
            }
            Phase::Deleted => Fate::Open,
            Phase::Exists if self.missed_deletion(since) => Fate::Success(FLAGGED),
            Phase::Exists if self.count.as_ref().is_none_or(|count| since > count.value) => {
                let since = named.map_or(Term::Integer(since), Term::from);
                let words = vec![Term::from("No such SyncCount: "), since, Term::from(" exists for this Dataset")];
                let reason = Reason::new("ListRecords/rule/count-ahead-refused", 400, &[INVALID]);
                let message = ("ListRecords/rule/count-ahead-message", Want::Message(Term::Words(words)));
                Fate::Refused { reasons: vec![reason.further(message.0, message.1)], lenient: false }
            }
            Phase::Exists if size.is_some_and(|size| size >= 1_000) => {
                Fate::Success("ListRecords/rule/page-of-1024-accepted")
            }
            Phase::Exists if since > 0 => Fate::Success(EXCLUSIVE),
            Phase::Exists => Fate::Success("ListRecords/rule/zero-lists-all"),
        }
    }

    /// A page of a dataset that exists and is known.
    fn judge_existing(&self, listing: &mut Listing, judge: &mut Judge<'_>) {
        let since = listing.since_value();
        let is = |pointer: &str, term| Want::Is(pointer.to_owned(), term);
        let rule = self.suspect.unwrap_or(SHOWS_WRITTEN);
        if let Some(count) = &self.count {
            judge.check(rule, is("/DatasetSyncCount", Term::from(count)));
        }
        let all_removed = self.records.values().all(|record| record.value.is_none());
        let exists = if all_removed { "ListRecords/rule/dataset-of-tombstones-exists" } else { rule };
        judge.check(exists, is("/DatasetExists", Term::Bool(true)));
        if self.missed_deletion(since) {
            judge.check(FLAGGED, is("/DatasetDeletedAfterRequestedSyncCount", Term::Bool(true)));
        }
        if self.records.len() == 1
            && !all_removed
            && self.murky.is_empty()
            && listing.size == Some(1)
            && since == 0
            && listing.pages == 0
        {
            judge.check("ListRecords/rule/count-of-one-record-page", is("/Count", Term::Integer(1)));
        }
        let bytes: usize =
            self.records.iter().map(|(key, record)| key.len() + record.value.as_ref().map_or(0, String::len)).sum();
        if listing.size.is_none_or(|size| size >= 1_000) && self.patched.len() <= HANDFUL && bytes <= HANDFUL_BYTES {
            judge.check("ListRecords/rule/default-page-is-large", Want::Missing("/NextToken".to_owned()));
        }
        for shown in judge.answer.list(RECORDS) {
            self.judge_record(listing, shown, judge);
        }
        if judge.answer.text("/NextToken").is_none() {
            self.judge_end(listing, judge);
        } else if listing.pages > 2 * self.patched.len() + 3 {
            judge.complain(EVERYTHING, Want::Missing("/NextToken".to_owned()));
        }
    }

    /// The rule by which a record belongs on a listing.
    fn listed_by(&self, listing: &Listing, key: &str) -> &'static str {
        let since = listing.since_value();
        match self.suspect {
            Some(rule) => rule,
            None if listing.pages > 0 => EVERYTHING,
            None if self.missed_deletion(since) => "ListRecords/rule/recreated-lists-new-records",
            None if self.latest.contains(key) && since == 0 => SHOWS_WRITTEN,
            None if since > 0 => EXCLUSIVE,
            None => "ListRecords/rule/zero-lists-all",
        }
    }

    /// One record of a page.
    fn judge_record(&self, listing: &mut Listing, shown: &Value, judge: &mut Judge<'_>) {
        let since = listing.since_value();
        let Some(key) = shown["Key"].as_str() else { return };
        let named = |more: Vec<(&'static str, Term)>| entry(key, more);
        let value = shown["Value"].as_str();
        if !listing.seen.insert(key.to_owned()) {
            let here = judge.answer.list(RECORDS);
            let distinct: BTreeSet<&str> = here.iter().filter_map(|record| record["Key"].as_str()).collect();
            let want = match distinct.len() < here.len() {
                true => Want::Length(RECORDS, distinct.len()),
                false => Want::NoEntry(RECORDS, named(Vec::new())),
            };
            judge.complain(EVERYTHING, want);
            return;
        }
        let rule = self.listed_by(listing, key);
        let Some(record) = self.records.get(key) else {
            // A tombstone of what nobody wrote is odd, but no rule forbids it; nor is
            // it known what became of some keys.
            if let Some(value) = value.filter(|_| !self.murky.contains(key)) {
                let rule = match (self.suspect, &self.before_deletion) {
                    (None, Some(_)) => "ListRecords/rule/recreated-lists-new-records",
                    _ => rule,
                };
                judge.complain(rule, Want::NoEntry(RECORDS, named(vec![("Value", Term::from(value))])));
            }
            return;
        };
        judge.hit(rule);
        if record.count.value <= since {
            judge.complain(EXCLUSIVE, Want::NoEntry(RECORDS, named(Vec::new())));
            return;
        }
        match &record.value {
            None => {
                let rule = self.suspect.unwrap_or(TOMBSTONE);
                judge.check(rule, Want::NoValue(RECORDS, key.to_owned()));
            }
            Some(text) if value != Some(text.as_str()) => {
                let rule = match self.suspect {
                    None if text.is_empty() => "UpdateRecords/rule/empty-value-echoed",
                    None => SHOWS_WRITTEN,
                    Some(rule) => rule,
                };
                judge.complain(rule, Want::Entry(RECORDS, named(vec![("Value", Term::from(text.as_str()))])));
            }
            Some(_) => {}
        }
        if whole(&shown["SyncCount"]) != Some(record.count.value) {
            let rule = self.suspect.unwrap_or(SHOWS_WRITTEN);
            judge.complain(rule, Want::Entry(RECORDS, named(vec![("SyncCount", Term::from(&record.count))])));
        }
    }

    /// What no page has shown.
    fn judge_end(&self, listing: &Listing, judge: &mut Judge<'_>) {
        let since = listing.since_value();
        for (key, record) in &self.records {
            if record.count.value <= since
                || listing.seen.contains(key)
                || value_of(judge.answer.list(RECORDS), key).is_some()
            {
                continue;
            }
            let rule = match record.value {
                // Whether tombstones are listed from 0 is open.
                None if since == 0 => continue,
                None => self.suspect.unwrap_or(TOMBSTONE),
                Some(_) => self.listed_by(listing, key),
            };
            judge.complain_at_end(rule, Want::Entry(RECORDS, entry(key, [])));
        }
        judge.hit(if listing.pages > 0 { EVERYTHING } else { SHOWS_WRITTEN });
    }

    /// Takes over what a whole listing shows of an unsure dataset.
    fn believe(&mut self, found: Vec<(String, Record)>, count: Option<Count>, exists: bool) {
        self.phase = match (exists, self.phase) {
            (true, _) => Phase::Exists,
            (false, Phase::Never) if self.patched.is_empty() => Phase::Never,
            (false, _) => Phase::Deleted,
        };
        self.records = found.into_iter().filter(|_| exists).collect();
        self.murky = self.patched.iter().filter(|key| !self.records.contains_key(*key)).cloned().collect();
        self.count = count.filter(|_| self.phase != Phase::Deleted);
        self.sure = self.phase != Phase::Exists || self.count.is_some();
        self.suspect = None;
        self.latest.clear();
    }
}
