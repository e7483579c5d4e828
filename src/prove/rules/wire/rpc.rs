//! The protocol of the samples.

use super::renamed;
use crate::prove::alteration::Alteration;
use crate::prove::answers::{always, member, refuse};
use crate::reference::Switch;
use crate::wire::{Request, Response};

pub(super) fn all() -> Vec<Alteration> {
    [samples(), broken(), open(), forms()].into_iter().flatten().collect()
}

/// Answers that lack what a sample shows: the operation, what it lacks, and from where.
const LACKING: [(&str, &str, &str); 8] = [
    ("DescribeIdentityPoolUsage", "DataStorage", "/IdentityPoolUsage"),
    ("DescribeIdentityUsage", "DatasetCount", "/IdentityUsage"),
    ("GetIdentityPoolConfiguration", "RoleArn", "/PushSync"),
    ("ListDatasets", "NumRecords", "/Datasets/0"),
    ("ListIdentityPoolUsage", "MaxResults", ""),
    ("ListRecords", "DatasetSyncCount", ""),
    ("RegisterDevice", "DeviceId", ""),
    ("SetIdentityPoolConfiguration", "ApplicationArns", "/PushSync"),
];

fn samples() -> Vec<Alteration> {
    let lacking = LACKING.iter().map(|(operation, name, pointer)| {
        Alteration::rewritten(
            &format!("{operation}/rule/sample/without-{name}"),
            &format!("Over legacy-rpc, {operation} answers without {name}."),
            &[&format!("{operation}/rule/sample")],
            over_rpc(operation, move |response| {
                member(response, pointer, |value| {
                    value.as_object_mut().map(|members| members.shift_remove(*name));
                });
            }),
        )
    });
    let refusing = ["SubscribeToDataset", "UnsubscribeFromDataset"].into_iter().map(|operation| {
        Alteration::rewritten(
            &format!("{operation}/rule/sample/refused"),
            &format!("Over legacy-rpc, {operation} is refused."),
            &[&format!("{operation}/rule/sample")],
            over_rpc(operation, |response| refuse(response, 400, "InvalidParameterException")),
        )
    });
    lacking.chain(refusing).collect()
}

/// A rewrite of one operation's answers, where it is called over this protocol.
fn over_rpc(
    operation: &'static str,
    rewrite: impl Fn(&mut Response) + Send + Sync + 'static,
) -> impl Fn(Option<&str>, &Request, &mut Response) + Send + Sync + 'static {
    move |called, request, response| {
        if called == Some(operation) && request.headers.contains("x-amz-target") {
            rewrite(response);
        }
    }
}

fn broken() -> Vec<Alteration> {
    let unknown = "UnknownOperationException";
    vec![
        Alteration::mutant(
            "rpc-envelope-unread",
            "Over legacy-rpc, an envelope is taken for the input itself.",
            &["service/rule/legacy-rpc-envelope"],
            Switch::RpcEnvelopeUnread,
        ),
        Alteration::mutant(
            "rpc-answers-bare",
            "Over legacy-rpc, no answer stands in an envelope.",
            &["service/rule/legacy-rpc-envelope"],
            Switch::RpcAnswersBare,
        ),
        Alteration::mutant(
            "rpc-type-of-operation",
            "Over legacy-rpc, an output has the name of its operation for a type.",
            &["service/rule/legacy-rpc-envelope"],
            Switch::RpcTypeOfOperation,
        ),
        Alteration::mutant(
            "rpc-nulls-left-out",
            "Over legacy-rpc, members without a value are left out.",
            &["service/rule/legacy-rpc-nulls"],
            Switch::RpcNullsLeftOut,
        ),
        Alteration::mutant(
            "rpc-text-is-no-number",
            "Over legacy-rpc, a number that is written as text is refused.",
            &["service/rule/legacy-rpc-number-as-text"],
            Switch::RpcTextIsNoNumber,
        ),
        Alteration::mutant(
            "rpc-datasets-apart",
            "Each protocol has datasets of its own.",
            &["service/rule/legacy-rpc-same-data"],
            Switch::RpcDatasetsApart,
        ),
        Alteration::mutant(
            "rpc-unsigned-accepted",
            "Over legacy-rpc, nobody has to sign.",
            &["service/rule/legacy-rpc-signed"],
            Switch::RpcUnsignedAccepted,
        ),
        Alteration::rewritten(
            "rpc-unknown-operation-is-a-resource",
            "Over legacy-rpc, an operation that does not exist is a resource that is not found.",
            &["service/rule/legacy-rpc-unknown-operation"],
            always(move |response| renamed(response, unknown, 404, "ResourceNotFoundException")),
        ),
    ]
}

fn open() -> Vec<Alteration> {
    vec![
        Alteration::variant(
            "rpc-unknown",
            "`POST /` is no operation's, whatever its headers say.",
            &["service/rule/legacy-rpc"],
            Switch::RpcUnknown,
        )
        .without("legacy-rpc"),
        Alteration::variant(
            "rpc-envelope-wanted",
            "Over legacy-rpc, a call without an envelope has no input.",
            &["service/rule/legacy-rpc-bare-request"],
            Switch::RpcEnvelopeWanted,
        ),
        Alteration::variant(
            "rpc-answers-enveloped",
            "Over legacy-rpc, every answer stands in an envelope.",
            &["service/rule/legacy-rpc-bare-answer"],
            Switch::RpcAnswersEnveloped,
        ),
        Alteration::variant(
            "rpc-prefix-ignored",
            "Over legacy-rpc, only the operation's name counts, not what stands before it.",
            &["service/rule/legacy-rpc-prefix"],
            Switch::RpcPrefixIgnored,
        ),
        Alteration::variant(
            "rpc-errors-of-200",
            "Over legacy-rpc, every answer has status 200.",
            &["service/rule/legacy-rpc-error-status"],
            Switch::RpcErrorsOf200,
        ),
        Alteration::variant(
            "rpc-errors-of-400",
            "Over legacy-rpc, every error of the caller's has status 400.",
            &["service/rule/legacy-rpc-error-status"],
            Switch::RpcErrorsOf400,
        ),
        Alteration::variant(
            "rpc-errors-in-header",
            "Over legacy-rpc, errors are told as in rest-json.",
            &["service/rule/legacy-rpc-error-name"],
            Switch::RpcErrorsInHeader,
        ),
        Alteration::variant(
            "rpc-id-echoed",
            "Over legacy-rpc, an answer has the id that its request states.",
            &["service/rule/legacy-rpc-request-id"],
            Switch::RpcIdEchoed,
        ),
    ]
}

fn forms() -> Vec<Alteration> {
    vec![
        Alteration::variant(
            "rpc-unknown-as-rest",
            "Over legacy-rpc, an unknown operation is answered as an unknown path is.",
            &[],
            Switch::RpcUnknownAsRest,
        ),
        Alteration::rewritten(
            "rpc-output-null",
            "Over legacy-rpc, the output of the calls that answer nothing is null.",
            &[],
            |called, request, response| {
                let says_nothing = called
                    .is_some_and(|called| called.ends_with("scribeToDataset") || called.ends_with("scribeFromDataset"));
                if says_nothing && response.is_success() && request.headers.contains("x-amz-target") {
                    response.body = bytes::Bytes::new();
                }
            },
        )
        .legal(),
    ]
}
