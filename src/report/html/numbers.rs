//! The numbers of the page: conformance, how much could be judged, and both by action
//! and by kind of requirement.

use std::collections::BTreeSet;

use crate::report::failure::Context;
use crate::report::share::percent;
use crate::report::standing::{Count, Standing, Standings};
use crate::report::text::grouped;
use crate::spec::RequirementKind;

/// A stretch of a bar.
pub(super) struct Bar {
    pub(super) class: &'static str,
    pub(super) name: &'static str,
    pub(super) number: usize,
}

/// The stretches of these standings that occur, in this order.
fn bars(count: &Count, standings: impl IntoIterator<Item = Standing>) -> Vec<Bar> {
    let name = |standing: Standing| match (standing, count.of(standing)) {
        (Standing::Holds, 0 | 2..) => "hold",
        _ => standing.name(),
    };
    let bar = |standing: Standing| Bar { class: class(standing), name: name(standing), number: count.of(standing) };
    standings.into_iter().map(bar).filter(|bar| bar.number > 0).collect()
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

/// A number of a whole, in words and in per cent.
pub(super) struct Share {
    pub(super) says: &'static str,
    pub(super) part: String,
    pub(super) whole: String,
    pub(super) percent: String,
    pub(super) bars: Vec<Bar>,
}

impl Share {
    fn of(says: &'static str, part: usize, whole: usize, bars: Vec<Bar>) -> Self {
        Self { says, part: grouped(part as u64), whole: grouped(whole as u64), percent: percent(part, whole), bars }
    }

    /// How much of what was judged is kept, and how much was judged at all: never one
    /// number.
    pub(super) fn both(standings: &Standings) -> Vec<Self> {
        let count = standings.count(|_| true);
        let judged = [Standing::Holds, Standing::Noted, Standing::InDoubt, Standing::Broken];
        let asked = count.all() - count.of(Standing::Unasked);
        let mut coverage = bars(&count, [Standing::Unjudged, Standing::Unasked]);
        coverage.insert(0, Bar { class: "holds", name: "judged", number: count.judged() });
        vec![
            Self::of(
                "of the requirements that were judged are kept",
                count.conforming(),
                count.judged(),
                bars(&count, judged),
            ),
            Self::of(
                "of the requirements that the selected cases speak of could be judged",
                count.judged(),
                asked,
                coverage,
            ),
        ]
    }
}

/// Requirements in groups of one sort.
pub(super) struct Table {
    pub(super) caption: &'static str,
    /// Heads the column of names.
    pub(super) sort: &'static str,
    pub(super) rows: Vec<Row>,
}

/// The requirements of one action or one kind.
pub(super) struct Row {
    pub(super) name: String,
    /// Whether the name is that of an action, by which the list of cases can be
    /// filtered.
    pub(super) is_action: bool,
    pub(super) all: usize,
    pub(super) bars: Vec<Bar>,
    pub(super) conforming: usize,
    pub(super) judged: usize,
}

impl Row {
    fn of(name: &str, is_action: bool, standings: &Standings, wanted: impl Fn(&str) -> bool) -> Option<Self> {
        let count: Count = standings.count(wanted);
        (count.all() > count.of(Standing::Unasked)).then(|| Self {
            name: name.to_owned(),
            is_action,
            all: count.all(),
            bars: bars(&count, Standing::ALL.into_iter().rev()),
            conforming: count.conforming(),
            judged: count.judged(),
        })
    }
}

pub(super) fn tables(standings: &Standings, context: &Context<'_>) -> Vec<Table> {
    vec![
        Table { caption: "By action", sort: "action", rows: actions(standings, context) },
        Table { caption: "By kind", sort: "kind", rows: kinds(standings, context) },
    ]
}

fn actions(standings: &Standings, context: &Context<'_>) -> Vec<Row> {
    let action = |id: &str| id.split('/').next().unwrap_or_default().to_owned();
    let names: BTreeSet<_> = standings.iter().map(|(id, _)| action(id)).collect();
    // The service as a whole comes last: it is no action.
    let service = |name: &String| context.catalog.iter().any(|of| of.operation.is_none() && action(&of.id) == *name);
    let (whole, operations): (Vec<_>, Vec<_>) = names.into_iter().partition(service);
    let row = |name: &String| Row::of(name, true, standings, |id| action(id) == *name);
    operations.iter().chain(&whole).filter_map(row).collect()
}

fn kinds(standings: &Standings, context: &Context<'_>) -> Vec<Row> {
    let of = |id: &str| context.catalog.get(id).map(|requirement| requirement.kind);
    let row = |kind: RequirementKind| Row::of(kind.name(), false, standings, |id| of(id) == Some(kind));
    RequirementKind::ALL.into_iter().filter_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn shares_are_never_rounded_to_all_or_nothing() {
        assert_eq!((percent(9_999, 10_000), percent(1, 10_000)), ("99.9 %".to_owned(), "0.1 %".to_owned()));
        assert_eq!((percent(7, 7), percent(0, 0)), ("100 %".to_owned(), "–".to_owned()));
    }
}
