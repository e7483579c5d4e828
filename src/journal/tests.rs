use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rstest::rstest;
use serde_json::{Map, Value, json};

use super::restore::{Restoring, kept, restoring};
use super::*;
use crate::cases::{Bases, Suite};
use crate::client::{BackOff, Client, Endpoint, Limits};
use crate::reference::{Server, World};
use crate::spec::{Catalog, Service};
use crate::target::{Credentials, Provider, Redactor, Secret, Target};
use crate::wire::{Headers, Request};

fn bases() -> Arc<Bases> {
    Suite::shipped(Service::embedded(), Catalog::embedded()).expect("it has no mistakes").bases
}

fn target(endpoint: &str) -> Target {
    Target::embedded(&World::standard(1, 2), endpoint)
}

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => panic!("{other} is no object"),
    }
}

fn debt(name: &str) -> Debt {
    let input = map(json!({ "DatasetName": name }));
    let (call, made_by, case) = ("Remove".to_owned(), "Make".to_owned(), "a/t/c".to_owned());
    Debt { kind: Kind::Undo, call, input, saved: Map::new(), made_by, case }
}

fn begin(folder: &Path, run: &str) -> Journal {
    Journal::begin(folder, &Begun::now(&target("http://h"), run)).expect("it is written")
}

fn only_dead(folder: &Path) -> Dead {
    match found(folder, "embedded").expect("it is read").pop() {
        Some(Found::Dead(dead)) => dead,
        other => panic!("{other:?}"),
    }
}

fn names(dead: &Dead) -> Vec<(&str, bool)> {
    dead.owed.iter().map(|owed| (owed.debt.input["DatasetName"].as_str().unwrap(), owed.is_certain)).collect()
}

#[test]
fn what_is_not_paid_is_found_when_the_run_is_dead() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::written(begin(folder.path(), "0000000a"));
    let numbers = ["a", "b", "c"].map(|name| ledger.owe(|| debt(name)).unwrap());
    ledger.made(numbers[1]);
    ledger.paid(numbers[0]);
    let live = found(folder.path(), "embedded").unwrap();
    assert!(matches!(&live[..], [Found::Live { run }] if run == "0000000a"), "{live:?}");
    let (path, left) = ledger.close().unwrap().expect("something is owed");
    assert_eq!(left, 2);
    let mut dead = only_dead(folder.path());
    assert!(dead.begun.is_of(&target("http://h")));
    assert_eq!(names(&dead), [("b", true), ("c", false)]);
    dead.journal.paid(dead.owed[1].number).unwrap();
    // Who has taken it up is alone with it.
    assert!(matches!(&found(folder.path(), "embedded").unwrap()[..], [Found::Live { .. }]));
    drop(dead);
    let dead = only_dead(folder.path());
    assert_eq!(names(&dead), [("b", true)]);
    dead.journal.remove().unwrap();
    assert!(!path.exists());
    assert!(found(folder.path(), "embedded").unwrap().is_empty() && found(folder.path(), "other").unwrap().is_empty());
}

#[test]
fn a_journal_without_debts_goes_with_its_run() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::written(begin(folder.path(), "0000000a"));
    ledger.paid(ledger.owe(|| debt("a")).unwrap());
    assert_eq!(fs::read_dir(folder.path().join("embedded")).unwrap().count(), 1);
    drop(ledger);
    assert_eq!(fs::read_dir(folder.path().join("embedded")).unwrap().count(), 0);
    let unwritten = Ledger::default();
    unwritten.owe(|| unreachable!("nobody asks what it is")).unwrap();
    assert_eq!(unwritten.close().unwrap(), None);
}

#[cfg(unix)]
#[test]
fn others_cannot_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let mode = fs::metadata(begin(folder.path(), "0000000a").path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// Cuts a journal's text after each of its bytes: no debt whose request may have been
/// sent is lost, and going on with it leaves nothing torn.
#[test]
fn a_torn_line_was_not_followed_by_its_request() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = begin(folder.path(), "0000000a");
    let path = journal.path().to_owned();
    let ends = ["a", "b", "c"].map(|name| {
        journal.owe(debt(name)).unwrap();
        fs::metadata(&path).unwrap().len()
    });
    drop(journal);
    let whole = fs::read(&path).unwrap();
    let first = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for cut in first..=whole.len() {
        fs::write(&path, &whole[..cut]).unwrap();
        let expected = ends.iter().filter(|end| **end <= cut as u64).count();
        let mut dead = only_dead(folder.path());
        assert_eq!(dead.owed.len(), expected, "cut after {cut} bytes");
        dead.owed.iter().map(|owed| owed.number).for_each(|number| dead.journal.paid(number).unwrap());
        drop(dead);
        assert_eq!(only_dead(folder.path()).owed, []);
    }
}

