//! What is other and as long is found, and nothing leaves a source that is not on the target: whatever the listings of
//! both sides tell.

use std::sync::Arc;

use omnistorage::{
    Backend, Path, Timestamp,
    backend::WriteOptions,
    runtime::{Comparison, Report, Storage, SyncOptions},
};

use crate::{
    setup::{at, memory, storage, tree},
    write_times::Store,
};

/// Places whose listings tell given times and no hashes, times of writes and MD5s, and what looks like an MD5.
fn kinds() -> [fn() -> Arc<dyn Backend>; 3] {
    [memory, || Arc::new(Store::default()), || Arc::new(Store::encrypting())]
}

struct Places {
    source: Arc<dyn Backend>,
    target: Arc<dyn Backend>,
    storage: Storage,
}

/// Every pair of kinds.
fn pairs() -> impl Iterator<Item = Places> {
    kinds().into_iter().flat_map(|source| {
        kinds().into_iter().map(move |target| {
            let (source, target) = (source(), target());
            let storage = storage([("source", source.clone()), ("target", target.clone())]);
            Places { source, target, storage }
        })
    })
}

async fn put(backend: &dyn Backend, path: &str, contents: &str, seconds: i64) {
    let modified = Some(Timestamp { seconds, nanoseconds: 0 });
    let options = WriteOptions { modified, ..WriteOptions::default() };
    backend.write_all(&Path::parse(path).unwrap(), contents.to_owned().into(), &options).await.unwrap();
}

impl Places {
    async fn sync(&self, options: &SyncOptions) -> Report {
        let job = self.storage.sync(&at("source", ""), &at("target", ""), options).await.unwrap();
        let report = job.outcome().await.unwrap();
        assert_eq!(report.errors, 0);
        report
    }

    async fn move_all(&self, options: &SyncOptions) -> Report {
        let job = self.storage.move_to(&at("source", ""), &at("target", ""), options).await.unwrap();
        job.outcome().await.unwrap()
    }

    async fn assert_equal(&self, what: &str) {
        let sides = [self.source.kind(), self.target.kind()];
        assert_eq!(tree(&*self.source).await, tree(&*self.target).await, "{what} {sides:?}");
    }

    /// Moves an object within the source as a rename does: its time comes along.
    async fn rename(&self, from: &str, to: &str) {
        let path = |path| Path::parse(path).unwrap();
        let time = self.source.stat(&path(from)).await.unwrap().modified.unwrap();
        let contents = self.source.read_all(&path(from), &Default::default(), 1 << 20).await.unwrap();
        put(&*self.source, to, std::str::from_utf8(&contents).unwrap(), time.seconds).await;
        self.source.delete(&[path(from)]).await.remove(0).unwrap();
    }
}

#[tokio::test]
async fn what_is_other_and_as_long_is_found() {
    // Beyond what is hashed because it is small, too.
    for size in [5, (256 << 10) + 5] {
        let contents = |number: u32| format!("{}{number}", "-".repeat(size - 1));
        for places in pairs() {
            let options = SyncOptions::default();
            for number in 0..3 {
                put(&*places.source, &format!("seg.{number}"), &contents(number), 1000 + i64::from(number))
                    .await;
            }
            assert_eq!(places.sync(&options).await.transferred, 3);
            places.assert_equal("at first").await;
            assert_eq!(places.sync(&options).await.transferred, 0, "unchanged");

            places.rename("seg.1", "seg.2").await;
            places.rename("seg.0", "seg.1").await;
            put(&*places.source, "seg.0", &contents(7), 1003).await;
            assert_eq!(places.sync(&options).await.transferred, 3, "a rotation");
            places.assert_equal("rotated").await;

            places.rename("seg.1", "aside").await;
            places.rename("seg.2", "seg.1").await;
            places.rename("aside", "seg.2").await;
            places.sync(&options).await;
            places.assert_equal("swapped").await;

            // An old version comes back with its old time.
            put(&*places.source, "seg.0", &contents(9), 400).await;
            places.sync(&options).await;
            places.assert_equal("restored").await;

            put(&*places.target, "seg.1", &contents(8), 5000).await;
            places.sync(&options).await;
            places.assert_equal("somebody else wrote").await;
            assert_eq!(places.sync(&options).await.transferred, 0, "unchanged");
        }
    }
}

