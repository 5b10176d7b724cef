//! Whether short work is done where its caller is, or on a thread that may block.
//!
//! To hand work to another thread and to be woken when it is done costs tens of microseconds and two changes of
//! context, which is as much as it takes to write a small file to memory. So short work that was quick of late is done
//! at once. Where it was slow, as on a disk that is waited for or over a network, it goes to a thread.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// What takes no longer than a hand-over.
const QUICK: Duration = Duration::from_micros(50);

/// How much of the smoothed time the last one is: one part in so many. One slow call in a hundred quick ones shows.
const WEIGHT: u64 = 8;

/// How long short work took of late, in nanoseconds, smoothed.
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

    /// Two at the same time may lose one of them: it is no count.
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
