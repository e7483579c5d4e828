//! Whether those who answer are the service at all, judged by a few answers to
//! requests that only read.
//!
//! It must never send a half-built server away: one answer that is the service's is
//! enough, and whatever may be a server's that is not finished counts for nothing.

use serde_json::Value;

use crate::spec::{Operation, Service};
use crate::wire::{Failure, FailureKind, Response};

/// Statuses of a server that does not have what it was asked for.
const NOT_THERE: [u16; 4] = [404, 405, 410, 501];

/// Names of errors that say the same.
const UNKNOWN: [&str; 2] = ["UnknownOperationException", "SerializationException"];

/// Statuses and names by which credentials are refused.
const REFUSED: [u16; 2] = [401, 403];
const REFUSALS: [&str; 12] = [
    "AccessDenied",
    "AccessDeniedException",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "NotAuthorizedException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
];

/// Statuses by which proxies say that they did not get through.
const FROM_PROXIES: [u16; 3] = [407, 502, 504];

/// Longest excerpt of what came, in characters.
const LONGEST_EXCERPT: usize = 80;

/// An answer to a request that reads.
#[derive(Debug, Clone)]
pub struct Answer<'a> {
    /// The operation that was called.
    pub operation: &'a Operation,
    /// Who signed, for people.
    pub signed_by: &'a str,
    /// What came back, or why nothing did.
    pub outcome: Result<Response, Failure>,
    /// The first bytes that came where no HTTP did.
    pub instead: Vec<u8>,
}

/// What an answer shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sign {
    /// It is the service's.
    Service,
    /// Nothing can be said.
    Nothing,
    /// Credentials were refused: who signed, and how it was said.
    Refused(String),
    /// It is somebody else's: who, in words that follow the endpoint's address.
    Stranger(String),
    /// The operation is not there, which may be so in a server that is not finished.
    NotThere(String),
}

/// What one answer shows.
pub fn sign(service: &Service, answer: &Answer<'_>) -> Sign {
    match &answer.outcome {
        Ok(response) => of_response(service, answer, response),
        Err(failure) => match failure.kind {
            FailureKind::Broken if !answer.instead.is_empty() => Sign::Stranger(not_http(&answer.instead)),
            FailureKind::Broken => Sign::Stranger(format!("does not answer in HTTP: {}", failure.detail)),
            _ => Sign::Nothing,
        },
    }
}

/// Why the endpoint is not the service, or does not let anybody in, in words that
/// follow its address; nothing when it may be the service.
pub fn stranger(signs: &[Sign]) -> Option<String> {
    if signs.is_empty() || signs.iter().any(|sign| matches!(sign, Sign::Service | Sign::Nothing)) {
        return None;
    }
    let strange = signs.iter().find_map(|sign| match sign {
        Sign::Stranger(who) => Some(format!("is not this service: it {who}")),
        _ => None,
    });
    if strange.is_some() {
        return strange;
    }
    let mut refused: Vec<&str> = Vec::new();
    for sign in signs {
        if let Sign::Refused(how) = sign
            && !refused.contains(&how.as_str())
        {
            refused.push(how);
        }
    }
    let not_there = signs.iter().find_map(|sign| match sign {
        Sign::NotThere(how) => Some(how),
        _ => None,
    });
    match not_there {
        None => Some(format!("refuses the credentials of the target file: {}", refused.join("; "))),
        // Who refuses some callers and lacks the rest may be half-built.
        Some(_) if !refused.is_empty() => None,
        Some(how) if signs.len() == 1 => Some(format!("does not have what it was asked for: {how}")),
        Some(how) => Some(format!("has none of the {} operations that only read: {how}", signs.len())),
    }
}

