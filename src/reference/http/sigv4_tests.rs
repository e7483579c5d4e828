//! The verifier against the signer of AWS's SDK, and against tampering.

use rstest::rstest;

use super::Verifier;
use crate::reference::altered::Switches;
use crate::reference::http::testing::{Signing, at};
use crate::reference::model::{Caller, Timestamp};
use crate::reference::world::World;
use crate::wire::Request;

const PATH: &str = "/identitypools/us-east-1%3Aabc/identities/us-east-1%3Adef/datasets/d/records";

fn world() -> World {
    World::standard(1, 2)
}

fn verify(request: &Request, now: Timestamp) -> Result<Caller, String> {
    let world = world();
    let verifier = Verifier::new(&world, "cognito-sync", Switches::default());
    verifier.verify(request, now).cloned().map_err(|refusal| format!("{}: {}", refusal.name, refusal.message))
}

#[rstest]
#[case::plain("GET", "/identitypools", &[], b"")]
#[case::escaped_label("GET", PATH, &[], b"")]
#[case::literal_colon("GET", "/identitypools/us-east-1:abc", &[], b"")]
#[case::lower_case_escape("GET", "/identitypools/us-east-1%3aabc", &[], b"")]
#[case::escaped_slash("GET", "/identitypools/a%2Fb%20c", &[], b"")]
#[case::empty_segment("GET", "/identitypools//identities//datasets", &[], b"")]
#[case::dot_segments("GET", "/identitypools/./a/../b", &[], b"")]
#[case::trailing_slash("GET", "/identitypools/", &[], b"")]
#[case::odd_characters("GET", "/identitypools/!$&'()*,;=@~-_.", &[], b"")]
#[case::not_ascii("GET", "/identitypools/%C3%BC%FF", &[], b"")]
#[case::query("GET", "/identitypools?maxResults=3&nextToken=a%2Bb%3D%3D", &[], b"")]
#[case::unsorted_query("GET", "/identitypools?z=1&a=2&A=3&a=1", &[], b"")]
#[case::empty_values("GET", "/identitypools?nextToken=&flag", &[], b"")]
#[case::plus_in_query("GET", "/identitypools?nextToken=a+b", &[], b"")]
#[case::body("POST", "/identitypools/x/events", &[("content-type", "application/json")], b"{\"Events\":{}}")]
#[case::binary_body("POST", "/identitypools/x/events", &[], &[0, 255, 10])]
#[case::blanks_in_headers("GET", "/identitypools", &[("x-amz-client-context", "  a   b  "), ("x-b", "c ")], b"")]
#[case::empty_header("GET", "/identitypools", &[("x-empty", "")], b"")]
#[case::same_header_twice("GET", "/identitypools", &[("x-b", "1"), ("x-b", "2")], b"")]
#[case::delete("DELETE", PATH, &[], b"")]
fn what_the_sdk_signs_is_verified(
    #[case] method: &str,
    #[case] target: &str,
    #[case] headers: &[(&str, &str)],
    #[case] body: &[u8],
) {
    let world = world();
    let identity = &world.pools[0].identities[1];
    let expected = Caller::Identity {
        identity_pool_id: world.pools[0].identity_pool_id.clone(),
        identity_id: identity.identity_id.clone(),
    };
    for (keys, expected) in [(&world.developer, &Caller::Developer), (&identity.keys, &expected)] {
        for signing in [Signing::new(keys), Signing::presigned(keys, 60)] {
            let request = signing.sign(method, target, headers, body);
            assert_eq!(verify(&request, at(0)).as_ref(), Ok(expected), "{request:?}");
        }
    }
}

fn good() -> Request {
    let target = format!("{PATH}?maxResults=3");
    Signing::new(&world().pools[0].identities[0].keys).sign("POST", &target, &[("x-b", "1")], b"{}")
}

fn good_presigned() -> Request {
    let target = format!("{PATH}?maxResults=3");
    Signing::presigned(&world().pools[0].identities[0].keys, 60).sign("POST", &target, &[("x-b", "1")], b"{}")
}

/// Replaces text in one header.
fn edit(request: &mut Request, header: &str, from: &str, to: &str) {
    let value = request.headers.get(header).expect("the header is there").to_owned();
    assert!(value.contains(from), "{header}: {value}");
    request.headers.set(header, value.replace(from, to));
}

