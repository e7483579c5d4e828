//! How the services that the target's server calls answer while a case runs: as a case
//! file says it, then resolved.

use std::time::Duration;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::check;
use super::file::{Node, OneOrMany, RawCase};
use super::scope::Scope;
use super::template::{Template, Text};

/// Longest that a service may be told to take, in time of the service under test.
const LONGEST_DELAY: Duration = Duration::from_secs(60);

/// The services that the harness plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Collaborator {
    /// The Lambda function that `{function-arn}` names.
    Function,
    /// The Kinesis stream that `{stream-name}` names, with S3 for what is too large.
    Stream,
    /// The SNS platform application that `{application-arn}` names.
    Push,
}

impl Collaborator {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Function, Self::Stream, Self::Push];

    /// The name that case files use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::Stream => "stream",
            Self::Push => "push",
        }
    }

    /// What a case needs that has anything to do with it.
    pub fn need(self) -> &'static str {
        match self {
            Self::Function => "lambda",
            Self::Stream => "kinesis",
            Self::Push => "sns",
        }
    }
}

/// One answer of the function. Without any key, it is the event.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawFunctionAnswer {
    /// Values to put into the event, by JSON pointer; what is missing on the way is made.
    /// `{event}` in a text stands for the event as JSON text.
    #[serde(default)]
    #[schemars(with = "IndexMap<String, Node>")]
    pub set: IndexMap<Spanned<String>, Spanned<Node>>,
    /// JSON pointers to what is set to null, which TOML cannot write.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub set_null: Vec<Spanned<String>>,
    /// JSON pointers to what is left out of the event.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub remove: Vec<Spanned<String>>,
    /// A value to answer instead of the event.
    #[schemars(with = "Option<Node>")]
    pub answer: Option<Spanned<Node>>,
    /// The bytes to answer instead of the event.
    #[schemars(with = "Option<String>")]
    pub text: Option<Spanned<String>>,
    /// The function ends with an error of this kind, such as `Unhandled`.
    #[schemars(with = "Option<String>")]
    pub function_error: Option<Spanned<String>>,
    /// Lambda refuses to call the function, with the error of this name.
    #[schemars(with = "Option<String>")]
    pub refuse: Option<Spanned<String>>,
    /// HTTP status of the refusal. Default: Lambda's for this error, else 400.
    #[schemars(with = "Option<u16>")]
    pub status: Option<Spanned<Node>>,
    /// Message of the refusal.
    #[schemars(with = "Option<String>")]
    pub message: Option<Spanned<String>>,
    /// Milliseconds until the answer, as the service itself would feel them: they are
    /// divided by the target's `time-scale`.
    #[schemars(with = "Option<u64>")]
    pub delay_ms: Option<Spanned<Node>>,
}

/// One answer of the stream. Without any key, it takes the records.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawStreamAnswer {
    /// Kinesis refuses the records, with the error of this name.
    #[schemars(with = "Option<String>")]
    pub refuse: Option<Spanned<String>>,
    /// HTTP status of the refusal. Default: Kinesis's for this error, else 400.
    #[schemars(with = "Option<u16>")]
    pub status: Option<Spanned<Node>>,
    /// Message of the refusal.
    #[schemars(with = "Option<String>")]
    pub message: Option<Spanned<String>>,
    /// Milliseconds until the answer, divided by the target's `time-scale`.
    #[schemars(with = "Option<u64>")]
    pub delay_ms: Option<Spanned<Node>>,
}

/// One answer of SNS. Without `refuse`, it makes endpoints and takes messages.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RawPushAnswer {
    /// The calls that it is for; calls of each kind are counted apart. Default: all.
    pub on: Option<PushCall>,
    /// SNS refuses, with the error of this name.
    #[schemars(with = "Option<String>")]
    pub refuse: Option<Spanned<String>>,
    /// HTTP status of the refusal. Default: SNS's for this error, else 400.
    #[schemars(with = "Option<u16>")]
    pub status: Option<Spanned<Node>>,
    /// Message of the refusal.
    #[schemars(with = "Option<String>")]
    pub message: Option<Spanned<String>>,
    /// Milliseconds until the answer, divided by the target's `time-scale`.
    #[schemars(with = "Option<u64>")]
    pub delay_ms: Option<Spanned<Node>>,
}

/// The calls of SNS that can be scripted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PushCall {
    /// CreatePlatformEndpoint.
    Create,
    /// Publish.
    Publish,
}

