//! The model's rules, moment by moment.

use std::collections::BTreeMap;

use rstest::rstest;

use super::{
    BulkPublishStatus, Call, Caller, CognitoStreams, DatasetPlace, DeviceIdentity, Limits, ListRecords, Model,
    PageRequest, PatchOperation, PoolConfiguration, PushSync, Record, RecordPage, RecordPatch, ServiceError, Timestamp,
    UpdateRecords,
};
use crate::reference::altered::{Switch, Switches};
use crate::reference::world::World;
use crate::spec::Service;

mod effects;

const HOUR_MILLIS: i64 = 60 * 60 * 1_000;

/// A model with a clock and a counter for luck.
struct Stage {
    model: Model,
    pool: String,
    identity: String,
    caller: Caller,
    now: i64,
    luck: u128,
}

impl Stage {
    fn new() -> Self {
        Self::with(Limits::of(Service::embedded()))
    }

    fn with(limits: Limits) -> Self {
        Self::of(&World::standard(3, 2), limits)
    }

    fn altered(switch: Switch) -> Self {
        Self::made(&World::standard(3, 2), Limits::of(Service::embedded()), vec![switch].into())
    }

    fn of(world: &World, limits: Limits) -> Self {
        Self::made(world, limits, Switches::default())
    }

    fn made(world: &World, limits: Limits, switches: Switches) -> Self {
        let pool = world.pools[0].identity_pool_id.clone();
        let identity = world.pools[0].identities[0].identity_id.clone();
        let caller = Caller::Identity { identity_pool_id: pool.clone(), identity_id: identity.clone() };
        let model = Model::new(world, limits, switches, [9; 32], Timestamp::from_millis(0));
        Self { model, pool, identity, caller, now: 1_000, luck: 0 }
    }

    fn place(&self, dataset: &str) -> DatasetPlace {
        DatasetPlace {
            identity_pool_id: self.pool.clone(),
            identity_id: self.identity.clone(),
            dataset_name: dataset.to_owned(),
        }
    }

    fn call<T>(&mut self, operation: impl FnOnce(&mut Model, &Call<'_>) -> T) -> T {
        self.luck += 1;
        self.now += 1;
        let call =
            Call { now: Timestamp::from_millis(self.now), caller: &self.caller, random: self.luck.to_be_bytes() };
        operation(&mut self.model, &call)
    }

    fn list_with(&mut self, dataset: &str, input: &ListRecords) -> Result<RecordPage, ServiceError> {
        let place = self.place(dataset);
        self.call(|model, call| model.list_records(call, &place, input))
    }

    fn list(&mut self, dataset: &str, since: i64) -> RecordPage {
        let input = ListRecords { last_sync_count: Some(since), ..ListRecords::default() };
        self.list_with(dataset, &input).expect("the listing is accepted")
    }

    fn update_with(
        &mut self,
        dataset: &str,
        token: &str,
        patches: &[RecordPatch],
    ) -> Result<Vec<Record>, ServiceError> {
        let place = self.place(dataset);
        let sync_session_token = Some(token.to_owned());
        let input = UpdateRecords { device_id: None, patches: patches.to_vec(), sync_session_token };
        self.call(|model, call| model.update_records(call, &place, &input))
    }

    /// Lists for a session, then updates.
    fn update(&mut self, dataset: &str, patches: &[RecordPatch]) -> Result<Vec<Record>, ServiceError> {
        let token = self.list(dataset, 0).sync_session_token;
        self.update_with(dataset, &token, patches)
    }

    fn written(&mut self, dataset: &str, patches: &[RecordPatch]) -> Vec<i64> {
        let records = self.update(dataset, patches).expect("the update is accepted");
        records.iter().map(|record| record.sync_count).collect()
    }

    fn delete(&mut self, dataset: &str) {
        let place = self.place(dataset);
        self.call(|model, call| model.delete_dataset(call, &place)).expect("the deletion is accepted");
    }
}

fn replace(key: &str, value: &str, count: i64) -> RecordPatch {
    RecordPatch {
        operation: PatchOperation::Replace,
        key: key.to_owned(),
        value: Some(value.to_owned()),
        sync_count: count,
        device_last_modified_date: None,
    }
}

fn remove(key: &str, count: i64) -> RecordPatch {
    RecordPatch { operation: PatchOperation::Remove, ..replace(key, "ignored", count) }
}

fn name<T: std::fmt::Debug>(result: Result<T, ServiceError>) -> &'static str {
    result.expect_err("it is refused").name
}

