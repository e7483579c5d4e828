//! The points on which the sources disagree, as a document.

use std::fmt::Write as _;

use indexmap::IndexMap;

use crate::spec::{Catalog, Dispute, Reading, Service};

/// How many neighbours stand for themselves; more are named by what they share.
const MOST_NEIGHBOURS: usize = 2;

const INTRODUCTION: &str = "\
# Disputes

Points on which the sources contradict each other, or themselves: who says what, what
the suite does about it, and what would settle it. Nothing here was ever run against
AWS.

This page is made from the service's data, `src/spec/service.toml`, and from the cases:

```console
$ syncspec spec disputes > docs/disputes.md
```

After a run, the summary says for each dispute that a case speaks to which reading
the target followed.
";

/// The document on all disputes, in Markdown. `cases` are the suite's, each with
/// the requirements that it proves.
pub fn disputes(service: &Service, catalog: &Catalog, cases: &[(&str, &[String])]) -> String {
    let mut text = INTRODUCTION.to_owned();
    let all: Vec<_> = catalog.iter().map(|requirement| requirement.id.as_str()).collect();
    for dispute in &service.disputes {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n## {}\n\n`{}`\n\n", dispute.question, dispute.id);
        for reading in &dispute.readings {
            let by: Vec<_> = reading.by.iter().map(|key| service.sources[key].as_str()).collect();
            let _ = writeln!(text, "- **{}** ({})", reading.says, by.join("; "));
        }
        let _ = write!(text, "\nThe suite: {}\n\nWhat would settle it: {}\n", dispute.suite, dispute.settled_by);
        for differs in &dispute.model_differs {
            let model = differs.model.as_deref().unwrap_or("nothing");
            let _ = write!(text, "\nThe model differs from the suite's data at `{}`: it has {model}.\n", differs.at);
        }
        if !dispute.requirements.is_empty() {
            text.push_str("\nRequirements concerned:\n\n");
            let concerned: Vec<_> = dispute.requirements.iter().map(String::as_str).collect();
            for requirement in folded(&concerned, &all) {
                let strength = catalog.get(&requirement).map(|requirement| format!(", {}", requirement.strength));
                let _ = writeln!(text, "- `{requirement}`{}", strength.unwrap_or_default());
            }
        }
        shown(&mut text, dispute, cases);
    }
    text
}

/// The cases from which the reading shows that a target follows.
fn shown(text: &mut String, dispute: &Dispute, cases: &[(&str, &[String])]) {
    let mut by_requirements: IndexMap<&[String], Vec<&Reading>> = IndexMap::new();
    for reading in dispute.readings.iter().filter(|reading| !reading.shown_by.is_empty()) {
        by_requirements.entry(&reading.shown_by).or_default().push(reading);
    }
    if by_requirements.is_empty() {
        text.push_str("\nNo case shows which reading a target follows.\n");
    }
    for (requirements, readings) in by_requirements {
        let proving = cases.iter().filter(|(_, proves)| proves.iter().any(|id| requirements.contains(id)));
        let all: Vec<_> = cases.iter().map(|(case, _)| *case).collect();
        let proving = folded(&proving.map(|(case, _)| *case).collect::<Vec<_>>(), &all);
        let proving = if proving.is_empty() { "no case".to_owned() } else { quoted(&proving) };
        let _ = write!(text, "\nWhich reading a target follows shows from {}, in {proving}:\n\n", quoted(requirements));
        for reading in readings {
            let how = if reading.answered.is_empty() {
                "when they hold".to_owned()
            } else {
                format!("when the answer is another, with {}", quoted(&reading.answered))
            };
            let _ = writeln!(text, "- {}: {how}", reading.says);
        }
    }
}

fn quoted(texts: &[String]) -> String {
    texts.iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(", ")
}

/// Ids, with those that share all but their last part, or all but their first,
/// as one when they are many, and all that there are.
fn folded(ids: &[&str], all: &[&str]) -> Vec<String> {
    let shapes = |id: &str| {
        let before = id.rsplit_once('/').map(|(before, _)| format!("{before}/*"));
        let after = id.split_once('/').map(|(_, after)| format!("*/{after}"));
        [before, after].into_iter().flatten().collect::<Vec<_>>()
    };
    let number = |shape: &String, ids: &[&str]| ids.iter().filter(|id| shapes(id).contains(shape)).count();
    let mut folded: Vec<String> = Vec::new();
    for id in ids {
        let stands = |shape: &String| number(shape, ids) > MOST_NEIGHBOURS && number(shape, ids) == number(shape, all);
        let entry = shapes(id).into_iter().find(stands).unwrap_or_else(|| (*id).to_owned());
        if !folded.contains(&entry) {
            folded.push(entry);
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::folded;

    #[test]
    fn many_neighbours_are_one() {
        let rows = ["a/b/1", "a/b/2", "c/d", "a/b/3", "e/d"];
        assert_eq!(folded(&rows, &rows), ["a/b/*", "c/d", "e/d"]);
        let members = ["A/input/Id", "B/input/Id", "C/input/Id"];
        assert_eq!(folded(&members, &members), ["*/input/Id"]);
    }

    #[test]
    fn a_pattern_stands_for_nothing_else() {
        let rows = ["a/b/1", "a/b/2", "a/b/3"];
        assert_eq!(folded(&rows, &[&rows[..], &["a/b/4"]].concat()), rows);
    }
}
