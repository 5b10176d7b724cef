//! A store whose listings tell when objects were written, and not the times that they were given, as those of S3.

use std::{any::Any, collections::VecDeque, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use omnistorage::{
    Backend, ErrorCode, Hash, HashAlgorithm, MemoryBackend, ObjectInfo, ObjectKind, Path, Result, Timestamp,
    backend::{
        Capabilities, Features, ListOptions, Listed, Listing, ReadOptions, Reader, Upload, WriteOptions,
        layer::{Layered, Operation},
        observe::Observe,
    },
    runtime::{Comparison, Report, Storage, SyncOptions},
};

use crate::setup::{at, memory, storage, tree};

/// When everything in it was written, as its listings have it.
pub(crate) const WRITTEN: Timestamp = Timestamp { seconds: 2_000_000_000, nanoseconds: 0 };

/// Memory that lists as S3 does: the MD5 of each object, and when it was written.
#[derive(Debug, Default)]
pub(crate) struct Store {
    inner: MemoryBackend,
    /// What its listings tell as MD5 is none, as where a store encrypts by a key of its own: a look tells none.
    encrypts: bool,
}

impl Store {
    /// Whose listings and answers tell an MD5 that is none.
    pub(crate) fn encrypting() -> Self {
        Self { encrypts: true, ..Self::default() }
    }

    /// What it tells of an object as its MD5 where it does not know better.
    async fn claimed(&self, path: &Path) -> Result<Hash> {
        let mut hash = self.inner.hash(path, HashAlgorithm::Md5).await?;
        if self.encrypts {
            hash.digest.reverse();
        }
        Ok(hash)
    }
}

struct Pages(VecDeque<ObjectInfo>);

#[async_trait]
impl Listing for Pages {
    async fn next(&mut self, max: usize) -> Result<Vec<Listed>> {
        Ok(self.0.drain(..max.min(self.0.len())).map(Listed::Entry).collect())
    }
}

#[async_trait]
impl Backend for Store {
    fn kind(&self) -> &str {
        "store"
    }

    fn capabilities(&self) -> Capabilities {
        let inner = self.inner.capabilities();
        let features = Features {
            conditional_delete: false,
            listed_times: false,
            batches: false,
            move_to: false,
            ..inner.features
        };
        Capabilities { features, hashes: vec![HashAlgorithm::Md5], ..inner }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    async fn read(&self, path: &Path, options: &ReadOptions) -> Result<Reader> {
        self.inner.read(path, options).await
    }

    async fn write(&self, path: &Path, options: &WriteOptions) -> Result<Box<dyn Upload>> {
        self.inner.write(path, options).await
    }

    async fn write_all(&self, path: &Path, contents: Bytes, options: &WriteOptions) -> Result<ObjectInfo> {
        let mut written = self.inner.write_all(path, contents, options).await?;
        written.hashes.push(self.claimed(path).await?);
        Ok(written)
    }

    async fn stat(&self, path: &Path) -> Result<ObjectInfo> {
        let mut info = self.inner.stat(path).await?;
        if info.kind == ObjectKind::Object && !self.encrypts {
            info.hashes.push(self.claimed(path).await?);
        }
        Ok(info)
    }

    async fn list(&self, prefix: &Path, options: &ListOptions) -> Result<Box<dyn Listing>> {
        let mut listing = self.inner.list(prefix, options).await?;
        let mut all = VecDeque::new();
        loop {
            let mut page = listing.next_entries(1000).await?;
            if page.is_empty() {
                return Ok(Box::new(Pages(all)));
            }
            for entry in &mut page {
                if !options.full_info {
                    entry.modified = Some(WRITTEN);
                }
                entry.hashes.push(self.claimed(&entry.path).await?);
            }
            all.extend(page);
        }
    }

    async fn delete(&self, paths: &[Path]) -> Vec<Result<()>> {
        self.inner.delete(paths).await
    }

    async fn set_modified(&self, path: &Path, modified: Timestamp) -> Result<()> {
        self.inner.set_modified(path, modified).await
    }

    async fn close(&self) -> Result<()> {
        self.inner.close().await
    }
}

/// A memory and a store, whose calls are counted.
struct Two {
    local: Arc<Layered<Observe>>,
    store: Arc<Layered<Observe>>,
    storage: Storage,
}

impl Two {
    fn new() -> Self {
        let observed = |backend| Arc::new(Layered::new(backend, Observe::default()));
        let (local, store) = (observed(memory()), observed(Arc::new(Store::default())));
        let storage = storage([("local", local.clone()), ("store", store.clone())]);
        Self { local, store, storage }
    }

    /// Puts an object into the memory, with a time.
    async fn put(&self, path: &str, contents: &str, seconds: i64) {
        put(&*self.local, path, contents, seconds).await;
    }

    async fn sync(&self, from: &str, to: &str, options: &SyncOptions) -> Report {
        let job = self.storage.sync(&at(from, ""), &at(to, ""), options).await.unwrap();
        let report = job.outcome().await.unwrap();
        assert_eq!(report.errors, 0);
        report
    }

    /// The calls to either side while something is done, but for listings.
    async fn calls(&self, act: impl Future<Output = ()>) -> [Vec<(Operation, u64)>; 2] {
        let counts = |backend: &Layered<Observe>| {
            Operation::ALL.map(|operation| backend.layer().metrics().calls(operation))
        };
        let before = [&self.local, &self.store].map(|backend| counts(backend));
        act.await;
        let after = [&self.local, &self.store].map(|backend| counts(backend));
        [0, 1].map(|side| {
            let calls = Operation::ALL.into_iter().zip(before[side].into_iter().zip(after[side]));
            let listing = [Operation::List, Operation::ListNext];
            calls
                .map(|(operation, (before, after))| (operation, after - before))
                .filter(|(operation, count)| *count > 0 && !listing.contains(operation))
                .collect()
        })
    }

    async fn time(&self, backend: &dyn Backend, path: &str) -> i64 {
        backend.stat(&Path::parse(path).unwrap()).await.unwrap().modified.unwrap().seconds
    }
}

async fn put(backend: &dyn Backend, path: &str, contents: &str, seconds: i64) {
    let modified = Some(Timestamp { seconds, nanoseconds: 0 });
    let options = WriteOptions { modified, ..Default::default() };
    backend.write_all(&Path::parse(path).unwrap(), contents.to_owned().into(), &options).await.unwrap();
}

#[tokio::test]
async fn an_unchanged_run_to_a_store_hashes_what_is_near_and_asks_the_store_for_its_listing() {
    let two = Two::new();
    for number in 0..300 {
        two.put(&format!("d{}/{number}", number % 7), "contents", 1000 + number).await;
    }
    let options = SyncOptions::default();
    assert_eq!(two.sync("local", "store", &options).await.transferred, 300);
    let [local, store] = two
        .calls(async {
            let report = two.sync("local", "store", &options).await;
            assert_eq!((report.transferred, report.checked), (0, 300));
        })
        .await;
    assert_eq!((local, store), (vec![(Operation::Hash, 300)], vec![]));
}

#[tokio::test]
async fn the_time_of_a_large_object_is_asked_for() {
    let two = Two::new();
    let large = "x".repeat((256 << 10) + 1);
    two.put("large", &large, 1000).await;
    for update_only in [false, true] {
        let options = SyncOptions { update_only, ..SyncOptions::default() };
        two.sync("local", "store", &options).await;
        let [local, store] =
            two.calls(async { assert_eq!(two.sync("local", "store", &options).await.transferred, 0) }).await;
        assert_eq!((local, store), (vec![], vec![(Operation::Stat, 1)]));
    }
}

#[tokio::test]
async fn the_time_of_a_write_is_believed_by_those_who_ask_for_it() {
    let two = Two::new();
    two.put("a", "old", 1000).await;
    let options =
        SyncOptions { update_only: true, comparison: Comparison::WriteTimes, ..SyncOptions::default() };
    two.sync("local", "store", &options).await;
    two.put("a", "new", 2000).await;
    let [local, store] =
        two.calls(async { assert_eq!(two.sync("local", "store", &options).await.transferred, 0) }).await;
    assert_eq!((local, store), (vec![], vec![]));
    let refused = two.storage.move_to(&at("local", ""), &at("store", ""), &options).await;
    assert_eq!(refused.err().unwrap().code(), ErrorCode::InvalidArgument);
    assert_eq!(tree(&*two.local).await.len(), 1);
}

#[tokio::test]
async fn an_unchanged_run_from_a_store_asks_the_store_for_nothing_but_its_listing() {
    let two = Two::new();
    for number in 0..300 {
        put(&*two.store, &format!("d{}/{number}", number % 7), "contents", 1000 + number).await;
    }
    assert_eq!(two.sync("store", "local", &SyncOptions::default()).await.transferred, 300);
    assert_eq!(
        two.time(&*two.local, "d6/6").await,
        1006,
        "the time that it was given, not that of the write"
    );
    let [local, store] = two
        .calls(async {
            assert_eq!(two.sync("store", "local", &SyncOptions::default()).await.transferred, 0);
        })
        .await;
    assert_eq!(store, []);
    assert!(local.iter().all(|(operation, _)| *operation == Operation::Hash), "{local:?}");
}

#[tokio::test]
async fn a_change_of_the_same_size_is_found_in_either_direction() {
    for (from, to) in [("local", "store"), ("store", "local")] {
        let two = Two::new();
        let (source, target): (&dyn Backend, &dyn Backend) =
            if from == "local" { (&*two.local, &*two.store) } else { (&*two.store, &*two.local) };
        put(source, "a", "old", 1000).await;
        put(source, "b", "kept", 1000).await;
        two.sync(from, to, &SyncOptions::default()).await;
        put(source, "a", "new", WRITTEN.seconds + 1).await;
        assert_eq!(two.sync(from, to, &SyncOptions::default()).await.transferred, 1, "{from}");
        assert_eq!(tree(target).await, tree(source).await);
    }
}

#[tokio::test]
async fn what_was_touched_alone_is_the_same_by_its_contents() {
    let two = Two::new();
    two.put("a", "x", WRITTEN.seconds + 5).await;
    two.sync("local", "store", &SyncOptions::default()).await;
    two.put("a", "x", WRITTEN.seconds + 9).await;
    let [local, store] = two
        .calls(async {
            assert_eq!(two.sync("local", "store", &SyncOptions::default()).await.transferred, 0);
        })
        .await;
    assert_eq!((local, store), (vec![(Operation::Hash, 1)], vec![]));
}

#[tokio::test]
async fn exact_times_are_asked_for_where_they_are_wanted() {
    let two = Two::new();
    two.put("a", "x", 1000).await;
    two.put("b", "y", 1000).await;
    two.sync("local", "store", &SyncOptions::default()).await;
    two.put("a", "x", 2000).await;
    assert_eq!(two.sync("local", "store", &SyncOptions::default()).await.transferred, 0);
    assert_eq!(two.time(&*two.store, "a").await, 1000, "the contents are the same: nobody asks for times");
    let exact = SyncOptions { comparison: Comparison::ExactTimes, ..Default::default() };
    let [_, store] =
        two.calls(async { assert_eq!(two.sync("local", "store", &exact).await.transferred, 0) }).await;
    assert_eq!(store, [(Operation::Stat, 2), (Operation::SetModified, 1)]);
    assert_eq!(two.time(&*two.store, "a").await, 2000);
}

#[tokio::test]
async fn a_checksum_that_is_listed_is_not_asked_for() {
    let two = Two::new();
    two.put("a", "x", 1000).await;
    two.sync("local", "store", &SyncOptions::default()).await;
    let checksum = SyncOptions { comparison: Comparison::Checksum, ..Default::default() };
    let [local, store] =
        two.calls(async { assert_eq!(two.sync("local", "store", &checksum).await.transferred, 0) }).await;
    assert_eq!((local, store), (vec![(Operation::Hash, 1)], vec![]));
    let [local, store] = two
        .calls(async {
            let job =
                two.storage.check(&at("store", ""), &at("local", ""), &Default::default()).await.unwrap();
            assert_eq!(job.outcome().await.unwrap().same, 1);
        })
        .await;
    assert_eq!((local, store), (vec![(Operation::Hash, 1)], vec![]));
}

#[tokio::test]
async fn bounds_of_time_hold_for_the_times_that_objects_were_given() {
    let two = Two::new();
    put(&*two.store, "old", "x", 1000).await;
    put(&*two.store, "new", "x", 3000).await;
    let mut options = SyncOptions::default();
    options.filter.modified_until = Some(Timestamp { seconds: 2000, nanoseconds: 0 });
    assert_eq!(two.sync("store", "local", &options).await.transferred, 1);
    assert_eq!(tree(&*two.local).await[0].0, "old");
}
