//! Points in time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A point in time: seconds and nanoseconds since 1970-01-01T00:00:00Z. The nanoseconds count forward, also for times
/// before 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    /// Whole seconds, rounded down.
    pub seconds: i64,
    /// Below 1_000_000_000.
    pub nanoseconds: u32,
}

impl Timestamp {
    /// The time of the system's clock.
    #[must_use]
    pub fn now() -> Self {
        #[allow(clippy::disallowed_methods, reason = "this is where the time of day comes from")]
        let now = SystemTime::now();
        now.into()
    }

    /// How much later this time is than the other, in nanoseconds; negative if it is earlier.
    ///
    /// ```
    /// use omnistorage_types::Timestamp;
    ///
    /// let (before, after) = (Timestamp { seconds: -1, nanoseconds: 999_999_999 }, Timestamp { seconds: 0, nanoseconds: 1 });
    /// assert_eq!(after.nanoseconds_since(before), 2);
    /// assert_eq!(before.nanoseconds_since(after), -2);
    /// ```
    #[must_use]
    pub fn nanoseconds_since(self, other: Self) -> i128 {
        self.since_epoch() - other.since_epoch()
    }

    fn since_epoch(self) -> i128 {
        i128::from(self.seconds) * 1_000_000_000 + i128::from(self.nanoseconds)
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => Self {
                seconds: i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
                nanoseconds: after.subsec_nanos(),
            },
            Err(before) => {
                let before: Duration = before.duration();
                let seconds = i64::try_from(before.as_secs()).map_or(i64::MIN, |seconds| -seconds);
                match before.subsec_nanos() {
                    0 => Self { seconds, nanoseconds: 0 },
                    nanoseconds => {
                        Self { seconds: seconds.saturating_sub(1), nanoseconds: 1_000_000_000 - nanoseconds }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_before_1970_count_forward() {
        let half_a_second_before = UNIX_EPOCH - Duration::from_millis(500);
        assert_eq!(
            Timestamp::from(half_a_second_before),
            Timestamp { seconds: -1, nanoseconds: 500_000_000 }
        );
        assert_eq!(Timestamp::from(UNIX_EPOCH), Timestamp { seconds: 0, nanoseconds: 0 });
    }
}
