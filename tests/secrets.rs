//! Canaries: secrets of a target that are unlike any other text, planted wherever a
//! secret can stand. The real program runs every command that sends or writes, against
//! servers that tell what they were told in every form, and nothing that it printed or
//! wrote may hold any of them.

#[path = "support/command.rs"]
#[expect(dead_code, reason = "these tests need a part of it")]
mod command;
#[path = "support/port.rs"]
mod port;
#[path = "support/proxy.rs"]
#[expect(dead_code, reason = "these tests need a part of it")]
mod proxy;

use std::collections::BTreeSet;
use std::fmt::Display;
use std::marker::PhantomData;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use rstest::rstest;
use serde::Serialize;
use serde_json::{Value, json};
use syncspec::client::Client;
use syncspec::reference::{Keys, Server, World};
use syncspec::run::Session;
use syncspec::spec::Service;
use syncspec::target::{Credentials, Secret, Target, Worlds, calling, to_file};
use syncspec::wire::{Request, Response};

use command::{Ended, Room};
use port::free_port;
use proxy::Proxy;

/// Environment variables of the program; the first is the developer's secret, the
/// others are what people have there anyway.
const ENVIRONMENT: [(&str, &str); 4] = [
    ("SYNCSPEC_TEST_DEVELOPER", "canary0+developer/secret==\"'&Zq01"),
    ("AWS_SECRET_ACCESS_KEY", "canary1+environment/secret/Zq02"),
    ("AWS_SESSION_TOKEN", "canary2+environment/token/Zq03=="),
    ("SYNCSPEC_UNUSED", "canary3+unused/value/Zq04"),
];

/// The account in the ARNs of the target file, which no snapshot may name.
const ACCOUNT: &str = "998877665544";

/// The cases that are run: reads, writes, refusals, devices, ARNs, broken signatures.
const FILTERS: &str = "list-records/valid update-records/sync-count register-device/valid set-cognito-events/valid \
                       set-identity-pool-configuration/valid get-identity-pool-configuration/valid";

fn keys(keys: &Keys, name: &str) -> Keys {
    Keys {
        access_key_id: keys.access_key_id.clone(),
        secret_access_key: format!("canary+{name}/secret+Xy01"),
        session_token: Some(format!("canary+{name}/token==Xy02/+")),
    }
}

/// A world whose keys are canaries.
fn world() -> World {
    let mut world = World::standard(2, 4);
    world.developer.secret_access_key = ENVIRONMENT[0].1.to_owned();
    world.developer.session_token = Some("canary+developer/token==Xy03/+".to_owned());
    let identities = world.pools.iter_mut().flat_map(|pool| &mut pool.identities).enumerate();
    identities.for_each(|(index, identity)| identity.keys = keys(&identity.keys, &format!("identity{index}")));
    world
}

/// Secrets that are known before anything is sent.
fn planted() -> BTreeSet<String> {
    let world = world();
    let identities = world.pools.iter().flat_map(|pool| &pool.identities).map(|identity| &identity.keys);
    let of_world = identities
        .chain([&world.developer])
        .flat_map(|keys| std::iter::once(keys.secret_access_key.clone()).chain(keys.session_token.clone()));
    of_world.chain(ENVIRONMENT.map(|(_, value)| value.to_owned())).collect()
}

// ---- the search -----------------------------------------------------------------

/// Every form of a secret in which it could be read again, in lower case.
fn forms(secret: &str) -> Vec<String> {
    let json = Value::from(secret).to_string();
    let mut forms = vec![
        secret.to_owned(),
        utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
        json[1..json.len() - 1].to_owned(),
        json[1..json.len() - 1].replace('/', "\\/"),
        secret.bytes().map(|byte| format!("{byte:02x}")).collect(),
    ];
    for before in 0..3 {
        let bytes = [&[0; 2][..before], secret.as_bytes()].concat();
        for engine in [STANDARD, URL_SAFE] {
            // The characters that are made of the secret alone.
            forms.push(engine.encode(&bytes)[[0, 2, 3][before]..bytes.len() * 8 / 6].to_owned());
        }
    }
    forms.into_iter().map(|form| form.to_lowercase()).collect()
}

