//! The canonical form of a case's responses.
//!
//! Members are sorted by name and null members left out, because order and
//! explicit nulls carry no meaning. Redactions, in this order:
//!
//! 1. values of sensitive shapes become `<MEMBER>`, with a number when a case
//!    sees several: `<SyncSessionToken:2>`;
//! 2. values of opaque members likewise;
//! 3. timestamps become `<date>`;
//! 4. what the case's placeholders stand for becomes `<placeholder>`, also within
//!    longer text;
//! 5. other text in the form of a UUID becomes `<uuid:1>`, of a 12-digit account
//!    id `<account>`.
//!
//! The list is append-only: a new redaction goes to the end.

use std::fmt::Write as _;

use indexmap::{IndexMap, IndexSet};
use serde_json::{Map, Value};

use crate::cases::{Bindings, names};
use crate::spec::{Member, Operation, Service, ShapeKind};
use crate::wire::Response;

/// Builds the snapshot of one case.
#[derive(Debug)]
pub struct Canonical<'s> {
    service: &'s Service,
    redactions: Redactions,
    text: String,
}

impl<'s> Canonical<'s> {
    /// An empty snapshot.
    pub fn new(service: &'s Service) -> Self {
        Self { service, redactions: Redactions::default(), text: String::new() }
    }

    /// Adds a response. `number` is its step's, from 1; `operation` is what the
    /// step called, if it called one; `bindings` are the case's so far.
    pub fn add(
        &mut self,
        number: usize,
        label: &str,
        operation: Option<&Operation>,
        response: &Response,
        bindings: &Bindings,
    ) {
        self.redactions.learn(bindings);
        let name = response.error_name().map(|name| format!(" {name}")).unwrap_or_default();
        // Writing to a `String` cannot fail.
        let _ = writeln!(self.text, "step {number}: {label} -> {}{name}", response.status);
        let members = operation.filter(|_| response.error_name().is_none()).map(|operation| &operation.output);
        match response.json() {
            Some(body) => {
                let canonical = self.object(&body, members);
                // A `Value` can always be written.
                let _ = writeln!(self.text, "{}", serde_json::to_string_pretty(&canonical).unwrap_or_default());
            }
            None if response.body.is_empty() => self.text.push_str("(empty body)\n"),
            None => {
                let _ = writeln!(self.text, "{}", self.redactions.text(&String::from_utf8_lossy(&response.body)));
            }
        }
        self.text.push('\n');
    }

    /// The snapshot so far; none if no response was added.
    pub fn finish(self) -> Option<String> {
        (!self.text.is_empty()).then(|| self.text.trim_end().to_owned())
    }

    fn value(&mut self, value: &Value, shape: &str) -> Value {
        let service = self.service;
        match (&service.shape(shape).kind, value) {
            (ShapeKind::Timestamp, Value::Number(_)) => Value::from("<date>"),
            (ShapeKind::List { member }, Value::Array(list)) => {
                list.iter().map(|entry| self.value(entry, member)).collect()
            }
            (ShapeKind::Structure { members }, Value::Object(_)) => self.object(value, Some(members)),
            _ => self.object(value, None),
        }
    }

    /// An object whose members are known, or any value of which nothing is known.
    fn object(&mut self, value: &Value, members: Option<&IndexMap<String, Member>>) -> Value {
        match value {
            Value::Object(object) => {
                let mut sorted: Vec<_> = object.iter().filter(|(_, value)| !value.is_null()).collect();
                sorted.sort_by(|a, b| a.0.cmp(b.0));
                let canonical = sorted.into_iter().map(|(name, value)| {
                    let member = members.and_then(|members| members.get(name));
                    (self.redactions.text(name), self.member(name, value, member))
                });
                Value::Object(canonical.collect::<Map<_, _>>())
            }
            Value::Array(list) => list.iter().map(|entry| self.object(entry, None)).collect(),
            Value::String(text) => Value::String(self.redactions.text(text)),
            Value::Number(number) => canonical_number(number),
            other => other.clone(),
        }
    }

    fn member(&mut self, name: &str, value: &Value, member: Option<&Member>) -> Value {
        match (member, value) {
            (Some(member), Value::String(text)) if member.opaque || self.service.is_sensitive(member) => {
                Value::String(self.redactions.named(name, text))
            }
            (Some(member), _) => self.value(value, &member.shape),
            (None, _) => self.object(value, None),
        }
    }
}

