//! What the model wants done outside, and what functions make of updates.

use std::collections::BTreeMap;

use super::{Stage, name, remove, replace};
use crate::reference::altered::Switch;
use crate::reference::collaborators::Collaborators;
use crate::reference::model::{
    BulkPublishStatus, Call, Caller, CognitoStreams, DeviceIdentity, Effect, Invocation, Limits, PatchOperation,
    PoolConfiguration, PushSync, RecordPatch, ServiceError, Timestamp, UpdateRecords, Wanted,
};
use crate::reference::world::World;
use crate::spec::Service;

/// A service with functions, streams and push, in a pool where all are set.
fn stage() -> Stage {
    let there = || Some("http://127.0.0.1:1".to_owned());
    let collaborators = Collaborators { lambda: there(), kinesis: there(), sns: there(), ..Collaborators::default() };
    let world = World { collaborators, ..World::standard(3, 2) };
    let mut stage = Stage::of(&world, Limits::of(Service::embedded()));
    let events = BTreeMap::from([("SyncTrigger".to_owned(), "function".to_owned())]);
    stage.model.set_cognito_events(&stage.pool, &events).expect("the event is set");
    set_stream(&mut stage, "stream");
    let push =
        PushSync { application_arns: vec!["arn:app/APNS/a".to_owned(), "arn:app/GCM/a".to_owned()], role_arn: None };
    let configuration = PoolConfiguration { push_sync: Some(push), cognito_streams: None };
    stage.model.set_pool_configuration(&stage.pool, &configuration).expect("push is set");
    stage
}

fn set_stream(stage: &mut Stage, stream: &str) {
    let streams = CognitoStreams {
        stream_name: Some(stream.to_owned()),
        streaming_status: Some("ENABLED".to_owned()),
        ..CognitoStreams::default()
    };
    let configuration = PoolConfiguration { push_sync: None, cognito_streams: Some(streams) };
    stage.model.set_pool_configuration(&stage.pool, &configuration).expect("the stream is set");
}

impl Stage {
    fn input(&mut self, patches: &[RecordPatch]) -> UpdateRecords {
        let sync_session_token = Some(self.list("d", 0).sync_session_token);
        UpdateRecords { device_id: None, patches: patches.to_vec(), sync_session_token }
    }

    fn invocation(&mut self, input: &UpdateRecords) -> Result<Option<Invocation>, ServiceError> {
        let place = self.place("d");
        self.call(|model, call| model.invocation(call, &place, input))
    }

    fn commit(
        &mut self,
        input: &UpdateRecords,
        invocation: &Invocation,
        wanted: &Wanted,
    ) -> Result<Vec<(String, Option<String>, i64)>, ServiceError> {
        let input = UpdateRecords { patches: invocation.patches_with(wanted), ..input.clone() };
        let place = self.place("d");
        let records = self.call(|model, call| model.update_records(call, &place, &input))?;
        Ok(records.into_iter().map(|record| (record.key, record.value, record.sync_count)).collect())
    }

    fn stream_records(&mut self) -> Vec<(PatchOperation, Option<Vec<String>>, i64)> {
        let effects = self.model.take_effects().into_iter();
        let records = effects.filter_map(|effect| match effect {
            Effect::Stream(_, record) => {
                let keys = record.records.map(|all| all.into_iter().map(|record| record.key).collect());
                Some((record.operation, keys, record.sync_count))
            }
            _ => None,
        });
        records.collect()
    }
}

fn wanted(all: &[(&str, Option<&str>)]) -> Wanted {
    all.iter().map(|(key, value)| ((*key).to_owned(), value.map(str::to_owned))).collect()
}

