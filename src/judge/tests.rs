//! What holds and what does not: conditions on one value, then whole steps.

use bytes::Bytes;
use rstest::rstest;
use serde_json::{Value, json};

use super::{Finding, Judge, Level, value};
use crate::cases::{Bindings, Step, Suite};
use crate::spec::{Catalog, OutputKind, Service, ShapeKind};
use crate::wire::{Headers, Response};

const BASES: &str = r#"
[operation.ListRecords]
credentials = "identity"
[operation.UpdateRecords]
credentials = "identity"
[operation.GetCognitoEvents]
credentials = "developer"
[operation.GetIdentityPoolConfiguration]
credentials = "developer"
[operation.SetCognitoEvents]
credentials = "developer"
"#;

/// The step that a case file describes.
fn step(step: &str) -> Step {
    let case = format!(
        "[[case]]\nname = \"c\"\nproves = [\"ListRecords/route\"]\nsteps = [\n\
         {{ send = {{ method = \"GET\", target = \"/\" }}, capture = {{ token = \"/T\", count = \"/C\" }} }},\n{step}\n]\n"
    );
    let files = [("_base.toml", BASES), ("a/t.toml", case.as_str())];
    let suite = Suite::from_texts(Service::embedded(), Catalog::embedded(), &files);
    let suite = suite.unwrap_or_else(|error| panic!("{error}"));
    suite.cases[0].steps[1].clone()
}

fn bindings() -> Bindings {
    let mut bindings = Bindings::new();
    bindings.bind("token", "t-1");
    bindings.bind("count", 4);
    bindings
}

/// What a condition, as a case file writes it, leaves unmet in a JSON value.
fn unmet(condition: &str, actual: &str) -> Vec<String> {
    let step = step(&format!(
        "{{ send = {{ method = \"GET\", target = \"/\" }}, expect = {{ members = {{ \"/V\" = {condition} }} }} }}"
    ));
    let actual: Value = serde_json::from_str(actual).expect("the value is JSON");
    value::check(&step.expects[0].members[0].1, &actual, &bindings()).expect("all names are bound")
}

