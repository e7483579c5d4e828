//! The checks behind `syncspec lint`: every name is known, every placeholder is
//! bound, and an expectation says something.

use std::collections::BTreeSet;
use std::ops::Range;

use indexmap::IndexMap;
use toml::Spanned;

use super::case::{Action, Case, Expect, Ignore, Step};
use super::file::{Actor, Isolation, Node, OneOrMany, RawExpect, RawIgnore, RawStep};
use super::names;
use super::scope::Scope;
use super::script::{Collaborator, Scripts};
use super::sending::Transfer;
use crate::source::{Origin, did_you_mean};
use crate::spec::{Catalog, Member, Service, ShapeKind, Strength};

/// Reports a name that is none of the known ones.
fn unknown<'k>(
    scope: &Scope<'_>,
    span: &Range<usize>,
    what: &str,
    known: impl IntoIterator<Item = &'k str>,
    name: &str,
) {
    let hint = did_you_mean(name, known).unwrap_or_default();
    scope.problem(span, format!("no {what} `{name}`{hint}"));
}

/// Whether the service has this operation; reported if not.
pub(super) fn operation(service: &Service, scope: &Scope<'_>, span: &Range<usize>, name: &str) -> bool {
    let known = service.operations.contains_key(name);
    if !known {
        unknown(scope, span, "operation", service.operations.keys().map(String::as_str), name);
    }
    known
}

/// Every name is an input member of the operation.
pub(super) fn input_members<'m>(
    service: &Service,
    scope: &Scope<'_>,
    operation: &str,
    names: impl IntoIterator<Item = &'m Spanned<String>>,
) {
    let Some(operation) = service.operations.get(operation) else { return };
    for raw in names {
        let name = scope.string(raw);
        if !operation.input.contains_key(&name) {
            let what = format!("input member of {}", operation.name);
            unknown(scope, &raw.span(), &what, operation.input.keys().map(String::as_str), &name);
        }
    }
}

/// The requirement exists.
pub(super) fn requirement(catalog: &Catalog, scope: &Scope<'_>, span: &Range<usize>, id: &str) {
    if catalog.get(id).is_none() {
        unknown(scope, span, "requirement", catalog.iter().map(|requirement| requirement.id.as_str()), id);
    }
}

/// Every error name is one that the service's data knows.
pub(super) fn error_names(service: &Service, scope: &Scope<'_>, span: &Range<usize>, names: &[String]) {
    for name in names {
        if !service.error_names().any(|known| known == name) {
            unknown(scope, span, "error", service.error_names(), name);
        }
    }
}

/// Whether a name is lower-case words and digits joined by single hyphens.
pub(super) fn is_kebab_case(name: &str) -> bool {
    let word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    name.split('-').all(word)
}

/// The name is lower-case words joined by hyphens.
pub(super) fn kebab_case(scope: &Scope<'_>, name: &Spanned<String>) {
    if !is_kebab_case(name.get_ref()) {
        let message = format!("`{}` is not kebab-case: lower-case words and digits joined by hyphens", name.get_ref());
        scope.problem(&name.span(), message);
    }
}

/// A row's `name`, which becomes the end of its case's id.
pub(super) fn row_name(scope: &Scope<'_>, row: &Spanned<IndexMap<Spanned<String>, Spanned<Node>>>) -> Option<String> {
    let named = row.get_ref().iter().find(|(key, _)| key.get_ref() == "name");
    match named.map(|(_, value)| (value.get_ref(), value.span())) {
        Some((Node::Text(name), _)) if is_kebab_case(name) => Some(name.clone()),
        Some((_, span)) => {
            scope.problem(&span, "a row's `name` is text in kebab-case");
            None
        }
        None => {
            scope.problem(&row.span(), "the row has no `name`");
            None
        }
    }
}

