//! Writing: one request if the object fits into a part, otherwise an upload of several parts, a few of them in flight
//! at once.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, StatusCode};
use omnistorage_types::Path;
use tokio::task::JoinSet;

use super::{
    KIND,
    attributes::{self, Attributes},
    bucket::{Bucket, precondition_failed},
    copy,
    parts::{Completed, Multipart, Part, no_etag, written},
    resume,
    xml::read_refusal,
};
use crate::{
    Error, ErrorCode, ObjectInfo, Result,
    backend::{
        Upload, WriteCondition, WriteOptions,
        cloud::{
            client::{Answer, Call},
            expectation::Expectation,
            part::PartBuffer,
        },
    },
};

/// How many parts of one upload are in flight at once.
const IN_FLIGHT: usize = 4;

/// What is to be written, and where.
pub(super) struct Draft {
    bucket: Arc<Bucket>,
    path: Path,
    key: String,
    condition: WriteCondition,
    attributes: Attributes,
}

impl Draft {
    pub(super) fn new(bucket: &Arc<Bucket>, path: &Path, options: &WriteOptions) -> Result<Self> {
        Self::with(bucket, path, &options.condition, Attributes::new(options)?)
    }

    pub(super) fn with(
        bucket: &Arc<Bucket>,
        path: &Path,
        condition: &WriteCondition,
        attributes: Attributes,
    ) -> Result<Self> {
        let key = bucket.key(path)?;
        bucket.check_condition(condition)?;
        Ok(Self {
            bucket: Arc::clone(bucket),
            path: path.clone(),
            key,
            condition: condition.clone(),
            attributes,
        })
    }

    /// Writes the object in one request.
    pub(super) async fn put(self, contents: Bytes) -> Result<ObjectInfo> {
        let bucket = &self.bucket;
        let size = contents.len() as u64;
        let checksum = bucket.checksum_of(&contents);
        let call = bucket.object(Method::PUT, &self.key).body(contents);
        let call = bucket.with_checksum(self.attributes.on(call)?, checksum.as_deref())?;
        let answer = bucket.send_conditional(&bucket.conditional(call, &self.condition)?).await?;
        if !answer.status().is_success() {
            return self.refused(answer, size).await;
        }
        let headers = answer.response.headers().clone();
        bucket.look_at_encryption(&headers);
        match written(answer).await? {
            Some(etag) => {
                let hashes = attributes::hashes(&headers, Some(&etag), None);
                Ok(self.attributes.info(&self.path, size, etag, hashes))
            }
            // It may have been written all the same.
            None => match bucket.stat(&self.path).await {
                Ok(info) if self.is_ours(&info, size) => Ok(info),
                _ => Err(no_etag()),
            },
        }
    }

    /// Opens an upload of several parts, each with its checksum: the one that an earlier run left, if uploads are
    /// resumed, otherwise a new one.
    async fn begin(&self) -> Result<Multipart> {
        let traits = &self.bucket.traits;
        if traits.resume
            && let Some((id, remains)) = resume::find(&self.bucket, &self.key).await
        {
            return Ok(Multipart::resume(&self.bucket, &self.key, id, remains));
        }
        let multipart = self
            .begin_with(|call| {
                if traits.checksum { call.header("x-amz-checksum-algorithm", "CRC32C") } else { Ok(call) }
            })
            .await?;
        Ok(if traits.resume { multipart.resumable() } else { multipart })
    }

    /// Opens an upload of several parts with further headers.
    pub(super) async fn begin_with(&self, headers: impl FnOnce(Call) -> Result<Call>) -> Result<Multipart> {
        Multipart::begin(&self.bucket, &self.key, |call| headers(self.attributes.on(call)?)).await
    }

    /// Makes the object of its parts.
    pub(super) async fn complete(
        &self,
        mut multipart: Multipart,
        mut parts: Vec<Part>,
        size: u64,
    ) -> Result<ObjectInfo> {
        parts.sort_by_key(Part::number);
        let made = match multipart.complete(&parts, &self.condition).await {
            Ok(Completed::Made { etag }) => {
                return Ok(self.attributes.clone().info(&self.path, size, etag, Vec::new()));
            }
            Ok(Completed::Refused(answer)) => self.refused(*answer, size).await,
            Err(error) => Err(error),
        };
        match made {
            Ok(info) => {
                multipart.is_done();
                Ok(info)
            }
            Err(error) => {
                multipart.give_up_after(&error).await;
                Err(error)
            }
        }
    }

    /// Makes the object from its parts, and gives it the attributes that are wanted: those of an upload from an earlier
    /// run are unknown until then.
    async fn complete_resumed(self, multipart: Multipart, parts: Vec<Part>, size: u64) -> Result<ObjectInfo> {
        let made = self.complete(multipart, parts, size).await?;
        copy::set_attributes(&self.bucket, made, self.attributes).await
    }

    /// A refusal. It is our own success if the first answer was lost and the object there now is the one we wrote: then
    /// the condition failed because of our own write, or the upload is unknown because it was completed.
    async fn refused(&self, answer: Answer, size: u64) -> Result<ObjectInfo> {
        if answer.repeated
            && let Ok(info) = self.bucket.stat(&self.path).await
            && self.is_ours(&info, size)
        {
            return Ok(info);
        }
        let status = answer.status();
        let headers = answer.response.headers().clone();
        let body = answer.body().await?;
        // If the object is missing, S3 says so instead of naming the condition.
        let says = |code| read_refusal(&body).is_none_or(|refusal| refusal.is(code));
        if matches!(self.condition, WriteCondition::IfMatch(_))
            && status == StatusCode::NOT_FOUND
            && says("NoSuchKey")
        {
            return Err(precondition_failed());
        }
        // Control characters are legal in keys, but not every store takes them all. A store that does not refuses the
        // name, or does not understand the request.
        let of_name = ["InvalidArgument", "InvalidRequest", "InvalidURI"];
        if matches!(status, StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST)
            && self.key.bytes().any(|byte| byte.is_ascii_control())
            && read_refusal(&body).is_none_or(|refusal| of_name.iter().any(|code| refusal.is(code)))
        {
            let message = "the store takes no key with this control character: rename the object";
            return Err(Error::new(ErrorCode::InvalidPath, message));
        }
        Err(super::answer::explain(&self.bucket.name, status, &headers, &body))
    }

    /// Where the caller gave no time, ours, to the nanosecond, identifies the write as well as a name would.
    fn is_ours(&self, info: &ObjectInfo, size: u64) -> bool {
        info.size == Some(size) && self.attributes.are_those_of(info)
    }
}

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
    running: JoinSet<Result<Part>>,
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
                running: JoinSet::new(),
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
            Ok(size) if multipart.is_resumed() => self.draft.complete_resumed(multipart, parts, size).await,
            Ok(size) => self.draft.complete(multipart, parts, size).await,
            Err(error) => {
                multipart.give_up().await;
                Err(error)
            }
        }
    }
}

impl Large {
    async fn join_one(&mut self) -> Result<()> {
        match self.running.join_next().await {
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
