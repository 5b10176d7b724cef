//! Writing: one request if the object fits into a part, otherwise an upload of several parts, a few of them in flight
//! at once.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use super::{KIND, copy, draft::Draft, multipart::Multipart, part::Part};
use crate::{
    Error, ErrorCode, ObjectInfo, Result,
    backend::{
        Upload, WriteOptions,
        cloud::{expectation::Expectation, part::PartBuffer},
        task::Tasks,
    },
};

/// How many parts of one upload are in flight at once.
const IN_FLIGHT: usize = 4;

/// A write in the making.
pub(super) struct S3Upload {
    draft: Draft,
    expectation: Expectation,
    buffer: PartBuffer,
    large: Option<Large>,
}

/// What did not fit into one part.
struct Large {
    multipart: Arc<Multipart>,
    /// The number of the next part.
    next: u64,
    running: Tasks<Result<Part>>,
    arrived: Vec<Part>,
}

impl S3Upload {
    pub(super) fn new(draft: Draft, options: &WriteOptions) -> Self {
        let (expectation, buffer) = (Expectation::new(options), PartBuffer::new(&options.allowance));
        Self { draft, expectation, buffer, large: None }
    }

    fn part_size(&self) -> u64 {
        let next = self.large.as_ref().map_or(1, |large| large.next);
        self.draft.bucket.traits.part_size.of(next, self.expectation.announced_size())
    }

    /// Sends the buffer as a part, once another part may be in flight.
    async fn send_part(&mut self) -> Result<()> {
        let large = match &mut self.large {
            Some(large) => large,
            none => none.insert(Large {
                multipart: Arc::new(self.draft.begin().await?),
                next: 1,
                running: Tasks::new(),
                arrived: Vec::new(),
            }),
        };
        while large.running.len() >= IN_FLIGHT {
            large.join_one().await?;
        }
        let room = self.draft.bucket.parts.room().await;
        let (multipart, number, gathered) = (Arc::clone(&large.multipart), large.next, self.buffer.take());
        large.next += 1;
        large.running.spawn(async move {
            let part = multipart.upload(number, gathered.bytes.clone()).await?;
            room.arrived(gathered);
            Ok(part)
        });
        Ok(())
    }

    async fn append(&mut self, mut chunk: Bytes) -> Result<()> {
        self.draft.bucket.check_open()?;
        self.expectation.update(&chunk);
        while !chunk.is_empty() {
            let size = self.part_size();
            if self.buffer.len() >= size {
                self.send_part().await?;
            }
            let expected = self.expectation.part(size, self.large.is_none());
            let filled = self.buffer.fill(&mut chunk, size, expected, &self.draft.bucket.parts).await;
            match (filled, &mut self.large) {
                // What is on its way has the room, and will give it back.
                (Err(_), Some(large)) if !large.running.is_empty() => large.join_one().await?,
                (filled, _) => filled?,
            }
        }
        Ok(())
    }

    async fn finish(mut self) -> Result<ObjectInfo> {
        self.draft.bucket.check_open()?;
        if self.large.is_none() {
            self.expectation.check()?;
            let gathered = self.buffer.take();
            return self.draft.put(gathered.bytes.clone()).await;
        }
        if !self.buffer.is_empty() {
            self.send_part().await?;
        }
        let Some(mut large) = self.large else {
            return Err(Error::new(ErrorCode::Other, "the upload lost its parts"));
        };
        while !large.running.is_empty() {
            large.join_one().await?;
        }
        let checked = self.expectation.check();
        let (multipart, parts) = large.settle().await?;
        match checked {
            Ok(size) if multipart.is_resumed() => complete_resumed(self.draft, multipart, parts, size).await,
            Ok(size) => self.draft.complete(multipart, parts, size).await,
            Err(error) => {
                multipart.give_up().await;
                Err(error)
            }
        }
    }
}

/// Makes the object from its parts, and gives it the attributes that are wanted: those of an upload from an earlier
/// run are unknown until then.
async fn complete_resumed(
    draft: Draft,
    multipart: Multipart,
    parts: Vec<Part>,
    size: u64,
) -> Result<ObjectInfo> {
    let made = draft.complete(multipart, parts, size).await?;
    copy::set_attributes(&draft.bucket, made, draft.attributes).await
}

impl Large {
    async fn join_one(&mut self) -> Result<()> {
        match self.running.next().await {
            Some(Ok(part)) => self.arrived.push(part?),
            Some(Err(_)) => return Err(Error::new(ErrorCode::Cancelled, "the upload was stopped")),
            None => {}
        }
        Ok(())
    }

    /// Stops what is in flight, and returns the upload.
    async fn settle(mut self) -> Result<(Multipart, Vec<Part>)> {
        self.running.shutdown().await;
        let multipart = Arc::into_inner(self.multipart)
            .ok_or_else(|| Error::new(ErrorCode::Other, "a part of the upload is still on its way"))?;
        Ok((multipart, self.arrived))
    }
}

#[async_trait]
impl Upload for S3Upload {
    async fn push(&mut self, chunk: Bytes) -> Result<()> {
        let pushed = self.append(chunk).await;
        pushed.map_err(|error| error.at(KIND, &self.draft.path))
    }

    async fn commit(self: Box<Self>) -> Result<ObjectInfo> {
        let path = self.draft.path.clone();
        self.finish().await.map_err(|error| error.at(KIND, &path))
    }

    async fn abort(self: Box<Self>) {
        if let Some(large) = self.large
            && let Ok((multipart, _)) = large.settle().await
        {
            multipart.give_up().await;
        }
    }
}
