//! Endpoints that ask for fewer requests.

use rstest::rstest;

use super::support::{Server, Setup, answer, case, deleted, plain};
use crate::judge::Verdict;

#[rstest]
#[case::refused(429, "TooManyRequestsException")]
#[case::busy(503, "ServiceUnavailable")]
#[case::named(400, "ThrottlingException")]
#[tokio::test]
async fn an_endpoint_that_throttles_is_not_judged(#[case] status: u16, #[case] name: &str) {
    let body = format!(r#"{{"__type":"{name}","message":"slow down"}}"#);
    let server = Server::start(move |_, _| answer(status, &body)).await;
    let step = |expect: &str| format!(r#"{{ send = {{ method = "GET", target = "/" }}, expect = {{ {expect} }} }}"#);
    let ran = Setup::of(&server).run(&case("a", "", &step("status = 200"))).await;
    let (verdict, reason, exit) = ran.ending();
    assert_eq!((verdict, exit, server.lines().len()), (Verdict::Indeterminate, 3, 4));
    assert!(reason.contains("in 4 attempts within") && reason.contains("requests-per-second"), "{reason}");
    // Only the last attempt is kept.
    assert_eq!((ran.only().exchanges.len(), ran.footer.throttled), (1, 4));
    let wanted = step(&format!("status = {status}, error = \"{name}\""));
    let ran = Setup::of(&server).run(&case("a", "", &wanted)).await;
    assert_eq!((ran.only().verdict, ran.footer.exit), (Verdict::Pass, 0));
}

#[tokio::test]
async fn what_is_throttled_now_and_then_is_judged_as_ever() {
    // Clean-up is throttled too, and so is a step that has little time.
    let server = Server::start(|number, asked| match asked.line.as_str() {
        _ if number % 2 == 0 => answer(429, "{}"),
        line if line.starts_with("DELETE") => answer(200, ""),
        _ => answer(200, r#"{"A":1}"#),
    })
    .await;
    let steps = r#"{ call = "UpdateRecords", expect = { status = 200 } },
        { send = { method = "GET", target = "/" }, within-ms = 1, expect = { status = 200, members = { "/A" = 1 } } }"#;
    let ran = Setup::of(&server).run(&case("a", "", steps)).await;
    assert_eq!((ran.only().verdict, ran.footer.exit, ran.footer.throttled), (Verdict::Pass, 0, 3), "{:?}", ran.only());
    assert!(ran.only().leftovers.is_empty());
    assert_eq!(deleted(&server).len(), 2);
    // Each attempt is signed anew, in a second that may be another.
    assert_eq!(server.lines().len(), 6);
}

#[tokio::test]
async fn an_endpoint_that_only_throttles_stops_the_run() {
    let server = Server::start(|_, _| answer(503, "")).await;
    let names = ["a", "b", "c", "d", "e", "f"];
    let ran = Setup::of(&server).run(&names.map(|name| plain(name, "")).concat()).await;
    let stopped = "the endpoint throttles every request; it answered no case";
    assert_eq!((ran.footer.stopped.as_deref(), ran.footer.exit), (Some(stopped), 3));
    assert_eq!(ran.footer.totals[&Verdict::Indeterminate], 6);
}
