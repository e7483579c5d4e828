//! Datasets, their descriptions and lists, deletion, usage figures.

use serde_json::{Value, json};

use crate::prove::alteration::Alteration;
use crate::prove::answers::{body, member};
use crate::reference::Switch;
use crate::spec::ShapeKind;
use crate::wire::Response;

/// Values and datasets without any bound: where one of the two bounds is left, it
/// hides that the other is gone.
fn boundless() -> Alteration {
    let limit = &["UpdateRecords/limit/dataset-size"];
    Alteration::described("values-of-any-size", "Values and datasets may be of any size.", limit, |service| {
        service.limits.iter_mut().filter(|limit| limit.id == "dataset-size").for_each(|limit| limit.value = u64::MAX);
        if let ShapeKind::String(constraints) = &mut service.shapes["RecordValue"].kind {
            constraints.max_length = None;
        }
    })
}

pub(super) fn all() -> Vec<Alteration> {
    let mut all = deletion();
    all.extend(listings_of_deleted());
    all.extend(descriptions());
    all.extend(writers());
    all.extend(usage_of_identities());
    all.extend(usage_of_pools());
    all.extend(lists_of_pools());
    all.push(boundless());
    all
}

fn deletion() -> Vec<Alteration> {
    vec![
        Alteration::rewritten(
            "deletion-returns-nothing",
            "A deletion answers with nothing.",
            &["DeleteDataset/rule/returns-dataset"],
            |operation, _, response| {
                if operation == Some("DeleteDataset") && response.status == 200 {
                    response.body = "{}".into();
                }
            },
        ),
        Alteration::mutant(
            "deletion-described-afterwards",
            "A deletion gives the dataset as it is afterwards.",
            &["DeleteDataset/rule/returns-dataset-as-it-was"],
            Switch::DeletionDescribedAfterwards,
        ),
        Alteration::rewritten(
            "unknown-dataset-deleted",
            "Deleting a dataset that does not exist succeeds.",
            &["DeleteDataset/rule/unknown-dataset"],
            |operation, _, response| succeed(response, operation == Some("DeleteDataset"), &json!({ "Dataset": null })),
        ),
        Alteration::mutant(
            "deleted-described",
            "A deleted dataset is still described.",
            &["DeleteDataset/rule/no-longer-described"],
            Switch::DeletedDescribed,
        ),
        Alteration::mutant(
            "deleted-listed",
            "A deleted dataset is still among the identity's datasets.",
            &["DeleteDataset/rule/no-longer-listed"],
            Switch::DeletedListed,
        ),
        Alteration::mutant(
            "deletion-forgotten",
            "Nothing is remembered of a deleted dataset.",
            &["ListRecords/rule/recreated-is-flagged", "UpdateRecords/rule/count-survives-deletion"],
            Switch::DeletionForgotten,
        ),
        Alteration::mutant(
            "deletion-keeps-records",
            "A deleted dataset keeps its records, and has them again when it is created again.",
            &["UpdateRecords/rule/recreates-dataset"],
            Switch::DeletionKeepsRecords,
        ),
        Alteration::variant(
            "recreation-keeps-date",
            "A dataset that is created again keeps its first CreationDate.",
            &[],
            Switch::RecreationKeepsDate,
        ),
        Alteration::variant(
            "deletion-uncounted",
            "A deletion takes no step of the dataset's count.",
            &["ListRecords/rule/deleted-dataset-count"],
            Switch::DeletionUncounted,
        ),
    ]
}