#[tokio::test]
async fn a_move_leaves_each_byte_on_one_side() {
    let plain = SyncOptions::default();
    for options in [
        plain.clone(),
        SyncOptions { comparison: Comparison::ExactTimes, ..plain.clone() },
        SyncOptions { comparison: Comparison::SizeOnly, ..plain.clone() },
        SyncOptions { comparison: Comparison::Checksum, ..plain.clone() },
        SyncOptions { comparison: Comparison::IgnoreExisting, ..plain.clone() },
        SyncOptions { update_only: true, ..plain.clone() },
        SyncOptions { immutable: true, ..plain.clone() },
        SyncOptions { ignore_size: true, ..plain },
    ] {
        for places in pairs() {
            let here = [
                ("equal", "AAAA", 1000),
                ("newer", "BBBB", 1000),
                ("older", "CCCC", 1000),
                ("same-time", "DDDD", 1000),
                ("new", "EEEE", 1000),
            ];
            for (path, contents, time) in here {
                put(&*places.source, path, contents, time).await;
            }
            for (path, contents, time) in [
                ("equal", "AAAA", 1000),
                ("newer", "bbbb", 3000),
                ("older", "cccc", 10),
                ("same-time", "dddd", 1000),
            ] {
                put(&*places.target, path, contents, time).await;
            }
            places.move_all(&options).await;
            let (left, there) = (tree(&*places.source).await, tree(&*places.target).await);
            for (path, contents, _) in here {
                let at = (path.to_owned(), contents.to_owned());
                let is_safe = left.contains(&at) || there.contains(&at);
                assert!(is_safe, "{path} is on neither side with {options:?}");
            }
            let is_left = |path: &str| left.iter().any(|(left, _)| left == path);
            assert!(!is_left("new"), "what arrived has gone");
            if options.comparison != Comparison::IgnoreExisting {
                assert!(!is_left("equal"), "what is the same by its contents has gone: {options:?}");
            }
        }
    }
}

#[tokio::test]
async fn what_looks_like_a_hash_and_is_none_damages_nothing() {
    for places in pairs() {
        for (path, contents) in [("a", "one"), ("b", "two")] {
            put(&*places.source, path, contents, 1000).await;
        }
        let report = places.sync(&SyncOptions::default()).await;
        assert_eq!((report.transferred, report.errors), (2, 0));
        let job =
            places.storage.check(&at("source", ""), &at("target", ""), &Default::default()).await.unwrap();
        assert_eq!(job.outcome().await.unwrap().same, 2);
        assert_eq!(places.sync(&SyncOptions::default()).await.transferred, 0, "no transfer again and again");
    }
}

#[tokio::test]
async fn an_explanation_tells_what_a_run_does() {
    for places in pairs() {
        put(&*places.source, "equal", "AAAA", 1000).await;
        put(&*places.target, "equal", "AAAA", 1000).await;
        put(&*places.source, "other", "AAAA", 1000).await;
        put(&*places.target, "other", "BBBB", 2000).await;
        put(&*places.source, "z", "AAAA", 3000).await;
        put(&*places.target, "z", "AAAA", 1000).await;
        let options = SyncOptions::default();
        let dry = SyncOptions { dry_run: true, ..options.clone() };
        let mut job = places.storage.sync(&at("source", ""), &at("target", ""), &dry).await.unwrap();
        let mut told = std::collections::BTreeMap::new();
        while let Some(event) = job.next().await {
            told.insert(event.path.clone(), event.action);
        }
        job.outcome().await.unwrap();
        for path in ["equal", "other", "z"] {
            let path = Path::parse(path).unwrap();
            let explained =
                places.storage.explain(&at("source", ""), &at("target", ""), &path, &options).await;
            let explained = explained.unwrap();
            assert_eq!(explained.action.as_ref(), told.get(path.as_str()), "{path}: {}", explained.reason);
        }
    }
}
