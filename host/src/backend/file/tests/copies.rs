//! Copies, moves and what comes along with the bytes.

use super::*;

#[tokio::test]
async fn content_type_metadata_and_time_are_kept_where_others_look_for_them() {
    let (directory, backend) = backend();
    let modified = Timestamp { seconds: 1_234_567_890, nanoseconds: 123_456_789 };
    let mut options = WriteOptions { modified: Some(modified), ..WriteOptions::default() };
    if backend.capabilities().features.custom_metadata {
        options.content_type = Some("text/plain".into());
        options.metadata =
            vec![("b".into(), "é".into()), ("a".into(), String::new()), ("c".into(), "x".repeat(600))];
    }
    let written = backend.write_all(&path("a"), "x".into(), &options).await.unwrap();
    options.metadata.sort();
    let check = |info: &ObjectInfo| {
        assert_eq!((&info.content_type, &info.metadata), (&options.content_type, &options.metadata));
        assert_eq!(info.modified, Some(modified));
        assert_eq!(info.size, Some(1));
    };
    check(&written);
    assert_eq!(backend.stat(&path("a")).await.unwrap(), written);
    check(&backend.copy_to(&path("a"), &backend, &path("b"), &WriteOptions::default()).await.unwrap());
    check(&backend.move_to(&path("b"), &backend, &path("c/d"), &WriteOptions::default()).await.unwrap());
    check(&backend.read(&path("c/d"), &ReadOptions::default()).await.unwrap().info);
    let full = ListOptions { full_info: true, ..ListOptions::default() };
    assert_eq!(list_with(&backend, "", full, 10).await.unwrap()[0], written);
    if backend.capabilities().features.custom_metadata {
        let mut value = [0; 64];
        let len = rustix::fs::getxattr(directory.path().join("a"), "user.mime_type", &mut value).unwrap();
        assert_eq!(&value[..len], b"text/plain");
        let huge =
            WriteOptions { metadata: vec![("k".into(), "x".repeat(1 << 20))], ..WriteOptions::default() };
        assert_eq!(code(backend.write_all(&path("a"), "y".into(), &huge).await), ErrorCode::LimitExceeded);
        assert_eq!(get(&backend, "a").await.unwrap(), "x");
        let moved = WriteOptions { metadata: vec![("new".into(), "1".into())], ..WriteOptions::default() };
        let info = backend.move_to(&path("a"), &backend, &path("b"), &moved).await.unwrap();
        assert_eq!(info.metadata, moved.metadata);
        assert_eq!(info.content_type, options.content_type);
    }
    let before_1970 = Timestamp { seconds: -1, nanoseconds: 999_999_999 };
    backend.set_modified(&path("c/d"), before_1970).await.unwrap();
    assert_eq!(backend.stat(&path("c/d")).await.unwrap().modified, Some(before_1970));
    let malformed = Timestamp { seconds: 0, nanoseconds: 0x3fff_ffff };
    assert_eq!(code(backend.set_modified(&path("c/d"), malformed).await), ErrorCode::InvalidArgument);
}

#[tokio::test]
async fn copies_of_every_size_are_whole_and_hashed() {
    let (_directory, source) = backend();
    let (_other, target) = backend();
    for size in [0, 1, 64 * 1024, 64 * 1024 + 1, 3_000_000] {
        let contents: Vec<u8> = (0..size).map(|byte: u32| (byte % 251) as u8).collect();
        source.write_all(&path("a"), contents.clone().into(), &WriteOptions::default()).await.unwrap();
        let hash = source.hash(&path("a"), HashAlgorithm::Sha256).await.unwrap();
        for expected_hash in [None, Some(hash.clone())] {
            let options = WriteOptions { expected_hash, ..WriteOptions::default() };
            let info = source.copy_to(&path("a"), &target, &path("d/b"), &options).await.unwrap();
            assert_eq!(info.size, Some(u64::from(size)));
            let copied = target.read_all(&path("d/b"), &ReadOptions::default(), 1 << 22).await.unwrap();
            assert!(copied == contents, "{size}");
        }
        let wrong = Hash { digest: vec![0; 32], ..hash };
        let wrong = WriteOptions { expected_hash: Some(wrong), ..WriteOptions::default() };
        let copied = source.copy_to(&path("a"), &target, &path("wrong"), &wrong).await;
        assert_eq!(code(copied), ErrorCode::Corrupted);
        assert_eq!(list(&target).await.unwrap(), ["d", "d/b"]);
    }
    let memory = crate::MemoryBackend::new();
    let copied = source.copy_to(&path("a"), &memory, &path("a"), &WriteOptions::default()).await;
    assert_eq!(code(copied), ErrorCode::Unsupported);
}

