//! `syncspec run`: the main job.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use time::OffsetDateTime;
use time::macros::format_description;
use tokio::sync::watch;

use super::args::Format;
use super::interrupt::interruption;
use super::known::KnownFailures;
use super::open::{self, Opened};
use super::output::Output;
use super::progress::Progress;
use super::recording::Recording;
use super::repeat::{self, Ended};
use super::resume::{self, Earlier};
use super::run_args::RunArgs;
use super::run_ending::{REPORTS, places, remove_page, rerun};
use super::{Exit, NOTHING_SELECTED, USAGE, forecast, journal, partition, report, worst};
use crate::cases::Suite;
use crate::collaborators::Listener;
use crate::judge::{Recorded, Verdict};
use crate::plan::Plan;
use crate::report::{Partial, Summary};
use crate::run::{CaseResult, Event, Header, Partition, Session, Settings};
use crate::snapshot::Store;
use crate::target::Target;

pub(super) fn run(args: &RunArgs, output: &Output) -> Result<u8, Exit> {
    let filters = filters(args)?;
    let suite = open::suite_for(&args.suite, &args.target, &filters)?;
    if args.plan {
        // A set that is not there is refused here too.
        set_to_compare(args)?;
        return forecast::tell(args, &filters, &suite, output);
    }
    repeat::place(args)?;
    let wanted = Wanted { suite: &suite, filters: &filters };
    open::runtime_for(&suite, &filters)?.block_on(async {
        let Some(repeat) = args.repeat else { return Ok(once(args, output, &wanted, None).await?.exit) };
        let interrupted = interruption(args.target.is_named().then(|| journal::when_left(&args.target)));
        let round = async |args: &RunArgs| once(args, output, &wanted, Some(interrupted.clone())).await;
        repeat::rounds(args, repeat, output, round).await
    })
}

/// What is to be run.
struct Wanted<'w> {
    suite: &'w Suite,
    filters: &'w [String],
}

/// Runs the cases on the target, from its credentials to the last thing that is taken
/// back. `interrupted` is there when somebody watches for that already.
async fn once(
    args: &RunArgs,
    output: &Output,
    wanted: &Wanted<'_>,
    interrupted: Option<watch::Receiver<bool>>,
) -> Result<Ended, Exit> {
    let compare = set_to_compare(args)?;
    places(args)?;
    let known = args.write_known_failures.as_deref().map(KnownFailures::to).transpose()?;
    let opened = open::target_on_stage(&args.target, |target| partition::dealt(target, args)).await?;
    let Opened { target, listener, server, interrupted: watched } = opened;
    let (named, is_embedded) = (target.clone(), server.is_some());
    let aims = Aims { compare, known, is_embedded, listener };
    let ended = on(target, args, output, wanted, aims, interrupted.or(watched)).await;
    open::close(&named, server, output).await;
    ended
}

/// The recorded snapshots that answers are to be compared with, if that was asked for.
fn set_to_compare(args: &RunArgs) -> Result<Option<Store>, Exit> {
    let store = args.compare.as_ref().map(|set| Store::open(set, args.snapshots.as_deref()).map_err(Exit::usage));
    store.transpose()
}

/// Who asks for a comparison and compares nothing must not think that all is well.
fn something_to_compare(plan: &Plan, store: &Store, set: &str) -> Result<(), Exit> {
    if plan.cases.iter().any(|planned| store.get(&planned.case.id).is_some()) {
        return Ok(());
    }
    let message = format!("the set `{set}` holds no snapshot of a selected case, so there is nothing to compare");
    Err(Exit { code: NOTHING_SELECTED, message })
}

/// The session with the answers compared with the set that was asked for; else, when
/// the target has one of its own below `dir`, with that.
fn compared(session: Session, asked: Option<Store>, dir: Option<&Path>) -> Result<Session, Exit> {
    if let Some(store) = asked {
        return Ok(session.compared_with(store, Recorded::OnTarget));
    }
    let (Some(set), Some(dir)) = (session.target.snapshots.clone(), dir) else { return Ok(session) };
    let own = Store::begun(&set, dir).map_err(Exit::usage)?;
    Ok(if own.is_empty() { session } else { session.compared_with(own, Recorded::OnTarget) })
}

