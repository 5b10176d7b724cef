//! What may stand where: objects, directories and the root.

use std::sync::Arc;

use omnistorage::{Backend, ErrorCode, ObjectKind, backend::WriteOptions};

use crate::shorthand::{Shorthand, fails, path};

/// Nobody replaces the root.
pub async fn the_root_is_not_written(backend: Arc<dyn Backend>) {
    backend.put("object", "x").await.unwrap();
    let before = backend.snapshot().await;
    fails(backend.put("", "x").await, ErrorCode::IsDirectory);
    fails(backend.put_by_upload("", "x", &WriteOptions::default()).await, ErrorCode::IsDirectory);
    if backend.capabilities().features.copy {
        fails(backend.copy("object", "", &WriteOptions::default()).await, ErrorCode::IsDirectory);
        fails(backend.copy("", "other", &WriteOptions::default()).await, ErrorCode::IsDirectory);
    }
    if backend.capabilities().features.move_to {
        fails(backend.rename("object", "", &WriteOptions::default()).await, ErrorCode::IsDirectory);
    }
    assert_eq!(backend.snapshot().await, before);
}

/// Missing directories are made with an object.
pub async fn directories_above_are_made(backend: Arc<dyn Backend>) {
    backend.put("a/b/c/d", "x").await.unwrap();
    let mut upload = backend.upload("e/f/g").await.unwrap();
    upload.push("y".into()).await.unwrap();
    upload.commit().await.unwrap();
    assert_eq!(backend.objects("").await, ["a/b/c/d", "e/f/g"]);
    if backend.capabilities().features.directories {
        for directory in ["a", "a/b", "a/b/c", "e", "e/f"] {
            assert_eq!(backend.info(directory).await.unwrap().kind, ObjectKind::Directory);
        }
    }
}

/// No object comes to lie below another, unless both can be read: some stores have flat names.
pub async fn a_path_through_an_object_is_refused(backend: Arc<dyn Backend>) {
    backend.put("file", "x").await.unwrap();
    let before = backend.snapshot().await;
    for below in ["file/child", "file/child/grandchild"] {
        match backend.put(below, "y").await {
            Ok(_) => {
                assert!(!backend.capabilities().features.directories, "{below} lies below an object");
                assert_eq!(backend.get(below).await.unwrap(), "y");
                backend.remove(below).await.unwrap();
            }
            Err(error) => {
                assert_eq!(error.code(), ErrorCode::NotDirectory, "{error:?}");
                let by_upload = backend.put_by_upload(below, "y", &WriteOptions::default()).await;
                fails(by_upload, ErrorCode::NotDirectory);
            }
        }
        assert_eq!(backend.snapshot().await, before);
    }
}

/// No object replaces a directory, unless names are flat.
pub async fn a_directory_is_not_overwritten(backend: Arc<dyn Backend>) {
    backend.put("dir/file", "x").await.unwrap();
    let before = backend.snapshot().await;
    match backend.put("dir", "y").await {
        Ok(_) => {
            assert!(!backend.capabilities().features.directories, "a directory was overwritten");
            assert_eq!(backend.get("dir").await.unwrap(), "y");
            backend.remove("dir").await.unwrap();
        }
        Err(error) => {
            assert_eq!(error.code(), ErrorCode::IsDirectory, "{error:?}");
            let by_upload = backend.put_by_upload("dir", "y", &WriteOptions::default()).await;
            fails(by_upload, ErrorCode::IsDirectory);
        }
    }
    assert_eq!(backend.snapshot().await, before);
}

/// A directory that appears at the target while an object is uploaded is not overwritten either.
pub async fn a_commit_looks_again_at_its_place(backend: Arc<dyn Backend>) {
    if !backend.capabilities().features.directories {
        return;
    }
    let mut upload = backend.upload("place").await.unwrap();
    upload.push("x".into()).await.unwrap();
    backend.mkdir(&path("place")).await.unwrap();
    fails(upload.commit().await, ErrorCode::IsDirectory);
    assert_eq!(backend.info("place").await.unwrap().kind, ObjectKind::Directory);
    assert_eq!(backend.objects("").await, [""; 0]);
}
