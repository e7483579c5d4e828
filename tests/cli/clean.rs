//! What runs make on a server of somebody else's, and that nothing of it stays: after
//! a whole run, after one that was killed, and after one that was interrupted.
//!
//! Subscriptions cannot be listed; they belong to datasets, and are gone with them.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use syncspec::cases::{Bases, Suite};
use syncspec::client::{BackOff, Client, Endpoint, Limits};
use syncspec::journal::Payer;
use syncspec::spec::{Catalog, Service};
use syncspec::target::{Redactor, Target};
use syncspec::wire::Request;

use crate::command::{Ended, Room, Running};
use crate::gate::{Gate, eventually};
use crate::proxy::Proxy;
use crate::runs::Altered;
use crate::serve::get;

/// Files with cases of every kind that makes or changes something, those that write
/// requests by hand among them.
const FILES: &[&str] = &[
    "_base.toml",
    "_fixtures.toml",
    "constraints/dataset-name.toml",
    "http/routes.toml",
    "set-cognito-events/valid.toml",
    "set-identity-pool-configuration/valid.toml",
    "subscribe-to-dataset/valid.toml",
    "update-records/labels.toml",
    "update-records/sync-count.toml",
];

/// Runs them, without those that find no fresh pool the second time.
const RUN: &str = "run --cases cases --target t.toml --report-dir r constraints/ records/ set- subscribe- \
                   http/routes/dataset http/routes/device http/routes/subscription";

/// How often a run is killed.
const KILLS: u64 = 50;

/// A server in a process of its own, its target file `t.toml`, and what somebody else
/// keeps there.
struct Guest {
    room: Room,
    runtime: tokio::runtime::Runtime,
    /// Leads to the server past the gate.
    target: Target,
    client: Client,
    bases: Arc<Bases>,
    server: Running,
    /// Where the target file leads: to the server, through the gate.
    front: Option<Proxy>,
    gate: Gate,
}

/// What the server holds: datasets by identity, events and configurations by pool.
#[derive(Debug, PartialEq)]
struct Held {
    datasets: BTreeMap<String, Vec<String>>,
    events: BTreeMap<String, Value>,
    configurations: BTreeMap<String, Value>,
}

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => panic!("{other} is no object"),
    }
}

