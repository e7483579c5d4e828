//! What a request says of its own signature, before any of it is checked.

use super::canonical;
use super::refusal::Refusal;
use super::sigv4::{ALGORITHM, Parts};
use crate::wire::Request;

/// Longest life of a presigned request, in seconds: a week.
const EXPIRES_SECONDS_MAX: i64 = 604_800;

/// A signature and what it is said to cover.
pub(super) struct Claim {
    pub(super) form: Form,
    pub(super) access_key_id: String,
    /// Date, region, service and terminator, if well formed.
    pub(super) scope: Vec<String>,
    /// Header names as listed.
    pub(super) signed_headers: Vec<String>,
    pub(super) signature: String,
    /// As sent.
    pub(super) date: String,
    pub(super) session_token: Option<String>,
}

/// Where a request carries its signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// In the header `Authorization`.
    Header,
    /// In the query: a presigned request.
    Query {
        /// How long it is good for.
        expires_seconds: i64,
    },
}

impl Claim {
    /// Reads the claim; says everything that it lacks.
    pub(super) fn read(request: &Request) -> Result<Self, Refusal> {
        let mut authorizations = request.headers.get_all("authorization");
        let query: Parts = canonical::pairs(request.query().unwrap_or_default())
            .filter(|(name, _)| name.starts_with(b"X-Amz-"))
            .map(|(name, value)| (lossy(&name), lossy(&value)))
            .collect();
        match (authorizations.next(), authorizations.next()) {
            (Some(_), Some(_)) => Err(Refusal::incomplete_signature("There is more than one Authorization header.")),
            (Some(header), None) => Self::from_header(request, &lossy(header)),
            (None, _) if query.contains_key("X-Amz-Signature") || query.contains_key("X-Amz-Algorithm") => {
                Self::from_query(query)
            }
            (None, _) => Err(Refusal::missing_authentication_token()),
        }
    }

    fn from_header(request: &Request, header: &str) -> Result<Self, Refusal> {
        let Some(rest) = header.trim().strip_prefix(ALGORITHM).filter(|rest| rest.is_empty() || rest.starts_with(' '))
        else {
            return Err(Refusal::incomplete_signature(format!("Authorization header requires '{ALGORITHM}'.")));
        };
        let mut parts = Parts::new();
        for part in rest.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let Some((name, value)) = part.split_once('=') else {
                return Err(Refusal::incomplete_signature(
                    "Authorization header holds a part that is no key=value pair (missing equal-sign).",
                ));
            };
            parts.insert(name.to_owned(), value.to_owned());
        }
        let date = request.headers.get("x-amz-date").map(str::to_owned);
        let mut missing: Vec<String> = ["Credential", "Signature", "SignedHeaders"]
            .iter()
            .filter(|name| parts.get(**name).is_none_or(String::is_empty))
            .map(|name| format!("Authorization header requires '{name}' parameter."))
            .collect();
        if date.is_none() {
            missing.push("Authorization header requires existence of a 'X-Amz-Date' header.".to_owned());
        }
        if !missing.is_empty() {
            return Err(Refusal::incomplete_signature(missing.join(" ")));
        }
        let take = |name: &str| parts.get(name).cloned().unwrap_or_default();
        let token = request.headers.get("x-amz-security-token").map(str::to_owned);
        let (credential, headers, signature) = (take("Credential"), take("SignedHeaders"), take("Signature"));
        Ok(Self::new(Form::Header, &credential, &headers, signature, date.unwrap_or_default(), token))
    }

    fn from_query(mut query: Parts) -> Result<Self, Refusal> {
        let required = ["Algorithm", "Credential", "Signature", "SignedHeaders", "Date", "Expires"];
        let mut missing: Vec<String> = required
            .iter()
            .map(|name| format!("X-Amz-{name}"))
            .filter(|name| query.get(name).is_none_or(String::is_empty))
            .map(|name| format!("AWS query-string parameters must include '{name}'."))
            .collect();
        if query.get("X-Amz-Algorithm").is_some_and(|algorithm| algorithm != ALGORITHM) {
            missing.push(format!("X-Amz-Algorithm must be '{ALGORITHM}'."));
        }
        let mut take = |name: &str| query.remove(name).unwrap_or_default();
        let expires = take("X-Amz-Expires").parse().ok().filter(|seconds| (1..=EXPIRES_SECONDS_MAX).contains(seconds));
        let Some(expires_seconds) = expires.filter(|_| missing.is_empty()) else {
            if missing.is_empty() {
                missing.push(format!("X-Amz-Expires must be from 1 to {EXPIRES_SECONDS_MAX}."));
            }
            return Err(Refusal::incomplete_signature(missing.join(" ")));
        };
        let (credential, headers) = (take("X-Amz-Credential"), take("X-Amz-SignedHeaders"));
        let (signature, date) = (take("X-Amz-Signature"), take("X-Amz-Date"));
        let token = query.remove("X-Amz-Security-Token");
        Ok(Self::new(Form::Query { expires_seconds }, &credential, &headers, signature, date, token))
    }

    fn new(
        form: Form,
        credential: &str,
        signed_headers: &str,
        signature: String,
        date: String,
        session_token: Option<String>,
    ) -> Self {
        let mut parts = credential.split('/').map(str::to_owned);
        Self {
            form,
            access_key_id: parts.next().unwrap_or_default(),
            scope: parts.collect(),
            signed_headers: signed_headers.split(';').map(str::to_owned).collect(),
            signature,
            date,
            session_token,
        }
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
