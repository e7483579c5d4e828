//! Notices that an endpoint is gone, so that a run ends in seconds and not after as
//! many time-outs as it has cases.
//!
//! A doubt comes up when a case ends without an answer, or when for a while nothing at
//! all was answered while requests are under way. Then no new case begins, and the
//! endpoint is asked for something cheap on a fresh connection. Any answer, to this or
//! to a case, ends the doubt: an endpoint that is slow, or hangs on one operation, is
//! not gone.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use tokio::time::Interval;

use crate::client::{Client, Signs};
use crate::wire::FailureKind;

/// So long without any answer to requests under way is a doubt.
const QUIET: Duration = Duration::from_secs(5);

/// How long the endpoint may take for the cheap request at least, unless cases wait
/// less.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who once took long may take this many times as long.
const SLOWER: u32 = 4;

/// Between two cheap requests.
const PAUSE: Duration = Duration::from_millis(200);

/// How often the silence is looked at.
const TICK: Duration = Duration::from_millis(500);

/// What the failures of cheap requests must weigh together.
const CERTAIN: usize = 8;

/// Cases in a row whose connections broke, before that is a doubt: it is not yet
/// silence.
const BROKEN_IN_A_ROW: usize = 3;

/// After so many cases in a row without any answer, over so many different requests,
/// the run stops, whatever is answered to the cheap one.
const UNANSWERED_IN_A_ROW: usize = 10;
const UNANSWERED_REQUESTS: usize = 3;

/// Why a case ended without an answer to judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unanswered {
    /// The step's label: an operation, or method and path.
    pub request: String,
    /// What came instead.
    pub doubt: Doubt,
}

/// What came instead of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// A failure.
    Failed(FailureKind),
    /// Answers that ask for fewer requests, as often as was tried.
    Throttled,
}

/// Watches over an endpoint while cases run.
#[derive(Debug)]
pub(super) struct Breaker {
    client: Client,
    /// The last case that was answered.
    last: Option<String>,
    /// Cases without any answer since somebody got one.
    in_a_row: usize,
    /// What they asked for.
    requests: BTreeSet<String>,
    /// Answers when that was last looked at.
    answers: u64,
    /// Ends with how the endpoint is gone, or nothing if it is there.
    check: Option<JoinHandle<Option<String>>>,
    tick: Interval,
    /// Since when nothing was answered.
    quiet_since: (Instant, u64),
}

impl Breaker {
    pub(super) fn new(client: Client) -> Self {
        let answers = client.signs().answers;
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let quiet_since = (Instant::now(), answers);
        let (last, requests) = (None, BTreeSet::new());
        Self { client, last, in_a_row: 0, requests, answers, check: None, tick, quiet_since }
    }

    /// Whether it is open if the endpoint is there: no case should begin.
    pub(super) fn doubts(&self) -> bool {
        self.check.is_some()
    }

    /// Takes note of how a case ended; why the run must stop, if it must. `more` says
    /// that there are cases which a doubt would concern.
    pub(super) fn note(&mut self, case: &str, unanswered: Option<&Unanswered>, more: bool) -> Option<String> {
        use FailureKind::{Broken, Connect, Request, TimedOut, Tls, TooLarge};
        let Some(Unanswered { request, doubt }) = unanswered else {
            self.last = Some(case.to_owned());
            self.forget();
            return None;
        };
        match doubt {
            // Nothing was asked: that says nothing of the endpoint.
            Doubt::Failed(Request) => return None,
            // So much of an answer that it was not read to the end.
            Doubt::Failed(TooLarge) => {
                self.forget();
                return None;
            }
            Doubt::Failed(Connect | Tls | TimedOut | Broken) | Doubt::Throttled => {}
        }
        if self.client.signs().answers != self.answers {
            self.forget();
        }
        self.in_a_row += 1;
        self.requests.insert(request.clone());
        // Whoever is gone is told so with the reason, which the check knows.
        let checked = self.check.is_none();
        if checked && self.in_a_row >= UNANSWERED_IN_A_ROW && self.requests.len() >= UNANSWERED_REQUESTS {
            let what = if *doubt == Doubt::Throttled { "only throttled answers" } else { "no answer" };
            return Some(format!("{what} came for {} cases in a row, last {case}{}", self.in_a_row, self.last()));
        }
        let is_doubt = *doubt != Doubt::Failed(Broken) || self.in_a_row >= BROKEN_IN_A_ROW;
        if is_doubt && more && self.check.is_none() {
            self.check = Some(tokio::spawn(gone(self.client.clone(), *doubt)));
        }
        None
    }

    fn forget(&mut self) {
        self.in_a_row = 0;
        self.requests.clear();
        self.answers = self.client.signs().answers;
    }

    /// Waits until a doubt has ended; why the run must stop, if it must. Nothing is
    /// lost when this is dropped and called again.
    pub(super) async fn watch(&mut self) -> Option<String> {
        loop {
            if let Some(check) = &mut self.check {
                let gone = check.await.unwrap_or_default();
                self.check = None;
                self.quiet_since.0 = Instant::now();
                return gone.map(|how| format!("{how}{}", self.last()));
            }
            self.tick.tick().await;
            if self.is_quiet(self.client.signs()) {
                let silence = Doubt::Failed(FailureKind::TimedOut);
                self.check = Some(tokio::spawn(gone(self.client.clone(), silence)));
            }
        }
    }

