//! Moments by the clock of WASI.

use std::{pin::Pin, time::Duration};

use crate::backend::clock::sleep;

/// One moment after another, each so long after the one before was noticed.
pub(super) struct Interval {
    period: Duration,
    next: Pin<Box<dyn Future<Output = ()>>>,
}

impl Interval {
    pub(super) fn of(period: Duration) -> Self {
        Self { period, next: Box::pin(sleep(period)) }
    }

    pub(super) async fn tick(&mut self) {
        self.next.as_mut().await;
        self.next = Box::pin(sleep(self.period));
    }
}