#[test]
fn a_function_sees_everything_and_changes_what_it_names() {
    let mut stage = stage();
    stage.written("d", &[replace("a", "1", 0), replace("b", "1", 0), replace("c", "1", 0), replace("g", "1", 0)]);
    stage.written("d", &[remove("g", 1)]);
    let input = stage.input(&[replace("a", "2", 1), remove("b", 1), replace("e", "2", 0), replace("f", "2", 0)]);
    let invocation = stage.invocation(&input).expect("it may be made").expect("there is a function");
    assert_eq!(invocation.function_arn, "function");
    let seen: Vec<_> = (invocation.records.iter())
        .map(|(key, seen)| (key.as_str(), seen.old_value.as_deref(), seen.new_value.as_deref()))
        .collect();
    let expected = [
        ("a", Some("1"), Some("2")),
        ("b", Some("1"), None),
        ("c", Some("1"), Some("1")),
        ("e", None, Some("2")),
        ("f", None, Some("2")),
    ];
    assert_eq!(seen, expected);
    let wanted = wanted(&[
        ("a", Some("3")),
        ("b", Some("back")),
        ("c", Some("1")),
        ("e", None),
        ("g", Some("anew")),
        ("h", Some("new")),
        ("i", None),
    ]);
    let written = stage.commit(&input, &invocation, &wanted).expect("nobody was in the way");
    let written: Vec<_> = written.iter().map(|(key, value, count)| (key.as_str(), value.as_deref(), *count)).collect();
    let expected = [
        ("a", Some("3"), 3),
        ("b", Some("back"), 3),
        ("e", None, 3),
        ("f", Some("2"), 3),
        ("g", Some("anew"), 3),
        ("h", Some("new"), 3),
    ];
    assert_eq!(written, expected);
}

#[test]
fn some_updates_have_no_function() {
    let mut stage = stage();
    let input = stage.input(&[]);
    assert_eq!(stage.invocation(&input), Ok(None));
    let input = stage.input(&[replace("a", "1", 0)]);
    let place = stage.place("d");
    let developer = Call { now: Timestamp::from_millis(2_000), caller: &Caller::Developer, random: [1; 16] };
    assert_eq!(stage.model.invocation(&developer, &place, &input), Ok(None));
    let events = BTreeMap::from([("SyncTrigger".to_owned(), String::new())]);
    stage.model.set_cognito_events(&stage.pool, &events).expect("the event is unset");
    assert_eq!(stage.invocation(&input), Ok(None));
}

#[test]
fn what_would_be_refused_never_reaches_the_function() {
    let mut stage = stage();
    stage.written("d", &[replace("a", "1", 0)]);
    let mut refusal = |patch: RecordPatch, token: Option<&str>| {
        let mut input = stage.input(&[patch]);
        if let Some(token) = token {
            input.sync_session_token = Some(token.to_owned());
        }
        name(stage.invocation(&input))
    };
    assert_eq!(refusal(replace("a", "2", 0), None), "ResourceConflictException");
    assert_eq!(refusal(replace("a", "2", 1), Some("made up")), "InvalidParameterException");
    assert_eq!(refusal(RecordPatch { value: None, ..replace("a", "", 1) }, None), "InvalidParameterException");
    let large = "x".repeat(1_048_576);
    assert_eq!(refusal(replace("a", &large, 1), None), "LimitExceededException");
}

#[test]
fn what_a_refusal_leaves_behind_it_leaves_with_a_function_too() {
    for switch in [Switch::ConflictSpendsToken, Switch::OtherRefusalSpendsToken, Switch::PartialBatch] {
        let mut stage = stage();
        stage.written("d", &[replace("a", "1", 0)]);
        let input = stage.input(&[replace("a", "2", 0)]);
        assert_eq!(name(stage.invocation(&input)), "ResourceConflictException");
        stage.model.switch(vec![switch].into());
        assert_eq!(stage.invocation(&input), Ok(None), "{switch:?}");
    }
}

#[test]
fn what_happened_meanwhile_counts() {
    let mut stage = stage();
    stage.written("d", &[replace("a", "1", 0), replace("b", "1", 0), replace("c", "1", 0)]);
    let input = stage.input(&[replace("a", "2", 1)]);
    let invocation = stage.invocation(&input).expect("it may be made").expect("there is a function");
    stage.written("d", &[replace("b", "2", 1)]);
    let on_b = wanted(&[("b", Some("3"))]);
    assert_eq!(name(stage.commit(&input, &invocation, &on_b)), "ResourceConflictException");
    assert_eq!(stage.list("d", 0).dataset_sync_count, 2);
    // The records of the others do not matter, and the token is still good.
    let on_c = wanted(&[("c", Some("3"))]);
    assert_eq!(stage.commit(&input, &invocation, &on_c).map(|written| written.len()), Ok(2));
    assert_eq!(name(stage.commit(&input, &invocation, &wanted(&[]))), "InvalidParameterException");
}

