//! Counts what a job asks of its backends.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use bytes::Bytes;

use super::under_way::{Moving, Table, UnderWay};
use crate::{
    ObjectInfo, Path, Result,
    backend::{Meter, Upload, layer::Operation},
};

/// What a job has asked of its backends so far, and how many bytes they moved for it. Clones share the counts, which
/// stay after the job has ended.
///
/// ```
/// use std::sync::Arc;
/// use omnistorage::{Location, MemoryBackend, backend::layer::Operation};
/// use omnistorage::runtime::{Runtime, RuntimeOptions, Storage, SyncOptions};
///
/// # #[tokio::main]
/// # async fn main() -> omnistorage::Result<()> {
/// let storage = Storage::builder(&Runtime::new(&RuntimeOptions::default())?)
///     .mount("here", Arc::new(MemoryBackend::new()))
///     .mount("there", Arc::new(MemoryBackend::new()))
///     .build();
/// storage.write_all(&Location::new("here", "note")?, "hello".into(), &Default::default()).await?;
///
/// let job = storage.sync(&Location::new("here", "")?, &Location::new("there", "")?, &SyncOptions::default()).await?;
/// let activity = job.activity();
/// job.outcome().await?;
/// assert_eq!((activity.calls(Operation::CopyTo), activity.bytes_moved()), (1, 5));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Activity {
    calls: Arc<[AtomicU64; Operation::ALL.len()]>,
    bytes: Arc<AtomicU64>,
    under_way: Table,
}

impl Activity {
    /// Calls of the interface `backend` that were begun. A call about many objects counts once.
    #[must_use]
    pub fn calls(&self, operation: Operation) -> u64 {
        self.calls[operation as usize].load(Ordering::Relaxed)
    }

    /// Bytes moved between backends or within one, including those of objects still under way and of those that failed.
    #[must_use]
    pub fn bytes_moved(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// The objects whose bytes are moving at the moment, in the order in which they were begun: those of at least 1 MiB and
    /// those whose size nobody knows yet. As many as the job moves at once.
    #[must_use]
    pub fn under_way(&self) -> Vec<UnderWay> {
        self.under_way.list()
    }

    /// What was done elsewhere, by the names of the calls; names that are none count nothing.
    #[cfg(feature = "cluster")]
    pub(crate) fn add<'a>(&self, calls: impl Iterator<Item = (&'a str, u64)>, bytes: u64) {
        for (call, count) in calls {
            if let Some(operation) = Operation::ALL.into_iter().find(|operation| operation.as_str() == call) {
                self.calls[operation as usize].fetch_add(count, Ordering::Relaxed);
            }
        }
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn begins(&self, operation: Operation) {
        self.calls[operation as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// For one object, and its place among those that are under way.
    pub(super) fn meter(&self, target: &Path, size: Option<u64>) -> (Meter, Moving) {
        let meter = Meter::adding_to(&self.bytes);
        let moving = self.under_way.add(target, size, &meter);
        (meter, moving)
    }

    /// An upload of bytes that come through the component.
    pub(super) fn metered(
        &self,
        upload: Box<dyn Upload>,
        target: &Path,
        size: Option<u64>,
    ) -> Box<dyn Upload> {
        let (meter, moving) = self.meter(target, size);
        Box::new(Metered { upload, meter, _moving: moving })
    }
}

/// An upload that tells a meter of its bytes.
struct Metered {
    upload: Box<dyn Upload>,
    meter: Meter,
    _moving: Moving,
}

#[async_trait]
impl Upload for Metered {
    async fn push(&mut self, chunk: Bytes) -> Result<()> {
        let bytes = chunk.len() as u64;
        self.upload.push(chunk).await?;
        self.meter.moved(bytes);
        Ok(())
    }

    async fn commit(self: Box<Self>) -> Result<ObjectInfo> {
        self.upload.commit().await
    }

    async fn abort(self: Box<Self>) {
        self.upload.abort().await;
    }
}
