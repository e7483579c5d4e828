//! Places at which answers may differ from what was recorded. They are blanked on both
//! sides when the two are compared and stand in the recorded set as they were: a set
//! serves before a rule is added, after it is added, and after it is removed again.

use std::collections::HashMap;

use serde_json::Value;

use super::form::{Body, Section};
use crate::cases::Ignore;

/// Stands at an ignored place where recorded and actual are shown side by side.
pub const IGNORED: &str = "<ignored>";

/// Two answers of a step with the ignored places blanked, and for each rule whether it
/// met anything in either. A member that only one of them has is ignored too.
pub fn settle(recorded: Option<&Section>, actual: Option<&Section>, rules: &[Ignore]) -> Settled {
    let mut sides = [recorded.cloned(), actual.cloned()];
    let places: Vec<Vec<Vec<String>>> = (rules.iter())
        .map(|rule| {
            sides
                .iter()
                .filter_map(|side| body(side.as_ref()))
                .flat_map(|body| places(body, &segments(&rule.at)))
                .collect()
        })
        .collect();
    for place in places.iter().flatten() {
        for side in &mut sides {
            if let Some(Section { body: Body::Json(body), .. }) = side {
                blank(body, place);
            }
        }
    }
    let [recorded, actual] = sides;
    Settled { recorded, actual, met: places.iter().map(|places| !places.is_empty()).collect() }
}

/// Two answers as they are compared.
#[derive(Debug)]
pub struct Settled {
    /// What was recorded.
    pub recorded: Option<Section>,
    /// What came.
    pub actual: Option<Section>,
    /// For each rule, in order: it met something.
    pub met: Vec<bool>,
}

/// Numbers placeholders such as `<uuid:2>` anew, in the order in which they stand. What
/// is ignored may have been the first of its kind on one side only.
#[derive(Debug, Default)]
pub struct Renumber(HashMap<String, Vec<String>>);

impl Renumber {
    /// The section with its placeholders numbered on from those before it.
    pub fn section(&mut self, section: Section) -> Section {
        let body = match section.body {
            Body::Json(value) => Body::Json(self.value(value)),
            Body::Text(text) => Body::Text(self.text(&text)),
            Body::Empty => Body::Empty,
        };
        Section { head: self.text(&section.head), body, ..section }
    }

    fn value(&mut self, value: Value) -> Value {
        match value {
            Value::Object(object) => {
                Value::Object(object.into_iter().map(|(name, value)| (self.text(&name), self.value(value))).collect())
            }
            Value::Array(list) => list.into_iter().map(|entry| self.value(entry)).collect(),
            Value::String(text) => Value::String(self.text(&text)),
            other => other,
        }
    }

    fn text(&mut self, text: &str) -> String {
        let (mut done, mut rest) = (String::new(), text);
        while let Some(begin) = rest.find('<') {
            done += &rest[..begin];
            rest = &rest[begin..];
            let end = rest.find('>').map_or(rest.len(), |end| end + 1);
            let (placeholder, after) = rest.split_at(end);
            done += &self.placeholder(placeholder);
            rest = after;
        }
        done + rest
    }

    fn placeholder(&mut self, placeholder: &str) -> String {
        let inner = placeholder.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
        let Some(inner) = inner.filter(|inner| *inner != "ignored") else { return placeholder.to_owned() };
        let (kind, number) = inner.split_once(':').unwrap_or((inner, "1"));
        let is_name = !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !is_name || number.parse::<usize>().is_err() {
            return placeholder.to_owned();
        }
        let known = self.0.entry(kind.to_owned()).or_default();
        let index = known.iter().position(|known| known == number).unwrap_or_else(|| {
            known.push(number.to_owned());
            known.len() - 1
        });
        if index == 0 { format!("<{kind}>") } else { format!("<{kind}:{}>", index + 1) }
    }
}

fn body(side: Option<&Section>) -> Option<&Value> {
    match side {
        Some(Section { body: Body::Json(body), .. }) => Some(body),
        _ => None,
    }
}

/// The segments of a JSON pointer.
fn segments(pointer: &str) -> Vec<String> {
    pointer.split('/').skip(1).map(|segment| segment.replace("~1", "/").replace("~0", "~")).collect()
}

