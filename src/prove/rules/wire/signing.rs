//! Signatures and credentials.

use super::{renamed, says};
use crate::prove::alteration::Alteration;
use crate::prove::answers::{always, is_error, message, refuse};
use crate::reference::Switch;
use crate::wire::Request;

/// What the message about a wrong signature says.
const MISMATCH: &str = "The request signature we calculated does not match";

pub(super) fn all() -> Vec<Alteration> {
    [covered(), scope(), clock(), claims(), credentials(), variants()].into_iter().flatten().collect()
}

fn covered() -> Vec<Alteration> {
    vec![
        Alteration::mutant(
            "signature-unchecked",
            "Nobody compares a signature with what it should be.",
            &["service/rule/wrong-signature", "service/rule/every-call-is-signed"],
            Switch::SignatureUnchecked,
        ),
        Alteration::mutant(
            "method-unsigned",
            "A signature does not cover the method.",
            &["service/rule/wrong-signature"],
            Switch::MethodUnsigned,
        ),
        Alteration::mutant(
            "path-end-unsigned",
            "A signature fits a path that is two characters longer than the signed one.",
            &["service/rule/wrong-signature"],
            Switch::PathEndUnsigned,
        ),
        Alteration::mutant(
            "query-unsigned",
            "A signature for a request without query fits one with a query.",
            &["service/rule/wrong-signature"],
            Switch::QueryUnsigned,
        ),
        Alteration::mutant(
            "body-unsigned",
            "A signature is not compared when the request has a body.",
            &["service/rule/wrong-signature"],
            Switch::BodyUnsigned,
        ),
        Alteration::rewritten(
            "wrong-signature-as-s3-says",
            "A wrong signature is a SignatureDoesNotMatch.",
            &["service/rule/wrong-signature"],
            always(|response| {
                if says(response, MISMATCH) {
                    refuse(response, 403, "SignatureDoesNotMatch");
                }
            }),
        ),
        Alteration::rewritten(
            "wrong-signature-is-a-bad-request",
            "A wrong signature has the HTTP status 400.",
            &["service/rule/wrong-signature"],
            always(|response| {
                if says(response, MISMATCH) {
                    response.status = 400;
                }
            }),
        ),
        Alteration::rewritten(
            "wrong-signature-in-other-words",
            "Who signs wrongly is told that access is denied.",
            &["service/rule/wrong-signature-message"],
            always(|response| {
                if says(response, MISMATCH) {
                    message(response, |_| "Access denied".to_owned());
                }
            }),
        ),
        Alteration::mutant(
            "path-encoded-once",
            "A path is signed as it is sent, without being encoded once more.",
            &["service/rule/path-is-encoded-twice"],
            Switch::PathEncodedOnce,
        ),
        Alteration::mutant(
            "colon-signed-as-sent",
            "A colon in a path is signed as it is.",
            &["service/rule/literal-colon"],
            Switch::ColonSignedAsSent,
        ),
        Alteration::rewritten(
            "every-header-must-be-signed",
            "A header that is not signed is refused, whatever it is.",
            &["service/rule/unsigned-headers-ignored"],
            |_, request, response| {
                if has_unsigned(request, "x-") {
                    refuse(response, 403, "InvalidSignatureException");
                }
            },
        ),
    ]
}

fn scope() -> Vec<Alteration> {
    vec![
        Alteration::mutant(
            "region-unchecked",
            "The region of a signature does not matter.",
            &["service/rule/wrong-scope"],
            Switch::RegionUnchecked,
        ),
        Alteration::mutant(
            "service-unchecked",
            "The service of a signature does not matter.",
            &["service/rule/wrong-scope"],
            Switch::ServiceUnchecked,
        ),
        Alteration::rewritten(
            "wrong-scope-is-a-bad-request",
            "A signature for another region or service has the HTTP status 400.",
            &["service/rule/wrong-scope"],
            always(|response| {
                if says(response, "Credential should be scoped") {
                    response.status = 400;
                }
            }),
        ),
    ]
}

fn clock() -> Vec<Alteration> {
    vec![
        Alteration::mutant(
            "clock-behind-unchecked",
            "A signature never gets too old.",
            &["service/rule/clock-behind"],
            Switch::ClockBehindUnchecked,
        ),
        Alteration::mutant(
            "clock-ahead-unchecked",
            "A signature may come from the future.",
            &["service/rule/clock-ahead"],
            Switch::ClockAheadUnchecked,
        ),
        Alteration::rewritten(
            "clock-behind-is-request-expired",
            "A signature that is too old is a RequestExpired with HTTP status 400.",
            &["service/rule/clock-behind"],
            always(|response| {
                if says(response, "Signature expired") {
                    refuse(response, 400, "RequestExpired");
                }
            }),
        ),
        Alteration::rewritten(
            "clock-ahead-is-a-bad-request",
            "A signature from the future has the HTTP status 400.",
            &["service/rule/clock-ahead"],
            always(|response| {
                if says(response, "Signature not yet current") {
                    response.status = 400;
                }
            }),
        ),
        Alteration::rewritten(
            "clock-in-other-words",
            "Whose clock is off is told so, without further words.",
            &["service/rule/clock-behind-message", "service/rule/clock-ahead-message"],
            always(|response| {
                if says(response, "Signature expired") || says(response, "Signature not yet current") {
                    message(response, |_| "The date of the request is off".to_owned());
                }
            }),
        ),
    ]
}

