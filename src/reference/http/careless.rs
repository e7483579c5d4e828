//! What a careless server takes a signature for. The reference itself is none: without
//! a switch thrown, nothing here does anything.

use super::canonical;
use crate::reference::altered::{Switch, Switches};
use crate::wire::Request;

/// Characters that a path may be longer than the signed one.
const PATH_END: usize = 2;

/// The path as it may have been signed.
pub(super) fn paths(raw: &str, switches: &Switches) -> Vec<String> {
    if switches.has(Switch::PathEncodedOnce) {
        return vec![raw.to_owned()];
    }
    let mut paths = canonical::paths(raw);
    if switches.has(Switch::ColonSignedAsSent) {
        paths.iter_mut().for_each(|path| *path = path.replace("%3A", ":"));
    }
    paths
}

/// Other requests whose signature is good enough for this one.
pub(super) fn taken_for(request: &Request, switches: &Switches) -> Vec<Request> {
    let mut others = Vec::new();
    if switches.has(Switch::MethodUnsigned) {
        let methods = ["GET", "POST", "DELETE"].map(str::to_owned);
        others.extend(methods.map(|method| Request { method, ..request.clone() }));
    }
    if switches.has(Switch::QueryUnsigned) {
        others.push(Request { target: request.path().to_owned(), ..request.clone() });
    }
    if switches.has(Switch::PathEndUnsigned) {
        let ends = (PATH_END..=request.target.len()).filter_map(|end| {
            let (before, after) = (request.target.get(..end - PATH_END)?, request.target.get(end..)?);
            Some(Request { target: [before, after].concat(), ..request.clone() })
        });
        others.extend(ends);
    }
    others
}
