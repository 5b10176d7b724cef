//! Decides whether short work is done on the caller's thread, or on one that may block.
//!
//! Handing work to another thread and being woken when it is done costs tens of microseconds and two context switches,
//! as much as writing a small file to memory. So short work that has recently been quick is done at once. Where it was
//! slow, as on a slow disk or over a network, it goes to a thread.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// The time that handing over takes.
const QUICK: Duration = Duration::from_micros(50);

/// The weight of the last call in the smoothed time is one in this many. One slow call among a hundred quick ones
/// shows.
const WEIGHT: u64 = 8;

/// How long short work took recently, in nanoseconds, smoothed.
#[derive(Debug)]
pub(super) struct Pace(AtomicU64);

impl Default for Pace {
    /// Slow, until it is known.
    fn default() -> Self {
        Self(AtomicU64::new(nanoseconds(2 * QUICK)))
    }
}

impl Pace {
    /// Whether short work is best done at once.
    pub(super) fn is_quick(&self) -> bool {
        self.0.load(Ordering::Relaxed) <= nanoseconds(QUICK)
    }

    /// Does the work, and remembers how long it took.
    pub(super) fn time<T>(&self, work: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let done = work();
        self.took(begun.elapsed());
        done
    }

    /// Of two updates at the same time one may be lost, which does no harm: this is an estimate.
    fn took(&self, time: Duration) {
        let before = self.0.load(Ordering::Relaxed);
        self.0.store(before - before / WEIGHT + nanoseconds(time) / WEIGHT, Ordering::Relaxed);
    }
}

/// Less than 300 years: sums do not overflow.
fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX).min(u64::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_micros(20);

    #[test]
    fn work_is_slow_until_it_was_quick() {
        let pace = Pace::default();
        assert!(!pace.is_quick());
        assert_eq!(pace.time(|| 7), 7);
        for _ in 0..20 {
            pace.took(SHORT);
        }
        assert!(pace.is_quick());
    }

    #[test]
    fn a_slow_call_is_remembered_for_a_while() {
        let pace = Pace::default();
        (0..100).for_each(|_| pace.took(SHORT));
        pace.took(Duration::from_millis(5));
        assert!(!pace.is_quick());
        (0..10).for_each(|_| pace.took(SHORT));
        assert!(!pace.is_quick());
        (0..100).for_each(|_| pace.took(SHORT));
        assert!(pace.is_quick());
    }

    #[test]
    fn no_time_is_too_long() {
        let pace = Pace::default();
        (0..100).for_each(|_| pace.took(Duration::MAX));
        assert!(!pace.is_quick());
    }
}
