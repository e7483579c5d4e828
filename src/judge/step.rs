//! One step's expectations against its response.

use indexmap::IndexMap;
use serde_json::Value;

use super::finding::{Finding, Level};
use super::value;
use crate::cases::{Action, Bindings, BodyForm, Expect, Match, RenderError, Step, ValueType, alternatives};
use crate::spec::{Catalog, Member, OutputKind, Service, ShapeKind, Strength};
use crate::wire::Response;

/// Most findings about the declared form of one answer for each requirement: all
/// of them are of one level, and a long list full of mistakes needs no more.
const MOST_OF_FORM: usize = 10;

/// Compares responses with expectations. Knows the service only as data.
#[derive(Debug, Clone, Copy)]
pub struct Judge<'s> {
    /// The service, for the types of answers.
    pub service: &'s Service,
    /// The requirements, for their strength.
    pub catalog: &'s Catalog,
}

impl Judge<'_> {
    /// Everything in which the response is not as the step expects. `number` is
    /// the step's, from 1. A step without expectations is none of the judge's.
    ///
    /// # Errors
    ///
    /// When a placeholder in an expectation stands for nothing, which is the
    /// case's fault and not the target's.
    pub fn step(
        &self,
        number: usize,
        step: &Step,
        response: &Response,
        bindings: &Bindings,
    ) -> Result<Vec<Finding>, RenderError> {
        let body = response.json();
        let mut findings = Vec::new();
        // What speaks of no outcome itself is about the one named first: when
        // another came, it says nothing.
        let mut first_outcome_differs = None;
        for expect in &step.expects {
            let mut seen = Seen { judge: self, number, expect, response, body: body.as_ref(), findings: &mut findings };
            let states_outcome = expect.has_outcome();
            if states_outcome || first_outcome_differs != Some(true) {
                let differs = seen.expectation(bindings)?;
                if states_outcome {
                    first_outcome_differs.get_or_insert(differs);
                }
            }
        }
        self.declared_form(number, step, response, body.as_ref(), &mut findings);
        Ok(findings)
    }

    /// Everything in which the response is not as the case assumes; none of it
    /// speaks against the target.
    ///
    /// # Errors
    ///
    /// As for [`Judge::step`].
    pub fn assumption(
        &self,
        number: usize,
        step: &Step,
        response: &Response,
        bindings: &Bindings,
    ) -> Result<Vec<Finding>, RenderError> {
        let mut findings = Vec::new();
        if let Some(expect) = step.assumes.as_deref() {
            let body = response.json();
            let mut seen = Seen { judge: self, number, expect, response, body: body.as_ref(), findings: &mut findings };
            seen.expectation(bindings)?;
        }
        Ok(findings)
    }

    /// What is to say of a step that was not answered, for each of its expectations.
    pub fn unanswered(&self, number: usize, step: &Step, why: &str) -> Vec<Finding> {
        let finding = |expect: &Expect| Finding {
            level: self.level(&expect.requirement),
            step: number,
            at: "answer".to_owned(),
            expected: expect.sentences().join(", "),
            actual: why.to_owned(),
            requirement: expect.requirement.clone(),
            origin: expect.origin.to_string(),
        };
        step.expects.iter().map(finding).collect()
    }

    /// The level of a finding against a requirement.
    pub fn level(&self, requirement: &str) -> Level {
        self.catalog.get(requirement).map_or(Strength::Documented, |requirement| requirement.strength).into()
    }

    /// What holds for every answer of an operation, unless the step expects
    /// something else: declared members have their types, declared errors their
    /// status and a message.
    fn declared_form(
        &self,
        number: usize,
        step: &Step,
        response: &Response,
        body: Option<&Value>,
        findings: &mut Vec<Finding>,
    ) {
        let Action::Call(call) = &step.action else { return };
        if step.expects.is_empty() {
            return;
        }
        let Some(operation) = self.service.operations.get(&call.operation) else { return };
        let mut form = Form { judge: self, number, origin: step.origin.to_string(), findings };
        if !(200..300).contains(&response.status) {
            if let Some((name, error)) = response.error_name().and_then(|name| self.service.errors.get_key_value(&name))
            {
                form.error_members(body);
                if operation.errors.contains(name) && response.status != error.status {
                    let requirement = format!("{}/error/{name}", operation.name);
                    form.add(requirement, "status".to_owned(), error.status.to_string(), response.status.to_string());
                }
            }
        } else {
            match (operation.output_kind, body) {
                (OutputKind::Structure, Some(Value::Object(object))) => {
                    form.members(&format!("{}/output", operation.name), "", &operation.output, object);
                }
                (OutputKind::Structure, _) => {
                    let requirement = operation.output.keys().next();
                    let requirement = requirement.map(|first| format!("{}/output/{first}", operation.name));
                    let actual = shown_body(response);
                    form.add(requirement.unwrap_or_default(), "body".to_owned(), "a JSON object".to_owned(), actual);
                }
                (OutputKind::EmptyStructure | OutputKind::None, _) => {
                    if !is_empty_or_object(response, body) {
                        let requirement = format!("{}/output", operation.name);
                        let expected = "an empty body or an empty object".to_owned();
                        form.add(requirement, "body".to_owned(), expected, shown_body(response));
                    }
                }
            }
        }
    }
}

