//! Prepares what every start of the program reads, and tells cargo which files are part
//! of it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use sha2::{Digest as _, Sha256};

/// The description of the service, which people write.
const DESCRIPTION: &str = "src/spec/service.toml";

fn main() {
    for part in ["build.rs", "cases", "snapshots", DESCRIPTION] {
        println!("cargo::rerun-if-changed={part}");
    }
    let folder = PathBuf::from(env::var_os("OUT_DIR").expect("cargo names a folder"));
    for (name, text) in [("service.json", in_json()), ("cases.rs", cases()), ("snapshots.rs", snapshots())] {
        let prepared = folder.join(name);
        fs::write(&prepared, text).unwrap_or_else(|error| panic!("cannot write {}: {error}", prepared.display()));
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}

/// The description as JSON: read in a sixth of the instructions that TOML takes, and
/// without a tree of all of it in memory.
fn in_json() -> String {
    let parsed: toml::Table =
        toml::from_str(&read(Path::new(DESCRIPTION))).unwrap_or_else(|error| panic!("{DESCRIPTION}: {error}"));
    serde_json::to_string(&parsed).expect("TOML without dates is JSON")
}

/// The case files, in Rust: path, text and SHA-256 of each. The digest of the suite needs
/// all of these, and a start that runs one case reads one file.
fn cases() -> String {
    slice("cases", |path| path.ends_with(".toml"), |text| format!(", {:?}", <[u8; 32]>::from(Sha256::digest(text))))
}

/// The sets of snapshots, in Rust: path and text of each file. What else lies in their
/// folder is for the tests.
fn snapshots() -> String {
    let is_of_set = |path: &str| {
        let set = path.split('/').next().unwrap_or_default();
        Path::new("snapshots").join(set).join("_recorded.toml").is_file()
    };
    slice("snapshots", is_of_set, |_| String::new())
}

/// A slice of the files below a folder, by path: path and text, and what `more` makes of
/// the text.
fn slice(folder: &str, is_part: impl Fn(&str) -> bool, more: impl Fn(&str) -> String) -> String {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo names a folder")).join(folder);
    let mut paths = Vec::new();
    files(&root, "", &mut paths).unwrap_or_else(|error| panic!("cannot read {}: {error}", root.display()));
    paths.retain(|path| is_part(path));
    paths.sort();
    let mut slice = "&[\n".to_owned();
    for path in paths {
        let file = root.join(&path);
        let more = more(&read(&file));
        writeln!(slice, "    ({path:?}, include_str!({file:?}){more}),").expect("text takes text");
    }
    slice + "]\n"
}

/// The paths of the files in a folder and below, with `/` between names.
fn files(folder: &Path, prefix: &str, paths: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        match entry.path().is_dir() {
            true => files(&entry.path(), &format!("{name}/"), paths)?,
            false => paths.push(name),
        }
    }
    Ok(())
}
