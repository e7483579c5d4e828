//! What a run tells: these are the lines of `run.jsonl`, and all that reports
//! are made from.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::judge::{Finding, Verdict};
use crate::spec::Protocol;
use crate::target::Target;

/// Version of the form of `run.jsonl`; raised when a reader would misread it.
pub const FORMAT_VERSION: u32 = 1;

/// One thing that happened in a run: one line of `run.jsonl`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Event {
    /// The run begins. Always the first line.
    Header(Header),
    /// A case was finished, in the order of finishing.
    Result(Box<CaseResult>),
    /// The run is over. Always the last line; without it the run is partial.
    Footer(Footer),
}

/// What is known before the first case runs.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Header {
    /// Version of the form of the file.
    pub format_version: u32,
    /// Version of syncspec that ran the suite.
    pub suite_version: String,
    /// SHA-256 over the suite's files, in hex.
    pub suite_digest: String,
    /// SHA-256 over the ids of the selected cases, in hex, in the order of
    /// the suite: equal digests mean the same cases of the same suite.
    pub selection_digest: String,
    /// How many cases were selected; so many results follow in a whole run.
    pub selected: usize,
    /// The target, without secrets.
    pub target: TargetSummary,
    /// The protocol of calls, where the case leaves it open.
    #[serde(default)]
    pub protocol: Protocol,
    /// Inferred requirements count like documented ones.
    pub strict: bool,
    /// Which failures fail the run.
    #[serde(default)]
    pub fail_on: FailOn,
    /// When the run began, RFC 3339 in UTC.
    pub started: String,
    /// How many results were taken over from before an interruption; they come first.
    /// Absent when the run was not resumed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumed: Option<usize>,
    /// The command that a case's id is added to in order to run it alone, quoted for a
    /// shell. Absent when whoever ran the suite knows of none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rerun: Option<String>,
    /// Which part of a run that several machines share this is. Absent when it is all of
    /// it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<Partition>,
}

impl Header {
    /// Whether this is a part of a run that happens to have none of its cases.
    pub fn is_empty_part(&self) -> bool {
        self.selected == 0 && self.partition.as_ref().is_some_and(|whole| whole.selected > 0)
    }
}

/// A part of a run; `selected` and `selection-digest` of its header tell of this part alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Partition {
    /// Number of the part, from 1.
    pub index: usize,
    /// How many parts there are.
    pub count: usize,
    /// How many cases all parts together select.
    pub selected: usize,
    /// SHA-256 over the ids of the cases that all parts together select, as in the header.
    pub selection_digest: String,
}

/// Which failures fail a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FailOn {
    /// A case that fails; and whatever makes the list of known failures wrong: one
    /// that passes, an entry that matches no case.
    #[default]
    Any,
    /// Only a case that fails and is not known to. What is wrong with the list is
    /// told, and does not fail the run.
    New,
}

/// A target without its secrets.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct TargetSummary {
    /// Name from the target file; `embedded` for the reference server.
    pub name: String,
    /// Endpoint address.
    pub endpoint: String,
    /// AWS region that requests are signed for.
    pub region: String,
    /// What the target says it lacks.
    pub lacks: Vec<String>,
    /// Where the harness plays the services that the target's server calls, as
    /// `ADDRESS:PORT`. Absent when it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collaborators: Option<String>,
    /// The target's function follows the scripts of cases, as its file says.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub scripted_function: bool,
    /// What it says it offers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub offers: Vec<String>,
}

impl From<&Target> for TargetSummary {
    fn from(target: &Target) -> Self {
        Self {
            name: target.name.clone(),
            endpoint: target.endpoint.clone(),
            region: target.region.clone(),
            lacks: target.lacks.iter().map(|lack| lack.need.clone()).collect(),
            collaborators: target.collaborators.as_ref().map(|played| match played.listen {
                // Which port, is known when it is listened on.
                listen if listen.port() == 0 => listen.ip().to_string(),
                listen => listen.to_string(),
            }),
            scripted_function: target.scripted_function,
            offers: target.offers.clone(),
        }
    }
}

/// What a case came to.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct CaseResult {
    /// The case's id.
    pub case: String,
    /// What the case shows, in one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// Operation that the case is about; `service` for the service as a whole.
    pub action: String,
    /// Wire protocol of the case's calls: `rest-json` or `legacy-rpc`.
    pub protocol: String,
    /// What it came to.
    pub verdict: Verdict,
    /// Why, for verdicts that findings do not explain: what is lacking, which
    /// prerequisite did not hold, why there was no answer, which known failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The entries of known failures that match the case, each with its place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known_failures: Vec<String>,
    /// Ids of the requirements that the case proves.
    pub requirements: Vec<String>,
    /// `file:line:column` of the case.
    pub origin: String,
    /// What did not hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// The exchanges, kept when the verdict is not `pass`, or when there is a
    /// finding.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exchanges: Vec<RecordedExchange>,
    /// What the case made and could not take back, as sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leftovers: Vec<String>,
    /// Time that the case took, in microseconds.
    pub duration_us: u64,
}

