//! Servers that are wrong in one way each, and the part that shows it.

use rstest::rstest;

use super::story::Story;
use crate::fuzz::history::{Call, Outcome, Part, Verdict, check};
use crate::judge::Level;
use crate::spec::Catalog;

/// A dataset in which `a` and `b` were written, at 1 and 2.
fn begun() -> Story {
    Story::default().wrote(0, 0..2, &[("a", 0, "a1")], 1).wrote(1, 3..5, &[("b", 0, "b1")], 2)
}

#[rstest]
#[case::lost_update(
    begun().wrote(0, 10..14, &[("a", 1, "x")], 3).wrote(1, 11..15, &[("a", 1, "y")], 4),
    &[2, 3], "UpdateRecords/rule/stale-sync-count")]
#[case::lost_update_of_a_batch(
    begun().wrote(0, 10..14, &[("a", 1, "x")], 3).wrote(1, 11..15, &[("c", 0, "c1"), ("a", 1, "y")], 4),
    &[2, 3], "UpdateRecords/rule/stale-sync-count")]
#[case::duplicate_count(
    begun().wrote(0, 10..14, &[("a", 1, "x")], 3).wrote(1, 11..15, &[("b", 2, "y")], 3),
    &[2, 3], "UpdateRecords/rule/one-step-per-call")]
#[case::count_of_two_steps(
    begun().wrote(0, 10..14, &[("a", 1, "x"), ("b", 2, "y")], 4),
    &[2], "UpdateRecords/rule/one-step-per-call")]
#[case::count_beyond_all_bounds(
    begun().wrote(0, 10..14, &[("a", 1, "x")], i64::MAX), &[2], "UpdateRecords/rule/one-step-per-call")]
#[case::count_below_all_bounds(
    begun().wrote(0, 10..14, &[("a", 1, "x")], i64::MIN), &[2], "UpdateRecords/rule/one-step-per-call")]
#[case::told_beyond_all_bounds(
    begun().conflicted(0, 10..14, &[("a", 1, "x")], Some(i64::MAX)), &[2], "UpdateRecords/rule/one-step-per-call")]
#[case::told_below_all_bounds(
    begun().conflicted(0, 10..14, &[("a", 1, "x")], Some(i64::MIN)), &[2], "UpdateRecords/rule/conflict-message")]
#[case::listed_beyond_all_bounds(
    begun().listed(0, 10..14, 0, i64::MAX, &[("a", 1, "x")]), &[2], "UpdateRecords/rule/one-step-per-call")]
#[case::stale_read(
    begun().wrote(0, 10..14, &[("a", 1, "x")], 3).listed(1, 15..16, 0, 2, &[("a", 1, "a1"), ("b", 2, "b1")]),
    &[2, 3], "ListRecords/rule/shows-what-was-written")]
#[case::stale_record(
    begun().wrote(0, 10..14, &[("a", 1, "x")], 3).listed(1, 15..16, 0, 3, &[("a", 1, "a1"), ("b", 2, "b1")]),
    &[2, 3], "ListRecords/rule/shows-what-was-written")]
#[case::read_of_the_future(
    begun().listed(1, 7..8, 0, 3, &[("a", 3, "x"), ("b", 2, "b1")]).wrote(0, 10..14, &[("a", 1, "x")], 3),
    &[2, 3], "UpdateRecords/rule/record-carries-new-count")]
#[case::record_missing(
    begun().listed(0, 7..8, 0, 2, &[("a", 1, "a1")]), &[1, 2], "ListRecords/rule/zero-lists-all")]
#[case::record_missing_after_a_count(
    begun().listed(0, 7..8, 1, 2, &[]), &[1, 2], "ListRecords/rule/last-sync-count-is-exclusive")]
#[case::tombstone_missing(
    begun().wrote(0, 7..8, &[("a", 1, "")], 3).listed(0, 9..10, 2, 3, &[]), &[2, 3], "ListRecords/rule/tombstone")]
