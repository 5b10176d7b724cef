//! What is particular to files; what every backend promises is in the conformance suite.

mod confinement;
mod contents;
mod copies;
mod links;
mod listings;
mod permissions;
mod places;
mod temporaries;
mod writes;

use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt, fs::symlink},
};

use futures::{FutureExt, StreamExt, TryStreamExt};
use rustix::fs::{CWD, FlockOperation, Mode, flock, mkfifoat};
use tempfile::TempDir;

use super::{tree::Resolution, unnamed::Unnamed, *};
use crate::{ErrorCode, ObjectKind, backend::WriteCondition};

fn backend() -> (TempDir, FileBackend) {
    let directory = tempfile::tempdir().unwrap();
    let backend = FileBackend::open(directory.path(), FileOptions::default()).unwrap();
    (directory, backend)
}

/// One whose temporary files have names, as where the file system has no others.
fn backend_with_names() -> (TempDir, FileBackend) {
    let directory = tempfile::tempdir().unwrap();
    let mut root = Root::open(directory.path(), FileOptions::default()).unwrap();
    root.unnamed = Unnamed::none();
    (directory, FileBackend { root: Arc::new(root) })
}

fn path(path: &str) -> Path {
    Path::parse(path).unwrap()
}

async fn put(backend: &FileBackend, at: &str, contents: &str) -> Result<ObjectInfo> {
    backend.write_all(&path(at), contents.to_owned().into(), &WriteOptions::default()).await
}

async fn get(backend: &FileBackend, at: &str) -> Result<String> {
    let bytes = backend.read_all(&path(at), &ReadOptions::default(), 1 << 20).await?;
    Ok(String::from_utf8(bytes.to_vec()).unwrap())
}

async fn list_with(
    backend: &FileBackend,
    prefix: &str,
    options: ListOptions,
    max: usize,
) -> Result<Vec<ObjectInfo>> {
    let mut listing = backend.list(&path(prefix), &options).await?;
    let mut entries = Vec::new();
    loop {
        let batch = listing.next_entries(max).await?;
        if batch.is_empty() {
            return Ok(entries);
        }
        assert!(batch.len() <= max);
        entries.extend(batch);
    }
}

async fn list(backend: &FileBackend) -> Result<Vec<String>> {
    let options = ListOptions { recursive: true, ..ListOptions::default() };
    let entries = list_with(backend, "", options, 3).await?;
    Ok(entries.into_iter().map(|entry| entry.path.into()).collect())
}

fn code<T>(result: Result<T>) -> ErrorCode {
    match result {
        Ok(_) => panic!("it did not fail"),
        Err(error) => {
            assert!(error.location().is_some(), "{error}");
            error.code()
        }
    }
}

/// All names below a directory, hidden ones too.
fn on_disk(directory: &std::path::Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        names.push(entry.path().display().to_string());
        if entry.file_type().unwrap().is_dir() {
            names.extend(on_disk(&entry.path()));
        }
    }
    names
}

#[tokio::test]
async fn a_root_is_made_only_on_request() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("not/there");
    let config = Config::new().with("root", root.to_str().unwrap());
    let error = FileBackend::from_config(config.clone()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::NotFound);
    assert!(error.message().contains("not/there"), "{error}");
    let backend = FileBackend::from_config(config.with("create", "true").with("fsync", "true")).unwrap();
    put(&backend, "a/b/c", "kept").await.unwrap();
    assert_eq!(fs::read_to_string(root.join("a/b/c")).unwrap(), "kept");
    assert!(FileBackend::from_config(Config::from([("root", "/"), ("rot", "")])).is_err());
}

#[tokio::test]
async fn objects_and_directories_do_not_replace_each_other() {
    let (_directory, backend) = backend();
    put(&backend, "d/x", "x").await.unwrap();
    put(&backend, "y", "y").await.unwrap();
    let options = WriteOptions::default();
    assert_eq!(code(put(&backend, "d", "").await), ErrorCode::IsDirectory);
    assert_eq!(code(put(&backend, "", "").await), ErrorCode::IsDirectory);
    assert_eq!(code(backend.write(&path("d"), &options).await.map(drop)), ErrorCode::IsDirectory);
    assert_eq!(
        code(backend.copy_to(&path("y"), &backend, &path("d"), &options).await),
        ErrorCode::IsDirectory
    );
    assert_eq!(
        code(backend.copy_to(&path("d"), &backend, &path("e"), &options).await),
        ErrorCode::IsDirectory
    );
    assert_eq!(
        code(backend.move_to(&path("y"), &backend, &path("d"), &options).await),
        ErrorCode::IsDirectory
    );
    assert_eq!(
        code(backend.move_to(&path("d"), &backend, &path("e"), &options).await),
        ErrorCode::IsDirectory
    );
    assert_eq!(code(put(&backend, "y/z/w", "").await), ErrorCode::NotDirectory);
    assert_eq!(code(backend.mkdir(&path("y")).await), ErrorCode::NotDirectory);
    assert_eq!(code(backend.rmdir(&path("y")).await), ErrorCode::NotDirectory);
    assert_eq!(code(backend.rmdir(&path("d")).await), ErrorCode::NotEmpty);
    assert_eq!(code(backend.purge(&path("y")).await), ErrorCode::NotDirectory);
    assert_eq!(code(get(&backend, "y/z").await), ErrorCode::NotFound);
    assert_eq!(code(get(&backend, "d").await), ErrorCode::IsDirectory);
    let deleted = backend.delete(&[path("d"), path("y/z"), path("missing/z"), path("y")]).await;
    let deleted: Vec<_> = deleted.into_iter().map(|result| result.map_err(|error| error.code())).collect();
    assert_eq!(deleted, [Err(ErrorCode::IsDirectory), Ok(()), Ok(()), Ok(())]);
    assert_eq!(list(&backend).await.unwrap(), ["d", "d/x"]);
}

#[tokio::test]
async fn a_closed_backend_refuses_what_was_begun_too() {
    let (directory, backend) = backend();
    fs::write(directory.path().join("a"), vec![0; 1_000_000]).unwrap();
    let mut upload = backend.write(&path("b"), &WriteOptions::default()).await.unwrap();
    let mut listing = backend.list(&path(""), &ListOptions::default()).await.unwrap();
    let mut contents = backend.read(&path("a"), &ReadOptions::default()).await.unwrap().contents;
    contents.next().await.unwrap().unwrap();
    backend.close().await.unwrap();
    backend.close().await.unwrap();
    assert_eq!(code(upload.push("x".into()).await), ErrorCode::BackendClosed);
    assert_eq!(code(listing.next(1).await), ErrorCode::BackendClosed);
    assert_eq!(code(contents.next().await.unwrap().map(drop)), ErrorCode::BackendClosed);
    assert_eq!(code(get(&backend, "a").await), ErrorCode::BackendClosed);
    assert_eq!(code(backend.delete(&[path("a")]).await.remove(0)), ErrorCode::BackendClosed);
    drop(upload);
    assert_eq!(on_disk(directory.path()).len(), 1);
}
