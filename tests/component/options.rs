//! What the options of a run do, one by one.

use omnistorage::{
    Backend, ErrorCode, Path, Timestamp,
    backend::WriteOptions,
    runtime::{Backup, Comparison, Deletion, Order, OrderKey, RenameStrategy, Stop, SyncOptions},
};

use crate::{
    pair::{Pair, pair, sync},
    setup::{at, memory, put, storage, tree},
};

/// Writes an object with a time.
async fn put_at(backend: &dyn Backend, path: &str, contents: &str, seconds: i64) {
    let options =
        WriteOptions { modified: Some(Timestamp { seconds, nanoseconds: 0 }), ..Default::default() };
    backend.write_all(&Path::parse(path).unwrap(), contents.to_owned().into(), &options).await.unwrap();
}

async fn paths(backend: &dyn Backend) -> Vec<String> {
    tree(backend).await.into_iter().map(|(path, _)| path).collect()
}

#[tokio::test]
async fn a_changed_time_alone_is_mended_without_sending_bytes() {
    let Pair { source, target, storage } = pair();
    put_at(&*source, "a", "x", 1000).await;
    put_at(&*target, "a", "x", 2000).await;
    let (events, report) = sync(&storage, &SyncOptions::default()).await.unwrap();
    assert_eq!((events, report.bytes), (vec!["updated-time a".to_owned()], 0));
    let time = target.stat(&Path::parse("a").unwrap()).await.unwrap().modified.unwrap();
    assert_eq!(time.seconds, 1000);
}

#[tokio::test]
async fn sizes_may_be_ignored() {
    let Pair { source, target, storage } = pair();
    put_at(&*source, "a", "longer", 1000).await;
    put_at(&*target, "a", "x", 1000).await;
    let options = SyncOptions { ignore_size: true, ..Default::default() };
    assert_eq!(sync(&storage, &options).await.unwrap().0, [""; 0]);
    assert_eq!(sync(&storage, &SyncOptions::default()).await.unwrap().1.transferred, 1);
}

#[tokio::test]
async fn immutable_objects_are_added_and_never_changed() {
    let Pair { source, target, storage } = pair();
    put_at(&*source, "changed", "new", 1000).await;
    put_at(&*source, "new", "1", 1000).await;
    put_at(&*source, "touched", "x", 1000).await;
    put_at(&*target, "changed", "old one", 900).await;
    put_at(&*target, "touched", "x", 900).await;
    let options = SyncOptions { immutable: true, ..Default::default() };
    let mut job = storage.sync(&at("source", ""), &at("target", ""), &options).await.unwrap();
    let mut failed = Vec::new();
    while let Some(event) = job.next().await {
        if let Some(error) = event.error {
            assert_eq!(error.code(), ErrorCode::AlreadyExists);
            failed.push(event.path);
        }
    }
    failed.sort();
    assert_eq!(failed, ["changed", "touched"]);
    assert_eq!(job.outcome().await.unwrap().transferred, 1);
    assert_eq!(tree(&*target).await[0].1, "old one");
}

#[tokio::test]
async fn deletes_come_before_during_or_after_and_end_the_same() {
    for deletion in [Deletion::Before, Deletion::During, Deletion::After] {
        let Pair { source, target, storage } = pair();
        put(&storage, "source", &[("a", "1"), ("z", "2")]).await;
        for number in 0..1200 {
            put_at(&*target, &format!("extra/{number}"), "x", 1).await;
        }
        let options = SyncOptions { deletion, ..Default::default() };
        let none = SyncOptions { max_delete: Some(1199), ..options.clone() };
        assert_eq!(sync(&storage, &none).await.unwrap_err().code(), ErrorCode::LimitExceeded);
        let left = paths(&*target).await.iter().filter(|path| path.starts_with("extra")).count();
        let limit_may_be_used = deletion == Deletion::During;
        assert!(if limit_may_be_used { left >= 1 } else { left == 1200 }, "{deletion:?}: {left} left");
        let (events, report) = sync(&storage, &options).await.unwrap();
        assert_eq!((report.deleted, report.errors), (left as u64, 0), "{deletion:?}");
        assert_eq!(tree(&*target).await, tree(&*source).await);
        let place = |event: &str| events.iter().position(|other| other.starts_with(event));
        if deletion == Deletion::Before && report.transferred > 0 {
            assert!(place("deleted") < place("transferred"));
        }
        assert_eq!(sync(&storage, &options).await.unwrap().0, [""; 0]);
    }
}