/// How the services answer while a case runs: for each call in order, the last for all
/// that follow.
#[derive(Debug, Clone, Default)]
pub struct Scripts {
    /// The function, for each invocation.
    pub function: Vec<FunctionAnswer>,
    /// The stream, for each call that puts records.
    pub stream: Vec<StreamAnswer>,
    /// SNS, for each call of a kind.
    pub push: Vec<PushAnswer>,
}

/// One answer of the function.
#[derive(Debug, Clone)]
pub struct FunctionAnswer {
    /// What it returns.
    pub payload: Payload,
    /// The kind of error that it ends with, if it does.
    pub function_error: Option<String>,
    /// Lambda does not call it.
    pub refusal: Option<Refusal>,
    /// How long it takes, in time of the service under test.
    pub delay: Duration,
}

/// What the function returns.
#[derive(Debug, Clone)]
pub enum Payload {
    /// Its event, changed.
    Event {
        /// JSON pointers and what stands there instead.
        set: Vec<(String, Template)>,
        /// JSON pointers to what is left out.
        remove: Vec<String>,
    },
    /// Another value.
    Value(Template),
    /// These bytes.
    Text(Text),
}

/// One answer of the stream.
#[derive(Debug, Clone)]
pub struct StreamAnswer {
    /// Kinesis does not take the records.
    pub refusal: Option<Refusal>,
    /// How long it takes, in time of the service under test.
    pub delay: Duration,
}

/// One answer of SNS.
#[derive(Debug, Clone)]
pub struct PushAnswer {
    /// The calls that it is for; none for all.
    pub on: Option<PushCall>,
    /// SNS refuses.
    pub refusal: Option<Refusal>,
    /// How long it takes, in time of the service under test.
    pub delay: Duration,
}

/// An error of a service that the harness plays.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// Its name.
    pub error: String,
    /// HTTP status; none for the service's usual one.
    pub status: Option<u16>,
    /// Its message, if the case cares.
    pub message: Option<Text>,
}

impl Scripts {
    /// The longest that one of the services takes to answer, in time of the service
    /// under test.
    pub fn longest_delay(&self) -> Duration {
        let delays = self.function.iter().map(|answer| answer.delay);
        let delays = delays.chain(self.stream.iter().map(|answer| answer.delay));
        delays.chain(self.push.iter().map(|answer| answer.delay)).max().unwrap_or_default()
    }

    /// The services that have a script.
    pub fn collaborators(&self) -> impl Iterator<Item = Collaborator> {
        let scripted = [!self.function.is_empty(), !self.stream.is_empty(), !self.push.is_empty()];
        Collaborator::ALL.into_iter().zip(scripted).filter(|(_, scripted)| *scripted).map(|(one, _)| one)
    }

    /// Calls `visit` with every placeholder but `{event}`, repeats included.
    pub fn placeholders(&self, visit: &mut dyn FnMut(&str)) {
        let visit = &mut |name: &str| {
            if name != super::names::EVENT {
                visit(name);
            }
        };
        for answer in &self.function {
            match &answer.payload {
                Payload::Event { set, .. } => set.iter().for_each(|(_, value)| value.names(visit)),
                Payload::Value(value) => value.names(visit),
                Payload::Text(text) => text.names(visit),
            }
        }
        let refusals = self.function.iter().map(|answer| &answer.refusal);
        let refusals = refusals.chain(self.stream.iter().map(|answer| &answer.refusal));
        let refusals = refusals.chain(self.push.iter().map(|answer| &answer.refusal));
        let messages = refusals.flatten().filter_map(|refusal| refusal.message.as_ref());
        messages.for_each(|message| message.names(visit));
    }
}

/// The scripts of a case.
pub(super) fn scripts(scope: &Scope<'_>, case: &RawCase) -> Scripts {
    let stream = |raw: &RawStreamAnswer| {
        let refusal = refusal(scope, raw.refuse.as_ref(), raw.status.as_ref(), raw.message.as_ref());
        StreamAnswer { refusal, delay: delay(scope, raw.delay_ms.as_ref()) }
    };
    let push = |raw: &RawPushAnswer| {
        let refusal = refusal(scope, raw.refuse.as_ref(), raw.status.as_ref(), raw.message.as_ref());
        PushAnswer { on: raw.on, refusal, delay: delay(scope, raw.delay_ms.as_ref()) }
    };
    Scripts {
        function: each(scope, case.function.as_ref(), |raw| function(scope, raw)),
        stream: each(scope, case.stream.as_ref(), stream),
        push: each(scope, case.push.as_ref(), push),
    }
}