fn listings_of_deleted() -> Vec<Alteration> {
    vec![
        Alteration::mutant(
            "deleted-not-found",
            "Listing a deleted dataset is an error.",
            &["ListRecords/rule/deleted-dataset-is-no-error"],
            Switch::DeletedNotFound,
        ),
        Alteration::mutant(
            "deleted-refuses-count",
            "Listing a deleted dataset after a count is an error.",
            &["ListRecords/rule/deleted-dataset-with-count"],
            Switch::DeletedRefusesCount,
        ),
        Alteration::mutant(
            "deleted-shown-as-existing",
            "A deleted dataset is listed as one that exists.",
            &["ListRecords/rule/deleted-dataset-is-no-error", "ListRecords/rule/deleted-dataset-with-count-is-gone"],
            Switch::DeletedShownAsExisting,
        ),
        Alteration::variant(
            "deleted-shows-zero",
            "A deleted dataset shows count 0.",
            &["ListRecords/rule/deleted-dataset-count"],
            Switch::DeletedShowsZero,
        ),
        Alteration::mutant(
            "never-flagged",
            "A listing never says that the dataset was deleted meanwhile.",
            &["ListRecords/rule/recreated-is-flagged"],
            Switch::NeverFlagged,
        ),
        Alteration::variant(
            "flagged-from-zero",
            "A listing from count 0 says of a dataset that it was deleted once.",
            &[],
            Switch::FlaggedFromZero,
        ),
        Alteration::variant(
            "flagged-only-when-recreated",
            "A listing says only of a dataset that exists again that it was deleted.",
            &[],
            Switch::FlaggedOnlyWhenRecreated,
        ),
    ]
}

fn descriptions() -> Vec<Alteration> {
    vec![
        Alteration::rewritten(
            "unknown-dataset-described",
            "A dataset that does not exist is described as nothing.",
            &["DescribeDataset/rule/unknown-dataset", "DeleteDataset/rule/no-longer-described"],
            |operation, _, response| {
                succeed(response, operation == Some("DescribeDataset"), &json!({ "Dataset": null }))
            },
        ),
        Alteration::rewritten(
            "data-storage-zero",
            "DataStorage of a dataset is 0.",
            &["DescribeDataset/rule/data-storage-is-of-records"],
            |_, _, response| member(response, "/Dataset/DataStorage", |size| *size = 0.into()),
        ),
        Alteration::rewritten(
            "data-storage-with-overhead",
            "DataStorage of a dataset counts 100 bytes for each record beside key and value.",
            &["DescribeDataset/rule/data-storage-formula"],
            |_, _, response| {
                member(response, "/Dataset", |dataset| {
                    let records = dataset["NumRecords"].as_i64().unwrap_or_default();
                    dataset["DataStorage"] =
                        (dataset["DataStorage"].as_i64().unwrap_or_default() + 100 * records).into();
                })
            },
        ),
        Alteration::mutant(
            "num-records-of-writes",
            "NumRecords counts writes.",
            &["DescribeDataset/rule/num-records"],
            Switch::NumRecordsOfWrites,
        ),
        Alteration::variant(
            "num-records-with-tombstones",
            "NumRecords counts removed records.",
            &["DescribeDataset/rule/tombstones-counted"],
            Switch::NumRecordsWithTombstones,
        ),
        Alteration::variant(
            "data-storage-with-tombstones",
            "DataStorage counts the keys of removed records.",
            &["DescribeDataset/rule/tombstones-counted"],
            Switch::DataStorageWithTombstones,
        ),
        Alteration::rewritten(
            "count-of-datasets-off-by-one",
            "Count of a list of datasets is one too many.",
            &["ListDatasets/rule/count-is-of-answer"],
            |operation, _, response| {
                if operation == Some("ListDatasets") {
                    member(response, "/Count", |count| *count = (count.as_i64().unwrap_or_default() + 1).into());
                }
            },
        ),
        Alteration::rewritten(
            "no-datasets-not-found",
            "Listing the datasets of an identity that has none is an error.",
            &["ListDatasets/rule/no-datasets"],
            |operation, _, response| {
                if operation == Some("ListDatasets") && response.json().is_some_and(|body| body["Count"] == 0) {
                    response.status = 404;
                    response.headers.set("x-amzn-ErrorType", "ResourceNotFoundException:");
                }
            },
        ),
    ]
}