impl Guest {
    fn new() -> Self {
        let room = Room::new();
        for file in FILES {
            let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("cases").join(file));
            room.write(&format!("cases/{file}"), &text.expect("it is there"));
        }
        let mut server = room.start("serve --listen 127.0.0.1:0 --log off --write-target t.toml");
        server.lines(4);
        let target = Target::from_file(&room.path("t.toml")).expect("it was written");
        let client = Client::new(Endpoint::parse(&target.endpoint).expect("an address"), Limits::default());
        let bases = Suite::shipped(Service::embedded(), Catalog::embedded()).expect("it has no mistakes").bases;
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let gate = Gate::default();
        let passed = gate.clone();
        let address = target.endpoint.trim_start_matches("http://").parse().expect("an address");
        let front = runtime.block_on(Proxy::start(address, move |request, _| passed.pass(request)));
        let front = front.expect("the proxy starts");
        room.write("t.toml", &room.read("t.toml").replace(&target.endpoint, &front.endpoint()));
        Self { room, runtime, target, client: client.expect("no TLS"), bases, server, front: Some(front), gate }
    }

    /// The same, with datasets, events, and configurations of somebody else's.
    fn in_use() -> Self {
        let guest = Self::new();
        let arn = |what: &str| format!("arn:aws:{what}");
        // Cases that want a pool for themselves begin at the last one.
        for pool in &guest.target.pools[guest.target.pools.len() - 3..] {
            let events = json!({ "SyncTrigger": arn("lambda:us-east-1:111122223333:function:mine") });
            guest.call("SetCognitoEvents", json!({ "IdentityPoolId": pool.id, "Events": events }));
            let push = json!({
                "ApplicationArns": [arn("sns:us-east-1:111122223333:app/GCM/mine")],
                "RoleArn": arn("iam::111122223333:role/mine"),
            });
            let role = arn("iam::111122223333:role/stream");
            let streams = json!({ "StreamName": "mine", "RoleArn": role, "StreamingStatus": "ENABLED" });
            let configuration = json!({ "IdentityPoolId": pool.id, "PushSync": push, "CognitoStreams": streams });
            guest.call("SetIdentityPoolConfiguration", configuration);
        }
        for pool in &guest.target.pools {
            for name in ["mine", "syncspec-notes", "syncspec-0000"] {
                guest.write(
                    json!({ "IdentityPoolId": pool.id, "IdentityId": pool.identities[0].id, "DatasetName": name }),
                );
            }
        }
        guest
    }

    fn call(&self, operation: &str, input: Value) -> Value {
        let (service, bases) = (Service::embedded(), &*self.bases);
        let redactor = Redactor::new(service, &self.target);
        let payer = Payer {
            service,
            bases,
            target: &self.target,
            client: &self.client,
            back_off: BackOff::default(),
            redactor: &redactor,
        };
        let response = self.runtime.block_on(payer.call(operation, &map(input))).expect("it answers");
        assert_eq!(response.status, 200, "{operation}: {response:?}");
        response.json().unwrap_or_default()
    }

    fn write(&self, mut place: Value) {
        let listed = self.call("ListRecords", place.clone());
        place["SyncSessionToken"] = listed["SyncSessionToken"].clone();
        place["RecordPatches"] = json!([{ "Op": "replace", "Key": "k", "Value": "v", "SyncCount": 0 }]);
        self.call("UpdateRecords", place);
    }

    fn held(&self) -> Held {
        let (mut datasets, mut events, mut configurations) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for pool in &self.target.pools {
            for identity in &pool.identities {
                let listed = self.call("ListDatasets", json!({ "IdentityPoolId": pool.id, "IdentityId": identity.id }));
                let entries = listed["Datasets"].as_array().cloned().unwrap_or_default();
                let name = |entry: &Value| entry["DatasetName"].as_str().expect("a name").to_owned();
                datasets.insert(identity.id.clone(), entries.iter().map(name).collect());
            }
            let of_pool = json!({ "IdentityPoolId": pool.id });
            events.insert(pool.id.clone(), self.call("GetCognitoEvents", of_pool.clone())["Events"].clone());
            let mut configuration = self.call("GetIdentityPoolConfiguration", of_pool);
            // Streaming that was never set up can only be switched off.
            if configuration["CognitoStreams"]["StreamingStatus"] == "DISABLED" {
                configuration["CognitoStreams"] = Value::Null;
            }
            configurations.insert(pool.id.clone(), json!([configuration["PushSync"], configuration["CognitoStreams"]]));
        }
        Held { datasets, events, configurations }
    }

    fn journals(&self) -> Vec<PathBuf> {
        let folder = fs::read_dir(self.room.path("state/reference"));
        let paths = folder.into_iter().flatten().map(|entry| entry.expect("an entry").path());
        paths.filter(|path| path.extension().is_some_and(|ending| ending == "jsonl")).collect()
    }

    /// Starts the program and waits until so many answers to `which` requests have
    /// passed and the next is held back: it is under way until the gate opens.
    fn start_until(&self, args: &str, passing: usize, which: fn(&Request) -> bool) -> Running {
        self.gate.shut_after(passing, which);
        let mut run = self.room.start(args);
        eventually("it comes so far", || {
            assert!(!run.has_ended(), "it ended before: {args}");
            self.gate.holds()
        });
        run
    }

    /// Kills a run that came so far, and waits until the server has nothing of it left to
    /// do: what it does later is nobody's to clean.
    fn kill_after(&self, args: &str, passing: usize, which: fn(&Request) -> bool) {
        self.start_until(args, passing, which).kill();
        self.gate.open();
        let front = self.front.as_ref().expect("it is there");
        // Connections are taken in their order.
        get(&front.endpoint(), "/");
        eventually("the server has answered", || front.connections() == 0);
    }

    /// From now on nobody listens where the target file leads.
    fn vanish(&mut self) {
        self.server.kill();
        let front = self.front.take().map(|front| front.endpoint()).expect("it was there");
        eventually("nobody listens", || TcpStream::connect(front.trim_start_matches("http://")).is_err());
        self.gate.open();
    }

    fn clean(&self, args: &str) -> Ended {
        self.room.run(&format!("clean --cases cases --target t.toml {args}"))
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        // The runtime ends when nothing in it waits any more.
        self.gate.open();
    }
}

