//! What stands where an object is to be put.

use std::os::unix::fs::PermissionsExt;

use super::*;

#[tokio::test]
async fn devices_pipes_and_sockets_are_never_replaced() {
    for (directory, backend) in [backend(), backend_with_names()] {
        let special = directory.path().join("special");
        let socket = std::os::unix::net::UnixListener::bind(directory.path().join("socket")).unwrap();
        mkfifoat(CWD, &special, Mode::RWXU).unwrap();
        put(&backend, "object", "x").await.unwrap();
        fs::write(directory.path().join("large"), vec![1; 100_000]).unwrap();
        let options = WriteOptions::default();
        let before = on_disk(directory.path());
        for at in ["special", "socket"] {
            let results = [
                put(&backend, at, "x").await,
                backend.copy_to(&path("object"), &backend, &path(at), &options).await,
                backend.copy_to(&path("large"), &backend, &path(at), &options).await,
                backend.move_to(&path("object"), &backend, &path(at), &options).await,
            ];
            for result in results {
                let error = result.unwrap_err();
                assert_eq!(error.code(), ErrorCode::AlreadyExists, "{error}");
            }
            assert_eq!(code(backend.write(&path(at), &options).await.map(drop)), ErrorCode::AlreadyExists);
        }
        // It came while the object was written.
        let upload = backend.write(&path("late"), &options).await.unwrap();
        mkfifoat(CWD, directory.path().join("late"), Mode::RWXU).unwrap();
        assert_eq!(code(upload.commit().await), ErrorCode::AlreadyExists);
        fs::remove_file(directory.path().join("late")).unwrap();
        assert_eq!(on_disk(directory.path()), before);
        drop(socket);
    }
}

fn exclusively() -> WriteOptions {
    WriteOptions { condition: WriteCondition::IfAbsent, ..WriteOptions::default() }
}

#[tokio::test]
async fn what_is_written_exclusively_takes_no_place_that_is_taken() {
    for (directory, backend) in [backend(), backend_with_names()] {
        put(&backend, "object", "x").await.unwrap();
        fs::write(directory.path().join("large"), vec![1; 100_000]).unwrap();
        symlink("nowhere", directory.path().join("link")).unwrap();
        mkfifoat(CWD, directory.path().join("pipe"), Mode::RWXU).unwrap();
        let before = on_disk(directory.path());
        for at in ["object", "link", "pipe"] {
            let results = [
                backend.write_all(&path(at), "y".into(), &exclusively()).await,
                backend.copy_to(&path("object"), &backend, &path(at), &exclusively()).await,
                backend.copy_to(&path("large"), &backend, &path(at), &exclusively()).await,
                backend.move_to(&path("large"), &backend, &path(at), &exclusively()).await,
            ];
            for result in results {
                assert_eq!(code(result), ErrorCode::PreconditionFailed);
            }
        }
        assert_eq!(on_disk(directory.path()), before);
        assert_eq!(get(&backend, "object").await.unwrap(), "x");

        // It came while the object was written.
        let mut upload = backend.write(&path("late"), &exclusively()).await.unwrap();
        upload.push("late".into()).await.unwrap();
        put(&backend, "late", "first").await.unwrap();
        assert_eq!(code(upload.commit().await), ErrorCode::PreconditionFailed);
        assert_eq!(get(&backend, "late").await.unwrap(), "first");
        backend.copy_to(&path("object"), &backend, &path("new"), &exclusively()).await.unwrap();
        backend.move_to(&path("object"), &backend, &path("moved"), &exclusively()).await.unwrap();
        assert_eq!(list(&backend).await.unwrap(), ["large", "late", "link", "moved", "new", "pipe"]);
    }
}

fn over(etag: &str) -> WriteOptions {
    WriteOptions { condition: WriteCondition::IfMatch(etag.to_owned()), ..WriteOptions::default() }
}

/// Where the file system of the tests exchanges no names, there is nothing to see.
fn exchanges(backend: &FileBackend) -> bool {
    backend.capabilities().features.if_match
}

