//! What follows an answer that is given already: records for streams, push messages,
//! bulk publishes.
//!
//! Each pool has two lanes, one for its stream and one for its push messages, in which
//! one thing is done after the other. Lanes do not wait for each other, and nobody
//! waits for them. A bulk publish has a lane of its own as long as it takes.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::outside::Outside;
use crate::reference::clock::Clock;
use crate::reference::model::{BulkPublish, DatasetPlace, Effect, Notification, StreamRecord, StreamTarget, Timestamp};

/// Most things that wait in one lane.
const WAITING_MAX: usize = 4_096;

/// Most bytes that wait in one lane.
const WAITING_BYTES_MAX: usize = 64 * 1024 * 1024;

/// How long what still waits may take when the server stops.
const LAST_WORK: Duration = Duration::from_secs(1);

/// A look at a dataset.
pub(in crate::reference) type Looking<'d> = Pin<Box<dyn Future<Output = Option<StreamRecord>> + Send + 'd>>;

/// Who holds the model.
pub(in crate::reference) trait Desk: Send + Sync {
    /// What a dataset holds now, unless it was deleted; given when it is kept.
    fn dataset(&self, place: &DatasetPlace) -> Looking<'_>;

    /// A stream takes no more records.
    fn stream_failed(&self, target: &StreamTarget, reason: &str);

    /// A bulk publish came to an end, and failed if there is a reason.
    fn publish_ended(&self, publish: &BulkPublish, now: Timestamp, failure: Option<String>);
}

/// Sees to effects until there can be no more, and then for a second to those that
/// still wait.
pub(in crate::reference) async fn follow(
    outside: Arc<Outside>,
    desk: Arc<dyn Desk>,
    mut effects: UnboundedReceiver<Effect>,
    clock: Clock,
) {
    let mut work = JoinSet::new();
    let mut streams: BTreeMap<String, Lane<(StreamTarget, StreamRecord)>> = BTreeMap::new();
    let mut pushes: BTreeMap<String, Lane<Notification>> = BTreeMap::new();
    // Settings of streams that are past hope: what comes after a gap must not be sent.
    let mut over: BTreeSet<u64> = BTreeSet::new();
    while let Some(effect) = effects.recv().await {
        while work.try_join_next().is_some() {}
        match effect {
            Effect::Stream(target, _) if over.contains(&target.setting) => {}
            Effect::Stream(target, record) => {
                let lane = streams.entry(target.identity_pool_id.clone()).or_insert_with(|| {
                    let (lane, waiting) = lane();
                    work.spawn(stream(Arc::clone(&outside), Arc::clone(&desk), waiting));
                    lane
                });
                let bytes = size(&record);
                if !lane.add((target.clone(), record), bytes) {
                    desk.stream_failed(&target, "More records wait for the stream than are kept");
                    over.insert(target.setting);
                }
            }
            Effect::Notify(notification) => {
                let lane = pushes.entry(notification.place.identity_pool_id.clone()).or_insert_with(|| {
                    let (lane, waiting) = lane();
                    work.spawn(push(Arc::clone(&outside), waiting));
                    lane
                });
                // A device that is not told finds out when it next looks.
                lane.add(notification, 0);
            }
            Effect::Publish(publish) => {
                work.spawn(bulk_publish(Arc::clone(&outside), Arc::clone(&desk), publish, clock));
            }
        }
    }
    drop((streams, pushes));
    let ended = async { while work.join_next().await.is_some() {} };
    // What has not ended by then is dropped with the set.
    let _in_time = timeout(LAST_WORK, ended).await;
}

/// The near end of a lane.
struct Lane<T> {
    sender: mpsc::Sender<(T, usize)>,
    bytes: Arc<AtomicUsize>,
}

/// The far end of a lane.
struct Waiting<T> {
    receiver: mpsc::Receiver<(T, usize)>,
    bytes: Arc<AtomicUsize>,
}

fn lane<T>() -> (Lane<T>, Waiting<T>) {
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    let bytes = Arc::new(AtomicUsize::new(0));
    (Lane { sender, bytes: Arc::clone(&bytes) }, Waiting { receiver, bytes })
}

impl<T> Lane<T> {
    /// Adds something of so many bytes at the end, if there is room.
    fn add(&self, item: T, bytes: usize) -> bool {
        // Only one task adds, so that the sum cannot pass the limit by more than it.
        if self.bytes.load(Ordering::Relaxed).saturating_add(bytes) > WAITING_BYTES_MAX {
            return false;
        }
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        let added = self.sender.try_send((item, bytes)).is_ok();
        if !added {
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
        added
    }
}

impl<T> Waiting<T> {
    async fn next(&mut self) -> Option<T> {
        let (item, bytes) = self.receiver.recv().await?;
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        Some(item)
    }
}

async fn stream(outside: Arc<Outside>, desk: Arc<dyn Desk>, mut waiting: Waiting<(StreamTarget, StreamRecord)>) {
    let mut failed = None;
    while let Some((target, record)) = waiting.next().await {
        if failed == Some(target.setting) {
            continue;
        }
        if let Err(refusal) = outside.put(&target, &record).await {
            desk.stream_failed(&target, &refusal.why);
            failed = Some(target.setting);
        }
    }
}

async fn push(outside: Arc<Outside>, mut waiting: Waiting<Notification>) {
    while let Some(notification) = waiting.next().await {
        // Who is not told finds out when it next looks.
        let _untold = outside.notify(&notification).await;
    }
}

async fn bulk_publish(outside: Arc<Outside>, desk: Arc<dyn Desk>, publish: BulkPublish, clock: Clock) {
    let mut failure = None;
    for place in &publish.places {
        let Some(record) = desk.dataset(place).await else { continue };
        if let Err(refusal) = outside.put(&publish.target, &record).await {
            failure = Some(refusal.why);
            break;
        }
    }
    desk.publish_ended(&publish, clock.now(), failure);
}

/// Bytes that a record holds, roughly.
fn size(record: &StreamRecord) -> usize {
    let records = record.records.as_deref().unwrap_or_default();
    records.iter().map(|record| record.key.len() + record.value.as_ref().map_or(0, String::len) + 128).sum()
}

#[cfg(test)]
mod tests {
    use super::{WAITING_BYTES_MAX, WAITING_MAX, lane};

    #[tokio::test]
    async fn a_lane_has_an_end() {
        let (lane, mut waiting) = lane();
        for number in 0..WAITING_MAX {
            assert!(lane.add(number, 0));
        }
        assert!(!lane.add(0, 0));
        assert_eq!(waiting.next().await, Some(0));
        assert!(lane.add(0, 1));
    }

    #[tokio::test]
    async fn a_lane_holds_so_many_bytes() {
        let (lane, mut waiting) = lane();
        assert!(lane.add("a", WAITING_BYTES_MAX - 1));
        assert!(!lane.add("b", 2));
        assert!(lane.add("c", 1));
        assert_eq!(waiting.next().await, Some("a"));
        assert!(lane.add("d", 2));
    }
}
