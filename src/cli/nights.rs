//! The recorded runs below a folder.

use std::fs;
use std::path::{Path, PathBuf};

use super::Exit;

/// Deepest folder below the one that is named.
const MOST_DEPTH: usize = 8;

/// All `.jsonl` files below a folder, by name. Links are not followed: `latest` would
/// count a run twice.
pub(super) fn records(dir: &Path) -> Result<Vec<PathBuf>, Exit> {
    let mut found = Vec::new();
    collect(dir, 0, &mut found)?;
    found.sort();
    Ok(found)
}

fn collect(dir: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), Exit> {
    let unreadable = |error: std::io::Error| Exit::usage(format!("cannot read {}: {error}", dir.display()));
    for entry in fs::read_dir(dir).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let (kind, path) = (entry.file_type().map_err(unreadable)?, entry.path());
        // A dot begins the name of what is being written.
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if kind.is_dir() && depth < MOST_DEPTH && !hidden {
            collect(&path, depth + 1, found)?;
        } else if kind.is_file() && !hidden && path.extension().is_some_and(|ending| ending == "jsonl") {
            found.push(path);
        }
    }
    Ok(())
}

/// The page of a run, if it stands beside its record: `run.html` beside `run.jsonl`. As an
/// address that leads there from a document in the folder `from`.
pub(super) fn page(record: &Path, from: &Path) -> Option<String> {
    let page = record.with_extension("html");
    if !page.is_file() {
        return None;
    }
    let (page, from) = (page.canonicalize().ok()?, from.canonicalize().ok()?);
    let shared = page.components().zip(from.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(shared).map(|_| "..".to_owned());
    let down = page.components().skip(shared).map(|part| encoded(&part.as_os_str().to_string_lossy()));
    Some(up.chain(down).collect::<Vec<_>>().join("/"))
}

/// A part of a path as part of an address.
pub(super) fn encoded(part: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    utf8_percent_encode(part, KEPT).to_string()
}
