//! The journal of what a command makes on a target that is not its own.

use std::path::PathBuf;

use tokio::sync::watch;

use super::args::TargetArgs;
use super::output::Output;
use super::{Exit, partition};
use crate::journal::{Begun, Found, Journal, JournalError, found, state_folder};
use crate::report::quote;
use crate::target::Target;

/// The folder of all journals.
pub(super) fn folder() -> Result<PathBuf, Exit> {
    state_folder(|name| std::env::var_os(name)).map_err(Exit::usage)
}

/// Begins the journal of a run, once no other run on this machine uses the target's
/// pools. Tells of runs before it that have left something.
pub(super) async fn begin(
    target: &Target,
    run_id: &str,
    args: &TargetArgs,
    interrupted: Option<&watch::Receiver<bool>>,
    output: &Output,
) -> Result<Journal, Exit> {
    let claims = partition::claim(target, interrupted, output).await?;
    let folder = folder()?;
    let unreadable = |source| JournalError::Unwritable { path: folder.join(&target.name), source };
    let dead = found(&folder, &target.name).map_err(|error| Exit::usage(unreadable(error)))?;
    let owes = |found: &&Found| matches!(found, Found::Dead(dead) if !dead.owed.is_empty() && dead.begun.is_of(target));
    match dead.iter().filter(owes).count() {
        0 => {}
        1 => output.note(&format!("An earlier run has left something on the target: {} takes it back.", clean(args))),
        more => output
            .note(&format!("{more} earlier runs have left something on the target: {} takes it back.", clean(args))),
    }
    let journal = Journal::begin(&folder, &Begun::now(target, run_id)).map_err(Exit::usage)?;
    Ok(journal.holding(claims))
}

/// Tells what could not be taken back, by what closing the journal came to.
pub(super) fn closed(closed: std::io::Result<Option<(PathBuf, usize)>>, args: &TargetArgs, output: &Output) {
    match closed {
        Ok(None) => {}
        Ok(Some((path, left))) => {
            let things = if left == 1 { "1 thing".to_owned() } else { format!("{left} things") };
            output.note(&format!(
                "{things} could not be taken back, and can be with {} (written down in {}).",
                clean(args),
                path.display()
            ));
        }
        Err(error) => output.note(&format!("Everything was taken back, but the journal cannot be removed: {error}")),
    }
}

/// What whoever interrupts twice should know.
pub(super) fn when_left(args: &TargetArgs) -> String {
    format!("Left at once. What the run made is written down: {} takes it back.", clean(args))
}

/// The command that takes back what was left.
pub(super) fn clean(args: &TargetArgs) -> String {
    let file = args.target.as_ref().map(|file| format!(" --target {}", quote(&file.display().to_string())));
    let endpoint = args.endpoint.as_ref().map(|url| format!(" --endpoint {}", quote(url)));
    format!("`syncspec clean{}{}`", file.unwrap_or_default(), endpoint.unwrap_or_default())
}
