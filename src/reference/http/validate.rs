//! Checks input against the constraints of the service description, and words
//! what is wrong as the service's framework does.

use std::collections::HashMap;
use std::fmt::{self, Write as _};

use regex::bytes::{Regex, RegexBuilder};
use serde_json::Value;

use super::input::Sent;
use super::refusal::Refusal;
use crate::spec::{Location, Member, Operation, Service, Shape, ShapeKind, StringConstraints};

/// Characters of a value that a message repeats.
const SHOWN_CHARACTERS: usize = 256;

/// Violations that a message spells out; all of them are counted.
const SHOWN_VIOLATIONS: usize = 20;

/// The patterns of a service, compiled once.
pub(super) struct Patterns(HashMap<String, Regex>);

impl Patterns {
    /// Every pattern of a shape or member. They match whole values, and their
    /// classes (`\d`, `\w`) mean ASCII, as in the service's own language.
    pub(super) fn compile(service: &Service) -> Result<Self, regex::Error> {
        let of_shapes = service.shapes.values().filter_map(|shape| match &shape.kind {
            ShapeKind::String(constraints) => constraints.pattern.as_ref(),
            _ => None,
        });
        let nested = service.shapes.values().filter_map(|shape| match &shape.kind {
            ShapeKind::Structure { members } => Some(members.values()),
            _ => None,
        });
        let inputs = service.operations.values().flat_map(|operation| operation.input.values());
        let of_members = nested.flatten().chain(inputs).filter_map(|member| member.constraints.pattern.as_ref());
        let compiled = of_shapes.chain(of_members).map(|pattern| {
            let whole = RegexBuilder::new(&format!(r"\A(?:{pattern})\z")).unicode(false).build()?;
            Ok((pattern.clone(), whole))
        });
        compiled.collect::<Result<_, _>>().map(Self)
    }

    fn matches(&self, pattern: &str, value: &str) -> bool {
        self.0.get(pattern).is_some_and(|regex| regex.is_match(value.as_bytes()))
    }
}

/// Refuses input that breaks a constraint, naming each.
pub(super) fn check(
    service: &Service,
    patterns: &Patterns,
    operation: &Operation,
    sent: &HashMap<String, Sent>,
) -> Result<(), Refusal> {
    let mut check = Check { service, patterns, violations: Vec::new() };
    for (name, member) in &operation.input {
        let path = LowerCamel(name);
        match sent.get(name) {
            None => check.absent(&path, member),
            Some(Sent::Text(text)) => {
                let shape = service.shape(&member.shape);
                check.text(&path, text, &member.constraints, shape.sensitive);
                if let ShapeKind::String(constraints) = &shape.kind {
                    check.text(&path, text, constraints, shape.sensitive);
                }
            }
            Some(Sent::Json(value)) => check.member(&path, member, value),
        }
    }
    check.finish()
}

/// Refuses a value of this shape that breaks a constraint, naming each.
pub(super) fn check_value(
    service: &Service,
    patterns: &Patterns,
    path: &dyn fmt::Display,
    shape: &str,
    value: &Value,
) -> Result<(), Refusal> {
    let mut check = Check { service, patterns, violations: Vec::new() };
    check.value(path, shape, value);
    check.finish()
}

struct Check<'a> {
    service: &'a Service,
    patterns: &'a Patterns,
    violations: Vec<String>,
}

