//! What the tests of this folder share: servers that follow a script, small suites, and
//! runs of them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use indexmap::IndexMap;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::cases::Suite;
use crate::client::{BackOff, Client, Endpoint, Limits};
use crate::judge::Verdict;
use crate::plan::Plan;
use crate::run::{CaseResult, Event, Footer, Session, Settings, run};
use crate::spec::{Catalog, Service};
use crate::target::{Credentials, Identity, KnownFailure, MadeIdentities, Pool, Provider, Secret, Shortfalls, Target};

/// What a server does with a request.
pub(super) enum Reply {
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
pub(super) fn answer(status: u16, body: impl ToString) -> Reply {
    Reply::Answer(status, body.to_string())
}

/// A request as a server sees it.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// Method and target.
    pub(super) line: String,
    pub(super) head: String,
    pub(super) body: String,
}

/// A server, and what it was asked in order.
pub(super) struct Server {
    pub(super) endpoint: String,
    pub(super) asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// Answers each request as `script` says, which is told its number from 0.
    pub(super) async fn start(script: impl Fn(usize, &Asked) -> Reply + Send + Sync + 'static) -> Self {
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

    pub(super) fn lines(&self) -> Vec<String> {
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
pub(super) fn plain(name: &str, more: &str) -> String {
    let send = format!("send = {{ method = \"GET\", target = \"/{name}\" }}");
    case(name, more, &format!("{{ {send}, expect = {{ status = 200 }} }}"))
}

pub(super) fn case(name: &str, more: &str, steps: &str) -> String {
    format!("[[case]]\nname = \"{name}\"\nproves = [\"ListRecords/route\"]\n{more}\nsteps = [{steps}]\n")
}

pub(super) fn target(endpoint: &str, pools: usize) -> Target {
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
pub(super) struct Setup {
    pub(super) target: Target,
    pub(super) jobs: usize,
    pub(super) fail_fast: bool,
    pub(super) strict: bool,
    pub(super) timeout: Duration,
    pub(super) cancel: watch::Receiver<bool>,
}

impl Setup {
    pub(super) fn of(server: &Server) -> Self {
        Self {
            target: target(&server.endpoint, 1),
            jobs: 1,
            fail_fast: false,
            strict: false,
            timeout: Duration::from_secs(30),
            cancel: watch::channel(false).1,
        }
    }

    pub(super) fn known(mut self, pattern: &str) -> Self {
        let (pattern, reason) = (pattern.to_owned(), "not built yet".to_owned());
        self.target.known_failures.push(KnownFailure {
            pattern,
            reason,
            link: Some("https://x/1".to_owned()),
            origin: None,
        });
        self
    }

    pub(super) fn session(&self, cases: &str) -> (Session, Plan) {
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

    pub(super) async fn run(self, cases: &str) -> Ran {
        let (session, plan) = self.session(cases);
        let settings = Settings { jobs: self.jobs, fail_fast: self.fail_fast, datasets_per_identity: 20 };
        let mut events = Vec::new();
        let footer = run(&session, plan, "digest", settings, self.cancel, |event| events.push(event)).await;
        Ran { events, footer }
    }
}

/// What a run told.
pub(super) struct Ran {
    pub(super) events: Vec<Event>,
    pub(super) footer: Footer,
}

impl Ran {
    pub(super) fn results(&self) -> Vec<&CaseResult> {
        let results = self.events.iter().filter_map(|event| match event {
            Event::Result(result) => Some(&**result),
            Event::Header(_) | Event::Footer(_) => None,
        });
        results.collect()
    }

    pub(super) fn only(&self) -> &CaseResult {
        let results = self.results();
        assert_eq!(results.len(), 1, "{results:#?}");
        results[0]
    }

    /// Verdict and reason of the only case, and the exit code.
    pub(super) fn ending(&self) -> (Verdict, &str, u8) {
        (self.only().verdict, self.only().reason.as_deref().unwrap_or_default(), self.footer.exit)
    }

    pub(super) fn written(&self) -> String {
        self.events.iter().map(|event| serde_json::to_string(event).expect("can be written") + "\n").collect()
    }
}

pub(super) fn deleted(server: &Server) -> Vec<String> {
    let name = |line: &String| Some(line.strip_prefix("DELETE ")?.rsplit('/').next()?.to_owned());
    server.lines().iter().filter_map(name).collect()
}