fn writers() -> Vec<Alteration> {
    vec![
        Alteration::rewritten(
            "account-is-called-developer",
            "LastModifiedBy of what the account wrote is `developer`.",
            &["ListDatasets/rule/developer-writes-as-account"],
            |_, _, response| {
                each_writer(response, |writer| if writer.contains(':') { Some(writer) } else { Some("developer") });
            },
        ),
        Alteration::rewritten(
            "account-is-not-named",
            "LastModifiedBy of what the account wrote is null.",
            &["ListDatasets/rule/developer-writes-as-account"],
            |_, _, response| each_writer(response, |writer| Some(writer).filter(|writer| writer.contains(':'))),
        ),
        Alteration::rewritten(
            "identity-is-not-named",
            "LastModifiedBy of what an identity wrote is null.",
            &["DescribeDataset/rule/identity-writes-as"],
            |_, _, response| each_writer(response, |writer| Some(writer).filter(|writer| !writer.contains(':'))),
        )
        .legal(),
        Alteration::rewritten(
            "identity-is-a-device",
            "LastModifiedBy of what an identity wrote is the id of a device.",
            &["DescribeDataset/rule/identity-writes-as"],
            |_, _, response| {
                let device = "00000000-0000-4000-8000-00000000de71";
                each_writer(response, |writer| if writer.contains(':') { Some(device) } else { Some(writer) });
            },
        )
        .legal(),
    ]
}

fn usage_of_identities() -> Vec<Alteration> {
    vec![
        Alteration::rewritten(
            "usage-without-identity",
            "The usage of an identity does not name it.",
            &["DescribeIdentityUsage/rule/ids-echoed"],
            |_, _, response| member(response, "/IdentityUsage/IdentityId", |id| *id = Value::Null),
        ),
        Alteration::rewritten(
            "usage-without-pool",
            "The usage of an identity does not name its pool.",
            &["DescribeIdentityUsage/rule/ids-echoed"],
            |_, _, response| member(response, "/IdentityUsage/IdentityPoolId", |id| *id = Value::Null),
        ),
        Alteration::mutant(
            "storage-of-one-dataset",
            "DataStorage of an identity is that of its first dataset.",
            &["DescribeIdentityUsage/rule/data-storage-is-sum"],
            Switch::StorageOfOneDataset,
        ),
        Alteration::mutant(
            "storage-of-deleted-datasets",
            "DataStorage of an identity counts the datasets that were deleted.",
            &["DescribeIdentityUsage/rule/data-storage-is-sum"],
            Switch::StorageOfDeletedDatasets,
        ),
        Alteration::mutant(
            "datasets-counted-for-ever",
            "DatasetCount counts deleted datasets.",
            &["DescribeIdentityUsage/rule/dataset-count"],
            Switch::DatasetsCountedForEver,
        ),
        Alteration::variant(
            "usage-of-known-identities",
            "The usage of an identity that does not exist is an error.",
            &["DescribeIdentityUsage/rule/unknown-identity"],
            Switch::UsageOfKnownIdentities,
        ),
        Alteration::mutant(
            "identities-share-data",
            "All identities of a pool have the same datasets.",
            &["ListRecords/input/IdentityId/binding"],
            Switch::IdentitiesShareData,
        ),
    ]
}

fn usage_of_pools() -> Vec<Alteration> {
    let of_pool = |name: &str, about: &str, rule: &str, pointer: &'static str, value: Value| {
        let id = format!("DescribeIdentityPoolUsage/rule/{rule}");
        Alteration::rewritten(name, about, &[&id], move |_, _, response| {
            member(response, "/IdentityPoolUsage", |usage| usage[pointer] = value.clone());
        })
    };
    vec![
        of_pool("pool-storage-zero", "DataStorage of a pool is 0.", "data-storage-of-pool", "DataStorage", json!(0)),
        of_pool(
            "pool-counts-sessions",
            "SyncSessionsCount of a pool is a number.",
            "no-session-count",
            "SyncSessionsCount",
            json!(1),
        ),
        of_pool(
            "pool-never-modified",
            "The usage of a pool has no LastModifiedDate.",
            "has-last-modified",
            "LastModifiedDate",
            json!(null),
        ),
        of_pool(
            "pool-not-named",
            "The usage of a pool does not name it.",
            "pool-echoed",
            "IdentityPoolId",
            json!(null),
        ),
        Alteration::rewritten(
            "unknown-pool-described",
            "The usage of a pool that does not exist is nothing.",
            &["DescribeIdentityPoolUsage/rule/unknown-pool"],
            |operation, _, response| {
                let described = operation == Some("DescribeIdentityPoolUsage");
                succeed(response, described, &json!({ "IdentityPoolUsage": null }));
            },
        ),
        Alteration::rewritten(
            "unknown-pool-status-400",
            "The usage of a pool that does not exist has the HTTP status 400.",
            &["DescribeIdentityPoolUsage/rule/unknown-pool"],
            |_, _, response| {
                if response.status == 404 {
                    response.status = 400;
                }
            },
        ),
    ]
}