#[case::record_not_above(
    begun().listed(0, 7..8, 1, 2, &[("a", 1, "a1"), ("b", 2, "b1")]),
    &[2], "ListRecords/rule/last-sync-count-is-exclusive")]
#[case::false_conflict(
    begun().conflicted(0, 7..8, &[("a", 1, "x")], None), &[1, 2], "UpdateRecords/error/ResourceConflictException")]
#[case::conflict_before_its_cause(
    begun().conflicted(0, 7..8, &[("a", 1, "x")], None).wrote(1, 9..10, &[("a", 1, "y")], 3),
    &[2, 3], "UpdateRecords/error/ResourceConflictException")]
#[case::conflict_told_wrong(
    begun().conflicted(0, 7..8, &[("a", 0, "x")], Some(2)), &[2], "UpdateRecords/rule/conflict-message")]
#[case::conflict_told_late(
    begun().wrote(0, 6..7, &[("a", 1, "x")], 3).conflicted(1, 8..9, &[("a", 0, "y")], Some(1)),
    &[2, 3], "UpdateRecords/rule/conflict-message")]
#[case::count_of_the_past(
    begun().wrote(0, 6..7, &[("a", 1, "x")], 4).wrote(1, 8..9, &[("b", 2, "y")], 3),
    &[2, 3], "UpdateRecords/rule/record-carries-new-count")]
#[case::partial_batch(
    begun().wrote(0, 6..7, &[("a", 1, "x"), ("c", 0, "z")], 3)
        .listed(1, 8..9, 0, 3, &[("a", 3, "x"), ("b", 2, "b1")]),
    &[2, 3], "ListRecords/rule/zero-lists-all")]
#[case::partial_batch_after_a_lost_answer(
    begun().lost(0, 6..7, &[("a", 1, "x"), ("c", 0, "z")])
        .listed(1, 8..9, 0, 3, &[("a", 3, "x"), ("b", 2, "b1")]),
    &[2, 3], "UpdateRecords/rule/all-or-nothing")]
#[case::applied_though_refused(
    begun().conflicted(0, 6..7, &[("a", 0, "x")], Some(1)).listed(1, 8..9, 0, 3, &[("a", 3, "x"), ("b", 2, "b1")]),
    &[3], "UpdateRecords/rule/one-step-per-call")]
#[case::part_applied_though_refused(
    begun().conflicted(0, 6..7, &[("c", 5, "x"), ("a", 1, "y")], None)
        .wrote(0, 8..9, &[("b", 2, "z")], 3)
        .listed(1, 10..11, 0, 3, &[("a", 3, "y"), ("b", 3, "z")]),
    &[2, 4], "UpdateRecords/rule/all-or-nothing")]
#[case::applied_twice(
    begun().lost(0, 6..7, &[("c", 0, "x")]).lost(1, 6..7, &[("d", 0, "y")])
        .listed(1, 8..9, 2, 3, &[("c", 3, "x")]).listed(1, 10..11, 3, 4, &[("c", 4, "x")]),
    &[2, 5], "UpdateRecords/rule/one-step-per-call")]
#[case::counted_twice_after_a_lost_answer(
    begun().lost(0, 6..7, &[("c", 0, "x")]).wrote(1, 8..9, &[("a", 1, "y")], 5),
    &[3], "UpdateRecords/rule/one-step-per-call")]
#[case::resurrected(
    begun().deleted(0, 6..7).wrote(0, 8..9, &[("c", 0, "x")], 4)
        .listed(1, 10..11, 0, 4, &[("a", 1, "a1"), ("c", 4, "x")]),
    &[2, 4], "ListRecords/rule/recreated-lists-new-records")]
#[case::deletion_not_flagged(
    begun().deleted(0, 6..7).wrote(0, 8..9, &[("c", 0, "x")], 4).listed(1, 10..11, 1, 4, &[("c", 4, "x")]),
    &[2, 4], "ListRecords/rule/recreated-is-flagged")]
#[case::count_begins_anew(
    begun().deleted(0, 6..7).wrote(0, 8..9, &[("c", 0, "x")], 1),
    &[0, 2, 3], "UpdateRecords/rule/count-survives-deletion")]
