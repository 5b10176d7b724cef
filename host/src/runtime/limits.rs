//! What a component may use, and what happens when it wants more.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use wasmtime::{ResourceLimiter, UpdateDeadline};

/// The length of an epoch: how often a computing guest lets others run, and the grain of its time limit.
pub(super) const EPOCH: Duration = Duration::from_millis(10);

/// What a pool has room for in each table.
pub(super) const TABLE_ELEMENTS: usize = 20_000;

/// What one sandbox may use. Each is on by default; a guest that reaches one fails with
/// [`ErrorCode::LimitExceeded`](crate::ErrorCode::LimitExceeded) or, for time,
/// [`ErrorCode::Timeout`](crate::ErrorCode::Timeout), and every backend stays as it was.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of linear memory. Default 256 MiB.
    pub memory: usize,
    /// Elements of a table of functions. Default 20,000, which is also the most.
    pub table_elements: usize,
    /// Backends and listings open at once. Default 10,000.
    pub resources: usize,
    /// Bytes that one call may hand to the host. Default 64 MiB.
    pub hostcall_bytes: usize,
    /// Time that the guest may compute without calling the host or moving a byte. Default 30 seconds.
    pub guest_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 256 << 20,
            table_elements: TABLE_ELEMENTS,
            resources: 10_000,
            hostcall_bytes: 64 << 20,
            guest_time: Duration::from_secs(30),
        }
    }
}

/// Refuses growth beyond the limits, and remembers that it did: the guest dies of it without a word.
#[derive(Debug)]
pub(super) struct Growth {
    memory: usize,
    table_elements: usize,
    refused: bool,
}

impl Growth {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { memory: limits.memory, table_elements: limits.table_elements, refused: false }
    }

    /// Whether it ever refused.
    pub(super) fn refused(&self) -> bool {
        self.refused
    }

    fn allow(&mut self, desired: usize, limit: usize) -> bool {
        self.refused |= desired > limit;
        desired <= limit
    }
}

impl ResourceLimiter for Growth {
    fn memory_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.allow(desired, self.memory))
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.allow(desired, self.table_elements))
    }
}

/// Counts what the guest gets done: calls of the host, chunks moved.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress(Arc<AtomicU64>);

impl Progress {
    /// Something was done.
    pub(super) fn tick(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// What to do at the end of each epoch that the guest spends computing: yield to the host's other work, and trap
    /// a guest that has computed for longer than `limit` without getting anything done. Waiting does not count: no
    /// epoch ends in the guest while the host works for it.
    pub(super) fn deadline<T>(
        &self,
        limit: Duration,
    ) -> impl FnMut(wasmtime::StoreContextMut<'_, T>) -> wasmtime::Result<UpdateDeadline> + Send + Sync + use<T>
    {
        let progress = self.clone();
        let (mut seen, mut computed) = (u64::MAX, Duration::ZERO);
        move |_| {
            let now = progress.0.load(Ordering::Relaxed);
            computed = if now == seen { computed + EPOCH } else { Duration::ZERO };
            seen = now;
            Ok(if computed > limit { UpdateDeadline::Interrupt } else { UpdateDeadline::Yield(1) })
        }
    }
}
