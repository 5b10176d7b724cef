//! Writing: one request if the object fits into a part, otherwise blocks, a few of them in flight at once, and a list of
//! them that makes the object. Blocks that no list names are invisible; the service forgets them after a week.

use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

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
        WriteCondition, WriteOptions,
        cloud::{
            client::{Answer, Call},
            part::Parts,
            upload,
        },
    },
};

/// What is to be written, and where.
pub(in crate::backend) struct Draft {
    container: Arc<Container>,
    path: Path,
    key: String,
    condition: WriteCondition,
    attributes: Attributes,
    /// Of all bytes so far.
    md5: Hasher,
}

impl Draft {
    pub(super) fn new(container: &Arc<Container>, path: &Path, options: &WriteOptions) -> Result<Self> {
        Ok(Self {
            container: Arc::clone(container),
            path: path.clone(),
            key: container.key(path)?,
            condition: options.condition.clone(),
            attributes: Attributes::new(options)?,
            md5: Hasher::new(HashAlgorithm::Md5),
        })
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

impl upload::Draft for Draft {
    const KIND: &'static str = KIND;
    const IN_FLIGHT: usize = 4;
    const LAST_COMPLETES: bool = false;
    type Multipart = Blocks;
    /// The number of a block.
    type Part = u64;

    fn path(&self) -> &Path {
        &self.path
    }

    fn check_open(&self) -> Result<()> {
        self.container.check_open()
    }

    fn parts(&self) -> &Arc<Parts> {
        &self.container.parts
    }

    fn part_size(&self, number: u64, announced: Option<u64>) -> u64 {
        self.container.part_size.of(number, announced)
    }

    fn update(&mut self, chunk: &[u8]) {
        self.md5.update(chunk);
    }

    async fn put(self, contents: Bytes) -> Result<ObjectInfo> {
        let (size, md5) = (contents.len() as u64, self.md5.clone().finish());
        let call = self
            .container
            .object(Method::PUT, &self.key, &[])?
            .header("x-ms-blob-type", "BlockBlob")?
            .header("content-md5", &encoded(&md5))?;
        self.make(call, contents, size, md5).await
    }

    async fn begin(&self, _announced: Option<u64>) -> Result<Blocks> {
        Ok(Blocks::new(Arc::clone(&self.container), self.key.clone()))
    }

    async fn send(blocks: Arc<Blocks>, number: u64, _start: u64, bytes: Bytes) -> Result<u64> {
        blocks.send(number, bytes).await
    }

    async fn complete(
        self,
        blocks: Blocks,
        mut parts: Vec<u64>,
        _last: Bytes,
        size: u64,
    ) -> Result<ObjectInfo> {
        parts.sort_unstable();
        // The latest block of that name: after an answer that was lost, the same list may be sent again.
        let latest = |number| format!("<Latest>{}</Latest>", blocks.id(number));
        let list: String = parts.into_iter().map(latest).collect();
        let body = format!("<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>{list}</BlockList>");
        let md5 = self.md5.clone().finish();
        let call = self
            .container
            .object(Method::PUT, &self.key, &[("comp", "blocklist")])?
            .header("content-type", "application/xml")?
            .header("x-ms-blob-content-md5", &encoded(&md5))?;
        self.make(call, body.into(), size, md5).await
    }

    async fn give_up(_blocks: Blocks) {}
}

/// Blocks of one object, which no list names yet.
pub(in crate::backend) struct Blocks {
    container: Arc<Container>,
    key: String,
    /// What the names of all its blocks begin with: blocks of several writers lie side by side.
    name: String,
}

impl Blocks {
    fn new(container: Arc<Container>, key: String) -> Self {
        // Fresh states are keyed at random.
        let name = format!("{:016x}{:016x}", RandomState::new().hash_one(0), RandomState::new().hash_one(1));
        Self { container, key, name }
    }

    /// The name of a block; all of an object are equally long.
    fn id(&self, number: u64) -> String {
        BASE64_STANDARD.encode(format!("{}-{number:06}", self.name))
    }

    async fn send(&self, number: u64, bytes: Bytes) -> Result<u64> {
        if number >= MOST_PARTS {
            let message = "the object has more bytes than the parts of an upload can hold: announce its size, or set a \
                           larger `part_size`";
            return Err(Error::new(ErrorCode::LimitExceeded, message));
        }
        let mut md5 = Hasher::new(HashAlgorithm::Md5);
        md5.update(&bytes);
        let query = [("comp", "block"), ("blockid", &*self.id(number))];
        let call = self
            .container
            .object(Method::PUT, &self.key, &query)?
            .header("content-md5", &encoded(&md5.finish()))?;
        let answer = self.container.send(&with_body(call, bytes)?).await?;
        if answer.status() != StatusCode::CREATED {
            return Err(answer::unclear("does not say that it has a part"));
        }
        Ok(number)
    }
}
