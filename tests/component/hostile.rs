//! Backends that break their word: errors with a code, no trap, and nothing lost on the other side.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt};
use omnistorage::{
    Backend, ErrorCode, HashAlgorithm, Hasher, ObjectInfo, ObjectKind, Path, Result,
    backend::{
        ListOptions, Listed, Listing,
        fault::{Fault, Faults},
        layer::{Layered, Operation},
    },
    runtime::{Action, Report, Storage, SyncOptions},
};

use crate::{
    setup::{at, memory, put, storage, tree},
    twisted::{Twisted, first, running_on},
};

/// A source with two objects below `data`, and a target with an old one of them and an extra one.
struct Pair {
    source: Arc<dyn Backend>,
    target: Arc<dyn Backend>,
}

impl Pair {
    async fn new() -> Self {
        let (source, target) = (memory(), memory());
        let storage = storage([("source", source.clone()), ("target", target.clone())]);
        put(&storage, "source", &[("data/a", "0123456789"), ("data/b", "fine")]).await;
        put(&storage, "target", &[("data/a", "old"), ("data/extra", "extra"), ("other/x", "not ours")]).await;
        Self { source, target }
    }

    /// Runs a sync from a twisted source; gives the codes of what failed too.
    async fn sync(&self, source: Arc<dyn Backend>, transfer: bool) -> Result<(Vec<ErrorCode>, Report)> {
        sync(self.storage(source, self.target.clone(), transfer)).await
    }

    fn storage(&self, source: Arc<dyn Backend>, target: Arc<dyn Backend>, transfer: bool) -> Storage {
        Storage::builder(crate::setup::runtime())
            .mount("source", source)
            .mount("target", target)
            .transfer(transfer)
            .build()
    }
}

async fn sync(storage: Storage) -> Result<(Vec<ErrorCode>, Report)> {
    let mut job = storage.sync(&at("source", "data"), &at("target", "data"), &SyncOptions::default()).await?;
    let mut failed = Vec::new();
    while let Some(event) = job.next().await {
        if event.action == Action::Failed {
            failed.push(event.error.unwrap().code());
        }
    }
    Ok((failed, job.outcome().await?))
}

fn object(path: &str, size: Option<u64>) -> ObjectInfo {
    ObjectInfo { size, ..ObjectInfo::new(Path::parse(path).unwrap(), ObjectKind::Object) }
}

#[tokio::test]
async fn a_source_whose_listing_is_wrong_has_nothing_deleted() {
    for (listing, code) in [
        (["other/x", "data/b"], ErrorCode::InvalidPath),
        (["data/a", "database"], ErrorCode::InvalidPath),
        (["data/a", "data/a"], ErrorCode::Other),
        (["data/b", "data/a"], ErrorCode::Other),
    ] {
        let pair = Pair::new().await;
        let entries = listing.iter().map(|path| object(path, Some(4))).collect();
        let twisted = Twisted::new(&pair.source).lists(entries);
        assert_eq!(pair.sync(twisted, true).await.unwrap_err().code(), code, "{listing:?}");
        let left = tree(&*pair.target).await;
        assert!(
            ["data/extra", "other/x"].iter().all(|path| left.iter().any(|(is, _)| is == path)),
            "{left:?}"
        );
    }
}

#[tokio::test]
async fn a_target_whose_listing_is_wrong_has_nothing_deleted() {
    for listing in [["data/a", "other/x"], ["data/extra", "data/a"], ["data/extra", "data/extra"]] {
        let pair = Pair::new().await;
        let entries = listing.iter().map(|path| object(path, Some(4))).collect();
        let twisted = Twisted::new(&pair.target).lists(entries);
        let error = sync(pair.storage(pair.source.clone(), twisted, true)).await.unwrap_err();
        assert!(matches!(error.code(), ErrorCode::InvalidPath | ErrorCode::Other), "{listing:?}: {error}");
        assert_eq!(tree(&*pair.target).await.len(), 3 + usize::from(pair.has_b().await), "{listing:?}");
    }
}

impl Pair {
    /// What the source has and the target had not may have come before the listing went wrong.
    async fn has_b(&self) -> bool {
        self.target.exists(&Path::parse("data/b").unwrap()).await.unwrap()
    }
}

#[tokio::test]
async fn a_purge_deletes_only_what_is_below_its_prefix() {
    let pair = Pair::new().await;
    let before = tree(&*pair.target).await;
    let entries = vec![object("data/a", None), object("other/x", None)];
    let storage = storage([("here", Twisted::new(&pair.target).lists(entries))]);
    assert_eq!(storage.purge(&at("here", "data")).await.unwrap_err().code(), ErrorCode::InvalidPath);
    assert_eq!(tree(&*pair.target).await, before);
}

