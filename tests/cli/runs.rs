//! Runs that come to their end: what is printed, and what is written.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use syncspec::reference::Server;
use syncspec::spec::Service;
use syncspec::target::{Worlds, embedded_world};
use syncspec::wire::{Request, Response};

use crate::check;
use crate::command::{Ended, Room, settled};
use crate::gate::Gate;
use crate::proxy::Proxy;

const SUITE: &str = "run --cases cases";

/// A reference server whose answers are altered.
pub(crate) struct Altered {
    runtime: tokio::runtime::Runtime,
    parts: Option<(Server, Proxy)>,
    pub(crate) endpoint: String,
    /// Each answer passes it before it is altered.
    pub(crate) gate: Gate,
}

impl Altered {
    pub(crate) fn start(alter: impl Fn(&Request, &mut Response) + Send + Sync + 'static) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        let gate = Gate::default();
        let passed = gate.clone();
        let parts = runtime.block_on(async {
            let service = Service::embedded_shared();
            let server = Server::start(([127, 0, 0, 1], 0).into(), service, embedded_world()).await;
            let server = server.expect("the server starts");
            let answer = move |request: &Request, response: &mut Response| {
                passed.pass(request);
                alter(request, response);
            };
            let proxy = Proxy::start(server.address(), answer).await.expect("the proxy starts");
            (server, proxy)
        });
        let endpoint = parts.1.endpoint();
        Self { runtime, parts: Some(parts), endpoint, gate }
    }
}

impl Drop for Altered {
    fn drop(&mut self) {
        // The runtime ends when nothing in it waits any more.
        self.gate.open();
        let _guard = self.runtime.enter();
        self.parts.take();
    }
}

/// Writes get a sync count that is off by one, and conflicts another name.
fn wrong_counts(request: &Request, response: &mut Response) {
    if request.method != "POST" {
        return;
    }
    let Some(mut body) = response.json() else { return };
    if let Some(count) = body.pointer_mut("/Records/0/SyncCount") {
        *count = json!(count.as_i64().unwrap_or_default() + 1);
    }
    response.body = body.to_string().into();
    if response.status == 409 {
        response.status = 400;
        response.headers.set("x-amzn-ErrorType", "LimitExceededException");
    }
}

/// The lines of a record, each valid by the published schema.
pub(crate) fn record(text: &str) -> Vec<Value> {
    let schema: Value = serde_json::from_str(&Room::new().run("schema report").exits(0).stdout).expect("it is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema compiles");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
    for line in &lines {
        let errors: Vec<_> = validator.iter_errors(line).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:#?} in {line:#}");
    }
    assert_eq!(lines.first().map(|line| &line["type"]), Some(&json!("header")));
    assert_eq!(lines.last().map(|line| &line["type"]), Some(&json!("footer")));
    lines
}

/// The verdict of each case of a record.
pub(crate) fn verdicts(lines: &[Value]) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let results = lines.iter().filter(|line| line["type"] == "result");
    results.map(|line| (text(&line["case"]), text(&line["verdict"]))).collect()
}

fn is_plain(ended: &Ended) -> bool {
    !ended.stdout.contains('\u{1b}') && !ended.stderr.contains('\u{1b}')
}

#[test]
fn a_good_run_is_short() {
    let room = Room::with_suite();
    let ended = room.run(SUITE).exits(0);
    check("run", &ended.to_string());
    assert!(is_plain(&ended), "nobody asked for colours");
    let dir = ended.stdout.lines().last().and_then(|line| line.strip_prefix("report: ")).expect("the folder is told");
    let lines = record(&room.read(&format!("{dir}/run.jsonl")));
    assert_eq!(verdicts(&lines).len(), 4);
    assert_eq!(lines.last().map(|footer| &footer["exit"]), Some(&json!(0)));
}

#[test]
fn two_runs_at_once_have_a_folder_each() {
    let room = Room::with_suite();
    let both = [room.start(SUITE), room.start(SUITE)].map(|run| run.end().exits(0));
    let dirs = both.map(|ended| ended.stdout.lines().last().unwrap_or_default().to_owned());
    assert_ne!(dirs[0], dirs[1]);
}

