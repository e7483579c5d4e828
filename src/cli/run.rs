//! `syncspec run`: the main job.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::time::Duration;

use time::OffsetDateTime;
use time::macros::format_description;

use super::args::{Format, RunArgs};
use super::interrupt::interruption;
use super::known::KnownFailures;
use super::open::{self, Opened};
use super::output::{Output, write_atomically};
use super::progress::Progress;
use super::{Exit, NOTHING_SELECTED, forecast, report};
use crate::cases::Suite;
use crate::judge::Verdict;
use crate::plan::Plan;
use crate::report::{Context, Partial, Summary, failures, junit, quote, write_event};
use crate::run::{CaseResult, Event, Session, Settings, TargetSummary};

pub(super) fn run(args: &RunArgs, output: &Output) -> Result<u8, Exit> {
    let suite = open::suite(&args.suite)?;
    let filters = filters(args)?;
    if args.plan {
        return forecast::tell(args, &filters, &suite, output);
    }
    let known = args.write_known_failures.as_deref().map(KnownFailures::to).transpose()?;
    open::runtime()?.block_on(async {
        let Opened { target, server } = open::target(&args.target).await?;
        let plan = forecast::plan(args, &filters, &suite, &target)?;
        let mut session = open::session(target, Duration::from_secs(args.timeout), args.strict)?;
        session.fail_on = args.fail_on.into();
        open::reachable(&session.client, &session.target).await?;
        // Whose the embedded server is, we know.
        if server.is_none() && !args.no_probe {
            open::is_the_service(&session, &suite).await?;
        }
        let exit = Run { args, output, session: &session }.go(&suite, plan, known).await;
        if let Some(server) = server {
            server.shutdown().await;
        }
        exit
    })
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

struct Run<'r> {
    args: &'r RunArgs,
    output: &'r Output,
    session: &'r Session,
}

impl Run<'_> {
    async fn go(&self, suite: &Suite, plan: Plan, mut known: Option<KnownFailures>) -> Result<u8, Exit> {
        let dir = self.report_dir()?;
        let path = dir.join(report::RUN_FILE);
        let unwritable = |error: &io::Error| Exit::usage(format!("cannot write {}: {error}", path.display()));
        let mut file = BufWriter::new(File::create(&path).map_err(|error| unwritable(&error))?);
        let mut progress = Progress::new(self.output, plan.cases.len(), self.args.format == Format::Json);
        let (mut summary, mut kept, mut written) = (Summary::new(&self.session.service.disputes), Vec::new(), Ok(()));
        let sink = |event: Event| {
            if written.is_ok() {
                written = write_event(&event, &mut file);
            }
            if self.args.format == Format::Json {
                self.json(&event);
            }
            summary.add(&event);
            if let Event::Result(result) = event {
                known.iter_mut().for_each(|known| known.add(&result));
                progress.add(result.verdict);
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
        let footer = crate::run::run(self.session, plan, &suite.digest, settings, interruption(), sink).await;
        progress.finish();
        written.map_err(|error| unwritable(&error))?;
        drop(file);
        if let Some(xml) = &self.args.junit {
            self.junit(&path, xml)?;
        }
        let listed = known.map(|known| known.write(&self.session.target.name, suite)).transpose()?;
        if self.args.format == Format::Text {
            self.print(&summary, &kept, &dir);
            listed.iter().for_each(|listed| self.output.text(&format!("{listed}\n")));
        }
        Ok(footer.exit)
    }

    fn json(&self, event: &Event) {
        let mut line = Vec::new();
        // Writing to memory cannot fail.
        let _ = write_event(event, &mut line);
        let _ = self.output.bytes(&line);
    }

    fn junit(&self, run: &Path, xml: &Path) -> Result<(), Exit> {
        let record = report::read(run, Partial::Refuse)?;
        let mut document = Vec::new();
        let ended = junit(&record, &self.context(&record.header.target), &mut document)
            .and_then(|()| write_atomically(xml, &document));
        ended.map_err(|error| Exit::usage(format!("cannot write {}: {error}", xml.display())))
    }

    fn context<'c>(&self, target: &'c TargetSummary) -> Context<'c> {
        Context {
            catalog: self.session.catalog,
            target,
            signing_service: &self.session.service.signing_name,
            rerun: "syncspec run",
        }
    }

    fn print(&self, summary: &Summary, kept: &[CaseResult], dir: &Path) {
        let Some(header) = &summary.header else { return };
        let rerun = self.rerun();
        let context = Context { rerun: &rerun, ..self.context(&header.target) };
        let failed = failures(kept, self.args.show, &context);
        if !failed.is_empty() {
            self.output.text(&format!("{failed}\n"));
        }
        self.output.text(&summary.text());
        self.output.text(&format!("report: {}\n", dir.display()));
    }

    /// The command that a case's id is added to in order to run it alone.
    fn rerun(&self) -> String {
        let option = |name: &str, value: String| format!(" {name} {}", quote(&value));
        let path = |path: &PathBuf| path.display().to_string();
        let suite = self.args.suite.cases.as_ref().map(|dir| option("--cases", path(dir)));
        let target = self.args.target.target.as_ref().map(|file| option("--target", path(file)));
        let endpoint = self.args.target.endpoint.as_ref().map(|url| option("--endpoint", url.clone()));
        [Some("syncspec run".to_owned()), suite, target, endpoint].into_iter().flatten().collect()
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
        let parent = Path::new("reports").join(&self.session.target.name);
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

/// Whether a result is kept for the end: those that ran and did not pass. What
/// was not run is told of once, in the summary.
fn is_shown(result: &CaseResult) -> bool {
    let wanted = matches!(
        result.verdict,
        Verdict::Fail | Verdict::UnexpectedPass | Verdict::NotTestable | Verdict::Indeterminate | Verdict::Warn
    );
    wanted && result.was_begun()
}
