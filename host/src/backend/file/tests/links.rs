//! Links that are kept as objects, and links that are followed.

use super::*;
use crate::Hasher;

fn keeping() -> (TempDir, FileBackend) {
    let directory = tempfile::tempdir().unwrap();
    let options = FileOptions { links: Links::Keep, ..FileOptions::default() };
    let backend = FileBackend::open(directory.path(), options).unwrap();
    (directory, backend)
}

fn leads_to(directory: &TempDir, link: &str) -> String {
    fs::read_link(directory.path().join(link)).unwrap().to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_link_is_an_object_that_says_where_it_leads() {
    let (directory, backend) = keeping();
    fs::create_dir(directory.path().join("d")).unwrap();
    for (link, target) in [("a", "nowhere"), ("d/up", "../../outside"), ("root", "/"), ("self", "self")] {
        symlink(target, directory.path().join(link)).unwrap();
    }
    put(&backend, "a-b", "x").await.unwrap();
    let all = ["a-b", "a.rclonelink", "d", "d/up.rclonelink", "root.rclonelink", "self.rclonelink"];
    assert_eq!(list(&backend).await.unwrap(), all);
    for (object, target) in [("a", "nowhere"), ("d/up", "../../outside"), ("root", "/"), ("self", "self")] {
        let at = format!("{object}.rclonelink");
        assert_eq!(get(&backend, &at).await.unwrap(), target);
        let info = backend.stat(&path(&at)).await.unwrap();
        assert_eq!((info.kind, info.size), (ObjectKind::Object, Some(target.len() as u64)));
        let read = backend.read(&path(&at), &ReadOptions::default()).await.unwrap();
        assert_eq!(read.info, info);
        let mut hasher = Hasher::new(HashAlgorithm::Sha256);
        hasher.update(target.as_bytes());
        assert_eq!(backend.hash(&path(&at), HashAlgorithm::Sha256).await.unwrap(), hasher.finish());
    }
    // The link itself is still never followed.
    assert_eq!(code(get(&backend, "self").await), ErrorCode::PermissionDenied);
    backend.delete(&[path("root.rclonelink")]).await.remove(0).unwrap();
    assert!(fs::symlink_metadata(directory.path().join("root")).is_err());
}

#[tokio::test]
async fn such_an_object_is_written_as_a_link_with_its_time() {
    let (directory, backend) = keeping();
    let (other, target) = keeping();
    let (plain_directory, plain) = super::backend();
    let modified = Timestamp { seconds: 1_000_000_000, nanoseconds: 5 };
    let options = WriteOptions { modified: Some(modified), ..WriteOptions::default() };
    let info = backend.write_all(&path("d/l.rclonelink"), "../x".into(), &options).await.unwrap();
    assert_eq!((leads_to(&directory, "d/l"), info.modified), ("../x".to_owned(), Some(modified)));
    assert_eq!(backend.stat(&path("d/l.rclonelink")).await.unwrap(), info);
    let copied = backend
        .copy_to(&path("d/l.rclonelink"), &target, &path("l.rclonelink"), &WriteOptions::default())
        .await
        .unwrap();
    assert_eq!((leads_to(&other, "l"), copied.modified), ("../x".to_owned(), Some(modified)));
    backend
        .copy_to(&path("d/l.rclonelink"), &plain, &path("l.rclonelink"), &WriteOptions::default())
        .await
        .unwrap();
    assert_eq!(fs::read_to_string(plain_directory.path().join("l.rclonelink")).unwrap(), "../x");
    backend.set_modified(&path("d/l.rclonelink"), Timestamp { seconds: 7, nanoseconds: 0 }).await.unwrap();
    assert_eq!(backend.stat(&path("d/l.rclonelink")).await.unwrap().modified.unwrap().seconds, 7);

    // What stands there is replaced, but for a directory; and not where nothing may be.
    put(&target, "file", "x").await.unwrap();
    target.mkdir(&path("dir")).await.unwrap();
    put(&target, "file.rclonelink", "new").await.unwrap();
    put(&target, "l.rclonelink", "newer").await.unwrap();
    assert_eq!([leads_to(&other, "file"), leads_to(&other, "l")], ["new", "newer"]);
    assert_eq!(code(put(&target, "dir.rclonelink", "x").await), ErrorCode::IsDirectory);
    let absent = WriteOptions { condition: WriteCondition::IfAbsent, ..WriteOptions::default() };
    let again = target.write_all(&path("l.rclonelink"), "again".into(), &absent).await;
    assert_eq!(code(again), ErrorCode::PreconditionFailed);
    for refused in ["", "a\0b", &"x".repeat(5000)] {
        assert_eq!(code(put(&target, "z.rclonelink", refused).await), ErrorCode::InvalidArgument);
    }
    let wrong = WriteOptions { expected_size: Some(9), ..WriteOptions::default() };
    let written = target.write_all(&path("z.rclonelink"), "x".into(), &wrong).await;
    assert_eq!(code(written), ErrorCode::Corrupted);
    assert_eq!(
        list(&target).await.unwrap(),
        ["dir", "file.rclonelink", "l.rclonelink"],
        "{:?}",
        on_disk(other.path())
    );
    assert_eq!(on_disk(other.path()).len(), 3);
}

/// A root that follows links, below a directory that holds what is outside.
fn following() -> (TempDir, FileBackend) {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir_all(directory.path().join("root/d/e")).unwrap();
    fs::write(directory.path().join("outside"), "outside").unwrap();
    fs::write(directory.path().join("root/d/file"), "x").unwrap();
    fs::write(directory.path().join("root/d/e/deep"), "deep").unwrap();
    let options = FileOptions { links: Links::Follow, ..FileOptions::default() };
    let backend = FileBackend::open(directory.path().join("root"), options).unwrap();
    (directory, backend)
}

fn link(directory: &TempDir, to: &str, at: &str) {
    symlink(to, directory.path().join("root").join(at)).unwrap();
}

/// What a listing says: paths, and after `!` those of failures with their codes.
async fn told(backend: &FileBackend, prefix: &str, recursive: bool) -> Vec<String> {
    let options = ListOptions { recursive, ..ListOptions::default() };
    let mut listing = backend.list(&path(prefix), &options).await.unwrap();
    let mut told = Vec::new();
    loop {
        let batch = listing.next(2).await.unwrap();
        if batch.is_empty() {
            return told;
        }
        told.extend(batch.into_iter().map(|listed| match listed {
            crate::backend::Listed::Entry(entry) => format!("{} {:?}", entry.path, entry.kind),
            crate::backend::Listed::Failure(failure) => {
                format!("! {} {}", failure.what.name(), failure.error.code())
            }
        }));
    }
}

#[tokio::test]
async fn a_link_that_is_followed_is_what_it_leads_to() {
    let (directory, backend) = following();
    link(&directory, "d/file", "a");
    link(&directory, "a", "twice");
    link(&directory, "d", "l");
    link(&directory, "../../d/e/deep", "d/e/up");
    let expected = [
        "a Object",
        "d Directory",
        "d/e Directory",
        "d/e/deep Object",
        "d/e/up Object",
        "d/file Object",
        "l Directory",
        "l/e Directory",
        "l/e/deep Object",
        "l/e/up Object",
        "l/file Object",
        "twice Object",
    ];
    assert_eq!(told(&backend, "", true).await, expected);
    assert_eq!(told(&backend, "l", false).await, ["l/e Directory", "l/file Object"]);
    for (at, contents) in [("a", "x"), ("twice", "x"), ("l/e/deep", "deep"), ("l/e/up", "deep")] {
        assert_eq!(get(&backend, at).await.unwrap(), contents, "{at}");
        let info = backend.stat(&path(at)).await.unwrap();
        assert_eq!((info.kind, info.size), (ObjectKind::Object, Some(contents.len() as u64)));
        let mut hasher = Hasher::new(HashAlgorithm::Sha256);
        hasher.update(contents.as_bytes());
        let hashes = backend.hash_many(&[path(at)], HashAlgorithm::Sha256).await;
        assert_eq!(hashes.into_iter().map(Result::unwrap).collect::<Vec<_>>(), [hasher.finish()]);
    }
    let (target, plain) = super::backend();
    for from in ["a", "l/e/up"] {
        backend.copy_to(&path(from), &plain, &path(from), &WriteOptions::default()).await.unwrap();
        let copied = fs::symlink_metadata(target.path().join(from)).unwrap();
        assert!(copied.is_file(), "{from}");
    }
}

#[tokio::test]
async fn a_link_that_leads_out_or_nowhere_or_around_is_an_error_of_its_own() {
    let (directory, backend) = following();
    let absolute = directory.path().join("root/d/file");
    for (to, at) in [
        ("../outside", "b-out"),
        (absolute.to_str().unwrap(), "c-absolute"),
        ("nowhere", "d/dangling"),
        ("self", "self"),
        ("..", "d/e/around"),
        ("../d/../../outside", "d/out"),
    ] {
        link(&directory, to, at);
    }
    let expected = [
        "! b-out permission-denied",
        "! c-absolute permission-denied",
        "d Directory",
        "! d/dangling not-found",
        "d/e Directory",
        "d/e/around Directory",
        "! d/e/around permission-denied",
        "d/e/deep Object",
        "d/file Object",
        "! d/out permission-denied",
        "! self permission-denied",
    ];
    assert_eq!(told(&backend, "", true).await, expected);
    for at in ["b-out", "c-absolute", "self", "d/out"] {
        assert_eq!(code(get(&backend, at).await), ErrorCode::PermissionDenied, "{at}");
        assert_eq!(code(backend.stat(&path(at)).await), ErrorCode::PermissionDenied, "{at}");
    }
    assert_eq!(code(get(&backend, "d/dangling").await), ErrorCode::NotFound);
    // A directory that is asked for by itself is above itself all the same.
    let around = backend.list(&path("d/e/around"), &ListOptions::default()).await;
    assert_eq!(code(around), ErrorCode::PermissionDenied);
    let again = backend.list(&path("d/e/around/e/around"), &ListOptions::default()).await;
    assert_eq!(code(again), ErrorCode::PermissionDenied);
}

#[tokio::test]
async fn nothing_is_changed_through_a_link_that_is_followed() {
    let (directory, backend) = following();
    link(&directory, "d", "l");
    link(&directory, "d/file", "a");
    let time = Timestamp { seconds: 1, nanoseconds: 0 };
    for refused in [
        put(&backend, "l/new", "x").await.map(drop),
        backend.delete(&[path("l/file")]).await.remove(0),
        backend.purge(&path("l")).await.map(drop),
        backend.set_modified(&path("l/file"), time).await,
        backend.set_modified(&path("a"), time).await,
    ] {
        assert_eq!(code(refused), ErrorCode::PermissionDenied);
    }
    let moved = backend.move_to(&path("a"), &backend, &path("z"), &WriteOptions::default()).await;
    assert_eq!(code(moved), ErrorCode::Unsupported);
    // A link itself is replaced and deleted as ever.
    put(&backend, "a", "new").await.unwrap();
    backend.delete(&[path("l")]).await.remove(0).unwrap();
    let root = directory.path().join("root");
    assert!(fs::symlink_metadata(root.join("a")).unwrap().is_file());
    assert!(fs::symlink_metadata(root.join("l")).is_err());
    assert_eq!(fs::read_to_string(root.join("d/file")).unwrap(), "x");
}
