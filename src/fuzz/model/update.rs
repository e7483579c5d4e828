//! UpdateRecords.

use std::collections::HashMap;

use super::{CONFLICT, Dataset, Fate, INVALID, Judge, Model, Phase, Reason, Record, TokenState, entry};
use crate::fuzz::operation::{
    Change, CountPick, Patch, Place, TokenPick, Update, ValuePick, Who, key_text, value_text,
};
use crate::fuzz::term::{Count, Input, Term, at};
use crate::fuzz::want::{Answer, Want};

/// A write with everything filled in.
#[derive(Debug)]
pub(in crate::fuzz) struct Plan {
    place: Place,
    patches: Vec<Planned>,
    context: bool,
    token: Term,
    /// Whose token it is, and which of that dataset's.
    token_at: Option<(Place, usize)>,
    pub(in crate::fuzz) fate: Fate,
}

#[derive(Debug)]
pub(super) struct Planned {
    pub(super) key: String,
    pub(super) change: Change,
    /// What the patch carries.
    pub(super) sent: Option<String>,
    /// What the record then is; none for a tombstone.
    pub(super) becomes: Option<String>,
    pub(super) count: Count,
    pub(super) date: Option<f64>,
    /// It writes the value that is there.
    pub(super) rewrites: bool,
}

/// What the rules make of one patch.
pub(super) enum PatchFate {
    /// Accepted, by this rule, which may be one that is only inferred.
    Fine {
        rule: &'static str,
        inferred: bool,
    },
    Wrong(Reason),
    Open,
    /// Open, unless the call is wrong anyway.
    OpenIfFine,
}

/// The date that dated patches carry: with milliseconds, long ago.
const DATE: f64 = 1_577_836_800.123;

/// Patches of a call whose records are looked for in the answer.
const MOST_JUDGED: usize = 20;

const ONE_STEP: &str = "UpdateRecords/rule/one-step-per-call";
const NEW_AT_ZERO: &str = "UpdateRecords/rule/new-record-count-zero";
const CARRIES_COUNT: &str = "UpdateRecords/rule/record-carries-new-count";
const TOMBSTONE: &str = "UpdateRecords/rule/tombstone-count-continues";
const ALL_OR_NOTHING: &str = "UpdateRecords/rule/all-or-nothing";

impl Model {
    /// Whether a write of this kind lists first to get a token of its own.
    pub(in crate::fuzz) fn wants_fresh_token(&self, update: &Update) -> bool {
        update.token != TokenPick::MadeUp && self.pick_token(update).is_none()
    }

    /// The dataset and index of the token that a write asks for, if there is one.
    fn pick_token(&self, update: &Update) -> Option<(Place, usize)> {
        let Place { who, dataset } = update.place;
        let find = |place: Place, states: &[TokenState]| {
            let tokens = &self.datasets.get(&place)?.tokens;
            tokens.iter().rposition(|token| states.contains(&token.state)).map(|index| (place, index))
        };
        let unspent = [TokenState::Fresh, TokenState::AfterConflict];
        match update.token {
            TokenPick::Fresh | TokenPick::FreshSince(_) | TokenPick::MadeUp => None,
            TokenPick::Held => find(update.place, &unspent),
            TokenPick::Spent => find(update.place, &[TokenState::Spent]),
            TokenPick::OfDataset => {
                let others = self.datasets.keys().filter(|place| place.who == who && place.dataset != dataset);
                others.into_iter().find_map(|place| find(*place, &unspent))
            }
            TokenPick::OfIdentity => {
                let other = if who == Who::Own { Who::Other } else { Who::Own };
                find(Place { who: other, dataset }, &unspent)
            }
        }
    }

