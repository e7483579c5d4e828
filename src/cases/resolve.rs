//! From what a case file says to what it means.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use base64::Engine as _;
use indexmap::IndexMap;
use toml::Spanned;

use super::base::{self, Bases};
use super::base_file::BaseFile;
use super::case::{Action, Body, Call, Capture, Case, Expect, Rewrite, Sign, Step, Tamper};
use super::check;
use super::file::{Actor, CaseFile, FixtureFile, OneOrMany, RawCase, RawExpect, RawFixture, RawStep};
use super::reading::Reading;
use super::scope::Scope;
use super::script::scripts;
use super::sending::{RawRewrite, RawSign, RawTamper};
use super::template::{Template, Text};
use crate::source::{Problem, Source, did_you_mean};
use crate::spec::{Catalog, Service};

/// Longest time that a step may be repeated for.
const LONGEST_WITHIN: Duration = Duration::from_secs(600);

/// What all cases of a suite share.
pub(super) struct Library<'s> {
    pub(super) service: &'s Service,
    pub(super) catalog: &'s Catalog,
    bases: Bases,
    fixtures: IndexMap<String, Vec<Step>>,
    reading: Reading,
}

impl<'s> Library<'s> {
    pub(super) fn new(service: &'s Service, catalog: &'s Catalog) -> Self {
        Self { service, catalog, bases: Bases::default(), fixtures: IndexMap::new(), reading: Reading::default() }
    }

    /// All mistakes, or the base requests if there are none.
    pub(super) fn finish(self) -> Result<Bases, Vec<Problem>> {
        let problems = self.reading.into_problems();
        if problems.is_empty() { Ok(self.bases) } else { Err(problems) }
    }

    pub(super) fn report(&self, problem: Problem) {
        self.reading.problem(problem);
    }

    /// Takes over the base requests of `_base.toml`.
    pub(super) fn add_bases(&mut self, source: &Source<'_>) {
        let file: BaseFile = match source.parse() {
            Ok(file) => file,
            Err(problem) => return self.report(problem),
        };
        self.bases = base::resolve(self.service, &Scope::new(source, &self.reading), &file);
    }

    /// Takes over the fixtures of `_fixtures.toml`.
    pub(super) fn add_fixtures(&mut self, source: &Source<'_>) {
        let file: FixtureFile = match source.parse() {
            Ok(file) => file,
            Err(problem) => return self.report(problem),
        };
        for raw in &file.fixture {
            let steps = self.fixture(source, raw.get_ref());
            let name = raw.get_ref().name.get_ref().clone();
            if self.fixtures.insert(name.clone(), steps).is_some() {
                self.report(source.problem(&raw.get_ref().name.span(), format!("the fixture `{name}` exists already")));
            }
        }
    }

    fn fixture(&self, source: &Source<'_>, raw: &RawFixture) -> Vec<Step> {
        let scope = Scope::new(source, &self.reading);
        check::kebab_case(&scope, &raw.name);
        let mut steps = self.given(&scope, &raw.given);
        for step in &raw.steps {
            if let Some(expect) = step.get_ref().expect.as_ref().map(|_| step.span()) {
                scope.problem(&expect, "a fixture's step has no `expect`: it must merely succeed");
            }
            steps.extend(self.step(&scope, step, None, ""));
        }
        for step in &mut steps {
            step.fixture.get_or_insert_with(|| raw.name.get_ref().clone());
        }
        steps
    }

    fn given(&self, scope: &Scope<'_>, names: &[Spanned<String>]) -> Vec<Step> {
        let mut steps = Vec::new();
        for name in names {
            let wanted = scope.string(name);
            match self.fixtures.get(&wanted) {
                Some(fixture) => steps.extend(fixture.iter().cloned()),
                None => {
                    let hint = did_you_mean(&wanted, self.fixtures.keys().map(String::as_str));
                    scope.problem(&name.span(), format!("no fixture `{wanted}`{}", hint.unwrap_or_default()));
                }
            }
        }
        steps
    }

