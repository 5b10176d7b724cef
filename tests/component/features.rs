//! What a backend does not claim, the component does without.

use std::{any::Any, sync::Arc};

use async_trait::async_trait;
use omnistorage::{
    Backend, Error, Location, MemoryBackend, ObjectInfo, Path, Result, Timestamp,
    backend::{
        Capabilities, CopyRequest, Features, ListOptions, Listing, ObjectVersion, ReadOptions, Reader,
        Upload, WriteCondition, WriteOptions,
    },
    runtime::{Storage, SyncOptions},
};

use crate::setup::{at, memory, runtime, tree};

/// A memory backend that lacks one feature, and refuses what needs it.
#[derive(Debug)]
struct Lacking(MemoryBackend, &'static str);

impl Lacking {
    fn require(&self, feature: &str, is_needed: bool) -> Result<()> {
        if is_needed && self.1 == feature { Err(Error::unsupported(self.kind(), feature)) } else { Ok(()) }
    }

    fn check(&self, options: &WriteOptions) -> Result<()> {
        self.require("content-type", options.content_type.is_some())?;
        self.require("custom-metadata", !options.metadata.is_empty())?;
        self.require("set-modified", options.modified.is_some())?;
        self.require("if-absent", options.condition == WriteCondition::IfAbsent)?;
        self.require("if-match", matches!(options.condition, WriteCondition::IfMatch(_)))
    }
}

#[async_trait]
impl Backend for Lacking {
    fn kind(&self) -> &str {
        "lacking"
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = self.0.capabilities();
        let Features {
            copy,
            move_to,
            purge,
            set_modified,
            custom_metadata,
            content_type,
            range_read,
            atomic_write,
            if_absent,
            if_match,
            listed_times,
            batches,
            conditional_copy,
            conditional_delete,
            ..
        } = &mut capabilities.features;
        let flag = match self.1 {
            "copy" => copy,
            "move" => move_to,
            "purge" => purge,
            "set-modified" => set_modified,
            "custom-metadata" => custom_metadata,
            "content-type" => content_type,
            "range-read" => range_read,
            "atomic-write" => atomic_write,
            "if-absent" => if_absent,
            "if-match" => if_match,
            "listed-times" => listed_times,
            "batches" => batches,
            "conditional-copy" => conditional_copy,
            "conditional-delete" => conditional_delete,
            other => panic!("{other}"),
        };
        *flag = false;
        if !capabilities.features.set_modified {
            capabilities.modified_precision = None; // no time survives a copy
        }
        capabilities
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    async fn read(&self, path: &Path, options: &ReadOptions) -> Result<Reader> {
        self.require("range-read", options.offset > 0 || options.length.is_some())?;
        self.0.read(path, options).await
    }

    async fn write(&self, path: &Path, options: &WriteOptions) -> Result<Box<dyn Upload>> {
        self.check(options)?;
        self.0.write(path, options).await
    }

    async fn stat(&self, path: &Path) -> Result<ObjectInfo> {
        self.0.stat(path).await
    }

    async fn list(&self, prefix: &Path, options: &ListOptions) -> Result<Box<dyn Listing>> {
        self.0.list(prefix, options).await
    }

    async fn delete(&self, paths: &[Path]) -> Vec<Result<()>> {
        self.0.delete(paths).await
    }

    async fn delete_if_match(&self, versions: &[ObjectVersion]) -> Vec<Result<()>> {
        match self.require("conditional-delete", true) {
            Ok(()) => self.0.delete_if_match(versions).await,
            Err(error) => versions.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    async fn purge(&self, prefix: &Path) -> Result<u64> {
        self.require("purge", true)?;
        self.0.purge(prefix).await
    }

    async fn copy_to(
        &self,
        source: &Path,
        target_backend: &dyn Backend,
        target: &Path,
        options: &WriteOptions,
    ) -> Result<ObjectInfo> {
        self.require("copy", true)?;
        self.0.copy_to(source, target_backend, target, options).await
    }

    async fn copy_from(
        &self,
        source_backend: &dyn Backend,
        source: &Path,
        target: &Path,
        options: &WriteOptions,
    ) -> Result<ObjectInfo> {
        self.require("copy", true)?;
        self.check(options)?;
        source_backend.copy_to(source, &self.0, target, options).await
    }

    async fn copy_many(&self, requests: &[CopyRequest], target: &dyn Backend) -> Vec<Result<ObjectInfo>> {
        let mut results = Vec::new();
        for CopyRequest { source, target: to, options } in requests {
            results.push(self.copy_to(source, target, to, options).await);
        }
        results
    }

    async fn move_to(
        &self,
        source: &Path,
        target_backend: &dyn Backend,
        target: &Path,
        options: &WriteOptions,
    ) -> Result<ObjectInfo> {
        self.require("move", true)?;
        self.0.move_to(source, target_backend, target, options).await
    }

    async fn move_from(
        &self,
        source_backend: &dyn Backend,
        source: &Path,
        target: &Path,
        options: &WriteOptions,
    ) -> Result<ObjectInfo> {
        source_backend.move_to(source, &self.0, target, options).await
    }

    async fn set_modified(&self, path: &Path, modified: Timestamp) -> Result<()> {
        self.require("set-modified", true)?;
        self.0.set_modified(path, modified).await
    }

    async fn close(&self) -> Result<()> {
        self.0.close().await
    }
}

/// Those that memory has and a caller may miss. The order of a listing is no matter of choice: see `hostile`.
fn features() -> Vec<&'static str> {
    let memory = MemoryBackend::new().capabilities().features.entries();
    memory.into_iter().filter_map(|(name, has)| (has && name != "sorted-list").then_some(name)).collect()
}

async fn transferred(storage: &Storage, source: &Location, target: &Location) -> u64 {
    let job = storage.sync(source, target, &SyncOptions::default()).await.unwrap();
    let report = job.outcome().await.unwrap();
    assert_eq!(report.errors, 0);
    report.transferred
}

#[tokio::test]
async fn every_feature_can_be_missing() {
    assert_eq!(features().len(), 14);
    for feature in features() {
        for by_host in [true, false] {
            let (here, there) = (memory(), memory());
            let lacking: Arc<dyn Backend> = Arc::new(Lacking(MemoryBackend::new(), feature));
            for (name, text) in [("a", "one"), ("b/c", "two"), ("b/d/e", "three")] {
                let options = WriteOptions {
                    content_type: Some("text/plain".into()),
                    metadata: vec![("key".into(), "value".into())],
                    modified: Some(Timestamp { seconds: 1_000_000_000, nanoseconds: 5 }),
                    ..WriteOptions::default()
                };
                here.write_all(&Path::parse(name).unwrap(), text.into(), &options).await.unwrap();
            }
            let storage = Storage::builder(runtime())
                .transfer(by_host)
                .mount("here", here.clone())
                .mount("lacking", lacking.clone())
                .mount("there", there.clone())
                .build();
            let [from, middle, to] = ["here", "lacking", "there"].map(|backend| at(backend, ""));
            assert_eq!(transferred(&storage, &from, &middle).await, 3, "{feature}");
            assert_eq!(transferred(&storage, &from, &middle).await, 0, "{feature}: it never ends");
            assert_eq!(transferred(&storage, &middle, &to).await, 3, "{feature}");
            assert_eq!(tree(&*there).await, tree(&*here).await, "{feature}");

            assert_eq!(storage.purge(&at("lacking", "b")).await.unwrap(), 2, "{feature}");
            assert_eq!(tree(&*lacking).await, [("a".to_owned(), "one".to_owned())], "{feature}");
        }
    }
}
