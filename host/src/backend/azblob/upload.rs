//! Writing: one request if the object fits into a part, otherwise blocks, a few of them in flight at once, and a list of
//! them that makes the object. Blocks that no list names are invisible; the service forgets them after a week.

use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use async_trait::async_trait;
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{Method, StatusCode};
use omnistorage_types::Path;

use super::{
    KIND,
    answer::{self, precondition_failed},
    attributes::{Attributes, encoded},
    container::{Container, conditional, etag, no_etag, with_body},
    part_size::MOST_PARTS,
};
use crate::{
    Error, ErrorCode, Hash, HashAlgorithm, Hasher, ObjectInfo, Result,
    backend::{
        Upload, WriteCondition, WriteOptions,
        cloud::{
            client::{Answer, Call},
            expectation::Expectation,
            part::PartBuffer,
        },
        task::Tasks,
    },
};

/// How many parts of one upload are in flight at once.
const IN_FLIGHT: usize = 4;

/// What is to be written, and where.
pub(super) struct Draft {
    container: Arc<Container>,
    path: Path,
    key: String,
    condition: WriteCondition,
    attributes: Attributes,
}

impl Draft {
    pub(super) fn new(container: &Arc<Container>, path: &Path, options: &WriteOptions) -> Result<Self> {
        Ok(Self {
            container: Arc::clone(container),
            path: path.clone(),
            key: container.key(path)?,
            condition: options.condition.clone(),
            attributes: Attributes::new(options)?,
        })
    }

    /// Writes the object in one request.
    async fn put(self, contents: Bytes, md5: Hash) -> Result<ObjectInfo> {
        let size = contents.len() as u64;
        let call = self
            .container
            .object(Method::PUT, &self.key, &[])?
            .header("x-ms-blob-type", "BlockBlob")?
            .header("content-md5", &encoded(&md5))?;
        self.make(call, contents, size, md5).await
    }

    /// Makes the object from its blocks.
    async fn join(self, ids: &[String], size: u64, md5: Hash) -> Result<ObjectInfo> {
        // The latest block of that name: after an answer that was lost, the same list may be sent again.
        let list: String = ids.iter().map(|id| format!("<Latest>{id}</Latest>")).collect();
        let body = format!("<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>{list}</BlockList>");
        let call = self
            .container
            .object(Method::PUT, &self.key, &[("comp", "blocklist")])?
            .header("content-type", "application/xml")?
            .header("x-ms-blob-content-md5", &encoded(&md5))?;
        self.make(call, body.into(), size, md5).await
    }

    /// Sends the request that makes the object.
    async fn make(&self, call: Call, body: Bytes, size: u64, md5: Hash) -> Result<ObjectInfo> {
        let call = conditional(self.attributes.on(call)?, &self.condition)?;
        let answer = self.container.ask(&with_body(call, body)?).await?;
        match answer.status() {
            StatusCode::CREATED => {
                let etag = etag(answer.headers()).ok_or_else(no_etag)?;
                Ok(self.attributes.info(&self.path, size, etag, md5))
            }
            StatusCode::PRECONDITION_FAILED | StatusCode::CONFLICT | StatusCode::BAD_REQUEST => {
                self.refused(answer, size, md5).await
            }
            status if status.is_success() => Err(answer::unclear("does not say that the object was made")),
            _ => Err(self.container.failure(answer).await),
        }
    }

    /// A refusal. It is our own success if the first answer was lost and the object there now is the one we wrote: then
    /// the condition failed because of our own write.
    async fn refused(&self, answer: Answer, size: u64, md5: Hash) -> Result<ObjectInfo> {
        let is_forgotten = answer::code(answer.headers()) == "InvalidBlockList";
        if answer.repeated || is_forgotten {
            let found = match self.container.head(&self.path, None).await {
                Ok((info, _)) => Some(info),
                Err(error) if error.code() == ErrorCode::NotFound => None,
                Err(error) => return Err(error),
            };
            if answer.repeated
                && let Some(info) = &found
                && info.size == Some(size)
                && info.hashes == [md5]
                && self.attributes.are_of(info)
            {
                return Ok(info.clone());
            }
            // Whoever was faster made the service forget the blocks, and is what the condition is about.
            let there = found.and_then(|info| info.etag);
            let holds = match &self.condition {
                WriteCondition::Always => true,
                WriteCondition::IfAbsent => there.is_none(),
                WriteCondition::IfMatch(etag) => there.as_ref() == Some(etag),
            };
            if is_forgotten && !holds {
                return Err(precondition_failed());
            }
        }
        Err(self.container.failure(answer).await)
    }
}

