//! Finds the case files and makes a [`Suite`] of them.

use std::borrow::Cow;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, io, thread};

use sha2::{Digest as _, Sha256};

use super::case::{Case, Suite};
use super::check::is_kebab_case;
use super::error::CasesError;
use super::excluded::exclusions;
use super::resolve::Library;
use crate::source::Source;
use crate::spec::{Catalog, Service};

/// The suite as shipped, by path: path, text and SHA-256 of each file, as the build
/// prepares them.
static SHIPPED: &[(&str, &str, Sha)] = include!(concat!(env!("OUT_DIR"), "/cases.rs"));

const BASES: &str = "_base.toml";
const FIXTURES: &str = "_fixtures.toml";
const EXCLUDED: &str = "_excluded.toml";

/// Most threads that read case files; more wait for the disk and each other.
const MOST_THREADS: usize = 16;

/// From so many files on, several threads read them sooner than one.
const WORTH_A_THREAD: usize = 8;

/// The same for files of which only the digest is made.
const WORTH_A_THREAD_UNREAD: usize = 1_000;

/// Files that a thread takes at a time.
const PORTION: usize = 4;

/// A SHA-256.
type Sha = [u8; 32];

/// A file of a suite: its path below the suite's folder with `/` between names,
/// its text, and the digest of that if it is known.
#[derive(Debug)]
struct File<'t> {
    path: Cow<'t, str>,
    text: Text<'t>,
    digest: Option<Sha>,
}

/// The text of a file.
#[derive(Debug)]
enum Text<'t> {
    /// It is in memory.
    Here(&'t str),
    /// It is on the disk, and read when it is needed.
    On(PathBuf),
}

impl File<'_> {
    fn read(&self) -> Result<Cow<'_, str>, CasesError> {
        match &self.text {
            Text::Here(text) => Ok(Cow::Borrowed(text)),
            Text::On(path) => fs::read_to_string(path).map(Cow::Owned).map_err(|error| unreadable(path, error)),
        }
    }
}

/// Says which case files are read, by their paths without ending.
pub type Wanted<'w> = &'w (dyn Fn(&str) -> bool + Sync);

impl Suite {
    /// The suite that is part of the program.
    ///
    /// # Errors
    ///
    /// When a shipped file has mistakes.
    pub fn shipped(service: &Service, catalog: &Catalog) -> Result<Self, CasesError> {
        suite(service, catalog, "cases", shipped(), None)
    }

    /// The suite in a folder.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read, holds no cases, or has files with
    /// mistakes; all mistakes are listed.
    pub fn from_dir(service: &Service, catalog: &Catalog, dir: &Path) -> Result<Self, CasesError> {
        let mut files = Vec::new();
        collect_dir(dir, "", &mut files)?;
        suite(service, catalog, &dir.display().to_string(), files, None)
    }

    /// As much of the suite that is part of the program as `wanted` asks for, by the paths
    /// of case files without their ending. Of the others only the digest is made, which
    /// is the whole suite's; nothing is excluded.
    ///
    /// # Errors
    ///
    /// As for [`Suite::shipped`], for what is read.
    pub fn shipped_in_part(service: &Service, catalog: &Catalog, wanted: Wanted<'_>) -> Result<Self, CasesError> {
        suite(service, catalog, "cases", shipped(), Some(wanted))
    }

    /// As much of the suite in a folder as `wanted` asks for, as
    /// [`Suite::shipped_in_part`] does.
    ///
    /// # Errors
    ///
    /// As for [`Suite::from_dir`], for what is read.
    pub fn from_dir_in_part(
        service: &Service,
        catalog: &Catalog,
        dir: &Path,
        wanted: Wanted<'_>,
    ) -> Result<Self, CasesError> {
        let mut files = Vec::new();
        collect_dir(dir, "", &mut files)?;
        suite(service, catalog, &dir.display().to_string(), files, Some(wanted))
    }

    /// The text of the shipped `_base.toml`, for a folder of cases that has none yet.
    pub fn shipped_bases() -> &'static str {
        SHIPPED.iter().find(|(path, ..)| *path == BASES).map_or("", |(_, text, _)| text)
    }

    /// The suite in files with these paths and texts.
    ///
    /// # Errors
    ///
    /// When the files have mistakes or hold no cases; all mistakes are listed.
    pub fn from_texts<'t>(service: &Service, catalog: &Catalog, files: &[(&str, &'t str)]) -> Result<Self, CasesError> {
        let file = |(path, text): &(&str, &'t str)| {
            let path = Cow::Owned((*path).to_owned());
            File { path, text: Text::Here(text), digest: None }
        };
        suite(service, catalog, "cases", files.iter().map(file).collect(), None)
    }
}

fn is_case_file(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "toml")
}

fn shipped() -> Vec<File<'static>> {
    let file = |&(path, text, digest): &(&'static str, _, _)| File {
        path: path.into(),
        text: Text::Here(text),
        digest: Some(digest),
    };
    SHIPPED.iter().map(file).collect()
}

