//! `syncspec serve --state` killed again and again while clients write: whatever was
//! answered is still there, whatever was not is there whole or not at all, and nothing
//! goes back.

#[path = "support/calls.rs"]
mod calls;
#[path = "support/command.rs"]
#[expect(dead_code, reason = "not every test program uses all of it")]
mod command;
#[path = "support/port.rs"]
mod port;

use std::time::{Duration, Instant};

use calls::{Caller, client};
use command::{Room, Running};
use port::free_port;
use serde_json::{Value, json};
use syncspec::target::{Target, embedded_world};

/// Identities that write at the same time, two in each pool.
const WRITERS: usize = 12;
/// Records that a call writes together.
const KEYS: [&str; 4] = ["a", "b", "c", "d"];
const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:kept";

/// What a dataset is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    /// The value of every record; none when the dataset does not exist.
    value: Option<u64>,
    count: i64,
}

/// One writer, and what it knows of its own dataset.
struct Writer {
    place: (usize, usize),
    /// As the latest answer said.
    known: Seen,
    /// As it is if a call took effect whose answer never came.
    perhaps: Option<Seen>,
    /// A token that was used up.
    spent: Option<String>,
    /// A token that was not used yet.
    unused: Option<String>,
    /// Answered updates and deletions.
    answered: u64,
    dice: u64,
}

impl Writer {
    fn new(number: usize) -> Self {
        let known = Seen { value: None, count: 0 };
        let place = (number / 2, number % 2);
        let dice = number as u64 + 1;
        Self { place, known, perhaps: None, spent: None, unused: None, answered: 0, dice }
    }

    fn below(&mut self, end: u64) -> u64 {
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.dice >> 33) % end
    }

    fn caller(&self, target: &Target, client: &syncspec::client::Client) -> Caller {
        let pool = &target.pools[self.place.0];
        Caller::identity(client, &target.region, &pool.id, &pool.identities[self.place.1])
    }

    /// Lists the dataset: what it is now, and a new token.
    async fn list(caller: &Caller) -> Result<(Seen, String), String> {
        let listed = caller.call("ListRecords", &json!({ "DatasetName": "d" })).await?;
        let listed = Caller::result(&listed);
        let records = listed["Records"].as_array().expect("a list");
        let value = records.first().map(|record| number(&record["Value"]));
        let count = listed["DatasetSyncCount"].as_i64().expect("a count");
        assert_eq!(listed["DatasetExists"].as_bool(), Some(value.is_some()), "{listed}");
        for record in records {
            assert_eq!((number(&record["Value"]), record["SyncCount"].as_i64()), (value.unwrap_or(0), Some(count)));
        }
        assert!(records.is_empty() || records.len() == KEYS.len(), "half of a call: {listed}");
        let token = listed["SyncSessionToken"].as_str().expect("a token").to_owned();
        Ok((Seen { value, count }, token))
    }

    fn update(&self, token: &str, value: u64) -> Value {
        let count = if self.known.value.is_some() { self.known.count } else { 0 };
        let patch = |key: &&str| json!({ "Op": "replace", "Key": key, "Value": value.to_string(), "SyncCount": count });
        let patches: Vec<Value> = KEYS.iter().map(patch).collect();
        json!({ "DatasetName": "d", "SyncSessionToken": token, "RecordPatches": patches })
    }

    /// Writes all records in one call.
    async fn write(&mut self, caller: &Caller, token: String) -> Result<(), String> {
        let next = Seen { value: Some(self.known.value.unwrap_or(0) + 1), count: self.known.count + 1 };
        self.perhaps = Some(next);
        let update = self.update(&token, next.value.unwrap_or(0));
        let written = Caller::result(&caller.call("UpdateRecords", &update).await?);
        let records = written["Records"].as_array().expect("a list");
        assert!(records.iter().all(|record| record["SyncCount"] == json!(next.count)), "{written}");
        self.settle(next);
        self.spent = Some(token);
        Ok(())
    }

    fn settle(&mut self, now: Seen) {
        (self.known, self.perhaps) = (now, None);
        self.answered += 1;
    }

    /// Writes, and now and then deletes, until nobody answers.
    async fn work(&mut self, caller: &Caller) -> String {
        loop {
            let worked = match self.below(12) {
                0 if self.known.value.is_some() => self.delete(caller).await,
                _ => self.list_and_write(caller).await,
            };
            if let Err(why) = worked {
                return why;
            }
        }
    }

    async fn delete(&mut self, caller: &Caller) -> Result<(), String> {
        let next = Seen { value: None, count: self.known.count + 1 };
        self.perhaps = Some(next);
        Caller::result(&caller.call("DeleteDataset", &json!({ "DatasetName": "d" })).await?);
        self.settle(next);
        Ok(())
    }

    async fn list_and_write(&mut self, caller: &Caller) -> Result<(), String> {
        let (seen, token) = Self::list(caller).await?;
        assert_eq!(seen, self.known, "another than was answered");
        self.write(caller, token).await
    }

    /// What the server that was started anew has: everything that was answered, and a
    /// call without answer whole or not at all.
    async fn check(&mut self, caller: &Caller) {
        let (seen, token) = Self::list(caller).await.expect("it answers");
        assert!(
            seen == self.known || Some(seen) == self.perhaps,
            "{:?} is {seen:?}, was answered as {:?}, and may be {:?}",
            self.place,
            self.known,
            self.perhaps
        );
        (self.known, self.perhaps) = (seen, None);
        if let Some(spent) = &self.spent {
            let again = caller.call("UpdateRecords", &self.update(spent, 0)).await.expect("it answers");
            assert_eq!(again.error_name().as_deref(), Some("InvalidParameterException"), "a token works twice");
        }
        if let Some(unused) = self.unused.replace(token) {
            self.write(caller, unused).await.expect("a token from before is still good");
        }
    }
}

