//! Signs requests for tests, with the signer of AWS's SDK.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4;

use crate::reference::model::Timestamp;
use crate::reference::world::Keys;
use crate::wire::{Headers, Request};

/// The moment at which everything is signed, in seconds since the epoch.
const SIGNED_AT: u64 = 1_700_000_000;

/// So many seconds after everything was signed.
pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis((SIGNED_AT as i64 + seconds) * 1_000)
}

/// How a request is signed.
pub(super) struct Signing {
    pub(super) keys: Keys,
    pub(super) region: &'static str,
    pub(super) service: &'static str,
    pub(super) settings: SigningSettings,
}

impl Signing {
    pub(super) fn new(keys: &Keys) -> Self {
        Self { keys: keys.clone(), region: "us-east-1", service: "cognito-sync", settings: SigningSettings::default() }
    }

    /// Signed in the query, good for so many seconds.
    pub(super) fn presigned(keys: &Keys, seconds: u64) -> Self {
        let mut signing = Self::new(keys);
        signing.settings.signature_location = SignatureLocation::QueryParams;
        signing.settings.expires_in = Some(Duration::from_secs(seconds));
        signing
    }

    pub(super) fn sign(self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Request {
        let Keys { access_key_id, secret_access_key, session_token } = self.keys;
        let credentials = Credentials::new(access_key_id, secret_access_key, session_token, None, "test");
        let identity = credentials.into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name(self.service)
            .time(SystemTime::UNIX_EPOCH + Duration::from_secs(SIGNED_AT))
            .settings(self.settings)
            .build()
            .expect("everything is given");
        let uri = format!("http://127.0.0.1:8000{target}");
        let signable = SignableRequest::new(method, uri, headers.iter().copied(), SignableBody::Bytes(body));
        let signed = sign(signable.expect("it can be signed"), &parameters.into()).expect("it is signed");
        let (added, query) = signed.into_parts().0.into_parts();
        let mut all = Headers::new();
        all.append("host", "127.0.0.1:8000");
        for (name, value) in headers {
            all.append(*name, *value);
        }
        for header in &added {
            all.append(header.name(), header.value());
        }
        let mut target = target.to_owned();
        for (name, value) in query {
            let value = percent_encoding::utf8_percent_encode(&value, percent_encoding::NON_ALPHANUMERIC);
            let start = if target.contains('?') { '&' } else { '?' };
            target.extend([start.to_string(), name.to_owned(), "=".to_owned(), value.to_string()]);
        }
        Request { method: method.to_owned(), target, headers: all, body: body.to_vec().into() }
    }
}