#[rstest]
// Plain values: by JSON value, numbers in any form.
#[case(r#""a""#, r#""a""#)]
#[case("1", "1")]
#[case("1", "1.0")]
#[case("1", "1E0")]
#[case("100", "1.0e2")]
#[case("1.5", "15E-1")]
#[case("0", "-0.0")]
#[case("-1", "-1.0")]
#[case("true", "true")]
#[case("9007199254740993", "9007199254740993")]
#[case("9223372036854775807", "9223372036854775807")]
#[case("[1, 2]", "[1.0, 2]")]
#[case("[]", "[]")]
#[case(r#""{token}""#, r#""t-1""#)]
#[case(r#""{count}""#, "4")]
#[case(r#""{count+1}""#, "5.0")]
#[case(r#""{count--1}""#, "3")]
#[case(r#""{token}/{count}""#, r#""t-1/4""#)]
// Objects, in which null and absent are alike.
#[case("{ equals = { A = 1 } }", r#"{"A":1.0}"#)]
#[case("{ equals = { A = 1 } }", r#"{"B":null,"A":1}"#)]
#[case("{ equals = { A = [{ B = 1 }] } }", r#"{"A":[{"C":null,"B":1}]}"#)]
#[case("{ equals = 10, within = 0.5 }", "10.5")]
#[case("{ equals = 10, within = 0 }", "10.0")]
#[case("{ not = 1 }", "2")]
#[case("{ not = 1 }", r#""1""#)]
#[case(r#"{ not = "{token}" }"#, r#""t-2""#)]
#[case("{ not = 9007199254740992 }", "9007199254740993")]
#[case("{ one-of = [1, \"a\"] }", "1.0")]
#[case("{ one-of = [1, \"a\"] }", r#""a""#)]
#[case("{ type = \"string\" }", r#""""#)]
#[case("{ type = \"integer\" }", "3E0")]
#[case("{ type = \"integer\" }", "18446744073709551615")]
#[case("{ type = \"number\" }", "0.1")]
#[case("{ type = \"boolean\" }", "false")]
#[case("{ type = \"list\" }", "[]")]
#[case("{ type = \"object\" }", "{}")]
#[case("{ type = \"date\" }", "1.412974057151E9")]
#[case("{ type = \"date\" }", "946684800")]
#[case("{ type = \"date\" }", "4102444800")]
#[case("{ min = 3 }", "3")]
#[case("{ max = 3 }", "3.0")]
#[case("{ min = 1, max = 3 }", "2.5")]
#[case("{ min = \"{count}\" }", "4")]
#[case("{ max = 9007199254740993 }", "9007199254740993")]
// Patterns match as a whole, alternatives too; `.` matches a line break.
#[case("{ pattern = \"[a-z]+\" }", r#""abc""#)]
#[case("{ pattern = \"a|bc\" }", r#""bc""#)]
#[case("{ pattern = \"a.c\" }", r#""a\nc""#)]
#[case("{ pattern = \"\" }", r#""""#)]
#[case("{ pattern = \"ä{2}\" }", r#""ää""#)]
#[case("{ contains = \"b\" }", r#""abc""#)]
#[case("{ contains = \"{token}\" }", r#""<t-1>""#)]
#[case("{ contains = 4 }", r#""count 4""#)]
// Characters, not bytes.
#[case("{ length = 2 }", r#""äö""#)]
#[case("{ length = 1 }", "\"\u{1F600}\"")]
#[case("{ length = 2 }", "[1, null]")]
#[case("{ length = 1 }", r#"{"a":1}"#)]
#[case("{ unordered = [1, 2, 1] }", "[1, 1.0, 2]")]
#[case("{ unordered = [{ A = 1 }, { A = 2 }] }", r#"[{"A":2},{"A":1,"B":null}]"#)]
#[case("{ unordered = [] }", "[]")]
#[case("{ has-entry = { A = 1 } }", r#"[{"A":2},{"A":1,"B":3}]"#)]
#[case("{ has-entry = \"a\" }", r#"["b","a"]"#)]
// At least these members, and at least these entries in them.
#[case("{ has-entry = { A = [{ B = 1 }, { B = 2 }] } }", r#"[{},{"A":[{"B":2,"C":3},{"B":4},{"B":1}]}]"#)]
#[case("{ has-entry = { A = { B = 1 } } }", r#"[{"A":{"B":1,"C":2}}]"#)]
#[case("{ has-no-entry = { A = 1, B = [{ C = 1 }] } }", r#"[{"A":1,"B":[{"C":2}]},{"A":2,"B":[{"C":1}]}]"#)]
#[case("{ has-no-entry = { A = 1 } }", r#"[{"A":2},{"B":1},{}]"#)]
#[case("{ has-no-entry = { A = 1 } }", "[]")]
#[case("{ has-no-entry = { A = 1 } }", "null")]
#[case("{ has-any = [{ A = 1 }, { B = 2 }] }", r#"{"B":2.0,"C":3}"#)]
fn a_condition_holds(#[case] condition: &str, #[case] actual: &str) {
    assert_eq!(unmet(condition, actual), [""; 0]);
}