impl CaseResult {
    /// Whether anything was done for the case. What was skipped, or left out of a
    /// run that was stopped, was not begun.
    pub fn was_begun(&self) -> bool {
        !self.exchanges.is_empty() || self.duration_us > 0
    }

    /// Whether a run that is resumed need not run the case again: it was begun, and
    /// the endpoint has answered.
    pub fn is_settled(&self) -> bool {
        self.was_begun() && !matches!(self.verdict, Verdict::Indeterminate | Verdict::Skipped)
    }
}

/// An exchange as it is kept: without secrets.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RecordedExchange {
    /// Number of the step, from 1, fixtures included.
    pub step: usize,
    /// What the step calls, for people: an operation, or method and path.
    pub label: String,
    /// Who signed: `developer`, `identity`, `other-identity`, `none`, somebody whose
    /// signature is broken on purpose, or `server` for what the target's server sent.
    pub signed_by: String,
    /// The signature is not the ordinary one, or the request was changed after
    /// signing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tampered: bool,
    /// The fixture that the step belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixture: Option<String>,
    /// `function`, `stream` or `push`: the target's server sent the request, to another
    /// service that the harness plays, and the harness answered. Absent for the case's
    /// own requests. When nothing was sent, `failure` says what was waited for, and
    /// `request` is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collaborator: Option<String>,
    /// What was sent.
    pub request: RecordedRequest,
    /// What came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<RecordedResponse>,
    /// Why nothing came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// From the first byte sent to the last byte read, in microseconds.
    pub duration_us: u64,
}

/// A request without secrets.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RecordedRequest {
    /// Method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Name and value of each header, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: RecordedBody,
}

/// A response without secrets.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RecordedResponse {
    /// HTTP status.
    pub status: u16,
    /// Name and value of each header, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: RecordedBody,
}

/// A body without secrets; only so much of it as a reader can use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RecordedBody {
    /// The body as text; bytes that are no text are replaced.
    pub text: String,
    /// Length of the whole body in bytes.
    pub bytes: u64,
    /// The text was cut short.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
}

/// What is known when the run is over.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Footer {
    /// Results by verdict; every verdict is listed.
    pub totals: IndexMap<Verdict, usize>,
    /// Known failures that match no case of the suite, each with its place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmatched_known_failures: Vec<String>,
    /// What stood on the target before the run and could not be brought back wholly, as
    /// sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leftovers: Vec<String>,
    /// Known failures all of whose cases were skipped or not selected, each with its
    /// place: nothing can be said of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub idle_known_failures: Vec<String>,
    /// What the target's server asked of the services that the harness played and no
    /// case knows, as sentences: mostly wrong names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub strays: Vec<String>,
    /// That no server called the services that the harness played, although cases waited
    /// for it, and what to do. Absent when one did, or none had to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncalled: Option<String>,
    /// Why the run ended before all cases had run, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
    /// How often the endpoint throttled; such requests were repeated.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub throttled: u64,
    /// When the run ended, RFC 3339 in UTC.
    pub finished: String,
    /// Time that the run took, in microseconds; of a run that was resumed, since then.
    pub duration_us: u64,
    /// The exit code that the run leads to.
    pub exit: u8,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Footer {
    /// The exit code that all this leads to. A part of a run with none of its cases has
    /// lost nothing, and ends with 0: the other parts have them.
    pub fn exit_of(&self, is_empty_part: bool, fail_on: FailOn) -> u8 {
        let unmatched = !self.unmatched_known_failures.is_empty();
        match Self::exit_code(&self.totals, unmatched, self.stopped.is_some(), fail_on) {
            4 if is_empty_part => 0,
            code => code,
        }
    }

    /// The exit code that totals lead to: 1 for a fail, an unexpected pass or a
    /// known failure that matches nothing (the latter two only with
    /// [`FailOn::Any`]); 3 when something could not be judged or the run was stopped;
    /// 4 when nothing was judged; else 0.
    pub fn exit_code(totals: &IndexMap<Verdict, usize>, unmatched: bool, stopped: bool, fail_on: FailOn) -> u8 {
        let count = |verdict| totals.get(&verdict).copied().unwrap_or(0);
        let judged: usize = Verdict::ALL.into_iter().filter(|verdict| verdict.is_judged()).map(count).sum();
        let wrong_list = unmatched || count(Verdict::UnexpectedPass) > 0;
        if count(Verdict::Fail) > 0 || (wrong_list && fail_on == FailOn::Any) {
            1
        } else if stopped || count(Verdict::NotTestable) + count(Verdict::Indeterminate) > 0 {
            3
        } else if judged == 0 {
            4
        } else {
            0
        }
    }
}
