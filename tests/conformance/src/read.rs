//! Reading: whole objects, ranges, versions, what is known of them.

use std::sync::Arc;

use futures::StreamExt;
use omnistorage::{Backend, ErrorCode, HashAlgorithm, Hasher, ObjectKind, Path, backend::ReadOptions};

use crate::shorthand::{Shorthand, fails, fails_with_any, is_unsupported, path, pattern};

/// What is written is read, by value and as a stream.
pub async fn what_is_written_is_read(backend: Arc<dyn Backend>) {
    for len in [1, 4096, 1 << 20, (1 << 20) + 17] {
        let contents = pattern(len);
        backend.put("a/b.bin", contents.clone()).await.unwrap();
        assert_eq!(backend.get("a/b.bin").await.unwrap(), contents);
        assert_eq!(backend.stream("a/b.bin", &ReadOptions::default()).await.unwrap(), contents);
        let info = backend.info("a/b.bin").await.unwrap();
        assert_eq!(
            (info.path.as_str(), info.kind, info.size),
            ("a/b.bin", ObjectKind::Object, Some(len as u64))
        );
    }
}

/// An object without bytes is one: it has a size, which is zero.
pub async fn an_empty_object_is_an_object(backend: Arc<dyn Backend>) {
    backend.put("empty", "").await.unwrap();
    assert_eq!(backend.get("empty").await.unwrap(), "");
    assert_eq!(backend.stream("empty", &ReadOptions::default()).await.unwrap(), "");
    assert_eq!(backend.info("empty").await.unwrap().size, Some(0));
    assert_eq!(backend.objects("").await, ["empty"]);
}

/// Every way to look at what is not there says so, and where.
pub async fn what_is_missing_is_not_found(backend: Arc<dyn Backend>) {
    backend.put("dir/there", "x").await.unwrap();
    for missing in ["missing", "dir/missing", "dir/missing/deeper", "ther", "dir/there2"] {
        let error = backend.get(missing).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::NotFound, "{error:?}");
        assert_eq!(error.location().map(|(_, path)| path), Some(missing));
        fails(backend.stream(missing, &ReadOptions::default()).await, ErrorCode::NotFound);
        fails(backend.info(missing).await, ErrorCode::NotFound);
        fails(backend.hash(&path(missing), HashAlgorithm::Md5).await, ErrorCode::NotFound);
        assert!(!backend.exists(&path(missing)).await.unwrap());
    }
    assert!(backend.exists(&path("dir/there")).await.unwrap());
}

/// Below an object there is nothing: that is an answer, not a failure.
pub async fn nothing_is_below_an_object(backend: Arc<dyn Backend>) {
    backend.put("file", "x").await.unwrap();
    for below in ["file/child", "file/child/grandchild"] {
        assert!(!backend.exists(&path(below)).await.unwrap());
        fails(backend.info(below).await, ErrorCode::NotFound);
        fails(backend.get(below).await, ErrorCode::NotFound);
    }
}

/// The root is a directory: known, and not an object.
pub async fn the_root_is_a_directory(backend: Arc<dyn Backend>) {
    let info = backend.stat(&Path::root()).await.unwrap();
    assert_eq!((info.path, info.kind, info.size), (Path::root(), ObjectKind::Directory, None));
    assert!(backend.exists(&Path::root()).await.unwrap());
    fails(backend.get("").await, ErrorCode::IsDirectory);
    fails(backend.stream("", &ReadOptions::default()).await, ErrorCode::IsDirectory);
}

/// A directory is not read; where there are none, there is no object of that path.
pub async fn a_directory_is_not_read(backend: Arc<dyn Backend>) {
    backend.put("dir/file", "x").await.unwrap();
    let directories = backend.capabilities().features.directories;
    let code = if directories { ErrorCode::IsDirectory } else { ErrorCode::NotFound };
    fails(backend.get("dir").await, code);
    fails(backend.stream("dir", &ReadOptions::default()).await, code);
    fails(backend.hash(&path("dir"), HashAlgorithm::Crc32c).await, code);
}

