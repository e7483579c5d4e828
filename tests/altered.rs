//! Proof that no wrong answer goes unnoticed: whatever is altered in the answers of
//! an operation, some case that calls it fails, and its finding names the altered
//! place, so that the failure alone tells what is wrong.
//!
//! The alterations are derived from the service's description. A proxy applies them
//! to the reference server's answers, one at a time and to all answers of the
//! operation. The suite is run as against a stranger: without snapshots of the
//! target's own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use syncspec::cases::{Action, Case, Expect, Step, Suite};
use syncspec::collaborators::Listener;
use syncspec::judge::{Finding, Level, SNAPSHOT, Verdict};
use syncspec::plan::Plan;
use syncspec::reference::Server;
use syncspec::run::{CaseResult, Event, Session, Settings, run};
use syncspec::spec::{Catalog, Service};
use syncspec::target::{Target, calling, embedded_world};
use syncspec::wire::{Request, Response};
use tokio::sync::watch;
use tokio::task::JoinSet;

#[path = "altered/alteration.rs"]
mod alteration;
#[path = "support/proxy.rs"]
#[expect(dead_code, reason = "these tests need a part of it")]
mod proxy;

use alteration::{Alteration, Change, Place, alterations, operation_of};
use proxy::Proxy;

/// Alterations, `*` standing for any text, that are never applied: the reference
/// server gives no such answer.
const NEVER_ANSWERED: &[(&str, &str)] = &[
    ("BulkPublish InternalErrorException: *", "the server does not fail"),
    ("De* InternalErrorException: *", "the server does not fail"),
    ("Get* InternalErrorException: *", "the server does not fail"),
    ("List* InternalErrorException: *", "the server does not fail"),
    ("S* InternalErrorException: *", "the server does not fail"),
    ("UnsubscribeFromDataset InternalErrorException: *", "the server does not fail"),
    ("De* TooManyRequestsException: *", "the server does not throttle"),
    ("Get* TooManyRequestsException: *", "the server does not throttle"),
    ("List* TooManyRequestsException: *", "the server does not throttle"),
    ("S* TooManyRequestsException: *", "the server does not throttle"),
    ("U* TooManyRequestsException: *", "the server does not throttle"),
    ("DeleteDataset ResourceConflictException: *", "nobody knows when it is answered"),
    ("SetIdentityPoolConfiguration ConcurrentModificationException: *", "the server takes one call after the other"),
    ("RegisterDevice ResourceNotFoundException: *", "only identities may call, whose pool exists"),
    ("*/SyncSessionsCount: *", "nobody knows what it counts; the server leaves it null"),
    ("ListRecords /MergedDatasetNames/*: *", "nothing can be merged"),
    ("ListRecords /MergedDatasetNames: last entry missing", "nothing can be merged"),
];

