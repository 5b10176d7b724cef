//! Copies and moves within a backend.

use std::sync::Arc;

use bytes::Bytes;
use omnistorage::{
    Backend, Error, ErrorCode, Hash, HashAlgorithm, MemoryBackend, ObjectInfo, Result, Timestamp,
    backend::{CopyRequest, WriteOptions},
};

use crate::shorthand::{
    LONG_AGO, Shorthand, assert_same_time, fails, fails_with_any, is_unsupported, path, pattern,
};

/// The two ways to put an object elsewhere: what holds of both is asked of both.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Copy,
    Move,
}

impl Way {
    /// Those that the backend has; the others are held to `unsupported`.
    async fn claimed(backend: &dyn Backend) -> Vec<Self> {
        let features = backend.capabilities().features;
        let mut claimed = Vec::new();
        for (way, is_claimed) in [(Self::Copy, features.copy), (Self::Move, features.move_to)] {
            if is_claimed {
                claimed.push(way);
            } else {
                backend.put("source", "x").await.unwrap();
                is_unsupported(backend, way.go(backend, "source", "target")).await;
            }
        }
        claimed
    }

    async fn go(self, backend: &dyn Backend, source: &str, target: &str) -> Result<ObjectInfo> {
        self.go_with(backend, source, target, &WriteOptions::default()).await
    }

    async fn go_with(
        self,
        backend: &dyn Backend,
        source: &str,
        target: &str,
        options: &WriteOptions,
    ) -> Result<ObjectInfo> {
        match self {
            Self::Copy => backend.copy(source, target, options).await,
            Self::Move => backend.rename(source, target, options).await,
        }
    }

    /// Whether the source stays.
    async fn check_source(self, backend: &dyn Backend, source: &str) {
        assert_eq!(backend.exists(&path(source)).await.unwrap(), self == Self::Copy, "{self:?}");
    }
}

/// All bytes arrive, in new directories and over old objects; the source of a copy stays, that of a move goes.
pub async fn all_bytes_arrive(backend: Arc<dyn Backend>) {
    for way in Way::claimed(&*backend).await {
        for contents in [Bytes::new(), Bytes::from_static(b"small"), pattern((3 << 20) + 7)] {
            for target in ["target", "new/dir/target", "old"] {
                backend.put("old", "something old that is longer than small").await.unwrap();
                backend.put("dir/source", contents.clone()).await.unwrap();
                let info = way.go(&*backend, "dir/source", target).await.unwrap();
                assert_eq!((info.path.as_str(), info.size), (target, Some(contents.len() as u64)));
                assert_eq!(info, backend.info(target).await.unwrap());
                assert!(backend.get(target).await.unwrap() == contents, "{way:?} to {target}");
                way.check_source(&*backend, "dir/source").await;
            }
        }
    }
}

/// Onto itself an object stays what it is.
pub async fn onto_itself_nothing_changes(backend: Arc<dyn Backend>) {
    for way in Way::claimed(&*backend).await {
        backend.put("dir/object", "contents").await.unwrap();
        let before = backend.snapshot().await;
        let info = way.go(&*backend, "dir/object", "dir/object").await.unwrap();
        assert_eq!(info, backend.info("dir/object").await.unwrap());
        assert_eq!(backend.snapshot().await, before, "{way:?}");
    }
}

/// Without a source the target stays as it was, and nothing comes to be.
pub async fn without_a_source_the_target_stays(backend: Arc<dyn Backend>) {
    for way in Way::claimed(&*backend).await {
        backend.put("target", "old").await.unwrap();
        let before = backend.snapshot().await;
        for target in ["target", "new", "new/dir/target", "missing"] {
            fails(way.go(&*backend, "missing", target).await, ErrorCode::NotFound);
            fails(way.go(&*backend, "missing/deeper", target).await, ErrorCode::NotFound);
            assert_eq!(backend.snapshot().await, before, "{way:?} to {target}");
        }
    }
}

/// Directories are neither a source nor a target.
pub async fn directories_stay(backend: Arc<dyn Backend>) {
    for way in Way::claimed(&*backend).await {
        backend.put("dir/inside", "inside").await.unwrap();
        backend.put("object", "object").await.unwrap();
        let before = backend.snapshot().await;
        let directories = backend.capabilities().features.directories;
        fails(
            way.go(&*backend, "dir", "target").await,
            if directories { ErrorCode::IsDirectory } else { ErrorCode::NotFound },
        );
        if directories {
            fails(way.go(&*backend, "object", "dir").await, ErrorCode::IsDirectory);
            fails(way.go(&*backend, "dir/inside", "object/below").await, ErrorCode::NotDirectory);
            fails(way.go(&*backend, "object", "object/below").await, ErrorCode::NotDirectory);
        }
        assert_eq!(backend.snapshot().await, before, "{way:?}");
    }
}

/// Options that the backend keeps, all different from what a plain write gives.
fn attributes(backend: &dyn Backend, word: &str) -> WriteOptions {
    let features = backend.capabilities().features;
    WriteOptions {
        content_type: features.content_type.then(|| format!("text/{word}")),
        modified: features.set_modified.then_some(LONG_AGO),
        metadata: if features.custom_metadata { vec![("key".into(), word.into())] } else { Vec::new() },
        ..WriteOptions::default()
    }
}