/// Ranges give what there is of them, and none beyond the end.
pub async fn ranges_are_clamped(backend: Arc<dyn Backend>) {
    let range = |offset, length| ReadOptions { offset, length, if_match: None };
    backend.put("digits", "0123456789").await.unwrap();
    if !backend.capabilities().features.range_read {
        return is_unsupported(&*backend, backend.stream("digits", &range(1, Some(2)))).await;
    }
    for (offset, length, expected) in [
        (0, None, "0123456789"),
        (0, Some(10), "0123456789"),
        (0, Some(11), "0123456789"),
        (0, Some(0), ""),
        (3, Some(4), "3456"),
        (3, None, "3456789"),
        (9, Some(1), "9"),
        (9, Some(u64::MAX), "9"),
        (5, Some(0), ""),
        (10, None, ""),
        (10, Some(1), ""),
        (11, None, ""),
        (u64::MAX, Some(u64::MAX), ""),
    ] {
        let options = range(offset, length);
        assert_eq!(backend.stream("digits", &options).await.unwrap(), expected, "{options:?}");
        assert_eq!(backend.read_all(&path("digits"), &options, 10).await.unwrap(), expected, "{options:?}");
        let reader = backend.read(&path("digits"), &options).await.unwrap();
        assert_eq!(reader.info.size, Some(10), "the info is that of the whole object");
    }
    backend.put("empty", "").await.unwrap();
    assert_eq!(backend.stream("empty", &range(0, Some(5))).await.unwrap(), "");
    assert_eq!(backend.stream("empty", &range(5, None)).await.unwrap(), "");
}

/// Ranges of a larger object, at all kinds of places.
pub async fn ranges_start_and_end_anywhere(backend: Arc<dyn Backend>) {
    const LEN: u64 = 700_001;
    if !backend.capabilities().features.range_read {
        return;
    }
    let contents = pattern(LEN as usize);
    backend.put("large", contents.clone()).await.unwrap();
    for round in 0..50_u64 {
        let (offset, length) = (round * 7_919 * 31 % LEN, round * round * 1_009 % LEN);
        let expected = contents.slice(offset as usize..(offset + length).min(LEN) as usize);
        let options = ReadOptions { offset, length: Some(length), if_match: None };
        assert!(backend.stream("large", &options).await.unwrap() == expected, "{options:?}");
    }
}

/// An object by value is never larger than was asked for.
pub async fn read_all_keeps_its_limit(backend: Arc<dyn Backend>) {
    backend.put("ten", "0123456789").await.unwrap();
    let all = ReadOptions::default();
    fails(backend.read_all(&path("ten"), &all, 9).await, ErrorCode::LimitExceeded);
    fails(backend.read_all(&path("ten"), &all, 0).await, ErrorCode::LimitExceeded);
    assert_eq!(backend.read_all(&path("ten"), &all, 10).await.unwrap(), "0123456789");
    backend.put("empty", "").await.unwrap();
    assert_eq!(backend.read_all(&path("empty"), &all, 0).await.unwrap(), "");
    if backend.capabilities().features.range_read {
        let two = ReadOptions { offset: 4, length: Some(2), if_match: None };
        assert_eq!(backend.read_all(&path("ten"), &two, 2).await.unwrap(), "45");
    }
}

/// A reader tells of the object what `stat` tells.
pub async fn a_reader_knows_its_object(backend: Arc<dyn Backend>) {
    backend.put("object", "contents").await.unwrap();
    let reader = backend.read(&path("object"), &ReadOptions::default()).await.unwrap();
    let info = backend.info("object").await.unwrap();
    assert_eq!((&reader.info.path, reader.info.size), (&info.path, info.size));
    assert_eq!((reader.info.modified, reader.info.etag), (info.modified, info.etag));
}