    /// A write with everything filled in. The dataset must be sure.
    pub(in crate::fuzz) fn plan(&mut self, update: &Update) -> Plan {
        let picked = self.pick_token(update);
        let place = update.place;
        let dataset = self.dataset(place);
        let mut patches: Vec<Planned> = update.patches.iter().map(|patch| dataset.planned(patch)).collect();
        dataset.add_bulk(update.bulk, &mut patches);
        let newest = (place, dataset.tokens.len().saturating_sub(1));
        let token_at = if update.token == TokenPick::MadeUp { None } else { Some(picked.unwrap_or(newest)) };
        let mut fates: Vec<PatchFate> = dataset.call_fate(&patches).into_iter().collect();
        let mut times: HashMap<&str, usize> = HashMap::new();
        for patch in &patches {
            *times.entry(&patch.key).or_default() += 1;
        }
        // Of two patches for one key a server may look at either, or at both.
        let fate = |patch: &Planned| if times[&*patch.key] > 1 { PatchFate::Open } else { dataset.patch_fate(patch) };
        fates.extend(patches.iter().map(fate));
        let ignored = PatchFate::Fine { rule: "UpdateRecords/rule/client-context-ignored", inferred: false };
        if update.context && matches!(fates.as_slice(), [PatchFate::Fine { inferred: false, .. }]) {
            fates = vec![ignored];
        }
        let handed = token_at.and_then(|(at, index)| Some(self.datasets.get(&at)?.tokens.get(index)?.handed.clone()));
        let token = handed.map_or_else(|| Term::from("made-up"), Term::Handed);
        fates.extend(self.token_fate(update.token, place, token_at));
        let dataset = self.dataset(place);
        let fate = combined(fates, dataset.phase);
        Plan { place, patches, context: update.context, token, token_at, fate }
    }

    /// What the token alone makes of a write.
    fn token_fate(&self, pick: TokenPick, place: Place, token_at: Option<(Place, usize)>) -> Option<PatchFate> {
        let refused = |rule| PatchFate::Wrong(Reason::new(rule, 400, &[INVALID]));
        let message = "SyncSessionToken not valid for these inputs";
        let worded = |rule| {
            let further = ("UpdateRecords/rule/foreign-token-message", Want::Message(Term::from(message)));
            PatchFate::Wrong(Reason::new(rule, 400, &[INVALID]).further(further.0, further.1))
        };
        let Some((at, index)) = token_at else { return Some(worded("UpdateRecords/rule/made-up-token-refused")) };
        if at.who != place.who {
            return Some(refused("UpdateRecords/rule/other-identity-token-refused"));
        }
        if at != place {
            return Some(worded("UpdateRecords/rule/foreign-token-refused"));
        }
        let dataset = self.datasets.get(&place)?;
        let token = dataset.tokens.get(index)?;
        let latest = index + 1 == dataset.tokens.len() && token.version == dataset.version;
        match token.state {
            TokenState::Spent => Some(refused("UpdateRecords/rule/spent-token-refused")),
            TokenState::Fresh if latest && token.last_page => {
                let rule = match pick {
                    TokenPick::Fresh | TokenPick::FreshSince(_) => return None,
                    _ => "UpdateRecords/rule/token-opens-write",
                };
                Some(PatchFate::Fine { rule, inferred: false })
            }
            // Of two that race, the slower one learns of a conflict.
            TokenState::Fresh if token.last_page && token.life == dataset.life => Some(PatchFate::OpenIfFine),
            // Whether a token outlives a write by others, a newer one, or a refusal,
            // nobody knows.
            _ => Some(PatchFate::Open),
        }
    }