/// What is stored beside the bytes comes along.
pub async fn attributes_come_along(backend: Arc<dyn Backend>) {
    for way in Way::claimed(&*backend).await {
        backend.put_with("target", "old", &attributes(&*backend, "old")).await.unwrap();
        backend.put_with("source", "new", &attributes(&*backend, "new")).await.unwrap();
        let source = backend.info("source").await.unwrap();
        let target = way.go(&*backend, "source", "target").await.unwrap();
        assert_eq!(
            (&target.content_type, &target.metadata),
            (&source.content_type, &source.metadata),
            "{way:?}"
        );
        if backend.capabilities().features.set_modified {
            assert_eq!(target.modified, source.modified, "{way:?}");
        }
    }
}

/// What the options give takes the place of what the source has; the rest comes along.
pub async fn options_go_before_attributes(backend: Arc<dyn Backend>) {
    for way in Way::claimed(&*backend).await {
        let mut given = attributes(&*backend, "given");
        given.modified = given.modified.map(|time| Timestamp { seconds: time.seconds + 9, ..time });
        for options in [
            WriteOptions { content_type: given.content_type, ..WriteOptions::default() },
            WriteOptions { modified: given.modified, ..WriteOptions::default() },
            WriteOptions { metadata: given.metadata, ..WriteOptions::default() },
        ] {
            let source = backend.put_with("source", "x", &attributes(&*backend, "source")).await.unwrap();
            let target = way.go_with(&*backend, "source", "target", &options).await.unwrap();
            assert_eq!(backend.info("target").await.unwrap(), target);
            assert_eq!(target.content_type, options.content_type.or(source.content_type), "{way:?}");
            let metadata = if options.metadata.is_empty() { source.metadata } else { options.metadata };
            assert_eq!(target.metadata, metadata, "{way:?}");
            if backend.capabilities().features.set_modified {
                assert_same_time(&*backend, options.modified.or(source.modified).unwrap(), target.modified);
            }
        }
    }
}

/// A source that is not what was expected is not copied.
pub async fn the_source_must_be_as_expected(backend: Arc<dyn Backend>) {
    if !backend.capabilities().features.copy {
        return;
    }
    backend.put("source", "123456789").await.unwrap();
    backend.put("target", "old").await.unwrap();
    let before = backend.snapshot().await;
    let expect = |size, digest: [u8; 4]| WriteOptions {
        expected_size: size,
        expected_hash: Some(Hash { algorithm: HashAlgorithm::Crc32c, digest: digest.to_vec() }),
        ..WriteOptions::default()
    };
    let digest = [0xe3, 0x06, 0x92, 0x83];
    for options in [expect(Some(8), digest), expect(None, [0; 4]), expect(Some(9), [0; 4])] {
        for target in ["target", "new/target"] {
            fails(backend.copy("source", target, &options).await, ErrorCode::Corrupted);
            assert_eq!(backend.snapshot().await, before, "{options:?}");
        }
    }
    backend.copy("source", "target", &expect(Some(9), digest)).await.unwrap();
    assert_eq!(backend.get("target").await.unwrap(), "123456789");
}

/// Of many copies at once, one that fails stops no other; the results stand in order.
pub async fn one_failure_stops_no_other(backend: Arc<dyn Backend>) {
    let request = |source: &str, target: &str| CopyRequest {
        source: path(source),
        target: path(target),
        options: WriteOptions::default(),
    };
    backend.put("from/1", "one").await.unwrap();
    backend.put("from/2", "two").await.unwrap();
    backend.put("other", "three").await.unwrap();
    let requests = [
        request("from/1", "to/1"),
        request("from/missing", "to/missing"),
        request("from/2", "to/deep/2"),
        request("from/2", ""),
        request("other", "other"),
        request("other", "to/1"),
    ];
    let results = backend.copy_many(&requests, &*backend).await;
    assert_eq!(results.len(), requests.len());
    if !backend.capabilities().features.copy {
        return results.into_iter().for_each(|result| fails(result, ErrorCode::Unsupported));
    }
    let codes: Vec<_> = results.iter().map(|result| result.as_ref().err().map(Error::code)).collect();
    assert_eq!(codes, [None, Some(ErrorCode::NotFound), None, Some(ErrorCode::IsDirectory), None, None]);
    for (result, request) in results.iter().zip(&requests) {
        match result {
            Ok(info) => assert_eq!(info.path, request.target),
            Err(error) => assert!(error.location().is_some(), "{error:?}"),
        }
    }
    assert_eq!(backend.objects("").await, ["from/1", "from/2", "other", "to/1", "to/deep/2"]);
    assert_eq!(backend.get("to/1").await.unwrap(), "three");
    assert_eq!(backend.get("to/deep/2").await.unwrap(), "two");
    assert!(backend.copy_many(&[], &*backend).await.is_empty());
}

/// To a backend of another kind: a true copy, or `unsupported` and nothing there.
pub async fn another_backend_gets_all_or_nothing(backend: Arc<dyn Backend>) {
    let other: Arc<dyn Backend> = Arc::new(MemoryBackend::new());
    let contents = pattern(300_000);
    backend.put("source", contents.clone()).await.unwrap();
    let options = WriteOptions::default();
    match backend.copy_to(&path("source"), &*other, &path("dir/target"), &options).await {
        Ok(info) => {
            assert_eq!(info.path, path("dir/target"));
            assert!(other.get("dir/target").await.unwrap() == contents);
        }
        Err(error) => {
            assert_eq!(error.code(), ErrorCode::Unsupported, "{error:?}");
            assert!(!backend.capabilities().features.transfer);
            assert!(other.snapshot().await.is_empty());
        }
    }
    let missing = backend.copy_to(&path("missing"), &*other, &path("target"), &options).await;
    fails_with_any(missing, &[ErrorCode::NotFound, ErrorCode::Unsupported]);
    assert!(!other.exists(&path("target")).await.unwrap());
}
