//! What is to be written: in one request, or in parts that become the object.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, StatusCode};
use omnistorage_types::Path;

use super::{
    answer::{explain, precondition_failed, read_refusal},
    attributes::{self, Attributes},
    bucket::Bucket,
    multipart::{Completed, Multipart, no_etag, written},
    part::Part,
    resume,
};
use crate::{
    Error, ErrorCode, ObjectInfo, Result,
    backend::{
        WriteCondition, WriteOptions,
        cloud::{
            client::{Answer, Call},
            store,
        },
    },
};

/// What is to be written, and where.
pub(in crate::backend) struct Draft {
    pub(super) bucket: Arc<Bucket>,
    pub(super) path: Path,
    key: String,
    condition: WriteCondition,
    pub(super) attributes: Attributes,
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
        let headers = answer.headers().clone();
        bucket.look_at_encryption(&headers);
        match written(answer).await? {
            Some(etag) => {
                let hashes = attributes::hashes(&headers, Some(&etag), None);
                Ok(self.attributes.info(&self.path, size, etag, hashes))
            }
            // It may have been written all the same.
            None => match store::stat(&**bucket, &self.path).await {
                Ok(info) if self.is_ours(&info, size) => Ok(info),
                _ => Err(no_etag()),
            },
        }
    }

    /// Opens an upload of several parts, each with its checksum: the one that an earlier run left, if uploads are
    /// resumed, otherwise a new one.
    pub(super) async fn begin(&self) -> Result<Multipart> {
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

    /// A refusal. It is our own success if the first answer was lost and the object there now is the one we wrote: then
    /// the condition failed because of our own write, or the upload is unknown because it was completed.
    pub(super) async fn refused(&self, answer: Answer, size: u64) -> Result<ObjectInfo> {
        if answer.repeated
            && let Ok(info) = store::stat(&*self.bucket, &self.path).await
            && self.is_ours(&info, size)
        {
            return Ok(info);
        }
        let status = answer.status();
        let headers = answer.headers().clone();
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
        Err(explain(&self.bucket.name, status, &headers, &body))
    }

    /// Where the caller gave no time, ours, to the nanosecond, identifies the write as well as a name would.
    fn is_ours(&self, info: &ObjectInfo, size: u64) -> bool {
        info.size == Some(size) && self.attributes.are_those_of(info)
    }
}
