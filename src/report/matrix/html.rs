//! The matrix as a page: each cell leads to what it rests on.

use askama::Template;

use super::{Column, Matrix, Row};
use crate::report::curl::quote;
use crate::report::html::{anchor, filters};
use crate::report::share::percent;
use crate::report::standing::Standing;
use crate::report::text::{grouped, moment, printable};

#[derive(Template)]
#[template(path = "matrix.html")]
struct Page {
    sentence: String,
    notes: Vec<String>,
    targets: Vec<Target>,
    groups: Vec<Group>,
    disputes: Vec<Dispute>,
    evidence: Vec<Evidence>,
    unasked: usize,
    words: Vec<(&'static str, &'static str)>,
    /// Rules of CSS that put the label of its column before each cell where there is no
    /// room for columns.
    labels: String,
    /// Whether the columns stand beside each other in a wide window, whatever they hold.
    is_narrow: bool,
}

struct Target {
    label: String,
    endpoint: String,
    started: String,
    suite: String,
    page: String,
    conforming: String,
    conforming_of: String,
    judged: String,
    judged_of: String,
}

struct Group {
    id: String,
    title: String,
    apart: usize,
    loud: Vec<View>,
    quiet: Vec<View>,
}

/// A requirement.
struct View {
    id: String,
    anchor: String,
    statement: String,
    strength: String,
    cells: Vec<Cell>,
}

struct Cell {
    class: &'static str,
    name: &'static str,
    /// Where the evidence is; empty when there is none.
    link: String,
    /// What it is of, for who hears it and does not see the table.
    title: String,
}

struct Dispute {
    question: String,
    answers: Vec<String>,
}

/// What cells of one requirement rest on, where no page of the run is known.
struct Evidence {
    anchor: String,
    id: String,
    told: Vec<Told>,
}

struct Told {
    target: String,
    class: &'static str,
    standing: &'static str,
    verdict: &'static str,
    case: String,
    came: String,
    more: usize,
    rerun: String,
}

/// Most characters of labels, with what is between them, that fit beside the requirements
/// in a wide window.
const MOST_LABELS: usize = 70;

/// What names the column of the cell with this index, in CSS.
fn label_rule(index: usize, label: &str) -> String {
    let escaped = |c: char| match c {
        ' ' | '-' | '_' | '.' => c.to_string(),
        _ if c.is_ascii_alphanumeric() => c.to_string(),
        _ => format!("\\{:x} ", u32::from(c)),
    };
    let text: String = printable(label).chars().map(escaped).collect();
    format!(".labelled td:nth-child({})::before{{content:\"{text}\"}}", index + 2)
}

/// The page. `rerun` is the command that a case's id is added to where a run does not say
/// its own.
///
/// # Errors
///
/// When the page cannot be made, which does not happen with the templates as they are.
pub fn matrix_html(matrix: &Matrix, rerun: &str) -> Result<String, askama::Error> {
    let shown = |text: &str| printable(text).into_owned();
    let groups = matrix.groups.iter().enumerate().map(|(number, group)| {
        let (loud, quiet): (Vec<_>, Vec<_>) = group.rows.iter().partition(|row| !row.is_quiet());
        Group {
            id: format!("group-{}", number + 1),
            title: shown(&format!("{}, {}", group.action, group.kind)),
            apart: loud.iter().filter(|row| row.disagreement > 0).count(),
            loud: loud.into_iter().map(|row| view(row, matrix)).collect(),
            quiet: quiet.into_iter().map(|row| view(row, matrix)).collect(),
        }
    });
    let dispute = |row: &super::DisputeRow| Dispute {
        question: shown(&row.question),
        answers: row.answers.iter().map(|answer| shown(answer.as_deref().unwrap_or("not shown"))).collect(),
    };
    let rows = matrix.groups.iter().flat_map(|group| &group.rows);
    Page {
        sentence: shown(&matrix.sentence()),
        notes: matrix.notes.iter().map(|note| shown(note)).collect(),
        targets: matrix.columns.iter().map(target).collect(),
        groups: groups.collect(),
        disputes: matrix.disputes.iter().map(dispute).collect(),
        evidence: rows.filter_map(|row| evidence(row, matrix, rerun)).collect(),
        unasked: matrix.unasked,
        words: Standing::words(),
        labels: matrix.columns.iter().enumerate().map(|(index, column)| label_rule(index, &column.label)).collect(),
        is_narrow: matrix.columns.iter().map(|column| column.label.chars().count() + 2).sum::<usize>() <= MOST_LABELS,
    }
    .render()
}