#[tokio::test]
async fn many_copies_fail_one_by_one() {
    let (directory, source) = backend();
    let (_other, target) = backend();
    let request = |from: &str, to: &str| CopyRequest {
        source: path(from),
        target: path(to),
        options: WriteOptions::default(),
    };
    for at in ["a/1", "a/2", "b/1", "c"] {
        put(&source, at, at).await.unwrap();
    }
    symlink("a", directory.path().join("link")).unwrap();
    let requests = [
        request("a/1", "x/y/1"),
        request("a/missing", "x/y/2"),
        request("a/2", "x/y/3"),
        request("link/1", "link/1"),
        request("b/1", "x/y"),
        request("c", "z"),
    ];
    let results = source.copy_many(&requests, &target).await;
    let codes: Vec<_> = results.into_iter().map(|result| result.err().map(|error| error.code())).collect();
    let expected = [
        None,
        Some(ErrorCode::NotFound),
        None,
        Some(ErrorCode::PermissionDenied),
        Some(ErrorCode::IsDirectory),
        None,
    ];
    assert_eq!(codes, expected);
    assert_eq!(list(&target).await.unwrap(), ["x", "x/y", "x/y/1", "x/y/3", "z"]);
    assert_eq!(get(&target, "x/y/3").await.unwrap(), "a/2");
}

#[tokio::test]
async fn nothing_is_lost_between_two_names_of_one_file() {
    let (directory, backend) = backend();
    put(&backend, "d/a", "kept").await.unwrap();
    let inner = FileBackend::open(directory.path().join("d"), FileOptions::default()).unwrap();
    let options = WriteOptions::default();
    let before = backend.stat(&path("d/a")).await.unwrap().etag;
    assert_eq!(backend.copy_to(&path("d/a"), &inner, &path("a"), &options).await.unwrap().etag, before);
    assert_eq!(backend.copy_to(&path("d/a"), &backend, &path("d/a"), &options).await.unwrap().etag, before);
    assert_eq!(backend.move_to(&path("d/a"), &backend, &path("d/a"), &options).await.unwrap().etag, before);
    fs::hard_link(directory.path().join("d/a"), directory.path().join("d/b")).unwrap();
    backend.move_to(&path("d/a"), &backend, &path("d/b"), &options).await.unwrap();
    assert_eq!(list(&backend).await.unwrap(), ["d", "d/b"]);
    assert_eq!(get(&backend, "d/b").await.unwrap(), "kept");
    fs::hard_link(directory.path().join("d/b"), directory.path().join("d/c")).unwrap();
    backend.copy_to(&path("d/b"), &backend, &path("d/c"), &options).await.unwrap();
    assert_eq!(get(&backend, "d/c").await.unwrap(), "kept");
}