#[case::deleted_without_effect(
    begun().deleted(0, 6..7).listed(1, 8..9, 0, 2, &[("a", 1, "a1"), ("b", 2, "b1")]),
    &[2, 3], "ListRecords/rule/deleted-dataset-is-no-error")]
#[case::deleted_twice(
    begun().deleted(0, 6..7).deleted(1, 8..9), &[3], "DeleteDataset/rule/unknown-dataset")]
#[case::gone(
    begun().call(0, 6..7, Call::Delete, Outcome::Missing), &[1, 2], "DeleteDataset/rule/returns-dataset")]
#[case::ahead_answered(
    begun().listed(0, 6..7, 7, 2, &[]), &[2], "ListRecords/rule/count-ahead-refused")]
#[case::reached_count_refused(
    begun().call(0, 6..7, Call::List { since: 2 }, Outcome::Ahead), &[1, 2], "ListRecords/rule/shows-what-was-written")]
fn a_bug_is_found(#[case] story: Story, #[case] operations: &[usize], #[case] requirement: &str) {
    let verdict = check(&story.history, 1_000);
    let Verdict::Inconsistent(part) = &verdict else { panic!("{verdict:?}") };
    assert_eq!((part.operations.as_slice(), part.requirement), (operations, requirement), "{}", part.reason);
    let strength = Catalog::embedded().get(part.requirement).expect("a requirement").strength;
    assert_eq!(part.level(), Level::from(strength));
    assert!(part.level() > Level::Note, "nothing that is open may be found fault with");
}

#[rstest]
#[case::nothing(Story::default())]
#[case::overlapping_conflict(
    begun().conflicted(0, 7..12, &[("a", 1, "x")], None).wrote(1, 9..10, &[("a", 1, "y")], 3))]
#[case::overlapping_reads(
    begun().wrote(0, 6..16, &[("a", 1, "x")], 3)
        .listed(1, 7..9, 2, 3, &[("a", 3, "x")]).listed(2, 8..12, 1, 2, &[("b", 2, "b1")]))]
#[case::count_ahead_taken(begun().wrote(0, 7..8, &[("a", 7, "x")], 3))]
#[case::count_ahead_refused(begun().conflicted(0, 7..8, &[("a", 7, "x")], Some(1)))]
#[case::tombstone_not_listed_from_zero(
    begun().wrote(0, 7..8, &[("a", 1, "")], 3).listed(0, 9..10, 0, 3, &[("b", 2, "b1")]))]
#[case::deletion_steps(
    begun().deleted(0, 6..7).wrote(0, 8..9, &[("a", 0, "x")], 4).told(1, 10..11, 1, 4, &[("a", 4, "x")], true))]
#[case::deletion_takes_no_step(
    begun().deleted(0, 6..7).wrote(0, 8..9, &[("a", 0, "x")], 3).told(1, 10..11, 1, 3, &[("a", 3, "x")], true))]
#[case::tombstones_outlive_the_dataset(
    begun().deleted(0, 6..7).wrote(0, 8..9, &[("c", 0, "x")], 4)
        .told(1, 10..11, 1, 4, &[("a", 3, ""), ("b", 3, ""), ("c", 4, "x")], true))]
#[case::lost_and_applied(
    begun().lost(0, 6..7, &[("a", 1, "x")]).wrote(1, 8..9, &[("b", 2, "y")], 4).listed(1, 10..11, 2, 4, &[
        ("a", 3, "x"), ("b", 4, "y")]))]
#[case::lost_and_applied_late(
    begun().lost(0, 6..7, &[("a", 1, "x")]).wrote(1, 8..9, &[("b", 2, "y")], 3).listed(1, 10..11, 2, 4, &[
        ("a", 4, "x"), ("b", 3, "y")]))]
#[case::lost_and_not_applied(
    begun().lost(0, 6..7, &[("a", 1, "x")]).wrote(1, 8..9, &[("a", 1, "y")], 3))]
