//! Nothing leads out of the root, nothing odd in it is passed over.

use super::*;

#[tokio::test]
async fn links_are_listed_and_never_followed() {
    for resolution in [
        #[cfg(target_os = "linux")]
        Resolution::Kernel,
        Resolution::Walk,
    ] {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret"), "secret").unwrap();
        let directory = tempfile::tempdir().unwrap();
        let mut root = Root::open(directory.path(), FileOptions::default()).unwrap();
        root.tree = root.tree.resolving_by(resolution);
        let backend = FileBackend { root: Arc::new(root) };
        put(&backend, "real/object", "inside").await.unwrap();
        symlink(outside.path(), directory.path().join("out")).unwrap();
        symlink(outside.path().join("secret"), directory.path().join("leaf")).unwrap();
        symlink("real", directory.path().join("in")).unwrap();

        let options = ListOptions { recursive: true, full_info: true, ..ListOptions::default() };
        let kinds: Vec<_> = list_with(&backend, "", options, 2)
            .await
            .unwrap()
            .into_iter()
            .map(|entry| (String::from(entry.path), entry.kind))
            .collect();
        let expected = [
            ("in", ObjectKind::Symlink),
            ("leaf", ObjectKind::Symlink),
            ("out", ObjectKind::Symlink),
            ("real", ObjectKind::Directory),
            ("real/object", ObjectKind::Object),
        ];
        assert_eq!(kinds, expected.map(|(path, kind)| (path.to_owned(), kind)), "{resolution:?}");

        let refused = ErrorCode::PermissionDenied;
        for at in ["leaf", "out/secret", "in/object"] {
            assert_eq!(code(get(&backend, at).await), refused, "{at} {resolution:?}");
            assert_eq!(code(backend.read(&path(at), &ReadOptions::default()).await), refused, "{at}");
            assert_eq!(code(backend.hash(&path(at), HashAlgorithm::Md5).await), refused, "{at}");
            let target = path("copy");
            assert_eq!(
                code(backend.copy_to(&path(at), &backend, &target, &WriteOptions::default()).await),
                refused
            );
            assert_eq!(
                code(backend.move_to(&path(at), &backend, &target, &WriteOptions::default()).await),
                refused
            );
            assert_eq!(code(backend.set_modified(&path(at), Timestamp::now()).await), refused);
        }
        for at in ["out/new", "out/deep/new", "in/new"] {
            assert_eq!(code(put(&backend, at, "x").await), refused, "{at} {resolution:?}");
            assert_eq!(code(backend.stat(&path(at)).await), refused, "{at}");
            assert_eq!(code(backend.delete(&[path(at)]).await.remove(0)), refused, "{at}");
            assert_eq!(code(backend.mkdir(&path(at)).await), refused, "{at}");
            assert_eq!(code(backend.rmdir(&path(at)).await), refused, "{at}");
            assert_eq!(code(backend.purge(&path(at)).await), refused, "{at}");
        }
        assert_eq!(code(backend.purge(&path("out")).await), refused);
        assert_eq!(code(backend.list(&path("out"), &ListOptions::default()).await), refused);
        assert_eq!(backend.stat(&path("leaf")).await.unwrap().kind, ObjectKind::Symlink);
        assert_eq!(code(backend.stat(&path("real/object/x")).await), ErrorCode::NotFound, "{resolution:?}");
        assert_eq!(code(put(&backend, "real/object/x", "").await), ErrorCode::NotDirectory, "{resolution:?}");

        put(&backend, "leaf", "replaced").await.unwrap();
        assert_eq!(get(&backend, "leaf").await.unwrap(), "replaced");
        backend.delete(&[path("out")]).await.remove(0).unwrap();
        assert_eq!(backend.purge(&path("")).await.unwrap(), 3);
        assert_eq!(fs::read_to_string(outside.path().join("secret")).unwrap(), "secret");
        assert_eq!(on_disk(outside.path()).len(), 1);
    }
}

#[tokio::test]
async fn a_directory_swapped_for_a_link_is_not_followed() {
    let (directory, backend) = backend();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("b"), "secret").unwrap();
    put(&backend, "a/b", "inside").await.unwrap();
    let options = ListOptions { recursive: true, ..ListOptions::default() };
    let mut listing = backend.list(&path(""), &options).await.unwrap();
    assert_eq!(listing.next(1).await.unwrap()[0].path().as_str(), "a");
    fs::rename(directory.path().join("a"), directory.path().join("moved")).unwrap();
    symlink(outside.path(), directory.path().join("a")).unwrap();
    assert_eq!(code(listing.next_entries(10).await), ErrorCode::Unavailable);
    assert!(listing.next(10).await.unwrap().is_empty());
    assert_eq!(code(get(&backend, "a/b").await), ErrorCode::PermissionDenied);
}

#[tokio::test]
async fn a_named_pipe_never_hangs() {
    let (directory, backend) = backend();
    mkfifoat(CWD, directory.path().join("pipe"), Mode::from_raw_mode(0o600)).unwrap();
    let socket = std::os::unix::net::UnixListener::bind(directory.path().join("socket")).unwrap();
    for name in ["pipe", "socket"] {
        let at = path(name);
        assert_eq!(backend.stat(&at).await.unwrap().kind, ObjectKind::Special);
        assert_eq!(code(get(&backend, name).await), ErrorCode::Unsupported);
        assert_eq!(code(backend.read(&at, &ReadOptions::default()).await), ErrorCode::Unsupported);
        let copied = backend.copy_to(&at, &backend, &path("copy"), &WriteOptions::default()).await;
        assert_eq!(code(copied), ErrorCode::Unsupported);
    }
    let options = ListOptions { full_info: true, ..ListOptions::default() };
    let entries = list_with(&backend, "", options, 10).await.unwrap();
    assert!(entries.iter().all(|entry| entry.kind == ObjectKind::Special && entry.size.is_none()));
    assert_eq!(entries.len(), 2);
    drop(socket);
}

#[tokio::test]
async fn names_of_temporary_files_are_refused() {
    let (_directory, backend) = backend();
    for at in [
        ".omnistorage-0123456789abcdef-0.tmp",
        "d/.omnistorage-0123456789abcdef-12.tmp",
        ".omnistorage-0123456789abcdef-0.tmp/x",
    ] {
        assert_eq!(code(put(&backend, at, "").await), ErrorCode::InvalidPath);
        assert_eq!(code(get(&backend, at).await), ErrorCode::InvalidPath);
        assert_eq!(code(backend.stat(&path(at)).await), ErrorCode::InvalidPath);
        assert_eq!(code(backend.delete(&[path(at)]).await.remove(0)), ErrorCode::InvalidPath);
        assert_eq!(code(backend.mkdir(&path(at)).await), ErrorCode::InvalidPath);
    }
    for at in
        [".omnistorage-0123456789ABCDEF-0.tmp", ".omnistorage-0123456789abcdef-.tmp", ".omnistorage", "x.tmp"]
    {
        put(&backend, at, at).await.unwrap();
        assert_eq!(get(&backend, at).await.unwrap(), at);
    }
}
