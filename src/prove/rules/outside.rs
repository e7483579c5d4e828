//! What other services are told, and what their answers do: functions, streams, push
//! messages.

mod failures;
mod messages;
mod published;
mod records;
mod trigger;

use crate::prove::alteration::Alteration;

pub(super) fn all() -> Vec<Alteration> {
    [trigger::all(), failures::all(), records::all(), published::all(), messages::all()].into_iter().flatten().collect()
}
