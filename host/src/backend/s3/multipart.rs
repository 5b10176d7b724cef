//! An upload of several parts: it is completed, aborted without a trace, or deliberately left to the next run.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::Method;
use serde::Serialize;

use super::{
    bucket::Bucket,
    part::{Part, PartRange, quoted},
    part_size::MOST_PARTS,
    resume::Remains,
    uploads::{self, abort_or_leave},
    xml::{self, Document, required},
};
use crate::{
    Error, ErrorCode, Result,
    backend::{
        WriteCondition,
        cloud::client::{Answer, Call},
        task,
    },
};

/// A store joins the parts of a large object before it answers.
pub(super) const PATIENCE: Duration = Duration::from_secs(600);

/// An upload that was begun.
struct Initiated {
    upload_id: String,
}

impl xml::Answer for Initiated {
    const ROOT: &'static str = "InitiateMultipartUploadResult";

    fn read(document: &mut Document<'_>) -> Result<Self> {
        let mut upload_id = None;
        while let Some(element) = document.element()? {
            match element.name() {
                "UploadId" => upload_id = Some(document.word("UploadId")?.into_owned()),
                _ => document.skip(&element)?,
            }
        }
        Ok(Self { upload_id: required(upload_id, "UploadId")? })
    }
}

/// Answers that hold the etag of what was made, as in headers.
macro_rules! made {
    ($($(#[$doc:meta])* $name:ident = $root:literal;)*) => {$(
        $(#[$doc])*
        pub(super) struct $name(pub(super) String);

        impl xml::Answer for $name {
            const ROOT: &'static str = $root;

            fn read(document: &mut Document<'_>) -> Result<Self> {
                etag(document).map(Self)
            }
        }
    )*};
}

made! {
    /// A copy.
    Copied = "CopyObjectResult";
    /// A part that is a copy.
    CopiedPart = "CopyPartResult";
    /// An object of parts.
    Joined = "CompleteMultipartUploadResult";
}

fn etag(document: &mut Document<'_>) -> Result<String> {
    let mut etag = None;
    while let Some(element) = document.element()? {
        match element.name() {
            "ETag" => etag = Some(quoted(&document.word("ETag")?)),
            _ => document.skip(&element)?,
        }
    }
    required(etag, "ETag")
}

#[derive(Serialize)]
#[serde(rename = "CompleteMultipartUpload")]
struct Completion<'a> {
    #[serde(rename = "Part")]
    parts: &'a [Part],
}

/// An upload that is open at the store. If it is given up, or dropped (which starts a task), it is aborted; but one
/// whose [`Remains`] are of use to the next run is left as it is.
pub(in crate::backend) struct Multipart {
    bucket: Arc<Bucket>,
    key: String,
    id: String,
    is_open: bool,
    /// The answer that was lost may have named another upload.
    may_have_twin: bool,
    /// `None`: no run continues it.
    remains: Option<Remains>,
}

impl Multipart {
    /// Opens one.
    pub(super) async fn begin(
        bucket: &Arc<Bucket>,
        key: &str,
        attributes: impl FnOnce(Call) -> Result<Call>,
    ) -> Result<Self> {
        let call = attributes(bucket.object_query(Method::POST, key, &[("uploads", "")]))?;
        let (bucket, key) = (Arc::clone(bucket), key.to_owned());
        // In a task of its own: a caller that gives up before the answer would leave behind an upload that nobody knows
        // about.
        let begun = task::to_its_end(async move {
            match bucket.ask_repeated(&call).await {
                Ok((Initiated { upload_id: id }, may_have_twin)) => {
                    Ok(Self { bucket, key, id, is_open: true, may_have_twin, remains: None })
                }
                Err(error) => {
                    if error.code().may_pass() {
                        uploads::abort_lost(&bucket, &key, None).await;
                    }
                    Err(error)
                }
            }
        });
        begun.await.unwrap_or_else(|_| Err(Error::new(ErrorCode::Cancelled, "the upload was stopped")))
    }

    /// Goes on with one.
    pub(super) fn resume(bucket: &Arc<Bucket>, key: &str, id: String, remains: Remains) -> Self {
        let (bucket, key) = (Arc::clone(bucket), key.to_owned());
        Self { bucket, key, id, is_open: true, may_have_twin: false, remains: Some(remains) }
    }

    /// Lets the next run continue it, if this one does not complete it.
    pub(super) fn resumable(mut self) -> Self {
        self.remains = Some(Remains::default());
        self
    }

    /// Whether an earlier run began it, perhaps with other attributes.
    pub(super) fn is_resumed(&self) -> bool {
        self.remains.as_ref().is_some_and(Remains::is_resumed)
    }

    /// The request for a part.
    fn part(&self, number: u64) -> Result<Call> {
        if number > MOST_PARTS {
            let message = "the object has more bytes than the parts of an upload can hold: announce its size, or set a \
                           larger `part_size`";
            return Err(Error::new(ErrorCode::LimitExceeded, message));
        }
        let number = number.to_string();
        let query = [("partNumber", number.as_str()), ("uploadId", &self.id)];
        Ok(self.bucket.object_query(Method::PUT, &self.key, &query))
    }

    /// Uploads a part, unless the store has it from an earlier run.
    pub(super) async fn upload(&self, number: u64, bytes: Bytes) -> Result<Part> {
        self.bucket.check_open()?;
        let Some(remains) = &self.remains else { return self.send(number, bytes).await };
        if let Some(part) = remains.part(&self.bucket, number, &bytes) {
            return Ok(part);
        }
        let part = self.send(number, bytes).await;
        remains.sent(&part);
        part
    }

    /// Sends a part with the checksum of its bytes.
    async fn send(&self, number: u64, bytes: Bytes) -> Result<Part> {
        let checksum = self.bucket.checksum_of(&bytes);
        let call = self.bucket.with_checksum(self.part(number)?.body(bytes), checksum.as_deref())?;
        let answer = self.bucket.send(&call).await?;
        let etag = written(answer).await?.ok_or_else(no_etag)?;
        Ok(Part { part_number: number, etag, checksum })
    }

    /// Makes a part of bytes that the store has.
    pub(super) async fn copy(
        &self,
        number: u64,
        source: &str,
        if_match: &str,
        range: PartRange,
    ) -> Result<Part> {
        self.bucket.check_open()?;
        let call = self
            .part(number)?
            .header("x-amz-copy-source", source)?
            .header("x-amz-copy-source-if-match", if_match)?
            .header("x-amz-copy-source-range", &format!("bytes={}-{}", range.start, range.end - 1))?
            .patience(PATIENCE);
        let CopiedPart(etag) = self.bucket.ask(&call).await?;
        Ok(Part { part_number: number, etag, checksum: None })
    }

    async fn abort_twin(&mut self) {
        if std::mem::take(&mut self.may_have_twin) {
            uploads::abort_lost(&self.bucket, &self.key, Some(&self.id)).await;
        }
    }

    /// Makes the object from its parts, in their order. An answer that is no success is left to the caller, who must
    /// then still abort the upload.
    pub(super) async fn complete(&mut self, parts: &[Part], condition: &WriteCondition) -> Result<Completed> {
        self.bucket.check_open()?;
        let body = quick_xml::se::to_string(&Completion { parts })
            .map_err(|error| Error::new(ErrorCode::Other, error.to_string()))?;
        let call = self.bucket.object_query(Method::POST, &self.key, &[("uploadId", &self.id)]);
        let call = self
            .bucket
            .conditional(call.header("content-type", "application/xml")?, condition)?
            .body(body.into())
            .patience(PATIENCE);
        self.abort_twin().await;
        match self.bucket.ask_conditional(&call).await? {
            Ok(Joined(etag)) => {
                self.is_open = false;
                Ok(Completed::Made { etag })
            }
            Err(refused) => Ok(Completed::Refused(Box::new(refused))),
        }
    }

    /// The store has forgotten the upload because it has become an object.
    pub(super) fn is_done(&mut self) {
        self.is_open = false;
    }

    /// Whether the next run can find it, unless it is completed: a copy on the server cannot be continued.
    fn is_left(&self) -> bool {
        self.remains.as_ref().is_some_and(Remains::are_of_use)
    }

    /// Gives up the upload, and waits until the store has, if it is not left to the next run.
    pub(super) async fn give_up(mut self) {
        self.abort_twin().await;
        self.is_open = false;
        if !self.is_left() {
            abort_or_leave(&self.bucket, &self.key, &self.id).await;
        }
    }

    /// Gives up the upload after a completion failed with this error: an upload that would fail again is not left to
    /// the next run.
    pub(super) async fn give_up_after(self, error: &Error) {
        if let Some(remains) = &self.remains {
            remains.failed(error);
        }
        self.give_up().await;
    }
}

/// The result of a completion.
pub(super) enum Completed {
    Made {
        etag: String,
    },
    /// Because of the condition, or because the upload is no longer known.
    Refused(Box<Answer>),
}

impl Drop for Multipart {
    fn drop(&mut self) {
        let (is_left, may_have_twin) = (self.is_left(), self.may_have_twin);
        if !self.is_open || (is_left && !may_have_twin) {
            return;
        }
        let (bucket, key, id) =
            (Arc::clone(&self.bucket), std::mem::take(&mut self.key), std::mem::take(&mut self.id));
        let named = key.clone();
        let is_begun = task::detach(async move {
            if may_have_twin {
                uploads::abort_lost(&bucket, &key, Some(&id)).await;
            }
            if !is_left {
                abort_or_leave(&bucket, &key, &id).await;
            }
        });
        if !is_begun {
            tracing::warn!(key = named, "an upload stays open at the store: `sweep` aborts it later");
        }
    }
}

/// The etag of what was written, from an answer that says nothing else: an answer that says more comes from another
/// server.
pub(super) async fn written(answer: Answer) -> Result<Option<String>> {
    let etag = answer.header("etag").filter(|etag| !etag.is_empty()).map(str::to_owned);
    Ok(if answer.body().await?.trim_ascii().is_empty() { etag } else { None })
}

pub(super) fn no_etag() -> Error {
    Error::new(ErrorCode::Other, "the store gave no etag for what was written; is it an S3 endpoint?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_completion_is_written_in_order() {
        let parts = [(1, Some("4waSgw==".to_owned())), (2, None)].map(|(part_number, checksum)| Part {
            part_number,
            etag: format!("\"{part_number}\""),
            checksum,
        });
        assert_eq!(
            quick_xml::se::to_string(&Completion { parts: &parts }).unwrap(),
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>\"1\"</ETag>\
             <ChecksumCRC32C>4waSgw==</ChecksumCRC32C></Part><Part><PartNumber>2</PartNumber><ETag>\"2\"</ETag></Part>\
             </CompleteMultipartUpload>"
        );
    }
}
