//! Links that are kept as objects.

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
