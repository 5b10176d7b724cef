//! How far a copy is: bytes as they move.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Counts the bytes of a write or a copy as they move, for whoever shows progress. The default one counts nothing. A
/// clone is the same meter.
///
/// ```
/// use omnistorage::{Backend, MemoryBackend, Path, backend::{Meter, WriteOptions, transfer}};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> omnistorage::Result<()> {
/// let (here, there, path) = (MemoryBackend::new(), MemoryBackend::new(), Path::parse("a")?);
/// here.write_all(&path, "12345".into(), &WriteOptions::default()).await?;
/// let meter = Meter::new();
/// let options = WriteOptions { meter: meter.clone(), ..WriteOptions::default() };
/// transfer(&here, &path, &there, &path, &options).await?;
/// assert_eq!(meter.bytes(), 5);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Meter(Option<Arc<Counts>>);

#[derive(Debug)]
struct Counts {
    own: AtomicU64,
    total: Arc<AtomicU64>,
}

impl Meter {
    /// Of one object, at 0.
    #[must_use]
    pub fn new() -> Self {
        Self::adding_to(&Arc::default())
    }

    /// For one of several objects: its bytes are added to a total as well.
    #[must_use]
    pub fn adding_to(total: &Arc<AtomicU64>) -> Self {
        Self(Some(Arc::new(Counts { own: AtomicU64::new(0), total: total.clone() })))
    }

    /// Reports bytes that have moved. Only whoever moves them between two places calls this.
    pub fn moved(&self, bytes: u64) {
        if let Some(counts) = &self.0 {
            counts.own.fetch_add(bytes, Ordering::Relaxed);
            counts.total.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// Reports how many there were in the end: some ways of copying report nothing before.
    pub fn ended_at(&self, bytes: u64) {
        self.moved(bytes.saturating_sub(self.bytes()));
    }

    /// What it learned.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.0.as_ref().map_or(0, |counts| counts.own.load(Ordering::Relaxed))
    }
}

/// Two writes are equal, whoever watches them.
impl PartialEq for Meter {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Meter {}