fn collect_dir(dir: &Path, prefix: &str, files: &mut Vec<File<'_>>) -> Result<(), CasesError> {
    for entry in fs::read_dir(dir).map_err(|error| unreadable(dir, error))? {
        let entry = entry.map_err(|error| unreadable(dir, error))?;
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        // The entry's own type costs no look at the disk; a link is followed.
        let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir()) || (!is_case_file(&path) && path.is_dir());
        if is_dir {
            collect_dir(&path, &format!("{prefix}{name}/"), files)?;
        } else if is_case_file(&path) {
            files.push(File { path: format!("{prefix}{name}").into(), text: Text::On(path), digest: None });
        }
    }
    Ok(())
}

fn unreadable(path: &Path, source: io::Error) -> CasesError {
    CasesError::Unreadable { path: path.display().to_string(), source }
}

fn suite(
    service: &Service,
    catalog: &Catalog,
    root: &str,
    mut files: Vec<File<'_>>,
    wanted: Option<Wanted<'_>>,
) -> Result<Suite, CasesError> {
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let mut library = Library::new(service, catalog);
    let place = |file: &File<'_>| format!("{root}/{}", file.path);
    for file in &files {
        match &*file.path {
            BASES => library.add_bases(&Source::new(place(file), &file.read()?)),
            FIXTURES => library.add_fixtures(&Source::new(place(file), &file.read()?)),
            _ => {}
        }
    }
    let read = |file: &File<'_>| -> Result<Read, CasesError> {
        let stem = stem(&file.path);
        let has_cases =
            !matches!(&*file.path, BASES | FIXTURES | EXCLUDED) && wanted.is_none_or(|wanted| stem.is_some_and(wanted));
        if let (false, Some(digest)) = (has_cases, file.digest) {
            return Ok(Read { cases: Vec::new(), digest });
        }
        let text = file.read()?;
        let digest = file.digest.unwrap_or_else(|| Sha256::digest(text.as_bytes()).into());
        let source = || Source::new(place(file), &text);
        let cases = match stem {
            _ if !has_cases => Vec::new(),
            Some(stem) => library.cases(&source(), stem).into_iter().map(Arc::new).collect(),
            None => {
                let message = "a case file is <area>/<topic>.toml with both names in kebab-case";
                library.report(source().problem(&(0..0), message));
                Vec::new()
            }
        };
        Ok(Read { cases, digest })
    };
    let worth = if wanted.is_some() { WORTH_A_THREAD_UNREAD } else { WORTH_A_THREAD };
    let read = on_all_processors(&files, worth, read)?;
    let digest = digest(&files, &read);
    let cases: Vec<Arc<Case>> = read.into_iter().flat_map(|file| file.cases).collect();
    let mut excluded = Vec::new();
    if let (Some(file), None) = (files.iter().find(|file| file.path == EXCLUDED), wanted) {
        excluded = exclusions(&library, &Source::new(place(file), &file.read()?), &cases);
    }
    let bases = library.finish().map_err(CasesError::Mistakes)?;
    if cases.is_empty() {
        return Err(CasesError::NoCases { path: root.to_owned() });
    }
    Ok(Suite { cases, bases: Arc::new(bases), excluded, digest })
}

/// What became of a file.
struct Read {
    cases: Vec<Arc<Case>>,
    /// SHA-256 of its text.
    digest: Sha,
}

/// Does the same with each of many things, in as many threads as run at a time where
/// there are as many things as are `worth` it; the results in the order of the things, or
/// the first error.
fn on_all_processors<T: Sync, R: Send, E: Send>(
    things: &[T],
    worth: usize,
    each: impl Fn(&T) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get).min(MOST_THREADS);
    if threads == 1 || things.len() < worth {
        return things.iter().map(each).collect();
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let begin = next.fetch_add(PORTION, Ordering::Relaxed);
            let portion = things.iter().enumerate().skip(begin).take(PORTION);
            if begin >= things.len() {
                return done;
            }
            done.extend(portion.map(|(index, thing)| (index, each(thing))));
        }
    };
    let mut done = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut done = work();
        for other in others {
            match other.join() {
                Ok(more) => done.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    done.sort_unstable_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

/// `area/topic` of a case file's path, if it has that form.
fn stem(path: &str) -> Option<&str> {
    let stem = path.strip_suffix(".toml")?;
    let (area, topic) = stem.split_once('/')?;
    (is_kebab_case(area) && is_kebab_case(topic)).then_some(stem)
}

fn digest(files: &[File<'_>], read: &[Read]) -> String {
    let mut hash = Sha256::new();
    for (file, Read { digest, .. }) in files.iter().zip(read) {
        hash.update((file.path.len() as u64).to_be_bytes());
        hash.update(file.path.as_bytes());
        hash.update(digest);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
