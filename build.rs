//! Prepares what every start of the program reads, and tells cargo which files are part
//! of it.

use std::path::Path;
use std::{env, fs};

/// The description of the service, which people write.
const DESCRIPTION: &str = "src/spec/service.toml";

fn main() {
    for part in ["build.rs", "cases", "snapshots", DESCRIPTION] {
        println!("cargo::rerun-if-changed={part}");
    }
    let folder = env::var_os("OUT_DIR").expect("cargo names a folder");
    let prepared = Path::new(&folder).join("service.json");
    fs::write(&prepared, in_json()).unwrap_or_else(|error| panic!("cannot write {}: {error}", prepared.display()));
}

/// The description as JSON: read in a sixth of the instructions that TOML takes, and
/// without a tree of all of it in memory.
fn in_json() -> String {
    let text = fs::read_to_string(DESCRIPTION).unwrap_or_else(|error| panic!("cannot read {DESCRIPTION}: {error}"));
    let parsed: toml::Table = toml::from_str(&text).unwrap_or_else(|error| panic!("{DESCRIPTION}: {error}"));
    serde_json::to_string(&parsed).expect("TOML without dates is JSON")
}
