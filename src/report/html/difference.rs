//! Two values with what differs between them marked.

use std::time::Duration;

use similar::{ChangeTag, TextDiff};

use crate::report::text::{grouped, printable};

/// Longest value on one line that is shown whole, in characters.
const MOST_CHARS: usize = 400;
/// Characters shown before the first difference of longer ones.
const CONTEXT_CHARS: usize = 60;
/// Most lines of a comparison.
const MOST_LINES: usize = 80;
/// Unchanged lines around a change.
const CONTEXT_LINES: usize = 3;
/// Comparing may take this long; then it becomes coarser, not longer.
const DIFF_TIME: Duration = Duration::from_millis(200);

/// A stretch of a line, marked where it differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) differs: bool,
}

/// What was expected beside what came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Difference {
    /// Both are one line.
    Values { expected: Vec<Piece>, actual: Vec<Piece> },
    /// At least one has several: a line and its mark, ` `, `-` (expected) or `+`
    /// (came instead).
    Lines(Vec<(char, String)>),
}

pub(super) fn difference(expected: &str, actual: &str) -> Difference {
    let (expected, actual) = (printable(expected), printable(actual));
    let (expected, actual) = (expected.trim_end(), actual.trim_end());
    if expected.contains('\n') || actual.contains('\n') {
        return Difference::Lines(lines(expected, actual));
    }
    let (left, right): (Vec<_>, Vec<_>) = (expected.chars().collect(), actual.chars().collect());
    // What two numbers or two statuses share says nothing.
    let is_number = |text: &str| text.parse::<f64>().is_ok();
    let apart = expected != actual && (is_number(expected) || is_number(actual));
    let same = |(a, b): &(&char, &char)| a == b && !apart;
    let before = left.iter().zip(&right).take_while(same).count();
    let room = left.len().min(right.len()) - before;
    let after = left.iter().rev().zip(right.iter().rev()).take(room).take_while(same).count();
    Difference::Values { expected: pieces(&left, before, after), actual: pieces(&right, before, after) }
}

/// A value that equals another one in its first `before` and last `after`
/// characters.
fn pieces(value: &[char], before: usize, after: usize) -> Vec<Piece> {
    let middle = &value[before..value.len() - after];
    let cut = value.len() > MOST_CHARS;
    let text = |chars: &[char]| chars.iter().collect::<String>();
    let head = if cut && before > CONTEXT_CHARS {
        format!("…{}", text(&value[before - CONTEXT_CHARS..before]))
    } else {
        text(&value[..before])
    };
    let shown = &middle[..middle.len().min(MOST_CHARS)];
    let tail = if cut {
        format!("… ({} characters)", grouped(value.len() as u64))
    } else {
        text(&value[value.len() - after..])
    };
    let pieces = [(head, false), (text(shown), true), (tail, false)];
    pieces.into_iter().filter(|(text, _)| !text.is_empty()).map(|(text, differs)| Piece { text, differs }).collect()
}

fn lines(expected: &str, actual: &str) -> Vec<(char, String)> {
    let diff = TextDiff::configure().timeout(DIFF_TIME).diff_lines(expected, actual);
    let mut lines = Vec::new();
    for (index, group) in diff.grouped_ops(CONTEXT_LINES).iter().enumerate() {
        if index > 0 {
            lines.push((' ', "⋮".to_owned()));
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let mark = match change.tag() {
                ChangeTag::Equal => ' ',
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
            };
            let text: String = change.value().trim_end_matches('\n').chars().take(MOST_CHARS).collect();
            lines.push((mark, text));
        }
    }
    let more = lines.len().saturating_sub(MOST_LINES);
    lines.truncate(MOST_LINES);
    if more > 0 {
        lines.push((' ', format!("… {more} more lines")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{Difference, difference};

    /// Both values with what is marked between brackets.
    fn shown(expected: &str, actual: &str) -> String {
        let Difference::Values { expected, actual } = difference(expected, actual) else { panic!("one line each") };
        let line = |pieces: Vec<super::Piece>| {
            let piece = |piece: super::Piece| if piece.differs { format!("[{}]", piece.text) } else { piece.text };
            pieces.into_iter().map(piece).collect::<String>()
        };
        format!("{} | {}", line(expected), line(actual))
    }

    #[rstest]
    #[case("409", "400", "[409] | [400]")]
    #[case("1", "1024", "[1] | [1024]")]
    #[case("5", "5", "5 | 5")]
    #[case("\"abc\"", "\"abXc\"", "\"abc\" | \"ab[X]c\"")]
    #[case("aa", "aaa", "aa | aa[a]")]
    #[case("same", "same", "same | same")]
    #[case("", "x", " | [x]")]
    fn only_what_differs_is_marked(#[case] expected: &str, #[case] actual: &str, #[case] marked: &str) {
        assert_eq!(shown(expected, actual), marked);
    }

    #[test]
    fn long_values_are_shown_where_they_part() {
        let shown = shown(&format!("{}1{}", "a".repeat(999), "b".repeat(999)), &"a".repeat(1000));
        assert!(shown.contains("a[1"), "{shown}");
        assert!(shown.contains("(1,999 characters)") && shown.chars().count() < 1200, "{shown}");
    }

    #[test]
    fn several_lines_become_a_list_of_changes() {
        let Difference::Lines(lines) = difference("a\nb\nc", "a\nB\nc") else { panic!("lines") };
        let marks: String = lines.iter().map(|(mark, _)| *mark).collect();
        assert_eq!(marks, " -+ ");
        let Difference::Lines(lines) = difference(&"a\n".repeat(500), &"b\n".repeat(500)) else { panic!("lines") };
        assert!(lines.len() <= 81 && lines.last().is_some_and(|(_, text)| text.contains("more lines")));
    }
}
