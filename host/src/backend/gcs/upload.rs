//! Writing: one request if the object fits into a part, otherwise a session of several parts.

use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::{Method, StatusCode};
use omnistorage_types::Path;
use tokio::task::JoinSet;

use super::{
    KIND,
    answer::precondition_failed,
    attributes::{Attributes, FIELDS, Resource, Stored, encoded},
    bucket::{Bucket, condition},
    session::{Session, lost},
};
use crate::{
    Error, ErrorCode, ObjectInfo, Result,
    backend::{
        Upload, WriteCondition, WriteOptions,
        cloud::{client::Answer, expectation::Expectation, part::PartBuffer},
    },
};

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
        let key = bucket.key(path)?;
        condition(&options.condition)?;
        Ok(Self {
            bucket: Arc::clone(bucket),
            path: path.clone(),
            key,
            condition: options.condition.clone(),
            attributes: Attributes::new(options)?,
        })
    }

    /// The object as the store is to describe it.
    fn resource(&self, crc32c: Option<u32>) -> Resource {
        self.attributes.resource().named(&self.key, crc32c)
    }

    fn query(&self, kind: &'static str) -> Result<Vec<(&str, &str)>> {
        let mut query = vec![("uploadType", kind), ("fields", FIELDS)];
        query.extend(condition(&self.condition)?);
        Ok(query)
    }

    /// Writes the object in one request, which brings its description and its bytes (RFC 2387).
    async fn put(self, contents: Bytes, crc32c: u32) -> Result<ObjectInfo> {
        let (content_type, body) = related(&self.resource(Some(crc32c)), &contents)?;
        let call =
            self.bucket.upload(&self.query("multipart")?)?.header("content-type", &content_type)?.body(body);
        let answer = self.bucket.ask(&call).await?;
        match answer.status() {
            status if status.is_success() => self.made(answer, contents.len() as u64, crc32c).await,
            StatusCode::PRECONDITION_FAILED => self.refused(answer, contents.len() as u64, crc32c).await,
            _ => {
                let failure = self.bucket.failure(answer).await;
                Err(self.bucket.of_bucket(failure))
            }
        }
    }

    /// Opens a session.
    async fn begin(&self, size: Option<u64>) -> Result<Session> {
        Session::begin(&self.bucket, &self.query("resumable")?, &self.resource(None), size).await
    }

    /// Makes the object, by the last bytes of it.
    async fn finish(self, mut session: Session, last: Bytes, size: u64, crc32c: u32) -> Result<ObjectInfo> {
        let start = size - last.len() as u64;
        let made = match session.finish(start, last, crc32c).await {
            Ok(answer) if answer.status().is_success() => return self.made(answer, size, crc32c).await,
            Ok(answer) => match answer.status() {
                // The store may have forgotten the session because it has become an object.
                StatusCode::PRECONDITION_FAILED | StatusCode::NOT_FOUND | StatusCode::GONE => {
                    self.refused(answer, size, crc32c).await
                }
                _ => Err(session.failure(answer).await),
            },
            Err(error) => Err(error),
        };
        match made {
            Ok(info) => {
                session.is_done();
                Ok(info)
            }
            Err(error) => {
                session.cancel().await;
                Err(error)
            }
        }
    }

    /// The object that an answer describes, checked against what was sent.
    async fn made(&self, answer: Answer, size: u64, crc32c: u32) -> Result<ObjectInfo> {
        let made: Stored = self.bucket.read(&answer.body().await?)?;
        if made.is_of(&self.key, size, crc32c) {
            return Ok(made.info(self.path.clone()));
        }
        // It is in place already, but must not be taken for what was written.
        let query = [("ifGenerationMatch", made.generation.as_str())];
        self.bucket.send(&self.bucket.object(Method::DELETE, &self.key, &query)?).await?;
        let message = "the bytes were damaged on the way to the store, and deleted there: write again";
        Err(Error::new(ErrorCode::Corrupted, message))
    }

    /// A refusal. It is our own success if the first answer was lost and the object there now is the one we wrote: then
    /// the condition failed because of our own write, or the session is unknown because it was finished.
    async fn refused(&self, answer: Answer, size: u64, crc32c: u32) -> Result<ObjectInfo> {
        if answer.repeated
            && let Ok(found) = self.bucket.find(&self.path, None).await
            && found.crc32c == Some(encoded(crc32c))
        {
            let info = found.info(self.path.clone());
            if info.size == Some(size) && self.attributes.are_of(&info) {
                return Ok(info);
            }
        }
        Err(if answer.status() == StatusCode::PRECONDITION_FAILED { precondition_failed() } else { lost() })
    }
}

