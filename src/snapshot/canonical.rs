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
//!    longer text, and what the target names beside its endpoint likewise;
//! 5. text in the form of a UUID becomes `<uuid:1>`, of a 12-digit account id
//!    `<account>`, also within longer text, such as an ARN's;
//! 6. e-mail addresses, access keys, hashes, tokens and ids of requests become
//!    `<email>`, `<access-key>`, `<hash>`, `<token>` and `<request-id>`;
//! 7. secrets that whoever takes the snapshot knows of become what it says.
//!
//! The list is append-only: a new redaction goes to the end.

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::form::{Body, Section, visible, write};
use super::redact::{Redactions, names_a_request};
use crate::cases::Bindings;
use crate::spec::{Member, Operation, Service, ShapeKind};
use crate::wire::Response;

/// Builds the snapshot of one case.
#[derive(Debug)]
pub struct Canonical<'s> {
    service: &'s Service,
    redactions: Redactions,
    sections: Vec<Section>,
}

impl<'s> Canonical<'s> {
    /// An empty snapshot.
    pub fn new(service: &'s Service) -> Self {
        Self { service, redactions: Redactions::default(), sections: Vec::new() }
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
        let name = response.error_name().map(|name| format!(" {}", visible(&name))).unwrap_or_default();
        let head = self.redactions.text(&format!("{label} -> {}{name}", response.status));
        let members = operation.filter(|_| response.error_name().is_none()).map(|operation| &operation.output);
        let body = match response.json() {
            Some(body) => Body::Json(self.object(&body, members)),
            None if response.body.is_empty() => Body::Empty,
            None => Body::Text(self.redactions.text(&String::from_utf8_lossy(&response.body))),
        };
        self.sections.push(Section { step: number, head, body, line: 0 });
    }

    /// The snapshot so far; none if no response was added. `redact` takes what else
    /// is secret out of each name and value, of text and of numbers.
    pub fn finish(self, redact: impl Fn(&str) -> String) -> Option<String> {
        let clean = |section: Section| {
            let body = match section.body {
                Body::Json(value) => Body::Json(redacted(value, &redact)),
                Body::Text(text) => Body::Text(redact(&text)),
                Body::Empty => Body::Empty,
            };
            Section { head: redact(&section.head), body, ..section }
        };
        let sections: Vec<Section> = self.sections.into_iter().map(clean).collect();
        (!sections.is_empty()).then(|| write(&sections))
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
                distinct(canonical)
            }
            Value::Array(list) => list.iter().map(|entry| self.object(entry, None)).collect(),
            Value::String(text) => Value::String(self.redactions.text(text)),
            Value::Number(number) => self.redactions.number(number),
            other => other.clone(),
        }
    }

    fn member(&mut self, name: &str, value: &Value, member: Option<&Member>) -> Value {
        match (member, value) {
            (Some(member), Value::String(text)) if member.opaque || self.service.is_sensitive(member) => {
                Value::String(self.redactions.named(name, text))
            }
            (Some(member), _) => self.value(value, &member.shape),
            (None, Value::String(text)) if names_a_request(name) => {
                Value::String(self.redactions.named("request-id", text))
            }
            (None, _) => self.object(value, None),
        }
    }
}

/// An object of these members. Names that are alike once they are redacted keep all
/// their values.
fn distinct(members: impl Iterator<Item = (String, Value)>) -> Value {
    let mut object = Map::new();
    for (mut name, value) in members {
        while object.contains_key(&name) {
            name.push('\'');
        }
        object.insert(name, value);
    }
    Value::Object(object)
}

fn redacted(value: Value, redact: &impl Fn(&str) -> String) -> Value {
    match value {
        Value::Object(object) => {
            distinct(object.into_iter().map(|(name, value)| (redact(&name), redacted(value, redact))))
        }
        Value::Array(list) => list.into_iter().map(|entry| redacted(entry, redact)).collect(),
        Value::String(text) => Value::String(redact(&text)),
        Value::Number(number) => {
            let (text, clean) = (number.to_string(), redact(&number.to_string()));
            if clean == text { Value::Number(number) } else { Value::String(clean) }
        }
        other => other,
    }
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
        insta::assert_snapshot!(canonical.finish(str::to_owned).unwrap_or_default(), @r#"
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
        assert_eq!(Canonical::new(Service::embedded()).finish(str::to_owned), None);
    }

    /// Where a server should put none of it: names, error names, lists, markup.
    #[test]
    fn no_place_is_safe_for_an_account_or_a_secret() {
        let mut canonical = Canonical::new(Service::embedded());
        let bindings = Bindings::new();
        let arn = "arn:aws:iam::123456789012:role/x";
        let body = format!(
            r#"{{"{arn}":[["in {arn}"]],"210987654321":{{"Owner":123456789012}},"123456789012":1,
                "x-amzn-RequestId":"J7+x","hush-hush":["hush-hush",20202020],"__type":"Odd {arn}\nstep 9: x"}}"#
        );
        canonical.add(1, "GET /", None, &Response { status: 400, ..response(&body) }, &bindings);
        canonical.add(2, "GET /", None, &response(&format!("<a>{arn}\nhush-hush</a>")), &bindings);
        let redact = |text: &str| text.replace("hush-hush", "<redacted>").replace("20202020", "<redacted>");
        insta::assert_snapshot!(canonical.finish(redact).unwrap_or_default(), @r#"
step 1: GET / -> 400 Odd arn
{
  "<account>": 1,
  "<account>'": {
    "Owner": "<account>"
  },
  "<redacted>": [
    "<redacted>",
    "<redacted>"
  ],
  "__type": "Odd arn:aws:iam::<account>:role/x\nstep 9: x",
  "arn:aws:iam::<account>:role/x": [
    [
      "in arn:aws:iam::<account>:role/x"
    ]
  ],
  "x-amzn-RequestId": "<request-id>"
}

step 2: GET / -> 200
> <a>arn:aws:iam::<account>:role/x
> <redacted></a>
"#);
    }
}
