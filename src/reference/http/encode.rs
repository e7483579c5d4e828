//! Writes results and errors in the form that the service description gives them:
//! members, their names and types, statuses. The model always gives what the
//! unaltered description says; an altered one bends it here.

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::refusal::{Refusal, framework_status};
use crate::spec::{Member, Operation, OutputKind, Service, ShapeKind};

/// Members that the reference documents and the description lacks, as the model of the
/// SDKs does, by structure. They are sent when they say something.
const UNDESCRIBED: [(&str, &str); 1] = [("CognitoStreams", "DisabledReason")];

/// The body of a successful answer.
pub(super) fn success(service: &Service, operation: &Operation, output: &Value) -> Vec<u8> {
    match operation.output_kind {
        OutputKind::None => Vec::new(),
        OutputKind::EmptyStructure => b"{}".to_vec(),
        OutputKind::Structure => members(service, &operation.output, output).to_string().into_bytes(),
    }
}

/// An error's name on the wire without its tail, its status, and its body.
///
/// The code of the server names errors as the unaltered description does. Where an
/// altered one has another name at the same place of an operation's list, that
/// name is sent.
pub(super) fn failure(service: &Service, operation: Option<&Operation>, refusal: &Refusal) -> (String, u16, Vec<u8>) {
    let renamed = operation.and_then(|operation| {
        let unaltered = Service::embedded().operations.get(&operation.name)?;
        let place = unaltered.errors.iter().position(|name| *name == refusal.name)?;
        (unaltered.errors.len() == operation.errors.len()).then(|| operation.errors[place].clone())
    });
    let name = renamed.unwrap_or_else(|| refusal.name.clone());
    let declared = service.errors.get(&name).map(|error| error.status);
    let common = service.common_errors.get(&name).copied();
    let status = declared.or(common).unwrap_or_else(|| framework_status(&name));
    let body = members(service, &service.error_members, &json!({ "message": refusal.message }));
    (name, status, body.to_string().into_bytes())
}

fn members(service: &Service, members: &IndexMap<String, Member>, values: &Value) -> Value {
    let sent = members.iter().filter_map(|(name, member)| {
        let value = values.get(name)?;
        Some((member.wire_name.clone(), of_shape(service, &member.shape, value)))
    });
    Value::Object(sent.collect::<Map<_, _>>())
}

/// The value in the type of the shape, null staying null. Types differ only when
/// the description was altered; then anything of the wanted type will do.
fn of_shape(service: &Service, shape: &str, value: &Value) -> Value {
    if value.is_null() {
        return Value::Null;
    }
    match &service.shape(shape).kind {
        ShapeKind::String(_) => match value {
            Value::String(_) => value.clone(),
            other => Value::String(other.to_string()),
        },
        ShapeKind::Integer | ShapeKind::Long => match value {
            Value::Number(number) if number.is_f64() => (value.as_f64().unwrap_or_default() as i64).into(),
            Value::Number(_) => value.clone(),
            other => i64::from(!other.is_null()).into(),
        },
        ShapeKind::Boolean => Value::Bool(value.as_bool().unwrap_or(true)),
        ShapeKind::Timestamp => value.as_f64().unwrap_or_default().into(),
        ShapeKind::List { member } => match value {
            Value::Array(entries) => entries.iter().map(|entry| of_shape(service, member, entry)).collect(),
            other => Value::Array(vec![of_shape(service, member, other)]),
        },
        ShapeKind::Map { value: shape, .. } => {
            let entries = value.as_object().into_iter().flatten();
            entries.map(|(key, value)| (key.clone(), of_shape(service, shape, value))).collect()
        }
        ShapeKind::Structure { members: of } => {
            let mut sent = members(service, of, value);
            for (_, member) in UNDESCRIBED.iter().filter(|(of, _)| *of == shape) {
                if let Some(value) = value.get(member).filter(|value| !value.is_null()) {
                    sent[*member] = value.clone();
                }
            }
            sent
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{failure, success};
    use crate::reference::http::refusal::Refusal;
    use crate::spec::Service;

    #[test]
    fn an_altered_description_alters_the_answer() {
        let mut service = Service::embedded().clone();
        let output = json!({ "IdentityPoolId": "p", "BulkPublishStartTime": 1.5, "BulkPublishStatus": "NOT_STARTED" });
        let text = |service: &Service| {
            let operation = &service.operations["GetBulkPublishDetails"];
            String::from_utf8(success(service, operation, &output)).expect("the body is text")
        };
        assert_eq!(
            text(&service),
            r#"{"IdentityPoolId":"p","BulkPublishStartTime":1.5,"BulkPublishStatus":"NOT_STARTED"}"#
        );
        let members = &mut service.operations["GetBulkPublishDetails"].output;
        members.shift_remove("IdentityPoolId");
        members["BulkPublishStartTime"].shape = "String".to_owned();
        members["BulkPublishStatus"].wire_name = "Status".to_owned();
        assert_eq!(text(&service), r#"{"BulkPublishStartTime":"1.5","Status":"NOT_STARTED"}"#);
    }

    #[test]
    fn statuses_and_names_of_errors_come_from_the_description() {
        let mut service = Service::embedded().clone();
        let refusal = Refusal::not_authorized();
        let sent = |service: &Service| {
            let (name, status, _) = failure(service, Some(&service.operations["ListRecords"]), &refusal);
            (name, status)
        };
        assert_eq!(sent(&service), ("NotAuthorizedException".to_owned(), 403));
        service.errors["NotAuthorizedException"].status = 401;
        assert_eq!(sent(&service), ("NotAuthorizedException".to_owned(), 401));
        let errors = &mut service.operations["ListRecords"].errors;
        let place = errors.iter().position(|name| name == "NotAuthorizedException").expect("it is declared");
        errors[place] = "ResourceConflictException".to_owned();
        assert_eq!(sent(&service), ("ResourceConflictException".to_owned(), 409));
    }
}
