//! Suites of many small, independent cases, one in each file.

use std::fs;
use std::path::{Path, PathBuf};

/// Files in one folder of cases.
const PER_FOLDER: usize = 1_000;

/// The pool that the endpoint's constant answer names.
const POOL: &str = "us-east-1:5ca1e000-0000-4000-8000-000000000000";

/// Keys that are nobody's: the endpoint looks at no signature.
pub(crate) const ACCESS_KEY_ID: &str = "AKIASYNCSPECBENCH000";
pub(crate) const SECRET_ACCESS_KEY: &str = "public+example/bench/no+secret0000000000";

/// A suite on the disk.
#[derive(Debug)]
pub(crate) struct Suite {
    /// Where runs of it are made.
    pub(crate) folder: PathBuf,
    /// Its case files.
    pub(crate) cases: PathBuf,
}

impl Suite {
    /// Writes so many cases, each with one POST whose status and two members are
    /// checked.
    pub(crate) fn make(parent: &Path, count: usize) -> Self {
        let folder = parent.join(count.to_string());
        let cases = folder.join("cases");
        for number in 0..count {
            let area = cases.join(format!("area-{:03}", number / PER_FOLDER));
            if number % PER_FOLDER == 0 {
                fs::create_dir_all(&area).expect("a folder");
            }
            fs::write(area.join(format!("topic-{number:06}.toml")), text(number)).expect("a case file");
        }
        fs::write(cases.join("_base.toml"), syncspec::cases::Suite::shipped_bases()).expect("the base requests");
        Self { folder, cases }
    }

    /// A target file for this endpoint.
    pub(crate) fn target(&self, endpoint: &str) -> PathBuf {
        let path = self.folder.join("target.toml");
        let keys = format!("access-key-id = \"{ACCESS_KEY_ID}\"\nsecret-access-key = \"{SECRET_ACCESS_KEY}\"\n");
        let text = format!(
            "name = \"bench\"\nendpoint = \"{endpoint}\"\nregion = \"us-east-1\"\nidentity-pool-id = \"{POOL}\"\n\
             [developer]\n{keys}[[identity]]\nidentity-id = \"{POOL}\"\n{keys}"
        );
        fs::write(&path, text).expect("a target file");
        path
    }
}

fn text(number: usize) -> String {
    format!(
        r#"[[case]]
name = "answers"
about = "Case {number} of many."
proves = ["GetBulkPublishDetails/output/BulkPublishStatus"]
steps = [
  {{ call = "GetBulkPublishDetails", with = {{ IdentityPoolId = "{POOL}" }},
    expect = {{ status = 200, members = {{ "/IdentityPoolId" = "{POOL}", "/BulkPublishStatus" = "NOT_STARTED" }} }} }},
]
"#
    )
}

/// What every case expects.
pub(crate) fn answer() -> String {
    format!(r#"{{"IdentityPoolId":"{POOL}","BulkPublishStatus":"NOT_STARTED"}}"#)
}
