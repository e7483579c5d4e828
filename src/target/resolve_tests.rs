//! Targets whose identities come from a Cognito Identity that does as it is told.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use rstest::rstest;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{Making, Target, load};

/// A call as the service sees it.
#[derive(Debug, Clone)]
struct Call {
    name: String,
    input: Value,
    /// Access key id of who signed it, if anybody did.
    signer: Option<String>,
}

/// A Cognito Identity on loopback, and what it was asked in order.
struct Cognito {
    endpoint: String,
    calls: Arc<Mutex<Vec<Call>>>,
}

/// Refuses this, or nothing.
type Refusal = Option<(&'static str, &'static str)>;

impl Cognito {
    /// Credentials last `life` seconds; calls of the name in `refusal` are refused
    /// with its error.
    async fn start(life: u64, refusal: Refusal) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback is there");
        let endpoint = format!("http://{}", listener.local_addr().expect("it is bound"));
        let calls = Arc::<Mutex<Vec<Call>>>::default();
        let noted = Arc::clone(&calls);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let calls = Arc::clone(&noted);
                tokio::spawn(async move {
                    while let Some(call) = read(&mut stream).await {
                        let number = {
                            let mut calls = calls.lock().expect("no panic");
                            calls.push(call.clone());
                            calls.len()
                        };
                        let (status, body) = answer(&call, number, life, refusal);
                        let body = body.to_string();
                        let reply = format!(
                            "HTTP/1.1 {status} x\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: {}\r\n\r\n{body}",
                            body.len()
                        );
                        if stream.write_all(reply.as_bytes()).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Self { endpoint, calls }
    }

    fn calls(&self, name: &str) -> Vec<Call> {
        self.calls.lock().expect("no panic").iter().filter(|call| call.name == name).cloned().collect()
    }

    /// A target file with these lines in `[cognito-identity]`.
    fn target(&self, cognito: &str, developer: &str) -> Target {
        let endpoint = &self.endpoint;
        let text = format!(
            "name = \"t\"\nendpoint = \"http://127.0.0.1:1\"\nregion = \"us-east-1\"\nidentity-pool-id = \"us-east-1:p\"\n\
             {developer}\n[cognito-identity]\nendpoint = \"{endpoint}\"\n{cognito}\n"
        );
        load::from_text("t.toml", &text, &|_| None).expect("valid")
    }
}

const DEVELOPER: &str = "[developer]\naccess-key-id = \"AKIADEVELOPER\"\nsecret-access-key = \"hush-developer\"";

fn answer(call: &Call, number: usize, life: u64, refusal: Refusal) -> (u16, Value) {
    if let Some((_, error)) = refusal.filter(|(name, _)| *name == call.name) {
        return (400, json!({ "__type": error, "message": "not for hush-developer" }));
    }
    let known = call.input["IdentityId"].as_str();
    let until =
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970") + Duration::from_secs(life);
    match call.name.as_str() {
        "GetId" => (200, json!({ "IdentityId": format!("us-east-1:made-{number}") })),
        "GetOpenIdTokenForDeveloperIdentity" => {
            let user = call.input["Logins"]["login.my.app"].as_str().unwrap_or("nobody");
            (200, json!({ "IdentityId": known.unwrap_or(&format!("us-east-1:of-{user}")), "Token": "hush-open-id" }))
        }
        "GetCredentialsForIdentity" => (
            200,
            json!({ "IdentityId": known, "Credentials": {
                "AccessKeyId": format!("ASIA{number}"), "SecretKey": format!("hush-key-{number}"),
                "SessionToken": format!("hush-token-{number}"), "Expiration": until.as_secs_f64() } }),
        ),
        "DeleteIdentities" => (200, json!({ "UnprocessedIdentityIds": [] })),
        other => (400, json!({ "__type": "UnknownOperationException", "message": other })),
    }
}

async fn read(stream: &mut TcpStream) -> Option<Call> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let header = |wanted: &str| {
                let lines = head.lines().filter_map(|line| line.split_once(": "));
                lines.filter(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.to_owned()).next()
            };
            let length: usize = header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
            if bytes.len() >= end + 4 + length {
                let signer = header("authorization")
                    .and_then(|value| Some(value.split_once("Credential=")?.1.split('/').next()?.to_owned()));
                let name = header("x-amz-target")?.rsplit('.').next()?.to_owned();
                return Some(Call { name, input: serde_json::from_slice(&bytes[end + 4..]).ok()?, signer });
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

fn ids(target: &Target) -> HashSet<&str> {
    target.pools[0].identities.iter().map(|identity| identity.id.as_str()).collect()
}

#[tokio::test]
async fn unauthenticated_identities_are_made_and_deleted_again() {
    let cognito = Cognito::start(3600, None).await;
    let target = cognito.target("identities = 3", DEVELOPER).resolve(Making::Allowed).await.expect("it can sign");
    assert_eq!(ids(&target).len(), 3);
    assert_eq!(cognito.calls("GetId").len(), 3);
    let asked = cognito.calls("GetCredentialsForIdentity");
    assert!(asked.iter().all(|call| call.signer.is_none() && call.input.get("Logins").is_none()), "{asked:?}");
    let first = &target.pools[0].identities[0].credentials;
    let secrets: Vec<_> = target.secrets().map(|secret| secret.expose().to_owned()).collect();
    assert!(secrets.len() == 7 && secrets[0] == "hush-developer", "{secrets:?}");
    assert!(!format!("{target:?}").contains("hush"));
    // Asked for again when they are about to run out, and not before.
    let (one, two) = (first.get().await.expect("held"), first.get().await.expect("held"));
    assert_eq!(one, two);
    assert_eq!(cognito.calls("GetCredentialsForIdentity").len(), 3);

    assert_eq!(target.made_identities().len(), 3);
    assert_eq!(target.remove_made_identities().await, Vec::<String>::new());
    let deleted = cognito.calls("DeleteIdentities");
    assert_eq!(deleted[0].signer.as_deref(), Some("AKIADEVELOPER"));
    let named: HashSet<_> = deleted[0].input["IdentityIdsToDelete"].as_array().expect("a list").iter().collect();
    assert_eq!(named.len(), 3);
    assert_eq!(target.remove_made_identities().await, Vec::<String>::new());
    assert_eq!(cognito.calls("DeleteIdentities").len(), 1, "what is gone is not deleted again");
}

#[tokio::test]
async fn what_nobody_may_delete_is_told_of() {
    let cognito = Cognito::start(3600, Some(("DeleteIdentities", "AccessDeniedException"))).await;
    for (developer, why) in [("", "that takes developer credentials"), (DEVELOPER, "AccessDeniedException")] {
        let target = cognito.target("identities = 1", developer).resolve(Making::Allowed).await.expect("it can sign");
        let left = target.remove_made_identities().await;
        assert!(left.len() == 1 && left[0].contains("us-east-1:made-") && left[0].contains(why), "{left:?}");
        assert!(!left[0].contains("hush-developer"), "{left:?}");
    }
}

#[tokio::test]
async fn keys_are_asked_for_anew_before_they_run_out() {
    let cognito = Cognito::start(0, None).await;
    let target = cognito.target("identities = 1", "").resolve(Making::Allowed).await.expect("it can sign");
    let provider = &target.pools[0].identities[0].credentials;
    let (one, two) = (provider.get().await.expect("new"), provider.get().await.expect("new"));
    assert_ne!(one.credentials, two.credentials);
    assert_eq!(cognito.calls("GetId").len(), 1, "the identity stays");
    // What was signed with before is still taken out of what is recorded.
    assert!(target.changing_secrets().any(|secret| secret == one.credentials.secret_access_key));
}

#[tokio::test]
async fn identities_that_exist_are_neither_made_nor_deleted() {
    let cognito = Cognito::start(3600, None).await;
    let target = cognito.target("identity-ids = [\"us-east-1:a\", \"us-east-1:b\"]", DEVELOPER);
    // Also where nothing may change.
    let target = target.resolve(Making::Forbidden).await.expect("it can sign");
    assert_eq!(ids(&target), HashSet::from(["us-east-1:a", "us-east-1:b"]));
    assert!(cognito.calls("GetId").is_empty() && target.made_identities().is_empty());
}

#[tokio::test]
async fn users_of_a_developer_provider_are_signed_in_by_the_developer() {
    let cognito = Cognito::start(3600, None).await;
    let settings = "identities = 2\ndeveloper-provider = \"login.my.app\"";
    let target = cognito.target(settings, DEVELOPER).resolve(Making::Allowed).await.expect("it can sign");
    assert_eq!(ids(&target), HashSet::from(["us-east-1:of-syncspec-1", "us-east-1:of-syncspec-2"]));
    assert!(cognito.calls("GetId").is_empty() && target.made_identities().is_empty());
    let signed = cognito.calls("GetOpenIdTokenForDeveloperIdentity");
    assert!(signed.iter().all(|call| call.signer.as_deref() == Some("AKIADEVELOPER")), "{signed:?}");
    let asked = cognito.calls("GetCredentialsForIdentity");
    let token = |call: &Call| call.input["Logins"]["cognito-identity.amazonaws.com"] == "hush-open-id";
    assert!(asked.len() == 2 && asked.iter().all(token), "{asked:?}");
}

#[tokio::test]
async fn nothing_is_made_where_nothing_may_change() {
    let cognito = Cognito::start(3600, None).await;
    let target = cognito.target("", DEVELOPER).resolve(Making::Forbidden).await.expect("the developer can sign");
    assert!(target.pools[0].identities.is_empty() && cognito.calls.lock().expect("no panic").is_empty());
    assert_eq!(target.shortfalls.identities, ["the identities of a run are made when it begins"]);
    assert!(cognito.target("", "").resolve(Making::Forbidden).await.is_ok(), "somebody will sign");
}

#[rstest]
#[case::get_id("GetId", 0)]
#[case::keys("GetCredentialsForIdentity", 2)]
#[tokio::test]
async fn a_refusal_costs_the_identities_and_says_why(#[case] name: &'static str, #[case] made: usize) {
    let cognito = Cognito::start(3600, Some((name, "NotAuthorizedException"))).await;
    let target = cognito.target("identities = 2", DEVELOPER).resolve(Making::Allowed).await.expect("one can sign");
    assert!(target.pools[0].identities.is_empty());
    let [reason] = target.shortfalls.identities.as_slice() else { panic!("{:?}", target.shortfalls) };
    let expected =
        format!("Cognito Identity at {}, {name}: NotAuthorizedException: not for <redacted>", cognito.endpoint);
    assert_eq!(*reason, expected);
    // What came of it is known all the same.
    assert_eq!(target.made_identities().len(), made);
    let error = cognito.target("identities = 2", "").resolve(Making::Allowed).await.expect_err("nobody can sign");
    assert!(error.to_string().starts_with("target t has no credentials to sign with: identities: Cognito Identity at"));
}

#[tokio::test]
async fn a_service_that_nobody_reaches_is_told_of_by_its_address() {
    let cognito = Cognito { endpoint: "http://127.0.0.1:1".to_owned(), calls: Arc::default() };
    let error = cognito.target("identities = 1", "").resolve(Making::Allowed).await.expect_err("nobody is there");
    let error = error.to_string();
    assert!(error.contains("Cognito Identity at http://127.0.0.1:1, GetId: ") && error.lines().count() == 1, "{error}");
}

#[tokio::test]
async fn a_profile_that_is_not_there_costs_the_developer_only() {
    let cognito = Cognito::start(3600, None).await;
    let developer = "[developer]\nprofile = \"syncspec-no-such-profile\"";
    let target = cognito.target("identities = 1", developer).resolve(Making::Allowed).await.expect("one can sign");
    assert!(target.developer.is_none() && target.pools[0].identities.len() == 1);
    let why = target.shortfalls.developer.expect("told");
    assert!(why.starts_with("profile `syncspec-no-such-profile`: "), "{why}");
}

#[test]
fn a_target_is_assumed_without_asking_anybody() {
    let cognito = Cognito { endpoint: "http://127.0.0.1:1".to_owned(), calls: Arc::default() };
    let target = cognito.target("", "[developer]\nsource = \"default-chain\"").assumed();
    assert_eq!(target.pools[0].identities.len(), 4);
    assert_eq!(target.pools[0].identities[3].id, "us-east-1:00000000-0000-4000-8000-000000000003");
    assert!(target.developer.is_some_and(|developer| developer.last().is_some()));
}