fn claims() -> Vec<Alteration> {
    vec![
        Alteration::mutant(
            "session-token-unchecked",
            "Whatever session token a request has, or none, is right.",
            &["service/rule/wrong-session-token"],
            Switch::SessionTokenUnchecked,
        ),
        Alteration::rewritten(
            "wrong-session-token-is-expired",
            "A wrong session token is an expired one.",
            &["service/rule/wrong-session-token"],
            always(|response| renamed(response, "UnrecognizedClientException", 403, "ExpiredTokenException")),
        ),
        Alteration::mutant(
            "unknown-key-accepted",
            "An access key that nobody has is taken for the account's.",
            &["service/rule/unknown-key"],
            Switch::UnknownKeyAccepted,
        ),
        Alteration::rewritten(
            "unknown-key-as-iam-says",
            "An unknown access key is an InvalidClientTokenId.",
            &["service/rule/unknown-key"],
            always(|response| renamed(response, "UnrecognizedClientException", 403, "InvalidClientTokenId")),
        ),
        Alteration::rewritten(
            "malformed-authorization-is-none",
            "An incomplete Authorization header counts as none.",
            &["service/rule/malformed-authorization"],
            always(|response| {
                renamed(response, "IncompleteSignatureException", 403, "MissingAuthenticationTokenException")
            }),
        ),
        Alteration::rewritten(
            "malformed-authorization-is-a-bad-request",
            "An incomplete Authorization header has the HTTP status 400.",
            &["service/rule/malformed-authorization"],
            always(|response| renamed(response, "IncompleteSignatureException", 400, "IncompleteSignatureException")),
        ),
        Alteration::mutant(
            "query-signature-unread",
            "A signature in the query is not looked for.",
            &["service/rule/query-signature"],
            Switch::QuerySignatureUnread,
        ),
        Alteration::mutant(
            "unsigned-accepted",
            "A request without signature is taken for one of whoever may call.",
            &["service/rule/every-call-is-signed", "service/rule/unsigned"],
            Switch::UnsignedAccepted,
        ),
        Alteration::rewritten(
            "unsigned-is-access-denied",
            "A request without signature is refused with AccessDeniedException.",
            &["service/rule/unsigned"],
            always(|response| renamed(response, "MissingAuthenticationTokenException", 403, "AccessDeniedException")),
        ),
        Alteration::rewritten(
            "unsigned-is-not-authorized",
            "A request without signature is refused with NotAuthorized and HTTP status 401.",
            &["service/rule/unsigned"],
            always(|response| renamed(response, "MissingAuthenticationTokenException", 401, "NotAuthorized")),
        ),
    ]
}

fn credentials() -> Vec<Alteration> {
    vec![
        Alteration::mutant(
            "pool-unchecked",
            "An identity reaches what bears its id in other pools.",
            &["service/rule/other-pool-refused"],
            Switch::PoolUnchecked,
        ),
        Alteration::rewritten(
            "not-authorized-is-access-denied",
            "Credentials of the wrong class or identity are refused as IAM does, with AccessDeniedException.",
            &["service/rule/wrong-class-error", "service/rule/other-identity-error"],
            always(|response| renamed(response, "NotAuthorizedException", 403, "AccessDeniedException")),
        ),
        Alteration::mutant(
            "scope-before-input",
            "Credentials that do not fit a path are refused before its labels are looked at.",
            &["service/rule/constraints-before-credentials"],
            Switch::ScopeBeforeInput,
        ),
    ]
}

fn variants() -> Vec<Alteration> {
    vec![
        Alteration::variant(
            "clock-window-of-quarter-hour",
            "A signer's clock may be off by fifteen minutes.",
            &[],
            Switch::ClockWindowOfQuarterHour,
        ),
        Alteration::variant(
            "class-after-input",
            "The class of credentials is looked at after the input.",
            &[],
            Switch::ClassAfterInput,
        ),
        Alteration::variant(
            "input-before-signature",
            "Input is read and checked before the signature.",
            &["service/rule/order-of-checks"],
            Switch::InputBeforeSignature,
        ),
        Alteration::rewritten(
            "wrong-signature-explained",
            "The message about a wrong signature goes on to show what was signed.",
            &[],
            always(|response| {
                if says(response, MISMATCH) {
                    message(response, |text| {
                        format!("{text}\n\nThe Canonical String for this request should have been\n'GET\n/'")
                    });
                }
            }),
        )
        .legal(),
        Alteration::rewritten(
            "service-headers-must-be-signed",
            "A header of the service that is not signed is refused.",
            &[],
            |_, request, response| {
                if has_unsigned(request, "x-amz-") {
                    refuse(response, 403, "InvalidSignatureException");
                }
            },
        )
        .legal(),
        Alteration::rewritten(
            "wrong-session-token-spoils-the-signature",
            "A wrong session token is found when the signature is compared.",
            &[],
            |_, request, response| {
                if request.headers.contains("x-amz-security-token") && is_error(response, "UnrecognizedClientException")
                {
                    refuse(response, 403, "InvalidSignatureException");
                }
            },
        )
        .legal(),
    ]
}

/// Whether a header with such a name is sent and not covered by a signature that
/// stands in the header.
fn has_unsigned(request: &Request, prefix: &str) -> bool {
    let Some(authorization) = request.headers.get("authorization") else { return false };
    let listed = authorization.split("SignedHeaders=").nth(1).and_then(|rest| rest.split(',').next());
    let Some(signed) = listed.map(|listed| listed.split(';').collect::<Vec<_>>()) else { return false };
    let names = request.headers.iter().map(|(name, _)| name.to_ascii_lowercase());
    names.filter(|name| name.starts_with(prefix)).any(|name| !signed.contains(&name.as_str()))
}