#[test]
fn a_call_takes_one_step_and_gives_it_to_its_records() {
    let mut stage = Stage::new();
    assert_eq!(stage.written("d", &[replace("b", "1", 0), replace("a", "1", 0)]), [1, 1]);
    assert_eq!(stage.written("d", &[replace("a", "1", 1)]), [2]);
    let page = stage.list("d", 0);
    let seen: Vec<_> = page.records.iter().map(|record| (record.key.as_str(), record.sync_count)).collect();
    assert_eq!(seen, [("a", 2), ("b", 1)]);
    assert_eq!((page.dataset_sync_count, page.dataset_exists), (2, true));
    assert_eq!(page.last_modified_by.as_deref(), Some(stage.identity.as_str()));
    assert_eq!(stage.list("d", 1).records.len(), 1);
    assert_eq!(stage.list("d", 2).records.len(), 0);
}

#[rstest]
#[case::older("a", 1, "Current SyncCount for: a is: 2 not: 1")]
#[case::newer("a", 3, "Current SyncCount for: a is: 2 not: 3")]
#[case::none("a", 0, "Current SyncCount for: a is: 2 not: 0")]
#[case::new_record("b", 2, "Current SyncCount for: b is: 0 not: 2")]
#[case::negative("b", -1, "Current SyncCount for: b is: 0 not: -1")]
fn another_count_than_the_records_is_a_conflict(#[case] key: &str, #[case] count: i64, #[case] message: &str) {
    let mut stage = Stage::new();
    stage.written("d", &[replace("a", "1", 0)]);
    stage.written("d", &[replace("a", "2", 1)]);
    let before = stage.list("d", 0);
    let good_and_bad = [replace("c", "1", 0), replace(key, "2", count)];
    let refused = stage.update("d", &good_and_bad).expect_err("the counts differ");
    assert_eq!((refused.name, refused.message.as_str()), ("ResourceConflictException", message));
    assert_eq!(stage.list("d", 0).records, before.records, "nothing was written");
    assert_eq!(stage.list("d", 0).dataset_sync_count, 2);
}

#[test]
fn a_session_is_spent_by_success_only() {
    let mut stage = Stage::new();
    stage.written("d", &[replace("a", "1", 0)]);
    let token = stage.list("d", 0).sync_session_token;
    let with = ListRecords { sync_session_token: Some(token.clone()), ..ListRecords::default() };
    assert!(stage.list_with("d", &with).is_ok());
    assert_eq!(name(stage.update_with("d", &token, &[replace("a", "2", 0)])), "ResourceConflictException");
    assert_eq!(name(stage.update_with("e", &token, &[replace("a", "2", 1)])), "InvalidParameterException");
    assert!(stage.list_with("d", &with).is_ok());
    assert!(stage.update_with("d", &token, &[replace("a", "2", 1)]).is_ok());
    let spent = stage.update_with("d", &token, &[replace("a", "3", 2)]).expect_err("it is spent");
    assert_eq!(spent.message, "SyncSessionToken not valid for these inputs");
    assert_eq!(stage.list_with("d", &with), Err(spent));
}

#[test]
fn tokens_that_writes_make_void_are_void_in_the_same_millisecond() {
    let mut stage = Stage::altered(Switch::TokensVoidedByWrites);
    let token = stage.list("d", 0).sync_session_token;
    stage.now -= 2;
    stage.written("d", &[replace("a", "1", 0)]);
    assert_eq!(name(stage.update_with("d", &token, &[replace("a", "2", 1)])), "InvalidParameterException");
    assert_eq!(stage.written("d", &[replace("a", "2", 1)]), [2]);
}

#[test]
fn a_session_expires_and_is_then_forgotten() {
    let mut stage = Stage::new();
    let token = stage.list("d", 0).sync_session_token;
    stage.written("d", &[replace("a", "1", 0)]);
    stage.now += HOUR_MILLIS;
    assert_eq!(name(stage.update_with("d", &token, &[replace("a", "2", 1)])), "InvalidParameterException");
    stage.written("d", &[replace("a", "2", 1)]);
    assert_eq!(stage.model.pools[&stage.pool].identities[&stage.identity].spent.len(), 1);
}

