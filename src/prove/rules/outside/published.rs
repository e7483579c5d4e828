//! What a bulk publish puts into a stream, and what comes of one that fails.

use crate::prove::alteration::Alteration;
use crate::reference::Switch;

pub(super) fn all() -> Vec<Alteration> {
    vec![
        Alteration::mutant(
            "publishes-one-dataset",
            "A bulk publish is of one dataset only.",
            &["BulkPublish/rule/publishes-every-dataset"],
            Switch::PublishesOneDataset,
        ),
        Alteration::mutant(
            "publishes-one-identity",
            "A bulk publish is of one identity only.",
            &["BulkPublish/rule/publishes-every-dataset"],
            Switch::PublishesOneIdentity,
        ),
        Alteration::mutant(
            "publishes-deleted-datasets",
            "A bulk publish tells of deleted datasets too.",
            &["BulkPublish/rule/leaves-out-deleted"],
            Switch::PublishesDeletedDatasets,
        ),
        Alteration::mutant(
            "publish-failure-hidden",
            "A bulk publish that fails is said to have succeeded.",
            &["GetBulkPublishDetails/rule/failed-publish"],
            Switch::PublishFailureHidden,
        ),
        Alteration::mutant(
            "failed-publish-counts",
            "After a bulk publish that failed, the next one must wait for a day.",
            &["BulkPublish/rule/again-after-failure"],
            Switch::FailedPublishCounts,
        ),
        Alteration::variant(
            "publishes-tombstones",
            "A bulk publish tells of removed records too.",
            &["BulkPublish/rule/tombstones-published"],
            Switch::PublishesTombstones,
        ),
        Alteration::variant(
            "publish-failure-ends-streaming",
            "A bulk publish that fails switches streaming off.",
            &["BulkPublish/rule/failure-ends-streaming"],
            Switch::PublishFailureEndsStreaming,
        ),
    ]
}
