//! Failures on request, for whoever wants to see how a client takes them: answers that
//! are errors, that come late, or that never come.
//!
//! What happens is fixed by the faults and the order in which requests arrive; there is
//! no chance in it. A request counts when its path leads to an operation, whoever signed
//! it.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::refusal::{Refusal, Refuser};
use crate::reference::clock::duration;
use crate::spec::{Operation, Service};

/// The longest delay: an hour.
const DELAY_MAX: Duration = Duration::from_secs(3_600);

/// What a fault does that is no error.
const CUT_BEFORE: &str = "cut-before";
const CUT_AFTER: &str = "cut-after";
const DELAY: &str = "delay";

/// A failure that requests meet, written `WHAT[:OPERATION][:WHEN]`.
///
/// `WHAT` is the name of an error, `cut-before` (the connection ends, nothing was done),
/// `cut-after` (all was done, the answer is lost) or `delay=TIME`. Without `OPERATION` it
/// is for all operations; an error that operations declare, only for those that do.
/// `WHEN` is `N` for the first `N` requests, `N/M` for the first `N` of each `M`, and
/// nothing for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    what: What,
    operation: Option<String>,
    when: When,
    text: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    Error(String),
    CutBefore,
    CutAfter,
    Delay(Duration),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    Always,
    First(u64),
    OfEach { first: u64, of: u64 },
}

/// Why a text is no fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// It does not say what happens.
    #[error("`{0}` is no fault: wanted the name of an error, `cut-before`, `cut-after` or `delay=TIME`")]
    UnknownFault(String),
    /// It is for an operation that there is not.
    #[error("there is no operation `{0}`")]
    UnknownOperation(String),
    /// The operation does not declare the error.
    #[error("{operation} does not declare {error}; it declares {declared}, and may be given a common error")]
    NotDeclared {
        /// The operation.
        operation: String,
        /// The error.
        error: String,
        /// What it declares, with commas.
        declared: String,
    },
    /// It does not say when.
    #[error("`{0}` does not say when: wanted `N` for the first N requests, or `N/M` for the first N of each M")]
    When(String),
    /// The delay is no time.
    #[error("`{0}` is no delay: wanted a whole number with its unit, such as `500ms` or `2s`, of at most 1h")]
    Delay(String),
    /// It has more parts than there can be.
    #[error("`{0}` has too many parts: wanted WHAT[:OPERATION][:WHEN]")]
    Parts(String),
}

impl Fault {
    /// Reads a fault for the service that `service` describes.
    ///
    /// # Errors
    ///
    /// When the text is no fault, or one that the operation cannot have.
    pub fn parse(text: &str, service: &Service) -> Result<Self, FaultError> {
        let mut parts = text.split(':');
        let what = What::parse(parts.next().unwrap_or_default(), service)?;
        let mut next = parts.next();
        let is_when = |part: &&str| part.starts_with(|character: char| character.is_ascii_digit());
        let operation = next.filter(|part| !is_when(part));
        if operation.is_some() {
            next = parts.next();
        }
        let when = next.map_or(Ok(When::Always), str::parse)?;
        if parts.next().is_some() {
            return Err(FaultError::Parts(text.to_owned()));
        }
        if let Some(name) = operation {
            let unknown = || FaultError::UnknownOperation(name.to_owned());
            what.check(service, name, service.operations.get(name).ok_or_else(unknown)?)?;
        }
        Ok(Self { what, operation: operation.map(str::to_owned), when, text: text.to_owned() })
    }

    /// Everything that `WHAT` may be, but a delay.
    pub fn names(service: &Service) -> impl Iterator<Item = &str> {
        service.error_names().chain([CUT_BEFORE, CUT_AFTER])
    }

