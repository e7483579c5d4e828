//! Which actions work on a target, which in part, and which not at all: the first
//! thing that the author of a half-built endpoint wants to know.

use super::broken::{Works, mostly, passed};
use super::summary::{Summary, Tally};
use super::text::{BAD, BOLD, GOOD, grouped, printable, styled};
use crate::judge::Verdict;

/// Lines shorter than this have no room for titles beside lists.
const NARROW: usize = 60;

/// Three lists of actions, on lines of at most `width` characters; nothing when all
/// of them work.
pub(super) fn outline(summary: &Summary, width: usize) -> String {
    let (mut works, mut partly, mut fails) = (Vec::new(), Vec::new(), Vec::new());
    for (action, tally) in &summary.actions {
        let tried = tally.cases() - tally.of(Verdict::Skipped);
        let action = printable(action);
        match Works::of(tally) {
            Works::Untried => {}
            Works::Wholly => works.push(action.into_owned()),
            Works::Partly => {
                let counted = format!("{} of {}", grouped(passed(tally) as u64), grouped(tried as u64));
                partly.push(format!("{action} {counted}{}", with_status(tally)));
            }
            Works::NotAtAll => fails.push(format!("{action}{}", with_status(tally))),
        }
    }
    if partly.is_empty() && fails.is_empty() {
        return String::new();
    }
    let lists = [(GOOD, "works:", works), (BOLD, "works in part:", partly), (BAD, "does not work:", fails)];
    // Where there is little room, the lists stand below their titles.
    let column = if width < NARROW { 2 } else { lists.iter().map(|(_, title, _)| title.len()).max().unwrap_or(0) + 2 };
    let lists = lists.into_iter().filter(|(.., actions)| !actions.is_empty());
    let list = |(style, title, actions): (_, &str, Vec<String>)| {
        let title = if width < NARROW {
            styled(style, title) + "\n  "
        } else {
            styled(style, format_args!("{title:<column$}"))
        };
        title + &listed(&actions, column, width)
    };
    lists.map(list).collect()
}

fn with_status(tally: &Tally) -> String {
    mostly(tally).map(|status| format!(" (mostly {})", printable(status))).unwrap_or_default()
}

/// Names with commas between them, on lines that begin at the same column.
pub(super) fn listed(names: &[String], indent: usize, width: usize) -> String {
    let mut text = String::new();
    let mut column = indent;
    for (index, name) in names.iter().enumerate() {
        let last = index + 1 == names.len();
        let length = name.chars().count() + usize::from(!last);
        if index > 0 {
            if column + 1 + length > width {
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
        insta::assert_snapshot!(strip_str(&outline(&Summary::of(&events), 100)).to_string(), @r#"
        works:          AnActionWithALongName0, AnActionWithALongName1, AnActionWithALongName2,
                        AnActionWithALongName3, AnActionWithALongName4, AnActionWithALongName5,
                        AnActionWithALongName6, GetItem
        does not work:  PutItem, Scan
        "#);
    }

    #[test]
    fn nothing_is_said_when_all_works() {
        assert_eq!(outline(&Summary::of(&samples::events(&[Verdict::Pass, Verdict::Skipped])), 100), "");
    }
}