fn of_response(service: &Service, answer: &Answer<'_>, response: &Response) -> Sign {
    let status = response.status;
    let name = response.error_name();
    if (200..300).contains(&status) {
        return success(answer.operation, response);
    }
    if (300..400).contains(&status) {
        return Sign::Stranger(redirect(response));
    }
    let text = String::from_utf8_lossy(&response.body);
    let text = text.trim_start_matches('\u{feff}').trim();
    if FROM_PROXIES.contains(&status) && response.json().is_none() {
        let who =
            if status == 407 { "asks for a proxy's credentials" } else { "answers as a proxy that got no answer" };
        return Sign::Stranger(format!(
            "{who} ({status}{})",
            title(text).map(|t| format!(", `{t}`")).unwrap_or_default()
        ));
    }
    if is_html(response, text) {
        return Sign::Stranger(page(status, text));
    }
    if let Some(code) = xml_error(text) {
        return Sign::Stranger(format!("answers {status} with an XML error{code}, as other services of AWS do"));
    }
    let declared = name.as_ref().is_some_and(|name| answer.operation.errors.contains(name));
    let refused = REFUSED.contains(&status) || name.as_deref().is_some_and(|name| REFUSALS.contains(&name));
    if refused {
        return Sign::Refused(format!("{} got {}", answer.signed_by, shown(response)));
    }
    if declared || name.as_ref().is_some_and(|name| service.errors.contains_key(name)) {
        return Sign::Service;
    }
    if NOT_THERE.contains(&status) || name.as_deref().is_some_and(|name| UNKNOWN.contains(&name)) {
        return Sign::NotThere(format!("{} got {}", answer.operation.name, shown(response)));
    }
    Sign::Nothing
}

/// A success is the service's when it says something that the operation says.
fn success(operation: &Operation, response: &Response) -> Sign {
    let text = String::from_utf8_lossy(&response.body);
    let text = text.trim();
    if is_html(response, text) {
        return Sign::Stranger(page(response.status, text));
    }
    if text.is_empty() {
        return Sign::Stranger(format!("answers {} with nothing at all", response.status));
    }
    match response.json() {
        Some(Value::Object(object)) => {
            let known = operation.output.values().any(|member| object.contains_key(&member.wire_name));
            if known { Sign::Service } else { Sign::Nothing }
        }
        Some(_) => Sign::Nothing,
        None if text.starts_with('<') => {
            Sign::Stranger(format!("answers {} with XML: {}", response.status, excerpt(text)))
        }
        None => {
            Sign::Stranger(format!("answers {} with something that is no JSON: {}", response.status, excerpt(text)))
        }
    }
}

fn redirect(response: &Response) -> String {
    let to = response.headers.get("location").unwrap_or_default();
    let place = match to.split_once("://") {
        Some((scheme, rest)) => {
            // Its path and query may say what nobody should read.
            let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
            let host = host.rsplit('@').next().unwrap_or_default();
            format!(" to {}", excerpt(&format!("{scheme}://{host}")))
        }
        None if to.is_empty() => String::new(),
        None => " to another path of its own".to_owned(),
    };
    format!("redirects{place} ({}), and redirects are not followed", response.status)
}

fn is_html(response: &Response, text: &str) -> bool {
    let start: String = text.chars().take(16).collect::<String>().to_ascii_lowercase();
    let told = response.headers.get("content-type").is_some_and(|kind| kind.starts_with("text/html"));
    start.starts_with("<!doctype html") || start.starts_with("<html") || (told && !text.is_empty())
}

fn page(status: u16, text: &str) -> String {
    let title = title(text).map(|title| format!(", titled `{title}`")).unwrap_or_default();
    format!("answers {status} with a web page{title}")
}

/// The title of a web page.
fn title(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let start = lower.find("<title")?;
    let start = start + lower[start..].find('>')? + 1;
    let end = start + lower[start..].find("</title")?;
    let title = excerpt(&text[start..end]);
    (!title.is_empty()).then_some(title)
}

/// The code of an error in XML, as S3 and the older services of AWS write it, behind
/// a blank; empty when it names none.
fn xml_error(text: &str) -> Option<String> {
    let body =
        text.strip_prefix("<?xml").map_or(text, |rest| rest.split_once("?>").map_or("", |(_, rest)| rest.trim()));
    let known = ["<Error>", "<ErrorResponse", "<Response><Errors>"].into_iter().any(|start| body.starts_with(start));
    if !known && !text.starts_with("<?xml") {
        return None;
    }
    let code = body.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
    Some(code.map(|(code, _)| format!(" {}", excerpt(code))).unwrap_or_default())
}