#[tokio::test]
async fn what_is_written_over_a_version_takes_the_place_of_no_other() {
    for (directory, backend) in [backend(), backend_with_names()] {
        if !exchanges(&backend) {
            continue;
        }
        let etag = put(&backend, "object", "x").await.unwrap().etag.unwrap();
        symlink("object", directory.path().join("link")).unwrap();
        mkfifoat(CWD, directory.path().join("pipe"), Mode::RWXU).unwrap();
        fs::create_dir(directory.path().join("directory")).unwrap();
        let before = on_disk(directory.path());
        for (at, expected) in [
            ("link", ErrorCode::PreconditionFailed),
            ("pipe", ErrorCode::PreconditionFailed),
            ("absent", ErrorCode::PreconditionFailed),
            ("no/such/directory", ErrorCode::PreconditionFailed),
            ("directory", ErrorCode::IsDirectory),
        ] {
            let written = backend.write_all(&path(at), "y".into(), &over(&etag)).await;
            assert_eq!(code(written), expected, "{at}");
            let copied = backend.copy_to(&path("object"), &backend, &path(at), &over(&etag)).await;
            assert_eq!(code(copied), expected, "{at}");
        }
        let itself = path("object");
        assert_eq!(
            code(backend.copy_to(&itself, &backend, &itself, &over("other")).await),
            ErrorCode::PreconditionFailed
        );
        backend.copy_to(&itself, &backend, &itself, &over(&etag)).await.unwrap();
        let moved = backend.move_to(&itself, &backend, &path("link"), &over(&etag)).await;
        assert_eq!(code(moved), ErrorCode::Unsupported);
        assert_eq!(on_disk(directory.path()), before);

        // It is never wider than what it replaces, and nothing else is left.
        fs::set_permissions(directory.path().join("object"), fs::Permissions::from_mode(0o600)).unwrap();
        backend.write_all(&itself, "new".into(), &over(&etag)).await.unwrap();
        let mode = fs::metadata(directory.path().join("object")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(get(&backend, "object").await.unwrap(), "new");
        assert_eq!(on_disk(directory.path()).len(), before.len());
    }
}

/// Many count at once in one object: no write is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_version_is_replaced_by_one_writer_alone() {
    const WRITERS: u32 = 6;
    const EACH: u32 = 40;
    for (directory, backend) in [backend(), backend_with_names()] {
        if !exchanges(&backend) {
            continue;
        }
        put(&backend, "counter", "1000").await.unwrap();
        let count = |backend: FileBackend| async move {
            for _ in 0..EACH {
                loop {
                    let read = backend.read(&path("counter"), &ReadOptions::default()).await.unwrap();
                    let etag = read.info.etag.clone().unwrap();
                    let Ok(chunks) = read.contents.try_collect::<Vec<_>>().await else { continue };
                    let number: u32 = str::from_utf8(&chunks.concat()).unwrap().parse().unwrap();
                    let next = (number + 1).to_string();
                    match backend.write_all(&path("counter"), next.into(), &over(&etag)).await {
                        Ok(_) => break,
                        Err(error) => assert_eq!(error.code(), ErrorCode::PreconditionFailed, "{error}"),
                    }
                }
            }
        };
        let writers: Vec<_> = (0..WRITERS).map(|_| tokio::spawn(count(backend.clone()))).collect();
        for writer in writers {
            writer.await.unwrap();
        }
        assert_eq!(get(&backend, "counter").await.unwrap(), (1000 + WRITERS * EACH).to_string());
        assert_eq!(on_disk(directory.path()).len(), 1);
    }
}

/// What a file system that folds names says of a name that it takes for another: that it is taken.
#[tokio::test]
async fn a_name_that_is_taken_by_another_is_told_from_one_that_is_there() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("README"), "").unwrap();
    let opened = fs::File::open(directory.path()).unwrap().into();
    let taken = |name: &str| placement::already_there(&opened, &path(name)).code();
    assert_eq!(taken("README"), ErrorCode::PreconditionFailed);
    assert_eq!(taken("readme"), ErrorCode::AlreadyExists);
}
