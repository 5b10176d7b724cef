//! A container as a [`Backend`].

use std::{any::Any, time::Duration};

use async_trait::async_trait;
use omnistorage::{
    Backend, ObjectInfo, Path, Result,
    backend::{
        Capabilities, Features, ListOptions, Listing, ReadOptions, Reader, Upload, WriteOptions,
        require_object,
    },
};

use super::{KIND, container::Container, copy, listing, names, read, sweep, upload::BlobstoreUpload};

/// Objects in a container of the host's; see the [module](super).
#[derive(Debug)]
pub(super) struct BlobstoreBackend(Container);

impl BlobstoreBackend {
    pub(super) fn new(container: Container) -> Self {
        Self(container)
    }
}

#[async_trait]
impl Backend for BlobstoreBackend {
    fn kind(&self) -> &str {
        KIND
    }

    fn capabilities(&self) -> Capabilities {
        let features = Features {
            copy: true,
            range_read: true,
            atomic_write: true,
            sorted_list: true,
            ..Features::default()
        };
        Capabilities { features, ..Capabilities::default() }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    async fn read(&self, path: &Path, options: &ReadOptions) -> Result<Reader> {
        read::read(&self.0, path, options).map_err(|error| error.at(KIND, path))
    }

    async fn write(&self, path: &Path, options: &WriteOptions) -> Result<Box<dyn Upload>> {
        let upload = BlobstoreUpload::begin(&self.0, path, options).map_err(|error| error.at(KIND, path))?;
        Ok(Box::new(upload))
    }

    async fn stat(&self, path: &Path) -> Result<ObjectInfo> {
        self.0.stat(path).map_err(|error| error.at(KIND, path))
    }

    async fn list(&self, prefix: &Path, options: &ListOptions) -> Result<Box<dyn Listing>> {
        listing::list(&self.0, prefix, options).map_err(|error| error.at(KIND, prefix))
    }

    async fn delete(&self, paths: &[Path]) -> Vec<Result<()>> {
        let delete = |path: &Path| {
            require_object(path)?;
            names::check(path)?;
            self.0.delete(path.as_str())
        };
        paths.iter().map(|path| delete(path).map_err(|error| error.at(KIND, path))).collect()
    }

    async fn sweep(&self, prefix: &Path, older_than: Duration) -> Result<u64> {
        sweep::sweep(&self.0, prefix, older_than).map_err(|error| error.at(KIND, prefix))
    }

    async fn copy_to(
        &self,
        source: &Path,
        target_backend: &dyn Backend,
        target: &Path,
        options: &WriteOptions,
    ) -> Result<ObjectInfo> {
        let Some(Self(to)) = target_backend.as_any().downcast_ref() else {
            return target_backend.copy_from(self, source, target, options).await;
        };
        copy::copy(&self.0, source, to, target, options).map_err(|error| error.at(KIND, source))
    }

    async fn close(&self) -> Result<()> {
        // The container is the host's, and other handles may lead to it.
        Ok(())
    }
}
