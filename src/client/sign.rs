//! Signs a request with AWS Signature Version 4, exactly as it will be sent.

use std::borrow::Cow;
use std::error::Error;
use std::time::{Duration, SystemTime};

use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningInstructions,
    SigningSettings, UriPathNormalizationMode, sign as aws_sign,
};
use aws_sigv4::sign::v4;
use http::{HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::bind::{UNRESERVED, encode};
use super::endpoint::prepend;
use super::failure::root_cause;
use crate::target::Credentials;
use crate::wire::{Headers, Request};

/// What a signature is made with.
#[derive(Debug, Clone)]
pub struct Signing<'a> {
    /// The keys; a session token is sent and signed when there is one.
    pub credentials: &'a Credentials,
    /// Region of the credential scope, such as `us-east-1`.
    pub region: &'a str,
    /// Service name of the credential scope.
    pub service: &'a str,
    /// When the request claims to be signed; whole seconds count.
    pub time: SystemTime,
    /// Where the signature goes.
    pub form: SigningForm,
    /// How it covers the body.
    pub payload: SignedPayload,
    /// Names, in lower case, of headers that it does not cover.
    pub without_headers: &'a [String],
}

/// How a signature covers the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignedPayload {
    /// By its hash, which is not sent.
    Hashed,
    /// By its hash, which the header form sends as `x-amz-content-sha256`.
    Stated,
    /// Not at all, which the header form says in the same header.
    Unsigned,
}

/// Where a signature goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SigningForm {
    /// `authorization`, `x-amz-date` and `x-amz-security-token`.
    Header,
    /// Parameters at the end of the query.
    Query {
        /// How long the signature claims to hold, counted from the signing time,
        /// in whole seconds.
        expires: Duration,
    },
}

/// Why a request cannot be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// A value that the signature is made with cannot stand in a header.
    #[error("cannot sign: {what} holds characters that no header may")]
    Unusable {
        /// Which value; never the value itself.
        what: &'static str,
    },
    /// The signer refused the request, for instance because of a target longer
    /// than 64 KiB.
    #[error("cannot sign: {0}")]
    Refused(String),
}

/// The canonical form keeps a path's slashes and encodes all else once more.
const CANONICAL_PATH: &AsciiSet = &UNRESERVED.remove(b'/');

/// What a query may hold on the wire here, but not in a URI. The signer decodes
/// and encodes the query anew, so encoding these first changes nothing it signs.
const NOT_IN_QUERY: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>');

/// Headers that are not signed: the signature itself, and what proxies and
/// connections change underway.
const UNSIGNED: &[&str] = &[
    "authorization",
    "connection",
    "expect",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "x-amzn-trace-id",
    "x-forwarded-for",
];

/// Signs `request` in place. `host` is the endpoint's, with its port unless that
/// is the scheme's default; it becomes the first header when the request has none.
///
/// The path is signed as it stands, encoded once more and never normalised, so
/// that `..`, `//` and characters that no URI may hold are covered as sent. Every
/// header present is signed, except those that change underway and those that
/// SigV4 has no canonical form for (a name that is no token, a value that is not
/// UTF-8 or holds control characters). A signature from an earlier call is replaced
/// in the header form and kept beside the new one in the query form.
///
/// The signing key is derived anew each time: the signer takes no derived key,
/// and four short hashes cost less than looking one up safely is worth.
///
/// # Errors
///
/// When the credentials, the region or the service cannot stand in a header, or
/// the target is longer than a URI may be. The request is then unchanged but for
/// its `host`.
pub fn sign(request: &mut Request, host: &str, signing: &Signing<'_>) -> Result<(), SignError> {
    check(signing)?;
    if !request.headers.contains("host") {
        prepend(&mut request.headers, "host", host);
    }
    let instructions = instructions(request, signing)?;
    for (name, value) in instructions.headers() {
        request.headers.set(name, value);
    }
    for (name, value) in instructions.params() {
        let separator = match request.query() {
            None => "?",
            Some("") => "",
            Some(_) => "&",
        };
        request.target = format!("{}{separator}{}={}", request.target, encode(name), encode(value));
    }
    Ok(())
}

/// Refuses what would break out of the header that it is put into.
fn check(signing: &Signing<'_>) -> Result<(), SignError> {
    let token = signing.credentials.session_token.as_ref();
    let parts = [
        ("the access key id", signing.credentials.access_key_id.as_str()),
        ("the session token", token.map(|token| token.expose()).unwrap_or_default()),
        ("the region", signing.region),
        ("the service name", signing.service),
    ];
    match parts.iter().find(|(_, part)| HeaderValue::from_str(part).is_err()) {
        Some((what, _)) => Err(SignError::Unusable { what }),
        None => Ok(()),
    }
}

