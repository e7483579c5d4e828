//! The service as a whole: signatures, credentials, routes, forms of requests,
//! answers and errors.

use serde_json::Value;

use crate::prove::alteration::Alteration;
use crate::prove::answers::body;
use crate::reference::Switch;

pub(super) fn all() -> Vec<Alteration> {
    vec![
        Alteration::mutant(
            "signature-unchecked",
            "Nobody compares a signature with what it should be.",
            &["service/rule/wrong-signature"],
            Switch::SignatureUnchecked,
        ),
        Alteration::rewritten(
            "no-request-id",
            "No answer has a request id.",
            &["service/rule/request-id"],
            |_, _, response| {
                response.headers.remove("x-amzn-RequestId");
            },
        ),
        Alteration::rewritten(
            "nulls-left-out",
            "What has no value is left out of an answer.",
            &[],
            |_, _, response| {
                body(response, leave_nulls_out);
            },
        )
        .legal(),
    ]
}

fn leave_nulls_out(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, value| !value.is_null());
            members.values_mut().for_each(leave_nulls_out);
        }
        Value::Array(entries) => entries.iter_mut().for_each(leave_nulls_out),
        _ => {}
    }
}
