//! The table of a summary: a row for each action, a column for each verdict.

use std::iter;

use anstyle::Style;

use super::outline::listed;
use super::summary::{Summary, Tally};
use super::text::{BOLD, DIM, duration, printable, styled, verdict_style};
use crate::judge::Verdict;

/// What the table shows, from the widest to the narrowest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A column for each verdict that occurs, and the time.
    Whole,
    /// The same without the time.
    Untimed,
    /// Short names, and one column for all that could not be judged.
    Short,
}

/// The table, as much of it as fits into `width` characters; nothing when there are no
/// results.
pub(super) fn table(summary: &Summary, width: usize) -> String {
    if summary.total.cases() == 0 {
        return String::new();
    }
    let tables = [Form::Whole, Form::Untimed, Form::Short].map(|form| rows(summary, form));
    let fitting = tables.iter().find(|rows| widths(rows).iter().map(|width| width + 2).sum::<usize>() - 2 <= width);
    fitting.map_or_else(|| list(summary, width), |rows| aligned(rows))
}

fn rows(summary: &Summary, form: Form) -> Vec<Row> {
    let columns = columns(&summary.total, form);
    let cells = |name: (Style, String), cells: Vec<(Style, String)>, time: (Style, String)| -> Row {
        iter::once(name).chain(cells).chain((form == Form::Whole).then_some(time)).collect()
    };
    let row = |style: Style, name: &str, tally: &Tally| {
        let cell = |column: &Column| match column.of(tally) {
            0 => (DIM, "·".to_owned()),
            count => (verdict_style(column.verdicts[0]), count.to_string()),
        };
        let all = [(style, tally.cases().to_string())];
        let name = (style, printable(name).into_owned());
        cells(name, columns.iter().map(cell).chain(all).collect(), (DIM, duration(tally.duration_us)))
    };
    let bold = |text: &str| (BOLD, text.to_owned());
    let names = columns.iter().map(|column| bold(column.name)).chain([bold("cases")]).collect();
    let head = cells(bold("action"), names, bold("time"));
    let actions = summary.actions.iter().map(|(action, tally)| row(Style::new(), action, tally));
    iter::once(head).chain(actions).chain([row(BOLD, "total", &summary.total)]).collect()
}

/// A column of counts.
struct Column {
    name: &'static str,
    verdicts: Vec<Verdict>,
}

impl Column {
    fn of(&self, tally: &Tally) -> usize {
        self.verdicts.iter().map(|verdict| tally.of(*verdict)).sum()
    }
}

/// The columns in which something stands.
fn columns(total: &Tally, form: Form) -> Vec<Column> {
    let column = |name: &'static str, verdicts: &[Verdict]| Column { name, verdicts: verdicts.to_vec() };
    let columns: Vec<_> = if form == Form::Short {
        vec![
            column("pass", &[Verdict::Pass]),
            column("warn", &[Verdict::Warn]),
            column("fail", &[Verdict::Fail]),
            column("known", &[Verdict::ExpectedFail]),
            column("mended", &[Verdict::UnexpectedPass]),
            column("skip", &[Verdict::Skipped]),
            column("unjudged", &[Verdict::NotTestable, Verdict::Indeterminate]),
        ]
    } else {
        Verdict::ALL.into_iter().map(|verdict| column(verdict.name(), &[verdict])).collect()
    };
    columns.into_iter().filter(|column| column.of(total) > 0).collect()
}

/// Where there is no room for columns: each action with its counts in words.
fn list(summary: &Summary, width: usize) -> String {
    let line = |(style, name, tally): (Style, &str, &Tally)| {
        let counts = Verdict::ALL.into_iter().filter(|verdict| tally.of(*verdict) > 0);
        let counts: Vec<_> = counts.map(|verdict| format!("{} {}", tally.of(verdict), verdict.name())).collect();
        let (name, line) = (printable(name), counts.join(", "));
        if name.chars().count() + 2 + line.len() <= width {
            return format!("{}  {line}\n", styled(style, name));
        }
        format!("{}\n  {}", styled(style, name), listed(&counts, 2, width))
    };
    let actions = summary.actions.iter().map(|(action, tally)| (Style::new(), action.as_str(), tally));
    actions.chain([(BOLD, "total", &summary.total)]).map(line).collect()
}

type Row = Vec<(Style, String)>;

/// Pads cells before they are styled: the first column to the left, all others
/// to the right.
fn aligned(rows: &[Row]) -> String {
    let widths = widths(rows);
    let cell = |(column, (style, text)): (usize, &(Style, String))| {
        let width = widths[column];
        let padded = if column == 0 { format!("{text:<width$}") } else { format!("  {text:>width$}") };
        styled(*style, padded)
    };
    rows.iter().map(|row| row.iter().enumerate().map(cell).collect::<String>() + "\n").collect()
}

fn widths(rows: &[Row]) -> Vec<usize> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|(_, text)| text.chars().count()).max();
    (0..columns).map(|column| width(column).unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests {
    use anstream::adapter::strip_str;
    use rstest::rstest;

    use super::super::samples;
    use super::super::summary::Summary;
    use super::table;
    use crate::judge::Verdict;

    #[rstest]
    fn it_fits_any_width(#[values(40, 50, 60, 80, 100, 120, 200)] width: usize) {
        let summary = Summary::of(&samples::events(&[&Verdict::ALL[..], &[Verdict::Pass; 1200]].concat()));
        let text = strip_str(&table(&summary, width)).to_string();
        assert!(text.lines().all(|line| line.chars().count() <= width), "{text}");
        assert!(text.contains("1201") && text.contains("total"), "{text}");
    }

    #[test]
    fn narrow_ones_keep_the_counts() {
        let summary = Summary::of(&samples::events(&Verdict::ALL));
        insta::assert_snapshot!(strip_str(&table(&summary, 60)).to_string(), @r#"
        PutItem
          1 pass, 1 warn, 1 fail, 1 expected-fail,
          1 unexpected-pass, 1 skipped, 1 not-testable,
          1 indeterminate
        total
          1 pass, 1 warn, 1 fail, 1 expected-fail,
          1 unexpected-pass, 1 skipped, 1 not-testable,
          1 indeterminate
        "#);
        insta::assert_snapshot!(strip_str(&table(&summary, 40)).to_string(), @r#"
        PutItem
          1 pass, 1 warn, 1 fail,
          1 expected-fail, 1 unexpected-pass,
          1 skipped, 1 not-testable,
          1 indeterminate
        total
          1 pass, 1 warn, 1 fail,
          1 expected-fail, 1 unexpected-pass,
          1 skipped, 1 not-testable,
          1 indeterminate
        "#);
    }
}
