//! `syncspec run --resume DIR`: a run that was interrupted goes on.

use std::path::{Path, PathBuf};

use super::recording::is_being_written;
use super::report::{RUN_FILE, read};
use super::{Exit, NOTHING_SELECTED};
use crate::report::Partial;
use crate::run::{CaseResult, Header};

/// What an interrupted run has left.
pub(super) struct Earlier {
    /// The folder of its record.
    pub(super) dir: PathBuf,
    pub(super) header: Header,
    /// The results that count, in the order of finishing.
    pub(super) results: Vec<CaseResult>,
    /// How many of its cases no new run could add anything to.
    over: usize,
}

/// Reads the record of the run; `named` is its folder, or the file in it.
pub(super) fn earlier(named: &Path) -> Result<Earlier, Exit> {
    let dir = if named.is_file() { named.parent().unwrap_or(Path::new(".")) } else { named };
    let path = dir.join(RUN_FILE);
    if is_being_written(&path) {
        return Err(Exit::usage(format!(
            "the run in {} is still under way; there is nothing to resume",
            dir.display()
        )));
    }
    let record = read(&path, Partial::Allow)?;
    let over = record.results.iter().filter(|result| is_over(result)).count();
    let results = record.results.into_iter().filter(CaseResult::is_settled).collect();
    Ok(Earlier { dir: dir.to_owned(), header: record.header, results, over })
}

/// Whether running the case again would add nothing: what was skipped would be again.
fn is_over(result: &CaseResult) -> bool {
    result.is_settled() || result.verdict == crate::judge::Verdict::Skipped
}

impl Earlier {
    /// The header of the run that goes on. `now` is what it would be if it began now;
    /// `is_embedded` says that the server is a new one each time.
    ///
    /// # Errors
    ///
    /// When it would be another run, or there is nothing left to do.
    pub(super) fn header(&self, now: Header, is_embedded: bool) -> Result<Header, Exit> {
        let (then, dir) = (&self.header, self.dir.display());
        let other = |what: &str, then: &str, now: &str| {
            Err(Exit::usage(format!(
                "the run in {dir} cannot be resumed: {what} {then}, and now {now}; results of both would not belong together"
            )))
        };
        let named = |names: &[String]| if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
        if then.suite_digest != now.suite_digest {
            return Err(Exit::usage(format!(
                "the run in {dir} cannot be resumed: the cases have changed since; start a new run"
            )));
        }
        let part = |header: &Header| header.partition.as_ref().map(|part| (part.index, part.count));
        if part(then) != part(&now) {
            let named = |part: Option<(usize, usize)>| match part {
                Some((index, count)) => format!("part {index} of {count} (--partition {index}/{count})"),
                None => "all of a run".to_owned(),
            };
            return other("it was", &named(part(then)), &named(part(&now)));
        }
        if then.selection_digest != now.selection_digest {
            let (then, now) = (then.selected, now.selected);
            return Err(Exit::usage(format!(
                "the run in {dir} cannot be resumed: it selected other cases ({then}, and now {now}); give the same filters"
            )));
        }
        if then.target.name != now.target.name {
            return other("its target was", &then.target.name, &now.target.name);
        }
        if then.target.endpoint != now.target.endpoint && !is_embedded {
            return other("its endpoint was", &then.target.endpoint, &now.target.endpoint);
        }
        if then.target.region != now.target.region {
            return other("its region was", &then.target.region, &now.target.region);
        }
        if then.target.lacks != now.target.lacks {
            return other("its target lacked", &named(&then.target.lacks), &named(&now.target.lacks));
        }
        if then.target.offers != now.target.offers {
            return other("its target offered", &named(&then.target.offers), &named(&now.target.offers));
        }
        if then.protocol != now.protocol {
            return other("it spoke", then.protocol.name(), now.protocol.name());
        }
        if then.strict != now.strict {
            let strictness = |strict: bool| if strict { "with --strict" } else { "without --strict" };
            return other("it ran", strictness(then.strict), strictness(now.strict));
        }
        if self.over >= then.selected {
            let message = format!("every case of {dir} has its result: there is nothing to resume");
            return Err(Exit { code: NOTHING_SELECTED, message });
        }
        Ok(Header { started: then.started.clone(), resumed: Some(self.results.len()), ..now })
    }
}