/// Every request.
fn any(_: &Request) -> bool {
    true
}

/// A write of records.
fn a_write(request: &Request) -> bool {
    request.method == "POST" && request.path().contains("/datasets/")
}

/// A change of a pool's events.
fn a_change_of_events(request: &Request) -> bool {
    request.method == "POST" && request.path().ends_with("/events")
}

#[test]
fn a_whole_run_leaves_nothing() {
    let guest = Guest::new();
    let before = guest.held();
    // Several bulk publishes find no fresh pool when cases have used them all.
    let ended = guest.room.run("run --target t.toml --report-dir r");
    assert!(matches!(ended.code, Some(0 | 3)), "{ended}");
    assert_eq!(guest.held(), before, "{ended}");
    assert!(guest.journals().is_empty());
    let cleaned = guest.clean("--older-than 0").exits(0);
    assert!(cleaned.stdout.ends_with("Nothing was left behind.\n"), "{cleaned}");
}

/// Killed at moments all over the run, fifty times, and cleaned after each. The answer
/// to some request is held back, and other cases are somewhere.
#[test]
fn a_killed_run_leaves_nothing_that_clean_does_not_take_back() {
    let guest = Guest::in_use();
    let before = guest.held();
    // Numbers without order, the same each time.
    let (mut seed, mut taken_back) = (1_u64, 0);
    let run = format!("{RUN} --jobs 16");
    guest.gate.shut_after(usize::MAX, any);
    guest.room.run(&run).exits(0);
    // Some may ask a little less often than this one.
    let answers = guest.gate.passed() / 10 * 9;
    for number in 0..KILLS {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let answers = usize::try_from(seed >> 33).expect("it is small") % answers;
        guest.kill_after(&run, answers, any);
        let cleaned = guest.clean("");
        assert_eq!(cleaned.code, Some(0), "kill {number}, after {answers} answers: {cleaned}");
        assert_eq!(guest.held(), before, "kill {number}, after {answers} answers: {cleaned}");
        assert!(guest.journals().is_empty());
        taken_back += cleaned.stdout.lines().filter(|line| line.starts_with("removed ")).count();
    }
    assert!(taken_back > 20, "there was something to take back: {taken_back}");
}

#[test]
fn a_dry_run_says_what_it_would_do_and_does_nothing() {
    let guest = Guest::in_use();
    guest.kill_after(RUN, 40, a_write);
    let left = guest.held();
    let dry = guest.clean("--dry-run").exits(0);
    assert!(dry.stdout.contains("would remove dataset syncspec-"), "{dry}");
    assert_eq!(guest.held(), left);
    let journals = guest.journals();
    assert_eq!(journals.len(), 1, "{journals:?}");
    let text = fs::read_to_string(&journals[0]).expect("it is there");
    for secret in guest.target.secrets() {
        assert!(!text.contains(secret.expose()), "no secret gets into a journal");
    }
    // A run that comes after it tells of it, and does not undo it.
    let next = guest.room.run(&format!("{RUN} --jobs 1"));
    assert!(
        next.stderr.contains("An earlier run has left something on the target: `syncspec clean --target t.toml`"),
        "{next}"
    );
    let cleaned = guest.clean("--format json").exits(0);
    let document: Value = serde_json::from_str(&cleaned.stdout).expect("it is JSON");
    assert_eq!(document["left"], json!(0));
    assert!(document["lines"].as_array().is_some_and(|lines| lines.iter().any(|line| line["what"] == "done")));
}

