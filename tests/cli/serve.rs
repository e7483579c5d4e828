//! `syncspec serve` as something to live with: worlds, a state that stays, a log, and an
//! end without losses.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};
use syncspec::target::Target;

use crate::calls::{Caller, client};
use crate::check;
use crate::command::{Ended, Room, Running, settled};
use crate::gate::eventually;

const WORLD: &str = r#"
[[account]]
id = "111122223333"
developer = { access-key-id = "AKIAFIRST", secret-access-key = "${FIRST_SECRET}" }

[[account.pool]]
name = "game"
identities = 2

[[account]]
id = "444455556666"
region = "eu-west-1"

[[account.pool]]
name = "shop"
identities = 1
"#;

/// Starts a server in the room and reads its greeting.
pub(crate) fn serve(room: &Room, args: &str, lines: usize) -> Running {
    let mut server = room.start(&format!("serve --listen 127.0.0.1:0 --write-target t.toml {args}"));
    server.lines(lines);
    server
}

pub(crate) fn target(room: &Room) -> Target {
    Target::from_file(&room.path("t.toml")).expect("a target file")
}

/// Sends bytes as they stand, and reads all that comes back.
pub(crate) fn exchange(endpoint: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(endpoint.trim_start_matches("http://")).expect("somebody listens");
    stream.write_all(request.as_bytes()).expect("it is sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it is text");
    answer
}

pub(crate) fn get(endpoint: &str, path: &str) -> String {
    exchange(endpoint, &format!("GET {path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n"))
}

#[test]
fn broken_worlds() {
    let room = Room::new();
    check("missing-world", &room.run("serve --world missing.toml").exits(2).to_string());
    let wrong =
        WORLD.replace("111122223333", "1111").replace("[[account.pool]]\nname = \"shop\"\n", "[[account.pool]]\n");
    room.write("w.toml", &wrong);
    check("broken-world", &room.run("serve --world w.toml").exits(2).to_string());
    room.write("w.toml", &WORLD.replace("identities = 2", "identites = 2"));
    check("misspelt-world", &room.run("serve --world w.toml").exits(2).to_string());
    room.write("w.toml", &WORLD.replace("${FIRST_SECRET}", "s"));
    let unknown = room.run("serve --world w.toml --write-target t.toml --account 444455556667").exits(2);
    check("unknown-account", &unknown.to_string());
    check("account-alone", &room.run("serve --account 444455556667").exits(2).to_string());
}

#[test]
fn the_schema_fits_a_world() {
    let room = Room::new();
    let schema: Value = serde_json::from_str(&room.run("schema world").exits(0).stdout).expect("it is JSON");
    let world = toml::from_str::<Value>(WORLD).expect("it is TOML");
    let schema = jsonschema::validator_for(&schema).expect("the schema compiles");
    assert!(schema.is_valid(&world));
    let misspelt = toml::from_str::<Value>(&WORLD.replace("identities", "identites")).expect("it is TOML");
    assert!(!schema.is_valid(&misspelt));
}

