//! Runs that end early.

use std::time::{Duration, Instant};

use tokio::net::TcpSocket;
use tokio::sync::watch;

use super::support::{Reply, Server, Setup, answer, case, deleted, plain};
use crate::judge::Verdict;

#[tokio::test]
async fn fail_fast_begins_nothing_after_a_failure() {
    let server = Server::start(|_, asked| answer(if asked.line == "GET /second" { 500 } else { 200 }, "")).await;
    let setup = Setup { fail_fast: true, ..Setup::of(&server) };
    let ran = setup.run(&["first", "second", "third", "fourth"].map(|name| plain(name, "")).concat()).await;
    let verdicts: Vec<_> = ran.results().into_iter().map(|result| result.verdict).collect();
    assert_eq!(verdicts, [Verdict::Pass, Verdict::Fail, Verdict::Indeterminate, Verdict::Indeterminate]);
    let stopped = "a/t/second failed and --fail-fast was given";
    assert_eq!(ran.footer.stopped.as_deref(), Some(stopped));
    assert_eq!(ran.results()[3].reason.as_deref(), Some(&*format!("not run: {stopped}")));
    assert_eq!((server.lines().len(), ran.footer.exit), (2, 1));
}

#[tokio::test]
async fn a_run_stops_when_the_endpoint_is_gone() {
    let server = Server::start(|_, _| Reply::Drop).await;
    let mut setup = Setup::of(&server);
    // Bound, so that nobody else takes it, and nobody listens.
    let closed = TcpSocket::new_v4().expect("a socket");
    closed.bind(([127, 0, 0, 1], 0).into()).expect("a port");
    let port = closed.local_addr().expect("it is bound").port();
    setup.target.endpoint = format!("http://127.0.0.1:{port}");
    let names = ["a", "b", "c", "d", "e"];
    let ran = setup.run(&names.map(|name| plain(name, "")).concat()).await;
    let stopped = ran.footer.stopped.clone().unwrap_or_default();
    assert!(
        stopped.starts_with(&format!("the endpoint is gone: no connection: http://127.0.0.1:{port}: ")),
        "{stopped}"
    );
    assert!(stopped.ends_with("; it answered no case"), "{stopped}");
    let reasons: Vec<_> = ran.results().into_iter().filter_map(|result| result.reason.as_deref()).collect();
    assert!(reasons[0].starts_with("step 1, GET /a: no connection"), "{reasons:?}");
    assert_eq!(reasons[1..], [&*format!("not run: {stopped}"); 4]);
    assert_eq!((ran.footer.totals[&Verdict::Indeterminate], ran.footer.exit), (5, 3));
}

#[tokio::test]
async fn a_run_stops_when_the_endpoint_falls_silent_and_names_the_last_case() {
    let server = Server::start(|number, _| if number < 3 { answer(200, "{}") } else { Reply::Hang }).await;
    let mut setup = Setup::of(&server);
    setup.timeout = Duration::from_secs(1);
    let names = ["a", "b", "c", "d", "e", "f", "g"];
    let begun = Instant::now();
    // What the fourth case made cannot be taken back, and is not waited for long.
    let step = r#"{ call = "UpdateRecords", with = { DatasetName = "{dataset}" }, expect = { status = 200 } }"#;
    let cases = names.map(|name| case(name, "", step));
    let ran = setup.run(&cases.concat()).await;
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    let stopped = ran.footer.stopped.clone().unwrap_or_default();
    assert!(stopped.starts_with("the endpoint is gone: no response in time: "), "{stopped}");
    assert!(stopped.contains("; the last case that it answered was a/t/"), "{stopped}");
    let begun_cases = ran.results().iter().filter(|result| result.was_begun()).count();
    assert!(begun_cases <= 3, "{begun_cases}");
}

#[tokio::test]
async fn an_endpoint_that_hangs_on_one_operation_is_not_gone() {
    let server =
        Server::start(|_, asked| if asked.line.starts_with("GET /hang") { Reply::Hang } else { answer(200, "{}") })
            .await;
    let mut setup = Setup { jobs: 12, ..Setup::of(&server) };
    setup.timeout = Duration::from_secs(2);
    let hanging: String = (0..24)
        .map(|number| {
            let step = r#"{ send = { method = "GET", target = "/hang" }, expect = { status = 200 } }"#;
            case(&format!("h{number}"), "", step)
        })
        .collect();
    let ran = setup.run(&(hanging + &plain("fine", ""))).await;
    assert_eq!(ran.footer.stopped, None);
    assert_eq!(ran.footer.totals[&Verdict::Indeterminate], 24);
    assert_eq!(ran.footer.totals[&Verdict::Pass], 1);
}

#[tokio::test]
async fn a_case_under_way_is_given_up_some_time_after_an_interruption() {
    let (cancel, cancelled) = watch::channel(false);
    let server = Server::start(move |_, asked| match asked.line.as_str() {
        "GET /hang" => {
            cancel.send_replace(true);
            Reply::Hang
        }
        _ => answer(200, "{}"),
    })
    .await;
    let mut setup = Setup { cancel: cancelled, ..Setup::of(&server) };
    setup.timeout = Duration::from_secs(60);
    let steps = r#"{ call = "UpdateRecords", expect = { status = 200 } },
        { send = { method = "GET", target = "/hang" }, expect = { status = 200 } }"#;
    let begun = Instant::now();
    let ran = setup.run(&case("a", "", steps)).await;
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    let (verdict, reason, exit) = ran.ending();
    assert_eq!((verdict, exit), (Verdict::Indeterminate, 3));
    assert!(reason.contains("given up, since the run was interrupted"), "{reason}");
    assert_eq!(deleted(&server), ["made"], "clean-up goes on");
}

#[tokio::test]
async fn a_cancelled_run_finishes_what_is_under_way() {
    let (cancel, cancelled) = watch::channel(false);
    let server = Server::start(move |_, _| {
        cancel.send_replace(true);
        Reply::Late(Duration::from_millis(50), 200, String::new())
    })
    .await;
    let setup = Setup { cancel: cancelled.clone(), ..Setup::of(&server) };
    let ran = setup.run(&["a", "b", "c"].map(|name| plain(name, "")).concat()).await;
    let verdicts: Vec<_> = ran.results().into_iter().map(|result| result.verdict).collect();
    assert_eq!(verdicts, [Verdict::Pass, Verdict::Indeterminate, Verdict::Indeterminate]);
    assert_eq!((ran.footer.stopped.as_deref(), ran.footer.exit), (Some("the run was interrupted"), 3));
    // Cancelled before it began, it begins nothing.
    let ran = Setup { cancel: cancelled, ..Setup::of(&server) }.run(&plain("a", "")).await;
    assert_eq!((ran.only().verdict, server.lines().len()), (Verdict::Indeterminate, 1));
}