    /// Resolves every case of a file; `stem` is its path without ending.
    pub(super) fn cases(&self, source: &Source<'_>, stem: &str) -> Vec<Case> {
        let file: CaseFile = match source.parse() {
            Ok(file) => file,
            Err(problem) => {
                self.report(problem);
                return Vec::new();
            }
        };
        let mut cases: Vec<Case> = Vec::new();
        let mut names = BTreeSet::new();
        for raw in &file.case {
            let name = &raw.get_ref().name;
            if !names.insert(name.get_ref()) {
                let message = format!("the case `{stem}/{}` exists already; name this one otherwise", name.get_ref());
                self.report(source.problem(&name.span(), message));
            }
            cases.extend(self.rows(source, stem, raw));
        }
        cases
    }

    /// A case, or one for each row of its table.
    fn rows(&self, source: &Source<'_>, stem: &str, raw: &Spanned<RawCase>) -> Vec<Case> {
        let case = raw.get_ref();
        let id = format!("{stem}/{}", case.name.get_ref());
        let plain = Scope::new(source, &self.reading);
        check::kebab_case(&plain, &case.name);
        if case.rows.is_empty() {
            return vec![self.case(&plain, raw, id)];
        }
        let mut names = BTreeSet::new();
        let row = |row: &Spanned<IndexMap<Spanned<String>, Spanned<_>>>| {
            let scope = Scope::new(source, &self.reading).with_row(row.get_ref());
            let name = check::row_name(&scope, row)?;
            if !names.insert(name.clone()) {
                scope.problem(&row.span(), format!("the row `{name}` exists already; name this one otherwise"));
            }
            check::row_entries(&scope, row.get_ref());
            let mut resolved = self.case(&scope, raw, format!("{id}/{name}"));
            resolved.origin = source.origin(&row.span());
            for entry in row.get_ref().keys().filter(|entry| scope.is_unused(entry.get_ref())) {
                let message = format!("nothing in the case uses the row's `{}`", entry.get_ref());
                scope.problem(&entry.span(), message);
            }
            Some(resolved)
        };
        case.rows.iter().filter_map(row).collect()
    }

    fn case(&self, scope: &Scope<'_>, raw: &Spanned<RawCase>, id: String) -> Case {
        let case = raw.get_ref();
        scope.at(&case.name.span());
        let proves: Vec<String> = case.proves.iter().map(|requirement| scope.string(requirement)).collect();
        if proves.is_empty() {
            scope.problem(&case.name.span(), "the case names no requirement in `proves`");
        }
        for (requirement, raw) in proves.iter().zip(&case.proves) {
            check::requirement(self.catalog, scope, &raw.span(), requirement);
        }
        let credentials = case.credentials.as_ref().and_then(|actor| scope.actor(actor));
        let first = proves.first().map_or("", String::as_str);
        let mut steps = self.given(scope, &case.given);
        for step in &case.steps {
            steps.extend(self.step(scope, step, credentials, first));
        }
        scope.at(&case.name.span());
        let about = case.about.as_ref().map(|about| scope.fill(about));
        let needs = case.needs.iter().map(|need| check::need(scope, need)).collect();
        let mut proves = proves;
        for expect in steps.iter().flat_map(|step| &step.expects) {
            if !proves.contains(&expect.requirement) {
                proves.push(expect.requirement.clone());
            }
        }
        check::uncertain_outcomes(self.catalog, scope, &steps);
        for step in &mut steps {
            step.protocol = step.protocol.or(case.protocol);
        }
        // A suite may have a hundred thousand cases, each of which is kept.
        steps.shrink_to_fit();
        proves.shrink_to_fit();
        let scripts = scripts(scope, case);
        let origin = scope.origin(&case.name.span());
        let checked = check::whole_case(scope, &case.name, steps, scripts, needs);
        Case { protocol: case.protocol, ..checked.into_case(id, origin, about, proves, case.isolation) }
    }

