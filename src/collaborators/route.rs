//! Which service a request is for.

use percent_encoding::percent_decode_str;

use crate::wire::{Headers, Request, Response};

/// What a request asks for, by the service that it is for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// Lambda: calls a function, which is named as in the path.
    Invoke { function: String, qualifier: Option<String> },
    /// Kinesis: the operation's name.
    Kinesis(String),
    /// SNS: the parameters of a form.
    Sns(Vec<(String, String)>),
    /// S3: the path of an object or a bucket.
    S3(String),
    /// Nothing that is played; what it seems to be.
    Unknown(String),
}

/// What Kinesis calls its operations by.
const KINESIS: &str = "Kinesis_20131202.";

/// What a Lambda path begins and ends with.
const FUNCTIONS: &str = "/2015-03-31/functions/";
const INVOCATIONS: &str = "/invocations";

pub(super) fn route(request: &Request) -> Route {
    let path = request.path();
    let what = || format!("{} {path}", request.method);
    if let Some(target) = request.headers.get("x-amz-target") {
        return match target.strip_prefix(KINESIS) {
            Some(operation) => Route::Kinesis(operation.to_owned()),
            None => Route::Unknown(format!("{} with x-amz-target {target}", what())),
        };
    }
    if let Some(function) = path.strip_prefix(FUNCTIONS).and_then(|rest| rest.strip_suffix(INVOCATIONS)) {
        let qualifier = pairs(request.query().unwrap_or_default()).into_iter().find(|(name, _)| name == "Qualifier");
        return Route::Invoke { function: decoded(function), qualifier: qualifier.map(|(_, value)| value) };
    }
    let is_form = || {
        request.headers.get("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
    };
    let form = match request.method.as_str() {
        "POST" if is_form() => pairs(&String::from_utf8_lossy(&request.body)),
        "GET" => pairs(request.query().unwrap_or_default()),
        _ => Vec::new(),
    };
    if form.iter().any(|(name, _)| name == "Action") {
        return Route::Sns(form);
    }
    match request.method.as_str() {
        "PUT" | "GET" | "HEAD" if !path.starts_with("/2015-03-31/") => Route::S3(decoded(path)),
        _ => Route::Unknown(what()),
    }
}

/// The names and values of a query or a form.
fn pairs(text: &str) -> Vec<(String, String)> {
    let plain = |text: &str| decoded(&text.replace('+', " "));
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (plain(name), plain(value))
    };
    text.split('&').filter(|pair| !pair.is_empty()).map(pair).collect()
}

pub(super) fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// An answer with a body of this type.
pub(super) fn answer(status: u16, content_type: &str, body: impl Into<bytes::Bytes>) -> Response {
    Response { status, headers: [("content-type", content_type)].into_iter().collect::<Headers>(), body: body.into() }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use rstest::rstest;

    use super::{Route, route};
    use crate::wire::{Headers, Request};

    fn routed(method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Route {
        let headers = headers.iter().map(|(name, value)| (*name, *value)).collect::<Headers>();
        let body = Bytes::copy_from_slice(body.as_bytes());
        route(&Request { method: method.to_owned(), target: target.to_owned(), headers, body })
    }

    #[rstest]
    #[case::arn("arn%3Aaws%3Alambda%3Ar%3A1%3Afunction%3Af", "arn:aws:lambda:r:1:function:f", None)]
    #[case::plain_arn("arn:aws:lambda:r:1:function:f", "arn:aws:lambda:r:1:function:f", None)]
    #[case::name("f", "f", None)]
    fn a_function_is_called(#[case] path: &str, #[case] function: &str, #[case] qualifier: Option<&str>) {
        let target = format!("/2015-03-31/functions/{path}/invocations");
        let expected = Route::Invoke { function: function.to_owned(), qualifier: qualifier.map(str::to_owned) };
        assert_eq!(routed("POST", &target, &[], "{}"), expected);
    }

    #[test]
    fn everything_else_is_told_apart_too() {
        let form = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
        let pairs = vec![("Action".to_owned(), "Publish".to_owned()), ("M".to_owned(), "a b/".to_owned())];
        assert_eq!(routed("POST", "/", &form, "Action=Publish&M=a+b%2F"), Route::Sns(pairs.clone()));
        assert_eq!(routed("GET", "/?Action=Publish&M=a%20b/", &[], ""), Route::Sns(pairs));
        let target = [("X-Amz-Target", "Kinesis_20131202.PutRecord")];
        assert_eq!(routed("POST", "/", &target, "{}"), Route::Kinesis("PutRecord".to_owned()));
        assert_eq!(routed("PUT", "/b/a%3Ab?x=1", &[], "{}"), Route::S3("/b/a:b".to_owned()));
        let unknown = |text: &str| Route::Unknown(text.to_owned());
        assert_eq!(routed("POST", "/x", &[], ""), unknown("POST /x"));
        assert_eq!(routed("GET", "/2015-03-31/functions/f", &[], ""), unknown("GET /2015-03-31/functions/f"));
        let other = routed("POST", "/", &[("x-amz-target", "Logs_1.Put")], "");
        assert_eq!(other, unknown("POST / with x-amz-target Logs_1.Put"));
        let qualified = routed("POST", "/2015-03-31/functions/f/invocations?Qualifier=1", &[], "");
        assert_eq!(qualified, Route::Invoke { function: "f".to_owned(), qualifier: Some("1".to_owned()) });
    }
}
