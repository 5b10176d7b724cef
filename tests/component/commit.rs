//! A write commits on an explicit word alone: whatever else ends it, the old object stays and nothing is left behind.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures::{StreamExt, stream};
use omnistorage::{
    Backend, ErrorCode, Path,
    backend::{Contents, WriteOptions},
    runtime::{Action, Codec, Compression, DecompressOptions, Limits, Storage, SyncOptions},
};

use crate::{
    guest::misbehaving,
    setup::{at, memory, tree},
    target::{OLD, Target},
    twisted::{Twisted, failing_after, stuck_after},
};

const SIZE: usize = 1 << 20;

/// Bytes that no codec makes small.
fn noise() -> Bytes {
    let mut state = 1_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[1]
    };
    (0..SIZE).map(|_| next()).collect()
}

fn body() -> Contents {
    let noise = noise();
    let chunks: Vec<_> = noise.chunks(100_000).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
    stream::iter(chunks).boxed()
}

fn whole() -> WriteOptions {
    WriteOptions { expected_size: Some(SIZE as u64), ..Default::default() }
}

#[tokio::test]
async fn a_source_that_fails_changes_nothing_wherever_it_fails() {
    let gzip = Compression { codec: Codec::Gzip, level: Some(1), dictionary: None };
    for count in [0, 1, SIZE / 2, SIZE] {
        for compress in [None, Some(gzip.clone())] {
            for target in Target::all("d/x").await {
                let (x, contents) = (at("here", "d/x"), failing_after(body(), count));
                let written =
                    target.storage().write(&x, contents, &Default::default(), compress.clone()).await;
                assert_eq!(written.unwrap_err().code(), ErrorCode::Unavailable, "{count} {compress:?}");
                target.is_as_it_was().await;
            }
        }
    }
}

#[tokio::test]
async fn a_component_that_misbehaves_changes_nothing() {
    let limits = Limits { guest_time: Duration::from_millis(200), memory: 16 << 20, ..Default::default() };
    for (path, code) in [
        ("trap/x", ErrorCode::Trapped),
        ("spin/x", ErrorCode::Timeout),
        ("grow/x", ErrorCode::LimitExceeded),
        ("leave/x", ErrorCode::Cancelled),
        ("lie/x", ErrorCode::Corrupted),
    ] {
        for target in Target::all(path).await {
            let storage = misbehaving(target.backend.clone(), limits.clone());
            let (place, options) = (at("here", path), whole());
            let write = storage.write(&place, body(), &options, None);
            let error = tokio::time::timeout(Duration::from_secs(10), write).await.unwrap().unwrap_err();
            assert_eq!(error.code(), code, "{path}: {error}");
            target.is_as_it_was().await;
        }
    }
}

#[tokio::test]
async fn a_component_that_behaves_commits() {
    for target in Target::all("whole/x").await {
        let storage = misbehaving(target.backend.clone(), Limits::default());
        let info = storage.write(&at("here", "whole/x"), body(), &whole(), None).await.unwrap();
        assert_eq!(info.size, Some(SIZE as u64));
        let read = target.backend.read_all(&Path::parse("whole/x").unwrap(), &Default::default(), SIZE).await;
        assert!(read.unwrap() == noise());
    }
}

#[tokio::test]
async fn a_caller_that_loses_patience_changes_nothing() {
    let patience = Duration::from_millis(150);
    for target in Target::all("x").await {
        let (storage, x) = (target.storage(), at("here", "x"));
        let options = WriteOptions::default();
        let write = storage.write(&x, stuck_after(body(), SIZE / 2), &options, None);
        assert!(tokio::time::timeout(patience, write).await.is_err());
        target.is_as_it_was().await;
    }
    for path in ["hang/x", "spin/x"] {
        for target in Target::all(path).await {
            let storage = misbehaving(target.backend.clone(), Limits::default());
            let (place, options) = (at("here", path), whole());
            assert!(
                tokio::time::timeout(patience, storage.write(&place, body(), &options, None)).await.is_err()
            );
            target.is_as_it_was().await;
        }
    }
}

