//! Functions that fail, or answer what they may not.

use serde_json::Value;

use super::entries;
use crate::prove::alteration::Alteration;
use crate::prove::answers::{instead, is_error, on, refuse};
use crate::reference::{Switch, Told};
use crate::wire::Response;

pub(super) fn all() -> Vec<Alteration> {
    [taken(), outcomes(), left_behind(), open()].into_iter().flatten().collect()
}

fn taken() -> Vec<Alteration> {
    vec![
        Alteration::retold(
            "function-may-alter-fields",
            "What a function alters beside the records is ignored.",
            &["UpdateRecords/rule/trigger-alters-field"],
            |told, answer| {
                let (Told::Answer(event), Some(answer)) = (told, answer.as_object_mut()) else { return };
                for (name, value) in event.as_object().into_iter().flatten() {
                    if name != "datasetRecords" && answer.contains_key(name) {
                        answer.insert(name.clone(), value.clone());
                    }
                }
            },
        ),
        Alteration::retold(
            "function-may-answer-anything",
            "A function's answer that has no records in it counts as its event.",
            &["UpdateRecords/rule/trigger-answer-form"],
            |told, answer| {
                if let Told::Answer(event) = told
                    && !answer.get("datasetRecords").is_some_and(Value::is_object)
                {
                    *answer = event.clone();
                }
            },
        ),
        Alteration::retold(
            "function-may-write-anything",
            "Entries of a function's answer that make no sense are ignored.",
            &["UpdateRecords/rule/trigger-bad-entry"],
            |told, answer| {
                let (Told::Answer(_), Some(records)) = (told, entries(answer)) else { return };
                records.retain(|_, entry| {
                    let op = entry.get("op").and_then(Value::as_str).unwrap_or_default();
                    let value = entry.get("newValue").unwrap_or(&Value::Null);
                    op == "remove" || op == "replace" && (value.is_null() || value.is_string())
                });
            },
        ),
        Alteration::mutant(
            "function-may-fail",
            "When the function fails, the update is made as it was sent.",
            &[
                "UpdateRecords/rule/trigger-alters-field",
                "UpdateRecords/rule/trigger-answer-form",
                "UpdateRecords/rule/trigger-error",
                "UpdateRecords/rule/trigger-throttled",
                "UpdateRecords/rule/trigger-time-limit",
            ],
            Switch::FunctionFailureIgnored,
        ),
        Alteration::mutant(
            "function-waited-for",
            "A function may take as long as it likes.",
            &["UpdateRecords/rule/trigger-time-limit"],
            Switch::FunctionWaitedFor,
        ),
        Alteration::mutant(
            "function-given-little-time",
            "A function is given a tenth of its time.",
            &["UpdateRecords/rule/trigger-slow-function"],
            Switch::FunctionGivenLittle,
        ),
    ]
}

fn outcomes() -> Vec<Alteration> {
    let ends = "The function ended with an error";
    vec![
        Alteration::rewritten(
            "function-error-is-internal",
            "A function that ends with an error is an InternalErrorException.",
            &["UpdateRecords/rule/trigger-error"],
            on("UpdateRecords", move |response| instead(response, ends, 500, "InternalErrorException")),
        ),
        Alteration::rewritten(
            "throttled-function-is-invalid",
            "A throttled function is an InvalidLambdaFunctionOutputException.",
            &["UpdateRecords/rule/trigger-throttled"],
            on("UpdateRecords", |response| {
                renamed(response, "LambdaThrottledException", 400, "InvalidLambdaFunctionOutputException");
            }),
        ),
        Alteration::rewritten(
            "throttled-function-throttles",
            "A throttled function is a TooManyRequestsException.",
            &["UpdateRecords/rule/trigger-throttled"],
            on("UpdateRecords", |response| {
                renamed(response, "LambdaThrottledException", 429, "TooManyRequestsException");
            }),
        ),
        Alteration::rewritten(
            "altered-field-is-a-parameter",
            "A function that alters another field is an InvalidParameterException.",
            &["UpdateRecords/rule/trigger-alters-field"],
            on("UpdateRecords", |response| {
                instead(response, "The function altered", 400, "InvalidParameterException");
            }),
        ),
        Alteration::rewritten(
            "slow-function-is-internal",
            "A function that takes too long is an InternalErrorException.",
            &["UpdateRecords/error/LambdaSocketTimeoutException"],
            on("UpdateRecords", |response| {
                renamed(response, "LambdaSocketTimeoutException", 500, "InternalErrorException");
            }),
        ),
    ]
}

fn left_behind() -> Vec<Alteration> {
    vec![
        Alteration::mutant(
            "function-failure-writes",
            "When the function fails, the update is refused and made all the same.",
            &["UpdateRecords/rule/trigger-failure-writes-nothing"],
            Switch::FunctionFailureWrites,
        ),
        Alteration::variant(
            "function-failure-spends-token",
            "A function that fails uses up the update's token.",
            &["UpdateRecords/rule/trigger-failure-keeps-token"],
            Switch::FunctionFailureSpendsToken,
        ),
    ]
}

fn open() -> Vec<Alteration> {
    vec![
        Alteration::retold(
            "function-may-leave-fields-out",
            "A field that a function leaves out is as it was.",
            &["UpdateRecords/rule/trigger-omits-field"],
            |told, answer| {
                let (Told::Answer(event), Some(answer)) = (told, answer.as_object_mut()) else { return };
                for (name, value) in event.as_object().into_iter().flatten() {
                    if name != "datasetRecords" && !answer.contains_key(name) && !answer.is_empty() {
                        answer.insert(name.clone(), value.clone());
                    }
                }
            },
        )
        .legal(),
        Alteration::retold(
            "function-may-not-add-fields",
            "A field in a function's answer that its event did not have makes the answer invalid.",
            &["UpdateRecords/rule/trigger-extra-field"],
            |told, answer| {
                let Told::Answer(event) = told else { return };
                if answer.as_object().is_some_and(|answer| answer.keys().any(|name| event.get(name).is_none())) {
                    *answer = Value::Null;
                }
            },
        )
        .legal(),
        Alteration::retold(
            "function-records-that-break-constraints-ignored",
            "A record that a function adds with an empty key is ignored.",
            &["UpdateRecords/rule/trigger-constraints"],
            |told, answer| {
                if let (Told::Answer(_), Some(records)) = (told, entries(answer)) {
                    records.retain(|key, _| !key.is_empty());
                }
            },
        )
        .legal(),
        Alteration::rewritten(
            "missing-function-is-not-found",
            "A function that cannot be called is a ResourceNotFoundException.",
            &["UpdateRecords/rule/trigger-missing-function"],
            on("UpdateRecords", |response| {
                instead(response, "AWS Lambda refused", 404, "ResourceNotFoundException");
            }),
        )
        .legal(),
        Alteration::rewritten(
            "failing-lambda-is-invalid",
            "A fault of Lambda itself is an InvalidLambdaFunctionOutputException.",
            &["UpdateRecords/rule/trigger-lambda-fails"],
            on("UpdateRecords", |response| {
                instead(response, "AWS Lambda failed", 400, "InvalidLambdaFunctionOutputException");
            }),
        )
        .legal(),
    ]
}

fn renamed(response: &mut Response, from: &str, status: u16, to: &str) {
    if is_error(response, from) {
        refuse(response, status, to);
    }
}
