//! `syncspec run --plan`: what a run would do, without sending anything.

use super::args::{Format, TargetArgs};
use super::output::Output;
use super::run_args::RunArgs;
use super::{Exit, NOTHING_SELECTED, open, partition};
use crate::cases::{Effect, Suite};
use crate::client::Endpoint;
use crate::plan::{Forecast, Pace, Plan, Reach};
use crate::report::forecast as text;
use crate::run::TargetSummary;
use crate::spec::{Catalog, Service};
use crate::target::Target;

/// The cases to run, without those whose effects nobody has allowed on a target that
/// is not on this machine.
pub(super) fn plan(args: &RunArgs, filters: &[String], suite: &Suite, target: &Target) -> Result<Plan, Exit> {
    let share = args.partition.filter(|_| target.pools.iter().any(|pool| pool.is_taken));
    let mut plan = Plan::dealt(suite, filters, target, share)
        .map_err(|error| Exit { code: NOTHING_SELECTED, message: error.to_string() })?;
    plan.over(args.protocol.into(), Service::embedded(), Catalog::embedded(), target);
    if !partition::is_here(target) {
        let allowed: Vec<Effect> = args.allow.iter().map(|allowed| (*allowed).into()).collect();
        plan.withhold(&Reach::new(suite, Service::embedded()), &allowed, |names| {
            names.iter().map(|name| format!("--allow {name}")).collect::<Vec<_>>().join(" ")
        });
    }
    Ok(plan)
}

/// Prints what the run would do.
pub(super) fn tell(args: &RunArgs, filters: &[String], suite: &Suite, output: &Output) -> Result<u8, Exit> {
    let target = partition::dealt(described(&args.target)?, args)?;
    let mut plan = plan(args, filters, suite, &target)?;
    let part = partition::keep(&mut plan, args);
    let pace = Pace {
        jobs: usize::from(args.jobs),
        pools: target.own_pools().count(),
        requests_per_second: target.requests_per_second,
        here: partition::is_here(&target),
    };
    let forecast = Forecast::of(&plan, &Reach::new(suite, Service::embedded()), pace);
    let forecast = partition::forecast(forecast, part.as_ref(), &target);
    match args.format {
        Format::Text => output.text(&text(&forecast, &TargetSummary::from(&target), output.width())),
        Format::Json => {
            let json = serde_json::to_string(&forecast).map_err(Exit::usage)?;
            output.text(&format!("{json}\n"));
        }
    }
    // The other parts have the cases then.
    let is_empty_part = part.is_some_and(|part| part.selected > 0 && plan.cases.is_empty());
    Ok(if forecast.cases.is_empty() && !is_empty_part { NOTHING_SELECTED } else { 0 })
}

/// The target as its file describes it: nothing is started, nobody is asked.
fn described(args: &TargetArgs) -> Result<Target, Exit> {
    let Some(target) = open::named(args)? else { return Ok(open::embedded("http://127.0.0.1")) };
    let problem = |error| Exit::usage(format!("target {}: {error}", target.name));
    Endpoint::parse(&target.endpoint).map_err(problem)?;
    Ok(target.assumed())
}
