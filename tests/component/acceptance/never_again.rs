//! What went wrong in a library of the same name in Go: its sync, filters, retries, moves and two-way sync, one test a
//! defect.

use std::{sync::Arc, time::Duration};

use omnistorage::{
    Backend, Error, ErrorCode, FileBackend, ObjectInfo, ObjectKind, Path,
    backend::{
        fault::{Fault, Faults},
        file::FileOptions,
        layer::{Layered, Operation},
        observe::Observe,
    },
    runtime::{
        Action, BisyncOptions, Comparison, Difference, Filter, RuleKind, RuleSource, Storage, SyncOptions,
    },
};

use super::pairs::{Pair, T1, T2, T3, each, each_local, options};
use crate::{
    setup::{at, memory, runtime, storage, tree},
    twisted::Twisted,
};

fn refused() -> Fault {
    Fault::Error(Error::new(ErrorCode::PermissionDenied, "no"))
}

/// The pair with faults in its source, whose bytes all pass through the component.
pub(super) fn with_faults(pair: &Pair, faults: Faults) -> Storage {
    Storage::builder(runtime())
        .mount("source", Arc::new(Layered::new(pair.source.clone(), faults)))
        .mount("target", pair.target.clone())
        .transfer(false)
        .build()
}

fn once() -> SyncOptions {
    SyncOptions { retries: 1, ..options() }
}

