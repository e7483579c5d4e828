//! The journal on disk: lines of JSON, added and never changed.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::claim::Claims;
use super::debt::{Debt, Owed};
use crate::target::Target;

/// Version of the form of a journal; raised when a reader would misread it.
pub const FORMAT_VERSION: u32 = 1;

/// How the names of journals end.
const ENDING: &str = "jsonl";

/// What a journal begins with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Begun {
    /// Version of the form of the file.
    pub format_version: u32,
    /// The run's id, which is part of every name that it makes.
    pub run: String,
    /// Name of the target.
    pub target: String,
    /// Its endpoint.
    pub endpoint: String,
    /// Ids of its pools.
    pub pools: Vec<String>,
    /// Begins every name that the run makes.
    pub prefix: String,
    /// Seconds since 1970 at which the run began.
    pub at: u64,
}

impl Begun {
    /// For a run that begins now.
    pub fn now(target: &Target, run: &str) -> Self {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Self {
            format_version: FORMAT_VERSION,
            run: run.to_owned(),
            target: target.name.clone(),
            endpoint: target.endpoint.clone(),
            pools: target.pools.iter().map(|pool| pool.id.clone()).collect(),
            prefix: target.prefix.clone(),
            at: since.as_secs(),
        }
    }

    /// Whether a target is the one that this run worked on: the same endpoint, and
    /// all of its pools among the target's.
    pub fn is_of(&self, target: &Target) -> bool {
        let has = |id: &String| target.pools.iter().any(|pool| pool.id == *id);
        self.endpoint == target.endpoint && self.pools.iter().all(has)
    }
}

/// One line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub(super) enum Line {
    /// The first one.
    Begun(Begun),
    /// About to send a request that may make this.
    Owed {
        /// From 1, counted up.
        number: u64,
        /// What would be owed for it.
        debt: Debt,
    },
    /// The request succeeded.
    Made {
        /// The debt's number.
        number: u64,
    },
    /// It was taken back, or the request was refused.
    Paid {
        /// The debt's number.
        number: u64,
    },
}

/// Why there is no journal.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The environment names no folder.
    #[error(
        "there is no place for the journal of what a run makes: set SYNCSPEC_STATE_DIR to a folder that can be written to"
    )]
    NoFolder,
    /// It cannot be written.
    #[error(
        "cannot write the journal of what a run makes, {}: {source}; set SYNCSPEC_STATE_DIR to a folder that can be written to", path.display()
    )]
    Unwritable {
        /// Where it was to stand.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// The folder that journals stand in, by the environment: `SYNCSPEC_STATE_DIR`, else
/// `syncspec` in `XDG_STATE_HOME`, in `.local/state` of `HOME`, or on Windows in
/// `LOCALAPPDATA`.
///
/// # Errors
///
/// When none of them is set.
pub fn state_folder(environment: impl Fn(&str) -> Option<OsString>) -> Result<PathBuf, JournalError> {
    let set = |name: &str| environment(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(folder) = set("SYNCSPEC_STATE_DIR") {
        return Ok(folder);
    }
    let below = if cfg!(windows) {
        set("LOCALAPPDATA")
    } else {
        // What is not absolute is to be ignored, as the XDG specification says.
        let state = set("XDG_STATE_HOME").filter(|path| path.is_absolute());
        state.or_else(|| set("HOME").map(|home| home.join(".local").join("state")))
    };
    below.map(|below| below.join("syncspec")).ok_or(JournalError::NoFolder)
}

/// The journal of a run under way. Its lock ends with the process, however that ends.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    last: u64,
    /// What nobody else may use before all is taken back.
    _claims: Option<Claims>,
}

impl Journal {
    /// The same, holding these until it is closed.
    #[must_use]
    pub fn holding(self, claims: Claims) -> Self {
        Self { _claims: Some(claims), ..self }
    }

    /// Begins the journal of a run in `folder`, the one of [`state_folder`].
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn begin(folder: &Path, begun: &Begun) -> Result<Self, JournalError> {
        let folder = folder.join(&begun.target);
        let path = folder.join(format!("{}.{ENDING}", begun.run));
        let made = fs::create_dir_all(&folder).and_then(|()| Self::make(&folder, &path, begun));
        made.map_err(|source| JournalError::Unwritable { path, source })
    }

    /// Under its name it is locked already, so that nobody takes it for a dead run's.
    fn make(folder: &Path, path: &Path, begun: &Begun) -> io::Result<Self> {
        let beside = folder.join(format!(".{}.new", begun.run));
        let mut options = OpenOptions::new();
        options.read(true).append(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&beside)?;
        let mut journal = Self { file, path: path.to_owned(), last: 0, _claims: None };
        let begun = journal
            .file
            .try_lock()
            .map_err(|error| match error {
                TryLockError::Error(error) => error,
                TryLockError::WouldBlock => io::Error::other("somebody else has locked it"),
            })
            .and_then(|()| journal.add(&Line::Begun(begun.clone())))
            .and_then(|()| fs::rename(&beside, path));
        if begun.is_err() {
            // What was left beside it is of no use to anybody.
            let _ = fs::remove_file(&beside);
        }
        begun.map(|()| journal)
    }

    /// Where it stands.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a debt down; its number.
    pub(super) fn owe(&mut self, debt: Debt) -> io::Result<u64> {
        self.last += 1;
        self.add(&Line::Owed { number: self.last, debt }).map(|()| self.last)
    }

    pub(super) fn made(&mut self, number: u64) -> io::Result<()> {
        self.add(&Line::Made { number })
    }

    /// Writes down that a debt is paid.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn paid(&mut self, number: u64) -> io::Result<()> {
        self.add(&Line::Paid { number })
    }

    /// One line by one write: it is there as a whole, or torn at the end.
    fn add(&mut self, line: &Line) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.file.write_all(&text)
    }

    /// Removes it: nothing is owed any more.
    ///
    /// # Errors
    ///
    /// When it cannot be removed.
    pub fn remove(self) -> io::Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// A journal that was found.
