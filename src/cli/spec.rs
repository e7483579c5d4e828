//! `syncspec spec`: what the suite knows of the service, and how far it is from
//! AWS's own model.

use std::fmt::Write as _;

use indexmap::IndexMap;
use serde_json::json;

use super::args::{DiffArgs, Format};
use super::output::Output;
use super::{Exit, inspect, open};
use crate::prove;
use crate::report;
use crate::spec::{Difference, Drift, ModelFile};

/// The data and the model differ in a way that nobody recorded.
const DIFFERENT: u8 = 1;

/// Most places named for one change.
const MOST_PLACES: usize = 3;

pub(super) fn diff(args: &DiffArgs, output: &Output) -> Result<u8, Exit> {
    let named = |error: &dyn std::fmt::Display| Exit::usage(format!("{}: {error}", args.model.display()));
    let bytes = std::fs::read(&args.model).map_err(|error| named(&error))?;
    let model = ModelFile::from_bytes(&bytes).map_err(|error| named(&error))?;
    let (service, _) = inspect::service();
    let drift = Drift::between(service, &model);
    match args.format {
        Format::Text => output.text(&text(&drift, &args.model.display().to_string(), &model)),
        Format::Json => {
            let Drift { differences, known_disputes } = &drift;
            let printed = json!({
                "model": args.model.display().to_string(),
                "format": model.format,
                "differences": differences,
                "known-disputes": known_disputes,
            });
            inspect::print_json(output, &printed)?;
        }
    }
    Ok(if drift.differences.is_empty() { 0 } else { DIFFERENT })
}

fn text(drift: &Drift, file: &str, model: &ModelFile) -> String {
    let of_model = format!("{file} ({}, {}, {} operations)", model.title(), model.format, model.operations());
    let mut text = match drift.differences.len() {
        0 => format!("the suite's data agrees with {of_model}\n"),
        1 => format!("the suite's data differs at 1 place from {of_model}\n"),
        places => format!("the suite's data differs at {places} places from {of_model}\n"),
    };
    changes(&mut text, &drift.differences);
    if !drift.known_disputes.is_empty() {
        text.push_str("\nknown disputes, on purpose:\n");
        changes(&mut text, &drift.known_disputes);
    }
    text
}

/// One paragraph for each change. What is the same change at several places, as
/// of a shape that many operations use, is told once.
fn changes(text: &mut String, differences: &[Difference]) {
    let mut changes: IndexMap<_, Vec<&Difference>> = IndexMap::new();
    for difference in differences {
        let Difference { place, ours, theirs, dispute } = difference;
        let name = place.rmatch_indices('/').nth(1).map_or(place.as_str(), |(at, _)| &place[at + 1..]);
        changes.entry((name, ours, theirs, dispute)).or_default().push(difference);
    }
    // Writing to a string cannot fail.
    for ((_, ours, theirs, dispute), places) in changes {
        let said = |what: &Option<String>| what.clone().unwrap_or_else(|| "nothing".to_owned());
        let shown: Vec<_> = places.iter().take(MOST_PLACES).map(|difference| difference.place.as_str()).collect();
        let more = places.len().saturating_sub(MOST_PLACES);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let _ = write!(text, "\n{}{more}\n  here   {}\n  model  {}\n", shown.join(", "), said(ours), said(theirs));
        match dispute {
            Some(id) if ours == theirs => {
                let _ = writeln!(text, "  the dispute `{id}` records a difference here that is none; take it out");
            }
            Some(id) => {
                let _ = writeln!(text, "  see the dispute `{id}`");
            }
            None => {}
        }
    }
}

pub(super) fn disputes(output: &Output) -> Result<u8, Exit> {
    let suite = open::suite_in(None)?;
    let (service, catalog) = inspect::service();
    let cases = suite.cases.iter().map(|case| (case.id.as_str(), case.proves.as_slice()));
    output.text(&report::disputes(service, catalog, &cases.collect::<Vec<_>>()));
    Ok(0)
}

pub(super) fn tolerance(output: &Output) -> Result<u8, Exit> {
    let suite = open::suite_in(None)?;
    let (service, catalog) = inspect::service();
    output.text(&prove::tolerance(catalog, &suite, &prove::alterations(service)));
    Ok(0)
}