#[rstest]
#[case(r#""a""#, r#""A""#, r#""a""#)]
#[case(r#""1""#, "1", r#""1""#)]
#[case("1", r#""1""#, "1")]
#[case("1", "true", "1")]
#[case("0", "null", "0")]
#[case("9007199254740993", "9007199254740992", "9007199254740993")]
#[case("9007199254740993", "9007199254740992.0", "9007199254740993")]
#[case("9223372036854775807", "9223372036854775808", "9223372036854775807")]
#[case("[1, 2]", "[2, 1]", "[1,2]")]
#[case("[1]", "[1, null]", "[1]")]
#[case("{ equals = { A = 1 } }", r#"{"A":1,"B":2}"#, r#"{"A":1}"#)]
#[case("{ equals = { A = 1 } }", "null", r#"{"A":1}"#)]
#[case("{ equals = 10, within = 0.5 }", "10.51", "10 ± 0.5")]
#[case("{ equals = 10, within = 0.5 }", r#""10""#, "10 ± 0.5")]
#[case("{ not = 1 }", "1.0", "a value other than 1")]
#[case("{ one-of = [1, \"a\"] }", "2", r#"one of [1,"a"]"#)]
#[case("{ type = \"string\" }", "1", "a string")]
#[case("{ type = \"string\" }", "null", "a string")]
#[case("{ type = \"integer\" }", "1.5", "a whole number")]
#[case("{ type = \"integer\" }", r#""1""#, "a whole number")]
#[case("{ type = \"boolean\" }", r#""true""#, "true or false")]
#[case("{ type = \"list\" }", "{}", "a list")]
#[case("{ type = \"object\" }", "[]", "an object")]
#[case("{ type = \"date\" }", "1412974057151", "a date: seconds since the epoch, as a number")]
#[case("{ type = \"date\" }", "0", "a date: seconds since the epoch, as a number")]
#[case("{ type = \"date\" }", r#""2014-10-10""#, "a date: seconds since the epoch, as a number")]
#[case("{ min = 3 }", "2.999", "at least 3")]
#[case("{ min = 3 }", r#""4""#, "at least 3")]
#[case("{ min = 9007199254740993 }", "9007199254740992", "at least 9007199254740993")]
#[case("{ max = 3 }", "18446744073709551615", "at most 3")]
#[case("{ max = 3 }", "null", "at most 3")]
#[case("{ pattern = \"[a-z]+\" }", r#""abc\n""#, "text matching [a-z]+ as a whole")]
#[case("{ pattern = \"[a-z]+\" }", r#""1abc""#, "text matching [a-z]+ as a whole")]
#[case("{ pattern = \"a|b\" }", r#""ab""#, "text matching a|b as a whole")]
#[case("{ pattern = \"1\" }", "1", "text matching 1 as a whole")]
#[case("{ contains = \"b\" }", r#""ac""#, r#"text containing "b""#)]
#[case("{ contains = \"b\" }", r#"["b"]"#, r#"text containing "b""#)]
#[case("{ length = 1 }", r#""äö""#, "a length of 1")]
#[case("{ length = 0 }", "null", "a length of 0")]
#[case("{ unordered = [1, 1, 2] }", "[1, 2, 2]", "in any order [1,1,2]")]
#[case("{ unordered = [1] }", "[1, 1]", "in any order [1]")]
#[case("{ unordered = [1, 1] }", "[1]", "in any order [1,1]")]
#[case("{ has-entry = { A = 1 } }", r#"[{"A":"1"}]"#, r#"an entry with {"A":1}"#)]
#[case("{ has-entry = { A = 1 } }", r#"{"A":1}"#, r#"an entry with {"A":1}"#)]
// Not one half in this entry and one in that.
#[case("{ has-entry = { A = [1, 2] } }", r#"[{"A":[1]},{"A":[2]},{"A":null}]"#, r#"an entry with {"A":[1,2]}"#)]
#[case("{ has-entry = { A = [1] } }", r#"[{"A":1}]"#, r#"an entry with {"A":[1]}"#)]
#[case("{ has-no-entry = { A = [1] } }", r#"[{"A":[2,1]}]"#, r#"no entry with {"A":[1]}"#)]
#[case("{ has-no-entry = { A = 1 } }", r#"[{"A":1,"B":2}]"#, r#"no entry with {"A":1}"#)]
#[case("{ has-no-entry = { A = 1 } }", r#"{"A":2}"#, r#"no entry with {"A":1}"#)]
#[case("{ has-no-entry = { A = 1 } }", r#""text""#, r#"no entry with {"A":1}"#)]
#[case(
    "{ has-any = [{ A = 1 }, { B = 2 }] }",
    r#"{"A":2,"B":null}"#,
    r#"an object with the members of one of [{"A":1},{"B":2}]"#
)]
#[case("{ has-any = [{ A = 1 }] }", r#"[{"A":1}]"#, r#"an object with the members of one of [{"A":1}]"#)]
fn a_condition_says_what_it_wanted(#[case] condition: &str, #[case] actual: &str, #[case] expected: &str) {
    assert_eq!(unmet(condition, actual), [expected]);
}