#[tokio::test]
async fn between_two_roots_of_a_file_system_a_file_moves_and_stays_the_same_file() {
    use std::{io::Write, os::unix::fs::MetadataExt};

    let ((here, source), (there, target)) = (backend(), backend());
    let options = WriteOptions::default();
    put(&source, "d/log", "one").await.unwrap();
    put(&target, "e/log", "an older one").await.unwrap();
    let before = fs::metadata(here.path().join("d/log")).unwrap();
    let mut writer = fs::OpenOptions::new().append(true).open(here.path().join("d/log")).unwrap();
    for at in ["e/log", "new/deep/log"] {
        put(&source, "other", at).await.unwrap();
        let moved = source.move_to(&path("other"), &target, &path(at), &options).await.unwrap();
        assert_eq!((moved.path, moved.size), (path(at), Some(at.len() as u64)));
    }
    source.move_to(&path("d/log"), &target, &path("new/log"), &options).await.unwrap();
    writer.write_all(b", two").unwrap();
    let after = fs::metadata(there.path().join("new/log")).unwrap();
    assert_eq!((after.ino(), after.mode()), (before.ino(), before.mode()));
    assert_eq!(after.mtime_nsec(), fs::metadata(there.path().join("new/log")).unwrap().mtime_nsec());
    assert_eq!(get(&target, "new/log").await.unwrap(), "one, two");
    assert_eq!(list(&source).await.unwrap(), ["d"]);

    // What fails, fails where it fails.
    put(&source, "d/log", "again").await.unwrap();
    for (from, to, expected, on_target) in [
        ("d/none", "new/log", ErrorCode::NotFound, false),
        ("d", "new/log", ErrorCode::IsDirectory, false),
        ("d/log", "new", ErrorCode::IsDirectory, true),
        ("d/log", "new/log/below", ErrorCode::NotDirectory, true),
        ("d/log", ".omnistorage-0123456789abcdef-0.tmp", ErrorCode::InvalidPath, true),
    ] {
        for moves in [true, false] {
            let error = match moves {
                true => source.move_to(&path(from), &target, &path(to), &options).await,
                false => source.copy_to(&path(from), &target, &path(to), &options).await,
            }
            .unwrap_err();
            let place = if on_target { to } else { from };
            assert_eq!((error.code(), error.is_on_target()), (expected, on_target), "{from} {to} {moves}");
            assert_eq!(error.location(), Some(("file", place)), "{error:?}");
        }
    }
    assert_eq!(get(&source, "d/log").await.unwrap(), "again");
}

#[tokio::test]
async fn a_move_to_another_root_of_the_same_directory_changes_nothing() {
    let (directory, backend) = backend();
    put(&backend, "d/a", "kept").await.unwrap();
    fs::hard_link(directory.path().join("d/a"), directory.path().join("second")).unwrap();
    let inner = FileBackend::open(directory.path().join("d"), FileOptions::default()).unwrap();
    inner.move_to(&path("a"), &backend, &path("d/a"), &WriteOptions::default()).await.unwrap();
    backend.move_to(&path("d/a"), &inner, &path("a"), &WriteOptions::default()).await.unwrap();
    assert_eq!(get(&inner, "a").await.unwrap(), "kept");
    // Of two names of one file, one goes.
    backend.move_to(&path("second"), &inner, &path("a"), &WriteOptions::default()).await.unwrap();
    assert_eq!(list(&backend).await.unwrap(), ["d", "d/a"]);
    assert_eq!(get(&inner, "a").await.unwrap(), "kept");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn to_another_file_system_nothing_moves_in_one_step() {
    use std::os::unix::fs::MetadataExt;

    let (here, source) = backend();
    let Ok(there) = tempfile::tempdir_in("/dev/shm") else { return };
    let device = |directory: &std::path::Path| fs::metadata(directory).unwrap().dev();
    if device(here.path()) == device(there.path()) {
        return;
    }
    let target = FileBackend::open(there.path(), FileOptions::default()).unwrap();
    put(&source, "a", "1").await.unwrap();
    let moved = source.move_to(&path("a"), &target, &path("new/a"), &WriteOptions::default()).await;
    assert_eq!(code(moved), ErrorCode::Unsupported);
    assert_eq!(
        (list(&source).await.unwrap(), list(&target).await.unwrap()),
        (vec!["a".to_owned()], Vec::new())
    );
}