/// A reader that is given up takes nothing with it.
pub async fn a_reader_may_be_dropped(backend: Arc<dyn Backend>) {
    let contents = pattern(2 << 20);
    backend.put("large", contents.clone()).await.unwrap();
    let mut reader = backend.read(&path("large"), &ReadOptions::default()).await.unwrap();
    let first = reader.contents.next().await.unwrap().unwrap();
    assert!(!first.is_empty() && contents.starts_with(&first));
    drop(reader);
    assert!(backend.get("large").await.unwrap() == contents);
}

/// A read may ask for one version and gets no other.
pub async fn a_read_may_ask_for_a_version(backend: Arc<dyn Backend>) {
    backend.put("object", "one").await.unwrap();
    let of = |etag: &str| ReadOptions { if_match: Some(etag.to_owned()), ..ReadOptions::default() };
    let refused = [ErrorCode::PreconditionFailed, ErrorCode::Unsupported];
    fails_with_any(backend.stream("object", &of("\"no such etag\"")).await, &refused);
    fails_with_any(backend.read_all(&path("object"), &of("\"no such etag\""), 99).await, &refused);
    let Some(one) = backend.info("object").await.unwrap().etag else { return };
    assert_eq!(backend.stream("object", &of(&one)).await.unwrap(), "one");
    let two = backend.put("object", "two!").await.unwrap().etag.unwrap();
    assert_ne!(one, two, "an etag changes with the contents");
    fails(backend.stream("object", &of(&one)).await, ErrorCode::PreconditionFailed);
    fails(backend.read_all(&path("object"), &of(&one), 99).await, ErrorCode::PreconditionFailed);
    assert_eq!(backend.read_all(&path("object"), &of(&two), 99).await.unwrap(), "two!");
}

/// The hashes are those of the standards, wherever they come from.
pub async fn hashes_are_true(backend: Arc<dyn Backend>) {
    backend.put("digits", "123456789").await.unwrap();
    for (algorithm, digest) in [
        (HashAlgorithm::Md5, "25f9e794323b453885f5181f1b624d0b"),
        (HashAlgorithm::Sha1, "f7c3bc1d808e04732adf679965ccc34ca7ae3441"),
        (HashAlgorithm::Sha256, "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"),
        (HashAlgorithm::Crc32c, "e3069283"),
    ] {
        let hash = backend.hash(&path("digits"), algorithm).await.unwrap();
        assert_eq!((hash.algorithm, hash.to_string().as_str()), (algorithm, digest));
        let known = backend.info("digits").await.unwrap().hashes;
        let known = known.iter().find(|hash| hash.algorithm == algorithm);
        assert!(known.is_none_or(|known| *known == hash), "{known:?} is not {hash}");
        assert!(
            known.is_some() || !backend.capabilities().hashes.contains(&algorithm),
            "the backend claims to know the {algorithm}"
        );
    }
    let large = pattern(600_000);
    backend.put("large", large.clone()).await.unwrap();
    let mut hasher = Hasher::new(HashAlgorithm::Sha256);
    hasher.update(&large);
    assert_eq!(backend.hash(&path("large"), HashAlgorithm::Sha256).await.unwrap(), hasher.finish());
}

/// Of many hashes at once, one that fails stops no other; the results stand in order.
pub async fn many_hashes_stand_in_order(backend: Arc<dyn Backend>) {
    backend.put("dir/a", "a").await.unwrap();
    backend.put("dir/b", pattern(600_000)).await.unwrap();
    backend.put("other", "").await.unwrap();
    let paths = ["dir/b", "dir/missing", "other", "", "dir/a", "dir/a"].map(path);
    let hashes = backend.hash_many(&paths, HashAlgorithm::Md5).await;
    assert_eq!(hashes.len(), paths.len());
    for (path, hash) in paths.iter().zip(hashes) {
        match backend.hash(path, HashAlgorithm::Md5).await {
            Ok(alone) => assert_eq!(hash.unwrap(), alone, "{path}"),
            Err(alone) => {
                let error = hash.unwrap_err();
                assert_eq!(error.code(), alone.code(), "{path}");
                assert!(error.location().is_some(), "{error:?}");
            }
        }
    }
    assert!(backend.hash_many(&[], HashAlgorithm::Md5).await.is_empty());
}