#[test]
fn every_part_of_a_condition_counts() {
    let condition = r#"{ type = "string", min = 1, length = 2, contains = "a" }"#;
    assert_eq!(unmet(condition, "0"), ["a string", "at least 1", r#"text containing "a""#, "a length of 2"]);
}

// ---- steps ----------------------------------------------------------------------

fn response(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
    let headers = headers.iter().copied().collect::<Headers>();
    Response { status, headers, body: Bytes::copy_from_slice(body.as_bytes()) }
}

fn judged(step: &Step, response: &Response) -> Vec<Finding> {
    let judge = Judge { service: Service::embedded(), catalog: Catalog::embedded() };
    judge.step(2, step, response, &bindings()).expect("all names are bound")
}

/// `level at: expected | actual (requirement)` of each finding.
fn findings(text: &str, response: &Response) -> Vec<String> {
    let shown = |finding: Finding| {
        let Finding { level, at, expected, actual, requirement, .. } = finding;
        format!("{level:?} {at}: {expected} | {actual} ({requirement})")
    };
    judged(&step(text), response).into_iter().map(shown).collect()
}

const STALE: &str = r#"{ call = "UpdateRecords", expect = { status = 409, error = ["ResourceConflictException", "TooManyRequestsException"], message = { contains = "{count}" } } }"#;

#[rstest]
#[case::header(&[("x-amzn-ErrorType", "ResourceConflictException:http://x/")], r#"{"message":"is 4"}"#)]
#[case::kind_in_body(&[], r#"{"__type":"com.amazonaws#ResourceConflictException","message":"is 4"}"#)]
#[case::code_in_body(&[], r#"{"code":"ResourceConflictException","message":"4"}"#)]
fn an_error_is_known_wherever_it_is_named(#[case] headers: &[(&str, &str)], #[case] body: &str) {
    assert_eq!(findings(STALE, &response(409, headers, body)), [""; 0]);
}

#[rstest]
#[case::success(response(200, &[], r#"{"Records":[]}"#), &[
    "Fail status: 409 | 200 (ListRecords/route)",
    "Fail error: ResourceConflictException or TooManyRequestsException | no error name, status 200 (ListRecords/route)",
    "Fail message: text containing \"4\" | absent (ListRecords/route)",
])]
#[case::another_error(response(409, &[("x-amzn-errortype", "LimitExceededException")], r#"{"message":"4 is too many"}"#), &[
    "Fail error: ResourceConflictException or TooManyRequestsException | LimitExceededException: 4 is too many (ListRecords/route)",
    "Fail status: 400 | 409 (UpdateRecords/error/LimitExceededException)",
])]
#[case::another_status(response(400, &[], r#"{"__type":"ResourceConflictException","message":"4"}"#), &[
    "Fail status: 409 | 400 ResourceConflictException: 4 (ListRecords/route)",
    "Fail status: 409 | 400 (UpdateRecords/error/ResourceConflictException)",
])]
#[case::xml(response(404, &[], "<UnknownOperationException/>\n"), &[
    "Fail status: 409 | 404 UnknownOperationException (ListRecords/route)",
    "Fail error: ResourceConflictException or TooManyRequestsException | UnknownOperationException (ListRecords/route)",
    "Fail message: text containing \"4\" | absent (ListRecords/route)",
])]
#[case::no_message(response(409, &[("x-amzn-errortype", "ResourceConflictException")], "{}"), &[
    "Fail message: text containing \"4\" | absent (ListRecords/route)",
    "Fail /message: a string | null (service/error/message)",
])]
#[case::message_in_another_case(response(409, &[("x-amzn-errortype", "ResourceConflictException")], r#"{"Message":"4"}"#), &[
    "Fail /message: a string | null (service/error/message)",
])]
#[case::no_body(response(409, &[("x-amzn-errortype", "ResourceConflictException")], ""), &[
    "Fail message: text containing \"4\" | absent (ListRecords/route)",
    "Fail /message: a string | null (service/error/message)",
])]
fn what_is_wrong_with_an_error_is_said(#[case] response: Response, #[case] expected: &[&str]) {
    assert_eq!(findings(STALE, &response), expected);
}

#[test]
fn an_error_named_in_xml_is_an_error_like_others() {
    let text = r#"{ send = { method = "GET", target = "/x" }, expect = { status = 404, error = "UnknownOperationException" } }"#;
    assert_eq!(findings(text, &response(404, &[], "<UnknownOperationException/>\n")), [""; 0]);
}