#[test]
fn a_failure_tells_all() {
    let (room, altered) = (Room::with_suite(), Altered::start(wrong_counts));
    let args = format!("{SUITE} --endpoint {} --report-dir r", altered.endpoint);
    check("run-failed", &room.run(&args).exits(1).to_string());
    check("run-failed-show-1", &room.run(&format!("{args} --show 1")).exits(1).to_string());
    check("run-failed-show-0", &room.run(&format!("{args} --show 0")).exits(1).to_string());
    check("run-fail-fast", &room.run(&format!("{args} --show 0 --jobs 1 --fail-fast")).exits(1).to_string());
}

#[test]
fn a_failed_run_fits_narrow_terminals() {
    let (room, altered) = (Room::with_suite(), Altered::start(wrong_counts));
    let args = format!("{SUITE} --endpoint {} --report-dir r --show 0", altered.endpoint);
    let output = room.command(&args).env("COLUMNS", "40").output().expect("the program starts");
    check("run-failed-40-columns", &Ended::of(&args, &output).exits(1).to_string());
}

#[test]
fn colours_change_no_word() {
    let (room, altered) = (Room::with_suite(), Altered::start(wrong_counts));
    let args = format!("{SUITE} --endpoint {} --report-dir r --quiet", altered.endpoint);
    let plain = room.run(&args).exits(1);
    let output = room.command(&args).env("CLICOLOR_FORCE", "1").output().expect("the program starts");
    let coloured = Ended::of(&args, &output);
    assert!(is_plain(&plain) && !is_plain(&coloured), "{coloured}");
    let styles = regex::Regex::new("\u{1b}\\[[0-9;]*m").expect("the pattern compiles");
    assert_eq!(settled(&styles.replace_all(&coloured.stdout, "")), settled(&plain.stdout));
}

#[test]
fn as_much_is_printed_as_was_asked_for() {
    let (room, altered) = (Room::with_suite(), Altered::start(wrong_counts));
    let args = format!("{SUITE} --endpoint {} --report-dir r --jobs 1", altered.endpoint);
    check("run-quiet", &room.run(&format!("{args} --quiet")).exits(1).to_string());
    let verbose = room.run(&format!("{args} --verbose")).exits(1);
    assert!(verbose.stderr.contains("fail records/counts/first-write\n"), "{verbose}");
    assert_eq!(verbose.stderr.lines().count(), 4, "{verbose}");
    assert_eq!(room.run(&format!("{args} --no-progress --show 0")).exits(1).stderr, "");
    check("quiet-and-verbose", &room.run("run --quiet --verbose").exits(2).to_string());
}

#[test]
fn a_page_is_written_where_it_is_asked_for_and_nowhere_else() {
    let room = Room::with_suite();
    room.run(&format!("{SUITE} --report-dir none")).exits(0);
    assert!(!room.path("none/run.html").exists());
    let ended = room.run(&format!("{SUITE} --report-dir r --html records")).exits(0);
    assert!(ended.stdout.contains("\npage: r/run.html\n"), "{ended}");
    assert_eq!(room.read("r/run.html"), room.run("report html r").exits(0).stdout);
    room.run(&format!("{SUITE} --report-dir r --html=elsewhere.html")).exits(0);
    assert!(room.read("elsewhere.html").contains("<h1 class=\"good\">"));
    check("bad-html", &room.run(&format!("{SUITE} --report-dir r --html=missing/page.html")).exits(2).to_string());
}

#[test]
fn lines_for_machines_stay_alone_on_standard_output() {
    let (room, altered) = (Room::with_suite(), Altered::start(wrong_counts));
    let args = format!("{SUITE} --endpoint {} --report-dir r --format json", altered.endpoint);
    let ended = room.run(&format!("{args} --html --write-known-failures k.toml")).exits(1);
    record(&ended.stdout);
    assert_eq!(ended.stderr, "page: r/run.html\nknown failures: k.toml (2 entries for 2 cases, to be reviewed)\n");
}

#[test]
fn an_answer_that_is_none_of_the_service_is_shown() {
    let altered = Altered::start(|_, response| {
        response.status = 502;
        response.headers.set("content-type", "text/html");
        response.body = "<html><body>\u{1b}[31mBad Gateway</body></html>\n".into();
    });
    let room = Room::with_suite();
    let args = format!("{SUITE} unwritten stale --endpoint {} --report-dir r --no-probe", altered.endpoint);
    let ended = room.run(&args).exits(1);
    check("run-bad-gateway", &ended.to_string());
}