#[tokio::test]
async fn a_truncated_source_is_not_written() {
    for target in Target::all("x").await {
        let storage = target.storage();
        let gzip = Compression { codec: Codec::Gzip, level: Some(1), dictionary: None };
        let elsewhere = crate::setup::two_memories();
        let whole = at("here", "whole.gz");
        let size =
            elsewhere.write(&whole, body(), &Default::default(), Some(gzip)).await.unwrap().size.unwrap();
        for count in [11, size / 2, size - 1] {
            let part = omnistorage::backend::ReadOptions { length: Some(count), ..Default::default() };
            let reader = elsewhere.read(&whole, &part, Some(DecompressOptions::default())).await.unwrap();
            let written = storage.write(&at("here", "x"), reader.contents, &Default::default(), None).await;
            assert_eq!(written.unwrap_err().code(), ErrorCode::Corrupted, "{count}");
        }
        target.is_as_it_was().await;
    }
}

/// A sync with two objects and an extra one on the target; the source is twisted.
struct Pair {
    source: Arc<dyn Backend>,
    target: Target,
}

impl Pair {
    async fn all() -> Vec<Self> {
        let mut pairs = Vec::new();
        for target in Target::all("d/x").await {
            let source = memory();
            let extra = Path::parse("extra").unwrap();
            target.backend.write_all(&extra, "".into(), &Default::default()).await.unwrap();
            for (path, contents) in [("d/x", noise()), ("fine", "fine".into())] {
                let path = Path::parse(path).unwrap();
                source.write_all(&path, contents, &Default::default()).await.unwrap();
            }
            pairs.push(Self { source, target });
        }
        pairs
    }

    fn storage(&self, source: Arc<dyn Backend>, transfer: bool) -> Storage {
        Storage::builder(crate::setup::runtime())
            .mount("source", source)
            .mount("target", self.target.backend.clone())
            .transfer(transfer)
            .build()
    }

    async fn old_is_there(&self) -> bool {
        let old = self.target.backend.read_all(&Path::parse("d/x").unwrap(), &Default::default(), SIZE).await;
        old.unwrap() == OLD
    }

    /// The next run, with the source as it should be, brings both sides together.
    async fn converges(&self) {
        let storage = self.storage(self.source.clone(), true);
        let job = storage.sync(&at("source", ""), &at("target", ""), &SyncOptions::default()).await.unwrap();
        assert_eq!(job.outcome().await.unwrap().errors, 0);
        assert!(tree(&*self.target.backend).await == tree(&*self.source).await);
        self.target.has_no_debris().await;
    }
}

#[tokio::test]
async fn a_sync_whose_source_fails_keeps_the_old_object_and_deletes_nothing() {
    for transfer in [true, false] {
        for pair in Pair::all().await {
            let broken = Twisted::new(&pair.source).contents(|path, contents| match path.as_str() {
                "d/x" => failing_after(contents, SIZE / 2),
                _ => contents,
            });
            let storage = pair.storage(broken, transfer);
            let mut job =
                storage.sync(&at("source", ""), &at("target", ""), &SyncOptions::default()).await.unwrap();
            let mut failed = Vec::new();
            while let Some(event) = job.next().await {
                if event.action == Action::Failed {
                    failed.push((event.path, event.error.unwrap().code()));
                }
            }
            assert_eq!(failed, [("d/x".to_owned(), ErrorCode::Unavailable)]);
            let report = job.outcome().await.unwrap();
            let counts = (report.transferred, report.errors, report.deleted, report.deletes_withheld);
            assert_eq!(counts, (1, 1, 0, 1));
            assert!(pair.old_is_there().await);
            pair.target.has_no_debris().await;
            pair.converges().await;
        }
    }
}

#[tokio::test]
async fn a_job_that_is_dropped_stops_and_changes_nothing_more() {
    for transfer in [true, false] {
        for pair in Pair::all().await {
            let begun = Arc::new(tokio::sync::Notify::new());
            let tell = begun.clone();
            let stuck = Twisted::new(&pair.source).contents(move |path, contents| match path.as_str() {
                "d/x" => {
                    tell.notify_one();
                    stuck_after(contents, SIZE / 2)
                }
                _ => contents,
            });
            let storage = pair.storage(stuck, transfer);
            let job =
                storage.sync(&at("source", ""), &at("target", ""), &SyncOptions::default()).await.unwrap();
            begun.notified().await;
            tokio::time::sleep(Duration::from_millis(50)).await;
            drop(job);
            pair.target.has_no_debris().await;
            assert!(pair.old_is_there().await);
            pair.converges().await;
        }
    }
}