#[tokio::test]
async fn an_empty_source_is_refused_whenever_deletes_come() {
    for deletion in [Deletion::Before, Deletion::During, Deletion::After] {
        let Pair { target, storage, .. } = pair();
        for number in 0..600 {
            put_at(&*target, &format!("{number}"), "x", 1).await;
        }
        let options = SyncOptions { deletion, ..Default::default() };
        assert_eq!(sync(&storage, &options).await.unwrap_err().code(), ErrorCode::PreconditionFailed);
        assert_eq!(paths(&*target).await.len(), 600, "{deletion:?}");
    }
}

#[tokio::test]
async fn errors_withhold_deletes_unless_they_are_ignored() {
    for ignore_errors in [false, true] {
        let Pair { source, target, storage } = pair();
        put_at(&*source, "changed", "new", 1000).await;
        put_at(&*target, "changed", "old one", 900).await;
        put_at(&*target, "extra", "x", 900).await;
        let options = SyncOptions { immutable: true, ignore_errors, ..Default::default() };
        let (_, report) = sync(&storage, &options).await.unwrap();
        let deleted = u64::from(ignore_errors);
        assert_eq!((report.errors, report.deleted, report.deletes_withheld), (1, deleted, 1 - deleted));
    }
}

#[tokio::test]
async fn what_is_replaced_or_deleted_is_kept() {
    let kept = memory();
    let (source, target) = (memory(), memory());
    for in_target_backend in [false, true] {
        let storage =
            storage([("source", source.clone()), ("target", target.clone()), ("kept", kept.clone())]);
        put_at(&*source, "d/a.txt", "new", 1000).await;
        put_at(&*source, "b", "1", 1000).await;
        put_at(&*target, "tree/d/a.txt", "old one", 900).await;
        put_at(&*target, "tree/extra", "gone", 900).await;
        let place = if in_target_backend { at("target", "kept") } else { at("kept", "kept") };
        let backup = Backup { place: Some(place.clone()), suffix: "-1".to_owned(), keep_extension: true };
        let options = SyncOptions { backup: Some(backup), ..Default::default() };
        let job = storage.sync(&at("source", ""), &at("target", "tree"), &options).await.unwrap();
        let report = job.outcome().await.unwrap();
        assert_eq!((report.errors, report.deleted), (0, 1), "{report:?}");
        let backend = if in_target_backend { &target } else { &kept };
        let of_place: Vec<_> =
            tree(&**backend).await.into_iter().filter(|(path, _)| path.starts_with("kept")).collect();
        let expected = [
            ("kept/d/a-1.txt".to_owned(), "old one".to_owned()),
            ("kept/extra-1".to_owned(), "gone".to_owned()),
        ];
        assert_eq!(of_place, expected);
    }
}

#[tokio::test]
async fn a_backup_beside_the_objects_is_not_deleted_and_one_within_the_target_is_refused() {
    let Pair { source, target, storage } = pair();
    put_at(&*source, "a", "new", 1000).await;
    put_at(&*target, "a", "old one", 900).await;
    put_at(&*target, "extra", "gone", 900).await;
    let backup = |place| Backup { place, suffix: ".bak".to_owned(), keep_extension: false };
    let options = |place| SyncOptions { backup: Some(backup(place)), ..Default::default() };
    for _ in 0..2 {
        assert_eq!(sync(&storage, &options(None)).await.unwrap().1.errors, 0);
        assert_eq!(paths(&*target).await, ["a", "a.bak", "extra.bak"]);
    }
    let within = sync(&storage, &options(Some(at("target", "kept")))).await;
    assert_eq!(within.unwrap_err().code(), ErrorCode::InvalidArgument);
    let nameless = Backup { place: None, suffix: String::new(), keep_extension: false };
    let refused = sync(&storage, &SyncOptions { backup: Some(nameless), ..Default::default() }).await;
    assert_eq!(refused.unwrap_err().code(), ErrorCode::InvalidArgument);
}

