//! Requests that are sent otherwise than a client would.

use super::support::{Server, Setup, answer, case};
use crate::judge::Verdict;

#[tokio::test]
async fn what_was_signed_can_be_written_otherwise() {
    let server = Server::start(|_, _| answer(200, "{}")).await;
    let steps = r#"{ send = { method = "GET", target = "/a" }, expect = { status = 200 },
        tamper = { add-headers = { x-amz-date = "again" }, rewrite = [{ header = "Authorization", pattern = "Signature=[0-9a-f]{64}", with = "Signature=none" }, { pattern = "a$", with = "b-$0" }] } }"#;
    let ran = Setup::of(&server).run(&case("a", "", steps)).await;
    assert_eq!(ran.only().verdict, Verdict::Pass);
    let asked = server.asked.lock().expect("no panic")[0].clone();
    assert_eq!(asked.line, "GET /b-a");
    assert!(asked.head.contains(", Signature=none"), "{}", asked.head);
    assert_eq!(asked.head.matches("x-amz-date: ").count(), 2, "{}", asked.head);
}

#[tokio::test]
async fn a_request_that_would_go_out_unchanged_is_not_sent() {
    let server = Server::start(|_, _| answer(200, "{}")).await;
    let steps = r#"{ send = { method = "GET", target = "/a" }, expect = { status = 200 },
        tamper = { rewrite = [{ header = "{header}", pattern = "nowhere", with = "" }] } }"#;
    let rows = r#"rows = [{ name = "there", header = "authorization" }, { name = "not-there", header = "x-a" }]"#;
    let ran = Setup::of(&server).run(&format!("{}{rows}\n", case("a", "", steps))).await;
    for result in ran.results() {
        assert_eq!(result.verdict, Verdict::Indeterminate);
        let reason = result.reason.clone().unwrap_or_default();
        assert!(reason.contains("nothing that matches `nowhere`"), "{reason}");
    }
    assert_eq!((ran.results().len(), server.lines().len()), (2, 0));
}

#[tokio::test]
async fn a_request_can_be_written_in_another_way() {
    let server = Server::start(|_, _| answer(200, "{}")).await;
    let step = |transfer: &str| {
        format!(r#"{{ call = "UpdateRecords", transfer = {{ {transfer} = true }}, expect = {{ status = 200 }} }}"#)
    };
    let steps = format!("{}, {}", step("chunked"), step("upper-case-headers"));
    let _ran = Setup::of(&server).run(&case("a", "", &steps)).await;
    let heads: Vec<String> =
        server.asked.lock().expect("no panic").iter().map(|asked| asked.head.clone() + "\r\n").collect();
    assert!(
        heads[0].contains("transfer-encoding: chunked\r\n") && !heads[0].contains("content-length"),
        "{}",
        heads[0]
    );
    let names = heads[1].lines().skip(1).filter_map(|line| line.split_once(':')).map(|(name, _)| name);
    let lower: Vec<&str> = names.filter(|name| name.bytes().any(|byte| byte.is_ascii_lowercase())).collect();
    // This one the client adds of itself.
    assert_eq!(lower, ["content-length"]);
    assert!(heads[1].contains("AUTHORIZATION: ") && heads[1].contains("CONTENT-TYPE: "), "{}", heads[1]);
}
