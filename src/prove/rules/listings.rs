//! Listings: counts, pages, and the tokens that open writes.

use serde_json::{Value, json};

use crate::prove::alteration::Alteration;
use crate::prove::answers::{body, member};
use crate::reference::Switch;
use crate::wire::{Request, Response};

pub(super) fn all() -> Vec<Alteration> {
    let mut all = never_written();
    all.extend(since_a_count());
    all.extend(pages());
    all.extend(sizes_of_pages());
    all.extend(tokens());
    all.extend(refusals_of_tokens());
    all
}

fn never_written() -> Vec<Alteration> {
    let altered = |word: &str, about: &str, id: &str, pointer: &'static str, value: Value| {
        let id = format!("ListRecords/rule/never-written-{id}");
        Alteration::rewritten(&format!("never-written-{word}"), about, &[&id], move |_, _, response| {
            of_never_written(response, |body| body[pointer] = value.clone());
        })
    };
    vec![
        Alteration::mutant(
            "never-written-not-found",
            "Listing a dataset that was never written is an error.",
            &["ListRecords/rule/never-written-is-no-error"],
            Switch::NeverWrittenNotFound,
        ),
        altered(
            "counts-one",
            "The count of a dataset that was never written is 1.",
            "count-zero",
            "DatasetSyncCount",
            json!(1),
        ),
        altered(
            "without-count",
            "A dataset that was never written has no count.",
            "count-zero",
            "DatasetSyncCount",
            json!(null),
        ),
        altered("exists", "A listing makes its dataset.", "does-not-exist", "DatasetExists", json!(true)),
        altered(
            "is-deleted",
            "A dataset that was never written counts as deleted.",
            "is-not-deleted",
            "DatasetDeletedAfterRequestedSyncCount",
            json!(true),
        ),
        altered("holds-record", "A new dataset has a record.", "is-empty", "Records", json!([{ "Key": "k" }])),
        altered("counts-record", "Count of a dataset that was never written is 1.", "is-empty", "Count", json!(1)),
        altered("goes-on", "A dataset that was never written has pages.", "is-empty", "NextToken", json!("AA==")),
        altered(
            "is-merged",
            "Each dataset that was never written was merged from another.",
            "merges-nothing",
            "MergedDatasetNames",
            json!(["former"]),
        ),
        altered(
            "has-writer",
            "A dataset that was never written has a last writer.",
            "has-no-writer",
            "LastModifiedBy",
            json!("123456789012"),
        ),
        Alteration::rewritten(
            "merged-names-null",
            "MergedDatasetNames is null where nothing was merged.",
            &[],
            |_, _, response| member(response, "/MergedDatasetNames", |names| *names = Value::Null),
        )
        .legal(),
    ]
}

/// Rewrites the listing of a dataset that was never written.
fn of_never_written(response: &mut Response, rewrite: impl FnOnce(&mut Value)) {
    body(response, |body| {
        if body["DatasetExists"] == json!(false) && body["DatasetSyncCount"] == json!(0) {
            rewrite(body);
        }
    });
}

fn since_a_count() -> Vec<Alteration> {
    vec![
        Alteration::mutant(
            "latest-write-unlisted",
            "Listings do not show the records of the latest write.",
            &["ListRecords/rule/shows-what-was-written"],
            Switch::LatestWriteUnlisted,
        ),
        Alteration::mutant(
            "count-shown-late",
            "Listings show the dataset's count from before the latest write.",
            &["ListRecords/rule/shows-what-was-written"],
            Switch::CountShownLate,
        ),
        Alteration::mutant(
            "last-sync-count-inclusive",
            "A listing holds the records with LastSyncCount too.",
            &["ListRecords/rule/last-sync-count-is-exclusive"],
            Switch::LastSyncCountInclusive,
        ),
        Alteration::mutant(
            "last-sync-count-ignored",
            "A listing holds all records, whatever LastSyncCount says.",
            &["ListRecords/rule/last-sync-count-is-exclusive"],
            Switch::LastSyncCountIgnored,
        ),
        Alteration::mutant(
            "no-count-lists-nothing",
            "A listing without LastSyncCount holds no records.",
            &["ListRecords/rule/zero-lists-all"],
            Switch::NoCountListsNothing,
        ),
        Alteration::mutant(
            "count-ahead-lists-nothing",
            "A count that the dataset has not reached is taken.",
            &["ListRecords/rule/count-ahead-refused"],
            Switch::CountAheadListsNothing,
        ),
        Alteration::rewritten(
            "count-ahead-without-number",
            "The message about a count that the dataset has not reached does not name it.",
            &["ListRecords/rule/count-ahead-message"],
            |_, _, response| {
                member(response, "/message", |message| {
                    if message.as_str().is_some_and(|message| message.starts_with("No such SyncCount")) {
                        *message = "LastSyncCount is invalid".into();
                    }
                });
            },
        ),
        Alteration::variant(
            "ahead-of-never-written-refused",
            "A count above 0 is refused for a dataset that was never written.",
            &["ListRecords/rule/count-ahead-of-never-written"],
            Switch::AheadOfNeverWrittenRefused,
        ),
    ]
}

