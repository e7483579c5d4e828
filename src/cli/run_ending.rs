//! What a run leaves: its documents, and what is printed of it.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf, absolute};

use super::args::Format;
use super::output::{place_for, unwritable, write_atomically};
use super::run::Run;
use super::run_args::{Allow, RunArgs};
use super::{Exit, report};
use crate::report::{
    Context, Locations, Partial, Record, Summary, failures, html, junit, overview, quote, write_event,
};
use crate::run::{CaseResult, Event, TargetSummary};
use crate::spec::Protocol;

/// Name of a run's page in its folder.
const PAGE_FILE: &str = "run.html";

/// What a page says of itself in its first bytes.
const GENERATOR: &str = "<meta name=\"generator\" content=\"syncspec\">";

/// So many bytes.
const MOST_HEAD: u64 = 1024;

/// The folder in which a run gets one of its own, below that of its target.
pub(super) const REPORTS: &str = "reports";

impl Run<'_> {
    /// Prints an event as a line of `run.jsonl`.
    pub(super) fn json(&self, event: &Event) {
        let mut line = Vec::new();
        // Writing to memory cannot fail.
        let _ = write_event(event, &mut line);
        self.output.bytes(&line);
    }

    /// Writes the documents that were asked for, from the record in this folder; the
    /// place of the page, if there is one.
    pub(super) fn documents(&self, dir: &Path) -> Result<Option<PathBuf>, Exit> {
        let (xml, page) = (self.args.junit.as_ref(), self.args.html.as_ref());
        if xml.is_none() && page.is_none() {
            return Ok(None);
        }
        let record = report::read(&dir.join(report::RUN_FILE), Partial::Refuse)?;
        let rerun = rerun(self.args);
        let context = self.context(&record.header.target, &rerun);
        let junit = |xml: &PathBuf| document(xml, |document| junit(&record, &context, Locations::Hidden, document));
        let page = page.map(|page| page.clone().unwrap_or_else(|| dir.join(PAGE_FILE)));
        // One that cannot be written does not keep the other from being.
        let (xml, ended) =
            (xml.map(junit).transpose(), page.map(|page| self.page(page, &record, &context)).transpose());
        xml.and(ended)
    }

    fn page(&self, page: PathBuf, record: &Record, context: &Context<'_>) -> Result<PathBuf, Exit> {
        document(&page, |document| html(record, context, &self.session.service.disputes, document))?;
        Ok(page)
    }

    fn context<'c>(&self, target: &'c TargetSummary, rerun: &'c str) -> Context<'c> {
        Context { catalog: self.session.catalog, target, signing_service: &self.session.service.signing_name, rerun }
    }

    /// Prints what came of the run. `kept` are the results that call for attention, `page`
    /// and `listed` tell what was written beside the record.
    pub(super) fn tell(
        &self,
        summary: &Summary,
        kept: &[CaseResult],
        dir: &Path,
        page: Option<&Path>,
        listed: Option<&str>,
    ) {
        let page = page.map(|page| format!("page: {}", page.display()));
        if self.args.format == Format::Json {
            // Standard output holds the lines of the record, and nothing else.
            page.as_deref().into_iter().chain(listed).for_each(|line| self.output.note(line));
            return;
        }
        let Some(header) = &summary.header else { return };
        let (rerun, width) = (rerun(self.args), self.output.width());
        let context = self.context(&header.target, &rerun);
        let broke = overview(summary, kept, &context, width);
        if self.args.quiet {
            let between = if broke.is_empty() { "" } else { "\n" };
            self.output.text(&[&broke, between, &summary.verdict()].concat());
            return;
        }
        let failed = failures(kept, self.args.shown_in_full(), &context, width);
        let sections = [broke, failed, summary.text(width)];
        let sections: Vec<_> = sections.into_iter().filter(|section| !section.is_empty()).collect();
        self.output.text(&sections.join("\n"));
        let report = format!("report: {}", dir.display());
        let written = page.as_deref().into_iter().chain([report.as_str()]).chain(listed);
        written.for_each(|line| self.output.text(&format!("{line}\n")));
    }
}

