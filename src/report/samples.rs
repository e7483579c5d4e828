//! Small hand-made results of a service that does not exist.

use crate::judge::{Finding, Level, Verdict};
use crate::run::{
    CaseResult, Event, FORMAT_VERSION, FailOn, Footer, Header, RecordedBody, RecordedExchange, RecordedRequest,
    RecordedResponse, TargetSummary,
};
use crate::spec::{Catalog, Protocol, Service};

const SERVICE: &str = r#"
limit = []
[service]
name = "Item Store"
api-version = "2001-01-01"
signing-name = "item-store"
endpoint-template = "https://item-store.{region}.test"
success-status = 200
[legacy-rpc]
target-header = "x-amz-target"
target-prefix = "ItemStore"
content-type = "application/json"
namespace = "test.items"
service = "ItemStore"
output-suffix = "Response"
version = "1.0"
[source]
guide = "Item Store Guide"
model = "Item Store model"
reference = "Item Store Reference"
[shape.Name]
type = "string"
[error-members]
[error.StaleException]
status = 409
[common-error]
[framework-error]
[operation.PutItem]
method = "PUT"
uri = "/items/{Name}"
credentials = "either"
resource = "identity"
output-kind = "none"
errors = ["StaleException"]
input.Name = { shape = "Name", at = "label", required = true }
[[rule]]
id = "stale"
operation = "PutItem"
statement = "a change made to an old version of an item is refused"
strength = "documented"
sources = ["guide", "model"]
[[rule]]
id = "version-grows"
operation = "PutItem"
statement = "each change raises the item's version by one"
strength = "inferred"
sources = ["guide"]
[[dispute]]
id = "versions"
question = "do versions grow by one?"
reading = [{ by = ["guide"], says = "yes", shown-by = ["PutItem/rule/version-grows"] }]
suite = "warns"
settled-by = "a run"
requirements = ["PutItem/rule/version-grows"]
"#;

pub(super) fn service() -> Service {
    Service::from_toml(SERVICE).unwrap()
}

pub(super) fn catalog() -> Catalog {
    Catalog::of(&service())
}

pub(super) fn target() -> TargetSummary {
    TargetSummary {
        collaborators: None,
        name: "my-emulator".to_owned(),
        endpoint: "http://127.0.0.1:4566".to_owned(),
        region: "us-east-1".to_owned(),
        lacks: vec!["lambda".to_owned()],
        scripted_function: false,
        offers: Vec::new(),
    }
}

pub(super) fn body(text: &str) -> RecordedBody {
    RecordedBody { text: text.to_owned(), bytes: text.len() as u64, cut: false }
}

fn headers(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

pub(super) fn request() -> RecordedRequest {
    RecordedRequest {
        method: "PUT".to_owned(),
        target: "/items/my%20item?mode=1".to_owned(),
        headers: headers(&[
            ("Host", "127.0.0.1:4566"),
            ("Content-Type", "application/json"),
            ("Content-Length", "24"),
            ("X-Amz-Date", "20260101T000000Z"),
            ("X-Amz-Security-Token", "<redacted>"),
            ("Authorization", "<redacted>"),
        ]),
        body: body(r#"{"Text":"it's","Count":0}"#),
    }
}

pub(super) fn exchange(step: usize) -> RecordedExchange {
    RecordedExchange {
        collaborator: None,
        step,
        label: "PutItem".to_owned(),
        signed_by: "identity".to_owned(),
        tampered: false,
        fixture: None,
        request: request(),
        response: Some(RecordedResponse {
            status: 200,
            headers: headers(&[("content-type", "application/json"), ("date", "today"), ("x-request-id", "r-1")]),
            body: body(r#"{"Version":2,"Tags":[]}"#),
        }),
        failure: None,
        duration_us: 612,
    }
}

pub(super) fn finding(level: Level, step: usize) -> Finding {
    let rule = if level == Level::Fail { "stale" } else { "version-grows" };
    Finding {
        level,
        step,
        at: "status".to_owned(),
        expected: "409".to_owned(),
        actual: "200".to_owned(),
        requirement: format!("PutItem/rule/{rule}"),
        origin: "cases/put-item/count.toml:20:18".to_owned(),
    }
}

pub(super) fn result(case: &str, verdict: Verdict) -> CaseResult {
    let findings = match verdict {
        Verdict::Fail | Verdict::ExpectedFail => vec![finding(Level::Fail, 2)],
        Verdict::Warn => vec![finding(Level::Warn, 2)],
        _ => Vec::new(),
    };
    let reason = match verdict {
        Verdict::ExpectedFail | Verdict::UnexpectedPass => Some("known failure: versions are not built yet"),
        Verdict::Skipped => Some("the target lacks lambda"),
        Verdict::NotTestable => Some("step 1 (PutItem): status was 500, not 200"),
        Verdict::Indeterminate => Some("step 2 (PutItem): the connection was cut"),
        _ => None,
    };
    let kept =
        if matches!(verdict, Verdict::Pass | Verdict::Skipped) { Vec::new() } else { vec![exchange(1), exchange(2)] };
    CaseResult {
        about: None,
        case: case.to_owned(),
        action: "PutItem".to_owned(),
        protocol: "rest-json".to_owned(),
        verdict,
        reason: reason.map(str::to_owned),
        known_failures: Vec::new(),
        requirements: vec!["PutItem/rule/stale".to_owned()],
        origin: "cases/put-item/count.toml:12:1".to_owned(),
        findings,
        exchanges: kept,
        leftovers: Vec::new(),
        duration_us: 1_204,
    }
}

pub(super) fn header(selected: usize) -> Header {
    Header {
        format_version: FORMAT_VERSION,
        suite_version: "0.1.0".to_owned(),
        suite_digest: "aa11".to_owned(),
        selection_digest: "bb22".to_owned(),
        selected,
        target: target(),
        protocol: Protocol::default(),
        strict: false,
        resumed: None,
        rerun: None,
        partition: None,
        fail_on: FailOn::Any,
        started: "2026-01-01T00:00:00Z".to_owned(),
    }
}

pub(super) fn footer(results: &[CaseResult]) -> Footer {
    let count = |verdict| results.iter().filter(|result| result.verdict == verdict).count();
    let totals = Verdict::ALL.into_iter().map(|verdict| (verdict, count(verdict))).collect();
    Footer {
        strays: Vec::new(),
        uncalled: None,
        exit: Footer::exit_code(&totals, false, false, FailOn::Any),
        totals,
        unmatched_known_failures: Vec::new(),
        leftovers: Vec::new(),
        idle_known_failures: Vec::new(),
        stopped: None,
        throttled: 0,
        finished: "2026-01-01T00:00:01Z".to_owned(),
        duration_us: 800_000,
    }
}

/// A whole run with one result for each verdict, cases `a/0`, `a/1`, ….
pub(super) fn events(verdicts: &[Verdict]) -> Vec<Event> {
    let results: Vec<_> =
        verdicts.iter().enumerate().map(|(index, verdict)| result(&format!("a/{index}"), *verdict)).collect();
    let footer = footer(&results);
    let header = Event::Header(header(results.len()));
    let results = results.into_iter().map(|result| Event::Result(Box::new(result)));
    std::iter::once(header).chain(results).chain([Event::Footer(footer)]).collect()
}
