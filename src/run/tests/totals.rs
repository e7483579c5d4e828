//! Totals and exit codes.

use indexmap::IndexMap;
use rstest::rstest;

use super::support::{Server, Setup, answer, plain};
use crate::judge::Verdict;
use crate::run::{Event, FailOn, Footer};

#[tokio::test]
async fn every_selected_case_is_told_once_between_header_and_footer() {
    let server = Server::start(|_, asked| answer(if asked.line == "GET /b" { 500 } else { 200 }, "")).await;
    let cases = plain("a", "") + &plain("b", "") + &plain("c", "needs = [\"lambda\"]");
    let ran = Setup { jobs: 2, ..Setup::of(&server) }.run(&cases).await;
    let (Some(Event::Header(header)), Some(Event::Footer(footer))) = (ran.events.first(), ran.events.last()) else {
        panic!("{:?}", ran.events)
    };
    assert_eq!((header.selected, ran.results().len(), ran.events.len()), (3, 3, 5));
    let totals: Vec<_> = footer.totals.values().copied().collect();
    assert_eq!(totals, [1, 0, 1, 0, 0, 1, 0, 0]);
    assert!(
        ran.results().iter().find(|result| result.case == "a/t/a").is_some_and(|passed| passed.exchanges.is_empty())
    );
}

#[rstest]
#[case::nothing(&[], false, false, 4)]
#[case::only_skipped(&[Verdict::Skipped], false, false, 4)]
#[case::passed(&[Verdict::Pass, Verdict::Warn, Verdict::Skipped, Verdict::ExpectedFail], false, false, 0)]
#[case::warned(&[Verdict::Warn], false, false, 0)]
#[case::expected(&[Verdict::ExpectedFail], false, false, 0)]
#[case::failed(&[Verdict::Pass, Verdict::Fail, Verdict::Indeterminate], false, true, 1)]
#[case::unexpected(&[Verdict::UnexpectedPass], false, false, 1)]
#[case::unmatched(&[Verdict::Pass], true, false, 1)]
#[case::unmatched_alone(&[], true, false, 1)]
#[case::untestable(&[Verdict::Pass, Verdict::NotTestable], false, false, 3)]
#[case::only_untestable(&[Verdict::NotTestable], false, false, 3)]
#[case::indeterminate(&[Verdict::Pass, Verdict::Indeterminate], false, false, 3)]
#[case::stopped(&[Verdict::Pass], false, true, 3)]
fn totals_lead_to_an_exit_code(
    #[case] verdicts: &[Verdict],
    #[case] unmatched: bool,
    #[case] stopped: bool,
    #[case] exit: u8,
) {
    let totals: IndexMap<_, _> = verdicts.iter().map(|verdict| (*verdict, 1)).collect();
    assert_eq!(Footer::exit_code(&totals, unmatched, stopped, FailOn::Any), exit);
}

#[rstest]
#[case::unexpected(&[Verdict::Pass, Verdict::UnexpectedPass], false, false, 0)]
#[case::unmatched(&[Verdict::ExpectedFail], true, false, 0)]
#[case::failed(&[Verdict::UnexpectedPass, Verdict::Fail], true, false, 1)]
#[case::untestable(&[Verdict::UnexpectedPass, Verdict::NotTestable], true, false, 3)]
#[case::stopped(&[Verdict::Pass], true, true, 3)]
#[case::nothing_judged(&[Verdict::Skipped], true, false, 4)]
fn a_ratchet_fails_on_new_failures_only(
    #[case] verdicts: &[Verdict],
    #[case] unmatched: bool,
    #[case] stopped: bool,
    #[case] exit: u8,
) {
    let totals: IndexMap<_, _> = verdicts.iter().map(|verdict| (*verdict, 1)).collect();
    assert_eq!(Footer::exit_code(&totals, unmatched, stopped, FailOn::New), exit);
}
