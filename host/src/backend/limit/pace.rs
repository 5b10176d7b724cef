//! An even rate, whatever the size of the pieces.

use std::{
    num::NonZeroU64,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::backend::clock::{Instant, sleep_until};

/// Further ahead than anybody waits, but not so far that adding to it overflows.
const FAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// A schedule with an even rate: each amount gets the time it takes, after those before it. It is the generic cell rate
/// algorithm (ITU-T I.371) without a burst. Idle time is not saved up, and no amount is too large: it just takes its
/// time.
#[derive(Debug)]
pub(super) struct Pace {
    per_second: NonZeroU64,
    free_at: Mutex<Instant>,
}

impl Pace {
    pub(super) fn new(per_second: NonZeroU64) -> Self {
        Self { per_second, free_at: Mutex::new(Instant::now()) }
    }

    /// Waits for one turn.
    pub(super) async fn turn(&self) {
        let (start, _) = self.schedule(1, Instant::now());
        sleep_until(start).await;
    }

    /// Waits as long as the amount takes.
    pub(super) async fn pass(&self, amount: u64) {
        if amount > 0 {
            let (_, end) = self.schedule(amount, Instant::now());
            sleep_until(end).await;
        }
    }

    /// When the amount would begin and end to pass, if it were asked for now.
    fn schedule(&self, amount: u64, now: Instant) -> (Instant, Instant) {
        let duration = Duration::from_secs(amount / self.per_second)
            .saturating_add(Duration::from_nanos(amount % self.per_second * 1_000_000_000 / self.per_second));
        let mut free_at = self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
        let start = (*free_at).clamp(now, now + FAR);
        *free_at = start + duration.min(FAR);
        (start, *free_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(per_second: u64) -> Pace {
        Pace::new(NonZeroU64::new(per_second).unwrap())
    }

    #[test]
    fn any_rate_is_kept() {
        for (per_second, amount, seconds) in [(1, 100, 100), (100, 100, 1), (32_767, 65_534, 2)] {
            let (pace, now) = (pace(per_second), Instant::now());
            let mut end = now;
            for piece in [amount / 2, 0, 1, amount - amount / 2 - 1] {
                (_, end) = pace.schedule(piece, now);
            }
            let difference = (end - now).as_millis().abs_diff(seconds * 1000);
            assert!(difference < 2, "{per_second} a second: {difference} ms off");
        }
    }

    #[test]
    fn turns_come_evenly_and_are_not_saved_up() {
        let (pace, now) = (pace(10), Instant::now());
        for later in [Duration::ZERO, Duration::from_secs(60)] {
            let now = now + later;
            let starts = [0, 1, 2].map(|_| (pace.schedule(1, now).0 - now).as_millis());
            assert_eq!(starts, [0, 100, 200]);
        }
    }

    #[tokio::test]
    async fn no_amount_is_too_large_and_a_wait_can_be_given_up() {
        let pace = pace(1);
        for _ in 0..3 {
            let waited = tokio::time::timeout(Duration::from_millis(1), pace.pass(u64::MAX)).await;
            assert!(waited.is_err());
        }
    }
}