#[tokio::test]
async fn bodies_that_are_not_of_their_size_are_not_written() {
    for transfer in [true, false] {
        for known in [true, false] {
            let pair = Pair::new().await;
            let before = tree(&*pair.target).await;
            let listed = || vec![object("data/a", known.then_some(10)), object("data/b", known.then_some(4))];
            for (twisted, why) in [
                (Twisted::new(&pair.source).contents(|_, body| first(body, 3)), "short"),
                (Twisted::new(&pair.source).contents(|_, body| first(body, 0)), "empty"),
                (Twisted::new(&pair.source).contents(|_, body| running_on(body)), "long"),
            ] {
                let twisted = Twisted::new(&twisted).lists(listed());
                let (failed, report) = pair.sync(twisted, transfer).await.unwrap();
                assert_eq!(failed, [ErrorCode::Corrupted; 2], "{why}, {transfer}, {known}");
                assert_eq!((report.deleted, report.deletes_withheld), (0, 1));
                assert_eq!(tree(&*pair.target).await, before, "{why}");
            }
        }
    }
}

#[tokio::test]
async fn a_size_that_lies_in_the_listing_is_found_out() {
    for transfer in [true, false] {
        let pair = Pair::new().await;
        let before = tree(&*pair.target).await;
        let twisted = Twisted::new(&pair.source)
            .lists(vec![object("data/a", Some(u64::MAX)), object("data/b", Some(0))]);
        let (failed, report) = pair.sync(twisted, transfer).await.unwrap();
        // As if it was changed since then.
        assert_eq!(failed, [ErrorCode::Unavailable; 2]);
        assert_eq!(report.deleted, 0);
        assert_eq!(tree(&*pair.target).await, before);
    }
}

#[tokio::test]
async fn a_flipped_bit_never_replaces_a_good_object_whose_hash_is_known() {
    let hash = |bytes: &str| {
        let mut hasher = Hasher::new(HashAlgorithm::Sha256);
        hasher.update(bytes.as_bytes());
        hasher.finish()
    };
    for transfer in [true, false] {
        let pair = Pair::new().await;
        let before = tree(&*pair.target).await;
        let flips = Faults::of(Operation::ReadChunk, Fault::FlippedBit);
        let flipping: Arc<dyn Backend> = Arc::new(Layered::new(pair.source.clone(), flips));
        let listed = [("data/a", "0123456789"), ("data/b", "fine")].map(|(path, contents)| ObjectInfo {
            hashes: vec![hash(contents)],
            ..object(path, Some(contents.len() as u64))
        });
        let twisted = Twisted::new(&flipping).lists(listed.to_vec());
        let (failed, report) = pair.sync(twisted, transfer).await.unwrap();
        assert_eq!(failed, [ErrorCode::Corrupted; 2], "{transfer}");
        assert_eq!((report.deleted, report.deletes_withheld), (0, 1));
        assert_eq!(tree(&*pair.target).await, before);

        // A good one is what it is.
        let twisted = Twisted::new(&pair.source).lists(listed.to_vec());
        let (failed, report) = pair.sync(twisted, transfer).await.unwrap();
        assert_eq!((failed.len(), report.transferred, report.deleted), (0, 2, 1));
    }
}

/// A listing without an end, and how often it was asked.
struct Endless {
    next: u64,
    asked: Arc<AtomicU64>,
}

#[async_trait]
impl Listing for Endless {
    async fn next(&mut self, max: usize) -> Result<Vec<Listed>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        let from = self.next;
        self.next += max as u64;
        Ok((from..self.next).map(|number| object(&format!("data/{number:020}"), Some(1)).into()).collect())
    }
}

#[tokio::test]
async fn a_listing_without_an_end_ends_with_its_reader() {
    let pair = Pair::new().await;
    let asked = Arc::new(AtomicU64::new(0));
    let count = asked.clone();
    let endless =
        Twisted::new(&pair.source).listing(move |_| Box::new(Endless { next: 0, asked: count.clone() }));
    let storage = pair.storage(endless, pair.target.clone(), true);
    let work = async {
        let options = ListOptions { recursive: true, ..Default::default() };
        let entries = storage.list(&at("source", "data"), &options).await.unwrap();
        assert_eq!(entries.take(5000).try_collect::<Vec<_>>().await.unwrap().len(), 5000);

        let options = SyncOptions { dry_run: true, ..Default::default() };
        let job = storage.sync(&at("source", "data"), &at("target", "data"), &options).await.unwrap();
        assert_eq!(job.take(5000).collect::<Vec<_>>().await.len(), 5000);
    };
    tokio::time::timeout(Duration::from_secs(10), work).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let after = asked.load(Ordering::SeqCst);
    // Some pages more than were read, and then no more.
    assert!(after < 40, "{after}");
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(asked.load(Ordering::SeqCst), after);
}
