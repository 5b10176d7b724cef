//! The sync engine through the component.

use std::sync::Arc;

use omnistorage::{
    Backend, ErrorCode,
    runtime::{Action, Deletion, Report, Storage, SyncOptions},
};

use crate::{
    pair::{self, Pair, pair},
    setup::{at, memory, put, storage, tree},
};

/// The events in the order of their words, since objects are worked on side by side, and the report.
async fn sync(storage: &Storage, options: &SyncOptions) -> omnistorage::Result<(Vec<String>, Report)> {
    let (mut events, report) = pair::sync(storage, options).await?;
    events.sort();
    Ok((events, report))
}

#[tokio::test]
async fn the_target_becomes_like_the_source_and_then_nothing_is_left_to_do() {
    let Pair { source, target, storage } = pair();
    put(&storage, "source", &[("a", "1"), ("d/b", "22"), ("d/c", "333"), ("same", "x")]).await;
    put(&storage, "target", &[("d/b", "old one"), ("extra/x", ""), ("same", "x")]).await;
    let (events, report) = sync(&storage, &SyncOptions::default()).await.unwrap();
    assert_eq!(tree(&*target).await, tree(&*source).await);
    assert!(events.contains(&"transferred a".to_owned()) && events.contains(&"deleted extra/x".to_owned()));
    assert_eq!((report.transferred, report.bytes, report.deleted, report.errors), (3, 6, 1, 0));
    let (events, report) = sync(&storage, &SyncOptions::default()).await.unwrap();
    assert_eq!((events, report.checked, report.transferred), (vec![], 4, 0));
}

#[tokio::test]
async fn a_dry_run_tells_what_the_real_run_does_and_does_nothing() {
    let Pair { target, storage, .. } = pair();
    put(&storage, "source", &[("a", "1"), ("b", "2")]).await;
    put(&storage, "target", &[("b", "old"), ("c", "3")]).await;
    let before = tree(&*target).await;
    let dry = sync(&storage, &SyncOptions { dry_run: true, ..Default::default() }).await.unwrap();
    assert_eq!(tree(&*target).await, before);
    assert_eq!(sync(&storage, &SyncOptions::default()).await.unwrap(), dry);
}

#[tokio::test]
async fn an_empty_source_empties_nothing_unless_it_is_meant() {
    let Pair { target, storage, .. } = pair();
    put(&storage, "target", &[("a", "1")]).await;
    let error = sync(&storage, &SyncOptions::default()).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::PreconditionFailed);
    assert_eq!(tree(&*target).await.len(), 1);
    let meant = SyncOptions { allow_empty_source: true, ..Default::default() };
    assert_eq!(sync(&storage, &meant).await.unwrap().1.deleted, 1);
    assert_eq!(tree(&*target).await, []);
}

#[tokio::test]
async fn a_source_that_is_missing_is_an_error_and_not_empty() {
    let Pair { target, storage, .. } = pair();
    put(&storage, "target", &[("a", "1")]).await;
    let options = SyncOptions { allow_empty_source: true, ..Default::default() };
    let job = storage.sync(&at("source", "nowhere"), &at("target", ""), &options).await.unwrap();
    assert_eq!(job.outcome().await.unwrap_err().code(), ErrorCode::NotFound);
    assert_eq!(tree(&*target).await.len(), 1);
}

#[tokio::test]
async fn places_that_overlap_are_refused_and_neighbours_are_not() {
    let Pair { storage, .. } = pair();
    put(&storage, "source", &[("data/x", "1"), ("database/y", "2")]).await;
    for (source, target) in [("data", "data/copy"), ("data", "data"), ("data", "")] {
        let job = storage
            .sync(&at("source", source), &at("source", target), &SyncOptions::default())
            .await
            .unwrap();
        assert_eq!(job.outcome().await.unwrap_err().code(), ErrorCode::InvalidArgument, "{source} {target}");
    }
    let job = storage
        .copy(&at("source", "data"), &at("source", "database"), &SyncOptions::default())
        .await
        .unwrap();
    assert_eq!(job.outcome().await.unwrap().transferred, 1);
}

#[tokio::test]
async fn one_object_goes_into_the_directory_it_is_copied_to() {
    let Pair { target, storage, .. } = pair();
    put(&storage, "source", &[("f.txt", "1"), ("f.txt.bak", "2")]).await;
    let copy =
        async || storage.copy(&at("source", "f.txt"), &at("target", "d"), &SyncOptions::default()).await;
    assert_eq!(copy().await.unwrap().outcome().await.unwrap().transferred, 1);
    assert_eq!(tree(&*target).await, [("d/f.txt".to_owned(), "1".to_owned())]);
    assert_eq!(copy().await.unwrap().outcome().await.unwrap().transferred, 0);
}

