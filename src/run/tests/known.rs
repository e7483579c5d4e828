//! Known failures.

use super::support::{Reply, Server, Setup, answer, plain};
use crate::judge::Verdict;

#[tokio::test]
async fn known_failures_turn_verdicts_around() {
    let server = Server::start(|_, asked| match asked.line.as_str() {
        "GET /passes" => answer(200, ""),
        "GET /gone" => Reply::Drop,
        _ => answer(500, ""),
    })
    .await;
    let cases = ["fails", "passes", "gone", "stranger"].map(|name| plain(name, "")).concat()
        + &plain("untestable", "given = [\"listed\"]")
        + &plain("lacking", "needs = [\"lambda\"]");
    let setup = ["a/t/fails", "a/t/pass*", "a/t/gone", "a/t/untestable", "a/t/lacking", "nobody/*"];
    let setup = setup.into_iter().fold(Setup::of(&server), Setup::known);
    let ran = setup.run(&cases).await;
    let mut verdicts: Vec<_> =
        ran.results().into_iter().map(|result| (&*result.case, result.verdict, result.reason.as_deref())).collect();
    verdicts.sort_unstable();
    assert_eq!(verdicts.len(), 6);
    assert_eq!(verdicts[0], ("a/t/fails", Verdict::ExpectedFail, Some("not built yet (https://x/1)")));
    assert_eq!((verdicts[1].0, verdicts[1].1), ("a/t/gone", Verdict::Indeterminate));
    assert_eq!(verdicts[2], ("a/t/lacking", Verdict::Skipped, Some("the target lacks lambda")));
    let passed = Some("known to fail: not built yet (https://x/1)");
    assert_eq!(verdicts[3], ("a/t/passes", Verdict::UnexpectedPass, passed));
    assert_eq!((verdicts[4].0, verdicts[4].1), ("a/t/stranger", Verdict::Fail));
    assert_eq!((verdicts[5].0, verdicts[5].1), ("a/t/untestable", Verdict::ExpectedFail));
    assert_eq!(ran.footer.unmatched_known_failures, ["nobody/*"]);
    assert_eq!(ran.footer.idle_known_failures, ["a/t/lacking"]);
    assert_eq!(ran.footer.exit, 1);
}

/// A pattern excuses each case for itself; with two entries for one case, both must go.
#[tokio::test]
async fn a_known_failure_stands_for_each_of_its_cases() {
    let server = Server::start(|_, asked| answer(if asked.line == "GET /b" { 500 } else { 200 }, "")).await;
    let cases = plain("a", "") + &plain("b", "") + &plain("c", "");
    let setup = ["a/t/*", "a/t/a"].into_iter().fold(Setup::of(&server), Setup::known);
    let ran = setup.run(&cases).await;
    let mut verdicts: Vec<_> =
        ran.results().into_iter().map(|result| (&*result.case, result.verdict, result.known_failures.len())).collect();
    verdicts.sort_unstable();
    let expected = [
        ("a/t/a", Verdict::UnexpectedPass, 2),
        ("a/t/b", Verdict::ExpectedFail, 1),
        ("a/t/c", Verdict::UnexpectedPass, 1),
    ];
    assert_eq!((verdicts.as_slice(), ran.footer.exit), (&expected[..], 1));
}

#[tokio::test]
async fn a_known_failure_that_matches_nothing_fails_the_run() {
    let server = Server::start(|_, _| answer(200, "")).await;
    let ran = Setup::of(&server).known("a/t/gone").run(&plain("a", "")).await;
    assert_eq!((ran.only().verdict, ran.footer.exit), (Verdict::Pass, 1));
}
