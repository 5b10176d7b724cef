//! Writing: one request if the object fits into a part, otherwise several parts, a few of them in flight at once.

use std::{future::Future, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use omnistorage_types::Path;

use super::{
    expectation::Expectation,
    part::{PartBuffer, Parts},
};
use crate::{
    Error, ErrorCode, ObjectInfo, Result,
    backend::{Upload, WriteOptions, task::Tasks},
};

/// What is to be written, and the requests that do it. An object appears by [`put`](Draft::put) or
/// [`complete`](Draft::complete) alone.
pub(in crate::backend) trait Draft: Send + Sync + 'static {
    /// What the backend calls itself.
    const KIND: &'static str;
    /// How many parts of one upload are in flight at once.
    const IN_FLIGHT: usize;
    /// The last bytes come with the request that makes the object, rather than before it.
    const LAST_COMPLETES: bool;
    /// An upload of several parts.
    type Multipart: Send + Sync + 'static;
    /// A part that has arrived.
    type Part: Send + 'static;

    /// Where it is to be.
    fn path(&self) -> &Path;

    /// Whether its store may still be used.
    fn check_open(&self) -> Result<()>;

    /// The room for parts of this store.
    fn parts(&self) -> &Arc<Parts>;

    /// The size of part `number` (from 0 on) in bytes, of an object for which this size was announced.
    fn part_size(&self, number: u64, announced: Option<u64>) -> u64;

    /// Is shown all bytes, in order.
    fn update(&mut self, _chunk: &[u8]) {}

    /// Writes the object in one request.
    fn put(self, contents: Bytes) -> impl Future<Output = Result<ObjectInfo>> + Send;

    /// Begins an upload of several parts.
    fn begin(&self, announced: Option<u64>) -> impl Future<Output = Result<Self::Multipart>> + Send;

    /// Sends part `number` (from 0 on), before which the object has `start` bytes.
    fn send(
        multipart: Arc<Self::Multipart>,
        number: u64,
        start: u64,
        bytes: Bytes,
    ) -> impl Future<Output = Result<Self::Part>> + Send;

    /// Makes the object of `size` bytes from its parts, which come in any order, and the last bytes of it.
    fn complete(
        self,
        multipart: Self::Multipart,
        parts: Vec<Self::Part>,
        last: Bytes,
        size: u64,
    ) -> impl Future<Output = Result<ObjectInfo>> + Send;

    /// Removes what has arrived of an upload that makes no object. Dropping it has to do as much as can be done without
    /// waiting.
    fn give_up(multipart: Self::Multipart) -> impl Future<Output = ()> + Send;
}

/// A write in the making.
pub(in crate::backend) struct CloudUpload<D: Draft> {
    draft: D,
    expectation: Expectation,
    buffer: PartBuffer,
    large: Option<Large<D>>,
}

/// What did not fit into one part.
struct Large<D: Draft> {
    multipart: Arc<D::Multipart>,
    /// The number of the next part, from 0 on.
    next: u64,
    /// How many bytes were handed to it.
    sent: u64,
    running: Tasks<Result<D::Part>>,
    arrived: Vec<D::Part>,
}

impl<D: Draft> CloudUpload<D> {
    pub(in crate::backend) fn new(draft: D, options: &WriteOptions) -> Self {
        let (expectation, buffer) = (Expectation::new(options), PartBuffer::new(&options.allowance));
        Self { draft, expectation, buffer, large: None }
    }

    fn part_size(&self) -> u64 {
        let next = self.large.as_ref().map_or(0, |large| large.next);
        self.draft.part_size(next, self.expectation.announced_size())
    }

    /// Sends the buffer as a part, once another part may be in flight.
    async fn send_part(&mut self) -> Result<()> {
        let large = match &mut self.large {
            Some(large) => large,
            none => none.insert(Large {
                multipart: Arc::new(self.draft.begin(self.expectation.announced_size()).await?),
                next: 0,
                sent: 0,
                running: Tasks::new(),
                arrived: Vec::new(),
            }),
        };
        while large.running.len() >= D::IN_FLIGHT {
            large.join_one().await?;
        }
        let room = self.draft.parts().room().await;
        let (multipart, number, start) = (Arc::clone(&large.multipart), large.next, large.sent);
        let gathered = self.buffer.take();
        large.next += 1;
        large.sent += gathered.bytes.len() as u64;
        large.running.spawn(async move {
            let part = D::send(multipart, number, start, gathered.bytes.clone()).await?;
            room.arrived(gathered);
            Ok(part)
        });
        Ok(())
    }

    async fn append(&mut self, mut chunk: Bytes) -> Result<()> {
        self.draft.check_open()?;
        self.expectation.update(&chunk);
        self.draft.update(&chunk);
        while !chunk.is_empty() {
            let size = self.part_size();
            if self.buffer.len() >= size {
                self.send_part().await?;
            }
            let expected = self.expectation.part(size, self.large.is_none());
            let filled = self.buffer.fill(&mut chunk, size, expected, self.draft.parts()).await;
            match (filled, &mut self.large) {
                // What is on its way has the room, and will give it back.
                (Err(_), Some(large)) if !large.running.is_empty() => large.join_one().await?,
                (filled, _) => filled?,
            }
        }
        Ok(())
    }

    async fn finish(mut self) -> Result<ObjectInfo> {
        self.draft.check_open()?;
        if self.large.is_some() && !D::LAST_COMPLETES && !self.buffer.is_empty() {
            self.send_part().await?;
        }
        let last = self.buffer.take();
        let Some(mut large) = self.large else {
            self.expectation.check()?;
            return self.draft.put(last.bytes.clone()).await;
        };
        while !large.running.is_empty() {
            large.join_one().await?;
        }
        let checked = self.expectation.check();
        let (multipart, parts) = large.settle().await?;
        match checked {
            Ok(size) => self.draft.complete(multipart, parts, last.bytes.clone(), size).await,
            Err(error) => {
                D::give_up(multipart).await;
                Err(error)
            }
        }
    }
}

impl<D: Draft> Large<D> {
    async fn join_one(&mut self) -> Result<()> {
        match self.running.next().await {
            Some(Ok(part)) => self.arrived.push(part?),
            Some(Err(_)) => return Err(Error::new(ErrorCode::Cancelled, "the upload was stopped")),
            None => {}
        }
        Ok(())
    }

    /// Stops what is in flight, and returns the upload.
    async fn settle(mut self) -> Result<(D::Multipart, Vec<D::Part>)> {
        self.running.shutdown().await;
        let multipart = Arc::into_inner(self.multipart)
            .ok_or_else(|| Error::new(ErrorCode::Other, "a part of the upload is still on its way"))?;
        Ok((multipart, self.arrived))
    }
}

#[async_trait]
impl<D: Draft> Upload for CloudUpload<D> {
    async fn push(&mut self, chunk: Bytes) -> Result<()> {
        let pushed = self.append(chunk).await;
        pushed.map_err(|error| error.at(D::KIND, self.draft.path()))
    }

    async fn commit(self: Box<Self>) -> Result<ObjectInfo> {
        let path = self.draft.path().clone();
        self.finish().await.map_err(|error| error.at(D::KIND, &path))
    }

    async fn abort(self: Box<Self>) {
        if let Some(large) = self.large
            && let Ok((multipart, _)) = large.settle().await
        {
            D::give_up(multipart).await;
        }
    }
}