/// Text with `\uXXXX` undone, in whatever it stands.
fn without_codes(text: &str) -> String {
    let code = regex::Regex::new(r"\\+u([0-9a-fA-F]{4})").expect("the pattern compiles");
    let read = |found: &regex::Captures<'_>| {
        u32::from_str_radix(&found[1], 16).ok().and_then(char::from_u32).unwrap_or(' ').to_string()
    };
    code.replace_all(text, read).into_owned()
}

/// Looks for secrets in any form.
struct Search {
    /// Whose form it is, for each form.
    owners: Vec<String>,
    finder: AhoCorasick,
}

impl Search {
    fn new(secrets: &BTreeSet<String>) -> Self {
        let forms: Vec<(String, String)> =
            secrets.iter().flat_map(|secret| forms(secret).into_iter().map(|form| (secret.clone(), form))).collect();
        let finder = AhoCorasick::new(forms.iter().map(|(_, form)| form)).expect("they can be found");
        Self { owners: forms.into_iter().map(|(secret, _)| secret).collect(), finder }
    }

    /// The secrets that a text holds.
    fn held(&self, text: &str) -> BTreeSet<&str> {
        let plain = without_codes(text);
        let decoded = percent_decode_str(&plain).decode_utf8_lossy();
        let mut held = BTreeSet::new();
        for text in [text, &plain, &decoded] {
            let text = text.to_lowercase();
            let found = self.finder.find_overlapping_iter(&text);
            held.extend(found.map(|found| self.owners[found.pattern().as_usize()].as_str()));
        }
        held
    }
}

#[test]
fn the_search_finds_what_is_planted() {
    let secrets = planted();
    let search = Search::new(&secrets);
    for secret in &secrets {
        for form in forms(secret).into_iter().chain([
            secret.to_uppercase(),
            secret.bytes().map(|byte| format!("\\u{byte:04x}")).collect(),
            secret.bytes().map(|byte| format!("%{byte:02X}")).collect(),
            STANDARD.encode(format!("Bearer {secret}, and more")),
            STANDARD.encode(format!("Bearer: {secret}, and more")),
            STANDARD.encode(format!("Bearer-> {secret}, and more")),
        ]) {
            assert!(search.held(&format!("x{form}x")).contains(secret.as_str()), "{form}");
        }
    }
    assert!(search.held("canary <redacted> Y2FuYXJ5 \\u0063anary").is_empty());
}

// ---- the server -----------------------------------------------------------------

/// How the server tells what it was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tells {
    /// It answers as it should.
    Nothing,
    /// In members and headers that do not belong there, of answers that are right.
    Beside,
    /// In an error's message, name and members.
    Refusing,
    /// In a page of markup.
    InMarkup,
    /// In JSON that is cut, with every character as a code.
    InBrokenJson,
}

struct Echo {
    runtime: tokio::runtime::Runtime,
    parts: Option<(Server, Proxy)>,
    endpoint: String,
    /// What crossed the wire and is secret: signatures and tokens.
    seen: Arc<Mutex<BTreeSet<String>>>,
}

impl Echo {
    fn start(tells: Tells) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        let seen = Arc::new(Mutex::new(BTreeSet::new()));
        let seeing = Arc::clone(&seen);
        let parts = runtime.block_on(async {
            let service = Service::embedded_shared();
            let server = Server::start(([127, 0, 0, 1], 0).into(), service, world()).await.expect("it starts");
            let alter = move |request: &Request, response: &mut Response| {
                let mut seen = seeing.lock().unwrap_or_else(PoisonError::into_inner);
                see(request, response, &mut seen);
                tell(tells, request, response);
            };
            let proxy = Proxy::start(server.address(), alter).await.expect("it starts");
            (server, proxy)
        });
        let endpoint = parts.1.endpoint();
        Self { runtime, parts: Some(parts), endpoint, seen }
    }

    fn secrets(&self) -> BTreeSet<String> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        assert!(!seen.is_empty(), "nothing was sent");
        seen.into_iter().chain(planted()).collect()
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        let _guard = self.runtime.enter();
        self.parts.take();
    }
}