fn each<R, A>(scope: &Scope<'_>, raw: Option<&Spanned<OneOrMany<R>>>, answer: impl Fn(&R) -> A) -> Vec<A> {
    let Some(raw) = raw else { return Vec::new() };
    if raw.get_ref().0.is_empty() {
        scope.problem(&raw.span(), "the list of answers is empty; leave it out for the usual ones");
    }
    // What has no place of its own is told here.
    scope.at(&raw.span());
    raw.get_ref().0.iter().map(answer).collect()
}

fn function(scope: &Scope<'_>, raw: &RawFunctionAnswer) -> FunctionAnswer {
    let changes_event = raw.set.keys().chain(&raw.set_null).chain(&raw.remove).next();
    let instead = raw.answer.as_ref().map(Spanned::span).or_else(|| raw.text.as_ref().map(Spanned::span));
    if let (Some(answer), Some(text)) = (&raw.answer, &raw.text) {
        scope.problem(&text.span(), "`answer` and `text` exclude each other");
        scope.at(&answer.span());
    } else if let (Some(change), Some(_)) = (changes_event, &instead) {
        scope.problem(&change.span(), "`set`, `set-null` and `remove` change the event, and it is not answered");
    }
    if let Some(refuse) = &raw.refuse
        && (raw.function_error.is_some() || changes_event.is_some() || instead.is_some())
    {
        scope.problem(&refuse.span(), "with `refuse` the function is not called, so it answers nothing");
    }
    let payload = match (&raw.answer, &raw.text) {
        (Some(answer), _) => Payload::Value(scope.template(answer)),
        (None, Some(text)) => Payload::Text(scope.text(text)),
        (None, None) => {
            let set = raw.set.iter().map(|(at, value)| (check::script_pointer(scope, at), scope.template(value)));
            let null = raw
                .set_null
                .iter()
                .map(|at| (check::script_pointer(scope, at), Template::Fixed(serde_json::Value::Null)));
            let remove = raw.remove.iter().map(|at| check::script_pointer(scope, at)).collect();
            Payload::Event { set: set.chain(null).collect(), remove }
        }
    };
    FunctionAnswer {
        payload,
        function_error: raw.function_error.as_ref().map(|error| scope.string(error)),
        refusal: refusal(scope, raw.refuse.as_ref(), raw.status.as_ref(), raw.message.as_ref()),
        delay: delay(scope, raw.delay_ms.as_ref()),
    }
}

fn refusal(
    scope: &Scope<'_>,
    refuse: Option<&Spanned<String>>,
    status: Option<&Spanned<Node>>,
    message: Option<&Spanned<String>>,
) -> Option<Refusal> {
    let status_of = |raw: &Spanned<Node>| {
        scope.at(&raw.span());
        match scope.fill_node(raw.get_ref()) {
            Node::Integer(status) if (400..600).contains(&status) => u16::try_from(status).ok(),
            _ => {
                scope.problem(&raw.span(), "the status of a refusal is a whole number from 400 to 599");
                None
            }
        }
    };
    let detail = status.map(Spanned::span).or_else(|| message.map(Spanned::span));
    let (status, message) = (status.and_then(status_of), message.map(|text| scope.text(text)));
    match (refuse, detail) {
        (Some(error), _) => {
            let name = scope.string(error);
            if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_')) {
                scope.problem(&error.span(), format!("`{name}` is no name of an error"));
            }
            Some(Refusal { error: name, status, message })
        }
        (None, Some(span)) => {
            scope.problem(&span, "`status` and `message` are those of an error that `refuse` names");
            None
        }
        (None, None) => None,
    }
}

fn delay(scope: &Scope<'_>, raw: Option<&Spanned<Node>>) -> Duration {
    let Some(raw) = raw else { return Duration::ZERO };
    scope.at(&raw.span());
    let delay = match scope.fill_node(raw.get_ref()) {
        Node::Integer(millis) => u64::try_from(millis).ok().map(Duration::from_millis),
        _ => None,
    };
    delay.filter(|delay| *delay <= LONGEST_DELAY).unwrap_or_else(|| {
        let most = LONGEST_DELAY.as_millis();
        scope.problem(&raw.span(), format!("`delay-ms` is a whole number from 0 to {most}"));
        Duration::ZERO
    })
}
