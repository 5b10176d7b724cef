//! Single objects, comparisons, listings: rclone's `fs/operations`.

use std::{collections::BTreeMap, sync::Arc};

use futures::StreamExt;
use omnistorage::{
    Backend, ErrorCode, Hash, HashAlgorithm, ObjectKind, Path,
    backend::{
        ListOptions,
        fault::{Fault, Faults},
        layer::{Layered, Operation},
    },
    runtime::{Comparison, Difference, SyncOptions},
};

use super::{
    never_again::with_faults,
    pairs::{Pair, T1, T2, each, each_local, options},
};
use crate::setup::{at, storage};

#[tokio::test]
async fn test_copy_file() {
    each(async |pair| {
        pair.from("file1", "file1 contents", T1).await;
        let copy = async || {
            let (from, to) = (at("source", "data/file1"), at("target", "data/sub"));
            pair.storage.copy(&from, &to, &options()).await.unwrap().outcome().await.unwrap()
        };
        assert_eq!(copy().await.transferred, 1);
        assert_eq!(copy().await.transferred, 0, "{}", pair.name);
        pair.has(&[("sub/file1", "file1 contents")]).await;
        let (from, to) = (at("source", "data/file1"), at("source", "data"));
        let onto_itself = pair.storage.copy(&from, &to, &options()).await.unwrap().outcome().await.unwrap();
        assert_eq!(onto_itself.transferred, 0);
        pair.source_has(&["file1"]).await;
    })
    .await;
}

/// The longest names there are; ten of them the same in their first 150 characters, at once.
#[tokio::test]
async fn test_copy_long_file_name_collision() {
    each_local(async |pair| {
        let stem = "n".repeat(150);
        for number in 0..10 {
            pair.from(&format!("{stem}{number}{}", "x".repeat(104)), &number.to_string(), T1).await;
        }
        pair.from(&"é".repeat(127), "cut between two bytes of a character?", T1).await;
        let ran = pair.sync(&SyncOptions { transfers: 10, ..options() }).await.unwrap();
        assert_eq!((ran.report.transferred, ran.report.errors), (11, 0), "{}", pair.name);
    })
    .await;
}

/// A read that breaks off: the old object stays, and nothing of the new one.
#[tokio::test]
async fn test_multithread_copy_abort() {
    each(async |pair| {
        pair.from("large", &"new".repeat(1_000_000), T2).await;
        pair.to("large", "old", T1).await;
        for fault in [
            Fault::Error(omnistorage::Error::new(ErrorCode::PermissionDenied, "in the middle")),
            Fault::EarlyEnd,
        ] {
            let broken = with_faults(pair, Faults::of(Operation::ReadChunk, fault));
            let once = SyncOptions { retries: 1, ..options() };
            let job = broken.copy(&at("source", "data"), &at("target", "data"), &once).await.unwrap();
            assert_eq!(job.outcome().await.unwrap().errors, 1, "{}", pair.name);
            pair.has(&[("large", "old")]).await;
        }
    })
    .await;
}

/// What may pass is tried again, what is not found is not.
#[tokio::test]
async fn test_retry() {
    each_local(async |pair| {
        pair.from("a", "1", T1).await;
        for (code, again) in [(ErrorCode::Unavailable, true), (ErrorCode::NotFound, false)] {
            let failed = Arc::new(std::sync::atomic::AtomicU32::new(0));
            let tries = failed.clone();
            let faults = Faults::new(move |_, call| {
                let is_it = call.operation == Operation::CopyTo || call.operation == Operation::Read;
                let first = is_it && tries.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0;
                first.then(|| Fault::Error(omnistorage::Error::new(code, "once")))
            });
            let source = Layered::new(pair.source.clone(), faults);
            let storage =
                storage([("source", Arc::new(source) as Arc<dyn Backend>), ("target", pair.target.clone())]);
            let always = SyncOptions { comparison: Comparison::Always, ..options() };
            let job = storage.copy(&at("source", "data"), &at("target", "data"), &always).await.unwrap();
            assert_eq!(job.outcome().await.unwrap().errors == 0, again, "{} {code:?}", pair.name);
        }
    })
    .await;
}