/// What a run is made with, beside the cases and the target.
struct Aims {
    /// What answers are to be compared with.
    compare: Option<Store>,
    /// Where what fails is to be listed.
    known: Option<KnownFailures>,
    /// Whether the target is a server of the run's own.
    is_embedded: bool,
    /// Plays the services that such a server calls.
    listener: Option<Listener>,
}

/// Runs on a target with credentials at hand.
async fn on(
    target: Target,
    args: &RunArgs,
    output: &Output,
    wanted: &Wanted<'_>,
    aims: Aims,
    interrupted: Option<watch::Receiver<bool>>,
) -> Result<Ended, Exit> {
    let (Wanted { suite, filters }, Aims { compare, known, is_embedded, listener }) = (wanted, aims);
    let mut plan = forecast::plan(args, filters, suite, &target)?;
    if let (Some(store), Some(set)) = (&compare, &args.compare) {
        something_to_compare(&plan, store, set)?;
    }
    let part = partition::keep(&mut plan, args);
    let session = open::session(target, args.timeout.length(), args.strict)?;
    let mut session = compared(session, compare, args.snapshots.as_deref())?;
    session.fail_on = args.fail_on.into();
    session.protocol = args.protocol.into();
    let begun = Begun::of(args, &session, &plan, part, suite, is_embedded)?;
    open::reachable(&session.client, &session.target).await?;
    session = open::playing(session, &plan, listener).await?;
    // Whose the embedded server is, we know.
    if !is_embedded {
        if !args.no_probe {
            open::is_the_service(&session, suite).await?;
        }
        let journal =
            journal::begin(&session.target, &session.run_id, &args.target, interrupted.as_ref(), output).await?;
        session = session.journalled(journal);
    }
    let exit = Run { args, output, session: &session, is_embedded }.go(suite, plan, begun, known, interrupted).await;
    journal::closed(session.close_journal(), &args.target, output);
    exit
}

/// The cases to run: what was typed, or what did not pass in an earlier run.
fn filters(args: &RunArgs) -> Result<Vec<String>, Exit> {
    let Some(earlier) = &args.rerun_failed else { return Ok(args.filters.clone()) };
    if !args.filters.is_empty() {
        return Err(Exit::usage("--rerun-failed selects the cases itself; leave the filters out"));
    }
    let record = report::read(earlier, Partial::Allow)?;
    let passed = |verdict| matches!(verdict, Verdict::Pass | Verdict::Skipped | Verdict::ExpectedFail);
    let failed: Vec<_> =
        record.results.into_iter().filter(|result| !passed(result.verdict)).map(|result| result.case).collect();
    if failed.is_empty() {
        let message = format!("every case of {} passed: there is nothing to run again", earlier.display());
        return Err(Exit { code: NOTHING_SELECTED, message });
    }
    Ok(failed)
}

/// The header of the run, and the run that it goes on with.
struct Begun {
    header: Header,
    earlier: Option<Earlier>,
}

impl Begun {
    /// Nothing is sent: what cannot be gone on with is refused before.
    fn of(
        args: &RunArgs,
        session: &Session,
        plan: &Plan,
        partition: Option<Partition>,
        suite: &Suite,
        is_embedded: bool,
    ) -> Result<Self, Exit> {
        let header = Header { rerun: Some(rerun(args)), partition, ..crate::run::header(session, plan, &suite.digest) };
        let Some(dir) = &args.resume else { return Ok(Self { header, earlier: None }) };
        let earlier = resume::earlier(dir)?;
        Ok(Self { header: earlier.header(header, is_embedded)?, earlier: Some(earlier) })
    }
}

pub(super) struct Run<'r> {
    pub(super) args: &'r RunArgs,
    pub(super) output: &'r Output,
    pub(super) session: &'r Session,
    /// Whether the target is a server of the run's own.
    is_embedded: bool,
}

