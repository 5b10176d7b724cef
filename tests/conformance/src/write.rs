//! Writing: nothing is seen before the commit, and nothing is left without one.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures::StreamExt;
use omnistorage::{
    Backend, ErrorCode, Hash, HashAlgorithm, Hasher, ObjectInfo, ObjectKind, Path,
    backend::{ReadOptions, WriteOptions},
};

use crate::{
    shorthand::{Shorthand, fails, path, pattern},
    together::wait,
};

/// A longer and a shorter object replace the old one to the last byte.
pub async fn overwriting_replaces_all(backend: Arc<dyn Backend>) {
    for contents in ["short", "something longer", "", "x"] {
        backend.put("object", contents).await.unwrap();
        assert_eq!(backend.get("object").await.unwrap(), contents);
        assert_eq!(backend.info("object").await.unwrap().size, Some(contents.len() as u64));
        assert_eq!(backend.objects("").await, ["object"]);
    }
}

/// What a write tells of the object is what `stat` tells.
pub async fn a_write_tells_what_stat_tells(backend: Arc<dyn Backend>) {
    let info = backend.put("a/b", "by value").await.unwrap();
    assert_eq!(info, backend.info("a/b").await.unwrap());
    let info = backend.put_by_upload("a/b", "by upload", &WriteOptions::default()).await.unwrap();
    assert_eq!(info, backend.info("a/b").await.unwrap());
}

/// Chunks of all sizes join to one object.
pub async fn chunks_of_any_size_are_joined(backend: Arc<dyn Backend>) {
    let contents = pattern((3 << 20) + 1);
    for (chunk, len) in [(1, 3_000), (7, 70_000), (65_536, 200_000), (1 << 20, contents.len())] {
        let contents = contents.slice(..len);
        let mut upload = backend.upload("object").await.unwrap();
        for start in (0..len).step_by(chunk) {
            upload.push(contents.slice(start..len.min(start + chunk))).await.unwrap();
        }
        assert_eq!(upload.commit().await.unwrap().size, Some(len as u64));
        assert!(backend.get("object").await.unwrap() == contents, "chunks of {chunk} bytes");
    }
    let mut upload = backend.upload("object").await.unwrap();
    let (mut rest, mut len) = (contents.clone(), 0);
    while !rest.is_empty() {
        upload.push(rest.split_to(len.min(rest.len()))).await.unwrap(); // the first one is empty
        len = len * 3 + 1;
    }
    upload.commit().await.unwrap();
    assert!(backend.get("object").await.unwrap() == contents, "chunks that grow");
}

/// A commit without a chunk makes an empty object.
pub async fn an_upload_may_be_empty(backend: Arc<dyn Backend>) {
    backend.put("object", "old").await.unwrap();
    let info = backend.upload("object").await.unwrap().commit().await.unwrap();
    assert_eq!(info.size, Some(0));
    assert_eq!(backend.get("object").await.unwrap(), "");
}

/// Neither a new object nor new contents are seen before the commit.
pub async fn nothing_is_visible_before_the_commit(backend: Arc<dyn Backend>) {
    backend.put("dir/old", "old").await.unwrap();
    let mut new = backend.upload("dir/new").await.unwrap();
    let mut over = backend.upload("dir/old").await.unwrap();
    for upload in [&mut new, &mut over] {
        upload.push(pattern(300_000)).await.unwrap();
        upload.push(pattern(300_000)).await.unwrap();
    }
    assert_eq!(backend.objects("").await, ["dir/old"]);
    assert!(!backend.exists(&path("dir/new")).await.unwrap());
    fails(backend.get("dir/new").await, ErrorCode::NotFound);
    assert_eq!(backend.get("dir/old").await.unwrap(), "old");
    new.commit().await.unwrap();
    over.commit().await.unwrap();
    assert_eq!(backend.objects("").await, ["dir/new", "dir/old"]);
    assert_eq!(backend.info("dir/old").await.unwrap().size, Some(600_000));
}

/// An upload that is aborted leaves everything as it was, at once.
pub async fn an_abort_leaves_nothing(backend: Arc<dyn Backend>) {
    backend.put("dir/old", "old").await.unwrap();
    let before = backend.snapshot().await;
    for target in ["dir/new", "dir/old", "other/deep/new"] {
        for chunks in 0..3 {
            let mut upload = backend.upload(target).await.unwrap();
            for _ in 0..chunks {
                upload.push(pattern(100_000)).await.unwrap();
            }
            upload.abort().await;
            assert_eq!(backend.snapshot().await, before, "{target} after {chunks} chunks");
        }
    }
}