#[test]
fn an_update_without_patches_only_spends_its_session() {
    let mut stage = Stage::new();
    let token = stage.list("d", 0).sync_session_token;
    assert_eq!(stage.update_with("d", &token, &[]), Ok(Vec::new()));
    assert_eq!(name(stage.update_with("d", &token, &[])), "InvalidParameterException");
    assert!(!stage.list("d", 0).dataset_exists);
    assert_eq!(stage.model.pools[&stage.pool].identities[&stage.identity].datasets.len(), 0);
}

#[test]
fn a_removed_record_leaves_a_tombstone_that_counts_for_nothing() {
    let mut stage = Stage::new();
    stage.written("d", &[replace("ä", "12", 0), replace("b", "", 0)]);
    stage.written("d", &[remove("ä", 1), remove("never", 0)]);
    let page = stage.list("d", 0);
    let seen: Vec<_> = page.records.iter().map(|r| (r.key.as_str(), r.value.as_deref(), r.sync_count)).collect();
    assert_eq!(seen, [("b", Some(""), 1), ("never", None, 2), ("ä", None, 2)]);
    let described = stage.model.describe_dataset(&stage.place("d")).expect("it exists");
    assert_eq!((described.num_records, described.data_storage), (1, 1));
    assert_eq!(name(stage.update("d", &[replace("ä", "3", 0)])), "ResourceConflictException");
    assert_eq!(stage.written("d", &[replace("ä", "3", 2)]), [3]);
    let described = stage.model.describe_dataset(&stage.place("d")).expect("it exists");
    assert_eq!((described.num_records, described.data_storage), (2, 4));
}

#[test]
fn patches_that_contradict_themselves_are_refused() {
    let mut stage = Stage::new();
    let without_value = RecordPatch { value: None, ..replace("a", "", 0) };
    assert_eq!(name(stage.update("d", &[without_value])), "InvalidParameterException");
    let twice = [replace("a", "1", 0), remove("a", 0)];
    assert_eq!(name(stage.update("d", &twice)), "InvalidParameterException");
}

#[test]
fn a_deletion_is_remembered_and_the_count_goes_on() {
    let mut stage = Stage::new();
    stage.written("d", &[replace("a", "1", 0)]);
    stage.delete("d");
    let place = stage.place("d");
    assert_eq!(name(stage.model.describe_dataset(&place)), "ResourceNotFoundException");
    assert_eq!(name(stage.call(|model, call| model.delete_dataset(call, &place))), "ResourceNotFoundException");
    let flags = |page: &RecordPage| (page.dataset_exists, page.dataset_deleted_after_requested_sync_count);
    for (since, deleted) in [(0, false), (1, true), (2, false), (99, false)] {
        let page = stage.list("d", since);
        assert_eq!((flags(&page), page.dataset_sync_count, page.records.len()), ((false, deleted), 2, 0), "{since}");
        assert_eq!(page.last_modified_by, None);
    }
    assert_eq!(name(stage.update("d", &[replace("a", "2", 1)])), "ResourceConflictException");
    // A client may go on from the count it is shown, or begin anew.
    assert_eq!(stage.written("d", &[replace("a", "2", 2), replace("b", "2", 0)]), [3, 3]);
    for (since, deleted) in [(0, false), (1, true), (2, false), (3, false)] {
        assert_eq!(flags(&stage.list("d", since)), (true, deleted), "{since}");
    }
    assert_eq!(name(stage.update("d", &[replace("c", "2", 3)])), "ResourceConflictException");
}

#[test]
fn a_count_that_the_dataset_has_not_reached_is_refused() {
    let mut stage = Stage::new();
    stage.written("d", &[replace("a", "1", 0)]);
    let input = ListRecords { last_sync_count: Some(2), ..ListRecords::default() };
    let refused = stage.list_with("d", &input).expect_err("the count is too high");
    assert_eq!(refused.message, "No such SyncCount: 2 exists for this Dataset");
    assert_eq!(stage.list("never", 2).dataset_sync_count, 0);
}