#[tokio::test]
async fn renamed_objects_move_on_the_target() {
    let by = |hash, modified, name| RenameStrategy { hash, modified, name };
    for strategy in [by(true, false, false), by(false, true, false), by(false, false, true)] {
        let Pair { source, target, storage } = pair();
        put_at(&*source, "keep", "k", 1000).await;
        put_at(&*source, "new/name", "contents", 2000).await;
        put_at(&*source, "other", "something else", 3000).await;
        put_at(&*target, "keep", "k", 1000).await;
        put_at(&*target, "old/name", "contents", 2000).await;
        put_at(&*target, "extra", "x", 1).await;
        let options = SyncOptions { track_renames: strategy, ..Default::default() };
        let dry = sync(&storage, &SyncOptions { dry_run: true, ..options.clone() }).await.unwrap();
        let (mut events, report) = sync(&storage, &options).await.unwrap();
        assert_eq!(report, dry.1);
        events.sort();
        assert_eq!(events, ["deleted extra", "renamed new/name", "transferred other"], "{strategy:?}");
        assert_eq!((report.renamed, report.bytes), (1, 14));
        assert_eq!(tree(&*target).await, tree(&*source).await);
        assert_eq!(sync(&storage, &options).await.unwrap().0, [""; 0]);
    }
}

#[tokio::test]
async fn transfers_go_in_the_order_asked_for() {
    for (key, descending, expected) in [
        (OrderKey::Name, true, "dcba"),
        (OrderKey::Size, false, "bdac"),
        (OrderKey::Size, true, "cadb"),
        (OrderKey::Modified, false, "cabd"),
    ] {
        let Pair { source, storage, .. } = pair();
        for (path, size, time) in [("a", 3, 2), ("b", 1, 3), ("c", 4, 1), ("d", 2, 4)] {
            put_at(&*source, path, &"x".repeat(size), time).await;
        }
        let options =
            SyncOptions { order: Some(Order { key, descending }), transfers: 1, ..Default::default() };
        let (events, _) = sync(&storage, &options).await.unwrap();
        let order: String = events.iter().filter_map(|event| event.strip_prefix("transferred ")).collect();
        assert_eq!(order, expected, "{key:?}");
    }
}

#[tokio::test]
async fn a_limit_of_bytes_ends_the_run_before_it_is_passed() {
    let Pair { target, source, storage } = pair();
    for path in ["a", "b", "c"] {
        put_at(&*source, path, &"x".repeat(1000), 1).await;
    }
    put_at(&*target, "_extra", "x", 1).await;
    let options = SyncOptions { max_transfer: Some(2500), ..Default::default() };
    let (events, report) = sync(&storage, &options).await.unwrap();
    assert_eq!((report.bytes, report.stopped, report.deletes_withheld), (2000, Some(Stop::MaxTransfer), 1));
    assert!(events.contains(&"skipped c".to_owned()), "{events:?}");
    assert_eq!(paths(&*target).await, ["_extra", "a", "b"]);
    let enough = SyncOptions { max_transfer: Some(1000), ..Default::default() };
    assert_eq!(sync(&storage, &enough).await.unwrap().1.stopped, None);
    assert_eq!(tree(&*target).await, tree(&*source).await);
}