/// An upload that is dropped leaves everything as it was; directories may take a moment.
pub async fn a_drop_leaves_nothing(backend: Arc<dyn Backend>) {
    backend.put("dir/old", "old").await.unwrap();
    let before = backend.snapshot().await;
    for target in ["dir/new", "dir/old", "other/deep/new"] {
        let mut upload = backend.upload(target).await.unwrap();
        upload.push(pattern(100_000)).await.unwrap();
        drop(upload);
        assert_eq!(backend.get("dir/old").await.unwrap(), "old");
        for _ in 0..100 {
            match backend.try_snapshot().await {
                Ok(now) if now == before => break,
                Ok(now) => {
                    let is_new = |(path, (info, _)): (&Path, &(ObjectInfo, _))| {
                        info.kind == ObjectKind::Object && !before.contains_key(path)
                    };
                    assert!(!now.iter().any(is_new), "{target} is seen: {now:?}");
                }
                // A directory that was made for the object goes at this very moment.
                Err(error) => assert_eq!(error.code(), ErrorCode::Unavailable, "{error}"),
            }
            wait(Duration::from_millis(20)).await;
        }
        assert_eq!(backend.snapshot().await, before, "{target}");
    }
}

/// Bytes of another size or hash than was announced are refused, and the old object stays.
pub async fn what_was_announced_must_come(backend: Arc<dyn Backend>) {
    let announce =
        |expected_size, expected_hash| WriteOptions { expected_size, expected_hash, ..Default::default() };
    let hash = |algorithm: HashAlgorithm, contents: &[u8]| {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(contents);
        Some(hasher.finish())
    };
    let mut wrong = vec![announce(Some(2), None), announce(Some(4), None), announce(Some(0), None)];
    // Nobody has so much, and so much must not be made room for.
    wrong.extend([1 << 40, u64::MAX].map(|size| announce(Some(size), None)));
    let mut right = vec![announce(Some(3), None)];
    for algorithm in HashAlgorithm::ALL {
        wrong.push(announce(None, hash(algorithm, b"old")));
        wrong.push(announce(Some(3), hash(algorithm, b"ne")));
        right.push(announce(Some(3), hash(algorithm, b"new")));
    }
    wrong.push(announce(None, Some(Hash { algorithm: HashAlgorithm::Md5, digest: vec![1] })));

    backend.put("object", "old").await.unwrap();
    let before = backend.snapshot().await;
    for options in &wrong {
        for target in ["object", "absent", "dir/absent"] {
            fails(backend.put_with(target, "new", options).await, ErrorCode::Corrupted);
            fails(backend.put_by_upload(target, "new", options).await, ErrorCode::Corrupted);
            assert_eq!(backend.snapshot().await, before, "{options:?}");
        }
    }
    for options in &right {
        backend.put_with("object", "new", options).await.unwrap();
        let mut upload = backend.write(&path("object"), options).await.unwrap();
        upload.push("n".into()).await.unwrap();
        upload.push("ew".into()).await.unwrap();
        upload.commit().await.unwrap();
        assert_eq!(backend.get("object").await.unwrap(), "new");
    }
}

/// A reader that was open before an overwrite sees the old object or the new one, never a mixture.
pub async fn a_reader_never_sees_a_mixture(backend: Arc<dyn Backend>) {
    if !backend.capabilities().features.atomic_write {
        return;
    }
    let [old, new] = [1, 2].map(|byte| Bytes::from(vec![byte; 2 << 20]));
    backend.put("object", old.clone()).await.unwrap();
    let mut reader = backend.read(&path("object"), &ReadOptions::default()).await.unwrap();
    let mut seen = reader.contents.next().await.unwrap().unwrap().to_vec();
    backend.put("object", new.clone()).await.unwrap();
    while let Some(chunk) = reader.contents.next().await {
        seen.extend_from_slice(&chunk.unwrap());
    }
    assert!(seen == old || seen == new, "{} bytes that are neither", seen.len());
    assert!(backend.get("object").await.unwrap() == new);
}