#[test]
fn records_are_paged_in_order() {
    let mut stage = Stage::new();
    let patches: Vec<_> = ["e", "b", "d", "a", "c"].map(|key| replace(key, "1", 0)).into();
    stage.written("d", &patches);
    stage.written("e", &patches);
    let page = |next_token: Option<String>| PageRequest { next_token, max_results: Some(2) };
    let mut input = ListRecords { page: page(None), ..ListRecords::default() };
    let mut keys = Vec::new();
    loop {
        let answer = stage.list_with("d", &input).expect("the page exists");
        keys.push(answer.records.iter().map(|record| record.key.as_str()).collect::<String>());
        let Some(next) = answer.next_token else { break };
        input.page = page(Some(next.clone()));
        assert_eq!(name(stage.list_with("e", &input)), "InvalidParameterException");
    }
    assert_eq!(keys, ["ab", "cd", "e"]);
    for token in ["", "x", "W10=", "bm90IGpzb24="] {
        input.page.next_token = Some(token.to_owned());
        assert_eq!(name(stage.list_with("d", &input)), "InvalidParameterException", "{token}");
    }
    for max_results in [0, -1, i64::MIN] {
        input.page = PageRequest { next_token: None, max_results: Some(max_results) };
        assert_eq!(name(stage.list_with("d", &input)), "InvalidParameterException", "{max_results}");
    }
    input.page.max_results = Some(i64::MAX);
    assert_eq!(stage.list_with("d", &input).map(|page| page.records.len()), Ok(5));
}

#[test]
fn quotas_hold_exactly() {
    let limits =
        Limits { datasets_per_identity: 2, records_per_dataset: 3, dataset_bytes: 10, bulk_publish_wait_millis: 0 };
    let mut stage = Stage::with(limits);
    stage.written("d", &[replace("a", "", 0), replace("b", "", 0), replace("c", "", 0)]);
    assert_eq!(name(stage.update("d", &[replace("e", "", 0)])), "LimitExceededException");
    stage.written("d", &[replace("e", "", 0), remove("a", 1)]);
    stage.written("d", &[replace("b", "1234567", 1)]);
    assert_eq!(name(stage.update("d", &[replace("c", "1", 1)])), "LimitExceededException");
    stage.written("d", &[replace("b", "123456", 3), replace("c", "1", 1)]);
    stage.written("e", &[replace("a", "", 0)]);
    assert_eq!(name(stage.update("f", &[replace("a", "", 0)])), "LimitExceededException");
    stage.written("e", &[replace("b", "", 0)]);
    stage.delete("e");
    stage.written("f", &[replace("a", "", 0)]);
    assert_eq!(name(stage.update("e", &[replace("a", "", 0)])), "LimitExceededException");
    assert_eq!(stage.model.pools[&stage.pool].identities[&stage.identity].datasets.len(), 3);
}

#[test]
fn quotas_come_from_the_description() {
    let mut service = Service::embedded().clone();
    let limits = Limits::of(&service);
    assert_eq!((limits.datasets_per_identity, limits.records_per_dataset), (20, 1_024));
    assert_eq!((limits.dataset_bytes, limits.bulk_publish_wait_millis), (1_048_576, 24 * HOUR_MILLIS));
    service.limits.clear();
    assert_eq!(Limits::of(&service).dataset_bytes, u64::MAX);
}

#[test]
fn memory_is_bounded() {
    let mut stage = Stage::new();
    for round in 0..5 {
        let removals: Vec<_> = (0..1_024).map(|key| remove(&format!("{round}-{key}"), 0)).collect();
        stage.written("d", &removals);
    }
    let identity = |stage: &Stage| stage.model.pools[&stage.pool].identities[&stage.identity].datasets.len();
    let dataset = &stage.model.pools[&stage.pool].identities[&stage.identity].datasets["d"];
    assert_eq!(dataset.records.len(), 4_096);
    assert!(dataset.records.values().all(|record| record.sync_count > 1), "the oldest went");
    for number in 0..1_010 {
        let name = format!("deleted-{number}");
        stage.written(&name, &[replace("a", "1", 0)]);
        stage.delete(&name);
    }
    assert_eq!(identity(&stage), 1_001);
    assert_eq!(stage.list("deleted-0", 1).dataset_sync_count, 0);
    assert_eq!(stage.list("deleted-1009", 1).dataset_sync_count, 2);
}