/// Who it is that speaks no HTTP, by the first bytes.
fn not_http(bytes: &[u8]) -> String {
    match bytes {
        // A record of TLS: an alert or a part of the handshake.
        [0x15 | 0x16, 0x03, ..] => "speaks TLS, so the endpoint should begin with https://".to_owned(),
        _ if bytes.starts_with(b"SSH-") => format!("speaks SSH: {}", excerpt(&String::from_utf8_lossy(bytes))),
        _ => format!("does not speak HTTP, but begins with {}", excerpt(&String::from_utf8_lossy(bytes))),
    }
}

/// Status, error name and message.
fn shown(response: &Response) -> String {
    let name = response.error_name().map(|name| format!(" {}", excerpt(&name))).unwrap_or_default();
    let message = response.error_message().map(|message| format!(" ({})", excerpt(&message))).unwrap_or_default();
    format!("{}{name}{message}", response.status)
}

/// The beginning of a text on one line, without what could drive a terminal.
fn excerpt(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut shown: String = line.chars().filter(|c| !c.is_control()).take(LONGEST_EXCERPT).collect();
    if line.chars().count() > LONGEST_EXCERPT {
        shown.push('…');
    }
    shown
}

/// What may be done when no connection can be made: a question that ends the sentence.
pub fn advice(failure: &Failure) -> &'static str {
    let detail = &failure.detail;
    let says = |words: &[&str]| words.iter().any(|word| detail.contains(word));
    match failure.kind {
        FailureKind::Tls if says(&["InvalidContentType", "InvalidMessage", "corrupt message"]) => {
            "does it speak plain HTTP, so that the endpoint should begin with http://?"
        }
        FailureKind::Tls
            if says(&["UnknownIssuer", "SelfSigned", "self-signed", "CaUsedAsEndEntity", "BadSignature"]) =>
        {
            "is its certificate one that nobody vouches for? Then name it in the target file's `ca-file`"
        }
        FailureKind::Tls if says(&["NotValidForName", "not valid for name"]) => {
            "does the endpoint have the name that its certificate is for?"
        }
        FailureKind::Tls => "does it speak TLS 1.2 or 1.3 there?",
        _ => "is the server running, and the endpoint right?",
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use rstest::rstest;

    use super::{Answer, Sign, advice, sign, stranger};
    use crate::spec::Service;
    use crate::wire::{Failure, FailureKind, Headers, Response};

    fn response(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
        let headers = headers.iter().copied().collect::<Headers>();
        Response { status, headers, body: Bytes::copy_from_slice(body.as_bytes()) }
    }

    fn sign_of(outcome: Result<Response, Failure>, instead: &[u8]) -> Sign {
        let service = Service::embedded();
        let operation = &service.operations["ListDatasets"];
        sign(service, &Answer { operation, signed_by: "identity", outcome, instead: instead.to_vec() })
    }

    fn sentence(sign: Sign) -> String {
        stranger(&[sign.clone(), sign]).unwrap_or_else(|| "goes on".to_owned())
    }

    const HTML: &[(&str, &str)] = &[("content-type", "text/html; charset=utf-8")];
    const JSON: &[(&str, &str)] = &[("content-type", "application/json")];
    const FLASK: &str = "<!doctype html>\n<html lang=en>\n<title>500 Internal Server Error</title>\n<h1>Internal";
    const S3: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message></Error>";

    #[rstest]
    #[case::listing(200, JSON, r#"{"Datasets":[],"Count":0,"NextToken":null}"#)]
    #[case::no_content_type(200, &[], r#"{"Count":0}"#)]
    #[case::no_such_thing(404, JSON, r#"{"__type":"ResourceNotFoundException","message":"no"}"#)]
    #[case::error_of_another_operation(400, JSON, r#"{"__type":"com.amazonaws#ResourceConflictException"}"#)]
    #[case::quota(400, &[("x-amzn-ErrorType", "InvalidParameterException:http://x/")], r#"{"message":"no"}"#)]
    #[case::throttled(429, JSON, r#"{"__type":"TooManyRequestsException","message":"slow"}"#)]
    fn an_answer_of_the_service_is_known(#[case] status: u16, #[case] headers: &[(&str, &str)], #[case] body: &str) {
        assert_eq!(sign_of(Ok(response(status, headers, body)), b""), Sign::Service);
    }

    #[rstest]
    #[case::web_page(
        200,
        HTML,
        "<html><head><title> Welcome\n to nginx! </title>",
        "is not this service: it answers 200 with a web page, titled `Welcome to nginx!`"
    )]
    #[case::moto(
        500,
        HTML,
        FLASK,
        "is not this service: it answers 500 with a web page, titled `500 Internal Server Error`"
    )]
    #[case::page_without_a_title(404, HTML, "Not Found", "is not this service: it answers 404 with a web page")]
    #[case::https_port(
        400,
        HTML,
        "<html>\r\n<head><title>400 The plain HTTP request was sent to HTTPS port</title></head>",
        "is not this service: it answers 400 with a web page, titled `400 The plain HTTP request was sent to HTTPS port`"
    )]
    #[case::s3(404, &[("content-type", "application/xml")], S3,
        "is not this service: it answers 404 with an XML error NoSuchBucket, as other services of AWS do")]
    #[case::forbidden_by_s3(403, &[], "<Error><Code>AccessDenied</Code></Error>",
        "is not this service: it answers 403 with an XML error AccessDenied, as other services of AWS do")]
    #[case::listing_of_buckets(200, &[], "<?xml version=\"1.0\"?><ListAllMyBucketsResult/>",
        "is not this service: it answers 200 with XML: <?xml version=\"1.0\"?><ListAllMyBucketsResult/>")]
    #[case::redirect(301, &[("location", "https://me:hush@login.example.org/in?token=hush")], "",
        "is not this service: it redirects to https://login.example.org (301), and redirects are not followed")]
    #[case::redirect_at_home(308, &[("location", "/identitypools/")], "",
        "is not this service: it redirects to another path of its own (308), and redirects are not followed")]
    #[case::proxy(
        407,
        HTML,
        "<title>Log in</title>",
        "is not this service: it asks for a proxy's credentials (407, `Log in`)"
    )]
    #[case::gateway(
        502,
        HTML,
        "<html><title>502 Bad Gateway</title>",
        "is not this service: it answers as a proxy that got no answer (502, `502 Bad Gateway`)"
    )]
    #[case::silent_gateway(504, &[], "", "is not this service: it answers as a proxy that got no answer (504)")]
    #[case::empty(200, &[], "", "is not this service: it answers 200 with nothing at all")]
    #[case::no_content(204, &[], "", "is not this service: it answers 204 with nothing at all")]
    #[case::text(200, &[("content-type", "text/plain")], "It works!\u{1b}[2J",
        "is not this service: it answers 200 with something that is no JSON: It works![2J")]
    #[case::another_api(
        404,
        JSON,
        r#"{"detail":"Not Found"}"#,
        "has none of the 2 operations that only read: ListDatasets got 404"
    )]
    #[case::another_aws_api(
        400,
        JSON,
        r#"{"__type":"com.amazon.coral.service#UnknownOperationException"}"#,
        "has none of the 2 operations that only read: ListDatasets got 400 UnknownOperationException"
    )]
    #[case::nothing_built(
        501,
        JSON,
        r#"{"message":"not built yet"}"#,
        "has none of the 2 operations that only read: ListDatasets got 501 (not built yet)"
    )]
    #[case::refused(
        403,
        JSON,
        r#"{"__type":"UnrecognizedClientException","message":"The security token is invalid."}"#,
        "refuses the credentials of the target file: identity got 403 UnrecognizedClientException (The security token is invalid.)"
    )]
    #[case::not_authorized(
        400,
        JSON,
        r#"{"__type":"NotAuthorizedException"}"#,
        "refuses the credentials of the target file: identity got 400 NotAuthorizedException"
    )]
    #[case::half_built(500, JSON, r#"{"message":"TypeError"}"#, "goes on")]
    #[case::plain_500(500, &[("content-type", "text/plain")], "Internal Server Error", "goes on")]
    #[case::gateway_of_an_emulator(502, JSON, r#"{"message":"Internal server error"}"#, "goes on")]
    #[case::busy(503, &[], "", "goes on")]
    #[case::empty_object(200, JSON, "{}", "goes on")]
    #[case::serialization(400, JSON, r#"{"message":"x"}"#, "goes on")]
    fn a_stranger_is_named(
        #[case] status: u16,
        #[case] headers: &[(&str, &str)],
        #[case] body: &str,
        #[case] expected: &str,
    ) {
        assert_eq!(sentence(sign_of(Ok(response(status, headers, body)), b"")), expected);
    }

    #[rstest]
    #[case(FailureKind::Broken, b"SSH-2.0-OpenSSH_9.2\r\n", "is not this service: it speaks SSH: SSH-2.0-OpenSSH_9.2")]
    #[case(
        FailureKind::Broken,
        b"\x15\x03\x01\x00\x02\x02\x46",
        "is not this service: it speaks TLS, so the endpoint should begin with https://"
    )]
    #[case(
        FailureKind::Broken,
        b"-ERR unknown command\r\n",
        "is not this service: it does not speak HTTP, but begins with -ERR unknown command"
    )]
    #[case(FailureKind::Broken, b"", "is not this service: it does not answer in HTTP: closed")]
    #[case(FailureKind::TimedOut, b"", "goes on")]
    #[case(FailureKind::TooLarge, b"", "goes on")]
    fn who_speaks_no_http_is_named(#[case] kind: FailureKind, #[case] instead: &[u8], #[case] expected: &str) {
        assert_eq!(sentence(sign_of(Err(Failure { kind, detail: "closed".to_owned() }), instead)), expected);
    }

    #[rstest]
    #[case::one_read_is_enough(&[Sign::NotThere("a".to_owned()), Sign::Service], None)]
    #[case::a_page_for_what_is_not_built(&[Sign::Stranger("a".to_owned()), Sign::Service], None)]
    #[case::unsure(&[Sign::NotThere("a".to_owned()), Sign::Nothing], None)]
    #[case::refused_and_not_built(&[Sign::NotThere("a".to_owned()), Sign::Refused("b".to_owned())], None)]
    #[case::nobody_was_asked(&[], None)]
    #[case::both_refused(
        &[Sign::Refused("a".to_owned()), Sign::Refused("b".to_owned()), Sign::Refused("a".to_owned())],
        Some("refuses the credentials of the target file: a; b")
    )]
    #[case::mixed(
        &[Sign::NotThere("a".to_owned()), Sign::Stranger("speaks SSH".to_owned())],
        Some("is not this service: it speaks SSH")
    )]
    fn half_built_servers_are_let_in(#[case] signs: &[Sign], #[case] expected: Option<&str>) {
        assert_eq!(stranger(signs).as_deref(), expected);
    }

    #[rstest]
    #[case(FailureKind::Tls, "https://h: received corrupt message of type InvalidContentType", "http://")]
    #[case(FailureKind::Tls, "https://h: invalid peer certificate: UnknownIssuer", "`ca-file`")]
    #[case(FailureKind::Tls, "https://h: invalid peer certificate: certificate not valid for name \"h\"", "name")]
    #[case(FailureKind::Connect, "http://h: Connection refused (os error 111)", "is the server running")]
    fn advice_fits_the_failure(#[case] kind: FailureKind, #[case] detail: &str, #[case] expected: &str) {
        assert!(advice(&Failure { kind, detail: detail.to_owned() }).contains(expected));
    }
}