/// A write in the making.
pub(super) struct AzblobUpload {
    draft: Draft,
    expectation: Expectation,
    md5: Hasher,
    buffer: PartBuffer,
    large: Option<Large>,
}

/// What did not fit into one part.
struct Large {
    /// What the names of all its blocks begin with: blocks of several writers lie side by side.
    name: String,
    /// The number of the next block.
    next: u64,
    running: Tasks<Result<()>>,
}

impl Large {
    fn new() -> Self {
        // Fresh states are keyed at random.
        let name = format!("{:016x}{:016x}", RandomState::new().hash_one(0), RandomState::new().hash_one(1));
        Self { name, next: 0, running: Tasks::new() }
    }

    /// The name of a block; all of an object are equally long.
    fn id(&self, number: u64) -> String {
        BASE64_STANDARD.encode(format!("{}-{number:06}", self.name))
    }

    async fn join_one(&mut self) -> Result<()> {
        match self.running.next().await {
            Some(Ok(sent)) => sent,
            Some(Err(_)) => Err(Error::new(ErrorCode::Cancelled, "the upload was stopped")),
            None => Ok(()),
        }
    }
}

impl AzblobUpload {
    pub(super) fn new(draft: Draft, options: &WriteOptions) -> Self {
        let (expectation, buffer) = (Expectation::new(options), PartBuffer::new(&options.allowance));
        Self { draft, expectation, md5: Hasher::new(HashAlgorithm::Md5), buffer, large: None }
    }

    fn part_size(&self) -> u64 {
        let next = self.large.as_ref().map_or(0, |large| large.next);
        self.draft.container.part_size.of(next, self.expectation.announced_size())
    }

    /// Sends the buffer as a block, once another one may be in flight.
    async fn send_part(&mut self) -> Result<()> {
        let large = self.large.get_or_insert_with(Large::new);
        while large.running.len() >= IN_FLIGHT {
            large.join_one().await?;
        }
        if large.next >= MOST_PARTS {
            let message = "the object has more bytes than the parts of an upload can hold: announce its size, or set a \
                           larger `part_size`";
            return Err(Error::new(ErrorCode::LimitExceeded, message));
        }
        let container = Arc::clone(&self.draft.container);
        let room = container.parts.room().await;
        let (key, id, gathered) = (self.draft.key.clone(), large.id(large.next), self.buffer.take());
        large.next += 1;
        large.running.spawn(async move {
            let mut md5 = Hasher::new(HashAlgorithm::Md5);
            md5.update(&gathered.bytes);
            let call = container
                .object(Method::PUT, &key, &[("comp", "block"), ("blockid", &id)])?
                .header("content-md5", &encoded(&md5.finish()))?;
            let answer = container.send(&with_body(call, gathered.bytes.clone())?).await?;
            if answer.status() != StatusCode::CREATED {
                return Err(answer::unclear("does not say that it has a part"));
            }
            room.arrived(gathered);
            Ok(())
        });
        Ok(())
    }

    async fn append(&mut self, mut chunk: Bytes) -> Result<()> {
        self.draft.container.check_open()?;
        self.expectation.update(&chunk);
        self.md5.update(&chunk);
        while !chunk.is_empty() {
            let size = self.part_size();
            if self.buffer.len() >= size {
                self.send_part().await?;
            }
            let expected = self.expectation.part(size, self.large.is_none());
            let filled = self.buffer.fill(&mut chunk, size, expected, &self.draft.container.parts).await;
            match (filled, &mut self.large) {
                // What is on its way has the room, and will give it back.
                (Err(_), Some(large)) if !large.running.is_empty() => large.join_one().await?,
                (filled, _) => filled?,
            }
        }
        Ok(())
    }

    async fn finish(mut self) -> Result<ObjectInfo> {
        self.draft.container.check_open()?;
        if self.large.is_none() {
            self.expectation.check()?;
            let gathered = self.buffer.take();
            return self.draft.put(gathered.bytes.clone(), self.md5.finish()).await;
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
        let size = self.expectation.check()?;
        let ids: Vec<_> = (0..large.next).map(|number| large.id(number)).collect();
        self.draft.join(&ids, size, self.md5.finish()).await
    }
}

#[async_trait]
impl Upload for AzblobUpload {
    async fn push(&mut self, chunk: Bytes) -> Result<()> {
        let pushed = self.append(chunk).await;
        pushed.map_err(|error| error.at(KIND, &self.draft.path))
    }

    async fn commit(self: Box<Self>) -> Result<ObjectInfo> {
        let path = self.draft.path.clone();
        self.finish().await.map_err(|error| error.at(KIND, &path))
    }

    async fn abort(self: Box<Self>) {
        if let Some(mut large) = self.large {
            large.running.shutdown().await;
        }
    }
}