#[test]
fn writers_are_named_by_account_device_or_identity() {
    let mut stage = Stage::new();
    let place = stage.place("d");
    for (device, developer, expected) in [
        (None, false, stage.identity.clone()),
        (Some("phone"), false, "phone".to_owned()),
        (Some("phone"), true, "123456789012".to_owned()),
    ] {
        if developer {
            stage.caller = Caller::Developer;
        }
        let page = stage.list("d", 0);
        let input = UpdateRecords {
            device_id: device.map(str::to_owned),
            patches: vec![replace("a", "1", page.dataset_sync_count)],
            sync_session_token: Some(page.sync_session_token),
        };
        let written = stage.call(|model, call| model.update_records(call, &place, &input)).expect("it is accepted");
        assert_eq!(*written[0].last_modified_by, *expected);
    }
}

#[test]
fn strangers_list_as_empty_and_cannot_be_written_to() {
    let mut stage = Stage::new();
    stage.identity = "us-east-1:0".to_owned();
    assert!(!stage.list("d", 5).dataset_exists);
    assert_eq!(name(stage.update("d", &[replace("a", "1", 0)])), "ResourceNotFoundException");
    let usage = stage.model.identity_usage(&stage.pool, &stage.identity).expect("it describes as empty");
    assert_eq!((usage.dataset_count, usage.data_storage, usage.last_modified_date), (0, 0, None));
    let datasets = stage.model.list_datasets(&stage.pool, &stage.identity, &PageRequest::default());
    assert_eq!(datasets.map(|page| page.datasets.len()), Ok(0));
    stage.pool = "us-east-1:0".to_owned();
    let place = stage.place("d");
    let refused = stage.model.describe_dataset(&place).expect_err("there is no pool");
    assert_eq!(refused.message, "IdentityPool 'us-east-1:0' not found");
    assert_eq!(name(stage.list_with("d", &ListRecords::default())), "NotAuthorizedException");
}

#[test]
fn a_bulk_publish_runs_succeeds_and_then_waits_a_day() {
    let mut stage = Stage::new();
    let pool = stage.pool.clone();
    let publish = |stage: &mut Stage, at: i64| {
        stage.now = at - 1;
        stage.call(|model, call| model.bulk_publish(call, &pool))
    };
    assert_eq!(name(publish(&mut stage, 5_000)), "InvalidParameterException");
    for (status, expected) in [("DISABLED", "InvalidParameterException"), ("ENABLED", "")] {
        let streams = CognitoStreams { streaming_status: Some(status.to_owned()), ..CognitoStreams::default() };
        let configuration = PoolConfiguration { cognito_streams: Some(streams), push_sync: None };
        stage.model.set_pool_configuration(&stage.pool, &configuration).expect("the pool exists");
        let published = publish(&mut stage, 10_000);
        assert_eq!(published.map_or_else(|refused| refused.name, |()| ""), expected);
    }
    assert_eq!(name(publish(&mut stage, 10_299)), "DuplicateRequestException");
    assert_eq!(name(publish(&mut stage, 10_300)), "AlreadyStreamedException");
    let day_after = 10_300 + 24 * HOUR_MILLIS;
    assert_eq!(name(publish(&mut stage, day_after - 1)), "AlreadyStreamedException");
    assert_eq!(publish(&mut stage, day_after), Ok(()));
    let mut details = |at: i64| {
        stage.now = at - 1;
        let pool = stage.pool.clone();
        stage.call(|model, call| model.bulk_publish_details(call, &pool)).expect("the pool exists")
    };
    let running = details(day_after + 1);
    assert_eq!((running.status, running.complete_time), (BulkPublishStatus::InProgress, None));
    let done = details(day_after + 300);
    assert_eq!(done.status, BulkPublishStatus::Succeeded);
    assert_eq!(done.start_time, Some(Timestamp::from_millis(day_after)));
    assert_eq!(done.complete_time, Some(Timestamp::from_millis(day_after + 300)));
}

