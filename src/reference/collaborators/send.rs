//! Sends one signed request and reads its answer, within a time and a size.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url, redirect};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;
use serde_json::Value;
use tokio::time::timeout;

use super::settings::{Collaborators, endpoint};
use super::sign::Signer;

/// What is never encoded in an address.
pub(super) const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Idle connections are dropped before most servers close them.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// Characters of another service's message that are repeated.
const REPEATED_CHARACTERS: usize = 300;

/// Sends requests. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Sender {
    client: reqwest::Client,
    pub(super) signer: Arc<Signer>,
}

/// A request that is to be signed and sent.
#[derive(Debug)]
pub(super) struct Outgoing<'a> {
    /// As signatures name it.
    pub(super) service: &'static str,
    pub(super) method: Method,
    /// Address with an encoded path.
    pub(super) url: String,
    pub(super) headers: &'a [(&'a str, &'a str)],
    pub(super) body: Vec<u8>,
    /// How long it may take, from connecting to the last byte.
    pub(super) limit: Duration,
    /// Most bytes of an answer's body.
    pub(super) most: usize,
}

/// An answer that came completely.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Lost {
    /// It did not come in time.
    TimedOut,
    /// It was larger than is read.
    TooLarge,
    /// It could not be sent, or the answer broke off.
    Broken(String),
}

impl Sender {
    /// For these collaborators, who are in this region. Fails when the platform's
    /// certificates are needed and cannot be loaded.
    pub(super) fn new(collaborators: &Collaborators, region: &str) -> Result<Self, String> {
        let secure = collaborators.named().any(|(_, endpoint)| endpoint.starts_with("https"));
        let tls = tls(secure).map_err(|error| format!("cannot load the platform's certificates: {error}"))?;
        // No redirects: a signature is good for one address only. No repeats: a record
        // that was taken would be taken again.
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .http1_only()
            .tcp_nodelay(true)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build()
            .map_err(|error| error.to_string())?;
        let signer = Signer { keys: collaborators.keys.clone(), region: region.to_owned(), clock: SystemTime::now };
        Ok(Self { client, signer: Arc::new(signer) })
    }

    pub(super) async fn send(&self, outgoing: Outgoing<'_>) -> Result<Answer, Lost> {
        let limit = outgoing.limit;
        timeout(limit, self.exchange(outgoing)).await.unwrap_or(Err(Lost::TimedOut))
    }

    async fn exchange(&self, outgoing: Outgoing<'_>) -> Result<Answer, Lost> {
        let Outgoing { service, method, url, headers, body, most, .. } = outgoing;
        let broken = |error: &(dyn Error + 'static)| Lost::Broken(cause(error));
        let signature = self.signer.headers(service, method.as_str(), &url, headers, &body).map_err(Lost::Broken)?;
        let url = Url::parse(&url).map_err(|error| broken(&error))?;
        let mut request = reqwest::Request::new(method, url);
        let given = headers.iter().copied();
        for (name, value) in given.chain(signature.iter().map(|(name, value)| (name.as_str(), value.as_str()))) {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| broken(&error))?;
            let value = HeaderValue::from_str(value).map_err(|error| broken(&error))?;
            request.headers_mut().insert(name, value);
        }
        *request.body_mut() = Some(body.into());
        let mut response = self.client.execute(request).await.map_err(|error| broken(&error.without_url()))?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| broken(&error.without_url()))? {
            if body.len() + chunk.len() > most {
                return Err(Lost::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status: response.status().as_u16(), headers: response.headers().clone(), body })
    }
}

impl Lost {
    /// In words that complete "Kinesis ...".
    pub(super) fn in_words(&self) -> String {
        match self {
            Self::TimedOut => "did not answer in time".to_owned(),
            Self::TooLarge => "gave a larger answer than is read".to_owned(),
            Self::Broken(why) => format!("cannot be reached: {why}"),
        }
    }
}

impl Answer {
    pub(super) fn is_ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Name and message of an error in a JSON protocol; either may be empty.
    pub(super) fn json_error(&self) -> (String, String) {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let text =
            |names: &[&str]| names.iter().find_map(|name| body.get(name)?.as_str()).unwrap_or_default().to_owned();
        let header = self.headers.get("x-amzn-errortype").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let name = header.unwrap_or_else(|| text(&["__type", "code"]));
        let name = name.split(':').next().unwrap_or_default().rsplit('#').next().unwrap_or_default().to_owned();
        (name, text(&["message", "Message"]))
    }
}

/// An error of another service in words that complete "Kinesis ...".
pub(super) fn refused(status: u16, name: &str, message: &str) -> String {
    let message = shortened(message);
    let said: Vec<&str> = [name, message.as_str()].into_iter().filter(|part| !part.is_empty()).collect();
    if said.is_empty() { format!("refused with status {status}") } else { format!("refused: {}", said.join(": ")) }
}

/// As much of another service's message as is repeated.
pub(super) fn shortened(message: &str) -> String {
    message.chars().take(REPEATED_CHARACTERS).collect()
}

/// An endpoint that the settings name.
pub(super) fn base(named: Option<&String>) -> Result<Option<String>, String> {
    named.map(|named| endpoint(named).map_err(|problem| format!("`{named}`: {problem}"))).transpose()
}

/// The last cause, which says most.
fn cause(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(deeper) = last.source() {
        last = deeper;
    }
    last.to_string()
}

/// Without `secure` nothing is ever trusted, and nothing loaded.
fn tls(secure: bool) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let builder =
        if secure { builder.with_platform_verifier()? } else { builder.with_root_certificates(RootCertStore::empty()) };
    Ok(builder.with_no_client_auth())
}
