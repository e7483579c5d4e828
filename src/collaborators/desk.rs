//! Who hears what: the open mailboxes by name, what came for nobody, and the objects.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use indexmap::IndexMap;

use super::mailbox::Post;
use super::route::{Route, answer, route};
use super::{kinesis, lambda, s3, sns};
use crate::wire::{Request, Response};

/// Most kinds of requests for nobody that are told apart.
const MOST_STRAYS: usize = 50;

/// Most bytes of objects; the oldest go.
const MOST_OBJECTS: usize = 64 * 1024 * 1024;

/// Longest text that is told of a request for nobody, in characters.
const LONGEST_STRAY: usize = 200;

/// What came for nobody: a resource that no case has, or an API that is not played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stray {
    /// What was asked for, such as ``the function `sync` ``.
    pub what: String,
    /// How often.
    pub times: usize,
}

/// Who is addressed by a name.
pub(super) enum Addressee {
    /// A mailbox.
    Open(Arc<Post>),
    /// One that was closed: what follows from its case may still be on its way.
    Closed,
    /// No case has had such a name.
    Nobody,
}

/// What all connections share.
#[derive(Debug, Default)]
pub(super) struct Desk {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    open: HashMap<String, Arc<Post>>,
    closed: HashSet<String>,
    strays: IndexMap<String, usize>,
    /// Whether anything was asked for at all.
    is_called: bool,
    /// Whether somebody waited for a call that did not come.
    is_missed: bool,
    /// Bodies by path, and the paths from the oldest on.
    objects: HashMap<String, Bytes>,
    paths: VecDeque<String>,
    object_bytes: usize,
}

impl Desk {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a request as the service that it is for.
    pub(super) async fn answer(&self, request: Request) -> Response {
        self.inner().is_called = true;
        match route(&request) {
            Route::Invoke { function, qualifier } => lambda::answer(self, &function, qualifier, request).await,
            Route::Kinesis(operation) => kinesis::answer(self, &operation, request).await,
            Route::Sns(form) => sns::answer(self, &form, request).await,
            Route::S3(path) => s3::answer(self, &path, &request),
            Route::Unknown(what) => {
                self.stray(&format!("{what}, which is no call of Lambda, Kinesis, SNS or S3 that is played"));
                let message = format!("{what} is no call of Lambda, Kinesis, SNS or S3 that syncspec plays");
                let body = serde_json::json!({ "__type": "UnknownOperationException", "message": message });
                answer(404, "application/json", body.to_string())
            }
        }
    }

    pub(super) fn open(&self, name: &str, post: Arc<Post>) {
        let mut inner = self.inner();
        inner.closed.remove(name);
        inner.open.insert(name.to_owned(), post);
    }

    pub(super) fn close(&self, name: &str) {
        let mut inner = self.inner();
        if inner.open.remove(name).is_some() {
            inner.closed.insert(name.to_owned());
        }
    }

    pub(super) fn addressee(&self, name: &str) -> Addressee {
        let inner = self.inner();
        match inner.open.get(name) {
            Some(post) => Addressee::Open(Arc::clone(post)),
            None if inner.closed.contains(name) => Addressee::Closed,
            None => Addressee::Nobody,
        }
    }

    /// Notes what came for nobody.
    pub(super) fn stray(&self, what: &str) {
        let what: String = what.chars().take(LONGEST_STRAY).collect();
        let mut inner = self.inner();
        if inner.strays.len() < MOST_STRAYS || inner.strays.contains_key(&what) {
            *inner.strays.entry(what).or_default() += 1;
        }
    }

    pub(super) fn strays(&self) -> Vec<Stray> {
        self.inner().strays.iter().map(|(what, times)| Stray { what: what.clone(), times: *times }).collect()
    }

    /// Notes that somebody waited for a call that did not come.
    pub(super) fn miss(&self) {
        self.inner().is_missed = true;
    }

    /// Whether calls were waited for, and none ever came, for whomever.
    pub(super) fn is_ignored(&self) -> bool {
        let inner = self.inner();
        inner.is_missed && !inner.is_called
    }

    /// Keeps an object.
    pub(super) fn keep(&self, path: &str, body: Bytes) {
        let inner = &mut *self.inner();
        inner.object_bytes += body.len();
        match inner.objects.insert(path.to_owned(), body) {
            Some(before) => inner.object_bytes -= before.len(),
            None => inner.paths.push_back(path.to_owned()),
        }
        while inner.object_bytes > MOST_OBJECTS
            && let Some(oldest) = inner.paths.pop_front()
        {
            inner.object_bytes -= inner.objects.remove(&oldest).map_or(0, |body| body.len());
        }
    }

    /// The object of this path.
    pub(super) fn object(&self, path: &str) -> Option<Bytes> {
        self.inner().objects.get(path).cloned()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{Desk, MOST_OBJECTS, MOST_STRAYS};

    #[test]
    fn the_oldest_objects_make_room() {
        let desk = Desk::default();
        let half = Bytes::from(vec![0; MOST_OBJECTS / 2]);
        for path in ["/a", "/b", "/b", "/c"] {
            desk.keep(path, half.clone());
        }
        assert!(desk.object("/a").is_none() && desk.object("/b").is_some() && desk.object("/c").is_some());
    }

    #[test]
    fn only_so_much_is_told_of_strays() {
        let desk = Desk::default();
        for number in 0..2 * MOST_STRAYS {
            desk.stray(&format!("{number} {}", "x".repeat(1_000)));
            desk.stray("0");
        }
        let strays = desk.strays();
        assert_eq!(strays.len(), MOST_STRAYS);
        assert!(strays.iter().all(|stray| stray.what.len() <= 200));
        assert_eq!(strays[1].times, 2 * MOST_STRAYS);
    }
}
