//! How a server is made to depart from the reference on purpose.
//!
//! A mutant has one requirement broken, a variant makes another choice where the
//! sources allow several. What an altered service description cannot say is said
//! here: by a switch of the model or of the signature check, or by a function that
//! rewrites answers. What the names stand for, and which requirement each breaks,
//! is `prove`'s knowledge.

use std::fmt;
use std::sync::Arc;

use crate::wire::{Request, Response};

/// Rewrites an answer. Given: the operation that was called, if the path leads to
/// one, the request, and the answer as the reference gives it.
pub type Rewrite = Arc<dyn Fn(Option<&str>, &Request, &mut Response) + Send + Sync>;

/// How a server departs from the reference; not at all by default.
#[derive(Clone, Default)]
pub struct Departure {
    /// Switches that are thrown.
    pub switches: Switches,
    /// What is done to every answer before it is sent.
    pub rewrite: Option<Rewrite>,
}

impl fmt::Debug for Departure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Departure");
        shown.field("switches", &self.switches).field("rewrite", &self.rewrite.is_some()).finish()
    }
}

impl From<Switch> for Departure {
    fn from(switch: Switch) -> Self {
        Self { switches: Switches::from(vec![switch]), rewrite: None }
    }
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

macro_rules! switches {
    ($($(#[$doc:meta])* $switch:ident,)*) => {
        /// A place at which the service's behaviour can be switched to something
        /// else than what the reference does.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Switch {
            $($(#[$doc])* $switch,)*
        }

        impl Switch {
            /// Every switch.
            pub const ALL: &[Self] = &[$(Self::$switch,)*];
        }
    };
}

switches! {
    // ---- records: counts, conflicts, tokens, tombstones, pages --------------
    /// A dataset's count rises by one for each patch of a call.
    CountPerPatch,
    /// A patch is taken whatever its sync count.
    StaleAccepted,
    /// A write without patches is an invalid parameter.
    NoPatchesRefused,

    // ---- datasets and usage --------------------------------------------------

    // ---- pools: events, configuration, bulk publish, devices ----------------

    // ---- several requests at once ----------------------------------------------
    /// A write is checked first and made a moment later, whatever came between.
    CheckedThenWritten,
    /// A write is made on a copy that is then put in place of whatever is there.
    WrittenOnCopy,
    /// Listings are answered from a copy that may be some milliseconds old.
    ListedFromCopy,

    // ---- signatures, credentials, routes, input -------------------------------
    /// No signature is compared with what it should be.
    SignatureUnchecked,
    /// A request without signature is taken for one of whoever may call.
    UnsignedAccepted,
    /// An identity reaches every identity's data.
    ScopeUnchecked,
}
