//! Writing, by the requests of a [`Draft`].

use std::sync::Arc;

use bytes::Bytes;
use omnistorage_types::Path;

use super::{KIND, copy, draft::Draft, multipart::Multipart, part::Part};
use crate::{
    ObjectInfo, Result,
    backend::cloud::{part::Parts, upload},
};

impl upload::Draft for Draft {
    const KIND: &'static str = KIND;
    const IN_FLIGHT: usize = 4;
    const LAST_COMPLETES: bool = false;
    type Multipart = Multipart;
    type Part = Part;

    fn path(&self) -> &Path {
        &self.path
    }

    fn check_open(&self) -> Result<()> {
        self.bucket.check_open()
    }

    fn parts(&self) -> &Arc<Parts> {
        &self.bucket.parts
    }

    fn part_size(&self, number: u64, announced: Option<u64>) -> u64 {
        self.bucket.traits.part_size.of(number + 1, announced)
    }

    async fn put(self, contents: Bytes) -> Result<ObjectInfo> {
        Self::put(self, contents).await
    }

    async fn begin(&self, _announced: Option<u64>) -> Result<Multipart> {
        Self::begin(self).await
    }

    async fn send(multipart: Arc<Multipart>, number: u64, _start: u64, bytes: Bytes) -> Result<Part> {
        multipart.upload(number + 1, bytes).await
    }

    async fn complete(
        self,
        multipart: Multipart,
        parts: Vec<Part>,
        _last: Bytes,
        size: u64,
    ) -> Result<ObjectInfo> {
        let is_resumed = multipart.is_resumed();
        let made = Self::complete(&self, multipart, parts, size).await?;
        // The attributes of an upload from an earlier run are unknown until then.
        match is_resumed {
            true => copy::set_attributes(&self.bucket, made, self.attributes).await,
            false => Ok(made),
        }
    }

    async fn give_up(multipart: Multipart) {
        multipart.give_up().await;
    }
}
