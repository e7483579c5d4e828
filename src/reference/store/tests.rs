//! What is kept is what the model has, whatever was called; and what happens when the
//! file cannot be what it should be.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::backends::InMemoryBackend;
use redb::{Database, StorageBackend};

use super::{State, StateFile, Store};
use crate::reference::altered::Switches;
use crate::reference::collaborators::Collaborators;
use crate::reference::model::{
    BulkPublish, BulkPublishStatus, Call, Caller, CognitoStreams, DatasetPlace, DeviceIdentity, Effect, Limits,
    ListRecords, Model, PatchOperation, Piece, PieceKey, PoolConfiguration, PushSync, RecordPatch, Restored, Timestamp,
    UpdateRecords,
};
use crate::reference::world::World;
use crate::spec::Service;

fn world() -> World {
    World::standard(2, 2)
}

fn empty() -> Model {
    of(&world())
}

fn of(world: &World) -> Model {
    Model::new(world, Limits::of(Service::embedded()), Switches::default(), [9; 32], Timestamp::from_millis(7))
}

/// Streams can be written to, and devices be reached.
fn with_others() -> World {
    let there = || Some("http://127.0.0.1:1".to_owned());
    let collaborators = Collaborators { kinesis: there(), sns: there(), ..Collaborators::default() };
    World { collaborators, ..world() }
}

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ z >> 31) % end
    }
}

/// A model on which anything is called.
struct Play {
    model: Model,
    dice: Dice,
    now: i64,
    devices: Vec<String>,
    /// Bulk publishes whose end is still to come.
    under_way: Vec<BulkPublish>,
}

impl Play {
    /// Odd seeds have other services.
    fn new(seed: u64) -> Self {
        let world = if seed % 2 == 1 { with_others() } else { world() };
        Self {
            model: of(&world),
            dice: Dice(seed),
            now: 1_000,
            devices: vec!["none".to_owned()],
            under_way: Vec::new(),
        }
    }

    /// Has what was to be done outside come to some end, or to none.
    fn hear_from_outside(&mut self) {
        for effect in self.model.take_effects() {
            match effect {
                Effect::Stream(target, _) if self.dice.below(20) == 0 => {
                    self.model.stream_failed(&target, "no such stream")
                }
                Effect::Publish(publish) => self.under_way.push(publish),
                Effect::Stream(..) | Effect::Notify(_) => {}
            }
        }
        if self.dice.below(8) == 0
            && let Some(publish) = self.under_way.pop()
        {
            let failure = (self.dice.below(2) == 0).then(|| "throttled".to_owned());
            self.model.bulk_publish_ended(&publish, Timestamp::from_millis(self.now), failure);
        }
    }

    /// Calls something, for good or in vain.
    fn step(&mut self) {
        let world = world();
        self.now += i64::try_from(self.dice.below(10_000)).expect("it is small");
        if self.dice.below(200) == 0 {
            // Sessions expire, and a pool may be published anew.
            self.now += 25 * 60 * 60 * 1_000;
        }
        let pool = &world.pools[self.pick(2)];
        let identity_id = pool.identities[self.pick(2)].identity_id.clone();
        let (pool, dataset_name) = (pool.identity_pool_id.clone(), format!("d{}", self.dice.below(3)));
        let place = DatasetPlace { identity_pool_id: pool.clone(), identity_id: identity_id.clone(), dataset_name };
        let caller = Caller::Identity { identity_pool_id: pool.clone(), identity_id: identity_id.clone() };
        let random = u128::from(self.dice.below(u64::MAX)).to_be_bytes();
        let call = Call { now: Timestamp::from_millis(self.now), caller: &caller, random };
        let device = self.devices[self.dice.below(self.devices.len() as u64) as usize].clone();
        match self.dice.below(12) {
            0 => drop(self.model.delete_dataset(&call, &place)),
            1 => {
                let token = format!("token {}", self.dice.below(4));
                let device = DeviceIdentity { platform: "GCM", token: &token };
                let endpoint = (self.dice.below(2) == 0).then(|| format!("arn of {token}"));
                self.devices.extend(self.model.register_device(&call, &pool, &identity_id, device, endpoint));
            }
            2 => drop(self.model.subscribe_to_dataset(&place, &device)),
            3 => drop(self.model.unsubscribe_from_dataset(&place, &device)),
            4 => {
                let configuration = self.configuration();
                drop(self.model.set_pool_configuration(&pool, &configuration));
            }
            5 => {
                let arn = ["", "arn"][self.pick(2)].to_owned();
                drop(self.model.set_cognito_events(&pool, &BTreeMap::from([("SyncTrigger".to_owned(), arn)])));
            }
            6 => drop(self.model.bulk_publish(&call, &pool)),
            _ => self.update(&call, &place),
        }
        self.hear_from_outside();
    }

