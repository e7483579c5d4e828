//! Cases run against small servers on loopback that do as they are told.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use indexmap::IndexMap;
use rstest::rstest;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::{CaseResult, Event, FailOn, Footer, Session, Settings, execute, run};
use crate::cases::Suite;
use crate::client::{BackOff, Client, Endpoint, Limits};
use crate::judge::Verdict;
use crate::plan::{Decision, LeaseTable, Plan};
use crate::spec::{Catalog, Service};
use crate::target::{
    Credentials, Identity, KnownFailure, MadeIdentities, Pool, Provider, Secret, Shortfalls, Target, Valid,
};

/// What a server does with a request.
enum Reply {
    /// Answers with status and body.
    Answer(u16, String),
    /// The same after a while.
    Late(Duration, u16, String),
    /// Closes the connection.
    Drop,
    /// Says nothing until the client leaves.
    Hang,
}

#[expect(clippy::needless_pass_by_value, reason = "the shorter call")]
fn answer(status: u16, body: impl ToString) -> Reply {
    Reply::Answer(status, body.to_string())
}

/// A request as a server sees it.
#[derive(Debug, Clone)]
struct Asked {
    /// Method and target.
    line: String,
    head: String,
    body: String,
}

/// A server, and what it was asked in order.
struct Server {
    endpoint: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// Answers each request as `script` says, which is told its number from 0.
    async fn start(script: impl Fn(usize, &Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback is there");
        let endpoint = format!("http://{}", listener.local_addr().expect("it is bound"));
        let (asked, script) = (Arc::new(Mutex::new(Vec::new())), Arc::new(script));
        let server = Self { endpoint, asked: Arc::clone(&asked) };
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (asked, script) = (Arc::clone(&asked), Arc::clone(&script));
                tokio::spawn(async move {
                    while let Some(request) = read(&mut stream).await {
                        let number = {
                            let mut asked = asked.lock().expect("no panic");
                            asked.push(request.clone());
                            asked.len() - 1
                        };
                        let (status, body) = match script(number, &request) {
                            Reply::Answer(status, body) => (status, body),
                            Reply::Late(pause, status, body) => {
                                tokio::time::sleep(pause).await;
                                (status, body)
                            }
                            Reply::Drop => return,
                            Reply::Hang => std::future::pending().await,
                        };
                        let reply = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                        if stream.write_all(reply.as_bytes()).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        server
    }

    fn lines(&self) -> Vec<String> {
        self.asked.lock().expect("no panic").iter().map(|asked| asked.line.clone()).collect()
    }
}

async fn read(stream: &mut tokio::net::TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
            if bytes.len() >= end + 4 + length.unwrap_or(0) {
                let line = head.lines().next()?.trim_end_matches(" HTTP/1.1").to_owned();
                let body = String::from_utf8_lossy(&bytes[end + 4..]).into_owned();
                return Some(Asked { line, head, body });
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

const BASES: &str = r#"
[operation.ListRecords]
credentials = "identity"
with = { IdentityPoolId = "p", IdentityId = "i", DatasetName = "{dataset}" }
[operation.UpdateRecords]
credentials = "identity"
with = { IdentityPoolId = "p", IdentityId = "i", DatasetName = "made" }
undo = { call = "DeleteDataset", same = ["IdentityPoolId", "IdentityId", "DatasetName"] }
[operation.SetCognitoEvents]
credentials = "developer"
with = { IdentityPoolId = "p" }
"#;

const FIXTURES: &str = r#"
[[fixture]]
name = "listed"
about = "A token is captured."
steps = [{ call = "ListRecords", capture = { token = "/SyncSessionToken" } }]
"#;

/// A case that gets `/NAME` and expects 200.
fn plain(name: &str, more: &str) -> String {
    let send = format!("send = {{ method = \"GET\", target = \"/{name}\" }}");
    case(name, more, &format!("{{ {send}, expect = {{ status = 200 }} }}"))
}

fn case(name: &str, more: &str, steps: &str) -> String {
    format!("[[case]]\nname = \"{name}\"\nproves = [\"ListRecords/route\"]\n{more}\nsteps = [{steps}]\n")
}

fn target(endpoint: &str, pools: usize) -> Target {
    let keys = |name: &str| {
        Provider::fixed(Credentials {
            access_key_id: format!("AKID{name}"),
            secret_access_key: Secret::new(format!("canary-key-{name}/+=")),
            session_token: Some(Secret::new(format!("canary-session-{name}/+="))),
        })
    };
    let pool = |number: usize| Pool {
        id: format!("pool-{number}"),
        identities: vec![
            Identity { id: format!("identity-{number}-a"), credentials: keys("a") },
            Identity { id: format!("identity-{number}-b"), credentials: keys("b") },
        ],
        cognito: None,
        is_taken: false,
    };
    Target {
        name: "scripted".to_owned(),
        endpoint: endpoint.to_owned(),
        region: "us-east-1".to_owned(),
        pools: (0..pools).map(pool).collect(),
        developer: Some(keys("developer")),
        lacks: vec!["lambda".into()],
        collaborators: None,
        offers: Vec::new(),
        resources: IndexMap::new(),
        scripted_function: false,
        known_failures: Vec::new(),
        snapshots: None,
        ca_file: None,
        prefix: "syncspec".to_owned(),
        requests_per_second: None,
        shortfalls: Shortfalls::default(),
        made: MadeIdentities::default(),
    }
}

/// How a run is set up, for tests to change.
struct Setup {
    target: Target,
    jobs: usize,
    fail_fast: bool,
    strict: bool,
    timeout: Duration,
    cancel: watch::Receiver<bool>,
}

impl Setup {
    fn of(server: &Server) -> Self {
        Self {
            target: target(&server.endpoint, 1),
            jobs: 1,
            fail_fast: false,
            strict: false,
            timeout: Duration::from_secs(5),
            cancel: watch::channel(false).1,
        }
    }

    fn known(mut self, pattern: &str) -> Self {
        let (pattern, reason) = (pattern.to_owned(), "not built yet".to_owned());
        self.target.known_failures.push(KnownFailure {
            pattern,
            reason,
            link: Some("https://x/1".to_owned()),
            origin: None,
        });
        self
    }

    fn session(&self, cases: &str) -> (Session, Plan) {
        let (service, catalog) = (Service::embedded(), Catalog::embedded());
        let files = [("_base.toml", BASES), ("_fixtures.toml", FIXTURES), ("a/t.toml", cases)];
        let suite = Suite::from_texts(service, catalog, &files).unwrap_or_else(|error| panic!("{error}"));
        let plan = Plan::new(&suite, &[], &self.target).expect("all cases are selected");
        let limits = Limits { response_timeout: self.timeout, ..Limits::default() };
        let client = Client::new(Endpoint::parse(&self.target.endpoint).expect("an address"), limits);
        let mut session = Session::new(self.target.clone(), client.expect("no TLS"), self.strict, "r1".to_owned());
        session.back_off = BackOff { first: Duration::from_millis(1), attempts: 4, ..BackOff::default() };
        (session, plan)
    }

    async fn run(self, cases: &str) -> Ran {
        let (session, plan) = self.session(cases);
        let settings = Settings { jobs: self.jobs, fail_fast: self.fail_fast, datasets_per_identity: 20 };
        let mut events = Vec::new();
        let footer = run(&session, plan, "digest", settings, self.cancel, |event| events.push(event)).await;
        Ran { events, footer }
    }
}

/// What a run told.
struct Ran {
    events: Vec<Event>,
    footer: Footer,
}

impl Ran {
    fn results(&self) -> Vec<&CaseResult> {
        let results = self.events.iter().filter_map(|event| match event {
            Event::Result(result) => Some(&**result),
            Event::Header(_) | Event::Footer(_) => None,
        });
        results.collect()
    }

    fn only(&self) -> &CaseResult {
        let results = self.results();
        assert_eq!(results.len(), 1, "{results:#?}");
        results[0]
    }

    /// Verdict and reason of the only case, and the exit code.
    fn ending(&self) -> (Verdict, &str, u8) {
        (self.only().verdict, self.only().reason.as_deref().unwrap_or_default(), self.footer.exit)
    }

    fn written(&self) -> String {
        self.events.iter().map(|event| serde_json::to_string(event).expect("can be written") + "\n").collect()
    }
}

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

// ---- credentials that change ----------------------------------------------------

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

// ---- one case -------------------------------------------------------------------

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
#[case::hanging(true, "no response in time: the response was not complete within 80ms")]
#[tokio::test]
async fn without_an_answer_nothing_is_judged(#[case] hangs: bool, #[case] expected: &str) {
    let server = Server::start(move |_, _| if hangs { Reply::Hang } else { Reply::Drop }).await;
    let mut setup = Setup::of(&server);
    setup.timeout = Duration::from_millis(80);
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
        setup.timeout = Duration::from_millis(200);
        let ran = setup.run(&case("a", "", steps)).await;
        assert_eq!(server.lines(), ["GET /1", "GET /2"]);
        assert_eq!(ran.only().findings[0].at, at);
        assert_eq!(ran.only().findings[0].expected, if at == "answer" { "status is 200" } else { "200" });
        ran.only().verdict
    };
    assert_eq!(outcome(200).await, Verdict::Pass);
    assert_eq!(outcome(201).await, Verdict::Fail);
}

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

const UPDATES: &str = r#"{ call = "UpdateRecords", with = { DatasetName = "one" } },
    { call = "UpdateRecords", with = { DatasetName = "two" } },
    { call = "UpdateRecords", with = { DatasetName = "one" } },
    { call = "UpdateRecords", with = { DatasetName = "refused" } }"#;

fn deleted(server: &Server) -> Vec<String> {
    let name = |line: &String| Some(line.strip_prefix("DELETE ")?.rsplit('/').next()?.to_owned());
    server.lines().iter().filter_map(name).collect()
}

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

#[tokio::test]
async fn a_step_is_repeated_until_it_holds_and_no_longer() {
    let steps = |within: u64| {
        format!(
            r#"{{ send = {{ method = "GET", target = "/" }}, within-ms = {within}, expect = {{ status = 200, members = {{ "/A" = 3 }} }} }}"#
        )
    };
    let counting = || Server::start(|number, _| answer(200, json!({ "A": number })));
    let server = counting().await;
    let ran = Setup::of(&server).run(&case("a", "", &steps(5_000))).await;
    assert_eq!((ran.only().verdict, server.lines().len()), (Verdict::Pass, 4));

    let server = Server::start(|_, _| answer(200, "{}")).await;
    let begun = Instant::now();
    let ran = Setup::of(&server).run(&case("a", "", &steps(200))).await;
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert_eq!(ran.only().verdict, Verdict::Fail);
    assert!((2..=5).contains(&server.lines().len()), "{:?}", server.lines());
    // Only the last attempt is kept.
    assert_eq!((ran.only().exchanges.len(), ran.only().findings.len()), (1, 1));
}

// ---- many cases -----------------------------------------------------------------

#[tokio::test]
async fn known_failures_turn_verdicts_around() {
    let server = Server::start(|_, asked| match asked.line.as_str() {
        "GET /passes" => answer(200, ""),
        "GET /gone" => Reply::Drop,
        _ => answer(500, ""),
    })
    .await;
    let cases = ["fails", "passes", "gone", "stranger"].map(|name| plain(name, "")).concat()
        + &plain("untestable", "given = [\"listed\"]")
        + &plain("lacking", "needs = [\"lambda\"]");
    let setup = ["a/t/fails", "a/t/pass*", "a/t/gone", "a/t/untestable", "a/t/lacking", "nobody/*"];
    let setup = setup.into_iter().fold(Setup::of(&server), Setup::known);
    let ran = setup.run(&cases).await;
    let mut verdicts: Vec<_> =
        ran.results().into_iter().map(|result| (&*result.case, result.verdict, result.reason.as_deref())).collect();
    verdicts.sort_unstable();
    assert_eq!(verdicts.len(), 6);
    assert_eq!(verdicts[0], ("a/t/fails", Verdict::ExpectedFail, Some("not built yet (https://x/1)")));
    assert_eq!((verdicts[1].0, verdicts[1].1), ("a/t/gone", Verdict::Indeterminate));
    assert_eq!(verdicts[2], ("a/t/lacking", Verdict::Skipped, Some("the target lacks lambda")));
    let passed = Some("known to fail: not built yet (https://x/1)");
    assert_eq!(verdicts[3], ("a/t/passes", Verdict::UnexpectedPass, passed));
    assert_eq!((verdicts[4].0, verdicts[4].1), ("a/t/stranger", Verdict::Fail));
    assert_eq!((verdicts[5].0, verdicts[5].1), ("a/t/untestable", Verdict::ExpectedFail));
    assert_eq!(ran.footer.unmatched_known_failures, ["nobody/*"]);
    assert_eq!(ran.footer.idle_known_failures, ["a/t/lacking"]);
    assert_eq!(ran.footer.exit, 1);
}

/// A pattern excuses each case for itself; with two entries for one case, both must go.
#[tokio::test]
async fn a_known_failure_stands_for_each_of_its_cases() {
    let server = Server::start(|_, asked| answer(if asked.line == "GET /b" { 500 } else { 200 }, "")).await;
    let cases = plain("a", "") + &plain("b", "") + &plain("c", "");
    let setup = ["a/t/*", "a/t/a"].into_iter().fold(Setup::of(&server), Setup::known);
    let ran = setup.run(&cases).await;
    let mut verdicts: Vec<_> =
        ran.results().into_iter().map(|result| (&*result.case, result.verdict, result.known_failures.len())).collect();
    verdicts.sort_unstable();
    let expected = [
        ("a/t/a", Verdict::UnexpectedPass, 2),
        ("a/t/b", Verdict::ExpectedFail, 1),
        ("a/t/c", Verdict::UnexpectedPass, 1),
    ];
    assert_eq!((verdicts.as_slice(), ran.footer.exit), (&expected[..], 1));
}

#[tokio::test]
async fn a_known_failure_that_matches_nothing_fails_the_run() {
    let server = Server::start(|_, _| answer(200, "")).await;
    let ran = Setup::of(&server).known("a/t/gone").run(&plain("a", "")).await;
    assert_eq!((ran.only().verdict, ran.footer.exit), (Verdict::Pass, 1));
}

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
    let port = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("it is bound").port();
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
    setup.timeout = Duration::from_millis(300);
    let names = ["a", "b", "c", "d", "e", "f", "g"];
    let begun = Instant::now();
    // What the fourth case made cannot be taken back, and is not waited for long.
    let step = r#"{ call = "UpdateRecords", with = { DatasetName = "{dataset}" }, expect = { status = 200 } }"#;
    let cases = names.map(|name| case(name, "", step));
    let ran = setup.run(&cases.concat()).await;
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
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
    let mut setup = Setup { jobs: 4, ..Setup::of(&server) };
    setup.timeout = Duration::from_millis(60);
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

#[tokio::test]
async fn a_fresh_pool_is_given_to_one_case_only() {
    let server = Server::start(|_, _| answer(200, "")).await;
    let mut setup = Setup { jobs: 4, ..Setup::of(&server) };
    setup.target = target(&server.endpoint, 2);
    let fresh = |name| {
        let step = "{ send = { method = \"GET\", target = \"/{identity-pool-id}\" }, expect = { status = 200 } }";
        case(name, "isolation = \"fresh-pool\"", step)
    };
    let ran = setup.run(&["a", "b", "c"].map(fresh).concat()).await;
    let mut lines = server.lines();
    lines.sort();
    assert_eq!(lines, ["GET /pool-0", "GET /pool-1"]);
    let skipped: Vec<_> = ran.results().into_iter().filter(|result| result.verdict == Verdict::Skipped).collect();
    assert_eq!((skipped.len(), ran.footer.exit), (1, 0));
    let reason = "needs a pool that no other such case has used, and the target file names only 2";
    assert_eq!(skipped[0].reason.as_deref(), Some(reason));
}

#[tokio::test]
async fn nothing_runs_beside_a_case_that_wants_to_be_alone() {
    static UNDER_WAY: Mutex<Vec<String>> = Mutex::new(Vec::new());
    static MOST: AtomicUsize = AtomicUsize::new(0);
    // Each case asks to begin and to end, so the server knows who is under way.
    let server = Server::start(|_, asked| {
        let mut under_way = UNDER_WAY.lock().expect("no panic");
        let name = asked.line.rsplit('/').next().unwrap_or_default().to_owned();
        if asked.line.starts_with("GET /end/") {
            under_way.retain(|other| *other != name);
            return answer(200, "");
        }
        under_way.push(name);
        MOST.fetch_max(under_way.len(), Ordering::SeqCst);
        let pools = under_way.iter().filter(|name| name.starts_with("pool")).count();
        let identities = under_way.iter().filter(|name| name.starts_with("identity")).count();
        // One pool of two identities: a pool case is alone; each identity case
        // has an identity, and others the one that is left.
        let others = under_way.len() - pools - identities;
        let clash = (pools > 0 && under_way.len() > 1) || identities > 2 || (identities == 2 && others > 0);
        Reply::Late(Duration::from_millis(5), if clash { 500 } else { 200 }, String::new())
    })
    .await;
    let cases: String = (0..36)
        .map(|number| {
            let isolation = ["dataset", "pool", "identity", "dataset"][number % 4];
            let step = |what: &str| {
                format!("{{ send = {{ method = \"GET\", target = \"/{what}/{isolation}-{number}\" }}, expect = {{ status = 200 }} }}")
            };
            let steps = format!("{}, {}", step("begin"), step("end"));
            case(&format!("c{number}"), &format!("isolation = \"{isolation}\""), &steps)
        })
        .collect();
    let ran = Setup { jobs: 8, ..Setup::of(&server) }.run(&cases).await;
    assert_eq!(ran.footer.totals[&Verdict::Pass], 36, "{}", ran.written());
    assert!(MOST.load(Ordering::SeqCst) > 2, "nothing ran beside anything else");
    assert_eq!(ran.footer.exit, 0);
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

// ---- totals and exit codes --------------------------------------------------------

#[tokio::test]
async fn every_selected_case_is_told_once_between_header_and_footer() {
    let server = Server::start(|_, asked| answer(if asked.line == "GET /b" { 500 } else { 200 }, "")).await;
    let cases = plain("a", "") + &plain("b", "") + &plain("c", "needs = [\"lambda\"]");
    let ran = Setup { jobs: 2, ..Setup::of(&server) }.run(&cases).await;
    let (Some(Event::Header(header)), Some(Event::Footer(footer))) = (ran.events.first(), ran.events.last()) else {
        panic!("{:?}", ran.events)
    };
    assert_eq!((header.selected, ran.results().len(), ran.events.len()), (3, 3, 5));
    let totals: Vec<_> = footer.totals.values().copied().collect();
    assert_eq!(totals, [1, 0, 1, 0, 0, 1, 0, 0]);
    assert!(
        ran.results().iter().find(|result| result.case == "a/t/a").is_some_and(|passed| passed.exchanges.is_empty())
    );
}

#[rstest]
#[case::nothing(&[], false, false, 4)]
#[case::only_skipped(&[Verdict::Skipped], false, false, 4)]
#[case::passed(&[Verdict::Pass, Verdict::Warn, Verdict::Skipped, Verdict::ExpectedFail], false, false, 0)]
#[case::warned(&[Verdict::Warn], false, false, 0)]
#[case::expected(&[Verdict::ExpectedFail], false, false, 0)]
#[case::failed(&[Verdict::Pass, Verdict::Fail, Verdict::Indeterminate], false, true, 1)]
#[case::unexpected(&[Verdict::UnexpectedPass], false, false, 1)]
#[case::unmatched(&[Verdict::Pass], true, false, 1)]
#[case::unmatched_alone(&[], true, false, 1)]
#[case::untestable(&[Verdict::Pass, Verdict::NotTestable], false, false, 3)]
#[case::only_untestable(&[Verdict::NotTestable], false, false, 3)]
#[case::indeterminate(&[Verdict::Pass, Verdict::Indeterminate], false, false, 3)]
#[case::stopped(&[Verdict::Pass], false, true, 3)]
fn totals_lead_to_an_exit_code(
    #[case] verdicts: &[Verdict],
    #[case] unmatched: bool,
    #[case] stopped: bool,
    #[case] exit: u8,
) {
    let totals: IndexMap<_, _> = verdicts.iter().map(|verdict| (*verdict, 1)).collect();
    assert_eq!(Footer::exit_code(&totals, unmatched, stopped, FailOn::Any), exit);
}

#[rstest]
#[case::unexpected(&[Verdict::Pass, Verdict::UnexpectedPass], false, false, 0)]
#[case::unmatched(&[Verdict::ExpectedFail], true, false, 0)]
#[case::failed(&[Verdict::UnexpectedPass, Verdict::Fail], true, false, 1)]
#[case::untestable(&[Verdict::UnexpectedPass, Verdict::NotTestable], true, false, 3)]
#[case::stopped(&[Verdict::Pass], true, true, 3)]
#[case::nothing_judged(&[Verdict::Skipped], true, false, 4)]
fn a_ratchet_fails_on_new_failures_only(
    #[case] verdicts: &[Verdict],
    #[case] unmatched: bool,
    #[case] stopped: bool,
    #[case] exit: u8,
) {
    let totals: IndexMap<_, _> = verdicts.iter().map(|verdict| (*verdict, 1)).collect();
    assert_eq!(Footer::exit_code(&totals, unmatched, stopped, FailOn::New), exit);
}
