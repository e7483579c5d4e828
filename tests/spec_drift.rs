//! The suite's data against models of AWS's two formats: every kind of change is
//! noticed, and nothing else is. The models in `tests/data/drift` are of a small
//! service that does not exist; that of the real one is made of the facts.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use rstest::rstest;
use syncspec::spec::{Difference, Drift, ModelFile, Service};

#[path = "support/model.rs"]
mod model;

use model::model_of_facts;

const SERVICE: &str = include_str!("data/drift/service.toml");
const BOTOCORE: &str = include_str!("data/drift/botocore.json");
const SMITHY: &str = include_str!("data/drift/smithy.json");

/// Changes of one format: what stands in the model, and what instead.
type Changes = &'static [(&'static str, &'static str)];

fn changed(text: &str, changes: Changes) -> String {
    changes.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "there is no `{from}`");
        text.replace(from, to)
    })
}

fn drift(service: &str, model: &str) -> Drift {
    let service = Service::from_toml(service).expect("the service is valid");
    let model = ModelFile::from_bytes(model.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{model}"));
    Drift::between(&service, &model)
}

/// Differences as lines, without what both sides say.
fn lines(differences: &[Difference]) -> Vec<String> {
    let said = |what: &Option<String>| what.clone().unwrap_or_else(|| "nothing".to_owned());
    differences.iter().map(|one| format!("{}: {} -> {}", one.place, said(&one.ours), said(&one.theirs))).collect()
}

const KNOWN: [&str; 2] =
    ["DropItem/error/UnlistedException: HTTP status 400 -> nothing", "ListItems/input/Most/max-length: 3 -> nothing"];

#[rstest]
#[case::botocore(BOTOCORE, "botocore")]
#[case::smithy(SMITHY, "smithy")]
fn the_same_service_agrees(#[case] model: &str, #[case] format: &str) {
    let file = ModelFile::from_bytes(model.as_bytes()).expect("it is a model");
    assert_eq!((file.format, file.operations(), file.title().as_str()), (format, 3, "Item Store 2001-01-01"));
    let drift = drift(SERVICE, model);
    assert_eq!(lines(&drift.differences), Vec::<String>::new());
    assert_eq!(lines(&drift.known_disputes), KNOWN);
    let disputes: Vec<_> = drift.known_disputes.iter().map(|one| one.dispute.as_deref()).collect();
    assert_eq!(disputes, [Some("unlisted"), Some("most")]);
}

#[rstest]
#[case::another_version(
    &[("\"apiVersion\": \"2001-01-01\"", "\"apiVersion\": \"2002-02-02\"")],
    &[("\"version\": \"2001-01-01\"", "\"version\": \"2002-02-02\"")],
    &["service/api-version: 2001-01-01 -> 2002-02-02"]
)]
#[case::another_signing_name(
    &[("\"signatureVersion\": \"v4\"", "\"signingName\": \"items\"")],
    &[("{ \"name\": \"item-store\" }", "{ \"name\": \"items\" }")],
    &["service/signing-name: item-store -> items"]
)]
#[case::another_name(
    &[("\"serviceFullName\": \"Item Store\"", "\"serviceFullName\": \"Items\"")],
    &[("\"smithy.api#title\": \"Item Store\"", "\"smithy.api#title\": \"Items\"")],
    &["service/name: Item Store -> Items"]
)]
#[case::a_second_protocol(
    &[("[\"rest-json\"]", "[\"rest-json\", \"smithy-rpc-v2-cbor\"]")],
    &[("\"aws.protocols#restJson1\": {}", "\"aws.protocols#restJson1\": {}, \"smithy.protocols#rpcv2Cbor\": {}")],
    &["service/protocol: rest-json -> rest-json, smithy-rpc-v2-cbor"]
)]
#[case::an_operation_renamed(
    &[("\"PutItems\": {", "\"StoreItems\": {")],
    &[("\"test.items#PutItems\": {", "\"test.items#StoreItems\": {")],
    &["PutItems: an operation -> nothing", "StoreItems: nothing -> an operation"]
)]
#[case::another_method(
    &[("\"POST\"", "\"PUT\"")],
    &[("\"POST\"", "\"PUT\"")],
    &["PutItems/route: POST /items -> PUT /items"]
)]
#[case::another_uri(
    &[("/items/{Name}", "/item/{Name}")],
    &[("/items/{Name}", "/item/{Name}")],
    &["DropItem/route: DELETE /items/{Name} -> DELETE /item/{Name}"]
)]
#[case::another_status(
    &[("\"/items/{Name}\", \"responseCode\": 200", "\"/items/{Name}\", \"responseCode\": 204")],
    &[("\"/items/{Name}\", \"code\": 200", "\"/items/{Name}\", \"code\": 204")],
    &["DropItem/success-status: 200 -> 204"]
)]
#[case::no_signature(
    &[("\"name\": \"ListItems\",", "\"name\": \"ListItems\", \"authtype\": \"none\",")],
    &[("\"uri\": \"/items\" }", "\"uri\": \"/items\" }, \"smithy.api#auth\": []")],
    &["ListItems/signature: needed -> not needed"]
)]
#[case::an_output_where_there_was_none(
    &[("\"input\": { \"shape\": \"DropItemRequest\" },", "\"input\": { \"shape\": \"DropItemRequest\" }, \"output\": { \"shape\": \"ListItemsResponse\" },")],
    &[("\"output\": { \"target\": \"smithy.api#Unit\" }", "\"output\": { \"target\": \"test.items#ListItemsResponse\" }")],
    &["DropItem/output: nothing -> a structure"]
)]
#[case::a_member_more(
    &[("\"Context\": {", "\"Colour\": { \"shape\": \"Kind\" }, \"Context\": {")],
    &[("\"Context\": {", "\"Colour\": { \"target\": \"test.items#Kind\" }, \"Context\": {")],
    &["PutItems/input/Colour: nothing -> string"]
)]
#[case::a_member_of_a_structure_less(
    &[(", \"Kind\": { \"shape\": \"Kind\" }", "")],
    &[(",\n        \"Kind\": { \"target\": \"test.items#Kind\" }", "")],
    &["ListItems/output/Items/Kind: string -> nothing", "PutItems/input/Items/Kind: string -> nothing"]
)]
#[case::an_output_member_less(
    &[("\"Count\": { \"shape\": \"Count\" }, ", "")],
    &[("\"Count\": { \"target\": \"smithy.api#Integer\", \"traits\": { \"smithy.api#default\": 0 } },", "")],
    &["ListItems/output/Count: integer -> nothing"]
)]
#[case::no_longer_required(
    &[("\"required\": [\"Items\"],", "")],
    &[("\"test.items#Items\", \"traits\": { \"smithy.api#required\": {} }", "\"test.items#Items\"")],
    &["PutItems/input/Items/required: yes -> nothing"]
)]
#[case::another_place(
    &[("\"location\": \"querystring\"", "\"location\": \"header\"")],
    &[("\"smithy.api#httpQuery\": \"most\"", "\"smithy.api#httpHeader\": \"most\"")],
    &["ListItems/input/Most/binding: query most -> header most"]
)]
#[case::another_wire_name(
    &[("\"locationName\": \"most\"", "\"locationName\": \"max\"")],
    &[("\"smithy.api#httpQuery\": \"most\"", "\"smithy.api#httpQuery\": \"max\"")],
    &["ListItems/input/Most/binding: query most -> query max"]
)]
#[case::another_name_in_a_body(
    &[("\"Seen\": { \"shape\": \"Date\" }", "\"Seen\": { \"shape\": \"Date\", \"locationName\": \"seen\" }")],
    &[("\"Seen\": { \"target\": \"test.items#Date\" }", "\"Seen\": { \"target\": \"test.items#Date\", \"traits\": { \"smithy.api#jsonName\": \"seen\" } }")],
    &["ListItems/output/Seen/binding: body Seen -> body seen"]
)]
#[case::another_type(
    &[("\"Seen\": { \"shape\": \"Date\" }", "\"Seen\": { \"shape\": \"Text\" }")],
    &[("\"Seen\": { \"target\": \"test.items#Date\" }", "\"Seen\": { \"target\": \"smithy.api#String\" }")],
    &["ListItems/output/Seen: timestamp -> string"]
)]
#[case::another_form_of_dates(
    &[("\"type\": \"timestamp\"", "\"type\": \"timestamp\", \"timestampFormat\": \"iso8601\"")],
    &[("\"type\": \"timestamp\"", "\"type\": \"timestamp\", \"traits\": { \"smithy.api#timestampFormat\": \"date-time\" }")],
    &["ListItems/output/Seen/timestamp-format: nothing -> DATE"]
)]
#[case::another_minimum(
    &[("\"min\": 1,", "\"min\": 2,")],
    &[("\"min\": 1,", "\"min\": 2,")],
    &["/min-length: 1 -> 2"]
)]
#[case::another_maximum(
    &[("\"max\": 20", "\"max\": 21")],
    &[("\"max\": 20", "\"max\": 21")],
    &["/max-length: 20 -> 21"]
)]
#[case::another_pattern(
    &[("[a-z]+", "[a-z.]+")],
    &[("[a-z]+", "[a-z.]+")],
    &["/pattern: [a-z]+ -> [a-z.]+"]
)]
#[case::a_value_more(
    &[("[\"SMALL\", \"LARGE\"]", "[\"LARGE\", \"HUGE\", \"SMALL\"]")],
    &[("\"BIG\": {", "\"HUGE\": { \"target\": \"smithy.api#Unit\" }, \"BIG\": {")],
    &["ListItems/output/Items/Kind/enum: LARGE, SMALL -> HUGE, LARGE, SMALL", "PutItems/input/Items/Kind/enum: LARGE, SMALL -> HUGE, LARGE, SMALL"]
)]
#[case::more_entries(
    &[("\"max\": 3", "\"max\": 4")],
    &[("\"max\": 3", "\"max\": 4")],
    &["PutItems/input/Labels/max-entries: 3 -> 4"]
)]
#[case::a_constraint_of_one_member(
    &[("\"location\": \"header\",", "\"location\": \"header\", \"max\": 9,")],
    &[("\"smithy.api#httpHeader\": \"x-context\"", "\"smithy.api#httpHeader\": \"x-context\", \"smithy.api#length\": { \"max\": 9 }")],
    &["PutItems/input/Context/max-length: nothing -> 9"]
)]
#[case::bounds_of_a_number(
    &[("\"Count\": { \"type\": \"integer\" }", "\"Count\": { \"type\": \"integer\", \"min\": 0 }")],
    &[("\"smithy.api#Integer\"", "\"test.items#Size\""), ("\"test.items#Items\": {", "\"test.items#Size\": { \"type\": \"integer\", \"traits\": { \"smithy.api#range\": { \"min\": 0 } } }, \"test.items#Items\": {")],
    &["ListItems/input/Most/minimum: nothing -> 0", "ListItems/output/Count/minimum: nothing -> 0"]
)]
#[case::an_error_more(
    &[("\"errors\": [{ \"shape\": \"BusyException\" }]", "\"errors\": [{ \"shape\": \"BusyException\" }, { \"shape\": \"StaleException\" }]")],
    &[("\"errors\": [{ \"target\": \"test.items#BusyException\" }]", "\"errors\": [{ \"target\": \"test.items#BusyException\" }, { \"target\": \"test.items#StaleException\" }]")],
    &["ListItems/error/StaleException: nothing -> HTTP status 409"]
)]
#[case::an_error_less(
    &[("\"errors\": [{ \"shape\": \"BusyException\" }]", "\"errors\": []")],
    &[("\"errors\": [{ \"target\": \"test.items#BusyException\" }]", "\"errors\": []")],
    &["ListItems/error/BusyException: HTTP status 503, the server's fault -> nothing"]
)]
#[case::another_status_of_an_error(
    &[("\"httpStatusCode\": 409", "\"httpStatusCode\": 412")],
    &[("\"smithy.api#httpError\": 409", "\"smithy.api#httpError\": 412")],
    &["DropItem/error/StaleException: HTTP status 409 -> HTTP status 412", "PutItems/error/StaleException: HTTP status 409 -> HTTP status 412"]
)]
fn a_change_is_noticed(#[case] botocore: Changes, #[case] smithy: Changes, #[case] expected: &[&str]) {
    for (text, changes, date) in [(BOTOCORE, botocore, "iso8601"), (SMITHY, smithy, "date-time")] {
        let found = drift(SERVICE, &changed(text, changes));
        let found_lines = lines(&found.differences);
        match expected {
            // A shape that several members have: the same is found at each.
            [of_shape] if of_shape.starts_with('/') => {
                assert_eq!(found_lines.len(), 4, "{found_lines:#?}");
                assert!(found_lines.iter().all(|line| line.ends_with(of_shape)), "{found_lines:#?}");
            }
            _ => assert_eq!(found_lines, expected.iter().map(|line| line.replace("DATE", date)).collect::<Vec<_>>()),
        }
        assert_eq!(lines(&found.known_disputes), KNOWN);
    }
}