#[tokio::test]
async fn so_many_errors_end_the_run() {
    let Pair { source, target, storage } = pair();
    for number in 0..9 {
        put_at(&*source, &format!("{number}"), "new", 2).await;
        put_at(&*target, &format!("{number}"), "older", 1).await;
    }
    let options = SyncOptions { immutable: true, max_errors: Some(3), ..Default::default() };
    let report = sync(&storage, &options).await.unwrap().1;
    assert_eq!((report.errors, report.stopped), (3, Some(Stop::MaxErrors)));
}

#[tokio::test]
async fn any_bandwidth_is_kept_and_a_wait_is_given_up_at_once() {
    use std::time::{Duration, Instant};
    for (bytes, bandwidth, least) in [(100, 400, 200), (3000, 32_767, 80)] {
        let Pair { source, target, storage } = pair();
        put_at(&*source, "a", &"x".repeat(bytes), 1).await;
        let options = SyncOptions { bandwidth: Some(bandwidth), ..Default::default() };
        let started = Instant::now();
        sync(&storage, &options).await.unwrap();
        assert!(started.elapsed() >= Duration::from_millis(least), "{:?}", started.elapsed());
        assert_eq!(tree(&*target).await, tree(&*source).await);
    }
    let Pair { source, target, storage } = pair();
    put_at(&*source, "a", &"x".repeat(1000), 1).await;
    let slow = SyncOptions { bandwidth: Some(1), ..Default::default() };
    assert!(tokio::time::timeout(Duration::from_millis(300), sync(&storage, &slow)).await.is_err());
    assert_eq!(tree(&*target).await, []);
}

/// Small objects go many to a call, but what was done shows soon.
#[tokio::test]
async fn with_little_bandwidth_events_come_all_along() {
    let Pair { source, storage, .. } = pair();
    for number in 0..100 {
        put_at(&*source, &format!("{number:02}"), &"x".repeat(1_000), 1).await;
    }
    let options = SyncOptions { bandwidth: Some(5_000), transfers: 1, ..Default::default() };
    let mut job = storage.sync(&at("source", ""), &at("target", ""), &options).await.unwrap();
    assert_eq!(job.next().await.unwrap().path, "00");
    let moved = job.activity().bytes_moved();
    assert!(moved <= 20_000, "{moved}");
}

#[tokio::test]
async fn options_without_sense_are_refused_by_name() {
    let Pair { storage, .. } = pair();
    for (options, name) in [
        (SyncOptions { transfers: 0, ..Default::default() }, "transfers"),
        (SyncOptions { checkers: 257, ..Default::default() }, "checkers"),
        (SyncOptions { retries: 0, ..Default::default() }, "retries"),
        (SyncOptions { bandwidth: Some(0), ..Default::default() }, "bandwidth"),
        (SyncOptions { max_errors: Some(0), ..Default::default() }, "max-errors"),
        (
            SyncOptions {
                deletion: Deletion::Before,
                track_renames: RenameStrategy { hash: true, ..Default::default() },
                ..Default::default()
            },
            "track-renames",
        ),
    ] {
        let error = sync(&storage, &options).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument);
        assert!(error.message().contains(name), "{error}");
    }
}

#[tokio::test]
async fn a_checksum_finds_what_size_and_time_hide() {
    let Pair { source, target, storage } = pair();
    put_at(&*source, "a", "one", 1000).await;
    put_at(&*target, "a", "two", 1000).await;
    put_at(&*source, "b", "same", 1000).await;
    put_at(&*target, "b", "same", 2000).await;
    assert_eq!(
        sync(&storage, &SyncOptions { comparison: Comparison::SizeOnly, ..Default::default() })
            .await
            .unwrap()
            .0,
        [""; 0]
    );
    let options = SyncOptions { comparison: Comparison::Checksum, ..Default::default() };
    assert_eq!(sync(&storage, &options).await.unwrap().0, ["transferred a"]);
    let time = target.stat(&Path::parse("b").unwrap()).await.unwrap().modified.unwrap();
    assert_eq!(time.seconds, 2000, "a checksum leaves times alone");
}
