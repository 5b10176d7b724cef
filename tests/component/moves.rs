//! Moves through the component: an object leaves the source only once it is safe on the target.

use std::sync::Arc;

use omnistorage::{
    Backend, Error, ErrorCode, MemoryBackend, Path, Timestamp,
    backend::{
        WriteOptions,
        fault::{Fault, Faults},
        layer::{Layered, Operation},
    },
    runtime::{Comparison, Report, Storage, SyncOptions},
};

use crate::{
    replay::Replay,
    setup::{at, memory, put, storage, tree},
};

async fn move_all(
    storage: &Storage,
    from: &str,
    to: &str,
    options: &SyncOptions,
) -> omnistorage::Result<(Vec<String>, Report)> {
    let target = at("target", to);
    let mut replay = Replay::new(storage, &target, options).await;
    let mut job = storage.move_to(&at("source", from), &target, options).await?;
    let mut events = Vec::new();
    while let Some(event) = job.next().await {
        replay.event(&event);
        events.push(format!("{} {}", event.action.as_str(), event.path));
    }
    events.sort();
    let outcome = job.outcome().await;
    replay.assert_holds(storage).await;
    Ok((events, outcome?))
}

async fn paths(backend: &dyn Backend) -> Vec<String> {
    tree(backend).await.into_iter().map(|(path, _)| path).collect()
}

#[tokio::test]
async fn what_arrived_or_is_there_already_leaves_the_source() {
    let (source, target) = (memory(), memory());
    let storage = storage([("source", source.clone()), ("target", target.clone())]);
    put(&storage, "source", &[("a", "1"), ("d/changed", "new"), ("same", "x")]).await;
    put(&storage, "target", &[("d/changed", "older and longer"), ("extra", "stays")]).await;
    storage
        .copy(&at("source", "same"), &at("target", ""), &SyncOptions::default())
        .await
        .unwrap()
        .outcome()
        .await
        .unwrap();
    let expected = [("a", "1"), ("d/changed", "new"), ("extra", "stays"), ("same", "x")]
        .map(|(path, contents)| (path.to_owned(), contents.to_owned()));

    let dry = SyncOptions { dry_run: true, ..Default::default() };
    let told = move_all(&storage, "", "", &dry).await.unwrap();
    assert_eq!(paths(&*source).await.len(), 3);
    let (events, report) = move_all(&storage, "", "", &SyncOptions::default()).await.unwrap();
    assert_eq!((events.clone(), report), told);
    assert_eq!(
        events,
        [
            "source-removed a",
            "source-removed d/changed",
            "source-removed same",
            "transferred a",
            "transferred d/changed"
        ]
    );
    assert_eq!((report.sources_removed, report.transferred, report.errors), (3, 2, 0));
    assert_eq!(tree(&*source).await, []);
    assert_eq!(tree(&*target).await, expected);
}

#[tokio::test]
async fn what_is_skipped_stays_on_the_source() {
    let (source, target) = (memory(), memory());
    let storage = storage([("source", source.clone()), ("target", target.clone())]);
    put(&storage, "source", &[("both", "mine"), ("new", "1")]).await;
    put(&storage, "target", &[("both", "theirs")]).await;
    let options = SyncOptions { comparison: Comparison::IgnoreExisting, ..Default::default() };
    let (events, _) = move_all(&storage, "", "", &options).await.unwrap();
    assert_eq!(events, ["skipped both", "source-removed new", "transferred new"]);
    assert_eq!(paths(&*source).await, ["both"]);
    assert_eq!(tree(&*target).await[0].1, "theirs");
}

#[tokio::test]
async fn a_copy_that_fails_leaves_both_sides_as_they_were() {
    for operation in
        [Operation::CopyTo, Operation::Write, Operation::Push, Operation::Commit, Operation::ReadChunk]
    {
        for early_end in [false, true] {
            let fault = if early_end {
                Fault::EarlyEnd
            } else {
                Fault::Error(Error::new(ErrorCode::PermissionDenied, "no"))
            };
            let faults = Faults::of(operation, fault);
            let (source, target) = (memory(), memory());
            let broken = |inner: &Arc<dyn Backend>| -> Arc<dyn Backend> {
                Arc::new(Layered::new(inner.clone(), faults.clone()))
            };
            let storage = Storage::builder(crate::setup::runtime())
                .mount("source", broken(&source))
                .mount("target", broken(&target))
                .build();
            source
                .write_all(&Path::parse("a").unwrap(), "contents".into(), &WriteOptions::default())
                .await
                .unwrap();
            target
                .write_all(&Path::parse("a").unwrap(), "an older version".into(), &WriteOptions::default())
                .await
                .unwrap();
            let (events, report) = move_all(&storage, "", "", &SyncOptions::default()).await.unwrap();
            if report.errors == 0 {
                // The fault met nothing that this way calls.
                assert_eq!((paths(&*source).await.len(), &tree(&*target).await[0].1[..]), (0, "contents"));
                continue;
            }
            assert_eq!(events, ["failed a"], "{operation:?}");
            assert_eq!(paths(&*source).await, ["a"]);
            assert_eq!(tree(&*target).await[0].1, "an older version");
        }
    }
}

