//! What may be told of a request and its answer: who, what, how long, and no secret.

use std::sync::Arc;
use std::time::Duration;

use super::accounts::Accounts;
use super::canonical::decoded;
use super::served::Answer;
use crate::reference::model::{Caller, Timestamp};
use crate::wire::{Request, Response};

/// Most characters of a path that are told.
const SHOWN_CHARACTERS: usize = 1_024;

/// Stands for the value of a parameter that is not told.
const REDACTED: &str = "…";

/// Told of every answer, when it is about to be sent.
pub type AccessLog = Arc<dyn Fn(&Access) + Send + Sync>;

/// A request and its answer, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// When the request was read, in milliseconds since the epoch.
    pub at_millis: i64,
    /// Its method.
    pub method: String,
    /// Its path and query as sent, cut at 1,024 characters; values of parameters that
    /// sign, or hold a token, are left out.
    pub target: String,
    /// The operation that the path leads to, if any.
    pub operation: Option<String>,
    /// Account of whoever signed it; none when the signature is not good, or was not
    /// looked at because of a fault.
    pub account_id: Option<String>,
    /// The identity that signed it; none for a developer, or when there is no account.
    pub identity_id: Option<String>,
    /// The answer's status; none when the connection was cut instead.
    pub status: Option<u16>,
    /// The error's name, if it is one.
    pub error: Option<String>,
    /// The answer's request id.
    pub request_id: Option<String>,
    /// From the request's last byte to the moment at which the answer is sent.
    pub duration: Duration,
    /// The faults that it met, as they were written.
    pub faults: Vec<String>,
}

/// Errors that are given before it is known who calls.
const UNKNOWN_CALLER: [&str; 5] = [
    "MissingAuthenticationTokenException",
    "IncompleteSignatureException",
    "InvalidSignatureException",
    "UnrecognizedClientException",
    "UnknownOperationException",
];

impl Access {
    pub(super) fn new(
        accounts: &Accounts,
        request: &Request,
        answer: &Answer,
        at: Timestamp,
        duration: Duration,
    ) -> Self {
        let refusal = answer.response.as_ref().filter(|response| response.status >= 400);
        let error = refusal.and_then(Response::error_name);
        let is_known = answer.is_of_service && !error.as_deref().is_some_and(|error| UNKNOWN_CALLER.contains(&error));
        let sent = answer.response.as_ref().filter(|_| !answer.is_cut);
        let operation = accounts.any_handler().operation(request).map(str::to_owned);
        let caller = accounts.caller(request).filter(|_| is_known && operation.is_some());
        let identity_id = match caller {
            Some((_, Caller::Identity { identity_id, .. })) => Some(identity_id.clone()),
            _ => None,
        };
        Self {
            at_millis: at.millis(),
            method: request.method.clone(),
            target: shown(&request.target),
            operation,
            account_id: caller.map(|(account, _)| account.id.clone()),
            identity_id,
            status: sent.map(|sent| sent.status),
            error: error.filter(|_| sent.is_some()),
            request_id: sent.and_then(|sent| sent.headers.get("x-amzn-requestid")).map(str::to_owned),
            duration,
            faults: answer.faults.clone(),
        }
    }
}

/// Path and query without what opens anything, and without what confuses a terminal.
fn shown(target: &str) -> String {
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let mut shown = path.to_owned();
    for (at, parameter) in query.into_iter().flat_map(|query| query.split('&')).enumerate() {
        shown.push(if at == 0 { '?' } else { '&' });
        match parameter.split_once('=') {
            Some((name, _)) if is_secret(name) => shown.extend([name, "=", REDACTED]),
            _ => shown.push_str(parameter),
        }
    }
    let mut shown: String = shown.chars().flat_map(escaped).collect();
    if let Some((end, _)) = shown.char_indices().nth(SHOWN_CHARACTERS) {
        shown.truncate(end);
        shown.push_str(REDACTED);
    }
    shown
}

/// Whether a parameter's value is worth something to whoever reads it.
fn is_secret(name: &str) -> bool {
    let name = decoded(name).to_ascii_lowercase();
    name.contains("token") && name != "nexttoken" || name.contains("signature")
}

fn escaped(character: char) -> impl Iterator<Item = char> {
    let control = character.is_control();
    let escape = control.then(|| character.escape_default()).into_iter().flatten();
    escape.chain((!control).then_some(character))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::shown;

    #[rstest]
    #[case::plain("/identitypools?maxResults=2", "/identitypools?maxResults=2")]
    #[case::session("/a?syncSessionToken=abc&nextToken=d", "/a?syncSessionToken=…&nextToken=d")]
    #[case::presigned(
        "/a?X-Amz-Credential=AKID&X-Amz-Signature=00ff&X-Amz-Security-Token=t%3D",
        "/a?X-Amz-Credential=AKID&X-Amz-Signature=…&X-Amz-Security-Token=…"
    )]
    #[case::in_disguise("/a?sync%53essionTok%65n=abc", "/a?sync%53essionTok%65n=…")]
    #[case::no_value("/a?token&x", "/a?token&x")]
    #[case::control("/a\u{1b}[2J", "/a\\u{1b}[2J")]
    fn secrets_are_left_out(#[case] target: &str, #[case] expected: &str) {
        assert_eq!(shown(target), expected);
    }

    #[test]
    fn a_long_target_is_cut() {
        let cut = shown(&format!("/{}", "ä".repeat(5_000)));
        assert_eq!(cut.chars().count(), 1_025);
    }
}
