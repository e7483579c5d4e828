//! Expected against actual, as text.

use std::time::Duration;

use similar::{ChangeTag, TextDiff};

use super::text::{BAD, DIM, GOOD, count, excerpt, printable, styled};

/// Longest value shown on one line, in characters.
const MOST_CHARS: usize = 200;
/// Most lines of a diff that are shown.
const MOST_LINES: usize = 60;
/// Unchanged lines around a change.
const CONTEXT_LINES: usize = 3;
/// Diffing may take this long; then it becomes coarser, not longer.
const DIFF_TIME: Duration = Duration::from_millis(500);

/// Two aligned lines, or a line diff when either value has several lines.
pub(super) fn comparison(expected: &str, actual: &str) -> String {
    let (expected, actual) = (printable(expected), printable(actual));
    if expected.trim_end().contains('\n') || actual.trim_end().contains('\n') {
        return diff(["expected", "actual"], &expected, &actual);
    }
    let parted = expected.chars().zip(actual.chars()).take_while(|(left, right)| left == right).count();
    let show = |value: &str| excerpt(value.trim_end_matches('\n'), MOST_CHARS, parted);
    format!("expected  {}\nactual    {}\n", styled(GOOD, show(&expected)), styled(BAD, show(&actual)))
}

/// A line diff of what was recorded and what took its place.
pub fn changes(before: &str, after: &str) -> String {
    diff(["recorded", "answered"], &printable(before), &printable(after))
}

fn diff([left, right]: [&str; 2], expected: &str, actual: &str) -> String {
    let diff = TextDiff::configure().timeout(DIFF_TIME).diff_lines(expected, actual);
    let mut lines = Vec::new();
    for (index, group) in diff.grouped_ops(CONTEXT_LINES).iter().enumerate() {
        if index > 0 {
            lines.push(styled(DIM, "  ⋮"));
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let text = excerpt(change.value().trim_end_matches('\n'), MOST_CHARS, 0);
            lines.push(match change.tag() {
                ChangeTag::Equal => format!("  {text}").trim_end().to_owned(),
                ChangeTag::Delete => styled(GOOD, format_args!("- {text}")),
                ChangeTag::Insert => styled(BAD, format_args!("+ {text}")),
            });
        }
    }
    let cut = lines.len().saturating_sub(MOST_LINES);
    lines.truncate(MOST_LINES);
    let legend = format!("{}  {}", styled(GOOD, format_args!("- {left}")), styled(BAD, format_args!("+ {right}")));
    let more = if cut > 0 {
        styled(DIM, format_args!("… {} of the diff", count(cut, "more line"))) + "\n"
    } else {
        String::new()
    };
    format!("{legend}\n{}\n{more}", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use anstream::adapter::strip_str;

    use super::comparison;

    fn plain(expected: &str, actual: &str) -> String {
        strip_str(&comparison(expected, actual)).to_string()
    }

    #[test]
    fn one_line_each_is_aligned() {
        insta::assert_snapshot!(plain("409", "200"), @r#"
        expected  409
        actual    200
        "#);
    }

    #[test]
    fn long_values_are_shown_where_they_part() {
        let expected = format!("{}1{}", "a".repeat(1000), "b".repeat(1000));
        let actual = format!("{}2{}", "a".repeat(1000), "b".repeat(9));
        let text = plain(&expected, &actual);
        assert!(text.lines().all(|line| line.chars().count() < 250), "{text}");
        assert!(text.contains("a1b") && text.contains("a2b"), "{text}");
        assert!(text.contains("(2,001 characters)") && text.contains("(1,010 characters)"), "{text}");
    }

    #[test]
    fn several_lines_become_a_diff() {
        let expected = "status 200\n\n{\n  \"A\": 1,\n  \"B\": 2,\n  \"C\": 3,\n  \"D\": 4,\n  \"E\": 5\n}\n";
        let actual = expected.replace("\"E\": 5", "\"E\": \"5\"").replace("status 200", "status 201");
        insta::assert_snapshot!(plain(expected, &actual), @r#"
        - expected  + actual
        - status 200
        + status 201

          {
            "A": 1,
            "B": 2,
            "C": 3,
            "D": 4,
        -   "E": 5
        +   "E": "5"
          }
        "#);
    }

    #[test]
    fn a_diff_has_a_bound_and_says_what_it_leaves_out() {
        let text = plain(&"a\n".repeat(500), &"b\n".repeat(500));
        assert_eq!(text.lines().count(), 62);
        assert!(text.ends_with("… 940 more lines of the diff\n"), "{text}");
    }

    #[test]
    fn an_answer_cannot_drive_the_terminal() {
        assert!(plain("\"a\"", "\u{1b}]0;title\u{7}").contains("\\u{1b}]0;title\\u{7}"));
    }
}
