//! What may be answered, as far as the sources say, and what an answer says of the
//! state behind it.
//!
//! The model is written from the rules in `spec`'s data, not from the reference
//! server, of which it uses nothing. Each demand names the rule that makes it, and
//! where the rules are open, it makes none: any answer short of a breakdown is
//! right, and the model believes what it then sees. A dataset about which it no
//! longer knows enough is `unsure`; the next operation that touches it lists it
//! first and takes over what is there.
//!
//! Pure: no IO, no clock, no randomness.

mod figures;
mod list;
mod quota;
mod update;

use std::collections::{BTreeMap, BTreeSet};

use super::operation::{Place, Who};
use super::term::{Count, Handed, Names, Term};
use super::want::{Answer, Want};

pub(super) use figures::Base;
pub(super) use list::Listing;

/// Everything that one attempt knows.
#[derive(Debug, Default)]
pub(super) struct Model {
    datasets: BTreeMap<Place, Dataset>,
    usage: BTreeMap<Who, Base>,
}

/// Whether a dataset exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Never,
    Exists,
    Deleted,
}

/// What is known of one dataset.
#[derive(Debug, Clone)]
pub(super) struct Dataset {
    pub(super) phase: Phase,
    /// Its count, when that is certain.
    count: Option<Count>,
    /// By key; tombstones without value.
    records: BTreeMap<String, Record>,
    /// Keys of which it is not known whether there is a tombstone.
    murky: BTreeSet<String>,
    /// Every key that a write may have touched.
    patched: BTreeSet<String>,
    /// The count that was shown before the latest deletion.
    before_deletion: Option<Count>,
    /// Whether all this can be relied on.
    pub(super) sure: bool,
    /// Rises with every write and deletion.
    version: u64,
    /// Rises with every deletion.
    life: u64,
    tokens: Vec<Token>,
    /// A listing left off at its first page.
    cursor: Option<Listing>,
    /// The rule that is broken if the dataset is found changed: set by a refusal.
    suspect: Option<&'static str>,
    /// Keys of the latest write.
    latest: BTreeSet<String>,
}

#[derive(Debug, Clone)]
struct Record {
    value: Option<String>,
    count: Count,
}

/// A sync session token that was handed out for a dataset.
#[derive(Debug, Clone)]
struct Token {
    handed: Handed,
    /// The dataset's version then.
    version: u64,
    life: u64,
    state: TokenState,
    /// Whether no page followed.
    last_page: bool,
    /// Whether pages came before.
    later_page: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TokenState {
    Fresh,
    AfterConflict,
    Spent,
    /// Used in a way of which nobody knows what it does to a token.
    Unknown,
}

impl Default for Dataset {
    fn default() -> Self {
        Self {
            phase: Phase::Never,
            count: Some(Count::plain(0)),
            records: BTreeMap::new(),
            murky: BTreeSet::new(),
            patched: BTreeSet::new(),
            before_deletion: None,
            sure: true,
            version: 0,
            life: 0,
            tokens: Vec::new(),
            cursor: None,
            suspect: None,
            latest: BTreeSet::new(),
        }
    }
}

impl Model {
    pub(super) fn dataset(&mut self, place: Place) -> &mut Dataset {
        self.datasets.entry(place).or_default()
    }

    /// Takes note that nobody knows what this operation did to a dataset.
    pub(super) fn unsure(&mut self, place: Place) {
        self.dataset(place).sure = false;
    }
}

/// What the rules make of an operation's outcome.
#[derive(Debug, Clone)]
pub(super) enum Fate {
    /// It succeeds, by this rule.
    Success(&'static str),
    /// It is refused, for each of these reasons. `lenient`: something about it is
    /// open besides, so that other errors are right too.
    Refused { reasons: Vec<Reason>, lenient: bool },
    /// Nobody knows.
    Open,
}

/// Why an operation must be refused.
#[derive(Debug, Clone)]
pub(super) struct Reason {
    pub(super) rule: &'static str,
    pub(super) want: Want,
    /// What is further demanded of the refusal, when this is its only reason.
    pub(super) further: Option<(&'static str, Want)>,
}

impl Reason {
    fn new(rule: &'static str, status: u16, errors: &[&'static str]) -> Self {
        Self { rule, want: Want::Refusal { status: Some(status), errors: errors.to_vec() }, further: None }
    }

    fn further(mut self, rule: &'static str, want: Want) -> Self {
        self.further = Some((rule, want));
        self
    }
}

const CONFLICT: &str = "ResourceConflictException";
const INVALID: &str = "InvalidParameterException";
const NOT_AUTHORIZED: &str = "NotAuthorizedException";
const NOT_FOUND: &str = "ResourceNotFoundException";
const LIMIT: &str = "LimitExceededException";

/// A rule that does not hold.
#[derive(Debug, Clone)]
pub(super) struct Complaint {
    pub(super) rule: &'static str,
    pub(super) want: Want,
    /// It is one only because no page followed.
    pub(super) on_last_page: bool,
}

/// Compares one answer with what is demanded.
pub(super) struct Judge<'a> {
    pub(super) answer: &'a Answer,
    pub(super) names: &'a Names,
    pub(super) complaints: Vec<Complaint>,
    /// How often each rule was put to the test.
    pub(super) tested: &'a mut BTreeMap<&'static str, u64>,
}

impl Judge<'_> {
    fn hit(&mut self, rule: &'static str) {
        *self.tested.entry(rule).or_default() += 1;
    }

    /// Demands something; whether it holds.
    fn check(&mut self, rule: &'static str, want: Want) -> bool {
        self.hit(rule);
        let holds = want.holds(self.answer, self.names);
        if !holds {
            self.complaints.push(Complaint { rule, want, on_last_page: false });
        }
        holds
    }

    /// States that something which was demanded does not hold. Where an answer holds
    /// it all the same, besides something else, another complaint says so.
    fn complain(&mut self, rule: &'static str, want: Want) {
        if !want.holds(self.answer, self.names) {
            self.complaints.push(Complaint { rule, want, on_last_page: false });
        }
    }

    /// The same, of something that is demanded of a last page only.
    fn complain_at_end(&mut self, rule: &'static str, want: Want) {
        let before = self.complaints.len();
        self.complain(rule, want);
        self.complaints.iter_mut().skip(before).for_each(|complaint| complaint.on_last_page = true);
    }

    /// Compares the outcome; whether it is a success that was expected.
    pub(super) fn outcome(&mut self, fate: &Fate) -> bool {
        match fate {
            Fate::Open => false,
            Fate::Success(rule) => self.check(rule, Want::Success),
            Fate::Refused { reasons, lenient } => {
                self.refusal(reasons, *lenient);
                false
            }
        }
    }

    fn refusal(&mut self, reasons: &[Reason], lenient: bool) {
        if let ([only], false) = (reasons, lenient) {
            if self.check(only.rule, only.want.clone())
                && let Some((rule, want)) = &only.further
            {
                self.check(rule, want.clone());
            }
            return;
        }
        let fits_one = reasons.iter().any(|reason| reason.want.holds(self.answer, self.names));
        let fits = fits_one || lenient && (400..500).contains(&self.answer.status);
        for reason in reasons {
            self.hit(reason.rule);
            if !fits {
                self.complain(reason.rule, reason.want.clone());
            }
        }
    }
}

/// A record's members, of which an entry of an answer must have all.
fn entry(key: &str, more: impl IntoIterator<Item = (&'static str, Term)>) -> Vec<(&'static str, Term)> {
    std::iter::once(("Key", Term::from(key))).chain(more).collect()
}
