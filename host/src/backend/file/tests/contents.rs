//! Objects that are not as large as they look.

use super::*;
use crate::Hasher;

/// What the system makes up as it is read tells a size of 0.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_tells_no_size_is_read_to_its_end() {
    let backend = FileBackend::open("/proc", FileOptions::default()).unwrap();
    let contents = fs::read("/proc/version").unwrap();
    let at = path("version");
    assert_eq!(backend.stat(&at).await.unwrap().size, None);
    assert_eq!(get(&backend, "version").await.unwrap().as_bytes(), contents);
    let reader = backend.read(&at, &ReadOptions::default()).await.unwrap();
    let read: Vec<Bytes> = reader.contents.try_collect().await.unwrap();
    assert_eq!(read.concat(), contents);
    let range = ReadOptions { offset: 3, length: Some(5), ..ReadOptions::default() };
    assert_eq!(backend.read_all(&at, &range, 5).await.unwrap(), contents[3..8]);
    assert_eq!(code(backend.read_all(&at, &ReadOptions::default(), 5).await), ErrorCode::LimitExceeded);
    let mut hasher = Hasher::new(HashAlgorithm::Sha256);
    hasher.update(&contents);
    assert_eq!(backend.hash(&at, HashAlgorithm::Sha256).await.unwrap(), hasher.finish());

    let (directory, target) = super::backend();
    let copied = backend.copy_to(&at, &target, &path("copy"), &WriteOptions::default()).await.unwrap();
    assert_eq!(copied.size, Some(contents.len() as u64));
    assert_eq!(fs::read(directory.path().join("copy")).unwrap(), contents);
}

#[tokio::test]
async fn an_empty_object_is_read_as_one() {
    let (_directory, backend) = backend();
    put(&backend, "a", "").await.unwrap();
    let reader = backend.read(&path("a"), &ReadOptions::default()).await.unwrap();
    assert_eq!(reader.info.size, Some(0));
    let read: Vec<Bytes> = reader.contents.try_collect().await.unwrap();
    assert!(read.is_empty());
    assert_eq!(get(&backend, "a").await.unwrap(), "");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn holes_stay_holes() {
    use std::os::unix::fs::{FileExt, MetadataExt};

    let (directory, source) = backend();
    let (other, target) = backend();
    for (size, at) in [(64 << 20, Some(10 << 20)), (64 << 20, None), (300_000, Some(299_999))] {
        let file = fs::File::create(directory.path().join("a")).unwrap();
        file.set_len(size).unwrap();
        if let Some(at) = at {
            file.write_all_at(b"x", at).unwrap();
        }
        source.copy_to(&path("a"), &target, &path("b"), &WriteOptions::default()).await.unwrap();
        let copy = fs::File::open(other.path().join("b")).unwrap();
        assert_eq!(copy.metadata().unwrap().len(), size);
        assert!(copy.metadata().unwrap().blocks() <= file.metadata().unwrap().blocks() + 64);
        let hash = |backend: FileBackend, at| async move {
            backend.hash(&path(at), HashAlgorithm::Sha256).await.unwrap()
        };
        assert_eq!(hash(source.clone(), "a").await, hash(target.clone(), "b").await);
    }
}
