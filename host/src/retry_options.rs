//! How often and how soon to try again.

use std::{
    hash::{BuildHasher, RandomState},
    num::NonZeroU32,
    time::Duration,
};

use crate::Error;

/// How often and how soon to try again: of the decorator [`Retry`](crate::backend::retry::Retry), and of the backends that speak to a network, each request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryOptions {
    /// Attempts in all, the first one included. Default: 5.
    pub attempts: NonZeroU32,
    /// The wait after the first attempt, which doubles with each further one. Default: 200 ms.
    pub delay: Duration,
    /// The longest wait. A store that asks for a longer one is not asked again. Default: 30 s.
    pub max_delay: Duration,
}

impl Default for RetryOptions {
    fn default() -> Self {
        Self {
            attempts: const { NonZeroU32::new(5).unwrap() },
            delay: Duration::from_millis(200),
            max_delay: Duration::from_secs(30),
        }
    }
}

impl RetryOptions {
    /// The wait after so many attempts. Exponential, up to the longest wait, of which a random half is left out, so that
    /// callers that failed together do not come back together ("Exponential Backoff And Jitter", AWS Architecture Blog,
    /// 2015; the variant "equal jitter").
    pub(crate) fn pause(&self, made: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(made.saturating_sub(1));
        let full = self.delay.saturating_mul(doubled).min(self.max_delay);
        // The keys of the standard library's hash maps are random.
        let random = RandomState::new().hash_one(made) as u32;
        full / 2 + (full / 2).mul_f64(f64::from(random) / f64::from(u32::MAX))
    }

    /// The error of what all attempts were made at. A single one is no reason for others not to try again.
    pub(crate) fn used_up(&self, error: Error) -> Error {
        if self.attempts.get() > 1 { error.given_up() } else { error }
    }
}