/// Keeps signatures, tokens of sessions and tokens of devices.
fn see(request: &Request, response: &Response, seen: &mut BTreeSet<String>) {
    let authorization = request.headers.get("authorization").unwrap_or_default();
    let in_query =
        request.query().unwrap_or_default().split('&').filter_map(|pair| pair.strip_prefix("X-Amz-Signature="));
    // Some cases tamper with a signature until it is hardly one.
    let signatures = authorization.split_once("Signature=").map(|(_, signature)| signature).into_iter().chain(in_query);
    seen.extend(signatures.filter(|signature| signature.len() >= 32).map(str::to_owned));
    for body in [&request.body, &response.body] {
        let Ok(body) = serde_json::from_slice::<Value>(body) else { continue };
        let tokens = ["SyncSessionToken", "Token"].iter().filter_map(|name| body.get(name)?.as_str());
        seen.extend(tokens.filter(|token| token.len() >= 16).map(str::to_owned));
    }
}

/// Everything that a request said, in many forms.
fn told(request: &Request) -> Vec<String> {
    let mut parts: Vec<String> =
        request.headers.iter().map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value))).collect();
    parts.push(request.target.clone());
    parts.push(String::from_utf8_lossy(&request.body).into_owned());
    parts.extend(planted().into_iter().filter(|secret| secret.contains("canary+")));
    let whole = parts.join("\n");
    let hex = whole.bytes().map(|byte| format!("{byte:02x}")).collect();
    let percent = utf8_percent_encode(&whole, NON_ALPHANUMERIC).to_string();
    parts.extend([
        percent,
        hex,
        STANDARD.encode(&whole),
        URL_SAFE.encode(format!("x{whole}")),
        json!(whole).to_string(),
    ]);
    parts
}

fn codes(text: &str) -> String {
    text.bytes().map(|byte| format!("\\u{byte:04x}")).collect()
}

fn tell(tells: Tells, request: &Request, response: &mut Response) {
    let parts = told(request);
    let token = request.headers.get("x-amz-security-token").unwrap_or("none").to_owned();
    if tells != Tells::Nothing {
        response
            .headers
            .set("x-echo", parts.join(" ").replace(['\r', '\n'], " ").chars().take(30_000).collect::<String>());
        response.headers.set("x-hex", token.bytes().map(|byte| format!("{byte:02x}")).collect::<String>());
    }
    match tells {
        Tells::Nothing => {}
        Tells::Beside => {
            if let Some(mut body) = response.json().filter(Value::is_object) {
                body["Echo"] = json!({ "parts": parts, token.as_str(): token });
                response.body = body.to_string().replace("canary", &codes("canary")).into();
            }
        }
        Tells::Refusing => {
            response.status = 403;
            response.headers.set("x-amzn-ErrorType", format!("Odd{}", token.replace(['/', '+', '='], "")));
            let message = format!("The request signature we calculated does not match: {}", parts.join("\n"));
            response.body = json!({ "message": message, token.as_str(): parts }).to_string().into();
        }
        Tells::InMarkup => {
            response.status = 502;
            response.body = format!("<html>{}</html>", parts.join("<br>").replace('/', "&#x2F;")).into();
        }
        Tells::InBrokenJson => {
            response.status = 200;
            response.body = format!("{{\"a\": \"{}", codes(&parts.join(" "))).into();
        }
    }
}

// ---- the program ----------------------------------------------------------------

/// A room with a target file for the server, and everything that was printed there.
struct Scene {
    room: Room,
    printed: Vec<Ended>,
}

impl Scene {
    fn new(endpoint: &str) -> Self {
        let room = Room::new();
        let target = to_file(&Worlds::from(world()), &world(), endpoint)
            .replace("snapshots = \"reference\"", "snapshots = \"mine\"");
        let secret = format!("{:?}", ENVIRONMENT[0].1);
        assert!(target.contains(&secret));
        room.write(
            "t.toml",
            &target.replace(&secret, "\"${SYNCSPEC_TEST_DEVELOPER}\"").replace("123456789012", ACCOUNT),
        );
        Self { room, printed: Vec::new() }
    }

    /// Runs the program with everything that makes programs talk.
    fn run(&mut self, args: &str) {
        let mut command = self.room.command(args);
        command.envs(ENVIRONMENT).env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full");
        command.env("SYNCSPEC_STATE_DIR", self.room.path("state"));
        let output = command.output().expect("the program starts");
        let ended = Ended::of(args, &output);
        assert!(ended.code.is_some_and(|code| code <= 4), "{ended}");
        self.printed.push(ended);
    }

