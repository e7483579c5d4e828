//! Sets of recorded snapshots, in insta's file format: a header between two lines of
//! dashes, then the text. The only place that reads them.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use indexmap::IndexMap;

use super::form;
use super::provenance::Provenance;
use crate::source::{Origin, Problem, Source, did_you_mean};

/// The sets as shipped, by path: path and text of each file, as the build prepares them. A
/// path begins with the set's name.
static SHIPPED: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/snapshots.rs"));

/// The folder that a shipped snapshot's path begins with.
const SHIPPED_FOLDER: &str = "snapshots";

/// The file that makes a folder a set, and says what it was recorded from.
pub const RECORDED_FILE: &str = "_recorded.toml";

const ENDING: &str = "snap";

/// Where a case's snapshot stands below its set's folder: `folder` and `name`
/// without ending, as insta is told them. Ids of cases are words in kebab-case with
/// `/` between them, so that no two share a place and none leads elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The case's area.
    pub folder: String,
    /// The rest of the case's id, with dots between its parts.
    pub name: String,
}

impl Snapshot {
    /// The place of a case's snapshot.
    pub fn of(case: &str) -> Self {
        let (folder, rest) = case.split_once('/').unwrap_or(("", case));
        Self { folder: folder.to_owned(), name: rest.replace('/', ".") }
    }

    /// The path below the set's folder, with `/` between names.
    pub fn path(&self) -> String {
        format!("{}/{}.{ENDING}", self.folder, self.name)
    }
}

/// Why a set cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no set of this name.
    #[error("there is no set of snapshots `{name}`; known: {known}{advice}{hint}")]
    Unknown {
        /// The name.
        name: String,
        /// A name that may have been meant.
        hint: String,
        /// The names that are known.
        known: String,
        /// Where sets are looked for.
        advice: &'static str,
    },
    /// It holds no snapshot.
    #[error("the set of snapshots `{0}` is empty: record it with `syncspec record`")]
    Empty(String),
    /// A file or folder cannot be read.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// The file or folder.
        path: String,
        /// Why not.
        source: io::Error,
    },
    /// Files are not what they should be; all of them are listed.
    #[error("{}", .0.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n"))]
    Mistakes(Vec<Problem>),
}

/// A set of recorded snapshots, all from one kind of server.
#[derive(Debug, Clone, Default)]
pub struct Store {
    provenance: Option<Provenance>,
    /// By path below the set's folder.
    snapshots: IndexMap<String, Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    text: String,
    /// Path of the file, as a reader would open it.
    file: String,
    /// The line of the file in which the text begins, from 1.
    line: usize,
    description: String,
}

/// What was recorded for a case.
#[derive(Debug, Clone, Copy)]
pub struct Recording<'s> {
    /// The snapshot.
    pub text: &'s str,
    /// The file that holds it, as a reader would open it.
    pub file: &'s str,
    /// The line of the file in which the text begins, from 1.
    pub line: usize,
    /// From what it was recorded and when, as a sentence; empty when that is unknown.
    pub description: &'s str,
}

impl Store {
    /// The shipped set of this name; empty if there is none.
    pub fn shipped(set: &str) -> Self {
        Self::of_shipped(set).unwrap_or_default()
    }

    /// The set of this name: a folder below `dir` if there is one, else as shipped.
    ///
    /// # Errors
    ///
    /// When there is no such set, when it is empty, or cannot be read.
    pub fn open(set: &str, dir: Option<&Path>) -> Result<Self, StoreError> {
        let known = Self::sets(dir)?;
        if !known.iter().any(|name| name == set) {
            let hint = did_you_mean(set, known.iter().map(String::as_str)).unwrap_or_default();
            let advice = if dir.is_none() { "; more sets are looked for with `--snapshots DIR`" } else { "" };
            return Err(StoreError::Unknown { name: set.to_owned(), hint, known: known.join(", "), advice });
        }
        let store = match dir.filter(|dir| dir.join(set).join(RECORDED_FILE).exists()) {
            Some(dir) => Self::of_files(&dir.join(set).display().to_string(), files_of(&dir.join(set))?)?,
            None => Self::of_shipped(set)?,
        };
        if store.snapshots.is_empty() { Err(StoreError::Empty(set.to_owned())) } else { Ok(store) }
    }