/// `3`, `3.0` and `3E0` are the same number, and are written the same.
fn canonical_number(number: &serde_json::Number) -> Value {
    let whole = number.as_f64().filter(|float| !number.is_i64() && float.fract() == 0.0 && float.abs() < 9e15);
    #[expect(clippy::cast_possible_truncation, reason = "the filter keeps to whole numbers that fit")]
    whole.map_or_else(|| Value::Number(number.clone()), |float| Value::from(float as i64))
}

/// Values that were replaced, and by what.
#[derive(Debug, Default)]
pub struct Redactions {
    /// Value to placeholder, of what the case bound; longest values first.
    bound: Vec<(String, String)>,
    /// Kind to the values of that kind, in the order of their first occurrence.
    numbered: IndexMap<String, IndexSet<String>>,
}

impl Redactions {
    /// Takes over what the case's own names stand for. Captured values are not
    /// among them: a captured count is the answer's business.
    fn learn(&mut self, bindings: &Bindings) {
        let own = |name: &str| names::LEASE.contains(&name) || names::is_dataset(name) || names::is_fresh(name);
        for (name, value) in bindings.iter() {
            let Some(text) = value.as_str().filter(|text| !text.is_empty()) else { continue };
            let known = self.bound.iter().any(|(value, _)| value == text);
            if !known && own(name) && name != "region" {
                self.bound.push((text.to_owned(), format!("<{name}>")));
            }
        }
        self.bound.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
    }

    /// `<kind>` for the first value of a kind, `<kind:2>` for the second.
    fn named(&mut self, kind: &str, value: &str) -> String {
        let values = self.numbered.entry(kind.to_owned()).or_default();
        let (index, _) = values.insert_full(value.to_owned());
        if index == 0 { format!("<{kind}>") } else { format!("<{kind}:{}>", index + 1) }
    }

    fn text(&mut self, text: &str) -> String {
        let mut redacted = text.to_owned();
        for (value, placeholder) in &self.bound {
            redacted = redacted.replace(value, placeholder);
        }
        if is_uuid(&redacted) {
            return self.named("uuid", &redacted);
        }
        if redacted.len() == 12 && redacted.bytes().all(|byte| byte.is_ascii_digit()) {
            return "<account>".to_owned();
        }
        redacted
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::Canonical;
    use crate::cases::Bindings;
    use crate::spec::Service;
    use crate::wire::{Headers, Response};

    fn response(body: &str) -> Response {
        Response { status: 200, headers: Headers::new(), body: Bytes::copy_from_slice(body.as_bytes()) }
    }

    #[test]
    fn the_same_value_gets_the_same_placeholder_everywhere() {
        let service = Service::embedded();
        let mut bindings = Bindings::new();
        bindings.bind("dataset", "d-123");
        bindings.bind("identity-id", "us-east-1:9");
        bindings.bind("count", 1);
        let mut canonical = Canonical::new(service);
        let list = service.operations.get("ListRecords");
        canonical.add(
            1,
            "ListRecords",
            list,
            &response(
                r#"{"SyncSessionToken":"secret-1","Count":1.0,"NextToken":null,"Extra":{"b":1,"a":null},
                    "Records":[{"Key":"k","LastModifiedDate":1.412974057151E9,"LastModifiedBy":"us-east-1:9"}],
                    "LastModifiedBy":"123456789012","MergedDatasetNames":["d-123.us-east-1:9"]}"#,
            ),
            &bindings,
        );
        canonical.add(2, "ListRecords", list, &response(r#"{"SyncSessionToken":"secret-2"}"#), &bindings);
        canonical.add(3, "ListRecords", list, &response(r#"{"SyncSessionToken":"secret-1"}"#), &bindings);
        canonical.add(4, "GET /", None, &response(""), &bindings);
        insta::assert_snapshot!(canonical.finish().unwrap_or_default(), @r#"
step 1: ListRecords -> 200
{
  "Count": 1,
  "Extra": {
    "b": 1
  },
  "LastModifiedBy": "<account>",
  "MergedDatasetNames": [
    "<dataset>.<identity-id>"
  ],
  "Records": [
    {
      "Key": "k",
      "LastModifiedBy": "<identity-id>",
      "LastModifiedDate": "<date>"
    }
  ],
  "SyncSessionToken": "<SyncSessionToken>"
}

step 2: ListRecords -> 200
{
  "SyncSessionToken": "<SyncSessionToken:2>"
}

step 3: ListRecords -> 200
{
  "SyncSessionToken": "<SyncSessionToken>"
}

step 4: GET / -> 200
(empty body)
"#);
    }

    #[test]
    fn nothing_added_is_no_snapshot() {
        assert_eq!(Canonical::new(Service::embedded()).finish(), None);
    }
}
