//! The monotonic clock of WASI.

use std::time::Duration;

use tokio::time::Instant;
use wasip3::clocks::monotonic_clock::wait_for;

use crate::backend::task::here;

/// It took too long.
#[cfg(feature = "cloud")]
pub(in crate::backend) struct Elapsed;

/// Waits for so long.
pub(crate) async fn sleep(duration: Duration) {
    if !duration.is_zero() {
        here(wait_for(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))).await;
    }
}

/// Waits until then.
pub(in crate::backend) async fn sleep_until(instant: Instant) {
    sleep(instant.saturating_duration_since(Instant::now())).await;
}

/// Gives it so much time; without it, it is dropped.
#[cfg(feature = "cloud")]
pub(in crate::backend) async fn timeout<F: Future>(limit: Duration, future: F) -> Result<F::Output, Elapsed> {
    use std::pin::pin;

    use futures::future::{Either, select};

    match select(pin!(future), pin!(sleep(limit))).await {
        Either::Left((output, _)) => Ok(output),
        Either::Right(_) => Err(Elapsed),
    }
}
