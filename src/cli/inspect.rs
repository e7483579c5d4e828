//! `syncspec list`, `lint`, `schema` and `completions`: looking at the suite.

use clap::CommandFactory as _;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::args::{Args, Format, LintArgs, ListArgs, SchemaKind};
use super::output::Output;
use super::{Exit, NOTHING_SELECTED, open};
use crate::cases::{BaseFile, Case, CaseFile, ExcludedFile, FixtureFile, Suite};
use crate::plan::Plan;
use crate::report;
use crate::spec::{Catalog, Service};
use crate::target::{Target, TargetFile, WorldFile, embedded_world};

pub(super) fn list(args: &ListArgs, output: &Output) -> Result<u8, Exit> {
    let suite = open::suite(&args.suite)?;
    let mut selected = select(&suite, &args.filters)?;
    selected.retain(|case| args.partition.is_none_or(|share| share.holds(&case.id)));
    match args.format {
        Format::Text => {
            let lines: String = selected.iter().map(|case| format!("{}\n", case.id)).collect();
            output.text(&lines);
            output.note(&format!("{} of {} cases", selected.len(), suite.cases.len()));
        }
        Format::Json => print_json(output, &Value::from_iter(selected.iter().map(|case| described(case))))?,
    }
    Ok(0)
}

/// The cases that filters select, whatever a target may lack.
pub(super) fn select<'s>(suite: &'s Suite, filters: &[String]) -> Result<Vec<&'s Case>, Exit> {
    let target = Target::embedded(&embedded_world(), "http://localhost");
    let plan = Plan::new(suite, filters, &target)
        .map_err(|error| Exit { code: NOTHING_SELECTED, message: error.to_string() })?;
    let mut planned = plan.cases.iter().map(|planned| planned.case.id.as_str()).peekable();
    Ok(suite.cases.iter().map(|case| &**case).filter(|case| planned.next_if_eq(&case.id.as_str()).is_some()).collect())
}

fn described(case: &Case) -> Value {
    json!({
        "case": case.id,
        "about": case.about,
        "origin": case.origin.to_string(),
        "requirements": case.proves,
        "operations": case.operations(),
        "needs": case.needs,
        "steps": case.steps.len(),
    })
}

pub(super) fn lint(args: &LintArgs, output: &Output) -> Result<u8, Exit> {
    let suite = open::suite_in(args.dir.as_deref())?;
    let place = args.dir.as_ref().map_or_else(|| "the built-in suite".to_owned(), |dir| dir.display().to_string());
    output.text(&format!("{place}: {} cases, no mistakes\n", suite.cases.len()));
    Ok(0)
}

pub(super) fn schema(kind: SchemaKind, output: &Output) -> Result<u8, Exit> {
    // Editors for TOML have long understood draft 7.
    let generator = || SchemaSettings::draft07().into_generator();
    let schema = match kind {
        SchemaKind::Case => generator().into_root_schema_for::<CaseFile>().to_value(),
        SchemaKind::Base => generator().into_root_schema_for::<BaseFile>().to_value(),
        SchemaKind::Fixture => generator().into_root_schema_for::<FixtureFile>().to_value(),
        SchemaKind::Excluded => generator().into_root_schema_for::<ExcludedFile>().to_value(),
        SchemaKind::Target => generator().into_root_schema_for::<TargetFile>().to_value(),
        SchemaKind::World => generator().into_root_schema_for::<WorldFile>().to_value(),
        SchemaKind::Report => report::schema(),
    };
    print_json(output, &schema)?;
    Ok(0)
}

pub(super) fn completions(shell: clap_complete::Shell, output: &Output) -> Result<u8, Exit> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "syncspec", &mut script);
    output.bytes(&script);
    Ok(0)
}

pub(super) fn print_json(output: &Output, value: &Value) -> Result<(), Exit> {
    let mut text = serde_json::to_vec_pretty(value).map_err(Exit::usage)?;
    text.push(b'\n');
    output.bytes(&text);
    Ok(())
}

/// What the commands that only look have in common.
pub(super) fn service() -> (&'static Service, &'static Catalog) {
    (Service::embedded(), Catalog::embedded())
}
