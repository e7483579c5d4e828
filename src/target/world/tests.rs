//! World files: what is made stays, what is wrong is named.

use std::collections::BTreeSet;

use rstest::rstest;

use super::{WorldError, Worlds, load};
use crate::reference::World;
use crate::target::load::from_text;
use crate::target::{Target, to_file};

const WORLD: &str = r#"
[[account]]
id = "111122223333"
region = "eu-west-1"
developer = { access-key-id = "AKIAGIVEN", secret-access-key = "${SECRET}" }

[[account.pool]]
name = "game"
identities = 2

[[account.pool.identity]]
name = "alice"

[[account.pool.identity]]
identity-id = "eu-west-1:00000000-0000-4000-8000-000000000001"
access-key-id = "ASIAGIVEN"
secret-access-key = "literal"
session-token = "${TOKEN}"

[[account]]
id = "444455556666"

[[account.pool]]
name = "game"
identities = 1
"#;

fn environment(name: &str) -> Option<String> {
    match name {
        "SECRET" => Some("hush-secret".to_owned()),
        "TOKEN" => Some("hush-token".to_owned()),
        _ => None,
    }
}

fn read(text: &str) -> Result<Worlds, WorldError> {
    load::from_text("w.toml", text, &environment)
}

fn ids(world: &World) -> Vec<&str> {
    let identities = world.pools.iter().flat_map(|pool| &pool.identities).map(|identity| identity.identity_id.as_str());
    world.pools.iter().map(|pool| pool.identity_pool_id.as_str()).chain(identities).collect()
}

#[test]
fn what_is_not_given_is_made_once_and_for_all() {
    let worlds = read(WORLD).expect("the file is valid");
    let [first, second] = worlds.accounts.as_slice() else { panic!("{worlds:?}") };
    assert_eq!((first.account_id.as_str(), first.region.as_str()), ("111122223333", "eu-west-1"));
    assert_eq!((second.account_id.as_str(), second.region.as_str()), ("444455556666", "us-east-1"));
    let all: Vec<&str> = ids(first).into_iter().chain(ids(second)).collect();
    assert_eq!((all.len(), all.iter().collect::<BTreeSet<_>>().len()), (7, 7));
    // Whoever wrote these down finds them again.
    assert_eq!(first.pools[0].identity_pool_id, MADE_POOL);
    assert_eq!(first.pools[0].identities[0].identity_id, MADE_IDENTITY);
    let keys = &first.pools[0].identities[0].keys;
    assert_eq!((keys.access_key_id.len(), keys.secret_access_key.len()), (20, 40));
    assert_eq!((second.developer.access_key_id.len(), second.developer.secret_access_key.len()), (20, 40));
    assert!(!worlds.is_public("AKIAGIVEN") && worlds.is_public(&keys.access_key_id));
    assert_eq!(first.developer.secret_access_key, "hush-secret");
}

const MADE_POOL: &str = "eu-west-1:45f911be-b508-4d9e-9e35-3b4da0e41f93";
const MADE_IDENTITY: &str = "eu-west-1:f53dba59-f8b6-42c4-aad3-975cf4ba82c0";

#[test]
fn an_entry_more_changes_no_other() {
    let before = read(WORLD).expect("the file is valid");
    let more = WORLD.replace("identities = 2", "identities = 3").replace(
        "[[account.pool]]\nname = \"game\"\nidentities = 1",
        "[[account.pool]]\nname = \"other\"\n[[account.pool]]\nname = \"game\"\nidentities = 1",
    );
    let after = read(&more).expect("the file is valid");
    for (before, after) in before.accounts.iter().zip(&after.accounts) {
        let after: BTreeSet<&str> = ids(after).into_iter().collect();
        assert!(ids(before).iter().all(|id| after.contains(id)));
    }
    let seeded = read(&format!("seed = \"s\"\n{WORLD}")).expect("the file is valid");
    assert_ne!(seeded.accounts[1].pools, before.accounts[1].pools);
    assert_ne!(seeded.accounts[1].developer, before.accounts[1].developer);
}