    /// What the answer must hold, beside its outcome.
    pub(in crate::fuzz) fn judge_update(&mut self, plan: &Plan, judge: &mut Judge<'_>) {
        if let (Fate::Success(_), Some(INVALID), Some(rule)) =
            (&plan.fate, judge.answer.error.as_deref(), self.token_rule(plan, judge.answer))
        {
            judge.outcome(&Fate::Success(rule));
            return;
        }
        if !judge.outcome(&plan.fate) {
            return;
        }
        let single = plan.patches.len() == 1;
        for patch in plan.patches.iter().take(MOST_JUDGED) {
            let returned = match single {
                _ if patch.is_odd_text() => "UpdateRecords/rule/any-text",
                true if patch.rewrites => "UpdateRecords/rule/rewrite-accepted",
                true => "UpdateRecords/rule/returns-written-records",
                false => "UpdateRecords/rule/returns-every-written-record",
            };
            if !judge.check(returned, Want::Entry("/Records", entry(&patch.key, []))) {
                continue;
            }
            match &patch.becomes {
                Some(value) => {
                    let rule = if value.is_empty() { "UpdateRecords/rule/empty-value-echoed" } else { returned };
                    judge.check(
                        rule,
                        Want::Entry("/Records", entry(&patch.key, [("Value", Term::from(value.as_str()))])),
                    );
                }
                None => {
                    let rule = match patch.change {
                        Change::RemoveWithValue => "UpdateRecords/rule/remove-value-ignored",
                        _ => "UpdateRecords/rule/removed-record-has-no-value",
                    };
                    judge.check(rule, Want::NoValue("/Records", patch.key.clone()));
                }
            }
        }
        let dataset = self.dataset(plan.place);
        dataset.judge_counts(plan, judge);
        if let ([patch], true) = (plan.patches.as_slice(), judge.answer.list("/Records").len() == 1)
            && let Some(date) = patch.date
        {
            let pointer = "/Records/0/DeviceLastModifiedDate".to_owned();
            judge.check("UpdateRecords/rule/device-date-echoed", Want::Moment(pointer, date));
        }
    }

    /// The rule by which a token that the answer finds fault with is a good one.
    fn token_rule(&self, plan: &Plan, answer: &Answer) -> Option<&'static str> {
        let (at, index) = plan.token_at?;
        let later_page = self.datasets.get(&at)?.tokens.get(index)?.later_page;
        answer.message().contains("SyncSessionToken").then_some(match later_page {
            true => "ListRecords/rule/last-page-token-writes",
            false => "UpdateRecords/rule/token-opens-write",
        })
    }

    /// Takes over what an answer tells. `odd`: it is not as the rules want it.
    pub(in crate::fuzz) fn saw_update(&mut self, plan: &Plan, answer: &Answer, step: usize, odd: bool) {
        let accepted = answer.succeeded();
        if let Some((at, index)) = plan.token_at
            && let Some(token) = self.dataset(at).tokens.get_mut(index)
        {
            let conflict = answer.error.as_deref() == Some(CONFLICT);
            token.state = match (accepted, token.state) {
                (true, _) if plan.patches.is_empty() => TokenState::Unknown,
                (true, _) => TokenState::Spent,
                (false, TokenState::Fresh) if conflict => TokenState::AfterConflict,
                (false, TokenState::Spent) => TokenState::Spent,
                (false, _) => TokenState::Unknown,
            };
        }
        let dataset = self.dataset(plan.place);
        dataset.patched.extend(plan.patches.iter().map(|patch| patch.key.clone()));
        if !accepted {
            dataset.suspect = plan.suspect();
            return;
        }
        dataset.version += 1;
        dataset.suspect = None;
        if odd || !matches!(plan.fate, Fate::Success(_)) || dataset.write(plan, answer, step).is_none() {
            dataset.sure = false;
        }
    }
}

impl Plan {
    /// The request's input.
    pub(in crate::fuzz) fn input(&self) -> Input {
        let patch = |patch: &Planned| {
            let op =
                if matches!(patch.change, Change::Remove | Change::RemoveWithValue) { "remove" } else { "replace" };
            let mut members = vec![("Op", Term::from(op)), ("Key", Term::from(patch.key.as_str()))];
            members.extend(patch.sent.as_deref().map(|value| ("Value", Term::from(value))));
            members.push(("SyncCount", Term::from(&patch.count)));
            members.extend(patch.date.map(|date| ("DeviceLastModifiedDate", Term::Float(date))));
            Term::Table(members)
        };
        let mut input = at(self.place);
        if self.context {
            input.push(("ClientContext", Term::from("syncspec")));
        }
        input.push(("SyncSessionToken", self.token.clone()));
        input.push(("RecordPatches", Term::List(self.patches.iter().map(patch).collect())));
        input
    }

    /// The rule that is broken if the refused call changed something after all.
    fn suspect(&self) -> Option<&'static str> {
        match &self.fate {
            _ if self.patches.len() > 1 => Some(ALL_OR_NOTHING),
            Fate::Refused { reasons, .. } => reasons.first().map(|reason| reason.rule),
            Fate::Success(_) | Fate::Open => None,
        }
    }
}

