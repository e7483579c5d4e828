//! `syncspec explain`: a case or a requirement, in words and as requests.

use std::fmt::Write as _;
use std::time::Duration;

use super::args::ExplainArgs;
use super::output::Output;
use super::{Exit, NOTHING_SELECTED, inspect, open};
use crate::cases::{Action, Case, Step, Suite};
use crate::plan::{Decision, LeaseTable, Plan, function_script};
use crate::report::{curl, exchange, hanging, wrapped};
use crate::run::{Session, TargetSummary, preview};
use crate::source::did_you_mean;
use crate::spec::{Catalog, Protocol, Requirement, Service};
use crate::target::Target;

pub(super) fn explain(args: &ExplainArgs, output: &Output) -> Result<u8, Exit> {
    let (service, catalog) = inspect::service();
    let suite = open::suite(&args.suite)?;
    if let Some(requirement) = catalog.get(&args.id) {
        output.text(&about_requirement(requirement, service, &suite, output.width()));
        return Ok(0);
    }
    let Some(case) = suite.cases.iter().find(|case| case.id == args.id) else {
        return Err(unknown(&args.id, catalog, &suite));
    };
    let mut target = match &args.target.target {
        // Nobody is asked for credentials: nothing is sent.
        Some(file) => Target::from_file(file).map_err(Exit::usage)?.assumed(),
        None => open::embedded("http://127.0.0.1:4580"),
    };
    if let Some(endpoint) = &args.target.endpoint {
        endpoint.clone_into(&mut target.endpoint);
    }
    output.text(&about_case(case, service, catalog, output.width()));
    // A client connects within a runtime, and is made within one.
    let runtime = open::runtime()?;
    let _guard = runtime.enter();
    output.text(&requests(&suite, case, target, args.protocol.into())?);
    Ok(0)
}

fn unknown(id: &str, catalog: &Catalog, suite: &Suite) -> Exit {
    let cases = suite.cases.iter().map(|case| case.id.as_str());
    let known = cases.chain(catalog.iter().map(|requirement| requirement.id.as_str()));
    let hint = did_you_mean(id, known).unwrap_or_default();
    Exit { code: NOTHING_SELECTED, message: format!("no case or requirement `{id}`{hint}") }
}

fn about_requirement(requirement: &Requirement, service: &Service, suite: &Suite, width: usize) -> String {
    let mut text = stated(requirement, service, width);
    let proving: Vec<_> = suite.cases.iter().filter(|case| case.proves.contains(&requirement.id)).collect();
    // Writing to a `String` cannot fail.
    let _ = match proving.as_slice() {
        [] => writeln!(text, "\nNo case proves it."),
        _ => writeln!(text, "\nProved by:"),
    };
    for case in proving {
        let _ = writeln!(text, "  {}", case.id);
    }
    text
}

/// A requirement in words: statement, strength, sources, and what is in dispute.
fn stated(requirement: &Requirement, service: &Service, width: usize) -> String {
    let mut text = format!("{}\n{}", requirement.id, wrapped(&requirement.statement, width, "  "));
    let sources = format!("{}: {}", requirement.strength, requirement.sources.join("; "));
    text += &hanging(&sources, width, "  ", "    ");
    let dispute = requirement.dispute.as_ref();
    let dispute = dispute.and_then(|id| service.disputes.iter().find(|dispute| dispute.id == *id));
    if let Some(dispute) = dispute {
        text += &hanging(&format!("in dispute: {}", dispute.question), width, "  ", "    ");
        let mut reading = |by: &str, says: &str| text += &hanging(&format!("{by}: {says}"), width, "    ", "      ");
        for read in &dispute.readings {
            let by: Vec<_> = read.by.iter().map(|key| service.sources[key].as_str()).collect();
            reading(&by.join("; "), &read.says);
        }
        reading("the suite", &dispute.suite);
    }
    text
}

fn about_case(case: &Case, service: &Service, catalog: &Catalog, width: usize) -> String {
    let mut text = format!("{} ({})\n", case.id, case.origin);
    if let Some(about) = &case.about {
        text += &wrapped(about, width, "");
    }
    text.push_str("\nProves:\n\n");
    for requirement in case.proves.iter().filter_map(|id| catalog.get(id)) {
        text.push_str(&stated(requirement, service, width));
        text.push('\n');
    }
    text
}

/// The requests of a case as they will be sent, also as curl commands.
fn requests(suite: &Suite, case: &Case, target: Target, protocol: Protocol) -> Result<String, Exit> {
    let summary = TargetSummary::from(&target);
    let mut plan = Plan::new(suite, std::slice::from_ref(&case.id), &target).map_err(Exit::usage)?;
    plan.over(protocol, Service::embedded(), Catalog::embedded(), &target);
    let decision = plan.cases.into_iter().find(|planned| planned.case.id == case.id).map(|planned| planned.decision);
    let demand = match decision {
        Some(Decision::Run(demand)) => demand,
        Some(Decision::Skip { reason }) => return Ok(format!("On {} it is skipped: {reason}.\n", summary.name)),
        None => return Ok(String::new()),
    };
    let mut session: Session = open::session(target, Duration::from_secs(30), false)?;
    session.protocol = protocol;
    let lease = LeaseTable::new(&session.target, session.service.datasets_per_identity()).acquire(demand);
    let Some(lease) = lease else { return Ok(format!("{} has no identity to give to it.\n", summary.name)) };
    let mut text = scripts(case, &session.target);
    text.push_str("Requests (values that an earlier step captures are shown as <name>):\n");
    for (step, prepared) in case.steps.iter().zip(preview(&session, case, &lease)) {
        match prepared {
            Ok(looked) if matches!(step.action, Action::Observe(_)) => {
                let within = step.within.map(|within| format!(", for at most {} ms", within.as_millis()));
                let within = within.unwrap_or_default();
                let title = format!("step {}, {}", looked.step, step.label());
                let _ = writeln!(text, "\n{title}: what the server has sent there is looked at{within}");
                expectations(step, &mut text);
            }
            Ok(prepared) => {
                let fixture = step.fixture.as_ref().map(|name| format!("(fixture {name}) ")).unwrap_or_default();
                let _ = write!(text, "\n{fixture}{}", exchange(&prepared, &[]));
                expectations(step, &mut text);
                if !prepared.request.method.is_empty() {
                    let command = curl(&prepared, &summary, &session.service.signing_name);
                    let _ = write!(text, "\n{command}");
                }
            }
            Err(error) => {
                let _ = writeln!(text, "\nstep at {}: {error}", step.origin);
            }
        }
    }
    Ok(text)
}

/// What must hold of a step's answer.
fn expectations(step: &Step, text: &mut String) {
    // Writing to a `String` cannot fail.
    for assumed in step.assumes.iter().flat_map(|expect| expect.sentences()) {
        let _ = writeln!(text, "assumed: {assumed}");
    }
    for expect in &step.expects {
        let _ = writeln!(text, "expected ({}):", expect.requirement);
        for sentence in expect.sentences() {
            let _ = writeln!(text, "  {sentence}");
        }
    }
}

/// How the services that the server calls answer meanwhile.
fn scripts(case: &Case, target: &Target) -> String {
    let scripts = case.scripts.sentences();
    if scripts.is_empty() {
        return String::new();
    }
    let lines: String = scripts.iter().map(|sentence| format!("  {sentence}\n")).collect();
    let who = match function_script(case, target) {
        Some(script) => format!("The target's function follows script {}", script.digest()),
        None => "The harness plays the other services".to_owned(),
    };
    format!("{who}:\n{lines}\n")
}
