//! The one place that reads the clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::model::Timestamp;

/// A server's clock.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Clock {
    /// By how much it is ahead of the machine's; behind if negative.
    offset_millis: i64,
}

impl Clock {
    /// A clock that is this many seconds ahead of the machine's, or behind it.
    pub(super) fn ahead(seconds: i64) -> Self {
        Self { offset_millis: seconds.saturating_mul(1_000) }
    }

    /// The present moment.
    pub(super) fn now(self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX));
        now.plus_millis(self.offset_millis)
    }

    /// Whether it differs from the machine's.
    pub(super) fn is_off(self) -> bool {
        self.offset_millis != 0
    }
}

/// A length of time as people write it: a whole number and one of `ms`, `s`, `m`, `h` and
/// `d`, such as `500ms` or `25h`. None when it is written otherwise, or too long to be
/// counted in milliseconds.
pub fn duration(text: &str) -> Option<Duration> {
    let end = text.find(|character: char| !character.is_ascii_digit())?;
    let (number, unit) = text.split_at(end);
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(millis).map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rstest::rstest;

    use super::{Clock, duration};

    #[rstest]
    #[case("0s", Some(0))]
    #[case("500ms", Some(500))]
    #[case("2s", Some(2_000))]
    #[case("5m", Some(300_000))]
    #[case("25h", Some(90_000_000))]
    #[case("1d", Some(86_400_000))]
    #[case("2", None)]
    #[case("s", None)]
    #[case("", None)]
    #[case("1.5s", None)]
    #[case("-1s", None)]
    #[case("1 s", None)]
    #[case("99999999999999999d", None)]
    #[case("99999999999999999999s", None)]
    fn lengths_of_time_are_read(#[case] text: &str, #[case] millis: Option<u64>) {
        assert_eq!(duration(text), millis.map(Duration::from_millis));
    }

    #[test]
    fn a_clock_may_be_off() {
        let (right, ahead, behind) = (Clock::default(), Clock::ahead(3_600), Clock::ahead(-86_400));
        assert!(!right.is_off() && ahead.is_off() && behind.is_off());
        let off = |clock: Clock| clock.now().millis() - right.now().millis();
        assert!((3_600_000..3_660_000).contains(&off(ahead)));
        assert!((-86_460_000..=-86_400_000 + 60_000).contains(&off(behind)));
    }
}
