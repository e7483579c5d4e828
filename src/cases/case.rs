//! Cases resolved: nothing is optional that has a default, every name is known,
//! and placeholders are parsed.

use std::sync::Arc;
use std::time::Duration;

use super::base::Bases;
use super::condition::Match;
use super::file::{Actor, BodyForm, Isolation};
use super::script::{Collaborator, Scripts};
use super::sending::{Payload, SignForm, Transfer};
use super::template::{Template, Text};
use crate::source::{Origin, matches};
use crate::spec::Protocol;

/// Every case of a folder, with a digest of what was read.
#[derive(Debug, Clone)]
pub struct Suite {
    /// The cases, ordered by id within file, files by path.
    pub cases: Vec<Arc<Case>>,
    /// The valid request of each operation, and how it is undone.
    pub bases: Arc<Bases>,
    /// What no case proves, and why none can.
    pub excluded: Vec<Exclusion>,
    /// SHA-256 over all files, in hex: equal digests mean equal suites.
    pub digest: String,
}

/// What no case proves, for one reason.
#[derive(Debug, Clone)]
pub struct Exclusion {
    /// Ids of the requirements; `*` stands for any text.
    pub patterns: Vec<String>,
    /// Names of mutants that no case catches; `*` stands for any text.
    pub mutants: Vec<String>,
    /// Ids of requirements that cases name but nothing can be altered for; `*` stands
    /// for any text.
    pub unaltered: Vec<String>,
    /// Ids of cases that catch nothing; `*` stands for any text.
    pub cases: Vec<String>,
    /// Why no case can prove them.
    pub reason: String,
    /// Where that is declared.
    pub origin: Origin,
}

impl Exclusion {
    /// Whether it speaks of this requirement.
    pub fn covers(&self, requirement: &str) -> bool {
        self.patterns.iter().any(|pattern| matches(pattern, requirement))
    }

    /// Whether it says that nothing can be altered for this requirement.
    pub fn leaves_unaltered(&self, requirement: &str) -> bool {
        self.unaltered.iter().any(|pattern| matches(pattern, requirement))
    }

    /// Whether it speaks of this case.
    pub fn is_of_case(&self, case: &str) -> bool {
        self.cases.iter().any(|pattern| matches(pattern, case))
    }

    /// Whether it speaks of this mutant.
    pub fn excuses(&self, mutant: &str) -> bool {
        self.mutants.iter().any(|pattern| matches(pattern, mutant))
    }
}

/// A declared sequence of steps with expectations.
#[derive(Debug, Clone)]
pub struct Case {
    /// `<area>/<topic>/<name>`, for a row `<area>/<topic>/<name>/<row>`.
    pub id: String,
    /// Where it is declared.
    pub origin: Origin,
    /// What it shows, in one sentence.
    pub about: Option<String>,
    /// Ids of the requirements that it proves, those first that the case names
    /// for itself, then those of its expectations; never empty.
    pub proves: Vec<String>,
    /// What it cannot do without.
    pub needs: Vec<String>,
    /// The protocol that it is written for; none when it speaks the run's.
    pub protocol: Option<Protocol>,
    /// What it must have for itself.
    pub isolation: Isolation,
    /// How many fresh dataset names it uses: at most so many datasets does it
    /// make on an identity.
    pub datasets: usize,
    /// Whether it needs a second identity.
    pub uses_other_identity: bool,
    /// How the services answer that the server calls.
    pub scripts: Scripts,
    /// The fixtures' steps, then its own.
    pub steps: Vec<Step>,
}

impl Case {
    /// Names of the operations that the case calls, in order, without repeats.
    pub fn operations(&self) -> Vec<&str> {
        let mut operations: Vec<&str> = Vec::new();
        for step in &self.steps {
            if let Action::Call(call) = &step.action
                && !operations.contains(&call.operation.as_str())
            {
                operations.push(&call.operation);
            }
        }
        operations
    }

    /// Whether the case has a snapshot.
    pub fn takes_snapshot(&self) -> bool {
        self.steps.iter().any(Step::takes_snapshot)
    }

    /// Calls `visit` with every placeholder that the case uses, repeats included.
    pub fn placeholders(&self, visit: &mut dyn FnMut(&str)) {
        self.scripts.placeholders(visit);
        self.steps.iter().for_each(|step| step.placeholders(visit));
    }

