//! A write in the making.

use async_trait::async_trait;
use bytes::Bytes;
use omnistorage_types::Path;

use super::{KIND, Shared, chunks::Gathering, objects::Object};
use crate::{
    ObjectInfo, Result,
    backend::{Upload, WriteOptions},
};

/// Gathers the bytes, and publishes them in one step.
pub(super) struct MemoryUpload {
    shared: Shared,
    path: Path,
    options: WriteOptions,
    gathering: Gathering,
}

impl MemoryUpload {
    pub(super) fn new(shared: Shared, path: Path, options: WriteOptions) -> Result<Self> {
        let gathering = Gathering::new(shared.capacity.take(0)?);
        Ok(Self { shared, path, options, gathering })
    }
}

#[async_trait]
impl Upload for MemoryUpload {
    async fn push(&mut self, chunk: Bytes) -> Result<()> {
        self.shared.read(&self.path, |_| Ok(()))?;
        self.gathering.push(chunk).map_err(|error| error.at(KIND, &self.path))
    }

    async fn commit(self: Box<Self>) -> Result<ObjectInfo> {
        let Self { shared, path, options, gathering } = *self;
        let object = Object::new(gathering.finish(), &options).map_err(|error| error.at(KIND, &path))?;
        shared.write(&path, |objects| objects.publish(&path, object, &options.condition))
    }

    async fn abort(self: Box<Self>) {}
}
