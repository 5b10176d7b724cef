//! An even rate, whatever the size of the pieces.

use std::{
    num::NonZeroU64,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;

use crate::backend::clock::{Instant, sleep_until};

/// Further ahead than anybody waits, but not so far that adding to it overflows.
const FAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// A schedule with an even rate: each amount gets the time it takes, after those before it. It is the generic cell rate
/// algorithm (ITU-T I.371) without a burst. Idle time is not saved up, and no amount is too large: it just takes its
/// time. The rate may change: what waits already keeps its time, and without one nothing more passes.
#[derive(Debug)]
pub(super) struct Pace {
    schedule: Mutex<Schedule>,
    changed: Notify,
}

#[derive(Debug)]
struct Schedule {
    per_second: Option<NonZeroU64>,
    free_at: Instant,
}

impl Pace {
    pub(super) fn new(per_second: Option<NonZeroU64>) -> Self {
        let schedule = Schedule { per_second, free_at: Instant::now() };
        Self { schedule: Mutex::new(schedule), changed: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Schedule> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The rate from now on; `None`: nothing passes.
    #[cfg(feature = "cluster")]
    pub(super) fn set(&self, per_second: Option<NonZeroU64>) {
        self.lock().per_second = per_second;
        self.changed.notify_waiters();
    }

    /// Waits for one turn.
    pub(super) async fn turn(&self) {
        let (start, _) = self.scheduled(1).await;
        sleep_until(start).await;
    }

    /// Waits as long as the amount takes.
    pub(super) async fn pass(&self, amount: u64) {
        if amount > 0 {
            let (_, end) = self.scheduled(amount).await;
            sleep_until(end).await;
        }
    }

    /// When the amount begins and ends to pass, as soon as anything does.
    async fn scheduled(&self, amount: u64) -> (Instant, Instant) {
        loop {
            let changed = self.changed.notified(); // from here on nothing is missed
            match self.schedule(amount, Instant::now()) {
                Some(times) => return times,
                None => changed.await,
            }
        }
    }

    /// When the amount would begin and end to pass, if it were asked for now.
    fn schedule(&self, amount: u64, now: Instant) -> Option<(Instant, Instant)> {
        let Schedule { per_second, free_at } = &mut *self.lock();
        let per_second = (*per_second)?;
        let duration = Duration::from_secs(amount / per_second)
            .saturating_add(Duration::from_nanos(amount % per_second * 1_000_000_000 / per_second));
        let start = (*free_at).clamp(now, now + FAR);
        *free_at = start + duration.min(FAR);
        Some((start, *free_at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(per_second: u64) -> Pace {
        Pace::new(NonZeroU64::new(per_second))
    }

    #[test]
    fn any_rate_is_kept() {
        for (per_second, amount, seconds) in [(1, 100, 100), (100, 100, 1), (32_767, 65_534, 2)] {
            let (pace, now) = (pace(per_second), Instant::now());
            let mut end = now;
            for piece in [amount / 2, 0, 1, amount - amount / 2 - 1] {
                (_, end) = pace.schedule(piece, now).unwrap();
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
            let starts = [0, 1, 2].map(|_| (pace.schedule(1, now).unwrap().0 - now).as_millis());
            assert_eq!(starts, [0, 100, 200]);
        }
    }

    #[cfg(feature = "cluster")]
    #[tokio::test(start_paused = true)]
    async fn a_rate_may_change_and_without_one_all_wait() {
        let (pace, begun) = (pace(0), tokio::time::Instant::now());
        let change = async {
            tokio::time::sleep(Duration::from_secs(7)).await;
            pace.set(NonZeroU64::new(10));
            tokio::time::sleep(Duration::from_secs(2)).await;
            pace.set(NonZeroU64::new(1));
        };
        let pass = async {
            for _ in 0..3 {
                pace.pass(10).await;
            }
        };
        tokio::join!(change, pass);
        // Seven without a rate, and one and one and ten.
        assert_eq!(begun.elapsed().as_secs(), 19);
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
