//! What stands where an object is to be put.

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

/// What a file system that folds names says of a name that it takes for another: that it is taken.
#[tokio::test]
async fn a_name_that_is_taken_by_another_is_told_from_one_that_is_there() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("README"), "").unwrap();
    let opened = fs::File::open(directory.path()).unwrap().into();
    let taken = |name: &str| draft::already_there(&opened, &path(name)).code();
    assert_eq!(taken("README"), ErrorCode::PreconditionFailed);
    assert_eq!(taken("readme"), ErrorCode::AlreadyExists);
}
