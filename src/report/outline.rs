//! Which actions work on a target, which in part, and which not at all: the first
//! thing that the author of a half-built endpoint wants to know.

use super::summary::{Summary, Tally};
use super::text::{BAD, BOLD, GOOD, grouped, printable, styled};
use crate::judge::Verdict;

/// Longest line, in characters; an action's name is not broken.
const MOST_CHARS: usize = 100;

/// Three lists of actions; nothing when all of them work.
pub(super) fn outline(summary: &Summary) -> String {
    let (mut works, mut partly, mut fails) = (Vec::new(), Vec::new(), Vec::new());
    for (action, tally) in &summary.actions {
        let (bad, tried) = (bad(tally), tally.cases() - tally.of(Verdict::Skipped));
        // What only warns is no proof that the action does anything.
        let passed = tally.of(Verdict::Pass) + tally.of(Verdict::UnexpectedPass);
        let action = printable(action);
        if tried == 0 {
            continue;
        }
        if bad == 0 {
            works.push(action.into_owned());
        } else if passed == 0 {
            fails.push(format!("{action}{}", mostly(tally)));
        } else {
            let counted = format!("{} of {}", grouped(passed as u64), grouped(tried as u64));
            partly.push(format!("{action} {counted}{}", mostly(tally)));
        }
    }
    if partly.is_empty() && fails.is_empty() {
        return String::new();
    }
    let lists = [(GOOD, "works:", works), (BOLD, "works in part:", partly), (BAD, "does not work:", fails)];
    let width = lists.iter().map(|(_, title, _)| title.len()).max().unwrap_or(0) + 2;
    let lists = lists.into_iter().filter(|(.., actions)| !actions.is_empty());
    lists
        .map(|(style, title, actions)| styled(style, format_args!("{title:<width$}")) + &wrapped(&actions, width))
        .collect()
}

/// Cases that did not come to a good end.
fn bad(tally: &Tally) -> usize {
    let verdicts = [Verdict::Fail, Verdict::ExpectedFail, Verdict::NotTestable, Verdict::Indeterminate];
    verdicts.into_iter().map(|verdict| tally.of(verdict)).sum()
}

/// The status that came in most cases where another was asked for, if there are several
/// and it came in more than half of them: a thing not built yet answers always the same.
fn mostly(tally: &Tally) -> String {
    let all: usize = tally.wrong_statuses.values().sum();
    let most = tally.wrong_statuses.iter().max_by_key(|(_, count)| **count);
    let most = most.filter(|(_, count)| **count > 1 && **count * 2 > all);
    most.map(|(status, _)| format!(" (mostly {})", printable(status))).unwrap_or_default()
}

/// Names with commas between them, on lines that begin at the same column.
fn wrapped(names: &[String], indent: usize) -> String {
    let mut text = String::new();
    let mut column = indent;
    for (index, name) in names.iter().enumerate() {
        let last = index + 1 == names.len();
        let length = name.chars().count() + usize::from(!last);
        if index > 0 {
            if column + 1 + length > MOST_CHARS {
                text.push('\n');
                text.push_str(&" ".repeat(indent));
                column = indent;
            } else {
                text.push(' ');
                column += 1;
            }
        }
        text.push_str(name);
        text.push_str(if last { "\n" } else { "," });
        column += length;
    }
    text
}

#[cfg(test)]
mod tests {
    use anstream::adapter::strip_str;

    use super::super::samples;
    use super::super::summary::Summary;
    use super::outline;
    use crate::judge::Verdict;
    use crate::run::Event;

    #[test]
    fn actions_are_told_apart_by_what_passed() {
        let verdicts = [Verdict::Pass, Verdict::Skipped, Verdict::ExpectedFail, Verdict::NotTestable, Verdict::Warn];
        let mut events = samples::events(&[&verdicts[..], &[Verdict::Pass; 8]].concat());
        let actions = ["GetItem", "GetItem", "Scan", "Scan", "PutItem", "PutItem"].map(str::to_owned);
        let more = (0..7).map(|index| format!("AnActionWithALongName{index}"));
        for (event, action) in events.iter_mut().skip(1).zip(actions.into_iter().chain(more)) {
            let Event::Result(result) = event else { unreachable!() };
            result.action = action;
        }
        let Some(Event::Result(put)) = events.get_mut(6) else { unreachable!() };
        put.verdict = Verdict::Fail;
        insta::assert_snapshot!(strip_str(&outline(&Summary::of(&events))).to_string(), @r#"
        works:          AnActionWithALongName0, AnActionWithALongName1, AnActionWithALongName2,
                        AnActionWithALongName3, AnActionWithALongName4, AnActionWithALongName5,
                        AnActionWithALongName6, GetItem
        does not work:  PutItem, Scan
        "#);
    }

    #[test]
    fn nothing_is_said_when_all_works() {
        assert_eq!(outline(&Summary::of(&samples::events(&[Verdict::Pass, Verdict::Skipped]))), "");
    }
}
