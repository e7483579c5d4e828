//! A case's canonical responses against what was recorded.

use serde_json::Value;

use super::finding::{Finding, Level};
use crate::cases::{Case, Ignore, Step};
use crate::snapshot::{Body, Recording, Renumber, Section, read, settle};

/// How the recorded snapshots relate to the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// The answers must equal them: they are the target's own, or the user asks for the
    /// comparison.
    OnTarget,
    /// They come from another server, which may make other legal choices: a
    /// difference is noted.
    Elsewhere,
}

/// Stands for a requirement in findings about snapshots: that answers stay what
/// they were is no statement about the service. Also begins the places of them.
pub const SNAPSHOT: &str = "snapshot";

/// Most places of one answer that a finding names.
const MOST_PLACES: usize = 3;

/// One finding for each step whose answer differs from what was recorded, and one for
/// each ignore rule that met nothing. That nothing was recorded yet is noted where
/// snapshots are binding.
pub fn snapshot(case: &Case, actual: &str, recorded: Option<Recording<'_>>, from: Recorded) -> Vec<Finding> {
    match (recorded, from) {
        (Some(recorded), _) => Comparison { case, recorded, from }.findings(actual),
        (None, Recorded::OnTarget) => {
            let step = case.steps.iter().rposition(Step::takes_snapshot);
            vec![Finding {
                level: Level::Note,
                step: step.map_or(case.steps.len(), |index| index + 1),
                at: SNAPSHOT.to_owned(),
                expected: "nothing is recorded yet".to_owned(),
                actual: actual.to_owned(),
                requirement: SNAPSHOT.to_owned(),
                origin: case.origin.to_string(),
            }]
        }
        (None, Recorded::Elsewhere) => Vec::new(),
    }
}

struct Comparison<'c> {
    case: &'c Case,
    recorded: Recording<'c>,
    from: Recorded,
}

impl Comparison<'_> {
    fn findings(&self, actual: &str) -> Vec<Finding> {
        // Both were made by the same hand, and the recorded one was checked when it was
        // read. Whatever is none all the same is compared as it stands.
        let (Ok(recorded), Ok(actual_sections)) = (read(self.recorded.text), read(actual)) else {
            let differs = self.recorded.text != actual;
            return differs.then(|| self.finding(1, 0, Vec::new(), self.recorded.text, actual)).into_iter().collect();
        };
        let mut findings = Vec::new();
        let mut numbers = [Renumber::default(), Renumber::default()];
        for number in 1..=self.case.steps.len() {
            let sides = (of_step(&recorded, number), of_step(&actual_sections, number));
            findings.extend(self.step(number, sides, &mut numbers));
        }
        let beyond = |section: &&Section| section.step > self.case.steps.len() || section.step == 0;
        findings.extend(recorded.iter().filter(beyond).map(|section| {
            self.finding(self.case.steps.len(), section.line, Vec::new(), &section.text(), "the case has no such step")
        }));
        findings
    }

    /// What is to say of a step's answers.
    fn step(
        &self,
        number: usize,
        (recorded, actual): (Option<&Section>, Option<&Section>),
        numbers: &mut [Renumber; 2],
    ) -> Vec<Finding> {
        let rules: Vec<Ignore> = self.case.steps[number - 1].ignores().cloned().collect();
        let settled = settle(recorded, actual, &rules);
        let line = recorded.map_or(0, |section| section.line);
        let (mut recorded, mut actual) = (settled.recorded, settled.actual);
        if self.case.steps.iter().any(|step| step.ignores().next().is_some()) {
            let [of_recorded, of_actual] = numbers;
            recorded = recorded.map(|section| of_recorded.section(section));
            actual = actual.map(|section| of_actual.section(section));
        }
        let mut findings = Vec::new();
        if let Some(places) = difference(recorded.as_ref(), actual.as_ref()) {
            let text = |section: Option<&Section>| section.map_or_else(|| "no such answer".to_owned(), Section::text);
            findings.push(self.finding(number, line, places, &text(recorded.as_ref()), &text(actual.as_ref())));
        }
        let stale = rules.iter().zip(settled.met).filter(|(_, met)| !met && self.from == Recorded::OnTarget);
        findings.extend(stale.map(|(rule, _)| self.stale(number, rule)));
        findings
    }

    fn finding(&self, step: usize, line: usize, places: Vec<String>, recorded: &str, actual: &str) -> Finding {
        let Recording { file, line: first, description, .. } = self.recorded;
        let description = if description.is_empty() { String::new() } else { format!(", {description}") };
        Finding {
            level: match self.from {
                Recorded::OnTarget => Level::Fail,
                Recorded::Elsewhere => Level::Note,
            },
            step,
            at: std::iter::once(SNAPSHOT.to_owned()).chain(listed(places)).collect::<Vec<_>>().join(" "),
            expected: recorded.to_owned(),
            actual: actual.to_owned(),
            requirement: SNAPSHOT.to_owned(),
            origin: format!("{file}:{}{description}", first + line),
        }
    }

    fn stale(&self, step: usize, rule: &Ignore) -> Finding {
        Finding {
            level: Level::Fail,
            step,
            at: format!("{SNAPSHOT} {}", rule.at),
            expected: "a place that the rule ignores, in the recorded answer or in this one".to_owned(),
            actual: format!(
                "stale ignore rule, at {}: neither {} nor the answer has {}; remove the rule",
                rule.origin, self.recorded.file, rule.at
            ),
            requirement: SNAPSHOT.to_owned(),
            origin: rule.origin.to_string(),
        }
    }
}