impl Run<'_> {
    async fn go(
        &self,
        suite: &Suite,
        plan: Plan,
        begun: Begun,
        mut known: Option<KnownFailures>,
        interrupted: Option<watch::Receiver<bool>>,
    ) -> Result<Ended, Exit> {
        let Begun { header, earlier } = begun;
        let dir = earlier.as_ref().map_or_else(|| self.report_dir(), |earlier| Ok(earlier.dir.clone()))?;
        let path = dir.join(report::RUN_FILE);
        let unwritable = |error: &io::Error| Exit::usage(format!("cannot write {}: {error}", path.display()));
        let earlier = earlier.map(|earlier| earlier.results);
        let recording = match &earlier {
            Some(results) => Recording::resume(&dir, results.len()),
            None => Recording::begin(&dir),
        };
        let mut recording = recording.map_err(|error| unwritable(&error))?;
        remove_page(&dir)?;
        let mut progress = Progress::new(self.output, plan.cases.len(), self.args.shown(), self.args.fail_on.into());
        let (mut summary, mut kept) = (Summary::new(&self.session.service.disputes), Vec::new());
        let sink = |event: Event| {
            recording.add(&event);
            if self.args.format == Format::Json {
                self.json(&event);
            }
            summary.add(&event);
            if let Event::Result(result) = event {
                known.iter_mut().for_each(|known| known.add(&result));
                progress.add(&result);
                if is_shown(&result) {
                    kept.push(*result);
                }
            }
        };
        let settings = Settings {
            jobs: usize::from(self.args.jobs),
            fail_fast: self.args.fail_fast,
            datasets_per_identity: self.session.service.datasets_per_identity(),
        };
        let last_words = (!self.is_embedded).then(|| journal::when_left(&self.args.target));
        let cancel = interrupted.unwrap_or_else(|| interruption(last_words));
        let earlier = earlier.unwrap_or_default();
        let footer = crate::run::resume(self.session, plan, header, earlier, settings, cancel, sink).await;
        progress.finish();
        // What cannot be written must not keep back what came of the cases.
        let recorded = recording.finish().map_err(|error| unwritable(&error));
        let mut unwritten = Vec::new();
        let page = or_later(recorded.and_then(|()| self.documents(&dir)), &mut unwritten);
        let listed = known.map(|known| known.write(&self.session.target.name, suite)).transpose();
        let listed = or_later(listed, &mut unwritten);
        self.tell(&summary, &kept, &dir, page.as_deref(), listed.as_deref());
        if unwritten.is_empty() {
            return Ok(Ended { exit: footer.exit, stopped: footer.stopped.is_some() });
        }
        Err(Exit { code: worst([footer.exit, USAGE]), message: unwritten.join("\n") })
    }

    /// The folder for the run's record, made now.
    fn report_dir(&self) -> Result<PathBuf, Exit> {
        let unwritable = |dir: &Path, error: &io::Error| {
            Exit::usage(format!("cannot make {}: {error}; choose another folder with --report-dir", dir.display()))
        };
        if let Some(dir) = &self.args.report_dir {
            fs::create_dir_all(dir).map_err(|error| unwritable(dir, &error))?;
            return Ok(dir.clone());
        }
        let parent = Path::new(REPORTS).join(&self.session.target.name);
        fs::create_dir_all(&parent).map_err(|error| unwritable(&parent, &error))?;
        let form = format_description!("[year]-[month]-[day]T[hour][minute][second]Z");
        let time = OffsetDateTime::now_utc().format(form).map_err(Exit::usage)?;
        // Two runs in one second must not share a folder.
        let mut dir = parent.join(&time);
        let mut number = 1;
        loop {
            match fs::create_dir(&dir) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 1000 => {
                    number += 1;
                    dir = parent.join(format!("{time}-{number}"));
                }
                ended => return ended.map(|()| dir.clone()).map_err(|error| unwritable(&dir, &error)),
            }
        }
    }
}

/// What was written, if something was; why it could not be is told later.
fn or_later<T>(written: Result<Option<T>, Exit>, unwritten: &mut Vec<String>) -> Option<T> {
    written.unwrap_or_else(|exit| {
        unwritten.push(exit.message);
        None
    })
}

/// Whether a result is kept for the end: those that ran and did not pass. What
/// was not run is told of once, in the summary.
fn is_shown(result: &CaseResult) -> bool {
    let wanted = matches!(
        result.verdict,
        Verdict::Fail | Verdict::UnexpectedPass | Verdict::NotTestable | Verdict::Indeterminate | Verdict::Warn
    );
    wanted && result.was_begun()
}
