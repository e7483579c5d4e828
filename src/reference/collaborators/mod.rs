//! The other services that this one calls: Lambda for the event `SyncTrigger`, Kinesis
//! for streams (and S3 for what is too large for them), SNS for push messages.
//!
//! They are called over their real wire APIs at the endpoints that
//! [`Collaborators`] names; for those that it does not name, what concerns them is
//! stored and answered, and nothing is done. `docs/collaborators.md` shows the bodies.
//!
//! Nothing waits for another identity's calls: the model is never locked while a call
//! is under way. Functions and platform endpoints are asked within the request that
//! needs them ([`Outside::ask`]); streams and push messages follow an answer that is
//! given already ([`follow`]), in order, from queues of limited size. With a state file,
//! neither is told of a change before it is kept; the queues themselves are not kept.
//!
//! Requests are signed with the library that AWS's SDKs sign with, and sent by the
//! HTTP library that the client uses: the SDK crates of four services would be most of
//! what is compiled here, and `client` knows `target`, which knows this room. The
//! check of incoming signatures shares nothing with this.
//!
//! # Choices
//!
//! Sources are silent on these points, or leave several ways.
//!
//! - The function sees every record that has a value, and those that the client
//!   removes; a record that does not change has `op` `replace` and `newValue` equal to
//!   `oldValue`. It is not called for an update without patches, and not for one that
//!   would be refused anyway.
//! - In its answer, a field that is missing counts as altered, one that is new does
//!   not; `oldValue` is not looked at. An entry that is null, or has no `newValue` or
//!   a null one, removes its record; one whose `op` is neither `replace` nor `remove`
//!   is invalid output.
//! - The client's change of a record that the answer leaves out is made as it was
//!   sent. What the function changed is ascribed to whoever sent the update.
//! - While the function runs, others may write. The update then is a conflict if one of
//!   its records changed meanwhile, those that the function changed included; other
//!   records do not matter. A token that two updates carry at the same time is good for
//!   the one that is made first.
//! - Values that break a constraint of the service are invalid output; what does not
//!   fit a quota exceeds a limit. A function that does not exist or may not be called
//!   is invalid output too: among the declared errors it is the one that blames the
//!   function. When Lambda cannot be reached or fails itself, that is an internal error.
//! - A failed function leaves the token unused.
//! - A stream's record has the dataset's name under `dataSetName`, as guides print it,
//!   and `datasetName`, as consumers read it; a date that is not known is null. Its
//!   partition key is the identity's id. The deletion of a dataset is a record with
//!   `operation` `remove` and neither records nor address.
//! - A record that Kinesis did not take is sent again a few times when that can help;
//!   a record may hence arrive twice. After that, and when too many records wait,
//!   streaming is switched off and what still waits is dropped.
//! - Bulk publish sends what each dataset holds when its turn comes, without removed
//!   records, and beside the records of updates. Its failure leaves streaming on.
//! - A device that names itself in an update is not told of it. Without a name, every
//!   subscribed device is; a developer's update counts like any other, a deletion does
//!   not. A message that cannot be sent is given up at once.
//! - Registering a device needs an application of its platform. When SNS refuses the
//!   application, that is an invalid configuration; when it refuses the token, an
//!   invalid parameter.
//! - Roles are not assumed: calls are signed with the server's own keys.

mod follow;
mod kinesis;
mod lambda;
mod outside;
mod s3;
mod send;
mod settings;
mod sign;
mod sns;
mod stream;
mod trigger;

pub(super) use follow::{Desk, Looking, follow};
pub(super) use lambda::invalid as invalid_output;
pub(super) use outside::{Outside, Question, Reply};
pub use settings::{Collaborators, Times};
