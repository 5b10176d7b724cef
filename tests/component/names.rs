//! One object under another name, through the component.

use std::sync::Arc;

use omnistorage::{
    Backend, ErrorCode, FileBackend, MemoryBackend,
    backend::file::FileOptions,
    runtime::{Report, Storage, SyncOptions},
};

use crate::setup::{at, memory, put, storage, tree};

fn named(name: &str) -> SyncOptions {
    SyncOptions { target_name: Some(name.to_owned()), ..SyncOptions::default() }
}

async fn copy(storage: &Storage, from: &str, to: &str, options: &SyncOptions) -> omnistorage::Result<Report> {
    storage.copy(&at("source", from), &at("target", to), options).await?.outcome().await
}

/// What stands on the target under the name of the source is another object, and nobody touches it.
#[tokio::test]
async fn the_object_of_the_old_name_is_another_one() {
    let scratch = tempfile::tempdir().unwrap();
    let directory = |name: &str| -> Arc<dyn Backend> {
        let root = scratch.path().join(name);
        std::fs::create_dir(&root).unwrap();
        Arc::new(FileBackend::open(&root, FileOptions::default()).unwrap())
    };
    for (source, target) in [
        (memory(), memory()),
        (directory("a"), directory("b")),
        (directory("c"), memory()),
        (memory(), directory("d")),
    ] {
        let storage = storage([("source", source.clone()), ("target", target.clone())]);
        put(&storage, "source", &[("x/old", "contents"), ("x/else", "e")]).await;
        put(&storage, "target", &[("y/old", "another"), ("y/new", "replaced")]).await;
        let report = copy(&storage, "x/old", "y", &named("new")).await.unwrap();
        assert_eq!((report.transferred, report.errors), (1, 0));
        let expected = [("y/new", "contents"), ("y/old", "another")];
        let expected = expected.map(|(path, contents)| (path.to_owned(), contents.to_owned()));
        assert_eq!(tree(&*target).await, expected);
        assert_eq!(
            copy(&storage, "x/old", "y", &named("new")).await.unwrap().transferred,
            0,
            "it is the same now"
        );

        let moved = storage.move_to(&at("source", "x/old"), &at("target", "z"), &named("new")).await.unwrap();
        let report = moved.outcome().await.unwrap();
        assert_eq!((report.transferred, report.sources_removed, report.errors), (1, 1, 0));
        assert_eq!(tree(&*source).await, [("x/else".to_owned(), "e".to_owned())]);
        assert!(tree(&*target).await.contains(&("z/new".to_owned(), "contents".to_owned())));
    }
}

#[tokio::test]
async fn within_one_place_it_is_renamed() {
    let backend = Arc::new(MemoryBackend::new());
    let storage = storage([("source", backend.clone())]);
    put(&storage, "source", &[("d/a", "1"), ("d/b", "2")]).await;
    let moved = storage.move_to(&at("source", "d/a"), &at("source", "d"), &named("c")).await.unwrap();
    assert_eq!(moved.outcome().await.unwrap().sources_removed, 1);
    // Onto itself nothing is moved.
    let moved = storage.move_to(&at("source", "d/b"), &at("source", "d"), &named("b")).await.unwrap();
    assert_eq!(moved.outcome().await.unwrap().sources_removed, 0);
    let expected =
        [("d/b", "2"), ("d/c", "1")].map(|(path, contents)| (path.to_owned(), contents.to_owned()));
    assert_eq!(tree(&*backend).await, expected);
}

#[tokio::test]
async fn what_is_no_object_gets_no_other_name() {
    let storage = storage([("source", memory()), ("target", memory())]);
    put(&storage, "source", &[("d/a", "1")]).await;
    put(&storage, "target", &[("dir/x", "1"), ("file", "1")]).await;
    let refused = async |from: &str, to: &str, name: &str| {
        copy(&storage, from, to, &named(name)).await.err().unwrap().code()
    };
    assert_eq!(refused("d", "", "x").await, ErrorCode::IsDirectory);
    assert_eq!(refused("gone", "", "x").await, ErrorCode::NotFound);
    assert_eq!(refused("d/a", "", "dir").await, ErrorCode::IsDirectory);
    assert_eq!(refused("d/a", "file", "x").await, ErrorCode::NotDirectory);
    for name in ["", ".", "..", "a/b", "/a"] {
        assert_eq!(refused("d/a", "", name).await, ErrorCode::InvalidArgument, "{name:?}");
    }
}
