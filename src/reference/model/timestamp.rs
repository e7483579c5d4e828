//! Points in time, to the millisecond as the service shows them.

use serde::{Deserialize, Serialize};

/// Milliseconds since the epoch; may be negative, as clients may say anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since the epoch.
    pub fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// From seconds since the epoch, rounded to the millisecond. What is out of
    /// range becomes the nearest end of it; no number becomes the epoch.
    pub fn from_seconds(seconds: f64) -> Self {
        // A float's cast saturates, which is what the doc promises.
        Self((seconds * 1000.0).round() as i64)
    }

    /// Milliseconds since the epoch.
    pub fn millis(self) -> i64 {
        self.0
    }

    /// Seconds since the epoch with a fraction, as on the wire.
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// So many milliseconds later.
    #[must_use]
    pub fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[test]
    fn seconds_keep_their_milliseconds() {
        assert_eq!(Timestamp::from_seconds(1_577_836_800.123).millis(), 1_577_836_800_123);
        assert_eq!(format!("{}", Timestamp::from_millis(1_577_836_800_123).seconds()), "1577836800.123");
        assert_eq!(Timestamp::from_seconds(f64::INFINITY).millis(), i64::MAX);
        assert_eq!(Timestamp::from_seconds(f64::NAN).millis(), 0);
    }
}