fn edit_target(request: &mut Request, from: &str, to: &str) {
    assert!(request.target.contains(from), "{}", request.target);
    request.target = request.target.replace(from, to);
}

#[rstest]
#[case::method(|r: &mut Request| r.method = "PUT".to_owned(), "InvalidSignature")]
#[case::path(|r: &mut Request| edit_target(r, "/d/", "/e/"), "InvalidSignature")]
#[case::path_spelling(|r: &mut Request| edit_target(r, "%3A", ":"), "InvalidSignature")]
#[case::query(|r: &mut Request| edit_target(r, "=3", "=4"), "InvalidSignature")]
#[case::query_more(|r: &mut Request| r.target.push_str("&a=b"), "InvalidSignature")]
#[case::body(|r: &mut Request| r.body = b"{ }".as_slice().into(), "InvalidSignature")]
#[case::signed_header(|r: &mut Request| edit(r, "x-b", "1", "2"), "InvalidSignature")]
#[case::header_added_to_signed(|r: &mut Request| r.headers.append("x-b", "2"), "InvalidSignature")]
#[case::signed_header_gone(|r: &mut Request| r.headers.remove("x-b"), "InvalidSignature")]
#[case::host(|r: &mut Request| edit(r, "host", "8000", "8001"), "InvalidSignature")]
#[case::date(|r: &mut Request| edit(r, "x-amz-date", "20Z", "21Z"), "InvalidSignature")]
#[case::content_hash(|r: &mut Request| r.headers.append("x-amz-content-sha256", "UNSIGNED-PAYLOAD"), "InvalidSignature")]
#[case::host_not_signed(|r: &mut Request| edit(r, "authorization", "host;", ""), "InvalidSignature")]
#[case::signature(|r: &mut Request| edit(r, "authorization", "Signature=", "Signature=0"), "InvalidSignature")]
#[case::signature_no_hex(|r: &mut Request| edit(r, "authorization", "Signature=", "Signature=xx"), "InvalidSignature")]
#[case::scope_day(|r: &mut Request| edit(r, "authorization", "/20231114/", "/20231115/"), "InvalidSignature")]
#[case::scope_end(|r: &mut Request| edit(r, "authorization", "aws4_request", "aws5_request"), "InvalidSignature")]
#[case::scope_short(|r: &mut Request| edit(r, "authorization", "/aws4_request", ""), "IncompleteSignature")]
#[case::another_key(|r: &mut Request| edit(r, "authorization", "ASIA0000000000000000", "ASIA0000000000000001"),
    "UnrecognizedClient")]
#[case::unknown_key(|r: &mut Request| edit(r, "authorization", "ASIA", "AKIA"), "UnrecognizedClient")]
#[case::token(|r: &mut Request| edit(r, "x-amz-security-token", "public", "private"), "UnrecognizedClient")]
#[case::token_gone(|r: &mut Request| r.headers.remove("x-amz-security-token"), "UnrecognizedClient")]
#[case::algorithm(|r: &mut Request| edit(r, "authorization", "SHA256", "SHA512"), "IncompleteSignature")]
#[case::no_date(|r: &mut Request| r.headers.remove("x-amz-date"), "'X-Amz-Date'")]
#[case::bad_date(|r: &mut Request| r.headers.set("x-amz-date", "yesterday"), "IncompleteSignature")]
#[case::odd_date(|r: &mut Request| r.headers.set("x-amz-date", "ü"), "IncompleteSignature")]
#[case::no_credential(|r: &mut Request| edit(r, "authorization", "Credential=", "Cred="), "'Credential'")]
#[case::no_equal_sign(|r: &mut Request| edit(r, "authorization", "Credential=", "Credential"), "equal-sign")]
#[case::nothing_in_it(|r: &mut Request| r.headers.set("authorization", "AWS4-HMAC-SHA256"),
    "'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires \
     'SignedHeaders' parameter.")]
#[case::not_text(|r: &mut Request| r.headers.set("authorization", vec![0xff]), "IncompleteSignature")]
#[case::twice(|r: &mut Request| r.headers.append("authorization", "x"), "IncompleteSignature")]
#[case::not_there(|r: &mut Request| r.headers.remove("authorization"), "MissingAuthenticationToken")]
fn tampering_is_refused(#[case] tamper: fn(&mut Request), #[case] expected: &str) {
    let mut request = good();
    assert!(verify(&request, at(0)).is_ok(), "the request is good before it is tampered with");
    tamper(&mut request);
    let refused = verify(&request, at(0)).expect_err("it was tampered with");
    assert!(refused.contains(expected), "{refused}");
    assert!(!refused.contains("public+example"), "{refused}");
}

