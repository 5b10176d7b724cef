//! What is left of a backend once its handle is closed.

use std::{any::Any, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use omnistorage_types::Path;

use super::{
    Backend, Capabilities, CopyRequest, ListOptions, Listing, ObjectVersion, ReadOptions, Reader, Upload,
    WriteOptions,
};
use crate::{Error, Hash, HashAlgorithm, ObjectInfo, Result, Timestamp};

/// Tells of every call that the backend was closed, and still what it could do.
#[derive(Debug)]
pub(super) struct Closed {
    kind: String,
    capabilities: Capabilities,
}

impl Closed {
    pub(super) fn of(backend: &dyn Backend) -> Self {
        Self { kind: backend.kind().to_owned(), capabilities: backend.capabilities() }
    }

    fn refuse<T>(&self, path: &Path) -> Result<T> {
        Err(Error::backend_closed().at(&self.kind, path))
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Backend for Closed {
    fn kind(&self) -> &str {
        &self.kind
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities.clone()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn is_decorator(&self) -> bool {
        false
    }

    async fn read(&self, path: &Path, _: &ReadOptions) -> Result<Reader> {
        self.refuse(path)
    }

    async fn read_all(&self, path: &Path, _: &ReadOptions, _: usize) -> Result<Bytes> {
        self.refuse(path)
    }

    async fn write(&self, path: &Path, _: &WriteOptions) -> Result<Box<dyn Upload>> {
        self.refuse(path)
    }

    async fn write_all(&self, path: &Path, _: Bytes, _: &WriteOptions) -> Result<ObjectInfo> {
        self.refuse(path)
    }

    async fn exists(&self, path: &Path) -> Result<bool> {
        self.refuse(path)
    }

    async fn stat(&self, path: &Path) -> Result<ObjectInfo> {
        self.refuse(path)
    }

    async fn list(&self, prefix: &Path, _: &ListOptions) -> Result<Box<dyn Listing>> {
        self.refuse(prefix)
    }

    async fn delete(&self, paths: &[Path]) -> Vec<Result<()>> {
        paths.iter().map(|path| self.refuse(path)).collect()
    }

    async fn delete_if_match(&self, versions: &[ObjectVersion]) -> Vec<Result<()>> {
        versions.iter().map(|version| self.refuse(&version.path)).collect()
    }

    async fn mkdir(&self, path: &Path) -> Result<()> {
        self.refuse(path)
    }

    async fn rmdir(&self, path: &Path) -> Result<()> {
        self.refuse(path)
    }

    async fn purge(&self, prefix: &Path) -> Result<u64> {
        self.refuse(prefix)
    }

    async fn sweep(&self, prefix: &Path, _: Duration) -> Result<u64> {
        self.refuse(prefix)
    }

    async fn copy_to(
        &self,
        source: &Path,
        _: &dyn Backend,
        _: &Path,
        _: &WriteOptions,
    ) -> Result<ObjectInfo> {
        self.refuse(source)
    }

    async fn copy_many(&self, requests: &[CopyRequest], _: &dyn Backend) -> Vec<Result<ObjectInfo>> {
        requests.iter().map(|request| self.refuse(&request.source)).collect()
    }

    async fn copy_from(
        &self,
        _: &dyn Backend,
        _: &Path,
        target: &Path,
        _: &WriteOptions,
    ) -> Result<ObjectInfo> {
        self.refuse(target)
    }

    async fn move_to(
        &self,
        source: &Path,
        _: &dyn Backend,
        _: &Path,
        _: &WriteOptions,
    ) -> Result<ObjectInfo> {
        self.refuse(source)
    }

    async fn move_from(
        &self,
        _: &dyn Backend,
        _: &Path,
        target: &Path,
        _: &WriteOptions,
    ) -> Result<ObjectInfo> {
        self.refuse(target)
    }

    async fn set_modified(&self, path: &Path, _: Timestamp) -> Result<()> {
        self.refuse(path)
    }

    async fn hash(&self, path: &Path, _: HashAlgorithm) -> Result<Hash> {
        self.refuse(path)
    }

    async fn hash_many(&self, paths: &[Path], _: HashAlgorithm) -> Vec<Result<Hash>> {
        paths.iter().map(|path| self.refuse(path)).collect()
    }

    async fn close(&self) -> Result<()> {
        Ok(())
    }
}