    /// Nothing that was printed or written holds a secret.
    #[track_caller]
    fn holds_none_of(&self, secrets: &BTreeSet<String>) {
        let search = Search::new(secrets);
        for ended in &self.printed {
            for text in [&ended.stdout, &ended.stderr] {
                let held = search.held(text);
                assert!(held.is_empty(), "{held:?} printed by {ended}");
            }
        }
        for (path, text) in self.room.files() {
            if path.extension().is_some_and(|ending| ending == "toml")
                && path.parent() == self.room.path("t.toml").parent()
            {
                continue;
            }
            let held = search.held(&text);
            assert!(held.is_empty(), "{held:?} in {}", path.display());
            let is_snapshot = path.extension().is_some_and(|ending| ending == "snap");
            assert!(!is_snapshot || !text.contains(ACCOUNT), "the account in {}: {text}", path.display());
        }
    }
}

#[rstest]
#[case(Tells::Nothing)]
#[case(Tells::Beside)]
#[case(Tells::Refusing)]
#[case(Tells::InMarkup)]
#[case(Tells::InBrokenJson)]
fn nothing_that_is_printed_or_written_holds_a_secret(#[case] tells: Tells) {
    let server = Echo::start(tells);
    let mut scene = Scene::new(&server.endpoint);
    // What is sent first, to see who answers, is told of too.
    scene.run("run list-records/valid --target t.toml --report-dir p");
    scene.run("run --plan --target t.toml");
    scene.run("target check --target t.toml");
    let known = "--write-known-failures known.toml";
    scene.run(&format!("run {FILTERS} --no-probe --target t.toml --report-dir r --junit j.xml --show 1000 {known}"));
    scene.run(&format!("run {FILTERS} --no-probe --target t.toml --resume r"));
    scene.run("report junit r -o k.xml");
    scene.run("run update-records/sync-count --no-probe --target t.toml --report-dir s --format json");
    scene.run(&format!("record {FILTERS} --target t.toml"));
    scene.run("record list-records/valid --target t.toml --dry-run");
    scene.run(&format!("run {FILTERS} --no-probe --target t.toml --report-dir c --compare mine --snapshots snapshots"));
    scene.run("run list-records/valid --no-probe --target t.toml --report-dir d --compare reference --show 1000");
    scene.run("explain list-records/valid/never-written --target t.toml");
    scene.run("explain update-records/sync-count/stale-is-refused --target t.toml");
    scene.run("fuzz --target t.toml --sequences 4 --steps 6 --seed 1 --time 2 --write-case found");
    scene.run("fuzz --target t.toml --sequences 2 --steps 4 --seed 2 --time 2 --format json");
    scene.run("fuzz --target t.toml --clients 2 --time 1 --seed 1 --timeline t.svg");
    scene.run("clean --target t.toml --older-than 0");
    scene.run("list --format json");
    for ended in scene.printed.iter().filter(|ended| ended.to_string().starts_with("$ syncspec explain")) {
        assert_eq!(ended.code, Some(0), "{ended}");
    }
    if tells == Tells::Nothing {
        assert!(
            scene.room.files().iter().any(|(path, _)| path.extension().is_some_and(|ending| ending == "snap")),
            "{}",
            scene.printed[8]
        );
        assert!(scene.room.read("snapshots/mine/_recorded.toml").contains("loopback"));
    }
    assert!(scene.room.path("r/run.jsonl").exists() && scene.room.path("j.xml").exists());
    scene.holds_none_of(&server.secrets());
}

// ---- the services that the server calls ------------------------------------------

