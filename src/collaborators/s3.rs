//! S3: objects are put and fetched; buckets are there when they are asked for.

use bytes::Bytes;

use super::desk::Desk;
use super::route::{answer as reply, decoded};
use crate::wire::{Request, Response};

pub(super) fn answer(desk: &Desk, path: &str, request: &Request) -> Response {
    let is_bucket = path.trim_matches('/').split('/').count() < 2;
    match request.method.as_str() {
        "PUT" if is_bucket => reply(200, "application/xml", Bytes::new()),
        "PUT" => {
            let Some(body) = unwrapped(request) else {
                return error(400, "IncompleteBody", "the body is not what aws-chunked says");
            };
            desk.keep(path, body);
            let mut response = reply(200, "application/xml", Bytes::new());
            response.headers.append("etag", "\"00000000000000000000000000000000\"");
            response
        }
        "HEAD" if is_bucket => reply(200, "application/xml", Bytes::new()),
        _ => match desk.object(path) {
            Some(_) if request.method == "HEAD" => reply(200, "application/json", Bytes::new()),
            Some(body) => reply(200, "application/json", body),
            None => error(404, "NoSuchKey", "The specified key does not exist."),
        },
    }
}

/// The body of an object, which some clients send in signed pieces.
fn unwrapped(request: &Request) -> Option<Bytes> {
    let says = |name: &str, what: &str| request.headers.get(name).is_some_and(|value| value.contains(what));
    if !says("content-encoding", "aws-chunked") && !says("x-amz-content-sha256", "STREAMING-") {
        return Some(request.body.clone());
    }
    let (mut rest, mut body) = (&request.body[..], Vec::new());
    loop {
        let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
        let head = std::str::from_utf8(&rest[..end]).ok()?;
        let length = usize::from_str_radix(head.split(';').next()?.trim(), 16).ok()?;
        if length == 0 {
            return Some(body.into());
        }
        rest = &rest[end + 2..];
        body.extend_from_slice(rest.get(..length)?);
        rest = rest.get(length..)?.strip_prefix(b"\r\n")?;
    }
}

/// The path of an object's address.
pub(super) fn path(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.find('/').map_or("/", |slash| &rest[slash..]);
    decoded(path.split('?').next().unwrap_or_default())
}

fn error(status: u16, code: &str, message: &str) -> Response {
    reply(status, "application/xml", format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>"))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{path, unwrapped};
    use crate::wire::{Headers, Request};

    #[test]
    fn a_body_in_pieces_is_put_together() {
        let chunked = |body: &'static str| {
            let headers = [("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")].into_iter();
            let (method, target) = ("PUT".to_owned(), "/b/k".to_owned());
            unwrapped(&Request { method, target, headers: headers.collect::<Headers>(), body: Bytes::from(body) })
        };
        assert_eq!(
            chunked("3;chunk-signature=x\r\n[1,\r\n2;chunk-signature=y\r\n2]\r\n0;chunk-signature=z\r\n\r\n")
                .as_deref(),
            Some(&b"[1,2]"[..])
        );
        assert_eq!(chunked("a\r\n[1]\r\n0\r\n"), None);
        assert_eq!(chunked("[1]"), None);
    }

    #[test]
    fn an_address_leads_to_its_object_without_its_signature() {
        let url = "http://127.0.0.1:1/b/a%3Ab.json?X-Amz-Signature=ab%2B&X-Amz-Expires=9&X-Amz-Security-Token=t";
        assert_eq!(path(url), "/b/a:b.json");
        assert_eq!(path("http://h"), "/");
    }
}
