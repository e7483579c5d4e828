//! Requests a second, and how long each takes.

use std::time::{Duration, Instant};

use serde_json::json;
use syncspec::target::{Identity, Target};
use tokio::task::JoinSet;

use crate::wire::{Connection, Signer};

/// Connections at a time, each with an identity of its own.
pub(crate) const CONNECTIONS: usize = 32;

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Work {
    /// DescribeDataset, signed beforehand.
    Describe,
    /// ListRecords of a small dataset, signed beforehand.
    List,
    /// ListRecords and then UpdateRecords of one record, signed by the client on the way.
    Synchronise,
}

impl Work {
    pub(crate) const ALL: [Self; 3] = [Self::Describe, Self::List, Self::Synchronise];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Describe => "DescribeDataset",
            Self::List => "ListRecords of 20 records",
            Self::Synchronise => "ListRecords and UpdateRecords in turn, signed on the way",
        }
    }
}

/// How fast a server is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    pub(crate) per_second: f64,
    median: Duration,
    most: Duration,
}

impl Rate {
    /// Cells of a table.
    pub(crate) fn cells(&self, beside: Option<&Self>) -> String {
        let beside = beside.map(|bare| format!("{:.2}", self.per_second / bare.per_second)).unwrap_or_default();
        let time = |time: Duration| format!("{:.2} ms", time.as_secs_f64() * 1e3);
        format!("{:.0} | {beside} | {} | {}", self.per_second, time(self.median), time(self.most))
    }
}

/// All connections work for so long.
pub(crate) async fn measure(work: Work, target: &Target, length: Duration) -> Rate {
    let pool = &target.pools[0];
    let mut working = JoinSet::new();
    let begun = Instant::now();
    for identity in pool.identities.iter().take(CONNECTIONS) {
        working.spawn(one(work, target.clone(), identity.clone(), begun + length));
    }
    let mut times: Vec<Duration> = working.join_all().await.into_iter().flatten().collect();
    let took = begun.elapsed();
    times.sort_unstable();
    Rate {
        per_second: times.len() as f64 / took.as_secs_f64(),
        median: times[times.len() / 2],
        most: times[times.len() * 99 / 100],
    }
}

/// How long each of its requests took.
async fn one(work: Work, target: Target, identity: Identity, end: Instant) -> Vec<Duration> {
    let signer = Signer::new(&target, &target.pools[0].id, &identity);
    let mut connection = Connection::open(&target.endpoint).await;
    let mut times = Vec::new();
    let dataset = json!({ "DatasetName": "dataset-0" });
    let fixed = match work {
        Work::Describe => signer.request("DescribeDataset", &dataset),
        Work::List => signer.request("ListRecords", &dataset),
        Work::Synchronise => Vec::new(),
    };
    let mut count = 0;
    while Instant::now() < end {
        let begun = Instant::now();
        if !matches!(work, Work::Synchronise) {
            connection.send(&fixed).await;
            times.push(begun.elapsed());
            continue;
        }
        let list = signer.request("ListRecords", &json!({ "DatasetName": "own", "LastSyncCount": count }));
        let listed = connection.ask(&list).await;
        times.push(begun.elapsed());
        count = listed["DatasetSyncCount"].as_i64().unwrap_or_default();
        let begun = Instant::now();
        let patch = json!({ "Op": "replace", "Key": "k", "Value": "some value or other", "SyncCount": count });
        let token = &listed["SyncSessionToken"];
        let update = json!({ "DatasetName": "own", "SyncSessionToken": token, "RecordPatches": [patch] });
        let written = connection.ask(&signer.request("UpdateRecords", &update)).await;
        count = written["Records"][0]["SyncCount"].as_i64().expect("a count");
        times.push(begun.elapsed());
    }
    times
}