#[test]
fn an_enum_may_be_a_trait() {
    let old = changed(
        SMITHY,
        &[(
            "\"type\": \"enum\"",
            "\"type\": \"string\", \"traits\": { \"smithy.api#enum\": [{ \"value\": \"SMALL\" }, { \"value\": \"LARGE\" }] }",
        )],
    );
    assert_eq!(lines(&drift(SERVICE, &old).differences), Vec::<String>::new());
}

#[test]
fn a_dispute_accounts_for_one_difference_only() {
    // The model has another limit now, neither ours nor what the dispute says.
    let other =
        changed(BOTOCORE, &[("\"location\": \"querystring\",", "\"location\": \"querystring\", \"pattern\": \"x\",")]);
    assert_eq!(lines(&drift(SERVICE, &other).differences), ["ListItems/input/Most/pattern: nothing -> x"]);
    let recorded = SERVICE.replace("max-length\" }]", "max-length\", model = \"4\" }]");
    let found = drift(&recorded, BOTOCORE);
    assert_eq!(lines(&found.differences), ["ListItems/input/Most/max-length: 3 -> nothing"]);
    assert_eq!(found.differences[0].dispute.as_deref(), Some("most"));
}

#[test]
fn a_dispute_that_is_settled_is_told() {
    let settled = changed(
        BOTOCORE,
        &[
            (
                "\"errors\": [{ \"shape\": \"StaleException\" }]\n",
                "\"errors\": [{ \"shape\": \"StaleException\" }, { \"shape\": \"UnlistedException\" }]\n",
            ),
            (
                "\"StaleException\": {",
                "\"UnlistedException\": { \"type\": \"structure\", \"required\": [\"message\"], \"members\": { \"message\": { \"shape\": \"Text\" } } },\n\"StaleException\": {",
            ),
        ],
    );
    let found = drift(SERVICE, &settled);
    assert_eq!(lines(&found.differences), ["DropItem/error/UnlistedException: HTTP status 400 -> HTTP status 400"]);
    assert_eq!(found.differences[0].dispute.as_deref(), Some("unlisted"));
}

