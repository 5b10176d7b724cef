//! What a backend is asked, how long it takes and how it fails, for logs, traces and metrics.
//!
//! Each call is a span of `tracing` at the level debug, and each end of a call an event in it. The fields bear names
//! that `tracing-opentelemetry` takes as they are: `otel.name`, `otel.kind` and `error.type` of the span (the last is
//! that of OpenTelemetry's semantic conventions), and of the events
//!
//! | field | is |
//! |---|---|
//! | `monotonic_counter.omnistorage.backend.calls` | calls |
//! | `histogram.omnistorage.backend.call.duration` | their duration, in seconds |
//! | `monotonic_counter.omnistorage.backend.io` | bytes of contents, by `omnistorage.direction` |
//!
//! A program without such a collector reads the same from [`Observe::metrics`].

use std::{
    future::Future,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use bytes::Bytes;
use tokio::time::Instant;
use tracing::{Instrument, Level, field};

use super::layer::{Call, Direction, Layer, Operation};
use crate::{Error, Result};

/// Counts calls and bytes, and tells `tracing` of them; see the [module](self).
///
/// ```
/// use std::sync::Arc;
/// use omnistorage::{
///     Backend, MemoryBackend, Path,
///     backend::{layer::{Layered, Operation}, observe::Observe},
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> omnistorage::Result<()> {
/// let backend = Layered::new(Arc::new(MemoryBackend::new()), Observe::default());
/// backend.write_all(&Path::parse("a")?, "12345".into(), &Default::default()).await?;
/// let metrics = backend.layer().metrics();
/// assert_eq!((metrics.calls(Operation::WriteAll), metrics.bytes_written()), (1, 5));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct Observe {
    metrics: Metrics,
}

impl Observe {
    /// What was counted so far.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    fn end(&self, call: Call<'_>, started: Instant, error: Option<&Error>) {
        let took = started.elapsed();
        self.metrics.count(call.operation, took, error.is_some());
        let code = error.map(|error| error.code().as_str());
        if let Some(code) = code {
            tracing::Span::current().record("error.type", code);
        }
        tracing::debug!(
            monotonic_counter.omnistorage.backend.calls = 1_u64,
            histogram.omnistorage.backend.call.duration = took.as_secs_f64(),
            omnistorage.backend = call.backend,
            omnistorage.operation = call.operation.as_str(),
            error.type = code,
        );
    }
}

impl Layer for Observe {
    async fn around<T: Send>(
        &self,
        call: Call<'_>,
        run: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        let span = tracing::span!(
            Level::DEBUG,
            "backend",
            otel.name = call.operation.as_str(),
            otel.kind = "client",
            omnistorage.backend = call.backend,
            omnistorage.operation = call.operation.as_str(),
            omnistorage.path = call.path.as_str(),
            error.type = field::Empty,
        );
        let observed = async {
            let started = Instant::now();
            let outcome = run.await;
            self.end(call, started, outcome.as_ref().err());
            outcome
        };
        observed.instrument(span).await
    }

    /// A body may have many chunks: they are counted, and only an error among them is an event.
    async fn chunk(
        &self,
        call: Call<'_>,
        next: impl Future<Output = Option<Result<Bytes>>> + Send,
    ) -> Option<Result<Bytes>> {
        let started = Instant::now();
        let chunk = next.await;
        match &chunk {
            Some(Err(error)) => self.end(call, started, Some(error)),
            Some(Ok(_)) | None => self.metrics.count(call.operation, started.elapsed(), false),
        }
        chunk
    }

    async fn bytes(&self, direction: Direction, count: u64) {
        let (total, name) = match direction {
            Direction::Read => (&self.metrics.bytes_read, "read"),
            Direction::Write => (&self.metrics.bytes_written, "write"),
        };
        total.fetch_add(count, Ordering::Relaxed);
        tracing::trace!(monotonic_counter.omnistorage.backend.io = count, omnistorage.direction = name);
    }
}

/// Counters of a backend, which only grow.
#[derive(Debug, Default)]
pub struct Metrics {
    operations: [OperationMetrics; Operation::ALL.len()],
    bytes_read: AtomicU64,
    bytes_written: AtomicU64,
}

#[derive(Debug, Default)]
struct OperationMetrics {
    calls: AtomicU64,
    errors: AtomicU64,
    nanoseconds: AtomicU64,
}

impl Metrics {
    fn of(&self, operation: Operation) -> &OperationMetrics {
        &self.operations[operation as usize]
    }

    fn count(&self, operation: Operation, took: Duration, failed: bool) {
        let of = self.of(operation);
        of.calls.fetch_add(1, Ordering::Relaxed);
        of.errors.fetch_add(u64::from(failed), Ordering::Relaxed);
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        of.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// Calls that ended, well or not. A call about many objects is one.
    #[must_use]
    pub fn calls(&self, operation: Operation) -> u64 {
        self.of(operation).calls.load(Ordering::Relaxed)
    }

    /// Those that failed as a whole.
    #[must_use]
    pub fn errors(&self, operation: Operation) -> u64 {
        self.of(operation).errors.load(Ordering::Relaxed)
    }

    /// The time they took together.
    #[must_use]
    pub fn duration(&self, operation: Operation) -> Duration {
        Duration::from_nanos(self.of(operation).nanoseconds.load(Ordering::Relaxed))
    }

    /// Bytes of contents that were read.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Ordering::Relaxed)
    }

    /// Bytes of contents that were given to be written.
    #[must_use]
    pub fn bytes_written(&self) -> u64 {
        self.bytes_written.load(Ordering::Relaxed)
    }
}