    /// The set in a folder below `dir` as far as it was recorded already; empty when it
    /// was not, or the folder is none of a set.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn begun(set: &str, dir: &Path) -> Result<Self, StoreError> {
        let folder = dir.join(set);
        if folder.join(RECORDED_FILE).exists() {
            Self::of_files(&folder.display().to_string(), files_of(&folder)?)
        } else {
            Ok(Self::default())
        }
    }

    /// Names of all sets: folders below `dir`, and those shipped.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read.
    pub fn sets(dir: Option<&Path>) -> Result<Vec<String>, StoreError> {
        let shipped = SHIPPED.iter().filter_map(|(path, _)| path.split_once('/'));
        let mut names: Vec<String> =
            shipped.filter(|(_, file)| *file == RECORDED_FILE).map(|(set, _)| set.to_owned()).collect();
        if let Some(dir) = dir {
            let unreadable = |source| StoreError::Unreadable { path: dir.display().to_string(), source };
            for entry in fs::read_dir(dir).map_err(unreadable)? {
                let path = entry.map_err(unreadable)?.path();
                let name = path.file_name().filter(|_| path.join(RECORDED_FILE).is_file());
                names.extend(name.map(|name| name.to_string_lossy().into_owned()));
            }
        }
        names.sort();
        names.dedup();
        Ok(names)
    }

    fn of_shipped(set: &str) -> Result<Self, StoreError> {
        let below = |path: &'static str| path.strip_prefix(set)?.strip_prefix('/');
        let files = SHIPPED.iter().filter_map(|(path, text)| Some((below(path)?.to_owned(), (*text).to_owned())));
        Self::of_files(&format!("{SHIPPED_FOLDER}/{set}"), files.collect())
    }

    /// The set of these files, by path below `folder`; others than a set's are left alone.
    fn of_files(folder: &str, mut files: Vec<(String, String)>) -> Result<Self, StoreError> {
        files.sort();
        let (mut store, mut problems) = (Self::default(), Vec::new());
        for (path, text) in files {
            let source = Source::new(format!("{folder}/{path}"), &text);
            if path == RECORDED_FILE {
                match source.parse() {
                    Ok(provenance) => store.provenance = Some(provenance),
                    Err(problem) => problems.push(problem),
                }
            } else if is_snapshot(&path) {
                match entry(&source) {
                    Ok(entry) => {
                        store.snapshots.insert(path, entry);
                    }
                    Err(problem) => problems.push(problem),
                }
            }
        }
        if problems.is_empty() { Ok(store) } else { Err(StoreError::Mistakes(problems)) }
    }

    /// What was recorded for a case.
    pub fn get(&self, case: &str) -> Option<Recording<'_>> {
        let Entry { text, file, line, description } = self.snapshots.get(&Snapshot::of(case).path())?;
        Some(Recording { text, file, line: *line, description })
    }

    /// What the set was recorded from, if there is one.
    pub fn provenance(&self) -> Option<&Provenance> {
        self.provenance.as_ref()
    }

    /// The paths of all its snapshots below its folder, with `/` between names.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.snapshots.keys().map(String::as_str)
    }

    /// How many snapshots the set holds.
    pub fn len(&self) -> usize {
        self.snapshots.len()
    }

    /// Whether the set holds none.
    pub fn is_empty(&self) -> bool {
        self.snapshots.is_empty()
    }
}

/// The file of a snapshot, as insta reads it. `description` says from what it was
/// recorded and when.
pub fn file(text: &str, description: &str) -> String {
    format!("---\nsource: syncspec record\ndescription: {description:?}\n---\n{text}\n")
}

/// `<area>/<name>.snap`.
fn is_snapshot(path: &str) -> bool {
    path.split_once('/').is_some_and(|(_, name)| !name.contains('/') && name.ends_with(&format!(".{ENDING}")))
}

/// The files of a set's folder and of the folders in it: path with `/`, and text.
fn files_of(folder: &Path) -> Result<Vec<(String, String)>, StoreError> {
    let unreadable = |path: &Path| {
        let path = path.display().to_string();
        move |source| StoreError::Unreadable { path, source }
    };
    let entries = |dir: &Path| -> Result<Vec<_>, StoreError> {
        let entries = fs::read_dir(dir).map_err(unreadable(dir))?;
        entries.map(|entry| entry.map(|entry| entry.path()).map_err(unreadable(dir))).collect()
    };
    let mut paths = Vec::new();
    for path in entries(folder)? {
        if path.is_dir() { paths.extend(entries(&path)?) } else { paths.push(path) }
    }
    let mut files = Vec::new();
    for path in paths {
        let below = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        if below == RECORDED_FILE || is_snapshot(&below) {
            files.push((below, fs::read_to_string(&path).map_err(unreadable(&path))?));
        }
    }
    Ok(files)
}