/// Cases that fail with what is secret in everything that is told of them: the address of
/// a record, taken and refused, and the token of a device, taken and refused.
const CALLING: &str = r#"
[[case]]
name = "address"
proves = ["UpdateRecords/route"]
isolation = "pool"
steps = [
  { call = "SetIdentityPoolConfiguration", without = ["PushSync"], with = { CognitoStreams = { StreamName = "{stream-name}", RoleArn = "{stream-role-arn}", StreamingStatus = "ENABLED" } } },
  { call = "ListRecords", capture = { token = "/SyncSessionToken" } },
  { call = "UpdateRecords", with = { RecordPatches = { repeat = 1000, entry = { Op = "replace", Key = "key-{index}", Value = "{repeat:v:1000}", SyncCount = 0 } } } },
  { observe = "stream", within-ms = 20000, assume = { members = { "/count" = { min = 1 } } } },
  { observe = "stream", expect = { members = { "/records/0/kinesisSyncRecordsURL" = "nowhere", "/records/0" = { has-any = [{ key = "nothing" }] } } } },
]

[[case]]
name = "address-refused"
proves = ["UpdateRecords/route"]
isolation = "pool"
stream = { refuse = "AccessDeniedException" }
steps = [
  { call = "SetIdentityPoolConfiguration", without = ["PushSync"], with = { CognitoStreams = { StreamName = "{stream-name}", RoleArn = "{stream-role-arn}", StreamingStatus = "ENABLED" } } },
  { call = "ListRecords", capture = { token = "/SyncSessionToken" } },
  { call = "UpdateRecords", with = { RecordPatches = { repeat = 1000, entry = { Op = "replace", Key = "key-{index}", Value = "{repeat:v:1000}", SyncCount = 0 } } } },
  { observe = "stream", within-ms = 20000, assume = { members = { "/refused" = { min = 1 } } } },
  { observe = "stream", expect = { members = { "/count" = 7 } } },
]

[[case]]
name = "token"
proves = ["UpdateRecords/route"]
isolation = "pool"
steps = [
  { call = "SetIdentityPoolConfiguration", with = { PushSync = { ApplicationArns = ["{application-arn}"], RoleArn = "{push-role-arn}" } } },
  { call = "RegisterDevice", with = { Platform = "{platform}", Token = "canary+device/{fresh}" } },
  { observe = "push", expect = { members = { "/endpoints/0/token" = "other", "/endpoints" = { has-entry = { token = "another" } } } } },
]

[[case]]
name = "token-refused"
proves = ["UpdateRecords/route"]
isolation = "pool"
push = { on = "create", refuse = "InvalidParameter", message = "Token canary+device/{fresh} is none" }
steps = [
  { call = "SetIdentityPoolConfiguration", with = { PushSync = { ApplicationArns = ["{application-arn}"], RoleArn = "{push-role-arn}" } } },
  { call = "RegisterDevice", with = { Platform = "{platform}", Token = "canary+device/{fresh}" }, expect = { status = 200 } },
]
"#;

/// Keeps what opens addresses, device tokens and signatures, of the calls that the server
/// makes.
fn see_call(request: &Request, seen: &mut BTreeSet<String>) {
    let authorization = request.headers.get("authorization").unwrap_or_default();
    seen.extend(authorization.split_once("Signature=").map(|(_, signature)| signature.to_owned()));
    let body = String::from_utf8_lossy(&request.body).into_owned();
    let token = body.split('&').find_map(|pair| pair.strip_prefix("Token="));
    seen.extend(token.map(|token| percent_decode_str(token).decode_utf8_lossy().into_owned()));
    let record: Option<Value> = serde_json::from_str(&body).ok();
    let data = record.and_then(|record| STANDARD.decode(record["Data"].as_str()?).ok()).unwrap_or_default();
    let record: Option<Value> = serde_json::from_slice(&data).ok();
    let address = record.and_then(|record| record["kinesisSyncRecordsURL"].as_str().map(str::to_owned));
    let signature =
        address.iter().flat_map(|address| address.split('&')).find_map(|pair| pair.strip_prefix("X-Amz-Signature="));
    seen.extend(signature.map(str::to_owned));
}

