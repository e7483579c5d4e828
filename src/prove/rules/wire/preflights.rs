//! Preflights: what a browser asks before a page may ask.

use crate::prove::alteration::Alteration;
use crate::prove::answers::refuse;
use crate::wire::{Request, Response};

const ORIGIN: &str = "access-control-allow-origin";
const METHODS: &str = "access-control-allow-methods";
const HEADERS: &str = "access-control-allow-headers";
const EXPOSED: &str = "access-control-expose-headers";
const LASTS: &str = "access-control-max-age";

pub(super) fn all() -> Vec<Alteration> {
    [answers(), headers(), exposed(), variants()].into_iter().flatten().collect()
}

fn answers() -> Vec<Alteration> {
    let rule = "preflight-accepted";
    vec![
        rewritten("preflight-refused", "A preflight needs a signature like any request.", rule, |response| {
            refuse(response, 403, "MissingAuthenticationTokenException");
        }),
        rewritten("preflight-without-content", "A preflight has the HTTP status 204.", rule, |response| {
            response.status = 204;
        }),
        rewritten("preflight-with-body", "A preflight is answered with `{}`.", rule, |response| {
            response.body = "{}".into();
        }),
    ]
}

fn headers() -> Vec<Alteration> {
    let origin = Some("https://app.example.com");
    vec![
        header("echoes-origin", "allows the one origin that asks", "any-origin", ORIGIN, origin),
        header("without-origin", "allows no origin", "any-origin", ORIGIN, None),
        header("allows-reading", "allows GET, whatever it asks for", "echoes-request", METHODS, Some("GET")),
        header("allows-no-methods", "allows no methods", "echoes-request", METHODS, None),
        header("allows-no-headers", "allows no headers", "echoes-request", HEADERS, None),
        header(
            "allows-any-headers",
            "allows headers by an asterisk, which leaves `Authorization` out",
            "echoes-request",
            HEADERS,
            Some("*"),
        ),
        header("lasts-an-hour", "may be kept for an hour", "lasts-two-days", LASTS, Some("3600")),
        header("lasts-not", "does not say how long it may be kept", "lasts-two-days", LASTS, None),
    ]
}

fn exposed() -> Vec<Alteration> {
    let all = ["x-amzn-RequestId", "x-amzn-ErrorType", "x-amzn-ErrorMessage", "Date"];
    let hidden = all.map(|hidden| {
        let others: Vec<&str> = all.into_iter().filter(|name| *name != hidden).collect();
        let (name, about) = (format!("hides-{}", hidden.to_lowercase()), format!("does not expose `{hidden}`"));
        header(&name, &about, "exposes-error-headers", EXPOSED, Some(&others.join(",")))
    });
    let nothing = header("exposes-nothing", "exposes no headers", "exposes-error-headers", EXPOSED, None);
    hidden.into_iter().chain([nothing]).collect()
}

fn variants() -> Vec<Alteration> {
    let of = |name: &str, about: &str, header: &'static str, value: &'static str| {
        let rewrite = move |_: Option<&str>, request: &Request, response: &mut Response| {
            if is_preflight(request) {
                response.headers.set(header, value);
            }
        };
        Alteration::rewritten(name, about, &[], rewrite).legal()
    };
    vec![
        of(
            "preflight-allows-all-methods",
            "A preflight allows every method that the service has.",
            METHODS,
            "GET, POST, DELETE, OPTIONS",
        ),
        of(
            "preflight-exposes-more",
            "A preflight exposes further headers, and writes all of them in lower case.",
            EXPOSED,
            "date, x-amzn-errormessage, x-amzn-errortype, x-amzn-requestid, content-length",
        ),
    ]
}

/// A preflight with another header, or without it.
fn header(name: &str, about: &str, rule: &str, header: &'static str, value: Option<&str>) -> Alteration {
    let (rule, value) = (format!("preflight-{rule}"), value.map(str::to_owned));
    let (name, about) = (format!("preflight-{name}"), format!("A preflight {about}."));
    rewritten(&name, &about, &rule, move |response| match &value {
        Some(value) => response.headers.set(header, value.as_str()),
        None => response.headers.remove(header),
    })
}

fn rewritten(
    name: &str,
    about: &str,
    rule: &str,
    rewrite: impl Fn(&mut Response) + Send + Sync + 'static,
) -> Alteration {
    Alteration::rewritten(name, about, &[&format!("service/rule/{rule}")], move |_, request, response| {
        if is_preflight(request) {
            rewrite(response);
        }
    })
}

fn is_preflight(request: &Request) -> bool {
    request.method == "OPTIONS"
}