    fn pick(&mut self, end: u64) -> usize {
        self.dice.below(end) as usize
    }

    fn configuration(&mut self) -> PoolConfiguration {
        let status = ["ENABLED", "DISABLED"][self.pick(2)].to_owned();
        let streams = CognitoStreams {
            stream_name: Some("changes".to_owned()),
            streaming_status: Some(status),
            ..CognitoStreams::default()
        };
        let push = PushSync { application_arns: vec!["arn".to_owned(); self.pick(2)], role_arn: None };
        PoolConfiguration {
            push_sync: (self.dice.below(2) == 0).then_some(push),
            cognito_streams: (self.dice.below(2) == 0).then_some(streams),
        }
    }

    /// One to three patches, of which some are stale.
    fn update(&mut self, call: &Call<'_>, place: &DatasetPlace) {
        let Ok(page) = self.model.list_records(call, place, &ListRecords::default()) else { return };
        let patches = (0..=self.dice.below(3)).map(|at| {
            let key = format!("k{}", (at * 3) + self.dice.below(3));
            let known = page.records.iter().find(|record| record.key == key).map_or(0, |record| record.sync_count);
            let removes = self.dice.below(4) == 0;
            RecordPatch {
                operation: if removes { PatchOperation::Remove } else { PatchOperation::Replace },
                key,
                value: (!removes).then(|| format!("ü\u{0}\"{}", self.dice.below(1_000))),
                sync_count: if self.dice.below(12) == 0 { known + 1 } else { known },
                device_last_modified_date: (self.dice.below(2) == 0).then(|| Timestamp::from_millis(-5)),
            }
        });
        let patches = patches.collect();
        let input = UpdateRecords { device_id: None, patches, sync_session_token: Some(page.sync_session_token) };
        drop(self.model.update_records(call, place, &input));
    }
}

/// What a file would hold after these changes.
fn keep(kept: &mut BTreeMap<PieceKey, Vec<u8>>, changes: Vec<Piece>) {
    for Piece { key, form } in changes {
        match (form, &key) {
            (Some(form), _) => drop(kept.insert(key, form)),
            (None, PieceKey::Dataset(gone)) => {
                kept.retain(|other, _| *other != key && !matches!(other, PieceKey::Record(place, _) if place == gone));
            }
            (None, _) => drop(kept.remove(&key)),
        }
    }
}

fn restored(kept: &BTreeMap<PieceKey, Vec<u8>>) -> Model {
    restored_to(empty(), kept)
}

fn restored_to(mut model: Model, kept: &BTreeMap<PieceKey, Vec<u8>>) -> Model {
    for (key, form) in kept {
        assert_eq!(model.restore(key, form).expect("it was kept"), Restored::Taken);
    }
    model
}

/// All that there is, apart from what nothing ever happened to.
fn all(model: &Model) -> BTreeMap<PieceKey, Vec<u8>> {
    let nothing = || empty().all_pieces().into_iter().filter_map(|piece| Some((piece.key, piece.form?)));
    let nothing: BTreeMap<_, _> = nothing().collect();
    let pieces = model.all_pieces().into_iter().filter_map(|piece| Some((piece.key, piece.form?)));
    pieces.filter(|(key, form)| nothing.get(key) != Some(form)).collect()
}

#[test]
fn whatever_is_called_a_kept_model_comes_back_the_same() {
    for seed in 0..4 {
        let (mut play, mut kept) = (Play::new(seed), BTreeMap::new());
        let mut quiet = 0;
        for number in 0..1_500 {
            play.step();
            let changes = play.model.take_changes();
            quiet += usize::from(changes.is_empty());
            keep(&mut kept, changes);
            if number % 25 == 0 {
                let back = restored(&kept);
                assert_eq!(all(&back), all(&play.model), "seed {seed}, call {number}");
                assert_eq!(back.counts(), play.model.counts(), "seed {seed}, call {number}");
            }
        }
        assert!(quiet > 100, "calls in vain cost nothing: {quiet}");
        let kinds = |is: fn(&PieceKey) -> bool| kept.keys().filter(|key| is(key)).count();
        assert!(kinds(|key| matches!(key, PieceKey::Record(..))) > 5, "{kept:?}");
        assert!(kinds(|key| matches!(key, PieceKey::Session(..))) > 0, "{kept:?}");
    }
}

fn streaming() -> PoolConfiguration {
    let streams = CognitoStreams {
        stream_name: Some("changes".to_owned()),
        streaming_status: Some("ENABLED".to_owned()),
        ..CognitoStreams::default()
    };
    PoolConfiguration { push_sync: None, cognito_streams: Some(streams) }
}

