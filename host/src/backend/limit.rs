//! Limits calls at once, calls per second and bytes per second.

mod pace;

use std::{
    future::Future,
    num::{NonZeroU32, NonZeroU64},
};

use tokio::sync::Semaphore;

use self::pace::Pace;
use super::layer::{Call, Direction, Layer, Operation};
use crate::Result;

/// What a [`Limit`] allows; `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LimitOptions {
    /// Calls at the same time. An open body or upload counts only during its steps, so reading from a backend in order
    /// to write to it never waits for itself. Copies that come in from another backend are counted separately.
    pub concurrency: Option<NonZeroU32>,
    /// Calls per second, evenly spread; the steps of a body or an upload are no calls of their own.
    pub calls_per_second: Option<NonZeroU32>,
    /// Bytes of contents per second, both ways together.
    pub bytes_per_second: Option<NonZeroU64>,
}

/// Holds calls back until they are within the limits. Callers are served in turn, and may give up at any time.
///
/// ```
/// use std::{num::NonZeroU32, sync::Arc};
/// use omnistorage::{
///     MemoryBackend,
///     backend::{layer::Layered, limit::{Limit, LimitOptions}},
/// };
///
/// let options = LimitOptions { concurrency: NonZeroU32::new(4), ..Default::default() };
/// let backend = Layered::new(Arc::new(MemoryBackend::new()), Limit::new(options));
/// # drop(backend);
/// ```
#[derive(Debug)]
pub struct Limit {
    calls: Option<Semaphore>,
    /// Separate from `calls`, so that copies in opposite directions never wait for each other in a circle.
    copies_in: Option<Semaphore>,
    call_pace: Option<Pace>,
    byte_pace: Option<Pace>,
}

impl Limit {
    /// With these limits, over all backends that share it.
    #[must_use]
    pub fn new(options: LimitOptions) -> Self {
        let semaphore = || {
            let permits = usize::try_from(options.concurrency?.get()).unwrap_or(usize::MAX);
            Some(Semaphore::new(permits.min(Semaphore::MAX_PERMITS)))
        };
        Self {
            calls: semaphore(),
            copies_in: semaphore(),
            call_pace: options.calls_per_second.map(|rate| Pace::new(Some(rate.into()))),
            byte_pace: options.bytes_per_second.map(|rate| Pace::new(Some(rate))),
        }
    }

    /// No limit but one of bytes a second, which is given later: until then nothing passes.
    #[cfg(feature = "cluster")]
    pub(crate) fn given_later() -> Self {
        Self { byte_pace: Some(Pace::new(None)), ..Self::new(LimitOptions::default()) }
    }

    /// Changes the limit of bytes a second, if there is one; `None`: nothing passes any more.
    #[cfg(feature = "cluster")]
    pub(crate) fn set_bytes_per_second(&self, rate: Option<NonZeroU64>) {
        if let Some(pace) = &self.byte_pace {
            pace.set(rate);
        }
    }
}

impl Layer for Limit {
    async fn around<T: Send>(
        &self,
        call: Call<'_>,
        run: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        use Operation as Of;
        if let Some(pace) = &self.call_pace
            && !matches!(call.operation, Of::ReadChunk | Of::Push | Of::CopyFrom | Of::MoveFrom | Of::Close)
        {
            pace.turn().await;
        }
        let semaphore = match call.operation {
            Of::Close => &None,
            Of::CopyFrom | Of::MoveFrom => &self.copies_in,
            _ => &self.calls,
        };
        let _permit = match semaphore {
            Some(semaphore) => semaphore.acquire().await.ok(), // it is never closed
            None => None,
        };
        run.await
    }

    async fn bytes(&self, _: Direction, count: u64) {
        if let Some(pace) = &self.byte_pace {
            pace.pass(count).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        time::Duration,
    };

    use futures::future::join_all;

    use super::*;
    use crate::{
        MemoryBackend, Path,
        backend::{Backend, WriteOptions, layer::Layered, transfer},
    };

    fn one_at_a_time() -> Arc<dyn Backend> {
        let options = LimitOptions { concurrency: NonZeroU32::new(1), ..LimitOptions::default() };
        Arc::new(Layered::new(Arc::new(MemoryBackend::new()), Limit::new(options)))
    }

    #[tokio::test]
    async fn no_more_calls_at_once_than_allowed() {
        let limit = Limit::new(LimitOptions { concurrency: NonZeroU32::new(3), ..LimitOptions::default() });
        let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let path = Path::root();
        let call = || {
            let call = Call { operation: Operation::Stat, backend: "test", path: &path };
            limit.around(call, async {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(1)).await;
                running.fetch_sub(1, Ordering::SeqCst);
                Ok(())
            })
        };
        join_all((0..20).map(|_| call())).await;
        assert_eq!(most.load(Ordering::SeqCst), 3);
    }

    /// A body and an upload of one backend, and copies against each other.
    #[tokio::test]
    async fn nobody_waits_in_a_circle() {
        let [here, there] = [one_at_a_time(), one_at_a_time()];
        let [a, b] = ["a", "b"].map(|path| Path::parse(path).unwrap());
        let options = WriteOptions::default();
        for backend in [&here, &there] {
            backend.write_all(&a, vec![1; 1 << 20].into(), &options).await.unwrap();
        }
        let waited = tokio::time::timeout(Duration::from_secs(20), async {
            transfer(&*here, &a, &*here, &b, &options).await.unwrap();
            for _ in 0..50 {
                let there_and_back =
                    [here.copy_to(&a, &*there, &b, &options), there.copy_to(&a, &*here, &b, &options)];
                join_all(there_and_back).await.into_iter().for_each(|copied| drop(copied.unwrap()));
            }
        });
        waited.await.unwrap();
    }
}
