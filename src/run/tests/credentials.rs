//! Credentials that change while a run lasts.

use std::time::{Duration, SystemTime};

use serde_json::json;

use super::support::{Server, Setup, answer, case};
use crate::judge::Verdict;
use crate::target::{Credentials, Provider, Secret, Valid};

/// Signed by an identity; the server must answer 200.
const SIGNED: &str = r#"{ call = "ListRecords", with = { DatasetName = "d" }, expect = { status = 200 } }"#;

/// A run in which identities get credentials that last so many seconds, or none.
fn with_credentials(server: &Server, life: Option<u64>) -> Setup {
    let mut setup = Setup::of(server);
    let provider = Provider::scripted(move || {
        let life = life.ok_or_else(|| "the service is gone".to_owned())?;
        let credentials = Credentials {
            access_key_id: "ASIAFETCHED".to_owned(),
            secret_access_key: Secret::new("canary-fetched-key"),
            session_token: Some(Secret::new("canary-fetched-token")),
        };
        Ok(Valid { credentials, until: Some(SystemTime::now() + Duration::from_secs(life)) })
    });
    for identity in &mut setup.target.pools[0].identities {
        identity.credentials = provider.clone();
    }
    setup
}

#[tokio::test]
async fn a_case_without_credentials_asks_nothing_and_is_no_verdict() {
    let server = Server::start(|_, _| answer(200, "{}")).await;
    let ran = with_credentials(&server, None).run(&case("a", "", SIGNED)).await;
    let reason = "not run: no credentials: the service is gone";
    assert_eq!(ran.ending(), (Verdict::Indeterminate, reason, 3));
    assert!(server.lines().is_empty());
}

#[tokio::test]
async fn what_goes_wrong_after_credentials_ran_out_is_no_verdict() {
    for (life, expected) in [(0, Verdict::Indeterminate), (3600, Verdict::Fail)] {
        let server = Server::start(|_, _| answer(403, r#"{"__type":"ExpiredTokenException"}"#)).await;
        let ran = with_credentials(&server, Some(life)).run(&case("a", "", SIGNED)).await;
        assert_eq!(ran.only().verdict, expected, "{:?}", ran.only());
        assert!(expected == Verdict::Fail || ran.only().findings.is_empty());
    }
    let server = Server::start(|_, _| answer(200, "{}")).await;
    let ran = with_credentials(&server, Some(0)).run(&case("a", "", SIGNED)).await;
    assert_eq!(ran.only().verdict, Verdict::Pass, "what went well did");
}

#[tokio::test]
async fn secrets_that_were_fetched_later_are_recorded_nowhere() {
    let server =
        Server::start(|_, asked| answer(500, json!({ "message": asked.head, "k": "canary-fetched-key" }))).await;
    let ran = with_credentials(&server, Some(3600)).run(&case("a", "", SIGNED)).await;
    assert!(server.asked.lock().expect("no panic")[0].head.contains("canary-fetched-token"));
    let written = ran.written();
    assert!(written.contains("ASIAFETCHED") && !written.contains("canary"), "{written}");
}
