//! `syncspec serve` in a process of its own, with a world as large as needed.

use std::fs;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use syncspec::target::Target;
use tempfile::TempDir;

use crate::measure::program;
use crate::wire::{Connection, Signer};

/// Most datasets of an identity.
pub(crate) const DATASETS: usize = 20;

/// Most records of one call that stay below the dataset's limit.
const BATCH: usize = 1_000;

/// It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Served {
    process: Child,
    pub(crate) target: Target,
    _folder: TempDir,
}

impl Served {
    /// A server with so many pools, and so many identities in each.
    pub(crate) fn start(pools: usize, identities: usize) -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        let (world, target) = (folder.path().join("world.toml"), folder.path().join("target.toml"));
        let pool = |number: usize| format!("[[account.pool]]\nname = \"pool-{number}\"\nidentities = {identities}\n");
        let text: String = (0..pools).map(pool).collect();
        fs::write(&world, format!("[[account]]\nid = \"123456789012\"\n{text}")).expect("a world file");
        let mut command = program();
        command.args(["serve", "--listen", "127.0.0.1:0", "--log", "off", "--world"]).arg(&world);
        command.arg("--write-target").arg(&target).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().expect("it starts");
        let begun = Instant::now();
        while !target.exists() {
            assert!(begun.elapsed() < Duration::from_secs(30), "no server within 30 s");
            std::thread::sleep(Duration::from_millis(5));
        }
        let target = Target::from_file(&target).expect("a target file");
        Self { process, target, _folder: folder }
    }

    /// The same identities at another address.
    pub(crate) fn at(&self, endpoint: &str) -> Target {
        Target { endpoint: endpoint.to_owned(), ..self.target.clone() }
    }

    /// Bytes that the process has in memory.
    pub(crate) fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).expect("it runs");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("a line");
        let kibibytes: u64 = line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number");
        kibibytes * 1024
    }

    /// Writes so many datasets of so many records for so many identities.
    pub(crate) async fn fill(&self, datasets: usize, records: usize, identities: usize) {
        let pool = &self.target.pools[0];
        let mut connection = Connection::open(&self.target.endpoint).await;
        for identity in &pool.identities[..identities] {
            let signer = Signer::new(&self.target, &pool.id, identity);
            for dataset in 0..datasets {
                let name = format!("dataset-{dataset}");
                for begin in (0..records).step_by(BATCH) {
                    let listed = connection.ask(&signer.request("ListRecords", &json!({ "DatasetName": name }))).await;
                    let count = &listed["DatasetSyncCount"];
                    let patch = |number: usize| {
                        let (key, value) = (format!("record-{number:04}"), format!("some value or other, {number}"));
                        json!({ "Op": "replace", "Key": key, "Value": value, "SyncCount": 0 })
                    };
                    assert!(!count.is_null(), "{listed}");
                    let patches: Vec<_> = (begin..records.min(begin + BATCH)).map(patch).collect();
                    let token = &listed["SyncSessionToken"];
                    let input = json!({ "DatasetName": name, "SyncSessionToken": token, "RecordPatches": patches });
                    connection.ask(&signer.request("UpdateRecords", &input)).await;
                }
            }
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
