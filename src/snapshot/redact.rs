//! What is replaced in the texts of a snapshot, and by what.

use std::sync::LazyLock;

use indexmap::{IndexMap, IndexSet};
use regex::{Captures, Regex};
use serde_json::{Number, Value};

use crate::cases::{Bindings, names};

/// Shortest run of letters, digits and `+/_=-` that may be a token.
const SHORTEST_TOKEN: usize = 80;

/// Digits of an account's number.
const ACCOUNT_DIGITS: usize = 12;

/// The kinds of text that nobody may keep, each a group of this name.
static FORBIDDEN: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r#"(?x)
        (?P<uuid> [0-9a-fA-F]{8} (?: -[0-9a-fA-F]{4} ){3} -[0-9a-fA-F]{12} )
        | (?P<said> (?i: request [-_\ ]? id ) ["']? \s* [:=]\ * ["']? ) (?P<request> [A-Za-z0-9/+=_-]+ )
        | (?P<jwt> eyJ[A-Za-z0-9_-]+ \. [A-Za-z0-9_-]+ \. [A-Za-z0-9_-]* )
        | (?P<email> [A-Za-z0-9._%+-]+ @ [A-Za-z0-9-]+ (?: \.[A-Za-z0-9-]+ )+ )
        | (?P<key> \b A(?:KIA|SIA|ROA|IDA|GPA|NPA|NVA|BIA|CCA) [A-Z0-9]{12,} \b )
        | (?P<run> [A-Za-z0-9+/_=-]{64,} )
        | (?P<account> \b [0-9]{4}-[0-9]{4}-[0-9]{4} \b )
        "#;
    Regex::new(pattern).expect("the pattern compiles")
});

/// Values that were replaced, and by what.
#[derive(Debug, Default)]
pub(super) struct Redactions {
    /// Value to placeholder, of what the case bound; longest values first.
    bound: Vec<(String, String)>,
    /// Kind to the values of that kind, in the order of their first occurrence.
    numbered: IndexMap<String, IndexSet<String>>,
}

impl Redactions {
    /// Takes over what the case's own names stand for, and what the target names
    /// beside its endpoint. Captured values are not among them: a captured count is
    /// the answer's business. Nor are words that may stand anywhere.
    pub(super) fn learn(&mut self, bindings: &Bindings) {
        let own = |name: &str| {
            let is_resource = names::RESOURCES.iter().any(|(resource, _)| *resource == name);
            names::LEASE.contains(&name) || names::is_dataset(name) || names::is_fresh(name) || is_resource
        };
        for (name, value) in bindings.iter() {
            let Some(text) = value.as_str().filter(|text| !text.is_empty()) else { continue };
            let known = self.bound.iter().any(|(value, _)| value == text);
            if !known && own(name) && !["region", "platform"].contains(&name) {
                self.bound.push((text.to_owned(), format!("<{name}>")));
            }
        }
        self.bound.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
    }

    /// `<kind>` for the first value of a kind, `<kind:2>` for the second.
    pub(super) fn named(&mut self, kind: &str, value: &str) -> String {
        let values = self.numbered.entry(kind.to_owned()).or_default();
        let (index, _) = values.insert_full(value.to_owned());
        if index == 0 { format!("<{kind}>") } else { format!("<{kind}:{}>", index + 1) }
    }

    /// Text without what is not to be kept.
    pub(super) fn text(&mut self, text: &str) -> String {
        let mut redacted = text.to_owned();
        for (value, placeholder) in &self.bound {
            redacted = redacted.replace(value, placeholder);
        }
        let mut found = Vec::new();
        for captures in FORBIDDEN.captures_iter(&redacted) {
            // The whole match is always there.
            let range = captures.get(0).map(|whole| whole.range()).unwrap_or_default();
            if let Some(instead) = self.instead(&captures) {
                found.push((range, instead));
            }
        }
        for (range, instead) in found.into_iter().rev() {
            redacted.replace_range(range, &instead);
        }
        without_accounts(&redacted)
    }

    /// A number, or what stands for it when it may be an account's.
    pub(super) fn number(&self, number: &Number) -> Value {
        if number.to_string().len() == ACCOUNT_DIGITS && number.is_u64() {
            return Value::from("<account>");
        }
        canonical_number(number)
    }

    /// What stands for a match.
    fn instead(&mut self, found: &Captures<'_>) -> Option<String> {
        let group = |name: &str| found.name(name).map(|group| group.as_str());
        if let Some(uuid) = group("uuid") {
            return Some(self.named("uuid", uuid));
        }
        if let (Some(said), Some(_)) = (group("said"), group("request")) {
            return Some(format!("{said}<request-id>"));
        }
        if let Some(run) = group("run") {
            return of_run(run);
        }
        let kinds = [("jwt", "<token>"), ("email", "<email>"), ("key", "<access-key>"), ("account", "<account>")];
        kinds.into_iter().find(|(name, _)| group(name).is_some()).map(|(_, instead)| instead.to_owned())
    }
}

