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
    /// Says when it is.
    pub(super) clock: fn() -> SystemTime,
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
            .time((self.clock)())
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

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use rstest::rstest;

    use super::Signer;
    use crate::reference::world::Keys;

    /// The keys and the moment of S3's published examples.
    fn signer(session_token: Option<&str>) -> Signer {
        let keys = Keys {
            access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret_access_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
            session_token: session_token.map(str::to_owned),
        };
        let clock = || SystemTime::UNIX_EPOCH + Duration::from_secs(1_369_353_600);
        Signer { keys, region: "us-east-1".to_owned(), clock }
    }

    /// The first is S3's published example, the others are botocore's signatures.
    #[rstest]
    #[case::published(
        "https://examplebucket.s3.amazonaws.com/test.txt",
        None,
        "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    )]
    #[case::escaped_and_with_session(
        "http://127.0.0.1:9000/bucket/a%3Ab.json",
        Some("a+b/c=="),
        "0180350f42ccf68baca21f01518a48c3aa61f8f1dbc571ddab3b95feab5a5889"
    )]
    fn addresses_are_signed_as_others_sign_them(
        #[case] url: &str,
        #[case] token: Option<&str>,
        #[case] signature: &str,
    ) {
        let signed = signer(token).presigned("s3", url, Duration::from_secs(86_400)).unwrap();
        assert!(signed.starts_with(&format!("{url}?X-Amz-")), "{signed}");
        assert!(signed.contains(&format!("X-Amz-Signature={signature}")), "{signed}");
        assert_eq!(signed.contains("X-Amz-Security-Token=a%2Bb%2Fc%3D%3D"), token.is_some(), "{signed}");
    }

    /// The signatures are botocore's.
    #[rstest]
    #[case::s3(
        "s3", "PUT", "/bucket/a%3Ab.json", &[("content-type", "application/json")], "[]", None,
        "46f84f925db6e7fa9434081de524af5175ad9103c1d3e29f459f0899d31777f8"
    )]
    #[case::lambda(
        "lambda", "POST", "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A1%3Afunction%3Af/invocations",
        &[("content-type", "application/json"), ("x-amz-invocation-type", "RequestResponse")], "{}", Some("a+b/c=="),
        "74f51f9ccd9aaf572a1245c9584188c9a8748c9103984c5245fa599561667dcd"
    )]
    fn requests_are_signed_as_others_sign_them(
        #[case] service: &str,
        #[case] method: &str,
        #[case] path: &str,
        #[case] headers: &[(&str, &str)],
        #[case] body: &str,
        #[case] token: Option<&str>,
        #[case] signature: &str,
    ) {
        let url = format!("http://127.0.0.1:9000{path}");
        let signed = signer(token).headers(service, method, &url, headers, body.as_bytes()).unwrap();
        let authorization = signed.iter().find(|(name, _)| name == "authorization").unwrap();
        assert!(authorization.1.ends_with(signature), "{authorization:?}");
    }
}