#[tokio::test]
async fn accounts_see_nothing_of_each_other() {
    let room = Room::new();
    room.write("w.toml", &WORLD.replace("${FIRST_SECRET}", "first-secret"));
    let mut server = room.start("serve --listen 127.0.0.1:0 --world w.toml --write-target one.toml --log off");
    server.lines(4);
    let one = Target::from_file(&room.path("one.toml")).expect("a target file");
    room.write("w.toml", WORLD);
    let mut again =
        room.command("serve --listen 127.0.0.1:0 --world w.toml --write-target two.toml --account 444455556666");
    let mut other =
        again.env("FIRST_SECRET", "first-secret").stdout(std::process::Stdio::piped()).spawn().expect("it starts");
    let mut begun = [0];
    other.stdout.as_mut().expect("it is piped").read_exact(&mut begun).expect("it greets");
    let two = Target::from_file(&room.path("two.toml")).expect("a target file");
    other.kill().expect("it is under way");
    other.wait().expect("it ends");

    let client = client(&one.endpoint);
    let (game, shop) = (&one.pools[0], &two.pools[0]);
    assert!(shop.id.starts_with("eu-west-1:"), "{}", shop.id);
    let developer = |of: &Target, pool: &str| {
        Caller::developer(&client, &of.region, pool, of.developer.as_ref().expect("a developer"))
    };
    // Each lists its own.
    for (of, pool) in [(&one, game), (&two, shop)] {
        let listed = developer(of, &pool.id).call("ListIdentityPoolUsage", &json!({})).await.expect("it answers");
        let listed = Caller::result(&listed);
        assert_eq!(
            (&listed["Count"], &listed["IdentityPoolUsages"][0]["IdentityPoolId"]),
            (&json!(1), &json!(pool.id))
        );
    }
    // Another's pool is no other than one that nobody has.
    let nobodys = "us-east-1:00000000-0000-4000-8000-000000000000";
    for operation in ["DescribeIdentityPoolUsage", "GetCognitoEvents", "GetIdentityPoolConfiguration"] {
        let mut answers = Vec::new();
        for pool in [game.id.as_str(), nobodys] {
            let answer = developer(&two, pool).call(operation, &json!({})).await.expect("it answers");
            answers.push((
                answer.status,
                answer.error_name(),
                answer.error_message().map(|text| text.replace(pool, "P")),
            ));
        }
        assert_eq!(answers[0], answers[1], "{operation}");
        assert_eq!(answers[0].1.as_deref(), Some("ResourceNotFoundException"));
    }
    // An identity's keys are good for its own region and pool.
    let mine = Caller::identity(&client, &two.region, &shop.id, &shop.identities[0]);
    let listed = mine.call("ListDatasets", &json!({})).await.expect("it answers");
    assert_eq!(listed.status, 200);
    let theirs = Caller::identity(&client, &two.region, &game.id, &shop.identities[0]);
    let refused = theirs.call("ListDatasets", &json!({})).await.expect("it answers");
    assert_eq!(refused.error_name().as_deref(), Some("NotAuthorizedException"));
    let wrong_region = Caller::identity(&client, &one.region, &shop.id, &shop.identities[0]);
    let refused = wrong_region.call("ListDatasets", &json!({})).await.expect("it answers");
    assert_eq!(refused.error_name().as_deref(), Some("InvalidSignatureException"));
    server.signal("TERM");
    check("serve-accounts", &settled(&server.end().exits(0).to_string()));
}

#[test]
fn a_target_file_leaves_secrets_in_the_environment() {
    let room = Room::new();
    room.write("w.toml", WORLD);
    let mut command = room.command("serve --listen 127.0.0.1:0 --world w.toml --write-target t.toml");
    let mut server =
        command.env("FIRST_SECRET", "hush").stdout(std::process::Stdio::piped()).spawn().expect("it starts");
    let mut greeting = [0; 400];
    let read = server.stdout.as_mut().expect("it is piped").read(&mut greeting).expect("it greets");
    server.kill().expect("it is under way");
    server.wait().expect("it ends");
    let written = room.read("t.toml");
    assert!(written.contains("secret-access-key = \"${FIRST_SECRET}\"") && !written.contains("hush"), "{written}");
    assert!(!String::from_utf8_lossy(&greeting[..read]).contains("hush"));
}

#[test]
fn a_server_says_whom_it_calls() {
    let room = Room::new();
    let args = "serve --listen 127.0.0.1:0 --log off --state s.db";
    let mut command = room.command(args);
    command.env("AWS_ENDPOINT_URL_KINESIS", "http://127.0.0.1:1").env("AWS_ENDPOINT_URL_SNS", "http://127.0.0.1:2");
    let mut server = Room::begin(args, command);
    server.lines(6);
    server.signal("TERM");
    check("serve-outside", &server.end().exits(0).to_string());
    let mut command = room.command("serve --listen 127.0.0.1:0");
    let output = command.env("AWS_ENDPOINT_URL_S3", "nowhere").output().expect("the program starts");
    check("serve-outside-wrong", &Ended::of("serve --listen 127.0.0.1:0", &output).exits(2).to_string());
}

#[test]
fn a_state_that_cannot_be_used() {
    let room = Room::new();
    let server = serve(&room, "--state s.db --log off", 4);
    check("state-in-use", &room.run("serve --listen 127.0.0.1:0 --state s.db").exits(2).to_string());
    drop(server);
    room.write("notes.txt", "dear diary");
    check("state-foreign", &room.run("serve --listen 127.0.0.1:0 --state notes.txt").exits(2).to_string());
    check("state-no-folder", &room.run("serve --listen 127.0.0.1:0 --state missing/s.db").exits(2).to_string());
    let with_mutant = room.run("serve --state s.db --mutant count-per-patch").exits(2);
    check("state-with-mutant", &with_mutant.to_string());
}