/// Every place in a value that a pointer leads to, in which `*` stands for any index
/// and any name.
fn places(value: &Value, pointer: &[String]) -> Vec<Vec<String>> {
    let Some((first, rest)) = pointer.split_first() else { return vec![Vec::new()] };
    let entries: Vec<(String, &Value)> = match value {
        Value::Object(object) => object.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(list) => list.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    let met = entries.into_iter().filter(|(name, _)| first == "*" || first == name);
    let below = met.flat_map(|(name, value)| {
        places(value, rest).into_iter().map(move |place| [vec![name.clone()], place].concat())
    });
    below.collect()
}

/// Blanks a place; of an object, also a member that is not there.
fn blank(value: &mut Value, place: &[String]) {
    let Some((last, parents)) = place.split_last() else { return };
    let parent = parents.iter().try_fold(value, |value, name| match value {
        Value::Object(object) => object.get_mut(name),
        Value::Array(list) => list.get_mut(name.parse::<usize>().ok()?),
        _ => None,
    });
    match parent {
        Some(Value::Object(object)) => {
            object.insert(last.clone(), IGNORED.into());
        }
        Some(Value::Array(list)) => {
            if let Some(entry) = last.parse::<usize>().ok().and_then(|index| list.get_mut(index)) {
                *entry = IGNORED.into();
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::{Renumber, settle};
    use crate::cases::Ignore;
    use crate::snapshot::{Body, Section};

    fn section(body: Value) -> Section {
        Section { step: 1, head: "x -> 200".to_owned(), body: Body::Json(body), line: 0 }
    }

    fn rule(at: &str) -> Ignore {
        let origin = crate::source::Origin { file: "f.toml".into(), line: 1, column: 1 };
        Ignore { at: at.to_owned(), reason: "r".to_owned(), origin }
    }

    #[rstest]
    #[case::value("/A/B", json!({"A": {"B": 1}}), json!({"A": {"B": 2}}), true, true)]
    #[case::other_value("/A/B", json!({"A": {"C": 1}}), json!({"A": {"C": 2}}), false, false)]
    #[case::absent_here("/A/B", json!({"A": {"B": 1}}), json!({"A": {}}), true, true)]
    #[case::absent_there("/A/B", json!({"A": {}}), json!({"A": {"B": 1}}), true, true)]
    #[case::absent_with_its_parent("/A/B", json!({"A": {"B": 1}}), json!({}), false, true)]
    #[case::any_index("/L/*/N", json!({"L": [{"N": 1}, {"N": 2}]}), json!({"L": [{"N": 3}, {"N": 4}]}), true, true)]
    #[case::one_index("/L/1/N", json!({"L": [{"N": 1}, {"N": 2}]}), json!({"L": [{"N": 1}, {"N": 4}]}), true, true)]
    #[case::entries_are_counted("/L/*", json!({"L": [1, 2]}), json!({"L": [1]}), false, true)]
    #[case::any_name("/*/N", json!({"x": {"N": 1}}), json!({"x": {"N": 2}}), true, true)]
    #[case::escaped("/a~1b/~0", json!({"a/b": {"~": 1}}), json!({"a/b": {"~": 2}}), true, true)]
    #[case::whole_object("/A", json!({"A": {"B": 1}}), json!({"A": []}), true, true)]
    #[case::plain("/A/B", json!("x"), json!("x"), true, false)]
    fn both_sides_are_blanked(
        #[case] at: &str,
        #[case] recorded: Value,
        #[case] actual: Value,
        #[case] equal: bool,
        #[case] met: bool,
    ) {
        let settled = settle(Some(&section(recorded)), Some(&section(actual)), &[rule(at)]);
        assert_eq!(settled.recorded == settled.actual, equal, "{settled:?}");
        assert_eq!(settled.met, [met]);
    }

    #[test]
    fn a_rule_below_another_one_is_met_too() {
        let (recorded, actual) = (section(json!({"A": {"B": 1}})), section(json!({"A": {"B": 2}})));
        let settled = settle(Some(&recorded), Some(&actual), &[rule("/A"), rule("/A/B"), rule("/C")]);
        assert_eq!((settled.recorded == settled.actual, settled.met), (true, vec![true, true, false]));
    }

    #[test]
    fn numbers_follow_the_order_of_what_is_left() {
        let mut renumber = Renumber::default();
        let body = json!({ "a": "<ignored>", "b": "at <uuid:2> and <uuid>", "c": ["<uuid:2>", "<x y:3>", "< <T:7>"] });
        let Body::Json(body) = renumber.section(section(body)).body else { panic!("it is JSON") };
        let expected =
            json!({ "a": "<ignored>", "b": "at <uuid> and <uuid:2>", "c": ["<uuid>", "<x y:3>", "< <T:7>"] });
        assert_eq!(body, expected);
    }
}