#[test]
fn a_bulk_publish_does_not_outlive_whoever_saw_to_it() {
    let (mut play, mut kept) = (Play::new(1), BTreeMap::new());
    let pool = world().pools[0].identity_pool_id.clone();
    let caller = Caller::Developer;
    let at = |millis| Call { now: Timestamp::from_millis(millis), caller: &caller, random: [3; 16] };
    play.model.set_pool_configuration(&pool, &streaming()).expect("it is set");
    play.model.bulk_publish(&at(10), &pool).expect("it begins");
    let before = play.model.take_effects();
    keep(&mut kept, play.model.take_changes());

    let mut back = restored_to(of(&with_others()), &kept);
    back.resume(Timestamp::from_millis(20));
    let details = back.bulk_publish_details(&at(20), &pool).expect("there is one");
    assert_eq!((details.status, details.complete_time), (BulkPublishStatus::Failed, Some(Timestamp::from_millis(20))));
    assert!(details.failure_message.is_some_and(|message| message.contains("restarted")));
    let changes = back.take_changes();
    assert_eq!(changes.iter().filter(|piece| matches!(piece.key, PieceKey::Pool(_))).count(), 2, "{changes:?}");
    back.bulk_publish(&at(30), &pool).expect("it may begin anew");
    let again = back.take_effects();
    assert_eq!((before.len(), again.len()), (1, 1));
}

#[test]
fn no_two_streams_share_a_number_after_a_restart() {
    let (mut model, mut kept) = (of(&with_others()), BTreeMap::new());
    let pools = world().pools.into_iter().map(|pool| pool.identity_pool_id).collect::<Vec<_>>();
    model.set_pool_configuration(&pools[0], &streaming()).expect("it is set");
    keep(&mut kept, model.take_changes());
    let mut back = restored_to(of(&with_others()), &kept);
    back.resume(Timestamp::from_millis(20));
    back.set_pool_configuration(&pools[1], &streaming()).expect("it is set");
    let caller = Caller::Developer;
    let call = Call { now: Timestamp::from_millis(30), caller: &caller, random: [3; 16] };
    pools.iter().for_each(|pool| back.bulk_publish(&call, pool).expect("it begins"));
    let settings: Vec<u64> = back
        .take_effects()
        .into_iter()
        .map(|effect| match effect {
            Effect::Publish(publish) => publish.target.setting,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_ne!(settings[0], settings[1]);
}

#[test]
fn a_call_keeps_what_it_changed_only() {
    let mut play = Play::new(2);
    (0..300).for_each(|_| play.step());
    play.model.take_changes();
    let world = world();
    let caller = Caller::Developer;
    let call = Call { now: Timestamp::from_millis(play.now), caller: &caller, random: [3; 16] };
    let place = DatasetPlace {
        identity_pool_id: world.pools[0].identity_pool_id.clone(),
        identity_id: world.pools[0].identities[0].identity_id.clone(),
        dataset_name: "other".to_owned(),
    };
    play.update(&call, &place);
    let kinds: Vec<&str> = play
        .model
        .take_changes()
        .iter()
        .map(|piece| match piece.key {
            PieceKey::Pool(_) => "pool",
            PieceKey::Identity(..) => "identity",
            PieceKey::Dataset(_) => "dataset",
            PieceKey::Record(..) => "record",
            PieceKey::Session(..) => "session",
        })
        .collect();
    assert!(kinds.len() <= 8 && kinds.contains(&"record") && kinds.contains(&"session"), "{kinds:?}");
}

#[tokio::test]
async fn a_file_gives_back_what_was_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("state.db");
    let (mut play, mut kept) = (Play::new(11), BTreeMap::new());
    for _ in 0..3 {
        let store = Store::start(State::open(&path).expect("it opens"));
        for _ in 0..400 {
            play.step();
            let changes = play.model.take_changes();
            keep(&mut kept, changes.clone());
            store.follow(changes);
        }
        store.settled().await.expect("it is written");
        drop(store);
        assert_eq!(contents(&path), kept);
    }
    let names: Vec<_> =
        fs::read_dir(folder.path()).expect("a folder").map(|entry| entry.expect("it").file_name()).collect();
    assert_eq!(names, ["state.db"], "nothing is left beside it");
}

fn contents(path: &Path) -> BTreeMap<PieceKey, Vec<u8>> {
    let mut found = BTreeMap::new();
    let state = State::open(path).expect("it opens");
    let read = state.read(&mut |key, form| {
        found.insert(key.clone(), form.to_vec());
        Ok(())
    });
    read.expect("it is read");
    found
}

#[cfg(unix)]
#[test]
fn only_its_owner_may_read_a_state() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("state.db");
    State::open(&path).expect("it is made");
    assert_eq!(fs::metadata(&path).expect("it is there").permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_state_keeps_its_session_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("state.db");
    fs::write(&path, "").expect("an empty file");
    let key = State::open(&path).expect("an empty file is a new one").session_key();
    assert_eq!(State::open(&path).expect("it opens").session_key(), key);
    let other = folder.path().join("other.db");
    assert_ne!(State::open(&other).expect("it is made").session_key(), key);
}

#[test]
fn what_is_no_state_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let refused = |name: &str| State::open(&folder.path().join(name)).expect_err("it is refused").to_string();
    let text = folder.path().join("notes.txt");
    fs::write(&text, "dear diary").expect("a file");
    assert!(refused("notes.txt").contains("is no state file of syncspec"));
    assert_eq!(fs::read_to_string(&text).expect("it is there"), "dear diary");
    fs::create_dir(folder.path().join("folder")).expect("a folder");
    assert!(refused("folder").contains("is no state file of syncspec"));
    Database::create(folder.path().join("other.redb")).expect("a database").close().expect("it closes");
    assert!(refused("other.redb").contains("is no state file of syncspec"));
    assert!(refused("missing/state.db").contains("cannot use"));
    let held = State::open(&folder.path().join("held.db")).expect("it is made");
    assert!(refused("held.db").contains("is in use; is another `syncspec serve` running on it?"));
    drop(held);
}