#[tokio::test]
async fn a_state_outlives_server_and_world() {
    let room = Room::new();
    room.write("w.toml", &WORLD.replace("${FIRST_SECRET}", "s"));
    let mut server = serve(&room, "--state s.db --log off --world w.toml", 4);
    let first = target(&room);
    let write = |of: Target, value: &'static str| async move {
        let pool = &of.pools[0];
        let caller = Caller::identity(&client(&of.endpoint), &of.region, &pool.id, &pool.identities[0]);
        let listed = caller.call("ListRecords", &json!({ "DatasetName": "d" })).await.expect("it answers");
        let listed = Caller::result(&listed);
        let patch = json!({ "Op": "replace", "Key": "k", "Value": value, "SyncCount": listed["DatasetSyncCount"] });
        let input = json!({
            "DatasetName": "d", "SyncSessionToken": listed["SyncSessionToken"], "RecordPatches": [patch]
        });
        Caller::result(&caller.call("UpdateRecords", &input).await.expect("it answers"));
        listed
    };
    write(first.clone(), "one").await;
    server.signal("INT");
    check("serve-state", &settled(&server.end().exits(0).to_string()));
    // Another world: the pool is kept and not served.
    room.write("w2.toml", &WORLD.replace("${FIRST_SECRET}", "s").replace("\"game\"", "\"other\""));
    server = serve(&room, "--state s.db --log off --world w2.toml", 4);
    assert_ne!(target(&room).pools[0].id, first.pools[0].id);
    server.signal("TERM");
    let ended = server.end().exits(0);
    assert_eq!(
        ended.stderr,
        format!(
            "The state also holds the pool {}, which this world does not have: kept, but not served.\n",
            first.pools[0].id
        )
    );
    // The old world again: it is all there.
    server = serve(&room, "--state s.db --log off --world w.toml", 4);
    let listed = write(target(&room), "two").await;
    assert_eq!((&listed["Records"][0]["Value"], &listed["DatasetSyncCount"]), (&json!("one"), &json!(1)));
    server.kill();
    assert_eq!(room.files().iter().filter(|(path, _)| path.to_string_lossy().contains("s.db")).count(), 1);
}

#[tokio::test]
async fn the_log_tells_who_did_what_and_no_secret() {
    let room = Room::new();
    for (format, name) in [("short", "serve-log"), ("json", "serve-log-json")] {
        let server = serve(&room, &format!("--log {format}"), 4);
        let target = target(&room);
        let (client, pool) = (client(&target.endpoint), &target.pools[0]);
        let identity = Caller::identity(&client, &target.region, &pool.id, &pool.identities[1]);
        let listed = identity.call("ListRecords", &json!({ "DatasetName": "d" })).await.expect("it answers");
        let token = Caller::result(&listed)["SyncSessionToken"].as_str().expect("a token").to_owned();
        let with_token = json!({ "DatasetName": "d", "SyncSessionToken": token });
        identity.call("ListRecords", &with_token).await.expect("it answers");
        let nothing = json!({ "DatasetName": "d" });
        identity.call("DescribeDataset", &nothing).await.expect("it answers");
        let keys = target.developer.as_ref().expect("a developer");
        let developer = Caller::developer(&client, &target.region, &pool.id, keys);
        developer.call("GetCognitoEvents", &json!({})).await.expect("it answers");
        get(&target.endpoint, "/identitypools?X-Amz-Signature=00ff&X-Amz-Security-Token=hush");
        get(&target.endpoint, "/_syncspec/health");
        server.signal("TERM");
        let ended = server.end().exits(0);
        let secrets = target.secrets().map(|secret| secret.expose().to_owned());
        for secret in [token, "00ff".to_owned(), "hush".to_owned()].into_iter().chain(secrets) {
            assert!(!ended.stderr.contains(&secret), "{ended}");
        }
        check(name, &without_times(&settled(&ended.stderr)));
    }
}

