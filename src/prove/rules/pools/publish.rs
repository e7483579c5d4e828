//! Bulk publishes and their details.

use serde_json::{Value, json};

use super::{renamed, says};
use crate::prove::alteration::Alteration;
use crate::prove::answers::{is_error, member, on, refuse};
use crate::reference::Switch;
use crate::wire::Response;

pub(super) fn all() -> Vec<Alteration> {
    [publish(), publish_variants()].into_iter().flatten().collect()
}

fn publish() -> Vec<Alteration> {
    vec![
        Alteration::mutant(
            "parallel-publishes",
            "A bulk publish may run beside another of the same pool.",
            &["BulkPublish/rule/one-at-a-time"],
            Switch::ParallelPublishes,
        ),
        Alteration::rewritten(
            "duplicate-publish-is-a-conflict",
            "A bulk publish beside another one is a ResourceConflictException.",
            &["BulkPublish/rule/one-at-a-time"],
            on("BulkPublish", |response| {
                renamed(response, "DuplicateRequestException", 409, "ResourceConflictException")
            }),
        ),
        Alteration::mutant(
            "republished-at-once",
            "A pool may be published again as soon as it was.",
            &["BulkPublish/rule/once-a-day"],
            Switch::RepublishedAtOnce,
        ),
        Alteration::rewritten(
            "republish-is-a-duplicate",
            "A second bulk publish of the day is a DuplicateRequestException.",
            &["BulkPublish/rule/once-a-day"],
            on("BulkPublish", |response| {
                renamed(response, "AlreadyStreamedException", 400, "DuplicateRequestException")
            }),
        ),
        Alteration::rewritten(
            "never-published-succeeded",
            "A pool that was never published is said to have been.",
            &["GetBulkPublishDetails/rule/never-published"],
            on("GetBulkPublishDetails", |response| status(response, "NOT_STARTED", &json!("SUCCEEDED"))),
        ),
        Alteration::rewritten(
            "never-published-has-no-status",
            "A pool that was never published has no status.",
            &["GetBulkPublishDetails/rule/never-published"],
            on("GetBulkPublishDetails", |response| status(response, "NOT_STARTED", &Value::Null)),
        ),
        Alteration::mutant(
            "publish-never-starts",
            "A bulk publish never gets further than having been asked for.",
            &["GetBulkPublishDetails/rule/status-follows-publish"],
            Switch::PublishNeverStarts,
        ),
        Alteration::rewritten(
            "publish-status-in-other-words",
            "A bulk publish that runs or is done has a status of another name.",
            &["GetBulkPublishDetails/rule/status-follows-publish"],
            on("GetBulkPublishDetails", |response| {
                status(response, "IN_PROGRESS", &json!("RUNNING"));
                status(response, "SUCCEEDED", &json!("COMPLETED"));
            }),
        ),
        Alteration::rewritten(
            "body-of-a-publish-refused",
            "A bulk publish with a body is refused.",
            &["BulkPublish/rule/body-ignored"],
            |operation, request, response| {
                if operation == Some("BulkPublish") && !request.body.is_empty() {
                    refuse(response, 400, "SerializationException");
                }
            },
        ),
        Alteration::rewritten(
            "body-of-publish-details-refused",
            "Details of a bulk publish cannot be asked for with a body.",
            &["GetBulkPublishDetails/rule/body-ignored"],
            |operation, request, response| {
                if operation == Some("GetBulkPublishDetails") && !request.body.is_empty() {
                    refuse(response, 400, "SerializationException");
                }
            },
        ),
        Alteration::rewritten(
            "body-of-publish-details-needed",
            "Details of a bulk publish cannot be asked for without a body.",
            &["GetBulkPublishDetails/rule/body-ignored"],
            |operation, request, response| {
                if operation == Some("GetBulkPublishDetails") && request.body.is_empty() {
                    refuse(response, 400, "SerializationException");
                }
            },
        ),
    ]
}

fn publish_variants() -> Vec<Alteration> {
    vec![
        Alteration::variant(
            "publish-fails-later",
            "While streaming is off, a bulk publish is taken and then fails.",
            &["BulkPublish/rule/streaming-disabled"],
            Switch::PublishFailsLater,
        ),
        Alteration::rewritten(
            "publish-needs-streaming-to-be-found",
            "While streaming is off, a bulk publish fails with ResourceNotFoundException.",
            &["BulkPublish/rule/streaming-disabled"],
            on("BulkPublish", |response| without_streaming(response, 404, "ResourceNotFoundException")),
        )
        .legal(),
        Alteration::rewritten(
            "publish-needs-streaming-to-be-allowed",
            "While streaming is off, a bulk publish fails with NotAuthorizedException.",
            &["BulkPublish/rule/streaming-disabled"],
            on("BulkPublish", |response| without_streaming(response, 403, "NotAuthorizedException")),
        )
        .legal(),
        Alteration::rewritten(
            "publish-needs-configuration",
            "While streaming is off, a bulk publish fails with InvalidConfigurationException.",
            &["BulkPublish/rule/streaming-disabled"],
            on("BulkPublish", |response| without_streaming(response, 400, "InvalidConfigurationException")),
        )
        .legal(),
    ]
}

fn status(response: &mut Response, from: &str, to: &Value) {
    member(response, "/BulkPublishStatus", |status| {
        if *status == from {
            *status = to.clone();
        }
    });
}

fn without_streaming(response: &mut Response, status: u16, name: &str) {
    if is_error(response, "InvalidParameterException") && says(response, "Streaming") {
        refuse(response, status, name);
    }
}
