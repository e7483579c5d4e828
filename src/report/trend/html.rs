//! How targets fared, as a page.

use askama::Template;

use super::{History, Trend, chart};
use crate::report::text::{grouped, moment, printable};

#[derive(Template)]
#[template(path = "trend.html")]
struct Page {
    histories: Vec<View>,
    unreadable: Vec<(String, String)>,
}

struct View {
    id: String,
    target: String,
    /// How the latest run ended.
    latest: String,
    /// How many runs there are, from when to when.
    span: String,
    chart: String,
    left_out: usize,
    nights: Vec<Row>,
}

struct Row {
    started: String,
    page: String,
    passed: String,
    failed: String,
    not_judged: String,
    suite: String,
    marks: String,
}

/// The page: a drawing and a table for each target.
///
/// # Errors
///
/// When the page cannot be made, which does not happen with the templates as they are.
pub fn trend_html(trend: &Trend) -> Result<String, askama::Error> {
    let shown = |text: &str| printable(text).into_owned();
    Page {
        histories: trend.histories.iter().enumerate().map(|(number, history)| view(number + 1, history)).collect(),
        unreadable: trend.unreadable.iter().map(|(name, error)| (shown(name), shown(error))).collect(),
    }
    .render()
}

fn view(number: usize, history: &History) -> View {
    let shown = |text: &str| printable(text).into_owned();
    let row = |night: &super::Night| Row {
        started: moment(&night.started),
        page: night.page.clone().unwrap_or_default(),
        passed: grouped(night.passed as u64),
        failed: grouped(night.failed as u64),
        not_judged: grouped(night.not_judged as u64),
        suite: shown(&night.suite),
        marks: shown(&night.marks.join("; ")),
    };
    View {
        id: format!("target-{number}"),
        target: shown(&history.target),
        latest: history.latest(),
        span: history.span(moment),
        chart: chart::chart(history),
        left_out: history.left_out,
        nights: history.nights.iter().rev().map(row).collect(),
    }
}