/// What stands for a long run of letters and digits: a hash, a token, or nothing when
/// it is ordinary text, such as one letter repeated.
fn of_run(run: &str) -> Option<String> {
    if run.len() == 64 && run.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)) {
        return run.bytes().any(|byte| byte != run.as_bytes()[0]).then(|| "<hash>".to_owned());
    }
    let mixed = [u8::is_ascii_lowercase, u8::is_ascii_uppercase, u8::is_ascii_digit]
        .iter()
        .all(|is_kind| run.bytes().any(|byte| is_kind(&byte)));
    (mixed && run.len() >= SHORTEST_TOKEN).then(|| "<token>".to_owned())
}

/// Text in which `<account>` stands for every run of just 12 digits. A percent-encoded
/// character ends a run, whatever digits it is written with.
fn without_accounts(text: &str) -> String {
    let is_encoded = |rest: &str| {
        rest.starts_with('%') && rest.as_bytes().get(1..3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))
    };
    let (mut done, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(first) = rest.chars().next() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let taken = match digits {
            0 if is_encoded(rest) => 3,
            0 => first.len_utf8(),
            digits => digits,
        };
        done.push_str(if digits == ACCOUNT_DIGITS { "<account>" } else { &rest[..taken] });
        rest = &rest[taken..];
    }
    done
}

/// Whether a member of this name says which request was answered, or by whom.
pub(super) fn names_a_request(name: &str) -> bool {
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    name.ends_with("requestid") || name.ends_with("traceid") || ["hostid", "xamzid2"].contains(&name.as_str())
}

/// `3`, `3.0` and `3E0` are the same number, and are written the same.
fn canonical_number(number: &Number) -> Value {
    let whole = number.as_f64().filter(|float| !number.is_i64() && float.fract() == 0.0 && float.abs() < 9e15);
    #[expect(clippy::cast_possible_truncation, reason = "the filter keeps to whole numbers that fit")]
    whole.map_or_else(|| Value::Number(number.clone()), |float| Value::from(float as i64))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::Redactions;

    #[rstest]
    #[case::arn(
        "User: arn:aws:sts::123456789012:assumed-role/r is not allowed on arn:aws-cn:sns:x:210987654321:app/GCM/a",
        "User: arn:aws:sts::<account>:assumed-role/r is not allowed on arn:aws-cn:sns:x:<account>:app/GCM/a"
    )]
    #[case::alone("123456789012", "<account>")]
    #[case::within_words("role_123456789012x", "role_<account>x")]
    #[case::in_an_address(
        "https://sqs.us-east-1.amazonaws.com/123456789012/q",
        "https://sqs.us-east-1.amazonaws.com/<account>/q"
    )]
    #[case::encoded("arn%3Aaws%3Aiam%3A%3A123456789012%3Arole", "arn%3Aaws%3Aiam%3A%3A<account>%3Arole")]
    #[case::after_an_encoded_blank("a%20123456789012", "a%20<account>")]
    #[case::with_hyphens("account 1234-5678-9012.", "account <account>.")]
    #[case::more_digits("1234567890123", "1234567890123")]
    #[case::fewer_digits("12345678901", "12345678901")]
    #[case::uuids(
        "us-east-1:9001c0de-0000-4000-8000-123456789012, 9001C0DE-0000-4000-8000-000000000001, us-east-1:9001c0de-0000-4000-8000-123456789012",
        "us-east-1:<uuid>, <uuid:2>, us-east-1:<uuid>"
    )]
    #[case::request(
        "(Service: X; Request ID: 9001c0de-0000-4000-8000-123456789012)",
        "(Service: X; Request ID: <request-id>)"
    )]
    #[case::odd_request(
        "RequestId=\"J3Q5/x+9\", request-id: abc",
        "RequestId=\"<request-id>\", request-id: <request-id>"
    )]
    #[case::email("ask jane.doe+aws@mail.example.org, please", "ask <email>, please")]
    #[case::access_key("key AKIAIOSFODNN7EXAMPLE, ASIAIOSFODNN7EXAMPLE", "key <access-key>, <access-key>")]
    #[case::session_token(
        "t=IQoJb3JpZ2luX2VjEJr//////////wEaCXVzLWVhc3QtMSJHMEUCIQD0fakefakefakefakefakefakefakefake+0123456789ABCDEF==",
        "<token>"
    )]
    #[case::jwt("bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "bearer <token>")]
    #[case::signature(
        "Signature=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "Signature=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    )]
    #[case::hash("is 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "is <hash>")]
    #[case::ordinary(
        "Value at 'datasetName' failed to satisfy constraint, 2026-11-21",
        "Value at 'datasetName' failed to satisfy constraint, 2026-11-21"
    )]
    fn what_must_not_be_kept_is_not(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(Redactions::default().text(text), expected);
    }

    #[test]
    fn long_values_of_cases_stay() {
        for text in ["a".repeat(500), "Ab".repeat(250), "0".repeat(64)] {
            assert_eq!(Redactions::default().text(&text), text);
        }
    }

    #[rstest]
    #[case(json!(123_456_789_012_u64), json!("<account>"))]
    #[case(json!(12_345_678_901_u64), json!(12_345_678_901_u64))]
    #[case(json!(-12_345_678_901_i64), json!(-12_345_678_901_i64))]
    #[case(json!(3.0), json!(3))]
    fn a_number_may_be_an_account(#[case] number: Value, #[case] expected: Value) {
        let Value::Number(number) = number else { panic!("it is a number") };
        assert_eq!(Redactions::default().number(&number), expected);
    }
}
