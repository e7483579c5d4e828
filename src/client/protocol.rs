//! Calls in either protocol, and answers as one and the same form.

use serde_json::{Map, Value};

use super::bind::{self, BindError};
use super::rpc;
use crate::spec::{Operation, Protocol, Service};
use crate::wire::{Request, Response};

/// A protocol as one service has it.
#[derive(Debug, Clone, Copy)]
pub struct Binding<'s> {
    /// The service.
    pub service: &'s Service,
    /// The protocol.
    pub protocol: Protocol,
}

impl Binding<'_> {
    /// The unsigned request that carries `input` to `operation`: no `host`, no
    /// `content-length`, target without the endpoint's base path. For rest-json see
    /// [`bind`](super::bind()); legacy-rpc posts an envelope to `/`.
    ///
    /// # Errors
    ///
    /// When a key of `input` is no member of the operation.
    pub fn call(&self, operation: &Operation, input: &Map<String, Value>) -> Result<Request, BindError> {
        match self.protocol {
            Protocol::RestJson => bind::bind(operation, input),
            Protocol::LegacyRpc => rpc::bind(&self.service.legacy_rpc, operation, input),
        }
    }

    /// The answer to a call, as rest-json gives it: out of its envelope, with an error
    /// where one is named, and with the status of that error where the protocol tells
    /// none. The exchange keeps what came.
    pub fn read(&self, response: &Response) -> Response {
        match self.protocol {
            Protocol::RestJson => response.clone(),
            Protocol::LegacyRpc => rpc::read(self.service, response),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Map, Value, json};

    use super::Binding;
    use crate::spec::{Protocol, Service};
    use crate::wire::{Headers, Response};

    fn binding() -> Binding<'static> {
        Binding { service: Service::embedded(), protocol: Protocol::LegacyRpc }
    }

    fn object(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(map) => map,
            other => panic!("not an object: {other}"),
        }
    }

    #[test]
    fn a_call_has_all_its_members_in_an_envelope() {
        let operation = &binding().service.operations["ListRecords"];
        let input = object(json!({ "IdentityPoolId": "p", "LastSyncCount": 3, "NextToken": null }));
        let request = binding().call(operation, &input).expect("these are members");
        assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/"));
        assert_eq!(request.headers.get("content-type"), Some("application/json"));
        let target = "com.amazonaws.cognito.sync.model.AWSCognitoSyncService.ListRecords";
        assert_eq!(request.headers.get("x-amz-target"), Some(target));
        let expected = json!({
            "Operation": "com.amazonaws.cognito.sync.model#ListRecords",
            "Service": "com.amazonaws.cognito.sync.model#AWSCognitoSyncService",
            "Input": { "IdentityPoolId": "p", "LastSyncCount": 3, "NextToken": null },
        });
        assert_eq!(serde_json::from_slice::<Value>(&request.body).expect("it is JSON"), expected);
        let error = binding().call(operation, &object(json!({ "Nope": 1 }))).expect_err("that is no member");
        assert!(error.to_string().contains("ListRecords has no input member `Nope`"), "{error}");
    }

    #[rstest]
    #[case::enveloped(
        200,
        r#"{"Output":{"__type":"a#ListRecordsResponse","Count":0},"Version":"1.0"}"#,
        200,
        None,
        r#"{"Count":0}"#
    )]
    #[case::shortened(200, r#"{"Count":0,"NextToken":null}"#, 200, None, r#"{"Count":0,"NextToken":null}"#)]
    #[case::nothing(200, r#"{"Output":null,"Version":"1.0"}"#, 200, None, "")]
    #[case::no_bytes(200, "", 200, None, "")]
    #[case::a_member_called_output(200, r#"{"Output":1,"Count":0}"#, 200, None, r#"{"Output":1,"Count":0}"#)]
    #[case::no_object(200, "[1]", 200, None, "[1]")]
    #[case::error_of_200(
        200,
        r#"{"Output":{"__type":"com.amazon.coral.service#UnknownOperationException"},"Version":"1.0"}"#,
        404,
        Some("UnknownOperationException"),
        "{}"
    )]
    #[case::error_of_400(
        400,
        r#"{"__type":"a#ResourceConflictException","message":"m"}"#,
        409,
        Some("ResourceConflictException"),
        r#"{"message":"m"}"#
    )]
    #[case::error_with_a_wrong_status(
        500,
        r#"{"__type":"a#ResourceConflictException"}"#,
        500,
        Some("ResourceConflictException"),
        "{}"
    )]
    #[case::unknown_error_of_200(200, r#"{"Output":{"__type":"a#OddException"}}"#, 400, Some("OddException"), "{}")]
    #[case::unknown_error(400, r#"{"__type":"a#OddException"}"#, 400, Some("OddException"), "{}")]
    fn an_answer_is_read_as_rest_json(
        #[case] status: u16,
        #[case] body: &'static str,
        #[case] read_status: u16,
        #[case] error: Option<&str>,
        #[case] read_body: &str,
    ) {
        let response = Response { status, headers: Headers::new(), body: body.into() };
        let read = binding().read(&response);
        assert_eq!(read.status, read_status);
        assert_eq!(read.error_name().as_deref(), error);
        assert_eq!(String::from_utf8_lossy(&read.body), read_body);
        let named = [("x-amzn-ErrorType", "TooManyRequestsException:http://x/")].into_iter().collect();
        let in_header = Response { status: 200, headers: named, body: "<no/>".into() };
        assert_eq!(binding().read(&in_header).status, 429);
        let rest = Binding { protocol: Protocol::RestJson, ..binding() };
        assert_eq!(rest.read(&response), response);
    }
}
