//! What is kept of a run, and what must not be.

use serde_json::json;

use super::support::{Reply, Server, Setup, answer, case, plain};
use crate::judge::Verdict;
use crate::plan::{Decision, LeaseTable};
use crate::run::execute;

#[tokio::test]
async fn a_snapshot_holds_no_secret_that_stands_where_none_should() {
    let body = r#"{"Nested":{"SyncSessionToken":"canary-token-1"},"Note":"canary-session-a/+="}"#;
    let server = Server::start(move |_, _| answer(200, body)).await;
    let step = r#"{ send = { method = "GET", target = "/" }, expect = { status = 200, snapshot = true } }"#;
    let (session, plan) = Setup::of(&server).session(&case("a", "", step));
    let Decision::Run(demand) = plan.cases[0].decision else { panic!("it runs") };
    let lease = LeaseTable::new(&session.target, 20).acquire(demand).expect("free");
    let snapshot = execute(&session, &plan.cases[0], &lease, 1).await.snapshot.expect("it is taken");
    assert!(!snapshot.contains("canary") && snapshot.contains("<redacted>"), "{snapshot}");
}

#[tokio::test]
async fn a_reason_is_not_as_long_as_an_endpoint_likes() {
    let body = json!({ "__type": "Oops", "message": "m".repeat(100_000) }).to_string();
    let server = Server::start(move |_, _| answer(500, &body)).await;
    let ran = Setup::of(&server).run(&plain("a", "given = [\"listed\"]")).await;
    let (_, reason, _) = ran.ending();
    assert!(reason.len() < 2_100, "{}", reason.len());
}

#[tokio::test]
async fn no_event_holds_a_secret() {
    const TOKEN: &str = "canary-sync/+= token";
    // Says everything back that it knows, in values, names and broken JSON.
    let server = Server::start(|number, asked| {
        let said = format!("{} {} {}", asked.line, asked.head.replace("\r\n", " "), asked.body);
        let body = json!({ "SyncSessionToken": TOKEN, "Count": said, "message": format!("canary-key-a/+= {TOKEN}") });
        match number % 3 {
            0 => answer(200, body),
            1 => Reply::Answer(500, format!("{body} trailing")),
            _ => Reply::Answer(200, body.to_string().replace('/', "\\/")),
        }
    })
    .await;
    let list = |expect: &str| {
        format!(
            r#"{{ call = "ListRecords", with = {{ SyncSessionToken = "{{token}}" }}, json = '''{{ "SyncSessionToken": "{{token}}", bad''',
                headers = {{ x-copy = "{{token}}" }}, {expect} }}"#
        )
    };
    let padded = "x".repeat(1_990);
    let cases = [
        case(
            "found",
            "given = [\"listed\"]",
            &list(r#"expect = { status = 200, members = { "/SyncSessionToken" = 1, "/Count" = "{token}" } }"#),
        ),
        case("prerequisite", "given = [\"listed\"]", &format!("{}, {}", list(""), list("expect = { status = 200 }"))),
        case("query", "given = [\"listed\"]", &list(r#"sign = { form = "query" }, expect = { status = 201 }"#)),
        // A value that is cut in the midst of a secret.
        case(
            "cut",
            "given = [\"listed\"]",
            &list(&format!(r#"expect = {{ members = {{ "/SyncSessionToken" = "{padded}{{token}}" }} }}"#)),
        ),
        case(
            "bytes",
            "given = [\"listed\"]",
            r#"{ send-bytes = "GET /{token} HTTP/1.1\r\nx-amz-security-token: canary-session-b/+=\r\n\r\n", expect = { status = 201 } }"#,
        ),
        case("developer", "credentials = \"developer\"\ngiven = [\"listed\"]", &list("expect = { status = 201 }")),
    ];
    let ran = Setup::of(&server).run(&cases.concat()).await;
    let written = ran.written();
    assert!(ran.results().iter().all(|result| result.verdict != Verdict::Pass), "{written}");
    // However it is spelt, each of them begins so.
    let at = written.find("canary");
    assert_eq!(at, None, "{}", at.map_or("", |at| &written[at.saturating_sub(300)..(at + 60).min(written.len())]));
    let signed = server
        .asked
        .lock()
        .expect("no panic")
        .iter()
        .any(|asked| asked.head.contains("Signature=") && asked.head.contains("canary-session"));
    assert!(signed, "the canaries were on the wire");
    for line in server.asked.lock().expect("no panic").iter().map(|asked| &asked.head) {
        let signature = line.split("Signature=").nth(1).map(|rest| &rest[..64.min(rest.len())]);
        assert!(signature.is_none_or(|signature| !written.contains(signature)), "{line}");
    }
}