    /// Whether nothing was answered for long.
    fn is_quiet(&mut self, signs: Signs) -> bool {
        if signs.under_way == 0 || signs.answers != self.quiet_since.1 {
            self.quiet_since = (Instant::now(), signs.answers);
        }
        // Who has never answered may be slow: that is for the first time-out to tell.
        signs.answers > 0 && self.quiet_since.0.elapsed() >= QUIET.max(signs.slowest * SLOWER)
    }

    fn last(&self) -> String {
        match &self.last {
            Some(case) => format!("; the last case that it answered was {case}"),
            None => "; it answered no case".to_owned(),
        }
    }
}

impl Drop for Breaker {
    fn drop(&mut self) {
        if let Some(check) = &self.check {
            check.abort();
        }
    }
}

/// How an endpoint is gone, as a sentence; nothing if it is there.
///
/// Takes at most two times the longer of 5 s and four times as long as the slowest
/// answer took, and two time-outs of the client, plus a second.
pub(super) async fn gone(client: Client, doubt: Doubt) -> Option<String> {
    let before = client.signs();
    let within = PATIENCE.max(before.slowest * SLOWER).min(client.limits().response_timeout);
    let mut weight = 0;
    loop {
        let begun = Instant::now();
        let (how, weighs) = match client.check(within).await {
            Ok(response) if doubt == Doubt::Throttled && response.is_throttled() => {
                ("the endpoint throttles every request".to_owned(), 4)
            }
            Ok(_) => return None,
            Err(failure) => match failure.kind {
                FailureKind::TooLarge | FailureKind::Request => return None,
                FailureKind::Broken => (format!("the endpoint is gone: {failure}"), 1),
                FailureKind::Connect | FailureKind::Tls if begun.elapsed() < PATIENCE / 2 => {
                    (format!("the endpoint is gone: {failure}"), 3)
                }
                _ => (format!("the endpoint is gone: {failure}"), 4),
            },
        };
        if client.signs().answers != before.answers {
            return None;
        }
        weight += weighs;
        if weight >= CERTAIN {
            return Some(how);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Breaker, Doubt, FailureKind, QUIET, Unanswered};
    use crate::client::{Client, Signs};

    fn unanswered(request: &str, kind: FailureKind) -> Unanswered {
        Unanswered { request: request.to_owned(), doubt: Doubt::Failed(kind) }
    }

    fn breaker() -> Breaker {
        Breaker::new(Client::open("http://127.0.0.1:1", Duration::from_secs(1)).expect("an address"))
    }

    #[tokio::test]
    async fn silence_on_several_requests_stops_a_run_and_on_one_it_does_not() {
        let mut one = breaker();
        let silent = unanswered("A", FailureKind::TimedOut);
        assert!((0..100).all(|_| one.note("x", Some(&silent), true).is_none()));
        let mut many = breaker();
        assert_eq!(many.note("good", None, false), None);
        let stops: Vec<_> = (1..=10)
            .map(|number| many.note("x", Some(&unanswered(&format!("A{number}"), FailureKind::TimedOut)), false))
            .collect();
        assert!(stops[..9].iter().all(Option::is_none));
        let expected = "no answer came for 10 cases in a row, last x; the last case that it answered was good";
        assert_eq!(stops[9].as_deref(), Some(expected));
    }

    #[tokio::test]
    async fn a_doubt_comes_up_at_once_and_at_broken_connections_later() {
        let mut breaker = breaker();
        let broken = unanswered("A", FailureKind::Broken);
        breaker.note("a", Some(&broken), true);
        breaker.note("b", Some(&broken), true);
        breaker.note("c", Some(&unanswered("A", FailureKind::Request)), true);
        breaker.note("d", Some(&unanswered("A", FailureKind::TooLarge)), true);
        breaker.note("e", Some(&broken), true);
        breaker.note("f", Some(&broken), true);
        assert!(!breaker.doubts());
        breaker.note("g", Some(&broken), true);
        assert!(breaker.doubts());
        // Nobody listens on port 1.
        let gone = breaker.watch().await.expect("it is gone");
        assert!(gone.starts_with("the endpoint is gone: no connection: "), "{gone}");
        assert!(gone.ends_with("; it answered no case") && !breaker.doubts(), "{gone}");
    }

    #[tokio::test]
    async fn it_is_quiet_only_while_somebody_waits_longer_than_is_usual() {
        let mut breaker = breaker();
        let signs = |answers, slowest, under_way| Signs { answers, slowest: Duration::from_secs(slowest), under_way };
        let mut after = |signs: Signs| {
            let long_ago = Instant::now().checked_sub(QUIET + Duration::from_secs(1)).expect("it runs that long");
            breaker.quiet_since = (long_ago, 7);
            breaker.is_quiet(signs)
        };
        assert!(after(signs(7, 1, 2)));
        assert!(!after(signs(8, 1, 2)), "somebody was answered");
        assert!(!after(signs(7, 1, 0)), "nobody waits");
        assert!(!after(signs(7, 2, 2)), "it is known to be slow");
    }
}
