//! Giving way to an endpoint that throttles.

use std::time::{Duration, Instant};

use governor::Jitter;

use super::Client;
use crate::wire::Response;

/// How long and how often a request gives way, in all its attempts together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackOff {
    /// Before the second attempt; doubled before each further one.
    pub first: Duration,
    /// Before any attempt, unless the endpoint asks for more.
    pub longest: Duration,
    /// Before any attempt, whatever the endpoint asks for.
    pub longest_asked: Duration,
    /// Attempts in all; at least 1.
    pub attempts: u32,
    /// After which no further attempt is begun.
    pub total: Duration,
}

impl Default for BackOff {
    /// From 100 ms up to 5 s, or up to 10 s where the endpoint asks for it; at most 8
    /// attempts and 30 s. Up to half is added to each wait by chance.
    fn default() -> Self {
        Self {
            first: Duration::from_millis(100),
            longest: Duration::from_secs(5),
            longest_asked: Duration::from_secs(10),
            attempts: 8,
            total: Duration::from_secs(30),
        }
    }
}

/// Longest pause of everybody that one throttled request causes when the endpoint asks
/// for none: it may be this request alone that is throttled.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// One request that gives way as often as it is throttled.
#[derive(Debug)]
pub struct GivingWay {
    back_off: BackOff,
    attempts: u32,
    /// When the first attempt was throttled.
    since: Option<Instant>,
}

impl GivingWay {
    pub(super) fn new(back_off: BackOff) -> Self {
        Self { back_off, attempts: 0, since: None }
    }

    /// Takes note that an attempt was throttled, which slows down everybody who shares
    /// the client, and waits. False, and no wait, when it has given way long enough.
    pub async fn again(&mut self, client: &Client, response: &Response) -> bool {
        let wait = self.next(response.retry_after());
        client.pause(wait.unwrap_or_default().min(LONGEST_PAUSE.max(response.retry_after().unwrap_or_default())));
        match wait {
            Some(wait) => {
                tokio::time::sleep(Jitter::up_to(wait / 2) + wait).await;
                true
            }
            None => false,
        }
    }

    /// How long to wait before the next attempt, if there is to be one.
    fn next(&mut self, asked: Option<Duration>) -> Option<Duration> {
        let BackOff { first, longest, longest_asked, attempts, total } = self.back_off;
        let since = *self.since.get_or_insert_with(Instant::now);
        self.attempts += 1;
        if self.attempts >= attempts {
            return None;
        }
        let doubled = first.saturating_mul(1 << (self.attempts - 1).min(20)).min(longest);
        let wait = doubled.max(asked.unwrap_or_default().min(longest_asked));
        (since.elapsed() + wait <= total).then_some(wait)
    }

    /// How often the request was throttled.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Since when it has been giving way; zero when it was not throttled.
    pub fn lasted(&self) -> Duration {
        self.since.map(|since| since.elapsed()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{BackOff, GivingWay};

    #[test]
    fn waits_double_up_to_a_bound_and_end() {
        let mut giving_way = GivingWay::new(BackOff::default());
        let waits: Vec<_> = std::iter::from_fn(|| giving_way.next(None)).map(|wait| wait.as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1_600, 3_200, 5_000]);
        assert_eq!(giving_way.attempts(), 8);
    }

    #[test]
    fn an_endpoint_is_asked_later_when_it_wants_but_not_at_any_time() {
        let mut giving_way = GivingWay::new(BackOff::default());
        let mut next = |asked: u64| giving_way.next(Some(Duration::from_secs(asked)));
        assert_eq!(next(0), Some(Duration::from_millis(100)));
        assert_eq!(next(3), Some(Duration::from_secs(3)));
        assert_eq!(next(3_600), Some(Duration::from_secs(10)));
    }

    #[test]
    fn time_is_bounded_too() {
        let back_off = BackOff { total: Duration::from_millis(250), ..BackOff::default() };
        let mut giving_way = GivingWay::new(back_off);
        assert!(giving_way.next(None).is_some() && giving_way.next(None).is_some());
        assert_eq!(giving_way.next(None), None);
    }
}
