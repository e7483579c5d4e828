//! Writes results and errors in the form that the service description gives them:
//! members, their names and types, statuses. The model always gives what the
//! unaltered description says; an altered one bends it here.

use std::collections::HashMap;

use indexmap::IndexMap;
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::output::Output;
use super::refusal::{Refusal, framework_status};
use crate::spec::{Member, Operation, OutputKind, Service, ShapeKind};

/// Members that the reference documents and the description lacks, as the model of the
/// SDKs does, by structure. They are sent when they say something.
const UNDESCRIBED: [(&str, &str); 1] = [("CognitoStreams", "DisabledReason")];

/// The forms of a service's answers, read from its description once.
pub(super) struct Forms {
    /// In the order of the description's shapes.
    shapes: Vec<Form>,
    /// The members of each operation's output.
    outputs: HashMap<String, Vec<Part>>,
    error: Vec<Part>,
}

/// What becomes of a value. Other shapes are named by their place among all.
enum Form {
    Text,
    Whole,
    Boolean,
    Seconds,
    List(usize),
    Map(usize),
    Structure(Vec<Part>),
}

/// A member.
struct Part {
    name: String,
    wire_name: String,
    /// None for what is sent as it is, and only when it says something.
    shape: Option<usize>,
}

impl Forms {
    pub(super) fn of(service: &Service) -> Self {
        let outputs = service.operations.iter();
        Self {
            shapes: service.shapes.iter().map(|(name, shape)| Form::of(service, name, &shape.kind)).collect(),
            outputs: outputs.map(|(name, operation)| (name.clone(), parts(service, &operation.output))).collect(),
            error: parts(service, &service.error_members),
        }
    }

    /// The body of a successful answer.
    pub(super) fn success(&self, operation: &Operation, output: &Output) -> Vec<u8> {
        match operation.output_kind {
            OutputKind::None => Vec::new(),
            OutputKind::EmptyStructure => b"{}".to_vec(),
            OutputKind::Structure => {
                let parts = self.outputs.get(&operation.name).map_or(&[][..], Vec::as_slice);
                json(&Formed::Members(self, parts, output))
            }
        }
    }

    /// An error's name on the wire without its tail, its status, and its body.
    ///
    /// The code of the server names errors as the unaltered description does. Where an
    /// altered one has another name at the same place of an operation's list, that
    /// name is sent.
    pub(super) fn failure(
        &self,
        service: &Service,
        operation: Option<&Operation>,
        refusal: &Refusal,
    ) -> (String, u16, Vec<u8>) {
        let renamed = operation.and_then(|operation| {
            let unaltered = Service::embedded().operations.get(&operation.name)?;
            let place = unaltered.errors.iter().position(|name| *name == refusal.name)?;
            (unaltered.errors.len() == operation.errors.len()).then(|| operation.errors[place].clone())
        });
        let name = renamed.unwrap_or_else(|| refusal.name.clone());
        let declared = service.errors.get(&name).map(|error| error.status);
        let common = service.common_errors.get(&name).copied();
        let status = declared.or(common).unwrap_or_else(|| framework_status(&name));
        let message = Output::of([("message", refusal.message.as_str().into())]);
        (name, status, json(&Formed::Members(self, &self.error, &message)))
    }
}

impl Form {
    fn of(service: &Service, shape: &str, kind: &ShapeKind) -> Self {
        match kind {
            ShapeKind::String(_) => Self::Text,
            ShapeKind::Integer | ShapeKind::Long => Self::Whole,
            ShapeKind::Boolean => Self::Boolean,
            ShapeKind::Timestamp => Self::Seconds,
            ShapeKind::List { member } => Self::List(place(service, member)),
            ShapeKind::Map { value, .. } => Self::Map(place(service, value)),
            ShapeKind::Structure { members } => {
                let undescribed = UNDESCRIBED.iter().filter(|(of, _)| *of == shape).map(|(_, name)| Part {
                    name: (*name).to_owned(),
                    wire_name: (*name).to_owned(),
                    shape: None,
                });
                Self::Structure(parts(service, members).into_iter().chain(undescribed).collect())
            }
        }
    }
}

fn parts(service: &Service, members: &IndexMap<String, Member>) -> Vec<Part> {
    let part = |(name, member): (&String, &Member)| Part {
        name: name.clone(),
        wire_name: member.wire_name.clone(),
        shape: Some(place(service, &member.shape)),
    };
    members.iter().map(part).collect()
}

/// A shape that is missing, as in no description that was loaded, fails the answers that
/// have it, not the server.
fn place(service: &Service, shape: &str) -> usize {
    service.shapes.get_index_of(shape).unwrap_or(usize::MAX)
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("an answer is plain JSON")
}

/// A value that is written in its form, null staying null. Types differ only when the
/// description was altered; then anything of the wanted type will do.
enum Formed<'a> {
    Value(&'a Forms, usize, &'a Output),
    Members(&'a Forms, &'a [Part], &'a Output),
}