/// Alterations that break an inferred requirement: cases only warn.
const INFERRED: &[(&str, &str)] = &[
    ("DescribeDataset /Dataset/DataStorage: ?1", "the formula of the size is inferred"),
    ("ListDatasets /Datasets/*/DataStorage: ?1", "the formula of the size is inferred"),
    ("DeleteDataset /Dataset/*Date: removed", "that a deleted dataset is returned as it was is inferred"),
    ("DeleteDataset /Dataset/DataStorage: removed", "that a deleted dataset is returned as it was is inferred"),
    ("DeleteDataset /Dataset/DataStorage: ?1", "that a deleted dataset is returned as it was is inferred"),
    ("DeleteDataset /Dataset/NumRecords: removed", "that a deleted dataset is returned as it was is inferred"),
    ("DeleteDataset /Dataset/NumRecords: ?1", "that a deleted dataset is returned as it was is inferred"),
    ("DescribeIdentityUsage /IdentityUsage/DataStorage: ?1", "the formula of the size is inferred"),
    ("ListDatasets /Datasets/*/LastModifiedBy: removed", "the account's id is inferred from one sample"),
    ("ListDatasets /Datasets/*/LastModifiedBy: another value", "the account's id is inferred from one sample"),
    ("ListIdentityPoolUsage /Count: ?1", "the documentation's prose says something else"),
    ("RegisterDevice /DeviceId: another value", "an id is opaque but for its form, which is inferred"),
    (
        "BulkPublish ResourceNotFoundException: named *",
        "that other operations answer like DescribeIdentityPoolUsage is inferred",
    ),
    (
        "DescribeIdentityUsage ResourceNotFoundException: named *",
        "that other operations answer like DescribeIdentityPoolUsage is inferred",
    ),
    (
        "Get* ResourceNotFoundException: named *",
        "that other operations answer like DescribeIdentityPoolUsage is inferred",
    ),
    (
        "Set* ResourceNotFoundException: named *",
        "that other operations answer like DescribeIdentityPoolUsage is inferred",
    ),
    ("DeleteDataset /Dataset/*Date: milliseconds", "that a deleted dataset is returned as it was is inferred"),
    ("ListIdentityPoolUsage /IdentityPoolUsages: last entry missing", "that a pool with data is listed is inferred"),
    (
        "ListIdentityPoolUsage /IdentityPoolUsages/*/IdentityPoolId: another value",
        "that a pool with data is listed is inferred",
    ),
    (
        "RegisterDevice InvalidConfigurationException: named *",
        "what a pool without push synchronisation leads to is inferred",
    ),
    ("SubscribeToDataset ResourceNotFoundException: named *", "that a dataset must exist first is inferred"),
    ("UpdateRecords ResourceNotFoundException: named *", "the token, which is of another pool, may be refused first"),
];

/// Alterations of what nobody knows: cases only note it.
const OPEN: &[(&str, &str)] = &[
    ("DescribeDataset /Dataset/LastModifiedBy: removed", "who an identity writes as"),
    ("DescribeDataset /Dataset/LastModifiedBy: another value", "who an identity writes as"),
    ("ListIdentityPoolUsage InvalidParameterException: named *", "what an illegal size of a page leads to"),
    ("UpdateRecords InternalErrorException: named *", "what a fault of Lambda leads to"),
    ("RegisterDevice InternalErrorException: named *", "what a fault of SNS leads to"),
    ("RegisterDevice TooManyRequestsException: named *", "what a throttled SNS leads to"),
    ("*ubscribe* InvalidConfigurationException: named *", "what a pool without push synchronisation leads to"),
    ("UnsubscribeFromDataset ResourceNotFoundException: named *", "what an unknown device leads to"),
];

/// Alterations that no case can notice, because the answer may be right as well.
const NOT_WRONG: &[(&str, &str)] = &[
    ("GetBulkPublishDetails /FailureMessage: another value", "it may say anything"),
    ("ListRecords /MergedDatasetNames: removed", "null and empty are alike where nothing was merged"),
    ("*Records */LastModifiedBy: removed", "null is allowed, and nobody knows who an identity writes as"),
    ("*Records */LastModifiedBy: another value", "nobody knows who an identity writes as"),
    ("DeleteDataset /Dataset/LastModifiedBy: removed", "null is allowed, and nobody knows who an identity writes as"),
    ("DeleteDataset /Dataset/LastModifiedBy: another value", "nobody knows who an identity writes as"),
    ("DescribeIdentityPoolUsage /IdentityPoolUsage/DataStorage: ?1", "no case knows what else a pool holds"),
    ("ListIdentityPoolUsage /IdentityPoolUsages/*/DataStorage: +1", "no case knows what else a pool holds"),
];

/// Alterations that no case notices yet, and what would. May only become shorter.
const GAPS: &[(&str, &str)] = &[];

/// How many alterations are tried at a time.
const AT_A_TIME: usize = 16;

