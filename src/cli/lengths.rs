//! Lengths of time as they are typed.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::reference::duration;

/// What may be typed.
const FORM: &str =
    "a whole number of seconds, or one with its unit: `ms`, `s`, `m`, `h` or `d`, such as `500ms` or `2m`";

/// Reads a length of time with its unit, or a number of seconds.
pub(super) fn length(text: &str) -> Result<Duration, &'static str> {
    let seconds = || text.parse().ok().map(Duration::from_secs);
    duration(text).or_else(seconds).ok_or(FORM)
}

/// How long a whole response may take: 1 ms to 10 minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Timeout(Duration);

impl Timeout {
    const SHORTEST: Duration = Duration::from_millis(1);
    const LONGEST: Duration = Duration::from_mins(10);

    pub(super) fn length(self) -> Duration {
        self.0
    }
}

impl Default for Timeout {
    fn default() -> Self {
        Self(Duration::from_secs(30))
    }
}

impl FromStr for Timeout {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let length = length(text)?;
        let allowed = Self::SHORTEST..=Self::LONGEST;
        allowed.contains(&length).then_some(Self(length)).ok_or_else(|| "it must be from `1ms` to `10m`".to_owned())
    }
}

impl fmt::Display for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.subsec_millis() {
            0 => write!(f, "{}s", self.0.as_secs()),
            _ => write!(f, "{}ms", self.0.as_millis()),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("30", Some(30_000))]
    #[case("30s", Some(30_000))]
    #[case("500ms", Some(500))]
    #[case("10m", Some(600_000))]
    #[case("601", None)]
    #[case("11m", None)]
    #[case("0", None)]
    #[case("0ms", None)]
    #[case("1.5", None)]
    #[case("-1", None)]
    #[case("soon", None)]
    fn a_timeout_has_a_unit_or_is_in_seconds(#[case] text: &str, #[case] millis: Option<u64>) {
        let timeout = text.parse::<Timeout>().ok();
        assert_eq!(timeout.map(Timeout::length), millis.map(Duration::from_millis));
        // What is shown as a default can be typed.
        assert_eq!(timeout.and_then(|timeout| timeout.to_string().parse().ok()), timeout);
    }

    #[rstest]
    #[case("0", Some(0))]
    #[case("60", Some(60_000))]
    #[case("2h", Some(7_200_000))]
    #[case("2 h", None)]
    fn a_length_may_be_any(#[case] text: &str, #[case] millis: Option<u64>) {
        assert_eq!(length(text).ok(), millis.map(Duration::from_millis));
    }
}
