//! Deleting, one by one and by prefix.

use std::sync::Arc;

use omnistorage::{Backend, ErrorCode, Path, backend::ObjectVersion};

use crate::shorthand::{Shorthand, fails, is_unsupported, path};

/// A deleted object is gone; to delete it again is fine.
pub async fn deleting_twice_is_fine(backend: Arc<dyn Backend>) {
    backend.put("dir/object", "x").await.unwrap();
    for _ in 0..2 {
        backend.remove("dir/object").await.unwrap();
        assert!(!backend.exists(&path("dir/object")).await.unwrap());
        fails(backend.get("dir/object").await, ErrorCode::NotFound);
    }
    assert_eq!(backend.objects("").await, [""; 0]);
    backend.put("dir/object", "y").await.unwrap();
    assert_eq!(backend.get("dir/object").await.unwrap(), "y");
}

/// What was never there is deleted with success, also below an object.
pub async fn deleting_what_is_missing_is_fine(backend: Arc<dyn Backend>) {
    backend.put("file", "x").await.unwrap();
    for missing in ["missing", "missing/deeper", "fil", "file2", "file/below"] {
        backend.remove(missing).await.unwrap();
    }
    assert_eq!(backend.objects("").await, ["file"]);
}

/// Only the object of that very path goes.
pub async fn neighbours_stay(backend: Arc<dyn Backend>) {
    for neighbour in ["a", "ab", "a.b", "b/a", "b/ab", "A"] {
        backend.put(neighbour, "x").await.unwrap();
    }
    backend.remove("a").await.unwrap();
    backend.remove("b/a").await.unwrap();
    assert_eq!(backend.objects("").await, ["A", "a.b", "ab", "b/ab"]);
}

/// Many at once: one result a path, in their order.
pub async fn results_stand_in_order(backend: Arc<dyn Backend>) {
    assert!(backend.delete(&[]).await.is_empty());
    backend.put("dir/1", "x").await.unwrap();
    backend.put("dir/ 2%", "x").await.unwrap();
    backend.put("stays", "x").await.unwrap();
    let paths = ["dir/1", "", "missing", "dir/ 2%", "dir/1"].map(path);
    let results = backend.delete(&paths).await;
    assert_eq!(results.len(), paths.len());
    for (result, path) in results.into_iter().zip(&paths) {
        if path.is_root() {
            let error = result.unwrap_err();
            assert_eq!(error.code(), ErrorCode::IsDirectory, "{error:?}");
        } else {
            result.unwrap();
        }
    }
    assert_eq!(backend.objects("").await, ["stays"]);
}

/// More at once than any store takes in one request.
pub async fn many_objects_are_deleted(backend: Arc<dyn Backend>) {
    let paths: Vec<_> = (0..1_100).map(|n| path(&format!("many/{n}"))).collect();
    for path in paths.iter().step_by(10) {
        backend.put(path.as_str(), "x").await.unwrap();
    }
    let results = backend.delete(&paths).await;
    assert_eq!(results.len(), paths.len());
    results.into_iter().for_each(|result| result.unwrap());
    assert_eq!(backend.objects("").await, [""; 0]);
}

/// Only the version that was seen goes. One that is gone already is fine.
pub async fn only_the_version_that_was_seen_is_deleted(backend: Arc<dyn Backend>) {
    let of = |at: &str, etag: &str| ObjectVersion { path: path(at), etag: etag.to_owned() };
    let first = backend.put("object", "first").await.unwrap().etag.unwrap_or_default();
    if !backend.capabilities().features.conditional_delete {
        let delete = async || backend.delete_if_match(&[of("object", &first)]).await.remove(0);
        return is_unsupported(&*backend, delete()).await;
    }
    assert!(backend.delete_if_match(&[]).await.is_empty());
    let second = backend.put("object", "the second").await.unwrap().etag.unwrap();
    let other = backend.put("dir/ 2%", "x").await.unwrap().etag.unwrap();
    let versions = [of("object", &first), of("dir/ 2%", &other), of("", &first), of("missing", &first)];
    let results = backend.delete_if_match(&versions).await;
    let codes: Vec<_> = results.into_iter().map(|result| result.err().map(|error| error.code())).collect();
    assert_eq!(codes, [Some(ErrorCode::PreconditionFailed), None, Some(ErrorCode::IsDirectory), None]);
    assert_eq!(backend.objects("").await, ["object"]);
    assert_eq!(backend.get("object").await.unwrap(), "the second");
    for etag in [&first, &second, &second, &first] {
        let result = backend.delete_if_match(&[of("object", etag)]).await.remove(0);
        assert_eq!(result.is_err(), etag == &first && backend.exists(&path("object")).await.unwrap());
    }
    assert_eq!(backend.objects("").await, [""; 0]);
}

/// A directory is no object: it stays, with all that is in it.
pub async fn a_directory_is_not_deleted(backend: Arc<dyn Backend>) {
    backend.put("dir/file", "x").await.unwrap();
    let result = backend.remove("dir").await;
    if backend.capabilities().features.directories {
        fails(result, ErrorCode::IsDirectory);
        backend.mkdir(&path("empty")).await.unwrap();
        fails(backend.remove("empty").await, ErrorCode::IsDirectory);
        assert!(backend.exists(&path("empty")).await.unwrap());
    }
    assert_eq!(backend.get("dir/file").await.unwrap(), "x");
}

/// A purge takes all below a prefix and nothing beside it, and counts the objects.
pub async fn a_purge_takes_all_below(backend: Arc<dyn Backend>) {
    for object in ["dir/1", "dir/sub/2", "dir/sub/deep/3", "dir.txt", "dir-1/4", "directory/5", "other/dir/6"]
    {
        backend.put(object, "x").await.unwrap();
    }
    if !backend.capabilities().features.purge {
        return is_unsupported(&*backend, backend.purge(&path("dir"))).await;
    }
    assert_eq!(backend.purge(&path("dir/sub")).await.unwrap(), 2);
    assert_eq!(backend.purge(&path("dir")).await.unwrap(), 1);
    assert!(!backend.exists(&path("dir")).await.unwrap());
    assert_eq!(backend.objects("").await, ["dir-1/4", "dir.txt", "directory/5", "other/dir/6"]);
}

/// To purge what is not there deletes nothing; an object is no prefix.
pub async fn a_purge_needs_a_prefix(backend: Arc<dyn Backend>) {
    backend.put("dir/file", "x").await.unwrap();
    let before = backend.snapshot().await;
    if !backend.capabilities().features.purge {
        return is_unsupported(&*backend, backend.purge(&path("missing"))).await;
    }
    for missing in ["missing", "dir/missing", "di", "missing/deeper"] {
        assert_eq!(backend.purge(&path(missing)).await.unwrap(), 0, "{missing}");
    }
    fails(backend.purge(&path("dir/file")).await, ErrorCode::NotDirectory);
    assert_eq!(backend.snapshot().await, before);
}

/// To purge the root empties the backend, which goes on.
pub async fn the_root_can_be_purged(backend: Arc<dyn Backend>) {
    for object in ["a", "b/c", "b/d/e"] {
        backend.put(object, "x").await.unwrap();
    }
    if !backend.capabilities().features.purge {
        return is_unsupported(&*backend, backend.purge(&Path::root())).await;
    }
    assert_eq!(backend.purge(&Path::root()).await.unwrap(), 3);
    assert!(backend.snapshot().await.is_empty());
    assert_eq!(backend.purge(&Path::root()).await.unwrap(), 0);
    backend.put("a", "again").await.unwrap();
    assert_eq!(backend.objects("").await, ["a"]);
}