impl Dataset {
    fn record(&self, key: &str) -> Option<&Record> {
        self.records.get(key).filter(|_| self.phase == Phase::Exists)
    }

    fn planned(&self, patch: &Patch) -> Planned {
        let key = key_text(patch.key);
        let record = self.record(&key);
        let current = record.and_then(|record| record.value.clone());
        let sent = match patch.change {
            Change::Write(ValuePick::Fill) => Some(self.filling(&key, 0)),
            Change::Write(ValuePick::Overfill) => Some(self.filling(&key, 1)),
            Change::Write(value) => Some(value_text(value)),
            Change::Same => Some(current.clone().unwrap_or_else(|| value_text(ValuePick::Short(0)))),
            Change::RemoveWithValue => Some("ignored".to_owned()),
            Change::WriteNothing | Change::Remove => None,
        };
        let right = record.map_or_else(|| Count::plain(0), |record| record.count.clone());
        let count = match patch.count {
            CountPick::Right => right,
            CountPick::Zero => Count::plain(0),
            CountPick::Stale(by) if right.value > i64::from(by) => right.plus(-i64::from(by)),
            CountPick::Stale(_) => Count::plain(0),
            CountPick::Ahead(by) => right.plus(i64::from(by)),
            CountPick::OfDataset => self.count.clone().unwrap_or(right),
        };
        let writes = matches!(patch.change, Change::Write(_) | Change::Same);
        Planned {
            rewrites: writes && current.is_some() && current == sent,
            becomes: sent.clone().filter(|_| writes),
            date: patch.dated.then_some(DATE),
            change: patch.change,
            sent,
            count,
            key,
        }
    }

    /// What the count that a patch names makes of it.
    fn patch_fate(&self, patch: &Planned) -> PatchFate {
        if self.murky.contains(&patch.key) || patch.change == Change::WriteNothing {
            return PatchFate::Open;
        }
        let removes = patch.becomes.is_none();
        let named = patch.count.value;
        let Some(record) = self.record(&patch.key) else {
            return if named == 0 && !removes { patch.fine(NEW_AT_ZERO) } else { PatchFate::Open };
        };
        let (current, removed) = (record.count.value, record.value.is_none());
        match named.cmp(&current) {
            // Removing what is removed: nobody knows.
            _ if removed && removes => PatchFate::Open,
            std::cmp::Ordering::Greater => PatchFate::Open,
            std::cmp::Ordering::Equal if removed => patch.fine(TOMBSTONE),
            std::cmp::Ordering::Equal if patch.rewrites => patch.fine("UpdateRecords/rule/rewrite-accepted"),
            std::cmp::Ordering::Equal => patch.fine(CARRIES_COUNT),
            std::cmp::Ordering::Less if removed => PatchFate::Wrong(Reason::new(TOMBSTONE, 409, &[CONFLICT])),
            std::cmp::Ordering::Less => {
                let rule = match patch.rewrites {
                    true => "UpdateRecords/rule/conflict-despite-equal-value",
                    false => "UpdateRecords/rule/stale-sync-count",
                };
                let words = vec![
                    Term::Text(format!("Current SyncCount for: {} is: ", patch.key)),
                    Term::from(&record.count),
                    Term::from(" not: "),
                    Term::from(&patch.count),
                ];
                let message = Want::Message(Term::Words(words));
                let reason = Reason::new(rule, 409, &[CONFLICT]);
                PatchFate::Wrong(reason.further("UpdateRecords/rule/conflict-message", message))
            }
        }
    }

