use std::sync::Arc;
use std::time::Duration;

use rstest::rstest;

use super::{End, Fault, Faults};
use crate::spec::Service;

fn faults(texts: &[&str]) -> Faults {
    let service = Service::embedded();
    let parsed = texts.iter().map(|text| Fault::parse(text, service).expect("it is one"));
    Faults::new(Arc::new(service.clone()), parsed.collect(), false)
}

/// What so many requests meet: the error's name, a cut, or nothing.
fn met(faults: &Faults, operation: &str, requests: usize) -> Vec<String> {
    let end = |_| match faults.meet(operation).end {
        None => "-".to_owned(),
        Some(End::CutBefore) => "before".to_owned(),
        Some(End::CutAfter) => "after".to_owned(),
        Some(End::Refused(refusal)) => refusal.name,
    };
    (0..requests).map(end).collect()
}

#[rstest]
#[case::always("cut-before", "before before before before before before before")]
#[case::once("cut-before:1", "before - - - - - -")]
#[case::twice("cut-after:2", "after after - - - - -")]
#[case::shares("cut-before:2/3", "before before - before before - before")]
#[case::all_of_them("cut-before:3/3", "before before before before before before before")]
#[case::of_an_operation("cut-before:ListRecords:1/2", "before - before - before - before")]
#[case::of_another("cut-before:ListDatasets", "- - - - - - -")]
fn requests_meet_faults_when_they_are_due(#[case] fault: &str, #[case] expected: &str) {
    assert_eq!(met(&faults(&[fault]), "ListRecords", 7).join(" "), expected);
}

#[test]
fn faults_come_one_after_the_other() {
    let faults = faults(&["TooManyRequestsException:1", "delay=2s:2", "InternalErrorException:2", "delay=1s"]);
    let seen: Vec<(Option<String>, u64)> = (0..4)
        .map(|_| faults.meet("ListRecords"))
        .map(|met| {
            let name = met.end.map(|end| match end {
                End::Refused(refusal) => refusal.name,
                _ => panic!("nothing is cut"),
            });
            (name, met.delay.as_secs())
        })
        .collect();
    let named = |name: &str, delay| (Some(name.to_owned()), delay);
    let expected = [
        named("TooManyRequestsException", 3),
        named("InternalErrorException", 3),
        named("InternalErrorException", 1),
        (None, 1),
    ];
    assert_eq!(seen, expected);
    let counted: Vec<(u64, u64)> = faults.all().iter().map(|set| (set.requests, set.met)).collect();
    assert_eq!(counted, [(4, 1), (4, 2), (3, 2), (4, 4)]);
}

#[test]
fn declared_errors_are_for_whom_declares_them() {
    let throttled = faults(&["TooManyRequestsException"]);
    assert_eq!(met(&throttled, "ListRecords", 1), ["TooManyRequestsException"]);
    assert_eq!(met(&throttled, "BulkPublish", 1), ["-"]);
    let common = faults(&["ThrottlingException"]);
    assert_eq!(met(&common, "BulkPublish", 1), ["ThrottlingException"]);
}

#[test]
fn other_faults_begin_anew() {
    let faults = faults(&["cut-before:1"]);
    assert_eq!(met(&faults, "ListRecords", 2), ["before", "-"]);
    faults.replace(&["cut-before:1".to_owned()]).expect("it is one");
    assert_eq!(met(&faults, "ListRecords", 2), ["before", "-"]);
    faults.replace(&["cut-after".to_owned(), "no".to_owned()]).expect_err("there is no such fault");
    assert_eq!(faults.all()[0].requests, 2, "nothing is changed");
    faults.replace(&[]).expect("none are some");
    assert_eq!(met(&faults, "ListRecords", 1), ["-"]);
}

#[rstest]
#[case::nothing("", "`` is no fault: wanted the name of an error, `cut-before`, `cut-after` or `delay=TIME`")]
#[case::unknown("cut", "`cut` is no fault: wanted the name of an error, `cut-before`, `cut-after` or `delay=TIME`")]
#[case::operation("cut-before:ListRecord", "there is no operation `ListRecord`")]
#[case::no_operation("cut-before::1", "there is no operation ``")]
#[case::undeclared(
    "ResourceConflictException:GetCognitoEvents",
    "GetCognitoEvents does not declare ResourceConflictException; it declares InvalidParameterException, \
     ResourceNotFoundException, NotAuthorizedException, InternalErrorException, TooManyRequestsException, and may be \
     given a common error"
)]
#[case::never(
    "cut-before:0",
    "`0` does not say when: wanted `N` for the first N requests, or `N/M` for the first N of each M"
)]
#[case::too_many(
    "cut-before:3/2",
    "`3/2` does not say when: wanted `N` for the first N requests, or `N/M` for the first N of each M"
)]
#[case::share(
    "cut-before:50%",
    "`50%` does not say when: wanted `N` for the first N requests, or `N/M` for the first N of each M"
)]
#[case::turned_round(
    "cut-before:1:ListRecords",
    "`cut-before:1:ListRecords` has too many parts: wanted WHAT[:OPERATION][:WHEN]"
)]
#[case::no_unit(
    "delay=2",
    "`delay=2` is no delay: wanted a whole number with its unit, such as `500ms` or `2s`, of at most 1h"
)]
#[case::too_long(
    "delay=2h",
    "`delay=2h` is no delay: wanted a whole number with its unit, such as `500ms` or `2s`, of at most 1h"
)]
fn mistakes_are_explained(#[case] text: &str, #[case] message: &str) {
    let error = Fault::parse(text, Service::embedded()).expect_err("it is no fault");
    assert_eq!(error.to_string(), message);
}

#[test]
fn delays_end_some_day() {
    let faults = faults(&["delay=1h", "delay=1h"]);
    assert_eq!(faults.meet("ListRecords").delay, Duration::from_secs(3_600));
}