/// A row's entries can be used as placeholders and hide nothing.
pub(super) fn row_entries(scope: &Scope<'_>, row: &IndexMap<Spanned<String>, Spanned<Node>>) {
    row.keys().filter(|entry| entry.get_ref() != "name").for_each(|entry| placeholder_name(scope, entry));
}

/// A capture's name can be used as a placeholder and hides nothing.
pub(super) fn capture_name(scope: &Scope<'_>, name: &Spanned<String>) {
    placeholder_name(scope, name);
    if scope.is_entry(name.get_ref()) {
        let message = format!("`{{{}}}` is an entry of the row already; name the capture otherwise", name.get_ref());
        scope.problem(&name.span(), message);
    }
}

fn placeholder_name(scope: &Scope<'_>, name: &Spanned<String>) {
    let text = name.get_ref();
    kebab_case(scope, name);
    if text.starts_with(|first: char| first.is_ascii_digit()) {
        scope.problem(&name.span(), format!("`{text}` cannot be a placeholder: it begins with a digit"));
    }
    if names::is_given(text) || text == "index" || text == names::EVENT {
        scope.problem(&name.span(), format!("`{{{text}}}` has a meaning already; choose another name"));
    }
}

/// A need that targets may lack.
pub(super) fn need(scope: &Scope<'_>, raw: &Spanned<String>) -> String {
    let need = scope.string(raw);
    if !names::NEEDS.contains(&need.as_str()) {
        unknown(scope, &raw.span(), "need", names::NEEDS, &need);
    }
    need
}

/// What only makes sense with `call` is not used without it.
pub(super) fn no_call_keys(scope: &Scope<'_>, raw: &Spanned<RawStep>) {
    let step = raw.get_ref();
    if !step.with.is_empty() || !step.without.is_empty() || step.json.is_some() {
        scope.problem(&raw.span(), "`with`, `without` and `json` change a `call`, and there is none");
    }
    let signed = step.r#as.is_some() || step.sign.is_some();
    if step.send_bytes.is_some() && (signed || !step.headers.is_empty() || step.tamper.is_some()) {
        scope.problem(&raw.span(), "`send-bytes` sends bytes as they are: no `as`, `headers`, `sign` or `tamper`");
    }
    if step.send_bytes.is_some() && step.transfer != Transfer::default() {
        scope.problem(&raw.span(), "`send-bytes` sends bytes as they are: write them as `transfer` would");
    }
}

/// What is observed is no HTTP response, and nothing is sent for it.
pub(super) fn observation(scope: &Scope<'_>, raw: &Spanned<RawStep>, place: &Range<usize>) {
    let step = raw.get_ref();
    let is_sent = step.r#as.is_some() || step.sign.is_some() || step.tamper.is_some() || !step.headers.is_empty();
    if is_sent || step.transfer != Transfer::default() || step.any_answer {
        scope.problem(place, "`observe` sends nothing: no `as`, `headers`, `sign`, `tamper`, `transfer`, `any-answer`");
    }
    if step.expect.is_none() && step.assume.is_none() && step.capture.is_empty() {
        scope.problem(place, "nothing comes of looking: `expect`, `assume` or `capture` something of it");
    }
    let expects = step.expect.iter().flat_map(|expects| &expects.0).chain(&step.assume);
    for expect in expects {
        let of_a_response = expect.status.is_some() || expect.error.is_some() || expect.message.is_some();
        if of_a_response || !expect.headers.is_empty() || expect.body.is_some() || expect.snapshot {
            let place = expect.span().unwrap_or_else(|| place.clone());
            scope.problem(&place, "what is observed has `members` and nothing else: expect `members` and `absent`");
        }
    }
}

/// A JSON pointer into a function's event.
pub(super) fn script_pointer(scope: &Scope<'_>, raw: &Spanned<String>) -> String {
    let pointer = scope.string(raw);
    if let Some(message) = astray(&pointer) {
        scope.problem(&raw.span(), message);
    }
    pointer
}