/// A description and bytes in one body, and the content type of that.
fn related(resource: &Resource, contents: &[u8]) -> Result<(String, Bytes)> {
    let json = resource.to_json()?;
    // Fresh states are keyed at random: nobody can write an object that holds the boundary.
    let random = || RandomState::new().hash_one(0);
    let boundary = format!("omnistorage-{:016x}{:016x}", random(), random());
    let content_type = resource.content_type.as_deref().unwrap_or_default();
    let mut body = BytesMut::with_capacity(contents.len() + json.len() + 512);
    for piece in [
        format!("--{boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n").as_bytes(),
        &json,
        format!("\r\n--{boundary}\r\nContent-Type: {content_type}\r\n\r\n").as_bytes(),
        contents,
        format!("\r\n--{boundary}--\r\n").as_bytes(),
    ] {
        body.extend_from_slice(piece);
    }
    Ok((format!("multipart/related; boundary={boundary}"), body.freeze()))
}

/// A write in progress. The last byte waits for the commit: only that makes an object.
pub(super) struct GcsUpload {
    draft: Draft,
    expectation: Expectation,
    crc32c: u32,
    buffer: PartBuffer,
    large: Option<Large>,
}

/// What did not fit into one part.
struct Large {
    session: Arc<Session>,
    /// How many bytes were handed to it.
    sent: u64,
    /// At most one part, in flight.
    running: JoinSet<Result<()>>,
}

impl GcsUpload {
    pub(super) fn new(draft: Draft, options: &WriteOptions) -> Self {
        let (expectation, buffer) = (Expectation::new(options), PartBuffer::new(&options.allowance));
        Self { draft, expectation, crc32c: 0, buffer, large: None }
    }

    /// Sends the buffer as a part, once the one before has arrived.
    async fn send_part(&mut self) -> Result<()> {
        let large = match &mut self.large {
            Some(large) => large,
            none => none.insert(Large {
                session: Arc::new(self.draft.begin(self.expectation.announced_size()).await?),
                sent: 0,
                running: JoinSet::new(),
            }),
        };
        large.wait().await?;
        let room = self.draft.bucket.parts.room().await;
        let (session, start, gathered) = (Arc::clone(&large.session), large.sent, self.buffer.take());
        large.sent += gathered.bytes.len() as u64;
        large.running.spawn(async move {
            session.send(start, gathered.bytes.clone()).await?;
            room.arrived(gathered);
            Ok(())
        });
        Ok(())
    }

    async fn append(&mut self, mut chunk: Bytes) -> Result<()> {
        self.draft.bucket.check_open()?;
        self.expectation.update(&chunk);
        self.crc32c = crc32c::crc32c_append(self.crc32c, &chunk);
        let size = self.draft.bucket.part_size.0;
        while !chunk.is_empty() {
            if self.buffer.len() >= size {
                self.send_part().await?;
            }
            let expected = self.expectation.part(size, self.large.is_none());
            let filled = self.buffer.fill(&mut chunk, size, expected, &self.draft.bucket.parts).await;
            match (filled, &mut self.large) {
                // What is on its way has the room, and will give it back.
                (Err(_), Some(large)) if !large.running.is_empty() => large.wait().await?,
                (filled, _) => filled?,
            }
        }
        Ok(())
    }

    async fn finish(mut self) -> Result<ObjectInfo> {
        self.draft.bucket.check_open()?;
        let Some(mut large) = self.large.take() else {
            self.expectation.check()?;
            let gathered = self.buffer.take();
            return self.draft.put(gathered.bytes.clone(), self.crc32c).await;
        };
        large.wait().await?;
        let checked = self.expectation.check();
        let session = large.settle().await?;
        match checked {
            Ok(size) => {
                let last = self.buffer.take();
                self.draft.finish(session, last.bytes.clone(), size, self.crc32c).await
            }
            Err(error) => {
                session.cancel().await;
                Err(error)
            }
        }
    }
}

impl Large {
    /// Waits until nothing is in flight.
    async fn wait(&mut self) -> Result<()> {
        match self.running.join_next().await {
            Some(Ok(sent)) => sent,
            Some(Err(_)) => Err(Error::new(ErrorCode::Cancelled, "the upload was stopped")),
            None => Ok(()),
        }
    }

    /// Stops what is in flight, and returns the session.
    async fn settle(mut self) -> Result<Session> {
        self.running.shutdown().await;
        Arc::into_inner(self.session)
            .ok_or_else(|| Error::new(ErrorCode::Other, "a part of the upload is still on its way"))
    }
}

#[async_trait]
impl Upload for GcsUpload {
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
            && let Ok(session) = large.settle().await
        {
            session.cancel().await;
        }
    }
}