#[test]
fn nothing_that_the_server_tells_other_services_is_repeated() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let listen = std::net::SocketAddr::from(([127, 0, 0, 1], free_port()));
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let seeing = Arc::clone(&seen);
    // Between the server and the harness, which is there while a run lasts.
    let (server, tap) = runtime.block_on(async {
        let see = move |request: &Request, _: &mut Response| {
            see_call(request, &mut seeing.lock().unwrap_or_else(PoisonError::into_inner));
        };
        let tap = Proxy::start(listen, see).await.expect("it starts");
        let mut world = calling(world(), &tap.endpoint());
        world.collaborators.keys = keys(&world.developer, "server");
        let service = Service::embedded_shared();
        (Server::start(([127, 0, 0, 1], 0).into(), service, world).await.expect("it starts"), tap)
    });
    let mut scene = Scene::new(&server.endpoint());
    let file = scene.room.read("t.toml");
    let (before, rest) = file.split_once("[kinesis]").expect("resources");
    let (_, pools) = rest.split_once("[[pool]]").expect("pools");
    scene.room.write("t.toml", &format!("{before}[collaborators]\nlisten = \"{listen}\"\n[[pool]]{pools}"));
    scene.room.write("cases/_base.toml", syncspec::cases::Suite::shipped_bases());
    scene.room.write("cases/calling/cases.toml", CALLING);
    scene.run("run --cases cases --target t.toml --report-dir r --junit j.xml --show 1000 -v");
    scene.run("run calling/cases/token --cases cases --target t.toml --report-dir s --format json");
    scene.run("report html r -o r.html");
    scene.run("report markdown r -o r.md");
    scene.run("record calling/cases/token --cases cases --target t.toml");
    let record = scene.room.read("r/run.jsonl");
    assert_eq!(record.matches(r#""verdict":"fail""#).count(), 4, "{}", scene.printed[0]);
    assert!(record.contains("X-Amz-Signature=<redacted>") && record.contains("Token=<redacted>"), "{record}");
    let mut secrets = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let tokens = secrets.iter().filter(|secret| secret.starts_with("canary+device/")).count();
    assert!(tokens >= 2 && secrets.len() >= tokens + 4, "{secrets:?}");
    secrets.extend(planted());
    secrets.insert(keys(&world().developer, "server").secret_access_key);
    scene.holds_none_of(&secrets);
    let _guard = runtime.enter();
    drop((server, tap));
}

#[test]
fn an_endpoint_that_is_not_there_is_told_no_secret_of() {
    let mut scene = Scene::new("http://127.0.0.1:1");
    for args in [
        "run --target t.toml",
        "record --target t.toml",
        "fuzz --target t.toml",
        "fuzz --clients 2 --time 1 --target t.toml",
    ] {
        scene.run(args);
    }
    scene.holds_none_of(&planted());
}

/// The line of a target file that is wrong may be the one with the secret.
#[rstest]
#[case::no_quotes("secret-access-key = CANARY")]
#[case::one_quote("secret-access-key = \"CANARY")]
#[case::other_quote("secret-access-key = 'CANARY\"")]
#[case::no_value("CANARY")]
#[case::twice("secret-access-key = \"CANARY\"\nsecret-access-key = \"CANARY\"")]
#[case::list("secret-access-key = [\"CANARY\"]")]
#[case::table("secret-access-key = { key = \"CANARY\" }")]
#[case::unknown_key("secret-acess-key = \"CANARY\"")]
#[case::two_values("secret-access-key = \"CANARY\" \"CANARY\"")]
#[case::half_a_variable("secret-access-key = \"${CANARY\"")]
#[case::variable_and_more("secret-access-key = \"CANARY${HOME}\"")]
#[case::a_section_that_is_text("x = 1\n[kinesis]\nstream-name = 1\n[[identity]]\nidentity-id = \"CANARY\"")]
#[case::escape("secret-access-key = \"\\q CANARY\"")]
#[case::no_space("secret-access-key=CANARY=\"x\"")]
#[case::colon("secret-access-key: \"CANARY\"")]
#[case::control("secret-access-key = \"\u{1}CANARY\"")]
fn a_mistake_in_a_target_file_is_told_without_the_secret(#[case] line: &str) {
    let secret = "canary-0123456789";
    let line = line.replace("CANARY", secret);
    let mut scene = Scene::new("http://127.0.0.1:1");
    let text = format!(
        "name = \"x\"\nendpoint = \"http://127.0.0.1:1\"\nregion = \"us-east-1\"\nidentity-pool-id = \"p\"\n\
         [developer]\naccess-key-id = \"A\"\n{line}\n"
    );
    scene.room.write("t.toml", &text);
    scene.run("run --target t.toml");
    assert_eq!(scene.printed[0].code, Some(2), "{}", scene.printed[0]);
    scene.holds_none_of(&BTreeSet::from([secret.to_owned()]));
}

#[rstest]
#[case::text("developer = \"CANARY\"")]
#[case::number("identity = 4242424242")]
#[case::list("developer = [\"CANARY\"]")]
#[case::session_token("[developer]\naccess-key-id = \"A\"\nsecret-access-key = \"x\"\nsession-token = 4242424242")]
#[case::float("[developer]\naccess-key-id = \"A\"\nsecret-access-key = 4242424242.5")]
fn a_value_of_another_type_is_told_without_it(#[case] lines: &str) {
    let secrets = BTreeSet::from(["canary-0123456789".to_owned(), "4242424242".to_owned()]);
    let lines = lines.replace("CANARY", "canary-0123456789");
    let mut scene = Scene::new("http://127.0.0.1:1");
    let text = format!(
        "name = \"x\"\nendpoint = \"http://127.0.0.1:1\"\nregion = \"us-east-1\"\nidentity-pool-id = \"p\"\n{lines}\n"
    );
    scene.room.write("t.toml", &text);
    scene.run("run --target t.toml");
    let ended = &scene.printed[0];
    assert!(ended.code == Some(2) && ended.stderr.contains("t.toml:"), "{ended}");
    scene.holds_none_of(&secrets);
}

// ---- panics ---------------------------------------------------------------------

const CHILD: &str = "SYNCSPEC_TEST_PANICS";

/// What a fault of ours would print. Run by itself it does nothing; the next test runs it
/// as a program of its own.
#[test]
fn a_child_that_panics() {
    let Some(file) = std::env::var_os(CHILD) else { return };
    let target = Target::from_file(file.as_ref()).expect("it is valid");
    let client = Client::open(&target.endpoint, Duration::from_secs(1)).expect("it is set up");
    let session = Session::new(target.clone(), client.clone(), false, "r1".to_owned());
    panic!("{session:?} {target:#?} {client:?} {:?} {:?}", target.developer, world());
}

#[test]
fn a_panic_prints_no_secret() {
    let scene = Scene::new("http://127.0.0.1:1");
    let mut child = Command::new(std::env::current_exe().expect("a test has a program"));
    child.args(["--exact", "a_child_that_panics", "--nocapture", "--test-threads=1"]).envs(ENVIRONMENT);
    let child = child.env(CHILD, scene.room.path("t.toml")).env("RUST_BACKTRACE", "full").env("RUST_LOG", "trace");
    let output = child.output().expect("it starts");
    let printed = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(!output.status.success() && printed.contains("panicked") && printed.contains("[secret]"), "{printed}");
    let (planted, printed) = (planted(), printed);
    let search = Search::new(&planted);
    let held = search.held(&printed);
    assert!(held.is_empty(), "{held:?} in {printed}");
}

// ---- types ----------------------------------------------------------------------

/// Says of a type whether it has a trait: the first method fits only types that do, and
/// is preferred where it fits.
struct Has<T>(PhantomData<T>);

trait Yes {
    fn displays(&self) -> bool {
        true
    }
}
impl<T: Display> Yes for Has<T> {}

trait No {
    fn displays(&self) -> bool {
        false
    }
}
impl<T> No for &Has<T> {}

trait YesSerialises {
    fn serialises(&self) -> bool {
        true
    }
}
impl<T: Serialize> YesSerialises for Has<T> {}

trait NoSerialises {
    fn serialises(&self) -> bool {
        false
    }
}
impl<T> NoSerialises for &Has<T> {}

macro_rules! has {
    ($type:ty) => {{
        let has = &Has::<$type>(PhantomData);
        [has.displays(), has.serialises()]
    }};
}

#[test]
fn a_secret_can_be_neither_displayed_nor_serialised() {
    assert_eq!(has!(String), [true; 2], "the question can be answered with yes");
    assert_eq!(has!(Secret), [false; 2]);
    assert_eq!(has!(Credentials), [false; 2]);
    assert_eq!(has!(Target), [false; 2]);
    let shown = format!("{:?} {:#?}", Secret::new("canary"), Some(Secret::new("canary")));
    assert!(!shown.contains("canary"), "{shown}");
}
