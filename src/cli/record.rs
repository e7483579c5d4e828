//! `syncspec record`: a target's snapshots from what it answers now.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::PoisonError;

use time::OffsetDateTime;
use time::macros::format_description;
use tokio::sync::watch;

use super::args::{RecordArgs, TargetArgs};
use super::interrupt::interruption;
use super::open::{self, Opened};
use super::output::{Output, write_atomically};
use super::progress::{Progress, Shown};
use super::{Exit, NOTHING_SELECTED, journal};
use crate::cases::Suite;
use crate::judge::{Recorded, Verdict};
use crate::plan::Plan;
use crate::report::{Context, changes, failures};
use crate::run::{CaseResult, Event, FailOn, Footer, Session, Settings, Taken, TargetSummary};
use crate::snapshot::{Kind, Provenance, RECORDED_FILE, Snapshot, Store, file};
use crate::target::{EMBEDDED_SNAPSHOTS, Target};

pub(super) fn record(args: &RecordArgs, output: &Output) -> Result<u8, Exit> {
    let suite = open::suite(&args.suite)?;
    open::runtime()?.block_on(async {
        let wanted = TargetArgs { target: Some(args.target.clone()), endpoint: args.endpoint.clone() };
        let Opened { target, server, interrupted, .. } = open::target(&wanted).await?;
        let opened = target.clone();
        let recorded = record_from(target, args, output, &suite, &wanted, interrupted).await;
        open::close(&opened, server, output).await;
        recorded
    })
}

/// Records a target with credentials at hand.
async fn record_from(
    target: Target,
    args: &RecordArgs,
    output: &Output,
    suite: &Suite,
    wanted: &TargetArgs,
    interrupted: Option<watch::Receiver<bool>>,
) -> Result<u8, Exit> {
    let set = set_of(&target)?;
    let old = Store::begun(&set, &args.snapshots).map_err(Exit::usage)?;
    let plan = plan(suite, &args.filters, &target)?;
    let taken = Taken::default();
    let session = open::session(target, args.timeout.length(), false)?;
    // What was recorded before says nothing of what is right now.
    let mut session = session.compared_with(Store::default(), Recorded::Elsewhere);
    session.taken = Some(Taken::clone(&taken));
    let kind = Kind::of_host(&session.client.endpoint().host_header());
    one_source(&set, kind, &old)?;
    open::reachable(&session.client, &session.target).await?;
    let session = open::playing(session, &plan, None).await?;
    let journal = journal::begin(&session.target, &session.run_id, wanted, interrupted.as_ref(), output).await?;
    let session = session.journalled(journal);
    let cancel = interrupted.unwrap_or_else(|| interruption(Some(journal::when_left(wanted))));
    let (results, footer) = run(args, output, &session, suite, plan, cancel).await;
    journal::closed(session.close_journal(), wanted, output);
    let taken = std::mem::take(&mut *taken.lock().unwrap_or_else(PoisonError::into_inner));
    let renewal = Renewal { args, set: &set, old: &old, provenance: provenance(kind)? };
    let report = renewal.report(suite, &results, &taken, &footer);
    if footer.stopped.is_none() && !args.dry_run {
        renewal.write(&report)?;
    }
    output.text(&renewal.text(&session, &results, &report, &footer));
    Ok(footer.exit)
}

/// The name of the target's set.
fn set_of(target: &Target) -> Result<String, Exit> {
    let set = target.snapshots.as_ref().unwrap_or(&target.name).clone();
    if set == EMBEDDED_SNAPSHOTS {
        return Err(Exit::usage(format!(
            "the set `{set}` is the reference server's, and only the tests of syncspec renew it; \
             name another one in the target file: `snapshots = \"…\"`"
        )));
    }
    // It becomes the name of a folder that people keep and share.
    if set.split(|c: char| !c.is_ascii_digit()).any(|digits| digits.len() == 12) {
        return Err(Exit::usage(format!(
            "the set `{set}` is named like an account, whose number belongs in no snapshot; \
             name another one in the target file: `snapshots = \"…\"`"
        )));
    }
    Ok(set)
}

