//! Signs requests to the other services.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;

use crate::reference::world::Keys;

/// What signatures are made with.
#[derive(Debug, Clone)]
pub(super) struct Signer {
    pub(super) keys: Keys,
    pub(super) region: String,
}

impl Signer {
    /// The headers that sign a request.
    pub(super) fn headers(
        &self,
        service: &str,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Vec<(String, String)>, String> {
        let mut settings = settings(service);
        if service == "s3" {
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        let signable = SignableRequest::new(method, url, headers.iter().copied(), SignableBody::Bytes(body));
        let signed = self.sign(service, settings, signable.map_err(|error| error.to_string())?)?;
        Ok(signed.0)
    }

    /// The address, signed so that whoever has it may read what is there, for so long.
    pub(super) fn presigned(&self, service: &str, url: &str, lasts: Duration) -> Result<String, String> {
        let mut settings = settings(service);
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(lasts);
        let signable = SignableRequest::new("GET", url, std::iter::empty(), SignableBody::UnsignedPayload);
        let signed = self.sign(service, settings, signable.map_err(|error| error.to_string())?)?;
        let encode = |text: &str| percent_encoding::utf8_percent_encode(text, super::send::UNRESERVED).to_string();
        let query: Vec<String> =
            signed.1.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        Ok(format!("{url}?{}", query.join("&")))
    }

    /// What to add: headers and parameters of the query.
    fn sign(&self, service: &str, settings: SigningSettings, signable: SignableRequest<'_>) -> Result<Added, String> {
        let Keys { access_key_id, secret_access_key, session_token } = self.keys.clone();
        let identity = Credentials::new(access_key_id, secret_access_key, session_token, None, "syncspec").into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(service)
            .time(SystemTime::now())
            .settings(settings)
            .build()
            .map_err(|error| error.to_string())?
            .into();
        let (added, _) = sign(signable, &parameters).map_err(|error| error.to_string())?.into_parts();
        let (headers, query) = added.into_parts();
        let headers = headers.iter().map(|header| (header.name().to_owned(), header.value().to_owned())).collect();
        Ok((headers, query.into_iter().map(|(name, value)| (name.to_owned(), value.into_owned())).collect()))
    }
}

type Added = (Vec<(String, String)>, Vec<(String, String)>);

/// How a service wants paths to be signed: S3 as they are sent, all others encoded once
/// more.
fn settings(service: &str) -> SigningSettings {
    let mut settings = SigningSettings::default();
    if service == "s3" {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    }
    settings
}