fn of_step(sections: &[Section], number: usize) -> Option<&Section> {
    sections.iter().find(|section| section.step == number)
}

/// The places at which two answers of a step differ; none when they are alike. What
/// does not differ within JSON bodies has no place.
fn difference(recorded: Option<&Section>, actual: Option<&Section>) -> Option<Vec<String>> {
    let (Some(recorded), Some(actual)) = (recorded, actual) else {
        return (recorded.is_some() != actual.is_some()).then(Vec::new);
    };
    let mut places = Vec::new();
    if let (Body::Json(recorded), Body::Json(actual)) = (&recorded.body, &actual.body) {
        differing(recorded, actual, &mut String::new(), &mut places);
    }
    (recorded.head != actual.head || recorded.body != actual.body).then_some(places)
}

/// Collects the pointers to what differs, no deeper than where one side has nothing.
fn differing(recorded: &Value, actual: &Value, at: &mut String, places: &mut Vec<String>) {
    let mut below = |name: &str, sides: (Option<&Value>, Option<&Value>)| {
        let length = at.len();
        at.push('/');
        at.push_str(&name.replace('~', "~0").replace('/', "~1"));
        match sides {
            (Some(recorded), Some(actual)) => differing(recorded, actual, at, places),
            _ => places.push(at.clone()),
        }
        at.truncate(length);
    };
    match (recorded, actual) {
        (Value::Object(recorded), Value::Object(actual)) => {
            for name in recorded.keys().chain(actual.keys().filter(|name| !recorded.contains_key(*name))) {
                below(name, (recorded.get(name), actual.get(name)));
            }
        }
        (Value::Array(recorded), Value::Array(actual)) => {
            for index in 0..recorded.len().max(actual.len()) {
                below(&index.to_string(), (recorded.get(index), actual.get(index)));
            }
        }
        _ if recorded == actual => {}
        _ => places.push(at.clone()),
    }
}

