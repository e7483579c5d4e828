//! The service's other protocol, legacy-rpc: what of it differs from rest-json.
//!
//! A call is `POST /` with the header that names an operation; the body is its input,
//! in an envelope or alone. From there on a request goes the way of any other, and
//! its answer is written anew at the end: what rewrites answers sees those of
//! rest-json.
//!
//! Choices, where sources are silent: who asks with an envelope is answered with one,
//! and who asks without is answered without; errors have the status that they have in
//! rest-json, and name themselves in `__type` only. As the captures show, members stand
//! in the order of the alphabet, numbers with a fraction are written as Java does, and
//! members without a value are null. An unknown operation is answered as other services
//! on the same framework answer it: with status 200.

use std::io;

use serde_json::ser::{Formatter, Serializer};
use serde_json::{Map, Value};

use super::input::{self, Sent};
use super::refusal::Refusal;
use super::route::{Carried, Routed};
use crate::reference::altered::{Switch, Switches};
use crate::spec::{Location, Member, Operation, Service, ShapeKind};
use crate::wire::{Request, Response};

/// Members of a request's envelope; the last holds the input.
const ENVELOPE: [&str; 3] = ["Operation", "Service", INPUT];
const INPUT: &str = "Input";
/// The member that names a value's type.
const TYPE: &str = "__type";
/// Stands before the package of an error in the header of rest-json.
const PACKAGES: &str = ":http://internal.amazon.com/coral/";
const REQUEST_ID: &str = "x-amzn-RequestId";
/// The member that datasets of their own have another value of.
const DATASET: &str = "DatasetName";

/// Whether a request is a call of this protocol, of a known operation or not.
pub(super) fn is_call(service: &Service, request: &Request, switches: &Switches) -> bool {
    request.method == "POST"
        && request.path() == "/"
        && request.headers.contains(&service.legacy_rpc.target_header)
        && !switches.has(Switch::RpcUnknown)
}

/// The operation of a call, with its input.
pub(super) fn route<'s>(service: &'s Service, request: &Request, switches: &Switches) -> Option<Routed<'s>> {
    let rpc = &service.legacy_rpc;
    let target = request.headers.get(&rpc.target_header)?;
    let (prefix, name) = target.rsplit_once('.')?;
    if prefix != rpc.target_prefix && !switches.has(Switch::RpcPrefixIgnored) {
        return None;
    }
    let operation = service.operations.get(name)?;
    let members = input::body(request).map(|body| members(body, switches));
    let label = |(name, member): (&String, &Member)| {
        let value = members.as_ref().ok().and_then(|members| members.get(name)?.as_str());
        (member.wire_name.clone(), value.unwrap_or_default().to_owned())
    };
    let labels = operation.input.iter().filter(|(_, member)| member.location == Location::Label).map(label).collect();
    Some(Routed { operation, labels, carried: Carried::Together(members) })
}

/// Whether a body is an envelope.
fn is_envelope(body: &Map<String, Value>) -> bool {
    body.get(INPUT).is_some_and(|input| input.is_object() || input.is_null())
        && body.keys().all(|name| ENVELOPE.contains(&name.as_str()))
}

/// The input in a body.
fn members(mut body: Map<String, Value>, switches: &Switches) -> Map<String, Value> {
    let enveloped = is_envelope(&body);
    if !enveloped && switches.has(Switch::RpcEnvelopeWanted) {
        return Map::new();
    }
    if enveloped && !switches.has(Switch::RpcEnvelopeUnread) {
        body = body.remove(INPUT).and_then(|input| input.as_object().cloned()).unwrap_or_default();
    }
    if let Some(Value::String(name)) = body.get_mut(DATASET)
        && switches.has(Switch::RpcDatasetsApart)
    {
        name.push_str(".apart");
    }
    body
}

