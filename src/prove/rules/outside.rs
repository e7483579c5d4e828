//! What other services are told, and what their answers do: functions, streams, push
//! messages.

mod failures;
mod messages;
mod published;
mod records;
mod trigger;
mod untaken;

use serde_json::{Map, Value};

use crate::prove::alteration::Alteration;

pub(super) fn all() -> Vec<Alteration> {
    let all = [trigger::all(), failures::all(), records::all(), published::all(), messages::all(), untaken::all()];
    all.into_iter().flatten().collect()
}

/// The records in a function's event, or in its answer, if it has any.
fn entries(event: &mut Value) -> Option<&mut Map<String, Value>> {
    event.get_mut("datasetRecords")?.as_object_mut()
}