#[rstest]
#[case::text("hello", "this is no JSON (expected value at line 1 column 1)")]
#[case::list("[]", "this is JSON, but no object")]
#[case::empty("{}", "this is a JSON object that holds nothing")]
#[case::other(r#"{ "version": "1.0", "rules": [] }"#, "this is a JSON object that holds `version`, `rules`")]
#[case::no_service(r#"{ "smithy": "2.0", "shapes": {} }"#, "this is a Smithy model of 0 services, not of one")]
#[case::version(r#"{ "smithy": "3.0", "shapes": {} }"#, "this is a Smithy model of version 3.0")]
#[case::form(r#"{ "smithy": "2.0" }"#, "this is a Smithy model of another form (missing field `shapes`)")]
#[case::damaged("\u{1f}\u{8b}", "this is no JSON")]
fn what_is_no_model_is_refused_in_a_sentence(#[case] text: &str, #[case] expected: &str) {
    let error = ModelFile::from_bytes(text.as_bytes()).expect_err("it is no model").to_string();
    assert!(error.starts_with(expected), "{error}");
    assert!(error.contains("; expected is a service-2.json of botocore"), "{error}");
}

#[rstest]
#[case::botocore(
    BOTOCORE,
    "\"shape\": \"Date\"",
    "\"shape\": \"Day\"",
    "this is a botocore model that names the shape `Day` and lacks it"
)]
#[case::smithy(
    SMITHY,
    "\"target\": \"test.items#Date\"",
    "\"target\": \"test.items#Day\"",
    "this is a smithy model that names the shape `test.items#Day` and lacks it"
)]
#[case::input(
    BOTOCORE,
    "\"shape\": \"PutItemsRequest\"",
    "\"shape\": \"Put\"",
    "this is a botocore model that names the shape `Put` and lacks it"
)]
fn a_model_with_holes_is_refused(#[case] model: &str, #[case] from: &str, #[case] to: &str, #[case] expected: &str) {
    let error = ModelFile::from_bytes(model.replace(from, to).as_bytes()).expect_err("it has a hole").to_string();
    assert!(error.starts_with(expected), "{error}");
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(bytes).expect("it is packed");
    packed.finish().expect("it is packed")
}

