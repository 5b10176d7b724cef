//! The least rate of a body that is waited for.
//!
//! A server that sends a byte now and then never lets a timeout pass, and would keep a read for ever. curl ends such a
//! transfer by `--speed-limit` and `--speed-time`, and the SDKs of AWS by their stalled stream protection. As there, the
//! time counts in which the server is waited for, and not the time that the reader takes.

use std::time::Duration;

/// Bytes that a body must bring in each second that it is waited for, in the mean of a whole window.
const LEAST: u64 = 1024;

/// How much a body brought in the time that it was waited for.
#[derive(Debug)]
pub(super) struct Throughput {
    window: Duration,
    waited: Duration,
    bytes: u64,
}

impl Throughput {
    /// Of a body that begins; it is judged at the end of each window.
    pub(super) fn new(window: Duration) -> Self {
        Self { window, waited: Duration::ZERO, bytes: 0 }
    }

    /// The bytes that are enough for a window: one at least.
    pub(super) fn enough(&self) -> u64 {
        u64::try_from(u128::from(LEAST) * self.window.as_millis() / 1000).unwrap_or(u64::MAX).max(1)
    }

    /// Takes note of a piece, and of how long it was waited for. `false`: that is too slow to go on.
    pub(super) fn goes_on(&mut self, waited: Duration, bytes: usize) -> bool {
        self.waited += waited;
        self.bytes = self.bytes.saturating_add(bytes as u64);
        if self.waited < self.window {
            return true;
        }
        let is_enough = self.bytes >= self.enough();
        *self = Self::new(self.window);
        is_enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_drip_is_too_slow_and_a_thin_line_is_not() {
        let mut drip = Throughput::new(60 * SECOND);
        assert_eq!((0..100).take_while(|_| drip.goes_on(5 * SECOND, 1)).count(), 11);
        let mut thin = Throughput::new(60 * SECOND);
        assert!((0..1000).all(|_| thin.goes_on(SECOND, 1024)));
        // A pause is made up for by what comes before or behind it.
        let mut uneven = Throughput::new(60 * SECOND);
        assert!((0..100).all(|_| uneven.goes_on(55 * SECOND, 0) && uneven.goes_on(5 * SECOND, 60 * 1024)));
    }

    #[test]
    fn what_is_not_waited_for_takes_no_time() {
        let mut slowly_read = Throughput::new(60 * SECOND);
        assert!((0..100_000).all(|_| slowly_read.goes_on(Duration::ZERO, 1)));
        assert_eq!(Throughput::new(Duration::from_millis(1)).enough(), 1);
        assert_eq!(Throughput::new(Duration::MAX).enough(), u64::MAX);
    }
}
