//! What only the system of the server can make: names that are not UTF-8, links, pipes, and what others left.

use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt, fs::symlink},
    path::{Path as File, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use omnistorage::{
    Backend, ErrorCode, ObjectKind, Path, SftpBackend, Timestamp,
    backend::{ListOptions, ReadOptions, WriteOptions},
};
use omnistorage_test_servers::sftp::openssh;

use super::on;

const RECURSIVE: ListOptions =
    ListOptions { recursive: true, start_after: None, until: None, limit: None, full_info: false };
const TEMPORARY: &str = ".omnistorage-0000000000000000-0123456789abcdef.tmp";

async fn odd() -> (Arc<dyn Backend>, PathBuf) {
    let (backend, directory) = on(openssh(), true);
    if directory.as_os_str().is_empty() {
        return (backend, directory);
    }
    fs::create_dir(directory.join("odd")).unwrap();
    for name in ["a", "odd/a", "odd/z", "z"] {
        fs::write(directory.join(name), "x").unwrap();
    }
    let no_text = directory.join("odd").join(OsStr::from_bytes(b"caf\xe9"));
    fs::create_dir(&no_text).unwrap();
    fs::write(no_text.join("x"), "x").unwrap();
    (backend, directory)
}

macro_rules! unlisted {
    ($($row:ident)*) => {
        $(
            #[test]
            fn $row() {
                if openssh().is_some() {
                    omnistorage_conformance::run(odd, omnistorage_conformance::unlisted::$row);
                }
            }
        )*
    };
}

unlisted! {
    the_rest_is_listed
    a_failure_is_told_where_it_belongs
    one_level_tells_it_too
    elsewhere_nothing_fails
    the_strict_are_refused
    its_neighbours_are_in_use
}

fn path(path: &str) -> Path {
    Path::parse(path).unwrap()
}

/// A backend of its own and its directory; `None` where there is no server.
fn fresh() -> Option<(SftpBackend, PathBuf)> {
    let (config, directory) = openssh()?.config_and_directory();
    Some((SftpBackend::from_config(config).unwrap(), directory))
}

async fn kinds(backend: &SftpBackend) -> Vec<(String, ObjectKind)> {
    let mut listing = backend.list(&Path::root(), &RECURSIVE).await.unwrap();
    let entries = listing.next_entries(1000).await.unwrap();
    entries.into_iter().map(|entry| (entry.path.as_str().to_owned(), entry.kind)).collect()
}

fn names(directory: &File) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn links_are_listed_and_never_followed() {
    let Some((backend, directory)) = fresh() else { return };
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret"), "secret").unwrap();
    symlink(outside.path(), directory.join("out")).unwrap();
    symlink(outside.path().join("secret"), directory.join("file")).unwrap();
    symlink("nowhere", directory.join("broken")).unwrap();
    let links = ["broken", "file", "out"].map(|name| (name.to_owned(), ObjectKind::Symlink));
    assert_eq!(kinds(&backend).await, links);
    assert_eq!(backend.stat(&path("out")).await.unwrap().kind, ObjectKind::Symlink);

    let options = WriteOptions::default();
    for through in ["out/secret", "file", "out"] {
        let refused = backend.read(&path(through), &ReadOptions::default()).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::PermissionDenied, "{refused}");
        assert!(refused.message().contains("symbolic link"), "{refused}");
    }
    for refused in [
        backend.write_all(&path("out/new"), "x".into(), &options).await.map(drop),
        backend.mkdir(&path("out/new/deep")).await,
        backend.delete(&[path("out/secret")]).await.remove(0),
        backend.rmdir(&path("out/new")).await,
        backend.purge(&path("out")).await.map(drop),
        backend.set_modified(&path("out/secret"), Timestamp::now()).await,
        backend.set_modified(&path("file"), Timestamp::now()).await,
        backend.list(&path("out"), &RECURSIVE).await.unwrap().next(9).await.map(drop),
        backend.move_to(&path("out/secret"), &backend, &path("got"), &options).await.map(drop),
    ] {
        assert_eq!(refused.unwrap_err().code(), ErrorCode::PermissionDenied);
    }
    // A write replaces the link, and a delete removes it.
    backend.write_all(&path("file"), "mine".into(), &options).await.unwrap();
    backend.delete(&[path("broken"), path("out")]).await.into_iter().for_each(|deleted| deleted.unwrap());
    assert_eq!(kinds(&backend).await, [("file".to_owned(), ObjectKind::Object)]);
    assert_eq!(fs::read_to_string(outside.path().join("secret")).unwrap(), "secret");
    assert_eq!(names(outside.path()), ["secret"]);
}

