//! How fast requests follow each other: the target's rate, and a common pause while
//! the endpoint throttles.
//!
//! All clones of a client share one pace. Without a rate and without throttling,
//! a turn costs two loads of memory.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Jitter, Quota, RateLimiter};

/// The pace of all requests of a client and its clones.
pub(super) struct Pace {
    rate: Option<Rate>,
    /// Whether there may be a pause: what is asked first.
    slowed: AtomicBool,
    /// When the common pause is over.
    resume: Mutex<Option<Instant>>,
    throttled: AtomicU64,
    pulse: Pulse,
}

/// One request after the other, in equal distances.
struct Rate {
    limiter: DefaultDirectRateLimiter,
    /// Who holds it is next, so that nobody is passed by for ever.
    queue: tokio::sync::Mutex<()>,
}

impl Pace {
    /// A pace of at most so many requests per second; none for any number.
    pub(super) fn new(requests_per_second: Option<NonZeroU32>) -> Self {
        let rate = requests_per_second.and_then(|rate| Quota::with_period(Duration::from_secs(1) / rate.get()));
        let rate = rate.map(|quota| Rate { limiter: RateLimiter::direct(quota), queue: tokio::sync::Mutex::default() });
        Self {
            rate,
            slowed: AtomicBool::new(false),
            resume: Mutex::new(None),
            throttled: AtomicU64::new(0),
            pulse: Pulse::default(),
        }
    }

    /// Waits until the next request may be sent.
    pub(super) async fn turn(&self) {
        while self.slowed.load(Ordering::Relaxed) {
            let Some(rest) = self.rest() else { break };
            // Not all at once when it is over.
            tokio::time::sleep(Jitter::up_to(rest / 2) + rest).await;
        }
        if let Some(Rate { limiter, queue }) = &self.rate {
            let _next = queue.lock().await;
            while let Err(early) = limiter.check() {
                tokio::time::sleep(early.wait_time_from(DefaultClock::default().now())).await;
            }
        }
    }

    /// What is left of the common pause.
    fn rest(&self) -> Option<Duration> {
        let mut resume = self.resume.lock().unwrap_or_else(PoisonError::into_inner);
        let rest = resume.map(|resume| resume.saturating_duration_since(Instant::now()));
        let rest = rest.filter(|rest| !rest.is_zero());
        if rest.is_none() {
            *resume = None;
            self.slowed.store(false, Ordering::Relaxed);
        }
        rest
    }

    /// Takes note of a throttled answer: nobody sends for this long.
    pub(super) fn pause(&self, pause: Duration) {
        self.throttled.fetch_add(1, Ordering::Relaxed);
        let mut resume = self.resume.lock().unwrap_or_else(PoisonError::into_inner);
        let until = Instant::now() + pause;
        *resume = Some(resume.map_or(until, |resume| resume.max(until)));
        self.slowed.store(true, Ordering::Relaxed);
    }

    /// How often the endpoint throttled.
    pub(super) fn throttled(&self) -> u64 {
        self.throttled.load(Ordering::Relaxed)
    }

    /// Signs of life.
    pub(super) fn pulse(&self) -> &Pulse {
        &self.pulse
    }
}

/// Signs of life of an endpoint, over all requests of a client.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    answers: AtomicU64,
    slowest_us: AtomicU64,
    under_way: AtomicUsize,
}

impl Pulse {
    /// Counts a request as under way until what is returned is dropped.
    pub(super) fn begin(&self) -> UnderWay<'_> {
        self.under_way.fetch_add(1, Ordering::Relaxed);
        UnderWay(self)
    }

    /// Takes note of an answer.
    pub(super) fn answered(&self, after: Duration) {
        self.answers.fetch_add(1, Ordering::Relaxed);
        let after = u64::try_from(after.as_micros()).unwrap_or(u64::MAX);
        if after > self.slowest_us.load(Ordering::Relaxed) {
            self.slowest_us.fetch_max(after, Ordering::Relaxed);
        }
    }

    pub(super) fn read(&self) -> Signs {
        Signs {
            answers: self.answers.load(Ordering::Relaxed),
            slowest: Duration::from_micros(self.slowest_us.load(Ordering::Relaxed)),
            under_way: self.under_way.load(Ordering::Relaxed),
        }
    }
}

/// A request under way.
pub(super) struct UnderWay<'p>(&'p Pulse);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Signs of life of an endpoint, as a client saw them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signs {
    /// How many answers came that did not ask for fewer requests, those among them
    /// that were too large to read.
    pub answers: u64,
    /// How long the slowest of them took.
    pub slowest: Duration,
    /// How many requests wait for an answer.
    pub under_way: usize,
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use super::Pace;

    async fn turns(pace: &Arc<Pace>, count: usize) -> Duration {
        let begun = Instant::now();
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..count {
            let pace = Arc::clone(pace);
            tasks.spawn(async move { pace.turn().await });
        }
        tasks.join_all().await;
        begun.elapsed()
    }

    #[tokio::test]
    async fn a_rate_is_kept_by_all_together() {
        let pace = Arc::new(Pace::new(NonZeroU32::new(50)));
        // The first goes at once, eleven more wait 20 ms each.
        let took = turns(&pace, 12).await;
        assert!(took >= Duration::from_millis(215), "{took:?}");
    }

    #[tokio::test]
    async fn without_a_rate_nobody_waits_but_for_a_common_pause() {
        let pace = Arc::new(Pace::new(None));
        turns(&pace, 10_000).await;
        assert_eq!(pace.throttled(), 0);
        pace.pause(Duration::from_millis(60));
        pace.pause(Duration::from_millis(1));
        let took = turns(&pace, 4).await;
        assert!(took >= Duration::from_millis(55), "a shorter pause must not end a longer one: {took:?}");
        assert_eq!(pace.throttled(), 2);
        assert!(pace.rest().is_none());
    }

    #[test]
    fn signs_of_life_are_counted() {
        let pace = Pace::new(None);
        let under_way = pace.pulse().begin();
        assert_eq!(pace.pulse().read().under_way, 1);
        pace.pulse().answered(Duration::from_millis(7));
        pace.pulse().answered(Duration::from_millis(3));
        drop(under_way);
        let signs = pace.pulse().read();
        assert_eq!((signs.answers, signs.slowest, signs.under_way), (2, Duration::from_millis(7), 0));
    }
}