/// A member that travels apart from the body in rest-json. A number may be written as
/// text, as the samples do.
pub(super) fn text(
    service: &Service,
    switches: &Switches,
    name: &str,
    member: &Member,
    value: &Value,
) -> Result<Sent, Refusal> {
    let shape = service.shape(&member.shape);
    let wrong = |needed: &str| Err(Refusal::serialization(format!("{name} is not {needed}")));
    match (&shape.kind, value) {
        (ShapeKind::Integer | ShapeKind::Long, Value::String(_)) if switches.has(Switch::RpcTextIsNoNumber) => {
            wrong("a whole number")
        }
        (ShapeKind::String(_) | ShapeKind::Integer | ShapeKind::Long, Value::String(text)) => {
            Ok(Sent::Text(text.clone()))
        }
        (ShapeKind::Integer | ShapeKind::Long, value @ Value::Number(_)) => match input::number(value) {
            Some(number) => Ok(Sent::Text(number.to_string())),
            None => wrong("a whole number"),
        },
        (_, value) if shape.coerced => Ok(Sent::Text(value.to_string())),
        (ShapeKind::String(_), _) => wrong("a string"),
        _ => wrong("a whole number"),
    }
}

/// The answer to a call, in the form of this protocol. `response` is that of rest-json.
pub(super) fn told(
    service: &Service,
    request: &Request,
    operation: Option<&Operation>,
    switches: &Switches,
    response: Response,
) -> Response {
    let is_error = response.headers.contains("x-amzn-errortype");
    if operation.is_none() && switches.has(Switch::RpcUnknownAsRest) {
        return response;
    }
    if is_error && switches.has(Switch::RpcErrorsInHeader) {
        return Response { status: error_status(response.status, operation, switches), ..response };
    }
    let asked = serde_json::from_slice(&request.body).ok();
    let asked_bare = asked.is_some_and(|body| matches!(body, Value::Object(body) if !is_envelope(&body)));
    let bare = operation.is_some() && asked_bare && !switches.has(Switch::RpcAnswersEnveloped)
        || switches.has(Switch::RpcAnswersBare);
    let Response { mut status, mut headers, body } = response;
    let members = match serde_json::from_slice(&body) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    };
    let of_type = match headers.get("x-amzn-errortype").map(|named| error_type(service, named)) {
        Some(of_type) => {
            status = error_status(status, operation, switches);
            Some(of_type)
        }
        None => {
            operation.filter(|_| !body.is_empty()).map(|operation| match switches.has(Switch::RpcTypeOfOperation) {
                true => service.legacy_rpc.qualified(&operation.name),
                false => service.legacy_rpc.output_type(&operation.name),
            })
        }
    };
    let output = match (of_type, bare) {
        (None, true) => Value::Object(Map::new()),
        (None, false) => Value::Null,
        (Some(of_type), _) => typed(members, of_type, bare && !is_error, switches),
    };
    let body = match bare {
        true => output,
        false => serde_json::json!({ "Output": output, "Version": service.legacy_rpc.version }),
    };
    if let Some(id) = request.headers.get(REQUEST_ID).filter(|_| switches.has(Switch::RpcIdEchoed)) {
        headers.set(REQUEST_ID, id);
    }
    headers.remove("x-amzn-errortype");
    headers.set("content-type", service.legacy_rpc.content_type.as_str());
    Response { status, headers, body: written(&body).into() }
}

/// The type of an error, from its name in the header of rest-json.
fn error_type(service: &Service, named: &str) -> String {
    match named.split_once(PACKAGES) {
        Some((name, package)) => format!("{}#{name}", package.trim_end_matches('/')),
        None => service.legacy_rpc.qualified(named),
    }
}

fn error_status(status: u16, operation: Option<&Operation>, switches: &Switches) -> u16 {
    match status {
        _ if operation.is_none() || switches.has(Switch::RpcErrorsOf200) => 200,
        400..500 if switches.has(Switch::RpcErrorsOf400) => 400,
        status => status,
    }
}