#[tokio::test]
async fn a_move_deletes_no_source_whose_copy_failed() {
    each_local(async |pair| {
        pair.from("a", "new version", T2).await;
        pair.to("a", "old", T1).await;
        for operation in [Operation::Read, Operation::ReadChunk] {
            let broken = with_faults(pair, Faults::of(operation, refused()));
            let job = broken.move_to(&at("source", "data"), &at("target", "data"), &once()).await.unwrap();
            assert_eq!(job.outcome().await.unwrap().errors, 1, "{}", pair.name);
            pair.source_has(&["a"]).await;
            pair.has(&[("a", "old")]).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_move_deletes_no_source_that_it_skipped() {
    each(async |pair| {
        pair.from("a", "mine", T2).await;
        pair.to("a", "theirs", T1).await;
        pair.move_to(&SyncOptions { comparison: Comparison::IgnoreExisting, ..options() }).await.unwrap();
        pair.source_has(&["a"]).await;
        pair.has(&[("a", "theirs")]).await;
    })
    .await;
}

#[tokio::test]
async fn nothing_is_moved_or_copied_onto_itself() {
    each(async |pair| {
        pair.from("a", "1", T1).await;
        for (from, to) in [("data/a", "data"), ("data", "data")] {
            let (from, to) = (at("source", from), at("source", to));
            for job in [
                pair.storage.move_to(&from, &to, &options()).await,
                pair.storage.copy(&from, &to, &options()).await,
            ] {
                let outcome = job.unwrap().outcome().await;
                assert!(outcome.is_err() || outcome.unwrap().transferred == 0, "{}", pair.name);
            }
        }
        pair.source_has(&["a"]).await;
    })
    .await;
}

#[tokio::test]
async fn a_source_that_breaks_off_publishes_nothing() {
    each_local(async |pair| {
        pair.from("a", &"x".repeat(300_000), T2).await;
        pair.to("a", "old", T1).await;
        for fault in [refused(), Fault::EarlyEnd] {
            let broken = with_faults(pair, Faults::of(Operation::ReadChunk, fault));
            let job = broken.copy(&at("source", "data"), &at("target", "data"), &once()).await.unwrap();
            assert_eq!(job.outcome().await.unwrap().errors, 1, "{}", pair.name);
            pair.has(&[("a", "old")]).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_source_that_is_missing_or_empty_wipes_nothing() {
    each(async |pair| {
        pair.to("a", "1", T1).await;
        assert_eq!(pair.sync(&options()).await.unwrap_err().code(), ErrorCode::NotFound, "{}", pair.name);
        pair.has(&[("a", "1")]).await;
    })
    .await;
    let scratch = tempfile::tempdir().unwrap();
    let empty = Arc::new(FileBackend::open(scratch.path(), FileOptions::default()).unwrap());
    let target = memory();
    let storage = storage([("source", empty as _), ("target", target.clone())]);
    crate::setup::put(&storage, "target", &[("a", "1")]).await;
    let job = storage.sync(&at("source", ""), &at("target", ""), &options()).await.unwrap();
    assert_eq!(job.outcome().await.unwrap_err().code(), ErrorCode::PreconditionFailed);
    assert_eq!(tree(&*target).await.len(), 1);
}

#[tokio::test]
async fn nothing_is_deleted_after_an_error() {
    each_local(async |pair| {
        pair.from("a", "new", T2).await;
        pair.to("extra", "1", T1).await;
        for max_errors in [None, Some(1)] {
            let broken = with_faults(pair, Faults::of(Operation::ReadChunk, refused()));
            let limited = SyncOptions { max_errors, ..once() };
            let job = broken.sync(&at("source", "data"), &at("target", "data"), &limited).await.unwrap();
            let report = job.outcome().await.unwrap();
            assert_eq!((report.errors, report.deleted), (1, 0), "{}", pair.name);
            // A limit may end the run before everything extra was seen.
            assert!(max_errors.is_some() || report.deletes_withheld == 1, "{}: {report:?}", pair.name);
        }
        pair.has(&[("extra", "1")]).await;
    })
    .await;
}

#[tokio::test]
async fn a_filter_does_not_hide_what_must_not_be_overwritten() {
    each(async |pair| {
        pair.from("a", "small", T2).await;
        pair.to("a", "a much larger one", T1).await;
        let filter = Filter { max_size: Some(6), ..Filter::default() };
        let ignore = SyncOptions { comparison: Comparison::IgnoreExisting, filter, ..options() };
        pair.sync(&ignore).await.unwrap();
        pair.has(&[("a", "a much larger one")]).await;
    })
    .await;
}

#[tokio::test]
async fn a_two_way_sync_brings_nothing_back_and_overwrites_no_conflict() {
    let (first, second) = (memory(), memory());
    let storage = storage([("first", first.clone()), ("second", second.clone()), ("state", memory())]);
    let bisync = async |resync| {
        let options = BisyncOptions { resync, ..BisyncOptions::default() };
        let job = storage.bisync(&at("first", ""), &at("second", ""), &at("state", "s"), &options).await;
        job.unwrap().outcome().await.unwrap()
    };
    crate::setup::put(&storage, "first", &[("a", "1"), ("b", "2"), ("b.conflict1", "kept"), ("c", "3")])
        .await;
    bisync(true).await;
    storage.remove(&at("second", "a")).await.unwrap();
    crate::setup::put(&storage, "first", &[("b", "mine")]).await;
    crate::setup::put(&storage, "second", &[("b", "theirs")]).await;
    bisync(false).await;
    let paths: Vec<_> = tree(&*first).await;
    assert_eq!(paths, tree(&*second).await);
    assert!(!paths.iter().any(|(path, _)| path == "a"));
    for contents in ["mine", "theirs", "kept"] {
        assert!(paths.iter().any(|(_, found)| found == contents), "{contents} is lost");
    }
}

#[tokio::test]
async fn no_path_that_is_listed_leads_out_of_the_target() {
    for path in ["../escaped", "a//b", "/abs"] {
        // Such a path cannot even be made: the grammar refuses it at the door.
        assert!(Path::parse(path).is_err(), "{path}");
    }
    // One that lies beside what was asked for can, and is not believed.
    let inner = memory();
    let beside = ObjectInfo::new(Path::parse("elsewhere/x").unwrap(), ObjectKind::Object);
    let source = Twisted::new(&inner).lists(vec![beside]);
    let storage = storage([("source", source), ("target", memory())]);
    let job = storage.sync(&at("source", "data"), &at("target", ""), &options()).await.unwrap();
    assert_eq!(job.outcome().await.unwrap_err().code(), ErrorCode::InvalidPath);
}

#[tokio::test]
async fn a_second_run_finds_nothing_to_do() {
    each(async |pair| {
        for (path, modified) in [("old", T1), ("d/older", T2), ("e", T3)] {
            pair.from(path, path, modified).await;
        }
        pair.sync(&options()).await.unwrap();
        assert_eq!(pair.sync(&options()).await.unwrap().report.transferred, 0, "{}", pair.name);
        let job = pair.storage.check(&at("source", "data"), &at("target", "data"), &options()).await.unwrap();
        assert_eq!(job.outcome().await.unwrap().same, 3, "{}", pair.name);
    })
    .await;
}

#[tokio::test]
async fn a_checksum_sees_what_size_and_time_do_not() {
    each(async |pair| {
        pair.from("a", "one", T1).await;
        pair.to("a", "two", T1).await;
        let ran = pair.sync(&SyncOptions { comparison: Comparison::Checksum, ..options() }).await.unwrap();
        assert_eq!(ran.report.transferred, 1, "{}", pair.name);
    })
    .await;
}

/// `data` is a prefix of neither `data.bak` nor `database/x`, which stand beside both places in every test here.
#[tokio::test]
async fn a_prefix_ends_with_its_segment() {
    each(async |pair| {
        pair.from("a", "1", T1).await;
        pair.to("extra", "2", T1).await;
        let ran = pair.sync(&options()).await.unwrap();
        assert_eq!(ran.events, ["deleted extra", "transferred a"], "{}", pair.name);
        let one = pair.storage.copy(&at("source", "data.bak"), &at("target", "one"), &options()).await;
        assert_eq!(one.unwrap().outcome().await.unwrap().transferred, 1);
    })
    .await;
}

#[tokio::test]
async fn size_alone_counts_in_a_check_and_excluded_objects_go_if_asked() {
    each(async |pair| {
        pair.from("a", "one", T1).await;
        pair.to("a", "two", T1).await;
        pair.to("x.tmp", "1", T1).await;
        let size_only = SyncOptions { comparison: Comparison::SizeOnly, one_way: true, ..options() };
        let job = pair.storage.check(&at("source", "data"), &at("target", "data"), &size_only).await.unwrap();
        assert_eq!(job.outcome().await.unwrap().same, 1, "{}", pair.name);
        let filter = Filter { delete_excluded: true, ..Filter::default() }.rule("- *.tmp");
        let ran = pair.sync(&SyncOptions { filter, ..options() }).await.unwrap();
        assert_eq!(ran.report.deleted, 1, "{}", pair.name);
    })
    .await;
}

#[tokio::test]
async fn what_could_not_be_compared_is_not_in_sync() {
    each_local(async |pair| {
        pair.both("a", "1", T1).await;
        let broken = with_faults(pair, Faults::of(Operation::ReadChunk, refused()));
        let bytes = SyncOptions { comparison: Comparison::Always, ..once() };
        let mut job = broken.check(&at("source", "data"), &at("target", "data"), &bytes).await.unwrap();
        assert_eq!(job.next().await.unwrap().difference, Difference::Error, "{}", pair.name);
        let report = job.outcome().await.unwrap();
        assert_eq!((report.same, report.differ, report.errors), (0, 0, 1));
    })
    .await;
}

#[tokio::test]
async fn filters_mean_what_they_say() {
    each(async |pair| {
        for path in [".git/objects/ab/cd", "a.json", "b.yaml", "c.txt"] {
            pair.from(path, "1", T1).await;
        }
        let filter = Filter::default().rule("- .git/**").rule("+ *.{json,yaml}").rule("- *");
        pair.copy(&SyncOptions { filter, ..options() }).await.unwrap();
        pair.has(&[("a.json", "1"), ("b.yaml", "1")]).await;
        for malformed in ["- [", "- {a", "nothing"] {
            let filter = Filter::default().rule(malformed);
            let error = pair.copy(&SyncOptions { filter, ..options() }).await.unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidArgument, "{malformed}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_age_does_not_hide_what_was_just_written() {
    each(async |pair| {
        pair.from("a", "1", T1).await;
        let filter = Filter { modified_until: Some(T2), ..Filter::default() };
        let aged = SyncOptions { filter, ..options() };
        assert_eq!(pair.sync(&aged).await.unwrap().report.transferred, 1, "{}", pair.name);
        assert_eq!(pair.sync(&aged).await.unwrap().report.transferred, 0, "{}", pair.name);
    })
    .await;
}

/// Every run of these tests counts its events; a dry run counts the same.
#[tokio::test]
async fn counters_are_those_of_the_events_also_of_a_dry_run() {
    each(async |pair| {
        pair.from("new", "1", T1).await;
        pair.both("changed", "old", T1).await;
        pair.from("changed", "newer", T2).await;
        pair.to("extra", "2", T1).await;
        let told = pair.sync(&SyncOptions { dry_run: true, ..options() }).await.unwrap();
        let done = pair.sync(&options()).await.unwrap();
        assert_eq!((told.events, told.report), (done.events, done.report), "{}", pair.name);
        let missing = pair.storage.copy(&at("source", "data/no"), &at("target", "data"), &options()).await;
        assert_eq!(missing.unwrap().outcome().await.unwrap_err().code(), ErrorCode::NotFound);
    })
    .await;
}

/// Links to files, to directories, to nothing and round in circles; a pipe.
#[tokio::test]
async fn links_and_pipes_are_reported_and_hang_nothing() {
    use std::os::unix::fs::symlink;
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path();
    std::fs::create_dir(root.join("d")).unwrap();
    std::fs::write(root.join("d/a"), "1").unwrap();
    symlink("d", root.join("to directory")).unwrap();
    symlink("gone", root.join("dangling")).unwrap();
    symlink("..", root.join("d/loop")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(root.join("pipe")).status().unwrap().success());
    let source: Arc<dyn Backend> = Arc::new(FileBackend::open(root, FileOptions::default()).unwrap());
    let storage = storage([("source", source), ("target", memory())]);
    let run = async {
        let mut job = storage.sync(&at("source", ""), &at("target", ""), &options()).await.unwrap();
        let mut skipped = Vec::new();
        while let Some(event) = job.next().await {
            if event.action == Action::Skipped {
                skipped.push(event.path);
            }
        }
        (skipped, job.outcome().await.unwrap())
    };
    let (skipped, report) = tokio::time::timeout(Duration::from_secs(60), run).await.unwrap();
    assert_eq!(skipped, ["d/loop", "dangling", "pipe", "to directory"]);
    assert_eq!((report.transferred, report.errors), (1, 0));
}

#[tokio::test]
async fn a_place_is_not_synced_into_itself() {
    each(async |pair| {
        pair.from("a", "1", T1).await;
        let job =
            pair.storage.sync(&at("source", "data"), &at("source", "data/sub"), &options()).await.unwrap();
        assert_eq!(job.outcome().await.unwrap_err().code(), ErrorCode::InvalidArgument, "{}", pair.name);
        pair.source_has(&["a"]).await;
    })
    .await;
}

/// The slowest limit, a small object, and a caller that leaves.
#[tokio::test]
async fn a_narrow_bandwidth_hangs_nothing() {
    let (source, target) = (memory(), memory());
    let storage = storage([("source", source), ("target", target)]);
    crate::setup::put(&storage, "source", &[("a", "1")]).await;
    for bandwidth in [100, 32_767] {
        let limited = SyncOptions { bandwidth: Some(bandwidth), comparison: Comparison::Always, ..options() };
        let job = storage.copy(&at("source", ""), &at("target", ""), &limited).await.unwrap();
        let report = tokio::time::timeout(Duration::from_secs(60), job.outcome()).await.unwrap();
        assert_eq!(report.unwrap().transferred, 1, "{bandwidth}");
    }
    crate::setup::put(&storage, "source", &[("large", &"x".repeat(100_000))]).await;
    let slow = SyncOptions { bandwidth: Some(1), ..options() };
    let job = storage.copy(&at("source", ""), &at("target", ""), &slow).await.unwrap();
    let left = tokio::time::timeout(Duration::from_millis(300), job.outcome()).await;
    assert!(left.is_err(), "it takes a day");
}

#[tokio::test]
async fn an_unchanged_run_looks_at_no_object() {
    let counted = Layered::new(memory(), Observe::default());
    let storage = storage([("source", memory()), ("target", Arc::new(counted.clone()) as _)]);
    for number in 0..50 {
        let path = format!("d/{number}");
        crate::setup::put(&storage, "source", &[(path.as_str(), "1")]).await;
    }
    let run = async || {
        let job = storage.sync(&at("source", ""), &at("target", ""), &options()).await.unwrap();
        job.outcome().await.unwrap()
    };
    run().await;
    let calls = || {
        let metrics = counted.layer().metrics();
        [Operation::Stat, Operation::Hash, Operation::Read].map(|operation| metrics.calls(operation))
    };
    let before = calls();
    assert_eq!(run().await.checked, 50);
    let more: u64 = calls().iter().zip(before).map(|(now, then)| now - then).sum();
    assert!(more <= 1, "{more} looks at objects");
}

#[tokio::test]
async fn what_fails_once_is_tried_again_and_what_is_refused_is_not() {
    for (operation, code, tries) in [
        (Operation::List, ErrorCode::Unavailable, true),
        (Operation::ListNext, ErrorCode::Unavailable, true),
        (Operation::Stat, ErrorCode::Timeout, true),
        (Operation::Delete, ErrorCode::RateLimited, true),
        (Operation::Delete, ErrorCode::PermissionDenied, false),
    ] {
        let (source, target) = (memory(), memory());
        let fill = storage([("source", source.clone()), ("target", target.clone())]);
        crate::setup::put(&fill, "source", &[("a", "1")]).await;
        crate::setup::put(&fill, "target", &[("extra", "1")]).await;
        let failed = Arc::new(std::sync::atomic::AtomicU32::new(0));
        let count = failed.clone();
        let faults = Faults::new(move |_, call| {
            let first =
                call.operation == operation && count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0;
            first.then(|| Fault::Error(Error::new(code, "once")))
        });
        let broken: Arc<dyn Backend> = Arc::new(Layered::new(target.clone(), faults));
        let storage = storage([("source", source), ("target", broken)]);
        let job = storage.sync(&at("source", ""), &at("target", ""), &options()).await.unwrap();
        let report = job.outcome().await.unwrap();
        assert_eq!(report.errors == 0, tries, "{operation:?} {code:?}: {report:?}");
        assert_eq!(tree(&*target).await.len() == 1, tries, "{operation:?} {code:?}");
    }
}

#[tokio::test]
async fn a_list_of_files_is_exact() {
    each(async |pair| {
        pair.from("p/q/r.png", "1", T1).await;
        pair.from("p/qq", "2", T1).await;
        let list = RuleSource {
            kind: RuleKind::Files,
            text: "/p/q/r.png".to_owned(),
            file: Some("list".to_owned()),
        };
        let filter = Filter { rules: vec![list], ..Filter::default() };
        pair.copy(&SyncOptions { filter, ..options() }).await.unwrap();
        pair.has(&[("p/q/r.png", "1")]).await;
    })
    .await;
}