fn lists_of_pools() -> Vec<Alteration> {
    let rewritten = |name: &str, about: &str, rule: &str, rewrite: fn(&mut Value)| {
        let id = format!("ListIdentityPoolUsage/rule/{rule}");
        Alteration::rewritten(name, about, &[&id], move |operation, _, response| {
            if operation == Some("ListIdentityPoolUsage") {
                body(response, rewrite);
            }
        })
    };
    vec![
        rewritten("pools-unlisted", "No pool is listed.", "lists-used-pool", |body| {
            body["IdentityPoolUsages"] = json!([]);
        }),
        rewritten(
            "page-size-of-pools-is-count",
            "MaxResults in a list of pools is the number of pools.",
            "max-results-echoed",
            |body| body["MaxResults"] = body["Count"].clone(),
        ),
        rewritten("page-size-of-pools-missing", "A list of pools has no MaxResults.", "max-results-echoed", |body| {
            body["MaxResults"] = Value::Null;
        }),
        rewritten(
            "count-of-pools-off-by-one",
            "Count of a list of pools is one too many.",
            "count-is-of-page",
            |body| {
                body["Count"] = (body["Count"].as_i64().unwrap_or_default() + 1).into();
            },
        ),
        rewritten("pools-count-sessions", "Listed pools have a SyncSessionsCount.", "no-session-count", |body| {
            for usage in body["IdentityPoolUsages"].as_array_mut().into_iter().flatten() {
                usage["SyncSessionsCount"] = 1.into();
            }
        }),
        Alteration::rewritten(
            "page-size-of-pools-not-asked",
            "A list of pools has no MaxResults where none was asked for.",
            &[],
            |operation, request, response| {
                // Over another protocol the body asks.
                let asked =
                    request.method != "GET" || request.query().is_some_and(|query| query.contains("maxResults="));
                if operation == Some("ListIdentityPoolUsage") && !asked {
                    member(response, "/MaxResults", |size| *size = Value::Null);
                }
            },
        )
        .legal(),
        Alteration::variant(
            "token-of-pool-plain",
            "The token of a page of pools is the last pool's id as it is.",
            &["ListIdentityPoolUsage/rule/token-form"],
            Switch::PoolTokenPlain,
        ),
    ]
}

/// Makes a success of what was not found.
fn succeed(response: &mut Response, of_operation: bool, body: &Value) {
    if of_operation && response.status == 404 {
        response.status = 200;
        response.headers.remove("x-amzn-ErrorType");
        response.body = body.to_string().into_bytes().into();
    }
}

/// Rewrites every LastModifiedBy that has a value.
fn each_writer(response: &mut Response, rewrite: impl for<'w> Fn(&'w str) -> Option<&'w str>) {
    body(response, |body| rewrite_writers(body, &rewrite));
}

fn rewrite_writers(value: &mut Value, rewrite: &impl for<'w> Fn(&'w str) -> Option<&'w str>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let writer = value.as_str().filter(|_| name == "LastModifiedBy").map(|writer| rewrite(writer).into());
                match writer {
                    Some(writer) => *value = writer,
                    None => rewrite_writers(value, rewrite),
                }
            }
        }
        Value::Array(entries) => entries.iter_mut().for_each(|entry| rewrite_writers(entry, rewrite)),
        _ => {}
    }
}