/// Paths are written out only where something is wrong.
impl Check<'_> {
    fn finish(mut self) -> Result<(), Refusal> {
        let count = self.violations.len();
        if count == 0 {
            return Ok(());
        }
        self.violations.truncate(SHOWN_VIOLATIONS);
        let noun = if count == 1 { "error" } else { "errors" };
        Err(Refusal::constraints(format!("{count} validation {noun} detected: {}", self.violations.join("; "))))
    }

    fn violated(&mut self, path: &dyn fmt::Display, shown: &str, constraint: &str) {
        let value = if shown.is_empty() { "Value".to_owned() } else { format!("Value {shown}") };
        self.violations.push(format!("{value} at '{path}' failed to satisfy constraint: {constraint}"));
    }

    fn absent(&mut self, path: &dyn fmt::Display, member: &Member) {
        if member.required {
            self.violated(path, "null", "Member must not be null");
        }
    }

    fn member(&mut self, path: &dyn fmt::Display, member: &Member, value: &Value) {
        if let Value::String(text) = value {
            let sensitive = self.service.shape(&member.shape).sensitive;
            self.text(path, text, &member.constraints, sensitive);
        }
        self.value(path, &member.shape, value);
    }

    fn value(&mut self, path: &dyn fmt::Display, shape: &str, value: &Value) {
        let Shape { kind, sensitive, .. } = self.service.shape(shape);
        match (kind, value) {
            (ShapeKind::String(constraints), Value::String(text)) => self.text(path, text, constraints, *sensitive),
            (ShapeKind::List { member }, Value::Array(entries)) => {
                for (entry, at) in entries.iter().zip(1_usize..) {
                    let path = format_args!("{path}.{at}.member");
                    if entry.is_null() {
                        self.violated(&path, "null", "Member must not be null");
                    } else {
                        self.value(&path, member, entry);
                    }
                }
            }
            (ShapeKind::Map { key, value, max_entries }, Value::Object(entries)) => {
                if let Some(most) = max_entries.filter(|most| entries.len() as u64 > *most) {
                    let shown: Vec<String> =
                        entries.iter().map(|(key, value)| format!("{key}={}", plain(value))).collect();
                    let shown = quoted(&format!("{{{}}}", shown.join(", ")), *sensitive);
                    self.violated(path, &shown, &format!("Member must have length less than or equal to {most}"));
                }
                for (name, entry) in entries {
                    self.value(&format_args!("{path}.{name}.key"), key, &Value::String(name.clone()));
                    self.value(&format_args!("{path}.{name}.member"), value, entry);
                }
            }
            (ShapeKind::Structure { members }, Value::Object(sent)) => {
                for (name, member) in members {
                    let path = format_args!("{path}.{}", LowerCamel(name));
                    match sent.get(name) {
                        None => self.absent(&path, member),
                        Some(value) => self.member(&path, member, value),
                    }
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, path: &dyn fmt::Display, text: &str, constraints: &StringConstraints, sensitive: bool) {
        let length = text.chars().count() as u64;
        let mut broken = Vec::new();
        if let Some(fewest) = constraints.min_length.filter(|fewest| length < *fewest) {
            broken.push(format!("Member must have length greater than or equal to {fewest}"));
        }
        if let Some(most) = constraints.max_length.filter(|most| length > *most) {
            broken.push(format!("Member must have length less than or equal to {most}"));
        }
        if let Some(pattern) = constraints.pattern.as_ref().filter(|pattern| !self.patterns.matches(pattern, text)) {
            broken.push(format!("Member must satisfy regular expression pattern: {pattern}"));
        }
        if !constraints.allowed.is_empty() && !constraints.allowed.iter().any(|allowed| allowed == text) {
            broken.push(format!("Member must satisfy enum value set: [{}]", constraints.allowed.join(", ")));
        }
        for constraint in broken {
            self.violated(path, &quoted(text, sensitive), &constraint);
        }
    }
}

/// A value as messages show it; sensitive ones are not.
fn quoted(value: &str, sensitive: bool) -> String {
    if sensitive {
        return String::new();
    }
    match value.char_indices().nth(SHOWN_CHARACTERS) {
        Some((end, _)) => format!("'{}...'", &value[..end]),
        None => format!("'{value}'"),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A member's name as paths have it.
struct LowerCamel<'a>(&'a str);

impl fmt::Display for LowerCamel<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut characters = self.0.chars();
        if let Some(first) = characters.next() {
            f.write_char(first.to_ascii_lowercase())?;
        }
        f.write_str(characters.as_str())
    }
}

/// Whether the description lets a member travel in the body at all.
pub(super) fn has_body(operation: &Operation) -> bool {
    operation.input.values().any(|member| member.location == Location::Body)
}
