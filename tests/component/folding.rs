//! A target that takes names for one that differ in letter case alone: no object takes the place of another.

use std::{
    any::Any,
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use omnistorage::{
    Backend, Error, ErrorCode, MemoryBackend, ObjectInfo, Path, Result,
    backend::{
        Capabilities, Features, ListOptions, Listing, ReadOptions, Reader, Upload, WriteCondition,
        WriteOptions,
    },
    runtime::{Report, Storage, SyncOptions},
};

use crate::setup::{at, memory, put, storage, tree};

/// Keeps the names that objects and directories were created with, as such file systems do.
#[derive(Debug)]
struct Folding {
    inner: MemoryBackend,
    names: Mutex<BTreeMap<String, Path>>,
}

impl Folding {
    fn new() -> Arc<Self> {
        Arc::new(Self { inner: MemoryBackend::new(), names: Mutex::default() })
    }

    /// What a path leads to.
    fn found(&self, path: &Path) -> Path {
        self.names.lock().unwrap().get(&path.as_str().to_lowercase()).unwrap_or(path).clone()
    }

    /// What a write leads to, if it may.
    fn place(&self, path: &Path, options: &WriteOptions) -> Result<Path> {
        let mut names = self.names.lock().unwrap();
        let mut found = Path::root();
        let mut typed = Path::root();
        for segment in path.segments() {
            let segment = Path::parse(segment).unwrap();
            typed = typed.join(&segment).unwrap();
            let new = found.join(&segment).unwrap();
            found = names.entry(typed.as_str().to_lowercase()).or_insert(new).clone();
            if options.condition == WriteCondition::IfAbsent && found != typed {
                return Err(Error::new(ErrorCode::AlreadyExists, "another name").at("folding", path));
            }
        }
        Ok(found)
    }
}

#[async_trait]
impl Backend for Folding {
    fn kind(&self) -> &str {
        "folding"
    }

    fn capabilities(&self) -> Capabilities {
        let inner = self.inner.capabilities();
        let features = Features {
            copy: false,
            move_to: false,
            directories: true,
            conditional_delete: false,
            ..inner.features
        };
        Capabilities { features, ..inner }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    async fn read(&self, path: &Path, options: &ReadOptions) -> Result<Reader> {
        self.inner.read(&self.found(path), options).await
    }

    async fn write(&self, path: &Path, options: &WriteOptions) -> Result<Box<dyn Upload>> {
        self.inner.write(&self.place(path, options)?, options).await
    }

    async fn write_all(&self, path: &Path, contents: Bytes, options: &WriteOptions) -> Result<ObjectInfo> {
        self.inner.write_all(&self.place(path, options)?, contents, options).await
    }

    async fn stat(&self, path: &Path) -> Result<ObjectInfo> {
        self.inner.stat(&self.found(path)).await
    }

    async fn list(&self, prefix: &Path, options: &ListOptions) -> Result<Box<dyn Listing>> {
        self.inner.list(prefix, options).await
    }

    async fn delete(&self, paths: &[Path]) -> Vec<Result<()>> {
        let found: Vec<_> = paths.iter().map(|path| self.found(path)).collect();
        for path in &found {
            self.names.lock().unwrap().remove(&path.as_str().to_lowercase());
        }
        self.inner.delete(&found).await
    }

    async fn mkdir(&self, _: &Path) -> Result<()> {
        Ok(())
    }

    async fn rmdir(&self, _: &Path) -> Result<()> {
        Ok(())
    }

    async fn sweep(&self, _: &Path, _: Duration) -> Result<u64> {
        Ok(0)
    }

    async fn close(&self) -> Result<()> {
        self.inner.close().await
    }
}

async fn run(storage: &Storage, moves: bool) -> Report {
    let (from, to, options) = (at("source", ""), at("target", ""), SyncOptions::default());
    let job = match moves {
        true => storage.move_to(&from, &to, &options).await,
        false => storage.sync(&from, &to, &options).await,
    };
    job.unwrap().outcome().await.unwrap()
}

const OBJECTS: [(&str, &str); 6] = [
    ("Dir/x", "1"),
    ("README", "UPPER"),
    ("dir/X", "2"),
    ("dir/y", "4"),
    ("other", "3"),
    ("readme", "lower!"),
];

#[tokio::test]
async fn a_sync_creates_the_first_and_tells_of_the_later_one_each_time() {
    let (source, target) = (memory(), Folding::new());
    let storage = storage([("source", source), ("target", target.clone())]);
    put(&storage, "source", &OBJECTS).await;
    let expected = [("Dir/x", "1"), ("README", "UPPER"), ("other", "3")]
        .map(|(path, contents)| (path.to_owned(), contents.to_owned()));
    for _ in 0..3 {
        let report = run(&storage, false).await;
        assert_eq!((report.errors, report.deleted), (3, 0), "{report:?}");
        assert_eq!(tree(&*target).await, expected);
    }
    // Where a name changes in its case alone, its object is in the way of itself: it is told, and nothing is deleted.
    put(&storage, "target", &[("Other2", "x")]).await;
    put(&storage, "source", &[("other2", "y")]).await;
    let report = run(&storage, false).await;
    assert_eq!((report.errors, report.deleted), (4, 0), "{report:?}");
    assert_eq!(tree(&*target).await.len(), 4);
}

#[tokio::test]
async fn a_move_leaves_what_has_no_place_of_its_own() {
    let (source, target) = (memory(), Folding::new());
    let storage = storage([("source", source.clone()), ("target", target.clone())]);
    put(&storage, "source", &OBJECTS).await;
    let report = run(&storage, true).await;
    assert_eq!(report.errors, 3, "{report:?}");
    let mut both = [tree(&*source).await, tree(&*target).await].concat();
    both.sort();
    let all = OBJECTS.map(|(path, contents)| (path.to_owned(), contents.to_owned()));
    assert_eq!(both, all);
}

#[tokio::test]
async fn a_single_object_does_not_take_the_place_of_one_that_is_called_otherwise() {
    let (source, target) = (memory(), Folding::new());
    let storage = storage([("source", source.clone()), ("target", target.clone())]);
    put(&storage, "source", &[("readme", "lower")]).await;
    put(&storage, "target", &[("README", "UPPER")]).await;
    let (from, to, options) = (at("source", "readme"), at("target", ""), SyncOptions::default());
    for moves in [false, true] {
        let job = match moves {
            true => storage.move_to(&from, &to, &options).await,
            false => storage.copy(&from, &to, &options).await,
        };
        let report = job.unwrap().outcome().await.unwrap();
        assert_eq!((report.errors, report.transferred), (1, 0), "{report:?}");
        assert_eq!(tree(&*target).await, [("README".to_owned(), "UPPER".to_owned())]);
        assert_eq!(tree(&*source).await.len(), 1);
    }
    // What has this very name is replaced as ever.
    put(&storage, "source", &[("README", "new")]).await;
    let job = storage.copy(&at("source", "README"), &to, &options).await.unwrap();
    let report = job.outcome().await.unwrap();
    assert_eq!((report.errors, report.transferred), (0, 1), "{report:?}");
    assert_eq!(tree(&*target).await, [("README".to_owned(), "new".to_owned())]);
}