#[rstest]
#[case::path(|r: &mut Request| edit_target(r, "/d/", "/e/"), "InvalidSignature")]
#[case::query(|r: &mut Request| edit_target(r, "maxResults=3", "maxResults=4"), "InvalidSignature")]
#[case::body(|r: &mut Request| r.body = b"".as_slice().into(), "InvalidSignature")]
#[case::longer_life(|r: &mut Request| edit_target(r, "Expires=60", "Expires=61"), "InvalidSignature")]
#[case::too_long_a_life(|r: &mut Request| edit_target(r, "Expires=60", "Expires=604801"), "from 1 to 604800")]
#[case::no_life(|r: &mut Request| edit_target(r, "Expires=60", "Expires=0"), "from 1 to 604800")]
#[case::token(|r: &mut Request| edit_target(r, "public", "private"), "UnrecognizedClient")]
#[case::signature(|r: &mut Request| edit_target(r, "Signature=", "Signature=00"), "InvalidSignature")]
#[case::no_signature(|r: &mut Request| edit_target(r, "X-Amz-Signature", "x"), "'X-Amz-Signature'")]
#[case::algorithm(|r: &mut Request| edit_target(r, "SHA256", "SHA1"), "IncompleteSignature")]
fn tampering_with_a_presigned_request_is_refused(#[case] tamper: fn(&mut Request), #[case] expected: &str) {
    let mut request = good_presigned();
    assert!(verify(&request, at(0)).is_ok(), "the request is good before it is tampered with");
    tamper(&mut request);
    let refused = verify(&request, at(0)).expect_err("it was tampered with");
    assert!(refused.contains(expected), "{refused}");
}

#[rstest]
#[case::in_time(good(), 0, None)]
#[case::five_minutes_old(good(), 300, None)]
#[case::too_old(
    good(),
    301,
    Some("Signature expired: 20231114T221320Z is now earlier than 20231114T221321Z (20231114T221821Z - 5 min.)")
)]
#[case::five_minutes_ahead(good(), -300, None)]
#[case::too_far_ahead(good(), -301,
    Some("Signature not yet current: 20231114T221320Z is still later than 20231114T221319Z (20231114T220819Z + 5 min.)"))]
#[case::presigned_in_time(good_presigned(), 60, None)]
#[case::presigned_too_old(good_presigned(), 61, Some("Signature expired"))]
#[case::presigned_too_far_ahead(good_presigned(), -301, Some("Signature not yet current"))]
fn a_signature_has_its_time(#[case] request: Request, #[case] seconds: i64, #[case] expected: Option<&str>) {
    match (verify(&request, at(seconds)), expected) {
        (Ok(_), None) => {}
        (Err(refused), Some(expected)) => {
            assert!(refused.starts_with("InvalidSignatureException") && refused.contains(expected), "{refused}")
        }
        (other, _) => panic!("{other:?}"),
    }
}

#[rstest]
#[case::region("us-west-2", "cognito-sync", "valid region")]
#[case::service("us-east-1", "cognito-identity", "correct service: 'cognito-sync'")]
fn the_scope_is_checked(#[case] region: &'static str, #[case] service: &'static str, #[case] expected: &str) {
    let signing = Signing { region, service, ..Signing::new(&world().developer) };
    let refused = verify(&signing.sign("GET", "/identitypools", &[], b""), at(0)).expect_err("the scope is wrong");
    assert!(refused.starts_with("InvalidSignatureException") && refused.contains(expected), "{refused}");
}

#[test]
fn a_wrong_secret_is_refused() {
    let mut keys = world().developer;
    keys.secret_access_key.push('x');
    let refused = verify(&Signing::new(&keys).sign("GET", "/identitypools", &[], b""), at(0));
    assert!(refused.is_err_and(|refused| refused.starts_with("InvalidSignatureException")));
}

#[test]
fn keys_without_a_token_refuse_one() {
    let mut keys = world().developer;
    keys.session_token = Some("made up".to_owned());
    let refused = verify(&Signing::new(&keys).sign("GET", "/identitypools", &[], b""), at(0));
    assert!(refused.is_err_and(|refused| refused.starts_with("UnrecognizedClientException")));
}