/// A response as one expectation sees it.
struct Seen<'a> {
    judge: &'a Judge<'a>,
    number: usize,
    expect: &'a Expect,
    response: &'a Response,
    body: Option<&'a Value>,
    findings: &'a mut Vec<Finding>,
}

impl Seen<'_> {
    fn add(&mut self, at: impl Into<String>, expected: impl Into<String>, actual: String) {
        self.findings.push(Finding {
            level: self.judge.level(&self.expect.requirement),
            step: self.number,
            at: at.into(),
            expected: expected.into(),
            actual,
            requirement: self.expect.requirement.clone(),
            origin: self.expect.origin.to_string(),
        });
    }

    /// Adds what does not hold; whether another outcome came than expected.
    fn expectation(&mut self, bindings: &Bindings) -> Result<bool, RenderError> {
        let expect = self.expect;
        let outcome_differs = self.status() | self.error();
        if let Some(condition) = &expect.message {
            let message = self.response.error_message().map(Value::String);
            self.condition("message", condition, message.as_ref(), bindings)?;
        }
        // When another outcome came, its members say nothing more.
        if outcome_differs {
            return Ok(true);
        }
        for (pointer, condition) in &expect.members {
            let value = self.body.and_then(|body| body.pointer(pointer)).cloned();
            let at = if pointer.is_empty() { "body" } else { pointer };
            self.condition(at, condition, value.as_ref(), bindings)?;
        }
        for pointer in &expect.absent {
            let value = self.body.and_then(|body| body.pointer(pointer));
            if let Some(value) = value.filter(|value| !value.is_null()) {
                self.add(pointer, "absent or null", value.to_string());
            }
        }
        for (name, condition) in &expect.headers {
            let value = self.response.headers.get(name).map(Value::from);
            self.condition(&format!("header {name}"), condition, value.as_ref(), bindings)?;
        }
        match expect.body {
            Some(BodyForm::Empty) if !self.response.body.is_empty() => {
                self.add("body", "no bytes", shown_body(self.response));
            }
            Some(BodyForm::EmptyOrObject) if !is_empty_or_object(self.response, self.body) => {
                self.add("body", "no bytes, or {}", shown_body(self.response));
            }
            _ => {}
        }
        Ok(false)
    }

    /// Whether the status is not as expected.
    fn status(&mut self) -> bool {
        let (expected, actual) = (&self.expect.status, self.response.status);
        if expected.is_empty() || expected.contains(&actual) {
            return false;
        }
        let message = self.response.error_message().map(|message| format!(": {message}")).unwrap_or_default();
        let error = self.response.error_name().map(|name| format!(" {name}{message}"));
        self.add("status", alternatives(expected), format!("{actual}{}", error.unwrap_or_default()));
        true
    }

    /// Whether the error is not as expected.
    fn error(&mut self) -> bool {
        let expected = &self.expect.error;
        let actual = self.response.error_name();
        if expected.is_empty() || actual.as_ref().is_some_and(|actual| expected.contains(actual)) {
            return false;
        }
        let message = self.response.error_message().map(|message| format!(": {message}")).unwrap_or_default();
        let named = actual.unwrap_or_else(|| format!("no error name, status {}", self.response.status));
        self.add("error", alternatives(expected), format!("{named}{message}"));
        true
    }

    /// What a condition leaves unmet; a value that is not there counts as null.
    fn condition(
        &mut self,
        at: &str,
        condition: &Match,
        value: Option<&Value>,
        bindings: &Bindings,
    ) -> Result<(), RenderError> {
        if value.is_none() && condition.asks_for_null() {
            self.add(at, ValueType::Null.phrase(), "absent".to_owned());
            return Ok(());
        }
        for expected in value::check(condition, value.unwrap_or(&Value::Null), bindings)? {
            let actual = value.map_or_else(|| "absent".to_owned(), Value::to_string);
            self.add(at, expected, actual);
        }
        Ok(())
    }
}