fn pages() -> Vec<Alteration> {
    vec![
        Alteration::mutant(
            "pages-repeat-last",
            "A page begins with the last entry of the page before.",
            &[
                "ListRecords/rule/pages-hold-everything",
                "ListDatasets/rule/pages-hold-everything",
                "ListIdentityPoolUsage/rule/pages-hold-everything",
            ],
            Switch::PagesRepeatLast,
        ),
        Alteration::mutant(
            "pages-skip-one",
            "A page leaves out the first entry after the page before.",
            &["ListRecords/rule/pages-hold-everything", "ListDatasets/rule/pages-hold-everything"],
            Switch::PagesSkipOne,
        ),
        Alteration::mutant(
            "later-pages-forget-count",
            "Pages after the first hold records up to LastSyncCount too.",
            &["ListRecords/rule/pages-hold-everything"],
            Switch::LaterPagesForgetCount,
        ),
        Alteration::rewritten(
            "pages-never-end",
            "Every page names a next one.",
            &[
                "ListRecords/rule/never-written-is-empty",
                "ListRecords/rule/default-page-is-large",
                "ListDatasets/rule/default-page-is-large",
                "ListDatasets/rule/no-datasets",
            ],
            |operation, _, response| {
                if operation.is_some_and(|operation| operation.starts_with("List")) {
                    member(response, "/NextToken", |token| {
                        if token.is_null() {
                            *token = "AA==".into();
                        }
                    });
                }
            },
        ),
        Alteration::variant(
            "last-page-often-empty",
            "A full page always names a next one, which may be empty.",
            &[],
            Switch::LastPageOftenEmpty,
        ),
        Alteration::variant(
            "records-by-count",
            "Records are listed in the order of their counts.",
            &[],
            Switch::RecordsByCount,
        ),
        Alteration::variant(
            "records-backwards",
            "Records are listed from the last key to the first.",
            &["ListRecords/rule/record-order"],
            Switch::RecordsBackwards,
        ),
        Alteration::variant(
            "count-of-listing",
            "Count of a listing is that of all its pages.",
            &["ListRecords/rule/count-spans-pages"],
            Switch::CountOfListing,
        ),
        Alteration::rewritten(
            "count-of-records-off-by-one",
            "Count of a listing of records is one too many.",
            &["ListRecords/rule/count-of-one-record-page", "ListRecords/rule/never-written-is-empty"],
            |operation, _, response| {
                if operation == Some("ListRecords") {
                    member(response, "/Count", |count| *count = (count.as_i64().unwrap_or_default() + 1).into());
                }
            },
        ),
        Alteration::variant(
            "bad-next-token-ignored",
            "A made-up NextToken leads to the first page.",
            &[
                "ListRecords/rule/bad-next-token",
                "ListDatasets/rule/bad-next-token",
                "ListIdentityPoolUsage/rule/bad-next-token",
            ],
            Switch::BadNextTokenIgnored,
        ),
    ]
}

fn sizes_of_pages() -> Vec<Alteration> {
    vec![
        Alteration::mutant(
            "pages-one-too-large",
            "A page holds one entry more than it may.",
            &[
                "ListRecords/rule/page-is-no-larger",
                "ListDatasets/rule/page-is-no-larger",
                "ListIdentityPoolUsage/rule/page-is-no-larger",
            ],
            Switch::PagesOneTooLarge,
        ),
        Alteration::mutant(
            "default-page-of-one",
            "Without MaxResults a page holds one entry.",
            &["ListRecords/rule/default-page-is-large", "ListDatasets/rule/default-page-is-large"],
            Switch::DefaultPageOfOne,
        ),
        Alteration::mutant(
            "large-pages-refused",
            "A page of more than 100 is refused.",
            &[
                "ListRecords/rule/page-of-1024-accepted",
                "ListDatasets/rule/page-of-1000-accepted",
                "ListIdentityPoolUsage/rule/page-of-1000-accepted",
            ],
            Switch::LargePagesRefused,
        ),
        Alteration::variant(
            "huge-pages-refused",
            "A page of more than 1024 is refused.",
            &[],
            Switch::HugePagesRefused,
        ),
        Alteration::variant("pages-of-100", "A page holds 100 entries at most.", &[], Switch::PagesOf100),
        Alteration::variant(
            "bad-page-size-ignored",
            "A page size of 0 or less is taken for none.",
            &["ListRecords/rule/bad-max-results", "ListIdentityPoolUsage/rule/bad-max-results"],
            Switch::BadPageSizeIgnored,
        ),
    ]
}

