//! What a function behind `SyncTrigger` is sent, and how its answer is read.

use serde_json::{Map, Value, json};

use crate::reference::altered::{Telling, Told};
use crate::reference::model::{Invocation, Wanted};

/// The one field that a function may change.
const RECORDS: &str = "datasetRecords";

/// The event that a function is sent.
pub(super) fn event(invocation: &Invocation, region: &str) -> Value {
    let records = invocation.records.iter().map(|(key, seen)| {
        let op = if seen.new_value.is_some() { "replace" } else { "remove" };
        (key.clone(), json!({ "oldValue": seen.old_value, "newValue": seen.new_value, "op": op }))
    });
    json!({
        "version": 2,
        "eventType": "SyncTrigger",
        "region": region,
        "identityPoolId": invocation.place.identity_pool_id,
        "identityId": invocation.place.identity_id,
        "datasetName": invocation.place.dataset_name,
        RECORDS: records.collect::<Map<_, _>>(),
    })
}

/// What a function wants records to be, by its answer to this event.
///
/// # Errors
///
/// What is wrong with the answer.
pub(super) fn wanted(answer: &[u8], event: &Value, telling: &Telling) -> Result<Wanted, String> {
    let answer: Value =
        serde_json::from_slice(answer).map_err(|error| format!("The function's answer is not JSON: {error}"))?;
    let Some(Value::Object(mut answer)) = telling.told(Told::Answer(event), answer) else {
        return Err("The function's answer is not a JSON object".to_owned());
    };
    let records = answer.remove(RECORDS);
    for (name, value) in event.as_object().into_iter().flatten().filter(|(name, _)| *name != RECORDS) {
        if !answer.get(name).is_some_and(|answered| same(answered, value)) {
            return Err(format!("The function altered {name}"));
        }
    }
    let Some(Value::Object(records)) = records else {
        return Err(format!("{RECORDS} of the function's answer is not an object"));
    };
    records.into_iter().map(|(key, entry)| Ok((key.clone(), value(&key, entry)?))).collect()
}

/// What an entry wants its record to be.
fn value(key: &str, entry: Value) -> Result<Option<String>, String> {
    let mut entry = match entry {
        Value::Null => return Ok(None),
        Value::Object(entry) => entry,
        _ => return Err(format!("The function's record {key} is not an object")),
    };
    match entry.get("op").and_then(Value::as_str) {
        Some("remove") => return Ok(None),
        Some("replace") => {}
        _ => return Err(format!("The op of the function's record {key} is neither replace nor remove")),
    }
    match entry.remove("newValue") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(value)) => Ok(Some(value)),
        Some(_) => Err(format!("The newValue of the function's record {key} is not a text")),
    }
}

/// Whether two values are the same; numbers may be written in any form.
fn same(one: &Value, other: &Value) -> bool {
    one == other || one.as_f64().is_some_and(|one| other.as_f64() == Some(one))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::Telling;

    fn wanted(answer: &[u8], event: &Value) -> Result<super::Wanted, String> {
        super::wanted(answer, event, &Telling::default())
    }

    fn event() -> Value {
        json!({
            "version": 2, "eventType": "SyncTrigger", "region": "r", "identityPoolId": "p", "identityId": "i",
            "datasetName": "d", "datasetRecords": { "a": { "oldValue": null, "newValue": "1", "op": "replace" } },
        })
    }

    #[test]
    fn an_answer_says_what_records_shall_be() {
        let mut answer = event();
        answer["version"] = json!(2.0);
        answer["more"] = json!(true);
        answer["datasetRecords"] = json!({
            "a": { "oldValue": 7, "newValue": "2", "op": "replace" },
            "b": { "newValue": "3", "op": "remove" },
            "c": { "newValue": null, "op": "replace" },
            "d": { "op": "replace" },
            "e": null,
            "f": { "newValue": "", "op": "replace", "more": [] },
        });
        let wanted = wanted(answer.to_string().as_bytes(), &event()).unwrap();
        let wanted: Vec<_> = wanted.iter().map(|(key, value)| (key.as_str(), value.as_deref())).collect();
        assert_eq!(wanted, [("a", Some("2")), ("b", None), ("c", None), ("d", None), ("e", None), ("f", Some(""))]);
        assert_eq!(self::wanted(event().to_string().as_bytes(), &event()).unwrap().len(), 1);
    }

    #[rstest]
    #[case::version("/version", json!(3))]
    #[case::type_of_version("/version", json!("2"))]
    #[case::event("/eventType", json!("Other"))]
    #[case::region("/region", json!("other"))]
    #[case::pool("/identityPoolId", json!("other"))]
    #[case::identity("/identityId", json!("other"))]
    #[case::dataset("/datasetName", json!("other"))]
    #[case::dataset_null("/datasetName", json!(null))]
    #[case::records("/datasetRecords", json!([]))]
    #[case::no_records("/datasetRecords", json!(null))]
    #[case::entry("/datasetRecords/a", json!("1"))]
    #[case::op("/datasetRecords/a/op", json!("add"))]
    #[case::op_null("/datasetRecords/a/op", json!(null))]
    #[case::op_case("/datasetRecords/a/op", json!("REPLACE"))]
    #[case::value("/datasetRecords/a/newValue", json!(1))]
    fn altered_answers_are_invalid(#[case] at: &str, #[case] value: Value) {
        let mut answer = event();
        *answer.pointer_mut(at).expect("it is there") = value;
        assert!(wanted(answer.to_string().as_bytes(), &event()).is_err());
    }

    #[rstest]
    #[case("")]
    #[case("null")]
    #[case("[]")]
    #[case("{}")]
    #[case("{\"version\":2}")]
    #[case("\u{1}")]
    fn answers_of_another_form_are_invalid(#[case] answer: &str) {
        assert!(wanted(answer.as_bytes(), &event()).is_err());
    }
}
