//! Why an operation was refused.

/// An error of the service. Its status is the description's business.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {message}")]
pub struct ServiceError {
    /// Name as in the service description, such as `ResourceConflictException`.
    pub name: &'static str,
    /// Text for people; holds no secret.
    pub message: String,
}

impl ServiceError {
    pub(in crate::reference) fn new(name: &'static str, message: impl Into<String>) -> Self {
        Self { name, message: message.into() }
    }

    pub(super) fn invalid_parameter(message: impl Into<String>) -> Self {
        Self::new("InvalidParameterException", message)
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new("ResourceNotFoundException", message)
    }

    pub(super) fn pool_not_found(identity_pool_id: &str) -> Self {
        Self::not_found(format!("IdentityPool '{identity_pool_id}' not found"))
    }

    pub(super) fn dataset_not_found(dataset_name: &str) -> Self {
        Self::not_found(format!("Dataset '{dataset_name}' not found"))
    }

    pub(super) fn not_authorized() -> Self {
        Self::new("NotAuthorizedException", "These credentials are not valid for accessing this resource")
    }

    pub(super) fn conflict(message: impl Into<String>) -> Self {
        Self::new("ResourceConflictException", message)
    }

    pub(super) fn limit_exceeded(message: impl Into<String>) -> Self {
        Self::new("LimitExceededException", message)
    }

    pub(super) fn invalid_configuration(message: impl Into<String>) -> Self {
        Self::new("InvalidConfigurationException", message)
    }

    pub(super) fn duplicate_request(message: impl Into<String>) -> Self {
        Self::new("DuplicateRequestException", message)
    }

    pub(super) fn already_streamed(message: impl Into<String>) -> Self {
        Self::new("AlreadyStreamedException", message)
    }
}
