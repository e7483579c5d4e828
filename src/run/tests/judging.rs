//! What a case comes to.

use std::time::{Duration, Instant};

use rstest::rstest;
use serde_json::json;

use super::support::{Reply, Server, Setup, answer, case, plain};
use crate::judge::Verdict;

#[tokio::test]
async fn a_case_whose_fixture_does_not_hold_is_not_testable() {
    let server = Server::start(|_, _| answer(500, r#"{"__type":"Oops","message":"down"}"#)).await;
    let ran = Setup::of(&server).run(&plain("a", "given = [\"listed\"]")).await;
    let reason = "prerequisite step 1 (fixture listed), ListRecords, at cases/_fixtures.toml:5:10: \
                  answered 500 Oops: down";
    assert_eq!(ran.ending(), (Verdict::NotTestable, reason, 3));
    assert_eq!(server.lines().len(), 1);
    assert_eq!(ran.only().exchanges[0].fixture.as_deref(), Some("listed"));
}

#[rstest]
#[case::absent("{}")]
#[case::null(r#"{"SyncSessionToken":null}"#)]
#[case::no_json("<html>")]
#[tokio::test]
async fn what_cannot_be_captured_leaves_the_rest_untestable(#[case] body: &'static str) {
    let server = Server::start(move |_, _| answer(200, body)).await;
    let ran = Setup::of(&server).run(&plain("a", "given = [\"listed\"]")).await;
    let (verdict, reason, exit) = ran.ending();
    assert_eq!((verdict, exit), (Verdict::NotTestable, 3));
    assert!(reason.ends_with("answered 200 without /SyncSessionToken"), "{reason}");
}

#[rstest]
#[case::dropped(false, "the connection broke: ")]
#[case::hanging(true, "no response in time: the response was not complete within 2s")]
#[tokio::test]
async fn without_an_answer_nothing_is_judged(#[case] hangs: bool, #[case] expected: &str) {
    let server = Server::start(move |_, _| if hangs { Reply::Hang } else { Reply::Drop }).await;
    let mut setup = Setup::of(&server);
    setup.timeout = Duration::from_secs(2);
    let ran = setup.run(&plain("a", "")).await;
    let (verdict, reason, exit) = ran.ending();
    assert_eq!((verdict, exit), (Verdict::Indeterminate, 3));
    assert!(reason.starts_with(&format!("step 1, GET /a: {expected}")), "{reason}");
    assert!(ran.only().exchanges[0].response.is_none() && ran.only().exchanges[0].failure.is_some());
    // No request is sent twice.
    assert_eq!(server.lines(), ["GET /a"]);
}

#[tokio::test]
async fn a_finding_made_before_outranks_what_comes_after() {
    let steps = r#"{ send = { method = "GET", target = "/1" }, expect = { proves = "UpdateRecords/rule/all-or-nothing", members = { "/A" = 2 } } },
        { send = { method = "GET", target = "/2" }, expect = { status = 200 } }"#;
    let verdict = async |strict| {
        let server = Server::start(|number, _| if number == 0 { answer(200, r#"{"A":1}"#) } else { Reply::Drop }).await;
        let setup = Setup { strict, ..Setup::of(&server) };
        setup.run(&case("a", "", steps)).await.only().verdict
    };
    assert_eq!(verdict(true).await, Verdict::Fail);
    assert_eq!(verdict(false).await, Verdict::Indeterminate);
}

#[rstest]
#[case::inferred("UpdateRecords/rule/all-or-nothing", Verdict::Warn, 0)]
#[case::documented("UpdateRecords/route", Verdict::Fail, 1)]
#[tokio::test]
async fn a_case_ends_where_another_outcome_comes(
    #[case] requirement: &str,
    #[case] verdict: Verdict,
    #[case] exit: u8,
) {
    let server = Server::start(|_, _| answer(200, "{}")).await;
    let step = |target: &str, status: u16| {
        format!(
            r#"{{ send = {{ method = "GET", target = "{target}" }}, expect = {{ proves = "{requirement}", status = {status} }} }}"#
        )
    };
    let ran = Setup::of(&server).run(&case("a", "", &format!("{}, {}", step("/1", 201), step("/2", 200)))).await;
    assert_eq!((ran.only().verdict, ran.footer.exit), (verdict, exit));
    assert_eq!((ran.only().findings.len(), server.lines().len()), (1, 1));
}

#[tokio::test]
async fn an_outcome_that_nobody_knows_is_noted_and_no_fault() {
    let server = Server::start(|_, _| answer(200, "{}")).await;
    let open = |status: u16| {
        let proves = "UpdateRecords/rule/same-key-twice";
        format!(
            r#"{{ send = {{ method = "GET", target = "/" }}, expect = {{ proves = "{proves}", status = {status} }} }}"#
        )
    };
    let ran = Setup::of(&server).run(&case("a", "", &format!("{}, {}", open(201), open(200)))).await;
    assert_eq!((ran.only().verdict, ran.footer.exit), (Verdict::Pass, 0));
    assert_eq!((ran.only().findings.len(), server.lines().len()), (1, 1));
    assert!(!ran.only().exchanges.is_empty(), "what was noted is shown, whatever the verdict");
}

#[rstest]
#[case::another_outcome(|| answer(400, "{}"), "status")]
#[case::too_many_requests(|| answer(429, "{}"), "status")]
#[case::nothing_at_all(|| Reply::Drop, "answer")]
#[case::never(|| Reply::Hang, "answer")]
#[tokio::test]
async fn where_any_answer_will_do_the_case_goes_on(#[case] reply: fn() -> Reply, #[case] at: &str) {
    let steps = r#"{ send = { method = "GET", target = "/1" }, any-answer = true, expect = { proves = "UpdateRecords/rule/same-key-twice", status = 200 } },
        { send = { method = "GET", target = "/2" }, expect = { status = 200 } }"#;
    let outcome = async |second| {
        let server =
            Server::start(move |_, asked| if asked.line == "GET /1" { reply() } else { answer(second, "{}") }).await;
        let mut setup = Setup::of(&server);
        setup.timeout = Duration::from_secs(2);
        let ran = setup.run(&case("a", "", steps)).await;
        assert_eq!(server.lines(), ["GET /1", "GET /2"]);
        assert_eq!(ran.only().findings[0].at, at);
        assert_eq!(ran.only().findings[0].expected, if at == "answer" { "status is 200" } else { "200" });
        ran.only().verdict
    };
    assert_eq!(outcome(200).await, Verdict::Pass);
    assert_eq!(outcome(201).await, Verdict::Fail);
}

#[rstest]
#[case::unmet("2", Verdict::NotTestable, 3)]
#[case::met("1", Verdict::Pass, 0)]
#[tokio::test]
async fn what_is_assumed_is_no_fault_of_the_target(#[case] wanted: &str, #[case] verdict: Verdict, #[case] exit: u8) {
    let server = Server::start(|_, _| answer(200, r#"{"A":1}"#)).await;
    let steps = format!(
        r#"{{ send = {{ method = "GET", target = "/1" }}, assume = {{ status = 200, members = {{ "/A" = {wanted} }} }} }},
        {{ send = {{ method = "GET", target = "/2" }}, expect = {{ status = 200 }} }}"#
    );
    let ran = Setup::of(&server).run(&case("a", "", &steps)).await;
    assert_eq!((ran.only().verdict, ran.footer.exit), (verdict, exit));
    assert!(ran.only().findings.is_empty());
    if let Some(reason) = &ran.only().reason {
        assert!(reason.ends_with("/A is 1, and the case can only be judged where it is 2"), "{reason}");
    }
}

#[tokio::test]
async fn a_step_is_repeated_until_it_holds_and_no_longer() {
    let steps = |within: u64| {
        format!(
            r#"{{ send = {{ method = "GET", target = "/" }}, within-ms = {within}, expect = {{ status = 200, members = {{ "/A" = 3 }} }} }}"#
        )
    };
    let counting = || Server::start(|number, _| answer(200, json!({ "A": number })));
    let server = counting().await;
    let ran = Setup::of(&server).run(&case("a", "", &steps(60_000))).await;
    assert_eq!((ran.only().verdict, server.lines().len()), (Verdict::Pass, 4));

    let server = Server::start(|_, _| answer(200, "{}")).await;
    let begun = Instant::now();
    let ran = Setup::of(&server).run(&case("a", "", &steps(200))).await;
    // It is given up when another pause would be too long. On a machine that stalls, there
    // are fewer attempts than there is time for.
    let (took, attempts) = (begun.elapsed(), server.lines().len());
    assert!(took >= Duration::from_millis(150) && took < Duration::from_secs(20), "{took:?}");
    assert_eq!(ran.only().verdict, Verdict::Fail);
    assert!((1..=4).contains(&attempts), "{attempts}");
    // Only the last attempt is kept.
    assert_eq!((ran.only().exchanges.len(), ran.only().findings.len()), (1, 1));
}