#[tokio::test]
async fn the_component_moves_the_bytes_where_the_host_does_not() {
    let (source, target) = (memory(), memory());
    let storage = Storage::builder(crate::setup::runtime())
        .mount("source", source.clone())
        .mount("target", target.clone())
        .transfer(false)
        .build();
    let large = "x".repeat(700_000);
    put(&storage, "source", &[("small", "1"), ("large", &large), ("empty", "")]).await;
    let (events, report) = sync(&storage, &SyncOptions::default()).await.unwrap();
    assert_eq!(report.transferred, 3, "{events:?}");
    assert_eq!(tree(&*target).await, tree(&*source).await);
    assert_eq!(sync(&storage, &SyncOptions::default()).await.unwrap().1.transferred, 0);
}

#[tokio::test]
async fn ten_thousand_objects_and_a_reader_that_leaves() {
    let Pair { source, target, storage } = pair();
    for n in 0..10_000 {
        let path = omnistorage::Path::parse(format!("{}/{n}", n % 100)).unwrap();
        source.write_all(&path, "x".into(), &Default::default()).await.unwrap();
    }
    let mut job = storage.sync(&at("source", ""), &at("target", ""), &SyncOptions::default()).await.unwrap();
    assert_eq!(job.next().await.map(|event| event.action), Some(Action::Transferred));
    let report = job.outcome().await.unwrap();
    assert_eq!((report.transferred, report.errors), (10_000, 0));
    let (events, report) = sync(&storage, &SyncOptions::default()).await.unwrap();
    assert_eq!((events.len(), report.checked), (0, 10_000));
    // More extra objects than are kept in memory.
    for n in 0..10_100 {
        let path = omnistorage::Path::parse(format!("extra/{n}")).unwrap();
        target.write_all(&path, "x".into(), &Default::default()).await.unwrap();
    }
    let too_many = SyncOptions { max_delete: Some(10_000), ..Default::default() };
    assert_eq!(sync(&storage, &too_many).await.unwrap_err().code(), ErrorCode::LimitExceeded);
    assert_eq!(sync(&storage, &SyncOptions::default()).await.unwrap().1.deleted, 10_100);
}

#[tokio::test]
async fn an_object_takes_the_place_of_a_directory_where_what_is_extra_goes() {
    use omnistorage::{FileBackend, backend::file::FileOptions};
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(directory.path().join("a")).unwrap();
    std::fs::write(directory.path().join("a/x"), "kept").unwrap();
    std::os::unix::fs::symlink("a/x", directory.path().join("link")).unwrap();
    let target: Arc<dyn Backend> =
        Arc::new(FileBackend::open(directory.path(), FileOptions::default()).unwrap());
    let storage = storage([("source", memory()), ("target", target.clone())]);
    put(&storage, "source", &[("a", "an object"), ("link", "new")]).await;
    let keeping = SyncOptions { deletion: Deletion::None, ..SyncOptions::default() };
    let (events, report) = sync(&storage, &keeping).await.unwrap();
    assert_eq!(events, ["failed a", "transferred link"]);
    assert_eq!((report.errors, report.deletes_withheld), (1, 0));
    let kept = [("a/x".to_owned(), "kept".to_owned()), ("link".to_owned(), "new".to_owned())];
    assert_eq!(tree(&*target).await, kept);
    let (events, report) = sync(&storage, &SyncOptions::default()).await.unwrap();
    assert_eq!(events, ["deleted a/x", "transferred a"]);
    assert_eq!((report.errors, report.deleted), (0, 1));
    let like_the_source = [("a".to_owned(), "an object".to_owned()), ("link".to_owned(), "new".to_owned())];
    assert_eq!(tree(&*target).await, like_the_source);
}

#[tokio::test]
async fn one_place_by_two_names_is_not_moved_onto_itself() {
    let scratch = tempfile::tempdir().unwrap();
    std::fs::create_dir(scratch.path().join("below")).unwrap();
    std::fs::write(scratch.path().join("below/kept"), "1").unwrap();
    let open = |directory: std::path::PathBuf| -> Arc<dyn Backend> {
        Arc::new(omnistorage::FileBackend::open(directory, Default::default()).unwrap())
    };
    let memory = memory();
    let storage = storage([
        ("root", open(scratch.path().to_owned())),
        ("below", open(scratch.path().join("below"))),
        ("memory", memory.clone()),
        ("again", memory.clone()),
    ]);
    put(&storage, "memory", &[("kept", "1")]).await;
    for (from, to) in [
        (at("root", "below"), at("below", "")),
        (at("below", ""), at("root", "below")),
        (at("root", "below/kept"), at("below", "")),
        (at("memory", ""), at("again", "")),
        (at("memory", "kept"), at("again", "")),
    ] {
        let refused = storage.move_to(&from, &to, &SyncOptions::default()).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::InvalidArgument, "{from:?} to {to:?}");
    }
    assert_eq!(std::fs::read(scratch.path().join("below/kept")).unwrap(), b"1");
    assert_eq!(tree(&*memory).await.len(), 1);
}
