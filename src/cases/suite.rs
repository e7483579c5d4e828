//! Finds the case files and makes a [`Suite`] of them.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use include_dir::{Dir, include_dir};
use sha2::{Digest as _, Sha256};

use super::case::Suite;
use super::check::is_kebab_case;
use super::error::CasesError;
use super::excluded::exclusions;
use super::resolve::Library;
use crate::source::Source;
use crate::spec::{Catalog, Service};

/// The suite as shipped.
static SHIPPED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/cases");

const BASES: &str = "_base.toml";
const FIXTURES: &str = "_fixtures.toml";
const EXCLUDED: &str = "_excluded.toml";

/// A file of a suite: its path below the suite's folder with `/` between names,
/// and its text.
#[derive(Debug, Clone)]
struct File {
    path: String,
    text: String,
}

impl Suite {
    /// The suite that is part of the program.
    ///
    /// # Errors
    ///
    /// When a shipped file has mistakes.
    pub fn shipped(service: &Service, catalog: &Catalog) -> Result<Self, CasesError> {
        let mut files = Vec::new();
        collect_shipped(&SHIPPED, &mut files);
        suite(service, catalog, "cases", files)
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
        suite(service, catalog, &dir.display().to_string(), files)
    }

    /// The text of the shipped `_base.toml`, for a folder of cases that has none yet.
    pub fn shipped_bases() -> &'static str {
        SHIPPED.get_file(BASES).and_then(include_dir::File::contents_utf8).unwrap_or_default()
    }

    /// The suite in files with these paths and texts.
    ///
    /// # Errors
    ///
    /// When the files have mistakes or hold no cases; all mistakes are listed.
    pub fn from_texts(service: &Service, catalog: &Catalog, files: &[(&str, &str)]) -> Result<Self, CasesError> {
        let file = |(path, text): &(&str, &str)| File { path: (*path).to_owned(), text: (*text).to_owned() };
        suite(service, catalog, "cases", files.iter().map(file).collect())
    }
}

fn collect_shipped(dir: &Dir<'_>, files: &mut Vec<File>) {
    for file in dir.files().filter(|file| is_case_file(file.path())) {
        // Names and contents of shipped files are known to be text.
        let (Some(path), Some(text)) = (file.path().to_str(), file.contents_utf8()) else { continue };
        files.push(File { path: path.replace('\\', "/"), text: text.to_owned() });
    }
    dir.dirs().for_each(|below| collect_shipped(below, files));
}

fn is_case_file(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "toml")
}

fn collect_dir(dir: &Path, prefix: &str, files: &mut Vec<File>) -> Result<(), CasesError> {
    let unreadable = |path: &Path| {
        let path = path.display().to_string();
        move |source| CasesError::Unreadable { path, source }
    };
    for entry in fs::read_dir(dir).map_err(unreadable(dir))? {
        let entry = entry.map_err(unreadable(dir))?;
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if path.is_dir() {
            collect_dir(&path, &format!("{prefix}{name}/"), files)?;
        } else if is_case_file(&path) {
            let text = fs::read_to_string(&path).map_err(unreadable(&path))?;
            files.push(File { path: format!("{prefix}{name}"), text });
        }
    }
    Ok(())
}

fn suite(service: &Service, catalog: &Catalog, root: &str, mut files: Vec<File>) -> Result<Suite, CasesError> {
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let mut library = Library::new(service, catalog);
    let source = |file: &'_ File| -> Arc<str> { format!("{root}/{}", file.path).into() };
    for file in &files {
        let source = Source { path: source(file), text: &file.text };
        match file.path.as_str() {
            BASES => library.add_bases(&source),
            FIXTURES => library.add_fixtures(&source),
            _ => {}
        }
    }
    let mut cases = Vec::new();
    for file in files.iter().filter(|file| !matches!(file.path.as_str(), BASES | FIXTURES | EXCLUDED)) {
        let source = Source { path: source(file), text: &file.text };
        match stem(&file.path) {
            Some(stem) => cases.extend(library.cases(&source, stem)),
            None => library
                .report(source.problem(&(0..0), "a case file is <area>/<topic>.toml with both names in kebab-case")),
        }
    }
    let excluded = files.iter().find(|file| file.path == EXCLUDED).map(|file| {
        let source = Source { path: source(file), text: &file.text };
        exclusions(&library, &source, &cases)
    });
    let excluded = excluded.unwrap_or_default();
    let bases = library.finish().map_err(|mut problems| {
        problems.sort();
        problems.dedup();
        CasesError::Mistakes(problems)
    })?;
    if cases.is_empty() {
        return Err(CasesError::NoCases { path: root.to_owned() });
    }
    Ok(Suite { cases, bases: Arc::new(bases), excluded, digest: digest(&files) })
}

/// `area/topic` of a case file's path, if it has that form.
fn stem(path: &str) -> Option<&str> {
    let stem = path.strip_suffix(".toml")?;
    let (area, topic) = stem.split_once('/')?;
    (is_kebab_case(area) && is_kebab_case(topic)).then_some(stem)
}

fn digest(files: &[File]) -> String {
    let mut hash = Sha256::new();
    for file in files {
        for part in [&file.path, &file.text] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