#[test]
fn a_run_under_way_is_left_alone() {
    let guest = Guest::new();
    let run = guest.start_until(&format!("{RUN} --jobs 1"), 10, a_write);
    let cleaned = guest.clean("--older-than 0").exits(0);
    assert!(cleaned.stdout.contains("is under way; what it made is left alone"), "{cleaned}");
    guest.gate.open();
    run.end().exits(0);
    assert!(guest.journals().is_empty());
}

#[test]
fn an_interrupted_run_brings_back_what_stood_there() {
    let guest = Guest::in_use();
    let before = guest.held();
    let run = guest.start_until(&format!("{RUN} --jobs 4"), 0, a_change_of_events);
    assert_ne!(guest.held().events, before.events);
    run.signal("INT");
    guest.gate.open();
    let ended = run.end().exits(3);
    assert_eq!(guest.held(), before, "{ended}");
    assert!(guest.journals().is_empty(), "{ended}");
}

#[test]
fn clients_that_are_interrupted_leave_nothing() {
    let guest = Guest::new();
    let before = guest.held();
    let fuzz = guest.start_until("fuzz --clients 4 --time 3600 --target t.toml", 20, a_write);
    assert_ne!(guest.held().datasets, before.datasets);
    fuzz.signal("INT");
    guest.gate.open();
    let ended = fuzz.end();
    assert_eq!(guest.held(), before, "{ended}");
    assert!(guest.journals().is_empty(), "{ended}");
}

#[test]
fn who_interrupts_twice_is_told_what_takes_it_back() {
    let altered = Altered::start(|_, _| {});
    altered.gate.shut_after(0, a_write);
    let room = Room::new();
    let mut run =
        room.start(&format!("run --jobs 1 --report-dir r --endpoint {} update-records/sync-count", altered.endpoint));
    let written = || fs::read_dir(room.path("state/endpoint")).is_ok_and(|mut folder| folder.next().is_some());
    eventually("it writes", || altered.gate.holds());
    // Those that come while it is stalled are one, and one does not end it so soon.
    eventually("it ends", || {
        run.signal("INT");
        run.has_ended()
    });
    let ended = run.end().exits(130);
    let expected = format!("`syncspec clean --endpoint {}` takes it back", altered.endpoint);
    assert!(ended.stderr.contains(&expected), "{ended}");
    assert!(written(), "the journal stays");
}

#[test]
fn what_a_vanished_server_holds_stays_written_down() {
    let mut guest = Guest::new();
    let run = guest.start_until(&format!("{RUN} --jobs 8"), 20, a_write);
    let begun = Instant::now();
    guest.vanish();
    let ended = run.end().exits(3);
    assert!(begun.elapsed() < Duration::from_secs(25), "it took {:?}", begun.elapsed());
    assert!(
        ended.stderr.contains("could not be taken back, and can be with `syncspec clean --target t.toml`"),
        "{ended}"
    );
    assert_eq!(guest.journals().len(), 1, "{ended}");
    let cleaned = guest.clean("").exits(3);
    assert!(cleaned.stderr.contains("cannot reach"), "{cleaned}");
}

#[test]
fn what_cannot_be_read_is_not_changed() {
    let altered = Altered::start(|request, response| {
        if request.method == "GET" && request.path().ends_with("/events") {
            response.status = 500;
        }
    });
    let room = Room::new();
    let ended = room.run(&format!("run --report-dir r --endpoint {} set-cognito-events/valid", altered.endpoint));
    assert_eq!(ended.code, Some(3), "{ended}");
    assert!(ended.stdout.contains("could not be read and so not be brought back"), "{ended}");
}

#[test]
fn clean_wants_a_target() {
    let ended = Room::new().run("clean").exits(2);
    assert!(ended.stderr.contains("--target FILE"), "{ended}");
}