    /// Whether the case has to do with a service that the server calls.
    pub fn meets(&self, collaborator: Collaborator) -> bool {
        self.needs.iter().any(|need| need == collaborator.need())
    }

    /// Whether it says how a service answers that the server calls, or looks at what
    /// came there.
    pub fn awaits_calls(&self) -> bool {
        self.scripts.collaborators().next().is_some()
            || self.steps.iter().any(|step| matches!(step.action, Action::Observe(_)))
    }
}

/// One request and what its response must be.
#[derive(Debug, Clone)]
pub struct Step {
    /// Where it is declared.
    pub origin: Origin,
    /// The fixture that it belongs to, if any.
    pub fixture: Option<String>,
    /// What is sent.
    pub action: Action,
    /// The protocol of its call; none for the run's.
    pub protocol: Option<Protocol>,
    /// Who signs.
    pub actor: Actor,
    /// Headers to set before signing.
    pub headers: Vec<(String, Text)>,
    /// How the signature departs from the ordinary one.
    pub sign: Arc<Sign>,
    /// What is changed after signing.
    pub tamper: Arc<Tamper>,
    /// How it is written on the wire.
    pub transfer: Transfer,
    /// The case goes on whatever comes back, even nothing.
    pub any_answer: bool,
    /// Placeholder name and JSON pointer of each value to keep.
    pub captures: Vec<Capture>,
    /// What the response must be; empty when the step must merely succeed.
    pub expects: Vec<Expect>,
    /// What the response must be for the case to be testable.
    pub assumes: Option<Box<Expect>>,
    /// How long to repeat the request until the expectations hold.
    pub within: Option<Duration>,
}

impl Step {
    /// Calls `visit` with every placeholder that the step uses.
    pub fn placeholders(&self, visit: &mut dyn FnMut(&str)) {
        match &self.action {
            Action::Call(call) => {
                call.input.iter().for_each(|(_, value)| value.names(visit));
                call.json.iter().for_each(|json| json.names(visit));
            }
            Action::Send { method, target, body } => {
                method.names(visit);
                target.names(visit);
                if let Body::Text(text) = body {
                    text.names(visit);
                }
            }
            Action::Bytes(bytes) => bytes.names(visit),
            Action::Observe(_) => {}
        }
        let texts =
            self.headers.iter().chain(&self.tamper.headers).chain(&self.tamper.add_headers).map(|(_, text)| text);
        texts.chain(&self.tamper.target).chain(&self.tamper.body).for_each(|text| text.names(visit));
        for expect in self.outcomes() {
            let conditions = expect.members.iter().chain(&expect.headers).map(|(_, condition)| condition);
            for condition in conditions.chain(&expect.message) {
                condition.templates(&mut |template: &Template| template.names(visit));
            }
        }
    }

    /// All that is said of the response, expected and assumed.
    pub fn outcomes(&self) -> impl Iterator<Item = &Expect> {
        self.expects.iter().chain(self.assumes.as_deref())
    }

    /// Whether the step's answer is part of the case's snapshot.
    pub fn takes_snapshot(&self) -> bool {
        self.expects.iter().any(|expect| expect.snapshot)
    }

    /// The places that the comparison with the snapshot leaves out.
    pub fn ignores(&self) -> impl Iterator<Item = &Ignore> {
        self.expects.iter().flat_map(|expect| &expect.ignore)
    }

    /// Whether the step says nothing of its response, which must merely succeed.
    pub fn must_merely_succeed(&self) -> bool {
        self.expects.is_empty() && self.assumes.is_none()
    }

    /// Whether the signature is not the ordinary one, or something was changed
    /// after signing.
    pub fn is_tampered(&self) -> bool {
        let Sign { form: _, region, service, clock_minutes, payload, without_headers } = &*self.sign;
        let scope_or_clock = region.is_some() || service.is_some() || *clock_minutes != 0;
        scope_or_clock || *payload == Payload::Unsigned || !without_headers.is_empty() || !self.tamper.is_none()
    }

    /// What the step sends, in a word or two for people.
    pub fn label(&self) -> String {
        match &self.action {
            Action::Call(call) => call.operation.clone(),
            Action::Send { method, target, .. } => format!("{} {}", method.as_written(), target.as_written()),
            Action::Bytes(_) => "raw bytes".to_owned(),
            Action::Observe(collaborator) => format!("observe {}", collaborator.name()),
        }
    }
}