#[test]
fn a_newer_format_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("state.db");
    State::open(&path).expect("it is made");
    let database = Database::open(&path).expect("a database");
    let write = database.begin_write().expect("a transaction");
    let numbers = redb::TableDefinition::<&str, u64>::new("syncspec");
    write.open_table(numbers).expect("the table").insert("format", 2).expect("it is written");
    write.commit().expect("it is written");
    drop(database);
    let refused = State::open(&path).expect_err("it is refused").to_string();
    assert!(refused.ends_with("was written by a newer syncspec (format 2, this one knows 1)"), "{refused}");
}

#[tokio::test]
async fn a_damaged_file_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("state.db");
    let store = Store::start(State::open(&path).expect("it is made"));
    let mut play = Play::new(5);
    for _ in 0..200 {
        play.step();
        store.follow(play.model.take_changes());
    }
    drop(store);
    let whole = fs::read(&path).expect("it is read");
    fs::write(&path, &whole[..whole.len() / 3]).expect("it is cut short");
    assert!(State::open(&path).is_err(), "cut short");
    // Values of records are altered, their lengths are not: all of them, since some stand
    // on pages that are used no more.
    let places: Vec<_> = (0..whole.len() - 5).filter(|at| &whole[*at..at + 5] == b"value").collect();
    assert!(!places.is_empty(), "a record is there");
    let mut altered = whole;
    places.into_iter().for_each(|at| altered[at] ^= 1);
    fs::write(&path, &altered).expect("it is altered");
    let refused = State::open(&path).and_then(|state| state.read(&mut |_, _| Ok(())));
    assert!(refused.is_err(), "altered");
}

/// Memory that can be told to fail, as a full disk does.
#[derive(Debug)]
struct Faulty {
    memory: InMemoryBackend,
    fails: Arc<AtomicBool>,
}

impl Faulty {
    fn check(&self) -> io::Result<()> {
        if self.fails.load(Ordering::SeqCst) { Err(io::Error::from(io::ErrorKind::StorageFull)) } else { Ok(()) }
    }
}

impl StorageBackend for Faulty {
    fn len(&self) -> io::Result<u64> {
        self.memory.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.memory.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.check()?;
        self.memory.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.check()?;
        self.memory.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.check()?;
        self.memory.write(offset, data)
    }
}

/// A state whose disk is full as soon as it is told so.
pub(in crate::reference) fn faulty_state() -> (State, Arc<AtomicBool>) {
    let fails = Arc::new(AtomicBool::new(false));
    let backend = Faulty { memory: InMemoryBackend::new(), fails: Arc::clone(&fails) };
    let database = Database::builder().create_with_backend(backend).expect("a database");
    (State { file: StateFile::new(database), session_key: [1; 32] }, fails)
}

#[tokio::test]
async fn a_failed_write_is_told_to_all_who_wait_and_come_later() {
    let (state, fails) = faulty_state();
    let store = Store::start(state);
    let piece = |key: &str| vec![Piece { key: PieceKey::Pool(key.to_owned()), form: Some(b"{}".to_vec()) }];
    store.follow(piece("a"));
    assert_eq!(store.settled().await, Ok(()));
    assert!(store.is_sound());
    fails.store(true, Ordering::SeqCst);
    store.follow(piece("b"));
    let why = store.settled().await.expect_err("it is not written");
    assert!(why.contains("cannot write memory"), "{why}");
    assert!(!store.is_sound());
    fails.store(false, Ordering::SeqCst);
    store.follow(piece("c"));
    assert_eq!(store.settled().await, Err(Arc::clone(&why)), "what came before is missing");
    assert_eq!(store.failure().await, why);
    store.close();
}
