//! What outlives the call that made it: bodies, uploads and listings. Each of their steps is a call of its own.

use async_trait::async_trait;
use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use omnistorage_types::Path;

use super::{Direction, Layer, Layered, Operation};
use crate::{
    ObjectInfo, Result,
    backend::{Backend, Contents, Listed, Listing, Upload},
};

/// The body of a reader, passed through the layer chunk by chunk. An error ends it.
pub(super) fn layered_contents<L: Layer>(
    contents: Contents,
    layered: Layered<L>,
    path: Path,
) -> impl Stream<Item = Result<Bytes>> + Send {
    let chunks = stream::unfold(Some((contents, layered, path)), async |body| {
        let (mut contents, layered, path) = body?;
        let chunk = layered.layer.chunk(layered.call(Operation::ReadChunk, &path), contents.next()).await?;
        match chunk {
            Ok(chunk) => {
                layered.layer.bytes(Direction::Read, chunk.len() as u64).await;
                Some((Ok(chunk), Some((contents, layered, path))))
            }
            Err(error) => Some((Err(error.at(layered.kind(), &path)), None)),
        }
    });
    chunks.fuse()
}

pub(super) struct LayeredUpload<L> {
    inner: Box<dyn Upload>,
    layered: Layered<L>,
    path: Path,
}

impl<L> LayeredUpload<L> {
    pub(super) fn new(inner: Box<dyn Upload>, layered: Layered<L>, path: Path) -> Self {
        Self { inner, layered, path }
    }
}

#[async_trait]
impl<L: Layer> Upload for LayeredUpload<L> {
    async fn push(&mut self, chunk: Bytes) -> Result<()> {
        let Self { inner, layered, path } = self;
        layered.layer.bytes(Direction::Write, chunk.len() as u64).await;
        layered.around(Operation::Push, path, inner.push(chunk)).await
    }

    async fn commit(self: Box<Self>) -> Result<ObjectInfo> {
        let Self { inner, layered, path } = *self;
        layered.around(Operation::Commit, &path, inner.commit()).await
    }

    // Whatever a layer says, an upload that is not wanted must go.
    async fn abort(self: Box<Self>) {
        self.inner.abort().await;
    }
}

pub(super) struct LayeredListing<L> {
    inner: Box<dyn Listing>,
    layered: Layered<L>,
    prefix: Path,
}

impl<L> LayeredListing<L> {
    pub(super) fn new(inner: Box<dyn Listing>, layered: Layered<L>, prefix: Path) -> Self {
        Self { inner, layered, prefix }
    }
}

#[async_trait]
impl<L: Layer> Listing for LayeredListing<L> {
    async fn next(&mut self, max: usize) -> Result<Vec<Listed>> {
        self.layered.around(Operation::ListNext, &self.prefix, self.inner.next(max)).await
    }
}