#[tokio::test]
async fn test_hash_sums() {
    each(async |pair| {
        pair.from("empty", "", T1).await;
        pair.from("abc", "abc", T1).await;
        for (path, algorithm, digest) in [
            ("empty", HashAlgorithm::Md5, "d41d8cd98f00b204e9800998ecf8427e"),
            ("abc", HashAlgorithm::Md5, "900150983cd24fb0d6963f7d28e17f72"),
            ("abc", HashAlgorithm::Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
            ("abc", HashAlgorithm::Crc32c, "364b3fb7"),
        ] {
            let hash: Hash =
                pair.storage.hash(&at("source", &format!("data/{path}")), algorithm).await.unwrap();
            let hex: String = hash.digest.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(hex, digest, "{} {path}", pair.name);
        }
    })
    .await;
}

async fn check(pair: &Pair, options: &SyncOptions) -> BTreeMap<String, Difference> {
    let mut job = pair.storage.check(&at("source", "data"), &at("target", "data"), options).await.unwrap();
    let mut found = BTreeMap::new();
    while let Some(entry) = job.next().await {
        found.insert(entry.path, entry.difference);
    }
    let report = job.outcome().await.unwrap();
    assert_eq!(report.checked, found.len() as u64);
    found
}

/// The seven steps, by checksum and by the bytes themselves.
#[tokio::test]
async fn test_check() {
    use Difference::{Differ, MissingOnSource, MissingOnTarget, Same};
    each(async |pair| {
        for comparison in [Comparison::Checksum, Comparison::Always] {
            let options = SyncOptions { comparison, ..options() };
            let expect = async |expected: &[(&str, Difference)], options: &SyncOptions| {
                let expected: BTreeMap<_, _> =
                    expected.iter().map(|(path, difference)| ((*path).to_owned(), *difference)).collect();
                assert_eq!(check(pair, options).await, expected, "{} {comparison:?}", pair.name);
            };
            pair.both("rutabaga", "is tasty", T1).await;
            expect(&[("rutabaga", Same)], &options).await;
            pair.from("potato2", "----", T1).await;
            expect(&[("potato2", MissingOnTarget), ("rutabaga", Same)], &options).await;
            pair.to("empty space", "-", T2).await;
            let all = [("empty space", MissingOnSource), ("potato2", MissingOnTarget), ("rutabaga", Same)];
            expect(&all, &options).await;
            pair.to("potato2", "----", T2).await;
            pair.from("empty space", "-", T1).await;
            expect(&[("empty space", Same), ("potato2", Same), ("rutabaga", Same)], &options).await;
            pair.to("empty space", "X", T1).await;
            pair.to("remote only", "1", T1).await;
            let differ = [
                ("empty space", Differ),
                ("potato2", Same),
                ("remote only", MissingOnSource),
                ("rutabaga", Same),
            ];
            expect(&differ, &options).await;
            let one_way = SyncOptions { one_way: true, ..options };
            expect(&[("empty space", Differ), ("potato2", Same), ("rutabaga", Same)], &one_way).await;
            for path in ["potato2", "empty space", "rutabaga"] {
                pair.remove(path).await;
            }
            let gone = ["potato2", "empty space", "remote only", "rutabaga"]
                .map(|path| Path::parse(format!("data/{path}")).unwrap());
            pair.target.delete(&gone).await;
        }
    })
    .await;
}

#[tokio::test]
async fn test_check_size_only() {
    each(async |pair| {
        pair.from("a", "one", T1).await;
        pair.to("a", "two", T1).await;
        let size_only = SyncOptions { comparison: Comparison::SizeOnly, ..options() };
        assert_eq!(check(pair, &size_only).await["a"], Difference::Same, "{}", pair.name);
        assert_eq!(check(pair, &options()).await["a"], Difference::Differ);
    })
    .await;
}

#[tokio::test]
async fn test_check_fs_error() {
    each(async |pair| {
        let job = pair.storage.check(&at("source", "no"), &at("target", "no"), &options()).await.unwrap();
        assert_eq!(job.outcome().await.unwrap_err().code(), ErrorCode::NotFound, "{}", pair.name);
    })
    .await;
}

/// An error of either side is an error, also where the bytes differ before it, or their number does.
#[tokio::test]
async fn test_check_equal_readers() {
    each_local(async |pair| {
        let long = "x".repeat(65 * 1024);
        for (path, other) in [("same", long.clone()), ("last", long[1..].to_owned() + "y")] {
            pair.from(path, &long, T1).await;
            pair.to(path, &other, T1).await;
        }
        let bytes = SyncOptions { comparison: Comparison::Always, ..options() };
        let found = check(pair, &bytes).await;
        assert_eq!((found["same"], found["last"]), (Difference::Same, Difference::Differ));
        for side in ["source", "target"] {
            let broken = |name: &str, inner: &Arc<dyn Backend>| -> Arc<dyn Backend> {
                let error = omnistorage::Error::new(ErrorCode::PermissionDenied, "no");
                let faults = Faults::of(Operation::ReadChunk, Fault::Error(error));
                if name == side { Arc::new(Layered::new(inner.clone(), faults)) } else { inner.clone() }
            };
            let storage = storage([
                ("source", broken("source", &pair.source)),
                ("target", broken("target", &pair.target)),
            ]);
            let job = storage.check(&at("source", "data"), &at("target", "data"), &bytes).await.unwrap();
            let report = job.outcome().await.unwrap();
            assert_eq!((report.errors, report.same, report.differ), (2, 0, 0), "{} {side}", pair.name);
        }
    })
    .await;
}

#[tokio::test]
async fn test_ls_and_purge() {
    each(async |pair| {
        pair.from("potato2", "1", T1).await;
        pair.from("sub/deep/a", "22", T1).await;
        let list = async |recursive| {
            let options = ListOptions { recursive, ..ListOptions::default() };
            let entries = pair.storage.list(&at("source", "data"), &options).await.unwrap();
            let entries: Vec<_> = entries.map(|entry| entry.unwrap()).collect().await;
            let shown = |listed: omnistorage::backend::Listed| {
                let entry = listed.into_entry().unwrap();
                (entry.path.to_string(), entry.kind, entry.size)
            };
            entries.into_iter().map(shown).collect::<Vec<_>>()
        };
        let potato = ("data/potato2".to_owned(), ObjectKind::Object, Some(1));
        let directory = ("data/sub".to_owned(), ObjectKind::Directory, None);
        assert_eq!(list(false).await, [potato.clone(), directory], "{}", pair.name);
        let all = list(true).await;
        let objects: Vec<_> = all.into_iter().filter(|(_, kind, _)| *kind == ObjectKind::Object).collect();
        assert_eq!(objects, [potato, ("data/sub/deep/a".to_owned(), ObjectKind::Object, Some(2))]);
        assert_eq!(pair.storage.purge(&at("source", "data")).await.unwrap(), 2);
        pair.source_has(&[]).await;
    })
    .await;
}

#[tokio::test]
async fn test_read_file() {
    each(async |pair| {
        let long = "what was written ".repeat(20_000);
        pair.from("a", &long, T1).await;
        let path = Path::parse("data/a").unwrap();
        let read = pair.source.read_all(&path, &Default::default(), 1 << 20).await.unwrap();
        assert!(read == long.as_bytes(), "{}", pair.name);
    })
    .await;
}
