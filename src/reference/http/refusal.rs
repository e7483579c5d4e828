//! Everything that can be answered but a result.

use crate::reference::model::ServiceError;

/// An error on its way to the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// Name, without what is appended to it on the wire.
    pub(super) name: String,
    /// Which part of the service refuses; decides what is appended.
    pub(super) by: Refuser,
    /// Text for people; holds no secret.
    pub(super) message: String,
}

/// The parts of the service that refuse requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refuser {
    /// The framework: routes, signatures, JSON.
    Framework,
    /// The framework's check of constraints.
    Validation,
    /// The service's own code.
    Service,
}

impl Refuser {
    /// What follows the error's name in its header.
    pub(super) fn tail(self) -> &'static str {
        match self {
            Self::Framework => ":http://internal.amazon.com/coral/com.amazon.coral.service/",
            Self::Validation => ":http://internal.amazon.com/coral/com.amazon.coral.validate/",
            Self::Service => "",
        }
    }
}

/// Statuses of errors that neither the service nor the common list declares.
pub(super) fn framework_status(name: &str) -> u16 {
    match name {
        "SerializationException" => 400,
        "MissingAuthenticationTokenException" | "IncompleteSignatureException" | "InvalidSignatureException" => 403,
        _ => 500,
    }
}

impl Refusal {
    fn framework(name: &str, message: impl Into<String>) -> Self {
        Self { name: name.to_owned(), by: Refuser::Framework, message: message.into() }
    }

    pub(super) fn missing_authentication_token() -> Self {
        Self::framework("MissingAuthenticationTokenException", "Missing Authentication Token")
    }

    pub(super) fn incomplete_signature(message: impl Into<String>) -> Self {
        Self::framework("IncompleteSignatureException", message)
    }

    pub(super) fn invalid_signature(message: impl Into<String>) -> Self {
        Self::framework("InvalidSignatureException", message)
    }

    pub(super) fn unrecognized_client() -> Self {
        Self::framework("UnrecognizedClientException", "The security token included in the request is invalid.")
    }

    pub(super) fn unknown_operation() -> Self {
        Self::framework("UnknownOperationException", "")
    }

    pub(super) fn serialization(message: impl Into<String>) -> Self {
        Self::framework("SerializationException", message)
    }

    pub(super) fn too_large() -> Self {
        Self::framework("RequestEntityTooLargeException", "The request is larger than the service reads")
    }

    pub(super) fn timed_out() -> Self {
        Self::framework("RequestTimeoutException", "The request did not arrive in time")
    }

    /// The name is a choice: `ValidationException` would be as good.
    pub(super) fn constraints(message: impl Into<String>) -> Self {
        Self { name: "InvalidParameterException".to_owned(), by: Refuser::Validation, message: message.into() }
    }

    pub(super) fn not_authorized() -> Self {
        Self {
            name: "NotAuthorizedException".to_owned(),
            by: Refuser::Service,
            message: "These credentials are not valid for accessing this resource".to_owned(),
        }
    }

    pub(super) fn internal(message: impl Into<String>) -> Self {
        Self { name: "InternalErrorException".to_owned(), by: Refuser::Service, message: message.into() }
    }
}

impl From<ServiceError> for Refusal {
    fn from(error: ServiceError) -> Self {
        Self { name: error.name.to_owned(), by: Refuser::Service, message: error.message }
    }
}