/// Refuses documents for which there is no place, as long as nothing is lost by that.
pub(super) fn places(args: &RunArgs) -> Result<(), Exit> {
    let files = args.junit.iter().chain(args.html.iter().flatten()).chain(&args.write_known_failures);
    files.into_iter().try_for_each(|file| place_for(file, |folder| is_made_for_the_record(folder, args)))
}

/// Whether a folder is made before the first case, with that of `run.jsonl`.
fn is_made_for_the_record(folder: &Path, args: &RunArgs) -> bool {
    let (Ok(folder), Ok(reports)) = (absolute(folder), absolute(Path::new(REPORTS))) else { return false };
    match &args.report_dir {
        Some(dir) => absolute(dir).is_ok_and(|dir| dir.starts_with(folder)),
        None => args.resume.is_none() && (folder == reports || folder.parent() == Some(&reports)),
    }
}

/// Removes the page that an earlier run left in a folder: it would tell of another run than
/// the record beside it. What is no page of ours stays.
pub(super) fn remove_page(dir: &Path) -> Result<(), Exit> {
    let page = dir.join(PAGE_FILE);
    let begins = |file: File| {
        let mut head = Vec::new();
        file.take(MOST_HEAD).read_to_end(&mut head).map(|_| String::from_utf8_lossy(&head).contains(GENERATOR))
    };
    // It may be a link to something that others need, or a pipe.
    let is_file = page.symlink_metadata().is_ok_and(|there| there.is_file());
    if !is_file || !File::open(&page).and_then(begins).unwrap_or(false) {
        return Ok(());
    }
    fs::remove_file(&page)
        .map_err(|error| Exit::usage(format!("cannot remove {}, the page of an earlier run: {error}", page.display())))
}

/// Writes a document whole or not at all.
fn document(path: &Path, write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> Result<(), Exit> {
    let mut document = Vec::new();
    let ended = write(&mut document).and_then(|()| write_atomically(path, &document));
    ended.map_err(|error| Exit::usage(unwritable(path, &error)))
}

/// The command that a case's id is added to in order to run it alone, with all that
/// decides what comes of it.
pub(super) fn rerun(args: &RunArgs) -> String {
    let option = |name: &str, value: String| format!(" {name} {}", quote(&value));
    let path = |path: &PathBuf| path.display().to_string();
    let suite = args.suite.cases.as_ref().map(|dir| option("--cases", path(dir)));
    let target = args.target.target.as_ref().map(|file| option("--target", path(file)));
    let endpoint = args.target.endpoint.as_ref().map(|url| option("--endpoint", url.clone()));
    let protocol: Protocol = args.protocol.into();
    let protocol = (protocol != Protocol::default()).then(|| option("--protocol", protocol.to_string()));
    let compare = args.compare.as_ref().map(|set| option("--compare", set.clone()));
    let snapshots = args.snapshots.as_ref().map(|dir| option("--snapshots", path(dir)));
    let strict = args.strict.then(|| " --strict".to_owned());
    let allowed = args.allow.iter().map(|effect| option("--allow", Allow::name(*effect).to_owned()));
    let options = [suite, target, endpoint, protocol, compare, snapshots, strict].into_iter().flatten().chain(allowed);
    std::iter::once("syncspec run".to_owned()).chain(options).collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::rerun;
    use crate::cli::run_args::RunArgs;

    #[test]
    fn what_decides_on_a_case_is_repeated() {
        let typed = "run a/b --target t.toml --strict --allow pool-changes --jobs 2 --junit x.xml --html=p.html";
        let args = RunArgs::parse_from(typed.split(' '));
        assert_eq!(rerun(&args), "syncspec run --target t.toml --strict --allow pool-changes");
        assert_eq!(rerun(&RunArgs::default()), "syncspec run");
    }
}