#[tokio::test]
async fn a_place_that_a_user_named_may_be_a_link() {
    let Some((backend, directory)) = fresh() else { return };
    fs::create_dir_all(directory.join("real/data")).unwrap();
    fs::write(directory.join("real/data/a"), "x").unwrap();
    symlink("..", directory.join("real/data/up")).unwrap();
    symlink("real", directory.join("link")).unwrap();
    symlink("real/data", directory.join("itself")).unwrap();
    backend.grant(&path("link/data"), true);
    backend.grant(&path("itself"), true);
    for place in ["link/data", "itself"] {
        let read = backend.read_all(&path(&format!("{place}/a")), &ReadOptions::default(), 9).await.unwrap();
        assert_eq!(read, "x");
        backend
            .write_all(&path(&format!("{place}/new/b")), "y".into(), &WriteOptions::default())
            .await
            .unwrap();
        let through =
            backend.read_all(&path(&format!("{place}/up/data/a")), &ReadOptions::default(), 9).await;
        assert_eq!(through.unwrap_err().code(), ErrorCode::PermissionDenied);
    }
    assert_eq!(fs::read_to_string(directory.join("real/data/new/b")).unwrap(), "y");
    for outside in ["real/data/a", "", "link"] {
        let refused = backend.stat(&path(outside)).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::PermissionDenied, "{refused}");
    }
}

#[tokio::test]
async fn a_named_pipe_never_hangs_and_is_never_replaced() {
    let Some((backend, directory)) = fresh() else { return };
    let made = std::process::Command::new("mkfifo").arg(directory.join("pipe")).status().unwrap();
    assert!(made.success());
    assert_eq!(kinds(&backend).await, [("pipe".to_owned(), ObjectKind::Special)]);
    let refused = backend.read(&path("pipe"), &ReadOptions::default()).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Unsupported, "{refused}");
    let refused = backend.write_all(&path("pipe"), "x".into(), &WriteOptions::default()).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::AlreadyExists, "{refused}");
    backend.delete(&[path("pipe")]).await.remove(0).unwrap();
    assert_eq!(names(&directory), [""; 0]);
}

#[tokio::test]
async fn what_replaces_has_the_bits_of_what_it_replaces() {
    use std::os::unix::fs::PermissionsExt;
    let Some((backend, directory)) = fresh() else { return };
    for mode in [0o600, 0o640, 0o666, 0o755] {
        fs::write(directory.join("file"), "old").unwrap();
        fs::set_permissions(directory.join("file"), fs::Permissions::from_mode(mode)).unwrap();
        backend.write_all(&path("file"), "new".into(), &WriteOptions::default()).await.unwrap();
        let found = fs::metadata(directory.join("file")).unwrap();
        assert_eq!((found.permissions().mode() & 0o7777, found.len()), (mode, 3));
    }
}

#[tokio::test]
async fn leftovers_are_hidden_and_swept() {
    let Some((backend, directory)) = fresh() else { return };
    fs::create_dir(directory.join("dir")).unwrap();
    for name in [TEMPORARY, "dir/.omnistorage-0000000000000000-1.tmp", ".omnistorage-notes"] {
        fs::write(directory.join(name), "x").unwrap();
    }
    let old = SystemTime::now() - Duration::from_secs(7200);
    fs::File::options().write(true).open(directory.join(TEMPORARY)).unwrap().set_modified(old).unwrap();
    let listed = [(".omnistorage-notes", ObjectKind::Object), ("dir", ObjectKind::Directory)];
    assert_eq!(kinds(&backend).await, listed.map(|(name, kind)| (name.to_owned(), kind)));
    assert_eq!(backend.sweep(&Path::root(), Duration::from_secs(3600)).await.unwrap(), 1);
    assert_eq!(names(&directory), [".omnistorage-notes", "dir"]);
    // One that may belong to somebody keeps its directory.
    assert_eq!(backend.rmdir(&path("dir")).await.unwrap_err().code(), ErrorCode::NotEmpty);
    assert_eq!(backend.sweep(&Path::root(), Duration::ZERO).await.unwrap(), 1);
    backend.rmdir(&path("dir")).await.unwrap();
}

#[tokio::test]
async fn a_failed_write_leaves_no_directories() {
    let Some((backend, directory)) = fresh() else { return };
    let options = WriteOptions { expected_size: Some(9), ..WriteOptions::default() };
    let refused = backend.write_all(&path("a/b/c"), "x".into(), &options).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Corrupted, "{refused}");
    assert_eq!(names(&directory), [""; 0]);
}

#[tokio::test]
async fn times_that_the_protocol_has_not_are_refused_before_anything_is_made() {
    let Some((backend, directory)) = fresh() else { return };
    for seconds in [-5, 1 << 32] {
        let modified = Some(Timestamp { seconds, nanoseconds: 0 });
        let options = WriteOptions { modified, ..WriteOptions::default() };
        let refused = backend.write_all(&path("a/b"), "x".into(), &options).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::InvalidArgument, "{refused}");
        assert!(refused.message().contains("1970 to 2106"), "{refused}");
    }
    assert_eq!(names(&directory), [""; 0]);
}

/// A root that is not there is made by the first write.
#[tokio::test]
async fn the_root_and_what_is_above_it_are_made() {
    let Some(server) = openssh() else { return };
    let (config, directory) = server.config_and_directory();
    let root = directory.join("new/root");
    let backend = SftpBackend::from_config(config.with("root", root.to_str().unwrap())).unwrap();
    let missing = backend.stat(&Path::root()).await.unwrap_err();
    assert_eq!(missing.code(), ErrorCode::NotFound);
    assert!(missing.message().contains(root.to_str().unwrap()), "{missing}");
    backend.write_all(&path("a"), "x".into(), &WriteOptions::default()).await.unwrap();
    assert_eq!(fs::read_to_string(root.join("a")).unwrap(), "x");
}
