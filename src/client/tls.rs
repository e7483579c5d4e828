//! How TLS is spoken: rustls with ring, the platform's certificates, HTTP/1.1.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;

/// The configuration of both paths. Without `verify` no certificate would ever be
/// accepted and none is loaded: that is for plain HTTP, where the HTTP library
/// wants a configuration all the same.
///
/// # Errors
///
/// When the platform's certificates cannot be loaded.
pub(super) fn config(verify: bool) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let builder =
        if verify { builder.with_platform_verifier()? } else { builder.with_root_certificates(RootCertStore::empty()) };
    let mut config = builder.with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