fn entry(source: &Source<'_>) -> Result<Entry, Problem> {
    let normal = source.text().replace("\r\n", "\n");
    let at = |line: usize, message: String| Problem {
        origin: Origin { file: Arc::clone(source.path()), line, column: 1 },
        message,
    };
    let parts = normal.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n"));
    let (header, text) =
        parts.ok_or_else(|| at(1, "a snapshot begins with a header between lines of `---`".to_owned()))?;
    let line = header.lines().count() + 3;
    let text = text.trim_end();
    form::read(text).map_err(|(below, message)| at(line + below, message))?;
    let described = header.lines().find_map(|line| line.strip_prefix("description: ")).unwrap_or_default();
    // YAML's double quotes are JSON's, as far as they are written here.
    let description = serde_json::from_str(described).unwrap_or_else(|_| described.to_owned());
    Ok(Entry { text: text.to_owned(), file: source.path().to_string(), line, description })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{Snapshot, Store, StoreError, file};
    use crate::snapshot::Kind;

    const RECORDED: &str = "from = \"aws\"\nrenewed = \"2026-11-21\"\n";
    const TEXT: &str = "step 1: GET / -> 200\n(empty body)";

    fn of_files(files: &[(&str, &str)]) -> Result<Store, StoreError> {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
        Store::of_files("snapshots/x", files.collect())
    }

    #[test]
    fn a_set_is_read() {
        let insta =
            format!("---\r\nsource: t.rs\r\ndescription: from there\r\n---\r\n{}\r\n", TEXT.replace('\n', "\r\n"));
        let ours = file(TEXT, "recorded \"here\"");
        let files = [("_recorded.toml", RECORDED), ("a/b.c.snap", &ours), ("a/d.snap", &insta), ("README", "?")];
        let store = of_files(&files).expect("no mistakes");
        assert_eq!(store.paths().collect::<Vec<_>>(), ["a/b.c.snap", "a/d.snap"]);
        let (ours, insta) = (store.get("a/b/c").expect("recorded"), store.get("a/d").expect("recorded"));
        assert_eq!((ours.text, ours.description, ours.line), (TEXT, "recorded \"here\"", 5));
        assert_eq!((insta.text, insta.description, insta.file), (TEXT, "from there", "snapshots/x/a/d.snap"));
        assert_eq!(store.provenance().map(|provenance| provenance.from), Some(Kind::Aws));
        assert!(store.get("a/b").is_none());
    }

    #[rstest]
    #[case("a/b.snap", "step 1: x", "snapshots/x/a/b.snap:1:1: a snapshot begins with a header")]
    #[case("a/b.snap", "---\nsource: x\n---\nno step\n", "snapshots/x/a/b.snap:4:1: a snapshot begins with `step")]
    #[case(
        "a/b.snap",
        "---\nsource: x\n---\nstep 1: a -> 200\n{\n\"a\": }\n",
        "snapshots/x/a/b.snap:6:1: the body is neither"
    )]
    #[case("_recorded.toml", "from = \"asw\"", "snapshots/x/_recorded.toml:1:8: unknown variant `asw`")]
    #[case("_recorded.toml", "form = \"aws\"", "did you mean `from`?")]
    fn a_mistake_is_shown_where_it_is(#[case] path: &str, #[case] text: &str, #[case] expected: &str) {
        let error = of_files(&[(path, text)]).expect_err("a mistake").to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn what_is_shipped_is_in_order_and_says_what_it_is() {
        let sets = Store::sets(None).expect("nothing is read");
        assert_eq!(sets, ["reference"], "folders that are no sets have no {}", super::RECORDED_FILE);
        let store = Store::open("reference", None).expect("it is in order");
        assert_eq!(store.provenance().map(|provenance| provenance.from), Some(Kind::Reference));
        let says = "recorded from the syncspec reference server";
        assert!(store.snapshots.values().all(|entry| entry.description == says));
    }

    #[test]
    fn a_set_that_is_none_is_an_error() {
        let error = Store::open("refrence", None).expect_err("there is none").to_string();
        assert!(
            error.contains(
                "known: reference; more sets are looked for with `--snapshots DIR`; did you mean `reference`?"
            ),
            "{error}"
        );
        assert!(Store::open("cli", None).is_err() && Store::open("../snapshots/reference", None).is_err());
    }

    #[test]
    fn a_case_has_a_place() {
        let place = Snapshot::of("update-records/sync-count/stale/first");
        assert_eq!((place.folder.as_str(), place.name.as_str()), ("update-records", "sync-count.stale.first"));
    }
}