#[case::one_of_two_lost(
    begun().lost(0, 6..7, &[("a", 1, "x")]).lost(1, 6..7, &[("a", 1, "y")]).wrote(0, 8..9, &[("b", 2, "z")], 4))]
#[case::lost_and_only_a_conflict_knows(
    begun().lost(0, 6..7, &[("a", 1, "x")]).conflicted(1, 8..9, &[("a", 1, "y")], None))]
#[case::lost_deletion(
    begun().call(0, 6..7, Call::Delete, Outcome::Unknown).call(0, 8..9, Call::Delete, Outcome::Missing))]
fn a_legal_history_is_left_alone(#[case] story: Story) {
    let verdict = check(&story.history, 1_000);
    assert!(matches!(verdict, Verdict::Consistent(_)), "{verdict:?}");
}

#[test]
fn histories_are_put_together() {
    let mut all = begun().history;
    let other = Story::default().wrote(2, 6..7, &[("c", 0, "c1"), ("b", 2, "b2")], 3);
    let other = other.listed(2, 8..9, 0, 3, &[("a", 1, "a1"), ("b", 3, "b2"), ("c", 3, "c1")]);
    let other = other.conflicted(2, 10..11, &[("a", 0, "")], Some(1));
    all.extend(&other.history);
    assert!(matches!(check(&all, 0), Verdict::Consistent(_)), "{:?}", check(&all, 0));
    let Outcome::Conflict { told: Some((key, 1)) } = all.operations[4].outcome else { panic!("a conflict") };
    assert_eq!(all.key_text(key), "a");
}

#[test]
fn datasets_are_judged_apart() {
    let mut story = begun().wrote(0, 6..7, &[("a", 0, "x")], 1);
    story.history.operations[2].dataset = 1;
    assert!(matches!(check(&story.history, 0), Verdict::Consistent(_)));
    story.history.operations[2].dataset = 0;
    let Verdict::Inconsistent(Part { operations, .. }) = check(&story.history, 0) else { panic!("a count twice") };
    assert_eq!(operations, [0, 2]);
}

#[test]
fn what_did_not_overlap_proves_nothing() {
    let apart = begun();
    let Verdict::Consistent(counts) = check(&apart.history, 0) else { panic!("it is legal") };
    assert_eq!((counts.written, counts.overlapping), (2, 0));
    assert_eq!(counts.proof(), "No two writes overlapped: nothing is proven about concurrency.");
    let together = apart.wrote(0, 4..9, &[("c", 0, "c1")], 3).conflicted(1, 6..9, &[("c", 0, "c2")], Some(3));
    let Verdict::Consistent(counts) = check(&together.history, 0) else { panic!("it is legal") };
    // The first of the client, the second of the other, and a conflict is no write.
    assert_eq!((counts.written, counts.conflicts, counts.overlapping), (3, 1, 2));
    assert_eq!(counts.proof(), "2 writes overlapped with others.");
}

#[test]
fn a_search_that_ends_early_says_so() {
    // Which of these took the counts that are missing can be settled by trying only,
    // and every way but one puts a removal where a later write disproves it.
    let mut story = begun();
    for writer in 0..6 {
        story = story.lost(10 + writer, 6..7, &[(["c", "d", "e", "f", "g", "h"][writer as usize], 0, "")]);
    }
    let story = story.wrote(0, 20..21, &[("a", 1, "x")], 7);
    let story = story.listed(0, 22..23, 0, 7, &[("a", 7, "x"), ("b", 2, "b1")]);
    assert!(matches!(check(&story.history, 100_000), Verdict::Consistent(_)));
    let contradicted = story.listed(0, 24..25, 2, 7, &[("a", 7, "x")]);
    let verdict = check(&contradicted.history, 3);
    assert!(matches!(&verdict, Verdict::Unknown { why } if why.contains("budget")), "{verdict:?}");
    assert!(matches!(check(&contradicted.history, 1_000_000), Verdict::Inconsistent(_)));
}
