//! `syncspec prove`: what the cases catch, and what they do not.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Instant;

use serde_json::{Value, json};

use super::args::{Format, ProveArgs};
use super::output::Output;
use super::{Exit, NOTHING_SELECTED, inspect, open};
use crate::prove::{Alteration, Effort, Kind, Proof, Tried, alterations, prove};
use crate::spec::Service;

/// How many other failures are told of an alteration that nobody caught.
const MOST_TOLD: usize = 5;

/// Something is not proven.
const NOT_PROVEN: u8 = 1;

pub(super) fn run(args: &ProveArgs, output: &Output) -> Result<u8, Exit> {
    let suite = open::suite(&args.suite)?;
    let selected = select(alterations(Service::embedded()), &args.filters)?;
    let effort = Effort {
        at_a_time: usize::from(args.jobs),
        // Whoever picks some of them wants to know of these.
        thorough: args.thorough || !args.filters.is_empty(),
    };
    let begun = Instant::now();
    let proof = open::runtime()?.block_on(prove(&suite, selected, effort));
    let proof = proof.map_err(Exit::usage)?;
    // A part of the alterations proves nothing of the other cases.
    let idle: Vec<&String> = match args.filters.is_empty() {
        true => {
            // Neither is right: to be idle without a reason, and to have one in vain.
            let excused = |case: &String| proof.idle_for_a_reason.contains(case);
            let wrong = |(case, caught): &(&String, &BTreeSet<String>)| caught.is_empty() != excused(case);
            proof.catches.iter().filter(wrong).map(|(case, _)| case).collect()
        }
        false => Vec::new(),
    };
    match args.format {
        Format::Text => {
            output.text(&text(&proof, &idle));
            output.note(&format!("{:.1} s", begun.elapsed().as_secs_f64()));
        }
        Format::Json => inspect::print_json(output, &document(&proof, &idle))?,
    }
    let proven = proof.control.is_empty() && idle.is_empty() && proof.tried.iter().all(Tried::is_in_order);
    Ok(if proven { 0 } else { NOT_PROVEN })
}

/// The alterations whose name or requirement a filter selects, as for cases.
fn select(all: Vec<Alteration>, filters: &[String]) -> Result<Vec<Alteration>, Exit> {
    if let Some(filter) = filters.iter().find(|filter| !all.iter().any(|alteration| alteration.is_meant(filter))) {
        let message = format!("no mutant or variant matches `{filter}`, see `syncspec serve --list-mutants`");
        return Err(Exit { code: NOTHING_SELECTED, message });
    }
    let selected =
        |alteration: &Alteration| filters.is_empty() || filters.iter().any(|filter| alteration.is_meant(filter));
    Ok(all.into_iter().filter(selected).collect())
}

fn text(proof: &Proof, idle: &[&String]) -> String {
    let mut text = String::new();
    let mut line = |line: std::fmt::Arguments<'_>| {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "{line}");
    };
    let of = |kind: Kind| proof.tried.iter().filter(move |tried| tried.alteration.kind == kind);
    for tried in proof.tried.iter().filter(|tried| !tried.is_in_order()) {
        let Alteration { name, about, kind, .. } = &tried.alteration;
        let what = match kind {
            Kind::Mutant if tried.is_proven() => "caught after all",
            Kind::Mutant => "not caught",
            Kind::Variant => "variant",
        };
        line(format_args!("{what}: {name}"));
        line(format_args!("  {about}"));
        if tried.is_proven() {
            let by: Vec<&str> = tried.caught.values().flatten().map(String::as_str).take(MOST_TOLD).collect();
            line(format_args!("  the suite says that nothing catches it, but this does: {}", by.join(", ")));
            continue;
        }
        for missed in tried.missed() {
            line(format_args!("  no finding names {missed}"));
        }
        if tried.claimed_by.is_empty() && !tried.alteration.requirements.is_empty() {
            line(format_args!("  no case claims to prove it"));
        } else if tried.others.is_empty() {
            let claimed = &tried.claimed_by[..tried.claimed_by.len().min(MOST_TOLD)];
            line(format_args!(
                "  all passes of the {} cases that claim it: {}",
                tried.claimed_by.len(),
                claimed.join(", ")
            ));
        }
        for other in tried.others.iter().take(MOST_TOLD) {
            line(format_args!("  {other}"));
        }
    }
    for case in idle {
        let caught = &proof.catches[*case];
        match caught.first() {
            None => line(format_args!("catches nothing: {case}")),
            Some(first) => {
                line(format_args!("catches something, although the suite says that it cannot: {case}: {first}"))
            }
        }
    }
    for failure in &proof.control {
        line(format_args!("fails although nothing is altered: {failure}"));
    }
    let count = |kind, counts: fn(&Tried) -> bool| of(kind).filter(|tried| counts(tried)).count();
    let (mutants, variants) = (count(Kind::Mutant, |_| true), count(Kind::Variant, |_| true));
    line(format_args!(
        "mutants caught, by a finding that names what they break: {} of {mutants}",
        count(Kind::Mutant, Tried::is_proven)
    ));
    line(format_args!(
        "mutants not caught, for a stated reason: {}",
        count(Kind::Mutant, |tried| tried.excused.is_some())
    ));
    line(format_args!("mutants not tried, since no case can prove their requirements: {}", proof.excluded.len()));
    line(format_args!("variants without a false alarm: {} of {variants}", count(Kind::Variant, Tried::is_proven)));
    let catching = proof.catches.values().filter(|caught| !caught.is_empty()).count();
    line(format_args!("cases that catch something: {catching} of {}", proof.catches.len()));
    line(format_args!("cases that catch nothing, for a stated reason: {}", proof.idle_for_a_reason.len()));
    text
}

fn document(proof: &Proof, idle: &[&String]) -> Value {
    let tried = proof.tried.iter().map(|tried| {
        json!({
            "name": tried.alteration.name,
            "kind": if tried.alteration.kind == Kind::Mutant { "mutant" } else { "variant" },
            "about": tried.alteration.about,
            "requirements": tried.alteration.requirements,
            "proven": tried.is_proven(),
            "excused": tried.excused,
            "caught": tried.caught,
            "others": tried.others,
        })
    });
    json!({
        "alterations": tried.collect::<Vec<_>>(),
        "cases": proof.catches,
        "catching-nothing": idle,
        "control": proof.control,
    })
}
