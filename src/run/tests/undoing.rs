//! What a case made is taken back.

use rstest::rstest;

use super::support::{Reply, Server, Setup, answer, case, deleted};
use crate::judge::Verdict;

const UPDATES: &str = r#"{ call = "UpdateRecords", with = { DatasetName = "one" } },
    { call = "UpdateRecords", with = { DatasetName = "two" } },
    { call = "UpdateRecords", with = { DatasetName = "one" } },
    { call = "UpdateRecords", with = { DatasetName = "refused" } }"#;

#[tokio::test]
async fn what_a_case_made_is_taken_back_last_first_and_once() {
    let server = Server::start(|_, asked| match asked.line.as_str() {
        line if line.ends_with("/refused") => answer(400, "{}"),
        // What is gone already needs no taking back.
        line if line.starts_with("DELETE") => answer(404, "{}"),
        _ => answer(200, "{}"),
    })
    .await;
    let never_reached = "{ call = \"ListRecords\", expect = { status = 200 } }";
    let ran = Setup::of(&server).run(&case("a", "", &format!("{UPDATES}, {never_reached}"))).await;
    assert_eq!(ran.only().verdict, Verdict::NotTestable);
    assert_eq!(deleted(&server), ["two", "one"]);
    assert!(ran.only().leftovers.is_empty());
}

#[rstest]
#[case::failed("{ call = \"UpdateRecords\", expect = { status = 201 } }", Verdict::Fail, &["made"])]
#[case::broken("{ call = \"UpdateRecords\", with = { DatasetName = \"drop\" }, expect = { status = 200 } }", Verdict::Indeterminate, &["drop"])]
#[case::refused_as_expected("{ call = \"UpdateRecords\", with = { DatasetName = \"refused\" }, expect = { status = 400, error = \"InvalidParameterException\" } }", Verdict::Pass, &[])]
#[tokio::test]
async fn a_case_cleans_up_whatever_its_verdict(
    #[case] step: &str,
    #[case] verdict: Verdict,
    #[case] expected: &[&str],
) {
    let server = Server::start(|_, asked| match asked.line.as_str() {
        line if line.starts_with("DELETE") => answer(200, ""),
        line if line.ends_with("/refused") => answer(400, r#"{"__type":"InvalidParameterException","message":"m"}"#),
        line if line.ends_with("/drop") => Reply::Drop,
        _ => answer(200, "{}"),
    })
    .await;
    let ran = Setup::of(&server).run(&case("a", "", step)).await;
    assert_eq!(ran.only().verdict, verdict, "{:?}", ran.only());
    assert_eq!(deleted(&server), expected);
}

#[tokio::test]
async fn what_could_not_be_taken_back_is_said() {
    let server = Server::start(|_, asked| {
        let refusal = r#"{"__type":"NotAuthorizedException","message":"canary-session-a/+= is no token"}"#;
        if asked.line.starts_with("DELETE") { answer(403, refusal) } else { answer(200, "{}") }
    })
    .await;
    let ran = Setup::of(&server).run(&case("a", "", r#"{ call = "UpdateRecords", expect = { status = 200 } }"#)).await;
    let expected = "DeleteDataset with {\"IdentityPoolId\":\"p\",\"IdentityId\":\"i\",\"DatasetName\":\"made\"} could not \
                    be called: answered 403 NotAuthorizedException: <redacted> is no token";
    assert_eq!(ran.only().leftovers, [expected]);
    assert_eq!(ran.only().verdict, Verdict::Pass);
}