#[test]
fn the_strength_of_the_requirement_decides_the_level() {
    let of = |requirement: &str| {
        let text = format!(r#"{{ call = "UpdateRecords", expect = {{ proves = "{requirement}", status = 201 }} }}"#);
        judged(&step(&text), &response(200, &[], "{}"))[0].level
    };
    assert_eq!(of("UpdateRecords/route"), Level::Fail);
    assert_eq!(of("UpdateRecords/rule/stale-sync-count"), Level::Fail);
    assert_eq!(of("UpdateRecords/rule/all-or-nothing"), Level::Warn);
    assert_eq!(of("UpdateRecords/rule/same-key-twice"), Level::Note);
}

#[test]
fn a_finding_says_where_and_against_what() {
    let text = r#"{ call = "ListRecords", expect = [
        { status = 200 },
        { proves = "ListRecords/output/Count", members = { "/Count" = 2 } },
    ] }"#;
    let found = judged(&step(text), &response(200, &[], r#"{"Count":1}"#));
    let [finding] = found.as_slice() else { panic!("{found:?}") };
    let expected = Finding {
        level: Level::Fail,
        step: 2,
        at: "/Count".to_owned(),
        expected: "2".to_owned(),
        actual: "1".to_owned(),
        requirement: "ListRecords/output/Count".to_owned(),
        origin: "cases/a/t.toml:8:20".to_owned(),
    };
    assert_eq!(*finding, expected);
}

#[rstest]
#[case::held(r#"[{ status = 200 }, { proves = "UpdateRecords/rule/all-or-nothing", members = { "/Count" = 1 } }]"#,
    response(200, &[], r#"{"Count":1}"#), &[])]
#[case::only_the_detail(r#"[{ status = 200 }, { proves = "UpdateRecords/rule/all-or-nothing", members = { "/Count" = 2 } }]"#,
    response(200, &[], r#"{"Count":1}"#), &["Warn /Count: 2 | 1 (UpdateRecords/rule/all-or-nothing)"])]
// A detail of an outcome that did not come is nobody's fault.
#[case::another_outcome(r#"[{ status = 200 }, { proves = "UpdateRecords/rule/all-or-nothing", members = { "/Count" = 2 }, absent = ["/message"], headers = { a = "b" }, body = "empty" }]"#,
    response(500, &[], r#"{"message":"no"}"#), &["Fail status: 200 | 500 (ListRecords/route)"])]
#[case::outcome_named_last(r#"[{ proves = "UpdateRecords/rule/all-or-nothing", absent = ["/Count"] }, { status = 201 }]"#,
    response(200, &[], "{}"), &["Fail status: 201 | 200 (ListRecords/route)"])]
// What names an outcome of its own is judged whatever came of the first.
#[case::each_outcome(r#"[{ status = 200 }, { proves = "UpdateRecords/rule/same-key-twice", status = 201 }]"#,
    response(202, &[], "{}"), &[
        "Fail status: 200 | 202 (ListRecords/route)",
        "Note status: 201 | 202 (UpdateRecords/rule/same-key-twice)",
    ])]
#[case::finer_error(r#"[{ status = 400, error = ["InvalidParameterException", "ValidationException"] },
    { proves = "UpdateRecords/rule/all-or-nothing", error = "ValidationException" },
    { proves = "UpdateRecords/rule/same-key-twice", message = { contains = "b" } }]"#,
    response(400, &[("x-amzn-errortype", "InvalidParameterException")], r#"{"message":"a"}"#), &[
        "Warn error: ValidationException | InvalidParameterException: a (UpdateRecords/rule/all-or-nothing)",
        "Note message: text containing \"b\" | \"a\" (UpdateRecords/rule/same-key-twice)",
    ])]
