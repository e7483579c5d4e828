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
    /// An event that is set is forgotten at once.
    EventForgotten,
    /// Setting an event to the empty text changes nothing.
    EmptyEventIgnored,
    /// An event that is set to the empty text is kept, with no function.
    EmptyEventKept,
    /// An event cannot be set to the empty text.
    EmptyEventRefused,
    /// Removing an event that is not set is an error.
    UnsetEventRefused,
    /// An event of an unknown name is taken and forgotten.
    UnknownEventIgnored,
    /// PushSync that is set is answered and then forgotten.
    PushSyncForgotten,
    /// An empty PushSync leaves the setting as it was.
    EmptyPushSyncIgnored,
    /// CognitoStreams that is set is answered and then forgotten.
    StreamsForgotten,
    /// Streaming that is on cannot be switched off.
    StreamingStaysOn,
    /// A part left out of a configuration is cleared.
    LeftOutIsCleared,
    /// A bulk publish may run beside another of the same pool.
    ParallelPublishes,
    /// A pool may be published again as soon as it was.
    RepublishedAtOnce,
    /// A bulk publish never gets further than having been asked for.
    PublishNeverStarts,
    /// While streaming is off, a bulk publish is taken and then fails.
    PublishFailsLater,
    /// A device is registered in a pool without push synchronisation.
    RegistersWithoutPush,
    /// Subscriptions are taken in a pool without push synchronisation.
    SubscribesWithoutPush,
    /// Any device can be subscribed, registered or not.
    UnknownDeviceSubscribed,
    /// A device can be subscribed to a dataset that does not exist.
    UnknownDatasetSubscribed,
    /// Ids of devices are written in upper case.
    DeviceIdsInUpperCase,
    /// Each registration gives a new id, also of a device that is registered.
    DeviceIdsAlwaysNew,

    // ---- signatures, credentials, routes, input -------------------------------
    /// No signature is compared with what it should be.
    SignatureUnchecked,
    /// A signature does not cover the method.
    MethodUnsigned,
    /// A signature fits a path that is two characters longer than the signed one.
    PathEndUnsigned,
    /// A signature for a request without query fits one with a query.
    QueryUnsigned,
    /// A signature is not compared when the request has a body.
    BodyUnsigned,
    /// A path is signed as it is sent, without being encoded once more.
    PathEncodedOnce,
    /// A colon in a path is signed as it is.
    ColonSignedAsSent,
    /// The region of a signature does not matter.
    RegionUnchecked,
    /// The service of a signature does not matter.
    ServiceUnchecked,
    /// A signature never gets too old.
    ClockBehindUnchecked,
    /// A signature may come from the future.
    ClockAheadUnchecked,
    /// A signer's clock may be off by fifteen minutes.
    ClockWindowOfQuarterHour,
    /// Whatever session token a request has, or none, is right.
    SessionTokenUnchecked,
    /// An access key that nobody has is taken for the account's.
    UnknownKeyAccepted,
    /// A signature in the query is not looked for.
    QuerySignatureUnread,
    /// A request without signature is taken for one of whoever may call.
    UnsignedAccepted,
    /// An identity reaches every identity's data.
    ScopeUnchecked,
    /// An identity reaches what bears its id in other pools.
    PoolUnchecked,
    /// Credentials that do not fit a path are refused before its labels are looked at.
    ScopeBeforeInput,
    /// The class of credentials is looked at after the input.
    ClassAfterInput,
    /// Input is read and checked before the signature.
    InputBeforeSignature,
    /// Labels in a path are taken as they are sent.
    LabelsNotDecoded,
    /// Of what is encoded in a label, only colons are decoded.
    OnlyColonsDecoded,
    /// A path with a colon in it that is not encoded is unknown.
    LiteralColonUnrouted,
    /// Upper and lower case are alike in the fixed parts of a path.
    PathCaseIgnored,
    /// What follows a known path does not matter.
    PathEndIgnored,
    /// A method that a path does not have is taken for one that it has.
    MethodIgnored,
}
