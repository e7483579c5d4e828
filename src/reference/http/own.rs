//! Paths that are this program's and not the service's: for whoever runs a server.

use serde_json::{Value, json};

use super::accounts::Accounts;
use super::fault::{Faults, Set};
use crate::wire::{Headers, Request, Response};

/// Begins them all. The service's paths begin otherwise, and a path that leads to one
/// of its operations is never taken from it.
const PREFIX: &str = "/_syncspec/";

/// Most faults that are taken.
const FAULTS_MAX: usize = 100;

/// What is said of the server: a status, and a body.
type Said = (u16, Value);

/// The answer, when the request is for one of these paths.
pub(super) fn answer(request: &Request, accounts: &Accounts, is_sound: bool, faults: &Faults) -> Option<Response> {
    let name = request.path().strip_prefix(PREFIX)?;
    let status = if is_sound { 200 } else { 503 };
    let (status, body) = match (request.method.as_str(), name) {
        ("GET" | "HEAD", "health") => (status, json!({ "status": if is_sound { "ok" } else { "failing" } })),
        ("GET" | "HEAD", "state") => (status, state(accounts)),
        ("GET" | "HEAD", "faults") => (200, shown(faults)),
        ("PUT" | "DELETE", "faults") => changed(request, faults).unwrap_or_else(|refused| refused),
        _ => return None,
    };
    if accounts.any_handler().operation(request).is_some() {
        return None;
    }
    let mut headers = Headers::new();
    headers.append("content-type", "application/json");
    headers.append("cache-control", "no-store");
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

/// The faults, and what became of them.
fn shown(faults: &Faults) -> Value {
    let fault = |Set { fault, requests, met }| json!({ "fault": fault.to_string(), "requests": requests, "met": met });
    json!({ "faults": faults.all().into_iter().map(fault).collect::<Vec<_>>() })
}

/// What the change of the faults came to.
fn changed(request: &Request, faults: &Faults) -> Result<Said, Said> {
    let refused = |status: u16, message: String| (status, json!({ "message": message }));
    if !faults.are_controlled {
        return Err(refused(403, "faults can be changed on a server that was started with --fault-control".to_owned()));
    }
    // Browsers name the page that asks, whichever it is; the server cannot know which are
    // its user's own.
    if request.headers.contains("origin") {
        return Err(refused(403, "faults cannot be changed by pages in a browser".to_owned()));
    }
    let texts: Vec<String> = match request.method.as_str() {
        "DELETE" => Vec::new(),
        _ => serde_json::from_slice(&request.body).map_err(|error| {
            refused(400, format!("the body is no array of faults, such as [\"TooManyRequestsException:2\"]: {error}"))
        })?,
    };
    if texts.len() > FAULTS_MAX {
        return Err(refused(400, format!("there may be at most {FAULTS_MAX} faults")));
    }
    faults.replace(&texts).map_err(|error| refused(400, error.to_string()))?;
    Ok((200, shown(faults)))
}