fn each_expectation_of_a_list_is_judged_by_itself(
    #[case] expects: &str,
    #[case] response: Response,
    #[case] expected: &[&str],
) {
    let text = format!(r#"{{ send = {{ method = "GET", target = "/" }}, expect = {expects} }}"#);
    assert_eq!(findings(&text, &response), expected);
}

#[rstest]
#[case::absent(r#"{ absent = ["/A", "/B", "/C/0"] }"#, r#"{"A":null,"C":[]}"#, &[])]
#[case::present(r#"{ absent = ["/A", "/B"] }"#, r#"{"A":0,"B":""}"#, &["/A: absent or null | 0", "/B: absent or null | \"\""])]
#[case::missing(r#"{ members = { "/A" = 1, "/B" = { type = "string" } } }"#, r#"{"B":null}"#, &["/A: 1 | absent", "/B: a string | null"])]
#[case::escapes(r#"{ members = { "/a~1b/c~0d" = 1 } }"#, r#"{"a/b":{"c~d":1}}"#, &[])]
#[case::whole(r#"{ members = { "" = { type = "list" } } }"#, "{}", &["body: a list | {}"])]
#[case::not_json(r#"{ members = { "/A" = 1 } }"#, "<html>", &["/A: 1 | absent"])]
#[case::empty(r#"{ body = "empty" }"#, "", &[])]
#[case::not_empty(r#"{ body = "empty" }"#, "{}", &["body: no bytes | {}"])]
#[case::object(r#"{ body = "empty-or-object" }"#, " { } ", &[])]
#[case::not_object(r#"{ body = "empty-or-object" }"#, "[]", &["body: no bytes, or {} | []"])]
#[case::header(r#"{ headers = { Content-Type = { contains = "json" } } }"#, "", &[])]
#[case::no_header(r#"{ headers = { etag = { type = "string" } } }"#, "", &["header etag: a string | absent"])]
fn the_parts_of_an_expectation(#[case] expect: &str, #[case] body: &str, #[case] expected: &[&str]) {
    let text = format!(r#"{{ send = {{ method = "GET", target = "/" }}, expect = {expect} }}"#);
    let expected: Vec<_> = expected.iter().map(|text| format!("Fail {text} (ListRecords/route)")).collect();
    assert_eq!(findings(&text, &response(200, &[("content-type", "application/json")], body)), expected);
}

#[test]
fn an_unbound_name_is_the_case_s_fault() {
    let step = step(r#"{ call = "ListRecords", expect = { status = 200, members = { "/Count" = "{count}" } } }"#);
    let judge = Judge { service: Service::embedded(), catalog: Catalog::embedded() };
    let error = judge.step(2, &step, &response(200, &[], "{}"), &Bindings::new()).expect_err("unbound");
    assert_eq!(error.to_string(), "`{count}` stands for nothing here");
}

// ---- the declared form ------------------------------------------------------------

#[rstest]
#[case::right("ListRecords", r#"{"Records":[{"Key":"k","SyncCount":1E0,"LastModifiedDate":1.4E9}],"Count":1,"More":[]}"#, &[])]
#[case::nulls("ListRecords", r#"{"Records":null,"Count":null}"#, &[])]
#[case::nothing("ListRecords", "{}", &[])]
#[case::nested("ListRecords", r#"{"Records":[{"Key":"k"},{"Key":1,"LastModifiedDate":"2014"}]}"#, &[
    "/Records/1/Key: a string | 1 (ListRecords/output/Records/Key)",
    "/Records/1/LastModifiedDate: a number | \"2014\" (ListRecords/output/Records/LastModifiedDate)",
])]
#[case::entry("ListRecords", r#"{"Records":["k",null]}"#, &[
    "/Records/0: an object | \"k\" (ListRecords/output/Records)",
    "/Records/1: an object | null (ListRecords/output/Records)",
])]
#[case::top("ListRecords", r#"{"Records":{},"Count":"1"}"#, &[
    "/Records: a list | {} (ListRecords/output/Records)",
    "/Count: a whole number | \"1\" (ListRecords/output/Count)",
])]
#[case::outside_enum("GetIdentityPoolConfiguration", r#"{"CognitoStreams":{"StreamingStatus":"enabled"}}"#, &[
    "/CognitoStreams/StreamingStatus: one of ENABLED, DISABLED | \"enabled\" (GetIdentityPoolConfiguration/output/CognitoStreams/StreamingStatus)",
])]
#[case::map("GetCognitoEvents", r#"{"Events":{"SyncTrigger":1,"Other":null,"Fine":"arn"}}"#, &[
    "/Events/SyncTrigger: a string | 1 (GetCognitoEvents/output/Events)",
])]
#[case::list("ListRecords", "[]", &["body: a JSON object | [] (ListRecords/output/Records)"])]
#[case::no_json("ListRecords", "<html>", &["body: a JSON object | <html> (ListRecords/output/Records)"])]
#[case::no_bytes("ListRecords", "", &["body: a JSON object | an empty body (ListRecords/output/Records)"])]
#[case::empty("SetCognitoEvents", "", &[])]
#[case::empty_object("SetCognitoEvents", "{}", &[])]
#[case::not_empty("SetCognitoEvents", r#"{"a":1}"#, &["body: an empty body or an empty object | {\"a\":1} (SetCognitoEvents/output)"])]
#[case::null("SetCognitoEvents", "null", &["body: an empty body or an empty object | null (SetCognitoEvents/output)"])]
fn an_answer_has_its_declared_form(#[case] operation: &str, #[case] body: &str, #[case] expected: &[&str]) {
    let text = format!(r#"{{ call = "{operation}", expect = {{ status = 200 }} }}"#);
    let expected: Vec<_> = expected.iter().map(|text| format!("Fail {text}")).collect();
    assert_eq!(findings(&text, &response(200, &[], body)), expected);
}

#[test]
fn a_header_that_names_an_error_does_not_excuse_the_form_of_a_success() {
    let found = findings(
        r#"{ call = "ListRecords", expect = { status = 200 } }"#,
        &response(200, &[("x-amzn-errortype", "InternalErrorException")], r#"{"Count":"1"}"#),
    );
    assert_eq!(found, ["Fail /Count: a whole number | \"1\" (ListRecords/output/Count)"]);
}

#[test]
fn a_long_list_of_mistakes_is_told_in_part_and_hides_no_other() {
    let step = r#"{ call = "ListRecords", expect = { status = 200 } }"#;
    let body = json!({ "Records": vec![7; 5_000], "Count": "1" }).to_string();
    let found = findings(step, &response(200, &[], &body));
    assert_eq!(found.len(), 11, "{found:?}");
    assert!(found.iter().any(|finding| finding.contains("/Count")), "{found:?}");
}

#[test]
fn a_name_of_the_endpoint_is_escaped_in_a_pointer() {
    let step = r#"{ call = "GetCognitoEvents", expect = { status = 200 } }"#;
    let found = findings(step, &response(200, &[], r#"{"Events":{"a/b~c":1}}"#));
    assert!(found[0].starts_with("Fail /Events/a~1b~0c: "), "{found:?}");
}

#[test]
fn a_step_without_expectations_is_not_judged() {
    assert_eq!(
        findings(
            r#"{ call = "ListRecords" }, { call = "ListRecords", expect = { status = 200 } }"#,
            &response(200, &[], "[]")
        ),
        [""; 0]
    );
}

/// A value of every declared member that its shape does not allow.
fn wrong(service: &Service, shape: &str, deep: bool) -> Value {
    match &service.shape(shape).kind {
        ShapeKind::Structure { members } if deep => {
            members.iter().map(|(name, member)| (name.clone(), wrong(service, &member.shape, true))).collect()
        }
        ShapeKind::List { member } if deep => json!([wrong(service, member, true)]),
        ShapeKind::Map { value, .. } if deep => json!({ "key": wrong(service, value, true) }),
        ShapeKind::Boolean => json!("true"),
        _ => json!(true),
    }
}

#[test]
fn every_finding_of_a_declared_form_names_a_requirement_that_exists() {
    let (service, catalog) = (Service::embedded(), Catalog::embedded());
    let judge = Judge { service, catalog };
    for operation in service.operations.values() {
        let bases = format!("[operation.{}]\ncredentials = \"developer\"\n", operation.name);
        let case = format!(
            "[[case]]\nname = \"c\"\nproves = [\"{0}/route\"]\nsteps = [{{ call = \"{0}\", expect = {{ status = 200 }} }}]\n",
            operation.name
        );
        let suite = Suite::from_texts(service, catalog, &[("_base.toml", &bases), ("a/t.toml", &case)]);
        let suite = suite.unwrap_or_else(|error| panic!("{error}"));
        let bodies = [false, true].map(|deep| {
            let members = operation.output.iter();
            members.map(|(name, member)| (name.clone(), wrong(service, &member.shape, deep))).collect::<Value>()
        });
        for body in bodies.into_iter().chain([json!(["no object"])]) {
            let response = response(200, &[], &body.to_string());
            let found = judge.step(1, &suite.cases[0].steps[0], &response, &bindings()).expect("nothing to bind");
            let forgiven = operation.output_kind != OutputKind::Structure && body == json!({});
            assert!(forgiven == found.is_empty(), "{}: {body} {found:?}", operation.name);
            for finding in found {
                assert!(catalog.get(&finding.requirement).is_some(), "{finding:?}");
            }
        }
    }
    assert!(service.error_members.keys().all(|name| catalog.get(&format!("service/error/{name}")).is_some()));
}
