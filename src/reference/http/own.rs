//! Paths that are this program's and not the service's: for whoever runs a server.

use serde_json::{Value, json};

use super::accounts::Accounts;
use crate::wire::{Headers, Request, Response};

/// Begins them all. The service's paths begin otherwise, and a path that leads to one
/// of its operations is never taken from it.
const PREFIX: &str = "/_syncspec/";

/// The answer, when the request is for one of these paths.
pub(super) fn answer(request: &Request, accounts: &Accounts, is_sound: bool) -> Option<Response> {
    let name = request.path().strip_prefix(PREFIX)?;
    let body = match (request.method.as_str(), name) {
        ("GET" | "HEAD", "health") => json!({ "status": if is_sound { "ok" } else { "failing" } }),
        ("GET" | "HEAD", "state") => state(accounts),
        _ => return None,
    };
    if accounts.any_handler().operation(request).is_some() {
        return None;
    }
    let mut headers = Headers::new();
    headers.append("content-type", "application/json");
    headers.append("cache-control", "no-store");
    let status = if is_sound { 200 } else { 503 };
    Some(Response { status, headers, body: format!("{body}\n").into() })
}

/// How much each account holds; no ids, since nobody has to sign for it.
fn state(accounts: &Accounts) -> Value {
    let account = |(id, counts): (&str, crate::reference::model::Counts)| {
        json!({
            "account": id,
            "pools": counts.pools,
            "identities": counts.identities,
            "datasets": counts.datasets,
            "records": counts.records,
            "bytes": counts.data_storage,
        })
    };
    json!({ "accounts": accounts.counts().map(account).collect::<Vec<_>>() })
}
