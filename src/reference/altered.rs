//! How a server is made to depart from the reference on purpose.
//!
//! A mutant has one requirement broken, a variant makes another choice where the
//! sources allow several. What an altered service description cannot say is said
//! here: by a switch of the model or of the signature check, or by a function that
//! rewrites answers. What the names stand for, and which requirement each breaks,
//! is `prove`'s knowledge.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use crate::wire::{Request, Response};

mod switch;

pub use switch::Switch;

/// Rewrites an answer. Given: the operation that was called, if the path leads to
/// one, the request, and the answer as the reference gives it.
pub type Rewrite = Arc<dyn Fn(Option<&str>, &Request, &mut Response) + Send + Sync>;

/// Rewrites what another service is told, or what a function answered. Null means that
/// nothing is sent; a function's answer that is null is no answer that can be read.
pub type Retell = Arc<dyn Fn(Told<'_>, &mut Value) + Send + Sync>;

/// What is told to another service, or by a function.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Told<'a> {
    /// The event that a function is sent.
    Event,
    /// What a function answered to this event.
    Answer(&'a Value),
    /// A record for a stream.
    Record,
    /// The records that are too large for a stream's record, as they are put elsewhere.
    Object,
    /// `Token` and `PlatformApplicationArn` of an endpoint that is to be made.
    Endpoint,
    /// The message to a device of this platform, as the platform is given it.
    Message(&'a str),
}

/// How a server departs from the reference; not at all by default.
#[derive(Clone, Default)]
pub struct Departure {
    /// Switches that are thrown.
    pub switches: Switches,
    /// What is done to every answer before it is sent.
    pub rewrite: Option<Rewrite>,
    /// What is done to whatever other services are told.
    pub retell: Option<Retell>,
    /// How requests race.
    pub race: Option<Race>,
}

impl fmt::Debug for Departure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Departure");
        shown.field("switches", &self.switches).field("rewrite", &self.rewrite.is_some());
        shown.field("retell", &self.retell.is_some()).field("race", &self.race).finish()
    }
}

impl From<Switch> for Departure {
    fn from(switch: Switch) -> Self {
        Self { switches: Switches::from(vec![switch]), ..Self::default() }
    }
}

impl From<Race> for Departure {
    fn from(race: Race) -> Self {
        Self { race: Some(race), ..Self::default() }
    }
}

/// How what is told to others departs from the reference; a part of a [`Departure`].
#[derive(Clone, Default)]
pub(super) struct Telling {
    pub(super) switches: Switches,
    retell: Option<Retell>,
}

impl Telling {
    /// The part of this departure.
    pub(super) fn of(departure: &Departure) -> Self {
        Self { switches: departure.switches.clone(), retell: departure.retell.clone() }
    }

    /// What is told instead of `value`; none when nothing is.
    pub(super) fn told(&self, what: Told<'_>, mut value: Value) -> Option<Value> {
        let Some(retell) = &self.retell else { return Some(value) };
        retell(what, &mut value);
        (!value.is_null()).then_some(value)
    }
}

impl fmt::Debug for Telling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telling").field("switches", &self.switches).field("retell", &self.retell.is_some()).finish()
    }
}

/// How requests that come at the same time get in each other's way. No switch, since
/// it takes several clients at once to see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Race {
    /// A write is checked first and made a moment later, whatever came between.
    CheckedThenWritten,
    /// A write is made on a copy that is then put in place of whatever is there.
    WrittenOnCopy,
    /// Listings are answered from a copy that may be some milliseconds old.
    ListedFromCopy,
}

/// The switches of one server. Cheap to clone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Switches(Arc<[Switch]>);

impl Switches {
    /// Whether this one is thrown.
    pub fn has(&self, switch: Switch) -> bool {
        self.0.contains(&switch)
    }
}

impl From<Vec<Switch>> for Switches {
    fn from(switches: Vec<Switch>) -> Self {
        Self(switches.into())
    }
}
