//! The wire protocols that the service can be called in.
//!
//! `rest-json` is the service's own, which every client speaks: method, path, query,
//! headers and body, as the description of each operation says. `legacy-rpc` is that of
//! the reference's sample exchanges: `POST /`, the operation in a header, and all
//! members in one JSON object, which stands in an envelope. What is particular to the
//! service about it is data: [`Rpc`].

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::service::{Operation, Service};

/// A wire protocol.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// Method and path say which operation is called.
    #[default]
    RestJson,
    /// `POST /`: a header says which operation is called, and the body holds its input.
    LegacyRpc,
}

impl Protocol {
    /// Every protocol.
    pub const ALL: [Self; 2] = [Self::RestJson, Self::LegacyRpc];

    /// Its name in files and on the command line; also what cases need, and targets
    /// offer, where it is not the service's own.
    pub fn name(self) -> &'static str {
        match self {
            Self::RestJson => "rest-json",
            Self::LegacyRpc => "legacy-rpc",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What `legacy-rpc` calls the service and its types.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Rpc {
    /// The header that names the operation, in lower case.
    pub target_header: String,
    /// What stands before the operation's name in that header, without the dot between.
    pub target_prefix: String,
    /// Content type of requests and answers.
    pub content_type: String,
    /// What stands before the `#` in names of the service, its operations and types.
    pub namespace: String,
    /// The service's name in envelopes.
    pub service: String,
    /// What the name of an operation's output has behind the operation's.
    pub output_suffix: String,
    /// `Version` of the envelope of an answer.
    pub version: String,
}

impl Rpc {
    /// The header's value that calls an operation.
    pub fn target(&self, operation: &str) -> String {
        format!("{}.{operation}", self.target_prefix)
    }

    /// A name with the namespace.
    pub fn qualified(&self, name: &str) -> String {
        format!("{}#{name}", self.namespace)
    }

    /// The type of an operation's output.
    pub fn output_type(&self, operation: &str) -> String {
        self.qualified(&format!("{operation}{}", self.output_suffix))
    }
}

impl Service {
    /// The operation that a text names as `legacy-rpc` does, in a header
    /// (`prefix.Operation`) or in an envelope (`namespace#Operation`). Prefix and
    /// namespace are not looked at, nor is the case of letters: what a request may
    /// reach on some server counts, not what it ought to reach.
    pub fn called_by_name(&self, text: &str) -> Option<&Operation> {
        let name = text.rsplit(['.', '#', '/']).next()?.trim();
        self.operations.values().find(|operation| operation.name.eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::Protocol;
    use crate::spec::Service;

    #[test]
    fn a_protocol_is_written_as_it_is_called() {
        for protocol in Protocol::ALL {
            assert_eq!(serde_json::to_value(protocol).expect("it is text"), protocol.name());
        }
    }

    #[test]
    fn names_have_the_form_of_the_samples() {
        let rpc = &Service::embedded().legacy_rpc;
        assert_eq!(rpc.target("ListRecords"), "com.amazonaws.cognito.sync.model.AWSCognitoSyncService.ListRecords");
        assert_eq!(rpc.qualified("ListRecords"), "com.amazonaws.cognito.sync.model#ListRecords");
        assert_eq!(rpc.output_type("ListRecords"), "com.amazonaws.cognito.sync.model#ListRecordsResponse");
    }

    #[rstest]
    #[case("com.amazonaws.cognito.sync.model.AWSCognitoSyncService.ListRecords", Some("ListRecords"))]
    #[case("com.amazonaws.cognito.sync.model.AWS Cognito Sync Service. ListRecords ", Some("ListRecords"))]
    #[case("x#listrecords", Some("ListRecords"))]
    #[case("ListRecords", Some("ListRecords"))]
    #[case("a.ListRecordsResponse", None)]
    #[case("", None)]
    fn an_operation_is_known_by_its_name(#[case] text: &str, #[case] expected: Option<&str>) {
        let called = Service::embedded().called_by_name(text);
        assert_eq!(called.map(|operation| operation.name.as_str()), expected);
    }
}
