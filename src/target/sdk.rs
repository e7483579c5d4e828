//! How AWS's own library is used to ask for credentials: with bounded waiting, few
//! repetitions, no proxies and no redirects.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_cognitoidentity::config::SharedHttpClient;
use aws_sdk_cognitoidentity::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::credentials::Secret;
use super::provider::{CredentialsError, PATIENCE};

/// Longest part of somebody else's message that is quoted, in characters.
const LONGEST_QUOTE: usize = 300;

pub(super) fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(3))
        .operation_attempt_timeout(Duration::from_secs(5))
        .operation_timeout(PATIENCE)
        .build()
}

/// Throttled and lost questions are asked again, twice at most.
pub(super) fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(3).with_max_backoff(Duration::from_secs(2))
}

/// An HTTP client. It follows no redirects, and uses no proxy whatever the
/// environment says, as is true of the one that cases are sent with. `ca_file` is
/// trusted instead of the platform's certificates.
///
/// # Errors
///
/// When the file cannot be read or holds no certificates.
pub(super) fn http_client(ca_file: Option<&Path>) -> Result<SharedHttpClient, CredentialsError> {
    let builder = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring));
    let Some(file) = ca_file else { return Ok(builder.build_https()) };
    let unusable = |what: &dyn std::fmt::Display| CredentialsError(format!("ca-file {}: {what}", file.display()));
    let pem = fs::read(file).map_err(|error| unusable(&error))?;
    // The library ends the program over a certificate that it cannot read.
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let mut roots = RootCertStore::empty();
    for certificate in certificates.map_err(|error| unusable(&error))? {
        roots.add(certificate).map_err(|error| unusable(&error))?;
    }
    if roots.is_empty() {
        return Err(unusable(&"it holds no certificate in PEM form"));
    }
    let trust = TlsContext::builder().with_trust_store(TrustStore::empty().with_pem_certificate(pem)).build();
    Ok(builder.tls_context(trust.map_err(|error| unusable(&error))?).build_https())
}

/// What went wrong with a call, in one line: the service's own words where there
/// are any, else the causes.
pub(super) fn in_words<E, R>(error: &SdkError<E, R>) -> String
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug,
{
    if let Some(service) = error.as_service_error()
        && let Some(code) = service.code()
    {
        return line(&service.message().map_or_else(|| code.to_owned(), |message| format!("{code}: {message}")));
    }
    causes(error)
}

/// An error and its causes in one line. Their debug forms are left alone: they hold
/// whole answers.
pub(super) fn causes(error: &dyn Error) -> String {
    let mut parts = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !parts.iter().any(|part| part.contains(&text)) {
            parts.push(text);
        }
        cause = error.source();
    }
    line(&parts.join(": "))
}

/// The first line, cut to a length that a person can read.
fn line(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    match first.char_indices().nth(LONGEST_QUOTE) {
        Some((end, _)) => format!("{}…", &first[..end]),
        None => first.to_owned(),
    }
}

/// Text without these secrets: a service may say in its answer what it was sent.
pub(super) fn without(text: String, secrets: &[Secret]) -> String {
    secrets
        .iter()
        .filter(|secret| !secret.expose().is_empty())
        .fold(text, |text, secret| text.replace(secret.expose(), "<redacted>"))
}
