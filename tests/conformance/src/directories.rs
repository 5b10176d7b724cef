//! Directories that exist by themselves.

use std::sync::Arc;

use omnistorage::{Backend, ErrorCode, ObjectKind, Path};

use crate::shorthand::{ONE_LEVEL, RECURSIVE, Shorthand, fails, is_unsupported, path};

/// An empty directory exists, is known and is listed.
pub async fn an_empty_directory_exists(backend: Arc<dyn Backend>) {
    if !backend.capabilities().features.directories {
        return is_unsupported(&*backend, backend.mkdir(&path("dir"))).await;
    }
    backend.mkdir(&path("dir/sub")).await.unwrap();
    for directory in ["dir", "dir/sub"] {
        let info = backend.info(directory).await.unwrap();
        assert_eq!((info.path.as_str(), info.kind, info.size), (directory, ObjectKind::Directory, None));
        assert!(backend.exists(&path(directory)).await.unwrap());
    }
    assert_eq!(backend.paths("", &RECURSIVE).await, ["dir", "dir/sub"]);
    assert_eq!(backend.paths("", &ONE_LEVEL).await, ["dir"]);
    assert_eq!(backend.paths("dir/sub", &RECURSIVE).await, [""; 0]);
}

/// To make what exists is fine, and changes nothing in it.
pub async fn a_directory_is_made_twice(backend: Arc<dyn Backend>) {
    if !backend.capabilities().features.directories {
        return is_unsupported(&*backend, backend.mkdir(&path("dir"))).await;
    }
    backend.put("dir/file", "x").await.unwrap();
    for directory in ["dir", "dir", "dir/sub", "dir/sub", ""] {
        backend.mkdir(&path(directory)).await.unwrap();
    }
    assert_eq!(backend.get("dir/file").await.unwrap(), "x");
    assert_eq!(backend.paths("", &RECURSIVE).await, ["dir", "dir/file", "dir/sub"]);
}

/// A directory is neither made over an object nor through one.
pub async fn no_directory_replaces_an_object(backend: Arc<dyn Backend>) {
    backend.put("file", "x").await.unwrap();
    if !backend.capabilities().features.directories {
        return is_unsupported(&*backend, backend.mkdir(&path("file"))).await;
    }
    let before = backend.snapshot().await;
    for directory in ["file", "file/sub", "file/sub/deeper"] {
        fails(backend.mkdir(&path(directory)).await, ErrorCode::NotDirectory);
    }
    assert_eq!(backend.snapshot().await, before);
}

/// Only an empty directory is removed, and only that one.
pub async fn an_empty_directory_is_removed(backend: Arc<dyn Backend>) {
    backend.put("dir/file", "x").await.unwrap();
    if !backend.capabilities().features.directories {
        return is_unsupported(&*backend, backend.rmdir(&path("dir"))).await;
    }
    backend.mkdir(&path("dir/sub/deep")).await.unwrap();
    for full in ["dir", "dir/sub"] {
        fails(backend.rmdir(&path(full)).await, ErrorCode::NotEmpty);
    }
    for missing in ["missing", "missing/deeper", "dir/missing"] {
        fails(backend.rmdir(&path(missing)).await, ErrorCode::NotFound);
    }
    fails(backend.rmdir(&path("dir/file")).await, ErrorCode::NotDirectory);
    assert_eq!(backend.paths("", &RECURSIVE).await, ["dir", "dir/file", "dir/sub", "dir/sub/deep"]);
    backend.rmdir(&path("dir/sub/deep")).await.unwrap();
    fails(backend.rmdir(&path("dir/sub/deep")).await, ErrorCode::NotFound);
    backend.rmdir(&path("dir/sub")).await.unwrap();
    assert_eq!(backend.paths("", &RECURSIVE).await, ["dir", "dir/file"]);
}

/// The root stays.
pub async fn the_root_is_not_removed(backend: Arc<dyn Backend>) {
    if !backend.capabilities().features.directories {
        return is_unsupported(&*backend, backend.rmdir(&Path::root())).await;
    }
    assert!(backend.rmdir(&Path::root()).await.is_err());
    assert_eq!(backend.stat(&Path::root()).await.unwrap().kind, ObjectKind::Directory);
    backend.put("file", "x").await.unwrap();
}

/// To delete the last object of a directory leaves the directory.
pub async fn a_directory_outlives_its_objects(backend: Arc<dyn Backend>) {
    if !backend.capabilities().features.directories {
        return;
    }
    backend.put("dir/file", "x").await.unwrap();
    backend.remove("dir/file").await.unwrap();
    assert_eq!(backend.paths("", &RECURSIVE).await, ["dir"]);
}

/// A purge takes empty directories too, and does not count them.
pub async fn a_purge_takes_directories(backend: Arc<dyn Backend>) {
    let features = backend.capabilities().features;
    if !(features.directories && features.purge) {
        return;
    }
    backend.mkdir(&path("dir/empty/deep")).await.unwrap();
    backend.put("dir/file", "x").await.unwrap();
    assert_eq!(backend.purge(&path("dir")).await.unwrap(), 1);
    assert!(backend.snapshot().await.is_empty());
}
