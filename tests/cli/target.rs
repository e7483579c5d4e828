//! `syncspec target`: a target file to begin with, and what works with one.

use serde_json::{Value, json};
use syncspec::wire::{Request, Response};

use crate::check;
use crate::command::Room;
use crate::runs::Altered;

/// A target file with one pool and two identities of the reference server at this
/// address.
fn target_file(endpoint: &str, developer: &str) -> String {
    let world = syncspec::reference::World::standard(1, 2);
    let pool = &world.pools[0];
    let mut text = format!(
        "name = \"mine\"\nendpoint = \"{endpoint}\"\nregion = \"us-east-1\"\nidentity-pool-id = \"{}\"\n\
         lacks = [\"legacy-rpc\"]\n{developer}\n",
        pool.identity_pool_id
    );
    let identities = pool.identities.iter().map(|identity| {
        let keys = &identity.keys;
        format!(
            "[[identity]]\nidentity-id = \"{}\"\naccess-key-id = \"{}\"\nsecret-access-key = \"{}\"\n\
             session-token = \"{}\"\n",
            identity.identity_id,
            keys.access_key_id,
            keys.secret_access_key,
            keys.session_token.as_deref().unwrap_or_default()
        )
    });
    text.extend(identities);
    text
}

fn developer() -> String {
    let keys = syncspec::reference::World::standard(1, 1).developer;
    format!(
        "[developer]\naccess-key-id = \"{}\"\nsecret-access-key = \"{}\"\n",
        keys.access_key_id, keys.secret_access_key
    )
}

#[test]
fn a_target_file_is_begun_and_not_written_over() {
    let room = Room::new();
    check("target-init", &room.run("target init").exits(0).to_string());
    assert_eq!(room.read("target.toml"), syncspec::target::TEMPLATE);
    room.write("mine.toml", "kept");
    check("target-init-there", &room.run("target init mine.toml").exits(2).to_string());
    assert_eq!(room.read("mine.toml"), "kept");
    check("target-init-nowhere", &room.run("target init no/such/folder.toml").exits(2).to_string());
}

#[test]
fn a_target_that_works_is_told_line_by_line() {
    let server = Altered::start(|_: &Request, _: &mut Response| {});
    let room = Room::new();
    room.write("mine.toml", &target_file(&server.endpoint, &developer()));
    let checked = room.run("target check --target mine.toml").exits(0);
    check("target-check", &checked.to_string());
    let json = room.run("target check --target mine.toml --format json").exits(0);
    let document: Value = serde_json::from_str(&json.stdout).expect("it is JSON");
    assert_eq!((&document["ok"], &document["identities"].as_array().map(Vec::len)), (&json!(true), &Some(2)));
    assert_eq!(document["checks"].as_array().map(Vec::len), Some(checked.stdout.matches("\nok  ").count() + 2));
}

#[test]
fn the_embedded_server_is_a_target_too() {
    let ended = Room::new().run("target check").exits(0);
    let all = ended.stdout.lines().last().and_then(|line| line.strip_suffix(" cases have what they need"));
    let all = all.and_then(|counts| counts.split_once(" of "));
    let counts = all.and_then(|(some, all)| Some((some.parse::<usize>().ok()?, all.parse::<usize>().ok()?)));
    // One needs a bulk publish that lasts.
    assert!(counts.is_some_and(|(some, all)| some + 1 == all), "{ended}");
}

#[test]
fn what_is_refused_is_told_with_the_answer() {
    let server = Altered::start(|request, response| {
        if request.target.contains("/events") {
            response.status = 403;
            response.headers.set("x-amzn-ErrorType", "AccessDeniedException");
            response.body = r#"{"message":"not for you"}"#.into();
        }
        response.headers.set("date", "Thu, 01 Jan 2015 00:00:00 GMT");
    });
    let room = Room::new();
    room.write("mine.toml", &target_file(&server.endpoint, &developer()));
    let ended = room.run("target check --target mine.toml").exits(3);
    assert!(ended.stdout.contains("FAIL    reads by the developer: GetCognitoEvents answered 403"), "{ended}");
    assert!(ended.stdout.contains("s ahead of the endpoint's; signatures are refused beyond"), "{ended}");
}

#[test]
fn credentials_that_cannot_be_had_cost_what_needs_them() {
    let server = Altered::start(|_: &Request, _: &mut Response| {});
    let room = Room::new();
    room.write("aws", "[other]\naws_access_key_id = A\naws_secret_access_key = B\n");
    room.write("mine.toml", &target_file(&server.endpoint, "[developer]\nprofile = \"missing\""));
    let mut command = room.command("run get-cognito-events list-datasets --target mine.toml --report-dir out");
    let ended = command.env("AWS_CONFIG_FILE", room.path("aws")).env("AWS_SHARED_CREDENTIALS_FILE", room.path("none"));
    let ended = ended.output().expect("the program starts");
    let stdout = String::from_utf8_lossy(&ended.stdout);
    assert!(stdout.contains("no developer credentials: profile `missing`: "), "{stdout}");
    // The others were run.
    assert!(stdout.contains(" passed on mine"), "{stdout}");
}