    /// One step for the dataset, and the records go along.
    fn judge_counts(&self, plan: &Plan, judge: &mut Judge<'_>) {
        let rewrites = plan.patches.iter().all(|patch| patch.rewrites);
        let shown = judge.answer.list("/Records").len().min(plan.patches.len());
        for index in 0..shown {
            let pointer = format!("/Records/{index}/SyncCount");
            if let (Phase::Exists | Phase::Never, Some(count)) = (self.phase, &self.count) {
                let next = Term::from(&count.plus(1));
                let rule = if rewrites { "UpdateRecords/rule/rewrite-counts" } else { CARRIES_COUNT };
                if judge.check(rule, Want::AtLeast(pointer.clone(), next.clone())) {
                    judge.check(ONE_STEP, Want::AtMost(pointer, next));
                }
            } else if let Some(before) = &self.before_deletion {
                let next = Term::from(&before.plus(1));
                judge.check("UpdateRecords/rule/count-survives-deletion", Want::AtLeast(pointer, next));
            }
        }
    }

    /// Makes the changes; none when the answer does not say which count they got.
    fn write(&mut self, plan: &Plan, answer: &Answer, step: usize) -> Option<()> {
        let counts: Option<Vec<Count>> = plan
            .patches
            .iter()
            .map(|patch| {
                let index = answer.list("/Records").iter().position(|entry| entry["Key"] == patch.key.as_str())?;
                let pointer = format!("/Records/{index}/SyncCount");
                Some(Count::seen(answer.number(&pointer)?, step, pointer))
            })
            .collect();
        let counts = counts?;
        if self.phase != Phase::Exists {
            self.records.clear();
        }
        self.phase = Phase::Exists;
        self.count = counts.iter().max_by_key(|count| count.value).cloned();
        self.latest = plan.patches.iter().map(|patch| patch.key.clone()).collect();
        for (patch, count) in plan.patches.iter().zip(counts) {
            self.records.insert(patch.key.clone(), Record { value: patch.becomes.clone(), count });
        }
        Some(())
    }
}

impl Planned {
    /// Whether key or value are more than letters, digits and hyphens.
    fn is_odd_text(&self) -> bool {
        let texts = [Some(&self.key), self.sent.as_ref()];
        let is_odd = |text: &&String| !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        texts.iter().flatten().any(is_odd)
    }

    /// It is accepted, by the least certain of the rules that say so.
    fn fine(&self, rule: &'static str) -> PatchFate {
        let value = self.sent.as_deref().unwrap_or_default();
        if value.len() >= 100_000 {
            return PatchFate::Fine { rule: "UpdateRecords/rule/value-of-lower-maximum", inferred: true };
        }
        if self.key.len() > 1_024 {
            return PatchFate::Fine { rule: "UpdateRecords/rule/key-length-in-characters", inferred: true };
        }
        let rule = match self.change {
            Change::Write(ValuePick::Empty) => "UpdateRecords/rule/empty-value",
            Change::RemoveWithValue => "UpdateRecords/rule/remove-with-value",
            _ if self.is_odd_text() => "UpdateRecords/rule/any-text",
            _ => rule,
        };
        PatchFate::Fine { rule, inferred: false }
    }
}

/// What all of a call makes of it: refused for every reason there is, else open if
/// anything is, else accepted by the least certain rule.
fn combined(fates: Vec<PatchFate>, phase: Phase) -> Fate {
    let (mut reasons, mut rules, mut open, mut open_if_fine) = (Vec::new(), Vec::new(), false, false);
    for fate in fates {
        match fate {
            PatchFate::Wrong(reason) => reasons.push(reason),
            PatchFate::Open => open = true,
            PatchFate::OpenIfFine => open_if_fine = true,
            PatchFate::Fine { rule, inferred } => rules.push((!inferred, rule)),
        }
    }
    if !reasons.is_empty() {
        return Fate::Refused { reasons, lenient: open };
    }
    if open || open_if_fine {
        return Fate::Open;
    }
    // The sort keeps the order of the patches among rules that are as certain, and
    // as much to the point.
    rules.sort_by_key(|(certain, rule)| (*certain, [NEW_AT_ZERO, CARRIES_COUNT].contains(rule)));
    match (rules.first(), phase) {
        (Some((false, rule)), _) | (Some((true, rule)), Phase::Exists) => Fate::Success(rule),
        (_, Phase::Deleted) => Fate::Success("UpdateRecords/rule/recreates-dataset"),
        _ => Fate::Success("UpdateRecords/rule/creates-dataset"),
    }
}
