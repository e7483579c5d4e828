//! A server that was told to fail, or to have another time.

use crate::cli::Exit;
use crate::cli::serve_args::ServeArgs;
use crate::reference::{Fault, FaultError};
use crate::source::did_you_mean;
use crate::spec::Service;

/// The faults of the command line.
pub(super) fn faults(texts: &[String]) -> Result<Vec<Fault>, Exit> {
    let service = Service::embedded();
    let fault = |text: &String| {
        Fault::parse(text, service).map_err(|error| {
            let hint = match &error {
                FaultError::UnknownFault(name) => did_you_mean(name, Fault::names(service)),
                FaultError::UnknownOperation(name) => did_you_mean(name, service.operations.keys().map(String::as_str)),
                _ => None,
            };
            Exit::usage(format!("--fault {text}: {error}{}", hint.unwrap_or_default()))
        })
    };
    texts.iter().map(fault).collect()
}

/// What a person should know who meets the server.
pub(super) fn told(args: &ServeArgs, faults: &[Fault]) -> String {
    let mut told = Vec::new();
    if !faults.is_empty() {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        told.push(format!("It fails on purpose: {}\n", faults.join(", ")));
    }
    if args.fault_control {
        told.push("Its faults can be changed at /_syncspec/faults by everybody who reaches it.\n".to_owned());
    }
    if let Some(seconds) = args.clock_offset.filter(|seconds| *seconds != 0) {
        let side = if seconds > 0 { "ahead" } else { "behind" };
        told.push(format!("Its clock is {} {side}.\n", time(seconds)));
    }
    told.concat()
}

/// Seconds in the largest unit that they are a whole number of.
fn time(seconds: i64) -> String {
    let units = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let fitting = units.into_iter().find(|(unit, _)| seconds % unit == 0);
    let (unit, name) = fitting.unwrap_or((1, "s"));
    format!("{} {name}", (seconds / unit).abs())
}
