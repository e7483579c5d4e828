//! Which cases run beside each other.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::support::{Reply, Server, Setup, answer, case, target};
use crate::judge::Verdict;

#[tokio::test]
async fn a_fresh_pool_is_given_to_one_case_only() {
    let server = Server::start(|_, _| answer(200, "")).await;
    let mut setup = Setup { jobs: 4, ..Setup::of(&server) };
    setup.target = target(&server.endpoint, 2);
    let fresh = |name| {
        let step = "{ send = { method = \"GET\", target = \"/{identity-pool-id}\" }, expect = { status = 200 } }";
        case(name, "isolation = \"fresh-pool\"", step)
    };
    let ran = setup.run(&["a", "b", "c"].map(fresh).concat()).await;
    let mut lines = server.lines();
    lines.sort();
    assert_eq!(lines, ["GET /pool-0", "GET /pool-1"]);
    let skipped: Vec<_> = ran.results().into_iter().filter(|result| result.verdict == Verdict::Skipped).collect();
    assert_eq!((skipped.len(), ran.footer.exit), (1, 0));
    let reason = "needs a pool that no other such case has used, and the target file names only 2";
    assert_eq!(skipped[0].reason.as_deref(), Some(reason));
}

#[tokio::test]
async fn nothing_runs_beside_a_case_that_wants_to_be_alone() {
    static UNDER_WAY: Mutex<Vec<String>> = Mutex::new(Vec::new());
    static MOST: AtomicUsize = AtomicUsize::new(0);
    // Each case asks to begin and to end, so the server knows who is under way.
    let server = Server::start(|_, asked| {
        let mut under_way = UNDER_WAY.lock().expect("no panic");
        let name = asked.line.rsplit('/').next().unwrap_or_default().to_owned();
        if asked.line.starts_with("GET /end/") {
            under_way.retain(|other| *other != name);
            return answer(200, "");
        }
        under_way.push(name);
        MOST.fetch_max(under_way.len(), Ordering::SeqCst);
        let pools = under_way.iter().filter(|name| name.starts_with("pool")).count();
        let identities = under_way.iter().filter(|name| name.starts_with("identity")).count();
        // One pool of two identities: a pool case is alone; each identity case
        // has an identity, and others the one that is left.
        let others = under_way.len() - pools - identities;
        let clash = (pools > 0 && under_way.len() > 1) || identities > 2 || (identities == 2 && others > 0);
        Reply::Late(Duration::from_millis(5), if clash { 500 } else { 200 }, String::new())
    })
    .await;
    let cases: String = (0..36)
        .map(|number| {
            let isolation = ["dataset", "pool", "identity", "dataset"][number % 4];
            let step = |what: &str| {
                format!("{{ send = {{ method = \"GET\", target = \"/{what}/{isolation}-{number}\" }}, expect = {{ status = 200 }} }}")
            };
            let steps = format!("{}, {}", step("begin"), step("end"));
            case(&format!("c{number}"), &format!("isolation = \"{isolation}\""), &steps)
        })
        .collect();
    let ran = Setup { jobs: 8, ..Setup::of(&server) }.run(&cases).await;
    assert_eq!(ran.footer.totals[&Verdict::Pass], 36, "{}", ran.written());
    assert!(MOST.load(Ordering::SeqCst) > 2, "nothing ran beside anything else");
    assert_eq!(ran.footer.exit, 0);
}
