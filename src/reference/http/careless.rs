//! What a careless server, or one that chose otherwise, takes a signature for. The
//! reference itself is neither: without a switch thrown, nothing here does anything.

use time::Duration;

use super::canonical;
use super::claim::Form;
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

/// Whether the signature is not compared at all.
pub(super) fn leaves_unchecked(request: &Request, form: Form, switches: &Switches) -> bool {
    switches.has(Switch::SignatureUnchecked)
        || switches.has(Switch::BodyUnsigned) && !request.body.is_empty()
        || switches.has(Switch::QuerySignatureUnchecked) && form != Form::Header
}

/// The hash that stands for the body, where it is not made from the body.
pub(super) fn believed_hash(request: &Request, switches: &Switches) -> Option<String> {
    let stated = request.headers.get("x-amz-content-sha256")?;
    let unsigned = stated == "UNSIGNED-PAYLOAD" && switches.has(Switch::UnsignedPayloadAccepted);
    (unsigned || switches.has(Switch::StatedHashBelieved)).then(|| stated.to_owned())
}

/// How far a signer's clock may be off.
pub(super) fn clock_window(switches: &Switches) -> Option<Duration> {
    let windows = [(Switch::ClockWindowOfQuarterHour, 15), (Switch::ClockWindowOfThreeMinutes, 3)];
    windows.into_iter().find(|(switch, _)| switches.has(*switch)).map(|(_, minutes)| Duration::minutes(minutes))
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