/// The declared form of an answer.
struct Form<'a> {
    judge: &'a Judge<'a>,
    number: usize,
    origin: String,
    findings: &'a mut Vec<Finding>,
}

impl Form<'_> {
    fn add(&mut self, requirement: String, at: String, expected: String, actual: String) {
        if self.findings.iter().filter(|finding| finding.requirement == requirement).count() >= MOST_OF_FORM {
            return;
        }
        self.findings.push(Finding {
            level: self.judge.level(&requirement),
            step: self.number,
            at,
            expected,
            actual,
            requirement,
            origin: self.origin.clone(),
        });
    }

    fn error_members(&mut self, body: Option<&Value>) {
        for (name, member) in &self.judge.service.error_members {
            let value = body.and_then(|body| body.get(name)).unwrap_or(&Value::Null);
            if !self.fits(value, &member.shape) {
                let id = format!("service/error/{name}");
                self.add(id, format!("/{name}"), self.phrase(&member.shape), value.to_string());
            }
        }
    }

    fn members(
        &mut self,
        id: &str,
        pointer: &str,
        members: &IndexMap<String, Member>,
        object: &serde_json::Map<String, Value>,
    ) {
        for (name, member) in members {
            let value = object.get(name).filter(|value| !value.is_null());
            let Some(value) = value else { continue };
            let (id, pointer) = (format!("{id}/{name}"), format!("{pointer}/{name}"));
            if self.fits(value, &member.shape) {
                self.below(&id, &pointer, &member.shape, value);
            } else {
                self.add(id, pointer, self.phrase(&member.shape), value.to_string());
            }
        }
    }

    fn below(&mut self, id: &str, pointer: &str, shape: &str, value: &Value) {
        match (&self.judge.service.shape(shape).kind, value) {
            (ShapeKind::Structure { members }, Value::Object(object)) => self.members(id, pointer, members, object),
            (ShapeKind::List { member }, Value::Array(list)) => {
                for (index, entry) in list.iter().enumerate() {
                    let pointer = format!("{pointer}/{index}");
                    if self.fits(entry, member) {
                        self.below(id, &pointer, member, entry);
                    } else {
                        self.add(id.to_owned(), pointer, self.phrase(member), entry.to_string());
                    }
                }
            }
            (ShapeKind::Map { value: shape, .. }, Value::Object(map)) => {
                for (key, entry) in map.iter().filter(|(_, entry)| !entry.is_null()) {
                    if !self.fits(entry, shape) {
                        let key = key.replace('~', "~0").replace('/', "~1");
                        self.add(id.to_owned(), format!("{pointer}/{key}"), self.phrase(shape), entry.to_string());
                    }
                }
            }
            _ => {}
        }
    }

    /// Whether a value has the type of a shape, and is one of its values when it
    /// has a list of them.
    fn fits(&self, value: &Value, shape: &str) -> bool {
        let kind = &self.judge.service.shape(shape).kind;
        let allowed = match kind {
            ShapeKind::String(constraints) => &constraints.allowed[..],
            _ => &[],
        };
        value::is_type(value, json_type(kind))
            && (allowed.is_empty() || value.as_str().is_some_and(|text| allowed.iter().any(|known| known == text)))
    }

    fn phrase(&self, shape: &str) -> String {
        match &self.judge.service.shape(shape).kind {
            ShapeKind::String(constraints) if !constraints.allowed.is_empty() => {
                format!("one of {}", constraints.allowed.join(", "))
            }
            kind => json_type(kind).phrase().to_owned(),
        }
    }
}

fn json_type(kind: &ShapeKind) -> ValueType {
    match kind {
        ShapeKind::String(_) => ValueType::String,
        ShapeKind::Integer | ShapeKind::Long => ValueType::Integer,
        ShapeKind::Boolean => ValueType::Boolean,
        // A date that was never set may be any number; cases say where it is one.
        ShapeKind::Timestamp => ValueType::Number,
        ShapeKind::List { .. } => ValueType::List,
        ShapeKind::Map { .. } | ShapeKind::Structure { .. } => ValueType::Object,
    }
}

fn is_empty_or_object(response: &Response, body: Option<&Value>) -> bool {
    response.body.is_empty() || body.is_some_and(|body| body.as_object().is_some_and(serde_json::Map::is_empty))
}

fn shown_body(response: &Response) -> String {
    if response.body.is_empty() { "an empty body".to_owned() } else { String::from_utf8_lossy(&response.body).into() }
}
