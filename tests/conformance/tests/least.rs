//! A backend that does only what every backend must: rows about features that it does not claim hold it to the other
//! half of the promise, and the defaults of the trait to theirs.

use std::{any::Any, sync::Arc};

use async_trait::async_trait;
use omnistorage::{
    Backend, Error, MemoryBackend, ObjectInfo, Path, Result,
    backend::{
        Capabilities, ListOptions, Listing, ReadOptions, Reader, Upload, WriteCondition, WriteOptions,
    },
};

#[derive(Debug)]
struct Least(MemoryBackend);

impl Least {
    fn lacks(&self, what: &str, path: &Path) -> Error {
        Error::unsupported(self.kind(), what).at(self.kind(), path)
    }
}

#[async_trait]
impl Backend for Least {
    fn kind(&self) -> &str {
        "least"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    async fn read(&self, path: &Path, options: &ReadOptions) -> Result<Reader> {
        if options.offset > 0 || options.length.is_some() {
            return Err(self.lacks("range reads", path));
        }
        self.0.read(path, options).await
    }

    async fn write(&self, path: &Path, options: &WriteOptions) -> Result<Box<dyn Upload>> {
        if options.condition != WriteCondition::Always {
            return Err(self.lacks("conditions", path));
        }
        if options.content_type.is_some() || options.modified.is_some() || !options.metadata.is_empty() {
            return Err(self.lacks("attributes", path));
        }
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

    async fn close(&self) -> Result<()> {
        self.0.close().await
    }
}

async fn least() -> (Arc<dyn Backend>, ()) {
    (Arc::new(Least(MemoryBackend::new())), ())
}

omnistorage_conformance::conformance_tests!(least);
