//! `--partition K/N`: one part of a run that several machines share.

use std::time::Duration;

use tokio::sync::watch;

use super::output::Output;
use super::run_args::RunArgs;
use super::{Exit, NOT_JUDGED, journal};
use crate::client::Endpoint;
use crate::journal::{Claims, JournalError};
use crate::plan::{Forecast, Part, Plan};
use crate::run::Partition;
use crate::target::{Pool, Target};

/// Between two looks at what another process has.
const PAUSE: Duration = Duration::from_millis(100);

/// Leaves the cases of the part that was asked for; what of the whole run it is. What
/// becomes of each case was decided with all of them, as in a run of one part.
pub(super) fn keep(plan: &mut Plan, args: &RunArgs) -> Option<Partition> {
    let share = args.partition?;
    let whole = Partition::of(plan, share);
    plan.keep(share);
    Some(whole)
}

/// The target with the pools that the part may use. Parts on several machines meet on a
/// target that is on none of them, and know nothing of each other.
pub(super) fn dealt(target: Target, args: &RunArgs) -> Result<Target, Exit> {
    let Some(share) = args.partition.filter(|share| share.count() > 1 && !args.own_pools) else { return Ok(target) };
    if is_here(&target) {
        return Ok(target);
    }
    let pools = target.pools.len();
    if pools < share.count() {
        let has = if pools == 1 { "1 pool".to_owned() } else { format!("{pools} pools") };
        return Err(Exit::usage(format!(
            "{} parts of a run cannot share target {}, which has {has}: cases change how a pool behaves and count what \
             an identity has, so that each part needs a pool of its own. Name as many pools in the target file as there \
             are parts; or give each part a target file with other pools, and say so with --own-pools",
            share.count(),
            target.name
        )));
    }
    Ok(target.with_pools(|place| share.is_dealt(place)))
}

pub(super) fn is_here(target: &Target) -> bool {
    Endpoint::parse(&target.endpoint).is_ok_and(|endpoint| endpoint.is_loopback())
}

/// What the forecast of a part says of the whole.
pub(super) fn forecast(forecast: Forecast, part: Option<&Partition>, target: &Target) -> Forecast {
    let ids = || target.own_pools().map(|pool| pool.id.clone()).collect();
    let of = |part: &Partition| Part {
        index: part.index,
        count: part.count,
        selected: part.selected,
        pools: target.pools.iter().any(|pool| pool.is_taken).then(ids),
    };
    Forecast { part: part.map(of), ..forecast }
}

/// The pools that cases may be given, as long as no other process on this machine has
/// one of them. Waits for that.
pub(super) async fn claim(
    target: &Target,
    interrupted: Option<&watch::Receiver<bool>>,
    output: &Output,
) -> Result<Claims, Exit> {
    let folder = journal::folder()?;
    let pools: Vec<&Pool> = target.own_pools().collect();
    let mut has_waited = false;
    loop {
        let ids = pools.iter().map(|pool| pool.id.as_str());
        let taken = Claims::take(&folder, &target.endpoint, ids);
        let taken = taken.map_err(|source| JournalError::Unwritable { path: folder.clone(), source });
        if let Some(claims) = taken.map_err(Exit::usage)? {
            return Ok(claims);
        }
        if interrupted.is_some_and(|interrupted| *interrupted.borrow()) {
            return Err(Exit { code: NOT_JUDGED, message: "interrupted before the first case".to_owned() });
        }
        if !has_waited {
            output.note("Another run on this machine uses the target's pools; this one begins when it is over.");
            has_waited = true;
        }
        tokio::time::sleep(PAUSE).await;
    }
}