/// The selected cases that take a snapshot.
fn plan(suite: &Suite, filters: &[String], target: &Target) -> Result<Plan, Exit> {
    let nothing = |message: String| Exit { code: NOTHING_SELECTED, message };
    let mut plan = Plan::new(suite, filters, target).map_err(|error| nothing(error.to_string()))?;
    plan.cases.retain(|planned| planned.case.takes_snapshot());
    plan.unmatched_known_failures.clear();
    if plan.cases.is_empty() {
        return Err(nothing("none of the selected cases takes a snapshot".to_owned()));
    }
    Ok(plan)
}

/// A set has one source: what it says of it would be wrong of a part otherwise.
fn one_source(set: &str, kind: Kind, old: &Store) -> Result<(), Exit> {
    match old.provenance() {
        Some(provenance) if provenance.from != kind => Err(Exit::usage(format!(
            "the set `{set}` was recorded from {}, and this target is {kind}; \
             name another one in the target file: `snapshots = \"…\"`",
            provenance.from
        ))),
        _ => Ok(()),
    }
}

fn provenance(from: Kind) -> Result<Provenance, Exit> {
    let today = OffsetDateTime::now_utc().format(format_description!("[year]-[month]-[day]")).map_err(Exit::usage)?;
    Ok(Provenance { from, renewed: Some(today), suite_version: Some(env!("CARGO_PKG_VERSION").to_owned()) })
}

async fn run(
    args: &RecordArgs,
    output: &Output,
    session: &Session,
    suite: &Suite,
    plan: Plan,
    cancel: watch::Receiver<bool>,
) -> (Vec<CaseResult>, Footer) {
    let mut progress = Progress::new(output, plan.cases.len(), Shown::Progress, FailOn::Any);
    let mut results = Vec::new();
    let settings = Settings {
        jobs: usize::from(args.jobs),
        fail_fast: false,
        datasets_per_identity: session.service.datasets_per_identity(),
    };
    let sink = |event| {
        if let Event::Result(result) = event {
            progress.add(&result);
            results.push(*result);
        }
    };
    let footer = crate::run::run(session, plan, &suite.digest, settings, cancel, sink).await;
    progress.finish();
    results.sort_by(|a, b| a.case.cmp(&b.case));
    (results, footer)
}

struct Renewal<'r> {
    args: &'r RecordArgs,
    set: &'r str,
    old: &'r Store,
    provenance: Provenance,
}

/// What a renewal comes to.
#[derive(Default)]
struct Report<'r> {
    /// Case and snapshot.
    new: Vec<(&'r str, &'r str)>,
    /// Case, snapshot, and what it was.
    changed: Vec<(&'r str, &'r str, &'r str)>,
    unchanged: usize,
    /// Cases that did not pass, or did not get so far.
    not_recorded: Vec<&'r CaseResult>,
    /// Paths below the set's folder.
    orphans: Vec<&'r str>,
}

impl<'r> Renewal<'r> {
    fn report(
        &self,
        suite: &Suite,
        results: &'r [CaseResult],
        taken: &'r BTreeMap<String, String>,
        footer: &Footer,
    ) -> Report<'r>
    where
        Self: 'r,
    {
        let mut report = Report::default();
        for result in results {
            let passed = matches!(result.verdict, Verdict::Pass | Verdict::Warn);
            let taken = taken.get(&result.case).filter(|_| passed && footer.stopped.is_none());
            match (taken, self.old.get(&result.case)) {
                (None, _) => report.not_recorded.push(result),
                (Some(taken), None) => report.new.push((&result.case, taken)),
                (Some(taken), Some(old)) if old.text == taken => report.unchanged += 1,
                (Some(taken), Some(old)) => report.changed.push((&result.case, taken, old.text)),
            }
        }
        let with_snapshot = suite.cases.iter().filter(|case| case.takes_snapshot());
        let places: BTreeSet<String> = with_snapshot.map(|case| Snapshot::of(&case.id).path()).collect();
        report.orphans = self.old.paths().filter(|path| !places.contains(*path)).collect();
        report
    }