#[test]
fn a_configuration_is_set_part_by_part_and_cleared_by_emptiness() {
    let mut stage = Stage::new();
    let push = PushSync { application_arns: vec!["arn".to_owned()], role_arn: None };
    let streams = CognitoStreams { stream_name: Some("s".to_owned()), ..CognitoStreams::default() };
    let both = PoolConfiguration { push_sync: Some(push.clone()), cognito_streams: Some(streams.clone()) };
    let mut set = |push_sync, cognito_streams| {
        let configuration = PoolConfiguration { push_sync, cognito_streams };
        stage.model.set_pool_configuration(&stage.pool, &configuration).expect("the pool exists")
    };
    set(Some(push), None);
    assert_eq!(set(None, Some(streams.clone())), both);
    assert_eq!(set(None, None), both);
    let without_push = PoolConfiguration { push_sync: None, cognito_streams: Some(streams) };
    assert_eq!(set(Some(PushSync::default()), None), without_push);
    assert_eq!(stage.model.pool_configuration(&stage.pool), Ok(without_push));
}

#[test]
fn only_the_known_event_is_set() {
    let mut stage = Stage::new();
    let mut set = |name: &str, arn: &str| {
        let events = BTreeMap::from([(name.to_owned(), arn.to_owned())]);
        stage.model.set_cognito_events(&stage.pool, &events)?;
        stage.model.cognito_events(&stage.pool)
    };
    assert_eq!(set("SyncTrigger", "arn").map(|events| events.len()), Ok(1));
    assert_eq!(name(set("Other", "arn")), "InvalidParameterException");
    assert_eq!(set("SyncTrigger", "").map(|events| events.len()), Ok(0));
}

#[test]
fn devices_are_known_again_and_bounded() {
    let mut stage = Stage::new();
    let (pool, identity) = (stage.pool.clone(), stage.identity.clone());
    let register = |stage: &mut Stage, token: &str| {
        let device = DeviceIdentity { platform: "GCM", token };
        stage.call(|model, call| model.register_device(call, &pool, &identity, device, None))
    };
    assert_eq!(name(register(&mut stage, "t")), "InvalidConfigurationException");
    let push = PushSync { application_arns: vec!["arn".to_owned()], role_arn: None };
    let configuration = PoolConfiguration { push_sync: Some(push), cognito_streams: None };
    stage.model.set_pool_configuration(&stage.pool, &configuration).expect("the pool exists");
    let first = register(&mut stage, "t").expect("push is configured");
    assert_eq!(register(&mut stage, "t").as_ref(), Ok(&first));
    assert_ne!(register(&mut stage, "u").as_ref(), Ok(&first));
    let place = stage.place("d");
    assert_eq!(name(stage.model.subscribe_to_dataset(&place, &first)), "ResourceNotFoundException");
    stage.written("d", &[replace("a", "1", 0)]);
    assert_eq!(stage.model.subscribe_to_dataset(&place, &first), Ok(()));
    for number in 0..1_000 {
        register(&mut stage, &format!("token {number}")).expect("push is configured");
    }
    assert_eq!(name(stage.model.unsubscribe_from_dataset(&place, &first)), "ResourceNotFoundException");
}

#[test]
fn usage_adds_up_and_pools_are_paged() {
    let mut stage = Stage::new();
    stage.written("d", &[replace("ab", "cd", 0)]);
    stage.written("e", &[replace("a", "b", 0)]);
    let usage = stage.model.identity_usage(&stage.pool, &stage.identity).expect("the pool exists");
    assert_eq!((usage.dataset_count, usage.data_storage), (2, 6));
    stage.delete("d");
    let pool = stage.model.identity_pool_usage(&stage.pool).expect("the pool exists");
    assert_eq!((pool.data_storage, pool.last_modified_date), (2, Timestamp::from_millis(stage.now)));
    let mut request = PageRequest { next_token: None, max_results: Some(2) };
    let first = stage.model.list_identity_pool_usage(&request).expect("the page exists");
    assert_eq!((first.usages.len(), first.max_results), (2, 2));
    request.next_token = first.next_token;
    let second = stage.model.list_identity_pool_usage(&request).expect("the page exists");
    assert_eq!((second.usages.len(), second.next_token), (1, None));
    request.next_token = Some("dXMtZWFzdC0xOjA=".to_owned());
    assert_eq!(name(stage.model.list_identity_pool_usage(&request)), "InvalidParameterException");
}