    /// Whether it is for requests of this operation.
    fn is_for(&self, service: &Service, operation: &str) -> bool {
        match &self.operation {
            Some(only) => only == operation,
            None => service.operations.get(operation).is_some_and(|operation| self.what.fits(service, operation)),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl What {
    fn parse(text: &str, service: &Service) -> Result<Self, FaultError> {
        if let Some(delay) = text.strip_prefix(DELAY).and_then(|rest| rest.strip_prefix('=')) {
            let delay = duration(delay).filter(|delay| *delay <= DELAY_MAX);
            return delay.map(Self::Delay).ok_or_else(|| FaultError::Delay(text.to_owned()));
        }
        match text {
            CUT_BEFORE => Ok(Self::CutBefore),
            CUT_AFTER => Ok(Self::CutAfter),
            error if service.status_of_error(error).is_some() => Ok(Self::Error(error.to_owned())),
            _ => Err(FaultError::UnknownFault(text.to_owned())),
        }
    }

    /// Whether the operation can be answered so.
    fn fits(&self, service: &Service, operation: &Operation) -> bool {
        match self {
            Self::Error(error) => !service.errors.contains_key(error) || operation.errors.contains(error),
            Self::CutBefore | Self::CutAfter | Self::Delay(_) => true,
        }
    }

    fn check(&self, service: &Service, name: &str, operation: &Operation) -> Result<(), FaultError> {
        match self {
            Self::Error(error) if !self.fits(service, operation) => Err(FaultError::NotDeclared {
                operation: name.to_owned(),
                error: error.clone(),
                declared: operation.errors.join(", "),
            }),
            _ => Ok(()),
        }
    }
}

impl FromStr for When {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let number = |text: &str| text.parse::<u64>().ok().filter(|number| *number > 0);
        let when = match text.split_once('/') {
            None => number(text).map(Self::First),
            Some((first, of)) => match (number(first), number(of)) {
                (Some(first), Some(of)) if first <= of => Some(Self::OfEach { first, of }),
                _ => None,
            },
        };
        when.ok_or_else(|| FaultError::When(text.to_owned()))
    }
}

impl When {
    /// Whether the request that comes after so many others is meant.
    fn is_now(self, before: u64) -> bool {
        match self {
            Self::Always => true,
            Self::First(first) => before < first,
            Self::OfEach { first, of } => before % of < first,
        }
    }
}

/// The faults of a server. They may be changed while it serves.
pub(super) struct Faults {
    service: Arc<Service>,
    /// Whether everybody may change them.
    pub(super) are_controlled: bool,
    set: Mutex<Vec<Set>>,
}

/// A fault, and what became of it.
#[derive(Debug, Clone)]
pub(super) struct Set {
    pub(super) fault: Fault,
    /// Requests that it is for and that came to it.
    pub(super) requests: u64,
    /// Those of them that met it.
    pub(super) met: u64,
}

/// What a request meets; nothing by default.
#[derive(Debug, Default)]
pub(super) struct Met {
    pub(super) delay: Duration,
    pub(super) end: Option<End>,
    /// The faults as they were written.
    pub(super) told: Vec<String>,
}

/// How a request ends that does not end well.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    Refused(Refusal),
    CutBefore,
    CutAfter,
}

impl Faults {
    pub(super) fn new(service: Arc<Service>, faults: Vec<Fault>, are_controlled: bool) -> Self {
        let set = faults.into_iter().map(Set::new).collect();
        Self { service, are_controlled, set: Mutex::new(set) }
    }

    /// Whether a request may meet one.
    pub(super) fn are_any(&self) -> bool {
        !self.set.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// What the next request of this operation meets: all delays that are due, and the
    /// first of the other faults. Faults after that one do not count the request.
    pub(super) fn meet(&self, operation: &str) -> Met {
        let mut met = Met::default();
        let mut set = self.set.lock().unwrap_or_else(PoisonError::into_inner);
        for set in set.iter_mut().filter(|set| set.fault.is_for(&self.service, operation)) {
            let is_delay = matches!(set.fault.what, What::Delay(_));
            if met.end.is_some() && !is_delay {
                continue;
            }
            set.requests += 1;
            if !set.fault.when.is_now(set.requests - 1) {
                continue;
            }
            set.met += 1;
            met.told.push(set.fault.text.clone());
            match &set.fault.what {
                What::Delay(delay) => met.delay = met.delay.saturating_add(*delay).min(DELAY_MAX),
                What::CutBefore => met.end = Some(End::CutBefore),
                What::CutAfter => met.end = Some(End::CutAfter),
                What::Error(name) => met.end = Some(End::Refused(self.refusal(name, &set.fault))),
            }
        }
        met
    }

    fn refusal(&self, name: &str, fault: &Fault) -> Refusal {
        let by = match name {
            "ValidationException" => Refuser::Validation,
            _ if self.service.errors.contains_key(name) => Refuser::Service,
            _ => Refuser::Framework,
        };
        Refusal { name: name.to_owned(), by, message: format!("The server was told to fail: {fault}") }
    }

    /// The faults, in their order.
    pub(super) fn all(&self) -> Vec<Set> {
        self.set.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts others in their place, which have met nobody yet. When one of the texts is no
    /// fault, nothing changes.
    pub(super) fn replace(&self, texts: &[String]) -> Result<(), FaultError> {
        let faults: Result<Vec<Set>, _> =
            texts.iter().map(|text| Fault::parse(text, &self.service).map(Set::new)).collect();
        *self.set.lock().unwrap_or_else(PoisonError::into_inner) = faults?;
        Ok(())
    }
}

impl Set {
    fn new(fault: Fault) -> Self {
        Self { fault, requests: 0, met: 0 }
    }
}

#[cfg(test)]
#[path = "fault_tests.rs"]
mod tests;