fn number(value: &Value) -> u64 {
    value.as_str().and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("{value} is no number"))
}

fn start(room: &Room, listen: &str) -> Running {
    let mut server = room.start(&format!("serve --state state.db --log off --write-target t.toml --listen {listen}"));
    server.lines(4);
    server
}

/// Starts, checks, writes and kills so many times. Gives the number of answered writes.
async fn restarts(rounds: u64, longest_load: Duration) -> u64 {
    let room = Room::new();
    let mut writers: Vec<Writer> = (0..WRITERS).map(Writer::new).collect();
    let listen = format!("127.0.0.1:{}", free_port());
    let mut dice = Writer::new(99);
    for round in 0..rounds {
        let mut server = start(&room, &listen);
        let target = Target::from_file(&room.path("t.toml")).expect("a target file");
        let client = client(&target.endpoint);
        check_pool(&target, &client, round).await;
        for writer in &mut writers {
            let caller = writer.caller(&target, &client);
            writer.check(&caller).await;
        }
        let longest = u64::try_from(longest_load.as_micros()).expect("it is short");
        let load = Duration::from_micros(dice.below(longest));
        let mut working = tokio::task::JoinSet::new();
        for mut writer in writers.drain(..) {
            let caller = writer.caller(&target, &client);
            working.spawn(async move {
                let why = writer.work(&caller).await;
                (writer, why)
            });
        }
        tokio::time::sleep(load).await;
        server.kill();
        while let Some(worked) = working.join_next().await {
            writers.push(worked.expect("no check fails").0);
        }
    }
    let mut server = start(&room, &listen);
    let target = Target::from_file(&room.path("t.toml")).expect("a target file");
    let client = client(&target.endpoint);
    for writer in &mut writers {
        let caller = writer.caller(&target, &client);
        writer.check(&caller).await;
    }
    server.kill();
    writers.iter().map(|writer| writer.answered).sum()
}

/// What is set for a pool stays set.
async fn check_pool(target: &Target, client: &syncspec::client::Client, round: u64) {
    let credentials = target.developer.as_ref().expect("a developer");
    let developer = Caller::developer(client, &target.region, &target.pools[0].id, credentials);
    let events = json!({ "SyncTrigger": ARN });
    if round == 0 {
        let set = developer.call("SetCognitoEvents", &json!({ "Events": events })).await.expect("it answers");
        assert_eq!(set.status, 200);
        let unset = developer.call("SetCognitoEvents", &json!({ "Events": { "SyncTrigger": "" } })).await;
        assert_eq!(unset.expect("it answers").status, 200);
        let set = developer.call("SetCognitoEvents", &json!({ "Events": events })).await.expect("it answers");
        assert_eq!(set.status, 200);
        return;
    }
    let kept = developer.call("GetCognitoEvents", &json!({})).await.expect("it answers");
    assert_eq!(Caller::result(&kept)["Events"], events);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_has_what_it_answered() {
    let answered = restarts(25, Duration::from_millis(400)).await;
    assert!(answered > 500, "there was some load: {answered}");
}

/// `cargo test --release --test state -- --ignored --nocapture`
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes some minutes"]
#[expect(clippy::print_stdout, reason = "the figure is what it is run for")]
async fn a_server_killed_a_thousand_times_has_what_it_answered() {
    let begun = Instant::now();
    let answered = restarts(1_000, Duration::from_millis(200)).await;
    assert!(answered > 20_000, "there was some load: {answered}");
    println!("1,000 restarts, {answered} answered writes, {:.0} s", begun.elapsed().as_secs_f64());
}

#[test]
fn the_standard_world_has_room_for_all_writers() {
    let world = embedded_world();
    assert!(world.pools.len() * 2 >= WRITERS && world.pools.iter().all(|pool| pool.identities.len() >= 2));
}