#[rstest]
#[case::empty("", "it is empty; remove it")]
#[case::torn("{\"type\":\"begun\"", "it is empty; remove it")]
#[case::other("{\"type\":\"paid\",\"number\":1}\n", "line 1 is not the beginning of a journal")]
#[case::newer(
    "{\"type\":\"begun\",\"format-version\":2,\"more\":1}\n",
    "it has format version 2, and this syncspec reads version 1"
)]
#[case::broken("BEGUN{\"type\":\"owed\",\"num\n{\"type\":\"paid\",\"number\":1}\n", "line 2 is none of a journal's")]
#[case::unknown("BEGUN{\"type\":\"lent\",\"number\":1}\n", "line 2 is none of a journal's")]
fn what_cannot_be_understood_is_not_used(#[case] text: &str, #[case] problem: &str) {
    let folder = tempfile::tempdir().unwrap();
    let journal = begin(folder.path(), "0000000a");
    let path = journal.path().to_owned();
    drop(journal);
    let begun = fs::read_to_string(&path).unwrap();
    let text = text.replace("BEGUN", &begun);
    fs::write(&path, &text).unwrap();
    let found = found(folder.path(), "embedded").unwrap();
    let [Found::Unreadable(said)] = &found[..] else { panic!("{found:?}") };
    assert!(said.contains(problem) && said.contains("0000000a.jsonl"), "{said}");
    assert!(path.exists());
}

#[test]
fn journals_of_other_targets_are_told_apart() {
    let begun = Begun::now(&target("http://h"), "0000000a");
    assert!(begun.is_of(&target("http://h")));
    assert!(!begun.is_of(&target("http://i")));
    let other = Begun { pools: vec!["us-east-1:other".to_owned()], ..begun };
    assert!(!other.is_of(&target("http://h")));
}

#[test]
fn what_cannot_be_written_begins_no_run() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::File::create(&file).unwrap().write_all(b"x").unwrap();
    let error = Journal::begin(&file, &Begun::now(&target("http://h"), "0000000a")).expect_err("it is no folder");
    assert!(error.to_string().contains("set SYNCSPEC_STATE_DIR to a folder"), "{error}");
}

#[cfg(unix)]
#[rstest]
#[case(&[("SYNCSPEC_STATE_DIR", "/s"), ("XDG_STATE_HOME", "/x"), ("HOME", "/h")], Some("/s"))]
#[case(&[("SYNCSPEC_STATE_DIR", ""), ("XDG_STATE_HOME", "/x"), ("HOME", "/h")], Some("/x/syncspec"))]
#[case(&[("XDG_STATE_HOME", "x"), ("HOME", "/h")], Some("/h/.local/state/syncspec"))]
#[case(&[], None)]
fn the_environment_says_where_journals_stand(#[case] set: &[(&str, &str)], #[case] folder: Option<&str>) {
    let of = |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value));
    assert_eq!(state_folder(of).ok(), folder.map(PathBuf::from));
}

#[rstest]
#[case::plain("POST", "/identitypools/p/identities/i/datasets/d", "", &["DeleteDataset p i d"])]
#[case::based("POST", "/base/identitypools/p/identities/i/datasets/d%20e?x", "", &["DeleteDataset p i d e"])]
#[case::absolute("POST", "http://h/base/identitypools/p/identities/i/datasets/d", "", &["DeleteDataset p i d"])]
#[case::device("POST", "/identitypools/p/identities/i/datasets/d/subscriptions/x", "", &["UnsubscribeFromDataset p i d x"])]
#[case::reads("GET", "/identitypools/p/identities/i/datasets/d", "", &[])]
#[case::bytes("", "", "GET / HTTP/1.1\r\n\r\nPOST /identitypools/p/identities/i/datasets/d HTTP/1.0\r\n\r\nPOST", &["DeleteDataset p i d"])]
fn a_request_is_known_by_its_looks(
    #[case] method: &str,
    #[case] target: &str,
    #[case] body: &str,
    #[case] owed: &[&str],
) {
    let (bases, endpoint) = (bases(), Endpoint::parse("http://h/base").unwrap());
    let (method, target) = (method.to_owned(), target.to_owned());
    let request = Request { method, target, headers: Headers::new(), body: Bytes::copy_from_slice(body.as_bytes()) };
    let sights = sights(Service::embedded(), &bases, &endpoint, &request);
    let words = |debt: Debt| {
        let values = debt.input.values().filter_map(Value::as_str).collect::<Vec<_>>();
        format!("{} {}", debt.call, values.join(" "))
    };
    let found: Vec<String> = sights.iter().filter_map(|sight| undoing(sight, "c")).map(words).collect();
    assert_eq!(found, owed);
}