/// Whatever answers is right, so nothing of it may be claimed or built on.
pub(super) fn any_answer(catalog: &Catalog, scope: &Scope<'_>, raw: &Spanned<RawStep>, expects: &[Expect]) {
    let is_open = |expect: &Expect| {
        catalog.get(&expect.requirement).is_some_and(|requirement| requirement.strength == Strength::Open)
    };
    if expects.is_empty() || !expects.iter().all(is_open) {
        scope.problem(&raw.span(), "with `any-answer` a step expects something, and only what is `open`");
    }
    let step = raw.get_ref();
    if step.assume.is_some() || !step.capture.is_empty() || step.within_ms.is_some() {
        scope.problem(&raw.span(), "with `any-answer` nothing can be built on: no `assume`, `capture` or `within-ms`");
    }
}

/// The answer that a step's pointers lead into.
pub(super) struct Answer<'a> {
    pub(super) service: &'a Service,
    pub(super) action: &'a Action,
    /// No expectation of the step asks for an error.
    pub(super) succeeds: bool,
}

impl Answer<'_> {
    /// A JSON pointer, with the row filled in; in the answer of a successful call
    /// it must lead to a member that the operation declares.
    pub(super) fn pointer(&self, scope: &Scope<'_>, raw: &Spanned<String>) -> String {
        let (pointer, span) = (scope.string(raw), raw.span());
        if let Some(message) = astray(&pointer) {
            scope.problem(&span, message);
        } else if let Action::Call(call) = self.action
            && self.succeeds
            && let Some(operation) = self.service.operations.get(&call.operation)
        {
            match follow(self.service, &operation.output, &pointer) {
                Ok(()) => {}
                Err(Astray::Member(segment, known)) => {
                    let what = format!("member of {}'s answer", operation.name);
                    unknown(scope, &span, &what, known, &segment);
                }
                Err(Astray::Index(segment)) => {
                    scope.problem(&span, format!("`{segment}` is no index of a list, which counts from 0"));
                }
                Err(Astray::Below(segment)) => {
                    scope
                        .problem(&span, format!("nothing is declared below a plain value, where `{segment}` would be"));
                }
            }
        }
        pointer
    }
}

/// How a pointer leads astray.
enum Astray<'s> {
    /// No such member; these are known there.
    Member(String, Vec<&'s str>),
    /// A list has no such index.
    Index(String),
    /// There is nothing below a plain value.
    Below(String),
}

/// Follows a pointer through declared members.
fn follow<'s>(service: &'s Service, members: &'s IndexMap<String, Member>, pointer: &str) -> Result<(), Astray<'s>> {
    let in_members = |members: &'s IndexMap<String, Member>, segment: String| match members.get(&segment) {
        Some(member) => Ok(&service.shape(&member.shape).kind),
        None => Err(Astray::Member(segment, members.keys().map(String::as_str).collect())),
    };
    let mut segments = pointer.split('/').skip(1).map(|segment| segment.replace("~1", "/").replace("~0", "~"));
    let Some(first) = segments.next() else { return Ok(()) };
    let mut shape = in_members(members, first)?;
    for segment in segments {
        shape = match shape {
            ShapeKind::Structure { members } => in_members(members, segment)?,
            ShapeKind::List { member } if is_index(&segment) => &service.shape(member).kind,
            ShapeKind::List { .. } => return Err(Astray::Index(segment)),
            ShapeKind::Map { value, .. } => &service.shape(value).kind,
            _ => return Err(Astray::Below(segment)),
        };
    }
    Ok(())
}

/// Digits without a leading zero, as JSON pointers write an index.
fn is_index(segment: &str) -> bool {
    let digits = !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit());
    digits && (segment == "0" || !segment.starts_with('0'))
}