#[test]
fn a_profile_signs_for_the_developer_whatever_the_environment_holds() {
    let keys = syncspec::reference::World::standard(1, 1).developer;
    let server = Altered::start(|_: &Request, _: &mut Response| {});
    let room = Room::new();
    let profile = format!(
        "[profile mine]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        keys.access_key_id, keys.secret_access_key
    );
    room.write("aws", &profile);
    room.write("mine.toml", &target_file(&server.endpoint, "[developer]\nprofile = \"mine\""));
    let mut command = room.command("target check --target mine.toml");
    let command =
        command.env("AWS_CONFIG_FILE", room.path("aws")).env("AWS_SHARED_CREDENTIALS_FILE", room.path("none"));
    let ended = command.env("AWS_ACCESS_KEY_ID", "AKIAOTHER").env("AWS_SECRET_ACCESS_KEY", "other");
    let ended = ended.output().expect("the program starts");
    let stdout = String::from_utf8_lossy(&ended.stdout);
    assert!(stdout.contains("developer: AKIA…PLE0 (profile `mine`)\n"), "{stdout}");
    assert!(stdout.contains("reads by the developer: DescribeIdentityPoolUsage"), "{stdout}");
    assert_eq!(ended.status.code(), Some(0), "{stdout}");
}

#[test]
fn nobody_who_can_sign_is_one_sentence() {
    let room = Room::with_suite();
    room.write(
        "mine.toml",
        "name = \"mine\"\nendpoint = \"http://127.0.0.1:9\"\nregion = \"us-east-1\"\nidentity-pool-id = \"us-east-1:p\"\n\
         [cognito-identity]\nendpoint = \"http://127.0.0.1:9\"\n",
    );
    for command in ["run --cases cases", "fuzz"] {
        let ended = room.run(&format!("{command} --target mine.toml")).exits(3);
        assert_eq!(ended.stderr.lines().count(), 1, "{ended}");
        assert!(ended.stderr.contains("target mine has no credentials to sign with: identities: Cognito Identity at"));
    }
    assert!(!room.path("reports").exists(), "no run was begun");
    // What is only shown needs no credentials.
    let explained = room.run("explain records/counts/first-write --cases cases --target mine.toml");
    assert_ne!(explained.code, Some(3), "{explained}");
}

const SCRIPTED: &str = r#"
[[case]]
name = "added"
proves = ["UpdateRecords/route"]
isolation = "pool"
function = { set = { "/datasetRecords/added" = { newValue = "yes", op = "replace" } } }
steps = [
  { call = "SetCognitoEvents", with = { Events = { SyncTrigger = "{function-arn}" } } },
  { call = "ListRecords", capture = { token = "/SyncSessionToken" } },
  { call = "UpdateRecords", expect = { status = 200 } },
]

[[case]]
name = "added-too"
proves = ["UpdateRecords/route"]
isolation = "pool"
function = { set = { "/datasetRecords/added" = { op = "replace", newValue = "yes" } } }
steps = [{ call = "ListRecords", expect = { status = 200 } }]

[[case]]
name = "throttled"
proves = ["UpdateRecords/route"]
isolation = "pool"
function = { refuse = "TooManyRequestsException" }
steps = [{ call = "ListRecords", expect = { status = 200 } }]
"#;

#[test]
fn the_function_that_follows_scripts_is_printed() {
    let room = Room::new();
    room.write("cases/_base.toml", syncspec::cases::Suite::shipped_bases());
    room.write("cases/played/cases.toml", SCRIPTED);
    let own = room.run("target function --cases cases").exits(0);
    let until_handler: String =
        own.stdout.split_inclusive('\n').take_while(|line| !line.contains("digest =")).collect();
    check("target-function", &until_handler);
    let built_in = room.run("target function").exits(0).stdout;
    assert!(built_in.contains("\n  // update-records/trigger/adds-a-record\n  [\""), "{built_in}");
}

#[test]
fn where_it_stands_names_of_datasets_say_which_script() {
    let room = Room::new();
    room.write("cases/_base.toml", syncspec::cases::Suite::shipped_bases());
    room.write("cases/played/cases.toml", SCRIPTED);
    let function = "[lambda]\nfunction-arn = \"arn:aws:lambda:us-east-1:123456789012:function:real\"\n";
    let file = target_file("http://127.0.0.1:9", &format!("{}{function}", developer()));
    room.write("another.toml", &file);
    room.write("mine.toml", &file.replace("function:real\"\n", "function:real\"\nscripted = true\n"));
    let explained = |case: &str, target: &str| {
        room.run(&format!("explain played/cases/{case} --cases cases --target {target}.toml")).stdout
    };
    let named = explained("added", "mine");
    let digest = named.split_once("1-1.").map(|(_, rest)| rest[..8].to_owned()).expect("a digest in a name");
    assert!(room.run("target function --cases cases").stdout.contains(&format!("[\"{digest}\", ")), "{named}");
    assert!(!explained("added", "another").contains("1-1."));
    assert!(!explained("throttled", "mine").contains("1-1."));
    check("target-function-plan", &room.run("run --cases cases --plan --target mine.toml").exits(0).to_string());
    assert!(
        room.run("target check --cases cases --target mine.toml").stdout.contains("note  function, by declaration")
    );
}
