//! How TLS is spoken: rustls with ring, HTTP/1.1, and the platform's certificates or
//! those of a target's `ca-file`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_platform_verifier::BuilderVerifierExt;

/// What a message says when nobody vouches for a certificate.
pub(super) const REMEDY: &str = "if you trust this endpoint, put its certificate, or that of its authority, as PEM \
                                 into a file and name it as `ca-file` in the target file";

/// Whose word is taken for who a server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust<'p> {
    /// Nobody's: for plain HTTP, where the HTTP library wants a configuration all the
    /// same, and no certificate is loaded.
    Nobody,
    /// The platform's certificates.
    Platform,
    /// The certificates in a file, and no others.
    File(&'p Path),
}

/// Why the certificates of a `ca-file` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CaFileError {
    /// It cannot be read.
    #[error("the ca-file {} cannot be read: {error}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It holds no certificate in PEM form.
    #[error(
        "the ca-file {} holds no certificate in PEM form; one begins with `-----BEGIN CERTIFICATE-----`{hint}",
        file.display()
    )]
    Empty {
        /// The file.
        file: PathBuf,
        /// What it seems to be instead, or nothing.
        hint: &'static str,
    },
    /// One of its certificates is none.
    #[error("the ca-file {}: certificate {number} cannot be used: {reason}", file.display())]
    Certificate {
        /// The file.
        file: PathBuf,
        /// Which one, from 1.
        number: usize,
        /// Why.
        reason: String,
    },
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub(super) enum TlsError {
    #[error(transparent)]
    Rustls(#[from] rustls::Error),
    #[error(transparent)]
    CaFile(#[from] CaFileError),
}

/// The configuration of both paths.
///
/// # Errors
///
/// When the certificates cannot be loaded.
pub(super) fn config(trust: Trust<'_>) -> Result<ClientConfig, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
    let builder = match trust {
        Trust::Nobody => builder.with_root_certificates(RootCertStore::empty()),
        Trust::Platform => builder.with_platform_verifier()?,
        Trust::File(file) => {
            let verifier = Arc::new(Named::new(file, provider)?);
            builder.dangerous().with_custom_certificate_verifier(verifier)
        }
    };
    let mut config = builder.with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Trusts the certificates of a file, as authorities and as a server's own.
///
/// A certificate that signs itself is often marked as an authority's (`openssl req
/// -x509` makes such ones), and as such is refused as a server's. Who names that very
/// certificate means it: its name and its dates are checked all the same.
#[derive(Debug)]
struct Named {
    certificates: Vec<CertificateDer<'static>>,
    authorities: Arc<WebPkiServerVerifier>,
}

impl Named {
    fn new(file: &Path, provider: Arc<CryptoProvider>) -> Result<Self, TlsError> {
        let certificates = certificates(file)?;
        let mut roots = RootCertStore::empty();
        for (index, certificate) in certificates.iter().enumerate() {
            roots.add(certificate.clone()).map_err(|error| CaFileError::Certificate {
                file: file.to_owned(),
                number: index + 1,
                reason: error.to_string(),
            })?;
        }
        let authorities = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
        let authorities = authorities.map_err(|error| rustls::Error::General(error.to_string()))?;
        Ok(Self { certificates, authorities })
    }
}

/// The certificates in a file; at least one.
fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, CaFileError> {
    let text = fs::read(file).map_err(|error| CaFileError::Unreadable { file: file.to_owned(), error })?;
    let mut certificates = Vec::new();
    for (index, certificate) in CertificateDer::pem_slice_iter(&text).enumerate() {
        certificates.push(certificate.map_err(|error| CaFileError::Certificate {
            file: file.to_owned(),
            number: index + 1,
            reason: error.to_string(),
        })?);
    }
    if certificates.is_empty() {
        let has = |part: &[u8]| text.windows(part.len()).any(|window| window == part);
        let hint = if has(b"PRIVATE KEY-----") {
            "; this one holds a private key, which does not belong there"
        } else if text.starts_with(&[0x30, 0x82]) {
            "; this one looks like DER, which `openssl x509 -inform der` turns into PEM"
        } else {
            ""
        };
        return Err(CaFileError::Empty { file: file.to_owned(), hint });
    }
    Ok(certificates)
}

impl ServerCertVerifier for Named {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = self.authorities.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verified {
            // Not a matter of dates, names, purposes or signatures, which have
            // variants of their own: of its being an authority's.
            Err(rustls::Error::InvalidCertificate(CertificateError::Other(_)))
                if self.certificates.iter().any(|certificate| certificate == end_entity) =>
            {
                rustls::client::verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.authorities.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.authorities.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.authorities.supported_verify_schemes()
    }
}

/// Whether nobody who is trusted vouches for a server's certificate.
pub(super) fn is_unvouched(error: &(dyn std::error::Error + 'static)) -> bool {
    if let Some(error) = error.downcast_ref::<io::Error>() {
        // Such an error does not name what it holds as its source.
        return error.get_ref().is_some_and(|held| is_unvouched(held));
    }
    let Some(rustls::Error::InvalidCertificate(why)) = error.downcast_ref() else { return false };
    // An authority of the same name with another key is another authority.
    matches!(why, CertificateError::UnknownIssuer | CertificateError::BadSignature | CertificateError::Other(_))
}
