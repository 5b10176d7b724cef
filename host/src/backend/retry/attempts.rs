//! When to try again, and when to give up.

use std::time::Duration;

use super::RetryOptions;
use crate::{
    Error, Result,
    backend::clock::{Instant, sleep},
};

/// The attempts at one thing.
#[derive(Clone, Debug)]
pub(in crate::backend) struct Attempts {
    options: RetryOptions,
    started: Instant,
    made: u32,
}

impl Attempts {
    pub(in crate::backend) fn new(options: RetryOptions) -> Self {
        Self { options, started: Instant::now(), made: 0 }
    }

    /// Counts one that failed, and waits until the next, for as long as the store asks at least; `false` if there will
    /// be none.
    pub(in crate::backend) async fn again(&mut self, asked: Option<Duration>) -> bool {
        self.made += 1;
        let asked = asked.unwrap_or_default();
        if self.are_used_up() || asked > self.options.max_delay {
            return false;
        }
        let delay = self.options.pause(self.made).max(asked);
        tracing::debug!(attempts = self.made, ?delay, "trying again");
        sleep(delay).await;
        true
    }

    /// Waits until the next attempt, or returns the error if there will be none.
    pub(in crate::backend) async fn again_after(&mut self, error: Error) -> Result<()> {
        if !error.may_pass() {
            return Err(error);
        }
        match self.again(error.retry_after()).await {
            true => Ok(()),
            false => Err(self.given_up(error)),
        }
    }

    /// The error of the last attempt. Nobody further out repeats what was repeated here; but a store that asked for a
    /// longer pause than this one waits may get it there.
    pub(in crate::backend) fn given_up(&self, error: Error) -> Error {
        let attempts = if self.made == 1 { "attempt" } else { "attempts" };
        let error = error.with_note(format_args!(
            "gave up after {} {attempts} in {:.1} s",
            self.made,
            self.started.elapsed().as_secs_f64()
        ));
        if self.are_used_up() { self.options.used_up(error) } else { error }
    }

    fn are_used_up(&self) -> bool {
        self.made >= self.options.attempts.get()
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
            let delays: Vec<_> = (0..50).map(|_| OPTIONS.pause(made)).collect();
            let range = Duration::from_millis(least)..=Duration::from_millis(most);
            assert!(delays.iter().all(|delay| range.contains(delay)), "{made}: {delays:?}");
            assert!(delays.iter().any(|delay| *delay != delays[0]), "{made}: all are alike");
        }
    }

    #[tokio::test]
    async fn who_tried_is_marked_and_what_is_marked_is_not_tried() {
        let busy = || Error::new(ErrorCode::Unavailable, "busy");
        for (most, is_given_up) in [(1, false), (2, true), (3, true)] {
            let attempts = NonZeroU32::new(most).unwrap();
            let mut attempts = Attempts::new(RetryOptions { attempts, delay: Duration::ZERO, ..OPTIONS });
            for _ in 1..most {
                attempts.again_after(busy()).await.unwrap();
            }
            let error = attempts.again_after(busy()).await.unwrap_err();
            assert_eq!((error.is_given_up(), error.may_pass()), (is_given_up, !is_given_up), "{most}");
        }
        let marked = Attempts::new(OPTIONS).again_after(busy().given_up()).await.unwrap_err();
        assert_eq!(marked, busy().given_up());
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
        assert_eq!((error.retry_after(), error.is_given_up()), (Some(Duration::from_secs(3600)), false));
    }
}
