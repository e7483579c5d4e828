//! What several targets, or several versions of one, make of each requirement.

mod badge;
mod column;
mod html;
mod json;
mod markdown;
mod text;

use std::cmp::Reverse;

use super::standing::Standing;
use crate::spec::{Catalog, Dispute};

pub use badge::badge;
pub use column::{Column, Columns};
pub use html::matrix_html;
pub use json::matrix_json;
pub use markdown::matrix_markdown;
pub use text::matrix_text;

/// Requirement by target.
#[derive(Debug)]
pub struct Matrix {
    /// The targets, in the order in which they were given.
    pub columns: Vec<Column>,
    /// What keeps the columns from being compared, as sentences.
    pub notes: Vec<String>,
    groups: Vec<Group>,
    disputes: Vec<DisputeRow>,
    /// How many requirements no run asked for.
    unasked: usize,
}

/// The requirements of one action and one kind, those that targets disagree on first.
#[derive(Debug)]
struct Group {
    action: String,
    kind: String,
    rows: Vec<Row>,
}

/// A requirement.
#[derive(Debug)]
struct Row {
    id: String,
    statement: String,
    /// How sure the sources make us; empty when the catalogue does not know it.
    strength: String,
    /// One for each column.
    cells: Vec<Standing>,
    /// How many pairs of targets that were judged stand differently.
    disagreement: usize,
}

/// A point on which sources disagree, and what each target answered.
#[derive(Debug)]
struct DisputeRow {
    id: String,
    question: String,
    /// None where no case of the run showed it.
    answers: Vec<Option<String>>,
    disagreement: usize,
}

impl Row {
    /// The worst that any target shows.
    fn worst(&self) -> Standing {
        self.cells.iter().copied().max().unwrap_or(Standing::Unasked)
    }

    /// Whether nothing about it calls for attention: all that were judged keep it, and in
    /// the same way.
    fn is_quiet(&self) -> bool {
        self.disagreement == 0 && self.worst() <= Standing::Noted
    }
}

/// How many pairs of these differ, leaving out those of which nothing is known.
fn pairs<T: PartialEq>(known: &[T]) -> usize {
    let differing = |(index, one): (usize, &T)| known[index + 1..].iter().filter(|other| *other != one).count();
    known.iter().enumerate().map(differing).sum()
}

impl Matrix {
    /// The matrix of these columns.
    pub fn of(columns: Columns, catalog: &Catalog, disputes: &[Dispute]) -> Self {
        let notes = columns.notes();
        let columns = columns.into_columns();
        let mut matrix =
            Self { disputes: dispute_rows(&columns, disputes), columns, notes, groups: Vec::new(), unasked: 0 };
        let mut ids: Vec<String> = Vec::new();
        let mut known = std::collections::HashSet::new();
        for id in matrix.columns.iter().flat_map(|column| column.standings.iter()).map(|(id, _)| id) {
            if known.insert(id) {
                ids.push(id.to_owned());
            }
        }
        for id in ids {
            let cells: Vec<_> = matrix.columns.iter().map(|column| column.standings.get(&id)).collect();
            if cells.iter().all(|standing| *standing == Standing::Unasked) {
                matrix.unasked += 1;
            } else {
                matrix.add(id, cells, catalog);
            }
        }
        for group in &mut matrix.groups {
            group.rows.sort_by(|a, b| key(a).cmp(&key(b)));
        }
        matrix.groups.sort_by(|a, b| group_key(a).cmp(&group_key(b)));
        matrix
    }

    fn add(&mut self, id: String, cells: Vec<Standing>, catalog: &Catalog) {
        let judged: Vec<_> = cells.iter().filter(|standing| standing.is_judged()).collect();
        let disagreement = pairs(&judged);
        let requirement = catalog.get(&id);
        let action = id.split('/').next().unwrap_or_default().to_owned();
        let kind = requirement.map_or("unknown to this version", |requirement| requirement.kind.name()).to_owned();
        let row = Row {
            statement: requirement.map(|requirement| requirement.statement.clone()).unwrap_or_default(),
            strength: requirement.map(|requirement| requirement.strength.to_string()).unwrap_or_default(),
            id,
            cells,
            disagreement,
        };
        match self.groups.iter_mut().find(|group| group.action == action && group.kind == kind) {
            Some(group) => group.rows.push(row),
            None => self.groups.push(Group { action, kind, rows: vec![row] }),
        }
    }

    /// What it all comes to, in one sentence without styles and without full stop.
    pub fn sentence(&self) -> String {
        let rows = || self.groups.iter().flat_map(|group| &group.rows);
        let (all, apart) = (rows().count(), rows().filter(|row| row.disagreement > 0).count());
        let broken = rows().filter(|row| row.cells.contains(&Standing::Broken)).count();
        let targets = super::text::count(self.columns.len(), "target");
        let requirements = super::text::count(all, "requirement");
        format!("{targets} on {requirements}: they differ on {apart}; {broken} broken by at least one")
    }
}

fn key(row: &Row) -> (Reverse<usize>, Reverse<Standing>, &str) {
    (Reverse(row.disagreement), Reverse(row.worst()), &row.id)
}

fn group_key(group: &Group) -> (Reverse<usize>, Reverse<Option<Standing>>, &str, &str) {
    let disagreement = group.rows.iter().map(|row| row.disagreement).sum();
    let worst = group.rows.iter().map(Row::worst).max();
    (Reverse(disagreement), Reverse(worst), &group.action, &group.kind)
}

fn dispute_rows(columns: &[Column], disputes: &[Dispute]) -> Vec<DisputeRow> {
    let row = |dispute: &Dispute| {
        let answers: Vec<_> = columns.iter().map(|column| column.answers.get(&dispute.id).cloned()).collect();
        let known: Vec<_> = answers.iter().flatten().collect();
        let disagreement = pairs(&known);
        DisputeRow { id: dispute.id.clone(), question: dispute.question.clone(), answers, disagreement }
    };
    let mut rows: Vec<_> = disputes.iter().map(row).collect();
    rows.retain(|row| row.answers.iter().any(Option::is_some));
    rows.sort_by_key(|row| Reverse(row.disagreement));
    rows
}

#[cfg(test)]
mod tests;