#[test]
fn known_failures_are_excused_and_guarded() {
    let (room, altered) = (Room::with_suite(), Altered::start(wrong_counts));
    let known = |case: &str| format!("\n[[known-failure]]\ncase = \"{case}\"\nreason = \"counts are not built yet\"\n");
    let target = syncspec::target::to_file(&Worlds::standard(), &embedded_world(), &altered.endpoint);
    let expect = |name: &str, known: String, code: i32| {
        room.write("t.toml", &format!("{target}{known}"));
        let ended = room.run(&format!("{SUITE} --target t.toml --report-dir r --show 0")).exits(code);
        check(name, &ended.to_string());
    };
    expect("known-failures", known("records/counts/stale-*") + &known("*/first-write"), 0);
    expect("known-failure-passes", known("records/counts/*"), 1);
    expect("known-failure-unmatched", known("records/*/stale-*") + &known("*/first-write") + &known("gone/*"), 1);
}

#[test]
fn junit_is_written_and_well_formed() {
    let (room, altered) = (Room::with_suite(), Altered::start(wrong_counts));
    room.run(&format!("{SUITE} --endpoint {} --report-dir r --junit j.xml", altered.endpoint)).exits(1);
    let report = quick_junit::Report::deserialize_from_str(&room.read("j.xml")).expect("it is JUnit");
    assert_eq!((report.tests, report.failures, report.errors), (4, 2, 0));
    let again = room.run("report junit r").exits(0);
    let cases = |text: &str| quick_junit::Report::deserialize_from_str(text).expect("it is JUnit").tests;
    assert_eq!(cases(&again.stdout), 4);
    room.run("report junit r/run.jsonl -o k.xml").exits(0);
    assert_eq!(room.read("k.xml"), again.stdout);
}

#[test]
fn json_is_the_record() {
    let room = Room::with_suite();
    let ended = room.run(&format!("{SUITE} --format json --report-dir r")).exits(0);
    assert_eq!(ended.stdout, room.read("r/run.jsonl"));
    assert!(ended.stderr.is_empty(), "{ended}");
    assert_eq!(record(&ended.stdout).len(), 6);
}

#[test]
fn what_failed_is_run_again() {
    let (room, altered) = (Room::with_suite(), Altered::start(wrong_counts));
    room.run(&format!("{SUITE} --endpoint {} --report-dir r", altered.endpoint)).exits(1);
    room.run(&format!("{SUITE} --rerun-failed r --report-dir again")).exits(0);
    let again = verdicts(&record(&room.read("again/run.jsonl")));
    assert_eq!(again.keys().collect::<Vec<_>>(), ["records/counts/first-write", "records/counts/stale-is-refused"]);
}

#[test]
fn strict_lets_inferred_requirements_fail() {
    let room = Room::with_suite();
    let text = room.read("cases/records/counts.toml");
    let inferred = "expect = [{ status = 200 }, { proves = \"service/rule/json-content-type\", \
                    headers = { content-type = \"text/plain\" } }] },";
    room.write(
        "cases/records/counts.toml",
        &text.replacen(
            "expect = { status = 200, members = { \"/Count\" = 0 }, absent = [\"/Records/0\"] } },",
            inferred,
            1,
        ),
    );
    check("run-warned", &room.run(&format!("{SUITE} unwritten --report-dir r")).exits(0).to_string());
    room.run(&format!("{SUITE} unwritten --report-dir r --strict")).exits(1);
}

#[test]
fn colours_are_for_those_who_ask() {
    let room = Room::with_suite();
    let coloured = room.command(&format!("{SUITE} --report-dir r")).env("CLICOLOR_FORCE", "1").output();
    assert!(coloured.expect("it runs").stdout.contains(&0x1b));
    let plain = room.command(&format!("{SUITE} --report-dir r")).env("NO_COLOR", "1").output().expect("it runs");
    assert!(!plain.stdout.contains(&0x1b) && !plain.stderr.contains(&0x1b));
}

/// The suite is part of the program: nothing else is needed.
#[test]
fn a_lone_program_runs_the_whole_suite() {
    let room = Room::new();
    let ended = room.run("run --report-dir r").exits(0);
    assert!(ended.stdout.contains("passed on embedded"), "{ended}");
    assert!(record(&room.read("r/run.jsonl")).len() > 100);
    assert_eq!(room.run("list").stdout.lines().count(), record(&room.read("r/run.jsonl")).len() - 2);
}

