//! The published form of a line of `run.jsonl`.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::run::{Event, FORMAT_VERSION};

/// JSON Schema (draft 2020-12) of one line of `run.jsonl`.
pub fn schema() -> Value {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut schema = generator.into_root_schema_for::<Event>();
    schema.insert("$id".to_owned(), format!("urn:syncspec:run.jsonl:{FORMAT_VERSION}").into());
    schema.insert("title".to_owned(), format!("One line of run.jsonl, format version {FORMAT_VERSION}").into());
    schema.to_value()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::samples;
    use super::schema;
    use crate::judge::Verdict;
    use crate::run::FORMAT_VERSION;

    fn is_valid(line: &Value) -> bool {
        jsonschema::validator_for(&schema()).unwrap().is_valid(line)
    }

    #[test]
    fn real_lines_have_the_published_form() {
        let validator = jsonschema::validator_for(&schema()).unwrap();
        for event in samples::events(&Verdict::ALL) {
            let line = serde_json::to_value(&event).unwrap();
            let errors: Vec<_> = validator.iter_errors(&line).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{errors:?} in {line:#}");
        }
    }

    #[test]
    fn other_lines_have_not() {
        let result = |key: &str, value: Value| {
            let mut line = serde_json::to_value(&samples::events(&[Verdict::Fail])[1]).unwrap();
            line[key] = value;
            line
        };
        assert!(is_valid(&result("case", json!("a/b"))));
        assert!(!is_valid(&result("verdict", json!("great"))));
        assert!(!is_valid(&result("type", json!("verdict"))));
        assert!(!is_valid(&result("duration-us", json!("812"))));
        assert!(!is_valid(&json!({ "type": "result" })));
    }

    #[test]
    fn the_published_file_is_this_schema() {
        let published: Value = serde_json::from_str(include_str!("../../docs/run.schema.json")).unwrap();
        assert!(published == schema(), "renew it: cargo run -- schema report > docs/run.schema.json");
    }

    #[test]
    fn its_title_names_the_version() {
        assert_eq!(schema()["$id"], format!("urn:syncspec:run.jsonl:{FORMAT_VERSION}"));
        assert_eq!(schema()["title"], format!("One line of run.jsonl, format version {FORMAT_VERSION}"));
        assert_eq!(schema()["$schema"], "https://json-schema.org/draft/2020-12/schema");
    }
}