#[test]
fn a_target_file_leads_to_an_account_and_holds_no_secret_of_the_environment() {
    let worlds = read(WORLD).expect("the file is valid");
    let text = to_file(&worlds, &worlds.accounts[0], "http://127.0.0.1:1");
    assert!(text.contains("\"${SECRET}\"") && text.contains("\"${TOKEN}\"") && !text.contains("hush"), "{text}");
    let target = from_text("t.toml", &text, &environment).expect("the file is valid");
    let embedded = Target::embedded(&worlds.accounts[0], "http://127.0.0.1:1");
    assert_eq!(format!("{:?}", target.pools), format!("{:?}", embedded.pools));
    assert!(target.secrets().eq(embedded.secrets()));
    assert_eq!((&target.snapshots, &target.resources), (&None, &embedded.resources));
    assert_eq!(target.resources["function-arn"], "arn:aws:lambda:eu-west-1:111122223333:function:syncspec");
    assert_eq!(target.resources["push-role-arn"], "arn:aws:iam::111122223333:role/syncspec-push");
    assert!(from_text("t.toml", &text, &|_| None).is_err());
}

#[test]
fn the_debug_form_shows_no_secret() {
    let shown = format!("{:?}", read(WORLD).expect("the file is valid"));
    assert!(shown.contains("AKIAGIVEN") && !shown.contains("hush") && !shown.contains("literal"), "{shown}");
}

#[rstest]
#[case::nothing("", "w.toml:1:1: the world has no `[[account]]`")]
#[case::misspelt("[[acount]]\nid = \"1\"", "w.toml:1:3: unknown field `acount`")]
#[case::short_id("[[account]]\nid = \"123\"", "w.toml:2:6: `123` is no account: its id has 12 digits")]
#[case::region(
    "[[account]]\nid = \"111122223333\"\nregion = \"EU\"",
    "w.toml:3:10: `EU` is no region: lower-case letters, digits and `-`"
)]
#[case::account_twice(
    "[[account]]\nid = \"111122223333\"\n[[account]]\nid = \"111122223333\"",
    "w.toml:4:6: account 111122223333 is there twice"
)]
#[case::nameless(
    "[[account]]\nid = \"111122223333\"\n[[account.pool]]\nidentities = 1",
    "w.toml:2:6: a `[[account.pool]]` has neither a `name` nor an `identity-pool-id`"
)]
#[case::foreign_region(
    "[[account]]\nid = \"111122223333\"\n[[account.pool]]\nidentity-pool-id = \"eu-west-1:00\"",
    "w.toml:4:20: `eu-west-1:00` is no id of this account: `us-east-1:` and a UUID in lower case"
)]
#[case::pool_twice(
    "[[account]]\nid = \"111122223333\"\n[[account.pool]]\nname = \"a\"\n[[account.pool]]\nname = \"a\"",
    "w.toml:6:8: pool "
)]
#[case::half_a_key(
    "[[account]]\nid = \"111122223333\"\n[[account.pool]]\nname = \"a\"\nidentity = [{ name = \"i\", access-key-id = \"K\" }]",
    "w.toml:5:43: keys are `access-key-id` and `secret-access-key`, or none at all"
)]
#[case::unset(
    "[[account]]\nid = \"111122223333\"\ndeveloper = { access-key-id = \"K\", secret-access-key = \"${NONE}\" }",
    "w.toml:3:56: the environment variable NONE is not set"
)]
#[case::too_many(
    "[[account]]\nid = \"111122223333\"\n[[account.pool]]\nname = \"a\"\nidentities = 100001",
    "w.toml:5:14: at most 100000 identities are made in a pool"
)]
fn mistakes_are_named_by_place(#[case] text: &str, #[case] begins: &str) {
    let Err(WorldError::Mistakes(problems)) = read(text) else { panic!("it is accepted: {text}") };
    let [problem] = problems.as_slice() else { panic!("{problems:?}") };
    assert!(problem.to_string().starts_with(begins), "{problem}");
}

#[test]
fn a_key_has_one_owner() {
    let text = WORLD.replace("AKIAGIVEN", "ASIAGIVEN");
    let error = read(&text).expect_err("the key is there twice").to_string();
    assert!(error.ends_with("access key ASIAGIVEN is there twice"), "{error}");
}