/// What a step sends.
#[derive(Debug, Clone)]
pub enum Action {
    /// A call of an operation.
    Call(Call),
    /// A request put together by hand.
    Send {
        /// HTTP method.
        method: Text,
        /// Path and query.
        target: Text,
        /// Body.
        body: Body,
    },
    /// Bytes on a connection of their own.
    Bytes(Text),
    /// Nothing: what the server has sent to another service is looked at.
    Observe(Collaborator),
}

/// A call of an operation.
#[derive(Debug, Clone)]
pub struct Call {
    /// The operation's name.
    pub operation: String,
    /// Input members: the base request with the step's changes.
    pub input: Vec<(String, Template)>,
    /// Text that replaces the whole body, if any.
    pub json: Option<Text>,
}

/// The body of a request put together by hand.
#[derive(Debug, Clone)]
pub enum Body {
    /// None.
    Empty,
    /// Text.
    Text(Text),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// How a signature departs from the ordinary one.
#[derive(Debug, Clone, Default)]
pub struct Sign {
    /// Where it travels.
    pub form: SignForm,
    /// Another region in the credential scope.
    pub region: Option<String>,
    /// Another service in the credential scope.
    pub service: Option<String>,
    /// Minutes by which the signer's clock is ahead; negative: behind.
    pub clock_minutes: i64,
    /// How it covers the body.
    pub payload: Payload,
    /// Headers that are sent and not signed, in lower case.
    pub without_headers: Vec<String>,
}

/// What is changed after signing.
#[derive(Debug, Clone, Default)]
pub struct Tamper {
    /// Another method.
    pub method: Option<String>,
    /// Another path and query.
    pub target: Option<Text>,
    /// Another body.
    pub body: Option<Text>,
    /// Headers to replace or add.
    pub headers: Vec<(String, Text)>,
    /// Headers to add beside those that are there.
    pub add_headers: Vec<(String, Text)>,
    /// Headers to leave out.
    pub without_headers: Vec<String>,
    /// Parts to write otherwise, in order.
    pub rewrites: Vec<Rewrite>,
}

/// A piece of a signed request that is replaced.
#[derive(Debug, Clone)]
pub struct Rewrite {
    /// The header to change; none for the target.
    pub header: Option<String>,
    /// Its first match is replaced.
    pub pattern: Arc<regex::Regex>,
    /// The new text; `$0` stands for the old.
    pub with: String,
}

impl Tamper {
    /// Whether nothing is changed.
    pub fn is_none(&self) -> bool {
        self.method.is_none()
            && self.target.is_none()
            && self.body.is_none()
            && self.headers.is_empty()
            && self.add_headers.is_empty()
            && self.without_headers.is_empty()
            && self.rewrites.is_empty()
    }
}

/// A value of the response to keep.
#[derive(Debug, Clone)]
pub struct Capture {
    /// Name of the placeholder.
    pub name: String,
    /// JSON pointer into the body.
    pub pointer: String,
}

/// What a response must be.
#[derive(Debug, Clone)]
pub struct Expect {
    /// Where it is declared.
    pub origin: Origin,
    /// Id of the requirement that it proves.
    pub requirement: String,
    /// Allowed statuses; empty when any is.
    pub status: Vec<u16>,
    /// Allowed error names; empty when none is asked for.
    pub error: Vec<String>,
    /// Condition on the error's message.
    pub message: Option<Match>,
    /// Conditions on members, by JSON pointer.
    pub members: Vec<(String, Match)>,
    /// Pointers that must lead nowhere or to null.
    pub absent: Vec<String>,
    /// Conditions on response headers.
    pub headers: Vec<(String, Match)>,
    /// What the body as a whole must be.
    pub body: Option<BodyForm>,
    /// Compare with the recorded snapshot.
    pub snapshot: bool,
    /// Places that this comparison leaves out.
    pub ignore: Vec<Ignore>,
}

/// A place of a response at which it may differ from its snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignore {
    /// JSON pointer; `*` stands for any index and any name.
    pub at: String,
    /// Why it may differ.
    pub reason: String,
    /// Where that is declared.
    pub origin: Origin,
}

impl Expect {
    /// Whether it says how the request comes out: its status, or its error.
    pub fn has_outcome(&self) -> bool {
        !self.status.is_empty() || !self.error.is_empty()
    }
}