#[test]
fn a_packed_model_is_unpacked() {
    let packed = packed(BOTOCORE.as_bytes());
    assert_eq!(ModelFile::from_bytes(&packed).expect("it is a model").operations(), 3);
    let error = ModelFile::from_bytes(&packed[..packed.len() / 2]).expect_err("half is missing").to_string();
    assert!(error.starts_with("this is a damaged gzip file ("), "{error}");
}

// ---- the real service, from the facts -------------------------------------------

#[test]
fn the_real_service_agrees_but_for_known_disputes() {
    let file = ModelFile::from_bytes(&packed(model_of_facts().to_string().as_bytes())).expect("it is a model");
    let drift = Drift::between(Service::embedded(), &file);
    assert_eq!(lines(&drift.differences), Vec::<String>::new());
    assert_eq!(
        lines(&drift.known_disputes),
        [
            "ListDatasets/input/MaxResults/max-length: 19 -> nothing",
            r"ListDatasets/input/MaxResults/pattern: [1-9]\d* -> nothing",
            "UpdateRecords/error/LambdaSocketTimeoutException: HTTP status 400 -> nothing",
        ]
    );
}

#[test]
fn a_longer_value_in_the_model_would_be_told_with_its_dispute() {
    let text = model_of_facts().to_string().replace("1048575", "4194304");
    let drift = Drift::between(Service::embedded(), &ModelFile::from_bytes(text.as_bytes()).expect("it is a model"));
    let patched =
        drift.differences.iter().find(|one| one.place == "UpdateRecords/input/RecordPatches/Value/max-length");
    let patched = patched.expect("the difference is found");
    assert_eq!(patched.theirs.as_deref(), Some("4194304"));
    assert_eq!(patched.dispute.as_deref(), Some("record-value-maximum"));
}
