//! What a real function can do of a case's script, in the form that the function which
//! the suite ships reads.
//!
//! That function keeps nothing from call to call and is told nothing but its event. So it
//! knows the script by the name of the dataset, which ends in the script's digest.

use std::fmt::Write as _;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::case::{Action, Case};
use super::names;
use super::script::{FunctionAnswer, Payload};
use super::template::{Bindings, RenderError};

/// Stands for the event within texts. No case file can hold it.
const EVENT: &str = "\u{0}event\u{0}";

/// The only kind of error that a function of today's runtimes ends with.
const UNHANDLED: &str = "Unhandled";

/// Bytes of the digest that names hold: few, since a name has 128 characters, and enough
/// to tell apart the scripts of a suite.
const DIGEST_BYTES: usize = 4;

/// The script of a case, as the function that the suite ships reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionScript {
    json: String,
}

impl FunctionScript {
    /// As JSON in one line, keys sorted: `set` (a list of pointers with values), `remove`,
    /// `answer`, `fails`, `delayMs`, each only where it says something.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// The first eight hex digits of the SHA-256 of its JSON.
    pub fn digest(&self) -> String {
        let digest = Sha256::digest(&self.json);
        digest.iter().take(DIGEST_BYTES).fold(String::new(), |mut digits, byte| {
            // Writing to a `String` cannot fail.
            let _ = write!(digits, "{byte:02x}");
            digits
        })
    }

    fn of(answer: &FunctionAnswer) -> Result<Self, RenderError> {
        let mut bindings = Bindings::new();
        bindings.bind(names::EVENT, EVENT);
        let mut script = json!({});
        match &answer.payload {
            Payload::Event { set, remove } => {
                let entry = |(at, value): &(String, super::Template)| Ok(json!([at, value.render(&bindings)?]));
                if !set.is_empty() {
                    script["set"] = set.iter().map(entry).collect::<Result<_, RenderError>>()?;
                }
                if !remove.is_empty() {
                    script["remove"] = json!(remove);
                }
            }
            Payload::Value(value) => script["answer"] = value.render(&bindings)?,
            Payload::Text(text) => {
                script["answer"] = serde_json::from_str(&text.render(&bindings)?).unwrap_or(Value::Null);
            }
        }
        if answer.function_error.is_some() {
            script["fails"] = json!(true);
        }
        if !answer.delay.is_zero() {
            script["delayMs"] = json!(answer.delay.as_millis());
        }
        script.sort_all_objects();
        Ok(Self { json: script.to_string() })
    }
}