/// What to add to the request.
fn instructions(request: &Request, signing: &Signing<'_>) -> Result<SigningInstructions, SignError> {
    let refused = |error: &(dyn Error + 'static)| SignError::Refused(root_cause(error));
    let identity = aws_credential_types::Credentials::new(
        &signing.credentials.access_key_id,
        signing.credentials.secret_access_key.expose(),
        signing.credentials.session_token.as_ref().map(|token| token.expose().to_owned()),
        None,
        "syncspec",
    )
    .into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(signing.region)
        .name(signing.service)
        .time(signing.time)
        .settings(settings(signing))
        .build()
        .map_err(|error| refused(&error))?
        .into();
    let signable = SignableRequest::new(
        &request.method,
        canonical_uri(request),
        signable_headers(&request.headers),
        match signing.payload {
            SignedPayload::Hashed | SignedPayload::Stated => SignableBody::Bytes(&request.body),
            SignedPayload::Unsigned => SignableBody::UnsignedPayload,
        },
    )
    .map_err(|error| refused(&error))?;
    let (instructions, _) = aws_sign(signable, &parameters).map_err(|error| refused(&error))?.into_parts();
    Ok(instructions)
}

fn settings(signing: &Signing<'_>) -> SigningSettings {
    let mut settings = SigningSettings::default();
    let unsigned = UNSIGNED.iter().map(|name| Cow::Borrowed(*name));
    settings.excluded_headers = Some(unsigned.chain(signing.without_headers.iter().cloned().map(Cow::Owned)).collect());
    if signing.payload != SignedPayload::Hashed {
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    // `canonical_uri` has already encoded the path the second time.
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    if let SigningForm::Query { expires } = signing.form {
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(expires);
    }
    settings
}

/// The target as an address that the signer can parse, whatever the target holds,
/// and with the path in its canonical form. The authority is a placeholder: the
/// `host` header is what gets signed.
fn canonical_uri(request: &Request) -> String {
    let path = utf8_percent_encode(request.path(), CANONICAL_PATH).to_string();
    let slash = if path.starts_with('/') { "" } else { "/" };
    let mut uri = format!("http://host{slash}{path}");
    if let Some(query) = request.query() {
        uri.push('?');
        uri.extend(utf8_percent_encode(query, NOT_IN_QUERY));
    }
    uri
}

/// The headers that have a canonical form.
fn signable_headers(headers: &Headers) -> impl Iterator<Item = (&str, &str)> {
    headers.iter().filter_map(|(name, value)| {
        let value = std::str::from_utf8(value).ok()?;
        let has_form = HeaderName::from_bytes(name.as_bytes()).is_ok() && HeaderValue::from_str(value).is_ok();
        has_form.then_some((name, value))
    })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use aws_credential_types::Credentials as AwsCredentials;
    use aws_sigv4::http_request::{
        SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode, sign as aws_sign,
    };
    use aws_sigv4::sign::v4;
    use rstest::rstest;

    use super::{SignError, SignedPayload, Signing, SigningForm, canonical_uri, sign};
    use crate::target::{Credentials, Secret};
    use crate::wire::{Headers, Request};

    /// The key pair of AWS's published SigV4 examples.
    fn example_credentials() -> Credentials {
        Credentials {
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret_access_key: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            session_token: None,
        }
    }

    /// 2015-08-30T12:36:00Z, the time of those examples.
    fn example_time() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_440_938_160)
    }

    fn signing(credentials: &Credentials, form: SigningForm) -> Signing<'_> {
        let (payload, without_headers) = (SignedPayload::Hashed, &[][..]);
        Signing {
            credentials,
            region: "us-east-1",
            service: "service",
            time: example_time(),
            form,
            payload,
            without_headers,
        }
    }

    fn request(method: &str, target: &str, headers: &[(&str, &str)]) -> Request {
        Request {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: headers.iter().copied().collect(),
            body: bytes::Bytes::new(),
        }
    }

    fn signed(mut request: Request) -> Headers {
        let credentials = example_credentials();
        sign(&mut request, "example.amazonaws.com", &signing(&credentials, SigningForm::Header)).unwrap();
        request.headers
    }

    fn signed_names(headers: &Headers) -> String {
        let authorization = headers.get("authorization").unwrap();
        authorization.split("SignedHeaders=").nth(1).unwrap().split(',').next().unwrap().to_owned()
    }

    /// Signatures from AWS's published SigV4 test suite.
    #[rstest]
    #[case::vanilla(
        "GET", "/", &[],
        "host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
    )]
    #[case::query_order(
        "GET", "/?Param2=value2&Param1=value1", &[],
        "host;x-amz-date", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"
    )]
    #[case::post("POST", "/", &[],
        "host;x-amz-date", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
    )]
    #[case::header_case("POST", "/", &[("My-Header1", "VALUE1")],
        "host;my-header1;x-amz-date", "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"
    )]
    fn the_published_examples_come_out(
        #[case] method: &str,
        #[case] target: &str,
        #[case] headers: &[(&str, &str)],
        #[case] names: &str,
        #[case] signature: &str,
    ) {
        let headers = signed(request(method, target, headers));
        assert_eq!(
            headers.get("authorization").unwrap(),
            format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders={names}, \
                 Signature={signature}"
            )
        );
        assert_eq!(headers.get("x-amz-date"), Some("20150830T123600Z"));
        assert_eq!(headers.iter().next(), Some(("host", &b"example.amazonaws.com"[..])));
    }

    #[rstest]
    #[case::encoded_once_more("/p/us-east-1%3Aa", "http://host/p/us-east-1%253Aa")]
    #[case::literal_colon("/p/us-east-1:a", "http://host/p/us-east-1%3Aa")]
    #[case::never_normalised("//a/../b/./", "http://host//a/../b/./")]
    #[case::no_uri_at_all("/a b#c{\"ü", "http://host/a%20b%23c%7B%22%C3%BC")]
    #[case::query_as_it_is("/?a=b%20c&d+e", "http://host/?a=b%20c&d+e")]
    #[case::query_no_uri_at_all("/?a=b c#<ü", "http://host/?a=b%20c%23%3C%C3%BC")]
    #[case::second_question_mark("/a?b?c", "http://host/a?b?c")]
    #[case::no_path("?a", "http://host/?a")]
    #[case::asterisk("*", "http://host/%2A")]
    fn any_target_has_a_canonical_form(#[case] target: &str, #[case] expected: &str) {
        let request = request("GET", target, &[]);
        assert_eq!(canonical_uri(&request), expected);
        signed(request);
    }

    /// The signer, left to make the canonical path itself, must agree wherever it
    /// can read the target at all.
    #[rstest]
    #[case(
        "/identitypools/us-east-1%3Aa/identities/b:c/datasets/d%2F1%20x/records?lastSyncCount=0&nextToken=a%2B%2F%3D"
    )]
    #[case("//a/../b/.~-_!$&'()*,;=@?b&a=&a=%C3%BC")]
    fn a_well_formed_target_is_signed_as_the_signer_would(#[case] target: &str) {
        let credentials = example_credentials();
        let identity =
            AwsCredentials::new("AKIDEXAMPLE", credentials.secret_access_key.expose(), None, None, "test").into();
        let mut settings = SigningSettings::default();
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region("us-east-1")
            .name("service")
            .time(example_time())
            .settings(settings)
            .build()
            .unwrap()
            .into();
        let uri = format!("http://example.amazonaws.com{target}");
        let signable = SignableRequest::new("GET", uri, std::iter::empty(), SignableBody::empty()).unwrap();
        let (_, signature) = aws_sign(signable, &parameters).unwrap().into_parts();
        let ours = signed(request("GET", target, &[]));
        assert!(ours.get("authorization").unwrap().ends_with(&signature));
    }

    #[test]
    fn what_changes_underway_or_has_no_form_is_not_signed() {
        let mut odd = request(
            "GET",
            "/",
            &[("User-Agent", "x"), ("Connection", "close"), ("a b", "x"), ("X-One", "1"), ("Content-Length", "0")],
        );
        odd.headers.append("x-bytes", vec![0xff]);
        odd.headers.append("x-umlaut", "ü");
        assert_eq!(signed_names(&signed(odd)), "content-length;host;x-amz-date;x-one;x-umlaut");
    }

    #[test]
    fn a_host_that_is_there_stays_and_is_signed() {
        let there = signed(request("GET", "/", &[("x", "1"), ("Host", "example.amazonaws.com")]));
        assert_eq!(there.get_all("host").count(), 1);
        assert_eq!(there.iter().next().map(|(name, _)| name), Some("x"));
    }

    #[rstest]
    #[case::hashed(SignedPayload::Hashed, None)]
    #[case::stated(SignedPayload::Stated, Some("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"))]
    #[case::unsigned(SignedPayload::Unsigned, Some("UNSIGNED-PAYLOAD"))]
    fn the_hash_of_a_body_is_sent_when_asked_for(#[case] payload: SignedPayload, #[case] stated: Option<&str>) {
        let credentials = example_credentials();
        let mut request = request("POST", "/", &[]);
        request.body = "abc".into();
        let signing = Signing { payload, ..signing(&credentials, SigningForm::Header) };
        sign(&mut request, "h", &signing).unwrap();
        assert_eq!(request.headers.get("x-amz-content-sha256"), stated);
        assert_eq!(signed_names(&request.headers).contains("x-amz-content-sha256"), stated.is_some());
    }

    #[test]
    fn a_header_can_be_left_out_of_the_signature_and_still_be_sent() {
        let credentials = example_credentials();
        let mut request = request("GET", "/", &[("x-one", "1")]);
        let left_out = ["host".to_owned(), "x-one".to_owned()];
        let signing = Signing { without_headers: &left_out, ..signing(&credentials, SigningForm::Header) };
        sign(&mut request, "h", &signing).unwrap();
        assert_eq!(signed_names(&request.headers), "x-amz-date");
        assert_eq!((request.headers.get("host"), request.headers.get("x-one")), (Some("h"), Some("1")));
    }

    #[test]
    fn signing_again_replaces_the_signature() {
        let once = signed(request("GET", "/", &[]));
        let mut again = request("GET", "/", &[]);
        again.headers = once.clone();
        assert_eq!(signed(again), once);
    }

    #[test]
    fn a_session_token_is_sent_and_signed() {
        let credentials = Credentials { session_token: Some(Secret::new("the-token")), ..example_credentials() };
        let mut request = request("GET", "/", &[]);
        sign(&mut request, "h:1", &signing(&credentials, SigningForm::Header)).unwrap();
        assert_eq!(request.headers.get("x-amz-security-token"), Some("the-token"));
        assert_eq!(request.headers.get("host"), Some("h:1"));
        assert_eq!(signed_names(&request.headers), "host;x-amz-date;x-amz-security-token");
    }

    #[rstest]
    #[case::no_query("/a", "/a?X-Amz-Algorithm=AWS4-HMAC-SHA256&")]
    #[case::query("/a?b=c", "/a?b=c&X-Amz-Algorithm=AWS4-HMAC-SHA256&")]
    #[case::empty_query("/a?", "/a?X-Amz-Algorithm=AWS4-HMAC-SHA256&")]
    fn the_query_form_adds_parameters_and_no_headers_but_host(#[case] target: &str, #[case] start: &str) {
        let credentials = Credentials { session_token: Some(Secret::new("a+b")), ..example_credentials() };
        let mut request = request("GET", target, &[]);
        let form = SigningForm::Query { expires: Duration::from_secs(60) };
        sign(&mut request, "example.amazonaws.com", &signing(&credentials, form)).unwrap();
        assert!(request.target.starts_with(start), "{}", request.target);
        for part in [
            "X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fservice%2Faws4_request&",
            "X-Amz-Date=20150830T123600Z&",
            "X-Amz-Expires=60&",
            "X-Amz-SignedHeaders=host&",
            "X-Amz-Security-Token=a%2Bb",
        ] {
            assert!(request.target.contains(part), "{part} in {}", request.target);
        }
        assert_eq!(request.headers.len(), 1);
    }

    #[test]
    fn what_would_break_a_header_is_refused_and_not_shown() {
        let credentials = Credentials { access_key_id: "AK\r\nx: y".to_owned(), ..example_credentials() };
        let mut request = request("GET", "/", &[]);
        let error = sign(&mut request, "h", &signing(&credentials, SigningForm::Header)).unwrap_err();
        assert_eq!(error, SignError::Unusable { what: "the access key id" });
        assert!(request.headers.is_empty());
    }

    #[test]
    fn a_target_too_long_for_a_uri_is_refused() {
        let credentials = example_credentials();
        let mut request = request("GET", &format!("/{}", "a".repeat(70_000)), &[]);
        let error = sign(&mut request, "h", &signing(&credentials, SigningForm::Header)).unwrap_err();
        assert!(matches!(error, SignError::Refused(_)), "{error}");
    }
}