/// An expectation says something, and a refusal says which. `place` is the
/// expectation's, `status` what it says of the status.
pub(super) fn expectation(
    scope: &Scope<'_>,
    place: &Range<usize>,
    status: Option<&Spanned<OneOrMany<Node>>>,
    expect: &Expect,
) {
    let at_status = status.map_or_else(|| place.clone(), Spanned::span);
    let says_nothing = status.is_none_or(|status| status.get_ref().0.is_empty())
        && expect.error.is_empty()
        && expect.message.is_none()
        && expect.members.is_empty()
        && expect.absent.is_empty()
        && expect.headers.is_empty()
        && expect.body.is_none()
        && !expect.snapshot;
    if says_nothing {
        scope.problem(place, "the expectation expects nothing; leave it out, or say what must hold");
    }
    if expect.error.is_empty() && expect.status.iter().any(|status| *status >= 400) {
        scope.problem(&at_status, "a refusal is expected, but not which: name the `error`");
    }
    if !expect.error.is_empty() && expect.status.iter().any(|status| *status < 400) {
        scope.problem(&at_status, "an `error` is expected together with a status of success");
    }
}

/// The places that a comparison with a snapshot leaves out: each a JSON pointer below the
/// answer as a whole, named once and with a reason. Whether an answer has such a place
/// only a run can tell.
pub(super) fn ignore(scope: &Scope<'_>, raw: &RawExpect) -> Vec<Ignore> {
    let mut ignores: Vec<Ignore> = Vec::new();
    for RawIgnore { at, reason } in &raw.ignore {
        let (pointer, span) = (scope.string(at), at.span());
        if !raw.snapshot {
            scope.problem(&span, "`ignore` belongs to a snapshot, and there is no `snapshot = true`");
        }
        if let Some(message) = astray(&pointer) {
            scope.problem(&span, message);
        } else if pointer.len() < 2 {
            scope.problem(&span, "this would ignore the whole answer; leave `snapshot` out, or name a member");
        } else if ignores.iter().any(|ignore| ignore.at == pointer) {
            scope.problem(&span, format!("`{pointer}` is ignored already"));
        }
        let why = scope.string(reason);
        if why.trim().is_empty() {
            scope.problem(&reason.span(), "say why answers may differ there: the `reason` is empty");
        }
        ignores.push(Ignore { at: pointer, reason: why, origin: scope.origin(&span) });
    }
    ignores
}

/// What is wrong with a text as a JSON pointer.
fn astray(pointer: &str) -> Option<String> {
    if !pointer.is_empty() && !pointer.starts_with('/') {
        Some(format!("`{pointer}` is no JSON pointer, which begins with `/`"))
    } else if pointer.split('~').skip(1).any(|rest| !rest.starts_with(['0', '1'])) {
        Some(format!("`{pointer}` is no JSON pointer: `~` is written `~0`, and `/` in a name `~1`"))
    } else {
        None
    }
}

/// An assumption proves nothing.
pub(super) fn assumption(scope: &Scope<'_>, step: &Spanned<RawStep>, assume: &RawExpect) {
    if assume.proves.is_some() || assume.snapshot || !assume.ignore.is_empty() {
        let place = assume.span().unwrap_or_else(|| step.span());
        scope.problem(&place, "what is assumed proves nothing: no `proves`, `snapshot` and `ignore` in `assume`");
    }
}

/// Nothing is judged behind a step whose outcome is less certain: a correct server
/// may take the other way there, and the case ends.
pub(super) fn uncertain_outcomes(catalog: &Catalog, scope: &Scope<'_>, steps: &[Step]) {
    let certainty = |expect: &Expect| {
        let requirement = catalog.get(&expect.requirement);
        match requirement.map(|requirement| requirement.strength) {
            Some(Strength::Open) => 0,
            Some(Strength::Inferred) => 1,
            Some(Strength::Observed | Strength::Documented) | None => 2,
        }
    };
    let mut least = 2;
    for step in steps {
        if let Some(expect) = step.expects.iter().find(|expect| certainty(expect) > least) {
            let what = if least == 0 { "open" } else { "only inferred" };
            let message = format!(
                "an earlier step's outcome is {what}, so a correct server may never get here: \
                 move this into a case of its own, or before that step"
            );
            scope.problem_at(expect.origin.clone(), message);
            return;
        }
        // The outcome named first is the one that ends the case, where any does.
        if step.any_answer {
            continue;
        }
        if let Some(outcome) = step.expects.iter().find(|expect| expect.has_outcome()) {
            least = least.min(certainty(outcome));
        }
    }
}