/// How many cases run at a time for each: most often the first one notices, and
/// further ones would be in vain.
const JOBS: usize = 1;

/// How many other failures are told for an alteration that nobody noticed.
const MOST_TOLD: usize = 3;

#[test]
fn every_altered_answer_is_noticed() {
    let (suite, all) = (suite(), alterations(Service::embedded()));
    let noticed = runtime().block_on(async {
        let Control { answered, findings } = control(&suite, &all).await;
        let anyway = Arc::new(findings);
        let (mut ended, mut trying) = (Vec::new(), JoinSet::new());
        for alteration in all.iter().filter(|alteration| answered.contains(&alteration.to_string())).cloned() {
            if trying.len() >= AT_A_TIME {
                ended.extend(trying.join_next().await);
            }
            let (suite, anyway) = (of_interest(&suite, &alteration), Arc::clone(&anyway));
            trying.spawn(async move { (alteration.to_string(), try_out(&suite, alteration, &anyway).await) });
        }
        let ended = ended.into_iter().map(|ended| ended.expect("no trial panics"));
        ended.chain(trying.join_all().await).collect()
    });
    let complaints = complaints(&all, &noticed);
    assert!(complaints.is_empty(), "of {} alterations, {}:\n{}", all.len(), complaints.len(), complaints.join("\n"));
}

/// What the unaltered answers lead to.
struct Control {
    /// The alterations that could have been applied to some answer.
    answered: BTreeSet<String>,
    /// The findings of passed cases: notes on what nobody knows.
    findings: BTreeSet<Spot>,
}

/// Case, step, place and requirement of a finding.
type Spot = (String, usize, String, String);

fn spot(result: &CaseResult, finding: &Finding) -> Spot {
    (result.case.clone(), finding.step, finding.at.clone(), finding.requirement.clone())
}

/// Runs the whole suite on unaltered answers: all passes.
async fn control(suite: &Suite, all: &[Alteration]) -> Control {
    let service = Service::embedded();
    let applicable = Arc::new(Mutex::new(BTreeSet::new()));
    let (found, all) = (Arc::clone(&applicable), all.to_vec());
    let look = move |request: &Request, response: &mut Response| {
        let mut found = found.lock().expect("no holder panics");
        for alteration in &all {
            let name = alteration.to_string();
            if !found.contains(&name) && alteration.apply(service, request, &mut response.clone()) {
                found.insert(name);
            }
        }
    };
    let (mut red, mut findings) = (Vec::new(), BTreeSet::new());
    attempt(suite, look, |result| {
        findings.extend(result.findings.iter().map(|finding| spot(result, finding)));
        if !matches!(result.verdict, Verdict::Pass | Verdict::Skipped) {
            red.push(in_short(result));
        }
        false
    })
    .await;
    assert!(red.is_empty(), "without any alteration: {red:#?}");
    let answered = std::mem::take(&mut *applicable.lock().expect("no holder panics"));
    Control { answered, findings }
}

/// What became of an alteration.
#[derive(Default)]
struct Noticed {
    /// The gravest finding that names the altered place, and who says so.
    told: Option<(Level, String)>,
    /// What else did not pass.
    others: BTreeSet<String>,
}