/// An output with its type, which the samples leave out where they print it alone.
fn typed(mut members: Map<String, Value>, of_type: String, untyped: bool, switches: &Switches) -> Value {
    if switches.has(Switch::RpcNullsLeftOut) {
        members.retain(|_, value| !value.is_null());
        members.values_mut().for_each(without_nulls);
    }
    let mut output = Map::new();
    if !untyped {
        output.insert(TYPE.to_owned(), of_type.into());
    }
    members.sort_keys();
    output.extend(members);
    output.values_mut().for_each(Value::sort_all_objects);
    // An unknown operation has no message.
    output.retain(|name, value| name != "message" || *value != "");
    Value::Object(output)
}

fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, value| !value.is_null());
            members.values_mut().for_each(without_nulls);
        }
        Value::Array(entries) => entries.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

/// JSON with fractions as Java writes them: `1.413231134115E9`.
fn written(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    let ended = serde::Serialize::serialize(value, &mut Serializer::with_formatter(&mut bytes, JavaDoubles));
    debug_assert!(ended.is_ok(), "a value can be written to memory");
    bytes
}

struct JavaDoubles;

impl Formatter for JavaDoubles {
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        if value == 0.0 || (1e-3..1e7).contains(&value.abs()) {
            return write!(writer, "{value:?}");
        }
        let text = format!("{value:E}");
        // Java writes at least one digit behind the point.
        match text.split_once('E') {
            Some((digits, exponent)) if !digits.contains('.') => write!(writer, "{digits}.0E{exponent}"),
            _ => writer.write_all(text.as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::{is_call, told, written};
    use crate::reference::altered::{Switch, Switches};
    use crate::spec::Service;
    use crate::wire::{Headers, Request, Response};

    /// Ids of the length that those of 2014 had.
    const POOL: &str = "us-east-1:0c1ba052-e098-41fa-a76e-eaa2c125f861";

    fn request(operation: &str, body: &Value) -> Request {
        let target = format!("com.amazonaws.cognito.sync.model.AWSCognitoSyncService.{operation}");
        let headers: Headers = [("x-amz-target", target.as_str())].into_iter().collect();
        Request { method: "POST".to_owned(), target: "/".to_owned(), headers, body: body.to_string().into() }
    }

    fn answered(operation: &str, asked: &Value, answer: Response) -> Response {
        let service = Service::embedded();
        told(service, &request(operation, asked), service.operations.get(operation), &Switches::default(), answer)
    }

    fn success(body: &Value) -> Response {
        Response { status: 200, headers: Headers::new(), body: body.to_string().into() }
    }

    fn enveloped() -> Value {
        json!({ "Operation": "a#B", "Service": "a#S", "Input": {} })
    }

    /// The samples of the reference print the lengths of the answers that they show
    /// shortened: whole, they are as long as these.
    #[rstest]
    #[case("DescribeIdentityPoolUsage", json!({ "IdentityPoolUsage": {
        "DataStorage": 0, "IdentityPoolId": POOL, "LastModifiedDate": 1_413_231_134.115, "SyncSessionsCount": null } }), 271)]
    #[case("DescribeIdentityUsage", json!({ "IdentityUsage": {
        "DataStorage": 16, "DatasetCount": 1, "IdentityId": POOL, "IdentityPoolId": POOL,
        "LastModifiedDate": 1_412_974_081.336 } }), 318)]
    #[case("ListIdentityPoolUsage", json!({ "Count": 2, "IdentityPoolUsages": [
        { "DataStorage": 0, "IdentityPoolId": POOL, "LastModifiedDate": 1_413_836_234.607, "SyncSessionsCount": null },
        { "DataStorage": 0, "IdentityPoolId": POOL, "LastModifiedDate": 1_410_892_165.601, "SyncSessionsCount": null }],
        "MaxResults": 2, "NextToken": "dXMtZWFzdC0xOjBjMWJhMDUyLWUwOTgtNDFmYS1hNzZlLWVhYTJjMTI1Zjg2MQ==" }), 519)]
    #[case("RegisterDevice", json!({ "DeviceId": "5cd28fbe-dd83-47ab-9f83-19093a5fb014" }), 145)]
    #[case("SubscribeToDataset", json!({}), 99)]
    #[case("UnsubscribeFromDataset", json!({}), 103)]
    fn answers_are_as_long_as_those_of_the_samples(
        #[case] operation: &str,
        #[case] body: Value,
        #[case] content_length: usize,
    ) {
        let answer = answered(operation, &enveloped(), success(&body));
        assert_eq!(answer.body.len(), content_length, "{}", String::from_utf8_lossy(&answer.body));
    }

    #[test]
    fn who_asks_without_an_envelope_is_answered_without() {
        let output = json!({ "NextToken": null, "Count": 0, "Datasets": [] });
        let bare = answered("ListDatasets", &json!({ "IdentityId": "i" }), success(&output));
        assert_eq!(bare.body, r#"{"Count":0,"Datasets":[],"NextToken":null}"#);
        let whole = answered("ListDatasets", &enveloped(), success(&output));
        let expected = concat!(
            r#"{"Output":{"__type":"com.amazonaws.cognito.sync.model#ListDatasetsResponse","Count":0,"#,
            r#""Datasets":[],"NextToken":null},"Version":"1.0"}"#
        );
        assert_eq!(whole.body, expected);
        let nothing = Response { status: 200, headers: Headers::new(), body: bytes::Bytes::new() };
        let nothing = answered("SetCognitoEvents", &enveloped(), nothing);
        assert_eq!(nothing.body, r#"{"Output":null,"Version":"1.0"}"#);
    }

    #[test]
    fn errors_name_themselves_in_the_body() {
        let error = |name: &str, message: &str| Response {
            status: 403,
            headers: [("x-amzn-ErrorType", name)].into_iter().collect(),
            body: json!({ "message": message }).to_string().into(),
        };
        let service = "NotAuthorizedException";
        let answer = answered("ListRecords", &enveloped(), error(service, "m"));
        let expected = concat!(
            r#"{"Output":{"__type":"com.amazonaws.cognito.sync.model#NotAuthorizedException","message":"m"},"#,
            r#""Version":"1.0"}"#
        );
        assert_eq!((answer.status, answer.body), (403, expected.into()));
        assert!(!answer.headers.contains("x-amzn-errortype"));
        let framework = "UnknownOperationException:http://internal.amazon.com/coral/com.amazon.coral.service/";
        let answer = answered("Nope", &json!({}), error(framework, ""));
        let expected = r#"{"Output":{"__type":"com.amazon.coral.service#UnknownOperationException"},"Version":"1.0"}"#;
        assert_eq!((answer.status, answer.body), (200, expected.into()));
    }

    #[test]
    fn only_a_post_to_the_root_with_the_header_is_a_call() {
        let (service, none) = (Service::embedded(), Switches::default());
        let call = request("ListRecords", &json!({}));
        assert!(is_call(service, &call, &none));
        assert!(!is_call(service, &call, &vec![Switch::RpcUnknown].into()));
        for other in [
            Request { method: "GET".to_owned(), ..call.clone() },
            Request { target: "/identitypools".to_owned(), ..call.clone() },
            Request { headers: Headers::new(), ..call },
        ] {
            assert!(!is_call(service, &other, &none), "{other:?}");
        }
    }

    #[rstest]
    #[case(1_413_231_134.115, "1.413231134115E9")]
    #[case(1_413_231_134.0, "1.413231134E9")]
    #[case(10_000_000.0, "1.0E7")]
    #[case(9_999_999.5, "9999999.5")]
    #[case(0.0, "0.0")]
    #[case(0.001, "0.001")]
    #[case(0.000_5, "5.0E-4")]
    #[case(-20_000_000.0, "-2.0E7")]
    fn fractions_are_written_as_java_does(#[case] number: f64, #[case] expected: &str) {
        assert_eq!(String::from_utf8_lossy(&written(&json!(number))), expected);
        let read: f64 = serde_json::from_slice(&written(&json!(number))).expect("it is JSON");
        assert!((read - number).abs() < f64::EPSILON);
    }
}