impl Case {
    /// The script for the function that the suite ships.
    ///
    /// # Errors
    ///
    /// What only the harness can do of it, as the end of a sentence.
    pub fn function_script(&self) -> Result<FunctionScript, &'static str> {
        if self.steps.iter().any(|step| matches!(step.action, Action::Observe(_))) {
            return Err("the case looks at what the server told another service");
        }
        if !self.scripts.stream.is_empty() || !self.scripts.push.is_empty() {
            return Err("nothing but a function can be told how to answer");
        }
        let answer = match self.scripts.function.as_slice() {
            [] => return Err("the case asks for it in `needs`"),
            [answer] => answer,
            _ => return Err("a function that keeps nothing cannot answer one call otherwise than the next"),
        };
        if answer.refusal.is_some() {
            return Err("a function cannot have Lambda refuse to call it");
        }
        let mut names = 0;
        self.scripts.placeholders(&mut |_| names += 1);
        if names > 0 {
            return Err("a function does not know what placeholders stand for");
        }
        match (&answer.function_error, &answer.payload) {
            (Some(kind), _) if kind != UNHANDLED => {
                return Err("a function that fails has no other kind of error than `Unhandled`");
            }
            (Some(_), Payload::Value(_) | Payload::Text(_)) => return Err("a function that fails answers nothing"),
            (_, Payload::Text(text)) => {
                // Whether the event leaves it JSON is nothing that can be told here.
                let is_json = text.render(&Bindings::new()).is_ok_and(|text| is_json(&text));
                if !is_json {
                    return Err("what a function returns is JSON");
                }
            }
            _ => {}
        }
        // Of placeholders, there is none but the event, which has no place in numbers.
        FunctionScript::of(answer).map_err(|_| "a function does not count with its event")
    }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<Value>(text).is_ok()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::cases::{Case, Suite};
    use crate::spec::{Catalog, Service};

    fn case(more: &str, step: &str) -> Case {
        let text = format!(
            "[[case]]\nname = \"c\"\nproves = [\"ListRecords/route\"]\n{more}\nsteps = [\n\
             {{ send = {{ method = \"GET\", target = \"/\" }}, expect = {{ status = 200 }} }},\n{step}]\n"
        );
        let suite = Suite::from_texts(Service::embedded(), Catalog::embedded(), &[("a/t.toml", &text)]);
        Case::clone(&suite.unwrap_or_else(|error| panic!("{error}")).cases[0])
    }

    fn script(function: &str) -> Result<String, &'static str> {
        case(&format!("function = {function}"), "").function_script().map(|script| script.json().to_owned())
    }

    #[rstest]
    #[case("{}", "{}")]
    #[case("{ delay-ms = 8000 }", r#"{"delayMs":8000}"#)]
    #[case("{ function-error = \"Unhandled\", delay-ms = 1 }", r#"{"delayMs":1,"fails":true}"#)]
    #[case("{ text = ' [ 1 ] ' }", r#"{"answer":[1]}"#)]
    #[case("{ answer = { b = 1, a = \"<{event}>\" } }", "{\"answer\":{\"a\":\"<\\u0000event\\u0000>\",\"b\":1}}")]
    // The order of pointers says which comes last.
    #[case(
        "{ set = { \"/b\" = { d = 1, c = 2 }, \"/a\" = 1 }, set-null = [\"/b/c\"], remove = [\"/x\"] }",
        r#"{"remove":["/x"],"set":[["/b",{"c":2,"d":1}],["/a",1],["/b/c",null]]}"#
    )]
    #[case("{ set = { \"/a\" = \"{repeat:x:3}\" } }", r#"{"set":[["/a","xxx"]]}"#)]
    fn what_a_function_can_do_is_its_script(#[case] function: &str, #[case] expected: &str) {
        assert_eq!(script(function).as_deref(), Ok(expected));
    }

    #[rstest]
    #[case("[{}, {}]", "cannot answer one call otherwise than the next")]
    #[case("{ refuse = \"TooManyRequestsException\" }", "have Lambda refuse")]
    #[case("{ function-error = \"Handled\" }", "no other kind of error")]
    #[case("{ function-error = \"Unhandled\", answer = 1 }", "answers nothing")]
    #[case("{ text = '<done/>' }", "is JSON")]
    #[case("{ text = '{event}' }", "is JSON")]
    #[case("{ set = { \"/a\" = \"{dataset}\" } }", "what placeholders stand for")]
    #[case("{ set = { \"/a\" = \"{event+1}\" } }", "count with its event")]
    fn what_it_cannot_do_is_told(#[case] function: &str, #[case] expected: &str) {
        let why = script(function).expect_err("only the harness can do it");
        assert!(why.contains(expected), "{why}");
    }

    #[test]
    fn what_is_seen_at_the_harness_only_is_not_for_a_function() {
        let observing = case("function = {}", "{ observe = \"function\", expect = { members = { \"/count\" = 1 } } }");
        assert!(observing.function_script().is_err_and(|why| why.contains("looks at")));
        let streaming = case("function = {}\nstream = { delay-ms = 1 }", "");
        assert!(streaming.function_script().is_err_and(|why| why.contains("nothing but a function")));
        let asking = case("needs = [\"collaborators\"]", "");
        assert!(asking.function_script().is_err_and(|why| why.contains("asks for it")));
    }

    #[test]
    fn the_digest_is_that_of_the_json() {
        // sha256sum of `{}`.
        assert_eq!(
            case("function = {}", "").function_script().map(|script| script.digest()).as_deref(),
            Ok("44136fa3")
        );
    }
}