/// The first few of several places, and how many more there are.
fn listed(mut places: Vec<String>) -> Option<String> {
    let more = places.len().saturating_sub(MOST_PLACES);
    places.truncate(MOST_PLACES);
    places.retain(|place| !place.is_empty());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!places.is_empty()).then(|| places.join(", ") + &more)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{Finding, Level, Recorded, snapshot};
    use crate::cases::{Case, Suite};
    use crate::snapshot::Recording;
    use crate::spec::{Catalog, Service};

    const GET: &str = r#"{ send = { method = "GET", target = "/" }, expect = { status = 200, snapshot = true } }"#;

    fn case(steps: &str) -> Case {
        let case = format!("[[case]]\nname = \"c\"\nproves = [\"ListRecords/route\"]\nsteps = [\n{steps}\n]\n");
        let suite = Suite::from_texts(Service::embedded(), Catalog::embedded(), &[("a/t.toml", case.as_str())]);
        Case::clone(&suite.unwrap_or_else(|error| panic!("{error}")).cases[0])
    }

    fn ignoring(at: &str) -> Case {
        case(
            &GET.replace(
                "snapshot = true",
                &format!("snapshot = true, ignore = [{{ at = \"{at}\", reason = \"r\" }}]"),
            ),
        )
    }

    fn recording(text: &str) -> Recording<'_> {
        Recording { text, file: "snapshots/aws/a/t.c.snap", line: 5, description: "recorded from AWS on 2026-11-21" }
    }

    fn compared(case: &Case, recorded: &str, actual: &str) -> Vec<Finding> {
        snapshot(case, actual, Some(recording(recorded)), Recorded::OnTarget)
    }

    #[test]
    fn each_answer_that_differs_is_told_with_its_places() {
        let case = case(&[GET, GET, GET].join(",\n"));
        let recorded = "step 1: GET / -> 200\n{\n  \"A\": 1\n}\n\nstep 2: GET / -> 200\n{\n  \"A\": [1, {\"B\": 2}]\n}\n\n\
                        step 3: GET / -> 200\n(empty body)";
        let actual = "step 1: GET / -> 200\n{\n  \"A\": 1\n}\n\nstep 2: GET / -> 200\n{\n  \"A\": [1, {\"B\": 3}, 4],\n\"x/y\": 1\n}\n\n\
                      step 3: GET / -> 204\n(empty body)";
        let findings = compared(&case, recorded, actual);
        let [second, third] = &findings[..] else { panic!("{findings:#?}") };
        assert_eq!((second.step, second.level, &*second.at), (2, Level::Fail, "snapshot /A/1/B, /A/2, /x~1y"));
        assert_eq!(second.origin, "snapshots/aws/a/t.c.snap:10, recorded from AWS on 2026-11-21");
        assert!(second.expected.starts_with("step 2: GET / -> 200\n{\n  \"A\": [\n    1,"), "{}", second.expected);
        assert_eq!((third.step, &*third.at), (3, "snapshot"));
        assert_eq!(
            (&*third.expected, &*third.actual),
            ("step 3: GET / -> 200\n(empty body)", "step 3: GET / -> 204\n(empty body)")
        );
        let elsewhere = snapshot(&case, actual, Some(recording(recorded)), Recorded::Elsewhere);
        assert_eq!(elsewhere.iter().map(|finding| finding.level).collect::<Vec<_>>(), [Level::Note; 2]);
    }

    #[test]
    fn many_places_are_counted() {
        let of = |value: u32| format!("step 1: GET / -> 200\n[{}]", vec![value.to_string(); 9].join(","));
        assert_eq!(compared(&case(GET), &of(1), &of(2))[0].at, "snapshot /0, /1, /2 and 6 more");
    }

    #[rstest]
    #[case::alike("{\"A\": 1, \"B\": 2}", "{\"B\": 2, \"A\": 1}", true)]
    #[case::ignored("{\"A\": 1}", "{\"A\": 2}", true)]
    #[case::not_there("{\"A\": 1}", "{}", true)]
    #[case::elsewhere("{\"A\": 1, \"B\": 1}", "{\"A\": 1, \"B\": 2}", false)]
    #[case::numbers_move_up("{\"A\": \"<uuid>\", \"B\": \"<uuid:2>\"}", "{\"A\": 1, \"B\": \"<uuid>\"}", true)]
    #[case::numbers_tell_apart(
        "{\"A\": 1, \"B\": \"<uuid>\", \"C\": \"<uuid>\"}",
        "{\"A\": 1, \"B\": \"<uuid>\", \"C\": \"<uuid:2>\"}",
        false
    )]
    fn what_is_ignored_does_not_count(#[case] recorded: &str, #[case] actual: &str, #[case] passes: bool) {
        let of = |body: &str| format!("step 1: GET / -> 200\n{body}");
        let findings = compared(&ignoring("/A"), &of(recorded), &of(actual));
        assert_eq!(findings.is_empty(), passes, "{findings:#?}");
    }

    #[test]
    fn a_rule_that_meets_nothing_is_stale_where_the_comparison_is_binding() {
        let text = "step 1: GET / -> 200\n{\n  \"B\": 1\n}";
        let findings = compared(&ignoring("/A/*"), text, text);
        let [stale] = &findings[..] else { panic!("{findings:#?}") };
        assert_eq!((stale.level, stale.step, &*stale.at), (Level::Fail, 1, "snapshot /A/*"));
        assert!(stale.actual.starts_with("stale ignore rule, at cases/a/t.toml:5:"), "{}", stale.actual);
        assert_eq!(snapshot(&ignoring("/A"), text, Some(recording(text)), Recorded::Elsewhere), []);
        assert_eq!(snapshot(&ignoring("/A"), text, None, Recorded::Elsewhere), []);
        let nothing = snapshot(&ignoring("/A"), text, None, Recorded::OnTarget);
        assert_eq!(nothing.iter().map(|finding| finding.level).collect::<Vec<_>>(), [Level::Note]);
    }

    #[test]
    fn an_answer_that_only_one_side_has_is_told() {
        let two = case(&[GET, GET].join(",\n"));
        let first = "step 1: GET / -> 200\n{}";
        let both = format!("{first}\n\nstep 2: GET / -> 200\n{{}}");
        let told = |recorded: &str, actual: &str| compared(&two, recorded, actual).pop().expect("a finding");
        assert_eq!((told(&both, first).step, &*told(&both, first).actual), (2, "no such answer"));
        assert_eq!(told(first, &both).expected, "no such answer");
        let beyond = told(&format!("{both}\n\nstep 7: GET / -> 200\n{{}}"), &both);
        assert!(beyond.expected.starts_with("step 7") && beyond.actual == "the case has no such step");
    }
}