fn target(column: &Column) -> Target {
    let count = column.count();
    let (conforming, judged, all) = (count.conforming(), count.judged(), count.all());
    let of = |part: usize, whole: usize| format!("{} of {}", grouped(part as u64), grouped(whole as u64));
    Target {
        label: printable(&column.label).into_owned(),
        endpoint: printable(&column.header.target.endpoint).into_owned(),
        started: moment(&column.header.started),
        suite: format!("{}, digest {:.8}", column.header.suite_version, column.header.suite_digest),
        page: column.page.clone().unwrap_or_default(),
        conforming: percent(conforming, judged),
        conforming_of: of(conforming, judged),
        judged: percent(judged, all),
        judged_of: of(judged, all),
    }
}

fn view(row: &Row, matrix: &Matrix) -> View {
    View {
        id: printable(&row.id).into_owned(),
        anchor: anchor("rule", &row.id),
        statement: printable(&row.statement).into_owned(),
        strength: row.strength.clone(),
        cells: matrix.columns.iter().zip(&row.cells).map(|(column, standing)| cell(row, column, *standing)).collect(),
    }
}

fn cell(row: &Row, column: &Column, standing: Standing) -> Cell {
    let evidence = column.evidence.get(&row.id);
    let link = match (&column.page, evidence) {
        (_, None) => String::new(),
        (Some(page), Some(evidence)) => format!("{page}{}", anchor("case", &evidence.case)),
        (None, Some(_)) if is_told(standing) => anchor("evidence", &row.id),
        (None, Some(_)) => String::new(),
    };
    let case = evidence.map(|evidence| format!(", {}", evidence.case)).unwrap_or_default();
    let title = printable(&format!("{}: {}{case}", column.label, standing.name())).into_owned();
    Cell { class: class(standing), name: standing.name(), link, title }
}

/// Whether there is more to say of it than that it holds.
fn is_told(standing: Standing) -> bool {
    !matches!(standing, Standing::Holds | Standing::Unasked)
}

fn evidence(row: &Row, matrix: &Matrix, rerun: &str) -> Option<Evidence> {
    let told = |column: &Column| {
        let evidence = column.evidence.get(&row.id)?;
        (column.page.is_none() && is_told(evidence.standing)).then(|| Told {
            target: printable(&column.label).into_owned(),
            class: class(evidence.standing),
            standing: evidence.standing.name(),
            verdict: evidence.verdict.name(),
            case: printable(&evidence.case).into_owned(),
            came: evidence.came.clone(),
            more: evidence.cases - 1,
            rerun: printable(&format!("{} {}", column.rerun(rerun), quote(&evidence.case))).into_owned(),
        })
    };
    let told: Vec<_> = matrix.columns.iter().filter_map(told).collect();
    let id = printable(&row.id).into_owned();
    (!told.is_empty()).then(|| Evidence { anchor: format!("evidence/{id}"), id, told })
}

fn class(standing: Standing) -> &'static str {
    match standing {
        Standing::Broken => "broken",
        Standing::InDoubt => "doubt",
        Standing::Noted => "noted",
        Standing::Holds => "holds",
        Standing::Unjudged => "unjudged",
        Standing::Unasked => "unasked",
    }
}
