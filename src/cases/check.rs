//! The checks behind `syncspec lint`: every name is known, every placeholder is
//! bound, and an expectation says something.

use std::collections::BTreeSet;
use std::ops::Range;

use indexmap::IndexMap;
use toml::Spanned;

use super::case::{Action, Case, Expect, Step};
use super::file::{Actor, Isolation, Node, RawStep};
use super::names;
use super::scope::Scope;
use crate::source::{Origin, did_you_mean};
use crate::spec::{Catalog, Member, Service, ShapeKind};

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

fn is_kebab_case(name: &str) -> bool {
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

/// A capture's name can be used as a placeholder and hides nothing.
pub(super) fn capture_name(scope: &Scope<'_>, name: &Spanned<String>) {
    kebab_case(scope, name);
    if names::is_given(name.get_ref()) || name.get_ref() == "index" {
        scope.problem(&name.span(), format!("`{{{}}}` has a meaning already", name.get_ref()));
    }
}

/// What only makes sense with `call` is not used without it.
pub(super) fn no_call_keys(scope: &Scope<'_>, raw: &Spanned<RawStep>) {
    let step = raw.get_ref();
    if !step.with.is_empty() || !step.without.is_empty() || step.json.is_some() {
        scope.problem(&raw.span(), "`with`, `without` and `json` change a `call`, and there is none");
    }
    if step.send_bytes.is_some() && (!step.headers.is_empty() || step.sign.is_some() || step.tamper.is_some()) {
        scope.problem(&raw.span(), "`send-bytes` sends bytes as they are: no `headers`, `sign` or `tamper`");
    }
}

/// A JSON pointer, with the row filled in; in the answer of a successful call it
/// must lead to a member that the operation declares.
pub(super) fn pointer(
    service: &Service,
    scope: &Scope<'_>,
    action: &Action,
    raw: &Spanned<String>,
    span: &Range<usize>,
    succeeds: bool,
) -> String {
    let pointer = scope.string(raw);
    if !pointer.is_empty() && !pointer.starts_with('/') {
        scope.problem(span, format!("`{pointer}` is no JSON pointer: it begins with `/`"));
        return pointer;
    }
    if let Action::Call(call) = action
        && succeeds
        && let Some(operation) = service.operations.get(&call.operation)
        && let Err((segment, known)) = follow(service, &operation.output, &pointer)
    {
        let what = format!("member of {}'s answer", operation.name);
        unknown(scope, span, &what, known.iter().map(String::as_str), &segment);
    }
    pointer
}

/// Follows a pointer through declared members; the first unknown segment, with
/// the names known there, if it leads astray.
fn follow(service: &Service, members: &IndexMap<String, Member>, pointer: &str) -> Result<(), (String, Vec<String>)> {
    let mut segments = pointer.split('/').skip(1);
    let Some(first) = segments.next() else { return Ok(()) };
    let known = |members: &IndexMap<String, Member>| members.keys().cloned().collect();
    let member = members.get(first).ok_or_else(|| (first.to_owned(), known(members)))?;
    let mut shape = &service.shape(&member.shape).kind;
    for segment in segments {
        shape = match shape {
            ShapeKind::Structure { members } => match members.get(segment) {
                Some(member) => &service.shape(&member.shape).kind,
                None => return Err((segment.to_owned(), known(members))),
            },
            ShapeKind::List { member } if segment.parse::<usize>().is_ok() => &service.shape(member).kind,
            ShapeKind::Map { value, .. } => &service.shape(value).kind,
            _ => return Err((segment.to_owned(), Vec::new())),
        };
    }
    Ok(())
}

/// An expectation says something, and a refusal says which.
pub(super) fn expectation(scope: &Scope<'_>, step: &Spanned<RawStep>, expect: &Expect) {
    let says_nothing = expect.status.is_empty()
        && expect.error.is_empty()
        && expect.message.is_none()
        && expect.members.is_empty()
        && expect.absent.is_empty()
        && expect.headers.is_empty()
        && expect.body.is_none()
        && !expect.snapshot;
    if says_nothing {
        scope.problem(&step.span(), "the expectation expects nothing; leave it out, or say what must hold");
    }
    if expect.error.is_empty() && expect.status.iter().any(|status| *status >= 400) {
        scope.problem(&step.span(), "a refusal is expected, but not which: name the `error`");
    }
    if !expect.error.is_empty() && expect.status.iter().any(|status| *status < 400) {
        scope.problem(&step.span(), "an `error` is expected together with a status of success");
    }
    if expect.requirement.is_empty() {
        scope.problem(&step.span(), "a step with `expect` belongs into a case");
    }
}

/// What the steps of a case, taken together, need.
pub(super) struct Checked {
    steps: Vec<Step>,
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
            isolation,
            datasets: self.datasets,
            uses_other_identity: self.uses_other_identity,
            steps: self.steps,
        }
    }
}

/// Every placeholder is bound when it is used, every need is known, and at least
/// one step asserts something.
pub(super) fn whole_case(scope: &Scope<'_>, name: &Spanned<String>, steps: Vec<Step>, needs: Vec<String>) -> Checked {
    let mut needs = needs;
    for need in &needs {
        if !names::NEEDS.contains(&need.as_str()) {
            unknown(scope, &name.span(), "need", names::NEEDS, need);
        }
    }
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
            let message = format!("`{{{name}}}` stands for nothing here: no earlier step or fixture captures it{hint}");
            scope.problem_at(step.origin.clone(), message);
        }
        bound.extend(step.captures.iter().map(|capture| capture.name.clone()));
    }
    for (resource, need) in names::RESOURCES {
        if used.contains(resource) && !needs.iter().any(|known| known == need) {
            needs.push(need.to_owned());
        }
    }
    Checked {
        datasets: used.iter().filter(|name| names::is_dataset(name)).count(),
        uses_other_identity: used.contains(names::OTHER_IDENTITY)
            || steps.iter().any(|step| step.actor == Actor::OtherIdentity),
        steps,
        needs,
    }
}