#[derive(Debug)]
pub enum Found {
    /// Its run is under way.
    Live {
        /// The run's id, by the file's name.
        run: String,
    },
    /// Its run is over, and did not take everything back.
    Dead(Dead),
    /// It cannot be read; the sentence says why.
    Unreadable(String),
}

/// The journal of a run that is over. While it is held, nobody else takes it up.
#[derive(Debug)]
pub struct Dead {
    /// What it begins with.
    pub begun: Begun,
    /// What is owed, in the order of making.
    pub owed: Vec<Owed>,
    /// To write down what is paid.
    pub journal: Journal,
}

/// The journals of a target's runs, oldest first; `folder` is the one of
/// [`state_folder`].
///
/// # Errors
///
/// When the folder cannot be read. That there is none is no error.
pub fn found(folder: &Path, target: &str) -> io::Result<Vec<Found>> {
    let entries = match fs::read_dir(folder.join(target)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == ENDING) {
            let unreadable = |problem: String| Found::Unreadable(format!("the journal {}: {problem}", path.display()));
            match look_into(&path) {
                Ok(Some(journal)) => found.push(journal),
                Ok(None) => {}
                Err(problem) => found.push(unreadable(problem)),
            }
        }
    }
    let began = |found: &Found| match found {
        Found::Dead(dead) => dead.begun.at,
        Found::Live { .. } | Found::Unreadable(_) => u64::MAX,
    };
    found.sort_by_key(began);
    Ok(found)
}

/// A journal; none if it was removed just now.
fn look_into(path: &Path) -> Result<Option<Found>, String> {
    let mut file = match OpenOptions::new().read(true).append(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let run = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(Some(Found::Live { run })),
        Err(TryLockError::Error(error)) => return Err(error.to_string()),
    }
    let mut text = Vec::new();
    file.seek(SeekFrom::Start(0)).and_then(|_| file.read_to_end(&mut text)).map_err(|error| error.to_string())?;
    // A line that was torn was not followed by its request.
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    if whole < text.len() {
        file.set_len(whole as u64).map_err(|error| error.to_string())?;
    }
    let (begun, owed, last) = read(&text[..whole])?;
    let journal = Journal { file, path: path.to_owned(), last, _claims: None };
    Ok(Some(Found::Dead(Dead { begun, owed, journal })))
}

/// What a journal's lines come to, with the last number given.
fn read(text: &[u8]) -> Result<(Begun, Vec<Owed>, u64), String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "kebab-case")]
    struct Version {
        format_version: u64,
    }
    let mut lines = text.split_inclusive(|byte| *byte == b'\n');
    let first = lines.next().ok_or("it is empty; remove it")?;
    if let Ok(Version { format_version }) = serde_json::from_slice(first)
        && format_version != u64::from(FORMAT_VERSION)
    {
        return Err(format!(
            "it has format version {format_version}, and this syncspec reads version {FORMAT_VERSION}; use the syncspec that wrote it"
        ));
    }
    let Ok(Line::Begun(begun)) = serde_json::from_slice(first) else {
        return Err("line 1 is not the beginning of a journal; nothing in it is used".to_owned());
    };
    let (mut owed, mut last): (Vec<Owed>, u64) = (Vec::new(), 0);
    for (index, line) in lines.enumerate() {
        match serde_json::from_slice(line) {
            Ok(Line::Owed { number, debt }) => {
                last = last.max(number);
                owed.push(Owed { number, debt, is_certain: false });
            }
            Ok(Line::Made { number }) => {
                owed.iter_mut().filter(|owed| owed.number == number).for_each(|owed| owed.is_certain = true);
            }
            Ok(Line::Paid { number }) => owed.retain(|owed| owed.number != number),
            Ok(Line::Begun(_)) | Err(_) => {
                return Err(format!("line {} is none of a journal's; nothing in it is used", index + 2));
            }
        }
    }
    Ok((begun, owed, last))
}