#[test]
fn what_a_function_adds_must_fit() {
    let mut stage = stage();
    let input = stage.input(&[replace("a", "1", 0)]);
    let invocation = stage.invocation(&input).expect("it may be made").expect("there is a function");
    let many: Vec<String> = (0..1_024).map(|number| format!("k{number}")).collect();
    let many = many.into_iter().map(|key| (key, Some(String::new()))).collect();
    assert_eq!(name(stage.commit(&input, &invocation, &many)), "LimitExceededException");
    assert_eq!(stage.commit(&input, &invocation, &wanted(&[])).map(|written| written.len()), Ok(1));
}

#[test]
fn every_change_has_a_record_and_no_refusal_has() {
    let mut stage = stage();
    stage.written("d", &[replace("a", "1", 0), replace("b", "1", 0)]);
    stage.update("d", &[replace("a", "1", 0)]).expect_err("the count is stale");
    stage.written("d", &[]);
    stage.written("d", &[remove("a", 1)]);
    stage.delete("d");
    let keys = |keys: &[&str]| Some(keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>());
    let expected = [
        (PatchOperation::Replace, keys(&["a", "b"]), 1),
        (PatchOperation::Replace, keys(&["a"]), 2),
        (PatchOperation::Remove, None, 3),
    ];
    assert_eq!(stage.stream_records(), expected);
    assert!(stage.model.take_effects().is_empty());
}

#[test]
fn a_failing_stream_is_switched_off_until_it_is_set_anew() {
    let mut stage = stage();
    stage.written("d", &[replace("a", "1", 0)]);
    let Some(Effect::Stream(target, _)) = stage.model.take_effects().pop() else { panic!("there is a record") };
    stage.model.stream_failed(&target, "it is gone");
    let streams = |stage: &Stage| {
        let configuration = stage.model.pool_configuration(&stage.pool).expect("the pool exists");
        let streams = configuration.cognito_streams.expect("there is a stream");
        (streams.streaming_status.unwrap_or_default(), streams.disabled_reason)
    };
    assert_eq!(streams(&stage), ("DISABLED".to_owned(), Some("it is gone".to_owned())));
    stage.written("d", &[replace("a", "2", 1)]);
    assert!(stage.stream_records().is_empty());
    set_stream(&mut stage, "stream");
    assert_eq!(streams(&stage), ("ENABLED".to_owned(), None));
    // News of the former setting comes too late.
    stage.model.stream_failed(&target, "it is gone");
    stage.written("d", &[replace("a", "3", 2)]);
    assert_eq!(stage.stream_records().len(), 1);
}

#[test]
fn others_are_told_and_the_writer_is_not() {
    let mut stage = stage();
    let (pool, identity) = (stage.pool.clone(), stage.identity.clone());
    let register = |stage: &mut Stage, platform: &str, token: &str, reached: bool| {
        let device = DeviceIdentity { platform, token };
        let request = stage.model.endpoint_request(&pool, &identity, device).expect("push is set");
        let request = request.expect("it is new");
        assert_eq!((request.application_arn, request.token.as_str()), (format!("arn:app/{platform}/a"), token));
        let arn = reached.then(|| format!("endpoint {token}"));
        stage.call(|model, call| model.register_device(call, &pool, &identity, device, arn)).expect("push is set")
    };
    let one = register(&mut stage, "GCM", "1", true);
    let two = register(&mut stage, "APNS", "2", true);
    let unreached = register(&mut stage, "GCM", "3", false);
    register(&mut stage, "GCM", "4", true);
    let again = DeviceIdentity { platform: "GCM", token: "1" };
    assert_eq!(stage.model.endpoint_request(&stage.pool, &stage.identity, again), Ok(None));
    let other = DeviceIdentity { platform: "ADM", token: "1" };
    let refused = stage.model.endpoint_request(&stage.pool, &stage.identity, other);
    assert_eq!(name(refused), "InvalidConfigurationException");

    stage.written("d", &[replace("a", "1", 0)]);
    let place = stage.place("d");
    for device in [&one, &two, &unreached] {
        stage.model.subscribe_to_dataset(&place, device).expect("both exist");
    }
    let mut told = |device_id: Option<&str>, count: i64| {
        let mut input = stage.input(&[replace("a", "1", count)]);
        input.device_id = device_id.map(str::to_owned);
        stage.call(|model, call| model.update_records(call, &place, &input)).expect("it is written");
        let notified = stage.model.take_effects().into_iter().filter_map(|effect| match effect {
            Effect::Notify(notification) => {
                assert_eq!(notification.sync_count, count + 1);
                Some((notification.platform, notification.endpoint_arn))
            }
            _ => None,
        });
        let mut notified: Vec<_> = notified.collect();
        notified.sort();
        notified
    };
    let endpoint = |platform: &str, token: &str| (platform.to_owned(), format!("endpoint {token}"));
    assert_eq!(told(Some(&one), 1), [endpoint("APNS", "2")]);
    assert_eq!(told(Some("unknown"), 2), [endpoint("APNS", "2"), endpoint("GCM", "1")]);
    assert_eq!(told(None, 3), [endpoint("APNS", "2"), endpoint("GCM", "1")]);
    stage.delete("d");
    assert!(!stage.model.take_effects().iter().any(|effect| matches!(effect, Effect::Notify(_))));
}