pub(crate) fn without_times(log: &str) -> String {
    let patterns = [
        (r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "<time>"),
        (r#""duration-us":\d+"#, r#""duration-us":0"#),
        (r#""request-id":"[^"]+""#, r#""request-id":"<id>""#),
    ];
    patterns.iter().fold(log.to_owned(), |log, (pattern, instead)| {
        regex::Regex::new(pattern).expect("it compiles").replace_all(&log, *instead).into_owned()
    })
}

#[test]
fn own_paths_take_nothing_from_the_service() {
    let room = Room::new();
    let server = serve(&room, "--log off", 4);
    let endpoint = target(&room).endpoint;
    let health = get(&endpoint, "/_syncspec/health");
    assert!(health.starts_with("HTTP/1.1 200 OK") && health.ends_with("{\"status\":\"ok\"}\n"), "{health}");
    let state = get(&endpoint, "/_syncspec/state");
    assert!(state.contains(r#""account":"123456789012","pools":16,"identities":96,"datasets":0"#), "{state}");
    let unknown =
        |answer: &str| answer.starts_with("HTTP/1.1 404") && answer.ends_with("<UnknownOperationException/>\n");
    for path in ["/_syncspec/", "/_syncspec/other", "/_syncspec/health/", "/_syncspec", "//_syncspec/health"] {
        assert!(unknown(&get(&endpoint, path)), "{path}");
    }
    let posted = "POST /_syncspec/health HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    assert!(unknown(&exchange(&endpoint, posted)));
    drop(server);
    // Servers that are wrong on purpose are wrong in one way only.
    let server = serve(&room, "--log off --mutant count-per-patch", 5);
    assert!(unknown(&get(&target(&room).endpoint, "/_syncspec/health")));
    drop(server);
}

#[test]
fn a_browser_may_ask_and_read() {
    let room = Room::new();
    let server = serve(&room, "--log off", 4);
    let endpoint = target(&room).endpoint;
    let asked = "OPTIONS /identitypools HTTP/1.1\r\nhost: h\r\norigin: https://app.example\r\n\
                 access-control-request-method: GET\r\naccess-control-request-headers: authorization,x-amz-date\r\n\
                 connection: close\r\n\r\n";
    let may = exchange(&endpoint, asked);
    for line in [
        "HTTP/1.1 200 OK",
        "access-control-allow-origin: *",
        "access-control-allow-methods: GET",
        "access-control-allow-headers: authorization,x-amz-date",
        "access-control-expose-headers: x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,Date",
        "access-control-max-age: 172800",
    ] {
        assert!(may.contains(&format!("{line}\r\n")), "{line}: {may}");
    }
    let refused = "GET /identitypools HTTP/1.1\r\nhost: h\r\norigin: https://app.example\r\nconnection: close\r\n\r\n";
    let refused = exchange(&endpoint, refused);
    assert!(refused.starts_with("HTTP/1.1 403") && refused.contains("access-control-allow-origin: *\r\n"), "{refused}");
    // What is told to whoever runs the server is not for the pages of others.
    let health = "GET /_syncspec/state HTTP/1.1\r\nhost: h\r\norigin: https://app.example\r\nconnection: close\r\n\r\n";
    assert!(!exchange(&endpoint, health).contains("access-control"));
    drop(server);
}

/// What a client is told that asks before it sends a body.
const CONTINUE: &str = "HTTP/1.1 100 Continue\r\n\r\n";

/// A request that the server has begun to read, and whose body is still to come.
fn half_a_request(endpoint: &str) -> TcpStream {
    let mut stream = TcpStream::connect(endpoint.trim_start_matches("http://")).expect("somebody listens");
    let head = "POST /identitypools/p/events HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n";
    stream.write_all(head.as_bytes()).expect("it is sent");
    let mut told = [0; CONTINUE.len()];
    stream.read_exact(&mut told).expect("it wants the body");
    assert_eq!(String::from_utf8_lossy(&told), CONTINUE);
    stream
}

/// Waits until the server takes nobody new: it has taken note that it is to stop.
fn until_closed(endpoint: &str) {
    eventually("nobody new is taken", || TcpStream::connect(endpoint.trim_start_matches("http://")).is_err());
}

#[test]
fn a_stopped_server_finishes_what_it_began() {
    let room = Room::new();
    let server = serve(&room, "--log off --state s.db", 4);
    let endpoint = target(&room).endpoint;
    let mut begun = half_a_request(&endpoint);
    server.signal("TERM");
    until_closed(&endpoint);
    begun.write_all(b"{}").expect("it is still there");
    let mut answer = String::new();
    begun.read_to_string(&mut answer).expect("it answers");
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    server.end().exits(0);
}

#[test]
fn who_asks_twice_does_not_wait() {
    let room = Room::new();
    let mut server = serve(&room, "--log off", 4);
    let endpoint = target(&room).endpoint;
    let begun = half_a_request(&endpoint);
    server.signal("INT");
    // Two signals that come while it is stalled would be one.
    until_closed(&endpoint);
    assert!(!server.has_ended(), "it waits for what it began");
    server.signal("INT");
    server.end().exits(130);
    drop(begun);
}
