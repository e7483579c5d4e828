//! The service as a whole: signatures, credentials, routes, forms of requests,
//! answers and errors.

mod answers;
mod errors;
mod oddities;
mod preflights;
mod requests;
mod rpc;
mod signing;

use crate::prove::alteration::Alteration;
use crate::prove::answers::{is_error, refuse};
use crate::wire::{Request, Response};

pub(super) fn all() -> Vec<Alteration> {
    [signing::all(), preflights::all(), requests::all(), oddities::all(), errors::all(), answers::all(), rpc::all()]
        .into_iter()
        .flatten()
        .collect()
}

/// Gives an error of one name another name and status.
fn renamed(response: &mut Response, from: &str, status: u16, to: &str) {
    if is_error(response, from) {
        refuse(response, status, to);
    }
}

/// Whether the message of an answer has this part.
fn says(response: &Response, part: &str) -> bool {
    response.error_message().is_some_and(|message| message.contains(part))
}

/// The segment of a path at which an id stands, decoded as far as ids need it.
fn segment(request: &Request, number: usize) -> String {
    request.path().split('/').nth(number).unwrap_or_default().replace("%3A", ":")
}