#[tokio::test]
async fn a_source_that_changes_meanwhile_stays() {
    let (inner, target) = (Arc::new(MemoryBackend::new()), memory());
    let path = Path::parse("a").unwrap();
    inner.write_all(&path, "old".into(), &WriteOptions::default()).await.unwrap();
    // Just before the delete it becomes another version.
    let changing = inner.clone();
    let rewrite = Faults::new(move |_, call| {
        if call.operation == Operation::Delete && call.path.as_str() == "a" {
            let options = WriteOptions {
                modified: Some(Timestamp { seconds: 5, nanoseconds: 0 }),
                ..Default::default()
            };
            let written = changing.write_all(call.path, "new".into(), &options);
            futures::FutureExt::now_or_never(written).unwrap().unwrap();
        }
        None
    });
    let source: Arc<dyn Backend> = Arc::new(Layered::new(inner.clone(), rewrite));
    let storage = storage([("source", source), ("target", target.clone())]);
    let options = SyncOptions { retries: 1, ..Default::default() };
    let (events, report) = move_all(&storage, "", "", &options).await.unwrap();
    assert_eq!((events, report.errors), (vec!["failed a".to_owned(), "transferred a".to_owned()], 1));
    assert_eq!(tree(&*inner).await, [("a".to_owned(), "new".to_owned())]);
}

#[tokio::test]
async fn onto_itself_nothing_moves() {
    let both = memory();
    let storage = storage([("source", both.clone()), ("target", both.clone())]);
    put(&storage, "source", &[("d/a", "1")]).await;
    let at_itself = |path: &str| (at("source", path), at("source", "d"));
    for comparison in [Comparison::Automatic, Comparison::Always] {
        let options = SyncOptions { comparison, ..Default::default() };
        let (from, to) = at_itself("d/a");
        let report = storage.move_to(&from, &to, &options).await.unwrap().outcome().await.unwrap();
        assert_eq!(report, Report::default());
        let (from, to) = at_itself("d");
        let refused = storage.move_to(&from, &to, &options).await.unwrap().outcome().await;
        assert_eq!(refused.unwrap_err().code(), ErrorCode::InvalidArgument);
        assert_eq!(paths(&*both).await, ["d/a"]);
    }
}

#[tokio::test]
async fn within_a_backend_an_object_moves_in_one_step() {
    let faults = Faults::none();
    let inner = memory();
    let counted: Arc<dyn Backend> = Arc::new(Layered::new(inner.clone(), faults.clone()));
    let storage = storage([("source", counted)]);
    put(&storage, "source", &[("from/d/a", "1"), ("from/b", "2")]).await;
    let before = faults.calls();
    let job =
        storage.move_to(&at("source", "from"), &at("source", "to"), &SyncOptions::default()).await.unwrap();
    let report = job.outcome().await.unwrap();
    assert_eq!((report.transferred, report.sources_removed), (2, 2));
    assert_eq!(paths(&*inner).await, ["to/b", "to/d/a"]);
    assert!(faults.calls() - before < 16, "{} calls", faults.calls() - before);
}

#[tokio::test]
async fn one_object_moves_into_a_directory() {
    let (source, target) = (memory(), memory());
    let storage = storage([("source", source.clone()), ("target", target.clone())]);
    put(&storage, "source", &[("f", "1"), ("f.bak", "2")]).await;
    move_all(&storage, "f", "d", &SyncOptions::default()).await.unwrap();
    assert_eq!(
        (paths(&*source).await, paths(&*target).await),
        (vec!["f.bak".to_owned()], vec!["d/f".to_owned()])
    );
}