    /// Writes what is new or changed, each file whole or not at all, and at last what
    /// the set was recorded from.
    fn write(&self, report: &Report<'_>) -> Result<(), Exit> {
        let folder = self.args.snapshots.join(self.set);
        let description = self.provenance.description();
        let changed = report.changed.iter().map(|(case, taken, _)| (*case, *taken));
        for (case, taken) in report.new.iter().copied().chain(changed) {
            written(&folder.join(Snapshot::of(case).path()), &file(taken, &description))?;
        }
        if self.args.prune {
            for orphan in &report.orphans {
                let path = folder.join(orphan);
                let unwritable = |error| Exit::usage(format!("cannot remove {}: {error}", path.display()));
                fs::remove_file(&path).map_err(unwritable)?;
                // An area whose last snapshot it was goes too; one that holds more stays.
                let _ = path.parent().map(fs::remove_dir);
            }
        }
        let recorded = report.new.len() + report.changed.len() + report.unchanged;
        if recorded > 0 { written(&folder.join(RECORDED_FILE), &self.provenance.file()) } else { Ok(()) }
    }

    fn text(&self, session: &Session, results: &[CaseResult], report: &Report<'_>, footer: &Footer) -> String {
        let mut text = String::new();
        // Writing to a `String` cannot fail.
        for (case, _) in &report.new {
            let _ = writeln!(text, "new        {case}");
        }
        for (case, taken, old) in &report.changed {
            let diff: String = changes(old, taken).lines().map(|line| format!("  {line}\n")).collect();
            let _ = write!(text, "changed    {case}\n{diff}");
        }
        let target = TargetSummary::from(&*session.target);
        let context = Context {
            catalog: session.catalog,
            target: &target,
            signing_service: &session.service.signing_name,
            rerun: "syncspec run",
        };
        let failed = failures(results, 0, &context, usize::MAX);
        if !report.not_recorded.is_empty() {
            text += "not recorded, what was recorded before stays:\n";
            // Without its title, which counts them.
            failed.lines().skip(1).for_each(|line| text += &[line, "\n"].concat());
            let skipped = report.not_recorded.iter().filter(|result| result.verdict == Verdict::Skipped);
            for result in skipped {
                let _ = writeln!(text, "  skipped {}  {}", result.case, result.reason.as_deref().unwrap_or_default());
            }
        }
        if !report.orphans.is_empty() {
            let (removed, kept) =
                ("removed, as no case takes it any more:", "no case takes it any more (--prune removes it):");
            let _ = writeln!(text, "{}", if self.args.prune && !self.args.dry_run { removed } else { kept });
            for path in &report.orphans {
                let _ = writeln!(text, "  {path}");
            }
        }
        text + &self.summary(results.len(), report, footer)
    }

    fn summary(&self, cases: usize, report: &Report<'_>, footer: &Footer) -> String {
        let Report { new, changed, unchanged, .. } = report;
        let folder = self.args.snapshots.join(self.set);
        let (new, changed) = (new.len(), changed.len());
        let what = match (&footer.stopped, self.args.dry_run) {
            (Some(why), _) => return format!("nothing was written to {}: {why}\n", folder.display()),
            (None, true) => "would be recorded",
            (None, false) => "recorded",
        };
        format!(
            "{} of {cases} snapshots {what} in {}: {new} new, {changed} changed, {unchanged} unchanged\n",
            new + changed + unchanged,
            folder.display(),
        )
    }
}

/// Writes a file whole or not at all, in a folder that is made when it is missing.
fn written(path: &Path, text: &str) -> Result<(), Exit> {
    let unwritable = |error: io::Error| Exit::usage(format!("cannot write {}: {error}", path.display()));
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(unwritable)?;
    }
    write_atomically(path, text.as_bytes()).map_err(unwritable)
}