    fn step(&self, scope: &Scope<'_>, raw: &Spanned<RawStep>, case: Option<Actor>, requirement: &str) -> Option<Step> {
        let step = raw.get_ref();
        scope.at(&raw.span());
        let (action, base) = self.action(scope, raw)?;
        scope.at(&raw.span());
        let actor = match &action {
            // Bytes are sent as they are, whoever signs the rest of the case.
            Action::Bytes(_) | Action::Observe(_) => Some(Actor::None),
            _ => step.r#as.as_ref().and_then(|actor| scope.actor(actor)).or(case).or(base),
        };
        let headers = step.headers.iter().map(|(name, value)| (scope.fill(name), scope.text(value))).collect();
        let expects = step.expect.as_ref().map(|OneOrMany(expects)| &expects[..]);
        if expects.is_some_and(<[_]>::is_empty) {
            scope.problem(&raw.span(), "the list of expectations is empty; leave it out, or say what must hold");
        }
        let expects = expects.unwrap_or_default();
        let answer = check::Answer {
            service: self.service,
            action: &action,
            succeeds: expects.iter().chain(&step.assume).all(|expect| expect.error.is_none()),
        };
        let captures = step.capture.iter().map(|(name, pointer)| {
            check::capture_name(scope, name);
            Capture { name: name.get_ref().clone(), pointer: answer.pointer(scope, pointer) }
        });
        let captures = captures.collect();
        let expects: Vec<Expect> =
            expects.iter().map(|expect| self.expect(scope, raw, &answer, expect, requirement)).collect();
        let assumes = step.assume.as_ref().map(|assume| {
            check::assumption(scope, raw, assume);
            Box::new(self.expect(scope, raw, &answer, assume, requirement))
        });
        let within = step.within_ms.map(Duration::from_millis);
        if within.is_some_and(|within| within > LONGEST_WITHIN) {
            scope.problem(&raw.span(), format!("`within-ms` is at most {}", LONGEST_WITHIN.as_millis()));
        }
        if step.any_answer {
            check::any_answer(self.catalog, scope, raw, &expects);
        }
        Some(Step {
            origin: scope.origin(&raw.span()),
            fixture: None,
            action,
            protocol: step.protocol,
            actor: actor.unwrap_or(Actor::Identity),
            headers,
            sign: step.sign.as_ref().map_or_else(|| Arc::clone(&ORDINARY), |raw| Arc::new(sign(scope, raw))),
            tamper: step.tamper.as_ref().map_or_else(|| Arc::clone(&UNTOUCHED), |raw| Arc::new(tamper(scope, raw))),
            transfer: step.transfer,
            any_answer: step.any_answer,
            captures,
            expects,
            assumes,
            within,
        })
    }

    /// What a step sends, and who signs it by default.
    fn action(&self, scope: &Scope<'_>, raw: &Spanned<RawStep>) -> Option<(Action, Option<Actor>)> {
        let step = raw.get_ref();
        if step.call.is_none() {
            check::no_call_keys(scope, raw);
        }
        match (&step.call, &step.send, &step.send_bytes, &step.observe) {
            (Some(call), None, None, None) => {
                let operation = scope.string(call);
                check::operation(self.service, scope, &call.span(), &operation)
                    .then(|| self.call(scope, raw, operation))
            }
            (None, Some(send), None, None) => {
                let body = match (&send.body, &send.body_base64) {
                    (None, None) => Body::Empty,
                    (Some(text), None) => Body::Text(scope.text(text)),
                    (None, Some(encoded)) => Body::Bytes(decode(scope, encoded)),
                    (Some(_), Some(second)) => {
                        scope.problem(&second.span(), "`body` and `body-base64` exclude each other");
                        Body::Empty
                    }
                };
                let (method, target) = (scope.text(&send.method), scope.text(&send.target));
                Some((Action::Send { method, target, body }, None))
            }
            (None, None, Some(bytes), None) => Some((Action::Bytes(scope.text(bytes)), None)),
            (None, None, None, Some(collaborator)) => {
                check::observation(scope, raw, &collaborator.span());
                Some((Action::Observe(*collaborator.get_ref()), None))
            }
            _ => {
                scope.problem(&raw.span(), "a step has exactly one of `call`, `send`, `send-bytes` and `observe`");
                None
            }
        }
    }

    fn call(&self, scope: &Scope<'_>, raw: &Spanned<RawStep>, operation: String) -> (Action, Option<Actor>) {
        let step = raw.get_ref();
        check::input_members(self.service, scope, &operation, step.with.keys().chain(&step.without));
        let base = self.bases.operations.get(&operation);
        if base.is_none() {
            scope.problem(&raw.span(), format!("`{operation}` has no base request in _base.toml"));
        }
        let mut input: IndexMap<String, Template> =
            base.map(|base| base.input.iter().cloned().collect()).unwrap_or_default();
        for member in &step.without {
            let name = scope.string(member);
            let known = self.service.operations.get(&operation).is_some_and(|known| known.input.contains_key(&name));
            if input.shift_remove(&name).is_none() && known {
                scope.problem(&member.span(), format!("the base request has no `{name}` to leave out"));
            }
        }
        input.extend(scope.members(&step.with));
        let json = step.json.as_ref().map(|json| scope.text(json));
        let mut input: Vec<(String, Template)> = input.into_iter().collect();
        input.shrink_to_fit();
        let call = Call { operation, input, json };
        (Action::Call(call), base.map(|base| base.credentials))
    }

