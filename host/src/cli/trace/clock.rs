//! The time of spans: that of day, which goes on evenly whatever becomes of the clock of the machine.

use tokio::time::Instant;

use crate::Timestamp;

/// Nanoseconds since 1970, from a moment on.
#[derive(Debug)]
pub(super) struct Clock {
    nanoseconds: u64,
    at: Instant,
}

impl Clock {
    pub(super) fn new() -> Self {
        let Timestamp { seconds, nanoseconds } = Timestamp::now();
        let seconds = u64::try_from(seconds).unwrap_or_default();
        Self { nanoseconds: seconds * 1_000_000_000 + u64::from(nanoseconds), at: Instant::now() }
    }

    pub(super) fn now(&self) -> u64 {
        let elapsed = u64::try_from(self.at.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.saturating_add(elapsed)
    }
}