#[test]
fn a_served_server_gives_the_same_verdicts() {
    let room = Room::new();
    let mut server = room.start("serve --listen 127.0.0.1:0 --log off --write-target t.toml");
    server.lines(4);
    let filters = "update-records list-records describe-dataset";
    room.run(&format!("run {filters} --target t.toml --report-dir served")).exits(0);
    room.run(&format!("run {filters} --report-dir embedded")).exits(0);
    let of = |dir: &str| verdicts(&record(&room.read(&format!("{dir}/run.jsonl"))));
    let (mut served, mut embedded) = (of("served"), of("embedded"));
    // This server was not told to call the harness.
    embedded.retain(|case, _| served[case] != "skipped");
    served.retain(|_, verdict| verdict != "skipped");
    assert_eq!(served, embedded);
    assert!(served.len() > 200, "{} cases", served.len());
    let target = toml::from_str::<Value>(&room.read("t.toml")).expect("it is TOML");
    let schema: Value = serde_json::from_str(&room.run("schema target").exits(0).stdout).expect("it is JSON");
    assert!(jsonschema::validator_for(&schema).expect("the schema compiles").is_valid(&target));
    server.signal("TERM");
    check("serve", &settled(&server.end().exits(0).to_string()));
}

/// Secrets of the target, made up for this test.
const CANARIES: [&str; 5] = [
    "canary+developer/secret/0123456789",
    "canary+identity/secret/0123456789",
    "canary+session/token==0123456789",
    "canary+other/secret/0123456789",
    "canary+other/token==0123456789",
];

/// A server that knows these secrets sends some of them back, as servers do in
/// their error messages; nothing that is printed or written may hold any.
#[test]
fn secrets_are_neither_printed_nor_written() {
    let altered = Altered::start(|request, response| {
        let sent = request.headers.get("x-amz-security-token").unwrap_or_default();
        let signed = request.headers.get("authorization").unwrap_or_default();
        response.status = 403;
        response.body = json!({ "message": format!("The token {sent} of {signed} is not right: {}", CANARIES[1]) })
            .to_string()
            .into();
        response.headers.set("x-echo", CANARIES[2]);
    });
    let room = Room::with_suite();
    let [developer, secret, token, other_secret, other_token] = CANARIES;
    let pool = &embedded_world().pools[0];
    let ids: Vec<_> = pool.identities.iter().map(|identity| &identity.identity_id).collect();
    room.write(
        "t.toml",
        &format!(
            r#"
name = "canary"
endpoint = "{}"
region = "us-east-1"
identity-pool-id = "{}"
developer = {{ access-key-id = "AKIACANARY", secret-access-key = "{developer}" }}
[[identity]]
identity-id = "{}"
access-key-id = "ASIACANARY"
secret-access-key = "{secret}"
session-token = "{token}"
[[identity]]
identity-id = "{}"
access-key-id = "ASIAOTHER"
secret-access-key = "{other_secret}"
session-token = "{other_token}"
"#,
            altered.endpoint, pool.identity_pool_id, ids[0], ids[1],
        ),
    );
    let mut printed = Vec::new();
    for args in [
        "run --no-probe --target t.toml --report-dir r --junit j.xml --show 1000 --write-known-failures k.toml",
        "run --no-probe --target t.toml --report-dir s --format json",
        "run --no-probe --cases cases --target t.toml --report-dir u",
    ] {
        printed.push(room.run(args).exits(1));
    }
    // Who is refused before the run is told what the server said.
    printed.push(room.run("run --target t.toml").exits(3));
    printed.push(room.run("run --target t.toml --plan").exits(0));
    printed.push(room.run("report junit r").exits(0));
    printed.push(room.run("explain --cases cases records/counts/stale-is-refused --target t.toml").exits(0));
    std::fs::remove_file(room.path("t.toml")).expect("it is there");
    let written = room.files();
    assert!(written.iter().any(|(path, _)| path.ends_with("r/run.jsonl")), "{written:#?}");
    for canary in CANARIES {
        for text in printed.iter().flat_map(|ended| [&ended.stdout, &ended.stderr]) {
            assert!(!text.contains(canary), "{canary} was printed: {text}");
        }
        for (path, text) in &written {
            assert!(!text.contains(canary), "{canary} is in {}", path.display());
        }
    }
}
