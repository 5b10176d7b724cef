//! Writing: one request if the object fits into a part, otherwise a session of several parts.

use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use bytes::{Bytes, BytesMut};
use http::{Method, StatusCode};
use omnistorage_types::Path;

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
        WriteCondition, WriteOptions,
        cloud::{client::Answer, part::Parts, upload},
    },
};

/// What is to be written, and where.
pub(in crate::backend) struct Draft {
    bucket: Arc<Bucket>,
    path: Path,
    key: String,
    condition: WriteCondition,
    attributes: Attributes,
    /// Of all bytes so far.
    crc32c: u32,
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
            crc32c: 0,
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
    async fn write(&self, contents: Bytes) -> Result<ObjectInfo> {
        let (content_type, body) = related(&self.resource(Some(self.crc32c)), &contents)?;
        let call =
            self.bucket.upload(&self.query("multipart")?)?.header("content-type", &content_type)?.body(body);
        let answer = self.bucket.ask(&call).await?;
        match answer.status() {
            status if status.is_success() => self.made(answer, contents.len() as u64).await,
            StatusCode::PRECONDITION_FAILED => self.refused(answer, contents.len() as u64).await,
            _ => {
                let failure = self.bucket.failure(answer).await;
                Err(self.bucket.of_bucket(failure))
            }
        }
    }

    /// Makes the object, by the last bytes of it.
    async fn finish(&self, mut session: Session, last: Bytes, size: u64) -> Result<ObjectInfo> {
        let start = size - last.len() as u64;
        let made = match session.finish(start, last, self.crc32c).await {
            Ok(answer) if answer.status().is_success() => return self.made(answer, size).await,
            Ok(answer) => match answer.status() {
                // The store may have forgotten the session because it has become an object.
                StatusCode::PRECONDITION_FAILED | StatusCode::NOT_FOUND | StatusCode::GONE => {
                    self.refused(answer, size).await
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
    async fn made(&self, answer: Answer, size: u64) -> Result<ObjectInfo> {
        let made: Stored = self.bucket.read(&answer.body().await?)?;
        if made.is_of(&self.key, size, self.crc32c) {
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
    async fn refused(&self, answer: Answer, size: u64) -> Result<ObjectInfo> {
        if answer.repeated
            && let Ok(found) = self.bucket.find(&self.path, None).await
            && found.crc32c == Some(encoded(self.crc32c))
        {
            let info = found.info(self.path.clone());
            if info.size == Some(size) && self.attributes.are_of(&info) {
                return Ok(info);
            }
        }
        Err(if answer.status() == StatusCode::PRECONDITION_FAILED { precondition_failed() } else { lost() })
    }
}

/// The last byte waits for the end: only that makes an object.
impl upload::Draft for Draft {
    const KIND: &'static str = KIND;
    /// A session takes its parts in order.
    const IN_FLIGHT: usize = 1;
    const LAST_COMPLETES: bool = true;
    type Multipart = Session;
    type Part = ();

    fn path(&self) -> &Path {
        &self.path
    }

    fn check_open(&self) -> Result<()> {
        self.bucket.check_open()
    }

    fn parts(&self) -> &Arc<Parts> {
        &self.bucket.parts
    }

    fn part_size(&self, _number: u64, _announced: Option<u64>) -> u64 {
        self.bucket.part_size.0
    }

    fn update(&mut self, chunk: &[u8]) {
        self.crc32c = crc32c::crc32c_append(self.crc32c, chunk);
    }

    async fn put(self, contents: Bytes) -> Result<ObjectInfo> {
        self.write(contents).await
    }

    async fn begin(&self, announced: Option<u64>) -> Result<Session> {
        Session::begin(&self.bucket, &self.query("resumable")?, &self.resource(None), announced).await
    }

    async fn send(session: Arc<Session>, _number: u64, start: u64, bytes: Bytes) -> Result<()> {
        session.send(start, bytes).await
    }

    async fn complete(self, session: Session, _parts: Vec<()>, last: Bytes, size: u64) -> Result<ObjectInfo> {
        self.finish(session, last, size).await
    }

    async fn give_up(session: Session) {
        session.cancel().await;
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