fn complaints(all: &[Alteration], noticed: &BTreeMap<String, Noticed>) -> Vec<String> {
    let lists = [NEVER_ANSWERED, INFERRED, OPEN, NOT_WRONG, GAPS];
    let names = ["NEVER_ANSWERED", "INFERRED", "OPEN", "NOT_WRONG or GAPS", "NOT_WRONG or GAPS"];
    let mut complaints = Vec::new();
    for name in all.iter().map(ToString::to_string) {
        let (wanted, why) = match noticed.get(&name) {
            None => ("NEVER_ANSWERED", "never answered, so never altered".to_owned()),
            Some(Noticed { told: Some((Level::Fail, by)), .. }) => ("", format!("{by} fails")),
            Some(Noticed { told: Some((Level::Warn, by)), .. }) => ("INFERRED", format!("{by} warns")),
            Some(Noticed { told: Some((Level::Note, by)), .. }) => ("OPEN", format!("{by} notes it")),
            Some(Noticed { told: None, others }) => {
                let others: String = others.iter().take(MOST_TOLD).map(|other| format!("\n    {other}")).collect();
                ("NOT_WRONG or GAPS", format!("not noticed{others}"))
            }
        };
        let listed = lists.iter().zip(names).find(|(list, _)| list.iter().any(|(pattern, _)| is_like(pattern, &name)));
        let listed = listed.map_or("", |(_, listed)| listed);
        if listed != wanted {
            let should = if wanted.is_empty() { String::new() } else { format!(", would have to be in {wanted}") };
            let is = if listed.is_empty() { String::new() } else { format!(", is in {listed}") };
            complaints.push(format!("{name}{should}{is}: {why}"));
        }
    }
    let dead = lists.into_iter().flatten().map(|(pattern, _)| pattern);
    let dead = dead.filter(|pattern| !all.iter().any(|alteration| is_like(pattern, &alteration.to_string())));
    complaints.extend(dead.map(|pattern| format!("{pattern}: in a list, but no alteration")));
    complaints
}