    fn expect(
        &self,
        scope: &Scope<'_>,
        step: &Spanned<RawStep>,
        answer: &check::Answer<'_>,
        raw: &RawExpect,
        default: &str,
    ) -> Expect {
        let place = raw.span().unwrap_or_else(|| step.span());
        scope.at(&place);
        let requirement = raw.proves.as_ref().map(|id| (scope.string(id), id.span()));
        if let Some((id, span)) = &requirement {
            check::requirement(self.catalog, scope, span, id);
        }
        let error = raw.error.as_ref().map(|names| scope.strings(names)).unwrap_or_default();
        if let Some(names) = &raw.error {
            check::error_names(self.service, scope, &names.span(), &error);
        }
        let members = raw.members.iter();
        let members = members.map(|(path, condition)| (answer.pointer(scope, path), scope.condition(condition)));
        let members = members.collect();
        let absent = raw.absent.iter().map(|path| answer.pointer(scope, path)).collect();
        let status = raw.status.as_ref().map(|status| scope.statuses(status)).unwrap_or_default();
        let expect = Expect {
            origin: scope.origin(&place),
            requirement: requirement.map_or_else(|| default.to_owned(), |(id, _)| id),
            status,
            error,
            message: raw.message.as_ref().map(|message| scope.condition(message)),
            members,
            absent,
            headers: raw.headers.iter().map(|(name, value)| (scope.fill(name), scope.condition(value))).collect(),
            body: raw.body,
            snapshot: raw.snapshot,
            ignore: check::ignore(scope, raw),
        };
        check::expectation(scope, &place, raw.status.as_ref(), &expect);
        expect
    }
}

fn decode(scope: &Scope<'_>, encoded: &Spanned<String>) -> Vec<u8> {
    base64::engine::general_purpose::STANDARD.decode(scope.string(encoded)).unwrap_or_else(|error| {
        scope.problem(&encoded.span(), format!("no Base64: {error}"));
        Vec::new()
    })
}

/// Nearly every step is signed so, and left as it is. They are large, and have it in
/// common.
static ORDINARY: LazyLock<Arc<Sign>> = LazyLock::new(Arc::default);
static UNTOUCHED: LazyLock<Arc<Tamper>> = LazyLock::new(Arc::default);

fn sign(scope: &Scope<'_>, raw: &RawSign) -> Sign {
    let fill = |text: &Option<String>| text.as_ref().map(|text| scope.fill(text));
    Sign {
        form: raw.form,
        region: fill(&raw.region),
        service: fill(&raw.service),
        clock_minutes: raw.clock_minutes,
        payload: raw.payload,
        without_headers: raw.without_headers.iter().map(|name| scope.fill(name).to_ascii_lowercase()).collect(),
    }
}

fn tamper(scope: &Scope<'_>, raw: &RawTamper) -> Tamper {
    let text = |text: &String| -> Text { scope.parse_text(text) };
    Tamper {
        method: raw.method.as_ref().map(|method| scope.fill(method)),
        target: raw.target.as_ref().map(text),
        body: raw.body.as_ref().map(text),
        headers: raw.headers.iter().map(|(name, value)| (scope.fill(name), text(value))).collect(),
        add_headers: raw.add_headers.iter().map(|(name, value)| (scope.fill(name), text(value))).collect(),
        without_headers: raw.without_headers.iter().map(|name| scope.fill(name)).collect(),
        rewrites: raw.rewrite.iter().filter_map(|raw| rewrite(scope, raw)).collect(),
    }
}

fn rewrite(scope: &Scope<'_>, raw: &RawRewrite) -> Option<Rewrite> {
    Some(Rewrite {
        header: raw.header.as_ref().map(|name| scope.fill(name)),
        pattern: scope.plain_pattern(&scope.fill(&raw.pattern))?,
        with: scope.fill(&raw.with),
    })
}