#[rstest]
#[case::untouched(json!({}), json!({}), json!({}), false)]
#[case::as_before(json!({ "PushSync": { "RoleArn": "r" } }), json!({ "PushSync": { "RoleArn": "r" } }), json!({}), false)]
#[case::cleared(json!({ "PushSync": { "RoleArn": "r" } }), json!({}), json!({ "PushSync": { "RoleArn": "r" } }), false)]
#[case::set(json!({}), json!({ "PushSync": { "RoleArn": "r" } }), json!({ "PushSync": {} }), false)]
#[case::switched_on(
    json!({}),
    json!({ "CognitoStreams": { "StreamName": "s", "RoleArn": "r", "StreamingStatus": "ENABLED" } }),
    json!({ "CognitoStreams": { "StreamName": "s", "RoleArn": "r", "StreamingStatus": "DISABLED" } }),
    true
)]
#[case::left_off(json!({}), json!({ "CognitoStreams": { "StreamingStatus": "DISABLED" } }), json!({}), true)]
#[case::switched_off(
    json!({ "CognitoStreams": { "StreamName": "s", "StreamingStatus": "ENABLED" } }),
    json!({ "CognitoStreams": { "StreamName": "t", "StreamingStatus": "DISABLED" } }),
    json!({ "CognitoStreams": { "StreamName": "s", "StreamingStatus": "ENABLED" } }),
    false
)]
fn a_configuration_is_brought_back(
    #[case] before: Value,
    #[case] now: Value,
    #[case] input: Value,
    #[case] is_noted: bool,
) {
    let bases = bases();
    let save = bases.operations["SetIdentityPoolConfiguration"].save.as_ref().unwrap();
    let Restoring { input: sent, notes } = restoring(save, &map(before), &map(now));
    assert_eq!(Value::Object(sent), input);
    assert_eq!(!notes.is_empty(), is_noted);
}

#[rstest]
#[case::unset(json!({}), json!({ "Events": { "A": "f", "B": "g" } }), json!({ "Events": { "A": "", "B": "" } }))]
#[case::replaced(json!({ "Events": { "A": "f" } }), json!({ "Events": { "A": "g", "B": "g" } }), json!({ "Events": { "A": "f", "B": "" } }))]
#[case::gone(json!({ "Events": { "A": "f" } }), json!({}), json!({ "Events": { "A": "f" } }))]
fn events_are_brought_back(#[case] before: Value, #[case] now: Value, #[case] input: Value) {
    let bases = bases();
    let save = bases.operations["SetCognitoEvents"].save.as_ref().unwrap();
    assert_eq!(Value::Object(restoring(save, &map(before), &map(now)).input), input);
}

#[test]
fn only_what_can_be_written_back_is_kept() {
    let bases = bases();
    let save = bases.operations["SetIdentityPoolConfiguration"].save.as_ref().unwrap();
    let answer = json!({
        "IdentityPoolId": "p",
        "PushSync": { "ApplicationArns": [], "RoleArn": null },
        "CognitoStreams": { "StreamName": "s", "DisabledReason": "x", "RoleArn": null },
    });
    let kept = kept(Service::embedded(), "SetIdentityPoolConfiguration", save, &map(answer));
    assert_eq!(Value::Object(kept), json!({ "CognitoStreams": { "StreamName": "s" } }));
}

#[rstest]
#[case("syncspec-0123abcd-1-1", Some("0123abcd"))]
#[case("syncspec-0123abcd-fuzz", Some("0123abcd"))]
#[case("syncspec-0123abcd", None)]
#[case("syncspec-0123ABCD-1", None)]
#[case("syncspec-0123abc-1", None)]
#[case("syncspec-notes-1", None)]
#[case("mine-0123abcd-1", None)]
#[case("syncspec-ääää-1", None)]
fn names_of_runs_are_told_from_others(#[case] name: &str, #[case] run: Option<&str>) {
    assert_eq!(is_name_of_a_run("syncspec", name), run);
}

