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
    let mut told = String::new();
    if !faults.is_empty() {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        told += &format!("It fails on purpose: {}\n", faults.join(", "));
    }
    if args.fault_control {
        told += "Its faults can be changed at /_syncspec/faults by everybody who reaches it.\n";
    }
    match args.clock_offset {
        None | Some(0) => {}
        Some(seconds) if seconds > 0 => told += &format!("Its clock is {} ahead.\n", time(seconds)),
        Some(seconds) => told += &format!("Its clock is {} behind.\n", time(seconds)),
    }
    told
}

/// Seconds in the largest unit that they are a whole number of.
fn time(seconds: i64) -> String {
    let units = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let fitting = units.into_iter().find(|(unit, _)| seconds % unit == 0);
    let (unit, name) = fitting.unwrap_or((1, "s"));
    format!("{} {name}", (seconds / unit).abs())
}
