//! When to try again, and when to give up.

use std::{
    hash::{BuildHasher, RandomState},
    time::{Duration, Instant},
};

use super::RetryOptions;
use crate::{Error, Result};

/// The attempts at one thing.
pub(super) struct Attempts {
    options: RetryOptions,
    started: Instant,
    made: u32,
}

impl Attempts {
    pub(super) fn new(options: RetryOptions) -> Self {
        Self { options, started: Instant::now(), made: 0 }
    }

    /// Waits until the next attempt, or returns the error if there will be none.
    pub(super) async fn again_after(&mut self, error: Error) -> Result<()> {
        self.made += 1;
        if !error.code().is_retryable() {
            return Err(error);
        }
        let asked = error.retry_after().unwrap_or_default();
        if self.made >= self.options.attempts.get() || asked > self.options.max_delay {
            return Err(self.given_up(error));
        }
        let delay = self.delay().max(asked);
        tracing::debug!(attempts = self.made, ?delay, %error, "trying again");
        tokio::time::sleep(delay).await;
        Ok(())
    }

    /// The error of the last attempt.
    pub(super) fn given_up(&self, error: Error) -> Error {
        let attempts = if self.made == 1 { "attempt" } else { "attempts" };
        error.with_note(format_args!(
            "gave up after {} {attempts} in {:.1} s",
            self.made,
            self.started.elapsed().as_secs_f64()
        ))
    }

    /// Exponential, up to the longest wait, of which a random half is left out, so that callers that failed together do
    /// not come back together ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015; the variant "equal
    /// jitter").
    fn delay(&self) -> Duration {
        let doubled = 2_u32.saturating_pow(self.made.saturating_sub(1));
        let full = self.options.delay.saturating_mul(doubled).min(self.options.max_delay);
        // The keys of the standard library's hash maps are random.
        let random = RandomState::new().hash_one(self.made) as u32;
        full / 2 + (full / 2).mul_f64(f64::from(random) / f64::from(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::ErrorCode;

    const OPTIONS: RetryOptions = RetryOptions {
        attempts: NonZeroU32::new(100).unwrap(),
        delay: Duration::from_millis(100),
        max_delay: Duration::from_millis(1500),
    };

    #[test]
    fn delays_double_and_vary_and_have_an_end() {
        for (made, least, most) in
            [(1, 50, 100), (2, 100, 200), (4, 400, 800), (5, 750, 1500), (99, 750, 1500)]
        {
            let attempts = Attempts { made, ..Attempts::new(OPTIONS) };
            let delays: Vec<_> = (0..50).map(|_| attempts.delay()).collect();
            let range = Duration::from_millis(least)..=Duration::from_millis(most);
            assert!(delays.iter().all(|delay| range.contains(delay)), "{made}: {delays:?}");
            assert!(delays.iter().any(|delay| *delay != delays[0]), "{made}: all are alike");
        }
    }

    #[tokio::test]
    async fn what_the_store_asks_for_is_kept() {
        let asking = |after| Error::new(ErrorCode::RateLimited, "slow down").with_retry_after(after);
        let options = RetryOptions { delay: Duration::ZERO, ..OPTIONS };
        let (mut attempts, start) = (Attempts::new(options), Instant::now());
        attempts.again_after(asking(Duration::from_millis(60))).await.unwrap();
        assert!(start.elapsed() >= Duration::from_millis(60));
        let error = attempts.again_after(asking(Duration::from_secs(3600))).await.unwrap_err();
        assert!(error.message().starts_with("slow down; gave up after 2 attempts in 0."), "{error}");
        assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
    }
}