impl Serialize for Formed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Members(forms, parts, of) => members(serializer, forms, parts, of),
            Self::Value(.., Output::Null) => serializer.serialize_unit(),
            Self::Value(forms, shape, value) => match (&forms.shapes[shape], value) {
                (Form::Text, Output::Text(text)) => serializer.serialize_str(text),
                (Form::Text, other) => serializer.serialize_str(&String::from_utf8_lossy(&json(other))),
                (Form::Whole, Output::Number(number)) => match number.as_f64().filter(|_| number.is_f64()) {
                    Some(fraction) => serializer.serialize_i64(fraction as i64),
                    None => number.serialize(serializer),
                },
                (Form::Whole, _) => serializer.serialize_i64(1),
                (Form::Boolean, value) => serializer.serialize_bool(*value != Output::Bool(false)),
                (Form::Seconds, Output::Number(number)) => {
                    serializer.serialize_f64(number.as_f64().unwrap_or_default())
                }
                (Form::Seconds, _) => serializer.serialize_f64(0.0),
                (Form::List(of), Output::List(entries)) => {
                    serializer.collect_seq(entries.iter().map(|entry| Self::Value(forms, *of, entry)))
                }
                (Form::List(of), other) => serializer.collect_seq([Self::Value(forms, *of, other)]),
                (Form::Map(of), Output::Members(entries)) => {
                    let entries = entries.iter().map(|(key, entry)| (key, Self::Value(forms, *of, entry)));
                    serializer.collect_map(entries)
                }
                (Form::Map(_), _) => members(serializer, forms, &[], value),
                (Form::Structure(parts), value) => members(serializer, forms, parts, value),
            },
        }
    }
}

fn members<S: Serializer>(serializer: S, forms: &Forms, parts: &[Part], of: &Output) -> Result<S::Ok, S::Error> {
    let mut written = serializer.serialize_map(None)?;
    for part in parts {
        match (part.shape, of.member(&part.name)) {
            (Some(shape), Some(value)) => {
                written.serialize_entry(&part.wire_name, &Formed::Value(forms, shape, value))?;
            }
            (None, Some(value)) if *value != Output::Null => written.serialize_entry(&part.wire_name, value)?,
            _ => {}
        }
    }
    written.end()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::Forms;
    use crate::reference::http::output::Output;
    use crate::reference::http::refusal::Refusal;
    use crate::spec::Service;

    #[test]
    fn an_altered_description_alters_the_answer() {
        let mut service = Service::embedded().clone();
        let output = Output::of([
            ("IdentityPoolId", "p".into()),
            ("BulkPublishStartTime", 1.5.into()),
            ("BulkPublishStatus", "NOT_STARTED".into()),
        ]);
        let text = |service: &Service| {
            let operation = &service.operations["GetBulkPublishDetails"];
            String::from_utf8(Forms::of(service).success(operation, &output)).expect("the body is text")
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

    /// What is sent for a value where the description wants another type.
    #[rstest]
    #[case::number_as_text("String", 7_i64.into(), r#""7""#)]
    #[case::fraction_as_text("String", 1.5.into(), r#""1.5""#)]
    #[case::list_as_text("String", ["a", "b"].into_iter().collect(), r#""[\"a\",\"b\"]""#)]
    #[case::members_as_text("String", Output::of([("Key", "k".into())]), r#""{\"Key\":\"k\"}""#)]
    #[case::whole("Long", 7_u64.into(), "7")]
    #[case::fraction_as_whole("Integer", 1.5.into(), "1")]
    #[case::text_as_whole("Integer", "a".into(), "1")]
    #[case::truth("Boolean", false.into(), "false")]
    #[case::text_as_truth("Boolean", "a".into(), "true")]
    #[case::whole_as_seconds("Date", 2_i64.into(), "2.0")]
    #[case::text_as_seconds("Date", "a".into(), "0.0")]
    #[case::list("MergedDatasetNameList", ["a", "b"].into_iter().collect(), r#"["a","b"]"#)]
    #[case::text_as_list("MergedDatasetNameList", "a".into(), r#"["a"]"#)]
    #[case::map("Events", Output::of([("SyncTrigger", "arn".into())]), r#"{"SyncTrigger":"arn"}"#)]
    #[case::text_as_map("Events", "a".into(), "{}")]
    #[case::members("PushSync", Output::of([("RoleArn", "r".into()), ("Other", 1_i64.into())]), r#"{"RoleArn":"r"}"#)]
    #[case::text_as_members("PushSync", "a".into(), "{}")]
    #[case::undescribed("CognitoStreams", Output::of([("DisabledReason", "r".into())]), r#"{"DisabledReason":"r"}"#)]
    #[case::undescribed_null("CognitoStreams", Output::of([("DisabledReason", Output::Null)]), "{}")]
    #[case::null("Events", None::<bool>.into(), "null")]
    fn values_are_bent_to_their_shapes(#[case] shape: &str, #[case] value: Output, #[case] expected: &str) {
        let mut service = Service::embedded().clone();
        service.operations["RegisterDevice"].output["DeviceId"].shape = shape.to_owned();
        let output = Output::of([("DeviceId", value)]);
        let body = Forms::of(&service).success(&service.operations["RegisterDevice"], &output);
        assert_eq!(String::from_utf8_lossy(&body), format!(r#"{{"DeviceId":{expected}}}"#));
    }

    #[test]
    fn statuses_and_names_of_errors_come_from_the_description() {
        let mut service = Service::embedded().clone();
        let refusal = Refusal::not_authorized();
        let sent = |service: &Service| {
            let operation = Some(&service.operations["ListRecords"]);
            let (name, status, _) = Forms::of(service).failure(service, operation, &refusal);
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