/// What the steps of a case, taken together, need.
pub(super) struct Checked {
    steps: Vec<Step>,
    scripts: Scripts,
    needs: Vec<String>,
    datasets: usize,
    uses_other_identity: bool,
}

impl Checked {
    pub(super) fn into_case(
        self,
        id: String,
        origin: Origin,
        about: Option<String>,
        proves: Vec<String>,
        isolation: Isolation,
    ) -> Case {
        Case {
            id,
            origin,
            about,
            proves,
            needs: self.needs,
            protocol: None,
            isolation,
            datasets: self.datasets,
            uses_other_identity: self.uses_other_identity,
            scripts: self.scripts,
            steps: self.steps,
        }
    }
}

/// Every placeholder is bound when it is used, and at least one step asserts
/// something.
pub(super) fn whole_case(
    scope: &Scope<'_>,
    name: &Spanned<String>,
    steps: Vec<Step>,
    scripts: Scripts,
    needs: Vec<String>,
) -> Checked {
    let mut needs = needs;
    if !steps.iter().any(|step| !step.expects.is_empty()) {
        scope.problem(&name.span(), "no step has an `expect`: the case cannot fail");
    }
    let mut bound: BTreeSet<String> = BTreeSet::new();
    let mut used: BTreeSet<String> = BTreeSet::new();
    for step in &steps {
        let mut unbound = BTreeSet::new();
        step.placeholders(&mut |name| {
            if !names::is_given(name) && !bound.contains(name) {
                unbound.insert(name.to_owned());
            }
            used.insert(name.to_owned());
        });
        for name in unbound {
            let known = bound.iter().map(String::as_str).chain(names::LEASE);
            let hint = did_you_mean(&name, known).unwrap_or_default();
            let message =
                format!("`{{{name}}}` stands for nothing here: no earlier step, fixture or row entry gives it{hint}");
            scope.problem_at(step.origin.clone(), message);
        }
        bound.extend(step.captures.iter().map(|capture| capture.name.clone()));
    }
    scripts.placeholders(&mut |unknown| {
        if !names::is_given(unknown) {
            let message = format!(
                "`{{{unknown}}}` stands for nothing in a script, which is read before the first step: what is \
                 captured cannot be used there"
            );
            scope.problem(&name.span(), message);
        }
        used.insert(unknown.to_owned());
    });
    let observed = steps.iter().filter_map(|step| match step.action {
        Action::Observe(collaborator) => Some(collaborator),
        _ => None,
    });
    let mut met: Vec<&str> = observed.chain(scripts.collaborators()).map(Collaborator::need).collect();
    if !met.is_empty() {
        met.push(names::COLLABORATORS);
    }
    let uses_other_identity =
        used.contains(names::OTHER_IDENTITY) || steps.iter().any(|step| step.actor == Actor::OtherIdentity);
    let implied = names::RESOURCES.into_iter().filter(|(resource, _)| used.contains(*resource)).map(|(_, need)| need);
    let other_identity = uses_other_identity.then_some(names::TWO_IDENTITIES);
    let other_pool = used.contains(names::OTHER_POOL).then_some(names::TWO_POOLS);
    for need in implied.chain(met).chain(other_identity).chain(other_pool) {
        if !needs.iter().any(|known| known == need) {
            needs.push(need.to_owned());
        }
    }
    let datasets = used.iter().filter(|name| names::is_dataset(name)).count();
    Checked { datasets, uses_other_identity, steps, scripts, needs }
}
