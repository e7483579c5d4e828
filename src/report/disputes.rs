//! The points on which the sources disagree, as a document.

use std::fmt::Write as _;

use crate::spec::{Catalog, Dispute, Reading, Service};

/// How many neighbours stand for themselves; more are named by what they share.
const MOST_NEIGHBOURS: usize = 3;

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
            for requirement in folded(dispute.requirements.iter().map(String::as_str)) {
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
    let shows = |reading: &&Reading| !reading.shown_by.is_empty();
    if !dispute.readings.iter().any(|reading| shows(&reading)) {
        text.push_str("\nNo case shows which reading a target follows.\n");
        return;
    }
    text.push_str("\nWhich reading a target follows shows from:\n\n");
    for reading in dispute.readings.iter().filter(shows) {
        let proving = cases.iter().filter(|(_, proves)| proves.iter().any(|id| reading.shown_by.contains(id)));
        let proving: Vec<_> = folded(proving.map(|(case, _)| *case)).iter().map(|case| format!("`{case}`")).collect();
        let answered: Vec<_> = reading.answered.iter().map(|part| format!("`{part}`")).collect();
        let how = if answered.is_empty() {
            "when nothing is found against".to_owned()
        } else {
            format!("when {} came, against", answered.join(" or "))
        };
        let requirements: Vec<_> = reading.shown_by.iter().map(|id| format!("`{id}`")).collect();
        let _ = writeln!(
            text,
            "- {}: {how} {} in {}",
            reading.says,
            requirements.join(", "),
            if proving.is_empty() { "no case".to_owned() } else { proving.join(", ") }
        );
    }
}

/// Ids, with those that share all but their last part, or all but their first,
/// as one when they are many.
fn folded<'i>(ids: impl Iterator<Item = &'i str>) -> Vec<String> {
    let ids: Vec<&str> = ids.collect();
    let shapes = |id: &str| {
        let before = id.rsplit_once('/').map(|(before, _)| format!("{before}/*"));
        let after = id.split_once('/').map(|(_, after)| format!("*/{after}"));
        [before, after].into_iter().flatten().collect::<Vec<_>>()
    };
    let mut folded: Vec<String> = Vec::new();
    for id in &ids {
        let shared = shapes(id)
            .into_iter()
            .find(|shape| ids.iter().filter(|other| shapes(other).contains(shape)).count() > MOST_NEIGHBOURS);
        let entry = shared.unwrap_or_else(|| (*id).to_owned());
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
        let rows = ["a/b/1", "a/b/2", "c/d", "a/b/3", "a/b/4", "e/d"];
        assert_eq!(folded(rows.into_iter()), ["a/b/*", "c/d", "e/d"]);
        let members = ["A/input/Id", "B/input/Id", "C/input/Id", "D/input/Id"];
        assert_eq!(folded(members.into_iter()), ["*/input/Id"]);
    }
}
