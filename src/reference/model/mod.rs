//! A pure model of the service: what each operation does, once the caller is
//! known and the input is well formed.
//!
//! Nothing here reads a clock, makes a random number or does IO: each [`Call`]
//! brings its moment, its caller and fresh random bytes. A call that fails has
//! changed nothing, and reading never makes state. What is to be done in other
//! services is an [`Effect`] that the caller takes out, and what must be asked of them
//! before a call can be made, it is told ([`Model::invocation`],
//! [`Model::endpoint_request`]); the choices about these stand in `collaborators`.
//!
//! Signatures, credential rules, member constraints and the wire's names are the
//! server's business, not the model's. Quotas come from the service description.
//!
//! # Choices
//!
//! Sources are silent on these points. What is done here is as good as another
//! answer; no case may demand it of others.
//!
//! - A SyncCount above the record's is a conflict like one below it. A record that
//!   does not exist has count 0; in a dataset that is deleted and not yet
//!   recreated, the count that the dataset shows is taken as well.
//! - One key twice in a call, and `replace` without a value, are invalid
//!   parameters. `remove` ignores a value; of a record that does not exist it is
//!   taken (with count 0) and leaves a tombstone.
//! - UpdateRecords without patches changes nothing but spends its token.
//! - Tombstones are listed whatever the LastSyncCount and count towards no quota.
//!   A dataset keeps its latest 4096; a record whose tombstone is gone never was.
//! - A deletion takes a step of the dataset's count. The count a deleted dataset
//!   shows is kept, and listing it takes any LastSyncCount. The latest 1000
//!   deletions of an identity are remembered; subscriptions go with the dataset.
//! - LastSyncCount is not looked at for a dataset that never existed; a negative
//!   one is 0.
//! - Count is that of the page. Records and datasets come in the order of their
//!   names; pages hold at most 1024 records, 64 datasets or 1000 pools, which is
//!   also what comes when nothing is asked for. Asking for more is not an error,
//!   asking for less than one is.
//! - A sync session lives for an hour. A listing that is given a session answers
//!   with a new one.
//! - A write by an identity is signed with its DeviceId if it sends one, else with
//!   the identity's id; a developer's with the account's id. A DeviceId need not
//!   be registered.
//! - An identity that the pool does not know lists and describes as empty and
//!   cannot be written to. A pool that does not exist gives the operations that
//!   declare no ResourceNotFoundException a NotAuthorizedException.
//! - Only `SyncTrigger` is an event. An empty map of events changes nothing.
//! - A part left out of a pool's configuration stays as it was; an empty one is
//!   cleared.
//! - Bulk publish needs streams that are enabled; where no stream can be written to,
//!   it takes 300 ms and always succeeds.
//! - A device needs a push configuration with an application, whichever its
//!   platform unless devices can be reached. The same token and platform give the
//!   same id again. An identity has at most 1000 devices; one more takes the place of
//!   the oldest.
//! - Usage without any data: an identity's LastModifiedDate is null, a pool's is
//!   its creation.

mod configuration;
mod dataset;
mod datasets;
mod devices;
mod effects;
mod error;
mod kept;
mod page;
mod publish;
mod records;
mod session;
mod state;
mod timestamp;
mod told_first;
mod tracked;
mod trigger;
mod usage;

pub use configuration::{CognitoStreams, PoolConfiguration, PushSync};
pub use dataset::{DatasetDescription, PatchOperation, Record, RecordPatch};
pub use datasets::DatasetPage;
pub use devices::{DeviceIdentity, EndpointRequest};
pub use effects::{BulkPublish, Effect, Notification, Reach, StreamRecord, StreamTarget};
pub use error::ServiceError;
pub use kept::{Piece, PieceKey, RestoreError, Restored};
pub use page::PageRequest;
pub use publish::{BulkPublishDetails, BulkPublishStatus};
pub use records::{ListRecords, RecordPage, UpdateRecords};
pub use state::{Call, Caller, DatasetPlace, Limits, Model};
pub use timestamp::Timestamp;
pub use told_first::Untaken;
pub use trigger::{Invocation, Seen, Wanted};
pub use usage::{Counts, IdentityPoolUsage, IdentityPoolUsagePage, IdentityUsage};

#[cfg(test)]
mod tests;