/// A dataset of the reference server's first identity.
fn place(target: &Target, name: &str) -> Map<String, Value> {
    let pool = &target.pools[0];
    map(json!({ "IdentityPoolId": pool.id, "IdentityId": pool.identities[0].id, "DatasetName": name }))
}

async fn write(payer: &Payer<'_>, name: &str) {
    let mut input = place(payer.target, name);
    let listed = payer.call("ListRecords", &input).await.unwrap();
    input.insert("SyncSessionToken".to_owned(), listed.json().unwrap()["SyncSessionToken"].clone());
    input.insert("RecordPatches".to_owned(), json!([{ "Op": "replace", "Key": "k", "Value": "v", "SyncCount": 0 }]));
    assert_eq!(payer.call("UpdateRecords", &input).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_sweep_finds_only_what_runs_have_forgotten() {
    let world = World::standard(1, 2);
    let service = Service::embedded_shared();
    let server = Server::start(([127, 0, 0, 1], 0).into(), service, world).await.unwrap();
    let target = target(&server.endpoint());
    let client = Client::new(Endpoint::parse(&target.endpoint).unwrap(), Limits::default()).unwrap();
    let bases = bases();
    let redactor = Redactor::new(Service::embedded(), &target);
    let payer = Payer {
        service: Service::embedded(),
        bases: &bases,
        target: &target,
        client: &client,
        back_off: BackOff::default(),
        redactor: &redactor,
    };
    for name in ["syncspec-0000000a-1-1", "syncspec-0000000b-1-1", "syncspec-notes", "mine"] {
        write(&payer, name).await;
    }
    let swept = payer.sweep(Duration::from_secs(3600), &[]).await;
    assert_eq!((swept.owed.len(), swept.problems.len()), (0, 0), "all of it is new");
    tokio::time::sleep(Duration::from_millis(20)).await;
    let swept = payer.sweep(Duration::ZERO, &["0000000b".to_owned()]).await;
    let found: Vec<_> = swept.owed.iter().map(|debt| debt.input["DatasetName"].clone()).collect();
    assert_eq!(found, ["syncspec-0000000a-1-1"]);
    assert_eq!(payer.pay(&swept.owed[0], true).await, Ok(Paid::Done { notes: Vec::new() }));
    assert_eq!(payer.pay(&swept.owed[0], true).await, Ok(Paid::NothingThere { notes: Vec::new() }));
    assert_eq!(payer.call("DescribeDataset", &place(&target, "mine")).await.unwrap().status, 200);
    server.shutdown().await;
}

/// What a refusal says depends on whether the request could have succeeded at all.
#[tokio::test]
async fn a_refusal_counts_only_outside_of_the_target() {
    let world = World::standard(1, 2);
    let service = Service::embedded_shared();
    let server = Server::start(([127, 0, 0, 1], 0).into(), service, world).await.unwrap();
    let mut target = target(&server.endpoint());
    let client = Client::new(Endpoint::parse(&target.endpoint).unwrap(), Limits::default()).unwrap();
    let bases = bases();
    let known = place(&target, "d");
    // Credentials that have expired since: they refuse everything.
    let known_keys = target.pools[0].identities[0].credentials.last().unwrap();
    let expired = Provider::fixed(Credentials { secret_access_key: Secret::new("another"), ..known_keys });
    target.developer = Some(expired.clone());
    target.pools[0].identities[0].credentials = expired;
    let redactor = Redactor::new(Service::embedded(), &target);
    let payer = Payer {
        service: Service::embedded(),
        bases: &bases,
        target: &target,
        client: &client,
        back_off: BackOff::default(),
        redactor: &redactor,
    };
    let owed = |input: Map<String, Value>| Debt { call: "DeleteDataset".to_owned(), input, ..debt("") };
    let mut foreign = known.clone();
    foreign.insert("IdentityId".to_owned(), json!("us-east-1:somebody"));
    for (input, is_certain, is_paid) in [(&known, false, false), (&foreign, true, false), (&foreign, false, true)] {
        let paid = payer.pay(&owed(input.clone()), is_certain).await;
        assert_eq!(paid.is_ok(), is_paid, "{paid:?}");
    }
    server.shutdown().await;
}
