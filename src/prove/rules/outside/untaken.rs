//! Streams that do not take an update's record, and SNS that does not take its message.

use crate::prove::alteration::Alteration;
use crate::reference::Switch;

pub(super) fn all() -> Vec<Alteration> {
    [streams(), throttled(), messages()].into_iter().flatten().collect()
}

fn streams() -> Vec<Alteration> {
    vec![
        Alteration::mutant(
            "stream-failure-refuses-updates",
            "An update whose record the stream does not take is refused.",
            &["UpdateRecords/rule/stream-failure-harmless"],
            Switch::StreamFailureRefuses,
        ),
        Alteration::mutant(
            "stream-failure-loses-updates",
            "An update whose record the stream does not take is answered and not made.",
            &["UpdateRecords/rule/stream-failure-harmless"],
            Switch::StreamFailureLoses,
        ),
    ]
}

fn throttled() -> Vec<Alteration> {
    let refuses = Switch::ThrottledStreamRefuses;
    vec![
        Alteration::mutant(
            "throttled-records-dropped",
            "A record that the stream throttles is not sent again.",
            &["UpdateRecords/rule/stream-catches-up"],
            Switch::ThrottledRecordsDropped,
        ),
        Alteration::variant(
            "throttled-stream-refuses-updates",
            "An update whose record the stream throttles is a TooManyRequestsException.",
            &["UpdateRecords/rule/throttled-stream"],
            refuses,
        ),
        Alteration::mutant(
            "throttled-update-of-400",
            "An update whose record the stream throttles is a TooManyRequestsException of status 400.",
            &["UpdateRecords/error/TooManyRequestsException"],
            refuses,
        )
        .and_described(|service| {
            if let Some(error) = service.errors.get_mut("TooManyRequestsException") {
                error.status = 400;
            }
        }),
    ]
}

fn messages() -> Vec<Alteration> {
    vec![
        Alteration::mutant(
            "push-failure-refuses-updates",
            "An update that a device cannot be told of is refused.",
            &["UpdateRecords/rule/push-failure-harmless"],
            Switch::PushFailureRefuses,
        ),
        Alteration::mutant(
            "push-failure-loses-updates",
            "An update that a device cannot be told of is answered and not made.",
            &["UpdateRecords/rule/push-failure-harmless"],
            Switch::PushFailureLoses,
        ),
    ]
}