/// Whether a text is like a pattern, in which `*` stands for any text and `?` for
/// any character.
fn is_like(pattern: &str, text: &str) -> bool {
    let mut rest = text.chars();
    match pattern.chars().next() {
        None => text.is_empty(),
        Some('*') => (0..=text.len()).any(|at| text.is_char_boundary(at) && is_like(&pattern[1..], &text[at..])),
        Some(wanted) => {
            rest.next().is_some_and(|given| wanted == '?' || wanted == given)
                && is_like(&pattern[wanted.len_utf8()..], rest.as_str())
        }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime")
}

fn suite() -> Suite {
    let (service, catalog) = (Service::embedded(), Catalog::embedded());
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut suite = Suite::from_dir(service, catalog, &dir).expect("the case files are valid");
    // The reference server needs no longer: waiting would not help.
    for step in suite.cases.iter_mut().flat_map(|case| &mut Arc::make_mut(case).steps) {
        step.within = step.within.map(|within| within.min(Duration::from_secs(5)));
    }
    suite
}

/// The cases that may name the altered place: those that call the operation and
/// look there. Short ones first.
fn of_interest(suite: &Suite, alteration: &Alteration) -> Suite {
    let calls = |step: &&Step| matches!(&step.action, Action::Call(call) if call.operation == alteration.operation);
    let looks = |expect: &Expect| match &alteration.place {
        Place::Success => expect.status.contains(&200),
        Place::Error(name) => expect.error.contains(name),
        // Types, and that nothing comes where nothing should, are checked in
        // every answer that is asserted.
        Place::Empty => true,
        Place::Member(_) if matches!(alteration.change, Change::Type | Change::Millis) => true,
        Place::Member(path) => {
            let members = expect.members.iter().map(|(pointer, _)| pointer);
            members.chain(&expect.absent).any(|pointer| leads_to(pointer, path))
        }
    };
    let of_interest = |case: &&Arc<Case>| case.steps.iter().filter(calls).flat_map(|step| &step.expects).any(looks);
    let mut cases: Vec<Arc<Case>> = suite.cases.iter().filter(of_interest).cloned().collect();
    cases.sort_by_key(|case| case.steps.len());
    Suite { cases, excluded: Vec::new(), ..suite.clone() }
}

/// Whether a pointer leads to the place, above or below it.
fn leads_to(pointer: &str, path: &[String]) -> bool {
    let mut parts = pointer.split('/').skip(1).peekable();
    parts.peek().is_some() && parts.zip(path).all(|(part, name)| name == "*" || name == part)
}

/// Runs cases on altered answers. What is found `anyway` does not count.
async fn try_out(suite: &Suite, alteration: Alteration, anyway: &BTreeSet<Spot>) -> Noticed {
    let service = Service::embedded();
    let applied = alteration.clone();
    let alter = move |request: &Request, response: &mut Response| {
        applied.apply(service, request, response);
    };
    let mut noticed = Noticed::default();
    attempt(suite, alter, |result| {
        let told = told(result, &alteration).filter(|finding| !anyway.contains(&spot(result, finding)));
        let told = told.max_by_key(|finding| finding.level);
        let by = |finding: &Finding| (finding.level, format!("{} ({})", result.case, finding.requirement));
        noticed.told = std::mem::take(&mut noticed.told).max(told.map(by));
        if told.is_none() && !matches!(result.verdict, Verdict::Pass | Verdict::Skipped) {
            noticed.others.insert(in_short(result));
        }
        told.is_some_and(|finding| finding.level == Level::Fail)
    })
    .await;
    noticed
}

/// The findings of requirements that name the altered place. That an answer is not
/// what it was when somebody recorded it is no requirement.
fn told<'r>(result: &'r CaseResult, alteration: &'r Alteration) -> impl Iterator<Item = &'r Finding> {
    let service = Service::embedded();
    let of_operation = move |finding: &Finding| {
        let request = result.exchanges.iter().find(|exchange| exchange.step == finding.step);
        let request = request.map(|exchange| &exchange.request);
        let operation = request.and_then(|request| operation_of(service, &request.method, &request.target));
        operation.is_some_and(|operation| operation.name == alteration.operation)
    };
    let at_place = move |finding: &Finding| match &alteration.place {
        Place::Success => finding.at == "status",
        Place::Empty => finding.at == "body",
        Place::Error(_) => match alteration.change {
            Change::Status(_) => finding.at == "status",
            Change::Name(_) => finding.at == "error",
            _ => matches!(finding.at.as_str(), "message" | "/message"),
        },
        Place::Member(path) => leads_to(&finding.at, path),
    };
    let required = result.findings.iter().filter(|finding| finding.requirement != SNAPSHOT);
    required.filter(move |finding| of_operation(finding) && at_place(finding))
}

/// Runs the suite against a fresh server whose answers are altered, until a result
/// is enough.
async fn attempt(
    suite: &Suite,
    alter: impl Fn(&Request, &mut Response) + Send + Sync + 'static,
    mut is_enough: impl FnMut(&CaseResult) -> bool,
) {
    let played = Listener::start(([127, 0, 0, 1], 0).into()).await.expect("the other services are played");
    let world = calling(embedded_world(), &played.endpoint());
    let service = Service::embedded_shared();
    let server = Server::start(([127, 0, 0, 1], 0).into(), service, world.clone()).await.expect("the server starts");
    let proxy = Proxy::start(server.address(), alter).await.expect("the proxy starts");
    let mut target = Target::embedded(&world, &proxy.endpoint()).called_back(&world, played.address());
    target.snapshots = None;
    let plan = Plan::new(suite, &[], &target).expect("a plan without filters");
    let session = Session::connect(target, Duration::from_secs(10), false, "altered".to_owned())
        .expect("a session")
        .playing(played);
    let settings = Settings { jobs: JOBS, fail_fast: false, datasets_per_identity: 20 };
    let (stop, stopped) = watch::channel(false);
    let sink = |event| match event {
        Event::Result(result) if is_enough(&result) => drop(stop.send_replace(true)),
        _ => {}
    };
    run(&session, plan, &suite.digest, settings, stopped, sink).await;
}

/// A result that does not name the altered place, in short.
fn in_short(result: &CaseResult) -> String {
    let findings = result.findings.iter().map(|finding| finding.at.clone());
    let what: Vec<_> = findings.chain(result.reason.clone()).collect();
    format!("{} {}: {}", result.verdict, result.case, what.join(", "))
}