#[test]
fn a_bulk_publish_ends_when_it_is_said_to() {
    let mut stage = stage();
    stage.written("d", &[replace("a", "1", 0), replace("b", "1", 0)]);
    stage.written("d", &[remove("b", 1)]);
    stage.written("e", &[replace("a", "1", 0)]);
    stage.written("f", &[replace("a", "1", 0)]);
    stage.delete("f");
    stage.model.take_effects();
    let pool = stage.pool.clone();
    let publish = |stage: &mut Stage| stage.call(|model, call| model.bulk_publish(call, &pool));
    let status = |stage: &mut Stage| {
        let details = stage.call(|model, call| model.bulk_publish_details(call, &pool)).expect("the pool exists");
        (details.status, details.complete_time.is_some(), details.failure_message)
    };
    assert_eq!(status(&mut stage), (BulkPublishStatus::NotStarted, false, None));
    assert_eq!(publish(&mut stage), Ok(()));
    let Some(Effect::Publish(first)) = stage.model.take_effects().pop() else { panic!("it is asked for") };
    let names: Vec<_> = first.places.iter().map(|place| place.dataset_name.as_str()).collect();
    assert_eq!(names, ["d", "e"]);
    let record = stage.model.stream_record(&first.places[0]).expect("it exists");
    let keys: Vec<_> = record.records.iter().flatten().map(|record| record.key.as_str()).collect();
    assert_eq!((keys, record.sync_count), (vec!["a"], 2));
    stage.now += 1_000_000;
    assert_eq!(status(&mut stage), (BulkPublishStatus::InProgress, false, None));
    assert_eq!(name(publish(&mut stage)), "DuplicateRequestException");
    let now = Timestamp::from_millis(stage.now);
    stage.model.bulk_publish_ended(&first, now, Some("no stream".to_owned()));
    assert_eq!(status(&mut stage), (BulkPublishStatus::Failed, true, Some("no stream".to_owned())));

    assert_eq!(publish(&mut stage), Ok(()), "a failure does not count");
    let Some(Effect::Publish(second)) = stage.model.take_effects().pop() else { panic!("it is asked for") };
    stage.model.bulk_publish_ended(&first, now, None);
    assert_eq!(status(&mut stage).0, BulkPublishStatus::InProgress, "that was the former one");
    stage.model.bulk_publish_ended(&second, now, None);
    assert_eq!(status(&mut stage), (BulkPublishStatus::Succeeded, true, None));
    assert_eq!(name(publish(&mut stage)), "AlreadyStreamedException");
}

#[test]
fn without_collaborators_nothing_is_to_be_done() {
    let mut stage = Stage::new();
    set_stream(&mut stage, "stream");
    stage.written("d", &[replace("a", "1", 0)]);
    let pool = stage.pool.clone();
    stage.call(|model, call| model.bulk_publish(call, &pool)).expect("streaming is on");
    assert!(stage.model.take_effects().is_empty());
}
