//! What a killed writer leaves is hidden, and goes once it is certain that nobody writes it.

use super::{
    super::{origin::Origin, temporary::is_name},
    *,
};

fn is_temporary(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| is_name(name.as_bytes()))
}

/// What a writer that was killed here leaves in a directory.
fn debris(directory: &std::path::Path) -> std::path::PathBuf {
    let origin = Origin::of(&fs::File::open(directory).unwrap().into()).unwrap();
    let path = directory.join(format!(".omnistorage-{origin}-1.tmp"));
    fs::write(&path, "debris").unwrap();
    path
}

#[tokio::test]
async fn debris_is_hidden_and_swept_by_the_next_write_beside_it() {
    let (directory, backend) = backend_with_names();
    let left = debris(directory.path());
    fs::create_dir(directory.path().join("d")).unwrap();
    let deep = debris(&directory.path().join("d"));
    // Who only looks removes nothing.
    assert_eq!(list(&backend).await.unwrap(), ["d"]);
    assert!(left.exists() && deep.exists());
    put(&backend, "a", "new").await.unwrap();
    assert!(!left.exists() && deep.exists());
    put(&backend, "d/a", "new").await.unwrap();
    assert!(!deep.exists());
}

#[tokio::test]
async fn a_live_writer_is_left_alone() {
    let (directory, backend) = backend_with_names();
    let mut upload = backend.write(&path("a"), &WriteOptions::default()).await.unwrap();
    upload.push("half".into()).await.unwrap();
    let live = on_disk(directory.path());
    assert!(matches!(&*live, [name] if is_temporary(name)), "{live:?}");
    assert!(list(&backend).await.unwrap().is_empty());
    assert_eq!(backend.purge(&path("")).await.unwrap(), 0);
    assert_eq!(backend.sweep(&path(""), Duration::ZERO).await.unwrap(), 0);
    assert_eq!(on_disk(directory.path()), live);

    // Another writer of the same object does not disturb it; the last one wins.
    put(&backend, "a", "other").await.unwrap();
    upload.push(" whole".into()).await.unwrap();
    upload.commit().await.unwrap();
    assert_eq!(get(&backend, "a").await.unwrap(), "half whole");
    assert_eq!(on_disk(directory.path()).len(), 1);
}

/// Another host may hold a lock that is not seen here, and a user may call a file like that.
#[tokio::test]
async fn what_was_made_elsewhere_stays_until_it_is_forgotten() {
    let (directory, backend) = backend_with_names();
    fs::create_dir(directory.path().join("d")).unwrap();
    let foreign = directory.path().join("d/.omnistorage-0123456789abcdef-7.tmp");
    fs::write(&foreign, "theirs").unwrap();
    assert_eq!(list(&backend).await.unwrap(), ["d"]);
    put(&backend, "d/a", "new").await.unwrap();
    backend.delete(&[path("d/a")]).await.remove(0).unwrap();
    assert_eq!(code(backend.rmdir(&path("d")).await), ErrorCode::NotEmpty);
    assert_eq!(code(backend.purge(&path("d")).await), ErrorCode::NotEmpty);
    assert_eq!(backend.sweep(&path(""), Duration::from_secs(3600)).await.unwrap(), 0);
    assert_eq!(fs::read(&foreign).unwrap(), b"theirs");

    let locked = fs::File::open(&foreign).unwrap();
    flock(&locked, FlockOperation::LockExclusive).unwrap();
    assert_eq!(backend.sweep(&path(""), Duration::ZERO).await.unwrap(), 0);
    drop(locked);
    assert_eq!(backend.sweep(&path("d"), Duration::ZERO).await.unwrap(), 1);
    backend.rmdir(&path("d")).await.unwrap();
}

#[tokio::test]
async fn an_empty_directory_with_debris_can_be_removed() {
    let (directory, backend) = backend();
    for remove in [true, false] {
        backend.mkdir(&path("d")).await.unwrap();
        debris(&directory.path().join("d"));
        if remove {
            backend.rmdir(&path("d")).await.unwrap()
        } else {
            let _: u64 = backend.purge(&path("d")).await.unwrap();
        }
        assert!(on_disk(directory.path()).is_empty());
    }
}

/// Somebody removes the temporary file of a live writer, and puts half of another in its place.
#[tokio::test]
async fn a_writer_puts_its_own_file_in_place_or_none() {
    for replace in [true, false] {
        let (directory, backend) = backend_with_names();
        put(&backend, "a", "old").await.unwrap();
        let mut upload = backend.write(&path("a"), &WriteOptions::default()).await.unwrap();
        upload.push("new".into()).await.unwrap();
        let ours = on_disk(directory.path()).into_iter().find(|path| is_temporary(path)).unwrap();
        fs::remove_file(&ours).unwrap();
        if replace {
            fs::write(&ours, "half").unwrap();
        }
        assert_eq!(code(upload.commit().await), ErrorCode::Unavailable);
        assert_eq!(get(&backend, "a").await.unwrap(), "old");
        assert_eq!(std::path::Path::new(&ours).exists(), replace);
    }
}