fn tokens() -> Vec<Alteration> {
    vec![
        Alteration::rewritten(
            "session-token-empty",
            "The SyncSessionToken of a listing is empty.",
            &["ListRecords/rule/returns-token"],
            |_, _, response| member(response, "/SyncSessionToken", |token| *token = "".into()),
        ),
        Alteration::rewritten(
            "session-token-of-first-page",
            "Only the first page of a listing has a SyncSessionToken.",
            &["ListRecords/rule/every-page-has-token"],
            |_, request, response| {
                if is_later_page(request) {
                    member(response, "/SyncSessionToken", |token| *token = Value::Null);
                }
            },
        ),
        Alteration::rewritten(
            "last-page-token-useless",
            "The SyncSessionToken of a page after the first is good for nothing.",
            &["ListRecords/rule/last-page-token-writes"],
            |_, request, response| {
                if is_later_page(request) {
                    member(response, "/SyncSessionToken", |token| *token = "useless".into());
                }
            },
        ),
        Alteration::mutant(
            "token-of-missing-dataset-refused",
            "A token of a dataset that does not exist opens no write.",
            &["UpdateRecords/rule/token-opens-write", "UpdateRecords/rule/creates-dataset"],
            Switch::TokenOfMissingDatasetRefused,
        ),
        Alteration::mutant(
            "listing-takes-no-token",
            "A listing that carries a token is refused.",
            &["ListRecords/rule/fresh-token-accepted", "ListRecords/rule/token-survives-conflict"],
            Switch::ListingTakesNoToken,
        ),
        Alteration::mutant(
            "conflict-spends-token",
            "A write that is refused with a conflict uses up its token.",
            &["ListRecords/rule/token-survives-conflict"],
            Switch::ConflictSpendsToken,
        ),
        Alteration::variant(
            "session-continued",
            "A listing that carries a token answers with the same one.",
            &[],
            Switch::SessionContinued,
        ),
        Alteration::variant(
            "other-refusal-spends-token",
            "A write that is refused for another reason than a conflict uses up its token.",
            &[],
            Switch::OtherRefusalSpendsToken,
        ),
    ]
}

fn is_later_page(request: &Request) -> bool {
    request.query().is_some_and(|query| query.contains("nextToken="))
}

fn refusals_of_tokens() -> Vec<Alteration> {
    vec![
        Alteration::mutant(
            "spent-token-writes",
            "A token is good for any number of writes.",
            &["UpdateRecords/rule/spent-token-refused"],
            Switch::SpentTokenWrites,
        ),
        Alteration::mutant(
            "spent-token-lists",
            "A token that was used for a write is good for listings.",
            &["ListRecords/rule/spent-token-refused"],
            Switch::SpentTokenLists,
        ),
        Alteration::mutant(
            "spent-token-unauthorized",
            "A listing with a spent token is not authorized.",
            &["ListRecords/rule/spent-token-error"],
            Switch::SpentTokenUnauthorized,
        ),
        Alteration::mutant(
            "token-of-any-dataset",
            "A token is good for all datasets of the identity.",
            &["UpdateRecords/rule/foreign-token-refused", "ListRecords/rule/foreign-token-refused"],
            Switch::ForeignTokenOfDataset,
        ),
        Alteration::mutant(
            "token-of-any-identity",
            "A token is good for the dataset of that name of every identity.",
            &["UpdateRecords/rule/other-identity-token-refused"],
            Switch::ForeignTokenOfIdentity,
        ),
        Alteration::mutant(
            "any-token-accepted",
            "A made-up or foreign token is taken.",
            &["UpdateRecords/rule/made-up-token-refused", "UpdateRecords/rule/foreign-token-refused"],
            Switch::AnyTokenAccepted,
        ),
        Alteration::rewritten(
            "token-message-of-few-words",
            "The message about a token that does not fit does not say what it does not fit.",
            &["UpdateRecords/rule/foreign-token-message"],
            |_, _, response| {
                member(response, "/message", |message| {
                    if message.as_str().is_some_and(|message| message.starts_with("SyncSessionToken")) {
                        *message = "Invalid token".into();
                    }
                });
            },
        ),
    ]
}
