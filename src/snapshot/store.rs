//! Recorded snapshots, in insta's file format: a header between two lines of
//! dashes, then the text. The only place that reads them.

use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};
use indexmap::IndexMap;

/// The snapshots as shipped, one folder for each set.
static SHIPPED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/snapshots");

/// Where a case's snapshot stands below its set's folder: `folder` and `name`
/// without ending, as insta is told them.
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

    fn path(&self) -> PathBuf {
        Path::new(&self.folder).join(format!("{}.snap", self.name))
    }
}

/// A set of recorded snapshots, all from one kind of server.
#[derive(Debug, Clone, Default)]
pub struct Store {
    texts: IndexMap<PathBuf, String>,
}

impl Store {
    /// The shipped set of this name; empty if there is none.
    pub fn shipped(set: &str) -> Self {
        let mut texts = IndexMap::new();
        if let Some(dir) = SHIPPED.get_dir(set) {
            collect(dir, dir.path(), &mut texts);
        }
        Self { texts }
    }

    /// What was recorded for a case.
    pub fn get(&self, case: &str) -> Option<&str> {
        self.texts.get(&Snapshot::of(case).path()).map(String::as_str)
    }

    /// How many snapshots the set holds.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether the set holds none.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }
}

fn collect(dir: &Dir<'_>, root: &Path, texts: &mut IndexMap<PathBuf, String>) {
    for file in dir.files().filter(|file| file.path().extension().is_some_and(|ending| ending == "snap")) {
        let text = file.contents_utf8().and_then(contents);
        if let (Some(text), Ok(path)) = (text, file.path().strip_prefix(root)) {
            texts.insert(path.to_owned(), text);
        }
    }
    dir.dirs().for_each(|below| collect(below, root, texts));
}

/// The text of a snapshot file, without insta's header.
fn contents(file: &str) -> Option<String> {
    let file = file.replace("\r\n", "\n");
    let (_, text) = file.strip_prefix("---\n")?.split_once("\n---\n")?;
    Some(text.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Snapshot, contents};

    #[test]
    fn a_header_is_not_part_of_the_text() {
        let file = "---\nsource: tests/conformance.rs\ndescription: d\n---\nstep 1\n---\nend\n";
        assert_eq!(contents(file).as_deref(), Some("step 1\n---\nend"));
        assert_eq!(contents("no header"), None);
    }

    #[test]
    fn a_case_has_a_place() {
        let place = Snapshot::of("update-records/sync-count/stale/first");
        assert_eq!((place.folder.as_str(), place.name.as_str()), ("update-records", "sync-count.stale.first"));
    }
}
