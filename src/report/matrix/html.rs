//! The matrix as a page: each cell leads to what it rests on.

use askama::Template;

use super::{Column, Matrix, Row};
use crate::report::curl::quote;
use crate::report::html::anchor;
use crate::report::share::percent;
use crate::report::standing::Standing;
use crate::report::text::{grouped, printable};

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

/// The page. `rerun` is the command that a case's id is added to.
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
        started: printable(&column.header.started).into_owned(),
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
            rerun: printable(&format!("{rerun} {}", quote(&evidence.case))).into_owned(),
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
